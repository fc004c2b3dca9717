"""Checks M1 to M6: does the part go into the bay, and does it hold there?"""

from __future__ import annotations

from kyotsu.spec.battery_case import BatteryCase, BatteryCheck, no_layout
from kyotsu.spec.comparison import AT_LEAST, AT_MOST, Value, compare, passed, same, shown, unknown
from kyotsu.spec.finding import Outcome, Verdict, weakest
from kyotsu.spec.layout import battery_mass_kg, box_mm, orientations_mm
from kyotsu.spec.slots import Box

SIDES = ("length", "width", "height")


def envelope(case: BatteryCase) -> list[Outcome]:
    """M1: size with tolerance and swelling inside the clear space, in an allowed orientation."""
    sizes = orientations_mm(case.module.envelope)
    offered = [case.offer(f"envelope.{name}_mm") for name in (*SIDES, "tolerance", "swelling")]
    name, box = _target(case)
    required = [case.need(f"{name}.{side}_mm") for side in SIDES]
    missing = unknown((*offered, *required, case.need("clearance_mm")), "The envelope")
    space = box_mm(box)
    if missing or space is None:
        return [missing] if missing else []
    clearance = case.bay.clearance_mm or 0.0
    size = max(sizes, key=lambda own: min(free - side - clearance for side, free in zip(own, space, strict=True)))
    margins = [free - side - clearance for side, free in zip(size, space, strict=True)]
    tightest = margins.index(min(margins))
    margin, tolerance = margins[tightest], case.bay.envelope_tolerance_mm or 0.0
    verdict = Verdict.PASS if margin >= 0 else Verdict.CONDITIONAL if margin >= -tolerance else Verdict.FAIL
    grown = shown(tuple(round(side, 1) for side in size))
    free = shown(tuple(round(side - clearance, 1) for side in space))
    what = "the whole bay" if name == "bay" else "a native place"
    return [
        Outcome(
            verdict,
            f"Grown to end of life the part measures {grown} mm; {what} leaves {free} mm: "
            f"{abs(margin):.1f} mm {'to spare' if margin >= 0 else 'too much'} in {SIDES[tightest]}.",
            grown,
            f"at most {free}",
            margin,
            "mm",
            f"Body work: find {-margin:.1f} mm in {SIDES[tightest]}." if margin < 0 else "",
            status=weakest(value.status for value in (*offered, *required)),
        )
    ]


def _target(case: BatteryCase) -> tuple[str, Box]:
    """The space that the part must go into: a native place if it fits one, else the free bay."""
    place, space = box_mm(case.bay.place), box_mm(case.bay.bay)
    if case.is_pack or place is None:
        return "bay", case.bay.bay
    clearance = case.bay.clearance_mm or 0.0
    inside = any(
        all(side + clearance <= free for side, free in zip(size, place, strict=True))
        for size in orientations_mm(case.module.envelope)
    )
    return ("place", case.bay.place) if inside or space is None else ("bay", case.bay.bay)


def mass(case: BatteryCase) -> list[Outcome]:
    """M2: mass of the whole battery within the bay's limit; a little more asks for suspension work."""
    limit = case.need("max_mass_kg")
    values = [case.offer("mass_kg"), limit]
    if not case.is_pack:
        values.append(case.need("structure_mass_kg"))
    missing = unknown(values, "The mass")
    if missing or case.layout is None:
        return [missing or no_layout(case)]
    total = battery_mass_kg(case.module, case.layout, case.bay)
    offered = Value("battery mass_kg", total, weakest(value.status for value in values))
    return [
        compare(
            offered,
            AT_MOST,
            limit,
            tolerance=case.bay.mass_tolerance_kg or 0.0,
            action="Suspension: retune springs and dampers, and recheck axle loads and type approval.",
            what=f"battery mass of {case.layout.text}",
        )
    ]


def mounting(case: BatteryCase) -> list[Outcome]:
    """M3: the same bolt pattern and thread; no public standard fixes them."""
    return [
        same(
            case.offer("mounting.pattern"),
            case.need("mounting.pattern"),
            action="Adapter frame between the part's bolt pattern and the bay's.",
            what="mounting pattern",
        ),
        same(
            case.offer("mounting.thread"),
            case.need("mounting.thread"),
            action="Adapter bolts.",
            what="mounting thread",
        ),
    ]


def vibration(case: BatteryCase) -> list[Outcome]:
    """M4: vibration and shock class of the part at least the bay's."""
    return [compare(case.offer("mounting.vibration_class"), AT_LEAST, case.need("mounting.vibration_class"))]


def ingress_and_crush(case: BatteryCase) -> list[Outcome]:
    """M5: protection against ingress and crush at least the bay's."""
    return [
        protection(case.offer("mounting.ip_code"), case.need("mounting.ip_code")),
        compare(case.offer("mounting.crush_force_kn"), AT_LEAST, case.need("mounting.crush_force_kn")),
    ]


def protection(offered: Value, required: Value) -> Outcome:
    """IP codes compare digit by digit: solids first, then water; X counts as nothing tested."""
    missing = unknown((offered, required), "Ingress protection")
    if missing:
        return missing
    digits = [[0 if digit == "X" else int(digit) for digit in str(value.content)[2:4]] for value in (offered, required)]
    enough = all(own >= wanted for own, wanted in zip(*digits, strict=True))
    return Outcome(
        Verdict.PASS if enough else Verdict.FAIL,
        f"Ingress protection: {offered.content} offered, at least {required.content} required.",
        str(offered.content),
        f"at least {required.content}",
        status=weakest((offered.status, required.status)),
    )


def swelling(case: BatteryCase) -> list[Outcome]:
    """M6: the frame's face pressure inside what the cells want, and room for their growth."""
    if case.is_pack:
        return [passed("The pack has its own frame: cell pressure is not the bay's concern.")]
    return [
        compare(
            case.need("mounting.face_pressure_min_kpa"),
            AT_LEAST,
            case.offer("mounting.face_pressure_min_kpa"),
            what="lowest face pressure of the frame",
        ),
        compare(
            case.need("mounting.face_pressure_max_kpa"),
            AT_MOST,
            case.offer("mounting.face_pressure_max_kpa"),
            what="highest face pressure of the frame",
        ),
        compare(
            case.offer("envelope.swelling_mm"),
            AT_MOST,
            case.need("mounting.growth_allowance_mm"),
            what="growth to end of life",
        ),
    ]


BODY_CHECKS = (
    BatteryCheck("M1", "Envelope", "GB/T 34013 ch. 4-6; VDA / DIN SPEC 91252 for cells", envelope),
    BatteryCheck("M2", "Mass", "UN R100 part II", mass),
    BatteryCheck("M3", "Mounting", "kyotsu (no public standard)", mounting),
    BatteryCheck("M4", "Vibration and shock", "ISO 19453-6; UN R100; UN 38.3 T.3, T.4", vibration),
    BatteryCheck("M5", "Ingress and crush", "ISO 20653; UN R100 part II; QC/T 989", ingress_and_crush),
    BatteryCheck("M6", "Swelling and face pressure", "IEC 62660-2", swelling),
)

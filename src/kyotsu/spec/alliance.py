"""Makers, agreements, markets and the alliance: who shares what with whom, and where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kyotsu.spec.record import Identifier, Positive, Record, StandardReference, Table, Text

Year = Annotated[int, Field(ge=1990, le=2100, strict=True)]


class Market(Record):
    """A market: its currency and the drive cycle that its label uses."""

    name: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    cycle: Literal["udds", "wltc_3b", "jc08"]


class Agreement(Record):
    """What makers agreed to do together, with its date and state."""

    name: Text
    parties: Annotated[tuple[Identifier, ...], Field(min_length=2)]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]
    state: Literal["memorandum", "study", "basic_agreement", "contract", "ended"]
    subjects: tuple[Text, ...] = ()


class Alliance(Table):
    """The head of a workspace: `alliance.toml`."""

    format: int
    name: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    year: Year
    adopted_standards: tuple[StandardReference, ...] = ()
    proposed_battery_module: Identifier | None = None
    proposed_eaxles: tuple[Identifier, ...] = ()
    market: tuple[Market, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    notes: Text | None = None


class Maker(Table):
    """A maker: the folder it stands in is its identity."""

    format: int
    name: Text
    country: Text | None = None
    units_per_year: Positive | None = None
    source: Text | None = None

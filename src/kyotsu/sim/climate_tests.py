"""The tests of the United States in cold and in heat: the FTP at 20 °F and SC03.

In: vehicles. Out: consumption at the wall by bags, and what is to be known of it.

    cold FTP  soaked at -6.7 degC, heater on; UDDS, 10 minutes off, its first 505 s again: 40 CFR 1066.710, 1066.815;
              both starts weighted 43 and 57 % by distance: 40 CFR 1066.820
    SC03      35 degC, 850 W/m² of sun, air conditioning on; 505 s of UDDS and 10 minutes of soak before:
              40 CFR 86.160-00

40 CFR 1066.710 sets the bench to the road at -7 degC by 1066.305, the text of which was not seen; a road load 10 %
higher than that of the coast-down is our reading.
"""

from __future__ import annotations

import numpy as np

from kyotsu.errors import InternalError
from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.climate import Climate, Temperatures, parked
from kyotsu.sim.parameters import FloatArray, VehicleParameters
from kyotsu.sim.phases import SOAK_S, PhaseResults, cut, named_cycle
from kyotsu.sim.simulate import Results

COLD = Climate(ambient_c=-6.7)  # 20 °F, 40 CFR 1066.710
COLD_ROAD_LOAD = 1.1  # -, over that of the coast-down; our reading, see above
COLD_START_WEIGHT = 0.43  # -, of bags 1 and 2; 40 CFR 1066.820
SUN_W = 1000.0  # W into the cabin: some 1.2 m² of window and what heat of the roof follows; our assumption
HOT = Climate(ambient_c=35.0, solar_w=SUN_W)  # 95 °F, 40 CFR 86.160-00
BAG_S = 505.0  # s, first and third bag


def cold_ftp(parameters: VehicleParameters) -> PhaseResults:
    """Drive the FTP at 20 °F; bags `1`, `2` and `3`.

    Args:
        parameters: the vehicles, with the road load of their coast-down.
    """
    chassis = parameters.chassis
    higher = {name: COLD_ROAD_LOAD * getattr(chassis, name) for name in ("road_load_a", "road_load_b", "road_load_c")}
    on_bench = parameters._replace(chassis=chassis._replace(**higher))
    udds = named_cycle("udds")
    first_bag = cut(udds, 0.0, BAG_S)
    start = simulate_batch(on_bench, [first_bag, udds], climate=COLD)
    again = simulate_batch(on_bench, first_bag, climate=COLD, start=_after_soak(on_bench, start, COLD))
    energy_ac, energy_dc, distance = (
        np.concatenate([np.diff(before, prepend=0.0), after], axis=1)
        for before, after in (
            (start.ledger.wall_wh, again.ledger.wall_wh),
            (start.ledger.cells_wh, again.ledger.cells_wh),
            (start.distance_km, again.distance_km),
        )
    )
    validity = start.validity[:, 1] | again.validity[:, 0]
    return PhaseResults(("1", "2", "3"), energy_ac, energy_dc, distance, validity)


def composite_ac_wh_per_km(ftp: PhaseResults) -> FloatArray:
    """Both starts of an FTP weighted [Wh/km], shape (vehicle,); 40 CFR 1066.820.

    With E the energy and d the distance of bags: 0.43 (E1 + E2)/(d1 + d2) + 0.57 (E3 + E2)/(d3 + d2).
    """
    cold, hot = (ftp.consumption_ac_wh_per_km(*bags) for bags in (("1", "2"), ("3", "2")))
    return COLD_START_WEIGHT * cold + (1.0 - COLD_START_WEIGHT) * hot


def sc03(parameters: VehicleParameters) -> Results:
    """Drive SC03 in heat and sun with air conditioning, after the drive and the soak before it.

    Args:
        parameters: the vehicles.

    Returns:
        Results of shape (vehicle, 1).
    """
    before = simulate_batch(parameters, cut(named_cycle("udds"), 0.0, BAG_S), climate=HOT)
    return simulate_batch(parameters, named_cycle("sc03"), climate=HOT, start=_after_soak(parameters, before, HOT))


def _after_soak(parameters: VehicleParameters, results: Results, climate: Climate) -> Temperatures:
    """Temperatures after the soak that follows the last cycle driven, each of shape (vehicle, 1)."""
    if results.warmth is None:
        raise InternalError("a drive in a climate without temperatures")
    end = Temperatures(*(value[:, -1:] for value in results.warmth.end))
    return parked(parameters, end, climate, SOAK_S)

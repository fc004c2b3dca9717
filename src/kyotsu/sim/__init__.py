"""What a vehicle built from given parts does: consumption, range, label, acceleration, top speed, grade.

    cycles                                   speed over time, from a file or by a name of CYCLES
    parameters <- components (generic)       what a vehicle is, in SI arrays of shape (vehicle,)
    road  drive  battery  ->  step           one step of physics, pure functions
    simulate  performance  label             results with units in their names
    car_table  calibration  validation       how right it is, and where its constants come from
    interval                                 bounds that hold what a bench would measure

Rules kept: SI and bare inside, unit suffixes at the edge; one source of physics, elementwise over vehicles;
after the edge nothing raises and nothing is NaN, badness is a number or a flag; every joule is accounted for.
"""

from kyotsu.sim.components import generic_vehicle
from kyotsu.sim.cycles import CYCLES, Cycle, load_cycle
from kyotsu.sim.label import epa_label
from kyotsu.sim.parameters import VehicleParameters, stack
from kyotsu.sim.performance import acceleration_time_s, gradeability_pct, range_km, top_speed_km_h
from kyotsu.sim.simulate import simulate

__all__ = [
    "CYCLES",
    "Cycle",
    "VehicleParameters",
    "acceleration_time_s",
    "epa_label",
    "generic_vehicle",
    "gradeability_pct",
    "load_cycle",
    "range_km",
    "simulate",
    "stack",
    "top_speed_km_h",
]

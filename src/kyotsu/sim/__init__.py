"""What a vehicle built from given parts does: consumption, range, label, charging, ageing; and how right that is.

What is driven
    cycles  phases                      speed over time, from a file or by a name of CYCLES; cut, joined, in phases
What drives
    parameters  thermal_parameters      what a vehicle is, in SI arrays of (vehicle,); parameter_checks judges those,
                                        quantities single numbers
    components  generic_thermal         what nobody stated, from outlines of cars
    build  motor_map                    from a build of `spec` to such arrays; from measured losses to a polynomial
Physics, written once, for arrays and for compiled scalars alike
    road  drive  battery  ->  step      one step of a vehicle, pure functions
    step  ->  thermal                   one step in a climate: warmth, ramps, cabin; climate is the weather
Drives
    simulate                            in numpy: the reference, with histories; tables for arrow, pandas and polars
    lane  ->  kernel  climate_kernel    the same functions compiled, one vehicle a lane: batch drives them on all cores,
                                        gpu on a graphics processor
    sweep  runners  sweep_folder        more than memory holds: block by block, on threads or Ray, into a folder
    car_blocks  car_files               where the blocks come from
Packs
    circuit                             resistance at once and in pairs that relax, from pulses on cells or modules
    pack  pack_kernel                   unequal modules in strings; pack_simulation drives them
    charging  station                   from one state of charge to another, and what limits it when
    ageing  ageing_model  formula       how long cells last, by models that are data; rainflow counts their cycles
    usage  usage_profile                a year of use: trips, weather, charging stops, and what ages
Figures that people know
    performance  towing                 acceleration, top speed, grade, range; the same with a trailer
    two_cycle  five_cycle  wltp         the labels of three markets, all by label; climate_tests are cold and hot
How right it is
    car_table  ->  calibration          cars that were measured, and the constants fitted to them
    validation  interval  offcycle      errors; bounds that hold what a bench would measure; cold, heat and hard driving

Rules kept: SI and bare inside, unit suffixes at the edge; one source of physics, elementwise over vehicles; what goes
in is refused with all its problems, after the edge nothing raises and nothing is NaN, badness is a number or a flag;
every joule is accounted for.
"""

from kyotsu.sim.batch import simulate_batch
from kyotsu.sim.climate import Climate
from kyotsu.sim.components import generic_vehicle
from kyotsu.sim.cycles import CYCLES, Cycle, load_cycle
from kyotsu.sim.label import epa_label, labels
from kyotsu.sim.parameters import VehicleParameters, stack
from kyotsu.sim.performance import range_km
from kyotsu.sim.simulate import simulate

__all__ = [
    "CYCLES",
    "Climate",
    "Cycle",
    "VehicleParameters",
    "epa_label",
    "generic_vehicle",
    "labels",
    "load_cycle",
    "range_km",
    "simulate",
    "simulate_batch",
    "stack",
]

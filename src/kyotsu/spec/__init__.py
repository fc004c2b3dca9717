"""What is shared, written down and checked: parts, vehicles, standards, makers, and the fit between them.

A workspace is a folder of TOML files (`workspace`); every value has a unit in its name and an origin
beside it (`record`). The fit check asks, for a part in a vehicle's slot, the questions that a powertrain
engineer would ask, and answers each with a finding (`fit`). No solver, no kernel, no network.
"""

from kyotsu.spec.battery import BatteryModule
from kyotsu.spec.eaxle import EAxle
from kyotsu.spec.finding import Verdict
from kyotsu.spec.fit import Fit, fit_battery, fit_eaxle, fit_workspace
from kyotsu.spec.standard import Standard
from kyotsu.spec.vehicle import Vehicle
from kyotsu.spec.workspace import Workspace, check_workspace, load_workspace

__all__ = [
    "BatteryModule",
    "EAxle",
    "Fit",
    "Standard",
    "Vehicle",
    "Verdict",
    "Workspace",
    "check_workspace",
    "fit_battery",
    "fit_eaxle",
    "fit_workspace",
    "load_workspace",
]

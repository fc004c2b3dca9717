"""What is shared, written down and checked: parts, vehicles, standards, makers, and the fit between them.

A workspace is a folder of TOML files (`workspace`); every value has a unit in its name and an origin
beside it (`record`). The fit check asks, for a part in a vehicle's slot, the questions that a powertrain
engineer would ask, and answers each with a finding (`fit`). No solver, no kernel, no network.
"""

"""The study: one run over a whole workspace, and the report that an engineer acts on.

It asks the rooms below in turn: is everything sound (`spec.workspace`), what fits where (`spec.fit`), what
does each vehicle do as built and with the proposed common parts (`sim`), which few parts should be common
(`plan`); and it writes the answers as one HTML file with the same results beside it as Parquet and JSON. `STEPS` names
what a run does in turn, for a progress bar.
"""

from kyotsu.study.choice import chosen
from kyotsu.study.results import Study
from kyotsu.study.run import STEPS, run_study
from kyotsu.study.single import drive_vehicle
from kyotsu.study.tables import changes, study_record
from kyotsu.study.write import write_study

__all__ = ["STEPS", "Study", "changes", "chosen", "drive_vehicle", "run_study", "study_record", "write_study"]

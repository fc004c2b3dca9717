"""The study: one run over a whole workspace, and the report that an engineer acts on.

It asks the rooms below in turn: is everything sound (`spec.workspace`), what fits where (`spec.fit`), what
does each vehicle do as built and with the proposed common parts (`sim`); and it writes the answers as one
HTML file with the same results beside it as Parquet and JSON.
"""

from kyotsu.study.run import Study, run_study
from kyotsu.study.write import write_study

__all__ = ["Study", "run_study", "write_study"]

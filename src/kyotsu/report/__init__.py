"""The report: a study's plain record as one HTML page that opens offline.

`report_html(record)` is pure: text out of data, nothing fetched, everything escaped. The view is worked out
in Python (`changes`, `matrix`, `plots`, `tables`, `summary`), drawn by the templates. `trace_html` and
`trace_svg` draw one vehicle on one cycle in the same way.
"""

from kyotsu.report.page import report_html
from kyotsu.report.traces import trace_html, trace_lines, trace_svg

__all__ = ["report_html", "trace_html", "trace_lines", "trace_svg"]

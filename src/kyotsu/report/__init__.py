"""The report: a study's plain record as one HTML page that opens offline.

`report_html(record)` is pure: text out of data, nothing fetched, everything escaped. The view is worked out
in Python (`changes`, `matrix`, `plots`, `tables`, `summary`), drawn by the templates.
"""

from kyotsu.report.page import report_html

__all__ = ["report_html"]

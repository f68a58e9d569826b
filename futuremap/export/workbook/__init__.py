"""The workbook: the numbers of a run for people who live in spreadsheets."""

from futuremap.export.workbook.write import write_comparisons as write_comparisons
from futuremap.export.workbook.write import write_workbook as write_workbook

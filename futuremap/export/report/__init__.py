"""The printed report: A4 pages as PDF, and the same as one HTML file; needs the extra [report]."""

from futuremap.export.report.write import write_report as write_report

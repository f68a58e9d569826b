"""What the readers agree to open, and how they decline."""

from __future__ import annotations

from typing import Literal

from futuremap.problems import Report

MAX_BYTES = 256 * 2**20  # of a file, and of all that is packed into it
MAX_RATIO = 200  # inflated to packed size; texts of tables stay below 50
RATIO_FROM = 2**20  # bytes; below, a high ratio does no harm
MAX_ENTRIES = 1_000  # files in a workbook
MAX_ROWS = 1_048_576
MAX_COLUMNS = 1_000
MAX_CELLS = 2_000_000
CHUNK = 2**16  # bytes inflated at a time

_LIMITS = {
    "bytes": f"≤ {MAX_BYTES // 2**20} MiB",
    "ratio": f"≤ {MAX_RATIO} : 1",
    "entries": f"≤ {MAX_ENTRIES:,} files",
    "rows": f"≤ {MAX_ROWS:,} 行/rows",
    "columns": f"≤ {MAX_COLUMNS:,} 列/columns",
    "cells": f"≤ {MAX_CELLS:,} セル/cells",
}


class Refused(Exception):  # noqa: N818 - not an error of ours, and it never leaves this room
    """A file is declined as a whole; says with which problem."""

    def __init__(
        self,
        code: str,
        *,
        sheet: str = "",
        line: int | None = None,
        value: object = "",
        **detail: str,
    ) -> None:
        self.code, self.sheet, self.line, self.value = code, sheet, line, value
        self.detail = detail
        super().__init__(code)

    @classmethod
    def format(
        cls,
        expected: str,
        reason: str,
        *,
        line: int | None = None,
        code: str = "FM102",
    ) -> Refused:
        """The file is not of the expected format, for a reason in both languages.

        FM102, or the code of a cause that is mended in a way of its own.
        """
        return cls(code, line=line, expected=expected, reason=reason)

    def note(self, report: Report, *, file: str) -> None:
        """Put it into the report."""
        report.add(
            self.code, file=file, sheet=self.sheet, line=self.line, value=self.value, **self.detail
        )


def too_large(
    what: Literal["bytes", "ratio", "entries", "rows", "columns", "cells"],
    *,
    sheet: str = "",
    line: int | None = None,
) -> Refused:
    """FM104 with the limit that was passed; FM578 for what is packed too well to be honest.

    Examples
    --------
    >>> too_large("columns").detail
    {'expected': '≤ 1,000 列/columns'}
    """
    code = "FM578" if what == "ratio" else "FM104"
    return Refused(code, sheet=sheet, line=line, expected=_LIMITS[what])

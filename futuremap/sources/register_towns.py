"""Registers in which several municipalities stand: only the rows of ours are taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from futuremap.sources import cells, mapped_names
from futuremap.sources.columns import Columns

CODE_DIGITS = (5, 6)  # without and with the check digit
FEWEST = 3  # rows of a code that make a municipality; fewer are slips in our own rows
SHOWN = 5  # codes in a problem


def town_of(columns: Columns, row: int, municipality: str) -> str:
    """Code of a row's municipality, 5 digits; empty where it says none, or the prefecture's."""
    found = cells.heading(columns.raw(row, "municipality"))
    found = mapped_names.with_lost_zero(found, municipality) or found
    if len(found) not in CODE_DIGITS or found[2:5] == "000":
        return ""
    return found[:5]


def of_municipality(columns: Columns, municipality: str) -> Columns:
    """The rows of one municipality; those of others are left out and counted (FM491).

    A table that has none of its rows is given back as it is, to be refused as a whole.
    """
    towns = [town_of(columns, row, municipality) for row in range(len(columns))]
    counts = Counter(towns)
    others = sorted(
        code for code, rows in counts.items() if code not in ("", municipality) and rows >= FEWEST
    )
    if not others or municipality not in counts:
        return columns
    gone = [row for row, code in enumerate(towns) if code in others]
    codes = "、".join(others[:SHOWN])
    columns.note("FM491", gone[0], "municipality", count=len(gone), codes=codes)
    kept = [row for row, code in enumerate(towns) if code not in others]
    return replace(columns.only(kept), complete=columns.complete)

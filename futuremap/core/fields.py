"""The one data dictionary: names, units and decimals of every number that leaves the program."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import LabelError

YEARED = re.compile(r"(?P<name>[a-z0-9_]+?)_(?P<year>\d{4})")


@dataclass(frozen=True)
class Field:
    """One row of ``fields.csv``.

    Parameters
    ----------
    name
        ASCII name used in code and in columns.
    name_ja, name_en
        What a reader sees.
    unit
        Unit inside the program.
    unit_ja, unit_en
        Unit in exports; empty for text.
    export_factor
        What a value is multiplied by on its way out (100 for ratios shown in percent).
    decimals
        Decimals shown.
    definition_ja
        How the number is made, in one sentence.
    """

    name: str
    name_ja: str
    name_en: str
    unit: str
    unit_ja: str
    unit_en: str
    export_factor: float
    decimals: int
    definition_ja: str

    def export(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values in the unit that readers see."""
        return values * self.export_factor if self.export_factor != 1 else values

    def label(self, lang: str = "ja", *, year: int | None = None) -> str:
        """Name with year and unit, as it stands over a column.

        Examples
        --------
        >>> field("population").label(year=2053)
        '人口 2053年（人）'
        """
        name, unit = (self.name_ja, self.unit_ja) if lang == "ja" else (self.name_en, self.unit_en)
        when = "" if year is None else f" {year}年" if lang == "ja" else f" {year}"
        around = ("（", "）") if lang == "ja" else (" (", ")")
        return f"{name}{when}{around[0]}{unit}{around[1]}" if unit else f"{name}{when}"


@cache
def dictionary() -> dict[str, Field]:
    """Every field by name, in the order of the file."""
    text = (files("futuremap.core") / "fields.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["name"]: Field(
            row["name"], row["name_ja"], row["name_en"], row["unit"], row["unit_ja"],
            row["unit_en"], float(row["export_factor"]), int(row["decimals"]),
            row["definition_ja"],
        )
        for row in rows
    }  # fmt: skip


def field(name: str) -> Field:
    """The field of a name.

    Raises
    ------
    LabelError
        If the dictionary does not hold it.
    """
    if name not in dictionary():
        raise LabelError(f"{name!r} is not in core/fields.csv")
    return dictionary()[name]


def column(name: str, year: int) -> str:
    """Column of a field in a year.

    Examples
    --------
    >>> column("population", 2053)
    'population_2053'
    """
    return f"{field(name).name}_{year}"


def describe(column_name: str) -> tuple[Field, int | None]:
    """Field and year of a column; the year is None where the column has none.

    Raises
    ------
    LabelError
        If the dictionary does not hold the field.

    Examples
    --------
    >>> describe("population_2053")[1]
    2053
    """
    match = YEARED.fullmatch(column_name)
    if match and column_name not in dictionary():
        return field(match["name"]), int(match["year"])
    return field(column_name), None

"""Brief: what a run has to say on a desk; the one source of the workbook and the printed report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.credits import SYNTHETIC, Credit
from futuremap.core.layer import Layer, Text
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.problems import Problem

SYNTHETIC_NOTE = Text("合成データを含みます", "contains synthetic data")
POINTS = "facility"  # kind of the layers that are not areas


class Fact(NamedTuple):
    """A setting, or something measured, with its value.

    name
        What it is called.
    value
        A number or words.
    about
        What it refers to: a municipality, a file; empty for the whole.
    """

    name: Text
    value: str | float
    about: str = ""


class PastError(NamedTuple):
    """How far past projections came from what was counted later, for areas of one size.

    years
        Years ahead.
    size
        Smallest population of the areas. [persons]
    low, high
        Ends of the interval of the true number around the projected one. [ratio]
    areas
        Count of areas measured; 0 where the figures were drawn out from others.
    """

    years: int
    size: float
    low: float
    high: float
    areas: int


class Comparison(NamedTuple):
    """Two runs side by side.

    first, second
        What they are called.
    tables
        Indicators of the first, of the second, and their difference, over the same years and
        zones; the difference of ``population`` is called ``population_difference``.
    zone_names
        Name of every zone.
    """

    first: Text
    second: Text
    tables: tuple[Table, Table, Table]
    zone_names: Mapping[str, str]


class Overview(NamedTuple):
    """Many futures of the same places, side by side in one year.

    title
        What stands over it.
    rows
        Name of the place, and the field, of each row.
    columns
        Heading and values of each column, in the fields' own units ``(R,)``; NaN where unknown.
    """

    title: Text
    rows: Sequence[tuple[str, str]]
    columns: Sequence[tuple[Text, NDArray[np.float64]]]


class Said(NamedTuple):
    """What is said in words of some municipalities: see :class:`Brief`."""

    method: Sequence[Text]
    checks: Sequence[Text]
    measures: Sequence[Fact]
    credits: Sequence[Credit]


@dataclass(frozen=True, eq=False)
class Brief:
    """What a workbook or a report says of a run.

    Parameters
    ----------
    title, summary
        What the run is about, and what a reader should know first.
    years
        Base year and last year.
    municipal
        Indicators of the municipalities, with their intervals.
    names
        Name of every municipality.
    people
        The municipalities' people by sex and age.
    themes
        Layers by theme, in the order in which they are shown; a theme's share their features.
    method
        How the numbers were made, one sentence each.
    checks
        Projected numbers beside others, a sentence each.
    settings
        Settings of the project.
    inputs
        Files that were read, with credit and licence.
    measures
        What a run measures of itself: residuals, ratios of register and census.
    controls
        Control totals and their factors, by municipality.
    errors
        Errors of past projections, from which the intervals come.
    warnings
        Problems with which the run went on.
    credits
        Credits of the data.
    access, access_names
        Coverage and travel by class of facility, and what the rows are called.
    comparison
        Another run beside this one.

    Raises
    ------
    LabelError
        If there is no credit, or a municipality has no name or no people.
    """

    title: Text
    summary: Text
    years: tuple[int, int]
    municipal: Table
    names: Mapping[str, Text]
    people: Population
    themes: Sequence[tuple[Layer, ...]]
    method: Sequence[Text]
    checks: Sequence[Text]
    settings: Sequence[Fact]
    inputs: Sequence[Fact]
    measures: Sequence[Fact]
    controls: Table
    errors: Sequence[PastError]
    warnings: Sequence[Problem]
    credits: Sequence[Credit]
    access: Table | None = None
    access_names: Mapping[str, str] | None = None
    comparison: Comparison | None = None

    def __post_init__(self) -> None:
        if not self.credits:
            raise LabelError(f"{self.title.en}: nothing is published without a credit")
        for zone in self.municipal.zones:
            if zone not in self.names or zone not in self.people.zones:
                raise LabelError(f"{zone} has no name, or nobody is counted there")

    @property
    def synthetic(self) -> bool:
        """Whether any of the data is made up."""
        return any(credit.synthetic for credit in self.credits)

    @property
    def mark(self) -> str:
        """The mark of made-up data; empty where there are none."""
        return SYNTHETIC[0] if self.synthetic else ""

    def of(
        self,
        zones: Sequence[str],
        *,
        title: Text,
        themes: Sequence[tuple[Layer, ...]],
        said: Said,
    ) -> Brief:
        """The part of a run that is about some of its municipalities.

        Parameters
        ----------
        zones
            Codes of the municipalities.
        title, themes
            What the part is called and draws.
        said
            What is said of it in words.
        """
        return replace(
            self,
            title=title,
            municipal=_only(self.municipal, zones),
            names={zone: self.names[zone] for zone in zones},
            people=self.people.only(zones),
            themes=themes,
            controls=_only(self.controls, [z for z in self.controls.zones if z in zones]),
            method=said.method,
            checks=said.checks,
            measures=said.measures,
            credits=said.credits,
        )

    @property
    def areas(self) -> list[tuple[Layer, ...]]:
        """The themes of areas."""
        return [theme for theme in self.themes if theme[0].kind != POINTS]

    @property
    def facilities(self) -> list[tuple[Layer, ...]]:
        """The themes of facilities."""
        return [theme for theme in self.themes if theme[0].kind == POINTS]


def _only(table: Table, zones: Sequence[str]) -> Table:
    places = [table.zones.index(zone) for zone in zones]
    values = dict(zip(table.indicators, table.data["value"].values[:, :, places], strict=True))
    bounds = {
        name: (low[:, places], high[:, places]) for name, (low, high) in table.intervals().items()
    }
    return Table.build(values, years=table.years, zones=zones, intervals=bounds)

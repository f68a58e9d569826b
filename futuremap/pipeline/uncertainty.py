"""Intervals of a run: errors of past projections, carried to every zone that people are counted in.

The error table is made by ``scripts/make_error_table.py`` from backtests: blocks from the
register of 高松市, municipalities from seven censuses.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.crosswalk import Crosswalk
from futuremap.core.population import Population
from futuremap.core.table import Interval, Table
from futuremap.core.zones import by_parent
from futuremap.errors import LabelError
from futuremap.projection.draws import DRAWS, Spread, interval, intervals
from futuremap.projection.intervals import COVERAGE, ErrorTable

TABLE = "errors.csv"
# of many numbers at once: how many are drawn together, and the fewest draws of each
CELLS_DRAWN, FEWEST_DRAWS = 10_000_000, 200


class Uncertainty(NamedTuple):
    """How far the blocks of a run may come from what is projected.

    population
        The projection by block.
    spread
        Its factors.
    seed
        Of the draws.
    """

    population: Population
    spread: Spread
    seed: int

    def bound(self, table: Table, indicator: str, walks: Sequence[Crosswalk]) -> Table:
        """A table with the interval of one indicator that counts people through crosswalks.

        Parameters
        ----------
        table
            Indicators of the crosswalks' targets.
        indicator
            A number of persons.
        walks
            Who counts where, in every year of the table; the sources are blocks of the run.
        """
        bounds: dict[int, Interval] = {}
        for walk in walks[1:]:
            if id(walk) not in bounds:
                bounds[id(walk)] = self.through(walk)
        counted = np.full(len(walks[0].targets), np.nan)  # the base year was counted
        low, high = (
            np.stack([counted, *(bounds[id(walk)][i][t] for t, walk in enumerate(walks[1:]))])
            for i in range(2)
        )
        value = table.data["value"].values[table.indicators.index(indicator)]
        return table.bounded({indicator: (np.minimum(low, value), np.maximum(high, value))})

    def bounds_of(
        self,
        values: NDArray[np.float64],
        walk: Crosswalk,
        *,
        years: Sequence[int],
    ) -> Interval:
        """Bounds of several numbers that grow with the people of the blocks, by the same draws.

        Parameters
        ----------
        values
            Numbers by block ``(I, Y, Z)``, in the order of the crosswalk's sources.
        walk
            Who counts where ``(T, Z)``.
        years
            Which of the projected years they are, from 0 ``(Y,)``.

        Returns
        -------
        tuple
            Lower and upper bound ``(I, Y, T)``.
        """
        part = self.of(walk.sources, years)
        several = int((np.diff(walk.weights.indptr) > 1).sum())
        cells = max(1, several * len(values))
        return intervals(
            values,
            part,
            zones=walk.sources,
            weights=walk.weights,
            seed=self.seed,
            draws=int(np.clip(CELLS_DRAWN // cells, FEWEST_DRAWS, DRAWS)),
        )

    def of(self, zones: Sequence[str], years: Sequence[int] | None = None) -> Spread:
        """The factors of some blocks, in all projected years or in some of them."""
        place = {zone: i for i, zone in enumerate(self.population.zones)}
        columns = [place[zone] for zone in zones]
        rows = list(range(len(self.spread.low))) if years is None else list(years)
        return Spread(
            self.spread.low[rows][:, columns],
            self.spread.high[rows][:, columns],
            tuple(self.spread.parents[i] for i in columns),
            self.spread.shared[rows][:, columns],
        )

    def through(self, walk: Crosswalk) -> Interval:
        """Bounds of the people that a crosswalk counts, in every year but the base ``(H, T)``."""
        place = {zone: i for i, zone in enumerate(self.population.zones)}
        columns = [place[zone] for zone in walk.sources]
        spread = Spread(
            self.spread.low[:, columns],
            self.spread.high[:, columns],
            tuple(self.spread.parents[i] for i in columns),
            self.spread.shared[:, columns],
        )
        return interval(
            self.population.totals()[1:, columns],
            spread,
            zones=walk.sources,
            weights=walk.weights,
            seed=self.seed,
        )


def uncertainty(population: Population, parents: Sequence[str], *, seed: int) -> Uncertainty:
    """Factors of a projection's blocks from the errors of past projections.

    Parameters
    ----------
    population
        The base year and all later ones. [persons]
    parents
        Code of each block's municipality ``(Z,)``.
    seed
        Of the draws.

    Notes
    -----
    What a block errs is what its municipality errs and what is its own. The first part is taken
    to be as wide as the interval of a municipality of that size, so that all blocks together
    are as uncertain as a municipality.
    """
    codes, parent_of = by_parent(parents)
    totals = population.totals()
    towns = np.array([np.bincount(parent_of, weights=row, minlength=len(codes)) for row in totals])
    low, high = _factors(totals, population.years)
    town_low, town_high = _factors(towns, population.years)
    width, town_width = high - low, (town_high - town_low)[:, parent_of]
    shared = np.divide(town_width, width, out=np.ones_like(width), where=width > town_width) ** 2
    return Uncertainty(population, Spread(low, high, tuple(parents), shared), seed)


def _factors(
    totals: NDArray[np.float64],
    years: Sequence[int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = np.ones_like(totals[1:]), np.ones_like(totals[1:])
    for t, year in enumerate(years[1:]):
        bounds = errors().interval(totals[t + 1], totals[0], year - years[0])
        for factor, bound in zip((low, high), bounds, strict=True):
            np.divide(bound, totals[t + 1], out=factor[t], where=totals[t + 1] > 0)
    return low, high


@cache
def errors() -> ErrorTable:
    """The error table that comes with the program.

    Raises
    ------
    LabelError
        If the table is incomplete.
    """
    text = (files("futuremap.projection") / "tables" / TABLE).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    sizes = sorted({float(row["size"]) for row in rows})
    years = sorted({float(row["years"]) for row in rows})
    by_place = {(float(row["years"]), float(row["size"])): row for row in rows}
    if len(by_place) != len(sizes) * len(years):
        raise LabelError(f"{TABLE} does not hold every size at every horizon")

    def column(name: str) -> NDArray[np.float64]:
        return np.array([[float(by_place[y, s][name]) for s in sizes] for y in years])

    return ErrorTable(
        tuple(sizes),
        tuple(years),
        column("low"),
        column("high"),
        column("areas").astype(np.int64),
        np.ones(len(years)),
        COVERAGE,
    )

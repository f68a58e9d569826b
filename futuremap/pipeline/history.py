"""The counts of all towns together, in the years that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.core.population import Population, join_years, join_zones
from futuremap.core.zones import by_parent
from futuremap.pipeline.prepare import Town
from futuremap.projection.methods import History


def shared_years(towns: Sequence[Town]) -> list[int]:
    """Years in which every town was counted, ascending."""
    return sorted(set(towns[0].history.years).intersection(*(t.history.years for t in towns)))


def history_of(towns: Sequence[Town], *, until: int | None = None) -> History:
    """The shared years of the towns, as methods take them.

    Parameters
    ----------
    towns
        Municipalities of a run; they share the base year and the one before at least.
    until
        Last year wanted; all if not given.
    """
    years = [year for year in shared_years(towns) if until is None or year <= until]
    people = join_zones([_of_years(town.history, years) for town in towns])
    _, parent_of = by_parent([town.code for town in towns for _ in town.history.zones])
    return History(people.persons, np.asarray(years, dtype=np.float64), people.ages, parent_of)


def _of_years(history: Population, years: Sequence[int]) -> Population:
    return join_years([history.at(year) for year in years])

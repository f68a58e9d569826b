"""Indicators of a facility: the people in its reach, by age, and how they change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.indicators.people import OLD, WORKING, ratio


def reach(
    catchments: Population,
    *,
    years_in_service: NDArray[np.float64],
    outside: NDArray[np.float64],
) -> Table:
    """People in reach of each facility beside its years in service.

    Parameters
    ----------
    catchments
        A population gathered to facilities. [persons]
    years_in_service
        ``(Y, F)``, NaN where unknown. [years]
    outside
        Share of each reach outside the municipality ``(F,)``. [ratio]

    Returns
    -------
    Table
        ``people_in_reach`` and its children and old people [persons], ``reach_change``
        [persons] and ``reach_change_rate`` [ratio] since the first year,
        ``years_in_service`` [years], ``reach_outside_share`` [ratio].
    """
    by_age = catchments.persons.sum(axis=2)
    ages = catchments.ages
    total = by_age.sum(axis=2)
    values = {
        "people_in_reach": total,
        "people_in_reach_0_14": by_age[:, :, ages.between(0, WORKING)].sum(axis=2),
        "people_in_reach_65_over": by_age[:, :, ages.at_least(OLD)].sum(axis=2),
        "reach_change": total - total[0],
        "reach_change_rate": ratio(total - total[0], np.broadcast_to(total[0], total.shape)),
        "years_in_service": years_in_service,
        "reach_outside_share": np.broadcast_to(outside, total.shape),
    }
    return Table.build(values, years=catchments.years, zones=catchments.zones)


def covered(population: Population, within: Population | None) -> Table:
    """People of each zone within reach of any facility, and their share.

    Parameters
    ----------
    population
        People of the zones. [persons]
    within
        Those of some of the zones within reach; the other zones have no facilities.

    Returns
    -------
    Table
        ``people_covered`` [persons] and ``coverage_rate`` [ratio], NaN without facilities.
    """
    total = population.totals()
    people = np.full_like(total, np.nan)
    if within is not None:
        place = [population.zones.index(zone) for zone in within.zones]
        people[:, place] = within.totals()
    return Table.build(
        {"people_covered": people, "coverage_rate": ratio(people, total)},
        years=population.years,
        zones=population.zones,
    )

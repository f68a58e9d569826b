"""Indicators of the people of a zone: numbers by age, density, ageing, change since the base."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.core.table import Table

SQUARE_METRES_PER_HECTARE = 10_000.0
OLD, VERY_OLD, OLDEST, WORKING = 65, 75, 85, 15  # 3区分人口 of the census, 後期高齢者, 85歳以上


def age_structure(population: Population) -> Table:
    """Numbers by broad age and the share aged 65 and over, in every year.

    Returns
    -------
    Table
        ``population`` and its three broad ages, ``population_75_over`` [persons],
        ``ageing_rate`` [ratio, NaN where nobody lives], ``population_change`` [persons] and
        ``change_rate`` [ratio] against the first year, ``imputed_share`` [ratio].

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> ages = AgeGroups((0, 15, 65, 75))
    >>> p = Population.build([[[[1.0, 2.0, 1.0, 0.0], [1.0, 2.0, 1.0, 2.0]]]],
    ...                      years=[2020], zones=["a"], ages=ages)
    >>> float(age_structure(p).column("ageing_rate", 2020)[0])
    0.4
    """
    by_age = population.persons.sum(axis=2)
    ages = population.ages
    total = by_age.sum(axis=2)
    old = by_age[:, :, ages.at_least(OLD)].sum(axis=2)
    values = {
        "population": total,
        "population_0_14": by_age[:, :, ages.between(0, WORKING)].sum(axis=2),
        "population_15_64": by_age[:, :, ages.between(WORKING, OLD)].sum(axis=2),
        "population_65_over": old,
        "population_75_over": by_age[:, :, ages.at_least(VERY_OLD)].sum(axis=2),
        "ageing_rate": ratio(old, total),
        "population_change": total - total[0],
        "change_rate": ratio(total - total[0], np.broadcast_to(total[0], total.shape)),
        "imputed_share": population.imputed_share,
    }
    return Table.build(values, years=population.years, zones=population.zones)


def density(population: Population, areas: NDArray[np.float64]) -> Table:
    """Persons per hectare, and how it changes since the first year.

    Parameters
    ----------
    population
        Persons by year and zone.
    areas
        Area of each zone ``(Z,)``. [m^2]

    Returns
    -------
    Table
        ``density`` and ``density_change``. [persons/ha]
    """
    value = population.totals() / (areas / SQUARE_METRES_PER_HECTARE)
    return Table.build(
        {"density": value, "density_change": value - value[0]},
        years=population.years,
        zones=population.zones,
    )


def ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Part over whole, NaN where the whole is nothing. [ratio]"""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def structure(population: Population) -> Table:
    """People of 85 and over, where an age group begins there, and the dependency ratios.

    Parameters
    ----------
    population
        Persons by year and zone.

    Returns
    -------
    Table
        ``population_85_over`` [persons], ``dependency_ratio`` and ``old_dependency_ratio``
        [ratio, NaN where nobody is of working age].

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> people = Population.build([[[[1.0, 4.0, 2.0, 1.0]] * 2]], years=[2020], zones=["a"],
    ...                           ages=AgeGroups((0, 15, 65, 85)))
    >>> structure(people).column("dependency_ratio", 2020).tolist()  # 2 + 6 of 8
    [1.0]
    """
    by_age, ages = population.persons.sum(axis=2), population.ages
    young = by_age[:, :, ages.between(0, WORKING)].sum(axis=2)
    working = by_age[:, :, ages.between(WORKING, OLD)].sum(axis=2)
    old = by_age[:, :, ages.at_least(OLD)].sum(axis=2)
    values = {
        "dependency_ratio": ratio(young + old, working),
        "old_dependency_ratio": ratio(old, working),
    }
    if OLDEST in ages.lower:
        values["population_85_over"] = by_age[:, :, ages.at_least(OLDEST)].sum(axis=2)
    return Table.build(values, years=population.years, zones=population.zones)

"""weigh: people times what each of them asks for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.person_rates import PersonRates
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.errors import LabelError

Floats = NDArray[np.float64]


def weigh(population: Population, rates: PersonRates, *, shares: Floats) -> Table:
    """Indicators of every zone and year: persons times rates, summed over sex and age.

    Parameters
    ----------
    population
        Persons of any zones: blocks, meshes, catchments, districts, areas. [persons]
    rates
        Rates per person in the population's years.
    shares
        Share of each single year of age in its age group ``(Y, S, W)``, the same for all zones,
        so that what is weighed is linear and adds up over them. [ratio]

    Returns
    -------
    Table
        One indicator a rate.

    Raises
    ------
    LabelError
        If years or shapes disagree.

    Notes
    -----
    ``V[i, y, z] = Σ P[y, z, s, a] R[i, y, s, a]``: one product of a matrix of zones and one of
    rates a year. No cube of zones, ages and indicators is made.

    Examples
    --------
    Ten men of whom a tenth, and ten women of whom a fifth, are in hospital:

    >>> from futuremap.core.ages import AgeGroups
    >>> people = Population.build([[[[10.0], [10.0]]]], years=[2020], zones=["a"],
    ...                           ages=AgeGroups((0,)))
    >>> rates = PersonRates.build({"inpatients": np.array([[[0.1], [0.2]]])}, years=[2020])
    >>> weigh(people, rates, shares=np.ones((1, 2, 1))).column("inpatients", 2020).tolist()
    [3.0]
    """
    cube = weighed(population, rates, shares=shares)
    values = dict(zip(rates.names, cube, strict=True))
    return Table.build(values, years=population.years, zones=population.zones)


def weighed(population: Population, rates: PersonRates, *, shares: Floats) -> Floats:
    """The numbers of :func:`weigh` as an array ``(I, Y, Z)``.

    Raises
    ------
    LabelError
        If years or shapes disagree.
    """
    if rates.years != population.years:
        raise LabelError(f"rates of {rates.years} for people of {population.years}")
    by_group = rates.by_group(population.ages, shares)
    years, zones = population.persons.shape[:2]
    people = population.persons.reshape(years, zones, -1)
    each = by_group.reshape(len(rates.names), years, -1)
    out = np.empty((len(rates.names), years, zones))
    for y in range(years):
        np.matmul(each[:, y], people[y].T, out=out[:, y])
    return out

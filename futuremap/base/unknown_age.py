"""People whose age is not known, spread over the ages of the others."""

from __future__ import annotations

import numpy as np

from futuremap.core.population import Flag, Population
from futuremap.errors import LabelError


def spread(known: Population, unknown: Population) -> Population:
    """Add people of unknown age to the ages of the same zone, year and sex, in proportion.

    Parameters
    ----------
    known
        People by age. [persons]
    unknown
        People of unknown age of the same zones and years, in one age group. [persons]

    Returns
    -------
    Population
        With the imputed share raised by the share of the unknown, and the flag IMPUTED where
        there were any; zone totals are the sum of both.

    Raises
    ------
    LabelError
        If zones or years differ, or nobody's age is known where somebody's is not.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> k = Population.build([[[[30.0, 10.0], [20.0, 20.0]]]], years=[2015], zones=["a"],
    ...                      ages=AgeGroups((0, 65)))
    >>> u = Population.build([[[[4.0], [0.0]]]], years=[2015], zones=["a"], ages=AgeGroups((0,)))
    >>> spread(k, u).persons[0, 0].tolist()
    [[33.0, 11.0], [20.0, 20.0]]
    """
    if known.zones != unknown.zones or known.years != unknown.years:
        raise LabelError("people of known and of unknown age have different zones or years")
    by_sex = known.persons.sum(axis=3, keepdims=True)
    if ((by_sex == 0) & (unknown.persons > 0)).any():
        raise LabelError("ages cannot be spread where no age is known")
    share = np.divide(unknown.persons, by_sex, out=np.zeros_like(by_sex), where=by_sex > 0)
    persons = known.persons * (1 + share)
    totals = persons.sum(axis=(2, 3))
    missing = unknown.totals()
    imputed = np.divide(missing, totals, out=np.zeros_like(totals), where=totals > 0)
    return Population.build(
        persons,
        years=known.years,
        zones=known.zones,
        ages=known.ages,
        flag=known.flag | np.where(missing > 0, np.uint8(Flag.IMPUTED), np.uint8(0)),
        imputed_share=known.imputed_share * (1 - imputed) + imputed,
        sources=(*known.sources, *unknown.sources),
    )

"""People whose age is not known, spread over the ages of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Flag, Population
from futuremap.core.zones import by_parent
from futuremap.errors import LabelError


def spread(
    known: Population,
    unknown: Population,
    *,
    parents: Sequence[str] | None = None,
) -> Population:
    """Add people of unknown age to the ages of the same zone, year and sex, in proportion.

    Parameters
    ----------
    known
        People by age. [persons]
    unknown
        People of unknown age of the same zones and years, in one age group. [persons]
    parents
        Municipality of each zone ``(Z,)``: where no age of a sex is known in a zone, the ages
        of its municipality are taken, of the same sex or, failing that, of both.

    Returns
    -------
    Population
        With the imputed share raised by the share of the unknown, and the flag IMPUTED where
        there were any; zone totals are the sum of both.

    Raises
    ------
    LabelError
        If zones, years or parents do not match, or nobody's age is known where somebody's is
        not, in the zone or, with `parents`, in its municipality.

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
    shape = known.persons if parents is None else _shape(known, parents)
    by_sex = shape.sum(axis=3, keepdims=True)
    if ((by_sex == 0) & (unknown.persons > 0)).any():
        raise LabelError("ages cannot be spread where no age is known")
    share = np.divide(unknown.persons, by_sex, out=np.zeros_like(by_sex), where=by_sex > 0)
    own = known.persons.sum(axis=3, keepdims=True) > 0
    persons = np.where(own, known.persons * (1 + share), shape * share)
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


def _shape(known: Population, parents: Sequence[str]) -> NDArray[np.float64]:
    """Ages of each zone and sex, those of the municipality where none is known."""
    if len(parents) != len(known.zones):
        raise LabelError(f"{len(parents)} parents for {len(known.zones)} zones")
    codes, row = by_parent(parents)
    members = (row == np.arange(len(codes))[:, np.newaxis]).astype(np.float64)
    of_town = np.einsum("pz,yzsa->ypsa", members, known.persons)[:, row]
    shape = known.persons
    for coarser in (of_town, of_town.sum(axis=2, keepdims=True)):
        shape = np.where(shape.sum(axis=3, keepdims=True) > 0, shape, coarser)
    return shape

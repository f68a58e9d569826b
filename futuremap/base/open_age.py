"""The open age group of small areas, split with the shape of their municipality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import NOT_AS_COUNTED, Flag, Population
from futuremap.core.zones import by_parent
from futuremap.errors import DemographyError, LabelError


def split(population: Population, shape: Population, *, parents: Sequence[str]) -> Population:
    """Split the open group (75 and over) into those of the municipality (to 95 and over).

    Parameters
    ----------
    population
        People by zone. [persons]
    shape
        People of the municipalities with an older open group, in the same years or in one. Of
        each municipality the same sex is used, both sexes where it has nobody of that sex in
        these ages, and all municipalities where it has nobody at all. [persons]
    parents
        Municipality of each zone, one of the zones of `shape` ``(Z,)``.

    Returns
    -------
    Population
        In the age groups of `shape`; the sum over the new groups is the old group. The new
        cells carry the flag IMPUTED, unless nobody was in the old one.

    Raises
    ------
    LabelError
        If ages, years or parents do not match.
    DemographyError
        If there is nobody in the older groups to take a shape from.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> blocks = Population.build(
    ...     [[[[5.0, 8.0], [5.0, 0.0]]]], years=[2020], zones=["a"], ages=AgeGroups((0, 75)))
    >>> town = Population.build([[[[50.0, 30.0, 10.0], [50.0, 30.0, 30.0]]]], years=[2020],
    ...                         zones=["01209"], ages=AgeGroups((0, 75, 85)))
    >>> split(blocks, town, parents=["01209"]).persons[0, 0].tolist()
    [[5.0, 6.0, 2.0], [5.0, 0.0, 0.0]]
    """
    groups = len(population.ages)
    if population.ages == shape.ages:
        return population
    if shape.ages.lower[:groups] != population.ages.lower:
        raise LabelError(f"{shape.ages.lower} do not go on from {population.ages.lower}")
    tail = _tail(shape, groups)[:, _positions(population, shape, parents)]
    opened = population.persons[..., -1:]
    by_year = tail[_years(population, shape)]
    if ((by_year.sum(axis=3, keepdims=True) == 0) & (opened > 0)).any():
        raise DemographyError(f"nobody of {population.ages.open_age} and over to take a shape from")
    persons = np.concatenate([population.persons[..., :-1], opened * by_year], axis=3)
    flags, share = _marked(population, len(shape.ages))
    return Population.build(
        persons,
        years=population.years,
        zones=population.zones,
        ages=shape.ages,
        flag=flags,
        imputed_share=share,
        sources=(*population.sources, *shape.sources),
    )


def _positions(population: Population, shape: Population, parents: Sequence[str]) -> list[int]:
    if len(parents) != len(population.zones):
        raise LabelError(f"{len(parents)} parents for {len(population.zones)} zones")
    codes, row = by_parent(parents)
    unknown = [code for code in codes if code not in shape.zones]
    if unknown:
        raise LabelError(f"no shape for the municipalities {unknown[:5]}")
    places = np.array([shape.zones.index(code) for code in codes])
    return [int(place) for place in places[row]]


def _years(population: Population, shape: Population) -> list[int]:
    if len(shape.years) == 1:
        return [0] * len(population.years)
    missing = [year for year in population.years if year not in shape.years]
    if missing:
        raise LabelError(f"no shape for the years {missing}; years are {shape.years}")
    return [shape.years.index(year) for year in population.years]


def _tail(shape: Population, groups: int) -> NDArray[np.float64]:
    """Share of each older group in all of them ``(Y, M, S, T)``, 0 where nobody is."""
    people = shape.persons[..., groups - 1 :]
    for coarser in (people.sum(axis=2, keepdims=True), people.sum(axis=(1, 2), keepdims=True)):
        people = np.where(people.sum(axis=3, keepdims=True) > 0, people, coarser)
    sums = people.sum(axis=3, keepdims=True)
    return np.asarray(np.divide(people, sums, out=np.zeros_like(people), where=sums > 0))


def _marked(
    population: Population,
    groups: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Flags ``(Y, Z, S, A)`` with the new cells imputed, and the imputed share ``(Y, Z)``."""
    old: NDArray[np.uint8] = population.data["flag"].values
    by_cell = old.ndim > 2  # noqa: PLR2004 - (Y, Z)
    flags = np.broadcast_to(
        old if by_cell else old[:, :, np.newaxis, np.newaxis], population.persons.shape
    )
    opened = population.persons[..., -1]
    new = np.where(
        opened > 0, (flags[..., -1] & ~np.uint8(Flag.OBSERVED)) | np.uint8(Flag.IMPUTED),
        flags[..., -1],
    )  # fmt: skip
    tail = np.repeat(new[..., np.newaxis], groups - flags.shape[3] + 1, axis=3)
    all_flags = np.concatenate([flags[..., :-1], tail], axis=3).astype(np.uint8)
    # where only zones are flagged, the share of the open group imputed before is the zone's own
    before = population.imputed_share
    counted = (flags[..., -1] & np.uint8(NOT_AS_COUNTED)) == 0
    fresh = (np.where(counted, opened, 0.0) if by_cell else opened).sum(axis=2)
    totals = population.totals()
    part = np.divide(fresh, totals, out=np.zeros_like(totals), where=totals > 0)
    share = before + (part if by_cell else (1 - before) * part)
    return all_flags, np.minimum(share, 1.0)

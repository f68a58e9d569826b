"""Ages of suppressed areas (秘匿), taken back from the area in which they were counted (合算)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.crosswalk import Crosswalk
from futuremap.core.population import Flag, Population
from futuremap.errors import DemographyError, LabelError

ROUNDING = 1e-9  # of a zone's people, that sums of shares may miss their total by


class Restored(NamedTuple):
    """Every zone by itself again.

    known
        People by sex and age. [persons]
    unknown
        People whose age is not known, in one age group; with `known` they are the totals.
    """

    known: Population
    unknown: Population


def restore(totals: Population, details: Population, *, merged: Crosswalk) -> Restored:
    """Share the ages of merged groups out over their zones, by each zone's own total by sex.

    Parameters
    ----------
    totals
        People by sex in every zone, in one age group, those of unknown age included. [persons]
    details
        People by sex and age in every group of zones, those of unknown age left out. [persons]
    merged
        Zones to groups, each zone whole in one group or in none.

    Returns
    -------
    Restored
        A zone alone in its group keeps its numbers. The others get the group's ages in
        proportion to their totals, with the flags MERGED and IMPUTED: totals of zones and ages
        of groups are both kept, to 1e-9. A zone in no group gets the ages of all groups; ages of
        a group that also holds people from elsewhere (more by age than in all) are scaled down
        to its total; both are flagged.

    Raises
    ------
    LabelError
        If zones, groups or years do not match, or a zone is in several groups or in part.
    DemographyError
        If nobody's age is known where there are people of a sex.

    Examples
    --------
    Blocks a and b were merged: 10 people under 65 and 6 over. Of the 16 people, 4 live in a.

    >>> from futuremap.core.ages import AgeGroups
    >>> from futuremap.core.crosswalk import from_pairs
    >>> totals = Population.build(
    ...     [[[[4.0], [0.0]], [[12.0], [0.0]]]], years=[2020], zones=["a", "b"],
    ...     ages=AgeGroups((0,)))
    >>> details = Population.build(
    ...     [[[[10.0, 6.0], [0.0, 0.0]]]], years=[2020], zones=["b"], ages=AgeGroups((0, 65)))
    >>> walk = from_pairs(np.array([0, 0]), np.array([0, 1]), np.ones(2),
    ...                   targets=["b"], sources=["a", "b"], rule="example")
    >>> restore(totals, details, merged=walk).known.persons[0, :, 0].tolist()
    [[2.5, 1.5], [7.5, 4.5]]
    """
    group_of = _group_of(totals, details, merged)
    in_all = totals.persons[..., 0]
    in_group = np.stack([merged.weights @ of_year for of_year in in_all])
    by_age = details.persons.sum(axis=3)
    if ((by_age > 0) & (in_group == 0)).any():
        raise DemographyError("people by age in a group of zones without people of that sex")
    over = by_age > in_group
    scale = np.divide(in_group, by_age, out=np.ones_like(by_age), where=over)
    alone = np.bincount(group_of[group_of >= 0], minlength=len(details.zones)) == 1
    scaled = details.persons * scale[..., np.newaxis]
    shape = _per_person(scaled, in_group)
    persons = np.where(
        alone[group_of][np.newaxis, :, np.newaxis, np.newaxis] & ~over[:, group_of, :, np.newaxis],
        details.persons[:, group_of],  # as published, to the last bit
        shape[:, group_of] * in_all[..., np.newaxis],
    )
    outside = group_of < 0
    persons[:, outside] = _like_all(scaled, in_group, in_all[:, outside])
    flags = _flags(alone, over, group_of)
    unknown = in_all - persons.sum(axis=3)
    unknown[np.abs(unknown) <= ROUNDING * np.maximum(1, in_all)] = 0.0
    known = _like(totals, persons, flags, details)
    return Restored(known, _like(totals, unknown[..., np.newaxis], flags, totals))


def _group_of(totals: Population, details: Population, merged: Crosswalk) -> NDArray[np.intp]:
    """Position of each zone's group, -1 for none ``(Z,)``."""
    if totals.zones != merged.sources or details.zones != merged.targets:
        raise LabelError("zones or groups are not those of the crosswalk, in its order")
    if totals.years != details.years or len(totals.ages) != 1:
        raise LabelError("totals must be in one age group and of the same years as the ages")
    pairs = merged.weights.tocoo()
    if len(set(pairs.col.tolist())) != pairs.col.size or (pairs.data != 1).any():
        raise LabelError("a zone belongs whole to one group, or to none")
    group_of = np.full(len(totals.zones), -1, dtype=np.intp)
    group_of[pairs.col] = pairs.row
    return group_of


def _per_person(by_age: NDArray[np.float64], people: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = people[..., np.newaxis]
    return np.divide(by_age, whole, out=np.zeros_like(by_age), where=whole > 0)


def _like_all(
    by_age: NDArray[np.float64],
    in_group: NDArray[np.float64],
    in_all: NDArray[np.float64],
) -> NDArray[np.float64]:
    shape = _per_person(by_age.sum(axis=1), in_group.sum(axis=1))
    return np.asarray(shape[:, np.newaxis] * in_all[..., np.newaxis])


def _flags(
    alone: NDArray[np.bool_],
    over: NDArray[np.bool_],
    group_of: NDArray[np.intp],
) -> NDArray[np.uint8]:
    """Flags by year and zone ``(Y, Z)``."""
    restored = np.uint8(Flag.MERGED | Flag.IMPUTED)
    touched = ~alone[np.newaxis, :] | over.any(axis=2)
    flags = np.where(touched[:, group_of], restored, np.uint8(Flag.OBSERVED))
    return np.where(group_of < 0, np.uint8(Flag.IMPUTED), flags)


def _like(
    totals: Population,
    persons: NDArray[np.float64],
    flags: NDArray[np.uint8],
    ages_of: Population,
) -> Population:
    return Population.build(
        persons,
        years=totals.years,
        zones=totals.zones,
        ages=ages_of.ages,
        flag=np.where(flags == Flag.OBSERVED, totals.flag | flags, flags),
        sources=(*totals.sources, *ages_of.sources),
    )

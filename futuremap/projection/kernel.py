"""One step forward: everybody a group older, children born, the account kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import advance_age
from futuremap.core.population import SEXES
from futuremap.errors import LabelError

FEMALE = SEXES.index("female")
MALE = SEXES.index("male")


class Step(NamedTuple):
    """The population after a step and what changed it, by age at the end ``(Z, S, A)``.

    persons
        The stock at the end. [persons]
    births
        Children in the youngest group. [persons]
    net_change
        Deaths and migration together. [persons]
    """

    persons: NDArray[np.float64]
    births: NDArray[np.float64]
    net_change: NDArray[np.float64]


def step(
    persons: NDArray[np.float64],
    cohort_change_ratio: NDArray[np.float64],
    *,
    child_woman_ratio: NDArray[np.float64],
    sex_ratio_0_4: NDArray[np.float64],
    fertile: slice,
    launch: NDArray[np.float64] | None = None,
) -> Step:
    """Advance every zone by one age-group width.

    Parameters
    ----------
    persons
        Persons at the start ``(Z, S, A)``. [persons]
    cohort_change_ratio
        People at the end per person at the start, by age at the start ``(Z, S, A)``. [ratio]
    child_woman_ratio
        Children 0–4 per woman of fertile age at the end of the step ``(Z,)``. [ratio]
    sex_ratio_0_4
        Boys per girl ``(Z,)``. [ratio]
    fertile
        The age groups of the women counted.
    launch
        Persons in the base year ``(Z, S, A)``. If given, growth is additive: a ratio above 1
        applies to no more people than a cell held in the base year, so that a boom adds the
        same number again instead of compounding. [persons]

    Returns
    -------
    Step
        ``persons`` equals the aged population plus births and net change in every cell.

    Notes
    -----
    ``P[a+1] = P[a]·CCR[a]``; the open group gets its own survivors and those of the group
    below: ``P[A] = P[A−1]·CCR[A−1] + P[A]·CCR[A]``. The child–woman ratio already holds
    infant deaths and the migration of children; neither is applied again.
    With additive growth ``P[a]·CCR[a]`` is ``P[a] + (CCR[a] − 1)·min(P[a], P₀[a])`` where
    CCR > 1.

    Examples
    --------
    Ten women 15–49 among three groups (0–14, 15–49, 50+), half of whom have a child later:

    >>> import numpy as np
    >>> people = np.array([[[0.0, 0.0, 0.0], [10.0, 0.0, 4.0]]])
    >>> s = step(people, np.ones((1, 2, 3)), child_woman_ratio=np.array([0.5]),
    ...          sex_ratio_0_4=np.array([1.0]), fertile=slice(1, 2))
    >>> s.persons.tolist()
    [[[2.5, 0.0, 0.0], [2.5, 10.0, 4.0]]]
    """
    check_fertile(fertile, persons.shape[2])
    later = np.empty_like(persons, order="C")
    now, ratio = np.ascontiguousarray(persons), np.ascontiguousarray(cohort_change_ratio)
    advance_into(now, ratio, later, launch=launch)
    bear_into(later, child_woman_ratio, sex_ratio_0_4, fertile=fertile)
    births = np.zeros_like(later)
    births[:, :, 0] = later[:, :, 0]
    return Step(later, births, later - advance_age(persons) - births)


def advance_into(
    now: NDArray[np.float64],
    ratio: NDArray[np.float64],
    later: NDArray[np.float64],
    *,
    launch: NDArray[np.float64] | None,
) -> None:
    """Age and move people into `later`; its youngest cells are left to :func:`bear_into`.

    Parameters
    ----------
    now, ratio, later
        Contiguous ``(Z, S, A)``: the stock, its ratios and where the later stock goes.
    launch
        See :func:`step`.

    Notes
    -----
    In memory the men and women of a zone are one row of 2A cells, so a step is one
    multiplication shifted by a cell; what falls from an open group into the next row's
    youngest cell is put back before children are born into that cell.
    """
    people, factor, aged = now.reshape(-1), ratio.reshape(-1), later.reshape(-1)
    if launch is None:
        np.multiply(people[:-1], factor[:-1], out=aged[1:])
        last = people[-1] * factor[-1]
    else:
        moved = people * np.minimum(factor, 1.0)
        moved += np.minimum(people, launch.reshape(-1)) * np.maximum(factor - 1.0, 0.0)
        aged[1:] = moved[:-1]
        last = moved[-1]
    rows = later.reshape(-1, later.shape[-1])
    rows[:-1, -1] += rows[1:, 0]
    rows[-1, -1] += last


def bear_into(
    later: NDArray[np.float64],
    child_woman_ratio: NDArray[np.float64],
    sex_ratio: NDArray[np.float64],
    *,
    fertile: slice,
) -> None:
    """Fill the youngest cells of `later` ``(Z, S, A)`` with children; see :func:`step`."""
    children = child_woman_ratio * np.einsum("za->z", later[:, FEMALE, fertile])
    boys = children * (sex_ratio / (1 + sex_ratio))
    later[:, MALE, 0] = boys
    later[:, FEMALE, 0] = children - boys


def check_fertile(fertile: slice, ages: int) -> None:
    """Refuse fertile groups that do not exist, or among which the children are.

    Raises
    ------
    LabelError
        If they are not within groups 1 to A.
    """
    if not 1 <= fertile.start < fertile.stop <= ages or fertile.step not in (None, 1):
        raise LabelError(f"no women of the groups {fertile} can bear those of group 0 of {ages}")

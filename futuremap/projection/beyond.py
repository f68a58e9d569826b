"""Beyond a baseline: people who come in addition, and rates that change, on top of any projection.

A scenario does not project again. It holds the baseline as found, its rake factors included, and
carries forward two differences:

*Those who come* (`carry`) age, die, move away and have children at the ratios that the whole
municipality goes through in the baseline, in the same step (`realised`): people of a cohort at the
end of a step over those at its start, after controls, so that the rake factor is in it and is not
computed anew from people who were added. A ratio above 1 counts as 1: who comes brings nobody but
their own children. All of it is linear: twice the people come to twice the people later, wherever
they settle in the municipality.

*Those who are there* (`follow_change`) keep the baseline's path times the cumulated change of the
rates they went through: a cohort whose deaths are halved in a step is larger by that ratio in all
later steps, and so are its children as its women are. Without any change this is a multiplication
by exactly 1, so that a scenario that changes nothing is the baseline to the last bit.

Within a step people may come in any year: of h of its n years that are left, h/n of a cohort's
change has come, h/n of each age group has moved up, and h/n of a youngest group is born (the
convention of :func:`futuremap.projection.small_area.advance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.flows import advance_age
from futuremap.core.population import SEXES
from futuremap.core.rates import Rates
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO
from futuremap.projection.single_years import HAZARD, HAZARD_AT, LAST_AGE

Floats = NDArray[np.float64]
ROUNDING = 1e-9
FEMALE, MALE = SEXES.index("female"), SEXES.index("male")


class Course(NamedTuple):
    """What people go through in every step, by parent.

    change
        Persons at the end of a step per person at its start, by age at the start, the last two
        groups alike ``(H, P, S, A)``. [ratio]
    child_woman_ratio
        Children of the youngest group per woman of fertile age at the end ``(H, P)``. [ratio]
    boys
        Boys among them ``(H, P)``. [ratio]
    fertile
        The groups of those women.
    """

    change: Floats
    child_woman_ratio: Floats
    boys: Floats
    fertile: slice


def realised(path: Floats, rates: Rates) -> Course:
    """The course that each parent's people take in a projection, controls included.

    Parameters
    ----------
    path
        Base and later years of a projection ``(1 + H, Z, S, A)``. [persons]
    rates
        Rates of its zones, which say who belongs to which parent, and what holds where a
        parent has nobody of an age.

    Raises
    ------
    LabelError
        If path and rates have different zones.

    Examples
    --------
    Of ten, eight are left; a quarter of the women has a child:

    >>> ages = AgeGroups((0, 15, 50, 65))
    >>> rates = Rates.build(
    ...     {"parent_cohort_change_ratio": np.ones((1, 2, 4)), "sex_ratio_0_4": [1.0],
    ...      "parent_child_woman_ratio": [0.5]},
    ...     zones=["a"], parents=["p"], parent_of=np.array([0]), ages=ages, interval=5)
    >>> path = np.array([[[[0.0, 0.0, 10.0, 0.0], [10.0, 0.0, 0.0, 0.0]]],
    ...                  [[[1.0, 0.0, 0.0, 8.0], [1.0, 8.0, 0.0, 0.0]]]])
    >>> course = realised(path, rates)
    >>> course.change[0, 0].tolist(), course.child_woman_ratio.tolist()
    ([[1.0, 1.0, 0.8, 0.8], [0.8, 1.0, 1.0, 1.0]], [[0.25]])
    """
    if path.shape[1] != len(rates.zones):
        raise LabelError(f"a path of {path.shape[1]} zones, rates of {len(rates.zones)}")
    starts = np.searchsorted(rates.parent_of, np.arange(len(rates.parents)))
    people = np.add.reduceat(path, starts, axis=1)
    fertile = rates.ages.between(FERTILE_FROM, FERTILE_TO)
    due = advance_age(people[:-1])[..., 1:]
    ratio = np.divide(people[1:, ..., 1:], due, out=np.full_like(due, np.nan), where=due > 0)
    change = np.concatenate([ratio, ratio[..., -1:]], axis=-1)
    change = np.where(np.isnan(change), rates["parent_cohort_change_ratio"], change)
    women = people[1:, :, FEMALE, fertile].sum(axis=2)
    children = people[1:, :, :, 0].sum(axis=2)
    usual = np.broadcast_to(rates["parent_child_woman_ratio"], women.shape)
    boys = rates["sex_ratio_0_4"] / (1 + rates["sex_ratio_0_4"])
    return Course(
        change,
        np.divide(children, women, out=usual.copy(), where=women > 0),
        np.divide(
            people[1:, :, MALE, 0],
            children,
            out=np.broadcast_to(boys, children.shape).copy(),
            where=children > 0,
        ),
        fertile,
    )


class Step(NamedTuple):
    """One step of :class:`Course`, for some groups of people ``(K, …)``."""

    change: Floats
    child_woman_ratio: Floats
    boys: Floats
    fertile: slice


def step_of(course: Course, step: int, parent: NDArray[np.intp]) -> Step:
    """What newcomers go through in a step ``(K, …)``: ratios above 1 count as 1."""
    return Step(
        np.minimum(course.change[step, parent], 1.0),
        course.child_woman_ratio[step, parent],
        course.boys[step, parent],
        course.fertile,
    )


def advance(people: Floats, step: Step, *, share: float) -> Floats:
    """People after a share of a step, their children with them.

    Parameters
    ----------
    people
        ``(K, S, A)`` [persons]
    step
        What they go through in the whole step.
    share
        How much of it is left, 0 to 1. [ratio]

    Examples
    --------
    Ten women, half of the step, half of a child each in a whole one:

    >>> way = Step(np.full((1, 2, 3), 0.8), np.array([0.5]), np.array([0.5]), slice(1, 2))
    >>> women = np.array([[[0.0, 0.0, 0.0], [0.0, 10.0, 0.0]]])
    >>> advance(women, way, share=0.5).round(3).tolist()
    [[[0.562, 0.0, 0.0], [0.562, 4.5, 4.5]]]
    """
    left = people * (1 + (step.change - 1) * share)
    later = (1 - share) * left + share * advance_age(left)
    women = later[:, FEMALE, step.fertile].sum(axis=1)
    born = step.child_woman_ratio * women * share
    later[:, MALE, 0] += born * step.boys
    later[:, FEMALE, 0] += born * (1 - step.boys)
    return np.asarray(later)


class Came(NamedTuple):
    """Newcomers through the years.

    persons
        Those living at the end of each step, their children among them ``(1 + H, K, S, A)``.
    in_migrants
        Those who came in each step, by age at its end, before any died or left
        ``(H, K, S, A)``.
    """

    persons: Floats
    in_migrants: Floats


def carry(arrivals: Floats, course: Course, *, parent: NDArray[np.intp]) -> Came:
    """Carry people forward who come year by year.

    Parameters
    ----------
    arrivals
        People who come in each year, by age then ``(H, n, K, S, A)`` for H steps of n years.
        [persons]
    course
        What the parents' people go through.
    parent
        Position of the parent of each group ``(K,)``.

    Examples
    --------
    One woman a year in a place where nobody dies, moves or bears: all are there at the end.

    >>> course = Course(np.ones((2, 1, 2, 3)), np.zeros((2, 1)), np.full((2, 1), 0.5), slice(1, 2))
    >>> came = np.zeros((2, 5, 1, 2, 3)); came[:, :, 0, 1, 1] = 1.0
    >>> done = carry(came, course, parent=np.array([0]))
    >>> done.persons.sum(axis=(1, 2, 3)).round(9).tolist(), float(done.in_migrants.sum())
    ([0.0, 5.0, 10.0], 10.0)
    """
    steps, years = arrivals.shape[:2]
    persons = np.zeros((steps + 1, *arrivals.shape[2:]))
    in_migrants = np.zeros((steps, *arrivals.shape[2:]))
    for t in range(steps):
        step = step_of(course, t, parent)
        persons[t + 1] = advance(persons[t], step, share=1.0)
        for year in range(years):
            came = arrivals[t, year]
            if came.any():
                share = (years - 1 - year) / years
                persons[t + 1] += advance(came, step, share=share)
                in_migrants[t] += (1 - share) * came + share * advance_age(came)
    return Came(persons, in_migrants)


class Change(NamedTuple):
    """Rates that differ from the baseline's, by zone.

    change
        Factor on the ratios, by age at the start ``(H, Z, S, A)``. [ratio]
    births
        Factor on the child–woman ratio ``(H, Z)``. [ratio]
    clear
        People who must go from the zone at the end of each step, like its own by sex and age
        ``(H, Z)``. [persons]
    """

    change: Floats
    births: Floats
    clear: Floats

    @classmethod
    def none(cls, steps: int, zones: int, ages: int) -> Change:
        """No change at all."""
        return cls(
            np.ones((steps, zones, len(SEXES), ages)),
            np.ones((steps, zones)),
            np.zeros((steps, zones)),
        )

    @property
    def is_none(self) -> bool:
        """Whether nothing differs."""
        same = (self.change == 1).all() and (self.births == 1).all()
        return bool(same and not self.clear.any())


class Kept(NamedTuple):
    """What is left of a baseline's people.

    share
        Factor on each cell of the baseline ``(1 + H, Z, S, A)``. [ratio]
    cleared
        People who had to go at the end of each step ``(H, Z, S, A)``. [persons]
    """

    share: Floats
    cleared: Floats


def follow_change(path: Floats, change: Change, *, fertile: slice) -> Kept:
    """The factor on each cell of a baseline that changed rates come to.

    Parameters
    ----------
    path
        The baseline ``(1 + H, Z, S, A)``. [persons]
    change
        What differs.
    fertile
        Age groups of the women whose children are counted.

    Raises
    ------
    DemographyError
        If more must go from a zone than live there.

    Examples
    --------
    Half as many children in the first step; the cohort stays half as large:

    >>> path = np.full((3, 1, 2, 3), 10.0)
    >>> half = Change.none(2, 1, 3)
    >>> half.births[0] = 0.5
    >>> follow_change(path, half, fertile=slice(1, 2)).share[:, 0, 1].tolist()
    [[1.0, 1.0, 1.0], [0.5, 1.0, 1.0], [0.5, 0.5, 1.0]]
    """
    share = np.ones_like(path)
    cleared = np.zeros_like(path[1:])
    for t in range(1, len(path)):
        before, moved = path[t - 1], share[t - 1] * change.change[t - 1]
        share[t, ..., 1:] = moved[..., :-1]
        old, weight = before[..., -2:], before[..., -2:].sum(axis=-1)
        mixed = (old * moved[..., -2:]).sum(axis=-1)
        share[t, ..., -1] = np.divide(mixed, weight, out=moved[..., -2].copy(), where=weight > 0)
        women = path[t, :, FEMALE, fertile]
        all_women = women.sum(axis=1)
        here = (women * share[t, :, FEMALE, fertile]).sum(axis=1)
        mothers = np.divide(here, all_women, out=np.ones_like(here), where=all_women > 0)
        share[t, :, :, 0] = (mothers * change.births[t - 1])[:, None]
        if change.clear[t - 1].any():
            living = path[t] * share[t]
            gone = _share_gone(change.clear[t - 1], living.sum(axis=(1, 2)))[:, None, None]
            cleared[t - 1] = living * gone
            share[t] *= 1 - gone
    return Kept(share, cleared)


def _share_gone(clear: Floats, living: Floats) -> Floats:
    short = clear > living * (1 + ROUNDING)
    if short.any():
        zone = int(np.argmax(short))
        raise DemographyError(
            f"{clear[zone]:g} persons must go from a zone where {living[zone]:.1f} live by then"
        )
    return np.divide(clear, living, out=np.zeros_like(clear), where=living > 0)


def with_change(course: Course, change: Change, parent_first: Sequence[int]) -> Course:
    """The course under rates that change alike in all zones of a parent.

    Parameters
    ----------
    course
        The baseline's.
    change
        What differs.
    parent_first
        A zone of each parent ``(P,)``.
    """
    at = list(parent_first)
    return course._replace(
        change=course.change * change.change[:, at],
        child_woman_ratio=course.child_woman_ratio * change.births[:, at],
    )


def survival(ages: AgeGroups) -> Floats:
    """Share that outlives a step, by age at its start ``(S, A)``, from :data:`HAZARD`.

    The level of deaths by age that open groups are split by everywhere in this program; it only
    says how much of a cohort's change is death, when deaths or moves alone shall differ.

    Examples
    --------
    >>> survival(AgeGroups.five_year(open_age=85))[0, [4, 14, 17]].round(2).tolist()
    [1.0, 0.86, 0.41]
    """
    age = np.arange(LAST_AGE + 1) + 0.5 - HAZARD_AT
    rows = []
    for level, growth in (HAZARD[sex] for sex in SEXES):
        hazard = level / growth * (np.exp(growth * (age + ages.width)) - np.exp(growth * age))
        living = np.exp(-level / growth * (np.exp(growth * age) - np.exp(growth * age[0])))
        group = np.searchsorted(ages.lower, np.arange(LAST_AGE + 1), side="right") - 1
        people = np.bincount(group, weights=living, minlength=len(ages))
        left = np.bincount(group, weights=living * np.exp(-hazard), minlength=len(ages))
        rows.append(np.asarray(left / people, dtype=np.float64))
    return np.array(rows)


def fewer_losses(course: Course, alive: Floats, *, factor: float, add: float = 0.0) -> Floats:
    """Factor on the ratios if net losses by migration were `factor` times what they are.

    Parameters
    ----------
    course
        What the parents' people go through.
    alive
        Share that outlives a step ``(S, A)``; see :func:`survival`. [ratio]
    factor
        On the net loss of those ages that lose people on balance; who gain stay as they are.
    add
        Added to the net migration of each. [per person and step]

    Returns
    -------
    ndarray
        ``(H, P, S, A)``, never below 0. [ratio]
    """
    net = course.change / alive - 1
    other = np.where(net < 0, factor * net, net) + add
    known = course.change > 0
    wanted = np.maximum(1 + other, 0.0)
    return np.divide(wanted, 1 + net, out=np.ones_like(net), where=known)


def fewer_deaths(alive: Floats, *, factor: float) -> Floats:
    """Factor on the ratios if deaths were `factor` times what they are ``(S, A)``; 0 or more."""
    return np.maximum(1 + (1 - factor) * (1 - alive) / alive, 0.0)

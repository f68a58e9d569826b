"""Methods that add counts: differences of cohorts, their blend with ratios, a pool of movers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.flows import advance_age
from futuremap.projection.kernel import FEMALE, MALE
from futuremap.projection.methods.cohort import CohortRatios
from futuremap.projection.methods.history import (
    History,
    Parents,
    boys_per_girl,
    divide,
    fertile,
    periods,
    pool_open_group,
    split_last,
    starting,
)


class Added(NamedTuple):
    """A path of added counts and what they asked for in vain.

    persons
        ``(1 + steps, Z, S, A)`` [persons]
    clipped
        People whom a difference would have taken from a cohort that had fewer, by step
        ``(steps, Z)``. [persons]
    """

    persons: NDArray[np.float64]
    clipped: NDArray[np.float64]


def add_differences(
    history: History,
    *,
    launch: NDArray[np.float64] | None = None,
    steps: int,
) -> Added:
    """Cohort-change differences: a cohort gains or loses the number that it did last time.

    Raises
    ------
    LabelError
        If the stocks are not one age width apart.

    Notes
    -----
    ``N'[a+1] = max(0, N[a] + (N[a+1](t) − N[a](t−n)))``; children by the child–woman ratio of
    the zone, or of its parent where it had no women.

    References
    ----------
    .. [1] M. E. Hauer, "Population projections for U.S. counties by age, sex, and race
       controlled to shared socioeconomic pathway", Sci. Data 6, 2019: *CCD*.

    Examples
    --------
    Of ten people nine are left, then eight; where half a person lives, one can't leave:

    >>> ages = AgeGroups((0, 25, 50))
    >>> stocks = np.array([[[[0, 10.0, 0]] * 2], [[[0, 0, 9.0]] * 2]])
    >>> h = History(stocks, np.array([0, 25]), ages, np.array([0]))
    >>> add_differences(h, steps=2).persons[:, 0, 0, 2].tolist()
    [9.0, 8.0, 7.0]
    >>> a = add_differences(h, launch=np.array([[[0, 0, 0.5]] * 2]), steps=1)
    >>> a.persons[1].sum().tolist(), a.clipped.tolist()
    (0.0, [[1.0]])
    """
    start = starting(history, launch)
    [period] = periods(history, most=1)
    parents = Parents(history.parent_of)
    added = period.survivors - period.cohorts
    births = divide(period.children, period.women, parents.hand_down(period.births))
    boys = boys_per_girl(history)
    path, clipped = np.empty((1 + steps, *start.shape)), np.empty((steps, len(start)))
    path[0] = start
    for t in range(steps):
        wanted = pool_open_group(path[t]) + added
        clipped[t] = np.maximum(-wanted, 0.0).sum(axis=(1, 2))
        path[t + 1, ..., 1:] = np.maximum(wanted, 0.0)
        fill_children(path[t + 1], births, boys=boys, ages=history.ages)
    return Added(path, clipped)


def differences(
    history: History,
    *,
    launch: NDArray[np.float64] | None = None,
    steps: int,
) -> NDArray[np.float64]:
    """Persons of :func:`add_differences`, which also says what was clipped."""
    return add_differences(history, launch=launch, steps=steps).persons


def blend(
    history: History,
    *,
    launch: NDArray[np.float64] | None = None,
    steps: int,
) -> NDArray[np.float64]:
    """Differences where a zone's cohorts grew beside its parent's, raw ratios elsewhere.

    Notes
    -----
    Ratios explode where people come, differences empty a zone where they leave.
    """
    [period] = periods(history, most=1)
    grew = period.survivors.sum(axis=(1, 2)) > period.cohorts.sum(axis=(1, 2))
    ratios = CohortRatios("raw")(history, launch=launch, steps=steps)
    counts = differences(history, launch=launch, steps=steps)
    return np.where(grew[:, None, None], counts, ratios)


@dataclass(frozen=True)
class Pool:
    """Movers leave by a rate and come as a share of all who left in the parent.

    Parameters
    ----------
    ratios
        Where deviations from the parent and the parent's level come from.

    Notes
    -----
    The parent's ratio stands for survival and for its own exchange with the rest. A zone whose
    ratio is below it sends the difference away; one above it takes a share of those sent, in
    proportion to its gain in the past, and fills even if it was empty at launch. The sum over
    a parent follows the parent's ratio, so nothing explodes. Where nobody takes, nobody
    leaves. Two stocks show only the balance, so gross flows are the least that explain it.

    Examples
    --------
    Two towns of 10,000; one halved and the other grew by half. The sum stays:

    >>> ages = AgeGroups((0, 25, 50))
    >>> was = np.array([[[0, 1e4, 0]] * 2, [[0, 1e4, 0]] * 2])
    >>> now = np.array([[[0, 1e4, 0.5e4]] * 2, [[0, 1e4, 1.5e4]] * 2])
    >>> h = History(np.stack([was, now]), np.array([0, 25]), ages, np.array([0, 0]))
    >>> later = Pool()(h, steps=1)[1, :, 0, 2]
    >>> float(later.sum().round(6)), bool(later[0] < 0.8e4)
    (40000.0, True)
    """

    ratios: CohortRatios = field(default_factory=CohortRatios)

    def __call__(
        self,
        history: History,
        *,
        launch: NDArray[np.float64] | None = None,
        steps: int,
    ) -> NDArray[np.float64]:
        """Project; see :class:`futuremap.projection.methods.history.Method`."""
        start = starting(history, launch)
        known = periods(history, most=4)
        parents = Parents(history.parent_of)
        own, births = self.ratios.deviations(known, parents)
        boys = boys_per_girl(history)
        path = np.empty((1 + steps, *start.shape))
        path[0] = start
        for t in range(steps):
            level, level_births = self.ratios.levels(known, parents, ages=history.ages, step=t)
            left = self.ratios.keep * self.ratios.persistence**t
            gain = np.expm1(np.maximum(left * own, 0.0)) * level * known[0].cohorts
            taken = parents.hand_down(parents.sum(gain))
            share = split_last(divide(gain, taken, 0.0))
            leave = split_last(np.where(taken > 0, -np.expm1(np.minimum(left * own, 0.0)), 0.0))
            survivors = path[t] * split_last(level)
            out = survivors * leave
            came = share * parents.hand_down(parents.sum(out))
            path[t + 1] = advance_age(survivors - out + came)
            children = level_births * np.exp(left * births)
            fill_children(path[t + 1], children, boys=boys, ages=history.ages)
        return path


def fill_children(
    later: NDArray[np.float64],
    births: NDArray[np.float64],
    *,
    boys: NDArray[np.float64],
    ages: AgeGroups,
) -> None:
    """Write the youngest group of a stock ``(Z, S, A)`` from its women, in place.

    Parameters
    ----------
    later
        The stock at the end of a step.
    births
        Children per woman of fertile age ``(Z,)``. [ratio]
    boys
        Boys per girl ``(Z,)``. [ratio]
    ages
        Its age groups.
    """
    children = births * later[:, FEMALE, fertile(ages)].sum(axis=1)
    later[:, MALE, 0] = children * boys / (1 + boys)
    later[:, FEMALE, 0] = children - later[:, MALE, 0]

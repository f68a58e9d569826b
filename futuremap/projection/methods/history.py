"""What a method is given, and the ratios that all cohort methods start from."""

from __future__ import annotations

from itertools import pairwise, starmap
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.kernel import FEMALE, MALE
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO, PRIOR_CHILDREN, SEX_RATIO_BIRTH

SAME_STEP = 0.06  # years; three weeks between two census days or register months are nothing
STOCKS_NEEDED = 2


class History(NamedTuple):
    """Counts of the same zones at several times.

    persons
        ``(Y, Z, S, A)`` [persons]
    times
        When they were counted, ascending ``(Y,)``. [years]
    ages
        Age groups; the closed ones of one width, which is the step of every method. [years]
    parent_of
        Position of each zone's parent ``(Z,)``, ascending: the zones of a parent stand together.
    """

    persons: NDArray[np.float64]
    times: NDArray[np.float64]
    ages: AgeGroups
    parent_of: NDArray[np.intp]


class Method(Protocol):
    """A way to project: pure, the same answer for the same history."""

    def __call__(
        self,
        history: History,
        *,
        launch: NDArray[np.float64] | None = None,
        steps: int,
    ) -> NDArray[np.float64]:
        """Project `steps` steps of the age width.

        Parameters
        ----------
        history
            The counts from which rates are made.
        launch
            The stock to start from ``(Z, S, A)``; the last one of `history` if not given.
        steps
            Count of steps.

        Returns
        -------
        ndarray
            Launch and every later step ``(1 + steps, Z, S, A)``. [persons]
        """
        ...


class Parents:
    """The zones of each parent, for sums over them and for handing figures down.

    Examples
    --------
    >>> parents = Parents(np.array([0, 0, 1]))
    >>> parents.sum(np.array([1.0, 2.0, 5.0])).tolist()
    [3.0, 5.0]
    >>> parents.hand_down(np.array([3.0, 5.0])).tolist()
    [3.0, 3.0, 5.0]
    """

    def __init__(self, parent_of: NDArray[np.intp]) -> None:
        if np.any(np.diff(parent_of) < 0):
            raise LabelError("zones must stand together by parent")
        _, self._position = np.unique(parent_of, return_inverse=True)
        starts = np.flatnonzero(np.diff(self._position, prepend=-1))
        self.starts = starts
        self.slices = list(starmap(slice, pairwise([*starts.tolist(), len(parent_of)])))

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of zones ``(Z, …)`` by parent ``(P, …)``."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    def hand_down(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each zone's parent's value ``(Z, …)`` of values by parent ``(P, …)``."""
        return np.asarray(values[self._position])


class Period(NamedTuple):
    """What happened between two stocks that are one age width apart.

    cohorts, survivors
        People before and after, by age before ``(Z, S, A−1)``; the last closed group and the
        open one are one cohort, because two stocks can't tell them apart. [persons]
    women, children
        Women of fertile age and children of the youngest group, after ``(Z,)``. [persons]
    ratio, births
        Ratios of all zones of a parent together ``(P, S, A−1)``, ``(P,)``. [ratio]
    all_ratio, all_births
        Ratios of all zones together ``(S, A−1)``, ``()``. [ratio]
    births_change
        Logarithm of the child–woman ratio of all zones after over that before.
    """

    cohorts: NDArray[np.float64]
    survivors: NDArray[np.float64]
    women: NDArray[np.float64]
    children: NDArray[np.float64]
    ratio: NDArray[np.float64]
    births: NDArray[np.float64]
    all_ratio: NDArray[np.float64]
    all_births: float
    births_change: float


def divide(
    outcome: NDArray[np.float64],
    exposure: NDArray[np.float64],
    fallback: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """``outcome / exposure``, or the fallback where there is no exposure.

    Examples
    --------
    >>> divide(np.array([1.0, 1.0]), np.array([2.0, 0.0]), 0.9).tolist()
    [0.5, 0.9]
    """
    ratio = np.array(np.broadcast_to(fallback, outcome.shape), dtype=np.float64)
    return np.asarray(np.divide(outcome, exposure, out=ratio, where=exposure > 0))


def fertile(ages: AgeGroups) -> slice:
    """The closed groups within ages 15–49, whose women carry the child–woman ratio.

    Raises
    ------
    LabelError
        If there is none.

    Examples
    --------
    >>> fertile(AgeGroups((0, 5, 10, 15, 20, 45, 50, 55)))
    slice(3, 6, None)
    """
    first, last = np.searchsorted(ages.lower, [FERTILE_FROM, FERTILE_TO])
    last = min(int(last), len(ages) - 1)
    if first >= last:
        raise LabelError(f"no age group of women lies within 15–49; groups begin at {ages.lower}")
    return slice(int(first), last)


def periods(history: History, *, most: int | None = None) -> list[Period]:
    """The periods of a history, latest first.

    Parameters
    ----------
    history
        At least two stocks, each one age width after the one before.
    most
        Count of periods wanted; all if not given.

    Raises
    ------
    LabelError
        If there is no period, the stocks are not one age width apart, or shapes disagree.
    DemographyError
        If a count is negative or not finite.

    Notes
    -----
    A parent's cell in which nobody was there to make a ratio from has the ratio of all zones
    together; if nobody was there either, that of both sexes together, then the straight line
    between the ages around; 1 if nobody was there at any age.

    Examples
    --------
    Of ten children and their ten parents all are there later, and five children more:

    >>> ages = AgeGroups((0, 25, 50))
    >>> stocks = np.array([[[[5.0, 5.0, 0.0]] * 2], [[[2.5, 5.0, 5.0]] * 2]])
    >>> [one] = periods(History(stocks, np.array([0, 25]), ages, np.array([0])))
    >>> one.ratio[0].tolist(), one.births.tolist()
    ([[1.0, 1.0], [1.0, 1.0]], [1.0])
    """
    _check(history)
    parents = Parents(history.parent_of)
    pairs = range(len(history.times) - 1, 0, -1)
    return [_period(history, parents, later) for later in list(pairs)[:most]]


def _check(history: History) -> None:
    years, zones, _, groups = history.persons.shape
    if len(history.times) != years or len(history.parent_of) != zones:
        raise LabelError(f"times or parents do not match persons {history.persons.shape}")
    if groups != len(history.ages):
        raise LabelError(f"{groups} age groups counted, {len(history.ages)} named")
    bad = ~np.isfinite(history.persons) | (history.persons < 0)
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise DemographyError(f"{history.persons[where]} persons at [year, zone, sex, age] {where}")
    gaps = np.diff(history.times)
    if years < STOCKS_NEEDED or np.any(np.abs(gaps - history.ages.width) > SAME_STEP):
        raise LabelError(
            f"stocks must be {history.ages.width} years apart and two at least, "
            f"they are of {np.asarray(history.times).tolist()}",
        )


def _period(history: History, parents: Parents, later: int) -> Period:
    before, after = history.persons[later - 1], history.persons[later]
    cohorts, survivors = pool_open_group(before), after[..., 1:]
    women = after[:, FEMALE, fertile(history.ages)].sum(axis=1)
    children = after[..., 0].sum(axis=1)
    everywhere = _everywhere(survivors.sum(axis=0), cohorts.sum(axis=0))
    ratio = divide(parents.sum(survivors), parents.sum(cohorts), everywhere)
    births_before, all_births = (_births(stock, history.ages) for stock in (before, after))
    births = divide(parents.sum(children), parents.sum(women), all_births)
    told = births_before > 0 and all_births > 0
    change = float(np.log(all_births / births_before)) if told else 0.0
    return Period(
        cohorts, survivors, women, children, ratio, births, everywhere, all_births, change
    )


def _births(stock: NDArray[np.float64], ages: AgeGroups) -> float:
    women = float(stock[:, FEMALE, fertile(ages)].sum())
    return float(stock[..., 0].sum()) / women if women > 0 else 0.0


def _everywhere(
    survivors: NDArray[np.float64],
    cohorts: NDArray[np.float64],
) -> NDArray[np.float64]:
    both = cohorts.sum(axis=0)
    known = np.flatnonzero(both > 0)
    if not len(known):
        return np.ones_like(cohorts)
    ratios = survivors.sum(axis=0)[known] / both[known]
    return divide(survivors, cohorts, np.interp(np.arange(len(both)), known, ratios))


def pool_open_group(persons: NDArray[np.float64]) -> NDArray[np.float64]:
    """The last closed group and the open one together ``(…, A−1)``.

    Examples
    --------
    >>> pool_open_group(np.array([5.0, 4.0, 3.0])).tolist()
    [5.0, 7.0]
    """
    pooled = persons[..., :-1].copy()
    pooled[..., -1] += persons[..., -1]
    return pooled


def split_last(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ratio of the pooled last cohort for both of its groups ``(…, A)``."""
    return np.concatenate([ratios, ratios[..., -1:]], axis=-1)


def boys_per_girl(history: History) -> NDArray[np.float64]:
    """Sex ratio of the youngest group by zone, from its parent ``(Z,)``. [ratio]

    Notes
    -----
    A parent with few children is pulled to the ratio at birth, as if
    :data:`~futuremap.projection.rates.PRIOR_CHILDREN` of the nation had been added.
    """
    parents = Parents(history.parent_of)
    children = parents.sum(history.persons[-1, :, :, 0])
    girls = PRIOR_CHILDREN / (1 + SEX_RATIO_BIRTH)
    boys = PRIOR_CHILDREN - girls
    return parents.hand_down((children[:, MALE] + boys) / (children[:, FEMALE] + girls))


def starting(history: History, launch: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The stock to start from, checked against the history.

    Raises
    ------
    LabelError
        If its shape is not that of the history's stocks.
    DemographyError
        If a count is negative or not finite.
    """
    start = history.persons[-1] if launch is None else launch
    if start.shape != history.persons.shape[1:]:
        raise LabelError(f"launch has shape {start.shape}, a stock {history.persons.shape[1:]}")
    bad = ~np.isfinite(start) | (start < 0)
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise DemographyError(f"launch holds {start[where]} persons at [zone, sex, age] {where}")
    return np.asarray(start, dtype=np.float64)

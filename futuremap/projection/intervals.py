"""Intervals that hold: split-conformal by size class, from backtests of earlier launches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import LabelError

SIZES = (0.0, 5_000.0, 20_000.0, 100_000.0)  # persons at launch at which classes begin
COVERAGE = 0.8
# A launch counts a quarter of the next one: errors of Japanese municipalities have shrunk from
# census to census, so that old ones alone make intervals too wide.
RECENCY = 0.25
# The scale of an error is √(n² + FLOOR·n + 1): relative for towns, that of counts for hamlets,
# one person where nobody is projected.
FLOOR = 100.0
FEWEST = 30  # scores; a class with fewer is scored together with its larger neighbour
NARROWEST = 1e-9  # of a bound, so that one of 0 can be compared with
TRANSFER = (0.7, 4.0)  # times; what carrying errors to the next launch may do to an interval


class Tried(NamedTuple):
    """Totals of one earlier launch and what came of them.

    launch
        Year. [years]
    years
        Years from launch to what came. [years]
    size
        People at launch, which decides the class ``(Z,)``. [persons]
    projected, actual
        ``(Z,)`` [persons]
    """

    launch: float
    years: float
    size: NDArray[np.float64]
    projected: NDArray[np.float64]
    actual: NDArray[np.float64]


class ErrorTable(NamedTuple):
    """Signed quantiles of errors by horizon and size class; frozen, it serves any projection.

    sizes
        People at launch at which the classes begin ``(C,)``. [persons]
    years
        Horizons, ascending ``(H,)``. [years]
    low, high
        Quantiles of the scaled errors ``(H, C)``. [ratio]
    counts
        Scores that they rest on ``(H, C)``; those of a class that was joined to another count in
        both.
    transfer
        Factor that is in them, from how earlier tables held at the launches after them: above 1
        where they held too few, below where errors had shrunk since ``(H,)``. [ratio]
    coverage
        Share of areas that the intervals are made to hold. [ratio]
    """

    sizes: tuple[float, ...]
    years: tuple[float, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.int64]
    transfer: NDArray[np.float64]
    coverage: float

    def interval(
        self,
        total: NDArray[np.float64],
        size: NDArray[np.float64],
        years_ahead: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds of projected totals.

        Parameters
        ----------
        total
            Projected ``(Z,)``. [persons]
        size
            People at launch ``(Z,)``. [persons]
        years_ahead
            Years from launch, above 0.

        Returns
        -------
        tuple
            Lower and upper bound ``(Z,)``, the lower not below 0. [persons]

        Raises
        ------
        LabelError
            If `years_ahead` is below 0.

        Notes
        -----
        Between horizons the quantiles follow straight lines, from 0 at launch; they never narrow
        with time, and beyond the last horizon they widen in proportion to time.

        Examples
        --------
        >>> one = np.ones((1, 1))
        >>> table = ErrorTable((0.0,), (5.0,), -0.1 * one, 0.2 * one, np.array([[99]]), one[0], 0.8)
        >>> [b.round().tolist() for b in table.interval(np.array([1e4]), np.array([1e4]), 10.0)]
        [[7990.0], [14020.0]]
        """
        if years_ahead < 0:
            raise LabelError(f"an interval {years_ahead} years ahead was asked for")
        which = np.searchsorted(self.sizes, size, side="right") - 1
        which = np.maximum(which, 0)
        low = _at(years_ahead, self.years, np.minimum.accumulate(np.minimum(self.low, 0.0)))
        high = _at(years_ahead, self.years, np.maximum.accumulate(np.maximum(self.high, 0.0)))
        scale = _scale(total)
        return np.maximum(0.0, total + low[which] * scale), total + high[which] * scale


def _at(year: float, years: Sequence[float], values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.concatenate([np.zeros((1, values.shape[1])), values])
    if year > years[-1]:
        return np.asarray(known[-1] * year / years[-1])
    known_years = [0.0, *years]
    return np.array([np.interp(year, known_years, column) for column in known.T])


def _scale(projected: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(projected**2 + FLOOR * projected + 1.0))


def scores(tried: Tried) -> NDArray[np.float64]:
    """Signed errors on their scale ``(Z,)``, above 0 where more came than were projected."""
    return np.asarray((tried.actual - tried.projected) / _scale(tried.projected))


def calibrate(
    past: Sequence[Tried],
    *,
    sizes: Sequence[float] = SIZES,
    coverage: float = COVERAGE,
    recency: float = RECENCY,
) -> ErrorTable:
    """Make an error table from earlier launches.

    Parameters
    ----------
    past
        Launches whose targets had been counted when the table is used, at one or several
        horizons.
    sizes
        People at launch at which the classes begin, from 0. [persons]
    coverage
        Share of areas that the intervals shall hold. [ratio]
    recency
        Weight of a launch over that of the next one. [ratio]

    Returns
    -------
    ErrorTable
        The lower and the upper quantile leave equal shares outside, each at rank
        ``⌈(m + 1)(1 − α)⌉`` of the m scores of a class (of their weights, where launches weigh
        differently). They are multiplied by what the tables of earlier launches would have
        needed to hold their share at the launches after them, as a mean over those launches
        and one that needed nothing.

    Raises
    ------
    LabelError
        If there is nothing to learn from at all.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005:
       Mondrian (class by class) split-conformal prediction.
    .. [2] T. Wilson, H. Brokensha, F. Rowe, L. Simpson, "Insights from the evaluation of past
       local area population forecasts", Popul. Res. Policy Rev. 37, 2018.

    Examples
    --------
    Ninety-nine towns whose errors were −49 … 49 %; the tenth and the ninetieth bound 80 %:

    >>> n = np.full(99, 1e6)
    >>> t = calibrate([Tried(2010, 5, n, n, n * (1 + np.arange(-49, 50) / 100))])
    >>> (t.low[0, 3].round(3), t.high[0, 3].round(3), t.counts[0, 3])
    (np.float64(-0.4), np.float64(0.4), np.int64(99))
    """
    if not any(len(one.size) for one in past):
        raise LabelError("no earlier launch to learn the errors from")
    years = tuple(sorted({float(one.years) for one in past}))
    shape = (len(years), len(sizes))
    low, high, counts = np.empty(shape), np.empty(shape), np.empty(shape, dtype=np.int64)
    transfer = np.ones(len(years))
    for h, year in enumerate(years):
        here = sorted((one for one in past if one.years == year), key=lambda one: one.launch)
        transfer[h] = _transfer(here, sizes, coverage, recency)
        bounds = _quantiles(here, sizes, coverage, recency)
        low[h], high[h], counts[h] = bounds[0] * transfer[h], bounds[1] * transfer[h], bounds[2]
    return ErrorTable(tuple(sizes), years, low, high, counts, transfer, coverage)


def _quantiles(
    past: Sequence[Tried],
    sizes: Sequence[float],
    coverage: float,
    recency: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    newest = max(one.launch for one in past)
    gap = min((b - a for a, b in pairwise(sorted({one.launch for one in past}))), default=1.0)
    error = np.concatenate([scores(one) for one in past])
    age = np.concatenate([np.full(len(one.size), newest - one.launch) for one in past])
    weight = recency ** (age / gap)
    size = np.concatenate([one.size for one in past])
    which = np.maximum(np.searchsorted(sizes, size, side="right") - 1, 0)
    found = [
        _class_quantiles(error, weight, _members(which, c), coverage) for c in range(len(sizes))
    ]
    low, high, count = (np.array(column) for column in zip(*found, strict=True))
    return low, high, count.astype(np.int64)


def _members(which: NDArray[np.intp], wanted: int) -> NDArray[np.bool_]:
    # a class of few is joined to ever more neighbours, those above first
    last = int(which.max(initial=wanted))
    reach = [
        (0, 0),
        *((0, up) for up in range(1, last + 1)),
        *((d, last) for d in range(1, wanted + 1)),
    ]
    for down, up in reach:
        members = (which >= wanted - down) & (which <= wanted + up)
        if members.sum() >= FEWEST:
            return members
    return np.ones(len(which), dtype=np.bool_)


def _class_quantiles(
    error: NDArray[np.float64],
    weight: NDArray[np.float64],
    members: NDArray[np.bool_],
    coverage: float,
) -> tuple[float, float, int]:
    level = (1 + coverage) / 2
    chosen, weights = error[members], weight[members]
    order = np.argsort(chosen, kind="stable")
    high = _conformal(chosen[order], weights[order], level)
    low = -_conformal(-chosen[order][::-1], weights[order][::-1], level)
    return low, high, len(order)


def _conformal(error: NDArray[np.float64], weight: NDArray[np.float64], level: float) -> float:
    # the area to come weighs as much as one of the newest launch; with equal weights this is
    # the score of rank ⌈(m + 1) level⌉, or the largest if there are too few
    reached = np.cumsum(weight) / (weight.sum() + weight.max())
    rank = int(np.searchsorted(reached, level * (1 - 1e-12)))
    return float(error[min(rank, len(error) - 1)])


def _transfer(
    past: Sequence[Tried],
    sizes: Sequence[float],
    coverage: float,
    recency: float,
) -> float:
    reached: list[NDArray[np.float64]] = []  # how many times its bound an error was
    for one in past:
        known = [other for other in past if other.launch + other.years <= one.launch]
        if known:
            low, high, _ = _quantiles(known, sizes, coverage, recency)
            which = np.maximum(np.searchsorted(sizes, one.size, side="right") - 1, 0)
            error = scores(one)
            bound = np.abs(np.where(error < 0, low[which], high[which]))
            reached.append(np.abs(error) / np.maximum(bound, NARROWEST))
    needed = [1.0, *(float(np.quantile(one, coverage)) for one in reached)]
    return float(np.clip(np.mean(needed), *TRANSFER))

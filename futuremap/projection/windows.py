"""Cohort-change ratios from stocks that are not one age-group width apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.single_years import split_ages

SAME_WINDOW = 0.06  # widths that differ by less than three weeks are one width [years]
SMALLEST_RATIO = 1e-6  # a municipality's ratio of 0 has no logarithm
# No monotone split sees the peak of one birth year (1947–49 in Japan), and a short window takes
# its shadow for change. From this age on ratios are smooth in age; on inner windows of a register
# smoothing them took 0.1 points off the error of block totals
SMOOTH_FROM = 40


class CohortChange(NamedTuple):
    """What a cohort would have become in one age-group width, ready to be shrunk.

    outcome, exposure
        ``(Z, S, A − 1)`` by age at the start, the last closed and the open group pooled.
        ``outcome / exposure`` is the ratio over one width; `exposure` counts as many people
        as were watched for that long. An outcome below 0 is possible where a short window is
        drawn out; shrink it first, and cut what is left below 0 last. [persons]
    window
        Years between the stocks compared. [years]
    pairs
        Count of pairs of stocks that were averaged.
    """

    outcome: NDArray[np.float64]
    exposure: NDArray[np.float64]
    window: float
    pairs: int


def cohort_change(
    stocks: NDArray[np.float64],
    times: NDArray[np.float64],
    *,
    ages: AgeGroups,
    parent_of: NDArray[np.intp],
    window: float | None = None,
) -> CohortChange:
    """Cohort change over one age-group width, from stocks any time apart.

    Parameters
    ----------
    stocks
        Persons at each time ``(T, Z, S, A)``. [persons]
    times
        Dates, ascending, as fractional years ``(T,)``. [years]
    ages
        Age groups of one width n.
    parent_of
        Position of each zone's parent ``(Z,)``.
    window
        Years w between the stocks to compare. Without it, as long as the times allow up to
        n, in whole years where they span one, so that seasons cancel. [years]

    Raises
    ------
    LabelError
        If shapes disagree, times don't ascend, or no two are `window` apart.
    DemographyError
        If a count is negative or not a number.

    Notes
    -----
    Over n years the cohort aged x … x + n − 1 lives through ⌈n/w⌉ windows, evenly placed on
    ``[x, x + n]`` (one, centred on it, if w > n), for which single years of age are split.
    The municipality's ratio is the product of its windows' ratios κ to the power n/(⌈n/w⌉w):
    its counts are large enough for a root; from age 40 on it is smoothed over neighbouring
    ages, unless w = n. A zone's counts are not; its deviation is drawn out
    linearly, ``R_i = R (1 + (n/w)(κ_i/κ − 1))``, which is unbiased, and its exposure is
    counted w/n, because that much less was seen of it. With w = n this is N(t+n)/N(t).
    Where nobody of a municipality lived, the ratio is 1 and the exposure 0.

    References
    ----------
    .. [1] C. H. Hamilton, J. Perry, "A short method for projecting population by age from one
       decennial census to another", Social Forces 41, 1962.

    Examples
    --------
    Groups 0–4, 5–9, 10+; five years on, 9 of 10 are left and 12 of 16:

    >>> import numpy as np
    >>> stocks = np.array([[[[10.0, 10.0, 6.0]] * 2], [[[8.0, 9.0, 12.0]] * 2]])
    >>> change = cohort_change(stocks, np.array([2015.0, 2020.0]),
    ...                        ages=AgeGroups((0, 5, 10)), parent_of=np.array([0]))
    >>> change.outcome[0, 0].round(9).tolist(), change.exposure[0, 0].round(9).tolist()
    ([9.0, 12.0], [10.0, 16.0])
    """
    _check(stocks, times, ages, parent_of)
    width = float(ages.width)
    pairs, years = _pairs(times, width, window)
    before, after = (stocks[list(dates)].mean(axis=0) for dates in zip(*pairs, strict=True))
    before, after = _watched(before, after, ages, years)
    parents = int(parent_of.max()) + 1
    ratio = _parent_ratio(before, after, parent_of, parents, width / (len(before) * years))
    if years != width:
        ratio = _smoothed(ratio, ages)
    start, end = before.mean(axis=0), after.mean(axis=0)
    common = _ratio(
        sum_by_parent(end, parent_of, parents), sum_by_parent(start, parent_of, parents)
    )
    stretch = width / years
    own = end - start * common[parent_of]
    level = np.divide(ratio, common, out=np.ones_like(ratio), where=common > 0)[parent_of]
    exposure = start / stretch
    return CohortChange(
        exposure * ratio[parent_of] + own * level, exposure, float(years), len(pairs)
    )


def _watched(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    ages: AgeGroups,
    years: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # people of each cohort at the start and end of its windows (M, Z, S, A − 1)
    if years == ages.width:
        pooled = before[..., :-1].copy()
        pooled[..., -1] += before[..., -1]
        return pooled[None], after[None, ..., 1:]
    starts = _sections(ages, years)
    return (
        _people(_cumulated(before, ages), ages, starts),
        _people(_cumulated(after, ages), ages, starts + years),
    )


def _sections(ages: AgeGroups, years: float) -> NDArray[np.float64]:
    # lower ages (M, A − 1) at which each cohort's windows begin
    lower = np.asarray(ages.lower[:-1], dtype=np.float64)
    width = ages.width
    count = int(np.ceil(width / years - SAME_WINDOW))
    slack = width - years
    shifts = np.full(1, slack / 2) if count <= 1 else np.linspace(0.0, slack, count)
    highest = ages.open_age - width - lower - years + (lower == lower[-1]) * width
    return np.asarray(lower + np.clip(shifts[:, None], -lower, np.maximum(highest, -lower)))


def _people(
    younger: NDArray[np.float64],
    ages: AgeGroups,
    starts: NDArray[np.float64],
) -> NDArray[np.float64]:
    # persons from each lower age over one width, the last without an upper bound
    stops = starts + ages.width
    stops[:, -1] = np.inf
    return np.stack(
        [
            _below(younger, stop) - _below(younger, start)
            for start, stop in zip(starts, stops, strict=True)
        ],
    )


def _below(younger: NDArray[np.float64], age: NDArray[np.float64]) -> NDArray[np.float64]:
    last = younger.shape[-1] - 1
    exact = np.minimum(age, last)
    floor = np.minimum(exact.astype(np.intp), last - 1)
    part = exact - floor
    return np.asarray((1 - part) * younger[..., floor] + part * younger[..., floor + 1])


def _cumulated(stocks: NDArray[np.float64], ages: AgeGroups) -> NDArray[np.float64]:
    single = split_ages(stocks, ages)
    younger = np.zeros((*single.shape[:-1], single.shape[-1] + 1))
    np.cumsum(single, axis=-1, out=younger[..., 1:])
    return younger


def _parent_ratio(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    parent_of: NDArray[np.intp],
    parents: int,
    power: float,
) -> NDArray[np.float64]:
    sections = [
        _ratio(sum_by_parent(end, parent_of, parents), sum_by_parent(start, parent_of, parents))
        for start, end in zip(before, after, strict=True)
    ]
    if power == 1.0 and len(sections) == 1:
        return sections[0]
    logs = np.log(np.maximum(sections, SMALLEST_RATIO)).sum(axis=0)
    return np.asarray(np.exp(power * logs))


def _smoothed(ratio: NDArray[np.float64], ages: AgeGroups) -> NDArray[np.float64]:
    logs = np.log(np.maximum(ratio, SMALLEST_RATIO))
    first = int(np.searchsorted(ages.lower, SMOOTH_FROM))
    middle = logs[..., first:-1]
    around = logs[..., first - 1 : -2] + logs[..., first + 1 :]
    smooth = ratio.copy()
    if middle.shape[-1]:
        smooth[..., first:-1] = np.exp((2 * middle + around) / 4)
    return smooth


def _ratio(after: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(after, before, out=np.ones_like(after), where=before > 0)


def sum_by_parent(
    zones: NDArray[np.float64],
    parent_of: NDArray[np.intp],
    parents: int,
) -> NDArray[np.float64]:
    """Sum of zones ``(Z, …)`` by parent ``(P, …)``, in whatever order they stand.

    Examples
    --------
    >>> sum_by_parent(np.array([1.0, 2.0, 5.0]), np.array([1, 0, 1]), 2).tolist()
    [2.0, 6.0]
    """
    added = np.zeros((parents, *zones.shape[1:]))
    np.add.at(added, parent_of, zones)
    return added


def _pairs(
    times: NDArray[np.float64],
    width: float,
    window: float | None,
) -> tuple[list[tuple[int, int]], float]:
    span = float(times[-1] - times[0])
    years = window if window is not None else min(span, width)
    if window is None and years + SAME_WINDOW >= 1:
        years = float(np.floor(years + SAME_WINDOW))
    apart = times[None, :] - times[:, None]
    found = np.argwhere((np.abs(apart - years) < SAME_WINDOW) & (apart > 0))
    if not len(found) and window is None:
        found, years = np.array([[0, len(times) - 1]]), span
    if not len(found):
        raise LabelError(f"no two of the dates {times.tolist()} are {years} years apart")
    return [(int(i), int(j)) for i, j in found], years


def _check(
    stocks: NDArray[np.float64],
    times: NDArray[np.float64],
    ages: AgeGroups,
    parent_of: NDArray[np.intp],
) -> None:
    if stocks.ndim != 4 or len(stocks) != len(times) or stocks.shape[-1] != len(ages):  # noqa: PLR2004
        raise LabelError(f"stocks {stocks.shape} for {len(times)} dates and {len(ages)} age groups")
    if len(times) < 2 or np.any(np.diff(times) <= 0):  # noqa: PLR2004
        raise LabelError(f"dates must be two or more and ascend, got {times.tolist()}")
    if len(parent_of) != stocks.shape[1]:
        raise LabelError(f"{len(parent_of)} parents for {stocks.shape[1]} zones")
    if not np.isfinite(stocks).all() or (stocks < 0).any():
        raise DemographyError("stocks hold negative counts or blanks")

"""Small areas from a run of stocks: structure by shrunken cohort ratios, totals by an average."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES
from futuremap.errors import LabelError
from futuremap.projection.shrinkage import COUNT_NOISE, MOVER_NOISE, shrink
from futuremap.projection.single_years import HAZARD, HAZARD_AT, LAST_AGE, merge_ages, split_ages
from futuremap.projection.totals import scale_to_totals
from futuremap.projection.windows import cohort_change

FEMALE = SEXES.index("female")
FERTILE_FROM, FERTILE_TO = 15, 50
BOYS_SHARE = 1.05 / 2.05  # of births, Japan 2024
# A zone's deviation from its municipality, seen for w years, counts w/(w + PRIOR_YEARS). All
# constants here were chosen on windows inside 2018-11 … 2023-11 of one city's register (fits of
# 1 to 3 years, horizons of 1 to 4): from 2 to 5 years the mean error moved by 0.03 points
PRIOR_YEARS = 5.0
PERSISTENCE = 0.6  # of a deviation, after each five years ahead
PERSISTENCE_YEARS = 5.0
TREND_LIMIT = 0.03  # new flats fill in a year or two; what is above was a one-off [per year]
PRIOR_PERSONS = 10.0  # added to both sides of a zone's trend, so that an empty one has one
RATIO_LIMITS = (0.5, 2.0)  # of the municipality's ratio


class Ratios(NamedTuple):
    """Rates of a period, per age-group width.

    zone, parent
        Cohort-change ratios ``(Z, S, A − 1)``, the last two groups pooled: the zones' own
        after shrinkage, and their municipality's. [ratio]
    child_woman_ratio
        Children of the youngest group per woman of fertile age ``(Z,)``. [ratio]
    limited
        Ratios that :data:`RATIO_LIMITS` held back ``(Z, S, A − 1)``.
    borrowed
        Zones whose municipality has no women of fertile age, and whose child–woman ratio is
        that of all zones together (their children, if there are no women anywhere) ``(Z,)``.
    """

    zone: NDArray[np.float64]
    parent: NDArray[np.float64]
    child_woman_ratio: NDArray[np.float64]
    limited: NDArray[np.bool_]
    borrowed: NDArray[np.bool_]


class SmallAreas(NamedTuple):
    """Projected small areas.

    persons
        ``(Z, S, A)`` at the target. [persons]
    deviation
        How much faster than its municipality's rates a zone grew, per year ``(Z,)``, before
        any damping. [1/year]
    limited
        Zones whose deviation was cut to :data:`TREND_LIMIT` ``(Z,)``.
    ratios
        The rates used, zones' deviations damped.
    """

    persons: NDArray[np.float64]
    deviation: NDArray[np.float64]
    limited: NDArray[np.bool_]
    ratios: Ratios


def project_small_areas(
    stocks: NDArray[np.float64],
    times: NDArray[np.float64],
    *,
    ages: AgeGroups,
    parent_of: NDArray[np.intp],
    target_time: float,
) -> SmallAreas:
    """Project from the latest stock, with rates and trends of all stocks.

    Parameters
    ----------
    stocks
        Persons at each date ``(T, Z, S, A)``, two or more, blanks filled. [persons]
    times
        Dates, ascending, as fractional years ``(T,)``. [years]
    ages
        Age groups of one width.
    parent_of
        Position of each zone's parent ``(Z,)``.
    target_time
        Date wanted, after the latest stock. [years]

    Raises
    ------
    LabelError
        If the target is not after the latest stock, or shapes disagree.
    DemographyError
        If a count is impossible.

    Notes
    -----
    *Structure*: cohort-change ratios over the window, shrunk to the municipality's; of what
    is left of a zone's deviation, ``w/(w + 5)`` is kept for a window of w years in the first
    five years ahead, and 0.6 of it after each further five.
    *Totals*: the mean of two. One is the structure's own sum. The other is the sum under the
    municipality's ratios, times ``exp(d · w/(w + 5) · y)``, where d is how much faster per
    year the zone grew in the window than under those ratios, cut to ±3 %, and y are the years
    ahead, each counting less: 0.6 after five years. The cells are then scaled to the total.
    A block that a new building filled last year is thus not expected to fill another.

    Examples
    --------
    A municipality of two blocks alike, where every group has 30 people on both dates:

    >>> import numpy as np
    >>> ages = AgeGroups((0, 15, 30, 45))
    >>> stocks = np.full((2, 2, 2, 4), 30.0)
    >>> later = project_small_areas(stocks, np.array([2005.0, 2020.0]), ages=ages,
    ...                             parent_of=np.array([0, 0]), target_time=2035.0)
    >>> later.deviation.tolist()
    [0.0, 0.0]
    >>> later.persons[:, :, 1:].round(9).tolist()[0][0]
    [30.0, 30.0, 30.0]
    """
    _check(times, target_time)
    ratios = fit_ratios(stocks, times, ages=ages, parent_of=parent_of)
    window, ahead = float(times[-1] - times[0]), float(target_time - times[-1])
    trust = window / (window + PRIOR_YEARS)
    cells = ratios.parent + trust * (ratios.zone - ratios.parent)
    births = ratios.child_woman_ratio
    own = advance(
        stocks[-1], cells, ages=ages, child_woman_ratio=births, years=ahead, fade_to=ratios.parent
    )
    common = advance(stocks[-1], ratios.parent, ages=ages, child_woman_ratio=births, years=ahead)
    expected = advance(stocks[0], ratios.parent, ages=ages, child_woman_ratio=births, years=window)
    deviation = _deviation(_sums(stocks[-1]), _sums(expected), parent_of) / window
    kept = np.clip(deviation, -TREND_LIMIT, TREND_LIMIT)
    carried = _sums(common) * np.exp(kept * trust * damped_years(ahead))
    total = np.where(_sums(own) > 0, (_sums(own) + carried) / 2, 0.0)
    return SmallAreas(
        scale_to_totals(own, total),
        deviation,
        np.abs(deviation) > TREND_LIMIT,
        ratios._replace(zone=cells),
    )


def fit_ratios(
    stocks: NDArray[np.float64],
    times: NDArray[np.float64],
    *,
    ages: AgeGroups,
    parent_of: NDArray[np.intp],
) -> Ratios:
    """Cohort-change and child–woman ratios of a period, shrunk parent by parent.

    Parameters
    ----------
    stocks, times, ages, parent_of
        As in :func:`project_small_areas`.

    """
    change = cohort_change(stocks, times, ages=ages, parent_of=parent_of)
    women = stocks[-1][:, FEMALE, ages.between(FERTILE_FROM, fertile_to(ages))].sum(axis=1)
    children = stocks[-1][:, :, 0].sum(axis=1)
    zone, parent = np.empty_like(change.outcome), np.empty_like(change.outcome)
    fertility = np.full(len(women), children.sum() / max(women.sum(), 1.0))
    borrowed = np.zeros(len(women), dtype=np.bool_)
    for one in range(int(parent_of.max()) + 1):
        members = parent_of == one
        exposure = change.exposure[members]
        shrunk = shrink(change.outcome[members], exposure, noise=MOVER_NOISE, smooth_axis=2)
        nobody = exposure.sum(axis=0) <= 0  # keeps whoever comes there later
        zone[members] = np.where(nobody, 1.0, shrunk.ratio)
        parent[members] = np.where(nobody, 1.0, shrunk.parent)
        if women[members].sum() > 0:
            fertility[members] = shrink(children[members], women[members], noise=COUNT_NOISE).ratio
        else:
            borrowed[members] = True
    low, high = RATIO_LIMITS
    held = np.clip(zone, low * parent, high * parent)
    return Ratios(held, parent, fertility, held != zone, borrowed)


def advance(
    persons: NDArray[np.float64],
    ratio: NDArray[np.float64],
    *,
    ages: AgeGroups,
    child_woman_ratio: NDArray[np.float64],
    years: float,
    fade_to: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Step a stock any number of years ahead, with ratios of one age-group width.

    Parameters
    ----------
    persons
        ``(Z, S, A)``. [persons]
    ratio
        Cohort-change ratios ``(Z, S, A − 1)`` by age at the start, the last two groups pooled.
        [ratio]
    ages
        Age groups of one width n.
    child_woman_ratio
        Children of the youngest group per woman of fertile age ``(Z,)``. [ratio]
    years
        Length of the step. [years]
    fade_to
        Ratios that `ratio` approaches: of the difference :data:`PERSISTENCE` is left after each
        age-group width. [ratio]

    Notes
    -----
    Steps of n years, then the rest h: of a cohort's change the share h/n has come (linear: a
    root of a ratio means nothing), single years move h years up, and h/n of a youngest group
    is born. Within the pooled last groups, people die by age as in :data:`HAZARD`, their
    level set by the pooled ratio.

    Examples
    --------
    Ten a year at ages 0–14, half of each cohort lost in five years, no children born:

    >>> import numpy as np
    >>> ages = AgeGroups.five_year(open_age=50)
    >>> people = np.zeros((1, 2, 11)); people[:, :, 0] = 50.0
    >>> half = np.full((1, 2, 10), 0.5)
    >>> later = advance(people, half, ages=ages, child_woman_ratio=np.zeros(1), years=5.0)
    >>> later[0, 0, :3].tolist()
    [0.0, 25.0, 0.0]
    >>> later = advance(people, half, ages=ages, child_woman_ratio=np.zeros(1), years=2.5)
    >>> float(later[0, 0].sum())
    37.5
    """
    width = float(ages.width)
    left = years
    while left > 0:
        part = min(left, width)
        persons = _advance_part(persons, ratio, ages, child_woman_ratio, part)
        left -= part
        if fade_to is not None:
            ratio = fade_to + PERSISTENCE * (ratio - fade_to)
    return persons


def _advance_part(
    persons: NDArray[np.float64],
    ratio: NDArray[np.float64],
    ages: AgeGroups,
    child_woman_ratio: NDArray[np.float64],
    years: float,
) -> NDArray[np.float64]:
    single = split_ages(persons, ages)
    share = years / ages.width
    single *= 1 + (_by_single_year(ratio, single, ages) - 1) * share
    whole, part = int(years), years - int(years)
    moved = (1 - part) * _older(single, whole)
    if part > 0:
        moved += part * _older(single, whole + 1)
    later = merge_ages(moved, ages)
    women = later[:, FEMALE, ages.between(FERTILE_FROM, fertile_to(ages))].sum(axis=1)
    born = child_woman_ratio * women * share
    later[:, :, 0] += born[:, None] * np.array([BOYS_SHARE, 1 - BOYS_SHARE])
    return later


def _by_single_year(
    ratio: NDArray[np.float64],
    single: NDArray[np.float64],
    ages: AgeGroups,
) -> NDArray[np.float64]:
    last_closed = ages.lower[-2]
    spread = np.repeat(ratio[..., :-1], ages.width, axis=-1)
    old = single[..., last_closed:]
    left = _survival_of_the_old(last_closed, ages.width)
    survivors = (old * left).sum(axis=-1)
    people = old.sum(axis=-1)
    level = np.divide(
        ratio[..., -1] * people, survivors, out=np.ones_like(people), where=survivors > 0
    )
    return np.concatenate([spread, level[..., None] * left], axis=-1)


def _survival_of_the_old(first: int, width: int) -> NDArray[np.float64]:
    middle = np.arange(first, LAST_AGE + 1) + 0.5 - HAZARD_AT
    rows = [
        np.exp(-level / growth * (np.exp(growth * (middle + width)) - np.exp(growth * middle)))
        for level, growth in (HAZARD[sex] for sex in SEXES)
    ]
    return np.array(rows)


def _older(single: NDArray[np.float64], years: int) -> NDArray[np.float64]:
    if years == 0:
        return single
    moved = np.zeros_like(single)
    moved[..., years:] = single[..., :-years]
    moved[..., -1] += single[..., -years:].sum(axis=-1)
    return moved


def damped_years(years: float) -> float:
    """Years that a deviation is felt while it fades. [years]

    Examples
    --------
    >>> round(damped_years(5.0), 2), damped_years(0.0)
    (3.92, 0.0)
    """
    decay = -np.log(PERSISTENCE) / PERSISTENCE_YEARS
    return float(-np.expm1(-decay * years) / decay)


def _deviation(
    observed: NDArray[np.float64],
    expected: NDArray[np.float64],
    parent_of: NDArray[np.intp],
) -> NDArray[np.float64]:
    # beyond what the whole municipality did more or less than its ratios say, so that a season
    # or a correction of the register is nobody's trend
    came, due = (np.bincount(parent_of, weights=v) for v in (observed, expected))
    level = np.divide(came, due, out=np.ones_like(came), where=due > 0)[parent_of]
    return np.asarray(np.log((observed + PRIOR_PERSONS) / (expected * level + PRIOR_PERSONS)))


def fertile_to(ages: AgeGroups) -> int:
    """Age at which women no longer count; where groups are not five years wide, the open one."""
    return FERTILE_TO if FERTILE_TO in ages.lower else ages.open_age


def _sums(persons: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(persons.sum(axis=(1, 2)))


def _check(times: NDArray[np.float64], target_time: float) -> None:
    if len(times) < 2 or target_time <= times[-1]:  # noqa: PLR2004
        raise LabelError(f"target {target_time} must come after two stocks or more, at {times}")

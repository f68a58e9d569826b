"""Totals of zones by trend, and a cohort structure scaled to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import DemographyError, LabelError

Rule = Literal["constant", "linear", "exponential", "linear_exponential", "damped", "average"]
RULES: tuple[Rule, ...] = (
    "constant", "linear", "exponential", "linear_exponential", "damped", "average",
)  # fmt: skip
ALMOST_EMPTY = 1.0  # persons; growth from fewer has no rate
PERSISTENCE = 0.8  # of a yearly change, from one year to the next, where it is damped


class Trend(NamedTuple):
    """Totals by a rule.

    totals
        ``(Z,)`` at the target. [persons]
    cut
        What a line would have fallen below 0 ``(Z,)``. [persons]
    """

    totals: NDArray[np.float64]
    cut: NDArray[np.float64]


def trend(
    totals: NDArray[np.float64],
    times: NDArray[np.float64],
    *,
    target_time: float,
    rule: Rule = "linear_exponential",
    persistence: float = PERSISTENCE,
) -> Trend:
    """Carry totals on from the latest.

    Parameters
    ----------
    totals
        ``(T, Z)`` at each date. [persons]
    times
        Dates, ascending, as fractional years ``(T,)``. The slope is that from the first to the
        last: on a register's months it did better than a line fitted through all. [years]
    target_time
        Date wanted, not before the latest. [years]
    rule
        "constant": the latest; "linear": the same number again each year; "exponential": the
        same rate, or linear from less than one person; "linear_exponential": linear where a zone
        grows and exponential where it declines, so that neither explodes nor falls below
        0; "damped": linear, each year's change `persistence` of the year before; "average":
        the mean of the latest and "linear_exponential".
    persistence
        For "damped", above 0, at most 1. [ratio]

    Raises
    ------
    LabelError
        If shapes, dates or the rule are not sound.
    DemographyError
        If a total is negative or not a number, or would grow beyond all bounds.

    References
    ----------
    .. [1] T. Wilson, "New evaluations of simple models for small area population forecasts",
       Popul. Space Place 21, 2015: *LIN/EXP*.

    Examples
    --------
    From 100 to 120 in two years, and from 100 to 81 (nine tenths a year):

    >>> import numpy as np
    >>> seen = np.array([[100.0, 100.0], [120.0, 81.0]])
    >>> at = np.array([2018.0, 2020.0])
    >>> trend(seen, at, target_time=2022.0).totals.round(2).tolist()
    [140.0, 65.61]
    >>> trend(seen, at, target_time=2022.0, rule="average").totals.round(2).tolist()
    [130.0, 73.31]
    """
    _check(totals, times, target_time, persistence)
    if rule not in RULES:
        raise LabelError(f"no rule for totals is called {rule!r}; known are {RULES}")
    ahead, latest = target_time - times[-1], totals[-1]
    slope = (latest - totals[0]) / (times[-1] - times[0])
    line = latest + slope * ahead
    power = _exponential(totals, times, ahead, line)
    mixed = np.where(slope > 0, line, power)
    by_rule = {
        "constant": latest,
        "linear": line,
        "exponential": power,
        "linear_exponential": mixed,
        "damped": latest + slope * _damped(ahead, persistence),
        "average": (latest + mixed) / 2,
    }
    carried = np.asarray(by_rule[rule], dtype=np.float64)
    if not np.isfinite(carried).all():
        where = int(np.argmin(np.isfinite(carried)))
        raise DemographyError(
            f"zone {where}: {latest[where]:g} persons grow beyond all bounds by {target_time:g}",
        )
    return Trend(np.maximum(carried, 0.0), np.maximum(-carried, 0.0))


def scale_to_totals(
    persons: NDArray[np.float64],
    totals: NDArray[np.float64],
    *,
    zones: Sequence[str] | None = None,
) -> NDArray[np.float64]:
    """Keep each zone's structure and give it another total.

    Parameters
    ----------
    persons
        ``(Z, S, A)``. [persons]
    totals
        ``(Z,)``. [persons]
    zones
        Ids, for messages.

    Raises
    ------
    DemographyError
        If a total is negative or not a number, or people are wanted where there is no
        structure.

    Examples
    --------
    >>> import numpy as np
    >>> scale_to_totals(np.array([[[1.0], [3.0]]]), np.array([8.0])).ravel().tolist()
    [2.0, 6.0]
    """
    have = persons.sum(axis=(1, 2))
    wrong = ~np.isfinite(totals) | (totals < 0) | ((have <= 0) & (totals > 0))
    if wrong.any():
        where = int(np.argmax(wrong))
        name = where if zones is None else zones[where]
        raise DemographyError(
            f"zone {name}: {have[where]:g} persons cannot be scaled to {totals[where]:g}",
        )
    factor = np.divide(totals, have, out=np.zeros_like(have), where=have > 0)
    return np.asarray(persons * factor[:, None, None])


def _exponential(
    totals: NDArray[np.float64],
    times: NDArray[np.float64],
    ahead: float,
    line: NDArray[np.float64],
) -> NDArray[np.float64]:
    first, latest = totals[0], totals[-1]
    known = (first >= ALMOST_EMPTY) | ((first > 0) & (latest <= first))
    growth = np.divide(latest, first, out=np.ones_like(latest), where=known)
    with np.errstate(over="ignore"):  # refused by the caller where it is asked for
        power = latest * growth ** (ahead / (times[-1] - times[0]))
    return np.where(known, power, line)


def _damped(years: float, persistence: float) -> float:
    if persistence == 1:
        return years
    return float((1 - persistence**years) / -np.log(persistence))


def _check(
    totals: NDArray[np.float64],
    times: NDArray[np.float64],
    target_time: float,
    persistence: float,
) -> None:
    if totals.ndim != 2 or len(totals) != len(times):  # noqa: PLR2004
        raise LabelError(f"totals {totals.shape} for {len(times)} dates")
    if len(times) < 2 or np.any(np.diff(times) <= 0) or target_time < times[-1]:  # noqa: PLR2004
        raise LabelError(f"dates must ascend to the target {target_time}, got {times.tolist()}")
    if not 0 < persistence <= 1:
        raise LabelError(f"persistence must be above 0 and at most 1, got {persistence}")
    bad = ~np.isfinite(totals) | (totals < 0)
    if bad.any():
        date, zone = (int(i) for i in np.argwhere(bad)[0])
        raise DemographyError(f"date {times[date]}, zone {zone}: total {totals[date, zone]}")

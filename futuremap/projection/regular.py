"""Any history as one in steps of the age width, which is what cohort methods need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.projection.methods import History
from futuremap.projection.windows import SAME_WINDOW, cohort_change

RATIO_RANGE = (0.05, 20.0)  # of five years; beyond it a ratio of two drawn-out counts says nothing


def in_steps_of_age(history: History) -> History:
    """The stocks one, two, … age widths before the latest, or one that stands for them.

    Parameters
    ----------
    history
        Two stocks or more, any time apart. [persons]

    Returns
    -------
    History
        Where stocks lie whole age widths before the latest, those. Else the latest, and one
        that would have stood a width before it, had each cohort changed all that time as it
        did in the years known (see :func:`futuremap.projection.windows.cohort_change`).

    Examples
    --------
    Of two stocks a year apart, in which a tenth of an even population left, a width before:

    >>> from futuremap.core.ages import AgeGroups
    >>> ages = AgeGroups((0, 5, 10))
    >>> stocks = np.full((2, 1, 2, 3), 10.0)
    >>> made = in_steps_of_age(History(stocks, np.array([2019.0, 2020.0]), ages, np.array([0])))
    >>> made.times.tolist(), made.persons.shape
    ([2015.0, 2020.0], (2, 1, 2, 3))
    """
    width = history.ages.width
    before = (history.times[-1] - history.times) / width
    whole = np.abs(before - np.round(before)) * width < SAME_WINDOW
    regular = np.flatnonzero(whole)
    if len(regular) > 1:
        kept = regular[-1 - _unbroken(np.round(before[regular])) :]
        return history._replace(persons=history.persons[kept], times=history.times[kept])
    past = _one_width_before(history)
    return history._replace(
        persons=np.stack([past, history.persons[-1]]),
        times=np.array([history.times[-1] - width, history.times[-1]]),
    )


def _unbroken(before: NDArray[np.float64]) -> int:
    # how many widths back there is a stock at every width
    steps = 0
    while steps + 1 in before:
        steps += 1
    return steps


def _one_width_before(history: History) -> NDArray[np.float64]:
    change = cohort_change(
        history.persons,
        history.times,
        ages=history.ages,
        parent_of=history.parent_of,
    )
    seen = change.exposure > 0
    ratio = np.divide(change.outcome, change.exposure, out=np.ones_like(change.outcome), where=seen)
    ratio = np.clip(ratio, *RATIO_RANGE)
    launch = history.persons[-1]
    past: NDArray[np.float64] = np.zeros_like(launch)
    past[..., :-1] = np.where(seen, launch[..., 1:] / ratio, launch[..., 1:])
    past[..., -1] = past[..., -2] * _open_share(launch)
    past[..., -2] -= past[..., -1]
    return past


def _open_share(launch: NDArray[np.float64]) -> NDArray[np.float64]:
    # the last closed and the open group make one cohort: split as they stand at launch
    pooled = launch[..., -2] + launch[..., -1]
    share = np.divide(launch[..., -1], pooled, out=np.zeros_like(pooled), where=pooled > 0)
    return np.asarray(share)

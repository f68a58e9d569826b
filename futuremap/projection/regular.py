"""Any history as one in steps of the age width, which is what cohort methods need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import SEXES
from futuremap.projection.methods import History
from futuremap.projection.methods.history import fertile
from futuremap.projection.windows import SAME_WINDOW, cohort_change

FEMALE = SEXES.index("female")


def in_steps_of_age(history: History) -> History:
    """The stocks one, two, … age widths before the latest, or one that stands for them.

    Parameters
    ----------
    history
        Two stocks or more, any time apart. [persons]

    Returns
    -------
    History
        Where stocks lie whole age widths before the latest, those. Else two that stand for
        one width of the change that was seen: who was watched, as many as were watched so
        long, and what would have become of them (see
        :func:`futuremap.projection.windows.cohort_change`). Give methods the latest stock as
        their `launch`.

    Examples
    --------
    Two stocks fifteen years apart are one width apart, and taken as they are; of stocks three
    years apart a fifth of a width was seen.

    >>> from futuremap.core.ages import AgeGroups
    >>> ages = AgeGroups((0, 15, 30, 45))
    >>> stocks = np.full((2, 1, 2, 4), 30.0)
    >>> years = [np.array([2005.0, 2020.0]), np.array([2017.0, 2020.0])]
    >>> made = [in_steps_of_age(History(stocks, times, ages, np.array([0]))) for times in years]
    >>> [one.persons[0, 0, 0, 0].round(6).tolist() for one in made]
    [30.0, 6.0]
    """
    width = history.ages.width
    before = (history.times[-1] - history.times) / width
    whole = np.abs(before - np.round(before)) * width < SAME_WINDOW
    regular = np.flatnonzero(whole)
    widths = _unbroken(np.round(before[regular]))
    if widths:
        kept = regular[-1 - widths :]
        return history._replace(persons=history.persons[kept], times=history.times[kept])
    return _one_width(history)


def _unbroken(before: NDArray[np.float64]) -> int:
    # how many widths back there is a stock at every width
    steps = 0
    while steps + 1 in before:
        steps += 1
    return steps


def _one_width(history: History) -> History:
    change = cohort_change(
        history.persons,
        history.times,
        ages=history.ages,
        parent_of=history.parent_of,
    )
    launch = history.persons[-1]
    before, after = np.zeros_like(launch), np.zeros_like(launch)
    before[..., :-1] = change.exposure
    before[..., -1] = before[..., -2] * _open_share(launch)
    before[..., -2] -= before[..., -1]
    # a short window drawn out can leave fewer than nobody
    after[..., 1:] = np.maximum(change.outcome, 0.0)
    after[..., 0] = launch[..., 0] * _women(after, launch, history)[:, None]
    end = history.times[-1]
    return history._replace(
        persons=np.stack([before, after]),
        times=np.array([end - history.ages.width, end]),
    )


def _women(
    after: NDArray[np.float64],
    launch: NDArray[np.float64],
    history: History,
) -> NDArray[np.float64]:
    # children go with the women watched, so that there are as many for each as at launch
    bearing = fertile(history.ages)
    have, had = (stock[:, FEMALE, bearing].sum(axis=1) for stock in (after, launch))
    return np.asarray(np.divide(have, had, out=np.ones_like(had), where=had > 0))


def _open_share(launch: NDArray[np.float64]) -> NDArray[np.float64]:
    # the last closed and the open group make one cohort: split as they stand at launch
    pooled = launch[..., -2] + launch[..., -1]
    share = np.divide(launch[..., -1], pooled, out=np.zeros_like(pooled), where=pooled > 0)
    return np.asarray(share)

"""Backtests: hide what came last, project it with every method, and keep score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import LabelError
from futuremap.projection.intervals import Tried, calibrate
from futuremap.projection.methods import ANY_SPACING, TREND_METHODS, History, Method, apart
from futuremap.projection.regular import in_steps_of_age
from futuremap.projection.scoring import Score, score, shelf_life, signed_error

SIZES = (0.0, 50.0, 200.0, 1_000.0, 5_000.0, 20_000.0, 100_000.0)  # persons at launch
FEWEST = 50.0  # persons; the error of a smaller area in percent says little
WORST_COST = 10.0  # a method that is ten times the best is not told from one that is worse


class Trial(NamedTuple):
    """One method, launched in one year, against the count of a later one.

    method
        Its name.
    launch, target
        Years. [years]
    projected, actual
        ``(Z, S, A)`` [persons]
    size
        People at launch ``(Z,)``. [persons]
    """

    method: str
    launch: float
    target: float
    projected: NDArray[np.float64]
    actual: NDArray[np.float64]
    size: NDArray[np.float64]

    @property
    def horizon(self) -> float:
        """Years ahead."""
        return self.target - self.launch

    def of_size(self, least: float, below: float = np.inf) -> Score:
        """Score of the areas of a size at launch."""
        chosen = (self.size >= least) & (self.size < below)
        return score(self.projected[chosen], self.actual[chosen])

    def errors(self, least: float = FEWEST) -> NDArray[np.float64]:
        """Signed errors of totals where enough people lived and some still do. [ratio]"""
        have, came = self.projected.sum(axis=(1, 2)), self.actual.sum(axis=(1, 2))
        chosen = (self.size >= least) & (came > 0)
        return signed_error(have[chosen], came[chosen])


def trials(history: History, methods: Mapping[str, Method]) -> list[Trial]:
    """Launch every method in every year that has an earlier one, toward every later one.

    Parameters
    ----------
    history
        Stocks of at least three years, any time apart. [persons]
    methods
        The methods by name. None sees a stock later than its launch, nor another parent. Where
        no stock lies an age width before a launch, trends of totals are not tried.

    Returns
    -------
    list of Trial
        By launch, target and method; a target between two steps is read off the straight line
        between them.

    Raises
    ------
    LabelError
        If there are fewer than three years.
    """
    if len(history.times) < 3:  # noqa: PLR2004 - two for rates, one to hide
        raise LabelError(f"a backtest needs three years, there are {len(history.times)}")
    found = []
    for last in range(1, len(history.times) - 1):
        counted = history._replace(
            persons=history.persons[: last + 1],
            times=history.times[: last + 1],
        )
        known = in_steps_of_age(counted)
        drawn_out = not np.isin(known.times, counted.times).all()
        launch, later = history.times[last], history.times[last + 1 :]
        steps = int(np.ceil((later[-1] - launch) / history.ages.width))
        for name, method in methods.items():
            if drawn_out and name in TREND_METHODS:
                continue
            given = counted if name in ANY_SPACING else known
            path = apart(method, given, launch=history.persons[last], steps=steps)
            for position, target in enumerate(later, start=last + 1):
                found.append(
                    Trial(
                        name,
                        float(launch),
                        float(target),
                        _at((target - launch) / history.ages.width, path),
                        history.persons[position],
                        history.persons[last].sum(axis=(1, 2)),
                    ),
                )
    return sorted(found, key=lambda trial: (trial.launch, trial.target, trial.method))


def _at(step: float, path: NDArray[np.float64]) -> NDArray[np.float64]:
    before = min(int(step), len(path) - 1)
    part = step - before
    if part == 0:
        return np.asarray(path[before])
    return np.asarray((1 - part) * path[before] + part * path[before + 1])


def best(found: Sequence[Trial]) -> str:
    """The method whose mean error, relative to the best at each launch and target, is least.

    Examples
    --------
    >>> import numpy as np
    >>> actual, size = np.full((1, 1, 1), 100.0), np.array([100.0])
    >>> made = [Trial(name, 2015, 2020, actual * (1 + off), actual, size)
    ...         for name, off in (("near", 0.02), ("far", 0.2))]
    >>> best(made)
    'near'
    """
    cost: dict[str, list[float]] = {}
    for pair in sorted({(trial.launch, trial.target) for trial in found}):
        here = [trial for trial in found if (trial.launch, trial.target) == pair]
        mape = {trial.method: trial.of_size(FEWEST).mape for trial in here}
        if all(np.isnan(value) for value in mape.values()):  # no area is large enough
            mape = {trial.method: trial.of_size(0.0).weighted_ape for trial in here}
        least = min((value for value in mape.values() if value > 0), default=1.0)
        for name, value in mape.items():
            cost.setdefault(name, []).append(min(value / least, WORST_COST))
    return min(sorted(cost), key=lambda name: float(np.mean(cost[name])))


def horizons(found: Sequence[Trial]) -> list[float]:
    """The years ahead that were tried, ascending. [years]"""
    return sorted({trial.horizon for trial in found})


def pooled(found: Sequence[Trial], method: str, horizon: float) -> list[Trial]:
    """The trials of a method at a horizon, over all launches."""
    return [t for t in found if t.method == method and t.horizon == horizon]


def mean_score(found: Sequence[Trial], least: float, below: float = np.inf) -> Score:
    """Mean of the scores of trials over launches, areas counted together."""
    scores = [trial.of_size(least, below) for trial in found]
    scored = [one for one in scores if one.areas]
    if not scored:
        return Score(0, *[np.nan] * (len(Score._fields) - 1))
    means = np.mean([one[1:] for one in scored], axis=0)
    return Score(sum(one.areas for one in scored), *means.tolist())


def inside(found: Sequence[Trial], method: str, trial: Trial) -> NDArray[np.bool_] | None:
    """Whether what came lay in the 80 % interval known at launch ``(Z,)``.

    Parameters
    ----------
    found
        All trials.
    method, trial
        A method, and one of its trials.

    Returns
    -------
    ndarray or None
        None if no earlier trial of the method had been counted by then.
    """
    past = [_tried(one) for one in found if one.method == method and one.target <= trial.launch]
    if not past:
        return None
    now = _tried(trial)
    low, high = calibrate(past, sizes=SIZES).interval(now.projected, now.size, now.years)
    return np.asarray((now.actual >= low) & (now.actual <= high))


def _tried(trial: Trial) -> Tried:
    return Tried(
        trial.launch,
        trial.horizon,
        trial.size,
        trial.projected.sum(axis=(1, 2)),
        trial.actual.sum(axis=(1, 2)),
    )


def coverage_of(
    found: Sequence[Trial],
    method: str,
    horizon: float,
    least: float,
    below: float = np.inf,
) -> float:
    """Share of areas of a size inside the intervals known at launch; NaN if none was. [ratio]"""
    hits: list[NDArray[np.bool_]] = []
    for trial in pooled(found, method, horizon):
        held = inside(found, method, trial)
        if held is not None:
            hits.append(held[(trial.size >= least) & (trial.size < below)])
    flat = np.concatenate(hits) if hits else np.empty(0)
    return float(flat.mean()) if len(flat) else np.nan


def shelf_life_of(found: Sequence[Trial], method: str) -> int:
    """Furthest horizon at which 80 % of areas are within 10 % of what came. [years]"""
    years = horizons([trial for trial in found if trial.method == method])
    errors = [
        np.concatenate([trial.errors() for trial in pooled(found, method, horizon)])
        for horizon in years
    ]
    return shelf_life([int(year) for year in years], errors)

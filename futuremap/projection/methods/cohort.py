"""Cohort-change ratios: raw, capped, of the parent, √-weighted, shrunk; one or several periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.projection.kernel import step
from futuremap.projection.methods.history import (
    History,
    Parents,
    Period,
    boys_per_girl,
    divide,
    fertile,
    periods,
    split_last,
    starting,
)
from futuremap.projection.shrinkage import COUNT_NOISE, MOVER_NOISE, shrink

Own = Literal["raw", "capped", "parent", "root", "shrunk"]
CAPS = (0.5, 1.5)  # of the parent's ratio
SMALLEST = 1e-6  # a ratio of 0 has no logarithm; a cohort that vanished keeps a millionth
# A period in which a zone as a whole went another way than in its other periods, by ten times
# what is usual between two periods, is a disaster, an evacuation or a merger and not repeated.
# On municipalities and launches 1990–2010 that limit did as well as none, lower ones up to one
# percent worse; it is for what those launches hardly had, such as the tsunami of 2011.
SHOCK = 10.0
SHOCK_PEOPLE = 500.0  # below some hundred persons a period's growth is mostly chance
QUIET = 0.005  # what is usual is not less than half a percent
WATCHED = 3  # periods among which a shock can be told
MORTAL_FROM = 55  # from here on a change of ratios is one of survival
LARGEST_CHANGE = 0.25  # of the logarithm of the death rate in a step; more is not survival


@dataclass(frozen=True)
class CohortRatios:
    """A family of methods that move every cohort by a ratio.

    Parameters
    ----------
    own
        A zone's ratio of one period: ``raw``; ``capped`` at 0.5 and 1.5 of its parent's;
        ``parent``: the parent's; ``root``: between both by square roots of cohorts [1]_;
        ``shrunk``: between both by estimated strength
        (:func:`futuremap.projection.shrinkage.shrink`).
    noise
        φ of the shrinkage. [ratio]
    past
        Weights of the periods, latest first. Deviations from the parent are averaged over
        periods as logarithms.
    level
        Count of latest periods whose geometric mean is the parent's level below age 55; from
        there on survival improves, and the level is the latest.
    improvement
        How far the change of death rates of up to three steps, all zones together, goes on
        from age 55. [ratio]
    births_trend
        How much of the latest change of the child–woman ratio, all zones together, goes on.
    level_persistence
        Share of a parent's own deviation, as a logarithm, from all zones together that is left
        after each step.
    keep
        Share of the deviation from the parent that is expected in the first step. [ratio]
    persistence
        Share of it that is left after each further step. [ratio]
    additive
        Whether growth adds the same number again instead of compounding.
    calm
        Whether a period that was a shock for a zone is left out, see :func:`period_weights`.

    References
    ----------
    .. [1] T. Inoue, "A new method for estimating small area demographics and its application
       to long-term population projection", 2017. *w = √p / (√p + √P)*.

    Examples
    --------
    Two towns; in one the cohort doubled, in the other it stayed:

    >>> ages = AgeGroups((0, 25, 50))
    >>> was = np.array([[[0, 10.0, 0]] * 2, [[0, 10.0, 0]] * 2])
    >>> now = np.array([[[0, 10.0, 20.0]] * 2, [[0, 10.0, 10.0]] * 2])
    >>> h = History(np.stack([was, now]), np.array([0, 25]), ages, np.array([0, 0]))
    >>> [CohortRatios(own)(h, steps=1)[1, :, 0, 2].round(1).tolist()
    ...  for own in ("raw", "parent", "root")]
    [[60.0, 20.0], [45.0, 30.0], [51.2, 25.9]]
    """

    own: Own = "shrunk"
    noise: float = MOVER_NOISE
    past: tuple[float, ...] = (1.0,)
    level: int = 1
    improvement: float = 0.0
    births_trend: float = 0.0
    level_persistence: float = 1.0
    keep: float = 1.0
    persistence: float = 1.0
    additive: bool = False
    calm: bool = False

    def __call__(
        self,
        history: History,
        *,
        launch: NDArray[np.float64] | None = None,
        steps: int,
    ) -> NDArray[np.float64]:
        """Project; see :class:`futuremap.projection.methods.history.Method`."""
        start = starting(history, launch)
        known = periods(history, most=max(WATCHED + 1, self.level, len(self.past)))
        parents = Parents(history.parent_of)
        ratio, births = self.deviations(known, parents)
        boys, women = boys_per_girl(history), fertile(history.ages)
        path = np.empty((1 + steps, *start.shape))
        path[0] = start
        for t in range(steps):
            level, level_births = self.levels(known, parents, ages=history.ages, step=t)
            left = self.keep * self.persistence**t
            path[t + 1] = step(
                path[t],
                split_last(level * np.exp(left * ratio)),
                child_woman_ratio=level_births * np.exp(left * births),
                sex_ratio_0_4=boys,
                fertile=women,
                launch=start if self.additive else None,
            ).persons
        return path

    def deviations(
        self,
        known: Sequence[Period],
        parents: Parents,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logarithm of a zone's ratios over its parent's, over the periods wanted.

        Returns
        -------
        tuple
            Of cohort ratios ``(Z, S, A−1)`` and of child–woman ratios ``(Z,)``.
        """
        past = np.zeros(len(known))
        used = min(len(self.past), len(known))
        past[:used] = self.past[:used]
        weights = period_weights(known, parents, past, calm=self.calm)
        ratio: NDArray[np.float64] = np.zeros(known[0].cohorts.shape)
        births = np.zeros(len(known[0].women))
        for period, weight in zip(known, weights, strict=True):
            if weight.any():
                own, own_births = self._own(period, parents)
                ratio += weight[:, None, None] * _log_over(own, parents.hand_down(period.ratio))
                births += weight * _log_over(own_births, parents.hand_down(period.births))
        return ratio, births

    def _own(
        self,
        period: Period,
        parents: Parents,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        kinds = (
            (period.survivors, period.cohorts, period.ratio, self.noise),
            (period.children, period.women, period.births, COUNT_NOISE),
        )
        ratio, births = (self._one(parents, *kind) for kind in kinds)
        return ratio, births

    def _one(
        self,
        parents: Parents,
        outcome: NDArray[np.float64],
        exposure: NDArray[np.float64],
        shared: NDArray[np.float64],
        noise: float,
    ) -> NDArray[np.float64]:
        parent = parents.hand_down(shared)
        if self.own == "parent":
            return parent
        if self.own == "shrunk":
            ratio = parent.copy()
            for zones in parents.slices:
                axis = 2 if outcome.ndim > 1 else None
                shrunk = shrink(outcome[zones], exposure[zones], noise=noise, smooth_axis=axis)
                inhabited = exposure[zones].sum(axis=0) > 0
                ratio[zones] = np.where(inhabited, shrunk.ratio, ratio[zones])
            return ratio
        own = divide(outcome, exposure, parent)
        if self.own == "capped":
            return np.clip(own, CAPS[0] * parent, CAPS[1] * parent)
        if self.own == "root":
            root, all_root = np.sqrt(exposure), np.sqrt(parents.hand_down(parents.sum(exposure)))
            weight = divide(root, root + all_root, 0.0)
            return np.asarray(weight * own + (1 - weight) * parent)
        return own

    def levels(
        self,
        known: Sequence[Period],
        parents: Parents,
        *,
        ages: AgeGroups,
        step: int,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ratios of the parents expected in a step, by zone ``(Z, S, A−1)``, ``(Z,)``."""
        latest = known[: self.level]
        ratio = np.exp(np.mean([np.log(np.maximum(p.ratio, SMALLEST)) for p in latest], axis=0))
        old = np.asarray(ages.lower[:-1]) >= MORTAL_FROM
        ratio = np.where(old, known[0].ratio, ratio)
        if self.improvement:
            ratio = ratio * np.where(old, survival_gain(known, old, self.improvement), 1.0)
        births = np.mean([p.births for p in latest], axis=0)
        left = self.level_persistence**step
        ratio = _toward(ratio, known[0].all_ratio, left)
        births = _toward(births, np.asarray(known[0].all_births), left)
        births = births * np.exp(self.births_trend * known[0].births_change)
        return parents.hand_down(ratio), parents.hand_down(births)


def _toward(
    own: NDArray[np.float64],
    everywhere: NDArray[np.float64],
    left: float,
) -> NDArray[np.float64]:
    if left == 1:
        return own
    own, everywhere = np.maximum(own, SMALLEST), np.maximum(everywhere, SMALLEST)
    return np.asarray(everywhere * (own / everywhere) ** left)


def _log_over(own: NDArray[np.float64], parent: NDArray[np.float64]) -> NDArray[np.float64]:
    # 0 over 0 is no deviation
    return np.asarray(np.log(np.maximum(own, SMALLEST) / np.maximum(parent, SMALLEST)))


def period_weights(
    known: Sequence[Period],
    parents: Parents,
    past: NDArray[np.float64],
    *,
    calm: bool,
) -> NDArray[np.float64]:
    """Weight of each period for each zone ``(K, Z)``, 0 where it was a shock; they add to 1.

    Parameters
    ----------
    known
        The periods, latest first (K). With fewer than three no shock can be told from a turn.
    parents
        The zones of each parent.
    past
        Weights without shocks ``(K,)``.
    calm
        Whether shocks are left out.

    Notes
    -----
    The growth of a zone in a period, beside what its parent's ratios expect, is compared with
    the median of its three latest periods. It is a shock if it is further off than
    :data:`SHOCK` times what is usual (median absolute difference of two periods over all
    zones), more for a zone of few people. If all the periods wanted were shocks, the others
    take their place.
    """
    count = len(known[0].women)
    weights: NDArray[np.float64] = np.repeat(past[:, None], count, axis=1)
    if calm and len(known) >= WATCHED:
        growth = np.stack([_growth(period, parents) for period in known[:WATCHED]])
        usual = 1.4826 * np.median(np.abs(np.diff(growth, axis=0))) / np.sqrt(2)
        people = np.maximum(known[0].survivors.sum(axis=(1, 2)), 1.0)
        limit = SHOCK * max(float(usual), QUIET) * np.sqrt(1 + SHOCK_PEOPLE / people)
        quiet = np.abs(growth - np.median(growth, axis=0)) <= limit
        weights[:WATCHED] *= quiet
        none = weights.sum(axis=0) == 0
        weights[:WATCHED, none] = quiet[:, none]
    return np.asarray(weights / weights.sum(axis=0))


def _growth(period: Period, parents: Parents) -> NDArray[np.float64]:
    expected = (period.cohorts * parents.hand_down(period.ratio)).sum(axis=(1, 2))
    ratio = divide(period.survivors.sum(axis=(1, 2)), expected, 1.0)
    return np.asarray(np.log(np.maximum(ratio, SMALLEST)))


def survival_gain(
    known: Sequence[Period],
    old: NDArray[np.bool_],
    share: float,
) -> NDArray[np.float64]:
    """Factor on the ratios of old cohorts if death rates go on changing as they did ``(S, A−1)``.

    Parameters
    ----------
    known
        The periods, latest first; the change is that over up to three steps, all zones together.
    old
        Where a ratio is one of survival ``(A−1,)``.
    share
        How much of a step's change is expected of the next. [ratio]

    Examples
    --------
    The death rate of the old fell to nine tenths, −ln(S) from 0.2 to 0.18; it goes on to 0.162:

    >>> was, one = np.array([[[100.0]]]), np.ones(1)
    >>> a, b = (Period(was, was * np.exp(-m), *[one] * 5, 1.0, 0.0) for m in (0.18, 0.2))
    >>> gain = survival_gain([a, b], np.array([True]), 1.0)
    >>> round(float(-np.log(np.exp(-0.18) * gain[0, 0])), 3)
    0.162
    """
    hazards = [_hazard(period) for period in known[: WATCHED + 1]]
    back = len(hazards) - 1
    latest = hazards[0]
    gain: NDArray[np.float64] = np.ones_like(latest)
    measured = old & (np.min(hazards, axis=(0, 1)) > 0)
    if back < 1 or not measured.any():
        return gain
    change = np.log(latest[:, measured] / hazards[back][:, measured]) / back
    change = np.clip(change, -LARGEST_CHANGE, LARGEST_CHANGE)
    gain[:, measured] = np.exp(latest[:, measured] * (1 - np.exp(share * change)))
    return gain


def _hazard(period: Period) -> NDArray[np.float64]:
    # 0 where nobody was there, nobody was left, or more came than died: no rate to go by
    outcome, cohorts = period.survivors.sum(axis=0), period.cohorts.sum(axis=0)
    ratio = divide(outcome, cohorts, 1.0)
    return np.asarray(-np.log(np.where((ratio > 0) & (ratio < 1), ratio, 1.0)))

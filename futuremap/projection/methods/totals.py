"""Totals drawn on from the past, with the age structure of a cohort method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import LabelError
from futuremap.projection.methods.cohort import CohortRatios
from futuremap.projection.methods.history import (
    STOCKS_NEEDED,
    History,
    Method,
    Parents,
    divide,
    starting,
)

Course = Literal["linear", "exponential", "linear_or_exponential", "constant"]


@dataclass(frozen=True)
class Totals:
    """Each zone's total goes on as it went, its ages as cohorts do.

    Parameters
    ----------
    course
        ``linear``: the same number a year; ``exponential``: the same rate;
        ``linear_or_exponential``: linear where the zone grew, exponential where it declined;
        ``constant``.
    past
        Count of latest periods over which the change is measured, fewer if fewer are known.
    damping
        What is left, after each step, of a step's change. [ratio]
    structure
        The method whose ages are scaled to the total.

    Notes
    -----
    A line that falls below 0 ends there, and so does exponential decline of an empty zone. Where
    the structure has nobody to scale, the structure of the parent is taken, then that of all
    zones together.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> ages = AgeGroups((0, 25, 50))
    >>> stocks = np.array([[[[10.0, 10.0, 10.0]] * 2], [[[11.0, 10.0, 12.0]] * 2]])
    >>> h = History(stocks, np.array([0, 25]), ages, np.array([0]))
    >>> [Totals(c)(h, steps=2).sum(axis=(1, 2, 3)).round(2).tolist()
    ...  for c in ("linear", "exponential", "constant")]
    [[66.0, 72.0, 78.0], [66.0, 72.6, 79.86], [66.0, 66.0, 66.0]]
    """

    course: Course
    past: int = 1
    damping: float = 1.0
    structure: Method = field(default_factory=CohortRatios)

    def __call__(
        self,
        history: History,
        *,
        launch: NDArray[np.float64] | None = None,
        steps: int,
    ) -> NDArray[np.float64]:
        """Project; see :class:`futuremap.projection.methods.history.Method`.

        Raises
        ------
        LabelError
            If there is only one stock.
        """
        start = starting(history, launch)
        cells = self.structure(history, launch=launch, steps=steps)
        totals = self._totals(history, start.sum(axis=(1, 2)), steps)
        shares = divide(cells, cells.sum(axis=(2, 3), keepdims=True), np.nan)
        return scaled(shares, cells, totals, Parents(history.parent_of))

    def _totals(
        self,
        history: History,
        start: NDArray[np.float64],
        steps: int,
    ) -> NDArray[np.float64]:
        if len(history.times) < STOCKS_NEEDED:
            raise LabelError("totals need two stocks to go on from")
        first = max(0, len(history.times) - 1 - self.past)
        went = (history.times[-1] - history.times[first]) / history.ages.width
        was, now = (history.persons[i].sum(axis=(1, 2)) for i in (first, -1))
        # a step's share of change, the first, the second …, added up
        lasting = np.concatenate([[0.0], np.cumsum(self.damping ** np.arange(steps))])[:, None]
        line: NDArray[np.float64] = np.maximum(0.0, start + lasting * (now - was) / went)
        growth = divide(now, was, 1.0) ** (1 / went)
        curve: NDArray[np.float64] = start * growth**lasting
        if self.course == "constant":
            return np.repeat(start[None], 1 + steps, axis=0)
        if self.course == "linear":
            return line
        if self.course == "exponential":
            return curve
        return np.where(now > was, line, curve)


def scaled(
    shares: NDArray[np.float64],
    cells: NDArray[np.float64],
    totals: NDArray[np.float64],
    parents: Parents,
) -> NDArray[np.float64]:
    """Totals ``(T, Z)`` spread by shares ``(T, Z, S, A)``, NaN where a zone has none.

    Parameters
    ----------
    shares
        Share of each cell in its zone. [ratio]
    cells
        What the shares were made from, for the parents' own shares. [persons]
    totals
        To be met. [persons]
    parents
        The zones of each parent.
    """
    spread = np.empty_like(cells)
    for t, total in enumerate(totals):
        everywhere = cells[t].sum(axis=0)
        even = np.full_like(everywhere, 1 / everywhere.size)
        everywhere = divide(everywhere, np.full_like(everywhere, everywhere.sum()), even)
        by_parent = parents.sum(cells[t])
        by_parent = divide(by_parent, by_parent.sum(axis=(1, 2), keepdims=True), everywhere)
        own = np.where(np.isnan(shares[t]), parents.hand_down(by_parent), shares[t])
        spread[t] = total[:, None, None] * own
    return spread

"""What a backcast gives back: the effort, what it reaches, how sure it is; in words and in full."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.config.scenario import LeverEntry
from futuremap.core.layer import Text
from futuremap.pipeline.scenarios import Played

Floats = NDArray[np.float64]


class Pull(NamedTuple):
    """How far one lever is pulled.

    entry
        What it is.
    place, years
        Where it is pulled and in which years.
    amount
        Households a year; a factor, a radius [m] or facilities kept for other levers.
    cost
        Of the amount.
    most
        The upper bound.
    sure
        The amount if the baseline comes out at the better and the worse end of its 80 %
        interval; infinite where no effort is enough, NaN where nothing of it is known.
    words
        The same as a sentence.
    """

    entry: LeverEntry
    place: Text
    years: tuple[int, int]
    amount: float
    cost: float
    most: float
    sure: tuple[float, float]
    words: Text


class Reached(NamedTuple):
    """What becomes of one target.

    name
        The target in words.
    indicator, year, bound, least
        What is asked for, in the indicator's own unit.
    now, without, value
        In the base year, in the year without any effort, and with the effort run forward.
    interval
        80 % interval of `without`; NaN where nothing of it is known.
    binding
        Whether it is met with nothing to spare.
    price
        What one more of it would cost; NaN where no linear program says.
    best
        The most that could be had, if nothing else were asked for; NaN if it was not needed.
    facility, zone
        The facility or block that it is about, if it is about one.
    """

    name: Text
    indicator: str
    year: int
    bound: float
    least: bool
    now: float
    without: float
    value: float
    interval: tuple[float, float]
    binding: bool
    price: float
    best: float
    facility: str = ""
    zone: str = ""

    @property
    def margin(self) -> float:
        """How far the value is on the right side of the bound."""
        return self.value - self.bound if self.least else self.bound - self.value


class Proof(NamedTuple):
    """The answer run forward.

    worst
        Least margin over all targets, relative to max(1, bound); -1e-6 and more is met.
    less_fails
        Whether 1 % less effort misses a target; None with whole levers or without effort.
    response_error
        Largest distance between what the linear responses say and the run, relative.
    """

    worst: float
    less_fails: bool | None
    response_error: float


class Answer(NamedTuple):
    """The answer to what it would take.

    name
        Of the backcast.
    feasible
        Whether the targets can be met within the bounds.
    pulls
        Levers that are pulled, the dearest first.
    targets
        What becomes of each target.
    unreachable
        Positions of targets that cannot be met (together); none if it is feasible.
    cost
        Of all levers together.
    curve
        Cost by level of the first binding target: level and cost ``(N, 2)``, cost NaN where it
        is out of reach.
    curve_of
        Position of that target.
    proof
        The answer run forward; None if there is none.
    played
        The run of the answer.
    words
        The answer in sentences that anybody can read.
    """

    name: Text
    feasible: bool
    pulls: tuple[Pull, ...]
    targets: tuple[Reached, ...]
    unreachable: tuple[int, ...]
    cost: float
    curve: Floats
    curve_of: int
    proof: Proof | None
    played: Played | None
    words: tuple[Text, ...]

    @property
    def facilities(self) -> tuple[str, ...]:
        """Names of the facilities that its targets are about."""
        return tuple(dict.fromkeys(t.facility for t in self.targets if t.facility))

    def __str__(self) -> str:
        """The sentences in Japanese, then in English."""
        return "\n".join([*(text.ja for text in self.words), *(text.en for text in self.words)])

"""Projection methods by name: each a pure function from a history to a path of later stocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from futuremap.projection.methods.apart import apart
from futuremap.projection.methods.cohort import CohortRatios
from futuremap.projection.methods.counts import Added, Pool, add_differences, blend, differences
from futuremap.projection.methods.history import History, Method
from futuremap.projection.methods.learnt import LearntAverage
from futuremap.projection.methods.small_areas import small_area
from futuremap.projection.methods.totals import Totals
from futuremap.projection.rates import PERSISTENCE

__all__ = [
    "ANY_SPACING",
    "FIRST_STEP",
    "LATER_STEPS",
    "METHODS",
    "TREND_METHODS",
    "Added",
    "CohortRatios",
    "History",
    "LearntAverage",
    "MeanOf",
    "Method",
    "Pool",
    "Totals",
    "add_differences",
    "apart",
]

# Chosen on 1,118 municipalities and launches 1985–2010, 5 to 30 years on. Municipalities'
# deviations last, so less chance is allowed for than movers make (φ from 0.05 to 0.2 did alike).
# A tenth of the deviation is lost in the first step (0.8 to 1 did alike), more in later ones
# (0.6 to 0.8 alike); so fades a prefecture's deviation from all (0.6 to 0.8 alike). Half of a
# change of fertility goes on: none left 13 to 31 percent too many children after 1985.
LASTING_NOISE = 0.07
KEEP = 0.9
POOL_PERSISTENCE = 0.7
LEVEL_PERSISTENCE = 0.6
BIRTHS_TREND = 0.5
# Of the latest fall of death rates, this part goes on in the next step: 0.5 to 0.75 did best for
# people of 65 and over at launches 1990–2010 (1.65 % of error; 1.94 % without, 1.71 % with all).
IMPROVEMENT = 0.75
PAST = {"1": (1.0,), "2": (2.0, 1.0), "3": (3.0, 2.0, 1.0)}  # weights of periods, latest first


def _lasting(past: str) -> CohortRatios:
    return CohortRatios(
        "shrunk",
        noise=LASTING_NOISE,
        past=PAST[past],
        keep=KEEP,
        persistence=PERSISTENCE,
        additive=True,
        calm=True,
    )


def _pools() -> Iterator[tuple[str, Method]]:
    for past in PAST:
        for level in (1, 2):
            for improvement in (0.0, IMPROVEMENT):
                name = f"pool_{past}" + "_level" * (level - 1) + "_improving" * bool(improvement)
                ratios = replace(
                    _lasting(past),
                    persistence=POOL_PERSISTENCE,
                    level=level,
                    improvement=improvement,
                    births_trend=BIRTHS_TREND,
                    level_persistence=LEVEL_PERSISTENCE,
                )
                yield name, Pool(ratios)


@dataclass(frozen=True)
class MeanOf:
    """The plain mean of methods, cell by cell.

    Parameters
    ----------
    methods
        What is averaged.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> stocks = np.array([[[[10.0, 10.0, 10.0]] * 2], [[[11.0, 10.0, 12.0]] * 2]])
    >>> h = History(stocks, np.array([0, 25]), AgeGroups((0, 25, 50)), np.array([0]))
    >>> mean = MeanOf((Totals("linear"), Totals("constant")))
    >>> mean(h, steps=1).sum(axis=(1, 2, 3)).round(6).tolist()
    [66.0, 69.0]
    """

    methods: tuple[Method, ...]

    def __call__(
        self,
        history: History,
        *,
        launch: NDArray[np.float64] | None = None,
        steps: int,
    ) -> NDArray[np.float64]:
        """Project; see :class:`futuremap.projection.methods.history.Method`."""
        paths = [one(history, launch=launch, steps=steps) for one in self.methods]
        mean = np.asarray(sum(paths) / len(paths))
        mean[0] = paths[0][0]  # free of rounding
        return mean


POOLS = dict(_pools())
STRUCTURE = _lasting("2")
# What the average is made of (futuremap.projection.average). Death rates that go on falling help
# in the first step; over two steps and more they did harm at launches 2000 and 2005.
FIRST_STEP = tuple(name for name in POOLS if name.endswith("improving"))
LATER_STEPS = tuple(name for name in POOLS if not name.endswith("improving"))

METHODS: dict[str, Method] = {
    "raw": CohortRatios("raw"),
    "capped": CohortRatios("capped"),
    "parent": CohortRatios("parent"),
    "root": CohortRatios("root"),
    "shrunk": CohortRatios("shrunk"),
    "shrunk_strongly": CohortRatios("shrunk", noise=1.5),
    "shrunk_2": CohortRatios("shrunk", past=PAST["2"], calm=True),
    "damped": CohortRatios("shrunk", persistence=PERSISTENCE, additive=True),
    "lasting_1": _lasting("1"),
    "lasting_2": STRUCTURE,
    "lasting_3": _lasting("3"),
    **POOLS,
    "differences": differences,
    "blend": blend,
    "linear": Totals("linear", structure=STRUCTURE),
    "linear_2": Totals("linear", past=2, structure=STRUCTURE),
    "linear_damped": Totals("linear", damping=0.8, structure=STRUCTURE),
    "exponential": Totals("exponential", structure=STRUCTURE),
    "linear_or_exponential": Totals("linear_or_exponential", structure=STRUCTURE),
    "constant": Totals("constant", structure=STRUCTURE),
    "mean_of_pools": MeanOf(tuple(POOLS[name] for name in LATER_STEPS)),
    "learnt_average": LearntAverage(POOLS, (FIRST_STEP, LATER_STEPS)),
    "small_area": small_area,
}
ANY_SPACING = frozenset({"small_area"})  # the others need stocks one age width apart
# drawn out from a year or two, the trend of a zone's total is mostly chance
TREND_METHODS = frozenset(
    name for name, one in METHODS.items() if isinstance(one, Totals) and one.course != "constant"
)

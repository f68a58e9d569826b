"""An average whose weights come from the history's own earlier launches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.projection.average import Evidence, average, learn
from futuremap.projection.methods.history import History, Method, starting


@dataclass(frozen=True)
class LearntAverage:
    """Methods averaged, those that did better at earlier launches with more weight.

    Parameters
    ----------
    methods
        By name.
    candidates
        Names that are averaged by step; those of the last step serve all later ones.

    Notes
    -----
    Each stock but the first and the last is launched with what was known then and held against
    the stocks after it (:func:`futuremap.projection.average.learn`). With two stocks there is
    nothing to learn from, and the mean is plain.
    """

    methods: Mapping[str, Method]
    candidates: tuple[Sequence[str], ...]

    def __call__(
        self,
        history: History,
        *,
        launch: NDArray[np.float64] | None = None,
        steps: int,
    ) -> NDArray[np.float64]:
        """Project; see :class:`futuremap.projection.methods.history.Method`."""
        evidence = [
            one for last in range(1, len(history.times) - 1) for one in self._tried(history, last)
        ]
        by_step = [self.candidates[min(t, len(self.candidates) - 1)] for t in range(steps)]
        weights = learn(evidence, ages=history.ages, candidates=by_step)
        start = starting(history, launch)
        paths = {
            name: self.methods[name](history, launch=start, steps=steps) for name in weights.names
        }
        return average(paths, weights, ages=history.ages)

    def _tried(self, history: History, last: int) -> list[Evidence]:
        known = history._replace(
            persons=history.persons[: last + 1],
            times=history.times[: last + 1],
        )
        ahead = len(history.times) - 1 - last
        names = dict.fromkeys(name for step in self.candidates for name in step)
        paths = {name: self.methods[name](known, steps=ahead) for name in names}
        return [
            Evidence(
                step,
                {name: path[step] for name, path in paths.items()},
                history.persons[last + step],
            )
            for step in range(1, ahead + 1)
        ]

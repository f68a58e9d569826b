"""The method for town blocks, under the signature of all methods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.projection.methods.history import History, starting
from futuremap.projection.small_area import project_small_areas


def small_area(
    history: History,
    *,
    launch: NDArray[np.float64] | None = None,
    steps: int,
) -> NDArray[np.float64]:
    """Cohort structure with damped totals, from stocks any time apart.

    See :class:`futuremap.projection.methods.history.Method` for what is given and returned,
    and :func:`futuremap.projection.small_area.project_small_areas` for the method. A `launch`
    stands in the place of the last stock.

    Raises
    ------
    LabelError
        If there is only one stock, or shapes disagree.
    DemographyError
        If a count is impossible.
    """
    start = starting(history, launch)
    stocks = np.concatenate([history.persons[:-1], start[None]])
    _, parent_of = np.unique(history.parent_of, return_inverse=True)
    later = [
        project_small_areas(
            stocks,
            history.times,
            ages=history.ages,
            parent_of=parent_of,
            target_time=float(history.times[-1] + history.ages.width * step),
        ).persons
        for step in range(1, steps + 1)
    ]
    return np.stack([start, *later])

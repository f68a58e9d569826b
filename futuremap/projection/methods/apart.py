"""Every parent by itself: what a town becomes must not depend on its neighbours in a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.projection.methods.history import History, Method, Parents


def apart(
    method: Method,
    history: History,
    *,
    launch: NDArray[np.float64],
    steps: int,
) -> NDArray[np.float64]:
    """Run a method on each parent alone.

    Some methods pull a parent's level toward all zones they are given. That is right where these
    are the country, as in the backtest of municipalities, and wrong where they are the towns
    that happen to stand in one project.

    Parameters
    ----------
    method
        The method.
    history
        Counts of all parents' zones. [persons]
    launch
        The stock to start from ``(Z, S, A)``. [persons]
    steps
        Count of steps.

    Returns
    -------
    ndarray
        ``(1 + steps, Z, S, A)`` [persons]

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> seen = []
    >>> def spy(history, *, launch, steps):
    ...     seen.append(history.persons.shape[1])
    ...     return np.repeat(launch[None], steps + 1, axis=0)
    >>> stocks = np.ones((2, 3, 2, 3))
    >>> h = History(stocks, np.array([0, 5]), AgeGroups((0, 5, 10)), np.array([0, 0, 1]))
    >>> apart(spy, h, launch=stocks[-1], steps=2).shape, seen
    ((3, 3, 2, 3), [2, 1])
    """
    paths = []
    for zones in Parents(history.parent_of).slices:
        alone = history._replace(
            persons=history.persons[:, zones],
            parent_of=np.zeros(zones.stop - zones.start, dtype=np.intp),
        )
        paths.append(method(alone, launch=launch[zones], steps=steps))
    return np.concatenate(paths, axis=1)

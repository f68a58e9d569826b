"""Areal weights: which part of each polygon lies in which other polygon."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray


class Pieces(NamedTuple):
    """Overlaps of targets and sources, one row a pair, sorted by target and source.

    target, source
        Positions ``(N,)``.
    geometry
        The common part ``(N,)``.
    """

    target: NDArray[np.intp]
    source: NDArray[np.intp]
    geometry: NDArray[np.object_]


def pieces(
    targets: NDArray[np.object_],
    sources: NDArray[np.object_],
) -> Pieces:
    """Cut sources by targets; pairs that share no area are left out.

    Examples
    --------
    >>> import numpy as np, shapely
    >>> cut = pieces(np.array([shapely.box(0, 0, 1, 1)]), np.array([shapely.box(0, 0, 4, 1)]))
    >>> shapely.area(cut.geometry).tolist()
    [1.0]
    """
    tree = shapely.STRtree(sources)
    target, source = tree.query(targets, predicate="intersects")
    common = shapely.intersection(targets[target], sources[source])
    kept = shapely.area(common) > 0
    target, source, common = target[kept], source[kept], common[kept]
    order = np.lexsort((source, target))
    return Pieces(target[order], source[order], common[order])


def shares(
    sizes: NDArray[np.float64],
    source: NDArray[np.intp],
    *,
    count: int,
) -> NDArray[np.float64]:
    """Each piece's share of its source, such that the shares of a source add up to one.

    Parameters
    ----------
    sizes
        Area of each piece ``(N,)``. [m^2]
    source
        Position of the source of each piece ``(N,)``.
    count
        Number of sources (Z).

    Examples
    --------
    >>> import numpy as np
    >>> shares(np.array([1.0, 3.0]), np.array([0, 0]), count=1).tolist()
    [0.25, 0.75]
    """
    totals = np.bincount(source, weights=sizes, minlength=count)
    return np.asarray(sizes / totals[source])

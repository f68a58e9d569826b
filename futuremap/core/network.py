"""Network: a road graph or any other graph on which people move, in one fixed order of nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import LabelError


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes and directed edges with their lengths.

    Parameters
    ----------
    longitude, latitude
        Nodes in EPSG:6668 ``(N,)``. [degrees]
    start, end
        Positions of the nodes of each edge ``(E,)``; a road open both ways is two edges.
    length
        Length of each edge ``(E,)``. [m]
    kind
        What each edge is, such as OpenStreetMap's ``highway``, or "" ``(E,)``.
    speed
        Speed of motor traffic, NaN where not known ``(E,)``. [km/h]
    on_foot, by_car
        Whether people on foot, and cars, may use each edge in its direction ``(E,)``.
    sources
        Credit keys of the data.

    Raises
    ------
    LabelError
        If columns differ in length, an edge leads to no node, or a length is not a number of
        at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> yes = np.ones(2, dtype=bool)
    >>> street = Network(
    ...     np.array([133.0, 133.001]), np.array([34.4, 34.4]),
    ...     np.array([0, 1]), np.array([1, 0]), np.array([92.0, 92.0]),
    ...     np.array(["footway", "footway"], dtype=object), np.full(2, np.nan), yes, ~yes,
    ... )
    >>> len(street)
    2
    """

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    start: NDArray[np.intp]
    end: NDArray[np.intp]
    length: NDArray[np.float64]
    kind: NDArray[np.object_]
    speed: NDArray[np.float64]
    on_foot: NDArray[np.bool_]
    by_car: NDArray[np.bool_]
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        nodes, edges = len(self.longitude), len(self.start)
        if len(self.latitude) != nodes:
            raise LabelError(f"{nodes} longitudes for {len(self.latitude)} latitudes")
        columns = (self.end, self.length, self.kind, self.speed, self.on_foot, self.by_car)
        if any(len(column) != edges for column in columns):
            raise LabelError(f"columns of {edges} edges: {[len(column) for column in columns]}")
        for ends in (self.start, self.end):
            if edges and not 0 <= ends.min() <= ends.max() < nodes:
                raise LabelError(f"edges lead to node {ends.max()} of {nodes}")
        if not np.isfinite(self.length).all() or (self.length < 0).any():
            raise LabelError("lengths of edges must be numbers of at least 0")
        for column in (self.longitude, self.latitude, self.start, self.end, *columns):
            column.flags.writeable = False

    def __len__(self) -> int:
        """Count of nodes (N)."""
        return len(self.longitude)

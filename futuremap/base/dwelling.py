"""Where people stand inside a town block: on its buildings, its built-up land, or all over it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from futuremap.base.meshes import on_mesh
from futuremap.core import mesh
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.problems import Report

FINER = 4  # parts of a mesh side that a cell of a raster may not exceed
EVEN = 1e-9  # rounding of a side that fits a whole number of times
CHUNK = 1_000_000  # points looked up at once
SHOWN = 3  # names in a problem


class Places(NamedTuple):
    """Where people may live: cells of a raster, buildings or addresses.

    longitude, latitude
        Points, or middles of cells, in degrees of EPSG:6668 ``(N,)``.
    weight
        People, floor area, or 1 for each address ``(N,)``.
    zone
        Position of the block that each lies in, -1 for none ``(N,)``; found if not given.
    cell
        Width and height of a cell of a raster. [degrees] Its weight is spread evenly over it if
        a mesh cell holds less than four of them side by side. None for points.
    sources
        Credit keys of the data.
    """

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    weight: NDArray[np.float64]
    zone: NDArray[np.intp] | None = None
    cell: tuple[float, float] | None = None
    sources: tuple[str, ...] = ()


class Dwelling(NamedTuple):
    """Town blocks on meshes by the places in them.

    crosswalk
        Blocks to the cells of :func:`futuremap.base.meshes.on_mesh`; it keeps totals, and its
        rule says what it was made from.
    by_area
        Blocks without any place, shared out by area ``(Z,)``.
    """

    crosswalk: Crosswalk
    by_area: NDArray[np.bool_]


def share(
    blocks: Zones,
    level: mesh.Level | str,
    *,
    places: Places,
    made_of: str,
    report: Report,
    file: str = "",
) -> Dwelling:
    """Share blocks out over the cells of a mesh level by the weight of the places in each.

    Parameters
    ----------
    blocks
        Town blocks as polygons.
    level
        Level of the mesh, such as "250m".
    places
        Where people may live; those outside all blocks do not count.
    made_of
        What the places are, in English, such as "buildings": it stands in the rule.
    report
        Takes the warning FM474 with the blocks that had to be shared out by area.
    file
        The file of the places.

    Raises
    ------
    LabelError
        If the arrays of the places differ in length, a position is unknown, or a weight is
        negative or not finite.
    """
    _check(places, blocks)
    level = mesh.Level(level)
    area = on_mesh(blocks, level).crosswalk
    weights = _weights(places, blocks, level, area.targets)
    sums = np.asarray(weights.sum(axis=0)).ravel()
    lacking = sums == 0
    rule = f"town blocks to mesh level {level} by {made_of}"
    if lacking.any():
        rule += f"; {int(lacking.sum())} of {len(blocks)} by area"
    walk = _joined(weights, area, sums, rule=rule, sources=places.sources)
    if lacking.any():
        names = [str(name) for name in blocks.frame["name"].to_numpy(dtype=object)[lacking]]
        report.add("FM474", file=file, value=len(names), count=len(names), of=len(blocks),
                   names="、".join(names[:SHOWN]))  # fmt: skip
    return Dwelling(walk, lacking)


def _check(places: Places, blocks: Zones) -> None:
    count = len(places.weight)
    zone = np.zeros(count) if places.zone is None else places.zone
    lengths = [len(column) for column in (places.longitude, places.latitude, zone)]
    if lengths != [count] * 3:
        raise LabelError(f"places have {lengths} coordinates and blocks for {count} weights")
    if not np.isfinite(places.weight).all() or (places.weight < 0).any():
        raise LabelError("weights of places must be finite and not negative")
    if (
        places.zone is not None
        and count
        and not -1 <= places.zone.min() <= places.zone.max() < len(blocks)
    ):
        raise LabelError(f"places stand in blocks from {places.zone.min()} to {places.zone.max()}")


def _weights(
    places: Places,
    blocks: Zones,
    level: mesh.Level,
    targets: tuple[str, ...],
) -> csr_array:
    """Weight of all places by mesh cell and block ``(T, Z)``."""
    wide, high = places.cell or (0.0, 0.0)
    parts = (
        max(1, math.ceil(FINER * wide / level.size.lon - EVEN)),
        max(1, math.ceil(FINER * high / level.size.lat - EVEN)),
    )
    west, south, east, north = shapely.total_bounds(blocks.geometry)
    x, y = places.longitude, places.latitude
    near = (x >= west - wide) & (x <= east + wide) & (y >= south - high) & (y <= north + high)
    rows = np.flatnonzero(near & (places.weight > 0))
    tree = shapely.STRtree(blocks.geometry)
    shape = (len(targets), len(blocks))
    total = csr_array(shape)
    for start in range(0, len(rows), CHUNK // math.prod(parts) + 1):
        chunk = rows[start : start + CHUNK // math.prod(parts) + 1]
        longitude, latitude = _spread(x[chunk], y[chunk], (wide, high), parts)
        if places.zone is None or parts != (1, 1):
            zone = _zones_of(longitude, latitude, tree)
        else:
            zone = places.zone[chunk]
        cell = _position(mesh.encode(latitude, longitude, level=level), targets)
        weight = np.repeat(places.weight[chunk] / math.prod(parts), math.prod(parts))
        used = (zone >= 0) & (cell >= 0)
        total += csr_array(coo_array((weight[used], (cell[used], zone[used])), shape=shape))
    return total


def _spread(
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    size: tuple[float, float],
    parts: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of even parts of the cells around the given middles."""
    aside, above = (
        ((np.arange(count) + 0.5) / count - 0.5) * side
        for count, side in zip(parts, size, strict=True)
    )
    east = (longitude[:, np.newaxis] + np.tile(aside, parts[1])).ravel()
    north = (latitude[:, np.newaxis] + np.repeat(above, parts[0])).ravel()
    return east, north


def _zones_of(
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    blocks: shapely.STRtree,
) -> NDArray[np.intp]:
    # a point on a border belongs to the block that comes first
    position = np.full(len(longitude), -1, dtype=np.intp)
    point, zone = blocks.query(shapely.points(longitude, latitude), predicate="intersects")
    order = np.lexsort((-zone, point))
    position[point[order]] = zone[order]
    return position


def _position(codes: NDArray[np.str_], targets: tuple[str, ...]) -> NDArray[np.intp]:
    known = np.asarray(targets)  # ascending, as on_mesh gives them
    at = np.searchsorted(known, codes).clip(max=len(known) - 1)
    return np.asarray(np.where(known[at] == codes, at, -1), dtype=np.intp)


def _joined(
    weights: csr_array,
    area: Crosswalk,
    sums: NDArray[np.float64],
    *,
    rule: str,
    sources: tuple[str, ...],
) -> Crosswalk:
    """Shares of the places, and of the area where a block has none."""
    placed, by_area = weights.tocoo(), area.weights.tocoo()
    left = sums[by_area.col] == 0
    return from_pairs(
        np.append(placed.row, by_area.row[left]),
        np.append(placed.col, by_area.col[left]),
        np.append(placed.data / sums[placed.col], by_area.data[left]),
        targets=area.targets,
        sources=area.sources,
        rule=rule,
        credits=(*area.credits, *sources),
    )

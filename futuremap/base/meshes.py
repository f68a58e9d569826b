"""Town blocks counted on meshes of JIS X 0410, by area or by where people stand in them."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core import mesh
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.overlap import pieces, shares
from futuremap.core.zones import GEOGRAPHIC, Zones, plane_epsg
from futuremap.errors import LabelError

BY_AREA = (
    "メッシュの人口は、町丁の中に人が一様に住むとみなして面積で按分した推計です。",
    "Mesh populations are shared out by area, as if people lived evenly over a block.",
)
BY_PLACES = (
    "メッシュの人口は、町丁の人口を建物や土地利用などの位置で按分した推計です（位置の分からない町丁は面積で按分）。",
    "Mesh populations are shared out by buildings or land use (by area where none are known).",
)


class Meshed(NamedTuple):
    """Mesh cells and how town blocks count in them.

    zones
        The cells that touch a block; each whole, coast or not.
    crosswalk
        Blocks to cells; it conserves people.
    """

    zones: Zones
    crosswalk: Crosswalk


def on_mesh(
    blocks: Zones,
    level: mesh.Level | str,
    *,
    dwelling: Crosswalk | None = None,
) -> Meshed:
    """Share blocks out over the cells of one mesh level, by area or as a crosswalk says.

    Parameters
    ----------
    blocks
        Town blocks as polygons of one municipality or of several in one plane zone.
    level
        Level of the mesh, such as "250m".
    dwelling
        Where people stand inside their blocks, on the same cells, as made by
        :mod:`futuremap.base.dwelling`; by area if None.

    Returns
    -------
    Meshed
        Cells sorted by mesh code. Pieces are cut along the exact lines of the mesh in degrees
        and measured in the plane zone.

    Raises
    ------
    LabelError
        If `dwelling` is of other blocks or cells, or does not keep totals.
    """
    codes, cells = _cells_over(blocks, level)
    cut = pieces(cells, blocks.geometry)
    plane = gpd.GeoSeries(cut.geometry, crs=GEOGRAPHIC).to_crs(plane_epsg(blocks.plane_zone))
    sizes = np.asarray(shapely.area(plane.to_numpy()), dtype=np.float64)
    weights = shares(sizes, cut.source, count=len(blocks))
    used, row = np.unique(cut.target, return_inverse=True)
    ids = codes[used].tolist()
    walk = from_pairs(
        row,
        cut.source,
        weights,
        targets=ids,
        sources=blocks.ids,
        rule=f"town blocks to mesh level {level} by area",
        credits=blocks.sources,
    )
    zones = Zones.build(
        ids,
        cells[used],
        names=ids,
        parents=_largest_parent(blocks, cut.source, row, sizes),
        kind="mesh",
        plane_zone=blocks.plane_zone,
        notes=(*blocks.notes, BY_AREA if dwelling is None else BY_PLACES),
        sources=blocks.sources,
    )
    return Meshed(zones, walk if dwelling is None else _checked(dwelling, walk))


def _checked(dwelling: Crosswalk, by_area: Crosswalk) -> Crosswalk:
    if dwelling.sources != by_area.sources or dwelling.targets != by_area.targets:
        raise LabelError("the crosswalk of dwellings is not one of these blocks to these cells")
    if not dwelling.conserves():
        raise LabelError("the crosswalk of dwellings does not keep totals")
    return dwelling


def _cells_over(
    blocks: Zones,
    level: mesh.Level | str,
) -> tuple[NDArray[np.str_], NDArray[np.object_]]:
    west, south, east, north = shapely.total_bounds(blocks.geometry)
    codes = np.sort(mesh.cover(south=south, west=west, north=north, east=east, level=level))
    box = mesh.bounds(codes)
    cells = shapely.box(box.west, box.south, box.east, box.north, ccw=True)
    return codes, np.asarray(cells, dtype=object)


def _largest_parent(
    blocks: Zones,
    source: NDArray[np.intp],
    row: NDArray[np.intp],
    sizes: NDArray[np.float64],
) -> list[str]:
    # a cell on a municipal boundary belongs to the municipality that fills most of it
    codes, parent = np.unique(blocks.frame["parent"].to_numpy(dtype=object), return_inverse=True)
    area = np.zeros((int(row.max()) + 1, len(codes)))
    np.add.at(area, (row, parent[source]), sizes)
    return [str(codes[i]) for i in area.argmax(axis=1)]

"""Tiles of the JIS mesh: which cells of which mesh one sees from how near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core import mesh
from futuremap.core.fields import describe
from futuremap.core.layer import Layer
from futuremap.errors import ExportError
from futuremap.export.kml.balloon import Rows
from futuremap.export.kml.profiles import DECIMALS
from futuremap.export.kml.words import BOUNDS
from futuremap.export.kml.writer import Part

TILE, SHEET = mesh.Level.KM10, mesh.Level.KM80
TILE_DIGITS, SHEET_DIGITS = 6, 4
# width of a tile on the screen from which its cells are drawn: a cell then has 10 to 16 pixels,
# and a large screen holds some ten thousand of them
PIXELS = {
    mesh.Level.KM10: 0,
    mesh.Level.KM1: 128,
    mesh.Level.M500: 256,
    mesh.Level.M250: 512,
}
MOST_CELLS = 1_600  # of a tile, of the finest mesh
NO_END = -1  # of a Lod: however near
CLOSE = 1e-9  # parents and the sums of their children, relative to the larger of 1 and them


class Tile(NamedTuple):
    """Cells of one mesh in one tile of one state.

    Parameters
    ----------
    code
        Mesh code of the tile, 10 km wide.
    level
        Mesh of the cells.
    rows
        Their places in the layer.
    """

    code: str
    level: mesh.Level
    rows: Rows


class Tower(NamedTuple):
    """One state on several meshes.

    Parameters
    ----------
    layers
        The state on each mesh, the coarsest first.
    tiles
        Tiles of each mesh by their code.
    tops
        Highest roof of any mesh in each tile. [m]
    bottom
        Lowest ground. [m]
    """

    layers: dict[mesh.Level, Layer]
    tiles: dict[mesh.Level, dict[str, Tile]]
    tops: dict[str, float]
    bottom: float

    @property
    def state(self) -> Layer:
        """The state on the finest mesh, which speaks for all of them."""
        return list(self.layers.values())[-1]

    def range_of(self, level: mesh.Level, code: str) -> tuple[int, int]:
        """Width of a tile on the screen from which, and up to which, a mesh is drawn."""
        levels = list(self.layers)
        finer = levels[levels.index(level) + 1 :]
        following = next((other for other in finer if code in self.tiles[other]), None)
        low = 0 if level == levels[0] else PIXELS[level]
        return low, NO_END if following is None else PIXELS[following]

    def next_tile(self, level: mesh.Level, code: str) -> Tile | None:
        """The same tile on the next finer mesh that has cells there."""
        levels = list(self.layers)
        finer = levels[levels.index(level) + 1 :]
        found = (self.tiles[other][code] for other in finer if code in self.tiles[other])
        return next(found, None)

    def part(self, tile: Tile) -> Part:
        """The cells of a tile."""
        return Part(self.layers[tile.level], tile.rows)


def tower(layers: Sequence[Layer]) -> Tower:
    """One state on several meshes, cut into tiles.

    Parameters
    ----------
    layers
        The state on meshes of 10 km, 1 km, 500 m and 250 m, or some of them, in any order.

    Raises
    ------
    ExportError
        If features are no mesh cells, a mesh stands twice, a mesh is too fine, or larger cells
        do not hold what is in the smaller ones.
    """
    by_level = {_level(layer): layer for layer in layers}
    if len(by_level) < len(layers):
        raise ExportError(f"{layers[0].theme}: a mesh stands twice")
    ordered = {level: by_level[level] for level in PIXELS if level in by_level}
    for (level, coarse), (finer, fine) in zip(
        list(ordered.items())[:-1], list(ordered.items())[1:], strict=True
    ):
        _check_sums(coarse, fine, level=level, finer=finer)
    tiles = {level: _tiles(level, layer) for level, layer in ordered.items()}
    tops: dict[str, float] = {}
    for level, layer in ordered.items():
        for code, tile in tiles[level].items():
            highest = float(Part(layer, tile.rows).tops().max())
            tops[code] = max(tops.get(code, 0.0), highest)
    grounds = [layer.ground for layer in ordered.values() if layer.ground is not None]
    bottom = min((float(ground.min()) for ground in grounds), default=0.0)
    return Tower(ordered, tiles, tops, bottom)


def region(code: str, *, bottom: float, top: float, pixels: tuple[int, int], mode: str) -> str:
    """Region of a mesh cell as KML, with the height of what stands in it.

    Parameters
    ----------
    code
        Mesh code of the cell.
    bottom, top
        Altitudes between which its prisms stand. [m]
    pixels
        Width on the screen from which, and up to which, it is active.
    mode
        What altitudes count from, "relativeToGround" or "absolute".

    Examples
    --------
    >>> "<maxAltitude>51</maxAltitude>" in region(
    ...     "513366", bottom=0.0, top=50.2, pixels=(128, -1), mode="absolute")
    True
    """
    south, west, north, east = mesh.bounds(code)
    sides = {"north": north, "south": south, "east": east, "west": west}
    box = "".join(f"<{side}>{at:.{DECIMALS + 2}f}</{side}>" for side, at in sides.items())
    low, high = np.floor(min(bottom, 0.0)), np.ceil(top)
    return (
        f"<Region><LatLonAltBox>{box}<minAltitude>{low:.0f}</minAltitude>"
        f"<maxAltitude>{high:.0f}</maxAltitude><altitudeMode>{mode}</altitudeMode></LatLonAltBox>"
        f"<Lod><minLodPixels>{pixels[0]}</minLodPixels>"
        f"<maxLodPixels>{pixels[1]}</maxLodPixels></Lod></Region>"
    )


def _level(layer: Layer) -> mesh.Level:
    codes = layer.features.index.tolist()
    levels = set(np.unique(mesh.level_of(codes)).tolist()) if codes else {""}
    (level,) = levels if len(levels) == 1 else ("",)
    if level not in PIXELS:
        raise ExportError(
            f"{layer.theme}: tiles are of mesh cells of 250 m or larger, found {sorted(levels)}"
        )
    return mesh.Level(level)


def _tiles(level: mesh.Level, layer: Layer) -> dict[str, Tile]:
    codes = layer.features.index.to_numpy(dtype=str)[layer.shown].astype(f"U{TILE_DIGITS}")
    rows = np.flatnonzero(layer.shown)
    found, starts = np.unique(codes, return_index=True)  # features are sorted by their code
    pieces = np.split(rows, starts[1:])
    return {
        code: Tile(code, level, piece) for code, piece in zip(found.tolist(), pieces, strict=True)
    }


def _check_sums(coarse: Layer, fine: Layer, *, level: mesh.Level, finer: mesh.Level) -> None:
    codes = mesh.parent(fine.features.index.tolist(), level)
    place = coarse.features.index.get_indexer(list(codes))
    lost = np.flatnonzero(place < 0)
    if len(lost):
        raise ExportError(f"{coarse.theme}: the cell of {codes[lost[0]]} is missing on {level}")
    for name in _counted(coarse, fine):
        parts = fine.features[name].to_numpy(dtype=np.float64)
        whole = coarse.features[name].to_numpy(dtype=np.float64)
        summed = np.zeros(len(whole))
        np.add.at(summed, place, parts)
        off = _off(summed, whole)
        if len(off):
            zone = coarse.features.index[off[0]]
            raise ExportError(
                f"{coarse.theme}: {name} of {zone} is {whole[off[0]]:g}, but its cells of "
                f"{finer} sum to {summed[off[0]]:g}"
            )


def _off(summed: NDArray[np.float64], whole: NDArray[np.float64]) -> Rows:
    scale = np.maximum(np.abs(whole), 1.0)
    return np.flatnonzero(~(np.abs(summed - whole) <= CLOSE * scale))


def _counted(coarse: Layer, fine: Layer) -> list[str]:
    """Columns of people, which add up; ends of an interval do not."""
    names = dict.fromkeys((*fine.balloon, fine.height, fine.colour))
    found = []
    for name in names:
        field, _ = describe(name)
        adds = field.unit == "persons" and not field.name.endswith(BOUNDS)
        if adds and name in coarse.features:
            found.append(name)
    return found

"""Rasters of people, buildings or land use (GeoTIFF) as weights of places within zones.

Only a file whose first bytes are those of a TIFF is opened, with GDAL's GTiff driver and nothing
beside the file. Its stated size is looked at before any value is read, and only the window
around the zones is read.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import crs
from futuremap.sources.limits import Refused

COLOURS = {ColorInterp.red, ColorInterp.green, ColorInterp.blue}  # bands of a picture
MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_WINDOW = 16_000_000  # cells; a large city in cells of 10 m
MAX_BLOCK = 128 * 2**20  # bytes of one strip or tile, which is inflated as a whole
MAX_SIDE = 2_000_000  # cells; all Japan in cells of 2 m
MAX_BLOCKS = 20_000_000  # strips or tiles: their table is held in memory
MAX_FILE = 2**34  # bytes; only the window is read
SHOWN = 3  # names of zones in a problem
# nothing but the file itself: no .aux.xml, .ovr, .msk or world file, no address, no threads
ENVIRONMENT = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
    "GDAL_CACHEMAX": 64,
    "GDAL_NUM_THREADS": 1,
}

Taken = TypeVar("Taken")


class Cells(NamedTuple):
    """Cells of a raster that have a weight, as places.

    longitude, latitude
        Middle of each, in degrees of EPSG:6668 ``(N,)``.
    weight
        People, floor area or whatever the raster holds ``(N,)``.
    zone
        Position of the zone that the middle lies in, -1 for none ``(N,)``.
    zones
        Count of zones (Z).
    size
        Width and height of a cell around the first. [degrees]
    """

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    weight: NDArray[np.float64]
    zone: NDArray[np.intp]
    zones: int
    size: tuple[float, float] = (0.0, 0.0)

    def sums(self) -> NDArray[np.float64]:
        """Weight of all cells whose middle lies in each zone ``(Z,)``.

        Examples
        --------
        >>> import numpy as np
        >>> here = np.zeros(3)
        >>> Cells(here, here, np.array([1.0, 2.0, 4.0]), np.array([0, -1, 0]), 2).sums().tolist()
        [5.0, 0.0]
        """
        inside = self.zone >= 0
        return np.bincount(
            self.zone[inside], weights=self.weight[inside], minlength=self.zones
        ).astype(np.float64)


def read(
    path: Path,
    zones: Zones,
    *,
    report: Report,
    band: int = 1,
    classes: Mapping[int, float] | None = None,
) -> Cells | None:
    """Read the cells around zones.

    Parameters
    ----------
    path
        GeoTIFF.
    zones
        Areas that it must cover.
    report
        Takes FM101, FM102, FM104, FM574, FM540 to FM543 and FM550 to FM552.
    band
        Which band, from 1.
    classes
        Weight of each class of a land-use raster, such as ``{7: 1.0}`` for 建物用地; others
        weigh nothing. Without it the values are weights themselves.

    Returns
    -------
    Cells or None
        Those that weigh more than nothing, in the order of rows and columns; None if the
        raster is in doubt.
    """

    def around(raster: Any, system: crs.System) -> Cells:
        window = window_around(raster, zones, system)
        values = raster.read(band, window=window, masked=True, out_dtype="float64")
        grid = raster.transform
        corner = (grid.c + window.col_off * grid.a, grid.f + window.row_off * grid.e)
        weights = _weights(values, classes)
        return _cells(weights, corner, (grid.a, grid.e), system=system, zones=zones)

    return with_raster(path, around, band=band, report=report)


def with_raster(
    path: Path,
    use: Callable[[Any, crs.System], Taken],
    *,
    band: int,
    report: Report,
) -> Taken | None:
    """Open a GeoTIFF that has passed all checks, and take from it what is wanted.

    Parameters
    ----------
    path
        GeoTIFF.
    use
        Takes the open raster and its coordinate system; may raise :class:`Refused`.
    band
        Which band, from 1.
    report
        Takes FM101, FM102, FM104, FM574, FM540 to FM543, FM550, FM583 and what `use` refuses.

    Returns
    -------
    object or None
        What `use` gives; None if the raster is in doubt.
    """
    try:
        _check_first_bytes(path)
        with (
            warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
            rasterio.Env(**ENVIRONMENT),
            rasterio.open(path.resolve(), driver="GTiff", sharing=False) as raster,
        ):
            return use(raster, _check_size(raster, path, band))
    except Refused as refused:
        refused.note(report, file=path.name)
    except (RasterioError, OSError, ValueError, MemoryError) as error:
        reason = f"GeoTIFF が壊れています / the GeoTIFF is broken ({type(error).__name__})"
        Refused.format("GeoTIFF", reason).note(report, file=path.name)
    return None


def _check_first_bytes(path: Path) -> None:
    try:
        if not path.is_file():
            raise Refused("FM101")
        if path.stat().st_size > MAX_FILE:
            raise Refused("FM104", expected=f"≤ {MAX_FILE // 2**30} GiB")
        with path.open("rb") as stream:
            first = stream.read(4)
    except OSError as error:
        raise Refused("FM101", value=error.strerror or "") from error
    if first not in MAGICS:
        reason = "中身が TIFF ではありません / its first bytes are not those of a TIFF"
        raise Refused.format("GeoTIFF", reason)


def _check_size(raster: Any, path: Path, band: int) -> crs.System:
    rows, columns = raster.block_shapes[0]
    block = rows * columns * np.dtype(raster.dtypes[0]).itemsize
    if str(raster.interleaving or "").upper().endswith("PIXEL"):
        block *= raster.count
    blocks = math.ceil(raster.height / rows) * math.ceil(raster.width / columns)
    if max(raster.width, raster.height) > MAX_SIDE or block > MAX_BLOCK or blocks > MAX_BLOCKS:
        raise Refused("FM104", value=f"{raster.width} x {raster.height}", expected=_cells_limit())
    reason = ""
    if not 1 <= band <= raster.count:
        reason = f"バンド {band} がありません（{raster.count} 個） / there is no band {band}"
    elif np.dtype(raster.dtypes[band - 1]).kind not in "iuf":
        reason = f"値の型が {raster.dtypes[band - 1]} です / its values are no plain numbers"
    elif raster.transform.is_identity:
        reason = "位置が書かれていません / it does not say where it lies"
    elif raster.transform.b or raster.transform.d or raster.transform.e >= 0:
        reason = "回転しているか、南が上です / it is rotated, or south is up"
    if reason:
        raise Refused("FM550", reason=reason)
    if raster.colorinterp[band - 1] in COLOURS:
        raise Refused("FM583", value=f"{raster.count} バンド/bands {raster.dtypes[band - 1]}")
    west, south, east, north = _bounds(raster)
    written = raster.crs.to_wkt() if raster.crs else ""
    around = ((west + east) / 2, (south + north) / 2)
    return crs.parse(written, file=f"{path.name}: GeoKey", around=around)


def _bounds(raster: Any) -> tuple[float, float, float, float]:
    grid = raster.transform
    return (
        grid.c,
        grid.f + raster.height * grid.e,
        grid.c + raster.width * grid.a,
        grid.f,
    )


def _cells_limit() -> str:
    return f"≤ {MAX_WINDOW:,} セル/cells"


def window_around(raster: Any, zones: Zones, system: crs.System) -> Window:
    """The cells around zones.

    Raises
    ------
    Refused
        FM551 if the raster does not cover them, FM104 if they are too many cells.
    """
    extent = _bounds(raster)
    corners = _projected(zones.geometry, system)
    outside = ~shapely.covers(shapely.box(*extent), shapely.box(*shapely.bounds(corners).T))
    if outside.any():
        names = np.asarray(zones.names, dtype=object)[outside][:SHOWN]
        raise Refused("FM551", value=_short(extent), names="、".join(names))
    west, south, east, north = shapely.total_bounds(corners)
    grid = raster.transform
    left, right = (math.floor((x - grid.c) / grid.a) for x in (west, east))
    top, bottom = (math.floor((y - grid.f) / grid.e) for y in (north, south))
    width, height = min(right + 1, raster.width) - left, min(bottom + 1, raster.height) - top
    if width * height > MAX_WINDOW:
        raise Refused("FM104", value=f"{width} x {height}", expected=_cells_limit())
    return Window(left, top, width, height)


def _projected(shapes: NDArray[np.object_], system: crs.System) -> NDArray[np.object_]:
    moved: NDArray[np.object_] = shapely.transform(
        shapes, lambda xy: np.column_stack(crs.from_degrees(xy[:, 0], xy[:, 1], system))
    )
    return moved


def _short(numbers: tuple[float, ...]) -> str:
    return ", ".join(f"{number:.6g}" for number in numbers)


def _weights(
    values: np.ma.MaskedArray[Any, Any],
    classes: Mapping[int, float] | None,
) -> NDArray[np.float64]:
    plain = np.asarray(values.filled(0.0), dtype=np.float64)
    plain[~np.isfinite(plain)] = 0.0  # NaN is nodata wherever values have fractions
    if classes is not None:
        codes = np.array(sorted(classes), dtype=np.float64)
        given = np.array([classes[code] for code in sorted(classes)], dtype=np.float64)
        at = np.searchsorted(codes, plain).clip(max=len(codes) - 1)
        known = ~np.ma.getmaskarray(values) & (codes[at] == plain)
        return np.asarray(np.where(known, given[at], 0.0))
    negative = plain < 0
    if negative.any():
        raise Refused("FM552", value=f"{plain[negative].min():g}", count=str(int(negative.sum())))
    return plain


def _cells(
    weights: NDArray[np.float64],
    corner: tuple[float, float],
    cell: tuple[float, float],
    *,
    system: crs.System,
    zones: Zones,
) -> Cells:
    row, column = np.nonzero(weights)
    east = np.asarray(corner[0] + (column + 0.5) * cell[0], dtype=np.float64)
    north = np.asarray(corner[1] + (row + 0.5) * cell[1], dtype=np.float64)
    longitude, latitude = crs.degrees_of(east, north, system)
    position = np.full(len(row), -1, dtype=np.intp)
    tree = shapely.STRtree(zones.geometry)
    # a middle on a border belongs to the zone that comes first
    point, zone = tree.query(shapely.points(longitude, latitude), predicate="intersects")
    order = np.lexsort((-zone, point))
    position[point[order]] = zone[order]
    aside = crs.degrees_of(east[:1] + cell[0], north[:1], system)[0] - longitude[:1]
    below = crs.degrees_of(east[:1], north[:1] + cell[1], system)[1] - latitude[:1]
    size = (float(np.abs(aside).sum()), float(np.abs(below).sum()))
    return Cells(longitude, latitude, weights[row, column], position, len(zones), size)

"""Raster of travel cost (GeoTIFF in degrees) as a Surface: time per metre, or classes of ground.

未検証: no file of a city or of AccessMod was at hand; the layout is that of any GeoTIFF.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from futuremap.core.surface import Surface
from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import crs
from futuremap.sources.limits import Refused
from futuremap.sources.raster import window_around, with_raster

VERIFIED: tuple[str, ...] = ()  # layouts that were read from real files
MAX_CELLS = 500_000  # each has 16 edges: 20 km in cells of 28 m
BEYOND = 2_000.0  # [m]
METRES = 111_320.0  # of a degree, about: the margin need not be exact
SHOWN = 10  # classes in a problem


def read(
    path: Path,
    zones: Zones,
    *,
    credit: str,
    report: Report,
    band: int = 1,
    classes: Mapping[int, float] | None = None,
    beyond: float = BEYOND,
) -> Surface | None:
    """Read what it costs to travel around zones.

    Parameters
    ----------
    path
        GeoTIFF in degrees of JGD2011, JGD2000 or WGS 84. Others are refused rather than
        resampled: a wall one cell thick would get holes without a sign.
    zones
        Areas or points that it must cover.
    credit
        Key of the credit line.
    report
        Takes FM634 (not in degrees), FM635 (impossible costs), FM636 (classes without a cost),
        FM104 for too many cells, and the problems of
        :func:`futuremap.sources.raster.with_raster` and FM551.
    band
        Which band, from 1.
    classes
        Time per metre on each class of a land-use raster, such as ``{7: 0.75}``; classes that
        are not listed cannot be passed. Without it the values are times per metre. [s/m]
    beyond
        How far around the zones ways may lead, as far as the raster goes. [m]

    Returns
    -------
    Surface or None
        Nodata cannot be passed; None if the raster is in doubt.
    """

    def around(raster: Any, system: crs.System) -> Surface:
        if not system.is_degrees:
            raise Refused("FM634", value=f"EPSG:{system.epsg}")
        window = _wider(raster, window_around(raster, zones, system), beyond)
        values = raster.read(band, window=window, masked=True, out_dtype="float64")
        costs = _costs(values, classes)
        grid = raster.transform
        corner = (grid.c + window.col_off * grid.a, grid.f + window.row_off * grid.e)
        _note_unlisted(values, classes, file=path.name, report=report)
        return Surface(costs, *corner, grid.a, -grid.e, (credit,))

    return with_raster(path, around, band=band, report=report)


def _wider(raster: Any, window: Window, beyond: float) -> Window:
    grid = raster.transform
    south = grid.f + (window.row_off + window.height) * grid.e
    degrees = beyond / METRES
    rows = math.ceil(degrees / -grid.e)
    columns = math.ceil(degrees / math.cos(math.radians(south)) / grid.a)
    top, left = max(window.row_off - rows, 0), max(window.col_off - columns, 0)
    bottom = min(window.row_off + window.height + rows, raster.height)
    right = min(window.col_off + window.width + columns, raster.width)
    if (bottom - top) * (right - left) > MAX_CELLS:
        size = f"{right - left} x {bottom - top}"
        raise Refused("FM104", value=size, expected=f"≤ {MAX_CELLS:,} セル/cells")
    return Window(left, top, right - left, bottom - top)


def _costs(
    values: np.ma.MaskedArray[Any, Any],
    classes: Mapping[int, float] | None,
) -> NDArray[np.float64]:
    costs = np.asarray(values.filled(np.nan), dtype=np.float64)
    if classes is not None:
        codes = np.array([*sorted(classes), np.inf])
        given = np.array([*(classes[code] for code in sorted(classes)), np.nan])
        at = np.searchsorted(codes, costs).clip(max=len(codes) - 1)
        costs = np.where(codes[at] == costs, given[at], np.nan)
    bad = (costs <= 0) | np.isinf(costs)
    if bad.any():
        count = int(bad.sum())
        reason = f"0 以下か無限大の値が {count:,} セル / {count:,} cells at or below 0 or infinite"
        raise Refused("FM635", value=f"{costs[bad][0]:g}", reason=reason)
    if np.isnan(costs).all():
        reason = "通れるセルがありません / there is no cell that can be passed"
        raise Refused("FM635", reason=reason)
    return costs


def _note_unlisted(
    values: np.ma.MaskedArray[Any, Any],
    classes: Mapping[int, float] | None,
    *,
    file: str,
    report: Report,
) -> None:
    if classes is None:
        return
    present, count = np.unique(values.compressed(), return_counts=True)
    unlisted = ~np.isin(present, np.array(sorted(classes), dtype=np.float64))
    if unlisted.any():
        shown = ", ".join(f"{code:g}" for code in present[unlisted][:SHOWN])
        report.add("FM636", file=file, value=shown, count=f"{int(count[unlisted].sum()):,}")

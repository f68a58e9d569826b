"""Raster of the ground's altitude (GeoTIFF), such as 基盤地図情報 数値標高モデル, as Terrain.

未検証: no file of 国土地理院 was at hand; the layout is that of any GeoTIFF.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from futuremap.core.terrain import HIGHEST, LOWEST, Terrain
from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import crs
from futuremap.sources.limits import Refused
from futuremap.sources.raster import window_around, with_raster

VERIFIED: tuple[str, ...] = ()  # layouts that were read from real files


def read(
    path: Path,
    zones: Zones,
    *,
    credit: str,
    report: Report,
    band: int = 1,
) -> Terrain | None:
    """Read the altitude of the ground around zones.

    Parameters
    ----------
    path
        GeoTIFF in degrees, or in a plane rectangular system or UTM.
    zones
        Areas that it must cover.
    credit
        Key of the credit line.
    report
        Takes FM703 (values that are no altitudes), FM104 for too many cells, and the problems
        of :func:`futuremap.sources.raster.with_raster` and FM551.
    band
        Which band, from 1.

    Returns
    -------
    Terrain or None
        Nodata is not known; None if the raster is in doubt.
    """

    def around(raster: Any, system: crs.System) -> Terrain:
        window = window_around(raster, zones, system)
        values = raster.read(band, window=window, masked=True, out_dtype="float64")
        altitude = np.asarray(values.filled(np.nan), dtype=np.float64)
        known = altitude[~np.isnan(altitude)]
        wrong = known[~((known >= LOWEST) & (known <= HIGHEST))]
        if wrong.size or not known.size:
            shown = f"{wrong[0]:g}" if wrong.size else "nodata"
            raise Refused("FM703", value=shown, count=f"{max(wrong.size, 1):,}")
        grid = raster.transform
        corner = (grid.c + window.col_off * grid.a, grid.f + window.row_off * grid.e)
        epsg = 6668 if system.is_degrees else system.epsg
        return Terrain(altitude, corner, (grid.a, -grid.e), epsg, (credit,))

    return with_raster(path, around, band=band, report=report)

"""Terrain: the altitude of the ground in the cells of a raster, and its mean below shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from futuremap.errors import LabelError

Floats = NDArray[np.float64]
LATTICE = 20  # points a side over the extent of an area
CHUNK = 2_000  # areas measured at a time
LOWEST, HIGHEST = -100.0, 4_000.0  # of the ground in Japan, with room to spare [m]


@dataclass(frozen=True, eq=False)
class Terrain:
    """Altitudes in cells of equal size, the north-westernmost first.

    Parameters
    ----------
    altitude
        Altitude of each cell ``(R, C)``, NaN where it is not known. [m above sea level]
    corner
        West and north side of the first cell, in the units of the system.
    cell
        Width and height of a cell, both above 0.
    epsg
        Coordinate system of the raster: degrees of JGD2011, or a plane on it.
    sources
        Credit keys of the data.

    Raises
    ------
    LabelError
        If there is no cell, or an altitude is none that the ground has.
    """

    altitude: Floats
    corner: tuple[float, float]
    cell: tuple[float, float]
    epsg: int
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.altitude.ndim != 2 or not self.altitude.size or min(self.cell) <= 0:  # noqa: PLR2004
            raise LabelError(f"no terrain: {self.altitude.shape} cells of {self.cell}")
        known = self.altitude[~np.isnan(self.altitude)]
        if known.size and not (known.min() >= LOWEST and known.max() <= HIGHEST):
            raise LabelError(f"altitudes from {known.min()} to {known.max()} m")
        self.altitude.flags.writeable = False

    def at(self, longitude: Floats, latitude: Floats) -> Floats:
        """Altitude of the cells in which points lie; NaN outside or where it is not known. [m]

        Examples
        --------
        >>> hill = Terrain(np.array([[10.0, 30.0]]), (133.0, 34.5), (0.1, 0.1), 6668)
        >>> hill.at(np.array([133.05, 133.15, 133.25]), np.full(3, 34.45)).tolist()
        [10.0, 30.0, nan]
        """
        east, north = longitude, latitude
        projection = pyproj.Proj(self.epsg)
        if not projection.crs.is_geographic:
            east, north = projection(longitude, latitude)
        column = np.floor((np.asarray(east) - self.corner[0]) / self.cell[0])
        row = np.floor((self.corner[1] - np.asarray(north)) / self.cell[1])
        rows, columns = self.altitude.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        found = np.full(np.shape(inside), np.nan)
        found[inside] = self.altitude[row[inside].astype(np.intp), column[inside].astype(np.intp)]
        return found

    def below(self, shapes: NDArray[np.object_]) -> Floats:
        """Mean altitude below areas, or that of points, in degrees ``(N,)``. [m]

        Parameters
        ----------
        shapes
            Areas and points; of areas as many as 400 points are looked at.

        Returns
        -------
        ndarray
            NaN where the terrain is not known anywhere below the shape, or there is no shape.

        Examples
        --------
        >>> hill = Terrain(np.array([[10.0, 30.0]]), (133.0, 34.5), (0.1, 0.1), 6668)
        >>> area, hall = shapely.box(133.05, 34.41, 133.15, 34.49), shapely.Point(133.01, 34.45)
        >>> hill.below(np.array([area, hall])).tolist()
        [20.0, 10.0]
        """
        found = np.full(len(shapes), np.nan)
        there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
        for start in range(0, len(there), CHUNK):
            here = there[start : start + CHUNK]
            found[here] = self._means(shapes[here])
        return found

    def _means(self, shapes: NDArray[np.object_]) -> Floats:
        west, south, east, north = shapely.bounds(shapes).T[:, :, None]
        step = (np.arange(LATTICE) + 0.5) / LATTICE
        across, along = (part.ravel() for part in np.meshgrid(step, step))
        x, y = west + (east - west) * across, south + (north - south) * along
        shapely.prepare(shapes)
        inside = shapely.intersects_xy(shapes[:, None], x, y)
        altitude = np.where(inside, self.at(x, y), np.nan)
        known = np.isfinite(altitude)
        count = known.sum(axis=1)
        mean = np.full(len(shapes), np.nan)
        np.divide(np.where(known, altitude, 0.0).sum(axis=1), count, out=mean, where=count > 0)
        thin = np.flatnonzero(count == 0)
        middle = shapely.get_coordinates(shapely.point_on_surface(shapes[thin]))
        mean[thin] = self.at(middle[:, 0], middle[:, 1])
        return mean

"""Surface: what it costs to travel over each cell of a raster of degrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import LabelError

POLE = 90.0  # degrees


@dataclass(frozen=True, eq=False)
class Surface:
    """Time per metre in cells of equal width and height, the north-westernmost first.

    Parameters
    ----------
    values
        Time per metre in each cell ``(R, C)``, NaN where nobody can pass. [s/m]
    west, north
        Corner of the first cell in EPSG:6668. [degrees]
    width, height
        Of each cell. [degrees]
    sources
        Credit keys of the data.

    Raises
    ------
    LabelError
        If there is no cell, a value is neither above 0 nor NaN, or the cells do not lie on
        the Earth.

    Examples
    --------
    Walking at 4.8 km/h takes 0.75 s a metre:

    >>> ground = Surface(np.full((2, 3), 0.75), 133.0, 34.5, 0.001, 0.001)
    >>> [round(degrees, 4) for degrees in ground.latitude.tolist()]
    [34.4995, 34.4985]
    """

    values: NDArray[np.float64]
    west: float
    north: float
    width: float
    height: float
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or not self.values.size:  # noqa: PLR2004 - (R, C)
            raise LabelError(f"a surface of shape {self.values.shape} has no cells")
        bad = ~np.isnan(self.values) & ~((self.values > 0) & np.isfinite(self.values))
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise LabelError(
                f"{self.values[row, column]} s/m in row {row}, column {column}; "
                f"{int(bad.sum())} values are neither above 0 nor NaN",
            )
        south = self.north - self.height * self.values.shape[0]
        if not (self.width > 0 and self.height > 0 and -POLE <= south < self.north <= POLE):
            raise LabelError(
                f"cells of {self.width} x {self.height} degrees from {south} to {self.north}",
            )
        self.values.flags.writeable = False

    @property
    def shape(self) -> tuple[int, int]:
        """Count of rows and columns (R, C)."""
        rows, columns = self.values.shape
        return rows, columns

    @property
    def longitude(self) -> NDArray[np.float64]:
        """Middle of each column ``(C,)``. [degrees]"""
        return np.asarray(self.west + (np.arange(self.shape[1]) + 0.5) * self.width)

    @property
    def latitude(self) -> NDArray[np.float64]:
        """Middle of each row ``(R,)``. [degrees]"""
        return np.asarray(self.north - (np.arange(self.shape[0]) + 0.5) * self.height)

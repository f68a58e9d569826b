"""Zones: areas or points with an id, a name and a municipality, in one reference system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from futuremap.errors import CrsError, LabelError

Kind = Literal["municipality", "town_block", "mesh", "facility", "district", "place"]
GEOGRAPHIC = 6668  # JGD2011, degrees: the system of every stored geometry
PLANE_ZONES = range(1, 20)  # 平面直角座標系 I–XIX
# 平成14年国土交通省告示第9号: plane zones of each prefecture, by the two digits of its code
PREFECTURE_ZONES: dict[str, tuple[int, ...]] = {
    "01": (11, 12, 13),
    **dict.fromkeys(("02", "03", "04", "05", "06"), (10,)),
    **dict.fromkeys(("07", "08", "09", "10", "11", "12", "14"), (9,)),
    "13": (9, 14, 18, 19),
    **dict.fromkeys(("15", "19", "20", "22"), (8,)),
    **dict.fromkeys(("16", "17", "21", "23"), (7,)),
    **dict.fromkeys(("18", "24", "25", "26", "27", "29", "30"), (6,)),
    **dict.fromkeys(("28", "31", "33"), (5,)),
    **dict.fromkeys(("36", "37", "38", "39"), (4,)),
    **dict.fromkeys(("32", "34", "35"), (3,)),
    **dict.fromkeys(("40", "41", "43", "44", "45"), (2,)),
    "42": (1,),
    "46": (1, 2),
    "47": (15, 16, 17),
}


def plane_epsg(zone: int) -> int:
    """EPSG code of a Japanese plane rectangular system on JGD2011.

    Raises
    ------
    CrsError
        If the zone is not 1 to 19.

    Examples
    --------
    >>> plane_epsg(4)  # 香川県
    6672
    """
    if zone not in PLANE_ZONES:
        raise CrsError(f"plane rectangular zone {zone} does not exist; zones are 1 to 19")
    return 6668 + zone


def by_parent(parents: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """Parents in the order in which they first stand, and the position of each zone's.

    Examples
    --------
    >>> codes, position = by_parent(["34204", "34204", "14384"])
    >>> codes, position.tolist()
    (['34204', '14384'], [0, 0, 1])
    """
    position, codes = pd.factorize(np.asarray(parents, dtype=object))
    return [str(code) for code in codes], np.asarray(position, dtype=np.intp)


def plane_distortion(shapes: NDArray[np.object_], plane_zone: int) -> float:
    """Largest error of lengths measured in a plane zone, over the corners of shapes in degrees.

    Examples
    --------
    >>> import numpy as np
    >>> town = np.array([shapely.box(133.0, 34.3, 133.2, 34.5)])  # 三原市
    >>> plane_distortion(town, 3) < 1e-4, round(plane_distortion(town, 9), 3)
    (True, 0.005)
    """
    west, south, east, north = shapely.total_bounds(shapes)
    projection = pyproj.Proj(plane_epsg(plane_zone))
    factors = projection.get_factors(np.array([west, west, east, east]), [south, north] * 2)
    scales = np.concatenate([factors.meridional_scale, factors.parallel_scale])
    return float(np.abs(scales - 1).max())


@dataclass(frozen=True, eq=False)
class Zones:
    """Zones in a fixed order.

    Parameters
    ----------
    frame
        GeoDataFrame indexed by zone id (text), with columns ``name``, ``parent`` (code of
        the municipality) and ``geometry`` in EPSG:6668.
    kind
        What the zones are.
    plane_zone
        Plane rectangular zone in which their lengths and areas are measured (1 to 19).
    notes
        What a reader of a map of these zones must know, as (Japanese, English).
    sources
        Credit keys of the data they were made from.
    """

    frame: gpd.GeoDataFrame
    kind: Kind
    plane_zone: int
    notes: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.frame.crs is None or self.frame.crs.to_epsg() != GEOGRAPHIC:
            raise CrsError(f"zones are stored in EPSG:{GEOGRAPHIC}, got {self.frame.crs}")
        if self.frame.index.has_duplicates:
            repeated = self.frame.index[self.frame.index.duplicated()][:5].tolist()
            raise LabelError(f"zone ids repeat: {repeated}")
        missing = {"name", "parent"} - set(self.frame.columns)
        if missing:
            raise LabelError(f"zones lack the columns {sorted(missing)}")
        _ = plane_epsg(self.plane_zone)

    @classmethod
    def build(
        cls,
        ids: Sequence[str],
        geometry: NDArray[np.object_] | Sequence[shapely.Geometry],
        *,
        names: Sequence[str],
        parents: Sequence[str],
        kind: Kind,
        plane_zone: int,
        notes: tuple[tuple[str, str], ...] = (),
        sources: Sequence[str] = (),
    ) -> Zones:
        """Zones from columns of equal length, geometry in EPSG:6668 (longitude, latitude)."""
        frame = gpd.GeoDataFrame(
            {"name": np.asarray(names, dtype=object), "parent": np.asarray(parents, dtype=object)},
            index=np.asarray(ids, dtype=object),
            geometry=np.asarray(geometry, dtype=object),
            crs=GEOGRAPHIC,
        )
        frame.index.name = "zone"
        return cls(frame, kind, plane_zone, notes, tuple(sorted(set(sources))))

    def __len__(self) -> int:
        """Count of zones (Z)."""
        return len(self.frame)

    @property
    def ids(self) -> tuple[str, ...]:
        """Zone ids in order."""
        return tuple(self.frame.index.tolist())

    @property
    def names(self) -> tuple[str, ...]:
        """Zone names in order."""
        return tuple(self.frame["name"])

    @property
    def geometry(self) -> NDArray[np.object_]:
        """Shapes in EPSG:6668, longitude first."""
        shapes: NDArray[np.object_] = self.frame.geometry.to_numpy()
        return shapes

    def plane_geometry(self) -> NDArray[np.object_]:
        """Shapes in the zones' own plane rectangular system. [m]"""
        shapes: NDArray[np.object_] = self.frame.geometry.to_crs(
            plane_epsg(self.plane_zone),
        ).to_numpy()
        return shapes

    def areas(self) -> NDArray[np.float64]:
        """Area of each zone ``(Z,)``. [m^2]"""
        return np.asarray(shapely.area(self.plane_geometry()), dtype=np.float64)


def join(parts: Sequence[Zones]) -> Zones:
    """Zones of one kind and one plane zone, as one.

    Raises
    ------
    LabelError
        If kinds or plane zones differ, or an id stands twice.
    """
    first = parts[0]
    if any((part.kind, part.plane_zone) != (first.kind, first.plane_zone) for part in parts):
        raise LabelError("zones to join differ in kind or plane zone")
    frame = gpd.GeoDataFrame(pd.concat([part.frame for part in parts]), crs=GEOGRAPHIC)
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    sources = tuple(sorted({source for part in parts for source in part.sources}))
    return Zones(frame, first.kind, first.plane_zone, notes, sources)

"""Coordinate systems of files: decided from what the file declares, never guessed.

JGD2011, JGD2000 and WGS 84 are one system to us: their degrees are used unchanged (null
transform), and the stated accuracy says what that costs. The plane rectangular systems and UTM
on them are turned into degrees by their exact formulas, so no grid and no network is needed.
Tokyo Datum is refused with the distance by which it would be off at the place.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from futuremap.sources import cells
from futuremap.sources.limits import Refused

Datum = Literal["JGD2011", "JGD2000", "WGS 84"]
# EPSG codes that are taken, by datum: degrees, plane rectangular I–XIX, UTM 51–55 (WGS: –56)
SYSTEMS: dict[Datum, tuple[int, ...]] = {
    "JGD2011": (6668, *range(6669, 6688), *range(6688, 6693)),
    "JGD2000": (4612, *range(2443, 2462), *range(3097, 3102)),
    "WGS 84": (4326, *range(32651, 32657), 3857),
}
ACCURACY: dict[Datum, float] = {"JGD2011": 0.0, "JGD2000": 1.0, "WGS 84": 1.0}  # [m]
TOKYO = (4301, *range(30161, 30180), *range(3092, 3097))
CHUNK = 10_000  # shapes converted at a time
LONGEST_WKT = 20_000  # characters; the longest of the systems above takes 2,000
# 世界測地系 and 旧日本測地系: metres between the centres of GRS 80 and of Bessel's ellipsoid
_TOKYO_TO_JGD = pyproj.Transformer.from_pipeline(
    "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
    "+step +proj=cart +ellps=bessel +step +proj=helmert +x=-146.414 +y=507.337 +z=680.507 "
    "+step +inv +proj=cart +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)
_EPSG = re.compile(
    r"(?:(?:urn:(?:x-)?ogc:def:crs:)?EPSG:{1,2}(?:[0-9.]*:)?"
    r"|https?://www\.opengis\.net/def/crs/EPSG/[0-9.]+/)([0-9]{4,5})",
    re.IGNORECASE,
)
_CRS84 = re.compile(r".*OGC[:/][0-9.]*[:/]?CRS8[34]", re.IGNORECASE)
PRJ_JGD2011 = (
    'GEOGCS["GCS_JGD_2011",DATUM["D_JGD_2011",SPHEROID["GRS_1980",6378137.0,298.257222101]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


class System(NamedTuple):
    """A coordinate system that is taken.

    epsg
        Its EPSG code.
    datum
        Geodetic datum that it stands on.
    accuracy
        How far its degrees may be from those of JGD2011. JGD2000 and WGS 84 agree within this,
        but for the ground that the earthquake of 2011 moved (up to 5 m). [m]
    """

    epsg: int
    datum: Datum
    accuracy: float

    @property
    def is_degrees(self) -> bool:
        """Whether coordinates are longitude and latitude, not metres."""
        return self.epsg in {6668, 4612, 4326}

    def note(self) -> tuple[str, str]:
        """Which system the file is in and how exact that is, in Japanese and English."""
        return (
            f"座標系 {self.datum}（EPSG:{self.epsg}）、位置の精度 {self.accuracy:g} m",
            f"coordinates in {self.datum} (EPSG:{self.epsg}), accurate to {self.accuracy:g} m",
        )


def from_epsg(code: int, *, written: str = "", around: tuple[float, float] | None = None) -> System:
    """The system with an EPSG code.

    Parameters
    ----------
    code
        EPSG code.
    written
        How the file names it, for the problem.
    around
        A place in the coordinates of the file (x, y), where the shift of Tokyo Datum is stated.

    Raises
    ------
    Refused
        FM542 for Tokyo Datum, FM540 for all others that are not taken.

    Examples
    --------
    >>> from_epsg(2450).datum, from_epsg(6672).accuracy
    ('JGD2000', 0.0)
    """
    for datum, codes in SYSTEMS.items():
        if code in codes:
            return System(code, datum, ACCURACY[datum])
    written = written or f"EPSG:{code}"
    if code in TOKYO:
        raise _tokyo(pyproj.CRS.from_epsg(code), written, around)
    reason = "日本で使う座標系として知られていません / it is not one of the systems used in Japan"
    raise Refused("FM540", value=written, reason=reason)


def parse(written: str, *, file: str, around: tuple[float, float] | None = None) -> System:
    """The system that a file declares, as a code, an URN, or WKT (the text of a .prj).

    Parameters
    ----------
    written
        What the file says; empty if it says nothing.
    file
        Where it should stand, for the problem (such as "town.prj").
    around
        A place in the coordinates of the file (x, y).

    Raises
    ------
    Refused
        FM541 if nothing is declared, FM542 for Tokyo Datum, FM540 for what is not known.

    Examples
    --------
    >>> parse("urn:ogc:def:crs:EPSG::6668", file="a.geojson").epsg
    6668
    >>> parse(PRJ_JGD2011, file="a.prj").datum
    'JGD2011'
    """
    plain = written.strip().strip("\0\ufeff").strip()
    if not plain:
        raise Refused("FM541", prj=file, wkt=PRJ_JGD2011)
    if found := _EPSG.fullmatch(plain):
        return from_epsg(int(found[1]), written=plain, around=around)
    if _CRS84.fullmatch(plain):
        return from_epsg(4326)
    return _from_wkt(plain, around)


def _from_wkt(plain: str, around: tuple[float, float] | None) -> System:
    shown = plain[:80]
    reason = "座標系の書き方が読めません / it is not written in a known way (WKT or EPSG code)"
    # only the text itself is parsed: anything else could be taken for an address to open
    if len(plain) > LONGEST_WKT or not re.match(r"[A-Z_0-9]+\s*[\[(]", plain, re.IGNORECASE):
        raise Refused("FM540", value=shown, reason=reason)
    try:
        system: Any = pyproj.CRS.from_wkt(plain)
    except (pyproj.exceptions.CRSError, ValueError, RecursionError) as error:
        raise Refused("FM540", value=shown, reason=reason) from error
    if system.is_bound:  # a TOWGS84 beside it tells nothing about the system itself
        system = system.source_crs
    if system.is_compound:
        system = system.sub_crs_list[0]
    name = f"{system.name} {system.geodetic_crs.name if system.geodetic_crs else ''}"
    ellipsoid = system.ellipsoid.name if system.ellipsoid else ""
    if "tokyo" in name.casefold() or "bessel" in ellipsoid.casefold():
        raise _tokyo(system, system.name, around)
    code = _epsg_of(system)
    if code is None:
        reason = (
            f"名前か定数が EPSG のどの座標系とも合いません（{system.name}） / "
            f"its name or constants match no EPSG system ({system.name})"
        )
        raise Refused("FM540", value=shown, reason=reason)
    return from_epsg(code, written=system.name, around=around)


def _epsg_of(system: Any) -> int | None:
    code: int | None = system.to_epsg()
    if code is None and system.is_projected:
        # WKT of GeoServer and others leaves out the axes; shapes are x, y whatever they are
        code = system.to_epsg(min_confidence=25)
        return (
            code if code and _constants(pyproj.CRS.from_epsg(code)) == _constants(system) else None
        )
    return code


def _constants(system: Any) -> tuple[object, ...]:
    operation = system.coordinate_operation
    numbers = {
        entry.name: round(entry.value * (entry.unit_conversion_factor or 1.0), 9)
        for entry in operation.params
    }
    return system.geodetic_crs.to_epsg(), operation.method_name, numbers


def _tokyo(system: Any, written: str, around: tuple[float, float] | None) -> Refused:
    shift = "400–500" if around is None else f"{tokyo_shift(*_degrees(system, around)):.0f}"
    return Refused("FM542", value=written, shift=shift)


def _degrees(system: Any, around: tuple[float, float]) -> tuple[float, float]:
    if system.is_geographic or system.geodetic_crs is None:
        return around
    convert = pyproj.Transformer.from_crs(system, system.geodetic_crs, always_xy=True)
    longitude, latitude = convert.transform(*around)
    return float(longitude), float(latitude)


def tokyo_shift(longitude: float, latitude: float) -> float:
    """Distance by which degrees of Tokyo Datum are off when taken for JGD. [m]

    Examples
    --------
    >>> round(tokyo_shift(133.08, 34.40))  # 三原市
    430
    """
    east, north = _TOKYO_TO_JGD.transform(longitude, latitude)[:2]
    return float(pyproj.Geod(ellps="GRS80").inv(longitude, latitude, east, north)[2])


def to_degrees(shapes: NDArray[np.object_], system: System) -> NDArray[np.object_]:
    """Shapes in longitude and latitude, without heights.

    Parameters
    ----------
    shapes
        Shapes in the system, x (east) first; None where there is none ``(N,)``.
    system
        Their system.

    Examples
    --------
    >>> here = to_degrees(np.array([shapely.Point(0, 0, 5)]), from_epsg(6672))[0]
    >>> round(here.x, 6), round(here.y, 6), here.has_z  # 第IV系の原点
    (133.5, 33.0, False)
    """
    flat = np.asarray(shapely.force_2d(shapes), dtype=object)
    if system.is_degrees:
        return flat
    convert = _inverse(system)
    for start in range(0, len(flat), CHUNK):  # the corners of all at once would fill the memory
        part = slice(start, start + CHUNK)
        flat[part] = shapely.transform(
            flat[part], lambda xy: np.column_stack(convert.transform(xy[:, 0], xy[:, 1]))
        )
    return flat


def from_degrees(
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    system: System,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places in the coordinates of a system, x (east) first; the way back of `to_degrees`."""
    if system.is_degrees:
        return longitude, latitude
    east, north = _inverse(system).transform(longitude, latitude, direction="INVERSE")
    return np.asarray(east), np.asarray(north)


def degrees_of(
    east: NDArray[np.float64],
    north: NDArray[np.float64],
    system: System,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of places in the coordinates of a system."""
    if system.is_degrees:
        return east, north
    longitude, latitude = _inverse(system).transform(east, north)
    return np.asarray(longitude), np.asarray(latitude)


def _inverse(system: System) -> pyproj.Transformer:
    # from the projection to the degrees of its own datum: formulas only, nothing is shifted
    projected = pyproj.CRS.from_epsg(system.epsg)
    return pyproj.Transformer.from_crs(projected, projected.geodetic_crs, always_xy=True)


def middle(shapes: NDArray[np.object_]) -> tuple[float, float] | None:
    """Median of the middles of shapes, x and y each for itself; None if none is finite.

    A few shapes at a wrong place, such as (0, 0), do not move it.

    Examples
    --------
    >>> middle(np.array([shapely.Point(1, 2), None, shapely.Point(3, 4), shapely.Point(0, 0)]))
    (1.0, 2.0)
    """
    corners = shapely.bounds(shapes)
    middles = ((corners[:, :2] + corners[:, 2:]) / 2)[np.isfinite(corners).all(axis=1)]
    if not len(middles):
        return None
    east, north = np.median(middles, axis=0)
    return float(east), float(north)


def check_place(
    degrees: NDArray[np.object_],
    raw: NDArray[np.object_],
    system: System,
    *,
    near: tuple[float, float, float, float] | None = None,
) -> None:
    """Notice exchanged axes and a wrong system by where most of the shapes come to lie.

    Parameters
    ----------
    degrees
        Shapes as longitude and latitude ``(N,)``.
    raw
        The same as they stand in the file ``(N,)``.
    system
        The system that the file declares.
    near
        West, south, east, north of the municipality, in degrees, if it is known. Plane
        coordinates with x and y exchanged still lie in Japan, so only this tells them.

    Raises
    ------
    Refused
        FM543 if the shapes come right once x and y are exchanged, FM574 if they do not.
    """
    found = middle(raw)
    if found is None or _is_here(degrees, near):
        return
    shown = f"{found[0]:.10g}, {found[1]:.10g}"
    exchanged = shapely.transform(raw, lambda xy: xy[:, ::-1])
    if _is_here(to_degrees(exchanged, system), near):
        raise Refused("FM543", value=shown, system=f"{system.datum} (EPSG:{system.epsg})")
    raise Refused("FM574", value=shown, name=f"EPSG:{system.epsg}")


def _is_here(
    degrees: NDArray[np.object_],
    near: tuple[float, float, float, float] | None,
) -> bool:
    place = middle(degrees)
    if place is None or cells.place(place[1], place[0]) is not cells.Place.JAPAN:
        return False
    if near is None:
        return True
    # from bounds, as the envelope of corners that are no numbers is no shape
    west, south, east, north = shapely.bounds(degrees).T
    touches = (west <= near[2]) & (east >= near[0]) & (south <= near[3]) & (north >= near[1])
    return bool(touches.any())

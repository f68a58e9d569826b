"""Shapes on trial: boundaries, outlines, districts, points, mesh projections, rasters.

Told apart by the names of their values; shapes are read by the same guarded readers as in a run.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from futuremap.problems import Report
from futuremap.sources import (
    boundary,
    dbf,
    districts,
    ksj_mesh,
    ksj_mesh_columns,
    ksj_points,
    outline_file,
)
from futuremap.sources import outline as outlines
from futuremap.sources.features import Features, read_features
from futuremap.sources.limits import Refused
from futuremap.sources.raster import ENVIRONMENT
from futuremap.sources.recognised import (
    TOO_LARGE,
    Clues,
    Kind,
    Lack,
    Place,
    Recognised,
    faults,
    reason_of,
    recognised,
)
from futuremap.sources.vector import AREA_TYPES, Town, texts

ANYWHERE = 9  # a plane zone for trial readings, in which nothing is measured
EDITION_YEARS = {"H22KA": 2010, "H27KA": 2015, "R2KA": 2020}
UNVERIFIED = {"ksj_mesh", "ksj_points", "districts"}  # layouts never read from a real file
MOST_POINTS = 1_500  # of a file that does not say to which town they belong
MOST_TWICE = 3 * 2**20  # bytes of a GeoJSON that is read again by its own reader
SHOWN = 6  # names of values shown of a file that is not known
_YEAR = re.compile(r"(?:PTN|PT[0-9]{1,2})_?([0-9]{4})")
_NAME = re.compile(rb'"([A-Za-z][A-Za-z0-9_]{1,30})"\s*:')


def shapes(path: Path, head: bytes, *, whole: bool) -> Recognised:
    """What a GeoJSON, Shapefile (or a zip of one) or GeoPackage is.

    Parameters
    ----------
    path
        The file.
    head
        Its first bytes, unpacked.
    whole
        Whether it is small enough to be read.
    """
    report = Report()
    features = read_features(path, report=report) if whole else None
    if features is None:
        lack = reason_of(report) if whole else TOO_LARGE
        kind = _kind(set(_names(path, head)))
        if kind == "vector" and whole:
            kind = "unknown"
        return recognised(path, kind, lacks=(lack,), verified=kind not in UNVERIFIED)
    return READERS[_kind(set(features.fields))](path, features)


def _kind(names: set[str]) -> Kind:
    plain = {name.removesuffix("_ja").removesuffix("_name") for name in names}
    if {ksj_mesh_columns.ID, ksj_mesh_columns.TOWN} <= names:
        return "ksj_mesh"
    if {boundary.KEY, boundary.NAME} <= names:
        return "boundary"
    if outlines.CODE in names:
        return "outline"
    if any(set(known.columns) <= names for known in districts.KNOWN):
        return "districts"
    if any(set(edition.columns.values()) <= plain for edition in ksj_points.EDITIONS):
        return "ksj_points"
    return "vector"


def _names(path: Path, head: bytes) -> list[str]:
    table = path.with_suffix(".dbf")
    if path.suffix.lower() == ".shp" and table.is_file():
        try:
            return dbf.Table(lambda: table.open("rb")).names
        except Refused:
            return []
    return [name.decode("ascii") for name in _NAME.findall(head)]


def _boundary(path: Path, features: Features) -> Recognised:
    keys = texts(features.fields[boundary.KEY])
    wet = np.zeros(len(keys), dtype=bool)
    if boundary.KIND in features.fields:
        wet = texts(features.fields[boundary.KIND]) == boundary.WATER
    codes = sorted({key[:5] for key in keys if key})
    names = [_of_code(features, "CITY_NAME", keys, code) for code in codes]
    people, report, tried = None, Report(), _is_light(path)
    if len(codes) == 1 and tried:
        town = Town(codes[0], ANYWHERE)
        found = boundary.read(path, town=town, credit="", report=report)
        people = None if found.persons is None else float(np.nansum(found.persons))
    plain = " ".join(features.fields).upper()
    years = tuple(year for edition, year in EDITION_YEARS.items() if f"{edition}" in plain)
    return recognised(
        path,
        "boundary",
        years=years[:1],
        zones=len(set(keys[~wet]) - {""}),
        people=people,
        lacks=faults(report),
        verified=years[:1] == (EDITION_YEARS["H27KA"],),
        clues=Clues(
            tried=tried,
            towns=tuple(map(Place, codes, names)),
            located=True,
            middle=_middle(features.geometry),
        ),
    )


def _is_light(path: Path) -> bool:
    # text is slow to read, and is packed if it ends so
    is_text = path.suffix.lower() in {".geojson", ".json"}
    return path.suffix.lower() != ".gz" and not (is_text and path.stat().st_size > MOST_TWICE)


def _of_code(features: Features, field: str, keys: NDArray[np.object_], code: str) -> str:
    if field not in features.fields:
        return ""
    named = texts(features.fields[field])
    return next((n for n, key in zip(named, keys, strict=True) if key.startswith(code) and n), "")


def _outline(path: Path, features: Features) -> Recognised:
    codes = np.array([text.zfill(5) for text in texts(features.fields[outlines.CODE])], dtype=str)
    names = texts(features.fields.get(outlines.NAME, features.fields[outlines.CODE]))
    first = {code: name for code, name in zip(codes[::-1], names[::-1], strict=True) if code}
    towns = tuple(Place(code, first[code]) for code in sorted(first))
    lacks: tuple[Lack, ...] = ()
    if len(towns) == 1 and _is_light(path):
        report = Report()
        outline_file.read(path, code=towns[0].code, plane_zone=ANYWHERE, name="", credit="",
                      report=report)  # fmt: skip
        lacks = faults(report)
    clues = Clues(towns=towns, located=True, middle=_middle(features.geometry))
    return recognised(path, "outline", zones=len(towns), lacks=lacks, clues=clues)


def _districts(path: Path, features: Features) -> Recognised:
    known = next(one for one in districts.KNOWN if set(one.columns) <= set(features.fields))
    parents = features.fields.get(known.layout.parent) if known.layout.parent else None
    codes = [] if parents is None else sorted({text.zfill(5)[:5] for text in texts(parents)})
    report = Report()
    town = Town(codes[0] if codes else "00000", ANYWHERE)
    tried = _is_light(path)
    if tried:
        districts.read(path, town=town, credit="", report=report)
    zones = len(set(texts(features.fields[known.layout.key])))
    return recognised(
        path,
        "districts",
        zones=zones,
        lacks=faults(report),
        verified=known.title in districts.VERIFIED,
        clues=Clues(
            tried=tried,
            towns=tuple(map(Place, codes)),
            middle=_middle(features.geometry),
            detail=known.title,
        ),
    )


def _points(path: Path, features: Features) -> Recognised:
    plain = {name.removesuffix("_ja").removesuffix("_name"): name for name in features.fields}
    fitting = ksj_points.editions_of(features)
    fitting = fitting or [
        one for one in ksj_points.EDITIONS if set(one.columns.values()) <= set(plain)
    ]
    edition = fitting[0]
    code = plain.get(edition.columns.get("code", ""))
    codes = sorted({text.zfill(5)[:5] for text in texts(features.fields[code])}) if code else []
    report = Report()
    town = Town(codes[0] if codes else "00000", ANYWHERE)
    tried = _is_light(path) and (bool(codes) or len(features.geometry) <= MOST_POINTS)
    if tried:
        ksj_points.read(
            path, facility_class="trial", town=town, credit="", base_year=9999, report=report
        )
    title = edition.title if len(fitting) == 1 else edition.title.rpartition(" ")[0]
    return recognised(
        path,
        "ksj_points",
        zones=len(features.geometry),
        lacks=faults(report),
        verified=ksj_points.VERIFIED,
        clues=Clues(
            tried=tried,
            towns=tuple(map(Place, codes)),
            middle=_middle(features.geometry),
            detail=title,
            form="ksj",
        ),
    )


def _mesh(path: Path, features: Features) -> Recognised:
    years = {int(said[1]) for name in features.fields if (said := _YEAR.fullmatch(name))}
    towns = texts(features.fields[ksj_mesh_columns.TOWN])
    codes = sorted({text.zfill(5) for text in towns} - {"00000"})
    report = Report()
    found, tried = None, _is_light(path) and bool(codes)
    if tried:
        found = ksj_mesh.read(path, codes=codes[:1], credit="", report=report)
    people = None if found is None or len(codes) > 1 else float(found.totals[-1].sum())
    return recognised(
        path,
        "ksj_mesh",
        years=tuple(sorted(years)),
        zones=len(features.geometry),
        people=people,
        lacks=faults(report),
        verified=ksj_mesh.VERIFIED,
        clues=Clues(tried=tried, towns=tuple(map(Place, codes)), middle=_middle(features.geometry)),
    )


def _vector(path: Path, features: Features) -> Recognised:
    geometry = features.geometry
    drawn = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    are_areas = np.isin(shapely.get_type_id(geometry[drawn]), AREA_TYPES)
    names = "、".join(list(features.fields)[:SHOWN])
    keys = [n for n, v in features.fields.items() if len(set(texts(v)) - {""}) == len(v)]
    if not drawn.any() or not are_areas.any():
        lack = ("面ではありません（点か線）", "there are no areas in it, but points or lines")
    elif not keys:
        lack = ("どの図形も区別できる列がありません", "no column tells its shapes apart")
    else:
        lack = (
            f"鍵の列を指定してください（候補：{'、'.join(keys[:SHOWN])}）",
            f"name its key column (perhaps {', '.join(keys[:SHOWN])})",
        )
    clues = Clues(middle=_middle(geometry[drawn]), detail=names)
    return recognised(path, "vector", zones=len(geometry), lacks=(lack,), clues=clues)


def _middle(geometry: NDArray[np.object_]) -> tuple[float, float] | None:
    if not geometry.size:
        return None
    west, south, east, north = shapely.total_bounds(geometry).tolist()
    middle = (west + east) / 2, (south + north) / 2
    return None if np.isnan(middle).any() else middle


def raster_file(path: Path) -> Recognised:
    """What a TIFF is; only its head is read, with GDAL's own driver and nothing beside it."""
    try:
        with (
            warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
            rasterio.Env(**ENVIRONMENT),
            rasterio.open(path.resolve(), driver="GTiff", sharing=False) as raster,
        ):
            size, system = f"{raster.width:,} × {raster.height:,}", raster.crs
    except (RasterioError, ValueError) as error:
        said = type(error).__name__
        lack = (f"FM102：GeoTIFF が壊れています（{said}）", f"FM102: a broken GeoTIFF ({said})")
        return recognised(path, "unknown", lacks=(lack,))
    lacks: tuple[Lack, ...] = ()
    if system is None:
        lacks = (("座標系がありません", "it says no coordinate system"),)
    return recognised(path, "raster", lacks=lacks, clues=Clues(detail=size))


READERS: dict[Kind, Callable[[Path, Features], Recognised]] = {
    "boundary": _boundary,
    "outline": _outline,
    "districts": _districts,
    "ksj_points": _points,
    "ksj_mesh": _mesh,
    "vector": _vector,
}

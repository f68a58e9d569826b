"""Outlines of municipalities: 国土数値情報 行政区域 (N03) as GeoJSON.

Read with the standard library: GDAL would decide by itself what the file is, and may follow
addresses written in it. A GeoJSON without ``crs`` is in WGS 84 degrees, and one in JGD2000 or
JGD2011 is taken as it is too: between these three the coordinates are used unchanged (null
transform), which is within a metre but for the ground that the 2011 earthquake moved. Tokyo
datum is refused, being off by about 430 m without a grid to convert it exactly.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape

from futuremap.core.zones import Zones
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.cells import Place
from futuremap.sources.encodings import decode
from futuremap.sources.files import read_bytes
from futuremap.sources.limits import Refused

AREAS = (shapely.Polygon, shapely.MultiPolygon)
CODE, NAME = "N03_007", "N03_004"
SAME_DEGREES = {"4326", "4612", "6668", "CRS84", "CRS83"}
TOKYO_DATUM = {"4301", *map(str, range(30161, 30180))}
LARGEST_CHANGE = 0.001  # of the area, by which mending a shape may alter it
_CRS = re.compile(
    r"(?:EPSG:{1,2}(?:[0-9.]*:)?([0-9]{4,5})|OGC:[0-9.]*:?(CRS8[34]))$", re.IGNORECASE
)


def read(
    path: Path,
    *,
    code: str,
    plane_zone: int,
    name: str,
    credit: str,
    report: Report,
) -> Zones | None:
    """Read the outline of one municipality as one zone.

    Parameters
    ----------
    path
        GeoJSON with the properties N03_007 (code) and N03_004 (name).
    code
        Code of the municipality; becomes the zone id.
    plane_zone
        Plane rectangular zone of the municipality.
    name
        Its name, used where the file has none.
    credit
        Key of the credit line.
    report
        Takes FM101 to FM104 and FM522 to FM530.

    Returns
    -------
    Zones or None
        One zone, the union of all shapes of the code; None if any of them is in doubt.
    """
    try:
        features = _features(path, code)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None
    titles = [cells.text(feature["properties"].get(NAME)) for feature in features]
    title = next(filter(None, titles), name)
    parts = [_polygon(feature, title, path, report) for feature in features]
    sound = [part for part in parts if part is not None]
    if len(sound) != len(parts):
        return None
    outline = shapely.union_all(sound)
    return Zones.build(
        [code],
        np.array([outline], dtype=object),
        names=[title],
        parents=[code],
        kind="municipality",
        plane_zone=plane_zone,
        sources=[credit],
    )


def _features(path: Path, code: str) -> list[dict[str, Any]]:
    collection = feature_collection(decode(read_bytes(path)))
    _check_crs(collection)
    features = [feature for feature in collection["features"] if _code(feature) == code]
    if not features:
        raise Refused("FM525", value=code)
    return features


def feature_collection(text: str) -> dict[str, Any]:
    """The features of a GeoJSON text, as found.

    Raises
    ------
    Refused
        FM558 if it is not valid JSON, FM102 if it is no FeatureCollection.
    """
    try:
        collection = json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"JSON として読めません / it is not valid JSON ({error.msg})"
        raise Refused.format("GeoJSON", reason, line=error.lineno, code="FM558") from error
    except (RecursionError, ValueError) as error:  # too deep, or a number of too many digits
        reason = "かっこの入れ子か数の桁が多すぎます / brackets too deep or numbers too long"
        raise Refused.format("GeoJSON", reason, code="FM558") from error
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        reason = "図形の集まり（FeatureCollection）ではありません / it is no FeatureCollection"
        raise Refused.format("GeoJSON", reason)
    return collection


def _check_crs(collection: dict[str, Any]) -> None:
    if "crs" not in collection:
        return
    crs = collection["crs"]
    properties = crs.get("properties") if isinstance(crs, dict) else None
    written = str(properties.get("name")) if isinstance(properties, dict) else str(crs)
    found = _CRS.search(written)
    system = (found[1] or found[2]).upper() if found else ""
    if system in SAME_DEGREES:
        return
    reason = "この座標系を経緯度としては使えません / it is not one of the accepted degrees"
    if system in TOKYO_DATUM:
        reason = "旧日本測地系は約430 mずれます / Tokyo datum is off by about 430 m"
    elif crs is None or not system:
        reason = "crs に座標系の番号がありません / its crs names no known system"
    raise Refused("FM528", value=written, reason=reason)


def _code(feature: object) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    return cells.text(properties.get(CODE)).zfill(5) if isinstance(properties, dict) else ""


def _polygon(
    feature: dict[str, Any],
    name: str,
    path: Path,
    report: Report,
) -> shapely.Geometry | None:
    try:
        found = _area(feature, name)
        if found.is_valid:
            return found
        sound, percent = mended(found, name)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None
    why = shapely.is_valid_reason(found)
    report.add("FM530", file=path.name, name=name, percent=percent, reason=why)
    return sound


def _area(feature: dict[str, Any], name: str) -> shapely.Geometry:
    try:
        with np.errstate(invalid="ignore"):  # coordinates that are no numbers are looked for below
            found = shapely.force_2d(shape(feature["geometry"]))
    except Exception as error:  # whatever a broken geometry sets off inside its parser
        reason = f"座標を読めません / coordinates cannot be read ({type(error).__name__})"
        raise Refused("FM529", name=name, reason=reason) from error
    if not isinstance(found, AREAS) or found.is_empty:
        reason = f"面ではありません / it is not an area ({found.geom_type})"
        raise Refused("FM529", name=name, reason=reason)
    east_north = shapely.get_coordinates(found)
    (west, south), (east, north) = east_north.min(axis=0), east_north.max(axis=0)  # NaN stays NaN
    corners = {cells.place(south, west), cells.place(north, east)}
    if corners != {Place.JAPAN}:
        code = "FM522" if corners == {Place.SWAPPED} else "FM524"
        raise Refused(code, value=f"{west:.4f}, {south:.4f}", name=name)
    return found


def mended(broken: shapely.Geometry, name: str) -> tuple[shapely.Geometry, str]:
    """An area without self-crossings, and by how much mending changed its size. [percent]

    Raises
    ------
    Refused
        FM529 if mending would change it by more than `LARGEST_CHANGE`.
    """
    sound = shapely.make_valid(broken, method="structure", keep_collapsed=False)
    change = abs(sound.area / broken.area - 1) if broken.area else np.inf
    percent = f"{100 * change:.2g}"
    if not isinstance(sound, AREAS) or change > LARGEST_CHANGE:
        reason = (
            f"直すと面積が {percent} ％変わります / mending changes its area by {percent} percent"
        )
        raise Refused("FM529", name=name, reason=reason)
    return sound, percent

"""Features of a file: shapes in degrees with their values, whatever of the known formats it has.

The first bytes decide the format (GeoJSON, Shapefile or a zip of one, GeoPackage), never the
name. GeoJSON is read by the standard library, GeoPackage by SQLite, a Shapefile by GDAL in a
folder of our own: nothing that a file says can make GDAL open something else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.problems import Report
from futuremap.sources import crs, geopackage, shapefile
from futuremap.sources.columns import suggest
from futuremap.sources.encodings import UTF_16, decode
from futuremap.sources.files import ZIP, RawTable, read_bytes
from futuremap.sources.limits import Refused
from futuremap.sources.outline import feature_collection
from futuremap.sources.shapefile import MAX_FEATURES, MAX_VALUES, Raw

KNOWN_AS = "GeoJSON, Shapefile（zip も可/or its zip）, GeoPackage"
MAX_GEOJSON = 96 * 2**20  # bytes; the text becomes some eight times as much memory
MAX_BRACKETS = 2_000_000  # lists and objects in a GeoJSON
MAX_COMMAS = 6_000_000  # and values in them
Bounds = tuple[float, float, float, float]


class Features(NamedTuple):
    """Shapes with values.

    file, layer
        Where they come from, for problems.
    fields
        Columns of values as found, by name, each ``(N,)``.
    geometry
        Shapes in EPSG:6668 without heights, None where there is none ``(N,)``.
    system
        The coordinate system that the file is in.
    numbers
        Number of each feature in the file from 1, as QGIS shows it ``(N,)``.
    """

    file: str
    layer: str
    fields: Mapping[str, NDArray[np.object_]]
    geometry: NDArray[np.object_]
    system: crs.System
    numbers: NDArray[np.intp]

    def only(self, chosen: NDArray[np.bool_]) -> Features:
        """Some of the features."""
        fields = {name: column[chosen] for name, column in self.fields.items()}
        return self._replace(
            fields=fields, geometry=self.geometry[chosen], numbers=self.numbers[chosen]
        )

    def note(
        self,
        report: Report,
        code: str,
        *,
        row: int | None = None,
        column: str = "",
        value: object = "",
        **detail: object,
    ) -> None:
        """Note a problem of one feature (row ``0 … N - 1``), or of the layer as a whole."""
        line = None if row is None else int(self.numbers[row])
        report.add(
            code,
            file=self.file,
            sheet=self.layer,
            line=line,
            column=column,
            value=value,
            **detail,
        )

    def table(self) -> RawTable:
        """The values as a table, with the longitude and latitude of points beside them.

        A line is the number of a feature.
        """
        known = ~shapely.is_missing(self.geometry) & ~shapely.is_empty(self.geometry)
        shapes = self.geometry.copy()
        shapes[~known] = None
        middle = shapely.centroid(shapes)
        places = np.column_stack([shapely.get_y(middle), shapely.get_x(middle)])
        rows = [
            (*values, *((None, None) if np.isnan(place).any() else place.tolist()))
            for values, place in zip(zip(*self.fields.values(), strict=True), places, strict=True)
        ]
        headings = (*self.fields, "latitude", "longitude")
        return RawTable(self.file, self.layer, headings, rows, self.numbers.tolist(), 0)


def read_features(
    path: Path,
    *,
    report: Report,
    layer: str = "",
    near: Bounds | None = None,
) -> Features | None:
    """Read all features of a layer.

    Parameters
    ----------
    path
        GeoJSON, .shp (with its .shx, .dbf, .prj beside it), a zip of one, or GeoPackage.
    report
        Takes FM101 to FM105, FM540 to FM543, FM548, FM549, FM563 to FM576 and FM578.
    layer
        Which layer of a GeoPackage or which shapefile of a zip; may be empty if it has one.
    near
        West, south, east, north of the municipality in degrees: shapes that lie elsewhere are
        in another coordinate system than the file declares, or have their axes exchanged.

    Returns
    -------
    Features or None
        None if the file or the place of its shapes is in doubt.
    """
    try:
        raw = _raw(path, layer)
        system = crs.parse(raw.crs, file=raw.crs_file, around=crs.middle(raw.geometry))
        degrees = crs.to_degrees(raw.geometry, system)
        crs.check_place(degrees, raw.geometry, system, near=near)
        numbers = np.arange(1, len(degrees) + 1)
        return Features(path.name, raw.layer, raw.fields, degrees, system, numbers)
    except Refused as refused:
        refused.note(report, file=path.name)
    except RecursionError:
        reason = "かっこの入れ子が深すぎます / brackets are nested too deep"
        Refused.format(KNOWN_AS, reason, code="FM558").note(report, file=path.name)
    return None


def _raw(path: Path, layer: str) -> Raw:
    first = _first_bytes(path)
    if first.startswith(geopackage.MAGIC):
        found = geopackage.read(path, layer)
    elif first.startswith(shapefile.SHAPE_MAGIC):
        found = shapefile.read(path.stem, shapefile.beside(path))
    elif first.startswith(ZIP):
        found = shapefile.read(*shapefile.inside(read_bytes(path), layer))
    else:
        found = _geojson(read_bytes(path), path)
    if not len(found.geometry):
        raise Refused("FM105", sheet=found.layer)
    return found


def _geojson(body: bytes, path: Path) -> Raw:
    if body.startswith(UTF_16):
        raise Refused("FM563", line=1)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        reason = "中身がどの形式でもありません / its first bytes are of none of these formats"
        raise Refused.format(KNOWN_AS, reason)
    return _of_collection(body, path)


def _first_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise Refused("FM101")
        with path.open("rb") as stream:
            return stream.read(16)
    except OSError as error:
        raise Refused("FM101", value=error.strerror or "") from error


def _of_collection(body: bytes, path: Path) -> Raw:
    too_many = body.count(b"[") + body.count(b"{") > MAX_BRACKETS or body.count(b",") > MAX_COMMAS
    if len(body) > MAX_GEOJSON or too_many:
        raise Refused("FM104", expected=f"≤ {MAX_GEOJSON // 2**20} MiB")
    found = feature_collection(decode(body))
    features = [one if isinstance(one, dict) else {} for one in found["features"]]
    values = [one.get("properties") for one in features]
    rows = [row if isinstance(row, dict) else {} for row in values]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(rows) > MAX_FEATURES or len(rows) * len(names) > MAX_VALUES:
        raise Refused("FM104", expected=f"≤ {MAX_FEATURES:,} 図形/shapes")
    fields = {name: _column([_plain(row.get(name)) for row in rows]) for name in names}
    shapes = [_shape(one.get("geometry")) for one in features]
    return Raw("", fields, _column(shapes), _declared(found), f"{path.name}: crs")


def _column(values: list[Any]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _declared(found: Mapping[str, Any]) -> str:
    if "crs" not in found:
        return "EPSG:4326"  # RFC 7946: a GeoJSON that says nothing is in WGS 84
    crs_member = found["crs"]
    properties = crs_member.get("properties") if isinstance(crs_member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else crs_member
    return re.sub(r"\s+", "", str(name))


def _shape(geometry: object) -> shapely.Geometry | None:
    if not isinstance(geometry, dict):
        return None
    try:
        with np.errstate(invalid="ignore"):  # coordinates that are no numbers are found by bounds
            return shapely.force_2d(shapely.geometry.shape(geometry))
    except Exception:  # noqa: BLE001 - whatever a broken shape sets off; without one it is noted
        return None


def column(features: Features, heading: str, *, report: Report) -> NDArray[np.object_] | None:
    """One column of values by its name; None with FM201 noted if there is no such column.

    Parameters
    ----------
    features
        The features.
    heading
        Name of the column; case counts only where two names differ by nothing else.
    report
        Takes FM201 with the name that may be a slip for it.
    """
    if heading in features.fields:
        return features.fields[heading]
    alike = [name for name in features.fields if name.casefold() == heading.casefold()]
    if len(alike) == 1:
        return features.fields[alike[0]]
    features.note(
        report,
        "FM201",
        column=heading,
        value=", ".join(features.fields),
        expected=heading,
        **suggest(heading, features.fields),
    )
    return None

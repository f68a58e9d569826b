"""GeoPackages, read by SQLite itself: only plain tables of a read-only, unchanging file.

Views, triggers and functions that a file brings along are not run, every value is bounded in
size and the whole reading in time, and shapes are walked before GEOS sees them, because deeply
nested ones would overflow its stack.
"""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import shapely

from futuremap.sources.limits import Refused
from futuremap.sources.shapefile import MAX_FEATURES, MAX_VALUES, Raw

MAGIC = b"SQLite format 3\0"
KNOWN_AS = "GeoPackage"
MAX_FILE = 2**30  # bytes; tables are not read whole
MAX_VALUE = 64 * 2**20  # bytes of one shape or text
MAX_SHAPES = 160 * 2**20  # bytes of all shapes and texts
SECONDS = 8.0
STEPS = 10_000  # of SQLite's machine between two looks at the clock
ENVELOPES = (0, 32, 48, 48, 64)  # bytes, by the code in the flags
_POINT, _LINE, _POLYGON, _MULTI = 1, 2, 3, {4, 5, 6}
_WIDE = 1000  # ISO types above this carry a height or a measure
_DIMENSIONS = {0: 2, 1: 3, 2: 3, 3: 4}


def read(path: Path, layer: str) -> Raw:
    """Read one feature table of a GeoPackage.

    Parameters
    ----------
    path
        The file.
    layer
        Name of the table; may be empty if there is only one.

    Raises
    ------
    Refused
        FM559 or FM562 if it is no sound GeoPackage, FM104 if it is too large, FM548 if there
        are several tables and none is named.
    """
    if path.stat().st_size > MAX_FILE:
        raise Refused("FM104", expected=f"≤ {MAX_FILE // 2**20} MiB")
    with _open(path) as database:
        table, column, system = _table(database, layer)
        names = _columns(database, table)
        _check_size(database, table, len(names))
        chosen = ", ".join(_quoted(name) for name in names)
        query = f"SELECT {chosen} FROM {_quoted(table)} ORDER BY rowid"  # noqa: S608 - quoted
        rows = _rows(database, query, names, column)
        crs = _crs(database, system)
    shape_at = names.index(column)
    geometry = np.array([_shape(row[shape_at]) for row in rows] + [None], dtype=object)[:-1]
    fields = {
        name: np.array([row[i] for row in rows] + [None], dtype=object)[:-1]
        for i, name in enumerate(names)
        if i != shape_at
    }
    return Raw(table, fields, geometry, crs, f"{path.name}: gpkg_spatial_ref_sys")


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    end = time.monotonic() + SECONDS
    try:
        # immutable: a journal lying beside the file is neither read nor rolled back
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
            database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            database.set_progress_handler(lambda: time.monotonic() > end, STEPS)
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA cell_size_check = ON")
            database.execute("PRAGMA mmap_size = 0")
            database.text_factory = lambda raw: raw.decode("utf-8")
            yield database
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError, OverflowError) as error:
        reason = f"データベースとして読めません / the database cannot be read ({error})"
        raise Refused.format(KNOWN_AS, reason, code="FM562") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(database: sqlite3.Connection, layer: str) -> tuple[str, str, int]:
    plain = {
        str(name)
        for name, sql in database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        )
        if not str(sql).upper().startswith("CREATE VIRTUAL")
    }
    if not {"gpkg_contents", "gpkg_geometry_columns", "gpkg_spatial_ref_sys"} <= plain:
        reason = "GeoPackage の表がありません / the tables of a GeoPackage are missing"
        raise Refused.format(KNOWN_AS, reason, code="FM559")
    found = [
        (str(table), str(column), int(system))
        for table, column, system in database.execute(
            "SELECT g.table_name, g.column_name, g.srs_id FROM gpkg_geometry_columns AS g "
            "JOIN gpkg_contents AS c ON c.table_name = g.table_name "
            "WHERE c.data_type = 'features' LIMIT 1000"
        )
        if table in plain and isinstance(column, str) and isinstance(system, int)
    ]
    wanted = [entry for entry in found if layer in {"", entry[0]}]
    if len(wanted) != 1:
        choices = " / ".join(entry[0] for entry in found[:20]) or "（なし/none）"
        raise Refused("FM548", value=layer, choices=choices)
    return wanted[0]


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    # generated columns would be computed by what the file says: they are not asked for
    described = database.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall()
    return [str(name) for _, name, _, _, _, _, hidden in described if not hidden]


def _check_size(database: sqlite3.Connection, table: str, columns: int) -> None:
    (count,) = database.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()  # noqa: S608
    if count > MAX_FEATURES or count * columns > MAX_VALUES:
        raise Refused("FM104", expected=f"≤ {MAX_FEATURES:,} 図形/shapes")


def _rows(
    database: sqlite3.Connection,
    query: str,
    names: list[str],
    column: str,
) -> list[tuple[object, ...]]:
    if column not in names:
        reason = f"図形の列「{column}」がありません / the shape column is missing"
        raise Refused.format(KNOWN_AS, reason, code="FM559")
    rows, size = [], 0
    for row in database.execute(query):
        size += sum(len(cell) for cell in row if isinstance(cell, bytes | str))
        if size > MAX_SHAPES:
            raise Refused("FM104", expected=f"≤ {MAX_SHAPES // 2**20} MiB")
        rows.append(row)
    return rows


def _crs(database: sqlite3.Connection, system: int) -> str:
    found = database.execute(
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys "
        "WHERE srs_id = ?",
        (system,),
    ).fetchone()
    if found is None or system in {-1, 0}:  # "undefined", says the standard
        return ""
    organization, code, definition = found
    if str(organization).upper() == "EPSG" and isinstance(code, int):
        return f"EPSG:{code}"
    return str(definition or "")


def _shape(blob: object) -> shapely.Geometry | None:
    # GP, version, flags, srs_id, envelope, then the shape in well-known binary
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":  # noqa: PLR2004 - bytes
        return None
    envelope = (blob[3] >> 1) & 7
    if envelope >= len(ENVELOPES):
        return None
    wkb = blob[8 + ENVELOPES[envelope] :]
    try:
        if _walk(wkb, 0, members=True) > len(wkb):
            return None
    except (struct.error, KeyError):
        return None
    return shapely.force_2d(shapely.from_wkb(wkb, on_invalid="ignore"))


def _walk(wkb: bytes, start: int, *, members: bool) -> int:
    # where a shape ends; KeyError for one that is nested more deeply than a multi-polygon is
    order = "<" if wkb[start : start + 1] == b"\x01" else ">"
    code: int = struct.unpack_from(f"{order}I", wkb, start + 1)[0]
    kind, at = code % _WIDE, start + 5
    width = 8 * _DIMENSIONS[code // _WIDE]
    if kind == _POINT:
        return at + width
    count: int = struct.unpack_from(f"{order}I", wkb, at)[0]
    at += 4
    if kind == _LINE:
        return at + count * width
    if kind == _POLYGON:
        for _ in range(count):
            (corners,) = struct.unpack_from(f"{order}I", wkb, at)
            at += 4 + corners * width
        return at
    if kind not in _MULTI or not members:
        raise KeyError(code)
    for _ in range(count):
        at = _walk(wkb, at, members=False)
    return at

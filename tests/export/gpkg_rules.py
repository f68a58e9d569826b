"""Rules of OGC 12-128r17 (GeoPackage 1.3) that GDAL's validate_gpkg tries, as plain SQL.

`findings` lists what a file breaks, by requirement; nothing of futuremap is used.
"""

# ruff: noqa: S608 - names of tables cannot be parameters; the files are our own

from __future__ import annotations

import re
import sqlite3
import struct
from contextlib import closing
from itertools import chain

TYPES = re.compile(
    r"BOOLEAN|TINYINT|SMALLINT|MEDIUMINT|INT|INTEGER|FLOAT|DOUBLE|REAL|DATE|DATETIME"
    r"|(TEXT|BLOB)(\(\d+\))?|(MULTI)?(POINT|LINESTRING|POLYGON)|GEOMETRY(COLLECTION)?"
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")
WKB_NAMES = {1: "POINT", 3: "POLYGON", 6: "MULTIPOLYGON"}
COLUMNS = {
    "gpkg_spatial_ref_sys": "srs_name srs_id organization organization_coordsys_id definition "
    "description",
    "gpkg_contents": "table_name data_type identifier description last_change min_x min_y max_x "
    "max_y srs_id",
    "gpkg_geometry_columns": "table_name column_name geometry_type_name srs_id z m",
    "gpkg_extensions": "table_name column_name extension_name definition scope",
    "gpkg_data_columns": "table_name column_name name title description mime_type constraint_name",
    "gpkg_data_column_constraints": "constraint_name constraint_type value min min_is_inclusive "
    "max max_is_inclusive description",
    "gpkg_metadata": "id md_scope md_standard_uri mime_type metadata",
    "gpkg_metadata_reference": "reference_scope table_name column_name row_id_value timestamp "
    "md_file_id md_parent_id",
}
ROUNDED = 1e-12  # degrees; GDAL writes the bounds of a table with 16 digits
TRIGGERS = ("insert", "update1", "update2", "update3", "update4", "delete")
SCOPES = {
    "gpkg_rtree_index": "write-only",
    "gpkg_schema": "read-write",
    "gpkg_metadata": "read-write",
}


def findings(path):
    """What a file breaks."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        rules = (_container, _definitions, _contents, _features, _index, _extensions,
                 _schema, _metadata)  # fmt: skip
        return list(chain.from_iterable(rule(db) for rule in rules))


def _all(db, sql, *values):
    return db.execute(sql, values).fetchall()


def _names(db, kind="table"):
    return {row[0] for row in _all(db, "SELECT name FROM sqlite_master WHERE type=?", kind)}


def _columns(db, table):
    return {row[1]: row for row in _all(db, f'PRAGMA table_info("{table}")')}


def _container(db):
    if _all(db, "PRAGMA application_id") != [(0x47504B47,)]:
        yield "Req 2: application_id is not GPKG"
    if _all(db, "PRAGMA user_version") != [(10300,)]:
        yield "Req 2: user_version is not 1.3"
    if _all(db, "PRAGMA integrity_check") != [("ok",)]:
        yield "Req 6: integrity_check"
    if _all(db, "PRAGMA foreign_key_check"):
        yield "Req 7: foreign_key_check"


def _definitions(db):
    for table, wanted in COLUMNS.items():
        if list(_columns(db, table)) != wanted.split():
            yield f"{table}: its columns are {list(_columns(db, table))}"
    systems = {row[0]: row[1:] for row in _all(
        db, "SELECT srs_id, organization, organization_coordsys_id, definition "
        "FROM gpkg_spatial_ref_sys")}  # fmt: skip
    if not {4326, -1, 0} <= set(systems):
        yield f"Req 11: reference systems {sorted(systems)}"
    for code, (who, number, definition) in systems.items():
        if code > 0 and (who.upper() != "EPSG" or number != code or "GEOG" not in definition):
            yield f"Req 10: {code} is {who} {number}"


def _contents(db):
    held = _names(db) | _names(db, "view")
    for name, kind, changed, srs in _all(
        db, "SELECT table_name, data_type, last_change, srs_id FROM gpkg_contents"
    ):
        if name not in held:
            yield f"Req 14: {name} is not there"
            continue
        if not MOMENT.fullmatch(changed):
            yield f"Req 15: {name} changed {changed}"
        if kind not in ("features", "attributes", "tiles"):
            yield f"Req 17: {name} is {kind}"
        if kind == "features" and srs != 6668:
            yield f"Req 16: {name} in {srs}"
        columns = _columns(db, name)
        keys = [row for row in columns.values() if row[5]]
        if len(keys) != 1 or keys[0][2] != "INTEGER":
            yield f"Req 29: the key of {name}"
        for column, row in columns.items():
            if not TYPES.fullmatch(row[2]):
                yield f"Req 5: {name}.{column} is {row[2]}"


def _features(db):
    described = {row[0]: row[1:] for row in _all(db, "SELECT * FROM gpkg_geometry_columns")}
    named = {row[0]: row[1:] for row in _all(
        db, "SELECT table_name, srs_id, min_x, min_y, max_x, max_y FROM gpkg_contents "
        "WHERE data_type='features'")}  # fmt: skip
    if set(described) != set(named):
        yield f"Req 22-23: {set(described) ^ set(named)}"
    for table in set(described) & set(named):
        column, kind, srs, z, m = described[table]
        if _columns(db, table).get(column, [None] * 3)[2] != kind:
            yield f"Req 24-25: {table}.{column} is not a {kind}"
        if srs != named[table][0] or (z, m) != (0, 0):
            yield f"Req 26-28: {table} in {srs}, z {z}, m {m}"
        yield from _shapes(db, table, column, kind=kind, bounds=named[table][1:])


def _shapes(db, table, column, *, kind, bounds):
    for key, blob in _all(db, f'SELECT rowid, "{column}" FROM "{table}"'):
        if blob is None:
            continue
        magic, version, flags, srs = blob[:2], blob[2], blob[3], struct.unpack("<i", blob[4:8])[0]
        size = (0, 32, 48, 48, 64)[flags >> 1 & 7]
        if (magic, version, srs, flags & 0b100001) != (b"GP", 0, 6668, 1):
            yield f"Req 19: {table} {key} has the head {blob[:8]!r}"
            continue
        order, code = blob[8 + size], struct.unpack("<I", blob[9 + size : 13 + size])[0]
        if order != 1 or WKB_NAMES.get(code) != kind:
            yield f"Req 31: {table} {key} is {WKB_NAMES.get(code, code)}"
        if size:
            west, east, south, north = struct.unpack("<4d", blob[8:40])
            inside = bounds[0] - ROUNDED <= west <= east <= bounds[2] + ROUNDED
            if not (inside and bounds[1] - ROUNDED <= south <= north <= bounds[3] + ROUNDED):
                yield f"{table} {key} lies outside the bounds of its table"


def _index(db):
    triggers, tables = _names(db, "trigger"), _names(db)
    for table, column in _all(db, "SELECT table_name, column_name FROM gpkg_geometry_columns"):
        index = f"rtree_{table}_{column}"
        missing = {f"{index}_{name}" for name in TRIGGERS} - triggers
        if index not in tables or missing:
            yield f"Req 77: {index} lacks {sorted(missing)}"
            continue
        shapes = f'SELECT fid FROM "{table}" WHERE "{column}" IS NOT NULL'
        apart = _all(db, f'SELECT count(*) FROM (SELECT id FROM "{index}" EXCEPT {shapes})')
        apart += _all(db, f'SELECT count(*) FROM ({shapes} EXCEPT SELECT id FROM "{index}")')
        if apart != [(0,), (0,)]:
            yield f"Req 77: {index} and {table} differ by {apart}"


def _extensions(db):
    rows = _all(db, "SELECT table_name, column_name, extension_name, definition, scope "
                    "FROM gpkg_extensions")  # fmt: skip
    for table, column, name, definition, scope in rows:
        if table is not None and table not in _names(db):
            yield f"Req 60: {table} of {name}"
        if column is not None and column not in _columns(db, table):
            yield f"Req 61: {table}.{column} of {name}"
        if SCOPES.get(name) != scope or not definition.startswith("http"):
            yield f"Req 64: {name} is {scope}, {definition}"
    registered = {(row[0], row[2]) for row in rows}
    wanted = {(table, "gpkg_rtree_index") for (table,) in _all(
        db, "SELECT table_name FROM gpkg_geometry_columns")}  # fmt: skip
    wanted |= {
        (f"gpkg_{end}", "gpkg_schema") for end in ("data_columns", "data_column_constraints")
    }
    wanted |= {(f"gpkg_metadata{end}", "gpkg_metadata") for end in ("", "_reference")}
    if wanted - registered:
        yield f"Req 58: not registered: {sorted(wanted - registered)}"


def _schema(db):
    contents = {row[0] for row in _all(db, "SELECT table_name FROM gpkg_contents")}
    for table, column, rule in _all(
        db, "SELECT table_name, column_name, constraint_name FROM gpkg_data_columns"
    ):
        if table not in contents or column not in _columns(db, table):
            yield f"Req 104-105: {table}.{column}"
        known = "SELECT count(*) FROM gpkg_data_column_constraints WHERE constraint_name=?"
        if rule is not None and _all(db, known, rule) == [(0,)]:
            yield f"Req 106: {rule}"


def _metadata(db):
    ids = {row[0] for row in _all(db, "SELECT id FROM gpkg_metadata")}
    for scope, table, column, row, moment, file, parent in _all(
        db, "SELECT * FROM gpkg_metadata_reference"
    ):
        if scope not in ("geopackage", "table", "column", "row", "row/col"):
            yield f"Req 96: {scope}"
        if scope == "geopackage" and (table, column, row) != (None, None, None):
            yield "Req 97-99: a reference to the whole names a part"
        if not MOMENT.fullmatch(moment):
            yield f"Req 100: {moment}"
        if file not in ids or (parent is not None and parent not in ids):
            yield f"Req 101-102: {file}, {parent}"

"""What a GeoPackage says about itself: styles, column names, metadata and QGIS projects."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from futuremap.core.layer import Text
from futuremap.export.geopackage.project import Embedded
from futuremap.export.geopackage.style import qml
from futuremap.export.geopackage.tables import GEOMETRY, FeatureTable
from futuremap.export.text import clean

FIXED_TIME = "1980-01-01T00:00:00.000Z"  # same input, same bytes: no clock in the file
METADATA_KIND = "urn:futuremap:manifest"
# layer_styles and qgis_projects are QGIS's own; the others stand in OGC 12-128r18, F.8 and F.9
SCHEMA = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
    f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME
);
CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB);
CREATE TABLE gpkg_data_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT,
    description TEXT, mime_type TEXT, constraint_name TEXT,
    CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
    CONSTRAINT gdc_tn UNIQUE (table_name, name)
);
CREATE TABLE gpkg_data_column_constraints (
    constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT,
    min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN,
    description TEXT,
    CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value)
);
CREATE TABLE gpkg_metadata (
    id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL,
    md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL,
    mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT ''
);
CREATE TABLE gpkg_metadata_reference (
    reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
    timestamp DATETIME NOT NULL, md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
    CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
    CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id)
);
"""
EXTENSIONS = {
    "gpkg_data_columns": "gpkg_schema",
    "gpkg_data_column_constraints": "gpkg_schema",
    "gpkg_metadata": "gpkg_metadata",
    "gpkg_metadata_reference": "gpkg_metadata",
}
DEFINITION = "http://www.geopackage.org/spec121/#extension_{}"


def register(
    db: sqlite3.Connection,
    tables: Sequence[FeatureTable],
    *,
    title: Text,
    metadata: Mapping[str, object],
    projects: Sequence[Embedded],
) -> None:
    """Add styles, names, metadata and projects to a GeoPackage whose features are written."""
    db.executescript(SCHEMA)
    with db:
        _extensions(db)
        for table in tables:
            _styles(db, table)
            _names(db, table)
        _metadata(db, {"title": title._asdict(), **metadata})
        _projects(db, projects)
        db.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description,"
            " last_change) VALUES ('layer_styles', 'attributes', 'layer_styles', ?, ?)",
            ("QGISのスタイル / styles for QGIS", FIXED_TIME),
        )


def _extensions(db: sqlite3.Connection) -> None:
    db.executemany(
        "INSERT INTO gpkg_extensions (table_name, extension_name, definition, scope)"
        " VALUES (?, ?, ?, 'read-write')",
        [
            (table, name, DEFINITION.format(name.removeprefix("gpkg_")))
            for table, name in EXTENSIONS.items()
        ],
    )


def _styles(db: sqlite3.Connection, table: FeatureTable) -> None:
    db.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name,"
        " f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description,"
        " owner, ui, update_time) VALUES ('', '', ?, ?, ?, ?, '', ?, ?, '', NULL, ?)",
        [
            (
                table.name,
                GEOMETRY,
                drawing.style,
                qml(drawing, table),
                drawing is table.drawings[0],
                clean(f"{table.identifier} {drawing.heading}"),
                FIXED_TIME,
            )
            for drawing in table.drawings
        ],
    )


def _names(db: sqlite3.Connection, table: FeatureTable) -> None:
    # GDAL shows `name` as the alias of a column; QGIS 3.22 reads it from the style instead
    db.executemany(
        "INSERT INTO gpkg_data_columns (table_name, column_name, name, title, description)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            (table.name, column, about.alias, about.alias, about.definition)
            for column, about in table.columns.items()
        ],
    )


def _projects(db: sqlite3.Connection, projects: Sequence[Embedded]) -> None:
    # QGIS keeps the bytes of a QGZ file as their hexadecimal text
    about = json.dumps({"last_modified_time": FIXED_TIME, "last_modified_user": "futuremap"})
    db.executemany(
        "INSERT INTO qgis_projects (name, metadata, content) VALUES (?, ?, ?)",
        [(one.name, about, one.content.hex()) for one in projects],
    )


def _metadata(db: sqlite3.Connection, metadata: Mapping[str, object]) -> None:
    text = json.dumps(metadata, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    db.execute(
        "INSERT INTO gpkg_metadata (id, md_scope, md_standard_uri, mime_type, metadata)"
        " VALUES (1, 'dataset', ?, 'application/json', ?)",
        (METADATA_KIND, clean(text)),
    )
    db.execute(
        "INSERT INTO gpkg_metadata_reference (reference_scope, timestamp, md_file_id)"
        " VALUES ('geopackage', ?, 1)",
        (FIXED_TIME,),
    )

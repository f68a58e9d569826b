"""Writing a GeoPackage: features by GDAL, words and styles by SQLite, then a check of the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pyogrio
from pyogrio.errors import (
    CRSError,
    DataLayerError,
    DataSourceError,
    FeatureError,
    FieldError,
    GeometryError,
)

from futuremap.core.layer import Layer, Text
from futuremap.errors import ExportError
from futuremap.export.geopackage.registry import FIXED_TIME, register
from futuremap.export.geopackage.tables import GEOMETRY, ThemeTable, theme_tables, write_rows

GDAL_ERRORS = (
    CRSError,
    DataLayerError,
    DataSourceError,
    FeatureError,
    FieldError,
    GeometryError,
)
SIDE_FILES = ("-wal", "-shm", "-journal")
CLOCK = "OGR_CURRENT_DATE"


def write_geopackage(
    layers: Sequence[Layer],
    path: Path,
    *,
    title: Text,
    metadata: Mapping[str, object],
) -> None:
    """Write layers as a GeoPackage: one table a theme, one style a state.

    The same layers give the same bytes. An earlier file is replaced once the new one passes.

    Parameters
    ----------
    layers
        Layers; those of one theme share their features.
    path
        File to write, ending in ``.gpkg``.
    title
        Title of the whole, kept with the metadata.
    metadata
        What the file says about the run, as JSON can hold it.

    Raises
    ------
    ExportError
        If the file cannot be written or does not pass the check.
    """
    tables = theme_tables(layers)
    draft = path.with_name(f".{path.stem}.part.gpkg")
    try:
        with _without_clock():
            for table in tables:
                write_rows(table, draft)
        with closing(sqlite3.connect(draft)) as db:
            register(db, tables, title=title, metadata=metadata)
            db.execute("VACUUM")
        verify(draft, tables)
        draft.replace(path)
    except (OSError, sqlite3.Error, *GDAL_ERRORS) as error:
        raise ExportError(f"{path}: {error}") from error
    finally:
        for name in (draft, *_side_files(draft)):
            name.unlink(missing_ok=True)


def verify(path: Path, tables: Sequence[ThemeTable]) -> None:
    """Open a file again and check that all of it is there.

    Raises
    ------
    ExportError
        If the database is damaged, or rows, shapes or styles are missing.
    """
    if left := [name.name for name in _side_files(path) if name.exists()]:
        raise ExportError(f"{path}: {left} left behind")
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        faults = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        faults += [f"foreign key {row}" for row in db.execute("PRAGMA foreign_key_check")]
        if db.execute("PRAGMA journal_mode").fetchone() != ("delete",):
            faults.append("the journal is not a rollback journal")
        for table in tables:
            faults += _missing(db, table)
    if faults:
        raise ExportError(f"{path}: {'; '.join(faults[:5])}")


def _missing(db: sqlite3.Connection, table: ThemeTable) -> list[str]:
    features = table.layers[0].features
    wanted = {
        table.name: len(features),
        f"rtree_{table.name}_{GEOMETRY}": int(features.geometry.notna().sum()),
    }
    # names of tables cannot be parameters; `theme_tables` has checked them
    found = {
        name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for name in wanted
    }
    styles = "SELECT count(*) FROM layer_styles WHERE f_table_name = ?"
    wanted["styles"] = len(table.layers)
    found["styles"] = db.execute(styles, (table.name,)).fetchone()[0]
    return [
        f"{name}: {found[name]} rows of {count}"
        for name, count in wanted.items()
        if found[name] != count
    ]


def _side_files(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in SIDE_FILES]


@contextmanager
def _without_clock() -> Iterator[None]:
    before = pyogrio.get_gdal_config_option(CLOCK)
    pyogrio.set_gdal_config_options({CLOCK: FIXED_TIME})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({CLOCK: before})

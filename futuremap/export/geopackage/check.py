"""The check of a written GeoPackage: whole, complete, and at rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from futuremap.errors import ExportError
from futuremap.export.geopackage.faults import side_files
from futuremap.export.geopackage.tables import GEOMETRY, FeatureTable


def verify(path: Path, tables: Sequence[FeatureTable]) -> None:
    """Open a file again and check that all of it is there.

    Raises
    ------
    ExportError
        If the database is damaged, or rows, shapes or styles are missing.
    """
    if left := [name.name for name in side_files(path) if name.exists()]:
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


def _missing(db: sqlite3.Connection, table: FeatureTable) -> list[str]:
    wanted = {table.name: table.rows, f"rtree_{table.name}_{GEOMETRY}": table.located}
    # names of tables cannot be parameters; `themes_of` has checked them
    found = {
        name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for name in wanted
    }
    styles = "SELECT count(*) FROM layer_styles WHERE f_table_name = ?"
    wanted["styles"] = len(table.drawings)
    found["styles"] = db.execute(styles, (table.name,)).fetchone()[0]
    return [
        f"{name}: {found[name]} rows of {count}"
        for name, count in wanted.items()
        if found[name] != count
    ]

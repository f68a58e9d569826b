"""Writing a GeoPackage: features by GDAL, words and styles by SQLite, then a check of the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pyogrio

from futuremap.core.layer import Layer, Text
from futuremap.core.zones import Zones
from futuremap.errors import ExportError
from futuremap.export.geopackage.check import verify
from futuremap.export.geopackage.faults import FAULTS, fault_of, refuse_target, side_files
from futuremap.export.geopackage.places import outline_table, ring_table
from futuremap.export.geopackage.project import Contents, Embedded, Scenario, projects
from futuremap.export.geopackage.registry import FIXED_TIME, register
from futuremap.export.geopackage.rows import write_rows
from futuremap.export.geopackage.tables import FeatureTable, theme_tables, themes_of, told_apart
from futuremap.export.geopackage.years import periods, years_of, years_table

BASELINE = Scenario("baseline", Text("何もしない将来", "If nothing changes"))
# no clock in the file; pages that hold wide rows without waste; one thread, so one order of bytes
GDAL_OPTIONS = {
    "OGR_CURRENT_DATE": FIXED_TIME,
    "OGR_SQLITE_PRAGMA": "page_size=16384",
    "OGR_GPKG_ALLOW_THREADED_RTREE": "NO",
}


def write_geopackage(
    layers: Sequence[Layer],
    path: Path,
    *,
    title: Text,
    metadata: Mapping[str, object],
    scenario: Scenario | None = None,
    outlines: Sequence[Zones] = (),
    plane_zone: int | None = None,
    by_year: bool = True,
) -> list[Path]:
    """Write layers as a GeoPackage that opens styled, with projects for now and the future.

    Each theme has a table with all years in columns and one with a row a year, and its outlines
    of reach where the layers have them. The same layers give the same bytes. An earlier file is
    replaced once the new one passes.

    Parameters
    ----------
    layers
        Layers; those of one theme share their features.
    path
        File to write, ending in ``.gpkg``. Its projects know it by this name: no two scenarios
        or towns may have the same.
    title
        Title of the whole, kept with the metadata.
    metadata
        What the file says about the run, as JSON can hold it.
    scenario
        Whose future it is, if it is that of one scenario.
    outlines
        Boundaries of the municipalities.
    plane_zone
        Plane rectangular zone of the projects' map; degrees if None.
    by_year
        Whether each theme has a table with a row a year too; its shapes then stand in the file
        once for each year.

    Returns
    -------
    list of Path
        The file, and the projects beside it as ``.qgz``.

    Raises
    ------
    ExportError
        If the file cannot be written or does not pass the check; earlier files are whole.
    """
    refuse_target(path)
    tables = all_tables(layers, outlines, by_year=by_year)
    embedded = projects(
        Contents(
            path.name,
            tables,
            title,
            scenario,
            plane_zone,
            _years(layers),
            tuple(dict.fromkeys(credit for layer in layers for credit in layer.credits)),
        ),
    )
    about = dict(metadata)
    if scenario is not None:
        about["scenario"] = {"name": scenario.name, "title": scenario.title._asdict()}
    draft = path.with_name(f".{path.stem}.part.gpkg")
    beside = {path.with_name(f"{path.stem}_{one.state}.qgz"): one for one in embedded}
    drafts = {draft: path} | {name.with_name(f".{name.name}.part"): name for name in beside}
    try:
        _write_draft(draft, tables, title=title, metadata=about, embedded=embedded)
        for part, name in list(drafts.items())[1:]:
            part.write_bytes(beside[name].content)
        for part, name in drafts.items():
            part.replace(name)
    except FAULTS as error:
        raise fault_of(error, path) from error
    finally:
        for name in (*drafts, *side_files(draft)):
            name.unlink(missing_ok=True)
    return list(drafts.values())


def all_tables(
    layers: Sequence[Layer],
    outlines: Sequence[Zones] = (),
    *,
    by_year: bool = True,
) -> list[FeatureTable]:
    """Every table of a file: themes, outlines of reach, the boundary, then themes by year.

    Parameters
    ----------
    layers
        Layers; those of one theme share their features.
    outlines
        Boundaries of the municipalities.
    by_year
        Whether there are tables by year.

    Raises
    ------
    ExportError
        If the layers do not fit, or two tables have one name.
    """
    themes = themes_of(layers)
    rings = [table for states in themes if (table := ring_table(states)) is not None]
    credits_ = tuple(dict.fromkeys(credit for layer in layers for credit in layer.credits))
    bounds = [outline_table(outlines, credits_, name="boundary")] if outlines else []
    tables = [*theme_tables(layers), *rings, *bounds]
    tables += map(years_table, themes if by_year else [])
    names = [table.name for table in tables]
    if len(set(names)) < len(names):
        raise ExportError(f"two tables of one name: {sorted(names)}", code="FM720")
    return told_apart(tables)


def _years(layers: Sequence[Layer]) -> tuple[int, int, int]:
    """First and last year, and the shortest step between two."""
    years = years_of(layers[0].features) or sorted({layer.year for layer in layers})
    return years[0], years[-1], min(end - begin for begin, end in periods(years))


def _write_draft(
    draft: Path,
    tables: Sequence[FeatureTable],
    *,
    title: Text,
    metadata: Mapping[str, object],
    embedded: Sequence[Embedded],
) -> None:
    with _gdal_options():
        for table in tables:
            write_rows(table, draft)
    with closing(sqlite3.connect(draft)) as db:
        register(db, tables, title=title, metadata=metadata, projects=embedded)
    verify(draft, tables)


@contextmanager
def _gdal_options() -> Iterator[None]:
    before = {name: pyogrio.get_gdal_config_option(name) for name in GDAL_OPTIONS}
    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)

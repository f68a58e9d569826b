"""Scenarios for the desk: a workbook of differences, rasters of the mesh, and GeoParquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from futuremap.core.credits import Credit
from futuremap.core.layer import Layer, Text
from futuremap.core.table import Table
from futuremap.export.brief import Comparison as Sides
from futuremap.export.brief import Overview
from futuremap.export.geoparquet import write_geoparquet
from futuremap.export.raster import write_class_raster, write_raster
from futuremap.export.workbook import write_comparisons
from futuremap.indicators.difference import difference
from futuremap.pipeline.prepare import Progress
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenarios import Comparison, Played
from futuremap.pipeline.side_by_side import NOTHING_DONE, SideBySide

TOWNS = Text("市区町村", "Municipalities")
BLOCKS = Text("町丁", "Town blocks")
FACILITIES = Text("施設", "Facilities")
RASTERS = ("population", "population_difference", "difference_rate")
LEFT_OUT = ("imputed_share",)  # of a method, not of a future
AUX = ".xml"  # names of a raster's classes, which GIS read beside it
SAID = {
    "excel": Text("何もしない将来とシナリオの差（Excel）", "Differences as a workbook"),
    "raster": Text("メッシュの人口と差（GeoTIFF）", "The mesh as GeoTIFF"),
    "geoparquet": Text("形つきの表（GeoParquet）", "Shapes and columns as GeoParquet"),
}


def write_desk(
    comparison: Comparison,
    drawn: Sequence[SideBySide],
    folder: Path,
    *,
    name: str,
    about: Mapping[str, object],
    credits: Sequence[Credit],  # noqa: A002 - the noun of the field
    workbook: bool,
    progress: Progress,
) -> dict[str, Text]:
    """Write what people keep of a comparison on their desks into a folder.

    Parameters
    ----------
    comparison
        Baseline and scenarios.
    drawn
        Their maps.
    folder
        The set of outputs so far.
    name
        Of the set, which begins the workbook's name.
    about, credits
        What files say about the run, and whose data they are.
    workbook
        Whether there is to be a workbook: it takes the longest.
    progress
        Is told what is being written.

    Returns
    -------
    dict
        What each file is, by its path in the folder.

    Raises
    ------
    ExportError
        If a file cannot be made or fails its check.
    OSError
        If it cannot be written.
    """
    progress("GeoTIFF・GeoParquet")
    for one in drawn:
        future, change = one.differing
        if not (future.shown.any() or change.shown.any()):
            continue
        stem = f"{future.theme}_{one.key}"
        path = _within(folder, "geoparquet") / f"{stem}.parquet"
        write_geoparquet([layer for layer in one.differing if layer.shown.any()], path, about=about)
        if future.kind == "mesh" and change.shown.any():
            _write_rasters(future, change, _within(folder, "raster") / stem)
    if workbook:
        progress("Excel")
        path = _within(folder, "excel") / f"{name}.xlsx"
        header = comparison.baseline.prepared.project.project
        heading = Text(f"{header.title}：シナリオの比較", f"{header.title_en}: scenarios compared")
        write_comparisons(list(sheets(comparison)), path, title=heading, credits=credits,
                          overview=overview(comparison))  # fmt: skip
    made = (
        path for kind in SAID for path in sorted((folder / kind).glob("*")) if path.suffix != AUX
    )
    return {path.relative_to(folder).as_posix(): SAID[path.parent.name] for path in made}


def _write_rasters(future: Layer, change: Layer, stem: Path) -> None:
    for indicator in RASTERS:
        write_raster(future, indicator, stem.with_name(f"{stem.name}_{indicator}.tif"))
    write_class_raster(change, stem.with_name(f"{stem.name}_difference_class.tif"))


def overview(comparison: Comparison) -> Overview:
    """Every indicator and service of every municipality in the last year, by scenario."""
    baseline = comparison.baseline
    base, end = baseline.prepared.project.years
    towns = {town.town.code: town.town.name.ja for town in baseline.towns}
    tables = _of_towns(baseline)
    rows = [
        (code, name) for code in towns for table in tables for name in table.indicators
        if name not in LEFT_OUT and np.isfinite(table.column(name, end)[table.zones.index(code)])
    ]  # fmt: skip
    without = _values(baseline, rows, end)
    columns = [
        (Text(f"現況（{base}年）", f"Now ({base})"), _values(baseline, rows, base)),
        (Text(f"{NOTHING_DONE.ja}（{end}年）", f"{NOTHING_DONE.en} ({end})"), without),
    ]
    for played in comparison.scenarios:
        title = Text(played.setting.name, played.setting.name_en or played.setting.name)
        values = _values(played.outcome, rows, end)
        gap = Text(f"{title.ja}：何もしない将来との差", f"{title.en}: difference")
        columns += [(title, values), (gap, values - without)]
    title = Text(f"{end}年のシナリオの比較", f"Scenarios in {end}")
    return Overview(title, [(towns[code], name) for code, name in rows], columns)


def _of_towns(outcome: Outcome) -> list[Table]:
    """Indicators of the municipalities, and their services if they were weighed."""
    services = [] if outcome.indicators is None else outcome.indicators.of("municipality")
    return [outcome.municipal, *(one.table for one in services)]


def _values(outcome: Outcome, rows: Sequence[tuple[str, str]], year: int) -> NDArray[np.float64]:
    held = {
        (code, name): value
        for table in _of_towns(outcome)
        for name in table.indicators
        for code, value in zip(table.zones, table.column(name, year), strict=True)
    }
    return np.array([held.get(row, np.nan) for row in rows])


def sheets(comparison: Comparison) -> Iterator[tuple[Text, Sides]]:
    """Title and both sides of every table in which a scenario differs, its places alone."""
    for played in comparison.scenarios:
        scenario = Text(played.setting.name, played.setting.name_en or played.setting.name)
        for what, base, other, names in _tables(comparison, played):
            gap = difference(_over(base, other.zones), other)
            size = np.nan_to_num(gap.data["value"].values[_gaps(gap)]).any(axis=(0, 1))
            zones = [zone for zone, differs in zip(gap.zones, size, strict=True) if differs]
            if zones:
                title = Text(f"{scenario.ja}：{what.ja}", f"{scenario.en}: {what.en}")
                tables = (_over(base, zones), _over(other, zones), _over(gap, zones))
                yield title, Sides(NOTHING_DONE, scenario, tables, names)


def _gaps(table: Table) -> list[int]:
    return [i for i, name in enumerate(table.indicators) if name.endswith("_difference")]


def _tables(
    comparison: Comparison, played: Played
) -> Iterator[tuple[Text, Table, Table, dict[str, str]]]:
    baseline, outcome = comparison.baseline, played.outcome
    towns = {town.town.code: town.town.name.ja for town in baseline.towns}
    yield TOWNS, baseline.municipal, outcome.municipal, towns
    for town, like in zip(outcome.towns, baseline.towns, strict=True):
        blocks = town.town.blocks
        if town.blocks is not like.blocks and not town.town.is_whole:
            names = dict(zip(blocks.ids, blocks.names, strict=True))
            yield BLOCKS, like.blocks, town.blocks, names
        if town.reach is not None and like.reach is not None and town.reach is not like.reach:
            points = town.reach.zones
            names = dict(zip(points.ids, points.names, strict=True))
            yield FACILITIES, like.reach.table, town.reach.table, names


def _over(table: Table, zones: Sequence[str]) -> Table:
    """A table over other zones; nobody is counted where it has none."""
    if table.zones == tuple(zones):
        return table
    place = {zone: i for i, zone in enumerate(table.zones)}
    at = np.array([place.get(zone, -1) for zone in zones])
    values = np.where(at >= 0, table.data["value"].values[:, :, at], 0.0)
    return Table.build(
        dict(zip(table.indicators, values, strict=True)), years=table.years, zones=zones
    )


def _within(folder: Path, name: str) -> Path:
    inside = folder / name
    inside.mkdir(exist_ok=True)
    return inside

"""Outputs of scenarios, beside the baseline's own set: maps, tables, and a page to decide by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from futuremap.core.layer import Layer, Text
from futuremap.export.geopackage import write_geopackage
from futuremap.export.kml import EARTH_WEB, write_earth
from futuremap.export.kml.lint_process import LintProcess
from futuremap.export.manifest import write_manifest
from futuremap.export.publish import publishing
from futuremap.export.summary import write_summary
from futuremap.export.tabular import write_rows
from futuremap.pipeline.comparison_rows import comparison_rows, for_readers
from futuremap.pipeline.deliver import record
from futuremap.pipeline.prepare import Progress, silent
from futuremap.pipeline.scenario_desk import write_desk
from futuremap.pipeline.scenario_page import credits_in, summary
from futuremap.pipeline.scenarios import Comparison
from futuremap.pipeline.side_by_side import SideBySide, side_by_side

SUFFIX = "_scenarios"


def deliver_scenarios(
    comparison: Comparison,
    out: Path,
    *,
    workbook: bool = True,
    progress: Progress = silent,
) -> Path:
    """Write maps, tables and the page of scenarios as one set.

    Parameters
    ----------
    comparison
        Baseline and scenarios.
    out
        Folder of outputs; scenarios get a folder of their own beside the project's.
    workbook
        Whether there is to be a workbook too.
    progress
        Is told what is being written.

    Returns
    -------
    Path
        The published folder.

    Raises
    ------
    ExportError
        If anything cannot be written or fails its check; the earlier set stays whole.
    LockedError
        If another run is writing to the same folder.
    """
    header = comparison.baseline.prepared.project.project
    target = out / f"{header.name}{SUFFIX}"
    with publishing(target) as folder:
        files = write_comparison(comparison, folder, workbook=workbook, progress=progress)
        write_summary(folder, summary(comparison, files))
        write_manifest(folder, record(comparison.baseline.prepared))
    return target


def write_comparison(
    comparison: Comparison,
    folder: Path,
    *,
    workbook: bool = True,
    suffix: str = SUFFIX,
    progress: Progress = silent,
) -> dict[str, Text]:
    """Write maps and tables of a comparison into a folder.

    Parameters
    ----------
    comparison
        Baseline and scenarios.
    folder
        Gets the files.
    workbook
        Whether there is to be a workbook too.
    suffix
        Of the names of GeoPackage and workbook: QGIS knows its projects by it, so that no two
        may share one.
    progress
        Is told what is being written.

    Returns
    -------
    dict
        What each file is, by its path in the folder.
    """
    drawn = side_by_side(comparison)
    files: dict[str, Text] = {}
    lang = comparison.baseline.prepared.project.output.language
    with LintProcess() as linter:
        for one in drawn:
            progress(f"Google Earth：{one.layers[0].title.ja}")
            files |= _write_earth(one, folder, lang=lang, linter=linter)
        files |= _write_tables(
            comparison, drawn, folder, suffix=suffix, workbook=workbook, progress=progress
        )
    return files


def _write_tables(
    comparison: Comparison,
    drawn: Sequence[SideBySide],
    folder: Path,
    *,
    suffix: str,
    workbook: bool,
    progress: Progress,
) -> dict[str, Text]:
    files: dict[str, Text] = {}
    header = comparison.baseline.prepared.project.project
    if drawn:
        progress("QGIS：GeoPackage")
        path = folder / "qgis" / f"{header.name}{suffix}.gpkg"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_geopackage(
            _for_desk(drawn),
            path,
            title=Text(header.title, header.title_en or header.title),
            metadata=_metadata(comparison),
        )
        files[f"qgis/{path.name}"] = Text(
            "シナリオごとの将来と、何もしない将来との差", "Scenarios and their differences"
        )
    files |= write_desk(
        comparison,
        drawn,
        folder,
        name=f"{header.name}{suffix}",
        about=_metadata(comparison),
        credits=credits_in(comparison),
        workbook=workbook,
        progress=progress,
    )
    progress("表：Parquet・CSV / tables")
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write_rows(for_readers(comparison_rows(comparison)), folder / "data" / "comparison")
    about = Text("何もしない将来とシナリオの値と差", "Baseline, scenarios and differences")
    return files | {f"data/comparison.{end}": about for end in ("csv", "parquet")}


def _write_earth(
    one: SideBySide, folder: Path, *, lang: str, linter: LintProcess
) -> dict[str, Text]:
    layers = one.for_earth()
    files = {}
    mesh = one.layers[0].kind == "mesh"
    # meshes of now and of the baseline are large, and stand in the baseline's own set
    kept = [layer for layer in layers if layer.scenario_key] if mesh else layers
    if kept:
        # Earth Pro opens the files of the web as they are; a second set would hold the same
        place = folder / "earth" / "web"
        for path in write_earth(
            kept, place, profile=EARTH_WEB, prefix=f"{one.key}_", lang=lang, linter=linter
        ):
            said = one.layers[2].title
            files[path.relative_to(folder).as_posix()] = Text(
                f"{said.ja}（{'・'.join(layer.heading() for layer in kept)}）",
                f"{said.en}, side by side",
            )
    return files


def _for_desk(drawn: Sequence[SideBySide]) -> list[Layer]:
    # a scenario's future and its difference share their features: one table with two styles
    return [
        replace(layer, theme=f"{layer.theme}_{one.key}")
        for one in drawn
        for layer in one.differing
        if layer.shown.any()
    ]


def _metadata(comparison: Comparison) -> dict[str, object]:
    header = comparison.baseline.prepared.project.project
    return {
        "futuremap": version("futuremap"),
        "project": header.name,
        "scenarios": [played.key for played in comparison.scenarios],
        "base_year": header.base_year,
        "end_year": header.end_year,
        "credits": [credit.line() for credit in credits_in(comparison)],
    }

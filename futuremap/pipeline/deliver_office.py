"""What people keep on their desks: the workbook, rasters and GeoParquet, and the printed report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from futuremap.core.fields import describe
from futuremap.core.layer import Layer
from futuremap.export.geoparquet import write_geoparquet
from futuremap.export.raster import write_class_raster, write_raster
from futuremap.export.workbook import write_workbook
from futuremap.pipeline.briefing import brief_of, reports_of
from futuremap.pipeline.draw import Theme
from futuremap.pipeline.prepare import Progress
from futuremap.pipeline.run import Outcome

# indicators of a mesh that are written as rasters, a band a year
RASTERS = (
    "population",
    "population_low",
    "population_high",
    "population_0_14",
    "population_65_over",
    "population_75_over",
    "ageing_rate",
    "density",
    "change_rate",
)
NO_REPORT = "FM730"


def deliver_office(
    outcome: Outcome,
    themes: Sequence[Theme],
    folder: Path,
    *,
    scenario: str,
    about: Mapping[str, object],
    progress: Progress,
) -> None:
    """Write the desk formats of a run into its folder.

    Parameters
    ----------
    outcome
        The run; a missing program for the report is noted among its warnings.
    themes
        What is drawn of it.
    folder
        The set of outputs so far.
    scenario
        Name of the scenario, which stands in the file names.
    about
        What files say about the run.
    progress
        Is told what is being written.

    Raises
    ------
    ExportError
        If a file cannot be made or fails its check.
    OSError
        If it cannot be written.
    """
    name = f"{outcome.prepared.project.project.name}_{scenario}"
    brief = brief_of(outcome, themes)
    about = {**about, "run": list(brief.title)}
    progress("Excel：概要・人口・施設・診断 / workbook")
    write_workbook(brief, _within(folder, "excel") / f"{name}.xlsx")
    progress("GeoTIFF・GeoParquet")
    for theme in themes:
        if theme[0].kind == "mesh":
            write_rasters(theme, _within(folder, "raster"))
        write_geoparquet(theme, _within(folder, "geoparquet") / f"{theme[0].theme}.parquet",
                         about=about)  # fmt: skip
    if find_spec("matplotlib") is None:
        outcome.prepared.report.add(NO_REPORT, value="matplotlib")
        return
    # matplotlib is an extra of its own, and slow to import
    from futuremap.export.report import write_report  # noqa: PLC0415

    for tail, part in reports_of(brief, outcome):
        progress("報告書（PDF・HTML）/ report")
        write_report(part, _within(folder, "report") / f"{name}{tail}")


def write_rasters(theme: Theme, folder: Path) -> None:
    """The main indicators of a mesh, and the classes of each of its maps.

    Parameters
    ----------
    theme
        Layers of a mesh.
    folder
        Where the files go, named after the theme.
    """
    held = {describe(name)[0].name for name in theme[0].features.columns.drop("geometry")}
    for indicator in RASTERS:
        if indicator in held:
            write_raster(theme[0], indicator, folder / f"{theme[0].theme}_{indicator}.tif")
    for layer in theme:
        write_class_raster(layer, folder / f"{class_stem(layer)}.tif")


def class_stem(layer: Layer) -> str:
    """Name of the raster of a map's classes: as its KMZ would be called, if it stood alone."""
    state = str(layer.year) if layer.state == "future" else layer.state
    return f"{layer.theme}_{state}_class"


def _within(folder: Path, name: str) -> Path:
    inside = folder / name
    inside.mkdir(exist_ok=True)
    return inside

"""GeoPackages of a run: one for each municipality and scenario, and one for what they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from futuremap.core.layer import Layer, Text
from futuremap.core.zones import Zones
from futuremap.export.geopackage import BASELINE, Scenario, write_geopackage
from futuremap.export.manifest import RunRecord, describe_run
from futuremap.pipeline.draw import Theme
from futuremap.pipeline.run import Outcome, TownOutcome


class _File(NamedTuple):
    # what one GeoPackage holds
    name: str
    title: Text
    layers: list[Layer]
    towns: list[TownOutcome]


def write_qgis(
    outcome: Outcome,
    themes: Sequence[Theme],
    folder: Path,
    *,
    run: RunRecord,
    scenario: Scenario = BASELINE,
) -> list[Path]:
    """Write the GeoPackages of a run and the projects beside them.

    The names are those of the project, of the town where it has several, and of the scenario:
    a GeoPackage knows its projects by its own name, so no two may share one.

    Parameters
    ----------
    outcome, themes
        A finished run and what is drawn of it.
    folder
        Folder to write into; it is made if it is not there.
    run
        What the manifest says of the run; the files carry it too.
    scenario
        Whose future it is.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ExportError
        If one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = describe_run(run)
    written = []
    for file in _files(outcome, themes):
        written += write_geopackage(
            file.layers,
            folder / f"{file.name}_{scenario.name}.gpkg",
            title=file.title,
            metadata=_metadata(outcome, file, said),
            scenario=scenario,
            outlines=[town.town.outline for town in file.towns],
            plane_zone=_plane_zone([town.town.outline for town in file.towns]),
        )
    return written


def _files(outcome: Outcome, themes: Sequence[Theme]) -> list[_File]:
    header = outcome.prepared.project.project
    whole = Text(header.title, header.title_en or header.title)
    if len(outcome.towns) == 1:
        everything = [layer for theme in themes for layer in theme]
        return [_File(header.name, whole, everything, list(outcome.towns))]
    files, shared = [], list(themes)
    for town in outcome.towns:
        own = [theme for theme in themes if theme[0].theme.endswith(f"_{town.town.code}")]
        shared = [theme for theme in shared if theme not in own]
        if own:
            name = town.town.name
            title = Text(f"{name.ja}の現況と将来", f"{name.en}, now and future")
            layers = [layer for theme in own for layer in theme]
            files.append(_File(f"{header.name}_{town.town.code}", title, layers, [town]))
    if shared:
        layers = [layer for theme in shared for layer in theme]
        files.append(_File(header.name, whole, layers, list(outcome.towns)))
    return files


def _plane_zone(outlines: Sequence[Zones]) -> int | None:
    """The plane zone of all, if they share one."""
    zones = {outline.plane_zone for outline in outlines}
    return zones.pop() if len(zones) == 1 else None


def _metadata(outcome: Outcome, file: _File, said: Mapping[str, object]) -> dict[str, object]:
    header = outcome.prepared.project.project
    towns = [{"code": town.town.code, "name": town.town.name._asdict()} for town in file.towns]
    found = Counter(problem.code for problem in outcome.prepared.report.warnings)
    years = {"base_year": header.base_year, "end_year": header.end_year}
    return {**said, **years, "project": header.name, "municipalities": towns,
            "warnings": dict(sorted(found.items()))}  # fmt: skip

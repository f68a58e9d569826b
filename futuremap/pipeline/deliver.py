"""All outputs of a run, written beside the earlier set and published at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from futuremap.core.credits import Credit, credits_of
from futuremap.core.layer import Layer, Text, view_of
from futuremap.export.geopackage import write_geopackage
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.manifest import Input, RunRecord, write_manifest
from futuremap.export.page import write_page
from futuremap.export.publish import publishing
from futuremap.export.tabular import write_frame, write_population, write_table
from futuremap.export.themes import Place, area_layers, facility_layers
from futuremap.pipeline.prepare import Progress
from futuremap.pipeline.run import Outcome, TownOutcome
from futuremap.pipeline.welcome import page

SCENARIO = "baseline"
EARTH = {"web": EARTH_WEB, "pro": EARTH_PRO}
MESH_THEMES = {"1km": "mesh1000", "500m": "mesh500", "250m": "mesh250", "125m": "mesh125"}
Theme = tuple[Layer, ...]


def deliver(outcome: Outcome, out: Path, *, progress: Progress) -> Path:
    """Write everything a run gives and publish it as one set.

    Parameters
    ----------
    outcome
        A finished run.
    out
        Folder of outputs; the project gets a folder of its own name in it.
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
    header = outcome.prepared.project.project
    title = Text(header.title, header.title_en or header.title)
    with publishing(out / header.name) as folder:
        themes = [theme for town in outcome.towns for theme in draw(outcome, town)]
        for theme in themes:
            progress(f"Google Earth：{theme[0].title.ja}")
            for name, profile in EARTH.items():
                write_earth(theme, folder / "earth" / name, profile=profile)
        progress("QGIS：GeoPackage")
        layers = [layer for theme in themes for layer in theme]
        path = folder / "qgis" / f"{header.name}_{SCENARIO}.gpkg"
        path.parent.mkdir()
        write_geopackage(layers, path, title=title, metadata=_metadata(outcome))
        progress("表：Parquet・CSV / tables")
        _write_tables(outcome, themes, folder / "data")
        write_page(folder, page(outcome, folder, layers=layers, credits=_credits(outcome)))
        write_manifest(folder, _record(outcome))
    return out / header.name


def draw(outcome: Outcome, town: TownOutcome) -> list[Theme]:
    """The themes of one municipality: facilities, mesh and town blocks.

    Parameters
    ----------
    outcome
        The run.
    town
        One of its municipalities.
    """
    setting = outcome.prepared.project
    place = Place(
        town.town.name,
        setting.years,
        _credits(outcome),
        view_of(town.town.blocks.geometry, town.people.totals()[0]),
    )
    several = len(outcome.towns) > 1
    tail = f"_{town.town.code}" if several else ""
    level = setting.mesh.level
    themes = []
    if town.town.facilities is not None and town.facilities is not None:
        radius = f"{setting.reach.radius_m:g}"
        reach = Text(
            f"利用圏人口は、施設から半径{radius}mの円に入る面積の割合で町丁の人口を数えたもの。"
            "市外の人口は含みません。",
            f"People in reach: residents of town blocks by their area within {radius} m; "
            "people outside the municipality are not counted.",
        )
        themes.append(
            facility_layers(
                town.town.facilities,
                town.facilities,
                theme=f"facilities{tail}",
                class_names=town.town.class_names,
                title=Text(
                    "施設の利用圏人口と供用開始後年数", "People in reach and years in service"
                ),
                place=place,
                notes=(reach, *(Text(*note) for note in town.town.blocks.notes)),
            ),
        )
    themes.append(
        area_layers(
            town.meshed.zones,
            town.mesh,
            theme=f"{MESH_THEMES[level]}{tail}",
            title=Text(
                f"{level}メッシュの人口密度と高齢化率", f"Density and ageing on the {level} mesh"
            ),
            place=place,
        ),
    )
    themes.append(
        area_layers(
            town.town.blocks,
            town.blocks,
            theme=f"town_blocks{tail}",
            title=Text("町丁別の人口密度と高齢化率", "Density and ageing by town block"),
            place=place,
        ),
    )
    return themes


def _credits(outcome: Outcome) -> tuple[Credit, ...]:
    used = {credit for _, credit in outcome.prepared.inputs}
    return credits_of(used, outcome.prepared.project.own_credits())


def _write_tables(outcome: Outcome, themes: list[Theme], folder: Path) -> None:
    folder.mkdir(parents=True)
    blocks = {
        zone: name
        for town in outcome.towns
        for zone, name in zip(town.town.blocks.ids, town.town.blocks.names, strict=True)
    }
    towns = {town.town.code: town.town.name.ja for town in outcome.towns}
    write_population(outcome.projection.population, folder / "population_town_blocks", names=blocks)
    write_table(outcome.accounts, folder / "flows_town_blocks", names=blocks)
    write_table(outcome.municipal, folder / "municipality", names=towns)
    write_table(outcome.projection.controls, folder / "controls", names=towns)
    for theme in themes:
        write_frame(theme[0].features, folder / theme[0].theme)


def _metadata(outcome: Outcome) -> Mapping[str, object]:
    header = outcome.prepared.project.project
    return {
        "futuremap": version("futuremap"),
        "project": header.name,
        "scenario": SCENARIO,
        "base_year": header.base_year,
        "end_year": header.end_year,
        "credits": [credit.line() for credit in _credits(outcome)],
    }


def _record(outcome: Outcome) -> RunRecord:
    project = outcome.prepared.project
    own = project.own_credits()
    return RunRecord(
        base=project.file.parent,
        inputs=[Input(path, credits_of([key], own)[0]) for path, key in outcome.prepared.inputs],
        parameters=project.model_dump(mode="json", by_alias=True),
        credits=_credits(outcome),
        warnings=outcome.prepared.report.warnings,
        control_residuals=outcome.control_residuals,
        register_census_ratio=outcome.register_ratio,
    )

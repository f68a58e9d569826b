"""What is drawn: which zones and indicators become which themes, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.core.credits import Credit, credits_of
from futuremap.core.layer import Layer, Text, view_of
from futuremap.core.table import stack
from futuremap.core.terrain import Terrain
from futuremap.export.details import with_ground, with_pyramids
from futuremap.export.themes import Place, area_layers
from futuremap.pipeline.draw_facilities import facility_themes
from futuremap.pipeline.looks import Map_, maps_of, with_changes
from futuremap.pipeline.run import Outcome, TownOutcome

MESH_THEMES = {
    "1km": "mesh1000",
    "500m": "mesh500",
    "250m": "mesh250",
    "125m": "mesh125",
    "10km": "mesh10000",
}
MUNICIPALITIES = Text("市区町村の人口密度と高齢化率", "Density and ageing by municipality")
BLOCKS = Text("町丁別の人口密度と高齢化率", "Density and ageing by town block")
Theme = tuple[Layer, ...]


def credits_for(outcome: Outcome, codes: Sequence[str]) -> tuple[Credit, ...]:
    """Credits of the data of some municipalities.

    Parameters
    ----------
    outcome
        The run.
    codes
        Codes of the municipalities.
    """
    project = outcome.prepared.project
    towns = [entry for entry in project.municipality if entry.code in codes]
    used = {credit for entry in towns for _, credit in entry.files()}
    return credits_of(used, project.own_credits())


def draw(outcome: Outcome) -> list[Theme]:
    """The themes of a run: facilities, mesh and town blocks of every town, or municipalities.

    Parameters
    ----------
    outcome
        The run.
    """
    whole = [town for town in outcome.towns if town.town.is_whole]
    themes = [_municipalities(outcome, whole)] if whole else []
    for town in outcome.towns:
        themes += _town(outcome, town)
    return themes


def _municipalities(
    outcome: Outcome,
    towns: Sequence[TownOutcome],
) -> Theme:
    header = outcome.prepared.project.project
    parts = [town.town.blocks for town in towns]
    shapes = np.concatenate([part.geometry for part in parts])
    people = np.concatenate([town.people.totals()[0] for town in towns])
    return area_layers(
        parts,
        stack([town.blocks for town in towns]),
        theme="municipalities",
        title=MUNICIPALITIES,
        place=Place(
            Text(header.title, header.title_en or header.title),
            outcome.prepared.project.years,
            credits_for(outcome, [town.town.code for town in towns]),
            view_of(shapes, people),
        ),
    )


def _town(
    outcome: Outcome,
    town: TownOutcome,
) -> list[Theme]:
    setting = outcome.prepared.project
    place = Place(
        town.town.name,
        setting.years,
        credits_for(outcome, [town.town.code]),
        view_of(town.town.blocks.geometry, town.people.totals()[0]),
    )
    tail = f"_{town.town.code}" if len(outcome.towns) > 1 else ""
    themes = facility_themes(outcome, town, place=place, tail=tail)
    meshes = {} if town.mesh is None else {setting.mesh.level: town.mesh, **town.larger}
    for level, mesh in meshes.items():
        themes += [
            area_layers(
                [mesh.zones],
                with_changes(mesh.table, one.look),
                theme=mesh_theme(level, one, tail),
                title=mesh_title(level, one),
                place=place,
                look=one.look,
            )
            for one in maps_of(setting.map_, "mesh")
        ]
    if not town.town.is_whole:
        themes += _blocks(outcome, town, place, tail)
    return [levelled(theme, town.town.terrain) for theme in themes]


def mesh_theme(level: str, one: Map_, tail: str) -> str:
    """Name of a theme of mesh cells.

    Parameters
    ----------
    level
        Level of the mesh.
    one
        Which of its maps.
    tail
        End of the names of the town's themes.
    """
    return f"{MESH_THEMES[level]}{one.tail}{tail}"


def mesh_title(level: str, one: Map_) -> Text:
    """Title of a map of mesh cells.

    Parameters
    ----------
    level
        Level of the mesh.
    one
        Which of its maps.
    """
    if one.title is None:
        ja, en = "人口密度と高齢化率", "Density and ageing"
    else:
        ja, en = one.title
    return Text(f"{level}メッシュの{ja}", f"{en} on the {level} mesh")


def _blocks(outcome: Outcome, town: TownOutcome, place: Place, tail: str) -> list[Theme]:
    themes = [
        area_layers(
            [town.town.blocks],
            with_changes(town.blocks, one.look),
            theme=f"town_blocks{one.tail}{tail}",
            title=one.title or BLOCKS,
            place=place,
            look=one.look,
        )
        for one in maps_of(outcome.prepared.project.map_, "town_blocks")
    ]
    return [with_pyramids(theme, town.people) for theme in themes]


def levelled(theme: Theme, terrain: Terrain | None) -> Theme:
    """A theme with level roofs, where the ground is known.

    Parameters
    ----------
    theme
        Its states.
    terrain
        The ground; None leaves the theme as it is.
    """
    if terrain is None:
        return theme
    features = theme[0].features
    altitude = terrain.below(features.geometry.to_numpy())
    return with_ground(theme, features.index.tolist(), altitude)

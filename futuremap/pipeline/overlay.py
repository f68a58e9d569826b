"""Meshes of too many cells for one view: the same theme on larger meshes, for tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from futuremap.base.coarser import in_larger_cells, together
from futuremap.core.crosswalk import gather
from futuremap.core.layer import Layer, Text, View, metres_per_unit, view_of
from futuremap.core.mesh import Level, level_of
from futuremap.core.population import Population
from futuremap.core.table import stack
from futuremap.core.zones import Zones
from futuremap.export.details import brief
from futuremap.export.themes import Place, area_layers
from futuremap.indicators.people import age_structure, density
from futuremap.pipeline.draw import Theme, credits_for, levelled, mesh_theme, mesh_title
from futuremap.pipeline.looks import Map_, maps_of, with_changes
from futuremap.pipeline.run import Outcome, TownOutcome

LARGER = ("250m", "500m", "1km", "10km")
FINEST = "250m"  # cells of 125 m are counted in those of 250 m, of which a tile holds enough
NEAR_WIDTH = 20_000.0  # of the view in which the smallest cells are seen [m]


def town_meshes(outcome: Outcome, theme: Theme) -> list[Theme]:
    """A town's mesh theme and the same on all larger meshes; none if it is no theme of its mesh.

    Parameters
    ----------
    outcome
        A finished run.
    theme
        What is drawn.
    """
    level = outcome.prepared.project.mesh.level
    for town in outcome.towns:
        if town.mesh is None:
            continue
        for one in maps_of(outcome.prepared.project.map_, "mesh"):
            if theme[0].theme == mesh_theme(level, one, _tail(outcome, town)):
                parts = [(town.mesh.zones, town.mesh.people)]
                first = theme[0]
                place = Place(
                    first.place, outcome.prepared.project.years, first.credits, first.view
                )
                themes = _on_all(parts, one, place, tail=_tail(outcome, town))
                return [levelled(theme, town.town.terrain) for theme in themes]
    return []


def all_meshes(outcome: Outcome) -> list[list[Theme]]:
    """The meshes of all towns of a project as one map, on all larger meshes too.

    Parameters
    ----------
    outcome
        A finished run of more than one town.
    """
    towns = [town for town in outcome.towns if town.mesh is not None]
    if len(towns) < 2:  # noqa: PLR2004 - one town is its own map
        return []
    project = outcome.prepared.project
    parts = together([(town.mesh.zones, town.mesh.people) for town in towns if town.mesh])
    shapes = np.concatenate([zones.geometry for zones, _ in parts])
    people = np.concatenate([found.totals()[0] for _, found in parts])
    title = Text(project.project.title, project.project.title_en or project.project.title)
    place = Place(
        title,
        project.years,
        credits_for(outcome, [town.town.code for town in towns]),
        view_of(shapes, people),
    )
    return [_on_all(parts, one, place, tail="_all") for one in maps_of(project.map_, "mesh")]


def _on_all(
    parts: Sequence[tuple[Zones, Population]],
    one: Map_,
    place: Place,
    *,
    tail: str,
) -> list[Theme]:
    first = Level(str(_level(parts)))
    levels = [level for level in LARGER if Level(level).span > first.span]
    held = {first.value: list(parts)}
    for level in levels:
        held[level] = [_larger(zones, people, level) for zones, people in parts]
        if len(parts) > 1:
            held[level] = together(held[level])
    if first.span < Level(FINEST).span:
        held.pop(first.value)
    themes = [_theme(level, found, one, place, tail=tail) for level, found in held.items()]
    scale = _scale(themes[0], place.view)
    return [brief([replace(layer, metres_per_unit=scale) for layer in theme]) for theme in themes]


def _theme(
    level: str,
    parts: Sequence[tuple[Zones, Population]],
    one: Map_,
    place: Place,
    *,
    tail: str,
) -> Theme:
    tables = []
    for zones, people in parts:
        table = age_structure(people).join(density(people, zones.areas()))
        tables.append(with_changes(table, one.look))
    return area_layers(
        [zones for zones, _ in parts], stack(tables),
        theme=mesh_theme(level, one, tail), title=mesh_title(level, one), place=place,
        look=one.look,
    )  # fmt: skip


def _larger(zones: Zones, people: Population, level: str) -> tuple[Zones, Population]:
    found = in_larger_cells(zones, level)
    return found.zones, gather(people, found.crosswalk)


def _level(parts: Sequence[tuple[Zones, Population]]) -> str:
    return str(level_of(parts[0][0].ids[0]))


def _scale(theme: Sequence[Layer], view: View) -> float:
    # of the near view: one scale for all distances, and no cell is taller than what is seen of it
    near = view._replace(width_m=min(view.width_m, NEAR_WIDTH))
    heights = [layer.features[layer.height].to_numpy(dtype=np.float64) for layer in theme]
    return metres_per_unit(heights, near)


def _tail(outcome: Outcome, town: TownOutcome) -> str:
    return f"_{town.town.code}" if len(outcome.towns) > 1 else ""

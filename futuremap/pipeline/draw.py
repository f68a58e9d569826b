"""What is drawn: which zones and indicators become which themes, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.core.credits import Credit, credits_of
from futuremap.core.layer import Layer, Text, view_of
from futuremap.core.table import stack
from futuremap.export.moves import with_moves
from futuremap.export.themes import Place, area_layers, facility_layers
from futuremap.pipeline.reach_words import rule_words
from futuremap.pipeline.read_reach import rule_of
from futuremap.pipeline.run import Outcome, TownOutcome

MESH_THEMES = {"1km": "mesh1000", "500m": "mesh500", "250m": "mesh250", "125m": "mesh125"}
MUNICIPALITIES = Text("市区町村の人口密度と高齢化率", "Density and ageing by municipality")
BLOCKS = Text("町丁別の人口密度と高齢化率", "Density and ageing by town block")
FACILITIES = Text("施設の利用圏人口と供用開始後年数", "People in reach and years in service")
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
    themes = []
    if town.town.facilities is not None and town.reach is not None:
        points, served = town.reach.zones.geometry, town.reach.people.totals()[0]
        themes.append(
            with_moves(
                facility_layers(
                    town.town.facilities,
                    town.reach.table,
                    theme=f"facilities{tail}",
                    class_names=town.town.class_names,
                    title=FACILITIES,
                    place=place._replace(view=view_of(points, served)) if len(points) else place,
                    notes=(
                        *_reach_notes(outcome, town),
                        *(Text(*note) for note in town.town.blocks.notes),
                    ),
                ),
                town.reach.moved,
            ),
        )
    if town.mesh is not None:
        level = setting.mesh.level
        themes.append(
            area_layers(
                [town.mesh.zones],
                town.mesh.table,
                theme=f"{MESH_THEMES[level]}{tail}",
                title=Text(
                    f"{level}メッシュの人口密度と高齢化率",
                    f"Density and ageing on the {level} mesh",
                ),
                place=place,
            ),
        )
    if not town.town.is_whole:
        theme = f"town_blocks{tail}"
        themes.append(
            area_layers([town.town.blocks], town.blocks, theme=theme, title=BLOCKS, place=place),
        )
    return themes


def _reach_notes(outcome: Outcome, town: TownOutcome) -> list[Text]:
    project, names = outcome.prepared.project, town.town.class_names
    words = {name: rule_words(rule_of(project, name)) for name in names}
    alone = len(set(words.values())) == 1
    notes = []
    for name, said in words.items() if not alone else list(words.items())[:1]:
        of = Text("", "") if alone else Text(f"（{names[name]}）", f" ({name})")
        notes.append(
            Text(f"利用圏人口{of.ja}は、{said.ja}。", f"People in reach{of.en}: {said.en}.")
        )
    others = len(set(town.reach.areas.frame["parent"])) > 1 if town.reach is not None else False
    notes.append(
        Text(
            "同じプロジェクトの近隣市町村の人口も数えています。",
            "people of neighbouring municipalities of the project are counted too.",
        )
        if others
        else Text(
            "市外の人口は含みません。",
            "people outside the municipality are not counted.",
        ),
    )
    return notes

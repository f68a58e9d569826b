"""Maps of facilities: all of a town together and, if wanted, every class by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.facilities import Facilities
from futuremap.core.layer import Layer, Text, view_of
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.export.details import with_reaches
from futuremap.export.moves import with_moves
from futuremap.export.themes import Place, facility_layers
from futuremap.pipeline.looks import Map_, maps_of, with_changes
from futuremap.pipeline.reach_shapes import reach_shapes
from futuremap.pipeline.reach_words import rule_words
from futuremap.pipeline.reaching import Reaching
from futuremap.pipeline.read_reach import of_class, rule_of
from futuremap.pipeline.run import Outcome, TownOutcome

FACILITIES = Text("施設の利用圏人口と供用開始後年数", "People in reach and years in service")
Theme = tuple[Layer, ...]


def facility_themes(
    outcome: Outcome,
    town: TownOutcome,
    *,
    place: Place,
    tail: str,
) -> list[Theme]:
    """The maps of a town's facilities; none where it has none.

    Parameters
    ----------
    outcome
        The run.
    town
        One of its towns.
    place
        What the town's maps share.
    tail
        End of the names of its themes.
    """
    facilities, reach = town.town.facilities, town.reach
    if facilities is None or reach is None:
        return []
    setting, names = outcome.prepared.project.map_, town.town.class_names
    parts: list[tuple[str, Sequence[str], Facilities]] = [("", list(names), facilities)]
    if setting.facilities_by_class and len(names) > 1:
        parts += [(f"_{name}", [name], of_class(facilities, name)) for name in names]
    shapes = reach_shapes(outcome.prepared, town.town, outcome.projection.population)
    position = {zone: i for i, zone in enumerate(facilities.located.ids)}
    themes = []
    for one in maps_of(setting, "facilities"):
        for own, classes, part in parts:
            ids = part.located.ids
            outline = shapes[np.array([position[zone] for zone in ids], dtype=np.intp)]
            if own and not ids:
                continue
            layers = _layers(
                outcome, town, part, classes=classes, one=one,
                place=_seen(place, outline, part.located, reach.people),
                theme=f"facilities{own}{one.tail}{tail}",
            )  # fmt: skip
            if layers is not None:
                themes.append(with_moves(with_reaches(layers, ids, outline), reach.moved))
    return themes


def _layers(
    outcome: Outcome,
    town: TownOutcome,
    part: Facilities,
    *,
    classes: Sequence[str],
    one: Map_,
    place: Place,
    theme: str,
) -> Theme | None:
    reach = town.reach
    if reach is None or not _is_known(outcome, reach, one, town):
        return None
    table = with_changes(_only(reach.table, part.located.ids), one.look)
    names = town.town.class_names
    title = one.title or FACILITIES
    alone = len(classes) < len(names)
    return facility_layers(
        part,
        table,
        theme=theme,
        class_names=names,
        title=Text(f"{names[classes[0]]}：{title.ja}", f"{classes[0]}: {title.en}")
        if alone
        else title,
        place=place,
        notes=(
            *_reach_notes(outcome, town, classes),
            *(Text(*note) for note in town.town.blocks.notes),
        ),
        look=one.look,
    )


def _seen(place: Place, outline: NDArray[np.object_], points: Zones, people: Population) -> Place:
    """The place as seen when facilities, with their reach, are what must be seen."""
    if not len(points):
        return place
    shapes = np.where(shapely.is_missing(outline), points.geometry, outline)
    return place._replace(view=view_of(shapes, people.only(points.ids).totals()[0]))


def _is_known(outcome: Outcome, reach: Reaching, one: Map_, town: TownOutcome) -> bool:
    """Whether there is any value of the colour; says so if there is none (FM706)."""
    name, table = one.look.colour, reach.table
    if not table.zones:  # facilities without any place are on no map, but in the lists
        return True
    known = name in table.indicators and any(
        np.isfinite(table.column(name, year)).any() for year in table.years
    )
    if not known:
        project = outcome.prepared.project
        outcome.prepared.report.add(
            "FM706", file=project.file.name, line=project.line("map"), value=town.town.name.ja,
            name=name,
        )  # fmt: skip
    return known


def _only(table: Table, zones: Sequence[str]) -> Table:
    return Table(table.data.sel(zone=np.asarray(zones, dtype=object)))


def _reach_notes(outcome: Outcome, town: TownOutcome, classes: Sequence[str]) -> list[Text]:
    project, names = outcome.prepared.project, town.town.class_names
    words = {name: rule_words(rule_of(project, name)) for name in classes}
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

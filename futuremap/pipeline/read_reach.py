"""What the rules of reach need, read and checked: roads, districts, events, sizes and presets."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from futuremap.catchment.cost import network_of
from futuremap.catchment.districts import check_districts
from futuremap.catchment.events import check_classes, check_events
from futuremap.catchment.network import check_network
from futuremap.catchment.streets import Mode
from futuremap.config import Municipality, Project
from futuremap.config.presets import TABLE, known_presets
from futuremap.config.reach import DistrictsFile, ReachRule
from futuremap.core.ages import AgeGroups
from futuremap.core.facilities import Facilities
from futuremap.core.network import Network
from futuremap.core.zones import Zones
from futuremap.pipeline.read_bus import read_bus
from futuremap.pipeline.read_common import note_unverified, place_of
from futuremap.problems import Report
from futuremap.sources import cost_raster, districts, graph, graph_lines
from futuremap.sources.vector import Layout

SHOWN = 3  # names in a message


class ReachInputs(NamedTuple):
    """What the rules of a town work with.

    roads, bus, surface
        Graphs on which people move; that of the bus has the roads in it.
    districts
        Districts by class of facility.
    """

    roads: Network | None = None
    surface: Network | None = None
    districts: dict[str, Zones] = {}  # noqa: RUF012 - never changed
    bus: Network | None = None


def rule_of(project: Project, facility_class: str) -> ReachRule:
    """The rule of a class, what its preset says filled in.

    Parameters
    ----------
    project
        A checked project.
    facility_class
        The class.
    """
    rule = project.reach.rule_of(facility_class)
    preset = known_presets().get(rule.preset)
    said = {} if preset is None else {
        "radius_m": preset.radius_m,
        "life_years": preset.target_years if rule.life == "target" else preset.life_years,
        "rebuild_cost": preset.rebuild_cost,
        "repair_cost": preset.repair_cost,
        "age_from": preset.age_from,
        "age_to": preset.age_to,
    }  # fmt: skip
    wanted = {name: value for name, value in said.items() if getattr(rule, name) is None}
    if rule.rule not in ("radius", "centroid"):
        wanted.pop("radius_m", None)
    elif rule.radius_m is None and wanted.get("radius_m") is None:
        wanted["radius_m"] = project.reach.radius_m
    return rule.model_copy(update=wanted)


def read_reach(
    project: Project,
    number: int,
    area: Zones | None,
    report: Report,
) -> ReachInputs:
    """Read the roads, the surface and the districts of a municipality.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    area
        Its outline, if it could be read.
    report
        Takes the problems of the readers, FM010, and FM676 and FM677 of buses.
    """
    entry = project.municipality[number]
    place = place_of(entry, area)
    roads = None
    if entry.roads is not None:
        columns = entry.roads
        layout = graph_lines.LineLayout(
            columns.kind, columns.oneway, columns.maxspeed, columns.layer
        )
        if ".graphml" not in columns.file.lower():
            note_unverified(graph_lines.VERIFIED, "道路の線・PBF", file=columns.file, report=report)
        roads = graph.read(
            project.path(columns.file),
            credit=columns.credit,
            report=report,
            layout=layout,
            near=place.near,
        )
    found = {
        listed.facility_class: _read_districts(project, entry, listed, area, report)
        for listed in entry.districts
    }
    return ReachInputs(
        roads,
        _read_surface(project, entry, area, report),
        {name: zones for name, zones in found.items() if zones is not None},
        read_bus(project, number, roads=roads, area=area, report=report),
    )


def _read_districts(
    project: Project,
    entry: Municipality,
    listed: DistrictsFile,
    area: Zones | None,
    report: Report,
) -> Zones | None:
    layout = Layout(listed.key, listed.name or listed.key) if listed.key else None
    return districts.read(
        project.path(listed.file),
        town=place_of(entry, area),
        credit=listed.credit,
        report=report,
        layout=layout,
    )


def _read_surface(
    project: Project,
    entry: Municipality,
    area: Zones | None,
    report: Report,
) -> Network | None:
    if entry.surface is None or area is None:
        return None
    note_unverified(
        cost_raster.VERIFIED, "移動コストのラスタ", file=entry.surface.file, report=report
    )
    found = cost_raster.read(
        project.path(entry.surface.file), area, credit=entry.surface.credit, report=report
    )
    return None if found is None else network_of(found)


def with_events(
    project: Project,
    number: int,
    facilities: Facilities,
    report: Report,
) -> Facilities:
    """Facilities with the events that the project plans.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    facilities
        All its facilities.
    report
        Takes the problems of :func:`futuremap.catchment.events.check_events`.
    """
    planned = project.municipality[number].event
    if not planned:
        return facilities
    # numbers that are not said are NaN
    rows = [
        {key: np.nan if value is None else value for key, value in event.model_dump().items()}
        for event in planned
    ]
    lines = [project.line("municipality", number, "event", j) or 0 for j in range(len(rows))]
    return check_events(
        facilities,
        pd.DataFrame(rows),
        horizon=project.years,
        file=project.file.name,
        report=report,
        lines=lines,
    )


def check_rules(
    project: Project,
    number: int,
    facilities: Facilities,
    inputs: ReachInputs,
    *,
    ages: AgeGroups,
    report: Report,
) -> None:
    """Note what the rules cannot do with these facilities.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    facilities, inputs
        What was read.
    ages
        Age groups of the people.
    report
        Takes FM637 to FM639 (districts), FM645 (life), FM671, FM672 and FM675 (sizes), FM673
        and FM674 (ages), FM678 (extension).
    """
    entry = project.municipality[number]
    for listed in entry.facilities:
        name = listed.facility_class
        rule = rule_of(project, name)
        mine = facilities.table[facilities.table["facility_class"] == name]
        _check_sizes(mine, rule, file=listed.file, report=report)
        _check_supply(mine, rule, file=listed.file, report=report)
        _check_ages(project, rule, ages, report)
    _check_lives(project, entry, facilities, report=report)
    for given in entry.districts:
        zones = inputs.districts.get(given.facility_class)
        if zones is not None:
            check_districts(
                of_class(facilities, given.facility_class),
                zones,
                by=given.by,
                file=given.file,
                report=report,
            )


def check_roads(
    project: Project,
    number: int,
    facilities: Facilities,
    inputs: ReachInputs,
    *,
    places: Zones,
    report: Report,
) -> None:
    """Note what the roads cannot answer for the classes that go by road.

    Parameters
    ----------
    project, number
        The project, and which of its municipalities.
    facilities, inputs
        What was read.
    places
        Where people stand.
    report
        Takes FM624 to FM627.
    """
    entry = project.municipality[number]
    if inputs.roads is None or entry.roads is None:
        return
    modes: dict[Mode, list[str]] = {"walk": [], "car": []}
    for listed in entry.facilities:
        rule = rule_of(project, listed.facility_class).rule
        if rule in ("walk", "bus"):  # both begin and end on foot
            modes["walk"].append(listed.facility_class)
        elif rule == "car":
            modes["car"].append(listed.facility_class)
    for mode, classes in modes.items():
        if not classes:
            continue
        kept = facilities.table["facility_class"].isin(classes)
        ids = set(facilities.table.index[kept])
        points = facilities.located
        chosen = replace(points, frame=points.frame[points.frame.index.isin(ids)])
        check_network(chosen, places, inputs.roads, mode=mode, file=entry.roads.file, report=report)


def of_class(facilities: Facilities, name: str) -> Facilities:
    """The facilities of one class, with their events."""
    mine = facilities.table["facility_class"] == name
    ids = set(facilities.table.index[mine])
    points = facilities.located
    return Facilities(
        facilities.table[mine],
        replace(points, frame=points.frame[points.frame.index.isin(ids)]),
        facilities.events[facilities.events["facility"].isin(ids)],
    )


def _check_sizes(mine: pd.DataFrame, rule: ReachRule, *, file: str, report: Report) -> None:
    shares = {"capacity": "capacity", "huff": rule.attraction or "equal"}.get(rule.rule)
    for name in ("capacity", "floor_area"):
        unknown = np.full(len(mine), np.nan)
        size = mine[name].to_numpy(dtype=np.float64) if name in mine else unknown
        wrong = np.flatnonzero(~(size > 0)) if shares == name else np.flatnonzero(size == 0)
        for i in wrong[: None if shares == name else 1].tolist():
            where = {"file": file, "value": mine["name"].iloc[i], "column": name}
            if shares == name:
                report.add("FM671", **where, key=name, rule=rule.rule)
            else:
                report.add("FM672", **where, count=len(wrong))


def _check_supply(mine: pd.DataFrame, rule: ReachRule, *, file: str, report: Report) -> None:
    given = rule.accessibility
    if given is None or given.supply == "count" or given.unknown is not None:
        return
    size = mine.get(given.supply, pd.Series(np.nan, index=mine.index))
    unknown = np.flatnonzero(size.isna())
    if len(unknown):
        named = "、".join(mine["name"].iloc[unknown[:SHOWN]])
        report.add("FM675", file=file, value=named, column=given.supply, key=given.supply,
                   count=len(unknown), all=len(mine))  # fmt: skip


def _check_lives(
    project: Project,
    entry: Municipality,
    facilities: Facilities,
    *,
    report: Report,
) -> None:
    # only where the project asks for a life: by a preset or by unit costs
    rules = [rule_of(project, listed.facility_class) for listed in entry.facilities]
    asked = {
        rule.facility_class
        for rule in rules
        if rule.life_years is None and (rule.preset or rule.rebuild_cost or rule.repair_cost)
    }
    renewed = facilities.events.loc[facilities.events["event"] == "renew", "facility"]
    classes = facilities.table.loc[renewed.unique(), "facility_class"]
    for rule in rules:
        count = int((classes == rule.facility_class).sum())
        if count and rule.life_years is not None and rule.extension_years is None:
            place = [own.facility_class for own in project.reach.rule].index(rule.facility_class)
            line = project.line("reach", "rule", place)
            report.add("FM678", file=project.file.name, line=line, value=rule.facility_class,
                       count=count)  # fmt: skip
    known = {rule.facility_class for rule in rules} - asked
    check_classes(facilities, known, file=project.file.name, report=report)


def _check_ages(project: Project, rule: ReachRule, ages: AgeGroups, report: Report) -> None:
    if meets(rule, ages):
        return
    own = project.reach.rule_of(rule.facility_class)
    shown = f"{rule.age_from or 0}～{'' if rule.age_to is None else rule.age_to}"
    if (own.age_from, own.age_to) == (rule.age_from, rule.age_to):
        place = [r.facility_class for r in project.reach.rule].index(rule.facility_class)
        line = project.line("reach", "rule", place)
        bounds = "、".join(map(str, ages.lower))
        report.add("FM673", file=project.file.name, line=line, value=shown, expected_ages=bounds)
    else:
        report.add("FM674", file=TABLE, value=shown, preset=rule.preset)


def meets(rule: ReachRule, ages: AgeGroups) -> bool:
    """Whether the ages that a class serves begin and end with age groups."""
    begins = rule.age_from is None or rule.age_from in ages.lower
    return begins and (rule.age_to is None or rule.age_to + 1 in ages.lower)

"""Scenarios beside the data: every zone, facility and bundle that they name, found or reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import shapely

from futuremap.catchment.events import check_events
from futuremap.config.check_levers import RATIOS
from futuremap.config.check_scenario import near
from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import Project
from futuremap.config.reach import PlannedEvent
from futuremap.config.scenario import (
    FacilityEvent,
    HousingChange,
    LeverEntry,
    NewFacility,
    Scenario,
    TargetEntry,
    Where,
)
from futuremap.core.facilities import FURTHER, Facilities
from futuremap.core.zones import Zones, join
from futuremap.pipeline.named_places import Town, find_facility, find_zone, only_town, towns_of
from futuremap.pipeline.new_bus import check_lines
from futuremap.pipeline.notes import Notes
from futuremap.pipeline.read_indicators import IndicatorInputs
from futuremap.pipeline.read_rates import check_rates, check_targets
from futuremap.problems import Report
from futuremap.scenario.bundles import Bundle, known_bundles


def check_scenarios(
    project: Project,
    towns: Sequence[Town],
    inputs: IndicatorInputs,
    report: Report,
) -> None:
    """Note what scenarios and backcasts of the project's file name and the data do not have.

    Parameters
    ----------
    project
        The project.
    towns
        Its municipalities.
    inputs
        What its indicators are made from.
    report
        Takes FM840 to FM842, FM847, FM849, FM853, FM870 to FM877 and what events may be wrong in.
    """
    notes = Notes(project, report)
    for name, scenario in project.scenario.items():
        at: KeyPath = ("scenario", name)
        check_scenario(scenario, towns, at, notes)
        check_lines(scenario, towns, at, notes)
        for town in towns:
            facilities_of(project, scenario, town, at=at, notes=notes)
    for name, entry in project.backcast.items():
        check_backcast(entry.target, entry.lever, towns, ("backcast", name), notes)
        check_targets(entry.target, towns, ("backcast", name), inputs, notes)
    check_rates(notes, towns, inputs)


def check_scenario(scenario: Scenario, towns: Sequence[Town], at: KeyPath, notes: Notes) -> None:
    """Note unknown zones, facilities and bundles of one scenario."""
    for key in ("people", "fertility", "survival", "migration", "rate"):
        for j, entry in enumerate(getattr(scenario, key)):
            _check_where(entry, towns, (*at, key, j), notes)
    for j, people in enumerate(scenario.people):
        _check_bundle(people.bundle, (*at, "people", j, "bundle"), notes)
    for j, estate in enumerate(scenario.housing):
        _check_estate(estate, towns, (*at, "housing", j), notes)
    _check_cleared(scenario, towns, at, notes)
    for j, event in enumerate(scenario.event):
        for key in ("facility", "into"):
            name = getattr(event, key)
            if name and name not in _new_names(scenario):
                _check_facility(name, event.municipality, towns, (*at, "event", j, key), notes)
    for j, new in enumerate(scenario.facility):
        _check_new(new, towns, (*at, "facility", j), notes)
        if new.name in [other.name for other in scenario.facility[:j]]:
            notes.add("FM849", (*at, "facility", j, "name"), new.name, near=new.facility_class)


def check_backcast(
    targets: Sequence[TargetEntry],
    levers: Sequence[LeverEntry],
    towns: Sequence[Town],
    at: KeyPath,
    notes: Notes,
) -> None:
    """Note unknown zones, facilities and bundles of targets and levers."""
    for j, target in enumerate(targets):
        here: KeyPath = (*at, "target", j)
        if target.zone:
            _check_zone(target.zone, target.municipality, towns, (*here, "zone"), notes)
            _check_kept(target, towns, (*here, "keep"), notes)
        if target.facility:
            _check_facility(target.facility, target.municipality, towns, (*here, "facility"), notes)
    for j, lever in enumerate(levers):
        here = (*at, "lever", j)
        _check_where(lever, towns, here, notes)
        if lever.bundle:
            _check_bundle(lever.bundle, (*here, "bundle"), notes)


def _check_kept(target: TargetEntry, towns: Sequence[Town], at: KeyPath, notes: Notes) -> None:
    """Note a ratio to keep where nobody lives."""
    found = find_zone(target.zone, target.municipality, towns)
    if found is None or target.keep is None or target.indicator not in RATIOS:
        return
    (town,) = towns_of(found[0], towns)
    if not float(town.base.only([found[1]]).totals()[0, 0]) > 0:
        notes.add("FM866", at, target.zone)


def _check_bundle(name: str, at: KeyPath, notes: Notes) -> None:
    known = known_bundles(notes.project.bundle)
    if name not in known:
        listed = "、".join(sorted({f"{b.key}（{b.name.ja}）" for b in known.values()}))
        notes.add("FM842", at, name, near=near(name, known), known=listed)


def _check_where(entry: Where, towns: Sequence[Town], at: KeyPath, notes: Notes) -> None:
    for name in (entry.zone, *entry.zones):
        if name:
            _check_zone(name, entry.municipality, towns, (*at, "zone"), notes)
    if entry.facility:
        _check_facility(entry.facility, entry.municipality, towns, (*at, "facility"), notes)
        _check_reached(entry.facility, entry.municipality, towns, (*at, "facility"), notes)


def _check_reached(
    name: str,
    code: str,
    towns: Sequence[Town],
    at: KeyPath,
    notes: Notes,
) -> None:
    """Note a facility that has no place, or is not there yet: nobody is in its reach."""
    found = find_facility(name, code, towns)
    if found is None:
        return
    (town,) = towns_of(found[0], towns)
    base = notes.project.years[0]
    if town.facilities is not None:
        opened = pd.to_numeric(town.facilities.table.loc[found[1], "opened"], errors="coerce")
        if found[1] not in town.facilities.located.ids or opened > base:
            notes.add("FM865", at, name, base_year=base)


def _check_zone(name: str, code: str, towns: Sequence[Town], at: KeyPath, notes: Notes) -> None:
    if find_zone(name, code, towns) is None:
        names = {zone for town in towns_of(code, towns) for zone in town.blocks.names}
        notes.add("FM840", at, name, near=near(name, names))


def _check_facility(
    name: str,
    code: str,
    towns: Sequence[Town],
    at: KeyPath,
    notes: Notes,
) -> None:
    if find_facility(name, code, towns) is None:
        names = {
            listed
            for town in towns_of(code, towns)
            if town.facilities is not None
            for listed in town.facilities.table["name"]
        }
        notes.add("FM841", at, name, near=near(name, names))


def _check_estate(
    estate: HousingChange,
    towns: Sequence[Town],
    at: KeyPath,
    notes: Notes,
) -> None:
    for name in estate.mix:
        _check_bundle(name, (*at, "mix"), notes)
    _check_zone(estate.zone, estate.municipality, towns, (*at, "zone"), notes)


def _check_cleared(scenario: Scenario, towns: Sequence[Town], at: KeyPath, notes: Notes) -> None:
    """Note clearances that come to more people than a zone has, all years together."""
    gone: dict[str, float] = {}
    for j, estate in enumerate(scenario.housing):
        found = find_zone(estate.zone, estate.municipality, towns)
        if found is None or not estate.dwellings < 0:
            continue
        (town,) = towns_of(found[0], towns)
        living = float(town.base.only([found[1]]).totals()[0, 0])
        people = -estate.dwellings * estate.occupied_share * (estate.household_size or 0.0)
        gone[found[1]] = gone.get(found[1], 0.0) + people
        if gone[found[1]] > living:
            notes.add("FM847", (*at, "housing", j, "dwellings"), f"{gone[found[1]]:g} > {living:g}")


def _check_new(new: NewFacility, towns: Sequence[Town], at: KeyPath, notes: Notes) -> None:
    town = only_town(new.municipality, towns)
    classes = sorted({name for one in towns for name in one.class_names})
    point = shapely.Point(new.longitude, new.latitude)
    if town is None or town.facilities is None or new.facility_class not in town.class_names:
        notes.add("FM849", (*at, "class"), new.facility_class, near="、".join(classes))
    elif new.name in set(town.facilities.table["name"]):
        notes.add("FM849", (*at, "name"), new.name, near="、".join(classes))
    elif not shapely.covers(town.outline.geometry[0], point):
        place = f"{new.latitude}, {new.longitude}"
        notes.add("FM849", (*at, "latitude"), place, near="、".join(classes))


def _new_names(scenario: Scenario) -> set[str]:
    return {new.name for new in scenario.facility}


def bundle_of(project: Project, name: str) -> Bundle:
    """A bundle of a checked project, by its key or Japanese name."""
    return known_bundles(project.bundle)[name]


def facilities_of(
    project: Project,
    scenario: Scenario,
    town: Town,
    *,
    at: KeyPath = ("scenario",),
    notes: Notes | None = None,
) -> Facilities | None:
    """The facilities of a town under a scenario: the baseline's own where nothing differs.

    Parameters
    ----------
    project, scenario, town
        Checked, but for the events themselves.
    at, notes
        Where the scenario stands, and where problems of its events go.
    """
    if town.facilities is None:
        return None
    mine = [new for new in scenario.facility if _is_here(new.municipality, town, project)]
    added = _with_new(town.facilities, mine, town)
    rows, lines = _events(project, scenario, added, town, at)
    if added is town.facilities and not rows:
        return added
    number = [entry.code for entry in project.municipality].index(town.code)
    planned = project.municipality[number].event
    own = [project.line("municipality", number, "event", j) or 0 for j in range(len(planned))]
    report = Report() if notes is None else notes.report
    return check_events(
        added,
        pd.DataFrame([*(_row(event) for event in planned), *(_row(event) for event in rows)]),
        horizon=project.years,
        file=project.file.name,
        report=report,
        lines=[*own, *lines],
    )


def _is_here(code: str, town: Town, project: Project) -> bool:
    return code == town.code or (not code and len(project.municipality) == 1)


def _events(
    project: Project,
    scenario: Scenario,
    facilities: Facilities,
    town: Town,
    at: KeyPath,
) -> tuple[list[FacilityEvent], list[int]]:
    names = {*facilities.table["name"], *facilities.table.index}
    rows, lines = [], []
    for j, event in enumerate(scenario.event):
        if event.facility in names and event.municipality in ("", town.code):
            rows.append(event)
            lines.append(project.line(*at, "event", j) or 0)
    return rows, lines


def _row(event: PlannedEvent) -> dict[str, object]:
    said = event.model_dump(exclude={"municipality"})
    return {key: np.nan if value is None else value for key, value in said.items()}


def _with_new(facilities: Facilities, new: Sequence[NewFacility], town: Town) -> Facilities:
    if not new:
        return facilities
    ids = [f"{town.code}-new-{number:02d}" for number in range(1, len(new) + 1)]
    table = pd.DataFrame(
        {
            "name": [one.name for one in new],
            "facility_class": [one.facility_class for one in new],
            "address": "",
            "opened": [float(one.year) for one in new],
            "parent": town.code,
        },
        index=pd.Index(ids, dtype=object),
    )
    for name in FURTHER:
        values = ["" if name == "kind" else getattr(one, name) for one in new]
        known = name in facilities.table or any(value not in (None, "") for value in values)
        if known:
            table[name] = values if name == "kind" else np.array(values, dtype=np.float64)
    points = Zones.build(
        ids,
        shapely.points([one.longitude for one in new], [one.latitude for one in new]),
        names=[one.name for one in new],
        parents=[town.code] * len(new),
        kind="facility",
        plane_zone=facilities.located.plane_zone,
    )
    listed = pd.concat([facilities.table, table])
    if "kind" in listed:
        listed["kind"] = listed["kind"].fillna("")
    return replace(facilities, table=listed, located=join([facilities.located, points]))

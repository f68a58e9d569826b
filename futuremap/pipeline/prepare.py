"""Everything read and checked, before anything is computed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from futuremap.base.feasible import check_controls, check_people
from futuremap.base.mesh_shares import Shares
from futuremap.base.placement import check_plane
from futuremap.catchment.stand import Standing, stand
from futuremap.config import Municipality, Project, load
from futuremap.core.crosswalk import Crosswalk
from futuremap.core.facilities import Facilities, join_facilities
from futuremap.core.layer import Text
from futuremap.core.population import Population, with_open_age
from futuremap.core.table import Table
from futuremap.core.terrain import Terrain
from futuremap.core.zones import Zones
from futuremap.errors import InputRefused
from futuremap.pipeline.read_blocks import Blocks, in_areas
from futuremap.pipeline.read_dwelling import read_dwelling
from futuremap.pipeline.read_facilities import read_facilities
from futuremap.pipeline.read_ground import read_ground
from futuremap.pipeline.read_indicators import IndicatorInputs, read_indicators
from futuremap.pipeline.read_level import at_level, read_level
from futuremap.pipeline.read_mesh import fit_margins, read_margins
from futuremap.pipeline.read_population import read_population
from futuremap.pipeline.read_reach import (
    ReachInputs,
    check_roads,
    check_rules,
    read_reach,
    with_events,
)
from futuremap.pipeline.read_rival import Rival, read_rivals, read_totals
from futuremap.pipeline.read_scenarios import check_scenarios
from futuremap.pipeline.read_years import on_common_blocks
from futuremap.problems import Report
from futuremap.projection.controls import Basis, register_ratio
from futuremap.sources import outline_file, totals

Progress = Callable[[str], None]
OF_SCENARIOS = ("FM84", "FM85")  # faults that leave the baseline's input whole
FAR_FROM_CONTROL = 0.05  # register and control total further apart than this are reported


class Town(NamedTuple):
    """One municipality, ready to run.

    code, name
        The municipality.
    outline, blocks
        Its boundary and its town blocks as polygons; where people are counted by municipality
        only, the one block is the municipality itself.
    past, base
        People by block in the two years of the rates.
    history
        People by block in every year that is given: a backtest hides the latest.
    controls, basis
        Published totals, and how they bind.
    check
        A later count of all people.
    facilities, class_names
        Its facilities, and the names of their classes.
    rivals
        Other projections, to compare with.
    dwelling
        Where people stand in their blocks; by area if None.
    shares
        The same by sex and age, where the meshes' own numbers are known; before `dwelling`.
    standing
        The places themselves on which people stand; all over their blocks if None.
    reach
        Roads and districts for the rules of reach.
    terrain
        Altitude of its ground, if the project gives it: roofs on maps are level then.
    """

    code: str
    name: Text
    outline: Zones
    blocks: Zones
    past: Population
    base: Population
    history: Population
    controls: Population | None
    basis: Basis
    check: Table | None
    facilities: Facilities | None
    class_names: dict[str, str]
    rivals: tuple[Rival, ...] = ()
    dwelling: Crosswalk | None = None
    shares: Shares | None = None
    standing: Standing | None = None
    reach: ReachInputs = ReachInputs()
    terrain: Terrain | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the municipality is its own only zone."""
        return self.blocks.kind == "municipality"

    @property
    def stands_by(self) -> bool:
        """Whether more than its area is known of where people stand in a block."""
        return self.dwelling is not None or self.shares is not None

    def zone_named(self, name: str) -> str | None:
        """The block of an id, or of a name that only one block has; None if there is none."""
        pairs = list(zip(self.blocks.ids, self.blocks.names, strict=True))
        found = [i for i, _ in pairs if i == name] or [i for i, n in pairs if n == name]
        return found[0] if len(found) == 1 else None


class Prepared(NamedTuple):
    """A project whose input has been read and found right.

    project
        The project file.
    towns
        Its municipalities in the order of the file.
    inputs
        Every file read with its credit key.
    report
        Warnings; there are no errors.
    indicators
        What they are made from; None if the project wants none.
    """

    project: Project
    towns: tuple[Town, ...]
    inputs: tuple[tuple[Path, str], ...]
    report: Report
    indicators: IndicatorInputs | None = None


class _Read(NamedTuple):
    entry: Municipality
    counted: dict[int, Blocks]
    outline: Zones | None
    controls: Population | None
    check: Table | None
    facilities: list[Facilities]
    level: Population | None
    margins: Population | None
    rivals: list[Rival]
    reach: ReachInputs
    terrain: Terrain | None


def silent(step: str) -> None:
    """Progress that nobody watches."""
    del step


def check_project(path: str | Path, *, progress: Progress = silent) -> Report:
    """Read everything a project names and give back all that was found, right or wrong.

    Parameters
    ----------
    path
        The project file or its folder.
    progress
        Is told what is being read.
    """
    report = Report()
    project = load(Path(path), report=report)
    if project is not None:
        with contextlib.suppress(InputRefused):  # the report holds why
            prepare(project, report=report, progress=progress)
    return report


def open_project(path: str | Path, *, progress: Progress = silent) -> Prepared:
    """Load a project file and read everything it names.

    Parameters
    ----------
    path
        The project file or its folder.
    progress
        Is told what is being read.

    Raises
    ------
    InputRefused
        If anything is wrong; it carries the report of all problems.
    """
    report = Report()
    project = load(Path(path), report=report)
    if project is None:
        raise InputRefused(report)
    return prepare(project, report=report, progress=progress)


def prepare(project: Project, *, report: Report, progress: Progress = silent) -> Prepared:
    """Read all inputs of a project and refuse them together if anything is wrong.

    Parameters
    ----------
    project
        The project file.
    report
        Collects what is found; the problems of the project file stand in it already.
    progress
        Is told what is being read.

    Raises
    ------
    InputRefused
        If there is any error, after everything was read.
    """
    found = [_read(project, i, report, progress) for i in range(len(project.municipality))]
    if not all(problem.code.startswith(OF_SCENARIOS) for problem in report.errors):
        report.raise_if_errors()
    towns = _alike([_town(project, i, read, report) for i, read in enumerate(found)])
    towns = [_standing(project, i, town, found[i], report=report) for i, town in enumerate(towns)]
    _compare_with_controls(project, towns, report)
    _check_housing(project, towns, report)
    towns = [_reachable(project, i, town, report) for i, town in enumerate(towns)]
    wanted = read_indicators(project, [town.outline for town in towns], report)
    check_scenarios(project, towns, wanted, report)
    report.raise_if_errors()
    named = [pair for entry in project.municipality for pair in entry.files()]
    named += project.indicators.files() if project.indicators.run else []
    inputs = {(project.path(file), credit) for file, credit in named}
    return Prepared(project, tuple(towns), tuple(sorted(inputs)), report, wanted)


def _read(project: Project, number: int, report: Report, progress: Progress) -> _Read:
    entry = project.municipality[number]
    progress(f"{entry.name}：人口 / population")
    area = outline_file.read(
        project.path(entry.outline.file),
        code=entry.code,
        plane_zone=entry.plane_zone,
        name=entry.name,
        credit=entry.outline.credit,
        report=report,
    )
    if area is not None:
        line = project.line("municipality", number, "plane_zone")
        check_plane(area, file=project.file.name, line=line, report=report)
    counted = read_population(project, number, area, report)
    past, base = counted.get(project.past_year), counted.get(project.project.base_year)
    people = (None if one is None else one.people for one in (past, base))
    check_people(*people, name=entry.name, report=report)
    progress(f"{entry.name}：境界・総数・施設 / outline, totals, facilities")
    return _Read(
        entry,
        counted,
        area,
        _read_controls(project, entry, report),
        _read_check(project, entry, report),
        read_facilities(project, entry, area=area, report=report),
        read_level(project, number, report),
        read_margins(project, number, report),
        read_rivals(project, number, report),
        read_reach(project, number, area, report),
        read_ground(project, number, area, report),
    )


def _read_check(project: Project, entry: Municipality, report: Report) -> Table | None:
    if entry.check is None or entry.check.year not in project.projected_years:
        return None
    return totals.read(
        project.path(entry.check.file),
        code=entry.code,
        name=entry.name,
        year=entry.check.year,
        report=report,
    )


def _read_controls(project: Project, entry: Municipality, report: Report) -> Population | None:
    if entry.control is None:
        return None
    read = read_totals(project, entry, entry.control, report)
    base, end = project.years
    reaches = read is None or end <= base or (base < max(read.years) and min(read.years) <= end)
    if read is not None and not reaches:
        shown = f"{min(read.years)}～{max(read.years)}"
        expected = f"{base + 1}～{end}"
        report.add("FM432", file=entry.control.file, value=shown, expected=expected)
    if read is not None:
        check_controls(
            read,
            name=entry.name,
            file=entry.control.file,
            base_year=base if entry.control.basis == "growth" else None,
            report=report,
        )
    return read


def _town(project: Project, number: int, read: _Read, report: Report) -> Town:
    entry = read.entry
    names = [other.name for other in project.municipality]
    tail = f"（{entry.code}）" if names.count(entry.name) > 1 else ""  # 府中市 exists twice
    if read.outline is None:
        # readers say why they give nothing, so an accepted input has all
        raise AssertionError(f"{entry.code} was accepted without its files")
    history, blocks = on_common_blocks(
        read.counted,
        base_year=project.project.base_year,
        files={file.year: file.file for file in entry.population},
        report=report,
    )
    if read.level is not None:
        history = at_level(project, number, history, read.level, report)
    return Town(
        entry.code,
        Text(entry.name + tail, (entry.name_en or entry.name) + tail),
        read.outline,
        read.outline if blocks is None else in_areas(blocks, read.outline),
        history.at(project.past_year),
        history.at(project.project.base_year),
        history,
        read.controls,
        entry.control.basis if entry.control else "level",
        read.check,
        join_facilities(read.facilities) if read.facilities else None,
        {listed.facility_class: listed.name for listed in entry.facilities},
        tuple(read.rivals),
        reach=read.reach,
        terrain=read.terrain,
    )


def _standing(project: Project, number: int, town: Town, read: _Read, *, report: Report) -> Town:
    """The town with where people stand in its blocks, as far as it is known."""
    found = read_dwelling(project, number, town.blocks, report)
    dwelling = None if found is None else found.on_mesh
    shares = None
    if read.margins is not None:
        shares = fit_margins(
            project,
            number,
            town.blocks,
            people=town.base,
            margins=read.margins,
            dwelling=dwelling,
            report=report,
        )
    standing = None if found is None else found.standing
    return town._replace(dwelling=dwelling, shares=shares, standing=standing)


def _reachable(project: Project, number: int, town: Town, report: Report) -> Town:
    """The town with its planned events, once all that the rules of reach need is there."""
    if town.facilities is None:
        return town
    facilities = with_events(project, number, town.facilities, report)
    check_rules(project, number, facilities, town.reach, ages=town.base.ages, report=report)
    standing = town.standing or (stand(town.blocks) if town.reach.roads else None)
    if standing is not None:
        check_roads(project, number, facilities, town.reach, places=standing.places, report=report)
    return town._replace(facilities=facilities)


def _alike(towns: list[Town]) -> list[Town]:
    # registers end at 85 and over, censuses at 90: together they go as far as both do
    open_age = min(town.history.ages.open_age for town in towns)
    return [
        town._replace(
            past=with_open_age(town.past, open_age),
            base=with_open_age(town.base, open_age),
            history=with_open_age(town.history, open_age),
        )
        for town in towns
    ]


def _compare_with_controls(project: Project, towns: list[Town], report: Report) -> None:
    for town in towns:
        if town.controls is None:
            continue
        base_total = float(town.base.totals().sum())
        ratio = register_ratio(base_total, town.controls, project.project.base_year)
        if abs(ratio - 1) > FAR_FROM_CONTROL:
            report.add("FM421", file=project.file.name, value=f"{ratio:.3f}",
                       percent=f"{100 * (ratio - 1):+.1f}")  # fmt: skip


def _check_housing(project: Project, towns: Sequence[Town], report: Report) -> None:
    for i, (entry, town) in enumerate(zip(project.municipality, towns, strict=True)):
        for j, one in enumerate(entry.housing):
            line = project.line("municipality", i, "housing", j, "zone")
            if town.zone_named(one.zone) is None:
                near = "、".join(town.blocks.names[:3])
                report.add("FM440", file=project.file.name, line=line, value=one.zone, near=near)
            both = (one.dwellings is None) == (one.persons is None)
            if both or (one.dwellings is not None and one.household_size is None):
                report.add("FM449", file=project.file.name, line=line, value=one.zone)

"""Indicators of a run: people weighed on every kind of zone, with intervals from the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.crosswalk import Crosswalk, from_pairs, gather, to_parents
from futuremap.core.flows import Flows
from futuremap.core.overlap import pieces
from futuremap.core.population import Population, join_years
from futuremap.core.table import Table
from futuremap.indicators.catalogue import Indicator
from futuremap.indicators.changed_rates import ChangedRate
from futuremap.indicators.make_rates import Made
from futuremap.indicators.people import age_structure, structure
from futuremap.indicators.weigh import weighed
from futuremap.pipeline.by_block import Blocks, Kept, Outcomes
from futuremap.pipeline.classes import with_classes
from futuremap.pipeline.prepare import Prepared
from futuremap.pipeline.reach_measures import gather_years
from futuremap.pipeline.read_indicators import AreaInput, IndicatorInputs
from futuremap.pipeline.renewal import renewals
from futuremap.pipeline.staffing import Work, alike, hours_of, staff_of
from futuremap.pipeline.town_rates import FIXED, TREND, Part, parts_of, shares_within
from futuremap.pipeline.uncertainty import Uncertainty
from futuremap.pipeline.vacancy import provisional_of, with_vacancies

Floats = NDArray[np.float64]
REGION = "region"  # all municipalities of a project together


class Indicators(NamedTuple):
    """All that was weighed.

    tables
        By kind of zone and variant.
    missing
        Entries of the catalogue that need a table of the project's own, or another indicator.
    provisional
        Fields that rest on rates marked 仮.
    made
        Rates of each municipality, fixed variant.
    work
        Staff, tasks and likeness.
    renewal
        What renewing the facilities costs; None where it is not known of any.
    """

    tables: tuple[Kept, ...]
    missing: tuple[Indicator, ...]
    provisional: frozenset[str]
    made: tuple[Made, ...]
    work: Work
    renewal: Table | None = None

    @property
    def fixed(self) -> list[Kept]:
        """Tables whose rates stay as they were published."""
        return [kept for kept in self.tables if kept.variant == FIXED]

    def of(self, level: str, variant: str = FIXED) -> list[Kept]:
        """Tables of a kind of zone and a variant."""
        return [kept for kept in self.tables if (kept.level, kept.variant) == (level, variant)]


class _Found(NamedTuple):
    level: str
    table: Table
    people: Population
    names: Mapping[str, str]
    towns: tuple[str, ...]


def weigh_all(
    prepared: Prepared,
    outcomes: Sequence[Outcomes],
    *,
    people: Population,
    flows: Flows,
    spread: Uncertainty,
    on: Sequence[str] | None = None,
    changed: Sequence[ChangedRate] = (),
    like: Population | None = None,
) -> Indicators | None:
    """Weigh the people of a run on every kind of zone that the project asks for.

    Parameters
    ----------
    prepared
        Checked input.
    outcomes
        What came out by municipality.
    people, flows
        The projection and its account.
    spread
        How far its blocks may come from it.
    on
        Kinds of zones, if not those of the project; schools are left out then.
    changed
        Rates that differ from those that were read, and where.
    like
        Whose single years of age share their groups, if not those of `people`: a scenario keeps
        those of its baseline, so that what it weighs is linear in who comes.
    """
    inputs, setting = prepared.indicators, prepared.project.indicators
    if inputs is None or not setting.run:
        return None
    within = shares_within(people if like is None else like)
    tables: list[Kept] = []
    made: list[Made] = []
    base_blocks: Blocks | None = None
    for variant in (FIXED, TREND):
        parts = [parts_of(prepared, inputs, one, variant=variant, changed=changed)
                 for one in outcomes]  # fmt: skip
        known = [part.made for town in parts for part in town]
        moved = sorted(set().union(*(one.moved for one in known)))
        if variant == FIXED:
            made = known
        elif not moved:
            break
        names = _alike(known, moved if variant == TREND else None)
        blocks = _by_block(names, parts, outcomes, people=people, within=within, spread=spread)
        if variant == FIXED:
            blocks = base_blocks = _with_births(blocks, flows)
        chosen = blocks.only(setting.only)
        if variant == FIXED or chosen.names:
            levels = setting.on if on is None else on
            tables += _tables(prepared, inputs, outcomes, chosen, variant=variant, on=levels)
        if variant == FIXED and setting.school and on is None:
            tables = with_classes(prepared, inputs.limits, outcomes, blocks, tables)
    if base_blocks is None:
        raise AssertionError("the fixed variant comes first")
    return Indicators(
        tuple(tables),
        made[0].missing,
        provisional_of(inputs.rows, frozenset().union(*(one.provisional for one in made))),
        tuple(made),
        _work(prepared, inputs, outcomes, blocks=base_blocks),
        renewals(prepared, outcomes),
    )


def _work(
    prepared: Prepared,
    inputs: IndicatorInputs,
    outcomes: Sequence[Outcomes],
    *,
    blocks: Blocks,
) -> Work:
    parents = [one.town.code for one in outcomes for _ in one.people.zones]
    walk = to_parents(blocks.people.zones, parents)
    towns = gather(blocks.people, walk)
    table = blocks.on([walk] * len(towns.years)).join(age_structure(towns)).join(structure(towns))
    staff = None
    if inputs.staff and prepared.project.indicators.staff is not None:
        staff = staff_of(
            inputs.staff,
            inputs.needs,
            {name: table.frame(name).to_numpy().sum(axis=1) for name in table.indicators},
            years=towns.years,
            hours_per_person=prepared.project.indicators.staff.hours_per_person,
        )
    homes = "households_projected"
    households = table.frame(homes).to_numpy() if homes in table.indicators else None
    names = {one.town.code: one.town.name.ja for one in outcomes}
    return Work(
        staff,
        hours_of(inputs.tasks, table) if inputs.tasks else None,
        alike(towns, households, names) if len(outcomes) > 1 else None,
    )


def _alike(made: Sequence[Made], moved: Sequence[str] | None) -> tuple[str, ...]:
    # indicators that every municipality has a rate for
    names = [n for n in made[0].rates.names if all(n in one.rates.names for one in made)]
    return tuple(n for n in names if moved is None or n in moved)


def _by_block(
    names: tuple[str, ...],
    parts: Sequence[Sequence[Part]],
    outcomes: Sequence[Outcomes],
    *,
    people: Population,
    within: Floats,
    spread: Uncertainty,
) -> Blocks:
    place = {zone: i for i, zone in enumerate(people.zones)}
    values = np.empty((len(names), len(people.years), len(people.zones)))
    for town, one in zip(parts, outcomes, strict=True):
        columns = np.array([place[zone] for zone in one.people.zones])
        for part in town:
            zones = [one.people.zones[i] for i in part.at]
            mine = one.people if len(town) == 1 else one.people.only(zones)
            values[:, :, columns[part.at]] = weighed(mine, part.made.rates.only(names),
                                                     shares=within)  # fmt: skip
    return Blocks(names, values, people, spread)


def _with_births(blocks: Blocks, flows: Flows) -> Blocks:
    name = "births_per_year"
    if "births" not in flows.names:
        return blocks
    years = np.diff(np.asarray(blocks.people.years))[:, None]
    born = flows.signed("births").sum(axis=(2, 3)) / years
    row = np.concatenate([np.full((1, born.shape[1]), np.nan), born])
    return blocks._replace(
        names=(*blocks.names, name),
        values=np.concatenate([blocks.values, row[None]]),
    )


def _tables(
    prepared: Prepared,
    inputs: IndicatorInputs,
    outcomes: Sequence[Outcomes],
    blocks: Blocks,
    *,
    variant: str,
    on: Sequence[str],
) -> list[Kept]:
    found: list[_Found] = []
    if "municipality" in on:
        found += _of_towns(prepared, inputs, outcomes, blocks, variant=variant)
    for area in inputs.areas if "area" in on else ():
        found.append(_of_area(prepared, area, outcomes, blocks, variant=variant))
    for outcome in outcomes:
        found += _of_town(outcome, blocks, on)
    kept = []
    for one in found:
        fixed = variant == FIXED
        whole = _with_structure(one.table, one.people, prepared) if fixed else one.table
        kept.append(Kept(one.level, variant, whole, one.names, one.towns))
    return kept


def _of_towns(
    prepared: Prepared,
    inputs: IndicatorInputs,
    outcomes: Sequence[Outcomes],
    blocks: Blocks,
    *,
    variant: str,
) -> list[_Found]:
    """Every municipality, and all of them together if there are several."""
    people, years = blocks.people, len(blocks.people.years)
    towns = {one.town.code: one.town.name.ja for one in outcomes}
    every = tuple(towns)
    walk = to_parents(people.zones, [one.town.code for one in outcomes for _ in one.people.zones])
    table = blocks.on([walk] * years)
    if variant == FIXED:
        table = with_vacancies(table, inputs.rows)
    found = [_Found("municipality", table, gather(people, walk), towns, every)]
    if len(outcomes) > 1:
        walk = to_parents(people.zones, [REGION] * len(people.zones))
        title = {REGION: prepared.project.project.title}
        found.append(_Found(REGION, blocks.on([walk] * years), gather(people, walk), title, every))
    return found


def _of_area(
    prepared: Prepared,
    area: AreaInput,
    outcomes: Sequence[Outcomes],
    blocks: Blocks,
    *,
    variant: str,
) -> _Found:
    people, years = blocks.people, len(blocks.people.years)
    walk = _to_areas(area, people.zones, outcomes)
    for empty in np.flatnonzero(np.diff(walk.weights.indptr) == 0).tolist():
        prepared.report.add("FM824", file=area.entry.file, value=walk.targets[empty])
    table, inside = blocks.on([walk] * years), gather(people, walk)
    if variant == FIXED:  # nothing else says how many live in an area
        counted = blocks.spread.bound(age_structure(inside), "population", [walk] * years)
        table = table.join(counted)
    every = tuple(one.town.code for one in outcomes)
    return _Found(area.entry.name, table, inside, _area_names(area, walk), every)


def _of_town(one: Outcomes, blocks: Blocks, on: Sequence[str]) -> list[_Found]:
    town, years, found = one.town, len(blocks.people.years), []
    codes = (town.code,)
    if "block" in on and not town.is_whole:
        alone = to_parents(one.people.zones, one.people.zones)
        names = dict(zip(town.blocks.ids, town.blocks.names, strict=True))
        found.append(_Found("block", blocks.on([alone] * years), one.people, names, codes))
    if "mesh" in on and one.mesh is not None:
        names = dict(zip(one.mesh.zones.ids, one.mesh.zones.names, strict=True))
        # now and future, as on the maps: all years would be too many rows
        table = blocks.on([one.mesh.walk] * years, at=[0, years - 1])
        ends = join_years([one.mesh.people.at(year) for year in table.years])
        found.append(_Found("mesh", table, ends, names, codes))
    if "facility" in on and one.reach is not None and len(one.reach.zones):
        names = dict(zip(one.reach.zones.ids, one.reach.zones.names, strict=True))
        table = blocks.on(one.reach.by_year)
        people = gather_years(one.reach.sent, one.reach.by_year)
        found.append(_Found("facility", table, people, names, codes))
    return found


def _with_structure(table: Table, people: Population, prepared: Prepared) -> Table:
    only = prepared.project.indicators.only
    more = structure(people)
    values = {
        name: more.data["value"].values[i]
        for i, name in enumerate(more.indicators)
        if not only or name in only
    }
    return table.join(Table.build(values, years=table.years, zones=table.zones))


def _to_areas(area: AreaInput, zones: Sequence[str], outcomes: Sequence[Outcomes]) -> Crosswalk:
    if area.of_code is not None:
        parents = [one.town.code for one in outcomes for _ in one.people.zones]
        triples = [
            (target, z, share)
            for z, code in enumerate(parents)
            for target, share in area.of_code[code].items()
        ]
        targets = list(dict.fromkeys(target for target, _, _ in triples))
        return from_pairs(
            np.array([targets.index(target) for target, _, _ in triples], dtype=np.intp),
            np.array([z for _, z, _ in triples], dtype=np.intp),
            np.array([share for _, _, share in triples]),
            targets=targets,
            sources=zones,
            rule=area.entry.title,
            credits=[area.entry.credit],
        )
    if area.zones is None:
        raise AssertionError(f"{area.entry.name} has neither codes nor shapes")
    rows, columns, weights, offset = [], [], [], 0
    for one in outcomes:
        blocks = one.town.blocks
        shapes = replace(area.zones, plane_zone=blocks.plane_zone).plane_geometry()
        cut = pieces(shapes, blocks.plane_geometry())
        sizes = [piece.area for piece in cut.geometry]
        whole = blocks.areas()
        rows.append(cut.target)
        columns.append(cut.source + offset)
        weights.append(np.minimum(np.asarray(sizes, dtype=np.float64) / whole[cut.source], 1.0))
        offset += len(blocks)
    return from_pairs(
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate(weights),
        targets=area.zones.ids,
        sources=zones,
        rule=f"{area.entry.title}: overlap of areas",
        credits=[area.entry.credit],
    )


def _area_names(area: AreaInput, walk: Crosswalk) -> dict[str, str]:
    if area.zones is None:
        return {target: target for target in walk.targets}
    return dict(zip(area.zones.ids, area.zones.names, strict=True))

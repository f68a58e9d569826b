"""Classes of schools in a run: pupils of every draw, school by school, then all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.config.indicators import SchoolClasses
from futuremap.core.table import Interval, Table
from futuremap.indicators.schools import (
    School,
    classes_of,
    limits_in,
    plug_in,
    pupils_drawn,
)
from futuremap.pipeline.by_block import Blocks, Kept, Outcomes
from futuremap.pipeline.prepare import Prepared
from futuremap.pipeline.reaching import Reaching
from futuremap.projection.draws import DRAWS, TAIL, factors, uniform

Floats = NDArray[np.float64]
FIELDS = ("classes_expected", "multi_grade_classes", "classes_plug_in")
LEVEL, TOWNS = "school", "municipality"


class _Found(NamedTuple):
    # of the schools of one class: by year and school, and by draw
    pupils: Floats  # (Y, F)
    classes: Floats  # (Y, F, D)
    multi: Floats  # (Y, F, D)
    plain: Floats  # (Y, F)
    ids: tuple[str, ...]
    names: tuple[str, ...]


def with_classes(
    prepared: Prepared,
    limits: Mapping[tuple[int, int], int],
    outcomes: Sequence[Outcomes],
    blocks: Blocks,
    kept: Sequence[Kept],
) -> list[Kept]:
    """The tables of a run with those of its schools, and their sums with the municipalities.

    Parameters
    ----------
    prepared
        Checked input; its schools have districts.
    limits
        Pupils to a class by fiscal year and grade.
    outcomes
        What came out by municipality.
    blocks
        Every indicator by block, pupils by grade among them.
    kept
        Tables so far.
    """
    added: list[Kept] = []
    of_town: dict[str, tuple[Table, Interval]] = {}
    for one in outcomes:
        found = []
        for entry in prepared.project.indicators.school:
            ids = _of_class(one, entry.facility_class)
            if one.reach is not None and ids:
                found.append(_schools(prepared, limits, one.reach, blocks, entry, ids))
        found = [each for each in found if each.ids]
        if found:
            added += [_of_schools(each, blocks, one.town.code) for each in found]
            of_town[one.town.code] = _of_all(found, blocks, one.town.code)
    whole = [_joined(table, of_town) if table.level == TOWNS else table for table in kept]
    return [*whole, *added]


def _of_class(one: Outcomes, facility_class: str) -> frozenset[str]:
    if one.town.facilities is None:
        return frozenset()
    table = one.town.facilities.table
    return frozenset(table.index[table["facility_class"] == facility_class])


def _schools(
    prepared: Prepared,
    limits: Mapping[tuple[int, int], int],
    reach: Reaching,
    blocks: Blocks,
    entry: SchoolClasses,
    wanted: frozenset[str],
) -> _Found:
    school = School(entry.kind, entry.elsewhere, entry.special)
    rows = [i for i, zone in enumerate(reach.zones.ids) if zone in wanted]
    ids = [reach.zones.ids[i] for i in rows]
    names = [reach.zones.names[i] for i in rows]
    at = [blocks.names.index(f"pupils_grade_{grade}") for grade in school.grades]
    place = {zone: i for i, zone in enumerate(blocks.people.zones)}
    columns = [place[zone] for zone in reach.areas.ids]
    by_grade = blocks.values[at][:, :, columns]  # (G, Y, Z)
    seed = prepared.project.projection.seed
    keys = [f"{zone}|{grade}" for grade in school.grades for zone in ids]
    chance = uniform(keys, seed=seed, draws=DRAWS).reshape(len(at), len(ids), DRAWS)
    shape = (len(blocks.people.years), len(ids))
    pupils, plain = np.empty(shape), np.empty(shape)
    classes, multi = (np.empty((*shape, DRAWS)) for _ in range(2))
    for y, year in enumerate(blocks.people.years):
        weights = reach.by_year[y].weights[rows]
        moved = np.ones((len(columns), 1)) if y == 0 else factors(
            blocks.spread.of(reach.areas.ids, [y - 1]), zones=reach.areas.ids, seed=seed,
            draws=DRAWS,
        )[0]  # fmt: skip
        here = np.stack([weights @ (one[y][:, None] * moved) for one in by_grade])
        here = np.broadcast_to(here, chance.shape)
        most = limits_in(limits, year, school.grades)
        made = classes_of(pupils_drawn(here, chance, school=school), most, school=school)
        classes[y], multi[y] = made.ordinary, made.multi
        mean = np.stack([weights @ one[y] for one in by_grade])
        pupils[y], plain[y] = mean.sum(axis=0), plug_in(mean, most, school=school)
    return _Found(pupils, classes, multi, plain, tuple(ids), tuple(names))


def _of_schools(found: _Found, blocks: Blocks, code: str) -> Kept:
    table = _table(found, blocks, found.ids)
    names = dict(zip(found.ids, found.names, strict=True))
    return Kept(LEVEL, "fixed", table, names, (code,))


def _table(found: _Found, blocks: Blocks, zones: Sequence[str]) -> Table:
    values = {
        FIELDS[0]: found.classes.mean(axis=2),
        FIELDS[1]: found.multi.mean(axis=2),
        FIELDS[2]: found.plain,
    }
    bounds = {
        name: (np.quantile(drawn, TAIL, axis=2), np.quantile(drawn, 1 - TAIL, axis=2))
        for name, drawn in ((FIELDS[0], found.classes), (FIELDS[1], found.multi))
    }
    return Table.build(values, years=blocks.people.years, zones=zones, intervals=bounds)


def _of_all(found: Sequence[_Found], blocks: Blocks, code: str) -> tuple[Table, Interval]:
    def total(parts: Sequence[Floats]) -> Floats:
        return np.asarray(np.sum([part.sum(axis=1, keepdims=True) for part in parts], axis=0))

    every = _Found(
        total([one.pupils for one in found]),
        total([one.classes for one in found]),
        total([one.multi for one in found]),
        total([one.plain for one in found]),
        (code,),
        (code,),
    )
    table = _table(every, blocks, [code])
    return table, table.intervals()[FIELDS[0]]


def _joined(kept: Kept, of_town: Mapping[str, tuple[Table, Interval]]) -> Kept:
    if not of_town:
        return kept
    years, zones = kept.table.years, kept.table.zones
    nothing = np.full((len(years), len(zones)), np.nan)
    values = {name: nothing.copy() for name in FIELDS}
    low, high = ({name: nothing.copy() for name in FIELDS[:2]} for _ in range(2))
    for code, (table, _) in of_town.items():
        z = zones.index(code)
        for i, name in enumerate(FIELDS):
            values[name][:, z] = table.data["value"].values[i, :, 0]
        for name, pair in table.intervals().items():
            low[name][:, z], high[name][:, z] = pair[0][:, 0], pair[1][:, 0]
    bounds = {name: (low[name], high[name]) for name in FIELDS[:2]}
    more = Table.build(values, years=years, zones=zones, intervals=bounds)
    return kept._replace(table=kept.table.join(more))

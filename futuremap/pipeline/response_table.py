"""Responses on a grid: what each lever does to each place and year, for a page without a solver.

Households are linear: one response a unit is enough, and a slider multiplies. Births per woman and
losses by migration bend: they stand at several settings, between which a page interpolates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.config.scenario import FertilityChange, LeverEntry, MigrationChange
from futuremap.core.credits import Credit
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.export.tabular import write_rows
from futuremap.indicators.people import OLD, WORKING
from futuremap.pipeline.difference import (
    Grounds,
    births_change,
    grounds,
    moves_change,
    reach_row,
)
from futuremap.pipeline.draw import credits_for
from futuremap.pipeline.named_places import find_facility, find_zone
from futuremap.pipeline.read_scenarios import bundle_of
from futuremap.pipeline.respond import respond
from futuremap.pipeline.run import Outcome
from futuremap.projection.beyond import Change, follow_change
from futuremap.scenario.bundles import presets
from futuremap.scenario.schedule import at_ages

Floats = NDArray[np.float64]
COUNTS = {
    "population": (0, None), "population_0_14": (0, WORKING - 1),
    "population_65_over": (OLD, None), "children_6_11": (6, 11), "children_12_14": (12, 14),
}  # fmt: skip
IN_REACH = {
    "population": "people_in_reach", "population_0_14": "people_in_reach_0_14",
    "population_65_over": "people_in_reach_65_over", "children_6_11": "people_in_reach_6_11",
    "children_12_14": "people_in_reach_12_14",
}  # fmt: skip
FERTILITY = (0.8, 1.0, 1.2, 1.4, 1.6)
NET_LOSS = (0.0, 0.25, 0.5, 0.75, 1.0)
TWENTIES = (20, 29)


class Place(NamedTuple):
    """A place whose numbers stand in the table.

    kind, key, name
        "municipality", "zone" or "facility"; its id and name.
    weights
        Share of each zone that counts there, by year ``(Y, Z)``. [ratio]
    """

    kind: str
    key: str
    name: Text
    weights: Floats


class LeverOnGrid(NamedTuple):
    """What one lever does.

    key, name, unit
        The lever.
    settings
        Where it is set; (1,) for one household a year, to be multiplied.
    linear
        Whether it may be multiplied.
    difference
        From the baseline, by setting, place, indicator and year ``(N, L, I, Y)``. [persons]
    """

    key: str
    name: Text
    unit: Text
    settings: tuple[float, ...]
    linear: bool
    difference: Floats


class ResponseTable(NamedTuple):
    """Levers × years × indicators of some places.

    years, indicators, places
        The axes.
    baseline
        By place, indicator and year ``(L, I, Y)``. [persons]
    levers
        What each lever does.
    credits
        Of the data.
    """

    years: tuple[int, ...]
    indicators: tuple[str, ...]
    places: tuple[Place, ...]
    baseline: Floats
    levers: tuple[LeverOnGrid, ...]
    credits: tuple[Credit, ...]

    def rows(self) -> pd.DataFrame:
        """One row a lever, setting, place, year and indicator, with what it comes to."""
        shape = self.baseline.shape
        place, name, year = (axis.ravel() for axis in np.indices(shape))
        kinds = np.array([one.kind for one in self.places], dtype=object)[place]
        shown = np.array(
            [
                IN_REACH[self.indicators[i]] if kind == "facility" else self.indicators[i]
                for i, kind in zip(name, kinds, strict=True)
            ],
            dtype=object,
        )
        names_ja = {name: field(name).name_ja for name in dict.fromkeys(shown)}
        words = np.array([names_ja[name] for name in shown], dtype=object)
        frames = [
            pd.DataFrame(
                {
                    "lever": lever.key,
                    "effort": setting,
                    "kind": kinds,
                    "zone": np.array([one.key for one in self.places], dtype=object)[place],
                    "name": np.array([one.name.ja for one in self.places], dtype=object)[place],
                    "year": np.asarray(self.years)[year],
                    "indicator": shown,
                    "indicator_ja": words,
                    "baseline_value": self.baseline.ravel(),
                    "difference": lever.difference[number].ravel(),
                },
            )
            for lever in self.levers
            for number, setting in enumerate(lever.settings)
        ]
        return pd.concat(frames, ignore_index=True)

    def to_json(self) -> str:
        """The same for a page: arrays by lever, rounded to a hundredth of a person."""
        said = {
            "years": list(self.years),
            "indicators": [
                {"key": name, "ja": field(name).name_ja, "en": field(name).name_en}
                for name in self.indicators
            ],
            "ratios": {"ageing_rate": ["population_65_over", "population"]},
            "places": [
                {"kind": p.kind, "key": p.key, "ja": p.name.ja, "en": p.name.en}
                for p in self.places
            ],
            "baseline": np.round(self.baseline, 2).tolist(),
            "levers": [
                {
                    "key": lever.key,
                    "ja": lever.name.ja,
                    "en": lever.name.en,
                    "unit_ja": lever.unit.ja,
                    "unit_en": lever.unit.en,
                    "linear": lever.linear,
                    "settings": list(lever.settings),
                    "difference": np.round(lever.difference, 4).tolist(),
                }
                for lever in self.levers
            ],
            "credits": [credit.line() for credit in self.credits],
            "synthetic": any(credit.synthetic for credit in self.credits),
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def response_table(
    outcome: Outcome,
    *,
    zones: Sequence[str] = (),
    facilities: Sequence[str] = (),
    levers: Sequence[LeverEntry] = (),
) -> ResponseTable:
    """Responses of places to levers, all at once.

    Parameters
    ----------
    outcome
        The baseline.
    zones, facilities
        Ids or names of blocks and facilities beside the municipalities.
    levers
        Levers of households; every bundle that comes with the program to every municipality
        if none is said.
    """
    ground = grounds(outcome)
    places = _places(outcome, zones, facilities)
    weights = np.stack([place.weights for place in places])  # (L, Y, Z)
    ages = outcome.projection.population.ages
    spans = np.stack([at_ages(ages, *span) for span in COUNTS.values()])

    def of(path: Floats) -> Floats:
        by_age = path.sum(axis=2)
        return np.asarray(np.einsum("lyz,yza,ia->liy", weights, by_age, spans, optimize=True))

    baseline = of(ground.path)
    given = [one for one in levers if one.lever == "people"] or _usual(outcome)
    on_grid = [*_households(ground, given, of), *_bent(ground, of, baseline)]
    codes = [town.town.code for town in outcome.towns]
    return ResponseTable(
        outcome.projection.population.years,
        tuple(COUNTS),
        tuple(places),
        baseline,
        tuple(on_grid),
        credits_for(outcome, codes),
    )


def write_responses(table: ResponseTable, stem: Path) -> list[Path]:
    """Write a table as JSON, CSV and Parquet.

    Parameters
    ----------
    table
        The responses.
    stem
        Path without ending.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    page = stem.with_name(f"{stem.name}.json")
    page.write_text(table.to_json() + "\n", encoding="utf-8", newline="\n")
    return [page, *write_rows(table.rows(), stem)]


def _usual(outcome: Outcome) -> list[LeverEntry]:
    keys = [*presets(), *outcome.prepared.project.bundle]
    return [
        LeverEntry.model_validate({"bundle": key, "municipality": town.code, "max": 1.0})
        for town in outcome.prepared.towns
        for key in keys
    ]


def _places(outcome: Outcome, zones: Sequence[str], facilities: Sequence[str]) -> list[Place]:
    population = outcome.projection.population
    parents = np.array([outcome.rates.parents[i] for i in outcome.rates.parent_of], dtype=object)
    years = len(population.years)
    places = [
        Place("municipality", town.code, town.name,
              np.tile((parents == town.code).astype(float), (years, 1)))
        for town in outcome.prepared.towns
    ]  # fmt: skip
    for name in zones:
        found = find_zone(name, "", outcome.prepared.towns)
        if found is not None:
            row = np.zeros(len(population.zones))
            row[population.zones.index(found[1])] = 1.0
            places.append(Place("zone", found[1], Text(name, name), np.tile(row, (years, 1))))
    for name in facilities:
        found = find_facility(name, "", outcome.prepared.towns)
        if found is not None:
            rows = np.stack([reach_row(outcome, name, found[0], t) for t in range(years)])
            places.append(Place("facility", found[1], Text(name, name), rows))
    return places


def _households(
    ground: Grounds,
    levers: Sequence[LeverEntry],
    of: Callable[[Floats], Floats],
) -> list[LeverOnGrid]:
    responses = respond(ground, levers)
    found = []
    project = ground.outcome.prepared.project
    for j, unit in enumerate(responses.levers):
        entry = levers[unit.entry]
        one = np.zeros(len(responses.levers))
        one[j] = 1.0
        bundle = bundle_of(project, entry.bundle)
        where = entry.zone or entry.facility or entry.municipality
        if unit.zone >= 0:
            where = ground.outcome.projection.population.zones[unit.zone]
        when = "" if unit.first is None else f"_{unit.first}"
        found.append(
            LeverOnGrid(
                "_".join(filter(None, (bundle.key, where))) + when,
                Text(f"{where} {bundle.name.ja}".strip(), f"{where} {bundle.name.en}".strip()),
                Text("組/年", "households a year"),
                (1.0,),
                linear=True,
                difference=of(responses.persons(one))[None],
            ),
        )
    return found


def _bent(ground: Grounds, of: Callable[[Floats], Floats], baseline: Floats) -> list[LeverOnGrid]:
    def along(changes: Sequence[Change]) -> Floats:
        fertile = ground.course.fertile
        shares = (follow_change(ground.path, one, fertile=fertile).share for one in changes)
        return np.stack([of(ground.path * share) - baseline for share in shares])

    births = [births_change(ground, FertilityChange(factor=factor)) for factor in FERTILITY]
    first, last = TWENTIES
    moves = [
        moves_change(ground, MigrationChange(net_loss_factor=f, age_from=first, age_to=last))
        for f in NET_LOSS
    ]
    times = Text("倍", "times as now")
    return [
        LeverOnGrid("fertility", Text("出生率", "births per woman"), times, FERTILITY,
                    linear=False, difference=along(births)),
        LeverOnGrid("net_loss_20s", Text("20代の転出超過", "net losses of the twenties"), times,
                    NET_LOSS, linear=False, difference=along(moves)),
    ]  # fmt: skip

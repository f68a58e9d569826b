"""藤山's stability prescription: how many households a year keep every district as it is.

After 30 years there are 90 % of today's people and of today's children, and ageing is below
today's. For every district at once: households of the three generations in equal numbers, as the
programs of Shimane count them, and the mix that needs the fewest.

References
----------
.. [1] 藤山浩『田園回帰1%戦略』農山漁村文化協会, 2015.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from futuremap.catchment.pairs import nearest
from futuremap.config.scenario import LeverEntry
from futuremap.core.facilities import Facilities
from futuremap.errors import SolveError, UnknownNameError
from futuremap.indicators.people import OLD, WORKING
from futuremap.pipeline.read_reach import of_class
from futuremap.pipeline.read_scenarios import bundle_of
from futuremap.pipeline.respond import Responses, respond
from futuremap.pipeline.run import Outcome, TownOutcome
from futuremap.scenario.schedule import at_ages

Floats = NDArray[np.float64]
GENERATIONS = ("fujiyama_20s", "fujiyama_30s", "fujiyama_60s")
YEARS = 30
KEPT = 0.9
SHORT = 1_000.0  # of a missing person, in households a year: only where nothing else helps
ROUNDING = 1e-6


class Prescription(NamedTuple):
    """What every district needs.

    rows
        One row a district: people, children and ageing now and then, ``per_generation`` and
        ``households`` of the equal mix, ``share`` of today's people who come a year, the fewest
        ``least_…`` of each generation, and which target decides.
    year
        When it must be so.
    generations
        Keys of the three bundles.
    """

    rows: pd.DataFrame
    year: int
    generations: tuple[str, ...]


def prescribe(
    outcome: Outcome,
    facility_class: str = "",
    *,
    districts: Mapping[str, Sequence[str]] | None = None,
    generations: Sequence[str] = GENERATIONS,
    most: float = 1_000.0,
) -> Prescription:
    """Households a year that keep districts stable, for all of them at once.

    Parameters
    ----------
    outcome
        A finished run.
    facility_class
        The class whose districts they are: its own districts where the project has them, else
        every block belongs to the nearest facility (公民館区, 小学校区).
    districts
        Blocks (ids) of each district in place of that; every block its own district if neither
        is said.
    generations
        Keys of the bundles that come.
    most
        Households of one generation a year that a district can take in.

    Raises
    ------
    UnknownNameError
        If no town has facilities of that class.
    SolveError
        If the program is not solved.
    """
    population = outcome.projection.population
    names, member = _districts(outcome, facility_class, districts)
    levers = [LeverEntry.model_validate({"bundle": g, "max": most}) for g in generations]
    responses = respond(outcome, levers)
    year = _year(outcome)
    unit, base, now = _measures(outcome, responses, member, year)
    gain, need = _program(unit, base, now)
    equal = _equal(gain, need, most)
    least = _least(gain, need, most)
    people = base[:, 0], now[:, 0]
    size = sum(_persons(outcome, generation) for generation in generations)
    rows = pd.DataFrame(
        {
            "district": names,
            "blocks": np.asarray(member.sum(axis=1)).ravel().astype(int),
            "population_now": people[1],
            "population_then": people[0],
            "population_0_14_now": now[:, 1],
            "population_0_14_then": base[:, 1],
            "ageing_rate_now": _ratio(now[:, 2], now[:, 0]),
            "ageing_rate_then": _ratio(base[:, 2], base[:, 0]),
            "per_generation": equal.max(axis=1, initial=0.0),
            "households": equal.max(axis=1, initial=0.0) * len(generations),
            "share": _ratio(equal.max(axis=1, initial=0.0) * size, now[:, 0]),
            "decides": np.array(["population", "population_0_14", "ageing_rate"], dtype=object)[
                np.nan_to_num(equal, nan=np.inf).argmax(axis=1)
            ],
            **{f"least_{g}": least[:, i] for i, g in enumerate(generations)},
            "least_households": least.sum(axis=1),
        },
    )
    unable = ~np.isfinite(rows["per_generation"])
    rows.loc[unable, ["per_generation", "households", "share"]] = np.nan
    return Prescription(rows, population.years[year], tuple(generations))


def _year(outcome: Outcome) -> int:
    years = outcome.projection.population.years
    wanted = years[0] + YEARS
    return years.index(wanted) if wanted in years else len(years) - 1


def _persons(outcome: Outcome, generation: str) -> float:
    return bundle_of(outcome.prepared.project, generation).persons


def _districts(
    outcome: Outcome,
    facility_class: str,
    districts: Mapping[str, Sequence[str]] | None,
) -> tuple[list[str], sparse.csr_array]:
    zones = outcome.projection.population.zones
    place = {zone: i for i, zone in enumerate(zones)}
    if districts is not None:
        pairs = [(name, place[zone]) for name, ids in districts.items() for zone in ids]
    elif facility_class:
        pairs = [pair for town in outcome.towns for pair in _of_class(town, facility_class, place)]
        if not pairs:
            known = sorted({name for town in outcome.towns for name in town.town.class_names})
            raise UnknownNameError(facility_class, tuple(known))
    else:
        named = [name for town in outcome.towns for name in town.town.blocks.names]
        pairs = list(zip(named, range(len(zones)), strict=True))
        row = np.arange(len(zones))
        return named, sparse.csr_array((np.ones(len(zones)), (row, row)))
    names = list(dict.fromkeys(name for name, _ in pairs))
    row = np.array([names.index(name) for name, _ in pairs])
    column = np.array([zone for _, zone in pairs])
    shape = (len(names), len(zones))
    return names, sparse.csr_array((np.ones(len(pairs)), (row, column)), shape=shape)


def _of_class(
    town: TownOutcome,
    facility_class: str,
    place: dict[str, int],
) -> list[tuple[str, int]]:
    facilities: Facilities | None = town.town.facilities
    if facilities is None or facility_class not in town.town.class_names:
        return []
    mine = of_class(facilities, facility_class)
    names = dict(zip(mine.table.index, mine.table["name"], strict=True))
    if facility_class in town.town.reach.districts and town.reach is not None:
        walk = town.reach.walks[0]
        ids = [walk.targets.index(zone) for zone in mine.located.ids]
        owner = np.asarray(walk.weights[ids].argmax(axis=0)).ravel()
        return [
            (names[mine.located.ids[f]], place[zone])
            for f, zone in zip(owner, walk.sources, strict=True)
            if zone in set(town.town.blocks.ids)
        ]
    blocks = town.town.blocks
    centres = blocks.frame.copy()
    centres["geometry"] = centres.geometry.representative_point()
    pairs = nearest(mine.located, type(blocks)(centres, "place", blocks.plane_zone), k=1)
    return [
        (names[mine.located.ids[f]], place[blocks.ids[z]])
        for f, z in zip(pairs.facility, pairs.place, strict=True)
    ]


def _measures(
    outcome: Outcome,
    responses: Responses,
    member: sparse.csr_array,
    year: int,
) -> tuple[Floats, Floats, Floats]:
    """People, children and old of each district: per household a year, then, and now."""
    population = outcome.projection.population
    ages = population.ages
    weights = np.stack(
        [np.ones(len(ages)), at_ages(ages, 0, WORKING - 1), at_ages(ages, OLD, None)]
    )
    first = np.asarray(member.argmax(axis=1)).ravel()
    parent = responses.parent_of[first]
    by_age = responses.paths[:, :, year].sum(axis=2)  # (K, P, A)
    unit = np.einsum("kpa,ia->pki", by_age, weights)[parent]  # (D, K, 3)
    unit = unit[:, responses.kind_of]

    def of(t: int) -> Floats:
        return np.asarray(member @ population.persons[t].sum(axis=1) @ weights.T)

    return unit, of(year), of(0)


def _program(unit: Floats, base: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Rows ``(D, 3, K)`` and what they must come to ``(D, 3)``: people, children, ageing."""
    ageing = np.nan_to_num(_ratio(now[:, 2], now[:, 0]))[:, None]  # nobody needs nobody
    gain = np.stack([unit[..., 0], unit[..., 1], ageing * unit[..., 0] - unit[..., 2]], axis=1)
    need = np.stack(
        [
            KEPT * now[:, 0] - base[:, 0],
            KEPT * now[:, 1] - base[:, 1],
            base[:, 2] - ageing[:, 0] * base[:, 0],
        ],
        axis=1,
    )
    return gain, np.maximum(need, 0.0)


def _equal(gain: Floats, need: Floats, most: float) -> Floats:
    # as many of each generation: every target by itself says how many, if a district can take them
    together = gain.sum(axis=2)
    out = np.where(need > ROUNDING, np.inf, 0.0)
    known = (together > 0) & (need > ROUNDING)
    needed = np.divide(need, together, out=out, where=known)
    return np.where(needed > most, np.inf, needed)


def _least(gain: Floats, need: Floats, most: float) -> Floats:
    """The fewest households of each generation ``(D, K)``; NaN where none are enough.

    One program for all districts, which share nothing: what is missing is bought at a price at
    which nobody buys who can do without.
    """
    count, targets, kinds = gain.shape
    rows = sparse.block_diag(list(gain), format="csr")
    scale = np.maximum(np.abs(gain).max(axis=2), 1e-12).ravel()
    missing = sparse.eye_array(count * targets, format="csr")
    found = linprog(
        np.concatenate([np.ones(count * kinds), np.full(count * targets, SHORT)]),
        A_ub=-sparse.hstack([sparse.diags_array(1 / scale) @ rows, missing], format="csr"),
        b_ub=-(need.ravel() / scale),
        bounds=[(0, most)] * (count * kinds) + [(0, None)] * (count * targets),
        method="highs-ds",
    )
    if found.x is None:
        raise SolveError(f"the prescription has no answer: {found.message}")
    least = found.x[: count * kinds].reshape(count, kinds)
    short = found.x[count * kinds :].reshape(count, targets).max(axis=1) > ROUNDING
    return np.where(short[:, None], np.nan, least)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0))

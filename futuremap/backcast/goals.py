"""Targets as sums of people: each is a row that unit responses are weighed with.

A ratio is a target on a sum too: 65 and over ≤ r of all is 65 and over − r · all ≤ 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from futuremap.config.scenario import OF_REACH, TargetEntry
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import Crosswalk
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.indicators.people import OLD, VERY_OLD, WORKING
from futuremap.pipeline.difference import reach_row
from futuremap.pipeline.named_places import find_facility, find_zone
from futuremap.pipeline.run import Outcome, TownOutcome
from futuremap.scenario.schedule import at_ages

Floats = NDArray[np.float64]
SPANS = {
    "0_14": (0, WORKING - 1), "15_64": (WORKING, OLD - 1), "65_over": (OLD, None),
    "75_over": (VERY_OLD, None), "6_11": (6, 11), "12_14": (12, 14),
}  # fmt: skip
RATIOS = ("ageing_rate", "coverage_rate")
LESS_IS_BETTER = ("ageing_rate",)


class Goal(NamedTuple):
    """One target on the people of a run.

    entry
        What was asked for.
    year
        Position of its year.
    weights, ages
        Weight of each zone ``(Z,)`` and each age ``(A,)`` in what is counted.
    of_weights, of_ages
        The same of what it is divided by; None where it is a number of people.
    least
        Whether the bound is a lower one.
    bound
        In the indicator's own unit.
    now
        The value of the base year.
    place
        Where it is.
    """

    entry: TargetEntry
    year: int
    weights: Floats
    ages: Floats
    of_weights: Floats | None
    of_ages: Floats | None
    least: bool
    bound: float
    now: float
    place: Text

    @property
    def name(self) -> Text:
        """The target in words."""
        shown = field(self.entry.indicator)
        value = float(shown.export(np.array([self.bound]))[0])
        unit = (
            f"{value:,.{shown.decimals}f}".rstrip("0").rstrip(".")
            if "." in (f"{value:,.{shown.decimals}f}")
            else f"{value:,.0f}"
        )
        sense = Text("以上", "at least") if self.least else Text("以下", "at most")
        return Text(
            f"{self.entry.year}年の{self.place.ja}の{shown.name_ja}を{unit}{shown.unit_ja}{sense.ja}",
            f"{shown.name_en} of {self.place.en} in {self.entry.year} {sense.en} {unit} "
            f"{shown.unit_en}".rstrip(),
        )

    def value(self, persons: Floats) -> float:
        """The indicator of a path of people ``(1 + H, Z, S, A)``, in its own unit."""
        by_age = persons[self.year].sum(axis=1)
        part = float(self.weights @ by_age @ self.ages)
        if self.of_weights is None or self.of_ages is None:
            return part
        whole = float(self.of_weights @ by_age @ self.of_ages)
        return part / whole if whole > 0 else float("nan")

    def rows(self, bound: float | None = None) -> list[tuple[Floats, Floats]]:
        """Pairs of weights whose sums must together reach :attr:`limit`."""
        rows = [(self.weights, self.ages)]
        if self.of_weights is not None and self.of_ages is not None:
            level = self.bound if bound is None else bound
            rows.append((self.of_weights, -level * self.of_ages))
        return rows

    def limit(self, bound: float | None = None) -> float:
        """What the sum of the rows must reach: 0 for a ratio."""
        level = self.bound if bound is None else bound
        return level if self.of_weights is None else 0.0

    def slack(self, value: float) -> float:
        """How far a value is on the right side of the bound; negative where it fails.

        The ratio of nobody holds: there is none whom it could be wrong for.
        """
        if np.isnan(value):
            return 0.0
        return value - self.bound if self.least else self.bound - value


def goals_of(outcome: Outcome, targets: Sequence[TargetEntry]) -> list[Goal]:
    """Checked targets as goals of a run."""
    return [_goal(outcome, target) for target in targets]


def _goal(outcome: Outcome, target: TargetEntry) -> Goal:
    population = outcome.projection.population
    year = population.years.index(target.year)
    weights, place = _place(outcome, target, year)
    tail = target.indicator.removeprefix("population_").removeprefix("people_in_reach_")
    span = SPANS.get(tail.removeprefix("children_"), (0, None))
    if target.indicator == "ageing_rate":
        span = SPANS["65_over"]
    ages = at_ages(population.ages, *span)
    of_weights = of_ages = None
    if target.indicator in RATIOS:
        of_weights, of_ages = weights, np.ones(len(ages))
        if target.indicator == "coverage_rate":
            weights = weights * covered_row(outcome, year)
    goal = Goal(target, year, weights, ages, of_weights, of_ages, least=True, bound=0.0, now=0.0,
                place=place)  # fmt: skip
    now = _now(outcome, goal)
    least = target.at_most is None and not (
        target.keep is not None and target.indicator in LESS_IS_BETTER
    )
    said = target.at_least if target.at_least is not None else target.at_most
    bound = said if said is not None else (target.keep or 1.0) * now
    return goal._replace(least=least, bound=float(bound), now=now)


def _now(outcome: Outcome, goal: Goal) -> float:
    # the base year with the reach of the base year
    target = goal.entry
    weights = goal.weights
    if target.facility:
        weights = reach_row(outcome, target.facility, target.municipality, 0)
    elif target.indicator == "coverage_rate" and goal.of_weights is not None:
        weights = goal.of_weights * covered_row(outcome, 0)
    at_first = goal._replace(year=0, weights=weights)
    return at_first.value(outcome.projection.population.persons)


def _place(outcome: Outcome, target: TargetEntry, year: int) -> tuple[Floats, Text]:
    zones = outcome.projection.population.zones
    towns = outcome.prepared.towns
    if target.facility:
        found = find_facility(target.facility, target.municipality, towns)
        if found is None:
            raise AssertionError(f"{target.facility} was accepted without being found")
        table = next(t.facilities for t in towns if t.code == found[0])
        name = target.facility if table is None else str(table.table.loc[found[1], "name"])
        return reach_row(outcome, target.facility, target.municipality, year), Text(name, name)
    chosen = np.zeros(len(zones))
    if target.zone:
        found = find_zone(target.zone, target.municipality, towns)
        if found is None:
            raise AssertionError(f"{target.zone} was accepted without being found")
        chosen[zones.index(found[1])] = 1.0
        town = next(t for t in towns if t.code == found[0])
        name = town.blocks.names[town.blocks.ids.index(found[1])]
        return chosen, Text(name, name)
    codes = [outcome.rates.parents[i] for i in outcome.rates.parent_of]
    chosen[:] = [target.municipality in ("", code) for code in codes]
    named = [town.name for town in towns if target.municipality in ("", town.code)]
    return chosen, Text("と".join(n.ja for n in named), " and ".join(n.en for n in named))


def covered_row(outcome: Outcome, year: int) -> Floats:
    """Share of each zone within the project's radius of any facility in service ``(Z,)``."""
    zones = outcome.projection.population.zones
    place = {zone: i for i, zone in enumerate(zones)}
    row = np.zeros(len(zones))
    for town in outcome.towns:
        if town.reach is not None:
            walk = town.reach.covered_by_year[year]
            row[[place[zone] for zone in walk.sources]] = walk.weights.toarray()[0]
    return row


def measured(outcome: Outcome, goal: Goal, *, facility_class: str = "") -> float:
    """The indicator of a goal as a run's own tables and populations have it.

    Parameters
    ----------
    outcome
        A run, such as that of an answer.
    goal
        What is asked for.
    facility_class
        The class whose coverage counts; any facility if none is said.
    """
    target = goal.entry
    if target.facility or target.indicator in OF_REACH:
        found = find_facility(target.facility, target.municipality, outcome.prepared.towns)
        town = next(t for t in outcome.towns if found is not None and t.town.code == found[0])
        if town.reach is None or found is None:
            return float("nan")
        people = town.reach.people.only([found[1]])
        return float(people.persons[goal.year].sum(axis=(0, 1)) @ goal.ages)
    if target.indicator == "coverage_rate":
        return _coverage(outcome, goal, facility_class)
    parts = [_people(town, target) for town in outcome.towns]
    by_age = np.sum([part[goal.year].sum(axis=(0, 1)) for part in parts], axis=0)
    value = float(by_age @ goal.ages)
    if goal.of_weights is None:
        return value
    everybody = float(by_age.sum())
    return value / everybody if everybody > 0 else float("nan")


def _people(town: TownOutcome, target: TargetEntry) -> Floats:
    if target.municipality not in ("", town.town.code):
        return town.people.persons[:, :0]
    if not target.zone:
        return town.people.persons
    zone = town.town.zone_named(target.zone)
    at = [] if zone is None else [town.people.zones.index(zone)]
    return np.asarray(town.people.persons[:, at])


def _coverage(outcome: Outcome, goal: Goal, facility_class: str) -> float:
    towns = [t for t in outcome.towns if goal.entry.municipality in ("", t.town.code)]
    covered = people = 0.0
    for town in towns:
        living = float(town.people.totals()[goal.year].sum())
        people += living
        if facility_class and town.reach is not None:
            table, key = town.reach.access, f"{town.town.code}/{facility_class}"
            if key in table.zones:  # another town may have no such facilities
                share = table.column("coverage_rate", goal.entry.year)[table.zones.index(key)]
                covered += living * float(np.nan_to_num(share))
        elif not facility_class:
            table = outcome.municipal
            at = table.zones.index(town.town.code)
            covered += float(np.nan_to_num(table.column("people_covered", goal.entry.year)[at]))
    return covered / people if people > 0 else float("nan")


def as_walk(goal: Goal, zones: Sequence[str]) -> Crosswalk:
    """What a goal counts, as a crosswalk of one target, for the draws of its interval."""
    weights = sparse.csr_array(goal.weights[None])
    return Crosswalk(weights, ("goal",), tuple(zones), "what a target counts")


def ages_of(ages: AgeGroups, goal: Goal) -> Floats:
    """Weight of each sex and age in what a goal counts ``(S, A)``."""
    return np.broadcast_to(goal.ages, (2, len(ages))).copy()

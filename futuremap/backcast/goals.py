"""Targets as sums of people: each is a row that unit responses are weighed with.

A ratio is a target on a sum too: 65 and over ≤ r of all is 65 and over − r · all ≤ 0. So is a
service: persons times what each of their sex and age asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from futuremap.config.scenario import INDICATORS, TargetEntry, Where
from futuremap.core.crosswalk import Crosswalk
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.core.population import SEXES
from futuremap.indicators.people import OLD, VERY_OLD, WORKING
from futuremap.pipeline.difference import inside, reach_row
from futuremap.pipeline.named_places import find_facility, find_zone
from futuremap.pipeline.read_rates import find_field
from futuremap.pipeline.run import Outcome, TownOutcome
from futuremap.pipeline.town_rates import rates_by_town
from futuremap.scenario.schedule import at_ages

Floats = NDArray[np.float64]
SPANS = {
    "0_14": (0, WORKING - 1), "15_64": (WORKING, OLD - 1), "65_over": (OLD, None),
    "75_over": (VERY_OLD, None), "6_11": (6, 11), "12_14": (12, 14),
}  # fmt: skip
RATIOS = ("ageing_rate", "coverage_rate")
LESS_IS_BETTER = ("ageing_rate",)


class Part(NamedTuple):
    """A sum over people.

    weights
        Weight of each zone ``(Z,)``.
    rates
        What each sex and age counts for ``(S, A)``.
    """

    weights: Floats
    rates: Floats

    def of(self, people: Floats) -> float:
        """The sum over the people of one year ``(Z, S, A)``."""
        return float(np.einsum("z,zsa,sa->", self.weights, people, self.rates))


class Goal(NamedTuple):
    """One target on the people of a run.

    entry
        What was asked for, its indicator a field.
    year
        Position of its year.
    parts
        What is counted; of services one sum a municipality.
    whole
        What it is divided by; none where it is a number.
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
    parts: tuple[Part, ...]
    whole: tuple[Part, ...]
    least: bool
    bound: float
    now: float
    place: Text

    @property
    def is_ratio(self) -> bool:
        """Whether it is a share and not a number."""
        return bool(self.whole)

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
        people = persons[self.year]
        counted = sum(part.of(people) for part in self.parts)
        if not self.whole:
            return counted
        divisor = self.divisor(persons)
        return counted / divisor if divisor > 0 else float("nan")

    def divisor(self, persons: Floats) -> float:
        """What a ratio divides by on a path of people."""
        return sum(part.of(persons[self.year]) for part in self.whole)

    def rows(self, bound: float | None = None) -> list[Part]:
        """Sums that must together reach :attr:`limit`."""
        level = self.bound if bound is None else bound
        return [*self.parts, *(part._replace(rates=-level * part.rates) for part in self.whole)]

    def limit(self, bound: float | None = None) -> float:
        """What the sum of the rows must reach: 0 for a ratio."""
        level = self.bound if bound is None else bound
        return 0.0 if self.whole else level

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
    inputs = outcome.prepared.indicators
    if target.indicator not in INDICATORS and inputs is not None:
        named = find_field(target.indicator, inputs.catalogue)
        target = target.model_copy(update={"indicator": named})
    year = population.years.index(target.year)
    least = target.at_most is None and not (
        target.keep is not None and target.indicator in LESS_IS_BETTER
    )
    goal = Goal(target, year, *_sums(outcome, target, year), least=least, bound=0.0, now=0.0,
                place=_place_of(outcome, target))  # fmt: skip
    parts, whole = _sums(outcome, target, 0)
    # the base year with the reach and the rates of the base year
    now = goal._replace(year=0, parts=parts, whole=whole).value(population.persons)
    said = target.at_least if target.at_least is not None else target.at_most
    bound = said if said is not None else (target.keep or 1.0) * now
    return goal._replace(bound=float(bound), now=now)


def _sums(
    outcome: Outcome,
    target: TargetEntry,
    year: int,
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """What a target counts in a year, and what it divides that by."""
    population = outcome.projection.population
    weights = _weights(outcome, target, year)
    if target.indicator not in INDICATORS:
        return _service(outcome, target, weights, year), ()
    tail = target.indicator.removeprefix("population_").removeprefix("people_in_reach_")
    span = SPANS.get(tail.removeprefix("children_"), (0, None))
    if target.indicator == "ageing_rate":
        span = SPANS["65_over"]
    counted = Part(weights, _of_both(at_ages(population.ages, *span)))
    if target.indicator not in RATIOS:
        return (counted,), ()
    everybody = Part(weights, np.ones_like(counted.rates))
    if target.indicator == "coverage_rate":
        counted = counted._replace(weights=weights * covered_row(outcome, year))
    return (counted,), (everybody,)


def _of_both(ages: Floats) -> Floats:
    return np.stack([ages] * len(SEXES))


def _service(outcome: Outcome, target: TargetEntry, weights: Floats, year: int) -> tuple[Part, ...]:
    """A sum a municipality: each has rates of its own."""
    people = outcome.projection.population
    rates = rates_by_town(outcome.prepared, outcome.towns, people, target.indicator)
    parts = []
    for town, found in zip(outcome.towns, rates, strict=True):
        mine = weights * np.isin(people.zones, town.people.zones)
        if mine.any():
            parts.append(Part(mine, found[year]))
    return tuple(parts)


def _weights(outcome: Outcome, target: TargetEntry, year: int) -> Floats:
    """Weight of each zone in a target ``(Z,)``."""
    if target.facility:
        return reach_row(outcome, target.facility, target.municipality, year)
    return inside(outcome, Where(zone=target.zone, municipality=target.municipality))


def _place_of(outcome: Outcome, target: TargetEntry) -> Text:
    towns = outcome.prepared.towns
    if target.facility:
        found = find_facility(target.facility, target.municipality, towns)
        if found is None:
            raise AssertionError(f"{target.facility} was accepted without being found")
        table = next(t.facilities for t in towns if t.code == found[0])
        name = target.facility if table is None else str(table.table.loc[found[1], "name"])
        return Text(name, name)
    if target.zone:
        found = find_zone(target.zone, target.municipality, towns)
        if found is None:
            raise AssertionError(f"{target.zone} was accepted without being found")
        town = next(t for t in towns if t.code == found[0])
        name = town.blocks.names[town.blocks.ids.index(found[1])]
        return Text(name, name)
    named = [town.name for town in towns if target.municipality in ("", town.code)]
    return Text("と".join(n.ja for n in named), " and ".join(n.en for n in named))


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
    if target.indicator == "coverage_rate":
        return _coverage(outcome, goal, facility_class)
    if target.indicator not in INDICATORS:
        return _weighed(outcome, goal)
    by_age = _by_age(outcome, goal)
    value = float((by_age * goal.parts[0].rates).sum())
    if not goal.is_ratio:
        return value
    everybody = float(by_age.sum())
    return value / everybody if everybody > 0 else float("nan")


def _by_age(outcome: Outcome, goal: Goal) -> Floats:
    """People of a goal's place in its year as a run's parts have them ``(S, A)``."""
    target = goal.entry
    if not target.facility:
        parts = [_people(town, target)[goal.year].sum(axis=0) for town in outcome.towns]
        return np.asarray(np.sum(parts, axis=0))
    found = find_facility(target.facility, target.municipality, outcome.prepared.towns)
    town = next(t for t in outcome.towns if found is not None and t.town.code == found[0])
    if town.reach is None or found is None:
        return np.full(goal.parts[0].rates.shape, np.nan)
    return np.asarray(town.reach.people.only([found[1]]).persons[goal.year, 0])


def _weighed(outcome: Outcome, goal: Goal) -> float:
    """A service: a municipality's from the tables, if they were made, else by its people."""
    target = goal.entry
    if outcome.indicators is not None and not (target.zone or target.facility):
        (kept,) = outcome.indicators.of("municipality")
        if target.indicator in kept.table.indicators:
            values = kept.table.column(target.indicator, target.year)
            mine = [target.municipality in ("", code) for code in kept.table.zones]
            return float(values[mine].sum())
    if len(goal.parts) == 1:
        return float((_by_age(outcome, goal) * goal.parts[0].rates).sum())
    return goal.value(outcome.projection.population.persons)


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
    """Where a goal counts people, as a crosswalk of one target, for the draws of its interval."""
    weights = sparse.csr_array(np.sum([part.weights for part in goal.parts], axis=0)[None])
    return Crosswalk(weights, ("goal",), tuple(zones), "what a target counts")

"""A radius, or how many facilities to keep: the least setting, found on the run itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.backcast.answer import Answer, Proof, Pull, Reached
from futuremap.backcast.goals import Goal, measured
from futuremap.backcast.words import bent_words, sentences
from futuremap.config.scenario import FacilityEvent, LeverEntry, ReachChange, Scenario
from futuremap.core.layer import Text
from futuremap.pipeline.read_reach import rule_of
from futuremap.pipeline.run import Outcome, TownOutcome
from futuremap.pipeline.scenarios import Played, play
from futuremap.pipeline.siting import choose

Floats = NDArray[np.float64]
LESS = 0.99
METRE = 1.0
NAN = float("nan")


class Asked(NamedTuple):
    """What is asked of facilities.

    outcome
        The baseline.
    goals
        The targets, coverage counted for the lever's class alone.
    lever
        A radius or a count of one class.
    """

    outcome: Outcome
    goals: tuple[Goal, ...]
    lever: LeverEntry

    def values(self, outcome: Outcome) -> Floats:
        """The indicators of a run ``(G,)``."""
        of_class = self.lever.facility_class
        return np.array([measured(outcome, g, facility_class=of_class) for g in self.goals])

    def slack(self, values: Floats) -> Floats:
        """How far they are on the right side of their bounds ``(G,)``."""
        return np.array([g.slack(v) for g, v in zip(self.goals, values, strict=True)])

    @property
    def towns(self) -> list[TownOutcome]:
        """Municipalities whose facilities it is about."""
        return [
            town
            for town in self.outcome.towns
            if town.town.facilities is not None
            and self.lever.facility_class in town.town.class_names
            and self.lever.municipality in ("", town.town.code)
        ]

    def standing(self, town: TownOutcome) -> list[str]:
        """Ids of its facilities of the class in service in the last target's year."""
        table, listed = town.reach.table if town.reach else None, town.town.facilities
        if table is None or listed is None:
            return []
        placed = np.ones(len(table.zones))
        if "in_service" in table.indicators:  # else none comes or goes
            placed = table.column("in_service", self.year)
        open_ = dict(zip(table.zones, placed, strict=True))
        mine = listed.table["facility_class"] == self.lever.facility_class
        return [one for one in listed.table.index[mine] if open_.get(one, 0.0) > 0]

    @property
    def year(self) -> int:
        """Year of the last target."""
        return max(goal.entry.year for goal in self.goals)

    def now(self) -> float:
        """The radius, or the count of facilities, without any effort; NaN if there is none."""
        if self.lever.lever == "facilities":
            return float(sum(len(self.standing(town)) for town in self.towns))
        project = self.outcome.prepared.project
        rule = rule_of(project, self.lever.facility_class)
        return NAN if rule.rule != "radius" else rule.radius_m or project.reach.radius_m


class Sought(NamedTuple):
    """What the search came to.

    amount
        The least setting that is enough, or the last that was tried.
    values
        The indicators under it ``(G,)``.
    binding, missed
        Targets that decide, and those out of reach (together).
    best
        The best of each target, if nothing else were asked for ``(G,)``.
    less_fails
        Whether a little less is not enough; None at the lower bound.
    tried
        Settings and their indicators.
    """

    amount: float
    values: Floats
    binding: list[int]
    missed: list[int]
    best: Floats
    less_fails: bool | None
    tried: dict[float, Floats]


def by_run(
    outcome: Outcome,
    goals: Sequence[Goal],
    lever: LeverEntry,
    title: Text,
) -> Answer:
    """The smallest radius, to a metre, or the fewest facilities with which every target is met.

    Which facilities stay is chosen for each count by the mixed-integer program of
    :func:`futuremap.pipeline.siting.choose`: those that most people of the last target's year
    have in reach.

    Parameters
    ----------
    outcome
        The baseline.
    goals
        What is asked.
    lever
        The radius of a class or how many of it are kept, with its bounds.
    title
        Name of the answer.
    """
    asked = Asked(outcome, tuple(_of_class(outcome, goal, lever) for goal in goals), lever)
    without = asked.values(outcome)
    enough = bool((asked.slack(without) >= 0).all())
    if enough and lever.lever == "radius_m" and "minimum" not in lever.model_fields_set:
        return _nothing(asked, without, title)
    runs: dict[float, Played] = {}

    def at(amount: float) -> Floats:
        if amount not in runs:
            runs[amount] = play(outcome, "answer", setting_of(asked, amount), draft=True)
        return asked.values(runs[amount].outcome)

    sought = seek(asked, at)
    if sought.missed:
        return _missed(asked, sought, without, title)
    return _found(asked, sought, without, title)


def _of_class(outcome: Outcome, goal: Goal, lever: LeverEntry) -> Goal:
    """A goal on coverage as one on the coverage by the lever's class."""
    of_class = lever.facility_class
    first = goal.entry.model_copy(update={"year": outcome.prepared.project.years[0]})
    now = measured(outcome, goal._replace(entry=first, year=0), facility_class=of_class)
    if goal.entry.indicator != "coverage_rate":
        return goal._replace(now=now)
    name = _class_name(outcome, of_class)
    place = Text(f"{goal.place.ja}の{name.ja}", f"{goal.place.en} ({name.en} only)")
    keep = goal.entry.keep
    return goal._replace(place=place, now=now, bound=goal.bound if keep is None else keep * now)


def _class_name(outcome: Outcome, of_class: str) -> Text:
    names = [town.class_names.get(of_class, "") for town in outcome.prepared.towns]
    return Text(next(filter(None, names), of_class), of_class)


def seek(asked: Asked, at: Callable[[float], Floats]) -> Sought:
    """The least setting with which every target is met.

    A target that is missed at the lower bound and met at the upper one says how far one must go;
    one that is met at the lower bound may be lost on the way there.

    Parameters
    ----------
    asked
        What is asked.
    at
        The indicators under a setting.
    """
    tried: dict[float, Floats] = {}

    def slack(amount: float) -> Floats:
        if amount not in tried:
            tried[amount] = at(amount)
        return asked.slack(tried[amount])

    low, high = bounds_of(asked)
    first, last = slack(low), slack(high)
    best = np.where(last > first, tried[high], tried[low])
    wanted = np.flatnonzero(first < 0)
    never = np.flatnonzero(np.maximum(first, last) < 0).tolist()
    if never:
        return Sought(high, tried[high], [], never, best, None, tried)
    below = low
    while len(wanted) and high - below > METRE:
        middle = float(np.floor((below + high) / 2))
        if (slack(middle)[wanted] >= 0).all():
            high = middle
        else:
            below = middle
    amount = high if len(wanted) else low
    binding = wanted[slack(below)[wanted] < 0].tolist()
    lost = np.flatnonzero(slack(amount) < 0).tolist()
    if lost:
        return Sought(amount, tried[amount], [], sorted({*lost, *binding}), best, None, tried)
    less = None
    if amount > low:
        step = amount - 1 if asked.lever.lever == "facilities" else LESS * amount
        less = bool((slack(step) < 0).any())
    return Sought(amount, tried[amount], binding, [], best, less, tried)


def bounds_of(asked: Asked) -> tuple[float, float]:
    """The smallest and the largest setting: as many facilities as are fixed, and as there are."""
    lever = asked.lever
    low, high = max(lever.minimum, METRE), float(lever.maximum or METRE)
    if lever.lever == "facilities":
        there = max((len(asked.standing(town)) for town in asked.towns), default=1)
        fixed = max((len(_fixed(asked, town)) for town in asked.towns), default=0)
        high = min(np.floor(high), float(max(there, 1)))
        low = max(float(np.ceil(low)), float(fixed))
    return min(low, high), high


def _fixed(asked: Asked, town: TownOutcome) -> list[str]:
    """Facilities that targets are about: they stay in any case."""
    names = {goal.entry.facility for goal in asked.goals if goal.entry.facility}
    listed = town.town.facilities
    if listed is None:
        return []
    called = listed.table["name"]
    return [one for one in asked.standing(town) if {one, str(called[one])} & names]


def setting_of(asked: Asked, amount: float) -> Scenario:
    """A scenario in which a class has another radius, or keeps so many of its facilities."""
    if asked.lever.lever == "radius_m":
        return _radius(asked, amount)
    keep = int(amount)
    base = asked.outcome.prepared.project.project.base_year
    events = []
    for town in asked.towns:
        if len(asked.standing(town)) <= keep:
            continue
        (choice,) = choose(
            asked.outcome, asked.lever.facility_class, keep=keep, year=asked.year,
            fixed=_fixed(asked, town), municipality=town.town.code,
        )  # fmt: skip
        events += [
            FacilityEvent(
                facility=one, year=asked.lever.from_year or base + 1, event="close",
                municipality=choice.town,
            )
            for one in choice.closed
        ]  # fmt: skip
    return Scenario(name=f"{keep}か所を残す", name_en=f"{keep} kept", event=events)


def _radius(asked: Asked, radius: float) -> Scenario:
    rule = rule_of(asked.outcome.prepared.project, asked.lever.facility_class)
    other = ReachChange.model_validate(
        {
            "class": rule.facility_class,
            "radius_m": radius,
            "age_from": rule.age_from,
            "age_to": rule.age_to,
            "life_years": rule.life_years,
        },
    )
    return Scenario(name=f"半径{radius:,.0f}m", name_en=f"radius {radius:,.0f} m", reach=[other])


def _reached(
    asked: Asked,
    values: tuple[Floats, Floats],
    best: Floats,
    binding: Sequence[int],
) -> tuple[Reached, ...]:
    without, value = values
    return tuple(
        Reached(
            name=goal.name, indicator=goal.entry.indicator, year=goal.entry.year,
            bound=goal.bound, least=goal.least, now=goal.now, without=float(without[i]),
            value=float(value[i]), interval=(NAN, NAN), binding=i in binding, price=NAN,
            best=float(best[i]), facility=goal.entry.facility, zone=goal.entry.zone,
        )
        for i, goal in enumerate(asked.goals)
    )  # fmt: skip


def _nothing(asked: Asked, without: Floats, title: Text) -> Answer:
    targets = _reached(asked, (without, without), np.full(len(without), NAN), ())
    played = Played("answer", Scenario(name=title.ja, name_en=title.en), asked.outcome)
    worst = _worst(asked, without)
    return Answer(title, feasible=True, pulls=(), targets=targets, unreachable=(), cost=0.0,
                  curve=np.empty((0, 2)), curve_of=0, proof=Proof(worst, None, 0.0),
                  played=played, words=sentences((), targets, ()))  # fmt: skip


def _missed(asked: Asked, sought: Sought, without: Floats, title: Text) -> Answer:
    targets = _reached(asked, (without, without), sought.best, sought.missed)
    return Answer(title, feasible=False, pulls=(), targets=targets,
                  unreachable=tuple(sought.missed), cost=NAN, curve=np.empty((0, 2)),
                  curve_of=sought.missed[0], proof=None, played=None,
                  words=sentences((), targets, sought.missed))  # fmt: skip


def _found(asked: Asked, sought: Sought, without: Floats, title: Text) -> Answer:
    outcome, lever = asked.outcome, asked.lever
    setting = setting_of(asked, sought.amount)
    setting = setting.model_copy(update={"name": title.ja, "name_en": title.en})
    played = play(outcome, "answer", setting)
    targets = _reached(asked, (without, sought.values), np.full(len(without), NAN), sought.binding)
    base, end = outcome.prepared.project.years
    years = (lever.from_year or base + 1, end)
    place, now = _class_name(outcome, lever.facility_class), asked.now()
    if lever.lever == "facilities" and len(asked.towns) > 1:
        each = "・".join(
            f"{town.town.name.ja}（今は{len(asked.standing(town))}か所）" for town in asked.towns
        )
        each_en = ", ".join(
            f"{town.town.name.en} (now {len(asked.standing(town))})" for town in asked.towns
        )
        place = Text(f"{each}でそれぞれ{place.ja}", f"{place.en} in each of {each_en}")
        now = NAN
    words = bent_words(lever, place, years, sought.amount, now=now)
    cost = lever.cost * sought.amount
    pull = Pull(lever, place, years, sought.amount, cost, float(lever.maximum or 0),
                (NAN, NAN), words)  # fmt: skip
    decides = sought.binding[0] if sought.binding else 0
    curve = np.array(
        [[values[decides], lever.cost * at] for at, values in sorted(sought.tried.items())]
    )
    return Answer(title, feasible=True, pulls=(pull,), targets=targets, unreachable=(),
                  cost=cost, curve=curve, curve_of=decides,
                  proof=Proof(_worst(asked, sought.values), sought.less_fails, 0.0),
                  played=played, words=sentences([pull], targets, ()))  # fmt: skip


def _worst(asked: Asked, values: Floats) -> float:
    size = np.array([max(1.0, abs(goal.bound)) for goal in asked.goals])
    return float((asked.slack(values) / size).min())

"""What of scenarios and backcasts cannot be meant, as far as the project file alone shows it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Sequence

from futuremap.config.check_levers import check_bound, check_lever, check_moves
from futuremap.config.check_reach import check_rule
from futuremap.config.door import Door
from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import INTERVAL, Project
from futuremap.config.scenario import (
    INDICATORS,
    OF_REACH,
    SENSES,
    FertilityChange,
    HousingChange,
    LeverEntry,
    MigrationChange,
    NewBus,
    RateChange,
    Scenario,
    SurvivalChange,
    TargetEntry,
    When,
    Where,
)

ROUNDING = 1e-9
NONE = "なし / none"


def near(value: str, known: Collection[str]) -> str:
    """Names that come close, for a message; all of them where there are few.

    Examples
    --------
    >>> near("hall", [])
    'なし / none'
    >>> near("famly_30s", ["family_30s", "single_20s"])
    'family_30s'
    """
    found = difflib.get_close_matches(value, sorted(known), n=3, cutoff=0.6)
    return "、".join(found or sorted(known)[:5]) or NONE


def check_scenarios(project: Project, door: Door) -> None:
    """Note faults of scenarios and backcasts that need no data to be seen.

    Parameters
    ----------
    project
        The project.
    door
        Takes FM840 to FM863.
    """
    base, end = project.years
    if end <= base or (end - base) % INTERVAL:
        return  # which years there are is not known until this is mended
    names = [bundle.name for bundle in project.bundle.values()]
    for key, bundle in project.bundle.items():
        if names.count(bundle.name) > 1:
            once = ("ほかの型にない名前", "a name that no other bundle has")
            door.no_sense(("bundle", key, "name"), bundle.name, once)
        for j, member in enumerate(bundle.members):
            _check_ages(member.age_from, member.age_to, ("bundle", key, "members", j), door)
    for name, scenario in project.scenario.items():
        _check_scenario(project, scenario, ("scenario", name), door)
    for name, entry in project.backcast.items():
        at: KeyPath = ("backcast", name)
        check_targets(project, entry.target, at, door)
        check_levers(project, entry.lever, at, door)
        check_moves(entry.target, entry.lever, at, door)


def _check_scenario(project: Project, scenario: Scenario, at: KeyPath, door: Door) -> None:
    if not (scenario.changes_people or scenario.changes_facilities or scenario.changes_rates):
        door.add("FM844", at, value=at[-1])
    for key in ("people", "fertility", "survival", "migration", "rate"):
        for j, entry in enumerate(getattr(scenario, key)):
            here: KeyPath = (*at, key, j)
            check_when(project, entry, here, door)
            _check_where(project, entry, here, door)
            _check_amount(entry, here, door)
    for j, estate in enumerate(scenario.housing):
        _check_housing(project, estate, (*at, "housing", j), door)
    for key in ("event", "facility"):
        for j, entry in enumerate(getattr(scenario, key)):
            _check_year(project, entry.year, (*at, key, j, "year"), door)
            _check_town(project, entry.municipality, (*at, key, j), door)
    _check_reach(project, scenario, at, door)


def _check_reach(project: Project, scenario: Scenario, at: KeyPath, door: Door) -> None:
    classes = [rule.facility_class for rule in scenario.reach]
    for key in ("reach", "bus"):
        for j, entry in enumerate(getattr(scenario, key)):
            if entry.from_year is not None:
                _check_year(project, entry.from_year, (*at, key, j, "from_year"), door)
    for j, line in enumerate(scenario.bus):
        _check_bus(project, scenario, line, (*at, "bus", j), door)
    for j, rule in enumerate(scenario.reach):
        check_rule(project, rule, (*at, "reach", j), door, has=("bus",) if scenario.bus else ())
        if rule.facility_class in classes[:j]:
            once = ("種類ごとに1つ", "one rule a class")
            door.no_sense((*at, "reach", j, "class"), rule.facility_class, once)


def _check_bus(project: Project, scenario: Scenario, line: NewBus, at: KeyPath, door: Door) -> None:
    """Note a bus line of no municipality, without roads, or by which nobody goes anywhere."""
    towns = [town for town in project.municipality if line.municipality in ("", town.code)]
    if len(towns) != 1:
        codes = [town.code for town in project.municipality]
        door.add("FM841", (*at, "municipality"), value=line.municipality,
                 near=near(line.municipality, codes))  # fmt: skip
        return
    if towns[0].roads is None:
        door.add("FM670", at, value="bus", town=towns[0].name, key="[municipality.roads]")
    rules = {rule.facility_class: rule.rule for rule in (*project.reach.rule, *scenario.reach)}
    classes = [listed.facility_class for listed in towns[0].facilities]
    if not any(rules.get(name) == "bus" for name in classes):
        door.add("FM875", at, value=line.name or at[-1], known="、".join(classes))


def check_when(project: Project, entry: When, at: KeyPath, door: Door) -> None:
    """Note years outside the projection, or upside down (FM843, FM859)."""
    for key in ("from_year", "to_year"):
        year = getattr(entry, key)
        if year is not None:
            _check_year(project, year, (*at, key), door)
    first, last = entry.from_year, entry.to_year
    if first is not None and last is not None and last < first:
        door.add("FM859", (*at, "to_year"), value=last, from_year=first)
    if entry.taper_years and entry.to_year is None:
        door.add("FM859", (*at, "taper_years"), value=entry.taper_years, from_year="")


def _check_year(project: Project, year: int, at: KeyPath, door: Door) -> None:
    base, end = project.years
    if not base < year <= end:
        door.add("FM843", at, value=year, first=base + 1, last=end)


def _check_where(project: Project, entry: Where, at: KeyPath, door: Door) -> None:
    said = [key for key in ("zone", "zones", "facility") if getattr(entry, key)]
    if len(said) > 1:
        door.add("FM845", (*at, said[1]), value="・".join(said))
    _check_town(project, entry.municipality, at, door)


def _check_town(project: Project, code: str, at: KeyPath, door: Door) -> None:
    codes = [town.code for town in project.municipality]
    if code and code not in codes:
        door.add("FM841", (*at, "municipality"), value=code, near=near(code, codes))


def _check_amount(entry: Where, at: KeyPath, door: Door) -> None:
    if isinstance(entry, FertilityChange):
        both = entry.tfr_now is not None and entry.tfr_goal is not None
        some = entry.tfr_now is not None or entry.tfr_goal is not None
        if (entry.factor is not None) == both or some != both:
            door.add("FM846", at, keys="factor / tfr_now + tfr_goal")
    if isinstance(entry, MigrationChange) and entry.net_loss_factor is entry.net_rate is None:
        door.add("FM846", at, keys="net_loss_factor / net_rate")
    if isinstance(entry, SurvivalChange | MigrationChange | RateChange):
        _check_ages(entry.age_from, entry.age_to, at, door)
    if isinstance(entry, RateChange) and entry.full_from is not None:
        first = entry.from_year or entry.full_from
        if entry.full_from < first:
            door.add("FM859", (*at, "full_from"), value=entry.full_from, from_year=first)


def _check_ages(first: int, last: int | None, at: KeyPath, door: Door) -> None:
    if last is not None and last < first:
        door.no_sense((*at, "age_to"), last, (f"{first} 以上", f"{first} or more"))


def _check_housing(project: Project, estate: HousingChange, at: KeyPath, door: Door) -> None:
    _check_year(project, estate.year, (*at, "year"), door)
    _check_town(project, estate.municipality, at, door)
    if not math.isfinite(estate.dwellings) or estate.dwellings == 0:
        some = ("0でない戸数（取り壊しは負の数）", "a number other than 0; negative to clear")
        door.no_sense((*at, "dwellings"), estate.dwellings, some)
    total = sum(estate.mix.values())
    if estate.mix and abs(total - 1) > ROUNDING:
        door.add("FM847", (*at, "mix"), value=f"{total:g}")
    if (not estate.mix or estate.dwellings < 0) and estate.household_size is None:
        door.add("FM846", at, keys="household_size / mix")


def check_targets(
    project: Project,
    targets: Sequence[TargetEntry],
    at: KeyPath,
    door: Door,
) -> None:
    """Note targets that say nothing, or that no future can meet together.

    Parameters
    ----------
    project
        The project.
    targets
        The targets of one backcast.
    at
        Where they stand.
    door
        Takes FM841, FM845, FM852, FM854, FM855 and FM860.
    """
    bounds: dict[tuple[str, ...], dict[str, float]] = {}
    for j, target in enumerate(targets):
        here: KeyPath = (*at, "target", j)
        _check_target(project, target, here, door)
        place = (target.indicator, str(target.year), target.municipality, target.zone,
                 target.facility)  # fmt: skip
        known = bounds.setdefault(place, {})
        for sense in ("at_least", "at_most"):
            value = getattr(target, sense)
            if value is not None:
                pick = max if sense == "at_least" else min
                known[sense] = pick(known.get(sense, value), value)
        if known.get("at_least", float("-inf")) > known.get("at_most", float("inf")):
            door.add("FM852", here, value=target.indicator, at_least=f"{known['at_least']:g}",
                     at_most=f"{known['at_most']:g}")  # fmt: skip


def _check_target(project: Project, target: TargetEntry, at: KeyPath, door: Door) -> None:
    said = [sense for sense in SENSES if getattr(target, sense) is not None]
    if len(said) != 1:
        door.add("FM854", at, value="・".join(said))
    check_bound(target, at, door)
    years = project.projected_years[1:]
    if target.year not in years:
        door.add("FM855", (*at, "year"), value=target.year, known="、".join(map(str, years)))
    places = [key for key in ("zone", "facility") if getattr(target, key)]
    # others are services, whose place can be any; whether there are such, the data says
    known = target.indicator in INDICATORS
    if len(places) > 1 or (known and (target.indicator in OF_REACH) != bool(target.facility)):
        door.add("FM845", at, value="・".join(places) or target.indicator)
    if target.indicator == "coverage_rate" and target.zone:
        door.add("FM845", (*at, "zone"), value=target.indicator)
    _check_town(project, target.municipality, at, door)


def check_levers(project: Project, levers: Sequence[LeverEntry], at: KeyPath, door: Door) -> None:
    """Note levers without bounds, with impossible ones, or that cannot be solved together.

    Parameters
    ----------
    project
        The project.
    levers
        The levers of one backcast.
    at
        Where they stand.
    door
        Takes FM841, FM843, FM845, FM850, FM851, FM856 to FM859, FM861, FM862.
    """
    bent = [lever.lever for lever in levers if lever.lever != "people"]
    classes = sorted({f.facility_class for town in project.municipality for f in town.facilities})
    for j, lever in enumerate(levers):
        here: KeyPath = (*at, "lever", j)
        check_when(project, lever, here, door)
        _check_where(project, lever, here, door)
        _check_ages(lever.age_from, lever.age_to, here, door)
        check_lever(lever, here, door)
        if (lever.lever == "people") != bool(lever.bundle):
            door.add("FM856", here, value=lever.bundle or lever.lever)
        if lever.by_step and lever.taper_years:
            door.add("FM859", (*here, "taper_years"), value="by_step", from_year="")
        of_class = lever.lever in ("facilities", "radius_m")
        if of_class and lever.facility_class not in classes:
            door.add("FM858", (*here, "class"), value=lever.facility_class,
                     near=near(lever.facility_class, classes))  # fmt: skip
        elif (
            lever.lever == "radius_m"
            and project.reach.rule_of(lever.facility_class).rule != "radius"
        ):
            of_radius = ('rule = "radius" の種類', 'a class with rule = "radius"')
            door.no_sense((*here, "class"), lever.facility_class, of_radius)
    alone = {"facilities", "radius_m"} & set(bent)
    if len(bent) > 1 or (alone and len(levers) > 1):
        door.add("FM857", at, value="・".join(dict.fromkeys(bent)))

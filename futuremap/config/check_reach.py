"""What of the rules of reach, their files and dated events does not go together."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from itertools import pairwise

from futuremap.config.door import Door
from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import Project
from futuremap.config.presets import known_presets
from futuremap.config.reach import ReachRule

ALWAYS = (
    "facility_class", "rule", "preset", "age_from", "age_to", "life", "life_years",
    "extension_years", "rebuild_cost", "repair_cost", "accessibility", "from_year",
)  # fmt: skip
USED = {
    "radius": ("radius_m",),
    "centroid": ("radius_m",),
    "nearest": ("farthest_m",),
    "k_nearest": ("k", "farthest_m"),
    "huff": ("attraction", "decay", "farthest_m"),
    "capacity": ("farthest_m",),
    "districts": (),
    "walk": ("minutes", "speed_kmh", "farthest_m"),
    "car": ("minutes", "speed_kmh", "farthest_m"),
    "bus": ("minutes", "farthest_m"),
    "surface": ("minutes", "farthest_m"),
}
NEEDED = {
    "k_nearest": ("k",),
    **dict.fromkeys(("walk", "car", "bus", "surface"), ("minutes",)),
}
WITH_RINGS = ("nearest", "k_nearest", "huff", "capacity", "districts")  # no reach to share in
FILES = {
    "walk": ("roads",),
    "car": ("roads",),
    "bus": ("roads", "bus"),
    "surface": ("surface",),
}


def check_reach(project: Project, door: Door) -> None:
    """Note rules that lack something, say what they do not use, or are of no class.

    Parameters
    ----------
    project
        The project.
    door
        Takes FM004, FM011 and FM670.
    """
    seen: set[str] = set()
    for i, rule in enumerate(project.reach.rule):
        at: KeyPath = ("reach", "rule", i)
        if rule.facility_class in seen:
            door.no_sense(
                (*at, "class"), rule.facility_class, ("種類ごとに1つ", "one rule a class")
            )
        seen.add(rule.facility_class)
        check_rule(project, rule, at, door)
    of_districts = {r.facility_class for r in project.reach.rule if r.rule == "districts"}
    for i, town in enumerate(project.municipality):
        for j, entry in enumerate(town.districts):
            here: KeyPath = ("municipality", i, "districts", j, "class")
            _one_of(entry.facility_class, of_districts, here, door)


def check_rule(
    project: Project,
    rule: ReachRule,
    at: KeyPath,
    door: Door,
    *,
    has: Collection[str] = (),
) -> None:
    """Note what of one rule is of no class, lacks something or is not used.

    Parameters
    ----------
    project
        The project.
    rule, at
        The rule and where it stands.
    door
        Takes FM004, FM011 and FM670.
    has
        What a municipality need not give itself.
    """
    classes = {entry.facility_class for town in project.municipality for entry in town.facilities}
    _one_of(rule.facility_class, classes, (*at, "class"), door)
    if rule.preset:
        _one_of(rule.preset, known_presets(), (*at, "preset"), door)
    _check_keys(rule, at, door)
    _check_rings(rule, at, door)
    _check_files(project, rule, at, door, has=has)


def _check_keys(rule: ReachRule, at: KeyPath, door: Door) -> None:
    said = rule.model_dump(exclude_none=True, exclude_defaults=True)
    for key in sorted(set(said) - {*ALWAYS, *USED[rule.rule]}):
        users = " / ".join(f'"{name}"' for name, keys in USED.items() if key in keys)
        only = (f"rule = {users} のときだけ", f"only with rule = {users}")
        door.no_sense((*at, key), "", only)
    for key in NEEDED.get(rule.rule, ()):
        if getattr(rule, key) is None:
            door.add("FM011", (*at, key), key=key, format=rule.rule)
    if rule.age_from is not None and rule.age_to is not None and rule.age_to < rule.age_from:
        later = (f"{rule.age_from} 以上", f"{rule.age_from} or more")
        door.no_sense((*at, "age_to"), rule.age_to, later)


def _check_rings(rule: ReachRule, at: KeyPath, door: Door) -> None:
    given = rule.accessibility
    if given is None:
        return
    here: KeyPath = (*at, "accessibility")
    if not given.limits and rule.rule in WITH_RINGS:
        door.add("FM011", (*here, "limits"), key="limits", format=rule.rule)
    if any(b <= a for a, b in pairwise(given.limits)):
        rising = ("小さい順の並び", "limits in rising order")
        door.no_sense((*here, "limits"), "", rising)
    if len(given.limits) != len(given.weights):
        one = (f"limits と同じ {len(given.limits)} 個", f"as many as limits, {len(given.limits)}")
        door.no_sense((*here, "weights"), len(given.weights), one)
    if given.supply == "count" and given.unknown is not None:
        only = ('supply = "capacity" か "floor_area" のときだけ', "not with supply = count")
        door.no_sense((*here, "unknown"), given.unknown, only)


def _check_files(
    project: Project, rule: ReachRule, at: KeyPath, door: Door, *, has: Collection[str]
) -> None:
    for town in project.municipality:
        if rule.facility_class not in {entry.facility_class for entry in town.facilities}:
            continue
        wanted = [key for key in FILES.get(rule.rule, ()) if key not in has]
        lacking = [key for key in wanted if getattr(town, key) is None]
        if rule.rule == "districts" and rule.facility_class not in {
            given.facility_class for given in town.districts
        }:
            lacking = ["districts"]
        for key in lacking:
            door.add("FM670", (*at, "rule"), value=rule.rule, town=town.name,
                     key=f"[municipality.{key}]")  # fmt: skip


def _one_of(value: str, known: Collection[str], path: KeyPath, door: Door) -> None:
    if value not in known:
        near = difflib.get_close_matches(value, sorted(known), n=3) or sorted(known)[:10]
        door.no_sense(path, value, ("、".join(near) or "なし", ", ".join(near) or "nothing"))

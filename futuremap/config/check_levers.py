"""What of one target or lever cannot be meant: percents for ratios, bounds, keys without effect."""

from __future__ import annotations

import math
from collections.abc import Sequence

from futuremap.config.door import Door
from futuremap.config.lines import Path as KeyPath
from futuremap.config.scenario import LeverEntry, TargetEntry

RATIOS = ("ageing_rate", "coverage_rate")
PERCENT = 100
FACTORS = ("fertility", "net_loss")  # 1 of them is as it is now
OF_FACILITIES = ("radius_m", "facilities")
MOST = {
    "people": 100_000.0, "fertility": 10.0, "net_loss": 5.0, "radius_m": 200_000.0,
    "facilities": 100_000.0,
}  # fmt: skip
# what each kind of lever looks at beside its bounds and its cost
PLACED = ("from_year", "to_year", "taper_years", "municipality", "zone", "zones", "facility")
LOOKS_AT = {
    "people": ("bundle", "whole", "by_step", "by_zone", *PLACED),
    "fertility": PLACED,
    "net_loss": ("age_from", "age_to", *PLACED),
    "radius_m": ("facility_class",),
    "facilities": ("facility_class", "municipality", "from_year", "whole"),
}
ALWAYS = ("lever", "minimum", "maximum", "cost")


def check_bound(target: TargetEntry, at: KeyPath, door: Door) -> None:
    """Note a bound that no future has: a percent for a ratio, fewer than nobody (FM860).

    Parameters
    ----------
    target
        One target.
    at
        Where it stands.
    door
        Takes FM860.
    """
    ratio = target.indicator in RATIOS
    for key in ("at_least", "at_most"):
        value = getattr(target, key)
        if value is None:
            continue
        most = 1.0 if ratio else math.inf
        if not math.isfinite(value) or not 0 <= value <= most:
            meant = f"{value / 100:g}" if ratio and 1 < value <= PERCENT else ""
            door.add(
                "FM860", (*at, key), value=f"{value:g}",
                expected_ja="0～1の割合（38％なら 0.38）" if ratio else "0以上の人数",
                expected_en="a ratio from 0 to 1 (0.38 for 38 %)" if ratio else "0 people or more",
                fix_ja=f"{key} = {meant} でしょうか" if meant else "値を直してください",
                fix_en=f"did you mean {key} = {meant}?" if meant else "mend the value",
            )  # fmt: skip


def check_lever(lever: LeverEntry, at: KeyPath, door: Door) -> None:
    """Note bounds that cannot be, and keys that this kind of lever does not look at.

    Parameters
    ----------
    lever
        One lever.
    at
        Where it stands.
    door
        Takes FM850, FM851, FM861 and FM862.
    """
    kind, low, high = lever.lever, lever.minimum, lever.maximum
    if high is None or high == math.inf:
        door.add("FM850", at, value=lever.bundle or kind)
    elif not 0 <= low <= high:
        door.add("FM851", at, value=f"{low:g}～{high:g}")
    elif high > MOST[kind] or (kind in FACTORS and not low <= 1 <= high):
        first = "0 ≤ min ≤ 1 ≤ max" if kind in FACTORS else "0 ≤ min ≤ max"
        door.add("FM861", at, value=f"{low:g}～{high:g}", expected=f"{first} ≤ {MOST[kind]:,g}")
    if not math.isfinite(lever.cost):
        door.add("FM861", (*at, "cost"), value=lever.cost, expected="0 < cost < inf")
    said = lever.model_dump(exclude_defaults=True)
    known = (*ALWAYS, *LOOKS_AT[kind])
    alias = {"facility_class": "class"}
    for key in said:
        if key not in known:
            used = "、".join(alias.get(name, name) for name in LOOKS_AT[kind])
            door.add("FM862", (*at, alias.get(key, key)), value=alias.get(key, key), lever=kind,
                     known=used)  # fmt: skip


def check_moves(
    targets: Sequence[TargetEntry],
    levers: Sequence[LeverEntry],
    at: KeyPath,
    door: Door,
) -> None:
    """Note levers of facilities that move no target: those of people, or of years before them.

    Parameters
    ----------
    targets, levers
        Those of one backcast.
    at
        Where they stand.
    door
        Takes FM843 and FM863.
    """
    of_people = targets and not any(
        target.facility or target.indicator == "coverage_rate" for target in targets
    )
    for j, lever in enumerate(levers):
        if of_people and lever.lever in OF_FACILITIES:
            told = "、".join(dict.fromkeys(target.indicator for target in targets))
            door.add("FM863", (*at, "lever", j), value=lever.lever, targets=told)
        last = max((target.year for target in targets), default=0)
        if lever.lever == "facilities" and targets and (lever.from_year or 0) > last:
            door.add("FM843", (*at, "lever", j, "from_year"), value=lever.from_year, first="",
                     last=last)  # fmt: skip

"""Rules of reach in the words that readers of maps see."""

from __future__ import annotations

from futuremap.config.reach import ReachRule
from futuremap.core.layer import Text

BY_PLACE = {
    "nearest": Text("最寄りの施設に1人ずつ数える", "everybody counts at the nearest facility"),
    "huff": Text(
        "施設の魅力と距離による確率で分ける（ハフモデル）",
        "people are shared out by attraction and distance (Huff)",
    ),
    "capacity": Text(
        "基準年の対象年齢の人を定員の中で割り当て（移動距離の合計が最小）、その割合を各年に使う",
        "people of the ages served are assigned within capacities at the least total distance, "
        "in the base year, and in the same shares later",
    ),
    "districts": Text(
        "施設の区域（学区など）に住む人を面積の割合で数える",
        "people of the facility's district count, by area",
    ),
}


def rule_words(rule: ReachRule) -> Text:
    """What a rule counts.

    Examples
    --------
    >>> rule_words(ReachRule.model_validate({"class": "hall", "radius_m": 800.0})).en
    'residents of town blocks by their area within 800 m'
    """
    if rule.rule in BY_PLACE:
        return BY_PLACE[rule.rule]
    if rule.rule == "k_nearest":
        return Text(f"近い{rule.k}施設に等分して数える", f"shared by the {rule.k} nearest")
    if rule.rule == "radius":
        return Text(
            f"半径{rule.radius_m:g}mの円に入る面積の割合で町丁の人口を数える",
            f"residents of town blocks by their area within {rule.radius_m:g} m",
        )
    if rule.rule == "centroid":
        return Text(
            f"町丁の中心点が半径{rule.radius_m:g}mに入れば全員を数える（近似）",
            f"blocks whose middle lies within {rule.radius_m:g} m count whole (approximate)",
        )
    ways = {
        "walk": ("徒歩", "on foot"),
        "car": ("自動車", "by car"),
        "bus": ("徒歩とバス", "on foot and by bus"),
        "surface": ("移動", "across"),
    }
    ja, en = ways[rule.rule]
    return Text(
        f"{ja}{rule.minutes:g}分以内に着く人を道路などの網の上で数える",
        f"people who arrive within {rule.minutes:g} minutes {en}",
    )

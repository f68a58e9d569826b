"""Indicators on their way out: the long tables, what is said of them, and their credits."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
import pandas as pd

from futuremap.config.indicators import AreaFile
from futuremap.core.credits import SYNTHETIC, credits_of
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.core.table import Table
from futuremap.export.indicator_table import Part, write_indicators
from futuremap.export.tabular import write_rows, write_table
from futuremap.pipeline.draw import credits_for
from futuremap.pipeline.prepare import Prepared
from futuremap.pipeline.read_indicators import LIMITS_CREDIT, SOURCED
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.town_rates import FIXED
from futuremap.pipeline.weighing import Indicators

LEVELS = {
    "municipality": Text("市区町村", "Municipality"),
    "region": Text("全体", "Whole region"),
    "block": Text("町丁・字", "Town block"),
    "mesh": Text("メッシュ", "Mesh"),
    "facility": Text("施設の利用圏", "Reach of a facility"),
    "school": Text("学校区", "School district"),
}
# too many rows for a spreadsheet
ONLY_PARQUET = ("mesh", "facility")
FEW_TOWNS = 3  # of more, the page shows the first and the last year only
SHOWN = (
    "households_projected", "nursery_children", "pupils_primary", "pupils_lower_secondary",
    "classes_expected", "inpatients", "care_certified", "ambulance_transports",
    "deaths_per_year",
)  # fmt: skip


def credits_of_indicators(prepared: Prepared) -> set[str]:
    """Keys of the credits of the tables that came with the program."""
    if prepared.indicators is None or not prepared.project.indicators.run:
        return set()
    limits = {LIMITS_CREDIT} if prepared.project.indicators.school else set()
    return {*SOURCED.values(), *limits}


def area_title(area: AreaFile) -> Text:
    """Title of the project's areas, with the mark of what was not confirmed."""
    mark = ("（仮）", " (provisional)") if area.provisional else ("", "")
    return Text(area.title + mark[0], (area.title_en or area.title) + mark[1])


def write_all(outcome: Outcome, folder: Path) -> None:
    """Write ``indicators``, apart those of meshes and of reach, and what else was made of them.

    Parameters
    ----------
    outcome
        A run that weighed its people.
    folder
        Where tables go.
    """
    found = outcome.indicators
    if found is None:
        return
    areas = {area.name: area_title(area) for area in outcome.prepared.project.indicators.area}
    words = LEVELS | areas
    made_up = {town.town.code for town in outcome.towns if _synthetic(outcome, [town.town.code])}
    parts = [
        Part(
            kept.level,
            words[kept.level].ja,
            kept.variant,
            kept.table,
            kept.names,
            bool(made_up & set(kept.towns)),
        )
        for kept in found.tables
    ]
    apart = {level: [part for part in parts if part.level == level] for level in ONLY_PARQUET}
    together = [part for part in parts if part.level not in ONLY_PARQUET]
    if together:
        write_indicators(together, folder / "indicators", provisional=found.provisional)
    for level, some in apart.items():
        if some:
            stem = folder / f"indicators_{level}"
            write_indicators(some, stem, provisional=found.provisional, as_text=False)
    _write_renewal(outcome, found, folder, made_up)
    _write_work(outcome, found, folder, made_up)


def _synthetic(outcome: Outcome, codes: Sequence[str]) -> bool:
    return any(credit.synthetic for credit in credits_for(outcome, codes))


def _write_renewal(
    outcome: Outcome, found: Indicators, folder: Path, made_up: AbstractSet[str]
) -> None:
    if found.renewal is None:
        return
    names: dict[str, str] = {}
    marked: set[str] = set()
    for town in outcome.towns:
        if town.town.facilities is not None:
            here = town.town.facilities.table["name"]
            names |= {str(zone): str(name) for zone, name in here.items()}
            marked |= set(here.index) if town.town.code in made_up else set()
    write_table(found.renewal, folder / "renewal", names=names, made_up=marked)


def _write_work(
    outcome: Outcome, found: Indicators, folder: Path, made_up: AbstractSet[str]
) -> None:
    work, setting = found.work, outcome.prepared.project.indicators
    own = outcome.prepared.project.own_credits()
    if work.staff is not None and setting.staff is not None:
        groups = {group: group for group in work.staff.zones}
        credit = credits_of([setting.staff.credit], own)[0]
        marked = set(groups) if credit.synthetic or made_up else set()
        write_table(work.staff, folder / "staff", names=groups, made_up=marked)
    names = {town.town.code: town.town.name.ja for town in outcome.towns}
    if work.hours is not None:
        named = work.hours.assign(name=work.hours["zone"].map(names))
        columns = ["zone", "name", "year", "task", "driver", "workload_hours"]
        write_rows(_marked(named[columns], made_up), folder / "workload")
    if work.alike is not None:
        write_rows(_marked(work.alike, made_up), folder / "profiles")


def _marked(frame: pd.DataFrame, made_up: AbstractSet[str]) -> pd.DataFrame:
    if not made_up:
        return frame
    return frame.assign(remark=frame["zone"].isin(made_up).map({True: SYNTHETIC[0], False: ""}))


def shown_table(found: Indicators | None) -> Table | None:
    """The municipality's indicators that stand on the first page; None if there are none."""
    kept = [] if found is None else found.of("municipality")
    if not kept:
        return None
    table = kept[0].table
    names = [name for name in SHOWN if name in table.indicators]
    years = table.years if len(table.zones) <= FEW_TOWNS else (table.years[0], table.years[-1])
    values = {name: np.stack([table.column(name, year) for year in years]) for name in names}
    return Table.build(values, years=years, zones=table.zones) if names else None


def sentences(found: Indicators | None) -> list[Text]:
    """What the page says of indicators."""
    if found is None:
        return []
    said = [
        Text(
            "暮らしの指標は、男女・年齢別の人口に1人あたりの率を掛けて足したものです。率は出典のある全国の"
            "表で、都道府県・市区町村・利用者の表があればそちらを使います。区間は人口と同じ乱数から数えます。",
            "Indicators are persons by sex and age times rates per person: sourced national "
            "tables, or your prefecture's, town's or own. Intervals: the draws of the people.",
        ),
    ]
    if any(kept.variant != FIXED for kept in found.tables):
        said.append(
            Text(
                "「固定」は率を変えない場合、「傾向」は公表された変化を、観測された年数だけ先へ延ばした場合です。",
                "Fixed: rates stay. Trend: a published change goes on for as many years as it was "
                "observed, then rates stay.",
            )
        )
    if found.missing:
        names = "、".join(_name(entry.field) for entry in found.missing)
        said.append(
            Text(
                f"出典のある率がないため計算していない指標：{names}。利用者の表（project.toml の "
                "[[indicators.table]]）を与えると計算します。",
                f"Not computed, for want of a sourced rate: {len(found.missing)} indicators "
                "(docs/indicators.md). Give your own table in [[indicators.table]].",
            )
        )
    if found.provisional:
        names = "、".join(_name(name) for name in sorted(found.provisional))
        said.append(
            Text(
                f"【仮】出典や利用条件を確かめていない率から計算した指標：{names}。計画には使えません。",
                f"[Provisional] rest on unconfirmed rates: {', '.join(sorted(found.provisional))}.",
            )
        )
    return said


def _name(name: str) -> str:
    return field(name).name_ja

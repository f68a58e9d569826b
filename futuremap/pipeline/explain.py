"""The account of one town block, mesh cell or facility: where each of its numbers comes from."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from futuremap.core.crosswalk import Crosswalk
from futuremap.core.population import Population, origin
from futuremap.errors import UnknownNameError
from futuremap.pipeline.method_names import method_name
from futuremap.pipeline.reach_words import rule_words
from futuremap.pipeline.reaching import Reaching
from futuremap.pipeline.read_reach import rule_of
from futuremap.pipeline.run import METHOD_OF_RATES, Gathered, Outcome, TownOutcome

MOST_PARTS = 12  # contributing blocks listed; the rest are added up
Account = Callable[[Outcome, TownOutcome, str], list[str]]


def explain(outcome: Outcome, name: str) -> list[str]:
    """Say line by line how the numbers of one zone or facility came about.

    Parameters
    ----------
    outcome
        A finished run.
    name
        Id or name of a town block or facility, or a mesh code.

    Returns
    -------
    list of str
        Lines for a terminal, in Japanese.

    Raises
    ------
    UnknownNameError
        If nothing is called so; the message proposes what is.
    """
    known: set[str] = set()
    lines: list[str] = []
    for town in outcome.towns:
        for ids, account in _kinds(town):
            known |= {word for pair in ids for word in pair}
            for zone, title in ids:
                if name in (zone, title):
                    lines += [*([""] if lines else []), *account(outcome, town, zone)]
    if not lines:
        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.4)
        raise UnknownNameError(name, tuple(near))
    return lines


def _kinds(town: TownOutcome) -> list[tuple[list[tuple[str, str]], Account]]:
    # pairs of id and name, with the account that goes with their kind; names may repeat
    blocks = town.town.blocks
    kinds: list[tuple[list[tuple[str, str]], Account]] = [
        (list(zip(blocks.ids, blocks.names, strict=True)), _block),
    ]
    if town.mesh is not None:
        kinds.append(([(code, code) for code in town.mesh.zones.ids], partial(_cell, town.mesh)))
    if town.reach is not None and town.town.facilities is not None:
        table = town.town.facilities.table
        pairs = list(zip(table.index, table["name"], strict=True))
        kinds.append((pairs, partial(_facility, town.reach)))
    return kinds


def _block(outcome: Outcome, town: TownOutcome, zone: str) -> list[str]:
    people = town.people.only([zone])
    where = town.town.blocks.ids.index(zone)
    entry = next(m for m in outcome.prepared.project.municipality if m.code == town.town.code)
    base_file = entry.population_of(people.years[0])
    source = base_file.file if base_file else ""
    count = people.totals()[0, 0]
    lines = [
        f"{town.town.blocks.names[where]}（{zone}）  {town.town.name.ja}",
        f"{people.years[0]}年 {count:,.0f}人：{source}（{_flags(people, 0)}）",
        *_rates(outcome, zone),
        "年      期首  ＋0～4歳になった子  ＋死亡と転出入  ＋総数への調整  ＝期末  由来",
    ]
    flows = outcome.projection.flows
    row = outcome.rates.zones.index(zone)
    amounts = {name: flows.signed(name)[:, row].sum(axis=(1, 2)) for name in flows.names}
    total = people.totals()[:, 0]
    for t, year in enumerate(people.years[1:]):
        moves = "  ".join(f"{amounts[name][t]:+10,.1f}" for name in flows.names)
        lines.append(
            f"{year}  {total[t]:9,.1f}  {moves}  {total[t + 1]:9,.1f}  {_flags(people, t + 1)}",
        )
    return lines


def _rates(outcome: Outcome, zone: str) -> list[str]:
    rates = outcome.rates
    row = rates.zones.index(zone)
    parent = int(rates.parent_of[row])
    own = rates["own_weight"][row].mean()
    left = float(rates["persistence"])
    fertility = rates["child_woman_ratio"][row]
    shared = rates["parent_child_woman_ratio"][parent]
    boys = rates["sex_ratio_0_4"][parent]
    controls = outcome.projection.controls
    factors = [controls.column("control_factor", year)[parent] for year in controls.years[1:]]
    raked = "、".join(f"{y}年 {f:.4f}" for y, f in zip(controls.years[1:], factors, strict=True))
    adjusted = f"総数への調整係数：{raked}"
    method = outcome.prepared.project.projection.method
    if method != METHOD_OF_RATES:
        return [f"推計の方法：{method_name(method).ja}（{method}）", adjusted]
    weights = f"自区域の実績を平均 {own:.0%}、残りの重みで市全体を使う"
    fading = f"自区域と市全体の差は1期ごとに {left:.0%} に縮む"
    births = f"子ども女性比 {fertility:.3f}（市全体 {shared:.3f}）、0～4歳性比 {boys:.3f}"
    return [
        f"コーホート変化率：{weights}（{fading}）",
        births,
        adjusted,
    ]


def _cell(mesh: Gathered, outcome: Outcome, town: TownOutcome, zone: str) -> list[str]:
    del outcome
    names, walks = town.town.blocks.names, [mesh.walk] * len(mesh.people.years)
    parts = _parts(names, town.people, mesh.people, walks=walks, target=zone)
    return [f"メッシュ {zone}  {town.town.name.ja}", *parts]


def _facility(
    served: Reaching,
    outcome: Outcome,
    town: TownOutcome,
    facility: str,
) -> list[str]:
    if town.town.facilities is None:
        raise AssertionError("a facility was found in a town without facilities")
    row = town.town.facilities.table.loc[facility]
    opened = "不明" if np.isnan(row["opened"]) else f"{row['opened']:.0f}年"
    kind = town.town.class_names[row["facility_class"]]
    title = f"{row['name']}（{facility}）  {kind}  開設 {opened}"
    if facility not in served.zones.ids:
        return [title, "座標がないため、図と利用圏には載りません"]
    return [
        title,
        f"利用圏：{rule_words(rule_of(outcome.prepared.project, row['facility_class'])).ja}",
        *_parts(
            served.areas.names, served.sent, served.people, walks=served.by_year, target=facility
        ),
    ]


def _parts(
    names: Sequence[str],
    sent: Population,
    gathered: Population,
    *,
    walks: Sequence[Crosswalk],
    target: str,
) -> list[str]:
    # a facility that closes has other weights at the end than at the beginning
    now, then = (walk.weights[[walk.targets.index(target)]].toarray()[0] for walk in
                 (walks[0], walks[-1]))  # fmt: skip
    first, last = sent.totals()[0] * now, sent.totals()[-1] * then
    years = gathered.years
    order = [i for i in np.argsort(-first, kind="stable") if now[i] > 0 or then[i] > 0]
    lines = [f"町丁 × 割合（{years[0]}年 → {years[-1]}年）"]
    lines += [
        f"  {names[i]}  {now[i]:.4f} × {sent.totals()[0, i]:,.0f}人 = {first[i]:,.1f}"
        f" → {last[i]:,.1f}"
        for i in order[:MOST_PARTS]
    ]
    if len(order) > MOST_PARTS:
        rest = order[MOST_PARTS:]
        lines.append(
            f"  ほか {len(rest)} 町丁 = {first[rest].sum():,.1f} → {last[rest].sum():,.1f}",
        )
    total = gathered.only([target]).totals()[:, 0]
    lines.append("合計  " + "  ".join(f"{y}年 {v:,.1f}" for y, v in zip(years, total, strict=True)))
    return lines


def _flags(people: Population, year: int) -> str:
    return origin(int(people.flag[year, 0]))

"""The page of scenarios: what differs, the last year side by side, the course of the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.credits import Credit
from futuremap.core.fields import Field, field
from futuremap.core.layer import Text
from futuremap.export.chart import Panel, Series, line_chart
from futuremap.export.summary import Grid, Summary
from futuremap.pipeline.comparison_rows import comparison_rows
from futuremap.pipeline.draw import credits_for
from futuremap.pipeline.read_rates import find_field
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenarios import Comparison, Played
from futuremap.pipeline.side_by_side import NOTHING_DONE

HEADLINE = ("population", "population_0_14", "ageing_rate", "coverage_rate")
CHARTED = ("population", "population_0_14", "ageing_rate")
MOST_FACILITIES = 12
MOST_LINES = 6  # scenarios in a chart; more are in the table
NOTES = (
    Text(
        "シナリオは、何もしない将来との違いだけを計算しています。総数への調整係数は何もしない将来の"
        "ものをそのまま使うので、来た人が調整で消されることはありません。",
        "A scenario is a difference from the baseline, whose control factors are held, so that "
        "people who come are not raked away.",
    ),
    Text(
        "来た人は、その市区町村の人と同じ割合で亡くなり、転出し、子を産みます（転入超過の年齢でも"
        "増えることはありません）。",
        "Who comes dies, leaves and has children as the people of the municipality do; ages that "
        "gain people on balance bring nobody more.",
    ),
    Text(
        "数字は四捨五入しているので、差は引き算と1違うことがあります。",
        "Numbers are rounded, so that differences may be off by one.",
    ),
    Text(
        "これは将来の予言ではなく、仮定にもとづく推計です。",
        "These are projections under stated assumptions, not forecasts.",
    ),
)


def credits_in(comparison: Comparison) -> tuple[Credit, ...]:
    """Credits of the data of a comparison."""
    baseline = comparison.baseline
    return credits_for(baseline, [town.town.code for town in baseline.towns])


def summary(comparison: Comparison, files: dict[str, Text]) -> Summary:
    """The page: what differs, the last year side by side, the course of the main numbers."""
    baseline = comparison.baseline
    header = baseline.prepared.project.project
    base, end = baseline.prepared.project.years
    rows = comparison_rows(comparison)
    lead = [
        Text(
            f"{base}年の現況、何もしない{end}年、シナリオの{end}年を並べています。",
            f"{base} as it is, {end} if nothing is done, and {end} under scenarios.",
        ),
        *(
            Text(
                f"{played.setting.name}：{played.setting.description or said(played).ja}",
                f"{played.setting.name_en or played.setting.name}: "
                f"{played.setting.description_en or said(played).en}",
            )
            for played in comparison.scenarios
        ),
    ]
    return Summary(
        title=Text(f"{header.title}：シナリオの比較", f"{header.title_en}: scenarios compared"),
        lead=lead,
        grids=[
            *headline(comparison),
            *_facility_grid(comparison, rows),
            *_service_grid(comparison, rows),
        ],
        charts=[chart(comparison)],
        files=files,
        notes=NOTES,
        credits=credits_in(comparison),
    )


def said(played: Played) -> Text:
    """What a scenario does to people and facilities, in numbers."""
    flows = played.outcome.projection.flows
    came = float(flows.data["in_migrants"].sum()) if "in_migrants" in flows.data else 0.0
    events = len(played.setting.event) + len(played.setting.facility)
    ja = [f"来る人 {came:,.0f}人"] * (came > 0) + [f"施設の変更 {events}件"] * (events > 0)
    en = [f"{came:,.0f} people come"] * (came > 0) + [f"{events} facilities change"] * (events > 0)
    rates = len(played.setting.fertility) + len(played.setting.survival)
    rates += len(played.setting.migration)
    if rates:
        ja.append("出生・死亡・移動の率の変更")
        en.append("other rates of births, deaths or moves")
    if played.setting.rate:
        ja.append("サービスの使われ方の変更")
        en.append("services used otherwise")
    return Text("、".join(ja) or "利用圏の変更", ", ".join(en) or "another reach")


def headline(comparison: Comparison) -> list[Grid]:
    """The last year of every municipality: now, baseline and scenarios."""
    grids = []
    baseline = comparison.baseline
    base, end = baseline.prepared.project.years
    names = [name for name in HEADLINE if name in baseline.municipal.indicators]
    heads = ["", *(f"{field(n).name_ja}（{field(n).unit_ja}）" for n in names), "人口の差（人）"]
    for town in baseline.towns:
        code = town.town.code
        without = _value(baseline, "population", end, code)
        rows = [
            [f"現況（{base}年）", *(_cell(baseline, n, base, code) for n in names), "―"],
            [
                f"{NOTHING_DONE.ja}（{end}年）",
                *(_cell(baseline, n, end, code) for n in names),
                "―",
            ],
        ]
        for played in comparison.scenarios:
            gap = _value(played.outcome, "population", end, code) - without
            cells = [_cell(played.outcome, n, end, code) for n in names]
            rows.append([f"{played.setting.name}（{end}年）", *cells, f"{gap:+,.0f}"])
        title = Text(f"{town.town.name.ja}の数字", f"{town.town.name.en} in numbers")
        grids.append(Grid(title, heads, rows))
    return grids


def _value(outcome: Outcome, name: str, year: int, code: str) -> float:
    table = outcome.municipal
    return float(table.column(name, year)[table.zones.index(code)])


def _cell(outcome: Outcome, name: str, year: int, code: str) -> str:
    shown = field(name)
    value = float(shown.export(np.array([_value(outcome, name, year, code)]))[0])
    decimals = 0 if shown.unit == "persons" else shown.decimals
    return "―" if np.isnan(value) else f"{value:,.{decimals}f}"


def _facility_grid(comparison: Comparison, rows: pd.DataFrame) -> list[Grid]:
    """Facilities whose people differ most in the last year."""
    end = comparison.baseline.prepared.project.years[1]
    found = rows[
        (rows["kind"] == "facility")
        & (rows["indicator"] == "people_in_reach")
        & (rows["year"] == end)
    ]
    if not len(found):
        return []
    size = found["difference"].abs()
    ranked = found.assign(size=size).sort_values(["size", "zone"], ascending=[False, True])
    each = max(MOST_FACILITIES // len(comparison.scenarios), 1)
    found = ranked.groupby("scenario", sort=False).head(each)
    names = {played.key: played.setting.name for played in comparison.scenarios}
    cells = [
        [
            str(row.name_),
            names[str(row.scenario)],
            f"{row.baseline_value:,.0f}",
            f"{row.value:,.0f}",
            f"{row.difference:+,.0f}",
        ]
        for row in found.rename(columns={"name": "name_"}).itertuples()
    ]
    title = Text(
        f"利用圏人口がいちばん変わる施設（{end}年）", f"Facilities that differ most, {end}"
    )
    heads = ["施設", "シナリオ", "何もしない（人）", "シナリオ（人）", "差（人）"]
    return [Grid(title, heads, cells)]


def _service_grid(comparison: Comparison, rows: pd.DataFrame) -> list[Grid]:
    """Services in the last year whose rates of use a scenario changes, as it names them."""
    baseline = comparison.baseline
    inputs, end = baseline.prepared.indicators, baseline.prepared.project.years[1]
    if inputs is None:
        return []
    towns = {town.town.code: town.town.name.ja for town in baseline.towns}
    found = rows[(rows["kind"] == "service") & (rows["year"] == end) & rows["zone"].isin(towns)]
    cells = []
    for played in comparison.scenarios:
        fields = [find_field(one.indicator, inputs.catalogue) for one in played.setting.rate]
        for name in dict.fromkeys(fields):
            mine = (found["scenario"] == played.key) & (found["indicator"] == name)
            cells += [
                [f"{towns[str(row.zone)]}の{field(name).name_ja}", played.setting.name,
                 *_figures(field(name), row.baseline_value, row.value)]
                for row in found[mine].itertuples()
            ]  # fmt: skip
    title = Text(f"使われ方が変わるサービス（{end}年）", f"Services used otherwise, {end}")
    heads = ["サービス", "シナリオ", "何もしない", "シナリオ", "差"]
    return [Grid(title, heads, cells)] if cells else []


def _figures(shown: Field, before: float, after: float) -> list[str]:
    numbers = shown.export(np.array([before, after, after - before]))
    decimals = 0 if shown.unit == "persons" else shown.decimals
    return [
        f"{value:{sign},.{decimals}f}{shown.unit_ja}"
        for sign, value in zip(("", "", "+"), numbers, strict=True)
    ]


def chart(comparison: Comparison) -> str:
    """The course of the main numbers of all municipalities together, as SVG."""
    baseline = comparison.baseline
    header = baseline.prepared.project.project
    whole = baseline.projection  # scenarios of facilities alone have the baseline's people
    played = [one for one in comparison.scenarios if one.outcome.projection is not whole]
    panels = []
    for name in CHARTED:
        shown = field(name)
        series = [Series(NOTHING_DONE, shown.export(_whole(baseline, name)), dashed=True)]
        series += [
            Series(
                Text(one.setting.name, one.setting.name_en or one.setting.name),
                shown.export(_whole(one.outcome, name)),
            )
            for one in played[:MOST_LINES]
        ]
        panels.append(Panel(Text(shown.name_ja, shown.name_en), shown.unit_ja, tuple(series)))
    return line_chart(
        panels,
        years=baseline.municipal.years,
        title=Text(header.title, header.title_en or header.title),
        notes=(),
        credits=credits_in(comparison),
        base_year=header.base_year,
        synthetic=any(credit.synthetic for credit in credits_in(comparison)),
    )


def _whole(outcome: Outcome, name: str) -> NDArray[np.float64]:
    table = outcome.municipal
    if name == "ageing_rate":
        old, people = _whole(outcome, "population_65_over"), _whole(outcome, "population")
        return np.asarray(old / people)
    values = table.data["value"].values[table.indicators.index(name)]
    return np.asarray(values.sum(axis=1))

"""Outputs of a backcast: the answer on one page, its numbers, its maps, and a response table."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

from futuremap.backcast.answer import Answer, Pull, Reached
from futuremap.backcast.picture import trade_off
from futuremap.backcast.prescription import Prescription
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.export.manifest import write_manifest
from futuremap.export.publish import publishing
from futuremap.export.summary import BAD, GOOD, Grid, Summary, write_summary
from futuremap.export.tabular import write_rows
from futuremap.pipeline.deliver import record
from futuremap.pipeline.deliver_scenarios import write_comparison
from futuremap.pipeline.draw import credits_for
from futuremap.pipeline.prepare import Progress, silent
from futuremap.pipeline.response_table import response_table, write_responses
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenario_page import NOTES, headline
from futuremap.pipeline.scenarios import Comparison

SUFFIX = "_backcast"
SHOWN_PULLS = 20
DECIDES = {"population": "人口", "population_0_14": "年少人口", "ageing_rate": "高齢化率"}
SURE = Text(
    "見込みの幅は、何もしない将来の80％区間の端が現実になったときに必要な量です。過去の推計の誤差から"
    "作った区間で、割合（高齢化率など）の目標には付きません。",
    "The likely range is what would be needed if the baseline came out at an end of its 80 % "
    "interval, made from errors of past projections; there is none for ratios.",
)
PROVEN = Text(
    "答えはもう一度はじめから推計して確かめています。",
    "The answer was run forward and checked.",
)


def deliver_answer(
    outcome: Outcome,
    answer: Answer,
    out: Path,
    *,
    prescription: Prescription | None = None,
    progress: Progress = silent,
) -> Path:
    """Write an answer as one set: page, tables, response table, and maps if there is one.

    Parameters
    ----------
    outcome
        The baseline.
    answer
        What it would take.
    out
        Folder of outputs; the backcast gets a folder of its own beside the project's.
    prescription
        Of districts, to stand on the page too.
    progress
        Is told what is being written.

    Returns
    -------
    Path
        The published folder.

    Raises
    ------
    ExportError
        If anything cannot be written or fails its check; the earlier set stays whole.
    LockedError
        If another run is writing to the same folder.
    """
    header = outcome.prepared.project.project
    target = out / f"{header.name}{SUFFIX}"
    with publishing(target) as folder:
        files: dict[str, Text] = {}
        comparison = Comparison(outcome, () if answer.played is None else (answer.played,))
        if answer.played is not None:
            files |= write_comparison(comparison, folder, suffix=SUFFIX, progress=progress)
        progress("答えの表と応答表 / answer and response table")
        files |= _write_data(outcome, answer, prescription, folder / "data")
        write_summary(folder, _page(comparison, answer, prescription, files))
        write_manifest(folder, record(outcome.prepared))
    return target


def deliver_prescription(
    outcome: Outcome,
    prescription: Prescription,
    out: Path,
    *,
    progress: Progress = silent,
) -> Path:
    """Write a prescription of districts as one set; see :func:`deliver_answer`."""
    header = outcome.prepared.project.project
    target = out / f"{header.name}_prescription"
    progress("地区ごとの処方箋 / prescription by district")
    with publishing(target) as folder:
        (folder / "data").mkdir()
        files = _write_prescription(prescription, folder / "data")
        write_summary(
            folder,
            Summary(
                title=Text(f"{header.title}：地区ごとの安定の処方箋",
                           f"{header.title_en}: what keeps each district stable"),
                lead=[prescription_words(prescription)],
                grids=[prescription_grid(prescription)],
                charts=[],
                files=files,
                notes=NOTES,
                credits=credits_for(outcome, [town.town.code for town in outcome.towns]),
            ),
        )  # fmt: skip
        write_manifest(folder, record(outcome.prepared))
    return target


def prescription_words(prescription: Prescription) -> Text:
    """What the prescription is, and how much of the people it comes to."""
    rows = prescription.rows
    known = rows["share"].notna()
    share = 100 * float(rows.loc[known, "share"].median()) if known.any() else math.nan
    return Text(
        f"{prescription.year}年に、人口と年少人口が今の9割以上、高齢化率が今以下であるために、"
        f"毎年迎える世帯の数です（3つの世代を同じ数ずつ。中央の地区で人口の{share:.1f}％。"
        f"同じ数ずつでは安定しない地区 {int((~known).sum())}）。",
        f"Households a year so that in {prescription.year} there are 90 % of today's people and "
        f"children and no more ageing (three generations alike; {share:.1f} % of the people in "
        f"the median district; {int((~known).sum())} districts are out of reach so).",
    )


def prescription_grid(prescription: Prescription) -> Grid:
    """All districts, one line each."""
    shown = prescription.rows
    heads = ["地区", "人口（今→何もしないと）", "高齢化率（今→何もしないと）", "各世代（組/年）",
             "人口比", "決め手", "最少の組み合わせ（組/年）"]  # fmt: skip
    rows = [
        [
            str(row.district),
            f"{row.population_now:,.0f}→{row.population_then:,.0f}",
            f"{_percent(float(row.ageing_rate_now))}→{_percent(float(row.ageing_rate_then))}",
            _number(float(row.per_generation), 1),
            _percent(float(row.share)),
            DECIDES[str(row.decides)],
            _number(float(row.least_households), 1),
        ]
        for row in shown.itertuples()
    ]
    title = Text("地区ごとの安定の処方箋", "What keeps each district stable")
    return Grid(title, heads, rows)


def _percent(value: float) -> str:
    return "―" if math.isnan(value) else f"{100 * value:.1f}％"


def _number(value: float, decimals: int) -> str:
    return "―" if math.isnan(value) else f"{value:,.{decimals}f}"


def _write_data(
    outcome: Outcome,
    answer: Answer,
    prescription: Prescription | None,
    folder: Path,
) -> dict[str, Text]:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(as_json(answer), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "answer.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")
    files = {"data/answer.json": Text("答えのすべて", "The whole answer")}
    if len(answer.curve):
        frame = pd.DataFrame({"value": answer.curve[:, 0], "cost": answer.curve[:, 1]})
        write_rows(frame, folder / "tradeoff")
        about = Text("目標の高さと努力の量", "Effort by level of the target")
        files |= {f"data/tradeoff.{end}": about for end in ("csv", "parquet")}
    entries = [pull.entry for pull in answer.pulls if pull.entry.lever == "people"]
    zones = [one.entry.zone for one in answer.pulls if one.entry.zone]
    zones += [target.zone for target in answer.targets if target.zone]
    places = [one.entry.facility for one in answer.pulls if one.entry.facility]
    table = response_table(
        outcome,
        zones=list(dict.fromkeys(zones)),
        facilities=list(dict.fromkeys([*places, *answer.facilities])),
        levers=[] if len(entries) > SHOWN_PULLS else entries,
    )
    write_responses(table, folder / "responses")
    about = Text(
        "応答表（手段 × 年 × 指標）。ウェブのスライダーのための表",
        "Response table: levers × years × indicators, for sliders",
    )
    files |= {f"data/responses.{end}": about for end in ("json", "csv", "parquet")}
    return files | ({} if prescription is None else _write_prescription(prescription, folder))


def _write_prescription(prescription: Prescription, folder: Path) -> dict[str, Text]:
    # columns of generations are not in the data dictionary: text tables of their own
    rows = prescription.rows
    rows.to_csv(folder / "prescription.csv", index=False, encoding="utf-8-sig", lineterminator="\n",
                float_format="%.6f")  # fmt: skip
    rows.to_parquet(folder / "prescription.parquet", index=False)
    about = Text("地区ごとの安定の処方箋", "Prescription by district")
    return {f"data/prescription.{end}": about for end in ("csv", "parquet")}


def as_json(answer: Answer) -> dict[str, object]:
    """The whole answer as plain values, ratios as ratios; undefined figures are None."""
    return {
        "name": answer.name._asdict(),
        "feasible": answer.feasible,
        "cost": _known(answer.cost),
        "words": [text._asdict() for text in answer.words],
        "levers": [_pull(pull) for pull in answer.pulls],
        "targets": [_reached(target) for target in answer.targets],
        "unreachable": list(answer.unreachable),
        "events": [] if answer.played is None else [
            event.model_dump(mode="json", exclude_defaults=True)
            for event in answer.played.setting.event
        ],
        "tradeoff": [[_known(a), _known(b)] for a, b in answer.curve.tolist()],
        "tradeoff_of": answer.curve_of,
        "proof": None if answer.proof is None else {
            "worst_margin": _known(answer.proof.worst),
            "less_fails": answer.proof.less_fails,
            "response_error": _known(answer.proof.response_error),
        },
    }  # fmt: skip


def _pull(pull: Pull) -> dict[str, object]:
    return {
        "lever": pull.entry.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "place": pull.place._asdict(),
        "years": list(pull.years),
        "amount": _known(pull.amount),
        "cost": _known(pull.cost),
        "most": _known(pull.most),
        "likely": [_known(end) for end in pull.sure],
        "words": pull.words._asdict(),
    }


def _reached(target: Reached) -> dict[str, object]:
    numbers = ("bound", "now", "without", "value", "price", "best")
    return {
        "name": target.name._asdict(),
        "indicator": target.indicator,
        "year": target.year,
        "at_least": target.least,
        **{name: _known(getattr(target, name)) for name in numbers},
        "interval": [_known(end) for end in target.interval],
        "binding": target.binding,
    }


def _known(value: float) -> float | None:
    # twelve digits: what is behind them is the machine's
    return float(f"{value:.12g}") if math.isfinite(value) else None


def _page(
    comparison: Comparison,
    answer: Answer,
    prescription: Prescription | None,
    files: dict[str, Text],
) -> Summary:
    baseline = comparison.baseline
    header = baseline.prepared.project.project
    grids = [_target_grid(answer)]
    if answer.pulls:
        grids.append(_pull_grid(answer))
    if answer.played is not None:
        grids += headline(comparison)
    appendix = _closed_grid(answer, baseline)
    if prescription is not None:
        appendix.append(prescription_grid(prescription))
    credits_ = credits_for(baseline, [town.town.code for town in baseline.towns])
    title = Text(header.title, header.title_en or header.title)
    charts = []
    if answer.pulls and np.isfinite(answer.curve).any():
        charts = [trade_off(answer, title, credits_)]
    return Summary(
        title=Text(f"{header.title}：{answer.name.ja}には何が必要か",
                   f"{header.title_en}: what would it take?"),
        lead=answer.words,
        grids=grids,
        charts=charts,
        files=files,
        notes=(*([PROVEN] if answer.proof else []), SURE, *NOTES),
        credits=credits_,
        appendix=appendix,
    )  # fmt: skip


def _closed_grid(answer: Answer, baseline: Outcome) -> list[Grid]:
    """The facilities that close, by name; the others stay."""
    events = [] if answer.played is None else answer.played.setting.event
    names = {
        one: str(name)
        for town in baseline.towns
        if town.town.facilities is not None
        for one, name in town.town.facilities.table["name"].items()
    }
    rows = [[names[event.facility], f"{event.year}"] for event in events]
    title = Text(f"閉じる施設（{len(rows)}か所）", f"Facilities that close ({len(rows)})")
    return [Grid(title, ["施設", "年"], rows)] if rows else []


def _target_grid(answer: Answer) -> Grid:
    rows = []
    for i, target in enumerate(answer.targets):
        met = answer.feasible or i not in answer.unreachable
        reached = target.value if answer.feasible else target.best
        rows.append(
            [
                target.name.ja,
                _figure(target, target.now),
                _figure(target, target.without),
                _range(target),
                _figure(target, reached),
                f"{GOOD}達成"
                if met and answer.feasible
                else (f"{BAD}届かない" if not met else "―"),
            ],
        )
    heads = [
        "目標",
        "現況",
        "何もしないと",
        "80％区間",
        "こうすると" if answer.feasible else "いちばん良くて",
        "",
    ]
    return Grid(Text("目標", "Targets"), heads, rows)


def _figure(target: Reached, value: float) -> str:
    shown = field(target.indicator)
    if math.isnan(value):
        return "―"
    exported = float(shown.export(np.array([value]))[0])
    return f"{exported:,.{max(shown.decimals, 1)}f}{shown.unit_ja}"


def _range(target: Reached) -> str:
    low, high = target.interval
    return "―" if math.isnan(low) else f"{_figure(target, low)}～{_figure(target, high)}"


def _pull_grid(answer: Answer) -> Grid:
    rows = [
        [
            pull.words.ja,
            f"{pull.amount:,.3f}",
            *("届かない" if math.isinf(end) else _number(end, 2) for end in pull.sure),
            f"{pull.cost:,.3f}",
        ]
        for pull in answer.pulls[:SHOWN_PULLS]
    ]
    heads = ["すること", "ちょうどの量", "良い側なら", "悪い側なら", "費用（努力）"]
    return Grid(Text("すること", "What to do"), heads, rows)

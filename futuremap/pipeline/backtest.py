"""A project's own backtest: its latest counts are hidden and projected with every method."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from futuremap.core.credits import Credit
from futuremap.core.layer import Text
from futuremap.errors import InputRefused
from futuremap.export.chart import Panel, Series, line_chart
from futuremap.export.manifest import write_manifest
from futuremap.export.publish import publishing
from futuremap.export.tabular import write_rows
from futuremap.pipeline.deliver import record
from futuremap.pipeline.history import history_of, shared_years
from futuremap.pipeline.method_names import method_name
from futuremap.pipeline.prepare import Prepared, Progress, silent
from futuremap.projection.backtest import (
    FEWEST,
    SIZES,
    Trial,
    best,
    coverage_of,
    horizons,
    mean_score,
    pooled,
    shelf_life_of,
    trials,
)
from futuremap.projection.methods import METHODS, History

YEARS_NEEDED = 3  # two for rates, one to hide
# persons at launch
CLASSES = (*SIZES[SIZES.index(FEWEST) :], np.inf)
SUFFIX = "_backtest"
CHARTED = 4  # methods whose lines can be told apart
NO_CHANGE = "constant"


class Hindsight(NamedTuple):
    """What a backtest found.

    prepared
        The input.
    trials
        Every method at every launch and target.
    chosen
        The method that did best.
    shelf_life
        Furthest horizon at which 80 % of areas are within 10 %, by method. [years]
    rows
        Scores by method, horizon and size at launch.
    """

    prepared: Prepared
    trials: tuple[Trial, ...]
    chosen: str
    shelf_life: dict[str, int]
    rows: pd.DataFrame


def backtest(prepared: Prepared, *, progress: Progress = silent) -> Hindsight:
    """Project what is already known, with every method, and score it.

    Parameters
    ----------
    prepared
        Checked input.
    progress
        Is told what is being computed.

    Raises
    ------
    InputRefused
        If the towns share fewer than three years.
    """
    history = _history(prepared)
    progress("過去を隠して推計 / projecting what is known")
    found = trials(history, METHODS)
    return Hindsight(
        prepared,
        tuple(found),
        best(found),
        {method: shelf_life_of(found, method) for method in sorted({t.method for t in found})},
        _rows(found),
    )


def _history(prepared: Prepared) -> History:
    years = shared_years(prepared.towns)
    if len(years) < YEARS_NEEDED:
        prepared.report.add("FM439", file=prepared.project.file.name,
                            line=prepared.project.line("municipality"),
                            value="、".join(map(str, years)))  # fmt: skip
        raise InputRefused(prepared.report)
    return history_of(prepared.towns)


def _rows(found: Sequence[Trial]) -> pd.DataFrame:
    sizes = [(FEWEST, np.inf), *pairwise(CLASSES)]
    rows = []
    for horizon in horizons(found):
        for method in METHODS:
            tried = pooled(found, method, horizon)
            for least, below in sizes:
                scored = mean_score(tried, least, below)
                if scored.areas:
                    rows.append(
                        {
                            "method": method,
                            "horizon": horizon,
                            "size_class": _size(least, below),
                            **scored._asdict(),
                            "interval_coverage": coverage_of(found, method, horizon, least, below),
                        },
                    )
    return pd.DataFrame(rows)


def _size(least: float, below: float) -> str:
    return f"{least:,.0f}人以上" if np.isinf(below) else f"{least:,.0f}～{below:,.0f}人"


def deliver_backtest(found: Hindsight, out: Path, *, progress: Progress = silent) -> Path:
    """Write table, figure and JSON of a backtest, as one set.

    Parameters
    ----------
    found
        A finished backtest.
    out
        Folder of outputs; the backtest gets a folder of its own beside the project's.
    progress
        Is told what is being written.

    Returns
    -------
    Path
        The published folder.

    Raises
    ------
    ExportError
        If anything cannot be written.
    LockedError
        If another run is writing to the same folder.
    """
    project = found.prepared.project
    measured = record(found.prepared)
    target = out / f"{project.project.name}{SUFFIX}"
    progress("検証の表と図 / table and figure")
    with publishing(target) as folder:
        write_rows(found.rows, folder / "backtest")
        drawn = chart(found, measured.credits)
        (folder / "backtest.svg").write_text(drawn, encoding="utf-8", newline="\n")
        text = json.dumps(summary(found), ensure_ascii=False, indent=1, allow_nan=False)
        (folder / "backtest.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")
        write_manifest(folder, measured)
    return target


def summary(found: Hindsight) -> dict[str, object]:
    """The backtest as plain values, ratios as ratios; undefined figures are None."""
    return {
        "chosen": found.chosen,
        "shelf_life_years": found.shelf_life,
        "launches": sorted({trial.launch for trial in found.trials}),
        "targets": sorted({trial.target for trial in found.trials}),
        "scores": found.rows.astype(object).where(found.rows.notna(), None).to_dict("records"),
    }


def chart(found: Hindsight, credits: Sequence[Credit]) -> str:  # noqa: A002 - the noun
    """Errors by years ahead: the chosen method, the others that come nearest, and no change."""
    whole = found.rows[found.rows["size_class"] == _size(FEWEST, np.inf)]
    years = sorted(whole["horizon"].unique())
    mean = whole.groupby("method")["mape"].mean().sort_values(kind="stable")
    shown = [*dict.fromkeys([found.chosen, *mean.index])][: CHARTED - 1]
    shown += [NO_CHANGE] if NO_CHANGE not in shown else []
    panels = []
    by_method = whole.set_index(["method", "horizon"]).sort_index()
    for name, title in (
        ("mape", Text("人口の平均誤差率", "Mean error of totals")),
        ("age_sex_wmape", Text("男女・年齢別の誤差率", "Error of sex and age")),
    ):
        series = tuple(
            Series(
                method_name(method),
                100 * by_method.loc[method, name].reindex(years).to_numpy(),
                dashed=method != found.chosen,
            )
            for method in shown
        )
        panels.append(Panel(title, "％", series))
    header = found.prepared.project.project
    return line_chart(
        panels,
        years=[int(year) for year in years],
        title=Text(f"{header.title}：推計の検証", f"{header.title_en or header.title}: backtest"),
        notes=(
            Text(
                "横軸は何年先か。過去の人口を隠して推計し、実際の人口と比べた差。",
                "Years ahead along the axis: known populations were hidden, projected, compared.",
            ),
        ),
        credits=credits,
        synthetic=any(credit.synthetic for credit in credits),
    )

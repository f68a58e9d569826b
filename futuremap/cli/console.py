"""What a person sees on the terminal: progress, problems, and the closing table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from futuremap.core.fields import field
from futuremap.core.table import Table
from futuremap.errors import (
    ExportError,
    Findings,
    FuturemapError,
    InputRefused,
    LockedError,
    UnknownNameError,
)
from futuremap.pipeline import Difference, Hindsight, Outcome
from futuremap.pipeline.deliver_indicators import shown_table
from futuremap.pipeline.method_names import method_name
from futuremap.pipeline.prepare import Progress as Say
from futuremap.problems import Problem

OUTPUT_CODES = {LockedError: "FM701", ExportError: "FM702"}
PLAIN_WIDTH = 120  # where there is no terminal to ask
SHOWN, NO_CHANGE = 5, "constant"
METHOD_HINT = "README の「推計の方法」を見てください / others: backtest.csv"
SCORED = ("mape", "median_ape", "p90_ape", "age_sex_wmape", "bias", "interval_coverage")
DIFFERENCES = (
    "population_first",
    "population_second",
    "population_difference",
    "population_difference_rate",
    "ageing_rate_difference",
)
CLOSING = ("population", "population_0_14", "population_15_64", "population_65_over")


@contextmanager
def progress() -> Iterator[Say]:
    """A bar on a terminal, plain lines elsewhere, on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: print(step, file=sys.stderr, flush=True)  # noqa: T201
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda step: bar.update(task, description=escape(step))


def show_report(report: Findings) -> None:
    """Problems on standard error, then their count."""
    sys.stderr.write("\n".join(report.lines()) + "\n")


def complain(error: Exception) -> None:
    """One message for an error, in Japanese and English."""
    if isinstance(error, InputRefused):
        show_report(error.report)
        sys.stderr.write("入力を直してから、もう一度実行してください。出力は変えていません。\n")
        return
    code = next((code for kind, code in OUTPUT_CODES.items() if isinstance(error, kind)), None)
    if code is not None:
        known, file = getattr(error, "code", ""), getattr(error, "file", "")
        problem = Problem(known or code, file=file, detail=(("reason", str(error)),))
        sys.stderr.write("\n".join(problem.lines()) + "\n")
    elif isinstance(error, UnknownNameError):
        sys.stderr.write(f"{error}\n")
    elif isinstance(error, FuturemapError) and error.exit_code != FuturemapError.exit_code:
        problem = Problem("FM499", detail=(("reason", str(error)),))
        sys.stderr.write("\n".join(problem.lines()) + "\n")
    else:
        sys.stderr.write(
            f"プログラムの不具合です / a bug of ours: {type(error).__name__}: {error}\n"
            "FUTUREMAP_DEBUG=1 を付けて実行し、出た文を報告してください。\n",
        )


def show_outcome(outcome: Outcome) -> None:
    """The closing table: the municipality's numbers by year."""
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    for town in outcome.towns:
        console.print(_grid(outcome, town.town.code, f"{town.town.name.ja} {town.town.name.en}"))
        if (services := shown_table(outcome.indicators)) is not None:
            console.print(_services(services, town.town.code))
        ratio = outcome.register_ratio.get(town.town.code)
        if ratio is not None:
            console.print(
                f"基準年の人口 ÷ 将来推計の総数（{outcome.municipal.years[0]}年）= {ratio:.4f}"
                "  base population / control total",
            )
        check = outcome.checks.get(town.town.code)
        beside = outcome.rivals.get(town.town.code, ())
        for one in (*([check] if check is not None else []), *beside):
            console.print(f"{one.text.ja}  {one.text.en}")


def _services(table: Table, code: str) -> Grid:
    """Indicators of services, the first year beside the last."""
    z, ends = table.zones.index(code), (table.years[0], table.years[-1])
    grid = Grid(title="暮らしの指標 / services", title_justify="left")
    grid.add_column("")
    for year in ends:
        grid.add_column(str(year), justify="right")
    for name in table.indicators:
        entry = field(name)
        cells = [float(table.column(name, year)[z]) for year in ends]
        shown = ["―" if np.isnan(cell) else f"{cell:,.0f}" for cell in cells]
        grid.add_row(escape(f"{entry.label()} {entry.name_en}"), *shown)
    return grid


def show_hindsight(found: Hindsight) -> None:
    """The closing table of a backtest: errors of every method by years ahead."""
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    header = found.prepared.project.project
    grid = Grid(title=escape(f"{header.title}：推計の検証 / backtest"), title_justify="left")
    grid.add_column("★")
    for name in ("method", "horizon", "areas"):
        grid.add_column(field(name).name_ja, no_wrap=name == "method", overflow="fold")
    for name in SCORED:
        heading = f"{field(name).name_ja}\n（{field(name).unit_ja}）"
        grid.add_column(heading, justify="right", overflow="fold")
    for row in _best_rows(found).to_dict("records"):
        mark = "★" if row["method"] == found.chosen else ""
        cells = [_percent(row[name], field(name).decimals) for name in SCORED]
        grid.add_row(mark, row["method"], f"{row['horizon']:g}年先", str(row["areas"]), *cells)
    console.print(grid)
    console.print(f"ほかの方法は backtest.csv にあります。方法の名前は {METHOD_HINT}")
    life, name = found.shelf_life[found.chosen], method_name(found.chosen).ja
    console.print(
        f"★ 選んだ方法：{name}（{found.chosen}）。8割の区域が誤差10％以内なのは {life} 年先まで"
        f" / shelf life {life} years",
    )
    if found.chosen != found.prepared.project.projection.method:
        setting = escape(f'[projection] method = "{found.chosen}"')
        console.print(f"project.toml に {setting} と書くと使えます")


def show_difference(found: Difference) -> None:
    """The closing table of a comparison: people of the municipalities in the last year, A and B."""
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    console.print(f"A：{escape(found.first.title.ja)}　B：{escape(found.second.title.ja)}")
    if found.towns is None:
        return
    table = found.towns.tables[2]
    year = table.years[-1]
    grid = Grid(title=f"{year}年の差（B－A）/ difference in {year}", title_justify="left")
    names = [n for n in DIFFERENCES if n in table.indicators]
    grid.add_column("市区町村")
    for name in names:
        grid.add_column(field(name).label(), justify="right", overflow="fold")
    for zone in table.zones:
        cells = [_cell(table, name, year, zone) for name in names]
        grid.add_row(escape(found.towns.zone_names[zone]), *cells)
    console.print(grid)


def _best_rows(found: Hindsight) -> pd.DataFrame:
    # the best of each horizon, of methods that came out alike one, and no change to compare with
    everybody = found.rows["size_class"].iloc[0]
    rows = found.rows[found.rows["size_class"] == everybody].sort_values(
        ["horizon", "mape"], kind="stable"
    )
    rows = rows.drop_duplicates(["horizon", *SCORED])
    first = rows.groupby("horizon").cumcount() < SHOWN
    return rows[first | (rows["method"] == NO_CHANGE) | (rows["method"] == found.chosen)]


def _percent(value: float, decimals: int) -> str:
    return "—" if np.isnan(value) else f"{100 * value:.{decimals}f}"


def _grid(outcome: Outcome, code: str, title: str) -> Grid:
    table = outcome.municipal
    grid = Grid(title=escape(title), title_justify="left")
    grid.add_column("年")
    for name in (*CLOSING, "ageing_rate", "change_rate"):
        shown = field(name)
        grid.add_column(f"{shown.name_ja}\n（{shown.unit_ja}）", justify="right")
    grid.add_column("調整係数", justify="right")
    for year in table.years:
        cells = [_cell(table, name, year, code) for name in (*CLOSING, "ageing_rate")]
        change = _cell(table, "change_rate", year, code) if year > table.years[0] else "—"
        controls = outcome.projection.controls
        free = controls.column("control_factor", year)[controls.zones.index(code)] == 1
        raked = "—" if free else _cell(controls, "control_factor", year, code)
        grid.add_row(str(year), *cells, change, raked)
    return grid


def _cell(table: Table, name: str, year: int, zone: str) -> str:
    shown = field(name)
    value = shown.export(table.column(name, year))[table.zones.index(zone)]
    decimals = 0 if shown.unit == "persons" else shown.decimals
    return f"{value:,.{decimals}f}"

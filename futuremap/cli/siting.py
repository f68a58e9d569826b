"""How a choice of facilities is shown: a table, what it changes, and the events to paste."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from enum import Enum

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from futuremap.cli.console import PLAIN_WIDTH
from futuremap.export.text import inert_cell
from futuremap.pipeline.siting import Access, Choice, Row

VERDICTS = {"keep": "残す / keep", "close": "閉じる / close", "new": "新設 / new"}
GOALS = {
    "coverage": "利用圏内の人を最も多く / most people within reach",
    "distance": "最寄りまでの距離の合計を最も短く / least distance in all",
    "cover": "今の利用圏内の人を保つ最少の施設 / the fewest that reach all who are reached now",
}
PROVEN = 1e-6  # a gap that is rounding of the solver
HEADINGS = (
    "市区町村", "判定", "施設ID", "施設", "供用開始後年数（年）", "最寄りの人・今（人）",
    "最寄りの人・選んだ後（人）", "緯度", "経度",
)  # fmt: skip


class Goals(str, Enum):  # noqa: UP042 - typer shows the values of such an enum as choices
    """What is made best."""

    coverage = "coverage"
    distance = "distance"
    cover = "cover"


def show_choices(choices: Sequence[Choice]) -> None:
    """The choice of every town, with the events to paste into its project.toml."""
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    for choice in choices:
        console.print(_grid(choice))
        for line in _summary(choice):
            typer.echo(line)
        if choice.closed:
            typer.echo(
                f"\n{choice.town_name}の [[municipality]] の下に貼ると、閉鎖が将来の図に表れます"
                "（年は計画に合わせ、統合なら event と into を書き替えてください）"
                " / paste below its [[municipality]]:\n",
            )
            typer.echo(choice.events())
        if choice.new:
            typer.echo("\n新設は、施設の一覧に行を足すと図に表れます / add rows to the list:")
        for row in choice.rows:
            if row.verdict == "new":
                typer.echo(f"  {row.name}: {row.latitude:.6f},{row.longitude:.6f} ({choice.year})")


def choices_csv(choices: Sequence[Choice]) -> str:
    """The tables of all towns for a spreadsheet, text of data kept from being run there."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for choice in choices:
        for row in choice.rows:
            cells = [choice.town_name, VERDICTS[row.verdict], row.facility, row.name]
            numbers = [_age(row), f"{row.before:.1f}", f"{row.after:.1f}"]
            place = [f"{row.latitude:.6f}", f"{row.longitude:.6f}"]
            writer.writerow([*map(inert_cell, cells), *numbers, *place])
    return stream.getvalue()


def _grid(choice: Choice) -> Grid:
    before, after = (len(choice.kept) + len(choice.closed), len(choice.kept) + len(choice.new))
    title = (
        f"{choice.town_name} {choice.class_name}：{before} → {after} 施設（{choice.year}年の人口）"
    )
    grid = Grid(title=escape(title), title_justify="left")
    for name in ("判定", "施設", "ID"):
        grid.add_column(name, overflow="fold")
    for name in ("供用開始後\n年数（年）", "最寄りの人\n今（人）", "最寄りの人\n選んだ後（人）"):
        grid.add_column(name, justify="right", overflow="fold")
    for row in choice.rows:
        numbers = (_age(row), f"{row.before:,.0f}", f"{row.after:,.0f}")
        grid.add_row(VERDICTS[row.verdict], escape(row.name), escape(row.facility), *numbers)
    return grid


def _age(row: Row) -> str:
    return "" if np.isnan(row.years_in_service) else f"{row.years_in_service:.0f}"


def _summary(choice: Choice) -> list[str]:
    proven = choice.gap <= PROVEN
    how = "最適と証明済み / proven best" if proven else f"最適との差は最大 {choice.gap:.2%} / gap"
    within = (_share(choice.before, choice.people), _share(choice.after, choice.people))
    mean = tuple(f"{access.mean:,.1f} {choice.unit}" for access in (choice.before, choice.after))
    return [
        f"選び方 / goal: {GOALS[choice.goal]}（{how}）",
        f"{choice.reach} 以内の人 / within: {' → '.join(within)}",
        f"最寄りまでの平均 / mean to the nearest: {' → '.join(mean)}",
    ]


def _share(access: Access, people: float) -> str:
    share = f"（{access.within / people:.1%}）" if people > 0 else ""
    return f"{access.within:,.0f}人{share}"

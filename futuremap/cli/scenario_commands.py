"""The commands of scenarios and backcasts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from futuremap.backcast import backcast, prescribe
from futuremap.backcast.backcast import asked
from futuremap.backcast.deliver import (
    deliver_answer,
    deliver_prescription,
    prescription_grid,
    prescription_words,
)
from futuremap.cli.console import PLAIN_WIDTH, progress, show_report
from futuremap.pipeline import open_project, run
from futuremap.pipeline.deliver_scenarios import deliver_scenarios
from futuremap.pipeline.language import in_language
from futuremap.pipeline.scenario_page import headline, said
from futuremap.pipeline.scenarios import Played, keys_of, run_scenarios

app = typer.Typer(no_args_is_help=True, help="シナリオ：何もしない将来との違い / scenarios")
ProjectFile = Annotated[
    Path,
    typer.Argument(help="project.toml またはそのフォルダー", show_default=False),
]
Out = Annotated[Path, typer.Option("--out", help="出力先のフォルダー")]
Lang = Annotated[
    Literal["ja", "en"] | None,
    typer.Option("--lang", help="地図（Google Earth）の言語。なければ project.toml のとおり"),
]
OUT = Path("out")


@app.command("list")
def list_scenarios(project: ProjectFile) -> None:
    """プロジェクトにあるシナリオの一覧 / the scenarios of a project."""
    with progress() as say:
        prepared = open_project(project, progress=say)
    show_report(prepared.report)
    grid = Grid("キー / key", "名前 / name", "説明 / description")
    for key, setting in prepared.project.scenario.items():
        name = " / ".join(filter(None, (setting.name, setting.name_en)))
        about = " / ".join(filter(None, (setting.description, setting.description_en)))
        grid.add_row(*map(escape, (key, name, about or _kinds_of(setting.model_dump()))))
    _console().print(grid)
    for key, entry in prepared.project.backcast.items():
        typer.echo(f"backcast {key}：{entry.name}")


def _kinds_of(setting: dict[str, object]) -> str:
    kinds = ("people", "fertility", "survival", "migration", "housing", "event", "facility",
             "reach")  # fmt: skip
    return "・".join(kind for kind in kinds if setting[kind])


@app.command("run")
def run_all(
    project: ProjectFile,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="シナリオのキーか名前（なければすべて）", show_default=False),
    ] = None,
    out: Out = OUT,
    lang: Lang = None,
) -> None:
    """シナリオを推計し、何もしない将来と並べて出力する / run scenarios beside the baseline."""
    with progress() as say:
        prepared = in_language(open_project(project, progress=say), lang)
        if not keys_of(prepared, names or ()):
            raise typer.BadParameter("project.toml に [scenario.名前] がありません / no scenario")
        baseline = run(prepared, progress=say)
        found = run_scenarios(baseline, names or (), progress=say)
        folder = deliver_scenarios(found, out, progress=say)
    show_report(baseline.prepared.report)
    for grid in headline(found):
        _show(grid.title.ja, grid.heads, grid.rows)
    for played in found.scenarios:
        _show_played(played)
    typer.echo(f"出力 / output: {folder}")
    typer.echo(f"  はじめに / start here : {folder / 'README.html'}")


def _show_played(played: Played) -> None:
    words = said(played)
    typer.echo(f"{played.setting.name}：{words.ja} / {words.en}")


def backcast_project(
    project: ProjectFile,
    name: Annotated[
        str,
        typer.Argument(help="project.toml の [backcast.名前]", show_default=False),
    ] = "",
    target: Annotated[
        list[str] | None,
        typer.Option(
            help='目標（例："indicator=population_0_14, zone=本町, year=2045, keep=0.9"）',
            show_default=False,
        ),
    ] = None,
    lever: Annotated[
        list[str] | None,
        typer.Option(
            help='手段（例："bundle=30代夫婦と子, zone=本町, max=10, cost=1"）',
            show_default=False,
        ),
    ] = None,
    stability: Annotated[
        str,
        typer.Option(help="地区ごとの安定の処方箋。地区を決める施設の種類（公民館・小学校など）"),
    ] = "",
    out: Out = OUT,
    lang: Lang = None,
) -> None:
    """ありたい将来から逆算し、いちばん少ない努力を求める / what would it take?

    届かない目標も答えです。どれが届かないかを示して 0 で終わります。
    """
    if not (name or target or stability):
        raise typer.BadParameter("--target か [backcast.名前] か --stability / name what is wanted")
    if lever and not (name or target):
        raise typer.BadParameter("--lever には --target が要ります / --lever needs a --target")
    with progress() as say:
        prepared = in_language(open_project(project, progress=say), lang)
        if name or target:  # what is wrong is said before anything is projected
            asked(prepared, name, targets=target or (), levers=lever or ())
        outcome = run(prepared, progress=say)
        prescription = prescribe(outcome, stability) if stability else None
        if prescription is not None and not (name or target):
            folder = deliver_prescription(outcome, prescription, out, progress=say)
            answer = None
        else:
            answer = backcast(outcome, name, targets=target or (), levers=lever or (), progress=say)
            folder = deliver_answer(outcome, answer, out, prescription=prescription, progress=say)
    show_report(outcome.prepared.report)
    if answer is not None:
        typer.echo(str(answer))
    if prescription is not None:
        grid = prescription_grid(prescription)
        _show(grid.title.ja, grid.heads, grid.rows)
        typer.echo(prescription_words(prescription).ja)
    typer.echo(f"出力 / output: {folder}")


def _show(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    grid = Grid(title=escape(title), title_justify="left")
    for number, head in enumerate(heads):
        grid.add_column(escape(head), justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        grid.add_row(*map(escape, row))
    _console().print(grid)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)

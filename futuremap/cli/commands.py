"""The commands, one function each."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from futuremap import __version__
from futuremap.cli import scenario_commands
from futuremap.cli.console import (
    PLAIN_WIDTH,
    progress,
    show_difference,
    show_hindsight,
    show_outcome,
    show_report,
)
from futuremap.cli.siting import Goals, choices_csv, show_choices
from futuremap.errors import ExportError, InputRefused
from futuremap.export.kml import PROFILES
from futuremap.pipeline import (
    backtest,
    check_project,
    choose,
    deliver,
    deliver_backtest,
    deliver_diff,
    diff,
    examples,
    open_project,
    run,
    starter,
    survey_folder,
    survey_lines,
)
from futuremap.pipeline import explain as explain_outcome
from futuremap.pipeline.kml_check import Checked, check_kml
from futuremap.pipeline.language import in_language
from futuremap.problems import Report

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="町丁・メッシュの将来人口と施設の利用圏を推計し、Google Earth と QGIS に出力します。",
)
app.add_typer(scenario_commands.app, name="scenario")
app.command("backcast")(scenario_commands.backcast_project)
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
PROJECT = "project.toml"


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="版を表示")] = False,
) -> None:
    """Small-area projections in Google Earth and QGIS."""
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.command("run")
def run_project(project: ProjectFile, out: Out = OUT, lang: Lang = None) -> None:
    """推計して出力する / project, gather and export."""
    _run(project, out, lang)


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="例の名前")] = "takamatsu",
    out: Out = OUT,
    lang: Lang = None,
) -> None:
    """同梱の例で一通り動かす / the whole job on a bundled example."""
    _run(examples.example(name), out, lang)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="新しく作るフォルダー", show_default=False)],
    example: Annotated[str, typer.Option("--from", help="もとにする例")] = "takamatsu",
) -> None:
    """動く例を写して始める / start from a working example."""
    examples.copy(example, folder)
    typer.echo(f"{folder / 'project.toml'} を編集し、futuremap check {folder} で確かめてください。")


@app.command()
def check(
    project: ProjectFile,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", help="問題の一覧を CSV に書く（problems.csv）"),
    ] = None,
) -> None:
    """入力をすべて読み、問題をすべて示す / report all problems.

    project.toml のないフォルダーなら、ファイルが何かを調べ、project.toml の下書きを書く。
    """
    if project.is_dir() and not (project / PROJECT).exists():
        _survey(project, csv)
        return
    with progress() as say:
        report = check_project(project, progress=say)
    if csv is not None:
        _write_csv(csv, report)
    report.raise_if_errors()
    show_report(report)
    typer.echo("入力に誤りはありません / the input is right")


def _survey(folder: Path, csv: Path | None) -> None:
    found = survey_folder(folder)
    typer.echo("\n".join(survey_lines(found)))
    if csv is not None:
        _write_csv(csv, found.report)
    if found.files:
        file = folder / PROJECT
        _write(file, starter(found))
        typer.echo(f"下書きを書きました / a draft was written: {file}（★ の所を確かめてください）")
    found.report.raise_if_errors()
    show_report(found.report)


@app.command("backtest")
def backtest_project(project: ProjectFile, out: Out = OUT) -> None:
    """過去を隠して推計し、どの方法がどれだけ当たるかを測る / measure every method on the past."""
    with progress() as say:
        found = backtest(open_project(project, progress=say), progress=say)
        folder = deliver_backtest(found, out, progress=say)
    show_report(found.prepared.report)
    show_hindsight(found)
    typer.echo(f"出力 / output: {folder}")


@app.command()
def explain(
    project: ProjectFile,
    name: Annotated[str, typer.Argument(help="町丁・施設の名前かコード、メッシュコード")],
) -> None:
    """1つの区域・施設の数字の由来を示す / the account of one zone or facility."""
    with progress() as say:
        outcome = run(open_project(project, progress=say), progress=say)
    typer.echo("\n".join(explain_outcome(outcome, name)))


@app.command()
def siting(
    project: ProjectFile,
    facility_class: Annotated[
        str,
        typer.Option("--class", help="施設の種類（project.toml の class）", show_default=False),
    ],
    year: Annotated[int, typer.Option(help="どの年の人口で選ぶか", show_default=False)],
    keep: Annotated[
        int | None,
        typer.Option(help="残す施設の数", show_default=False, min=0),
    ] = None,
    add: Annotated[int, typer.Option(help="新しく置く施設の数（今の施設はすべて残す）", min=0)] = 0,
    goal: Annotated[
        Goals,
        typer.Option(
            help="coverage＝利用圏内の人を最大に、distance＝最寄りまでの距離の合計を最小に、"
            "cover＝今の利用圏内の人を保つ最少の施設",
        ),
    ] = Goals.coverage,
    fix: Annotated[
        list[str] | None,
        typer.Option(help="必ず残す施設の名前かID（何度でも書ける）", show_default=False),
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="結果の表を CSV に書く")] = None,
) -> None:
    """どの施設を残すか、どこに置くかを選ぶ / which facilities to keep, or where to put one.

    将来の年の人口で、残す施設の最もよい組み合わせを解き、project.toml に貼れる閉鎖の予定を示す。
    """
    if (keep is not None) + (add > 0) + (goal is Goals.cover) != 1:
        raise typer.BadParameter("--keep N、--add N、--goal cover のどれか1つを選んでください")
    with progress() as say:
        outcome = run(open_project(project, progress=say), progress=say)
        say("施設の選び方を解いています / solving")
        found = choose(
            outcome,
            facility_class,
            year=year,
            keep=keep,
            add=add,
            goal=goal.value,
            fixed=fix or (),
        )
    show_choices(found)
    if csv is not None:
        _write(csv, choices_csv(found), encoding="utf-8-sig")


@app.command("diff")
def diff_runs(
    first: Annotated[Path, typer.Argument(help="A：出力のフォルダー、または project.toml")],
    second: Annotated[Path, typer.Argument(help="B：出力のフォルダー、または project.toml")],
    out: Out = OUT,
) -> None:
    """二つの結果の差（B－A）を区域・施設ごとに出力する / what changes between two runs."""
    with progress() as say:
        found = diff(first, second, progress=say)
        folder = deliver_diff(found, out, progress=say)
    show_report(found.report)
    show_difference(found)
    typer.echo(f"出力 / output: {folder}")


def _known_profile(name: str | None) -> str | None:
    if name is not None and name not in PROFILES:
        raise typer.BadParameter(f"{name}: {', '.join(sorted(PROFILES))}")
    return name


@app.command("kml-check")
def kml_check(
    files: Annotated[
        list[Path],
        typer.Argument(help="KML・KMZ、またはそのフォルダー", show_default=False),
    ],
    profile: Annotated[
        str | None,
        typer.Option(
            help="どの Google Earth で開くか（なければ、フォルダーの名前から）",
            metavar="|".join(sorted(PROFILES)),
            callback=_known_profile,
            show_default=False,
        ),
    ] = None,
    schema: Annotated[
        bool,
        typer.Option("--schema/--no-schema", help="KML 2.2 のスキーマとも照らし合わせる"),
    ] = True,
    csv: Annotated[Path | None, typer.Option("--csv", help="見つかったことを CSV に書く")] = None,
) -> None:
    """KML・KMZ を Google Earth と同じ厳しさで調べる / find what a client refuses or misdraws.

    どのソフトで作ったファイルも調べられる。何も見つからなければ 0、見つかれば 3 で終わる。
    """
    with progress() as say:
        found = check_kml(files, profile=profile, schema=schema, progress=say)
    if csv is not None:
        _write_csv(csv, found.report)
    _show_checked(found)
    if found.report.errors:
        raise typer.Exit(InputRefused.exit_code)


def _show_checked(found: Checked) -> None:
    problems = found.report.sorted()
    if problems:
        grid = Grid("コード", "場所 / place", "地物 / feature", "内容 / finding", show_lines=True)
        for problem in problems:
            detail = dict(problem.detail)
            place = ":".join(filter(None, (problem.file, str(problem.line or ""), problem.column)))
            said = f"{problem.text('title')}\n{problem.text('title', 'en')}"
            seen = f"{said}\n→ {problem.value}" if problem.value else said
            cells = (problem.code, place, detail.get("feature", ""), seen)
            grid.add_row(*map(escape, cells))
        console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
        console.print(grid)
    for problem in {problem.code: problem for problem in problems}.values():
        typer.echo(f"{problem.code}  直し方: {problem.text('fix')}")
        typer.echo(f"       fix: {problem.text('fix', 'en')}")
    clients = Counter(client.name for _, client in found.files)
    listed = "、".join(f"{client} {count}" for client, count in sorted(clients.items()))
    typer.echo(f"調べたファイル / files: {len(found.files)}（{listed}）")
    typer.echo(found.report.summary())


def _run(file: Path, out: Path, lang: Literal["ja", "en"] | None) -> None:
    started = time.monotonic()
    with progress() as say:
        outcome = run(in_language(open_project(file, progress=say), lang), progress=say)
        folder = deliver(outcome, out, progress=say)
    show_report(outcome.prepared.report)
    show_outcome(outcome)
    _show_files(folder)
    typer.echo(f"{time.monotonic() - started:.1f} 秒 / seconds")


def _show_files(folder: Path) -> None:
    typer.echo(f"出力 / output: {folder}")
    typer.echo(f"  はじめに / start here : {folder / 'README.html'}")
    typer.echo(f"  Google Earth          : {folder / 'earth' / 'web'}（Pro は earth/pro）")
    typer.echo(f"  QGIS                  : {folder / 'qgis'}（gpkg を QGIS に放す）")
    typer.echo(f"  Excel                 : {folder / 'excel'}")
    if (folder / "report").is_dir():
        typer.echo(f"  印刷 / print          : {folder / 'report'}")


def _write_csv(file: Path, report: Report) -> None:
    _write(file, report.to_csv(), encoding="utf-8-sig")


def _write(file: Path, text: str, *, encoding: str = "utf-8") -> None:
    try:
        file.write_text(text, encoding=encoding, newline="")
    except OSError as error:
        raise ExportError(f"{file}: {error.strerror}") from error

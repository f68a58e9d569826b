"""The two sides of a comparison: a published folder, or a project that is run now."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from futuremap.core.layer import Text
from futuremap.export.geoparquet import shared_notes
from futuremap.export.manifest import Input
from futuremap.indicators.difference import COMPARED
from futuremap.pipeline.deliver import record
from futuremap.pipeline.draw import draw
from futuremap.pipeline.prepare import Progress, open_project
from futuremap.pipeline.run import run
from futuremap.problems import Report
from futuremap.sources.published import Theme, is_published, read_published

PROJECT = "project.toml"


class Side(NamedTuple):
    """One run of two.

    name
        What it is called in file names.
    title
        What a reader calls it.
    themes
        Its themes, by name.
    inputs
        What it was read from.
    file
        Where a problem about all of it stands.
    place
        Its folder and the one around it, to tell runs of one name apart.
    """

    name: str
    title: Text
    themes: dict[str, Theme]
    inputs: tuple[Input, ...]
    file: str
    place: str


def side_of(path: Path, report: Report, *, progress: Progress) -> Side | None:
    """Read a published folder, or run a project; None if it is neither, with a problem.

    Parameters
    ----------
    path
        A folder of outputs, a ``project.toml`` or its folder.
    report
        Gets the problems.
    progress
        Is told what is being done.

    Raises
    ------
    InputRefused
        If the input of a project is not right.
    """
    if path.is_dir() and is_published(path):
        return _published(path, report)
    if path.is_file() and path.suffix == ".toml":
        return _running(path, progress)
    if path.is_dir() and (path / PROJECT).is_file():
        return _running(path, progress)
    report.add("FM731", file=str(path), value=path.name)
    return None


def _published(folder: Path, report: Report) -> Side:
    themes = read_published(folder, report)
    for theme in themes:
        if not theme.holds(COMPARED):  # a comparison, for one, is nothing to be compared
            report.add("FM731", file=theme.file, value=theme.name)
    whole = folder.resolve()
    title = themes[0].run if themes else Text(whole.name, whole.name)
    inputs = tuple(Input(Path(theme.file), theme.credits[0]) for theme in themes)
    by_name = {theme.name: theme for theme in themes}
    return Side(
        whole.name, title, by_name, inputs, str(folder), f"{whole.parent.name}/{whole.name}"
    )


def told_apart(first: Side, second: Side) -> tuple[Side, Side]:
    """Both sides with titles that differ: where they are alike, their places are put behind."""
    if first.title != second.title:
        return first, second
    places = (first.place, second.place) if first.place != second.place else ("A", "B")
    one, other = (
        side._replace(title=Text(f"{side.title.ja}（{place}）", f"{side.title.en} ({place})"))
        for side, place in zip((first, second), places, strict=True)
    )
    return one, other


def _running(file: Path, progress: Progress) -> Side:
    outcome = run(open_project(file, progress=progress), progress=progress)
    header = outcome.prepared.project.project
    title = Text(header.title, header.title_en or header.title)
    themes = {}
    for layers in draw(outcome):
        first = layers[0]
        themes[first.theme] = Theme(
            first.theme, first.kind, first.title, first.place, first.features, first.credits,
            tuple(shared_notes(layers)), title,
        )  # fmt: skip
    inputs = tuple(record(outcome.prepared).inputs)
    folder = outcome.prepared.project.file.resolve().parent
    return Side(
        header.name, title, themes, inputs, str(file), f"{folder.parent.name}/{folder.name}"
    )

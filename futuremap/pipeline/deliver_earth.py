"""Google Earth's part of the outputs: maps, what moves, and the list of towns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from futuremap.core.credits import Credit
from futuremap.core.layer import Layer, Text
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth, write_motion, write_overlay
from futuremap.export.kml.labels import Label, labels_of
from futuremap.export.kml.lint_process import LintProcess
from futuremap.export.kml.towns import write_towns
from futuremap.export.kml.writer import Part, replaced_characters
from futuremap.pipeline.compare import stops
from futuremap.pipeline.draw import Theme
from futuremap.pipeline.overlay import all_meshes, town_meshes
from futuremap.pipeline.prepare import Progress
from futuremap.pipeline.run import Outcome

MOST_TOLD = 5  # features of a theme with characters that were replaced
EARTH = {"web": EARTH_WEB, "pro": EARTH_PRO}


def deliver_earth(
    outcome: Outcome,
    themes: Sequence[Theme],
    folder: Path,
    *,
    credits: Sequence[Credit],  # noqa: A002 - the word that all exports use
    progress: Progress,
    linter: LintProcess | None = None,
) -> None:
    """Write all files for Google Earth below ``earth/web`` and ``earth/pro``.

    Parameters
    ----------
    outcome
        A finished run.
    themes
        What it draws.
    folder
        The set of outputs so far.
    credits
        Credits of the data.
    progress
        Is told what is being written.
    linter
        Checks and moves the files while others are written; without one, each is done at once.

    Raises
    ------
    ExportError
        If anything cannot be written or fails its check.
    """
    project = outcome.prepared.project
    setting, lang = project.map_, project.output.language
    names = _names(themes) if setting.labels else {}
    for theme in themes:
        progress(f"Google Earth：{theme[0].title.ja}")
        labels = names.get(theme[0].place, [])
        _tell_replaced(outcome, theme)
        shown = [layer for layer in theme if layer.shown.any()]
        meshes = _tiled(outcome, theme)
        for name, profile in EARTH.items() if shown else ():
            if meshes and profile == EARTH_PRO:
                write_overlay(
                    meshes,
                    folder / "earth" / name,
                    profile=profile,
                    labels=labels,
                    lang=lang,
                    linter=linter,
                )
                continue
            write_earth(
                shown,
                folder / "earth" / name,
                profile=profile,
                labels=labels,
                fade=setting.fade_by_interval,
                lang=lang,
                linter=linter,
            )
        if shown and setting.motion and not meshes:
            pro = folder / "earth" / "pro"
            write_motion(shown, pro, profile=EARTH_PRO, lang=lang, linter=linter)
    if _cells(themes) > EARTH_PRO.max_shown:
        progress("Google Earth：全市町村のメッシュ / the meshes of all towns")
        towns = [label for found in names.values() for label in found if label.town]
        for meshes in all_meshes(outcome):
            write_overlay(
                meshes,
                folder / "earth" / "pro",
                profile=EARTH_PRO,
                labels=towns,
                lang=lang,
                linter=linter,
            )
    if len(outcome.towns) > 1:
        title = Text(project.project.title, project.project.title_en or project.project.title)
        for name, profile in EARTH.items():
            write_towns(
                stops(outcome, lang=lang),
                folder / "earth" / name / "towns.kmz",
                profile=profile,
                title=title,
                credits=credits,
                notes=(),
                lang=lang,
                linter=linter,
            )


def _names(themes: Sequence[Theme]) -> dict[Text, list[Label]]:
    """Names of every town and of its blocks, from its first map of blocks, by town."""
    found: dict[Text, list[Label]] = {}
    for theme in themes:
        first: Layer = theme[0]
        if first.kind == "town_block" and first.place not in found:
            found[first.place] = labels_of(first)
    return found


def _tell_replaced(outcome: Outcome, theme: Theme) -> None:
    """Say which names hold characters that KML cannot: they are drawn as U+FFFD (FM707)."""
    layer = max(theme, key=lambda one: int(one.shown.sum()))
    found = replaced_characters(Part(layer, np.flatnonzero(layer.shown)))
    for zone, count in list(found.items())[:MOST_TOLD]:
        outcome.prepared.report.add(
            "FM707", file=theme[0].theme, value=zone, count=count, more=max(len(found) - 1, 0)
        )


def _tiled(outcome: Outcome, theme: Theme) -> list[Theme]:
    """The theme on all meshes, where it has too many cells for one view; else none."""
    many = max(int(layer.shown.sum()) for layer in theme) > EARTH_PRO.max_shown
    return town_meshes(outcome, theme) if many and theme[0].kind == "mesh" else []


def _cells(themes: Sequence[Theme]) -> int:
    """Cells of the finest mesh of all towns that are drawn in the base year."""
    shown: dict[Text, int] = {}
    for theme in themes:
        if theme[0].kind == "mesh":
            count = int(theme[0].shown.sum())
            shown[theme[0].place] = max(shown.get(theme[0].place, 0), count)
    return sum(shown.values())

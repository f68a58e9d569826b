"""Google Earth's part of the outputs: maps, what moves, and the list of towns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from futuremap.core.credits import Credit
from futuremap.core.layer import Layer, Text
from futuremap.export.kml import EARTH_PRO, EARTH_WEB, write_earth
from futuremap.export.kml.kmz import write_motion
from futuremap.export.kml.labels import Label, labels_of
from futuremap.export.kml.towns import write_towns
from futuremap.pipeline.compare import stops
from futuremap.pipeline.draw import Theme
from futuremap.pipeline.prepare import Progress
from futuremap.pipeline.run import Outcome

EARTH = {"web": EARTH_WEB, "pro": EARTH_PRO}


def deliver_earth(
    outcome: Outcome,
    themes: Sequence[Theme],
    folder: Path,
    *,
    credits: Sequence[Credit],  # noqa: A002 - the word that all exports use
    progress: Progress,
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
        shown = [layer for layer in theme if layer.shown.any()]
        for name, profile in EARTH.items() if shown else ():
            write_earth(
                shown,
                folder / "earth" / name,
                profile=profile,
                labels=names.get(theme[0].place, ()),
                fade=setting.fade_by_interval,
                lang=lang,
            )
        if shown and setting.motion:
            write_motion(shown, folder / "earth" / "pro", profile=EARTH_PRO, lang=lang)
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
            )


def _names(themes: Sequence[Theme]) -> dict[Text, list[Label]]:
    """Names of every town and of its blocks, from its first map of blocks, by town."""
    found: dict[Text, list[Label]] = {}
    for theme in themes:
        first: Layer = theme[0]
        if first.kind == "town_block" and first.place not in found:
            found[first.place] = labels_of(first)
    return found

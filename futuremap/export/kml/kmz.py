"""write_earth: one theme as KMZ files, each checked before it takes its place."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from futuremap.core.layer import STATES, Layer
from futuremap.errors import ExportError
from futuremap.export.kml.document import document
from futuremap.export.kml.drafts import Drafts
from futuremap.export.kml.labels import Label
from futuremap.export.kml.legend import legend_png
from futuremap.export.kml.lint_process import LintProcess
from futuremap.export.kml.marks import opacity
from futuremap.export.kml.profiles import Profile
from futuremap.export.kml.slider import slider, year_parts
from futuremap.export.kml.split import files_of
from futuremap.export.kml.tour import journey, tour
from futuremap.export.kml.writer import Part
from futuremap.export.text import file_stem

ROOT = "doc.kml"
LEGEND = "files/legend.png"
LEVEL = 3  # of zlib: fixed, so that bytes are the same everywhere; faster than the writer
UNIX = 3
READABLE = 0o644 << 16
Members = Iterable[tuple[str, Iterable[bytes]]]  # name and content of files in a KMZ


def write_earth(
    layers: Sequence[Layer],
    folder: Path,
    *,
    profile: Profile,
    prefix: str = "",
    labels: Sequence[Label] = (),
    fade: bool = False,
    lang: str = "ja",
    linter: LintProcess | None = None,
) -> list[Path]:
    """Write the states of one theme for Google Earth.

    Files are written beside their place, checked, and moved there only if all are sound.

    Parameters
    ----------
    layers
        Now, future and change of one theme of one place; any of them, each year once.
    folder
        Where the files go; made if absent.
    profile
        The client.
    prefix
        Start of every file name.
    labels
        Names of places, as `labels_of` finds them; left out of a file without room for them.
    fade
        Whether shapes are the paler the wider their interval is.
    lang
        "ja" or "en".
    linter
        Checks and moves the files while the caller writes on; without one, it is done here.

    Returns
    -------
    list of Path
        ``theme.kmz`` if the client takes all states in one file, else ``theme_now.kmz``,
        ``theme_2053.kmz`` and ``theme_change.kmz``, cut into ``_1of2`` where one is too large.

    Raises
    ------
    ExportError
        If the layers don't belong together, a shape cannot be drawn, the disk refuses, or
        a written file fails the check.
    """
    ordered = _ordered(layers)
    files = files_of(ordered, profile, prefix=prefix, fade=fade)
    members = {}
    for name, parts in files.items():
        drawn = document(parts, profile, legend=LEGEND, labels=labels, lang=lang)
        members[folder / name] = _members(drawn, parts, lang)
    return publish(members, profile=profile, linter=linter)


def write_motion(
    layers: Sequence[Layer],
    folder: Path,
    *,
    profile: Profile,
    prefix: str = "",
    lang: str = "ja",
    linter: LintProcess | None = None,
) -> list[Path]:
    """Write what moves, each as a file of its own: a slider of the years, and a tour.

    A slider and folders that show one state at a time would hide each other's features.

    Parameters
    ----------
    layers
        Now and future of one theme of one place; a change takes no part.
    folder
        Where the files go; made if absent.
    profile
        The client.
    prefix
        Start of every file name.
    lang
        "ja" or "en".
    linter
        As for `write_earth`.

    Returns
    -------
    list of Path
        ``theme_years.kmz`` and ``theme_tour.kmz``; none for a client without tours, or where
        now or future is missing. A slider shows as many years as the client takes in one file.

    Raises
    ------
    ExportError
        As for `write_earth`.
    """
    ordered = [replace(layer, reaches=None) for layer in _ordered(layers)]  # rings stand still
    stem = f"{prefix}{file_stem(ordered[0].theme)}"
    if not profile.tours:
        return []
    files: dict[Path, Members] = {}
    if years := year_parts(ordered, profile):
        drawn = slider(years, legend=LEGEND, lang=lang)
        files[folder / f"{stem}_years.kmz"] = _members(drawn, [years[0], years[-1]], lang)
    if (trip := journey(ordered, profile)) is not None:
        ends = [trip.start, Part(trip.future, trip.later.rows)]
        drawn = tour(trip, legend=LEGEND, lang=lang)
        files[folder / f"{stem}_tour.kmz"] = _members(drawn, ends, lang)
    return publish(files, profile=profile, linter=linter) if files else []


def publish(
    files: Mapping[Path, Members],
    *,
    profile: Profile,
    linter: LintProcess | None = None,
) -> list[Path]:
    """Write KMZ files beside their place, check them, and move them there if all are sound.

    Parameters
    ----------
    files
        What stands in each file, the document first.
    profile
        The client.
    linter
        Checks and moves the files while the caller writes on; without one, it is done here.

    Raises
    ------
    ExportError
        If the disk refuses, or a written file fails the check.
    """
    places = {path.with_name(f".{path.name}.part"): path for path in files}
    drafts = Drafts(places, profile)
    with ExitStack() as undo:
        undo.callback(drafts.discard)
        try:
            for draft, members in zip(places, files.values(), strict=True):
                draft.parent.mkdir(parents=True, exist_ok=True)
                _write(draft, members)
        except OSError as error:
            raise drafts.unwritable(error) from error
        if linter is None:
            drafts.settle(drafts.lint())
        else:
            linter.take(drafts)
            undo.pop_all()  # they are the linter's now
    return list(files)


def _members(
    drawn: Iterable[bytes],
    parts: Sequence[Part],
    lang: str,
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The document, then the picture of its legend; made when they are written."""
    yield ROOT, drawn
    # of a theme without intervals nothing is faded, and nothing said about it
    fade = any(part.fade and opacity(part.layer) is not None for part in parts)
    yield LEGEND, [legend_png([part.layer for part in parts], lang=lang, fade=fade)]


def _write(path: Path, members: Members) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, pieces in members:
            _entry(archive, name, pieces)


def _entry(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    # by its name, because an entry made beforehand has no public place for the level
    with archive.open(name, "w") as entry:
        for piece in pieces:
            entry.write(piece)
    info = archive.getinfo(name)  # these stand only in the directory, which comes last
    info.create_system = UNIX
    info.external_attr = READABLE


def _ordered(layers: Sequence[Layer]) -> list[Layer]:
    if not layers:
        raise ExportError("no layer to write")
    first = layers[0]
    for layer in layers:
        same = layer.theme == first.theme and layer.place == first.place
        if not same or layer.metres_per_unit != first.metres_per_unit:
            raise ExportError(
                f"{layer.theme} ({layer.heading('en')}) does not share theme, place and height "
                f"scale with {first.theme} ({first.heading('en')})",
            )
    ordered = sorted(
        layers, key=lambda layer: (STATES.index(layer.state), layer.year, layer.scenario_key)
    )
    names = [
        (layer.year if layer.state == "future" else layer.state, layer.scenario_key)
        for layer in ordered
    ]
    if len(set(names)) < len(names):
        shown = [f"{state} {scenario}".strip() for state, scenario in names]
        raise ExportError(f"{first.theme}: a state stands twice: {shown}")
    return ordered

"""write_earth: one theme as KMZ files, each checked before it takes its place."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from futuremap.core.layer import STATES, Layer
from futuremap.errors import ExportError
from futuremap.export.kml.document import document
from futuremap.export.kml.legend import legend_png
from futuremap.export.kml.lint import lint_set
from futuremap.export.kml.profiles import Profile
from futuremap.export.kml.split import files_of
from futuremap.export.kml.writer import Part

ROOT = "doc.kml"
LEGEND = "files/legend.png"
EPOCH = (1980, 1, 1, 0, 0, 0)  # same input, same bytes: no file carries the time of its making
UNIX = 3
READABLE = 0o644 << 16
SHOWN_FINDINGS = 5
Members = Iterable[tuple[str, Iterable[bytes]]]  # name and content of files in a KMZ


def write_earth(
    layers: Sequence[Layer],
    folder: Path,
    *,
    profile: Profile,
    prefix: str = "",
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
    files = files_of(ordered, profile, prefix=prefix)
    members = {folder / name: _members(parts, profile) for name, parts in files.items()}
    return publish(members, profile=profile)


def publish(files: Mapping[Path, Members], *, profile: Profile) -> list[Path]:
    """Write KMZ files beside their place, check them, and move them there if all are sound.

    Parameters
    ----------
    files
        What stands in each file, the document first.
    profile
        The client.

    Raises
    ------
    ExportError
        If the disk refuses, or a written file fails the check.
    """
    drafts = {path.with_name(f".{path.name}.part"): path for path in files}
    try:
        for draft, members in zip(drafts, files.values(), strict=True):
            draft.parent.mkdir(parents=True, exist_ok=True)
            _write(draft, members)
        findings = lint_set(list(drafts), profile=profile)
        if findings:
            shown = "; ".join(str(finding) for finding in findings[:SHOWN_FINDINGS])
            raise ExportError(f"{len(findings)} faults in files for {profile.name}: {shown}")
        for draft, path in drafts.items():
            draft.replace(path)
    except OSError as error:
        raise ExportError(f"{next(iter(files)).parent} cannot be written: {error}") from error
    finally:
        for draft in drafts:
            if draft.exists():
                draft.unlink()
    return list(drafts.values())


def _members(
    parts: Sequence[Part],
    profile: Profile,
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The document, then the picture of its legend; made when they are written."""
    yield ROOT, document(parts, profile, legend=LEGEND)
    yield LEGEND, [legend_png([part.layer for part in parts])]


def _write(path: Path, members: Members) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, pieces in members:
            _entry(archive, name, pieces)


def _entry(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    info = zipfile.ZipInfo(name, date_time=EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = UNIX
    info.external_attr = READABLE
    with archive.open(info, "w") as entry:
        for piece in pieces:
            entry.write(piece)


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
    ordered = sorted(layers, key=lambda layer: (STATES.index(layer.state), layer.year))
    names = [layer.year if layer.state == "future" else layer.state for layer in ordered]
    if len(set(names)) < len(names):
        raise ExportError(f"{first.theme}: a state stands twice: {names}")
    return ordered

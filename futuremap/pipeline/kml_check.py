"""kml_check: KML and KMZ files of any origin, read as strictly as Google Earth reads them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from futuremap.export.kml.lint import ROOT, lint_set
from futuremap.export.kml.lint_reader import MOST_PER_RULE
from futuremap.export.kml.lint_rules import WORDS, Finding
from futuremap.export.kml.profiles import EARTH_PRO, EARTH_WEB, Profile, profile_named
from futuremap.export.kml.schema import SchemaFault, has_schemas, schema_faults
from futuremap.pipeline.prepare import Progress, silent
from futuremap.problems import Report

SUFFIXES = frozenset({".kml", ".kmz"})
FOLDERS = {"web": EARTH_WEB, "pro": EARTH_PRO}  # below a folder "earth", as a run publishes them
# mesh250_now, mesh250_2053_1of2: files of one theme, hence with one height scale
STATE_OF = re.compile(r"_(?:now|change|future|\d{4}|years|tour)(?:_\d+of\d+)?$")
UNREAD, FORM, CLIENT, GEOMETRY = "FM650", "FM651", "FM652", "FM653"
REFERENCE, OUTSIDE, VIEW, VALUE = "FM654", "FM655", "FM656", "FM657"
TEXT, UNCHECKED = "FM658", "FM659"
CODES = {
    **dict.fromkeys(("zip", "limit", "xml", "root"), UNREAD),
    **dict.fromkeys(("order", "schema", "colour"), FORM),
    **dict.fromkeys(("refused", "features", "vertices"), CLIENT),
    **dict.fromkeys(("ring", "turn", "coordinates"), GEOMETRY),
    **dict.fromkeys(("id", "style", "target", "file", "link"), REFERENCE),
    **dict.fromkeys(("remote", "running"), OUTSIDE),
    **dict.fromkeys(("shown", "scale"), VIEW),
    **dict.fromkeys(("number", "box", "lod", "time"), VALUE),
    **dict.fromkeys(("placeholder", "mojibake"), TEXT),
}
BROKEN = frozenset({"zip", "limit", "xml"})  # there is no use in asking the schema too
NO_FILE = ("ファイルがない、または開けない", "no such file, or it cannot be opened")
NOTHING = ("KML・KMZ がない", "holds no KML or KMZ")


class Checked(NamedTuple):
    """What was looked at, and what was found.

    Parameters
    ----------
    files
        The files, each with the client that it was checked for.
    report
        All findings.
    """

    files: tuple[tuple[Path, Profile], ...]
    report: Report


def check_kml(
    paths: Sequence[Path],
    *,
    profile: str | None = None,
    schema: bool = True,
    progress: Progress = silent,
) -> Checked:
    """Read KML and KMZ files and report everything for which a client refuses or misdraws them.

    Files of one theme (``mesh250_now``, ``mesh250_2053``) in one folder must share a height scale.

    Parameters
    ----------
    paths
        Files, and folders to look through.
    profile
        Name of the client; by default that of the folder (``earth/web``, ``earth/pro``), else
        Earth on the web, the strictest.
    schema
        Whether to validate against the schemas of KML 2.2 and Google's extension, where the
        ``[check]`` extra is installed.
    progress
        Is told which file is read.

    Raises
    ------
    ExportError
        If there is no profile of that name.
    """
    report = Report()
    wanted = None if profile is None else profile_named(profile)
    files = [
        (file, wanted or _guess(file)) for path in paths for file in sorted(_files(path, report))
    ]
    validate = schema and has_schemas()
    for group, client in _groups(files):
        progress(f"{group[0]}（{client.name}）")
        for finding in _findings(group, client, validate=validate):
            _add(report, finding, folder=group[0].parent)
    if schema and not validate:
        report.add(UNCHECKED)
    return Checked(tuple(files), report)


def _files(path: Path, report: Report) -> Iterator[Path]:
    """The files that a path means and that can be opened."""
    if path.is_dir():
        names = [Path(place) / name for place, _, found in os.walk(path) for name in found]
        files = [name for name in names if name.suffix.lower() in SUFFIXES]
        if not files:
            _add(report, Finding("zip", path.name, ""), folder=path.parent, words=NOTHING)
    else:
        files = [path]
    for file in files:
        try:
            if not file.is_file():
                raise FileNotFoundError(file)
            file.open("rb").close()
        except OSError as error:
            finding = Finding("zip", file.name, error.strerror or "")
            _add(report, finding, folder=file.parent, words=NO_FILE)
        else:
            yield file


def _guess(file: Path) -> Profile:
    above = file.absolute().parents
    named = [FOLDERS[p.name] for p in above if p.parent.name == "earth" and p.name in FOLDERS]
    return named[0] if named else EARTH_WEB


def _groups(files: Sequence[tuple[Path, Profile]]) -> Iterator[tuple[list[Path], Profile]]:
    """Files of one theme in one folder, in the order of their first file."""
    groups: dict[tuple[Path, str, Profile], dict[Path, None]] = {}
    for file, client in files:
        theme = STATE_OF.sub("", file.stem)
        groups.setdefault((file.parent, theme, client), {})[file] = None
    for (_, _, client), group in groups.items():
        yield list(group), client


def _findings(group: Sequence[Path], client: Profile, *, validate: bool) -> list[Finding]:
    found = lint_set(group, profile=client, doubts=True)
    for file in group if validate else ():
        own = [f for f in found if f.file.partition("/")[0] == file.name]
        if BROKEN & {finding.rule for finding in own}:
            continue
        # what is out of order the schema says again, with neither column nor feature
        known = {finding.line for finding in own if finding.rule == "order"}
        faults = [fault for fault in schema_faults(file) if fault.line not in known]
        found += _schema_findings(file, faults)
    return found


def _schema_findings(file: Path, faults: Sequence[SchemaFault]) -> Iterator[Finding]:
    for fault in faults[:MOST_PER_RULE]:
        inner = f"/{fault.document}" if fault.document not in ("", ROOT) else ""
        yield Finding("schema", f"{file.name}{inner}", fault.message, fault.line)
    if len(faults) > MOST_PER_RULE:
        yield Finding("schema", file.name, f"ほか / more: {len(faults) - MOST_PER_RULE:,}")


def _add(
    report: Report,
    finding: Finding,
    *,
    folder: Path,
    words: tuple[str, str] | None = None,
) -> None:
    japanese, english = words or WORDS[finding.rule]
    report.add(
        CODES[finding.rule],
        file=_visible(str(folder / finding.file)),
        line=finding.line,
        column="" if finding.column is None else str(finding.column),
        value=_visible(finding.seen),
        rule=finding.rule,
        what_ja=japanese,
        what_en=english,
        feature=_visible(finding.feature),
    )


def _visible(text: str) -> str:
    # what moves the cursor of a terminal or turns its text round is shown, not done
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)

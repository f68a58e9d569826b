"""Targets and levers as they are written: in a project, in text on a command line, or in Python."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from futuremap.config.check_levers import check_moves
from futuremap.config.check_scenario import check_levers, check_targets, near
from futuremap.config.door import Door
from futuremap.config.entry import Entry
from futuremap.config.load import note_fault
from futuremap.config.scenario import BackcastEntry, LeverEntry, TargetEntry
from futuremap.errors import UnknownNameError
from futuremap.pipeline import read_rates as services
from futuremap.pipeline.notes import Notes
from futuremap.pipeline.prepare import Prepared
from futuremap.pipeline.read_scenarios import check_backcast
from futuremap.problems import Report

Written = str | Mapping[str, Any] | Entry
Kind = TypeVar("Kind", TargetEntry, LeverEntry)
SOURCE = "--target / --lever"


def entry_named(prepared: Prepared, name: str) -> BackcastEntry:
    """A backcast of the project's file, by its key or name.

    Raises
    ------
    UnknownNameError
        If the project has none of that name.
    """
    known = prepared.project.backcast
    for key, entry in known.items():
        if name in (key, entry.name):
            return entry
    raise UnknownNameError(name, tuple(known))


def entries_of(
    prepared: Prepared,
    targets: Sequence[Written],
    levers: Sequence[Written],
) -> tuple[list[TargetEntry], list[LeverEntry]]:
    """Targets and levers, checked like all input.

    Parameters
    ----------
    prepared
        The project they are about.
    targets, levers
        Entries, mappings with their keys, or text such as
        ``"indicator=population, year=2045, keep=0.9"``.

    Raises
    ------
    InputRefused
        If anything is wrong; it carries the report of all problems.
    """
    report = Report()
    notes = Notes(prepared.project, report, SOURCE)
    wanted = [_read(TargetEntry, one, ("target", j), notes) for j, one in enumerate(targets)]
    pulled = [_read(LeverEntry, one, ("lever", j), notes) for j, one in enumerate(levers)]
    goals = [one for one in wanted if one is not None]
    means = [one for one in pulled if one is not None]
    door = Door(SOURCE, {}, report)
    if not targets:
        door.add("FM864", ("target",), value="目標（target） / targets")
    if not levers:
        door.add("FM864", ("lever",), value="手段（lever） / levers")
    check_targets(prepared.project, goals, (), door)
    check_levers(prepared.project, means, (), door)
    check_moves(goals, means, (), door)
    check_backcast(goals, means, prepared.towns, (), notes)
    if prepared.indicators is not None:
        services.check_targets(goals, prepared.towns, (), prepared.indicators, notes)
    report.raise_if_errors()
    return goals, means


def _read(kind: type[Kind], written: Written, at: tuple[str, int], notes: Notes) -> Kind | None:
    if isinstance(written, kind):
        return written
    said = _pairs(written, at, notes) if isinstance(written, str) else dict(written)
    if said is None:
        return None
    names = {field.alias or name: field for name, field in kind.model_fields.items()}
    for key in said:
        if key not in names and key not in kind.model_fields:
            notes.add("FM856", at, key, near=near(key, names))
            return None
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        _note(error, at, notes)
    return None


def _note(error: ValidationError, at: tuple[str, int], notes: Notes) -> None:
    door = Door(SOURCE, {}, notes.report)
    for found in error.errors():
        located = found.copy()
        located["loc"] = (*at, *found["loc"])
        note_fault(located, door)


def _pairs(text: str, at: tuple[str, int], notes: Notes) -> dict[str, Any] | None:
    r"""Keys and values of ``key=value, key=value``; several zones are joined by ``+``.

    Examples
    --------
    >>> _pairs("year=2045, keep=0.9, whole=true, zones=本町+港町", ("target", 0), None)
    {'year': 2045, 'keep': 0.9, 'whole': True, 'zones': ['本町', '港町']}

    Signs and digits may be those of a Japanese keyboard, and names may hold commas:

    >>> _pairs("year＝２０４５、facility=本町、港町ホール，keep=0.9", ("target", 0), None)
    {'year': 2045, 'facility': '本町、港町ホール', 'keep': 0.9}
    """
    said: dict[str, Any] = {}
    for part in filter(str.strip, NEXT_KEY.split(text)):
        key, sign, value = (piece.strip() for piece in part.replace("＝", "=", 1).partition("="))
        if not sign or not value or key in said:
            notes.add("FM856", at, part.strip())
            return None
        said[key] = _value(key, value.rstrip(",，、 "))
    return said


NEXT_KEY = re.compile(r"[,，、](?=\s*[a-z_]+\s*[=＝]|\s*$)")  # a sign that another key follows
TEXTS = ("zone", "municipality", "facility", "bundle", "indicator", "class", "lever")
WHOLE = ("year", "from_year", "to_year", "taper_years", "age_from", "age_to")


def _value(key: str, value: str) -> Any:
    if key == "zones":
        return [zone.strip() for zone in value.split("+")]
    if key in TEXTS:
        return value
    if value in ("true", "false"):
        return value == "true"
    digits = unicodedata.normalize("NFKC", value)  # as a Japanese keyboard may write them
    try:
        return int(digits) if key in WHOLE else float(digits)
    except ValueError:
        return value

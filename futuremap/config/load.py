"""Reads a project.toml and reports everything in it that cannot be right."""

from __future__ import annotations

import difflib
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from futuremap.config.check_maps import check_maps
from futuremap.config.check_official import NO_NEED, WITH_PLACES, check_official
from futuremap.config.check_reach import check_reach
from futuremap.config.check_scenario import check_scenarios
from futuremap.config.door import Door
from futuremap.config.lines import Path as KeyPath
from futuremap.config.lines import key_lines
from futuremap.config.model import INTERVAL, BlocksFile, Municipality, PopulationFile, Project
from futuremap.problems import Report
from futuremap.projection.methods import METHODS

# what a value must be, by pydantic's name of the fault; {…} are its details
EXPECTED = {
    "int_type": ("整数（引用符なし）", "a whole number without quotes"),
    "int_from_float": ("整数", "a whole number"),
    "float_type": ("数（引用符なし）", "a number without quotes"),
    "string_type": ('引用符で囲んだ文字（"37201"）', 'text in quotes ("37201")'),
    "string_pattern_mismatch": ("{pattern} の形", "the form {pattern}"),
    "literal_error": ("{expected} のどれか", "one of {expected}"),
    "greater_than_equal": ("{ge} 以上", "{ge} or more"),
    "greater_than": ("{gt} より大きい数", "more than {gt}"),
    "less_than_equal": ("{le} 以下", "{le} or less"),
    "too_short": ("1つ以上", "at least one"),
    "list_type": ("[[…]] の表", "a table of the form [[…]]"),
    "model_type": ("[…] の表", "a table of the form […]"),
    "bool_type": ("true または false", "true or false"),
}
NEEDS = {"mapping": "mapped", "month": "register_series"}  # key to the only format that has it
# keys that only some formats have
OF_BLOCKS = {
    "key": ("vector", "points"), "name": ("vector",), "parent": ("vector",), "layer": ("vector",),
    "latitude": ("points",), "longitude": ("points",),
}  # fmt: skip
OF_FACILITIES = {"mapping": ("public_facilities", "ksj"), "inside_only": ("ksj",)}
ONE_FILE = (
    "blocks", "ages", "oldest", "dwelling", "mesh_margins", "reconcile", "control", "check",
    "roads", "bus", "surface", "ground",
)  # fmt: skip
ONE_FOR_ALL = ("[municipality.blocks] に1つ", "one for all years, [municipality.blocks]")


def load(path: Path, *, report: Report) -> Project | None:
    """Read and check a project file.

    Parameters
    ----------
    path
        The project file, or the folder that holds a ``project.toml``.
    report
        Notes every problem with its line.

    Returns
    -------
    Project or None
        None if the file does not say enough to go on.
    """
    file = path / "project.toml" if path.is_dir() else path
    text = _read(file, report)
    if text is None:
        return None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        report.add("FM001", file=file.name, line=_line_in(str(error), text), reason=error)
        return None
    door = Door(file.name, key_lines(text), report)
    _check_years(content, door)
    try:
        project = Project.model_validate(content)
    except ValidationError as error:
        for found in error.errors():
            note_fault(found, door)
        return None
    # where it was read is not part of what it says
    project._file, project._lines = file, door.lines  # noqa: SLF001
    _check_towns(project, door)
    _check_credits(project, door)
    _check_method(project, door)
    check_reach(project, door)
    check_maps(project, door)
    check_scenarios(project, door)
    return project


def _read(file: Path, report: Report) -> str | None:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        report.add("FM103", file=file.name)
    except OSError:
        report.add("FM101", file=str(file))
    return None


def _line_in(message: str, text: str) -> int:
    # the standard reader says "(at line 3, column 5)" or "(at end of document)"
    words = message.replace(",", " ").replace(")", " ").split()
    numbers = [int(b) for a, b in pairwise(words) if a == "line" and b.isdigit()]
    return numbers[0] if numbers else text.count("\n") + 1


def note_fault(found: ErrorDetails, door: Door) -> None:
    """Note what pydantic finds wrong in our own words: an unknown key, a missing one, a value.

    Parameters
    ----------
    found
        One of its errors, with where it stands.
    door
        Takes FM002 to FM004.
    """
    path: KeyPath = tuple(found["loc"])
    key = str(path[-1]) if path else ""
    if found["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = difflib.get_close_matches(key, known, n=1)
        door.add(
            "FM002",
            path,
            value=key,
            key=key,
            known="、".join(known),
            suggestion_ja=f"もしかして「{near[0]}」ですか" if near else "この行を消してください",
            suggestion_en=f'did you mean "{near[0]}"?' if near else "remove this line",
        )
    elif found["type"] == "missing":
        door.add("FM003", path, key=key)
    else:
        details = found.get("ctx", {})
        ja, en = EXPECTED.get(found["type"], (found["msg"], found["msg"]))
        shown = found["input"] if not isinstance(found["input"], dict | list) else ""
        door.no_sense(path, shown, (ja.format(**details), en.format(**details)))


def _known_keys(path: KeyPath) -> list[str]:
    # follows the path down the models; positions in lists and keys of tables are passed over
    model: Any = Project
    named = False
    for part in path:
        if isinstance(part, int) or named or not _is_model(model):
            named = False
            continue
        fields = {entry.alias or name: entry for name, entry in model.model_fields.items()}
        annotation = fields[str(part)].annotation if str(part) in fields else None
        model, named = _inner_model(annotation), get_origin(annotation) is dict
    if not _is_model(model):
        return []
    return sorted(entry.alias or name for name, entry in model.model_fields.items())


def _is_model(model: object) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)


def _inner_model(annotation: Any) -> Any:
    if _is_model(annotation):
        return annotation
    inner = [_inner_model(part) for part in getattr(annotation, "__args__", ())]
    return next((model for model in inner if _is_model(model)), None)


def _check_years(content: dict[str, Any], door: Door) -> None:
    # on the bare content, so that a slip elsewhere in the file does not hide this one
    header = content.get("project")
    if not isinstance(header, dict):
        return
    base, end = header.get("base_year"), header.get("end_year")
    if not isinstance(base, int) or not isinstance(end, int):
        return
    at: KeyPath = ("project", "end_year")
    if end <= base:
        door.add("FM005", at, value=end, base_year=base)
    elif (end - base) % INTERVAL:
        nearest = base + INTERVAL * max(1, round((end - base) / INTERVAL))
        door.add("FM006", at, value=end, base_year=base, step=INTERVAL, nearest=nearest)


def _check_towns(project: Project, door: Door) -> None:
    codes = [town.code for town in project.municipality]
    for i, town in enumerate(project.municipality):
        at: KeyPath = ("municipality", i)
        if town.code in codes[:i]:
            door.no_sense((*at, "code"), town.code, ("市区町村ごとに1つ", "each town once"))
        _check_years_and_formats(project, town, at, door)
        _check_needs(project, town, at, door)
        check_official(town, at, door)
        for j, given in enumerate(town.facilities):
            door.unused(given, OF_FACILITIES, (*at, "facilities", j))
        classes = [entry.facility_class for entry in town.facilities]
        for j, name in enumerate(classes):
            if name in classes[:j]:
                once = ("種類ごとに1つの一覧", "one list a class")
                door.no_sense((*at, "facilities", j, "class"), name, once)
        if town.check is not None and town.check.year not in project.projected_years:
            listed = "、".join(map(str, project.projected_years))
            door.no_sense((*at, "check", "year"), town.check.year, (listed, listed))


def _check_years_and_formats(
    project: Project,
    town: Municipality,
    at: KeyPath,
    door: Door,
) -> None:
    reasons = {
        project.project.base_year: ("推計の出発点です", "the projection starts from it"),
        project.past_year: (
            f"{INTERVAL}年前との比から変化率を作ります",
            f"rates are made from the change over {INTERVAL} years",
        ),
    }
    for year, (ja, en) in reasons.items():
        if town.population_of(year) is None:
            door.add("FM007", at, value=town.code, year=year, reason_ja=ja, reason_en=en)
    years = [entry.year for entry in town.population]
    first = town.population[0].format
    for j, entry in enumerate(town.population):
        if entry.year in years[:j]:
            once = ("年ごとに1つ", "one population a year")
            door.no_sense((*at, "population", j, "year"), entry.year, once)
        if entry.format != first:
            same = (f"どの年も {first}", f"{first} in every year")
            door.no_sense((*at, "population", j, "format"), entry.format, same)


def _check_needs(project: Project, town: Municipality, at: KeyPath, door: Door) -> None:
    # what one format needs and another cannot use
    for j, entry in enumerate(town.population):
        path: KeyPath = (*at, "population", j)
        for key, wanted in NEEDS.items():
            _check_key(door, path, key, (getattr(entry, key), entry.format, wanted))
        if entry.names_from is not None:
            _check_key(door, path, "names_from", (entry.names_from, entry.format, "register"))
        if entry.blocks is not None:
            _check_blocks(entry.blocks, (*path, "blocks"), door)
            if entry.format in WITH_PLACES:
                door.no_sense((*path, "blocks"), "", ONE_FOR_ALL)
        _check_year(entry, path, door)
    written = town.population[0].format
    base = town.population_of(project.project.base_year)
    if town.blocks is not None:
        _check_blocks(town.blocks, (*at, "blocks"), door)
        if written == "census":
            door.no_sense((*at, "blocks"), "", NO_NEED)
    elif base is not None and base.format not in WITH_PLACES and base.blocks is None:
        door.add("FM011", at, value=town.code, key="[municipality.blocks]", format=base.format)


def _check_year(entry: PopulationFile, path: KeyPath, door: Door) -> None:
    years = (
        ("month", None if entry.month is None else int(entry.month[:4])),
        ("mapping", None if entry.mapping is None else entry.mapping.year),
    )
    for key, year in years:
        if year is not None and year != entry.year:
            same = (f"year と同じ {entry.year} 年", f"{entry.year}, the year of the entry")
            door.no_sense((*path, key), year, same)


def _check_key(door: Door, path: KeyPath, key: str, found: tuple[object, str, str]) -> None:
    value, written, wanted = found
    if value is None and written == wanted:
        door.add("FM011", (*path, key), key=key, format=written)
    elif value is not None and written != wanted:
        only = (f'format = "{wanted}" のときだけ', f'only with format = "{wanted}"')
        door.no_sense((*path, key), value if isinstance(value, str) else "", only)


def _check_blocks(blocks: BlocksFile, path: KeyPath, door: Door) -> None:
    if not blocks.key and blocks.format in ("vector", "points"):
        door.add("FM011", (*path, "key"), key="key", format=blocks.format)
    door.unused(blocks, OF_BLOCKS, path)


def _check_method(project: Project, door: Door) -> None:
    name = project.projection.method
    if name not in METHODS:
        near = difflib.get_close_matches(name, METHODS, n=3) or list(METHODS)
        listed = ("、".join(near) + " など", ", ".join(near) + " and others")
        door.no_sense(("projection", "method"), name, listed)


def _check_credits(project: Project, door: Door) -> None:
    known = project.known_credits()
    for i, town in enumerate(project.municipality):
        at: KeyPath = ("municipality", i)
        named: list[tuple[KeyPath, str]] = [(("outline",), town.outline.credit)]
        named += [(("population", j), entry.credit) for j, entry in enumerate(town.population)]
        named += [(("facilities", j), entry.credit) for j, entry in enumerate(town.facilities)]
        named += [(("rival", j), entry.credit) for j, entry in enumerate(town.rival)]
        named += [(("districts", j), entry.credit) for j, entry in enumerate(town.districts)]
        for key in ONE_FILE:
            single = getattr(town, key)
            if single is not None:
                named.append(((key,), single.credit))
        named += [
            (("population", j, "blocks"), entry.blocks.credit)
            for j, entry in enumerate(town.population)
            if entry.blocks is not None
        ]
        for path, key in named:
            if key not in known:
                door.add("FM008", (*at, *path, "credit"), value=key, known="、".join(known))
    for _, key in project.indicators.files():
        if key not in known:
            door.add("FM008", ("indicators",), value=key, known="、".join(known))

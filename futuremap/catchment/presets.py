"""Presets: radius, life, unit costs and ages by class of facility, each with its source."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import partial

from futuremap.errors import SourceError

# numbers that each source stands for
SOURCES = {
    "radius_source": ("radius_m",),
    "life_source": ("life_years",),
    "cost_source": ("target_years", "rebuild_cost", "repair_cost"),
    "age_source": ("age_from", "age_to"),
}
COLUMNS = (
    "facility_class", "name_ja", "name_en", "radius_m", "radius_source", "radius_url",
    "life_years", "life_source", "life_url", "target_years", "rebuild_cost", "repair_cost",
    "cost_source", "cost_url", "age_from", "age_to", "age_source", "age_url", "terms", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """One row of ``presets.csv``; what no source was seen for is None, for the user to say.

    Parameters
    ----------
    facility_class, name_ja, name_en
        The class, and what a reader sees.
    radius_m
        How far people come, as planning practice has it. [m]
    life_years
        Legal life (法定耐用年数) of a building of reinforced concrete. [years]
    target_years
        Years until rebuilding to which the unit costs belong; a large repair at half of it.
        [years]
    rebuild_cost, repair_cost
        Unit costs. [yen/m^2]
    age_from, age_to
        First and last age served. [years]
    sources
        Name and address of each source by column, such as ``radius_source``.
    terms
        On what terms the numbers are used.
    note
        What a user must know.
    """

    facility_class: str
    name_ja: str
    name_en: str
    radius_m: float | None
    life_years: float | None
    target_years: float | None
    rebuild_cost: float | None
    repair_cost: float | None
    age_from: int | None
    age_to: int | None
    sources: tuple[tuple[str, str, str], ...]
    terms: str
    note: str


def presets(text: str) -> dict[str, Preset]:
    r"""Presets by class, from the text of ``presets.csv``.

    Parameters
    ----------
    text
        Comma-separated, with a header.

    Raises
    ------
    SourceError
        If a column is missing, a class stands twice, a number is none or is negative, ages run
        backwards, or a number has no source with an address.

    Examples
    --------
    >>> header = ",".join(COLUMNS)
    >>> row = "hall,集会所,Hall,500,市の計画,https://example.org/plan" + "," * 13 + "引用,"
    >>> hall = presets(f"{header}\n{row}")["hall"]
    >>> hall.radius_m, hall.life_years, hall.sources
    (500.0, None, (('radius_source', '市の計画', 'https://example.org/plan'),))
    """
    rows = csv.DictReader(text.splitlines())
    missing = sorted(set(COLUMNS) - set(rows.fieldnames or ()))
    if missing:
        raise SourceError(f"presets lack the columns {missing}")
    found: dict[str, Preset] = {}
    for row in rows:
        preset = _preset(row)
        if preset.facility_class in found:
            raise SourceError(f"presets: class {preset.facility_class!r} stands twice")
        found[preset.facility_class] = preset
    return found


def _preset(row: dict[str, str]) -> Preset:
    name = row["facility_class"]
    number = partial(_number, row)
    age_from, age_to = number("age_from"), number("age_to")
    if not name or (age_from is not None and age_to is not None and age_to < age_from):
        raise SourceError(f"presets: {name!r} has no class, or ages from {age_from} to {age_to}")
    return Preset(
        name,
        row["name_ja"],
        row["name_en"],
        number("radius_m"),
        number("life_years"),
        number("target_years"),
        number("rebuild_cost"),
        number("repair_cost"),
        None if age_from is None else int(age_from),
        None if age_to is None else int(age_to),
        _sources(row),
        row["terms"],
        row["note"],
    )


def _sources(row: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    named = []
    for source, columns in SOURCES.items():
        address = row[source.replace("source", "url")]
        given = any(row[column] for column in columns)
        if given and not (row[source] and address):
            raise SourceError(f"presets: {row['facility_class']}: {columns} without {source}")
        if given:
            named.append((source, row[source], address))
    if named and not row["terms"]:
        raise SourceError(f"presets: {row['facility_class']}: numbers without terms")
    return tuple(named)


def _number(row: dict[str, str], column: str) -> float | None:
    if not row[column]:
        return None
    try:
        value = float(row[column])
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise SourceError(f"presets: {row['facility_class']}: {column} {row[column]!r}")
    return value

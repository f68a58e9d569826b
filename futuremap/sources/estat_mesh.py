"""e-Stat 地域メッシュ統計: people by sex and broad age on meshes of 1 km to 125 m.

Checked on the 250 m table of 2020 (T001102), one file a first mesh. The tables of 1 km, 500 m and
125 m (the last one file a prefecture), and those of 2015, are 未検証: built from the same layout.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core import mesh
from futuremap.core.ages import AgeGroups
from futuremap.problems import Report
from futuremap.sources import cells, estat_merged, estat_table
from futuremap.sources.estat_bytes import KEY
from futuremap.sources.estat_merged import ABSENT, LEADING, Published
from futuremap.sources.estat_table import EstatTable

VERIFIED = True
SEX_WORDS = ("男", "女")
LEVELS = (mesh.Level.KM1, mesh.Level.M500, mesh.Level.M250, mesh.Level.M125)
_TOTAL = re.compile(r"人口(?:\(総数\)|総数)?(男|女)")
_CLOSED = re.compile(r"([0-9]{1,3})-([0-9]{1,3})歳人口(男|女)")
_OPEN = re.compile(r"([0-9]{1,3})歳以上人口(男|女)")
_BOTH = "人口(総数)", "人口総数"


class MeshTable(NamedTuple):
    """One table of meshes.

    published
        People by sex in every mesh, by broad age in every group of meshes, and which is which.
        Zones are mesh codes, in the order of the file.
    level
        Their level.
    lines
        Where each mesh stands in the file.
    """

    published: Published
    level: mesh.Level
    lines: dict[str, int]


class _Layout(NamedTuple):
    totals: list[int]  # columns of both sexes (S,)
    ages: AgeGroups
    details: list[int]  # columns that the age groups are made of
    made_of: NDArray[np.float64]  # (S * A, columns)


def read(path: Path, *, year: int, credit: str, report: Report) -> MeshTable | None:
    """Read the table of one first mesh, or of all Japan.

    Parameters
    ----------
    path
        Text, gzip or zip as e-Stat gives it out; columns are found by label, such as
        人口（総数） 男, ０～１４歳人口 女, ８５歳以上人口 男.
    year
        Year of the census.
    credit
        Key of the credit line.
    report
        Takes the problems: FM313 for codes that are none or not of Japan, FM314 where the notes on
        suppression contradict each other, the warnings FM315 and FM316 on suppressed meshes, and
        all of :mod:`futuremap.sources.estat_table`.

    Returns
    -------
    MeshTable or None
        None if any number is in doubt. The age groups are the finest that the labels allow:
        0, 15, 18, 20, 65, 75, 85, 95 in 2020.
    """
    before = len(report.errors)
    table = estat_table.read(path, report=report, wanted=_is_used)
    if table is None or not table.has(LEADING, report=report):
        return None
    every = np.ones(len(table), dtype=np.bool_)
    level = _check_codes(table, report)
    unique = table.unique(every, report=report)
    layout = _layout(table, report)
    if level is None or not unique or layout is None:
        return None
    published = _published(table, layout, year, credit, report)
    if published is None or len(report.errors) > before:
        return None
    lines = dict(zip(published.totals.zones, table.lines.tolist(), strict=True))
    return MeshTable(published, level, lines)


def _published(
    table: EstatTable,
    layout: _Layout,
    year: int,
    credit: str,
    report: Report,
) -> Published | None:
    every = np.ones(len(table), dtype=np.bool_)
    shown = table.texts[estat_merged.TREATMENT] != estat_merged.SUPPRESSED
    totals = table.persons(layout.totals, rows=every, report=report)
    parts = table.persons(layout.details, rows=shown, report=report)
    table.note_withheld(layout.totals, totals, rows=every, report=report)
    table.note_withheld(layout.details, parts, rows=shown, report=report)
    groups = estat_merged.find_groups(table, rows=every, report=report)
    _check_sum(table, totals, report)
    holders = np.unique(groups.holder[groups.holder != ABSENT])
    known = parts[:, holders]
    # false for what is suppressed (NaN) or noted (negative)
    if not groups.sound or not (totals >= 0).all() or not (known >= 0).all():
        return None
    details = (layout.made_of @ known).T.reshape(len(holders), len(SEX_WORDS), len(layout.ages))
    for group in np.flatnonzero((details < 0).any(axis=(1, 2))).tolist():
        row = int(holders[group])
        table.note(report, "FM319", row=row, value=table.texts[KEY][row])
    if (details < 0).any():
        return None
    zones = table.texts[KEY].tolist()
    published = estat_merged.publish(
        totals.T,
        details,
        zones=zones,
        groups=[zones[row] for row in holders],
        group_of=estat_merged.number_groups(groups.holder, holders),
        year=year,
        ages=layout.ages,
        credit=credit,
    )
    estat_merged.check_ages(
        table, published, holders=holders, partial=groups.partial, report=report
    )
    estat_merged.note_restored(table, rows=every, persons=totals.sum(axis=0), report=report)
    return published


def _check_codes(table: EstatTable, report: Report) -> mesh.Level | None:
    """Level of all the codes; FM313 for those that are none, or of another level."""
    codes = table.texts[KEY]
    valid = mesh.validate(codes)
    levels = mesh.level_of(codes[valid]) if valid.any() else np.array([], dtype=np.str_)
    names, counts = np.unique(levels, return_counts=True)
    usual = mesh.Level(names[counts.argmax()]) if names.size else None
    wrong = ~valid
    wrong[valid] = (levels != usual) | ~_in_japan(codes[valid])
    if usual not in LEVELS:
        wrong[:] = True
    expected = " / ".join(LEVELS) if usual not in LEVELS else usual.label
    table.note_rows("FM313", np.flatnonzero(wrong), column=KEY, expected=expected, report=report)
    return None if wrong.any() else usual


def _in_japan(codes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether the south-west corner of each valid code lies where Japan does ``(N,)``."""
    if not codes.size:
        return np.array([], dtype=np.bool_)
    box = mesh.bounds(codes)
    (south, north), (west, east) = cells.LATITUDES, cells.LONGITUDES
    inside = (box.south >= south) & (box.south <= north) & (box.west >= west) & (box.west <= east)
    return np.asarray(inside, dtype=np.bool_)


def _is_used(label: str) -> bool:
    plain = cells.key(label)
    return plain in _BOTH or any(form.fullmatch(plain) for form in (_TOTAL, _CLOSED, _OPEN))


def _layout(table: EstatTable, report: Report) -> _Layout | None:
    totals: dict[str, int] = {}
    closed: dict[tuple[int, int, str], int] = {}
    opened: dict[tuple[int, str], int] = {}
    for place, label in enumerate(table.labels):
        plain = cells.key(label)
        if found := _TOTAL.fullmatch(plain):
            totals.setdefault(found[1], place)
        elif found := _CLOSED.fullmatch(plain):
            closed.setdefault((int(found[1]), int(found[2]) + 1, found[3]), place)
        elif found := _OPEN.fullmatch(plain):
            opened.setdefault((int(found[1]), found[2]), place)
    from_age = {sex: _from_age(closed, opened, sex) for sex in SEX_WORDS}
    bounds = sorted(set(from_age["男"]) & set(from_age["女"]))
    lacking = [f"人口（総数） {sex}" for sex in SEX_WORDS if sex not in totals]
    lacking += ["０～１４歳人口 男・女, １５歳以上人口 男・女"] if bounds[:1] != [0] else []
    for label in lacking:
        estat_table.note_missing(table.file, label, report=report)
    if lacking:
        return None
    ages = AgeGroups(tuple(bounds))
    places, made_of = _made_of(from_age, ages)
    return _Layout([totals[sex] for sex in SEX_WORDS], ages, places, made_of)


def _from_age(
    closed: dict[tuple[int, int, str], int],
    opened: dict[tuple[int, str], int],
    sex: str,
) -> dict[int, list[int]]:
    """Columns whose sum is the people of an age or over, by that age."""
    found = {age: [place] for (age, of_sex), place in opened.items() if of_sex == sex}
    for (start, stop, of_sex), place in sorted(closed.items(), reverse=True):
        if of_sex == sex and stop in found:
            found.setdefault(start, [place, *found[stop]])
    return found


def _made_of(
    from_age: dict[str, dict[int, list[int]]],
    ages: AgeGroups,
) -> tuple[list[int], NDArray[np.float64]]:
    used = {place for sums in from_age.values() for sum_of in sums.values() for place in sum_of}
    places = sorted(used)
    at = {place: i for i, place in enumerate(places)}
    matrix = np.zeros((len(SEX_WORDS), len(ages), len(places)))
    for s, sex in enumerate(SEX_WORDS):
        for a, age in enumerate(ages.lower):
            for place in from_age[sex][age]:
                matrix[s, a, at[place]] += 1
                if a:  # people of the age before are those up to this one
                    matrix[s, a - 1, at[place]] -= 1
    return places, matrix.reshape(-1, len(places))


def _check_sum(table: EstatTable, totals: NDArray[np.float64], report: Report) -> None:
    plain: Sequence[str] = [cells.key(label) for label in table.labels]
    both = next((place for place, label in enumerate(plain) if label in _BOTH), None)
    if both is not None:
        table.check_sum(both, totals, rows=np.ones(len(table), dtype=np.bool_), report=report)

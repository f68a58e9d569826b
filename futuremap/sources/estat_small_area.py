"""未検証: e-Stat 国勢調査 小地域（町丁・字等）, people by sex and five-year age (T001082 …).

Built from the stated layout of 2020 and 2015 and rows of it, without a whole file at hand. A table
holds municipalities (5 digits), towns (9) and their 丁目 (11), parents above their children; which
rows are zones follows from the codes, as HYOSYO 3 means a parent in 2020 and a 丁目 in 2015.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.zones import by_parent
from futuremap.problems import Report
from futuremap.sources import cells, estat_merged, estat_table
from futuremap.sources.estat_bytes import KEY
from futuremap.sources.estat_merged import ABSENT, LEADING, Groups, Published
from futuremap.sources.estat_table import EstatTable

VERIFIED = False
LEVEL, NAME, CITY = "HYOSYO", "NAME", "CITYNAME"
TOWN, BLOCK, CHOME = 5, 9, 11  # digits of a municipality, a town, its 丁目
SEX_WORDS = ("男", "女")
STEP, FIRST_OPEN, USUAL_OPEN = 5, 65, 75  # years; no table opens its ages below the second
_AGE = re.compile(r"(男|女)([0-9]{1,3})(?:-([0-9]{1,3})歳|歳以上)")
_LOST = re.compile(r"(?<![0-9])(?:[0-9]{4}|[0-9]{8}|[0-9]{10})(?![0-9])")  # codes without a zero
_TOTAL = re.compile(r"(総数|男|女)(?:の総数)?(?:、?年齢「不詳」(?:を)?含む)?")


class SmallAreas(NamedTuple):
    """Small areas of one municipality, or of all in the table.

    published
        People by sex in every area, by age in every group of areas, and which is which. Zones
        are KEY_CODEs of the areas without further parts, in the order of the file. Areas of other
        municipalities come along if ages are merged with theirs.
    names, parents
        Name and municipality of each.
    lines
        Where each stands in the file.
    """

    published: Published
    names: tuple[str, ...]
    parents: tuple[str, ...]
    lines: dict[str, int]


class _Layout(NamedTuple):
    totals: list[int]  # columns of both sexes (S,)
    both: int | None
    ages: AgeGroups
    details: list[int]  # columns by sex and age, S * A


class _Rows(NamedTuple):
    own: NDArray[np.bool_]  # of the municipality
    chosen: NDArray[np.bool_]  # these, and what they are merged with elsewhere
    leaf: NDArray[np.bool_]  # areas without further parts
    digits: NDArray[np.int64]


def read(
    path: Path,
    *,
    year: int,
    municipality: str | None,
    credit: str,
    report: Report,
) -> SmallAreas | None:
    """Read the small areas of a municipality.

    Parameters
    ----------
    path
        Text, gzip or zip as e-Stat gives it out for a prefecture; columns are found by label,
        such as 男の総数、年齢「不詳」含む and 女７０〜７４歳.
    year
        Year of the census.
    municipality
        Code of the municipality or ward; None for all in the table.
    credit
        Key of the credit line.
    report
        Takes the problems: FM441 where the municipality is not in the table, FM313 for codes
        that are none or do not agree with HYOSYO, FM317 where areas do not add up to the row
        above them, FM314 to FM318 on suppressed areas, FM219 for zeros put back, and all of
        :mod:`futuremap.sources.estat_table`.

    Returns
    -------
    SmallAreas or None
        None if any number is in doubt.
    """
    before = len(report.errors)
    table = estat_table.read(path, report=report, wanted=_is_used)
    if table is None or not table.has((LEVEL, NAME, *LEADING), report=report):
        return None
    table = _with_zeros(table, report)
    layout = _layout(table, report)
    rows = _rows(table, municipality, report)
    if layout is None or rows is None or not table.unique(rows.chosen, report=report):
        return None
    published = _published(table, layout, rows, (year, credit), report)
    if published is None or len(report.errors) > before:
        return None
    leaves = np.flatnonzero(rows.leaf)
    zones = published.totals.zones
    return SmallAreas(
        published,
        tuple(_names(table, leaves)),
        tuple(zone[:TOWN] for zone in zones),
        dict(zip(zones, table.lines[leaves].tolist(), strict=True)),
    )


def _with_zeros(table: EstatTable, report: Report) -> EstatTable:
    """With the zero that a spreadsheet took from every code of 北海道 … 栃木県 (FM219).

    Codes have 5, 9 or 11 digits: where all have one less, it is the zero that is missing.
    """
    keys: list[str] = table.texts[KEY].tolist()
    short = {TOWN - 1, BLOCK - 1, CHOME - 1}
    if not all(len(key) in short and key.isascii() and key.isdigit() for key in keys):
        return table
    table.note(report, "FM219", row=0, column=KEY, value=keys[0], restored=f"0{keys[0]}")
    texts = dict(table.texts)
    for name in (KEY, *estat_merged.CODES):
        texts[name] = np.array([_LOST.sub(r"0\g<0>", one) for one in texts[name]], dtype=object)
    return replace(table, texts=texts)


def _names(table: EstatTable, rows: NDArray[np.intp]) -> list[str]:
    named: list[str] = table.texts[NAME][rows].tolist()
    if all(named) or CITY not in table.texts:
        return named
    # a municipality that is not divided has only its own name
    cities: list[str] = table.texts[CITY][rows].tolist()
    return [name or city for name, city in zip(named, cities, strict=True)]


def _is_used(label: str) -> bool:
    plain = cells.key(label)
    return bool(_AGE.fullmatch(plain) or _TOTAL.fullmatch(plain))


def _layout(table: EstatTable, report: Report) -> _Layout | None:
    totals: dict[str, int] = {}
    closed: dict[tuple[str, int], int] = {}
    opened: dict[tuple[str, int], int] = {}
    for place, label in enumerate(table.labels):
        plain = cells.key(label)
        if found := _TOTAL.fullmatch(plain):
            totals.setdefault(found[1], place)
        elif found := _AGE.fullmatch(plain):
            sex, start, last = found[1], int(found[2]), found[3]
            if last is None:
                opened.setdefault((sex, start), place)
            elif int(last) == start + STEP - 1:
                closed.setdefault((sex, start), place)
    lacking = [f"{sex}の総数、年齢「不詳」含む" for sex in SEX_WORDS if sex not in totals]
    # the oldest group that is open counts: taking a younger one would drop ages unsaid
    oldest = max((age for _, age in opened if age >= FIRST_OPEN), default=USUAL_OPEN)
    ages = AgeGroups.five_year(open_age=oldest)
    lacking += _lacking_ages(ages, closed, opened)
    for label in lacking:
        estat_table.note_missing(table.file, label, report=report)
    if lacking:
        return None
    details = [
        place
        for sex in SEX_WORDS
        for place in (*(closed[sex, age] for age in ages.lower[:-1]), opened[sex, ages.open_age])
    ]
    return _Layout([totals[sex] for sex in SEX_WORDS], totals.get("総数"), ages, details)


def _lacking_ages(
    ages: AgeGroups,
    closed: dict[tuple[str, int], int],
    opened: dict[tuple[str, int], int],
) -> list[str]:
    wanted = [(s, age, label) for age, label in zip(ages.lower, ages.labels(), strict=True)
              for s in SEX_WORDS]  # fmt: skip
    return [f"{sex}{label}" for sex, age, label in wanted
            if (sex, age) not in (opened if age == ages.open_age else closed)]  # fmt: skip


def _rows(table: EstatTable, municipality: str | None, report: Report) -> _Rows | None:
    keys: list[str] = table.texts[KEY].tolist()
    digits = np.array([len(key) for key in keys])
    chosen = np.ones(len(keys), dtype=np.bool_)
    if municipality is not None:
        chosen = np.array([key.startswith(municipality) for key in keys])
        if not chosen.any():
            table.note(report, "FM441", column=KEY, value=municipality)
            return None
    own = chosen
    if municipality is not None and table.has(LEADING, report=report):
        chosen = _with_parts(keys, chosen, estat_merged.with_partners(table, chosen))
    together = "".join(keys)
    plain = np.ones(len(keys), dtype=np.bool_)
    if not (together.isascii() and together.isdigit()):
        plain = np.array([key.isascii() and key.isdigit() for key in keys])
    wrong = chosen & ~(plain & np.isin(digits, (TOWN, BLOCK, CHOME)))
    expected = "01209, 012090010, 01209001001"
    table.note_rows("FM313", np.flatnonzero(wrong), column=KEY, expected=expected, report=report)
    parents = {key[:BLOCK] for key in keys if len(key) == CHOME}
    parent = np.array([key in parents for key in keys])
    leaf = chosen & ((digits == CHOME) | ((digits == BLOCK) & ~parent))
    if municipality is not None and not (leaf & own).any():  # a village that is not divided
        leaf |= np.array([key == municipality for key in keys], dtype=np.bool_)
    agree = _agree_with_level(table.texts[LEVEL], digits, parent)
    other = np.flatnonzero(chosen & ~wrong & ~agree)
    expected = "1, 2, 3, 4"
    table.note_rows("FM313", other, column=LEVEL, expected=expected, report=report)
    if wrong.any():
        return None
    return _Rows(own, chosen, leaf, digits)


def _with_parts(
    keys: list[str],
    own: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """With the 丁目 of towns of other municipalities that hold ages of ours ``(N,)``."""
    towns = {keys[row] for row in np.flatnonzero(chosen & ~own).tolist() if len(keys[row]) == BLOCK}
    if not towns:
        return chosen
    parts = np.array([len(key) == CHOME and key[:BLOCK] in towns for key in keys], dtype=np.bool_)
    return np.logical_or(chosen, parts)


def _agree_with_level(
    level: NDArray[np.object_],
    digits: NDArray[np.int64],
    parent: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether HYOSYO says what the code says, in the way of 2020 or of 2015 ``(N,)``."""
    block, chome = digits == BLOCK, digits == CHOME
    if (level == "4").any():
        said = np.where(chome, "4", np.where(block & parent, "3", "2"))
    else:
        said = np.where(chome, "3", "2")
    return np.asarray(level == np.where(digits == TOWN, "1", said), dtype=np.bool_)


def _published(
    table: EstatTable,
    layout: _Layout,
    rows: _Rows,
    origin: tuple[int, str],
    report: Report,
) -> Published | None:
    shown = rows.chosen & (table.texts[estat_merged.TREATMENT] != estat_merged.SUPPRESSED)
    totals = table.persons(layout.totals, rows=rows.chosen, report=report)
    parts = table.persons(layout.details, rows=shown, report=report)
    table.note_withheld(layout.totals, totals, rows=rows.chosen, report=report)
    table.note_withheld(layout.details, parts, rows=shown, report=report)
    if layout.both is not None:
        table.check_sum(layout.both, totals, rows=rows.chosen, report=report)
    groups = estat_merged.find_groups(table, rows=rows.leaf, report=report)
    # false for what is suppressed (NaN) or noted (negative)
    if not ((totals >= 0) | ~rows.chosen).all():
        return None
    if table.complete:  # else rows that could not be read would be missed again
        _check_parents(table, totals, rows, report)
    if not groups.sound or not ((parts >= 0) | ~shown).all():
        return None
    return _grouped(table, (layout, rows, groups), (totals, parts), origin, report)


def _grouped(
    table: EstatTable,
    found: tuple[_Layout, _Rows, Groups],
    counts: tuple[NDArray[np.float64], NDArray[np.float64]],
    origin: tuple[int, str],
    report: Report,
) -> Published | None:
    (layout, rows, groups), (totals, parts), (year, credit) = found, counts, origin
    leaves = np.flatnonzero(rows.leaf)
    holder = groups.holder[leaves]
    held = np.zeros(len(table), dtype=np.bool_)
    held[holder[holder != ABSENT]] = True
    holders = np.flatnonzero(held)
    known = np.take(parts, holders, axis=1)  # a copy
    _take_out_children(table, known, holders, parts, rows)
    if not known.min(initial=0.0) >= 0:  # negative, or NaN
        for group in np.flatnonzero((known < 0).any(axis=0)).tolist():
            row = int(holders[group])
            table.note(report, "FM319", row=row, value=table.texts[KEY][row])
        return None
    keys: list[str] = table.texts[KEY].tolist()
    published = estat_merged.publish(
        totals[:, leaves].T,
        known.T.reshape(len(holders), len(SEX_WORDS), len(layout.ages)),
        zones=[keys[row] for row in leaves],
        groups=[keys[row] for row in holders],
        group_of=estat_merged.number_groups(holder, holders),
        year=year,
        ages=layout.ages,
        credit=credit,
    )
    partial = groups.partial
    estat_merged.check_ages(table, published, holders=holders, partial=partial, report=report)
    estat_merged.note_restored(
        table, rows=rows.leaf & rows.own, persons=totals.sum(axis=0), report=report
    )
    return published


def _take_out_children(
    table: EstatTable,
    known: NDArray[np.float64],
    holders: NDArray[np.intp],
    parts: NDArray[np.float64],
    rows: _Rows,
) -> None:
    """Leave the ages of suppressed areas alone where they were added to a town above its 丁目."""
    keys = table.texts[KEY]
    above = {keys[holders[group]]: group for group in np.flatnonzero(~rows.leaf[holders]).tolist()}
    if not above:
        return
    shown = table.texts[estat_merged.TREATMENT] != estat_merged.SUPPRESSED
    for row in np.flatnonzero(rows.leaf & shown).tolist():
        group = above.get(keys[row][:BLOCK])
        if group is not None:
            known[:, group] -= parts[:, row]


def _check_parents(
    table: EstatTable,
    totals: NDArray[np.float64],
    rows: _Rows,
    report: Report,
) -> None:
    """Refuse municipalities and towns that their areas do not add up to (FM317)."""
    keys = table.texts[KEY]
    leaves = np.flatnonzero(rows.leaf)
    people = totals.sum(axis=0)
    for digits in (TOWN, BLOCK):
        above = np.flatnonzero(rows.own & ~rows.leaf & (rows.digits == digits)).tolist()
        if not above:
            continue
        towns, position = by_parent([key[:digits] for key in keys[leaves].tolist()])
        counted = np.bincount(position, weights=people[leaves], minlength=len(towns))
        sums = dict(zip(towns, counted.tolist(), strict=True))
        for row in above:
            below = sums.get(keys[row], 0.0)
            if below != people[row]:
                table.note(
                    report, "FM317", row=row, value=f"{people[row]:g}", zone=keys[row],
                    expected=f"{below:g}",
                )  # fmt: skip

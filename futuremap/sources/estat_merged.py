"""Rows of e-Stat tables that are suppressed (秘匿) and counted in another row (合算).

Totals by sex are published for every row. The ages of a row with HTKSYORI 2 are withheld and added
to those of the row named in HTKSAKI, which has HTKSYORI 1 and lists such rows in GASSAN. What is
known is therefore a total a zone, ages a group of zones, and which zones form a group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.population import Population
from futuremap.problems import Report
from futuremap.sources import cells
from futuremap.sources.estat_bytes import KEY
from futuremap.sources.estat_table import EstatTable

VERIFIED = True
TREATMENT, PARTNER, MEMBERS = "HTKSYORI", "HTKSAKI", "GASSAN"
LEADING = (TREATMENT, PARTNER, MEMBERS)
CODES = (PARTNER, MEMBERS)  # those that hold codes of other rows
ALONE, HOLDER, SUPPRESSED = "0", "1", "2"
LONGEST_LIST = 10_000  # characters; the longest seen has 9 codes
ABSENT = -1  # position of a partner that the file does not hold
ANY_AGE = AgeGroups((0,))
_SEPARATORS = re.compile(r"[;,:/、\s]+")


class Published(NamedTuple):
    """What a table says, before anything is restored.

    totals
        People by sex in every zone, in one age group, those of unknown age included. [persons]
    details
        People by sex and age in every group of zones; those of unknown age are in none. [persons]
    merged
        Zones to groups; a zone whose partner is not in the file is in no group.
    """

    totals: Population
    details: Population
    merged: Crosswalk


class Groups(NamedTuple):
    """Which row of a table holds the ages of each row.

    holder
        Position of the row, its own where nothing was merged, or ABSENT ``(N,)``.
    partial
        Rows that also hold ages of areas outside the file ``(N,)``.
    sound
        Whether no two rows contradict each other.
    """

    holder: NDArray[np.intp]
    partial: NDArray[np.bool_]
    sound: bool


def find_groups(table: EstatTable, *, rows: NDArray[np.bool_], report: Report) -> Groups:
    """Follow HTKSAKI and GASSAN of the rows asked for ``(N,)``.

    Notes FM314 where the three columns contradict each other, the warning FM315 where a partner
    is not in the file, and FM442 where no row has its ages.
    """
    before = len(report.errors)
    treatment = table.texts[TREATMENT]
    position = _positions(table.texts[KEY].tolist())
    holder = np.arange(len(table), dtype=np.intp)
    partial = np.zeros(len(table), dtype=np.bool_)
    strange = rows & ~np.isin(treatment, [ALONE, HOLDER, SUPPRESSED])
    for row in np.flatnonzero(strange).tolist():
        _contradicts(table, row, TREATMENT, report, "0・1・2 ではありません", "not 0, 1 or 2")
    for row in np.flatnonzero(rows & (treatment == SUPPRESSED)).tolist():
        holder[row] = _follow(table, row, position, report)
    for row in np.flatnonzero(rows & (treatment == HOLDER)).tolist():
        partial[row] = _check_members(table, row, position, holder, report)
    if not (rows & (holder != ABSENT)).any():
        table.note(report, "FM442", column=TREATMENT)
    return Groups(holder, partial, len(report.errors) == before)


def _positions(keys: list[str]) -> dict[str, int]:
    return dict(zip(keys, range(len(keys)), strict=True))


def with_partners(table: EstatTable, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Some rows with all that their ages are merged with, in other municipalities too ``(N,)``.

    Ages of a group are known only in all, so it must be restored as a whole.
    """
    keys: list[str] = table.texts[KEY].tolist()
    position = _positions(keys)
    suppressed = np.flatnonzero(table.texts[TREATMENT] == SUPPRESSED)
    written = [cells.heading(table.texts[PARTNER][row]) for row in suppressed.tolist()]
    holder = np.array(
        [_resolve(code, keys[row], position) if code else ABSENT
         for row, code in zip(suppressed.tolist(), written, strict=True)], dtype=np.intp,
    )  # fmt: skip
    ours = np.zeros(len(table), dtype=np.bool_)
    ours[holder[chosen[suppressed] & (holder != ABSENT)]] = True
    ours |= chosen & (table.texts[TREATMENT] == HOLDER)
    more = chosen | ours
    more[suppressed[(holder != ABSENT) & ours[holder]]] = True
    return more


def _follow(table: EstatTable, row: int, position: dict[str, int], report: Report) -> int:
    written = cells.heading(table.texts[PARTNER][row])
    if not written:
        _contradicts(
            table, row, PARTNER, report,
            "秘匿の行に合算先がありません", "a suppressed row without a partner",
        )  # fmt: skip
        return ABSENT
    found = _resolve(written, table.texts[KEY][row], position)
    if found == ABSENT:
        if table.complete:  # else it may stand in a row that could not be read
            table.note(report, "FM315", row=row, column=PARTNER, value=written)
    elif found == row or table.texts[TREATMENT][found] != HOLDER:
        _contradicts(
            table, row, PARTNER, report,
            "合算先の HTKSYORI が 1 ではありません", "HTKSYORI of the partner is not 1",
        )  # fmt: skip
    return found


def _check_members(
    table: EstatTable,
    row: int,
    position: dict[str, int],
    holder: NDArray[np.intp],
    report: Report,
) -> bool:
    """Whether the row also holds ages of rows that the file does not have."""
    written = cells.heading(table.texts[MEMBERS][row])
    listed = [code for code in _SEPARATORS.split(written[:LONGEST_LIST]) if code]
    members = [_resolve(code, table.texts[KEY][row], position) for code in listed]
    absent = [code for code, member in zip(listed, members, strict=True) if member == ABSENT]
    if absent and table.complete:
        table.note(report, "FM315", row=row, column=MEMBERS, value=";".join(absent))
    if not listed or any(member not in {ABSENT, row} and holder[member] != row
                         for member in members):  # fmt: skip
        _contradicts(
            table, row, MEMBERS, report,
            "GASSAN の区域の HTKSAKI と食い違います", "HTKSAKI of the areas in GASSAN differs",
        )  # fmt: skip
    return bool(absent)


def _resolve(code: str, key: str, position: dict[str, int]) -> int:
    if code in position:
        return position[code]
    # some editions leave out the municipality, and with it zeros that mean something
    town = key[:5]
    for full in (town + code, town + code.zfill(4), town + code.zfill(6)):
        if full in position:
            return position[full]
    return ABSENT


def _contradicts(
    table: EstatTable,
    row: int,
    column: str,
    report: Report,
    reason_ja: str,
    reason_en: str,
) -> None:
    value = table.texts[column][row]
    table.note(
        report, "FM314", row=row, column=column, value=value,
        key=table.texts[KEY][row], reason_ja=reason_ja, reason_en=reason_en,
    )  # fmt: skip


def number_groups(holder: NDArray[np.intp], holders: NDArray[np.intp]) -> NDArray[np.intp]:
    """Position of each holder in the sorted list of holders, or ABSENT.

    Examples
    --------
    >>> number_groups(np.array([3, 7, -1, 7]), np.array([3, 7])).tolist()
    [0, 1, -1, 1]
    """
    return np.where(holder == ABSENT, ABSENT, np.searchsorted(holders, holder))


def note_restored(
    table: EstatTable,
    *,
    rows: NDArray[np.bool_],
    persons: NDArray[np.float64],
    report: Report,
) -> None:
    """Say how many of the rows, with how many people ``(N,)``, are suppressed (FM316)."""
    suppressed = rows & (table.texts[TREATMENT] == SUPPRESSED)
    if suppressed.any():
        count = int(suppressed.sum())
        people = f"{persons[suppressed].sum():g}"
        table.note(report, "FM316", column=TREATMENT, value=count, count=count, persons=people)


def check_ages(
    table: EstatTable,
    published: Published,
    *,
    holders: NDArray[np.intp],
    partial: NDArray[np.bool_],
    report: Report,
) -> None:
    """Refuse groups with more people by age than in all (FM318).

    Parameters
    ----------
    table, published
        The table and what was read from it.
    holders
        Row of each group ``(G,)``.
    partial
        Rows that may hold more, as they have ages from outside the file ``(N,)``.
    report
        Takes the problems.
    """
    in_all = published.merged.weights @ published.totals.persons[0, :, :, 0]
    by_age = published.details.persons[0].sum(axis=2)
    over = (by_age > in_all) & ~partial[holders][:, np.newaxis]
    for group, sex in np.argwhere(over):
        table.note(
            report, "FM318", row=int(holders[group]), value=f"{by_age[group, sex]:g}",
            zone=published.details.zones[group], sex_ja="男女"[sex],
            sex_en=("male", "female")[sex], expected=f"{in_all[group, sex]:g}",
        )  # fmt: skip


def publish(
    totals: NDArray[np.float64],
    details: NDArray[np.float64],
    *,
    zones: Sequence[str],
    groups: Sequence[str],
    group_of: NDArray[np.intp],
    year: int,
    ages: AgeGroups,
    credit: str,
) -> Published:
    """Put numbers and labels together.

    Parameters
    ----------
    totals
        By zone and sex ``(Z, S)``. [persons]
    details
        By group, sex and age ``(G, S, A)``. [persons]
    zones, groups
        Their labels.
    group_of
        Group of each zone, or ABSENT ``(Z,)``.
    year, ages, credit
        Year, age groups and credit key of the table.
    """
    known = np.flatnonzero(group_of != ABSENT)
    walk = from_pairs(
        group_of[known],
        known,
        np.ones(known.size),
        targets=groups,
        sources=zones,
        rule="zones to the row of the table that holds their ages",
        credits=[credit],
    )
    whole = Population.build(
        totals[np.newaxis, :, :, np.newaxis],
        years=[year], zones=zones, ages=ANY_AGE, sources=[credit],
    )  # fmt: skip
    by_age = Population.build(
        details[np.newaxis], years=[year], zones=groups, ages=ages, sources=[credit],
    )  # fmt: skip
    return Published(whole, by_age, walk)

"""The resident register brought to the level of the census: who lives there, not who is listed.

Students and workers who moved without notice stand in the register of one town and live in
another; the census counts them where they live. Small areas come from the register, their level
by municipality, sex and age from the census of the same or a nearby date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES, Flag, Population
from futuremap.core.zones import by_parent
from futuremap.errors import LabelError
from futuremap.problems import Report

LARGEST = 1.5  # census and register of a whole town may differ by this factor, either way
LARGEST_CELL = 5.0  # of one sex and age group, if the larger number is at least:
FIRM = 100.0  # [persons]
NOTICED = 0.1  # difference of a town's totals that is worth a word [ratio]
MAX_YEARS = 2  # between the two dates
SEX_NAMES = {"male": ("男", "men"), "female": ("女", "women")}


class Factors(NamedTuple):
    """How many people the census counted for each one in the register.

    factor
        Census / register by municipality, sex and age group ``(M, S, A)``; 1 where neither has
        anybody. [ratio]
    overall
        The same of all people ``(M,)``. [ratio]
    municipalities
        Codes of the first axis.
    ages
        Groups of the last axis, those of the register.
    years
        Of the register, and of the census.
    pooled
        Where neighbouring ages were taken together, for the register had nobody in one of
        them ``(M, S, A)``.
    sources
        Credit keys of the census.
    """

    factor: NDArray[np.float64]
    overall: NDArray[np.float64]
    municipalities: tuple[str, ...]
    ages: AgeGroups
    years: tuple[int, int]
    pooled: NDArray[np.bool_]
    sources: tuple[str, ...]


def factors(
    register: Population,
    census: Population,
    *,
    parents: Sequence[str],
    report: Report,
    file: str = "",
) -> Factors | None:
    """Compare a register with the census, and refuse what cannot be of one town.

    Parameters
    ----------
    register
        Zones of one date. [persons]
    census
        Municipalities of one date, unknown ages spread. Ages are compared in the groups that
        both have. [persons]
    parents
        Municipality of each zone of the register ``(Z,)``.
    report
        Takes the errors FM475 (totals too far apart), FM476 (a group of one sex too far apart)
        and FM479 (years too far apart), and the warnings FM477 (totals that differ by a tenth)
        and FM478 (ages that were taken together).
    file
        Name of the register's file.

    Returns
    -------
    Factors or None
        None if anything was refused.

    Raises
    ------
    LabelError
        If there are several years, or zones, parents and ages do not match.

    Examples
    --------
    >>> ages = AgeGroups((0, 65))
    >>> register = Population.build([[[[40.0, 10.0], [30.0, 20.0]], [[40.0, 10.0], [50.0, 0.0]]]],
    ...                             years=[2020], zones=["a", "b"], ages=ages)
    >>> census = Population.build([[[[72.0, 20.0], [88.0, 20.0]]]], years=[2020],
    ...                           zones=["37201"], ages=ages)
    >>> found = factors(register, census, parents=["37201"] * 2, report=Report())
    >>> found.factor[0].tolist(), found.overall.tolist()
    ([[0.9, 1.0], [1.1, 1.0]], [1.0])
    >>> scaled(register, found, parents=["37201"] * 2).persons[0, :, 0].tolist()
    [[36.0, 10.0], [36.0, 10.0]]
    """
    codes, row = _positions(register, parents, census.zones)
    if len(register.years) != 1 or len(census.years) != 1:
        raise LabelError("a register and a census of one year each are compared")
    shared = AgeGroups(tuple(sorted(set(register.ages.lower) & set(census.ages.lower))))
    listed = np.zeros((len(codes), len(SEXES), len(register.ages)))
    np.add.at(listed, row, register.persons[0])
    merge = register.ages.merge_matrix(shared)
    broad = listed @ merge.T
    counted = census.only(codes).persons[0] @ census.ages.merge_matrix(shared).T
    before = len(report.errors)
    years = (register.years[0], census.years[0])
    if abs(years[0] - years[1]) > MAX_YEARS:
        report.add("FM479", file=file, value=years[0], census=years[1], most=MAX_YEARS)
    _check_totals(broad, counted, codes, report=report, file=file)
    _check_cells(broad, counted, codes, ages=shared, report=report, file=file)
    if len(report.errors) > before:
        return None
    factor, pooled = _factors(broad, counted)
    _note_pooled(pooled, codes, ages=shared, report=report, file=file)
    in_all = (broad.sum(axis=(1, 2)), counted.sum(axis=(1, 2)))
    overall = np.divide(in_all[1], in_all[0], out=np.ones(len(codes)), where=in_all[0] > 0)
    owner = merge.argmax(axis=0)
    return Factors(
        factor[..., owner], overall, tuple(codes), register.ages, years, pooled[..., owner],
        census.sources,
    )  # fmt: skip


def scaled(register: Population, by: Factors, *, parents: Sequence[str]) -> Population:
    """Bring a register, of the date of the factors or of a later one, to the census's level.

    Returns
    -------
    Population
        Years, zones and ages of the register. Of the date of the factors, the sums by
        municipality, sex and age group are those of the census; pooled ages together. Flags and
        imputed shares stay, with RAKED added; cells of pooled ages are IMPUTED.

    Raises
    ------
    LabelError
        If ages or municipalities are not those of the factors.
    """
    if register.ages != by.ages:
        raise LabelError(f"factors for {by.ages.lower}, register by {register.ages.lower}")
    codes, row = _positions(register, parents, by.municipalities)
    at = np.array([by.municipalities.index(code) for code in codes])[row]
    persons = register.persons * by.factor[at]
    old: NDArray[np.uint8] = register.data["flag"].values
    cells = old if old.ndim > 2 else old[:, :, np.newaxis, np.newaxis]  # noqa: PLR2004 - (Y, Z)
    flags = np.broadcast_to(cells, persons.shape) | np.uint8(Flag.RAKED)
    made = by.pooled[at] & (persons > 0)
    flags = np.where(made, (flags & ~np.uint8(Flag.OBSERVED)) | np.uint8(Flag.IMPUTED), flags)
    totals = persons.sum(axis=(2, 3))
    part = np.where(made, persons, 0.0).sum(axis=(2, 3))
    fresh = np.divide(part, totals, out=np.zeros_like(totals), where=totals > 0)
    return Population.build(
        persons,
        years=register.years,
        zones=register.zones,
        ages=register.ages,
        flag=flags,
        imputed_share=register.imputed_share * (1 - fresh) + fresh,
        sources=(*register.sources, *by.sources),
    )


def _positions(
    register: Population,
    parents: Sequence[str],
    known: tuple[str, ...],
) -> tuple[list[str], NDArray[np.intp]]:
    if len(parents) != len(register.zones):
        raise LabelError(f"{len(parents)} parents for {len(register.zones)} zones")
    codes, row = by_parent(parents)
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise LabelError(f"no census of the municipalities {unknown[:5]}")
    return codes, row


def _check_totals(
    listed: NDArray[np.float64],
    counted: NDArray[np.float64],
    codes: list[str],
    *,
    report: Report,
    file: str,
) -> None:
    pairs = zip(codes, listed.sum(axis=(1, 2)), counted.sum(axis=(1, 2)), strict=True)
    for code, in_register, in_census in pairs:
        low, high = sorted((in_register, in_census))
        if high == 0:
            continue
        far = high > LARGEST * low
        if far or abs(in_census - in_register) > NOTICED * in_register:
            ratio = f"{in_census / in_register:.3f}" if in_register else "∞"
            report.add(
                "FM475" if far else "FM477",
                file=file,
                value=ratio,
                municipality=code,
                register=f"{in_register:,.0f}",
                census=f"{in_census:,.0f}",
                most=LARGEST,
            )


def _check_cells(
    listed: NDArray[np.float64],
    counted: NDArray[np.float64],
    codes: list[str],
    *,
    ages: AgeGroups,
    report: Report,
    file: str,
) -> None:
    low, high = np.minimum(listed, counted), np.maximum(listed, counted)
    # a sex of which the register has nobody at all cannot be scaled, however few they are
    nobody = (listed.sum(axis=2) == 0) & (counted.sum(axis=2) > 0)
    far = ((high >= FIRM) & (high > LARGEST_CELL * low)) | (nobody[..., np.newaxis] & (counted > 0))
    for m, s, a in np.argwhere(far):
        names = SEX_NAMES[SEXES[s]]
        report.add(
            "FM476",
            file=file,
            column=f"{names[0]} {ages.labels()[a]}",
            value=f"{listed[m, s, a]:,.0f}",
            municipality=codes[m],
            census=f"{counted[m, s, a]:,.0f}",
            most=f"{LARGEST_CELL:g}",
        )


def _factors(
    listed: NDArray[np.float64],
    counted: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    factor = np.divide(counted, listed, out=np.ones_like(listed), where=listed > 0)
    pooled = np.zeros(listed.shape, dtype=bool)
    lacking = ((listed == 0) & (counted > 0)).any(axis=2)
    for m, s in np.argwhere(lacking):
        for ages in _pools(listed[m, s], counted[m, s]):
            factor[m, s, ages] = counted[m, s, ages].sum() / listed[m, s, ages].sum()
            pooled[m, s, ages] = True
    return factor, pooled


def _pools(listed: NDArray[np.float64], counted: NDArray[np.float64]) -> list[slice]:
    """Runs of ages to take together: each lacking one with those younger, else older."""
    runs: list[slice] = []
    stop = len(listed)
    for start in reversed(range(len(listed))):
        if listed[start:stop].sum() > 0 or counted[start:stop].sum() == 0:
            runs.append(slice(start, stop))
            stop = start
    while stop > 0 and runs:  # the register lacks the youngest: they go with older ones
        run = slice(0, runs.pop().stop)
        if listed[run].sum() > 0:
            runs.append(run)
            stop = 0
    return [run for run in runs if run.stop - run.start > 1]


def _note_pooled(
    pooled: NDArray[np.bool_],
    codes: list[str],
    *,
    ages: AgeGroups,
    report: Report,
    file: str,
) -> None:
    for m, s in np.argwhere(pooled.any(axis=2)):
        shown = [ages.labels()[a] for a in np.flatnonzero(pooled[m, s])]
        names = SEX_NAMES[SEXES[s]]
        report.add(
            "FM478",
            file=file,
            column=names[0],
            value="、".join(shown),
            municipality=codes[m],
            count=len(shown),
        )

"""国土数値情報 メッシュ別将来推計人口: the editions of 2018 (H30) and 2024 (R6), 1 km to 250 m.

未検証 (VERIFIED = False): no whole file is at hand; the columns are those of the attribute list and
of single meshes that have been seen (2018: sums checked on two meshes; 2024: names and marks).

Both sexes together, so this is no :class:`~futuremap.core.population.Population` but a
:class:`MeshProjection` of totals and five-year ages: a rival to compare with, or totals to meet.
``PTN_2030`` is the total of every mesh as it is; the ages ``PT01_2030`` … of small meshes are
hidden (HITOKU2030 ``*``) and counted in a neighbour (``@``), which GASSAN2030 names. They are put
back here: the ages of the whole group, shared out by PTN. What was touched is flagged.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import Flag
from futuremap.core.table import Table
from futuremap.problems import Report
from futuremap.sources import ksj_mesh_columns as columns
from futuremap.sources.ksj_mesh_columns import TOWN, Floats, Meshes, Names
from futuremap.sources.limits import Refused

VERIFIED = False
BROAD = {"A": (0, 15), "B": (15, 65), "C": (65, None), "D": (75, None), "E": (80, None)}
CLOSE = 1e-3  # persons by which a sum of numbers with four decimals may miss its total
GROUP_CLOSE = 0.05  # persons by which the ages of a group may miss its total
HIDDEN, RECEIVING = "*", "@"


class MeshProjection(NamedTuple):
    """A projection of both sexes together, by mesh.

    zones
        Mesh codes ``(Z,)``, ascending.
    years
        Years of the totals ``(Y,)``.
    totals
        All people ``(Y, Z)``. [persons]
    age_years
        Years that have ages ``(X,)``, some of `years`: the base year of 2024 has none.
    ages
        Five-year groups, open from 90 (2018) or 95 (2024).
    persons
        People by age ``(X, Z, A)``, which add up to `totals`. [persons]
    flag
        PROJECTED, with MERGED and IMPUTED where ages were put back ``(X, Z)``.
    sources
        Credit keys.
    """

    zones: tuple[str, ...]
    years: tuple[int, ...]
    totals: Floats
    age_years: tuple[int, ...]
    ages: AgeGroups
    persons: Floats
    flag: NDArray[np.uint8]
    sources: tuple[str, ...]

    def as_table(self) -> Table:
        """Totals and broad ages as indicators; NaN in the years that have no ages."""
        rows = [self.years.index(year) for year in self.age_years]
        values = {"population": self.totals}
        for name, start, stop in (
            ("population_0_14", 0, 15),
            ("population_15_64", 15, 65),
            ("population_65_over", 65, None),
            ("population_75_over", 75, None),
        ):
            part = self.ages.between(start, stop) if stop else self.ages.at_least(start)
            values[name] = np.full(self.totals.shape, np.nan)
            values[name][rows] = self.persons[:, :, part].sum(axis=2)
        return Table.build(values, years=self.years, zones=self.zones)


class _Restored(NamedTuple):
    persons: Floats  # (N, A)
    flag: NDArray[np.uint8]  # (N,)
    hidden: NDArray[np.bool_]  # whether the ages stand with another mesh (N,)


def read(
    path: Path,
    *,
    codes: Collection[str],
    credit: str,
    report: Report,
    layer: str = "",
) -> MeshProjection | None:
    """Read the meshes of one municipality.

    Parameters
    ----------
    path
        Shapefile (or a zip of one), GeoJSON or GeoPackage. Shapes are not needed: where a mesh
        lies is what its code says.
    codes
        Codes of the municipality as in SHICODE: one, or those of all wards of a designated city.
    credit
        Key of the credit line.
    report
        Takes FM101 to FM105, FM301 to FM303, FM431, FM452 to FM458, FM484 to FM486, FM548,
        FM549 and FM576.
    layer
        Which layer of a GeoPackage or shapefile of a zip, if it has several.

    Returns
    -------
    MeshProjection or None
        None if any of the municipality's numbers, or of the meshes that they are merged with, is
        in doubt.
    """
    try:
        every = columns.open_meshes(path, layer, report)
        return None if every is None else _read(every, codes=codes, credit=credit)
    except Refused as refused:
        refused.note(report, file=path.name)
    except columns.BROKEN as error:
        reason = f"zip が壊れています / the zip is broken ({type(error).__name__})"
        Refused.format("zip", reason, code="FM331").note(report, file=path.name)
    return None


def _read(every: Meshes, *, codes: Collection[str], credit: str) -> MeshProjection | None:
    names = columns.find_names(every)
    towns = np.array([text.zfill(5) for text in columns.codes_of(every.columns[TOWN])], dtype=str)
    ours = np.isin(towns, sorted(codes))
    if not ours.any():
        every.note("FM431", value=", ".join(sorted(codes)))
    if names is None or not ours.any():
        return None
    rows = np.flatnonzero(columns.with_partners(every, names, ours))
    meshes = every.only(rows)
    if not columns.are_codes_sound(meshes):
        return None
    return _projection(meshes, names, ours[rows], credit)


def _projection(
    meshes: Meshes,
    names: Names,
    ours: NDArray[np.bool_],
    credit: str,
) -> MeshProjection | None:
    years, age_years = sorted(names.totals), sorted(names.five)
    totals = {year: meshes.numbers(names.totals[year]) for year in years}
    restored = [_year(meshes, names, year, totals[year], ours) for year in age_years]
    sound = [found for found in restored if found is not None]
    if len(sound) < len(age_years) or not all(
        np.isfinite(people).all() for people in totals.values()
    ):
        return None
    order = np.flatnonzero(ours)[np.argsort(meshes.codes[ours].astype(str))]
    persons = np.array([of.persons for of in sound])[:, order]
    flags = np.array([of.flag for of in sound])[:, order]
    hidden = np.array([of.hidden for of in sound])[:, order]
    _say_restored(meshes, flags, hidden)
    return MeshProjection(
        zones=tuple(meshes.codes[order]),
        years=tuple(years),
        totals=np.array([totals[year] for year in years])[:, order],
        age_years=tuple(age_years),
        ages=AgeGroups(tuple(range(0, 5 * persons.shape[2], 5))),
        persons=persons,
        flag=flags,
        sources=(credit,),
    )


def _year(
    meshes: Meshes,
    names: Names,
    year: int,
    totals: Floats,
    ours: NDArray[np.bool_],
) -> _Restored | None:
    """Ages in one year; None if any is in doubt."""
    five = np.stack([meshes.numbers(name) for name in names.five[year]], axis=1)
    agree = _sums_agree(meshes, names, year, five)
    where = _groups(meshes, names, year, ours)
    if where is None or not agree or not (np.isfinite(five).all() and np.isfinite(totals).all()):
        return None
    sums = five.sum(axis=1)
    known = _check_groups(meshes, names.sums[year], sums, totals, ours=ours, where=where)
    return _restore(five, totals, where) if known else None


def _sums_agree(meshes: Meshes, names: Names, year: int, five: Floats) -> bool:
    """Whether PT00 and PTA … PTE are the sums of their groups in every mesh."""
    ages = AgeGroups(tuple(range(0, 5 * five.shape[1], 5)))
    parts = {names.sums[year]: slice(None)}
    for letter, name in names.broad.get(year, {}).items():
        start, stop = BROAD[letter]
        parts[name] = ages.between(start, stop) if stop else ages.at_least(start)
    fine = True
    for name, part in parts.items():
        stated, found = meshes.numbers(name), five[:, part].sum(axis=1)
        wrong = np.abs(stated - found) > CLOSE  # not where one is NaN, which has been noted
        fine &= not wrong.any() and bool(np.isfinite(stated).all())
        for row in np.flatnonzero(wrong).tolist():
            value, expected = f"{stated[row]:.4f}", f"{found[row]:.4f}"
            meshes.note("FM454", row, name, value=value, expected=expected, zone=meshes.codes[row])
    return fine


def _groups(
    meshes: Meshes,
    names: Names,
    year: int,
    ours: NDArray[np.bool_],
) -> NDArray[np.intp] | None:
    """Row of the mesh in which the ages of each mesh are counted ``(N,)``."""
    where = np.arange(len(meshes.codes))
    if year not in names.hidden:
        return where
    marks = columns.codes_of(meshes.columns[names.hidden[year]])
    partners = np.full(len(marks), "", dtype=object)
    if year in names.partner:
        partners = columns.codes_of(meshes.columns[names.partner[year]])
    position = {code: row for row, code in enumerate(meshes.codes)}
    fine = True
    for row in np.flatnonzero(marks != "").tolist():
        if marks[row] == HIDDEN and partners[row] in position:
            where[row] = position[partners[row]]
        elif marks[row] != RECEIVING and ours[row]:
            fine = False
            column = names.partner.get(year, names.hidden[year])
            value = partners[row] or marks[row]
            meshes.note("FM455", row, column, value=value, zone=meshes.codes[row], year=year)
    return where if fine else None


def _check_groups(
    meshes: Meshes,
    column: str,
    published: Floats,
    people: Floats,
    *,
    ours: NDArray[np.bool_],
    where: NDArray[np.intp],
) -> bool:
    """Whether the groups with one of our meshes have ages; which miss their total is noted."""
    count = len(people)
    by_age = np.bincount(where, published, minlength=count)
    in_all = np.bincount(where, people, minlength=count)
    of_ours = np.zeros(count, dtype=bool)
    of_ours[where[ours]] = True
    missed = of_ours & (np.abs(by_age - in_all) > GROUP_CLOSE)
    for row in np.flatnonzero(missed).tolist():
        code = "FM456" if by_age[row] > 0 else "FM457"
        value, expected = f"{by_age[row]:.4f}", f"{in_all[row]:.4f}"
        meshes.note(code, row, column, value=value, expected=expected, zone=meshes.codes[row])
    return not (missed & (by_age <= 0)).any()


def _restore(
    five: Floats,
    totals: Floats,
    where: NDArray[np.intp],
) -> _Restored:
    """Ages of every mesh, those of merged ones shared out."""
    count = len(totals)
    of_group = np.zeros_like(five)
    np.add.at(of_group, where, five)
    published = of_group.sum(axis=1)
    known = published[:, np.newaxis]
    share = np.divide(of_group, known, out=np.zeros_like(five), where=known > 0)
    merged = np.bincount(where, minlength=count)[where] > 1
    kept = ~merged & (np.abs(published - totals) <= GROUP_CLOSE)
    persons = np.where(kept[:, np.newaxis], five, totals[:, np.newaxis] * share[where])
    flag = np.full(count, Flag.PROJECTED, dtype=np.uint8)
    flag[merged] |= np.uint8(Flag.MERGED)
    flag[~kept] |= np.uint8(Flag.IMPUTED)  # of the receiving mesh too, ages are no longer its own
    return _Restored(persons, flag, where != np.arange(count))


def _say_restored(
    meshes: Meshes,
    flags: NDArray[np.uint8],
    hidden: NDArray[np.bool_],
) -> None:
    merged = (flags & np.uint8(Flag.MERGED)) > 0
    if merged.any():
        meshes.note(
            "FM458",
            column="HITOKU",
            value=HIDDEN,
            count=int(hidden.any(axis=0).sum()),
            with_partners=int(merged.any(axis=0).sum()),
        )

"""e-Stat texts on trial: 小地域 and 地域メッシュ統計."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from futuremap.core import mesh
from futuremap.core.mesh import Level
from futuremap.problems import Report
from futuremap.sources import estat_mesh, estat_small_area
from futuremap.sources.recognised import (
    TOO_LARGE,
    Clues,
    Lack,
    Place,
    Recognised,
    faults,
    recognised,
)

# tables of the census by the number that e-Stat gives them: small areas, then meshes of 1 km,
# 500 m, 250 m and 125 m, in degrees of JGD2000 and of JGD2011
YEARS = {
    **dict.fromkeys(("T000848", "T000849", "T000846", "T000847", "T000876"), 2015),
    **dict.fromkeys(("T001081", "T001082", "T001100", "T001101", "T001102"), 2020),
    **dict.fromkeys(("T001140", "T001141", "T001142", "T001225", "T001231"), 2020),
}
LEVELS = {Level.KM1: "1 km", Level.M500: "500 m", Level.M250: "250 m", Level.M125: "125 m"}
ANY_YEAR = 2020  # for the trial, where the table does not say it
# tables that are known by name and not read, with what they hold
NOT_READ: dict[str, Lack] = {
    "T001192": (
        "5歳階級別のメッシュ人口（T001192）は読みません。総数の表（T001101 など）を使ってください",
        "people by five-year age and mesh (T001192) are not read: use the totals (T001101 …)",
    ),
}
NO_YEAR: Lack = ("表番号から年が分かりません", "the number of the table does not tell its year")
FIRST = 4  # digits of a first mesh
_TABLE = re.compile(r"T[0-9]{6}")


def estat_file(path: Path, first: str, *, whole: bool) -> Recognised:
    """What a text of e-Stat is.

    Parameters
    ----------
    path
        The file, which may be packed.
    first
        Its first line.
    whole
        Whether it is small enough to be read.
    """
    number = _TABLE.search(first)
    if number and number[0] in NOT_READ:
        detail = Clues(detail=number[0])
        return recognised(path, "estat_mesh", lacks=(NOT_READ[number[0]],), clues=detail)
    year = YEARS.get(number[0]) if number else None
    lacks = () if year else (NO_YEAR,)
    is_small_area = "HYOSYO" in first
    if not whole:
        kind = "estat_small_area" if is_small_area else "estat_mesh"
        years = (year,) if year else ()
        verified = not is_small_area
        lacks = (*lacks, TOO_LARGE)
        return recognised(
            path, "estat_small_area" if is_small_area else "estat_mesh", years=years, lacks=lacks,
            verified=verified, clues=Clues(detail=number[0] if number else kind),
        )  # fmt: skip
    read = _small_areas if is_small_area else _meshes
    return read(path, number[0] if number else "", year, lacks)


def _small_areas(path: Path, table: str, year: int | None, lacks: tuple[Lack, ...]) -> Recognised:
    report = Report()
    found = estat_small_area.read(
        path, year=year or ANY_YEAR, municipality=None, credit="", report=report
    )
    towns = () if found is None else tuple(Place(code) for code in sorted(set(found.parents)))
    return recognised(
        path,
        "estat_small_area",
        years=(year,) if year else (),
        zones=None if found is None else len(found.names),
        people=None if found is None else float(found.published.totals.totals().sum()),
        lacks=(*lacks, *faults(report)),
        verified=estat_small_area.VERIFIED,
        clues=Clues(towns=towns, detail=table),
    )


def _extent(found: estat_mesh.MeshTable | None) -> tuple[float, float, float, float] | None:
    """That of the first meshes of a table."""
    if found is None or not found.published.totals.zones:
        return None
    firsts = sorted({code[:FIRST] for code in found.published.totals.zones})
    box = mesh.bounds(np.array(firsts))
    return (
        float(box.west.min()),
        float(box.south.min()),
        float(box.east.max()),
        float(box.north.max()),
    )


def _meshes(path: Path, table: str, year: int | None, lacks: tuple[Lack, ...]) -> Recognised:
    report = Report()
    found = estat_mesh.read(path, year=year or ANY_YEAR, credit="", report=report)
    size = "" if found is None else LEVELS.get(found.level, "")
    people = None if found is None else found.published.totals
    return recognised(
        path,
        "estat_mesh",
        years=(year,) if year else (),
        zones=None if people is None else len(people.zones),
        people=None if people is None else float(people.totals().sum()),
        lacks=(*lacks, *faults(report)),
        verified=(table, size) == ("T001102", "250 m"),
        clues=Clues(detail=f"{table} {size}".strip(), extent=_extent(found)),
    )

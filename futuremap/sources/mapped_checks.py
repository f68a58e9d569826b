"""What a mapped table says about itself: totals that add up, areas that are complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from futuremap.sources import cells
from futuremap.sources.mapped_cube import BOTH, Cube
from futuremap.sources.mapped_rows import Rows

SEX_NAMES = ("男", "女")


def check(rows: Rows, cube: Cube, *, zones: Mapping[str, str] | None) -> None:
    """Note what is missing (FM216, FM412) and what does not add up (FM305, FM325).

    Parameters
    ----------
    rows
        The rows the cube was filled from.
    cube
        The persons.
    zones
        Zones that must be there; None if any will do.
    """
    for zone in dict.fromkeys(zones.values()) if zones else ():
        if zone not in rows.names:
            year = "・".join(map(str, cube.years))
            rows.columns.note_file("FM412", value=zone, zone=zone, year=year)
            rows.sound = False
    _note_missing(rows, cube)
    _check_totals(rows, cube)
    _check_everywhere(rows, cube)


def _note_missing(rows: Rows, cube: Cube) -> None:
    absent = cube.row[:, :-1, :BOTH, :-2] < 0
    names = list(rows.names)
    # of a row whose year, sex or age was not understood, that has been said
    labels = zip(rows.zone, rows.year, rows.sex, rows.age, strict=True)
    said = {zone for zone, *about in labels if None in about}
    for y, z in np.argwhere(absent.any(axis=(2, 3))):
        if names[z] in said:
            continue
        s, a = np.argwhere(absent[y, z])[0]
        expected = f"{cube.years[y]} {SEX_NAMES[s]} {_label(cube, a)}"
        zone = names[z]
        columns = rows.columns
        columns.report.add(
            "FM216",
            file=columns.table.file,
            sheet=columns.table.sheet,
            line=rows.lines[zone],
            value=int(absent[y, z].sum()),
            zone=rows.names[zone],
            expected=expected,
        )


def _label(cube: Cube, a: int) -> str:
    lower, upper = cube.spans[a]
    return f"{lower}+" if upper is None else f"{lower}-{upper - 1}"


def _check_totals(rows: Rows, cube: Cube) -> None:
    # of ages by sex, of sexes by age, of all
    people, unknown = cube.people, np.nan_to_num(cube.unknown)
    by_sex = people.sum(axis=3) + unknown
    stated = cube.stated[:, :-1]
    both_unknown = np.nan_to_num(stated[..., BOTH, -1] - unknown.sum(axis=2))
    expected = np.full(stated.shape, np.nan)
    expected[..., :BOTH, -2] = by_sex
    expected[..., BOTH, :-2] = people.sum(axis=2)
    expected[..., BOTH, -2] = by_sex.sum(axis=2) + np.maximum(both_unknown, 0)
    for at in np.argwhere(_differs(stated, expected)):
        zone = list(rows.names.values())[at[1]]
        code = cells.total_fault(float(stated[tuple(at)]), float(expected[tuple(at)]))
        rows.sound &= code == "FM305"
        _note(rows, cube, code, tuple(at), expected=expected[tuple(at)], zone=zone)


def _check_everywhere(rows: Rows, cube: Cube) -> None:
    expected = cube.stated[:, :-1].sum(axis=1)
    for y, s, a in np.argwhere(_differs(cube.stated[:, -1], expected)):
        at = (y, len(rows.names), s, a)
        _note(rows, cube, "FM325", at, expected=expected[y, s, a])


def _differs(stated: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.bool_]:
    # false where either is NaN; persons may have decimals
    return np.asarray(np.abs(stated - expected) > 1e-6 * np.maximum(1.0, np.abs(expected)))


def _note(
    rows: Rows,
    cube: Cube,
    code: str,
    at: tuple[int, ...],
    *,
    expected: float,
    **detail: Any,
) -> None:
    name = list(rows.counts)[cube.column[at]]
    rows.columns.note(code, int(cube.row[at]), name, expected=f"{expected:g}", **detail)

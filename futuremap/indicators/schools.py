"""Classes of schools: expected over what may come, with limits by grade and multi-grade classes."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from futuremap.errors import SourceError

Floats = NDArray[np.float64]
PRIMARY, LOWER_SECONDARY = range(1, 7), range(7, 10)
GRADES = {"primary": PRIMARY, "lower_secondary": LOWER_SECONDARY}
# two neighbouring grades of together no more than this are one class (義務標準法 第3条)
MULTI_GRADE = {"primary": 16, "lower_secondary": 8}
WITH_FIRST_GRADE = 8
SPECIAL_CLASS = 8  # pupils of a class for special needs
LIMIT_COLUMNS = ("fiscal_year", "grade", "limit", "source", "url", "licence")


class School(NamedTuple):
    """How the pupils who live in a district become the classes of its school.

    kind
        "primary" or "lower_secondary".
    elsewhere
        Share who go to national, private or other schools. [ratio]
    special
        Share of the rest in classes for special needs. [ratio]
    """

    kind: str
    elsewhere: float = 0.0
    special: float = 0.0

    @property
    def grades(self) -> range:
        """Grades, 1 to 9."""
        return GRADES[self.kind]

    @property
    def multi_grade(self) -> int:
        """Pupils up to whom two grades are one class. [persons]"""
        return MULTI_GRADE[self.kind]


class Classes(NamedTuple):
    """Classes by draw, schools on the first axis ``(F, D)``.

    ordinary
        All but those for special needs.
    multi
        Those of them that hold two grades.
    """

    ordinary: Floats
    multi: Floats


def class_limits(text: str) -> dict[tuple[int, int], int]:
    r"""Most pupils of a class by fiscal year and grade (1 to 9), from the text of a table.

    Raises
    ------
    SourceError
        If a column is missing, a row has no source, or a number is none.

    Examples
    --------
    >>> head = "fiscal_year,grade,limit,source,url,licence"
    >>> class_limits(f"{head}\n2025,1,35,law,https://example.org,law")
    {(2025, 1): 35}
    """
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in LIMIT_COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise SourceError(f"class limits lack the columns {missing}")
    found = {}
    for row in rows:
        if not (row["source"] and row["url"] and row["licence"]):
            raise SourceError(f"class limit of {row['fiscal_year']} without source or licence")
        found[int(row["fiscal_year"]), int(row["grade"])] = int(row["limit"])
    return found


def limits_in(
    limits: Mapping[tuple[int, int], int],
    year: int,
    grades: Sequence[int],
) -> NDArray[np.int64]:
    """Limits of the grades in a year ``(G,)``: those of the last year that is not after it.

    Before the first year they are those of the first.

    Examples
    --------
    >>> limits_in({(2025, 1): 35, (2026, 1): 30}, 2040, [1]).tolist()
    [30]
    """
    found = []
    for grade in grades:
        years = sorted(y for y, g in limits if g == grade)
        until = [y for y in years if y <= year] or years[:1]
        if not until:
            raise SourceError(f"no class limit for grade {grade}")
        found.append(limits[until[-1], grade])
    return np.array(found, dtype=np.int64)


def pupils_drawn(expected: Floats, uniform: Floats, *, school: School) -> NDArray[np.int64]:
    """Whole pupils in ordinary classes, about what is expected of each draw.

    Parameters
    ----------
    expected
        Expected children of each grade, school and draw ``(G, F, D)``. [persons]
    uniform
        Numbers between 0 and 1 that are keyed by school, grade and draw, of the same shape.
    school
        Who leaves the count first.

    Returns
    -------
    numpy.ndarray
        Poisson about the expected number ``(G, F, D)``. [persons]
    """
    kept = (1.0 - school.elsewhere) * (1.0 - school.special)
    return np.asarray(stats.poisson.ppf(uniform, np.maximum(expected * kept, 0.0)), np.int64)


def classes_of(
    pupils: NDArray[np.int64],
    limits: NDArray[np.int64],
    *,
    school: School,
) -> Classes:
    """Classes of whole pupils.

    Parameters
    ----------
    pupils
        Pupils by grade, school and draw ``(G, F, D)``. [persons]
    limits
        Most of a class by grade ``(G,)``. [persons]
    school
        Its kind gives the rule of multi-grade classes.

    Notes
    -----
    From the lowest grade up, two neighbouring grades that both have pupils and together no more
    than 16 (8 with grade 1; 8 in lower secondary schools) are one class; any other grade has
    ``⌈pupils / limit⌉``.

    Examples
    --------
    Sixteen in grades 3 and 4 together are one class, 36 in grade 6 are two, grade 5 has nobody:

    >>> six = np.array([35, 20, 8, 8, 0, 36]).reshape(6, 1, 1)
    >>> found = classes_of(six, np.full(6, 35), school=School("primary"))
    >>> found.ordinary.tolist(), found.multi.tolist()
    ([[5.0]], [[1.0]])
    """
    alone = -(-pupils // limits[:, None, None])
    total = np.zeros(pupils.shape[1:])
    multi = np.zeros(pupils.shape[1:])
    taken = np.zeros(pupils.shape[1:], dtype=np.bool_)
    for g in range(len(pupils)):
        free = ~taken
        total += np.where(free, alone[g], 0)
        taken = np.zeros_like(taken)
        if g + 1 < len(pupils):
            most = WITH_FIRST_GRADE if school.grades[g] == 1 else school.multi_grade
            both = (pupils[g] > 0) & (pupils[g + 1] > 0) & (pupils[g] + pupils[g + 1] <= most)
            taken = free & both
            # the one class was counted with the lower grade, whatever its limit
            total += np.where(taken, 1 - alone[g], 0)
            multi += taken
    return Classes(total, multi)


def plug_in(expected: Floats, limits: NDArray[np.int64], *, school: School) -> Floats:
    """Classes if everybody came as expected ``(F,)``: wrong near a limit, shown to compare.

    Parameters
    ----------
    expected
        Children by grade and school ``(G, F)``. [persons]
    limits
        Most of a class ``(G,)``. [persons]
    school
        Who leaves the count first.

    Examples
    --------
    >>> plug_in(np.array([[35.0], [36.0]]), np.array([35, 35]), school=School("primary")).tolist()
    [3.0]
    """
    kept = expected * (1.0 - school.elsewhere) * (1.0 - school.special)
    # a number that is whole but for rounding is whole
    return np.asarray(np.ceil(kept / limits[:, None] - 1e-9).sum(axis=0))

"""Staff as a population: who is hired, leaves and retires, beside what the work needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES, Population
from futuremap.core.rates import Rates
from futuremap.core.table import Table
from futuremap.errors import LabelError

Floats = NDArray[np.float64]
OLDEST = 99  # the last year of age: staff retire before, farmers may not
AGES = AgeGroups(tuple(range(OLDEST + 2)))
ITEMS = ("staff", "hire", "leave", "retire")


@dataclass(frozen=True)
class StaffRow:
    """One row of a staff table.

    Parameters
    ----------
    group
        Occupation or department.
    item
        "staff" persons now, "hire" persons a year, "leave" share who leave in a year, "retire"
        the age reached at which people go.
    sex
        "both", "male" or "female".
    age_from, age_to
        Ages that it is of; those of "hire" are ages at the end of the year. [years]
    year
        First year in which it holds; None for all.
    value
        In the unit of the item.
    """

    group: str
    item: str
    sex: str
    age_from: int
    age_to: int
    year: int | None
    value: float


def staff_now(rows: Sequence[StaffRow], *, year: int) -> Population:
    """Staff in the base year by group, sex and single year of age.

    Parameters
    ----------
    rows
        Rows of the table; numbers of several ages or both sexes are spread evenly.
    year
        The base year.

    Examples
    --------
    >>> rows = [StaffRow("civil", "staff", "male", 30, 39, None, 10.0)]
    >>> staff_now(rows, year=2024).totals().tolist()
    [[10.0]]
    """
    groups = groups_of(rows)
    people = np.zeros((1, len(groups), len(SEXES), len(AGES)))
    for row in rows:
        if row.item == "staff":
            sexes, ages = _where(row)
            cells = len(sexes) * (row.age_to - row.age_from + 1)
            people[0, groups.index(row.group), sexes, ages] += row.value / cells
    return Population.build(people, years=[year], zones=groups, ages=AGES)


def groups_of(rows: Sequence[StaffRow]) -> list[str]:
    """Groups in the order in which they first stand."""
    return list(dict.fromkeys(row.group for row in rows))


def staff_rates(rows: Sequence[StaffRow], *, years: Sequence[int]) -> list[Rates]:
    """Rates of the steps of one year that end in each of the years.

    Parameters
    ----------
    rows
        Rows of the table. Of rows with a year, the last that is not after a step's end holds.
    years
        Ends of the steps ``(H,)``.

    Returns
    -------
    list of Rates
        ``in_migrants`` are hires by age at the end; ``emigration_rate`` are those who leave or
        reach the age of retirement, by age at the start. Nobody is born and nobody dies: who
        dies in service has left.

    Notes
    -----
    The same kernel as for any population runs them: see
    :func:`futuremap.projection.by_component.project_components`.

    Examples
    --------
    >>> rows = [StaffRow("civil", "staff", "male", 59, 59, None, 2.0),
    ...         StaffRow("civil", "retire", "both", 60, 60, None, 60.0)]
    >>> staff_rates(rows, years=[2025])[0]["emigration_rate"][0, 0, 58:61].tolist()
    [0.0, 1.0, 1.0]
    """
    groups = groups_of(rows)
    return [_step(rows, groups, year) for year in years]


def _step(rows: Sequence[StaffRow], groups: Sequence[str], year: int) -> Rates:
    shape = (len(groups), len(SEXES), len(AGES))
    leave, hire = np.zeros(shape), np.zeros(shape)
    for row in _holding(rows, "leave", year):
        sexes, ages = _where(row)
        leave[groups.index(row.group), sexes, ages] = row.value
    for row in _holding(rows, "hire", year):
        sexes, ages = _where(row)
        cells = len(sexes) * (row.age_to - row.age_from + 1)
        hire[groups.index(row.group), sexes, ages] += row.value / cells
    for row in _holding(rows, "retire", year):
        sexes, _ = _where(row)
        leave[groups.index(row.group), sexes, int(row.value) - 1 :] = 1.0
    leave[..., OLDEST:] = 1.0
    hire[..., OLDEST + 1 :] = 0.0
    ones = np.ones(shape)
    return Rates.build(
        {
            "survival_ratio": ones,
            "birth_survival_ratio": ones[..., 0],
            "sex_ratio_at_birth": np.ones(len(groups)),
            "asfr": np.zeros((len(groups), len(AGES))),
            "emigration_rate": leave,
            "in_migrants": hire,
        },
        zones=groups,
        parents=["organisation"],
        parent_of=np.zeros(len(groups), dtype=np.intp),
        ages=AGES,
        interval=1,
    )


def _holding(rows: Sequence[StaffRow], item: str, year: int) -> list[StaffRow]:
    mine = [row for row in rows if row.item == item and (row.year is None or row.year <= year)]
    latest: dict[tuple[str, str], int] = {}
    for row in mine:
        key = (row.group, row.sex)
        latest[key] = max(latest.get(key, 0), row.year or 0)
    return [row for row in mine if (row.year or 0) == latest[row.group, row.sex]]


def _where(row: StaffRow) -> tuple[list[int], slice]:
    sexes = [i for i, sex in enumerate(SEXES) if row.sex in ("both", sex)]
    return sexes, slice(row.age_from, row.age_to + 1)


def staff_table(people: Population, needed: Floats) -> Table:
    """Staff, need and what is left between them, by group and year.

    Parameters
    ----------
    people
        Staff in every year. [persons]
    needed
        Persons needed ``(Y, G)``, NaN where nothing says it. [persons]

    Raises
    ------
    LabelError
        If shapes disagree.

    Examples
    --------
    >>> rows = [StaffRow("civil", "staff", "male", 30, 30, None, 10.0)]
    >>> table = staff_table(staff_now(rows, year=2024), np.array([[12.0]]))
    >>> table.column("staff_gap", 2024).tolist()
    [-2.0]
    """
    staff = people.totals()
    if needed.shape != staff.shape:
        raise LabelError(f"need {needed.shape} for staff {staff.shape}")
    return Table.build(
        {"staff": staff, "staff_needed": needed, "staff_gap": staff - needed},
        years=people.years,
        zones=people.zones,
    )

"""Staff beside their work, and the hours that tasks take, once people are weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.indicators.staff import StaffRow, groups_of, staff_now, staff_rates, staff_table
from futuremap.indicators.workload import (
    NOTHING,
    Task,
    distances,
    persons_needed,
    profiles,
    task_hours,
)
from futuremap.projection.by_component import project_components

Floats = NDArray[np.float64]


class Work(NamedTuple):
    """What comes of tables of staff and tasks.

    staff
        Staff, need and gap by group and single year; None without a table.
    hours
        Rows of ``zone``, ``year``, ``task``, ``driver``, ``workload_hours``; None without one.
    alike
        Rows of ``zone``, ``name``, ``year``, ``profile_distance``; None with one municipality.
    """

    staff: Table | None
    hours: pd.DataFrame | None
    alike: pd.DataFrame | None


def staff_of(
    rows: Sequence[StaffRow],
    tasks: Sequence[Task],
    drivers: Mapping[str, Floats],
    *,
    years: Sequence[int],
    hours_per_person: float,
) -> Table:
    """Staff of every year from the first to the last, beside what their tasks need.

    Parameters
    ----------
    rows
        The staff table.
    tasks
        Tasks with their groups.
    drivers
        Indicators of all municipalities together in the projected years ``(Y,)``.
    years
        Projected years ``(Y,)``; between them drivers follow straight lines.
    hours_per_person
        Hours that a person works in a year. [h]
    """
    every = np.arange(years[0], years[-1] + 1)
    base = staff_now(rows, year=int(every[0]))
    steps = staff_rates(rows, years=every[1:].tolist())
    people = project_components(base, steps, steps=len(steps)).population
    lines = {name: _line(every, years, values) for name, values in drivers.items()}
    needed = persons_needed(
        tasks, lines, years=every, groups=groups_of(rows),
        hours_per_person=hours_per_person,
    )  # fmt: skip
    return staff_table(people, needed)


def _line(every: NDArray[np.int64], years: Sequence[int], values: Floats) -> Floats:
    known = ~np.isnan(values)
    at = np.asarray(years, dtype=np.float64)
    return np.asarray(np.interp(every.astype(np.float64), at[known], values[known]))


def hours_of(tasks: Sequence[Task], table: Table) -> pd.DataFrame:
    """Hours of every task by municipality and year.

    Parameters
    ----------
    tasks
        The tasks.
    table
        Indicators of the municipalities, people among them.

    Raises
    ------
    LabelError
        If the table lacks a driver.
    """
    years = np.asarray(table.years)
    frames = []
    for z, zone in enumerate(table.zones):
        for task in tasks:
            if task.area not in ("", zone):
                continue
            if task.driver != NOTHING and task.driver not in table.indicators:
                raise LabelError(f"no {task.driver} was weighed, which {task.task!r} goes with")
            values = None if task.driver == NOTHING else _of(table, task.driver)[:, z]
            frames.append(
                pd.DataFrame(
                    {
                        "zone": zone,
                        "year": years,
                        "task": task.task,
                        "driver": task.driver,
                        "workload_hours": task_hours(task, values, years=years),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _of(table: Table, name: str) -> Floats:
    return np.asarray(table.data["value"].values[table.indicators.index(name)])


def alike(people: Population, households: Floats | None, names: Mapping[str, str]) -> pd.DataFrame:
    """Every two municipalities and how unlike they are, in the first and the last year.

    Parameters
    ----------
    people
        People of the municipalities. [persons]
    households
        Households ``(Y, Z)``, if they are known.
    names
        Name of each municipality.
    """
    profile = profiles(people, households)
    rows = [
        (zone, names[other], people.years[y], float(apart[i, j]))
        for y in (0, len(people.years) - 1)
        for apart in [distances(profile[y])]
        for i, zone in enumerate(people.zones)
        for j, other in enumerate(people.zones)
        if i != j
    ]
    return pd.DataFrame(rows, columns=["zone", "name", "year", "profile_distance"])

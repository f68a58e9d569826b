"""Workload: tasks times what drives them; and how alike municipalities are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.errors import LabelError
from futuremap.indicators.people import OLD, VERY_OLD, WORKING

Floats = NDArray[np.float64]
NOTHING = ""  # a task whose cases do not depend on people: kilometres of road, buildings


@dataclass(frozen=True)
class Task:
    """One task of an administration, or one kind of asset that has to be looked after.

    Parameters
    ----------
    task, group
        What is done, and by whom (empty: by everybody).
    area
        Municipality whose task it is; empty for every one.
    driver
        Indicator that its cases go with; empty for an amount that stays.
    amount
        Cases per unit of the driver and year, or cases a year. [cases]
    hours
        Hours that a case takes. [h]
    growth
        Yearly change of an amount without a driver. [ratio]
    """

    task: str
    group: str
    area: str
    driver: str
    amount: float
    hours: float
    growth: float = 0.0


def task_hours(task: Task, driver: Floats | None, *, years: NDArray[np.int64]) -> Floats:
    """Hours a year of a task ``(Y,)``.

    Parameters
    ----------
    task
        The task.
    driver
        Its driver in every year ``(Y,)``; None for a task without one.
    years
        Years ``(Y,)``.

    Raises
    ------
    LabelError
        If the task has a driver and none is given.

    Examples
    --------
    Two hours for every death, and forty kilometres of road of ten hours each:

    >>> years = np.array([2020, 2025])
    >>> deaths = Task("funeral", "", "", "deaths_per_year", 1.0, 2.0)
    >>> task_hours(deaths, np.array([100.0, 120.0]), years=years).tolist()
    [200.0, 240.0]
    >>> task_hours(Task("road", "", "", "", 40.0, 10.0), None, years=years).tolist()
    [400.0, 400.0]
    """
    if task.driver == NOTHING:
        passed = (years - years[0]).astype(np.float64)
        return np.asarray(task.amount * task.hours * (1 + task.growth) ** passed)
    if driver is None:
        raise LabelError(f"the task {task.task!r} has no driver {task.driver!r}")
    return np.asarray(driver * task.amount * task.hours)


def persons_needed(
    tasks: Sequence[Task],
    drivers: Mapping[str, Floats],
    *,
    years: NDArray[np.int64],
    groups: Sequence[str],
    hours_per_person: float,
) -> Floats:
    """Persons that the tasks of each group need ``(Y, G)``; NaN for a group without tasks.

    Parameters
    ----------
    tasks
        Tasks with their groups.
    drivers
        Indicators by year ``(Y,)``.
    years
        Years ``(Y,)``.
    groups
        Groups of staff ``(G,)``.
    hours_per_person
        Hours that a person works in a year. [h]

    Examples
    --------
    >>> road = Task("road", "civil", "", "", 36.0, 100.0)
    >>> persons_needed([road], {}, years=np.array([2024]), groups=["civil", "other"],
    ...                hours_per_person=1800.0).tolist()
    [[2.0, nan]]
    """
    found = np.full((len(years), len(groups)), np.nan)
    for g, group in enumerate(groups):
        mine = [task for task in tasks if task.group == group]
        if mine:
            hours = [task_hours(t, drivers.get(t.driver), years=years) for t in mine]
            found[:, g] = np.sum(hours, axis=0) / hours_per_person
    return found


def profiles(people: Population, households: Floats | None = None) -> Floats:
    """What municipalities are compared by ``(Y, Z, K)``.

    Parameters
    ----------
    people
        People of the municipalities. [persons]
    households
        Their households ``(Y, Z)``; left out if not given. [households]

    Returns
    -------
    numpy.ndarray
        Shares aged 0-14, 65 and over and 75 and over of all, the share of 75 and over among the
        old, and persons per household.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> one = Population.build([[[[1.0, 5.0, 2.0, 2.0]] * 2]], years=[2020], zones=["a"],
    ...                        ages=AgeGroups((0, 15, 65, 75)))
    >>> profiles(one)[0, 0].tolist()
    [0.1, 0.4, 0.2, 0.5]
    """
    by_age, ages = people.persons.sum(axis=2), people.ages
    total = by_age.sum(axis=2)
    young = by_age[:, :, ages.between(0, WORKING)].sum(axis=2)
    old = by_age[:, :, ages.at_least(OLD)].sum(axis=2)
    oldest = by_age[:, :, ages.at_least(VERY_OLD)].sum(axis=2)
    columns = [young / total, old / total, oldest / total, oldest / old]
    if households is not None:
        columns.append(total / households)
    return np.stack(columns, axis=-1)


def distances(profile: Floats) -> Floats:
    """How unlike every two municipalities are in one year ``(Z, Z)``.

    Parameters
    ----------
    profile
        What they are compared by ``(Z, K)``.

    Returns
    -------
    numpy.ndarray
        Root mean square of differences in standard deviations of each column; 0 is alike.

    Examples
    --------
    >>> distances(np.array([[0.1, 5.0], [0.3, 5.0]])).round(6).tolist()
    [[0.0, 1.414214], [1.414214, 0.0]]
    """
    spread = profile.std(axis=0)
    scaled = np.divide(
        profile - profile.mean(axis=0), spread, out=np.zeros_like(profile), where=spread > 0
    )
    apart = scaled[:, None] - scaled[None]
    return np.asarray(np.sqrt((apart**2).mean(axis=-1)))

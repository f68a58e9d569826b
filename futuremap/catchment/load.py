"""Load: people in reach against the beds, seats or floor area that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.errors import DemographyError, LabelError

Floats = NDArray[np.float64]


def served(population: Population, *, start: int = 0, stop: int | None = None) -> Floats:
    """People of the ages that a facility serves.

    Parameters
    ----------
    population
        Persons by zone; gathered to facilities, they are the people in reach. [persons]
    start
        First age served; an age group must begin there. [years]
    stop
        First age not served any more, also the beginning of a group; None for no end. [years]

    Returns
    -------
    numpy.ndarray
        ``(Y, Z)``, both sexes. [persons]

    Raises
    ------
    LabelError
        If no age group begins at `start` or `stop`: nobody's age is guessed.

    Examples
    --------
    >>> import numpy as np
    >>> from futuremap.core.ages import AgeGroups
    >>> people = Population.build([[[[1.0, 2.0, 4.0]] * 2]], years=[2020], zones=["hall"],
    ...                           ages=AgeGroups((0, 65, 75)))
    >>> served(people, start=65).tolist(), served(people, start=65, stop=75).tolist()
    ([[12.0]], [[4.0]])
    """
    ages = population.ages
    groups = ages.at_least(start) if stop is None else ages.between(start, stop)
    if groups.stop is not None and groups.stop <= groups.start:
        raise LabelError(f"nobody is at least {start} and under {stop} years old")
    return np.asarray(population.persons[..., groups].sum(axis=(2, 3)))


def load(people: Floats, capacity: Floats, *, facilities: Sequence[str]) -> Floats:
    """People for each bed, seat or place.

    Parameters
    ----------
    people
        People served by each facility ``(Y, F)``. [persons]
    capacity
        Beds, seats or places ``(F,)``, or by year ``(Y, F)``; NaN where unknown or closed.
    facilities
        Ids of the facilities ``(F,)``.

    Returns
    -------
    numpy.ndarray
        ``(Y, F)``, 0 where nobody is in reach, NaN where the capacity is unknown.
        [persons/unit]

    Raises
    ------
    LabelError
        If shapes do not match.
    DemographyError
        If a capacity is 0, negative or infinite.

    Examples
    --------
    >>> load(np.array([[40.0, 40.0, 0.0]]), np.array([20.0, np.nan, 8.0]),
    ...      facilities=["a", "b", "c"]).tolist()
    [[2.0, nan, 0.0]]
    """
    return np.asarray(people / _required("capacity", capacity, people, facilities))


def per_head(floor_area: Floats, people: Floats, *, facilities: Sequence[str]) -> Floats:
    """Floor area for each person served.

    Parameters
    ----------
    floor_area
        Floor area ``(F,)``, or by year ``(Y, F)``; NaN where unknown or closed. [m^2]
    people
        People served by each facility ``(Y, F)``. [persons]
    facilities
        Ids of the facilities ``(F,)``.

    Returns
    -------
    numpy.ndarray
        ``(Y, F)``, NaN where the floor area is unknown or nobody is in reach. [m^2/person]

    Raises
    ------
    LabelError
        If shapes do not match.
    DemographyError
        If a floor area is 0, negative or infinite.

    Examples
    --------
    >>> per_head(np.array([300.0, 300.0]), np.array([[60.0, 0.0]]),
    ...          facilities=["a", "b"]).tolist()
    [[5.0, nan]]
    """
    area = np.broadcast_to(_required("floor_area", floor_area, people, facilities), people.shape)
    heads = np.divide(area, people, out=np.full(people.shape, np.nan), where=people > 0)
    return np.asarray(heads)


def _required(name: str, size: Floats, people: Floats, facilities: Sequence[str]) -> Floats:
    count = len(people), len(facilities)
    if people.shape != count or size.shape not in (count, count[1:]):
        raise LabelError(
            f"{name} has shape {size.shape}, people {people.shape}, their labels {count}",
        )
    bad = np.atleast_2d(np.isinf(size) | (size <= 0))
    if bad.any():
        year, facility = np.argwhere(bad)[0]
        raise DemographyError(
            f"{name} is {np.atleast_2d(size)[year, facility]} at {facilities[facility]}; "
            f"leave it empty where it is unknown; {int(bad.sum())} such values",
        )
    return size

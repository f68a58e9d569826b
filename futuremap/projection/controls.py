"""Totals that a projection must meet: interpolated to its years, never used past their last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.errors import LabelError, SolveError

Basis = Literal["level", "growth"]


def control_totals(
    controls: Population,
    *,
    years: Sequence[int],
    base_totals: NDArray[np.float64],
    basis: Basis = "level",
) -> NDArray[np.float64]:
    """Control total of every parent in every projected year.

    Parameters
    ----------
    controls
        Published totals; its zones are the parents. [persons]
    years
        The base year and the projected years ``(Y,)``.
    base_totals
        People of each parent in the base year ``(P,)``. [persons]
    basis
        "level": the totals as published; "growth": their growth since the base year applied
        to the base population.

    Returns
    -------
    numpy.ndarray
        ``(Y, P)``, NaN where there is no control: in the base year, before the first and
        after the last published year. [persons]

    Raises
    ------
    LabelError
        If growth is asked for and the base year lies outside the published years.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> import numpy as np
    >>> c = Population.build(np.array([50.0, 45.0]).reshape(2, 1, 1, 1) * np.ones((1, 1, 2, 1)),
    ...                      years=[2025, 2030], zones=["37201"], ages=AgeGroups((0,)))
    >>> control_totals(c, years=[2023, 2028, 2033], base_totals=np.array([100.0])).tolist()
    [[nan], [94.0], [nan]]
    """
    published = controls.totals()
    wanted = np.asarray(years, dtype=np.float64)
    totals = np.stack(
        [
            np.interp(wanted, controls.years, published[:, p], left=np.nan, right=np.nan)
            for p in range(published.shape[1])
        ],
        axis=1,
    )
    if basis == "growth":
        if np.isnan(totals[0]).any():
            raise LabelError(f"the base year {years[0]} lies outside the years of the control")
        totals = totals * (base_totals / totals[0])
    totals[0] = np.nan
    return totals


def register_ratio(base_total: float, controls: Population, year: int) -> float:
    """People counted in the base year over the published total of that year. [ratio]

    A register counts who is registered, a census who lives there. NaN where the base year
    lies outside the published years.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> c = Population.build([[[[60.0], [40.0]]]], years=[2020], zones=["37201"],
    ...                      ages=AgeGroups((0,)))
    >>> register_ratio(102.0, c, 2020)
    1.02
    """
    published = np.interp(
        year,
        controls.years,
        controls.totals()[:, 0],
        left=np.nan,
        right=np.nan,
    )
    return float(base_total / published)


def residuals(parents: Population, totals: NDArray[np.float64]) -> dict[str, float]:
    """Largest distance of each parent from its control totals, relative to them. [ratio]

    Parameters
    ----------
    parents
        Projected people by parent. [persons]
    totals
        Control totals ``(Y, P)``, NaN where there is none. [persons]

    Returns
    -------
    dict
        Parents that were controlled in some year.
    """
    bound = ~np.isnan(totals)
    gaps = np.where(bound, np.abs(parents.totals() / np.where(bound, totals, 1.0) - 1), 0.0)
    controlled = np.flatnonzero(bound.any(axis=0)).tolist()
    return {parents.zones[p]: float(gaps[:, p].max()) for p in controlled}


def rake(
    persons: NDArray[np.float64],
    totals: NDArray[np.float64],
    *,
    parent_starts: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Scale every parent's zones to its total, in place.

    Parameters
    ----------
    persons
        ``(Z, S, A)``, zones sorted by parent. [persons]
    totals
        ``(P,)``; NaN leaves a parent as it is. [persons]
    parent_starts
        First zone of each parent ``(P,)``.

    Returns
    -------
    numpy.ndarray
        The factor of each parent ``(P,)``, 1 where there was no control. [ratio]

    Raises
    ------
    SolveError
        If a parent is empty and its total is not.

    Examples
    --------
    >>> import numpy as np
    >>> people = np.array([[[1.0]], [[3.0]]])
    >>> rake(people, np.array([8.0]), parent_starts=np.array([0])).tolist()
    [2.0]
    >>> people.ravel().tolist()
    [2.0, 6.0]
    """
    by_zone = persons.sum(axis=(1, 2))
    have = np.add.reduceat(by_zone, parent_starts)
    controlled = ~np.isnan(totals)
    impossible = controlled & (have <= 0) & (totals > 0)
    if impossible.any():
        where = int(np.argmax(impossible))
        raise SolveError(f"parent {where} is empty and cannot meet its total {totals[where]}")
    factor = np.ones_like(have)
    np.divide(totals, have, out=factor, where=controlled & (have > 0))
    sizes = np.diff(np.append(parent_starts, len(persons)))
    persons *= np.repeat(factor, sizes)[:, None, None]
    return factor

"""What a projection must meet: totals interpolated to its years, and two levels made to agree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.errors import LabelError
from futuremap.projection.rake import Controls, rake_zones

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
    """Largest distance of each parent from its control totals, relative to max(1, total). [ratio]

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
    wanted = np.where(bound, totals, 0.0)
    gaps = np.where(bound, np.abs(parents.totals() - wanted) / np.maximum(wanted, 1.0), 0.0)
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
    return rake_zones(persons, totals, parent_starts=parent_starts).total_factor


def nest(
    controls: Controls,
    upper: Controls,
    *,
    upper_starts: NDArray[np.intp],
    seed: NDArray[np.float64],
) -> tuple[Controls, NDArray[np.float64]]:
    """Controls of parents (municipalities) made to agree with those of the level above.

    Parameters
    ----------
    controls
        Of the parents.
    upper
        Of the level above (prefectures), by total, by sex and age, or both.
    upper_starts
        First parent of each upper zone ``(U,)``.
    seed
        People of the parents where nothing controls them ``(H, P, S, A)``. [persons]

    Returns
    -------
    tuple
        Controls of the parents that add up to the upper ones, and what the people of each
        upper zone were multiplied with ``(H, U)`` [ratio]. Parents below an upper zone without
        a control keep what they had.

    Raises
    ------
    SolveError
        If controls of one level contradict each other, or the upper ones cannot be met.

    Notes
    -----
    All parents of an upper zone are scaled alike, those without a control of their own from
    their seed. Totals of parents are scaled to the upper total and then held while sexes and
    ages are fitted to the upper ones (IPF). Where no level knows ages, totals stay totals.

    Examples
    --------
    >>> import numpy as np
    >>> nested, factor = nest(
    ...     Controls(np.array([[6.0, np.nan]])), Controls(np.array([[20.0]])),
    ...     upper_starts=np.array([0]), seed=np.ones((1, 2, 2, 2)))
    >>> nested.totals.tolist(), factor.tolist()
    ([[12.0, 8.0]], [[2.0]])
    """
    steps, parents = seed.shape[:2]
    ages_known = controls.sex_age is not None or upper.sex_age is not None
    own = np.full((steps, parents), np.nan) if controls.totals is None else controls.totals.copy()
    cells = np.full_like(seed, np.nan) if controls.sex_age is None else controls.sex_age.copy()
    factors = np.ones((steps, len(upper_starts)))
    below = np.repeat(
        np.arange(len(upper_starts)),
        np.diff(np.append(upper_starts, parents)),
    )
    for t in range(steps):
        bound = _bound(upper, t, len(upper_starts))[below]
        table = _own_level(controls, seed, t)
        if not ages_known:
            table = table.sum(axis=(1, 2), keepdims=True)
        raked = rake_zones(
            table,
            None if upper.totals is None else upper.totals[t],
            parent_starts=upper_starts,
            sex_age=None if upper.sex_age is None else upper.sex_age[t],
            zone_totals=_held(own[t], table, upper, t, below=below),
            launch=np.ones((parents, 1, 1)),
            name_of=partial(upper.place, t),
        )
        factors[t] = raked.total_factor
        if ages_known:
            cells[t, bound], own[t, bound] = table[bound], np.nan
        else:
            own[t, bound] = table[bound, 0, 0]
    return controls._replace(totals=own, sex_age=cells if ages_known else None), factors


def _own_level(controls: Controls, seed: NDArray[np.float64], t: int) -> NDArray[np.float64]:
    # every parent by itself first: this is where its own total and ages must agree
    table: NDArray[np.float64] = seed[t].copy()
    rake_zones(
        table,
        None if controls.totals is None else controls.totals[t],
        parent_starts=np.arange(len(table)),
        sex_age=None if controls.sex_age is None else controls.sex_age[t],
        launch=np.ones((len(table), 1, 1)),
        name_of=partial(controls.place, t),
    )
    return table


def _bound(upper: Controls, t: int, count: int) -> NDArray[np.bool_]:
    bound = np.zeros(count, dtype=np.bool_)
    if upper.totals is not None:
        bound |= ~np.isnan(upper.totals[t])
    if upper.sex_age is not None:
        bound |= ~np.isnan(upper.sex_age[t]).all(axis=(1, 2))
    return bound


def _held(
    own: NDArray[np.float64],
    table: NDArray[np.float64],
    upper: Controls,
    t: int,
    *,
    below: NDArray[np.intp],
) -> NDArray[np.float64] | None:
    # the parents' totals, scaled to the upper ones, as the rows that IPF holds
    if upper.sex_age is None or np.isnan(own).all():
        return None
    above = upper.sex_age[t].sum(axis=(1, 2))
    if upper.totals is not None:
        above = np.where(np.isnan(above), upper.totals[t], above)
    have = np.bincount(below, weights=table.sum(axis=(1, 2)))
    scale = np.divide(above, have, out=np.ones_like(have), where=have > 0)
    return np.asarray(own * scale[below], dtype=np.float64)

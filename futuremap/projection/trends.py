"""How rates change over the steps of a projection: improving survival, tapering of others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import DemographyError, SolveError
from futuremap.projection.life_table import LifeTable, life_table

Array = NDArray[np.float64]
BISECTIONS = 80
LOGIT_SPAN = 8.0  # alpha in Brass's relation; wide enough for any human population
LEAST_ALIVE = 1e-12
CLOSE_ENOUGH = 1e-6  # years


def taper(start: Array, target: Array | float, *, steps: int, until: int) -> Array:
    """Rates that move linearly to a target and stay there.

    Parameters
    ----------
    start
        Rates of the first step ``(…)``. [any]
    target
        Rates from step `until` on, of the same shape or one number. [any]
    steps
        Steps of the projection (H).
    until
        Step, counted from 0, at which the target is reached.

    Returns
    -------
    numpy.ndarray
        ``(H, …)``.

    Raises
    ------
    DemographyError
        If the target should be reached before the second step.

    Examples
    --------
    Net migration that fades over three steps:

    >>> taper(np.array([0.3]), 0.0, steps=5, until=3).round(3).ravel().tolist()
    [0.3, 0.2, 0.1, 0.0, 0.0]
    """
    if until < 1:
        raise DemographyError(f"a taper needs at least one step, got {until}")
    gone = np.minimum(np.arange(steps) / until, 1.0).reshape(-1, *[1] * np.ndim(start))
    return np.asarray(start + gone * (target - start))


def improvement_pace(earlier: Array, later: Array, *, years: float) -> Array:
    """Yearly pace at which death rates fell: ``ρ = ln(m₀/m₁)/n``.

    Parameters
    ----------
    earlier, later
        Death rates ``(…, G)``. [1/year]
    years
        Time between them. [years]

    Raises
    ------
    DemographyError
        If a rate is not positive, so that it has no logarithm.

    Examples
    --------
    >>> improvement_pace(np.array([0.02]), np.array([0.01]), years=35).round(4).tolist()
    [0.0198]
    """
    if (earlier <= 0).any() or (later <= 0).any():
        raise DemographyError("a death rate of 0 has no pace of improvement; pool ages or years")
    return np.asarray(np.log(earlier / later) / years)


def improved(mx: Array, pace: Array, *, years: Array) -> Array:
    """Death rates after some years at a constant pace of improvement.

    Parameters
    ----------
    mx
        Death rates now ``(…, G)``. [1/year]
    pace
        Yearly fall of their logarithm ``(…, G)``. [1/year]
    years
        Times from now, such as the middles of the steps ``(H,)``. [years]

    Returns
    -------
    numpy.ndarray
        ``(H, …, G)``: ``m e^(−ρ t)``. [1/year]

    References
    ----------
    .. [1] R. D. Lee, L. R. Carter, "Modeling and forecasting U.S. mortality", JASA 87, 1992;
       with a drift that is each age's own.

    Examples
    --------
    >>> improved(np.array([0.02]), np.array([np.log(2) / 35]), years=np.array([35])).tolist()
    [[0.01]]
    """
    ahead = np.asarray(years, dtype=np.float64).reshape(-1, *[1] * mx.ndim)
    return np.asarray(mx * np.exp(-pace * ahead))


def brass_to_e0(table: LifeTable, e0: Array) -> LifeTable:
    """The life table of a given expectation of life with the age pattern of another.

    Parameters
    ----------
    table
        Pattern ``(…, S, G)``.
    e0
        Expectation of life at birth to reach ``(…, S)``. [years]

    Returns
    -------
    LifeTable
        ``logit l(x) = logit l_s(x) + α`` with the α that gives e₀; the open group's death
        rate moves with the share that dies in the group below.

    Raises
    ------
    SolveError
        If no α reaches a target, because it lies beyond the ages of the table.

    References
    ----------
    .. [1] W. Brass, "On the scale of mortality", in Biological Aspects of Demography, 1971;
       β = 1, so that a town's level follows its prefecture's pattern.

    Examples
    --------
    >>> pattern = life_table(np.full((1, 3), 0.02), lower=np.array([0, 40, 80]))
    >>> better = brass_to_e0(pattern, np.array([60.0]))
    >>> better.ex[0, 0].round(9), bool(better.qx[0, 0] < pattern.qx[0, 0])
    (np.float64(60.0), True)
    """
    low = np.full(e0.shape, -LOGIT_SPAN)
    high = np.full(e0.shape, LOGIT_SPAN)
    for _ in range(BISECTIONS):
        alpha = (low + high) / 2
        short = _related(table, alpha).ex[..., 0] < e0
        low, high = np.where(short, alpha, low), np.where(short, high, alpha)
    reached = _related(table, high)
    # beyond the table's last bound only its open group, of which nothing is known, would live
    missed = (np.abs(reached.ex[..., 0] - e0) > CLOSE_ENOUGH) | (e0 > table.lower[-1])
    if missed.any():
        where = tuple(np.argwhere(missed)[0].tolist())
        raise SolveError(f"no mortality level gives an expectation of life of {e0[where]} years")
    return reached


def _related(table: LifeTable, alpha: Array) -> LifeTable:
    alive = np.clip(table.lx[..., 1:], LEAST_ALIVE, 1 - LEAST_ALIVE)
    odds = alive / (1 - alive) * np.exp(alpha[..., None])
    later = odds / (1 + odds)
    before = np.concatenate([np.ones_like(later[..., :1]), later[..., :-1]], axis=-1)
    q = 1 - later / before
    n = np.diff(table.lower).astype(np.float64)
    a = table.ax[..., :-1]
    m = q / (n - (n - a) * q)
    oldest = table.mx[..., -1:] * m[..., -1:] / table.mx[..., -2:-1]
    rates = np.concatenate([m, oldest], axis=-1)
    ax = np.concatenate([a, 1 / oldest], axis=-1)
    return life_table(rates, lower=table.lower, ax=ax)

"""Life tables: from death rates to survival ratios, by group and by single year."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES
from futuremap.errors import DemographyError, LabelError

Array = NDArray[np.float64]
MALE = SEXES.index("male")
MOST_DEATHS = 0.999  # of a closed group; somebody must reach the open one
INFANT_LIMIT = 0.107  # m0 from which separation factors stay as they are
BISECTIONS = 80
MOST_RISE = 20.0  # log of a rate over that of the last closed group
QUADRATURE = np.polynomial.legendre.leggauss(5)


class LifeTable(NamedTuple):
    """Functions of a life table ``(…, S, G)`` of a radix of 1, G age groups, the last open.

    lower
        Lower bounds of the groups ``(G,)``. [years]
    mx
        Deaths per person-year. [1/year]
    ax
        Years lived in a group by those who die in it. [years]
    qx
        Share of those who enter a group who die in it. [ratio]
    lx, nLx, Tx, ex
        Survivors to the lower bound; years lived in the group; from it on; the same per
        survivor. [ratio, years, years, years]
    """

    lower: NDArray[np.int64]
    mx: Array
    ax: Array
    qx: Array
    lx: Array
    nLx: Array  # noqa: N815 - as demographers write it
    Tx: Array
    ex: Array


class Survival(NamedTuple):
    """Survival of one step.

    ratio
        Of the newborn, the groups at the start, the last two each with its own
        ``(…, S, A + 1)``. [ratio]
    pooled
        The table ends at the open age: both last cohorts have the ratio that only holds when
        they stand as in the table, ``T[A] / T[A−1]``.
    """

    ratio: Array
    pooled: bool


def separation_factors(mx: Array, *, lower: NDArray[np.int64]) -> Array:
    """Years lived in each group by those who die in it.

    Parameters
    ----------
    mx
        Death rates ``(…, S, G)``, sexes in the order of ``SEXES``. [1/year]
    lower
        Lower bounds of the groups ``(G,)``. [years]

    Returns
    -------
    numpy.ndarray
        ``(…, S, G)``; 1/m in the open group. [years]

    Notes
    -----
    Ages 0 and 1–4 from m₀ after Coale and Demeny (West); half the width below 15; from 15 on
    in five-year groups Greville's ``2.5 − (25/12)(m − k)`` with ``k = ln(m₊₁/m₋₁)/10``, kept
    within a tenth of the group's ends. Single years: one half.

    References
    ----------
    .. [1] A. J. Coale, P. Demeny, "Regional Model Life Tables and Stable Populations", 1983.
    .. [2] T. N. E. Greville, "Short methods of constructing abridged life tables", 1943.

    Examples
    --------
    >>> m = np.array([[0.02, 0.001, 0.1], [0.02, 0.001, 0.1]])
    >>> separation_factors(m, lower=np.array([0, 1, 5])).round(3).tolist()
    [[0.099, 1.595, 10.0], [0.109, 1.492, 10.0]]
    """
    width = np.diff(lower).astype(np.float64)
    ax = np.broadcast_to(np.append(width / 2, 0.0), mx.shape).copy()
    with_rate = mx > 0
    for i in range(1, len(width)):
        if width[i] != 5 or lower[i] < 15:  # noqa: PLR2004 - five-year groups of adults
            continue
        before, after = mx[..., i - 1], mx[..., i + 1]
        known = with_rate[..., i - 1] & with_rate[..., i + 1]
        growth = np.log(np.where(known, after, 1.0) / np.where(known, before, 1.0)) / 10
        graduated = np.clip(2.5 - 25 / 12 * (mx[..., i] - growth), 0.5, 4.5)
        ax[..., i] = np.where(known, graduated, 2.5)
    if width[0] == 1:
        ax[..., 0] = _by_sex(mx[..., 0], ((0.045, 2.684, 0.33), (0.053, 2.8, 0.35)))
    if len(width) > 1 and width[0] == 1 and width[1] == 4:  # noqa: PLR2004 - ages 1–4
        ax[..., 1] = _by_sex(mx[..., 0], ((1.651, -2.816, 1.352), (1.522, -1.518, 1.361)))
    ax[..., -1] = 1 / mx[..., -1]
    return ax


def _by_sex(infant: Array, lines: tuple[tuple[float, float, float], ...]) -> Array:
    # infant (…, S): a line in m0 below the limit, a constant from there
    start, slope, constant = (np.array(column) for column in zip(*lines, strict=True))
    if MALE != 0:
        start, slope, constant = start[::-1], slope[::-1], constant[::-1]
    return np.asarray(np.where(infant < INFANT_LIMIT, start + slope * infant, constant))


def life_table(mx: Array, *, lower: NDArray[np.int64], ax: Array | None = None) -> LifeTable:
    """Life table of central death rates.

    Parameters
    ----------
    mx
        Death rates ``(…, S, G)``. [1/year]
    lower
        Lower bounds of the groups ``(G,)``, from 0. [years]
    ax
        Separation factors; from :func:`separation_factors` if not given. [years]

    Raises
    ------
    DemographyError
        If a rate is negative or not finite, or 0 in the open group.

    Notes
    -----
    ``q = n m / (1 + (n − a) m)``, at most 0.999 in a closed group; ``L = n l₊₁ + a d``;
    ``T = l/m`` in the open group.

    Examples
    --------
    A constant rate of 0.1 a year gives a life of ten years:

    >>> t = life_table(np.full((2, 3), 0.1), lower=np.array([0, 5, 10]))
    >>> t.ex[0].round(2).tolist(), t.lx[0].round(3).tolist()
    ([10.0, 10.0, 10.0], [1.0, 0.6, 0.36])
    """
    bad = ~np.isfinite(mx) | (mx < 0)
    bad[..., -1] |= mx[..., -1] <= 0
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise DemographyError(f"death rate {mx[where]} at {where[:-1]}, age {lower[where[-1]]}")
    n = np.diff(lower).astype(np.float64)
    a = separation_factors(mx, lower=lower) if ax is None else ax
    m = mx[..., :-1]
    q = np.minimum(n * m / (1 + np.maximum(n - a[..., :-1], 0.0) * m), MOST_DEATHS)
    lx = np.concatenate([np.ones_like(mx[..., :1]), np.cumprod(1 - q, axis=-1)], axis=-1)
    lived = n * lx[..., 1:] + a[..., :-1] * (lx[..., :-1] - lx[..., 1:])
    lived = np.concatenate([lived, lx[..., -1:] / mx[..., -1:]], axis=-1)
    remaining = np.cumsum(lived[..., ::-1], axis=-1)[..., ::-1]
    qx = np.concatenate([q, np.ones_like(q[..., :1])], axis=-1)
    return LifeTable(lower, mx, a, qx, lx, lived, remaining, remaining / lx)


def survival_ratios(table: LifeTable, ages: AgeGroups) -> Survival:
    """Survival of one step as wide as the age groups.

    Parameters
    ----------
    table
        Life table whose bounds contain those of `ages` and, for the open group's own ratio,
        go at least one class beyond.
    ages
        Age groups of the population.

    Raises
    ------
    LabelError
        If the table has no group that begins at an age that is needed.

    Notes
    -----
    Newborn ``L[0]/(n l₀)``; closed ``L[a+1]/L[a]``; below the open group the years lived in
    the first class inside it, ``L(x_A, n)/L[A−1]``; the open group ``T(x_A + n)/T(x_A)``. The
    two together map the stationary population to itself, as the pooled ratio does.

    Examples
    --------
    >>> t = life_table(np.full((1, 4), 0.02), lower=np.array([0, 5, 10, 15]))
    >>> s = survival_ratios(t, AgeGroups((0, 5, 10)))
    >>> s.ratio[0].round(3).tolist(), s.pooled
    ([0.952, 0.905, 0.905, 0.905], False)
    """
    bounds = table.lower.tolist()
    missing = [age for age in ages.lower if age not in bounds]
    if missing:
        raise LabelError(f"the life table has no group from age {missing[0]}; it has {bounds}")
    n, oldest = ages.width, ages.open_age
    at = {age: table.Tx[..., bounds.index(age)] for age in bounds}
    lived = [at[a] - at[b] for a, b in pairwise(ages.lower)]
    lx0 = table.lx[..., 0]
    ratios = [lived[0] / (n * lx0)]
    ratios += [after / before for before, after in pairwise(lived)]
    pooled = oldest + n not in bounds
    if pooled:
        ratios += [at[oldest] / at[ages.lower[-2]]] * 2
    else:
        ratios += [(at[oldest] - at[oldest + n]) / lived[-1], at[oldest + n] / at[oldest]]
    return Survival(np.stack(ratios, axis=-1), pooled)


def single_year_survival(table: LifeTable, *, open_age: int) -> Survival:
    """Survival over one year by single age, from an abridged table.

    Parameters
    ----------
    table
        Life table ``(…, S, G)`` that goes beyond `open_age`.
    open_age
        Lower bound of the open group, a bound of the table. [years]

    Returns
    -------
    Survival
        ``(…, S, open_age + 2)``.

    Raises
    ------
    LabelError
        If `open_age` is not a bound of the table below its own open group.

    Notes
    -----
    A monotone cubic through ln l(x) gives l at every age between; its integrals are the single
    years lived, scaled so that those of a group add up to the group's. A fifth root of a
    five-year ratio would put deaths half a group too low in age.

    Examples
    --------
    >>> t = life_table(np.full((1, 4), 0.02), lower=np.array([0, 5, 10, 15]))
    >>> single_year_survival(t, open_age=10).ratio[0, 3:7].round(3).tolist()
    [0.98, 0.98, 0.98, 0.98]
    """
    bounds = table.lower.tolist()
    if open_age not in bounds[:-1]:
        raise LabelError(f"open age {open_age} is no bound of the table below its last: {bounds}")
    alive = PchipInterpolator(table.lower, np.log(table.lx), axis=-1)
    points, weights = QUADRATURE
    years = np.arange(bounds[-1])
    inside = years[:, None] + (points + 1) / 2
    lived = (np.exp(alive(inside.ravel())).reshape(*table.lx.shape[:-1], *inside.shape)) @ (
        weights / 2
    )
    group = np.searchsorted(table.lower, years, side="right") - 1
    totals = np.add.reduceat(lived, table.lower[:-1], axis=-1)
    lived *= (table.nLx[..., :-1] / totals)[..., group]
    beyond = table.Tx[..., bounds.index(open_age)] - lived[..., open_age]
    ratio = np.concatenate(
        [
            lived[..., :1] / table.lx[..., :1],
            lived[..., 1 : open_age + 1] / lived[..., :open_age],
            (beyond / table.Tx[..., bounds.index(open_age)])[..., None],
        ],
        axis=-1,
    )
    return Survival(ratio, pooled=False)


def split_open_mortality(mx: Array, *, lower: NDArray[np.int64], to: NDArray[np.int64]) -> Array:
    """Death rates of an open group spread over closed ones and a later open one.

    Parameters
    ----------
    mx
        Death rates ``(…, S, G)``. [1/year]
    lower
        Their lower bounds ``(G,)``. [years]
    to
        Lower bounds that go beyond; they begin with those of `lower`. [years]

    Returns
    -------
    numpy.ndarray
        Rates for `to`: in the new groups they rise by a constant ratio a year from the old
        open group's on, such that its expectation of life, 1/m, is kept. [1/year]

    Raises
    ------
    LabelError
        If `to` does not begin with `lower`.
    DemographyError
        If the last closed group's rate is not below the open group's.

    References
    ----------
    .. [1] B. Gompertz, 1825: ``m(x) = m_c e^{b (x − c)}`` from the middle c of the last closed
       group.

    Examples
    --------
    >>> m = np.array([[0.01, 0.1, 0.2]])
    >>> longer = split_open_mortality(m, lower=np.array([0, 80, 85]),
    ...                               to=np.array([0, 80, 85, 90, 95]))
    >>> t = life_table(longer, lower=np.array([0, 80, 85, 90, 95]))
    >>> t.ex[0, 2].round(6)
    np.float64(5.0)
    """
    if to[: len(lower)].tolist() != lower.tolist():
        raise LabelError(f"bounds {to.tolist()} do not begin with {lower.tolist()}")
    if (mx[..., -2] >= mx[..., -1]).any() or (mx[..., -2] <= 0).any():
        raise DemographyError("an open group's death rate must exceed the group's below")
    closed = len(lower) - 1
    middles = (to[closed:] + np.append(to[closed + 1 :], to[-1] + (to[-1] - to[-2]))) / 2
    since = middles - (lower[-2] + lower[-1]) / 2
    low, high = np.zeros(mx.shape[:-1]), np.ones(mx.shape[:-1])
    for _ in range(BISECTIONS):
        slope = (low + high) / 2
        longer = _risen(mx, slope, since)
        too_long = life_table(longer, lower=to).ex[..., closed] > 1 / mx[..., -1]
        low, high = np.where(too_long, slope, low), np.where(too_long, high, slope)
    return _risen(mx, high, since)


def _risen(mx: Array, slope: Array, since: Array) -> Array:
    rates = mx[..., -2, None] * np.exp(np.minimum(slope[..., None] * since, MOST_RISE))
    return np.concatenate([mx[..., :-1], rates], axis=-1)

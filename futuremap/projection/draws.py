"""Draws of what may come: shocks keyed by seed, draw and zone, reduced to intervals tile by tile.

The interval of a catchment is not the sum of its blocks' intervals: errors of neighbouring
blocks partly cancel, those of one town partly don't. So every draw moves all zones at once,
with a part that the zones of a parent share, and the moved zones are gathered before quantiles
are taken. A number depends only on (seed, draw, id), so tiles and the order of zones don't
matter, and no cube of draws × zones × years stands in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtri

from futuremap.errors import LabelError

TAIL = 0.1  # on either side of an 80 % interval
SCORE = float(-ndtri(TAIL))  # normal score of the bounds
DRAWS = 1_000
TILE = 2_000_000  # numbers held at once
SMALLEST = 1e-6  # a lower factor of 0 has no logarithm; a zone that may vanish keeps a millionth


class Spread(NamedTuple):
    """How far zones may come from what is projected.

    low, high
        Factors on the projected number that bound 80 % of what came ``(Y, Z)``. [ratio]
    parents
        Code of each zone's municipality ``(Z,)``.
    shared
        Part of the variance of a zone's error that is its parent's error ``(Y, Z)``. [ratio]
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    parents: tuple[str, ...]
    shared: NDArray[np.float64]


def interval(
    values: NDArray[np.float64],
    spread: Spread,
    *,
    zones: Sequence[str],
    weights: sparse.csr_array,
    seed: int,
    draws: int = DRAWS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """80 % interval of what is gathered from zones.

    Parameters
    ----------
    values
        Projected numbers ``(Y, Z)``: people, or anything that grows with them. [persons]
    spread
        Their factors and what they have in common.
    zones
        Ids of the zones, which key their shocks ``(Z,)``.
    weights
        Who counts where ``(T, Z)``; the identity gives the zones' own intervals. [ratio]
    seed
        Another seed gives other draws.
    draws
        Count of draws.

    Returns
    -------
    tuple
        Lower and upper bound ``(Y, T)``. [persons]

    Raises
    ------
    LabelError
        If shapes disagree or a lower factor is above its upper one.

    Notes
    -----
    A zone's normal score is ``u = √ρ·g(parent) + √(1−ρ)·g(zone)``, g being the same in all
    years: what grows more than projected does so throughout. Its factor is ``exp`` of the line
    through (−1.28, log low), (0, log of the middle) and (1.28, log high), the middle being 1 or the
    bound nearest to it, so that each zone alone has its own factors as its 80 % interval.

    Examples
    --------
    Two blocks of 100 with ±20 %: together less than ±20 % if their errors are their own.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> both = sparse.csr_array(np.array([[1.0, 1.0]]))
    >>> width = lambda shared: np.subtract(*[float(b[0, 0]) for b in interval(
    ...     np.array([[100.0, 100.0]]),
    ...     Spread(np.array([[0.8, 0.8]]), np.array([[1.2, 1.2]]), ("37201", "37201"),
    ...            np.full((1, 2), shared)),
    ...     zones=["a", "b"], weights=both, seed=1)][::-1])
    >>> bool(width(0.0) < 65 < width(1.0))
    True
    """
    _check(values, spread, zones, weights)
    middle = np.clip(0.0, *(logs := (_log(spread.low), _log(spread.high))))
    down, up = (middle - logs[0]) / SCORE, (logs[1] - middle) / SCORE
    low = np.empty((len(values), weights.shape[0]))
    high = np.empty_like(low)
    for rows, columns in _tiles(weights, draws):
        part = weights[rows][:, columns]
        own = normal([zones[i] for i in columns], seed=seed, draws=draws)
        common = _of_parents([spread.parents[i] for i in columns], seed, draws)
        for year, people in enumerate(values[:, columns]):
            rho = spread.shared[year, columns][:, None]
            score = np.sqrt(rho) * common + np.sqrt(1 - rho) * own
            slope = np.where(
                score < 0,
                down[year, columns][:, None],
                up[year, columns][:, None],
            )
            moved = people[:, None] * np.exp(middle[year, columns][:, None] + slope * score)
            bounds = np.quantile(part @ moved, [TAIL, 1 - TAIL], axis=1)
            low[year, rows], high[year, rows] = bounds
    return low, high


def _check(
    values: NDArray[np.float64],
    spread: Spread,
    zones: Sequence[str],
    weights: sparse.csr_array,
) -> None:
    years, count = values.shape
    shapes = {spread.low.shape, spread.high.shape, spread.shared.shape, (years, count)}
    lengths = {len(zones), len(spread.parents), weights.shape[1], count}
    if len(shapes) != 1 or len(lengths) != 1:
        raise LabelError(f"factors, zones and weights do not match values {values.shape}")
    if not np.all((spread.shared >= 0) & (spread.shared <= 1)):
        raise LabelError("the shared part of an error's variance lies outside 0 to 1")
    sound = (spread.low >= 0) & (spread.low <= spread.high) & np.isfinite(spread.high)
    if not sound.all():
        year, zone = np.argwhere(~sound)[0]
        raise LabelError(
            f"zone {zones[zone]}: factors {spread.low[year, zone]} to {spread.high[year, zone]}",
        )


def _log(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(factor, SMALLEST)))


def _tiles(
    weights: sparse.csr_array,
    draws: int,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    # rows together until the zones they touch times the draws fill a tile
    step = max(1, TILE // (draws * max(1, weights.nnz // max(1, weights.shape[0]))))
    for start in range(0, weights.shape[0], step):
        rows = np.arange(start, min(start + step, weights.shape[0]))
        yield rows, np.unique(weights[rows].indices)


def _of_parents(parents: Sequence[str], seed: int, draws: int) -> NDArray[np.float64]:
    codes = sorted(set(parents))
    position = {code: i for i, code in enumerate(codes)}
    return normal(codes, seed=seed, draws=draws)[[position[code] for code in parents]]


def normal(ids: Sequence[str], *, seed: int, draws: int) -> NDArray[np.float64]:
    """Standard normal numbers that depend on (seed, draw, id) alone ``(len(ids), draws)``.

    Examples
    --------
    >>> alone = normal(["b"], seed=7, draws=3)
    >>> bool((normal(["a", "b"], seed=7, draws=3)[1] == alone[0]).all())
    True
    """
    return np.asarray(ndtri(uniform(ids, seed=seed, draws=draws)))


def uniform(ids: Sequence[str], *, seed: int, draws: int) -> NDArray[np.float64]:
    """Numbers between 0 and 1 that depend on (seed, draw, id) alone ``(len(ids), draws)``.

    Examples
    --------
    >>> found = uniform(["a", "b"], seed=7, draws=1000)
    >>> bool(abs(found.mean() - 0.5) < 0.03 and 0 < found.min() and found.max() < 1)
    True
    """
    keys = np.array([_key(one) for one in ids], dtype=np.uint64)
    counters = np.arange(draws, dtype=np.uint64)
    mixed = _mix(keys[:, None] ^ _mix(counters + np.uint64(_key(str(seed)))))
    return np.asarray(((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # the finaliser of splitmix64: neighbouring counters come out unrelated
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def factors(
    spread: Spread,
    *,
    zones: Sequence[str],
    seed: int,
    draws: int,
) -> NDArray[np.float64]:
    """What every zone's people are multiplied by in each draw ``(Y, Z, D)``. [ratio]

    As :func:`interval` moves them; for numbers that grow with the people but do not add up.

    Parameters
    ----------
    spread, zones, seed
        As for :func:`interval`.
    draws
        Count of draws (D).
    """
    own = normal(zones, seed=seed, draws=draws)
    common = _of_parents(spread.parents, seed, draws)
    return np.stack(
        [_factor(spread, year, own=own, common=common) for year in range(len(spread.low))]
    )


def _factor(
    spread: Spread,
    year: int,
    *,
    own: NDArray[np.float64],
    common: NDArray[np.float64],
) -> NDArray[np.float64]:
    low, high = _log(spread.low[year]), _log(spread.high[year])
    middle = np.clip(0.0, low, high)
    rho = spread.shared[year][:, None]
    score = np.sqrt(rho) * common + np.sqrt(1 - rho) * own
    slope = np.where(
        score < 0, ((middle - low) / SCORE)[:, None], ((high - middle) / SCORE)[:, None]
    )
    return np.asarray(np.exp(middle[:, None] + slope * score))


def intervals(
    values: NDArray[np.float64],
    spread: Spread,
    *,
    zones: Sequence[str],
    weights: sparse.csr_array,
    seed: int,
    draws: int = DRAWS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """80 % intervals of several numbers that are gathered from the same zones, by the same draws.

    Parameters
    ----------
    values
        Numbers that grow with the people ``(I, Y, Z)``.
    spread, zones, weights, seed, draws
        As for :func:`interval`.

    Returns
    -------
    tuple
        Lower and upper bound ``(I, Y, T)``. A target of one zone has that zone's own factors.

    Raises
    ------
    LabelError
        If shapes disagree or a lower factor is above its upper one.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> one = Spread(np.array([[0.8]]), np.array([[1.2]]), ("37201",), np.ones((1, 1)))
    >>> low, high = intervals(np.array([[[50.0]]]), one, zones=["a"], seed=1,
    ...                       weights=sparse.csr_array(np.array([[0.5]])))
    >>> low.round(9).tolist(), high.round(9).tolist()
    ([[[20.0]]], [[[30.0]]])
    """
    for one in values[:1]:
        _check(one, spread, zones, weights)
    bounds = np.exp(_log(np.stack([spread.low, spread.high])))
    low, high = (np.stack([(weights @ (v * bound).T).T for v in values]) for bound in bounds)
    many = np.flatnonzero(np.diff(weights.indptr) > 1)
    for rows, columns in _tiles(weights[many], draws * max(1, len(values) // 4)):
        part = weights[many[rows]][:, columns]
        own = normal([zones[i] for i in columns], seed=seed, draws=draws)
        common = _of_parents([spread.parents[i] for i in columns], seed, draws)
        chosen = Spread(
            spread.low[:, columns],
            spread.high[:, columns],
            tuple(spread.parents[i] for i in columns),
            spread.shared[:, columns],
        )
        for year in range(values.shape[1]):
            factor = _factor(chosen, year, own=own, common=common)
            moved = _stacked(part, values[:, year][:, columns]) @ factor
            found = np.quantile(moved, [TAIL, 1 - TAIL], axis=1)
            shape = (len(values), len(rows))
            low[:, year, many[rows]] = found[0].reshape(shape)
            high[:, year, many[rows]] = found[1].reshape(shape)
    return low, high


def _stacked(part: sparse.csr_array, values: NDArray[np.float64]) -> sparse.csr_array:
    # the weights times each indicator's values, one indicator below the other
    count, rows = len(values), part.shape[0]
    data = (part.data[None, :] * values[:, part.indices]).ravel()
    starts = np.arange(count, dtype=np.int64)[:, None] * part.nnz
    pointers = np.append((starts + part.indptr[None, :-1]).ravel(), count * part.nnz)
    columns = np.tile(part.indices, count)
    return sparse.csr_array((data, columns, pointers), shape=(count * rows, part.shape[1]))

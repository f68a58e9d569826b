"""Travel: how far people have to the nearest facility, as percentiles and as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.catchment.pairs import Pairs
from futuremap.core.zones import by_parent
from futuremap.errors import DemographyError, LabelError

Floats = NDArray[np.float64]
ROUNDING = 1e-12  # of a sum of people, so that half of them is reached in spite of rounding


class Percentiles(NamedTuple):
    """Travel within which a share of the people reach the nearest facility.

    parents
        Municipalities in the order in which they first stand (P).
    shares
        The shares asked for (Q). [ratio]
    travel
        ``(Q, Y, P)``, infinite where fewer people than that reach any facility, NaN where
        nobody lives. [m or min]
    people
        All people ``(Y, P)``. [persons]
    unreached
        Those of them who reach none ``(Y, P)``. [persons]
    """

    parents: tuple[str, ...]
    shares: tuple[float, ...]
    travel: Floats
    people: Floats
    unreached: Floats


class Curve(NamedTuple):
    """People within a distance or time of the nearest facility.

    parents
        Municipalities in the order in which they first stand (P).
    limits
        Distances or times (T). [m or min]
    people
        Those within each limit, the limit itself included ``(T, Y, P)``. [persons]
    share
        The same over all people, reached or not ``(T, Y, P)``, NaN where nobody lives. [ratio]
    """

    parents: tuple[str, ...]
    limits: tuple[float, ...]
    people: Floats
    share: Floats


def to_nearest(pairs: Pairs, count: int) -> Floats:
    """Distance or time from each place to its nearest facility.

    Parameters
    ----------
    pairs
        Facilities, places and what lies between them. [m or min]
    count
        Count of places (M).

    Returns
    -------
    numpy.ndarray
        ``(M,)``, infinite for places in no pair. [m or min]

    Examples
    --------
    >>> pairs = Pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([9.0, 4.0, 7.0]))
    >>> to_nearest(pairs, 3).tolist()
    [4.0, 7.0, inf]
    """
    nearest = np.full(count, np.inf)
    np.minimum.at(nearest, pairs.place, pairs.distance)
    return nearest


def percentiles(
    travel: Floats,
    people: Floats,
    *,
    parents: Sequence[str],
    shares: Sequence[float] = (0.5, 0.8, 0.9),
) -> Percentiles:
    """Travel that the given shares of people do not exceed, by municipality and year.

    Parameters
    ----------
    travel
        To the nearest facility ``(M,)``, or by year where facilities change ``(Y, M)``;
        infinite where none is reached. [m or min]
    people
        People at each place ``(Y, M)``. [persons]
    parents
        Municipality of each place ``(M,)``.
    shares
        Shares of the people, above 0 and up to 1.

    Returns
    -------
    Percentiles
        The percentile of share q is the least travel t of any person such that at least
        ``q`` of all people have t or less: the inverse of the empirical distribution, weighted
        by people, without interpolation. People who reach no facility stay in the whole, with
        an infinite travel, and are also counted apart.

    Raises
    ------
    LabelError
        If shapes do not match or a share is not in (0, 1].
    DemographyError
        If travel is negative or unknown.

    Examples
    --------
    Of ten people six live 5 minutes away, three 20, and one reaches nothing:

    >>> found = percentiles(np.array([5.0, 20.0, np.inf]), np.array([[6.0, 3.0, 1.0]]),
    ...                     parents=["34204"] * 3, shares=(0.5, 0.9, 0.95))
    >>> found.travel.ravel().tolist(), found.unreached.tolist()
    ([5.0, 20.0, inf], [[1.0]])
    """
    if any(not 0 < share <= 1 for share in shares):
        raise LabelError(f"shares of people must lie above 0 and up to 1, got {tuple(shares)}")
    by_year = _by_year(travel, people, parents)
    codes, parent = by_parent(parents)
    found = [
        _of_year(times, persons, parent, shares=shares, count=len(codes))
        for times, persons in zip(by_year, people, strict=True)
    ]
    return Percentiles(
        tuple(codes),
        tuple(shares),
        np.stack(found, axis=1),
        _sums(people, parent, len(codes)),
        _sums(np.where(np.isinf(by_year), people, 0.0), parent, len(codes)),
    )


def curve(
    travel: Floats,
    people: Floats,
    *,
    parents: Sequence[str],
    limits: Sequence[float],
) -> Curve:
    """Share of people within each of several distances or times, by municipality and year.

    Parameters
    ----------
    travel
        To the nearest facility ``(M,)``, or by year ``(Y, M)``; infinite where none is reached.
        [m or min]
    people
        People at each place ``(Y, M)``. [persons]
    parents
        Municipality of each place ``(M,)``.
    limits
        Distances or times, ascending. [m or min]

    Returns
    -------
    Curve
        People at the limit itself are within it. The share is of all people: what it lacks to
        1 at the last limit are those farther away and those who reach none.

    Raises
    ------
    LabelError
        If shapes do not match or limits do not ascend.
    DemographyError
        If travel is negative or unknown.

    Examples
    --------
    >>> found = curve(np.array([5.0, 20.0, np.inf]), np.array([[6.0, 3.0, 1.0]]),
    ...               parents=["34204"] * 3, limits=(5, 10, 30))
    >>> found.share.ravel().tolist()
    [0.6, 0.6, 0.9]
    """
    if not limits or np.any(np.diff(limits) <= 0):
        raise LabelError(f"limits of a curve must ascend, got {tuple(limits)}")
    by_year = _by_year(travel, people, parents)
    codes, parent = by_parent(parents)
    ring = np.searchsorted(limits, by_year, side="left")
    rings = [
        _sums(np.where(ring == i, people, 0.0), parent, len(codes)) for i in range(len(limits))
    ]
    within = np.cumsum(rings, axis=0)
    whole = np.broadcast_to(_sums(people, parent, len(codes)), within.shape)
    share = np.divide(within, whole, out=np.full(within.shape, np.nan), where=whole > 0)
    return Curve(tuple(codes), tuple(limits), within, share)


def _of_year(
    travel: Floats,
    people: Floats,
    parent: NDArray[np.intp],
    *,
    shares: Sequence[float],
    count: int,
) -> Floats:
    # (Q, P): people in order of travel within each municipality, then the first who completes
    # the share; sums run within the municipality, so that a small one loses nothing to a large
    order = np.lexsort((travel, parent))
    owner, times = parent[order], travel[order]
    so_far = pd.Series(people[order]).groupby(owner).cumsum().to_numpy()
    first = np.searchsorted(owner, np.arange(count))
    last = np.searchsorted(owner, np.arange(count), side="right") - 1
    whole = so_far[last]
    found = np.empty((len(shares), count))
    for i, share in enumerate(shares):
        short = so_far < (share * whole * (1 - ROUNDING))[owner]
        position = first + np.bincount(owner, weights=short, minlength=count).astype(np.intp)
        found[i] = np.where(whole > 0, times[position], np.nan)
    return found


def _by_year(travel: Floats, people: Floats, parents: Sequence[str]) -> Floats:
    count = len(people), len(parents)
    if people.shape != count or travel.shape not in (count, count[1:]):
        raise LabelError(
            f"travel has shape {travel.shape}, people {people.shape}, their labels {count}",
        )
    bad = np.isnan(travel) | (travel < 0)
    if bad.any():
        where = tuple(np.argwhere(bad)[0])
        raise DemographyError(
            f"travel is {travel[where]} at place {where[-1]} of {parents[where[-1]]}; "
            f"infinite says that none is reached; {int(bad.sum())} such values",
        )
    return np.broadcast_to(travel, count)


def _sums(people: Floats, parent: NDArray[np.intp], count: int) -> Floats:
    rows = [np.bincount(parent, weights=persons, minlength=count) for persons in people]
    return np.asarray(rows, dtype=np.float64).reshape(len(people), count)

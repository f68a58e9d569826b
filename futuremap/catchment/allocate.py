"""Allocation: each place to its nearest facilities, by Huff's model, or where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.catchment.pairs import TOLD_APART, Pairs
from futuremap.catchment.transport import taken, transport
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import DemographyError, LabelError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
SOLVED = 1e-7  # shares smaller than this are rounding of the solver


class _Between(NamedTuple):
    facilities: Zones
    places: Zones
    credits: Sequence[str]


class Allocation(NamedTuple):
    """Who goes where.

    walk
        Places to facilities ``(F, M)``; the shares of a place sum to 1, or are none. [ratio]
    unreached
        Ids of the places that go nowhere, in order: no facility is in their pairs.
    """

    walk: Crosswalk
    unreached: tuple[str, ...]


class Filled(NamedTuple):
    """Who goes where if room is limited.

    walk
        Places to facilities ``(F, M)``. [ratio]
    unreached
        Ids of the places with people and no facility in their pairs, in order.
    unserved
        People of each place who find no room, or reach no facility ``(M,)``. [persons]
    """

    walk: Crosswalk
    unreached: tuple[str, ...]
    unserved: Floats


@dataclass(frozen=True)
class Decay:
    """How attraction falls with distance or time d.

    Parameters
    ----------
    shape
        "power" ``d^−λ``, "exponential" ``exp(−β d)`` or "gaussian" ``exp(−d² / v)``.
    parameter
        λ [1], β [1/m or 1/min] or v [m² or min²], above 0.

    Raises
    ------
    LabelError
        If the parameter is not a number above 0.

    References
    ----------
    Huff, D. L. (1963), Land Economics 39(1), 81-90: λ. Wilson, A. G. (1971), Environment and
    Planning 3(1), 1-32: β. Ingram, D. R. (1971), Regional Studies 5(2), 101-107: v.

    Examples
    --------
    >>> Decay("power", 2.0)(np.array([1.0, 10.0])).round(9).tolist()
    [1.0, 0.01]
    """

    shape: Literal["power", "exponential", "gaussian"]
    parameter: float

    def __post_init__(self) -> None:
        if not 0 < self.parameter < np.inf:
            raise LabelError(f"the {self.shape} decay has the parameter {self.parameter}, not > 0")

    def log(self, travel: Floats) -> Floats:
        """Natural logarithm of the decay ``(K,)``; infinite at distance 0 for the power."""
        if self.shape == "exponential":
            return np.asarray(-self.parameter * travel)
        if self.shape == "gaussian":
            return np.asarray(-(travel**2) / self.parameter)
        with np.errstate(divide="ignore"):
            return np.asarray(-self.parameter * np.log(travel))

    def __call__(self, travel: Floats) -> Floats:
        """Decay at each distance or time ``(K,)``. [ratio]"""
        return np.asarray(np.exp(self.log(travel)))


def nearest_only(
    pairs: Pairs,
    *,
    facilities: Zones,
    places: Zones,
    credits: Sequence[str] = (),  # noqa: A002 - the noun of the field
) -> Allocation:
    """Each place whole to its nearest facility.

    Parameters
    ----------
    pairs
        Facilities, places and the distance or time between them, such as
        :func:`futuremap.catchment.pairs.near` or
        :func:`futuremap.catchment.network.within_time` gives.
    facilities, places
        What the pairs point at.
    credits
        Credit keys of what else the pairs were made from, such as a road network.

    Returns
    -------
    Allocation
        Of facilities as near as each other, to the thousandth of a metre or minute, the one
        with the lower id.

    Examples
    --------
    >>> import shapely
    >>> halls, homes = (
    ...     Zones.build(ids, shapely.points([133.0] * 2, [34.4] * 2), names=ids,
    ...                 parents=["34204"] * 2, kind=kind, plane_zone=3)
    ...     for ids, kind in ((["hall", "annex"], "facility"), (["a", "b"], "place"))
    ... )
    >>> pairs = Pairs(np.array([0, 1]), np.array([0, 0]), np.array([300.0, 300.0]))
    >>> allocation = nearest_only(pairs, facilities=halls, places=homes)
    >>> allocation.walk.weights.toarray().tolist(), allocation.unreached
    ([[0.0, 0.0], [1.0, 0.0]], ('b',))
    """
    return k_nearest(pairs, facilities=facilities, places=places, k=1, credits=credits)


def k_nearest(
    pairs: Pairs,
    *,
    facilities: Zones,
    places: Zones,
    k: int,
    shared: Literal["equally", "by inverse distance"] = "equally",
    credits: Sequence[str] = (),  # noqa: A002 - the noun of the field
) -> Allocation:
    """Each place to its nearest facilities, in shares that sum to 1.

    Parameters
    ----------
    pairs, facilities, places, credits
        As for :func:`nearest_only`.
    k
        How many facilities a place, fewer where fewer are in its pairs.
    shared
        The same share to each, or ``1 / d`` over its sum. A place at distance 0 of a facility
        goes there whole.

    Raises
    ------
    LabelError
        If `k` is not at least 1.

    Notes
    -----
    Ties are as for :func:`nearest_only`: the lower ids come first, whatever the order.
    """
    if k < 1:
        raise LabelError(f"the {k} nearest facilities")
    order = np.lexsort(
        (_rank(facilities)[pairs.facility], pairs.distance.round(TOLD_APART), pairs.place),
    )
    place = pairs.place[order]
    counts = np.bincount(place, minlength=len(places))
    kept = order[np.arange(len(order)) - (np.cumsum(counts) - counts)[place] < k]
    few = taken(pairs, kept)
    weights = np.ones(len(kept))
    if shared == "by inverse distance":
        least = np.full(len(places), np.inf)
        np.minimum.at(least, few.place, few.distance)
        # 1 / d over the largest of the place; 0 / 0 is the facility at which it stands
        own = least[few.place]
        weights = np.divide(own, few.distance, out=weights, where=few.distance > own)
    rule = "to the nearest facility" if k == 1 else f"to the {k} nearest facilities, {shared}"
    return _allocation(few, weights, _Between(facilities, places, credits), rule)


def huff(
    pairs: Pairs,
    *,
    facilities: Zones,
    places: Zones,
    attraction: Floats,
    decay: Decay,
    farthest: float = np.inf,
    credits: Sequence[str] = (),  # noqa: A002 - the noun of the field
) -> Allocation:
    """Each place to all facilities in its pairs, by attraction and distance.

    Parameters
    ----------
    pairs, facilities, places, credits
        As for :func:`nearest_only`.
    attraction
        Floor area, beds or what else draws people ``(F,)``; 0 draws nobody.
    decay
        How it falls with distance.
    farthest
        Facilities farther away draw nobody. [m or min]

    Returns
    -------
    Allocation
        ``P_ij = S_j f(d_ij) / Σ_k S_k f(d_ik)``. With a power decay a place at distance 0 of
        facilities goes to these only, by their attraction.

    Raises
    ------
    LabelError
        If there is not one attraction a facility.
    DemographyError
        If an attraction is negative or unknown.

    References
    ----------
    Huff, D. L. (1963), Land Economics 39(1), 81-90: P_ij, S_j, T_ij (here d_ij), λ.

    Examples
    --------
    Twice the floor area at twice the distance, with λ = 2: 2/4 against 1.

    >>> import shapely
    >>> shops, home = (
    ...     Zones.build(ids, shapely.points([133.0] * len(ids), [34.4] * len(ids)), names=ids,
    ...                 parents=["34204"] * len(ids), kind=kind, plane_zone=3)
    ...     for ids, kind in ((["mall", "shop"], "facility"), (["home"], "place"))
    ... )
    >>> pairs = Pairs(np.array([0, 1]), np.array([0, 0]), np.array([200.0, 100.0]))
    >>> huff(pairs, facilities=shops, places=home, attraction=np.array([2.0, 1.0]),
    ...      decay=Decay("power", 2.0)).walk.weights.toarray().round(4).tolist()
    [[0.3333], [0.6667]]
    """
    _require_counts("attraction", attraction, facilities, most=np.finfo(np.float64).max)
    drawn = (attraction[pairs.facility] > 0) & (pairs.distance <= farthest)
    near = taken(pairs, drawn)
    fall = decay.log(near.distance)
    at_door = np.zeros(len(places), dtype=bool)
    at_door[near.place[np.isposinf(fall)]] = True
    fall = np.where(np.isposinf(fall), 0.0, np.where(at_door[near.place], -np.inf, fall))
    # in logarithms, over the largest of the place: far from all facilities f(d) itself is 0
    score = np.log(attraction[near.facility]) + fall
    top = np.full(len(places), -np.inf)
    np.maximum.at(top, near.place, score)
    weights = np.exp(score - top[near.place])
    rule = f"by Huff's model, {decay.shape} decay {decay.parameter:g}"
    if np.isfinite(farthest):
        rule += f", up to {farthest:g}"
    return _allocation(near, weights, _Between(facilities, places, credits), rule)


def with_capacity(
    pairs: Pairs,
    *,
    facilities: Zones,
    places: Zones,
    capacity: Floats,
    people: Floats,
    credits: Sequence[str] = (),  # noqa: A002 - the noun of the field
) -> Filled:
    """People to the nearest facility that has room, all at once.

    Parameters
    ----------
    pairs, facilities, places, credits
        As for :func:`nearest_only`.
    capacity
        Of each facility ``(F,)``; infinite where there is no limit. [persons]
    people
        Of the ages served at each place ``(M,)``. [persons]

    Returns
    -------
    Filled
        As many people as can be are served; of all ways to do so, the one with the least
        distance in all. No order of places or facilities decides: of equally good answers
        (distances told apart to the thousandth) it is the one in which places with lower ids
        are at facilities with lower ids. A place without people has no shares.

    Raises
    ------
    LabelError
        If there is not one capacity a facility and one number of people a place.
    DemographyError
        If a capacity or a number of people is negative or unknown.
    SolveError
        If the solver does not end at an optimum.

    Notes
    -----
    The transport problem of :func:`futuremap.catchment.transport.transport`. Loads keep to
    capacities within 1e-7 of the people of the places that they come from.

    Examples
    --------
    Room for 15 of 20 people; those of `near` are nearest:

    >>> import shapely
    >>> hall, homes = (
    ...     Zones.build(ids, shapely.points([133.0] * len(ids), [34.4] * len(ids)), names=ids,
    ...                 parents=["34204"] * len(ids), kind=kind, plane_zone=3)
    ...     for ids, kind in ((["hall"], "facility"), (["far", "near"], "place"))
    ... )
    >>> pairs = Pairs(np.array([0, 0]), np.array([0, 1]), np.array([500.0, 100.0]))
    >>> filled = with_capacity(pairs, facilities=hall, places=homes, capacity=np.array([15.0]),
    ...                        people=np.array([10.0, 10.0]))
    >>> filled.walk.weights.toarray().tolist(), filled.unserved.tolist()
    ([[0.5, 1.0]], [5.0, 0.0])
    """
    _require_counts("capacity", capacity, facilities)
    _require_counts("people", people, places, most=np.finfo(np.float64).max)
    # solved in the order of ids, so that the order given cannot matter
    first, then = np.argsort(_rank(facilities)), np.argsort(_rank(places))
    ranked = Pairs(_rank(facilities)[pairs.facility], _rank(places)[pairs.place], pairs.distance)
    order = np.lexsort((ranked.facility, ranked.place))
    in_order = taken(ranked, order)
    flows = np.empty(len(order))
    flows[order] = transport(in_order, people=people[then], capacity=capacity[first])
    at_place = people[pairs.place]
    shares = np.divide(flows, at_place, out=np.zeros_like(flows), where=at_place > 0)
    used = shares > SOLVED
    served = np.bincount(pairs.place[used], weights=shares[used], minlength=len(places))
    whole = served > 1 - SOLVED
    shares /= np.where(whole, served, 1.0)[pairs.place]
    reached = np.bincount(pairs.place, minlength=len(places)) > 0
    few = taken(pairs, used)
    rule = "to the nearest facility with room, least distance in all"
    walk = _walk(few, shares[used], _Between(facilities, places, credits), rule)
    return Filled(
        walk,
        _ids(places, ~reached & (people > 0)),
        np.where(whole, 0.0, people * (1 - served)),
    )


def _allocation(pairs: Pairs, weights: Floats, between: _Between, rule: str) -> Allocation:
    total = np.bincount(pairs.place, weights=weights, minlength=len(between.places))
    some = weights > 0
    few = taken(pairs, some)
    walk = _walk(few, weights[some] / total[few.place], between, rule)
    return Allocation(walk, _ids(between.places, total == 0))


def _walk(pairs: Pairs, shares: Floats, between: _Between, rule: str) -> Crosswalk:
    facilities, places, more = between
    return from_pairs(
        pairs.facility,
        pairs.place,
        shares,
        targets=facilities.ids,
        sources=places.ids,
        rule=rule,
        credits=(*facilities.sources, *places.sources, *more),
    )


def _rank(zones: Zones) -> Positions:
    # position of each zone in the order of ids
    rank = np.empty(len(zones), dtype=np.intp)
    rank[np.argsort(np.asarray(zones.ids, dtype=object))] = np.arange(len(zones))
    return rank


def _ids(zones: Zones, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(zones.frame.index[chosen])


def _require_counts(name: str, values: Floats, zones: Zones, *, most: float = np.inf) -> None:
    if values.shape != (len(zones),):
        raise LabelError(f"{name} has shape {values.shape} for {len(zones)} zones")
    bad = ~((values >= 0) & (values <= most))
    if bad.any():
        at = int(np.argmax(bad))
        raise DemographyError(
            f"{name} is {values[at]} at {zones.ids[at]}; {int(bad.sum())} such values",
        )

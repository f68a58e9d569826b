"""What a block gives to each of its partners of another date, such that totals are kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones


class Partners(NamedTuple):
    """Pairs of blocks.

    giver, taker
        Positions ``(N,)``.
    area
        Common ground, NaN where none is known ``(N,)``. [m^2]
    """

    giver: NDArray[np.intp]
    taker: NDArray[np.intp]
    area: NDArray[np.float64]


class Shared(NamedTuple):
    """The crosswalk, and which givers were shared equally among several ``(Z,)``."""

    walk: Crosswalk
    equally: NDArray[np.bool_]


def share_out(
    partners: Partners,
    givers: Zones,
    takers: Zones,
    *,
    areas: NDArray[np.float64],
    people: NDArray[np.float64] | None,
) -> Shared:
    """Share every giver out over its partners.

    Parameters
    ----------
    partners
        Who may take from whom. A giver without a partner is shared out over all takers of its
        municipality, or over all.
    givers, takers
        Blocks of the one and of the other date.
    areas
        Area of each taker, 0 without a shape ``(T,)``. [m^2]
    people
        People of each taker: a giver is shared out by those who stand on common ground, as if
        they lived evenly over a block. By area where there are none, equally where there is
        neither ``(T,)``. [persons]
    """
    giver, taker, area = _with_all(partners, givers, takers)
    ground = np.nan_to_num(area)
    known = (np.bincount(giver, weights=ground, minlength=len(givers)) > 0)[giver]
    part = np.divide(ground, areas[taker], out=np.zeros_like(ground), where=areas[taker] > 0)
    inside = np.where(known, np.minimum(part, 1.0), 1.0)
    ways = [np.where(known, ground, areas[taker]), np.ones(len(giver))]
    if people is not None:
        ways.insert(0, people[taker] * inside)
    sizes, equally = _first_way(ways, giver, count=len(givers))
    by = "area" if people is None else "people"
    walk = from_pairs(
        taker,
        giver,
        sizes / np.bincount(giver, weights=sizes, minlength=len(givers))[giver],
        targets=takers.ids,
        sources=givers.ids,
        rule=f"blocks of one date to those of another by {by}",
        credits=(*givers.sources, *takers.sources),
    )
    return Shared(walk, equally)


def _with_all(partners: Partners, givers: Zones, takers: Zones) -> Partners:
    alone = np.flatnonzero(np.bincount(partners.giver, minlength=len(givers)) == 0)
    parents = givers.frame["parent"].to_numpy(dtype=object)
    of_takers = takers.frame["parent"].to_numpy(dtype=object)
    everyone = np.arange(len(takers))
    giver, taker = [partners.giver], [partners.taker]
    for i in alone:
        near = np.flatnonzero(of_takers == parents[i])
        near = near if near.size else everyone
        giver.append(np.full(near.size, i))
        taker.append(near)
    all_givers = np.concatenate(giver).astype(np.intp)
    area = np.full(len(all_givers), np.nan)
    area[: len(partners.area)] = partners.area
    return Partners(all_givers, np.concatenate(taker).astype(np.intp), area)


def _first_way(
    ways: list[NDArray[np.float64]],
    giver: NDArray[np.intp],
    *,
    count: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Sizes by the first way that gives a giver any, and who was left to the last, equal way."""
    sizes = np.zeros(len(giver))
    undecided = np.ones(count, dtype=bool)
    for way in ways:
        left = undecided.copy()
        decided = undecided & (np.bincount(giver, weights=way, minlength=count) > 0)
        sizes = np.where(decided[giver], way, sizes)
        undecided &= ~decided
    return sizes, left & (np.bincount(giver, minlength=count) > 1)

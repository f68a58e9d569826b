"""Migration through a common pool: out-rates and in-shares of areas from two stocks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.projection.cohorts import to_ages
from futuremap.projection.migration import parent_sum
from futuremap.projection.signed import plus_minus_factor

Array = NDArray[np.float64]
LEAST_FLOW = 0.01  # of the mean area's prior flow: no area's flow is 0 for ever


class GrossFlows(NamedTuple):
    """Gross migration between two dates, by cohort ``(Z, S, c)``. [persons]

    ``inflow − outflow`` is the residual net migration; ``inflow ≤ later`` and
    ``outflow ≤ survivors``.
    """

    inflow: Array
    outflow: Array


def gross_from_net(
    earlier: Array,
    survivors: Array,
    later: Array,
    *,
    out_rate: Array,
    parent_starts: NDArray[np.intp],
) -> GrossFlows:
    """Gross flows of areas from two stocks and their parents' gross migration.

    Parameters
    ----------
    earlier, survivors, later
        Persons of the same cohorts at the start, those of them alive at the end, and those
        found at the end ``(Z, S, c)``. [persons]
    out_rate
        The parents' out-migrants per person at the start ``(P, S, c)``. [ratio]
    parent_starts
        First area of each parent ``(P,)``.

    Notes
    -----
    Prior flows ``out₀ = o N₀`` and ``in₀``, the areas' shares of their parent's people times
    its prior migrants, are scaled as ``in = f in₀``, ``out = out₀/f`` so that their difference
    is the residual ``M = N₁ − S N₀``. An area's prior is at least one per cent of the mean
    area's. Then in-migrants are limited to those who are there, ``in ≤ N₁``, which keeps
    ``out = in − M ≤ S N₀``.

    References
    ----------
    .. [1] T. Wilson, "Preparing local area population forecasts using a bi-regional
       cohort-component model without the need for local migration data", Demographic
       Research 46(32), 2022.

    Examples
    --------
    All of an area's 20 survivors left, though only 4 were expected to come and go:

    >>> one = np.full((1, 1, 1), 20.0)
    >>> g = gross_from_net(one, one, 0 * one, out_rate=np.array([[[0.2]]]),
    ...                    parent_starts=np.array([0]))
    >>> g.inflow.item(), g.outflow.item()
    (0.0, 20.0)
    """
    sizes = np.diff(np.append(parent_starts, len(earlier)))

    def of_parent(array: Array) -> Array:
        return np.repeat(parent_sum(array, parent_starts), sizes, axis=0)

    net = later - survivors
    expected = np.repeat(out_rate, sizes, axis=0) * earlier
    people, pool = of_parent(earlier), of_parent(expected)
    even = 1 / np.repeat(sizes, sizes)[:, None, None]
    share = np.divide(earlier, people, out=even * np.ones_like(earlier), where=people > 0)
    floor = LEAST_FLOW * pool * even
    coming, going = np.maximum(share * pool, floor), np.maximum(expected, floor)
    factor, _ = plus_minus_factor(net, coming, going)
    # without a pool nobody is expected to move: the net flow is all there is
    gained = np.maximum(net, 0.0)
    inflow = np.clip(np.where(going > 0, coming * factor, gained), gained, later)
    return GrossFlows(inflow, np.maximum(inflow - net, 0.0))


def pool_rates(
    earlier: Array,
    later: Array,
    *,
    survival_ratio: Array,
    out_rate: Array,
    parent_starts: NDArray[np.intp],
) -> dict[str, Array]:
    """Rates of migration through the parents' pools, under their names in ``Rates``.

    Parameters
    ----------
    earlier, later
        Persons one step apart ``(Z, S, A)``. [persons]
    survival_ratio
        By age at the start ``(Z, S, A)``. [ratio]
    out_rate
        The parents' out-migrants per person at the start ``(P, S, A)``. [ratio]
    parent_starts
        First area of each parent ``(P,)``.

    Returns
    -------
    dict
        ``out_migration_rate`` into the pool and ``emigration_rate`` out of it ``(Z, S, A)`` by
        age at the start, ``in_migration_share`` ``(Z, S, A)`` by age at the end, adding up to 1
        in every parent, and ``parent_immigrants`` ``(P, S, A)`` who join the pool. What a
        parent gained came from outside, what it lost left the pool. Children of the youngest
        group have the shares of the next; they come with births.

    Notes
    -----
    Projected from `earlier` with migrants at the end of the step, these rates give back
    `later` in every area and age but the youngest. The two cohorts that meet in the open
    group cannot be told apart in `later` and have one rate.

    References
    ----------
    .. [1] S. Koike, pool model of migration, Journal of Population Problems 64(3), 2008:
       out-migration rates by area, shares of the pooled migrants.

    Examples
    --------
    Two areas of equal size, a tenth moves; one gained what the other lost:

    >>> n0, n1 = np.full((2, 1, 3), 50.0), np.full((2, 1, 3), 50.0)
    >>> n1[0, 0, 1] += 5; n1[1, 0, 1] -= 5
    >>> r = pool_rates(n0, n1, survival_ratio=np.ones((2, 1, 3)), out_rate=np.full((1, 1, 3), 0.1),
    ...                parent_starts=np.array([0]))
    >>> r["in_migration_share"][:, 0, 1].round(2).tolist()
    [0.72, 0.28]
    >>> r["out_migration_rate"][:, 0, 0].round(2).tolist()
    [0.06, 0.16]
    """
    met, alive = to_ages(earlier), to_ages(survival_ratio * earlier)
    begun = parent_sum(earlier, parent_starts)
    moving = to_ages(out_rate * begun)
    together = to_ages(begun)
    prior = np.divide(moving, together, out=out_rate[..., :-1].copy(), where=together > 0)
    flows = gross_from_net(met, alive, later[..., 1:], out_rate=prior, parent_starts=parent_starts)
    sizes = np.diff(np.append(parent_starts, len(earlier)))
    came, left = (parent_sum(flow, parent_starts) for flow in flows)
    kept = np.divide(np.minimum(came, left), left, out=np.ones_like(left), where=left > 0)
    rate = np.divide(flows.outflow, met, out=np.zeros_like(met), where=met > 0)
    inside = rate * np.repeat(kept, sizes, axis=0)
    even = np.broadcast_to(1 / np.repeat(sizes, sizes)[:, None, None], met.shape).copy()
    everybody = np.repeat(came, sizes, axis=0)
    share = np.divide(flows.inflow, everybody, out=even, where=everybody > 0)
    gained = np.maximum(came - left, 0.0)
    return {
        "out_migration_rate": np.concatenate([inside, inside[..., -1:]], axis=-1),
        "emigration_rate": np.concatenate([rate - inside, (rate - inside)[..., -1:]], axis=-1),
        "in_migration_share": np.concatenate([share[..., :1], share], axis=-1),
        "parent_immigrants": np.concatenate([np.zeros_like(gained[..., :1]), gained], axis=-1),
    }

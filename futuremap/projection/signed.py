"""Signed (plus–minus) scaling of net migrants to a total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import SolveError

Array = NDArray[np.float64]
PLAUSIBLE = (0.5, 2.0)  # beyond these a factor says that control and rates disagree


class Scaled(NamedTuple):
    """Net migrants scaled to a total.

    net
        ``(…)`` [persons]
    factor
        What gains were multiplied by and losses divided by; 1 where the fallback was used
        or all were zero. [ratio]
    added
        Persons spread by the fallback, by total; 0 where scaling sufficed. [persons]
    strained
        Persons moved by factors outside 0.5–2, by total. [persons]
    """

    net: Array
    factor: Array
    added: Array
    strained: Array


def plus_minus(
    net: Array,
    total: Array,
    *,
    axes: Sequence[int],
    fallback: Array | None = None,
) -> Scaled:
    """Scale gains up and losses down, or the reverse, until they add up to a total.

    Parameters
    ----------
    net
        Net migrants of either sign. [persons]
    total
        What they must add up to over `axes`; the shape of `net` without them. [persons]
    axes
        Axes that are added up.
    fallback
        Weights ≥ 0 in the shape of `net`, such as survivors: where gains or losses alone
        cannot reach a total, the difference is spread by them and reported in ``added``.

    Returns
    -------
    Scaled
        Signs are kept wherever scaling sufficed. Nothing here keeps a zone from losing more
        than it has: see :func:`futuremap.projection.migration.limit_outflow`.

    Raises
    ------
    SolveError
        If a total cannot be reached and there is no fallback for it.

    Notes
    -----
    ``f P − M/f = T`` with P the gains and M the losses has one positive root; its textbook
    form cancels when T is negative and large, so the root is taken from the other branch then.
    Where P or M is 0 the other is scaled alone; if both are, only T = 0 can be met.

    References
    ----------
    .. [1] H. S. Shryock, J. S. Siegel, "The Methods and Materials of Demography", 1973:
       the plus–minus adjustment.

    Examples
    --------
    >>> s = plus_minus(np.array([4.0, -1.0]), np.array(0.0), axes=[0])
    >>> s.net.tolist(), float(s.factor)
    ([2.0, -2.0], 0.5)
    """
    over = tuple(axes)
    gain, loss = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    wanted = np.expand_dims(np.asarray(total, dtype=np.float64), over)
    plus, minus = gain.sum(axis=over, keepdims=True), loss.sum(axis=over, keepdims=True)
    factor, reached = plus_minus_factor(wanted, plus, minus)
    scaled = gain * factor - np.divide(loss, factor, out=np.zeros_like(loss), where=loss > 0)
    # T = 0 with gains or losses only: nobody moves, a factor of 0 or infinity
    scaled = np.where((wanted == 0) & ((plus == 0) | (minus == 0)), 0.0, scaled)
    added = np.where(reached, 0.0, wanted - (gain - loss).sum(axis=over, keepdims=True))
    if not reached.all():
        scaled = np.where(reached, scaled, net + added * _weights(fallback, added, over))
    outside = (factor < PLAUSIBLE[0]) | (factor > PLAUSIBLE[1])
    strained = np.where(outside, np.abs(scaled - net), 0.0).sum(axis=over)
    return Scaled(scaled, factor.squeeze(over), added.squeeze(over), strained)


def plus_minus_factor(
    wanted: Array,
    plus: Array,
    minus: Array,
) -> tuple[Array, NDArray[np.bool_]]:
    """Factor f with ``f P − M/f = T``, and where there is one (or T is 0).

    Parameters
    ----------
    wanted
        Totals T. [persons]
    plus, minus
        Gains P and losses M, both ≥ 0. [persons]

    Examples
    --------
    >>> plus_minus_factor(np.array([-1e8]), np.ones(1), np.ones(1))[0].tolist()
    [1e-08]
    """
    root = np.hypot(wanted, 2 * np.sqrt(plus) * np.sqrt(minus))
    both = (plus > 0) & (minus > 0)
    up = both & (wanted >= 0)
    down = both & (wanted < 0)
    factor = np.ones(np.broadcast_shapes(wanted.shape, plus.shape))
    np.divide(wanted + root, 2 * plus, out=factor, where=up)
    np.divide(2 * minus, root - wanted, out=factor, where=down)
    gains_only = (plus > 0) & (minus == 0) & (wanted > 0)
    losses_only = (plus == 0) & (minus > 0) & (wanted < 0)
    np.divide(wanted, plus, out=factor, where=gains_only)
    np.divide(minus, -wanted, out=factor, where=losses_only)
    return factor, both | gains_only | losses_only | (wanted == 0)


def _weights(fallback: Array | None, added: Array, over: tuple[int, ...]) -> Array:
    lacking = added != 0
    where = tuple(np.argwhere(lacking)[0].tolist()) if lacking.any() else ()
    if fallback is None:
        raise SolveError(f"net migrants at {where} cannot be scaled by {added[where]:+g} persons")
    mass = fallback.sum(axis=over, keepdims=True)
    if (lacking & (mass <= 0)).any():
        where = tuple(np.argwhere(lacking & (mass <= 0))[0].tolist())
        raise SolveError(f"nobody to spread {added[where]:+g} net migrants over at {where}")
    return np.asarray(np.divide(fallback, mass, out=np.zeros_like(fallback), where=mass > 0))

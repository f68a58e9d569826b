"""Groups in exchange: people who pass from one population to another without moving house."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def exchanged(rate: Array | None, start: Array, cohorts: slice) -> Array:
    """Net gain of every group from the others.

    Parameters
    ----------
    rate
        Persons who pass from group k to group l per person of k ``(K, K, Z, S, C)``; None if
        nobody passes. [ratio]
    start
        Persons at the start by cohort ``(K, Z, S, c)``. [persons]
    cohorts
        Which of the C cohorts `start` holds.

    Returns
    -------
    numpy.ndarray
        ``(K, Z, S, c)``; sums to zero over K. [persons]

    Examples
    --------
    A tenth of the foreigners are naturalised:

    >>> rate = np.zeros((2, 2, 1, 1, 1)); rate[1, 0] = 0.1
    >>> exchanged(rate, np.array([50.0, 20.0]).reshape(2, 1, 1, 1), slice(None)).ravel().tolist()
    [2.0, -2.0]
    """
    if rate is None:
        return np.zeros_like(start)
    passing = rate[..., cohorts] * start[:, None]
    return np.asarray(passing.sum(axis=0) - passing.sum(axis=1))


def child_groups(share: Array | None, children: Array) -> Array:
    """Children by the group with which they count.

    Parameters
    ----------
    share
        Share of the children of k's mothers who count with l ``(K, K)``, rows adding up to 1;
        None if all count with their mother. [ratio]
    children
        Births by the mother's group ``(K, Z)``. [persons]

    Examples
    --------
    A quarter of the children of foreign mothers are nationals:

    >>> share = np.array([[1.0, 0.0], [0.25, 0.75]])
    >>> child_groups(share, np.array([[10.0], [8.0]])).ravel().tolist()
    [12.0, 6.0]
    """
    return children if share is None else np.einsum("k...,kl->l...", children, share)

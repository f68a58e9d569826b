"""Cohorts and ages: the two oldest cohorts of a step meet in the open group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def to_ages(cohorts: Array) -> Array:
    """Cohorts ``(…, A + 1)`` by the age group in which they end ``(…, A)``.

    Examples
    --------
    >>> to_ages(np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 5.0]
    """
    ages = cohorts[..., :-1].copy()
    ages[..., -1] += cohorts[..., -1]
    return ages


def to_cohorts(ages: Array) -> Array:
    """Age groups at the end ``(…, A)`` as cohorts ``(…, A + 1)``.

    Who comes to the open group, or leaves it, counts as one who was in it at the start.

    Examples
    --------
    >>> to_cohorts(np.array([1.0, 5.0])).tolist()
    [1.0, 0.0, 5.0]
    """
    nobody = np.zeros_like(ages[..., :1])
    return np.concatenate([ages[..., :-1], nobody, ages[..., -1:]], axis=-1)

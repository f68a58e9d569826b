"""When a difference holds: its strength in every year of a projection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.config.scenario import When
from futuremap.core.ages import AgeGroups


def intensity(when: When, *, base_year: int, steps: int, width: int) -> NDArray[np.float64]:
    """Strength in every year ``(H, n)``, 1 where it holds, falling in a line while it fades.

    Parameters
    ----------
    when
        First and last year, and the years of fading after it.
    base_year
        The year before the first.
    steps, width
        Count of steps (H) and their length (n). [years]

    Examples
    --------
    >>> two = When(from_year=2022, to_year=2024, taper_years=3)
    >>> intensity(two, base_year=2020, steps=2, width=5).tolist()
    [[0.0, 1.0, 1.0, 1.0, 0.75], [0.5, 0.25, 0.0, 0.0, 0.0]]
    """
    years = base_year + 1 + np.arange(steps * width)
    first = base_year + 1 if when.from_year is None else when.from_year
    last = years[-1] if when.to_year is None else when.to_year
    fading = 1 - (years - last) / (when.taper_years + 1)
    strength = np.where(years <= last, 1.0, np.maximum(fading, 0.0))
    return np.asarray(np.where(years < first, 0.0, strength)).reshape(steps, width)


def at_dates(
    when: When,
    years: Sequence[int],
    *,
    full_from: int | None = None,
) -> NDArray[np.float64]:
    """Strength at the dates of a projection ``(Y,)``; 0 at the first, which was counted.

    Parameters
    ----------
    when
        First and last year, and the years of fading after it.
    years
        Years of the projection, the base year first.
    full_from
        Year from which it holds in full, if it grows from its first year on.

    Examples
    --------
    >>> ten = When(from_year=2026)
    >>> at_dates(ten, [2020, 2025, 2030, 2035], full_from=2035).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    base, last = years[0], years[-1]
    yearly = intensity(when, base_year=base, steps=last - base, width=1).ravel()
    if full_from is not None:
        before = base if when.from_year is None else when.from_year - 1
        passed = base + 1 + np.arange(last - base) - before
        yearly = yearly * np.clip(passed / max(full_from - before, 1), 0.0, 1.0)
    return np.asarray([0.0, *(yearly[year - base - 1] for year in years[1:])])


def at_ages(ages: AgeGroups, first: int, last: int | None) -> NDArray[np.float64]:
    """Share of each age group that lies between two ages, both included ``(A,)``. [ratio]

    The open group counts as one more of the common width; without a last age it is in whole.

    Examples
    --------
    >>> at_ages(AgeGroups((0, 5, 10, 15)), 8, 14).tolist()
    [0.0, 0.4, 1.0, 0.0]
    >>> at_ages(AgeGroups((0, 5, 10, 15)), 10, None).tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    lower = np.asarray(ages.lower, dtype=np.float64)
    upper = lower + ages.width
    stop = np.inf if last is None else float(last + 1)
    inside = np.minimum(upper, stop) - np.maximum(lower, first)
    share = np.clip(inside / ages.width, 0.0, 1.0)
    if last is None and first <= ages.open_age:
        share[-1] = 1.0
    return share

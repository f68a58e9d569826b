"""Dwellings beside households: the stock that survives, what is built, and what stands empty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.errors import DemographyError

Floats = NDArray[np.float64]


def dwelling_stock(
    start: float,
    *,
    years: NDArray[np.int64],
    survival: float,
    built: float,
) -> Floats:
    """Dwellings in every year.

    Parameters
    ----------
    start
        Dwellings in the first year. [dwellings]
    years
        Years ``(Y,)``, ascending.
    survival
        Share of the dwellings that still stand a year later. [ratio per year]
    built
        New dwellings a year. [dwellings per year]

    Raises
    ------
    DemographyError
        If the stock or what is built is negative, or the survival no ratio.

    Notes
    -----
    ``stock(t + 1) = stock(t) · survival + built``, in closed form between the years given.

    Examples
    --------
    A hundred dwellings, of which half are gone a year later, and ten new ones a year:

    >>> import numpy as np
    >>> dwelling_stock(100, years=np.array([2020, 2021, 2022]), survival=0.5, built=10).tolist()
    [100.0, 60.0, 40.0]
    """
    if start < 0 or built < 0 or not 0 <= survival <= 1:
        raise DemographyError(f"dwellings {start}, built {built}, survival {survival}")
    passed = (years - years[0]).astype(np.float64)
    kept = survival**passed
    added = passed if survival == 1 else (1 - kept) / (1 - survival)
    return np.asarray(start * kept + built * added)


def vacant_houses(dwellings: Floats, households: Floats) -> Floats:
    """Dwellings that nobody lives in; negative where there are too few of them.

    Examples
    --------
    >>> import numpy as np
    >>> vacant_houses(np.array([100.0]), np.array([87.0])).tolist()
    [13.0]
    """
    return dwellings - households

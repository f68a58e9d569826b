"""How far a projection was from what came: errors of totals, of age structure, of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Score(NamedTuple):
    """Errors over a set of areas.

    areas
        Count of areas scored.
    mape, median_ape, p90_ape
        Mean, median and 90th percentile of the absolute error of totals over the total that
        came. [ratio]
    weighted_ape
        Sum of absolute errors of totals over the sum of totals. [ratio]
    bias
        Median signed error of totals, positive where too many were projected. [ratio]
    age_sex_wmape
        Sum of absolute errors of all cells over all people. [ratio]
    """

    areas: int
    mape: float
    median_ape: float
    p90_ape: float
    weighted_ape: float
    bias: float
    age_sex_wmape: float


def score(projected: NDArray[np.float64], actual: NDArray[np.float64]) -> Score:
    """Score projected cells against those that came.

    Parameters
    ----------
    projected, actual
        ``(Z, …)``: cells of each area on the further axes, or totals ``(Z,)``. [persons]

    Notes
    -----
    An area where nobody came has no relative error and is left out of the first four figures;
    its people still count in the weighted ones.

    Examples
    --------
    >>> import numpy as np
    >>> s = score(np.array([110.0, 95.0]), np.array([100.0, 100.0]))
    >>> s.areas, round(s.mape, 3), round(s.median_ape, 3), round(s.bias, 3)
    (2, 0.075, 0.075, 0.025)
    """
    cells = np.abs(projected - actual).sum()
    cells_of_area = tuple(range(1, actual.ndim))
    have, came = projected.sum(axis=cells_of_area), actual.sum(axis=cells_of_area)
    scored = came > 0
    error = signed_error(have[scored], came[scored])
    size = np.abs(error)
    nobody = not scored.any()
    return Score(
        int(scored.sum()),
        np.nan if nobody else float(size.mean()),
        np.nan if nobody else float(np.median(size)),
        np.nan if nobody else float(np.quantile(size, 0.9)),
        float(np.abs(have - came).sum() / came.sum()) if came.any() else np.nan,
        np.nan if nobody else float(np.median(error)),
        float(cells / came.sum()) if came.any() else np.nan,
    )


def signed_error(
    projected: NDArray[np.float64],
    actual: NDArray[np.float64],
) -> NDArray[np.float64]:
    """``projected / actual − 1``, for totals above 0. [ratio]"""
    return np.asarray(projected / actual - 1)


def coverage(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    actual: NDArray[np.float64],
) -> float:
    """Share of areas whose count came inside its interval. [ratio]

    Examples
    --------
    >>> import numpy as np
    >>> coverage(np.array([1.0, 1.0]), np.array([3.0, 3.0]), np.array([2.0, 4.0]))
    0.5
    """
    return float(np.mean((actual >= low) & (actual <= high))) if len(actual) else np.nan


def shelf_life(
    horizons: Sequence[int],
    errors: Sequence[NDArray[np.float64]],
    *,
    within: float = 0.1,
    share: float = 0.8,
) -> int:
    """Furthest horizon up to which `share` of the areas stay `within` their count. [years]

    Parameters
    ----------
    horizons
        Years ahead, ascending.
    errors
        Signed errors of totals at each horizon. [ratio]
    within, share
        The limits of the definition. [ratio]

    References
    ----------
    .. [1] T. Wilson, H. Brokensha, F. Rowe, L. Simpson, "Insights from the evaluation of past
       local area population forecasts", Popul. Res. Policy Rev. 37, 2018: *shelf life*.

    Examples
    --------
    >>> import numpy as np
    >>> shelf_life([5, 10], [np.array([0.01, -0.02]), np.array([0.2, 0.3])])
    5
    """
    furthest = 0
    for years, error in zip(horizons, errors, strict=True):
        if not len(error) or np.mean(np.abs(error) <= within) < share:
            break
        furthest = years
    return furthest

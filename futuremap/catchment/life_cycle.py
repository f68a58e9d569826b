"""Life cycle: how long a facility has been in service, now and later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def years_in_service(opened: ArrayLike, years: Sequence[int]) -> NDArray[np.float64]:
    """Years since opening, grown by the time that passes.

    Parameters
    ----------
    opened
        Opening year of each facility ``(F,)``, NaN where unknown. [year]
    years
        Years asked for ``(Y,)``.

    Returns
    -------
    numpy.ndarray
        ``(Y, F)``, NaN where the opening year is unknown or still to come. [years]

    Examples
    --------
    >>> years_in_service([1983, float("nan")], [2023, 2053]).tolist()
    [[40.0, nan], [70.0, nan]]
    """
    age = np.asarray(years, dtype=np.float64)[:, None] - np.asarray(opened, dtype=np.float64)
    return np.where(age >= 0, age, np.nan)

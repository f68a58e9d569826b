"""Accessibility: supply per person at every place, by floating catchments in two or three steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from futuremap.catchment.pairs import Pairs
from futuremap.core.crosswalk import Crosswalk, from_pairs
from futuremap.core.zones import Zones
from futuremap.errors import DemographyError, LabelError

Floats = NDArray[np.float64]
Weight = Callable[[Floats], Floats]
NOBODY = 1e-9  # fewer persons than the project's accounts can tell from none


class Accessibility(NamedTuple):
    """What two steps give.

    at_place
        Supply per person at each place ``(Y, Z)``, A_i. [supply/person]
    ratio
        Supply over the weighted people in reach of each facility ``(Y, F)``, R_j; NaN where
        nobody is in reach. [supply/person]
    unused
        Supply of the facilities that have nobody in reach ``(Y,)``. [supply]
    """

    at_place: Floats
    ratio: Floats
    unused: Floats


@dataclass(frozen=True)
class Steps:
    """A weight that falls in steps with distance or time.

    Parameters
    ----------
    limits
        Upper limits of the rings, ascending; the limit itself is inside. [m or min]
    weights
        Weight of each ring; beyond the last limit it is 0. [ratio]

    Raises
    ------
    LabelError
        If limits do not ascend, or there is not one weight in [0, 1] for each.

    References
    ----------
    Luo, W. & Qi, Y. (2009), Health & Place 15(4), 1100-1107: rings D_r and weights W_r.

    Examples
    --------
    >>> import numpy as np
    >>> Steps((10, 20, 30), (1.0, 0.68, 0.22))(np.array([10.0, 10.1, 30.0, 31.0])).tolist()
    [1.0, 0.68, 0.22, 0.0]
    """

    limits: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.limits or np.any(np.diff(self.limits) <= 0):
            raise LabelError(f"limits of steps must ascend, got {self.limits}")
        in_range = all(0 <= weight <= 1 for weight in self.weights)
        if len(self.weights) != len(self.limits) or not in_range:
            raise LabelError(f"weights {self.weights} for the limits {self.limits}, each 0 to 1")

    def __call__(self, travel: Floats) -> Floats:
        """Weight of each distance or time ``(K,)``. [ratio]"""
        ring = np.searchsorted(self.limits, travel, side="left")
        return np.asarray([*self.weights, 0.0], dtype=np.float64)[ring]


def weighted(
    pairs: Pairs,
    *,
    facilities: Zones,
    places: Zones,
    weight: Weight,
    rule: str = "by a weight falling with distance",
) -> Crosswalk:
    """Reach in which nearer places count more.

    Parameters
    ----------
    pairs
        Facilities, places and the distance or time between them.
    facilities, places
        What the pairs point at.
    weight
        Weight of a distance or time, such as :class:`Steps`. Accessibility does not depend on
        its scale, so that weights above 1 can be divided by the largest. [ratio]
    rule
        How the weights are made, in words.

    Returns
    -------
    Crosswalk
        Places to facilities; pairs of weight 0 are left out. One ring of weight 1 gives the
        plain catchment of 2SFCA.

    Raises
    ------
    LabelError
        If a weight is not in [0, 1].

    Examples
    --------
    >>> import numpy as np, shapely
    >>> hall, houses = (
    ...     Zones.build(ids, shapely.points([133.0] * len(ids), [34.4] * len(ids)), names=ids,
    ...                 parents=["34204"] * len(ids), kind="facility", plane_zone=3)
    ...     for ids in (["hall"], ["near", "far"])
    ... )
    >>> pairs = Pairs(np.array([0, 0]), np.array([0, 1]), np.array([5.0, 15.0]))
    >>> walk = weighted(pairs, facilities=hall, places=houses, weight=Steps((10, 20), (1.0, 0.5)))
    >>> walk.weights.toarray().tolist()
    [[1.0, 0.5]]
    """
    weights = np.asarray(weight(pairs.distance), dtype=np.float64)
    held = weights != 0
    return from_pairs(
        pairs.facility[held],
        pairs.place[held],
        weights[held],
        targets=facilities.ids,
        sources=places.ids,
        rule=rule,
        credits=(*facilities.sources, *places.sources),
    )


def selective(reach: Crosswalk) -> Crosswalk:
    """Reach in which the facilities of a place compete for its people.

    The third step of 3SFCA: two steps on what this gives are its accessibility.

    Parameters
    ----------
    reach
        Weights W_ij of places at facilities ``(F, Z)``, such as :func:`weighted` gives. [ratio]

    Returns
    -------
    Crosswalk
        ``G_ij W_ij`` with ``G_ij = W_ij / Σ_k W_ik``.

    References
    ----------
    Wan, N., Zou, B. & Sternberg, T. (2012), IJGIS 26(6), 1073-1089: G_ij, W_r.

    Examples
    --------
    A house with one hall near it and one farther off goes to both, by their weights:

    >>> import numpy as np
    >>> reach = from_pairs(np.array([0, 1]), np.array([0, 0]), np.array([0.75, 0.25]),
    ...                    targets=["near", "far"], sources=["house"], rule="in steps")
    >>> selective(reach).weights.toarray().tolist()
    [[0.5625], [0.0625]]
    """
    weights = reach.weights
    of_place = np.asarray(weights.sum(axis=0)).ravel()[weights.indices]
    chosen = np.divide(
        weights.data**2, of_place, out=np.zeros_like(weights.data), where=of_place > 0
    )
    return Crosswalk(
        sparse.csr_array((chosen, weights.indices, weights.indptr), shape=weights.shape),
        reach.targets,
        reach.sources,
        f"{reach.rule}, facilities competing",
        reach.credits,
    )


def two_step(reach: Crosswalk, *, supply: Floats, demand: Floats) -> Accessibility:
    """Supply per person at every place, all years at once.

    First each facility's supply is shared among the people in its reach, then each place adds
    the shares of the facilities that it reaches.

    Parameters
    ----------
    reach
        Weights of places at facilities ``(F, Z)``: 0 and 1 for 2SFCA, falling with distance for
        E2SFCA (:func:`weighted`), competing for 3SFCA (:func:`selective`). Composed with
        dwelling, the places are areas and the result is the mean over their people. [ratio]
    supply
        Beds, seats or floor area of each facility ``(F,)``, or by year ``(Y, F)``; 0 leaves
        a facility out.
    demand
        People of the ages served ``(Y, Z)``. [persons]

    Returns
    -------
    Accessibility
        A facility with nobody in reach (fewer than 1e-9 people) has no ratio (NaN) and adds
        nothing to any place; its supply is stated as unused, so that ``Σ_i D_i A_i`` is the
        supply that is used.

    Raises
    ------
    LabelError
        If shapes do not match the crosswalk.
    DemographyError
        If supply or demand is negative or unknown.

    Notes
    -----
    ``R_j = S_j / Σ_i W_ij D_i`` and ``A_i = Σ_j W_ij R_j``.

    References
    ----------
    Luo, W. & Wang, F. (2003), Environment and Planning B 30(6), 865-884: 2SFCA.
    Luo, W. & Qi, Y. (2009), Health & Place 15(4), 1100-1107: E2SFCA, S_j, P_k, W_r, R_j, A_i.

    Examples
    --------
    Ten beds for 30 + 20 people; only the first place also reaches the clinic of 3 beds:

    >>> import numpy as np
    >>> reach = from_pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), np.ones(3),
    ...                    targets=["hospital", "clinic"], sources=["a", "b"], rule="800 m")
    >>> both = two_step(reach, supply=np.array([10.0, 3.0]), demand=np.array([[30.0, 20.0]]))
    >>> [round(share, 9) for share in both.ratio[0].tolist()]  # 10 / 50 and 3 / 30
    [0.2, 0.1]
    >>> [round(share, 9) for share in both.at_place[0].tolist()]
    [0.3, 0.2]
    """
    count = len(demand), len(reach.targets)
    if demand.ndim != 2 or demand.shape[1] != len(reach.sources):  # noqa: PLR2004 - (Y, Z)
        raise LabelError(f"demand has shape {demand.shape} for {len(reach.sources)} places")
    if supply.shape not in (count, count[1:]):
        raise LabelError(f"supply has shape {supply.shape}, its years and facilities {count}")
    _require_counts("supply", np.atleast_2d(supply), reach.targets)
    _require_counts("demand", demand, reach.sources)
    offered = np.broadcast_to(supply, count)
    served = _times(reach.weights, demand)
    used = served >= NOBODY
    share = np.divide(offered, served, out=np.zeros(count), where=used)
    return Accessibility(
        _times(reach.weights.T, share),
        np.where(used, share, np.nan),
        np.where(used, 0.0, offered).sum(axis=1),
    )


def _times(weights: sparse.sparray, by_year: Floats) -> Floats:
    # the years of a zone side by side in memory: each weight is then used for all at once
    return np.asarray((weights @ np.ascontiguousarray(by_year.T)).T, dtype=np.float64)


def _require_counts(name: str, values: Floats, ids: tuple[str, ...]) -> None:
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        year, zone = np.argwhere(bad)[0]
        raise DemographyError(
            f"{name} is {values[year, zone]} at {ids[zone]} in row {year} of its years; "
            f"{int(bad.sum())} such values",
        )

"""Net migration from two stocks, model age profiles, and a limit on who can leave."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.errors import DemographyError

Array = NDArray[np.float64]
OLDEST = 120  # age at which a model profile ends


class RogersCastro(NamedTuple):
    """Parameters of a migration profile by age x: ``a₁e^(−α₁x) + a₂e^(−α₂(x−μ) − e^(−λ(x−μ)))``."""

    childhood: float
    childhood_slope: float
    labour: float
    labour_slope: float
    labour_peak: float
    labour_rise: float


# migration of families: fitted to the net migrants of Sweden 2015–2020 implied by UN WPP 2019
FAMILY = RogersCastro(0.01854, 0.1743, 0.08678, 0.08575, 19.659, 0.2165)


def parent_sum(persons: Array, parent_starts: NDArray[np.intp]) -> Array:
    """Sums over the zones of each parent: ``(…, Z, S, A)`` to ``(…, P, S, A)``. [persons]

    Examples
    --------
    >>> parent_sum(np.array([1.0, 2.0, 4.0]).reshape(3, 1, 1), np.array([0, 1])).ravel().tolist()
    [1.0, 6.0]
    """
    return np.asarray(np.add.reduceat(persons, parent_starts, axis=-3))


def limit_outflow(
    asked: Array,
    available: Array,
    *,
    parent_starts: NDArray[np.intp],
    youngest: int = 0,
) -> Array:
    """Let no more people leave than there are; others of the parent leave in their place.

    Parameters
    ----------
    asked
        Persons who should leave ``(…, Z, S, A)``. [persons]
    available
        Persons who could ``(…, Z, S, A)``. [persons]
    parent_starts
        First zone of each parent ``(P,)``.
    youngest
        Position of the first of these age groups among all, for messages.

    Returns
    -------
    numpy.ndarray
        Persons who leave; what one zone lacks is taken from the others of its parent, in the
        same sex and age, in proportion to those who are left there.

    Raises
    ------
    DemographyError
        If a parent has fewer people of a sex and age than should leave.

    Examples
    --------
    Six should leave a zone of four; two leave the other zone instead:

    >>> asked = np.array([6.0, 1.0]).reshape(2, 1, 1)
    >>> there = np.array([4.0, 9.0]).reshape(2, 1, 1)
    >>> limit_outflow(asked, there, parent_starts=np.array([0])).ravel().tolist()
    [4.0, 3.0]
    """
    if not (asked > available).any():
        return asked
    there = np.maximum(available, 0.0)
    leaving = np.minimum(asked, there)
    deficit = parent_sum(asked - leaving, parent_starts)
    left = there - leaving
    reserve = parent_sum(left, parent_starts)
    short = deficit > reserve + 1e-9 * np.maximum(1.0, deficit)
    if short.any():
        where = tuple(np.argwhere(short)[0].tolist())
        raise DemographyError(
            f"{deficit[where] - reserve[where]:g} more persons should leave parent {where[-3]} "
            f"(sex {where[-2]}, age group {where[-1] + youngest}) than it has; "
            f"{int(short.sum())} such cells",
        )
    share = np.divide(deficit, reserve, out=np.zeros_like(deficit), where=reserve > 0)
    sizes = np.diff(np.append(parent_starts, asked.shape[-3]))
    return np.asarray(leaving + left * np.minimum(np.repeat(share, sizes, axis=-3), 1.0))


def residual_net_migration(
    earlier: Array,
    later: Array,
    *,
    survival_ratio: Array,
    method: Literal["forward", "reverse", "average"] = "forward",
    births: Array | None = None,
) -> Array:
    """Net migrants as what births and deaths leave unexplained.

    Parameters
    ----------
    earlier, later
        Persons one step apart ``(…, S, A)``. [persons]
    survival_ratio
        People alive at the end per person at the start, of the newborn and the groups at the
        start ``(…, S, A + 1)``. [ratio]
    method
        "forward" counts those alive at the end, "reverse" those who would have been there at
        the start, "average" the mean of both.
    births
        Births in the step by sex ``(…, S)``. [persons]

    Returns
    -------
    numpy.ndarray
        ``(…, S, A)`` by age at the end; the youngest group is 0 where no births are given.

    Raises
    ------
    DemographyError
        If nobody of a cohort survives, where the reverse method needs somebody.

    Notes
    -----
    Forward: ``M = N₁ − S N₀``; reverse: ``M = N₁/S − N₀``; the two cohorts that meet in the
    open group count with their common survival.

    Examples
    --------
    >>> s = np.array([[1.0, 0.5, 0.5, 0.5]])
    >>> n0, n1 = np.array([[8.0, 4.0, 2.0]]), np.array([[0.0, 6.0, 3.0]])
    >>> residual_net_migration(n0, n1, survival_ratio=s).tolist()
    [[0.0, 2.0, 0.0]]
    >>> residual_net_migration(n0, n1, survival_ratio=s, method="reverse").tolist()
    [[0.0, 4.0, 0.0]]
    """
    young = np.zeros((*earlier.shape[:-1], 1)) if births is None else births[..., None]
    before = np.concatenate([young, earlier], axis=-1)
    start, alive = before[..., :-1].copy(), (survival_ratio * before)[..., :-1].copy()
    start[..., -1] += before[..., -1]
    alive[..., -1] += (survival_ratio * before)[..., -1]
    forward = later - alive
    if births is None:
        forward[..., 0] = 0.0
    if method == "forward":
        return np.asarray(forward)
    ratio = np.divide(
        alive,
        start,
        out=np.array(np.broadcast_to(survival_ratio[..., :-1], alive.shape)),
        where=start > 0,
    )
    if ((ratio <= 0) & (forward != 0)).any():
        where = tuple(np.argwhere((ratio <= 0) & (forward != 0))[0].tolist())
        raise DemographyError(f"nobody survives at {where}; reverse survival is not defined")
    reverse = np.divide(forward, ratio, out=np.zeros_like(forward), where=ratio > 0)
    return np.asarray(reverse if method == "reverse" else (forward + reverse) / 2)


def rogers_castro(ages: AgeGroups, parameters: RogersCastro = FAMILY) -> Array:
    """Share of migrants in each age group ``(A,)`` of a model profile; adds up to 1. [ratio]

    References
    ----------
    .. [1] A. Rogers, L. J. Castro, "Model migration schedules", IIASA RR-81-30, 1981.

    Examples
    --------
    >>> shares = rogers_castro(AgeGroups((0, 15, 65)))
    >>> shares.round(2).tolist()
    [0.11, 0.87, 0.02]
    """
    p = parameters
    age = np.arange(OLDEST) + 0.5
    since = age - p.labour_peak
    curve = p.childhood * np.exp(-p.childhood_slope * age)
    curve += p.labour * np.exp(-p.labour_slope * since - np.exp(-p.labour_rise * since))
    shares = np.add.reduceat(curve, np.asarray(ages.lower))
    return np.asarray(shares / shares.sum())


def net_profile(
    residual: Array,
    model: Array,
    *,
    published: float | None = None,
    movers: slice = slice(None),
) -> Array:
    """Shape of net migration by sex and age, from the last period's residuals and a model.

    Half of the shape is what was seen, half a model with the sexes as seen, because age
    patterns change. The less the residuals agree among themselves or with a published total,
    the more of the model: residuals of places with hardly any migration are errors.

    Parameters
    ----------
    residual
        Residual net migrants of the last period ``(S, A)``. [persons]
    model
        Shares by age ``(A,)``. [ratio]
    published
        Net migration of that period as published; the residuals' sum if not given. [persons]
    movers
        Age groups that migrate; at the oldest, residuals are errors of the life table, and a
        model's tail may hold more people than live there.

    Returns
    -------
    numpy.ndarray
        ``(S, A)``, adding up to 1; multiply by a net total. [ratio]

    Notes
    -----
    ``w r/Σr + (1 − w) m`` with ``w = c/2``, and the coherence ``c = min(|Σr|, |M|) / Σ|r|``,
    0 if Σr and the published M differ in sign. Absolute shares add up to less than 2.

    Examples
    --------
    Consistent residuals of men only, then errors that cancel:

    >>> model = np.array([0.5, 0.5])
    >>> net_profile(np.array([[4.0, 0.0], [0.0, 0.0]]), model).tolist()
    [[0.75, 0.25], [0.0, 0.0]]
    >>> net_profile(np.array([[4.0, 0.0], [0.0, -4.0]]), model).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    moved, modelled = np.zeros_like(residual), np.zeros_like(model)
    moved[:, movers] = residual[:, movers]
    modelled[movers] = model[movers] / model[movers].sum()
    total, mass = float(moved.sum()), float(np.abs(moved).sum())
    known = total if published is None else published
    agreed = min(abs(total), abs(known)) if total * known > 0 else 0.0
    weight = 0.5 * agreed / mass if mass > 0 else 0.0
    coherent = 2 * weight
    evenly = np.full(len(moved), 1 / len(moved))
    seen = np.clip(moved.sum(axis=1) / total, 0.0, 1.0) if weight > 0 else evenly
    sexes = coherent * seen / seen.sum() + (1 - coherent) * evenly
    shape = (1 - weight) * sexes[:, None] * modelled
    return np.asarray(shape + weight * moved / total if weight > 0 else shape)

"""Rates of change from two dates of the same zones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES, Population
from futuremap.core.rates import Rates
from futuremap.core.zones import by_parent
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.shrinkage import COUNT_NOISE, MOVER_NOISE, shrink

FEMALE = SEXES.index("female")
MALE = SEXES.index("male")
FERTILE_FROM, FERTILE_TO = 15, 50  # women of these ages carry the child–woman ratio
# boys per girl among Japanese births of 2024 (人口動態統計: 351,451 to 334,722); a town with few
# children is pulled to it as if this many children of the nation had been added
SEX_RATIO_BIRTH = 1.05
PRIOR_CHILDREN = 1_000.0
# what is left after each step of a zone's deviation from its municipality; 0.6 was best at
# ten to thirty years over all municipalities
PERSISTENCE = 0.6


def from_two_dates(
    past: Population,
    base: Population,
    *,
    parents: Sequence[str],
    persistence: float = PERSISTENCE,
) -> Rates:
    """Cohort-change and child–woman ratios, shrunk to the municipality's.

    Parameters
    ----------
    past, base
        One year each, one age-group width apart, in the same zones; a parent's zones stand
        together. [persons]
    parents
        Code of each zone's municipality ``(Z,)``.
    persistence
        Share of a zone's deviation from its parent that is left after each step. [ratio]

    Returns
    -------
    Rates
        Ratios by zone and by parent; the last two ages share the ratio of the open group,
        because two dates cannot tell them apart.

    Raises
    ------
    LabelError
        If zones or ages differ, or the years are not one group width apart.
    DemographyError
        If a municipality has no women of fertile age, or no children.

    References
    ----------
    .. [1] C. H. Hamilton, J. Perry, "A short method for projecting population by age from one
       decennial census to another", Social Forces 41, 1962. *CCR* = N(a+n, t) / N(a, t−n).
    """
    if past.zones != base.zones or past.ages != base.ages:
        raise LabelError("the two dates have different zones or ages")
    interval = base.years[0] - past.years[0]
    if interval != base.ages.width:
        raise LabelError(f"the dates are {interval} years apart, the ages {base.ages.width} wide")
    codes, parent_of = by_parent(parents)
    if np.any(np.diff(parent_of) < 0):
        raise LabelError("zones must stand together by parent")
    starts = np.searchsorted(parent_of, np.arange(len(codes)))
    ends = np.append(starts[1:], len(parents))
    parts = [
        _one_parent(past.persons[0, a:b], base.persons[0, a:b], base.ages, code)
        for code, a, b in zip(codes, starts, ends, strict=True)
    ]
    own = ("cohort_change_ratio", "own_weight", "child_woman_ratio")
    variables = {
        name: np.concatenate([part[name] for part in parts])
        if name in own
        else np.stack([part[name] for part in parts])
        for name in parts[0]
    }
    return Rates.build(
        {**variables, "persistence": persistence},
        zones=base.zones,
        parents=codes,
        parent_of=parent_of,
        ages=base.ages,
        interval=interval,
        flag=(past.flag | base.flag)[0],
    )


def _one_parent(
    past: NDArray[np.float64],
    base: NDArray[np.float64],
    ages: AgeGroups,
    code: str,
) -> dict[str, NDArray[np.float64]]:
    cohorts = _pool_open_group(past)
    survivors = base[:, :, 1:]
    change = shrink(survivors, cohorts, noise=MOVER_NOISE, smooth_axis=2)
    parent, imputed = _fill(survivors.sum(axis=0), cohorts.sum(axis=0))
    ratio = np.where(imputed, parent, change.ratio)
    women = base[:, FEMALE, ages.between(FERTILE_FROM, FERTILE_TO)].sum(axis=1)
    children = base[:, :, 0].sum(axis=1)
    if women.sum() <= 0 or children.sum() <= 0:
        raise DemographyError(f"municipality {code} has no women aged 15–49 or no children 0–4")
    fertility = shrink(children, women, noise=COUNT_NOISE)
    return {
        "cohort_change_ratio": _repeat_last(ratio),
        "own_weight": _repeat_last(change.weight),
        "child_woman_ratio": fertility.ratio,
        "parent_cohort_change_ratio": _repeat_last(parent),
        "imputed": _repeat_last(imputed.astype(np.float64)),
        "parent_child_woman_ratio": np.asarray(fertility.parent),
        "sex_ratio_0_4": np.asarray(_sex_ratio(base[:, :, 0].sum(axis=0))),
    }


def _sex_ratio(children: NDArray[np.float64]) -> float:
    girls = PRIOR_CHILDREN / (1 + SEX_RATIO_BIRTH)
    boys = PRIOR_CHILDREN - girls
    return float((children[MALE] + boys) / (children[FEMALE] + girls))


def _fill(
    survivors: NDArray[np.float64],
    cohorts: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Ratios of a municipality ``(S, A)``, and where they had to be borrowed.

    A ratio without anybody to make it from is taken from the other sex of the age, then from
    the ages around it, ever further away.

    Examples
    --------
    >>> cohorts = np.array([[10.0, 0.0], [10.0, 4.0]])
    >>> ratio, imputed = _fill(np.array([[9.0, 1.0], [9.0, 3.0]]), cohorts)
    >>> ratio.tolist(), imputed.tolist()
    ([[0.9, 0.75], [0.9, 0.75]], [[False, True], [False, False]])
    """
    empty = cohorts <= 0
    ratio = np.divide(survivors, cohorts, out=np.zeros_like(cohorts), where=~empty)
    for sex, age in np.argwhere(empty):
        for reach in range(cohorts.shape[1] + 1):
            around = slice(max(0, age - reach), age + reach + 1)
            known = ~empty[:, around]
            if known.any():
                people = cohorts[:, around][known].sum()
                ratio[sex, age] = survivors[:, around][known].sum() / people
                break
    return ratio, empty


def _pool_open_group(past: NDArray[np.float64]) -> NDArray[np.float64]:
    # survivors of the last closed group and of the open group are counted together later
    pooled = past[:, :, :-1].copy()
    pooled[:, :, -1] += past[:, :, -1]
    return pooled


def _repeat_last(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([ratios, ratios[..., -1:]], axis=-1)

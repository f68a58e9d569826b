"""Single years of age from five-year groups and back, and from them school grades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from futuremap.core.ages import AgeGroups
from futuremap.core.population import SEXES
from futuremap.errors import DemographyError, LabelError

LAST_AGE = 104  # the single year that holds everybody older as well
# Gompertz hazards of Japan 2020–25 (UN WPP 2024, CC BY 3.0 IGO), fitted to the deaths rates of
# 75–79 to 95–99: level at 87.5 years [per year] and growth with age [per year]
HAZARD_AT = 87.5
HAZARD = {"male": (0.108, 0.105), "female": (0.061, 0.135)}
FIRST_GRADE_AGE = 6  # age reached by 1 April of the year in which school begins
GRADES = 9  # 小1–中3
NURSERY_CLASSES = 6  # 0歳児–5歳児
MONTHS = 12


def split_ages(
    persons: NDArray[np.float64],
    ages: AgeGroups,
    *,
    last_age: int = LAST_AGE,
    tail: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Split age groups to single years; every group keeps its people.

    Parameters
    ----------
    persons
        Persons by age group ``(…, S, A)``. [persons]
    ages
        The groups; they need not be of one width.
    last_age
        Last single year W − 1; it is open. [years]
    tail
        How the open group is spread over the single years from its lower bound to `last_age`,
        ``(S, W − open_age)`` or one row for all. [relative]
        Without it, a stationary population under the hazards of :data:`HAZARD` is assumed:
        a model, so that single years of the open group are to be called imputed.

    Returns
    -------
    numpy.ndarray
        ``(…, S, W)``, none negative. [persons]

    Raises
    ------
    DemographyError
        If a count is negative or not a number, or a tail holds nobody.
    LabelError
        If shapes disagree or `last_age` lies below the open group.

    Notes
    -----
    The people younger than an age are interpolated by a cubic that is monotone and goes
    through every bound: single years are smooth, not negative, and add up to their group.

    References
    ----------
    .. [1] F. N. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic
       interpolants", SIAM J. Sci. Stat. Comput. 5, 1984.

    Examples
    --------
    >>> import numpy as np
    >>> groups = np.full((2, 3), 10.0)
    >>> single = split_ages(groups, AgeGroups((0, 5, 10)), last_age=11)
    >>> single[0, :5].round(9).tolist(), single.shape
    ([2.0, 2.0, 2.0, 2.0, 2.0], (2, 12))
    """
    _check_counts(persons, len(ages))
    if last_age < ages.open_age:
        raise LabelError(
            f"single years end at {last_age}, the open group begins at {ages.open_age}"
        )
    shares = _tail_shares(ages.open_age, last_age, tail, persons.shape[-2])
    single = np.empty((*persons.shape[:-1], last_age + 1))
    single[..., : ages.open_age] = _split_closed(persons, ages)
    single[..., ages.open_age :] = persons[..., -1:] * shares
    return single


def merge_ages(single: NDArray[np.float64], ages: AgeGroups) -> NDArray[np.float64]:
    """Add single years ``(…, W)`` up to age groups ``(…, A)``. [persons]

    Examples
    --------
    >>> import numpy as np
    >>> merge_ages(np.array([1.0, 2.0, 3.0, 4.0]), AgeGroups((0, 2))).tolist()
    [3.0, 7.0]
    """
    if single.shape[-1] <= ages.open_age:
        raise LabelError(f"{single.shape[-1]} single years do not reach {ages.open_age}")
    return np.asarray(np.add.reduceat(single, np.asarray(ages.lower), axis=-1))


def school_grades(
    single: NDArray[np.float64],
    *,
    months_after_april: float,
    grades: int = GRADES,
) -> NDArray[np.float64]:
    """Children of each school grade, 小1 first.

    Parameters
    ----------
    single
        Persons by single year of age at the date ``(…, W)``. [persons]
    months_after_april
        Months from 1 April to the date, 0 to under 12: 1 for the school survey of 1 May, 6
        for a census of 1 October. [months]
    grades
        Count of grades (G).

    Returns
    -------
    numpy.ndarray
        ``(…, G)``: ``(12 − d)/12`` of age g + 5 and ``d/12`` of age g + 6. [persons]

    Raises
    ------
    DemographyError
        If the months are not those of one school year.
    LabelError
        If the single years end too early.

    Examples
    --------
    >>> import numpy as np
    >>> by_age = np.arange(20.0)  # as many children as years
    >>> school_grades(by_age, months_after_april=0, grades=2).tolist()
    [6.0, 7.0]
    >>> school_grades(by_age, months_after_april=6, grades=2).tolist()
    [6.5, 7.5]
    """
    ages = range(FIRST_GRADE_AGE, FIRST_GRADE_AGE + grades)
    return _by_age_on_april(single, ages, months_after_april)


def nursery_classes(
    single: NDArray[np.float64],
    *,
    months_after_april: float,
) -> NDArray[np.float64]:
    """Children of each class before school, 0歳児 to 5歳児, by their age on 1 April.

    Parameters
    ----------
    single, months_after_april
        As in :func:`school_grades`.

    Returns
    -------
    numpy.ndarray
        ``(…, 6)``; those born since 1 April are in the class of the 0-year-olds. [persons]

    Examples
    --------
    >>> import numpy as np
    >>> nursery_classes(np.full(8, 12.0), months_after_april=1).tolist()
    [13.0, 12.0, 12.0, 12.0, 12.0, 12.0]
    """
    classes = _by_age_on_april(single, range(NURSERY_CLASSES), months_after_april)
    classes[..., 0] += single[..., 0] * (months_after_april / MONTHS)
    return classes


def _by_age_on_april(
    single: NDArray[np.float64],
    ages: Sequence[int],
    months: float,
) -> NDArray[np.float64]:
    if not 0 <= months < MONTHS:
        raise DemographyError(f"{months} months after 1 April lie in another school year")
    first, after = ages[0], ages[-1] + 1
    if single.shape[-1] <= after:
        raise LabelError(f"{single.shape[-1]} single years do not reach age {after}")
    older = months / MONTHS
    return np.asarray(
        (1 - older) * single[..., first:after] + older * single[..., first + 1 : after + 1]
    )


def _split_closed(persons: NDArray[np.float64], ages: AgeGroups) -> NDArray[np.float64]:
    if ages.open_age == 0:
        return np.empty((*persons.shape[:-1], 0))
    if len(ages) == 2:  # noqa: PLR2004 - one closed group has no neighbour to lean on
        return np.repeat(persons[..., :1] / ages.open_age, ages.open_age, axis=-1)
    younger = np.zeros(persons.shape)
    np.cumsum(persons[..., :-1], axis=-1, out=younger[..., 1:])
    with np.errstate(over="ignore"):  # counts near the smallest number have a slope of 0
        curve = PchipInterpolator(np.asarray(ages.lower, dtype=np.float64), younger, axis=-1)
    at_bounds = curve(np.arange(ages.open_age + 1, dtype=np.float64))
    # between two bounds the curve is monotone but for rounding
    return np.asarray(np.maximum(np.diff(at_bounds, axis=-1), 0.0), dtype=np.float64)


def _tail_shares(
    open_age: int,
    last_age: int,
    tail: NDArray[np.float64] | None,
    sexes: int,
) -> NDArray[np.float64]:
    given = stationary_tail(open_age, last_age) if tail is None else np.atleast_2d(tail)
    width = last_age - open_age + 1
    if given.shape not in {(1, width), (sexes, width)}:
        raise LabelError(f"tail {given.shape} for {sexes} sexes and {width} single years")
    total = given.sum(axis=-1, keepdims=True)
    if not np.isfinite(given).all() or (given < 0).any() or (total <= 0).any():
        raise DemographyError(f"the tail from age {open_age} has negative shares or holds nobody")
    return np.asarray(given / total)


def stationary_tail(open_age: int, last_age: int) -> NDArray[np.float64]:
    """Survivors at single years of the open group under :data:`HAZARD` ``(S, W)``. [relative]

    The last year holds those of all later ages.

    Examples
    --------
    >>> men, women = stationary_tail(85, 104)
    >>> bool(women[10] / women[0] > men[10] / men[0])
    True
    """
    middle = np.arange(open_age, last_age + 31) + 0.5
    rows = []
    for sex in SEXES:
        level, growth = HAZARD[sex]
        at = level / growth * np.exp(growth * (middle - HAZARD_AT))
        rows.append(np.exp(level / growth * np.exp(growth * (open_age - HAZARD_AT)) - at))
    survivors = np.array(rows)
    kept = survivors[:, : last_age - open_age + 1].copy()
    kept[:, -1] = survivors[:, last_age - open_age :].sum(axis=1)
    return kept


def _check_counts(persons: NDArray[np.float64], groups: int) -> None:
    if persons.ndim < 2 or persons.shape[-1] != groups:  # noqa: PLR2004 - sexes and ages
        raise LabelError(f"persons {persons.shape} for sexes and {groups} age groups")
    bad = ~(np.isfinite(persons) & (persons >= 0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DemographyError(f"cell {where} holds {persons[where]} persons")


def age_shares(persons: NDArray[np.float64], ages: AgeGroups) -> NDArray[np.float64]:
    """Share of every single year of age in its age group, of people taken together.

    Parameters
    ----------
    persons
        Persons by age group ``(…, S, A)``. [persons]
    ages
        The groups.

    Returns
    -------
    numpy.ndarray
        ``(…, S, W)``; the shares of a group add up to one, and are equal where it is empty.

    Examples
    --------
    >>> import numpy as np
    >>> shares = age_shares(np.array([[10.0, 20.0, 0.0], [0.0, 0.0, 5.0]]), AgeGroups((0, 5, 10)))
    >>> shares[0, :5].sum().round(9), shares[1, :2].tolist()
    (np.float64(1.0), [0.2, 0.2])
    """
    single = split_ages(persons, ages)
    bounds = np.asarray(ages.lower)
    widths = np.diff(np.append(bounds, single.shape[-1]))
    totals = np.repeat(np.add.reduceat(single, bounds, axis=-1), widths, axis=-1)
    equal = np.broadcast_to(np.repeat(1.0 / widths, widths), single.shape)
    return np.asarray(np.divide(single, totals, out=equal.copy(), where=totals > 0))

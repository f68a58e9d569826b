"""Cohort-component step: births, deaths and migration each by its own rates, as one account."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import advance_age
from futuremap.core.population import SEXES
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.cohorts import to_ages, to_cohorts
from futuremap.projection.exchange import child_groups, exchanged
from futuremap.projection.migration import limit_outflow, parent_sum

Array = NDArray[np.float64]
FEMALE = SEXES.index("female")
MALE = SEXES.index("male")
ROUNDING = 1e-9  # what sums and differences of exact accounts may be off by
FEWEST_AGES = 3  # one closed group between the youngest and the open one


class Convention(NamedTuple):
    """When migrants move, and whose age a rate means.

    timing
        "end": migrants come and go when the step ends; "half": half of them when it begins,
        so that they die and bear like the others, and half when it ends.
    ages
        "event": counts of migrants and fertility belong to the age at the event, as in
        five-year tables; "reached": to the age reached at the end of the step, as in accounts
        of single years by cohort.
    """

    timing: Literal["end", "half"] = "end"
    ages: Literal["event", "reached"] = "event"

    @property
    def early(self) -> float:
        """Share of migrants who move when the step begins. [ratio]"""
        return 0.5 if self.timing == "half" else 0.0


@dataclass(frozen=True, eq=False)
class ComponentRates:
    """Rates of one step on plain arrays; all are optional but survival.

    Cohorts C = A + 1 are the newborn, then the age groups at the start. Axes may have length 1
    where a rate is shared. A leading axis K of groups in exchange is allowed everywhere.

    Parameters
    ----------
    survival_ratio
        People alive at the end per person at the start ``(…, Z, S, C)``. [ratio]
    asfr
        Births per woman and year ``(…, Z, A)``; 0 in the youngest group. [1/year]
    child_woman_ratio
        Children in the youngest group per woman of `fertile` age at the end ``(…, Z)``, instead
        of `asfr`; already net of infant deaths and of the migration of children. [ratio]
    fertile
        Age groups of the women whom a child–woman ratio counts.
    sex_ratio
        Boys per girl at birth (among the children, with a child–woman ratio) ``(…, Z)``. [ratio]
    net_rate
        Net migrants per person at the start ``(…, Z, S, C)``. [ratio]
    out_rate
        Out-migrants to the parent's common pool per person at the start ``(…, Z, S, C)``. [ratio]
    emigration_rate
        Out-migrants who leave the pool, likewise. [ratio]
    in_share
        A zone's share of its parent's pool ``(…, Z, S, A)`` by age at the end. [ratio]
    immigrants
        Persons who join the pool from outside ``(…, P, S, A)`` by age at the end. [persons]
    in_count, net_count
        In-migrants, and net migrants of either sign, ``(…, Z, S, A)``. [persons]
    exchange_rate
        Persons who move from group k to group l per person of k ``(K, K, Z, S, C)``. [ratio]
    child_group
        Share of the children of k's mothers who count with l ``(K, K)``. [ratio]
    """

    survival_ratio: Array
    sex_ratio: Array
    asfr: Array | None = None
    child_woman_ratio: Array | None = None
    fertile: slice | None = None
    net_rate: Array | None = None
    out_rate: Array | None = None
    emigration_rate: Array | None = None
    in_share: Array | None = None
    immigrants: Array | None = None
    in_count: Array | None = None
    net_count: Array | None = None
    exchange_rate: Array | None = None
    child_group: Array | None = None


class ComponentStep(NamedTuple):
    """The stock after a step and its account, by age at the end ``(…, Z, S, A)``. [persons]

    ``persons = aged start + births (in the youngest group) − deaths + in − out + exchange``

    persons
        The stock at the end.
    births
        Live births ``(…, Z, S)``; with a child–woman ratio, the children at the end.
    births_by_mother
        Births of both sexes by the mother's age and group ``(…, Z, A)``.
    deaths
        All deaths, those of migrants and newborn included.
    in_migrants, out_migrants
        Who came and who left; turnover of group quarters included.
    exchange
        Net gain from other groups; sums to zero over the groups.
    limited
        Departures beyond (+) or short of (−) what counts asked for, because nobody was left
        to leave; sums to zero inside parent × sex × age.
    """

    persons: Array
    births: Array
    births_by_mother: Array
    deaths: Array
    in_migrants: Array
    out_migrants: Array
    exchange: Array
    limited: Array


class _Moved(NamedTuple):
    # cohorts after the step, and by cohort what changed them
    joined: Array  # at the start, after those who move early
    stock: Array
    deaths: Array
    came: Array
    left: Array
    exchange: Array
    limited: Array


def component_step(
    persons: Array,
    rates: ComponentRates,
    *,
    width: int,
    convention: Convention = Convention(),  # noqa: B008 - an immutable tuple
    parent_starts: NDArray[np.intp] | None = None,
    group_quarters: Array | None = None,
) -> ComponentStep:
    """Advance every zone by one step as wide as its age groups.

    Parameters
    ----------
    persons
        Persons at the start ``(…, Z, S, A)``. [persons]
    rates
        Rates of this step.
    width
        Width of the age groups and length of the step (n). [years]
    convention
        Timing of migration and meaning of age.
    parent_starts
        First zone of each parent ``(P,)``; one parent if not given.
    group_quarters
        Residents of dormitories, homes and barracks ``(…, Z, S, A)``, part of `persons`: they
        do not age, bear, die or move here, but stay as they are; those who age out are
        replaced, which the account shows as in- and out-migrants. [persons]

    Returns
    -------
    ComponentStep
        The stock and its account, exact in every cell.

    Raises
    ------
    DemographyError
        If group quarters hold more people than there are, counts ask a parent for more people
        than it has, rates for more than survive, or a rate is impossible; with the place
        (…, zone, sex, age group).
    LabelError
        If there are fewer than three age groups, or neither or both kinds of fertility.

    Notes
    -----
    Closed groups: ``N'[a+1] = S[a] N[a]``; the open group: ``N'[A] = S[A−1] N[A−1] + S[A] N[A]``
    with a ratio of its own. Births: ``B = n Σ f[a] (F[a] + F'[a]) / 2``, where F are the women
    at the start including early migrants and F' all women at the end. Migrants who move early
    go through survival; those who come by count into the open group survive as its members do.

    References
    ----------
    .. [1] S. H. Preston, P. Heuveline, M. Guillot, "Demography", Blackwell, 2001, box 6.1:
       half of the migrants at either end of the step.

    Examples
    --------
    Ten women of 15–29 bear 0.05 children a year each for 15 years, all survive:

    >>> import numpy as np
    >>> people = np.array([[[0.0, 0.0, 0.0], [10.0, 10.0, 4.0]]])
    >>> r = ComponentRates(np.ones((1, 2, 4)), np.ones(1), asfr=np.array([[0.0, 0.05, 0.0]]))
    >>> s = component_step(people, r, width=15)
    >>> s.births.tolist(), s.persons.tolist()
    ([[3.75, 3.75]], [[[3.75, 0.0, 0.0], [3.75, 10.0, 14.0]]])
    """
    if persons.shape[-1] < FEWEST_AGES:
        raise LabelError(f"{persons.shape[-1]} age groups are too few for a cohort component step")
    _check_rates(rates)
    starts = np.zeros(1, dtype=np.intp) if parent_starts is None else parent_starts
    living = persons if group_quarters is None else _households(persons, group_quarters)
    older = _move(living, rates, convention, starts, newborn=False)
    stock = to_ages(older.stock)
    by_mother = _births_by_mother(living, older.joined, stock, rates, width, convention)
    births = _by_sex(by_mother, rates)
    if rates.child_woman_ratio is None:
        young = _move(births[..., None], rates, convention, starts, newborn=True)
    else:
        nothing = np.zeros_like(births[..., None])
        young = _Moved(nothing, births[..., None], *[nothing] * 5)
    parts = [
        np.concatenate([first, rest], axis=-1)
        for first, rest in zip(young[1:-1], map(to_ages, older[1:-1]), strict=True)
    ]
    limited = np.concatenate([young.limited, older.limited], axis=-1)
    stock, deaths, came, left, exchange = parts
    _refuse_negative(stock)
    if group_quarters is not None:
        turnover = group_quarters - advance_age(group_quarters)
        stock = stock + group_quarters
        came, left = came + np.maximum(turnover, 0.0), left + np.maximum(-turnover, 0.0)
    return ComponentStep(stock, births, by_mother, deaths, came, left, exchange, limited)


def births_from_asfr(asfr: Array, start: Array, end: Array, *, width: int) -> Array:
    """Births by mother's age: ``n f (F + F') / 2``.

    Parameters
    ----------
    asfr
        Births per woman and year ``(…, A)``. [1/year]
    start, end
        Women at the start and at the end ``(…, A)``. [persons]
    width
        Length of the step. [years]

    Examples
    --------
    >>> births_from_asfr(np.array([0.1]), np.array([10.0]), np.array([30.0]), width=5).tolist()
    [10.0]
    """
    return np.asarray(width * asfr * (start + end) / 2)


def _check_rates(rates: ComponentRates) -> None:
    for entry in fields(rates):
        array = getattr(rates, entry.name)
        if array is None or isinstance(array, slice):
            continue
        bad = ~np.isfinite(array)
        if entry.name == "survival_ratio":
            bad |= (array < 0) | (array > 1)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise DemographyError(f"{entry.name} is {array[where]} at {where}")


def _households(persons: Array, group_quarters: Array) -> Array:
    living = persons - group_quarters
    lacking = (living < -ROUNDING * np.maximum(group_quarters, 1.0)) | (group_quarters < 0)
    if lacking.any():
        where = tuple(np.argwhere(lacking)[0].tolist())
        raise DemographyError(
            f"group quarters hold {np.broadcast_to(group_quarters, persons.shape)[where]} of "
            f"{persons[where]} persons at {where}",
        )
    return np.maximum(living, 0.0)


def _refuse_negative(stock: Array) -> None:
    if (stock < -ROUNDING * max(1.0, float(stock.max(initial=0.0)))).any():
        where = tuple(np.unravel_index(np.argmin(stock), stock.shape))
        at = tuple(int(i) for i in where)
        raise DemographyError(f"more people leave than survive: {stock[where]:g} persons at {at}")


def _move(
    start: Array,
    rates: ComponentRates,
    convention: Convention,
    starts: NDArray[np.intp],
    *,
    newborn: bool,
) -> _Moved:
    cohorts = slice(0, 1) if newborn else slice(1, None)
    w = convention.early
    survival = rates.survival_ratio[..., cohorts]
    to_pool = _flow(rates.out_rate, start, cohorts)
    leaving = to_pool + _flow(rates.emigration_rate, start, cohorts)
    net = _flow(rates.net_rate, start, cohorts)
    swap = exchanged(rates.exchange_rate, start, cohorts)
    coming = _from_pool(to_pool, rates, starts, newborn=newborn) + np.maximum(net, 0.0)
    leaving = leaving + np.maximum(-net, 0.0)
    early_in, late_in = _counted(rates, start, convention, sign=1.0, newborn=newborn)
    early_out, late_out = _counted(rates, start, convention, sign=-1.0, newborn=newborn)
    joined = start + w * (coming - leaving + swap) + early_in
    early_left = limit_outflow(early_out, joined, parent_starts=starts)
    joined = joined - early_left
    alive = survival * joined
    stock = alive + (1 - w) * (coming - leaving + swap) + late_in
    at_ages = stock if newborn else to_ages(stock)
    wanted = late_out if newborn else to_ages(late_out)
    first = 0 if newborn else 1
    late_left = limit_outflow(wanted, at_ages, parent_starts=starts, youngest=first)
    gone = late_left if newborn else to_cohorts(late_left)
    short = (early_left - early_out) if newborn else to_ages(early_left - early_out)
    return _Moved(
        joined,
        stock - gone,
        joined - alive,
        coming + early_in + late_in,
        leaving + early_left + gone,
        swap,
        late_left - wanted + short,
    )


def _flow(rate: Array | None, start: Array, cohorts: slice) -> Array:
    return np.zeros_like(start) if rate is None else rate[..., cohorts] * start


def _from_pool(
    to_pool: Array,
    rates: ComponentRates,
    starts: NDArray[np.intp],
    *,
    newborn: bool,
) -> Array:
    if rates.in_share is None:
        return np.zeros_like(to_pool)
    ages = slice(0, 1) if newborn else slice(1, None)
    pool = parent_sum(to_pool if newborn else to_ages(to_pool), starts)
    if rates.immigrants is not None:
        pool = pool + rates.immigrants[..., ages]
    sizes = np.diff(np.append(starts, to_pool.shape[-3]))
    coming = rates.in_share[..., ages] * np.repeat(pool, sizes, axis=-3)
    return coming if newborn else to_cohorts(coming)


def _counted(
    rates: ComponentRates,
    start: Array,
    convention: Convention,
    *,
    sign: float,
    newborn: bool,
) -> tuple[Array, Array]:
    """Early and late movers by count, of cohorts; sign −1 for those who leave."""
    given = [] if rates.in_count is None or sign < 0 else [rates.in_count]
    if rates.net_count is not None:
        given.append(np.maximum(sign * rates.net_count, 0.0))
    if not given:
        return np.zeros_like(start), np.zeros_like(start)
    count = np.zeros((*start.shape[:-1], 1)) + sum(given[1:], given[0])
    late = count[..., :1] if newborn else to_cohorts(count[..., 1:])
    w = convention.early
    if convention.ages == "reached" or w == 0:
        return w * late, (1 - w) * late
    # an age group at the start is the next cohort; nobody is unborn
    return (np.zeros_like(late) if newborn else w * count), (1 - w) * late


def _births_by_mother(
    start: Array,
    joined: Array,
    stock: Array,
    rates: ComponentRates,
    width: int,
    convention: Convention,
) -> Array:
    end = np.concatenate([np.zeros_like(stock[..., FEMALE, :1]), stock[..., FEMALE, :]], axis=-1)
    if (rates.asfr is None) == (rates.child_woman_ratio is None):
        raise LabelError("give either age-specific fertility rates or a child–woman ratio")
    if rates.asfr is not None:
        begin = joined if convention.ages == "event" else advance_age(start)
        return births_from_asfr(rates.asfr, begin[..., FEMALE, :], end, width=width)
    if rates.fertile is None or rates.child_woman_ratio is None:
        raise LabelError("a child–woman ratio needs the age groups of its women")
    women = np.zeros_like(end)
    women[..., rates.fertile] = end[..., rates.fertile]
    return np.asarray(rates.child_woman_ratio[..., None] * women)


def _by_sex(by_mother: Array, rates: ComponentRates) -> Array:
    children = child_groups(rates.child_group, by_mother.sum(axis=-1))
    births = np.empty((*children.shape, len(SEXES)))
    births[..., MALE] = children * (rates.sex_ratio / (1 + rates.sex_ratio))
    births[..., FEMALE] = children - births[..., MALE]
    return births

"""The verb project by components: births, deaths and migration instead of cohort ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import Flows
from futuremap.core.population import NOT_AS_COUNTED, SEXES, Flag, Population, join_years
from futuremap.core.rates import Rates
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.component import (
    ComponentRates,
    ComponentStep,
    Convention,
    component_step,
)
from futuremap.projection.migration import parent_sum
from futuremap.projection.rake import Controls, Raked, rake_zones
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO

Array = NDArray[np.float64]
TOLERANCE = 1e-9  # by which shares may miss 1 and departures exceed the people
INHERITED = np.uint8(NOT_AS_COUNTED | Flag.SHRUNK)


class ComponentProjection(NamedTuple):
    """A projected population with its account.

    population
        The base year and all later years.
    flows
        Births (also by mother's age), deaths, in- and out-migrants of each step.
    limited
        Persons who should have left a zone but were no longer there, so that others of its
        parent, sex and age left in their place ``(H, P)``. [persons]
    factor
        What the cells of each parent were multiplied with to meet its controls
        ``(H, P, S, A)``, 1 where there were none. [ratio]
    total_factor
        The same for all people of a parent ``(H, P)``. [ratio]
    placed
        People placed by controls where a parent had nobody ``(H, P, 4)``, by
        :data:`futuremap.projection.rake.RUNGS`. [persons]
    """

    population: Population
    flows: Flows
    limited: Array
    factor: Array
    total_factor: Array
    placed: Array


def project_components(
    base: Population,
    rates: Rates | Sequence[Rates],
    *,
    steps: int,
    convention: Convention = Convention(),  # noqa: B008 - an immutable tuple
    group_quarters: Array | None = None,
    controls: Controls | None = None,
) -> ComponentProjection:
    """Project a population by births, deaths and migration.

    Parameters
    ----------
    base
        One year, in the zones of the rates and in their order. [persons]
    rates
        Rates of every step, or a sequence of them, one a step; the last holds for the rest.
        Survival and either ``asfr`` or ``child_woman_ratio`` are needed; migration is optional.
    steps
        Count of steps (H).
    convention
        Timing of migration and meaning of age.
    group_quarters
        Residents who are held apart ``(Z, S, A)``: see :func:`component_step`. [persons]
    controls
        What parents and zones must hold after each step; the next one starts from there.

    Raises
    ------
    LabelError
        If zones or ages of base and rates differ, the step is not as wide as the age groups,
        or a needed rate is missing.
    DemographyError
        If rates let more people leave than survive, shares of a pool do not add up to 1, or
        counts ask a parent for more people than it has.
    SolveError
        If a control cannot be met, or controls contradict each other; says where and when.

    Notes
    -----
    Where no women of fertile age live, nobody is born: births are women times rates, and no
    ratio is formed here.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> ages = AgeGroups((0, 15, 30, 45))
    >>> base = Population.build(np.full((1, 1, 2, 4), 10.0), years=[2020], zones=["a"], ages=ages)
    >>> rates = Rates.build(
    ...     {"survival_ratio": np.ones((1, 2, 4)), "birth_survival_ratio": np.ones((1, 2)),
    ...      "sex_ratio_at_birth": [1.0], "asfr": [[0.0, 0.04, 0.0, 0.0]]},
    ...     zones=["a"], parents=["p"], parent_of=np.array([0]), ages=ages, interval=15)
    >>> project_components(base, rates, steps=1).population.persons[1, 0, 1].tolist()
    [3.0, 10.0, 10.0, 20.0]
    """
    series = [rates] if isinstance(rates, Rates) else list(rates)
    for one in series:
        _check_labels(base, one)
    first = series[0]
    starts = np.searchsorted(first.parent_of, np.arange(len(first.parents)))
    named = [component_rates(one, convention=convention) for one in series[:steps]]
    people, parts, raked = base.persons[0], [], []
    for t in range(steps):
        step = component_step(
            people,
            named[min(t, len(named) - 1)],
            width=base.ages.width,
            convention=convention,
            parent_starts=starts,
            group_quarters=group_quarters,
        )
        people = _not_below_zero(step.persons)
        raked.append(_rake(people, controls, t, base.persons[0], starts))
        parts.append(_Part(step, people))
    years = [base.years[0] + first.interval * (t + 1) for t in range(steps)]
    moved = [parent_sum(np.maximum(-part.step.limited, 0.0), starts) for part in parts]
    return ComponentProjection(
        join_years([base, _later(base, series, parts, years)]),
        _flows(base, parts, years),
        np.stack(moved).sum(axis=(2, 3)),
        np.stack([one.factor for one in raked]),
        np.stack([one.total_factor for one in raked]),
        np.stack([one.placed for one in raked]),
    )


class _Part(NamedTuple):
    # a step as it came, and the stock after its controls
    step: ComponentStep
    persons: Array


def _rake(
    persons: Array,
    controls: Controls | None,
    step: int,
    launch: Array,
    starts: NDArray[np.intp],
) -> Raked:
    def now(given: Array | None) -> Array | None:
        return None if given is None else given[step]

    given = controls or Controls()
    return rake_zones(
        persons,
        now(given.totals),
        parent_starts=starts,
        sex_age=now(given.sex_age),
        zone_totals=now(given.zone_totals),
        launch=launch,
        name_of=lambda parent: given.place(step, parent),
    )


def component_path(
    persons: Array,
    rates: Sequence[ComponentRates] | Callable[[int], ComponentRates],
    *,
    steps: int,
    width: int,
    convention: Convention = Convention(),  # noqa: B008 - an immutable tuple
    parent_starts: NDArray[np.intp] | None = None,
    group_quarters: Array | None = None,
) -> Iterator[ComponentStep]:
    """Step after step on plain arrays, with rates that change; groups in exchange included.

    Parameters
    ----------
    persons
        Persons at the start ``(…, Z, S, A)``. [persons]
    rates
        One for each step, the last held for the rest, or a function of the step from 0.
    steps, width, convention, parent_starts, group_quarters
        As in :func:`project_components` and :func:`component_step`.

    Yields
    ------
    ComponentStep
        Stock and account of each step.

    Examples
    --------
    Half survive the first step, all the second:

    >>> def rates(step: int) -> ComponentRates:
    ...     return ComponentRates(np.full((1, 2, 4), (0.5, 1.0)[step]), np.ones(1),
    ...                           asfr=np.zeros((1, 3)))
    >>> path = component_path(np.full((1, 2, 3), 8.0), rates, steps=2, width=5)
    >>> [step.persons[0, 0].tolist() for step in path]
    [[0.0, 4.0, 8.0], [0.0, 0.0, 12.0]]
    """
    for t in range(steps):
        step = component_step(
            persons,
            rates(t) if callable(rates) else rates[min(t, len(rates) - 1)],
            width=width,
            convention=convention,
            parent_starts=parent_starts,
            group_quarters=group_quarters,
        )
        yield step
        persons = step.persons


def component_rates(rates: Rates, *, convention: Convention) -> ComponentRates:
    """The arrays of the kernel from named rates: the zones' own, or their parent's.

    Raises
    ------
    LabelError
        If survival, a sex ratio or fertility is missing.
    DemographyError
        If more people leave than survive, or shares of a pool do not add up to 1; with the
        zone, sex and age.
    """
    by_cwr = rates.of_zones("child_woman_ratio")
    survival = _needed(rates, "survival_ratio")
    newborn = np.ones(survival.shape[:-1]) if by_cwr is not None else None
    if newborn is None:
        newborn = _needed(rates, "birth_survival_ratio")
    sex_ratio = _needed(rates, "sex_ratio_0_4" if by_cwr is not None else "sex_ratio_at_birth")
    arrays = ComponentRates(
        survival_ratio=np.concatenate([newborn[..., None], survival], axis=-1),
        sex_ratio=sex_ratio,
        asfr=_needed(rates, "asfr") if by_cwr is None else None,
        child_woman_ratio=by_cwr,
        fertile=None if by_cwr is None else rates.ages.between(FERTILE_FROM, FERTILE_TO),
        net_rate=_cohorts(rates.of_zones("net_migration_rate")),
        out_rate=_cohorts(rates.of_zones("out_migration_rate")),
        emigration_rate=_cohorts(rates.of_zones("emigration_rate")),
        in_share=rates.of_zones("in_migration_share"),
        immigrants=rates.of_parents("immigrants"),
        in_count=rates.of_zones("in_migrants"),
        net_count=rates.of_zones("net_migrants"),
    )
    _check_shares(arrays, rates)
    _check_departures(arrays, rates, convention)
    return arrays


def _needed(rates: Rates, name: str) -> Array:
    held = rates.of_zones(name)
    if held is None:
        raise LabelError(
            f"projecting by component needs {name}; these rates hold neither it nor parent_{name}"
        )
    return held


def _cohorts(rate: Array | None) -> Array | None:
    # those born within the step have no rate of their own: only counts move them
    if rate is None:
        return None
    return np.concatenate([np.zeros_like(rate[..., :1]), rate], axis=-1)


def _check_labels(base: Population, rates: Rates) -> None:
    if base.zones != rates.zones or len(base.years) != 1:
        raise LabelError("base and rates do not share their zones, or base is not one year")
    if base.ages != rates.ages:
        pairs = zip(base.ages.lower, rates.ages.lower, strict=False)
        odd = next((pair for pair in pairs if pair[0] != pair[1]), None)
        where = f"first {odd[0]} and {odd[1]}" if odd else "one set goes on"
        raise LabelError(
            f"base has {len(base.ages)} age groups to {base.ages.open_age}+, rates "
            f"{len(rates.ages)} to {rates.ages.open_age}+: {where}",
        )
    if rates.interval != base.ages.width:
        raise LabelError(f"a step of {rates.interval} years with ages {base.ages.width} wide")


def _check_shares(arrays: ComponentRates, rates: Rates) -> None:
    if arrays.in_share is None:
        if arrays.out_rate is not None:
            raise LabelError("out_migration_rate fills a pool that no in_migration_share empties")
        return
    starts = np.searchsorted(rates.parent_of, np.arange(len(rates.parents)))
    shares = parent_sum(arrays.in_share, starts)
    bad = np.abs(shares - 1) > TOLERANCE
    if bad.any():
        p, s, a = np.argwhere(bad)[0]
        raise DemographyError(
            f"in_migration_share adds up to {shares[p, s, a]} over parent {rates.parents[p]} "
            f"({SEXES[s]}, age {rates.ages.lower[a]}), not to 1; {int(bad.sum())} such cells",
        )


def _check_departures(arrays: ComponentRates, rates: Rates, convention: Convention) -> None:
    net = np.zeros_like(arrays.survival_ratio)
    for rate, sign in ((arrays.net_rate, 1), (arrays.out_rate, -1), (arrays.emigration_rate, -1)):
        if rate is not None:
            net = net + sign * rate
    w = convention.early
    left = arrays.survival_ratio * (1 + w * net) + (1 - w) * net
    bad = (left < -TOLERANCE) | (1 + w * net < 0)
    if bad.any():
        z, s, c = np.argwhere(bad)[0]
        raise DemographyError(
            f"net migration rate {net[z, s, c]:g} takes more people than survive "
            f"({arrays.survival_ratio[z, s, c]:g}) in zone {rates.zones[z]} ({SEXES[s]}, "
            f"age {rates.ages.lower[c - 1]}); {int(bad.sum())} such cells",
        )


def _later(
    base: Population,
    series: Sequence[Rates],
    parts: Sequence[_Part],
    years: Sequence[int],
) -> Population:
    handed = np.bitwise_or.reduce([rates.flag for rates in series], axis=0) & INHERITED
    flag = (base.flag & np.uint8(NOT_AS_COUNTED)) | handed | np.uint8(Flag.PROJECTED)
    moved = [
        (part.persons != _not_below_zero(part.step.persons)).any(axis=(1, 2)) for part in parts
    ]
    # what follows from made-up rates is made up, whatever the base year is
    invented = np.asarray(handed & np.uint8(Flag.SYNTHETIC) > 0, dtype=np.float64)
    share = np.maximum(base.imputed_share, invented)
    return Population.build(
        np.stack([part.persons for part in parts]),
        years=years,
        zones=base.zones,
        ages=base.ages,
        flag=flag | np.where(moved, np.uint8(Flag.RAKED), np.uint8(0)),
        imputed_share=np.repeat(share, len(years), axis=0),
        sources=base.sources,
    )


def _not_below_zero(persons: Array) -> Array:
    # the last digits of a cell that everybody left; anything more was refused before
    return np.where((persons < 0) & (persons > -TOLERANCE * persons.max()), 0.0, persons)


def _flows(base: Population, parts: Sequence[_Part], years: Sequence[int]) -> Flows:
    steps = [part.step for part in parts]
    births = np.zeros((len(parts), *base.persons.shape[1:]))
    births[..., 0] = np.stack([step.births for step in steps])
    return Flows.build(
        {
            "births": births,
            "deaths": np.stack([step.deaths for step in steps]),
            "in_migrants": np.stack([step.in_migrants for step in steps]),
            "out_migrants": np.stack([step.out_migrants for step in steps]),
            "control_adjustment": np.stack([part.persons - part.step.persons for part in parts]),
        },
        years=years,
        zones=base.zones,
        ages=base.ages,
        births_by_mother=np.stack([step.births_by_mother for step in steps]),
    )

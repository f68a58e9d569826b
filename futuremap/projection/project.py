"""The verb project: a base population and its rates become later years and their flows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import Flows, advance_age
from futuremap.core.population import NOT_AS_COUNTED, SEXES, Flag, Population, join_years
from futuremap.core.rates import Rates
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.projection.by_component import project_components
from futuremap.projection.controls import nest
from futuremap.projection.march import Engine, Own, Ratios, march
from futuremap.projection.rake import Controls
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO


class Upper(NamedTuple):
    """The level above the parents, such as prefectures, and what it must hold.

    codes
        Their codes ``(U,)``.
    starts
        First parent of each ``(U,)``; parents stand together.
    totals, sex_age
        People ``(1 + H, U)`` and ``(1 + H, U, S, A)``, NaN where nothing is given. [persons]
    """

    codes: tuple[str, ...]
    starts: NDArray[np.intp]
    totals: NDArray[np.float64] | None = None
    sex_age: NDArray[np.float64] | None = None


class Projection(NamedTuple):
    """A projected population with its account.

    population
        The base year and all later years.
    flows
        What changed it in each step.
    controls
        ``control_factor`` by year and parent, 1 where no control was given.
    factor
        The factors by year, parent, sex and age ``(1 + H, P, S, A)``; None where nothing was
        controlled. [ratio]
    placed
        People placed by controls in cells where a parent had nobody, by year, parent and rung
        of :data:`futuremap.projection.rake.RUNGS` ``(1 + H, P, 4)``. [persons]
    upper_factor
        What the parents' controls and projections were multiplied with to agree with the level
        above ``(1 + H, U)``; None without one. [ratio]
    limited
        Persons who should have left a zone but were no longer there, so that others of the
        parent left in their place ``(1 + H, P)``; None where ratios moved people. [persons]
    """

    population: Population
    flows: Flows
    controls: Table
    factor: NDArray[np.float64] | None = None
    placed: NDArray[np.float64] | None = None
    upper_factor: NDArray[np.float64] | None = None
    limited: NDArray[np.float64] | None = None


def project(
    base: Population,
    rates: Rates,
    *,
    steps: int,
    totals: NDArray[np.float64] | None = None,
    sex_age: NDArray[np.float64] | None = None,
    zone_totals: NDArray[np.float64] | None = None,
    upper: Upper | None = None,
    engine: Engine = "auto",
) -> Projection:
    """Project a population by steps of the rates' interval.

    Parameters
    ----------
    base
        One year, in the zones of `rates` and in their order. [persons]
    rates
        Cohort-change and child–woman ratios by zone and parent; or survival, fertility and
        migration, in which case births, deaths and migrants are accounted for one by one.
    steps
        Count of steps (H).
    totals
        Control totals of the parents ``(1 + H, P)``, NaN where there is none. [persons]
    sex_age
        The same by sex and age ``(1 + H, P, S, A)``; with `totals` too, cells left NaN take
        up the rest. [persons]
    zone_totals
        Totals of zones ``(1 + H, Z)``, met together with their parents' controls by IPF.
        [persons]
    upper
        The level above: the parents' controls are made to agree with it first.
    engine
        See :func:`futuremap.projection.march.march`.

    Raises
    ------
    LabelError
        If zones or ages of `base` and `rates` differ, `base` has several years, or controls
        do not have the shape of the projection.
    SolveError
        If a control cannot be met, or controls contradict each other; says where and when.

    Notes
    -----
    Ratios of one period compound when they are applied for thirty years. Two habits that
    did best in backtests of ten to thirty years hold them down: a zone's deviation from its
    municipality fades by `rates`' persistence, and growth is additive (see
    :func:`futuremap.projection.kernel.step`).
    """
    if base.zones != rates.zones or base.ages != rates.ages or len(base.years) != 1:
        raise LabelError("base and rates do not share zones and ages, or base is not one year")
    years = [base.years[0] + rates.interval * i for i in range(steps + 1)]
    controls = _controls((totals, sex_age, zone_totals), rates, tuple(years[1:]))
    by_component = any(name in rates for name in ("survival_ratio", "parent_survival_ratio"))
    upper_factor = None
    if upper is not None:
        free = _parents_by_component if by_component else _parents_by_ratio
        controls, upper_factor = _nested(free(base, rates, steps), controls, upper)
    if by_component:
        made = project_components(base, rates, steps=steps, controls=controls)
        by_parent = (made.factor, made.total_factor, made.placed)
        done = _projection(made.population, made.flows, by_parent, upper_factor, rates.parents)
        limited = np.concatenate([np.zeros_like(made.limited[:1]), made.limited])
        return done._replace(limited=limited)
    adjustment = np.zeros((steps, *base.persons.shape[1:]))
    moved = march(
        base.persons[0],
        _ratios(rates),
        steps=steps,
        controls=controls if _any(controls) else None,
        adjustment=adjustment,
        engine=engine,
    )
    population, flows = account(base, rates, moved.persons, adjustment=adjustment)
    scaled = (moved.factor, moved.total_factor, moved.placed)
    return _projection(population, flows, scaled, upper_factor, rates.parents)


def _projection(
    population: Population,
    flows: Flows,
    scaled: tuple[NDArray[np.float64] | None, NDArray[np.float64], NDArray[np.float64]],
    upper_factor: NDArray[np.float64] | None,
    parents: tuple[str, ...],
) -> Projection:
    # the base year stands in front, in which nothing was moved
    factor, total, placed = scaled
    return Projection(
        population,
        flows,
        Table.build(
            {"control_factor": np.concatenate([np.ones_like(total[:1]), total])},
            years=population.years,
            zones=parents,
        ),
        None if factor is None else np.concatenate([np.ones_like(factor[:1]), factor]),
        np.concatenate([np.zeros_like(placed[:1]), placed]),
        upper_factor,
    )


def _ratios(rates: Rates) -> Ratios:
    starts = np.searchsorted(rates.parent_of, np.arange(len(rates.parents)))
    return Ratios(
        rates["parent_cohort_change_ratio"],
        rates["parent_child_woman_ratio"],
        rates["sex_ratio_0_4"],
        rates.ages.between(FERTILE_FROM, FERTILE_TO),
        starts,
        Own(
            rates["cohort_change_ratio"],
            rates["child_woman_ratio"],
            float(rates["persistence"]),
        ),
        additive=True,
    )


def _controls(
    given: tuple[NDArray[np.float64] | None, ...],
    rates: Rates,
    years: tuple[int, ...],
) -> Controls:
    cells = (len(SEXES), len(rates.ages))
    shapes = ((len(rates.parents),), (len(rates.parents), *cells), (len(rates.zones),))
    for array, shape in zip(given, shapes, strict=True):
        if array is not None and array.shape != (len(years) + 1, *shape):
            raise LabelError(f"controls have shape {array.shape}, not {(len(years) + 1, *shape)}")
    totals, sex_age, zone_totals = (None if array is None else array[1:] for array in given)
    return Controls(totals, sex_age, zone_totals, rates.parents, years)


def _any(controls: Controls) -> bool:
    return any(array is not None for array in controls[:3])


def _nested(
    free: NDArray[np.float64],
    controls: Controls,
    upper: Upper,
) -> tuple[Controls, NDArray[np.float64]]:
    heads = (len(free) + 1, len(upper.codes))
    for array in (upper.totals, upper.sex_age):
        if array is not None and array.shape[:2] != heads:
            raise LabelError(f"upper controls have shape {array.shape}, not {heads} and cells")
    if len(upper.starts) != len(upper.codes):
        raise LabelError(f"{len(upper.starts)} upper zones have {len(upper.codes)} codes")
    above = Controls(
        None if upper.totals is None else upper.totals[1:],
        None if upper.sex_age is None else upper.sex_age[1:],
        parents=upper.codes,
        years=controls.years,
    )
    nested, factor = nest(controls, above, upper_starts=upper.starts, seed=free)
    return nested, np.concatenate([np.ones_like(factor[:1]), factor])


def _parents_by_ratio(base: Population, rates: Rates, steps: int) -> NDArray[np.float64]:
    # what parents hold that nothing controls: their own projection, all their zones as one
    ratios = _ratios(rates)
    alone = ratios._replace(own=None, parent_starts=np.arange(len(rates.parents)))
    people = np.add.reduceat(base.persons[0], ratios.parent_starts, axis=0)
    return march(people, alone, steps=steps, engine="numpy").persons[1:]


def _parents_by_component(base: Population, rates: Rates, steps: int) -> NDArray[np.float64]:
    free = project_components(base, rates, steps=steps).population.persons[1:]
    starts = np.searchsorted(rates.parent_of, np.arange(len(rates.parents)))
    return np.asarray(np.add.reduceat(free, starts, axis=1))


def account(
    base: Population,
    rates: Rates,
    persons: NDArray[np.float64],
    *,
    adjustment: NDArray[np.float64],
) -> tuple[Population, Flows]:
    """Stocks as a population with its flags, and what changed them.

    Parameters
    ----------
    base
        The base year.
    rates
        What the projection was made with, or from the same counts.
    persons
        Base and projected years ``(1 + H, Z, S, A)``. [persons]
    adjustment
        What controls moved in each step ``(H, Z, S, A)``. [persons]

    Returns
    -------
    tuple
        All years, and their flows: births are the youngest group before controls, what else
        changed is deaths and migration together.
    """
    years = [base.years[0] + base.ages.width * i for i in range(1, len(persons))]
    flag, share = _provenance(base, rates, persons, np.asarray(adjustment.any(axis=(2, 3))))
    later = Population.build(
        persons[1:],
        years=years,
        zones=base.zones,
        ages=base.ages,
        flag=flag,
        imputed_share=share,
        sources=base.sources,
    )
    net = persons[1:] - adjustment
    births = np.zeros_like(net)
    births[..., 0] = net[..., 0]
    net -= advance_age(persons[:-1])
    net -= births
    flows = Flows.build(
        {"births": births, "net_change": net, "control_adjustment": adjustment},
        years=years,
        zones=base.zones,
        ages=base.ages,
    )
    return join_years([base, later]), flows


def _provenance(
    base: Population,
    rates: Rates,
    persons: NDArray[np.float64],
    raked: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    # what was not counted in the base year is not better known later, and who went through a
    # ratio borrowed from another age or sex is imputed
    shares = _borrowed_shares(rates, persons)
    made = ((base.flag | rates.flag) & np.uint8(NOT_AS_COUNTED)) | np.uint8(
        Flag.PROJECTED | Flag.SHRUNK,
    )
    made = np.where(shares > 0, made | np.uint8(Flag.IMPUTED), made)
    made = np.where(raked, made | np.uint8(Flag.RAKED), made).astype(np.uint8)
    return made, np.maximum(np.maximum(base.imputed_share, shares), _invented(rates))


def _borrowed_shares(rates: Rates, persons: NDArray[np.float64]) -> NDArray[np.float64]:
    # share of each zone's people who went through a ratio borrowed from another age or sex
    shares = np.zeros((len(persons) - 1, persons.shape[1]))
    borrowed = rates["imputed"][rates.parent_of]
    if not borrowed.any():
        return shares
    guessed = np.zeros_like(persons[0])
    for t, people in enumerate(persons[:-1]):
        guessed = np.minimum(advance_age(np.maximum(guessed, borrowed * (people > 0))), 1.0)
        shares[t] = _share(persons[t + 1], guessed)
    return shares


def _invented(rates: Rates) -> NDArray[np.float64]:
    # what follows from made-up rates is made up, whatever the base year is
    return np.asarray(rates.flag & np.uint8(Flag.SYNTHETIC) > 0, dtype=np.float64)


def _share(people: NDArray[np.float64], guessed: NDArray[np.float64]) -> NDArray[np.float64]:
    total = people.sum(axis=(1, 2))
    part = (people * guessed).sum(axis=(1, 2))
    return np.asarray(np.divide(part, total, out=np.zeros_like(total), where=total > 0))

"""The verb project: a base population and its rates become later years and their flows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.flows import Flows, advance_age
from futuremap.core.population import NOT_AS_COUNTED, Flag, Population, join_years
from futuremap.core.rates import Rates
from futuremap.core.table import Table
from futuremap.errors import LabelError
from futuremap.projection.controls import rake
from futuremap.projection.kernel import step
from futuremap.projection.rates import FERTILE_FROM, FERTILE_TO


class Projection(NamedTuple):
    """A projected population with its account.

    population
        The base year and all later years.
    flows
        What changed it in each step.
    controls
        ``control_factor`` by year and parent, 1 where no total was given.
    """

    population: Population
    flows: Flows
    controls: Table


def project(
    base: Population,
    rates: Rates,
    *,
    steps: int,
    totals: NDArray[np.float64] | None = None,
) -> Projection:
    """Project a population by steps of the rates' interval.

    Parameters
    ----------
    base
        One year, in the zones of `rates` and in their order. [persons]
    rates
        Cohort-change and child–woman ratios by zone and parent.
    steps
        Count of steps.
    totals
        Control totals of the parents ``(1 + steps, P)``, NaN where there is none. [persons]

    Raises
    ------
    LabelError
        If zones or ages of `base` and `rates` differ, or `base` has several years.
    SolveError
        If a control total cannot be met.

    Notes
    -----
    Ratios of one period compound when they are applied for thirty years. Two habits that
    did best in backtests of ten to thirty years hold them down: a zone's deviation from its
    municipality fades by `rates`' persistence, and growth is additive (see :func:`step`).
    """
    if base.zones != rates.zones or base.ages != rates.ages or len(base.years) != 1:
        raise LabelError("base and rates do not share zones and ages, or base is not one year")
    years = [base.years[0] + rates.interval * i for i in range(steps + 1)]
    shape = (steps, *base.persons.shape[1:])
    stock, births, net, moved = (np.zeros(shape) for _ in range(4))
    starts = np.searchsorted(rates.parent_of, np.arange(len(rates.parents)))
    factors = np.ones((steps + 1, len(rates.parents)))
    fertile = rates.ages.between(FERTILE_FROM, FERTILE_TO)
    people = base.persons[0]
    borrowed = rates["imputed"][rates.parent_of]
    guessed = np.zeros_like(people)  # 1 for cohorts that went through a borrowed ratio
    shares = np.zeros((steps, len(base.zones)))
    for t in range(steps):
        ratio, fertility = _faded(rates, t)
        result = step(
            people,
            ratio,
            child_woman_ratio=fertility,
            sex_ratio_0_4=rates["sex_ratio_0_4"][rates.parent_of],
            fertile=fertile,
            launch=base.persons[0],
        )
        stock[t] = result.persons
        if totals is not None:
            factors[t + 1] = rake(stock[t], totals[t + 1], parent_starts=starts)
        births[t], net[t], moved[t] = result.births, result.net_change, stock[t] - result.persons
        if borrowed.any():
            guessed = np.minimum(advance_age(np.maximum(guessed, borrowed * (people > 0))), 1.0)
            shares[t] = _share(stock[t], guessed)
        people = stock[t]
    later = Population.build(
        stock,
        years=years[1:],
        zones=base.zones,
        ages=base.ages,
        flag=_flags(base.flag | rates.flag, factors[1:, rates.parent_of] != 1, shares > 0),
        imputed_share=np.maximum(np.maximum(base.imputed_share, shares), _invented(rates)),
        sources=base.sources,
    )
    flows = Flows.build(
        {"births": births, "net_change": net, "control_adjustment": moved},
        years=years[1:],
        zones=base.zones,
        ages=base.ages,
    )
    controls = Table.build({"control_factor": factors}, years=years, zones=rates.parents)
    return Projection(join_years([base, later]), flows, controls)


def _faded(rates: Rates, steps_before: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # a zone's deviation from its municipality fades: a boom of five years does not last thirty
    left = float(rates["persistence"]) ** steps_before
    shared = rates["parent_cohort_change_ratio"][rates.parent_of]
    births = rates["parent_child_woman_ratio"][rates.parent_of]
    return (
        shared + left * (rates["cohort_change_ratio"] - shared),
        births + left * (rates["child_woman_ratio"] - births),
    )


def _invented(rates: Rates) -> NDArray[np.float64]:
    # what follows from made-up rates is made up, whatever the base year is
    return np.asarray(rates.flag & np.uint8(Flag.SYNTHETIC) > 0, dtype=np.float64)


def _share(people: NDArray[np.float64], guessed: NDArray[np.float64]) -> NDArray[np.float64]:
    total = people.sum(axis=(1, 2))
    part = (people * guessed).sum(axis=(1, 2))
    return np.asarray(np.divide(part, total, out=np.zeros_like(total), where=total > 0))


def _flags(
    base: NDArray[np.uint8],
    raked: NDArray[np.bool_],
    imputed: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    # what was not counted in the base year is not better known later
    made = (base & np.uint8(NOT_AS_COUNTED)) | np.uint8(Flag.PROJECTED | Flag.SHRUNK)
    made = np.where(imputed, made | np.uint8(Flag.IMPUTED), made)
    return np.where(raked, made | np.uint8(Flag.RAKED), made).astype(np.uint8)

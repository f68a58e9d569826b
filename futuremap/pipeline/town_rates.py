"""Rates of use of every municipality, as its people and its scenario have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.indicators.changed_rates import ChangedRate, groups
from futuremap.indicators.make_rates import Made, Setting, person_rates
from futuremap.pipeline.by_block import Outcomes
from futuremap.pipeline.prepare import Prepared
from futuremap.pipeline.read_indicators import IndicatorInputs
from futuremap.projection.single_years import age_shares, split_ages

Floats = NDArray[np.float64]
FIXED, TREND = "fixed", "trend"


class Part(NamedTuple):
    """Zones of a municipality whose people have the same rates, and those."""

    at: NDArray[np.intp]
    made: Made


def parts_of(
    prepared: Prepared,
    inputs: IndicatorInputs,
    one: Outcomes,
    *,
    variant: str,
    changed: Sequence[ChangedRate] = (),
) -> list[Part]:
    """Rates of a municipality's people, by the zones where they hold.

    Parameters
    ----------
    prepared, inputs
        Checked input, and of it what rates are made from.
    one
        The municipality.
    variant
        "fixed", or "trend" where a trend was published.
    changed
        Rates that differ from those that were read, and where.
    """
    return [
        Part(group.at, _made(prepared, inputs, one, variant=variant, factors=group.factors))
        for group in groups(one.people.zones, changed)
    ]


def _made(
    prepared: Prepared,
    inputs: IndicatorInputs,
    one: Outcomes,
    *,
    variant: str,
    factors: Mapping[str, Floats],
) -> Made:
    base = one.people.persons[0].sum(axis=0)
    setting = Setting(
        one.people.years,
        one.town.code,
        float(prepared.project.indicators.months_after_april),
        split_ages(base, one.people.ages),
        inputs.trends if variant == TREND else {},
        factors,
    )
    return person_rates(inputs.rows, inputs.catalogue, setting)


def rates_by_town(
    prepared: Prepared,
    outcomes: Sequence[Outcomes],
    people: Population,
    name: str,
) -> list[Floats]:
    """What each sex and age group of every municipality asks for ``(Y, S, A)``, fixed variant.

    Parameters
    ----------
    prepared
        Checked input.
    outcomes
        What came out by municipality.
    people
        The projection, whose people say how single years of age share their groups.
    name
        A field that every municipality has a rate for.
    """
    inputs = prepared.indicators
    if inputs is None:
        raise AssertionError(f"{name} was accepted without rates")
    shares = shares_within(people)
    found = []
    for one in outcomes:
        made = _made(prepared, inputs, one, variant=FIXED, factors={})
        found.append(made.rates.only((name,)).by_group(people.ages, shares)[0])
    return found


def shares_within(people: Population) -> Floats:
    """Share of each single year of age in its group over all zones ``(Y, S, W)``. [ratio]"""
    return age_shares(people.persons.sum(axis=1), people.ages)

"""Rates of use that scenarios change and targets ask for: in the catalogue, and possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from futuremap.config.check_scenario import near
from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import Project
from futuremap.config.scenario import INDICATORS, RateChange, TargetEntry
from futuremap.core.fields import field
from futuremap.core.person_rates import PersonRates
from futuremap.core.population import Population
from futuremap.indicators.catalogue import Catalogue
from futuremap.indicators.changed_rates import can_change, factor_at, fields_of
from futuremap.indicators.make_rates import Setting, person_rates
from futuremap.pipeline.notes import Notes
from futuremap.pipeline.read_indicators import IndicatorInputs
from futuremap.projection.single_years import LAST_AGE, split_ages

Floats = NDArray[np.float64]
ROUNDING = 1e-9


class Town(Protocol):
    """A municipality, as far as its rates are looked at."""

    @property
    def code(self) -> str:
        """Its code."""
        ...

    @property
    def base(self) -> Population:
        """Its people in the base year."""
        ...


class Stated(NamedTuple):
    """A change of a rate whose indicator is known.

    entry
        What the project says.
    fields
        Fields whose rates change.
    at
        Where it stands in the project file.
    """

    entry: RateChange
    fields: tuple[str, ...]
    at: KeyPath


def find_field(name: str, catalogue: Catalogue) -> str:
    """The field of a name or Japanese name; empty if there is none."""
    known = catalogue.fields
    return name if name in known else {field(one).name_ja: one for one in known}.get(name, "")


def check_rates(
    notes: Notes,
    towns: Sequence[Town],
    inputs: IndicatorInputs,
) -> None:
    """Note changes of rates that no indicator has, or that no rate can bear.

    Parameters
    ----------
    notes
        Where problems go: FM870 to FM873.
    towns
        The municipalities.
    inputs
        What indicators are made from.
    """
    project = notes.project
    for key, scenario in project.scenario.items():
        if not scenario.rate:
            continue
        if not project.indicators.run:
            notes.add("FM872", ("scenario", key, "rate", 0), scenario.rate[0].indicator)
            continue
        stated = [
            _stated(one, ("scenario", key, "rate", j, "indicator"), inputs.catalogue, notes)
            for j, one in enumerate(scenario.rate)
        ]
        known = [one for one in stated if one is not None]
        for town in towns:
            _check_town(known, town, inputs, notes)


def _stated(entry: RateChange, at: KeyPath, catalogue: Catalogue, notes: Notes) -> Stated | None:
    name = find_field(entry.indicator, catalogue)
    can = "、".join(_named(can_change(catalogue)))
    if not name:
        words = [*catalogue.fields, *(field(one).name_ja for one in catalogue.fields)]
        notes.add("FM870", at, entry.indicator, near=near(entry.indicator, words), known=can)
        return None
    fields = fields_of(catalogue, name)
    if not fields:
        of = [one for one in catalogue.by_field(name).of if fields_of(catalogue, one)]
        notes.add("FM871", at, entry.indicator, near="、".join(_named(of)) or can)
        return None
    return Stated(entry, fields, at)


def _named(fields: Sequence[str]) -> list[str]:
    return [f"{field(one).name_ja}（{one}）" for one in fields]


def check_targets(
    targets: Sequence[TargetEntry],
    towns: Sequence[Town],
    at: KeyPath,
    inputs: IndicatorInputs,
    notes: Notes,
) -> None:
    """Note indicators of targets that are none, or that rates do not make here.

    Parameters
    ----------
    targets
        Targets of a backcast.
    towns
        The municipalities.
    at
        Where the backcast stands.
    inputs
        What indicators are made from.
    notes
        Where problems go: FM853 and FM874.
    """
    catalogue = inputs.catalogue
    for j, target in enumerate(targets):
        if target.indicator in INDICATORS:
            continue
        here = (*at, "target", j, "indicator")
        name = find_field(target.indicator, catalogue)
        if not name:
            words = (*INDICATORS, *catalogue.fields)
            notes.add("FM853", here, target.indicator, near=near(target.indicator, words))
            continue
        mine = [town for town in towns if target.municipality in ("", town.code)]
        made = [set(_made(town, inputs, notes.project, {}).names) for town in mine]
        if made and name not in set.intersection(*made):
            known = "、".join(_named(sorted(set.intersection(*made))[:8]))
            notes.add("FM874", here, target.indicator, known=known)


def _made(
    town: Town,
    inputs: IndicatorInputs,
    project: Project,
    factors: Mapping[str, Floats],
) -> PersonRates:
    """Rates of a municipality in the base year."""
    setting = Setting(
        (project.project.base_year,),
        town.code,
        float(project.indicators.months_after_april),
        split_ages(town.base.persons[0].sum(axis=0), town.base.ages),
        {},
        factors,
    )
    return person_rates(inputs.rows, inputs.catalogue, setting).rates


def _check_town(
    stated: Sequence[Stated],
    town: Town,
    inputs: IndicatorInputs,
    notes: Notes,
) -> None:
    """Note rates that a municipality does not have, or that come to more than is possible."""
    mine = [one for one in stated if one.entry.municipality in ("", town.code)]
    factors: dict[str, Floats] = {}
    full = np.ones(1)
    for one in mine:
        entry = one.entry
        more = factor_at(
            full,
            factor=max(entry.factor, 1.0),  # changes of the same rate may hold in other zones
            sex=entry.sex,
            ages=(entry.age_from, entry.age_to),
            width=LAST_AGE + 1,
        )
        for name in one.fields:
            factors[name] = more * factors.get(name, 1.0)
    made = _made(town, inputs, notes.project, factors)
    for one in mine:
        for name in one.fields:
            if name not in made.names:
                notes.add("FM872", one.at, name)
                continue
            most = inputs.catalogue.by_field(name).most
            highest = float(made.rates[made.names.index(name)].max())
            if most is not None and highest > most + ROUNDING and one.entry.factor > 1:
                at = (*one.at[:-1], "factor")
                notes.add("FM873", at, one.entry.factor, name=field(name).name_ja,
                          highest=f"{highest:.3g}", most=f"{most:g}")  # fmt: skip

"""Coverage and travel to the nearest facility of a class, from who counts where in every year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from futuremap.catchment.travel import percentiles
from futuremap.core.crosswalk import Crosswalk, gather, to_parents
from futuremap.core.population import Population, join_years
from futuremap.core.table import Table
from futuremap.indicators.access_table import PERCENTILES, coverage, nearest_travel
from futuremap.pipeline.reach_rules import Ground

Floats = NDArray[np.float64]
Unit = Literal["metres", "minutes"]


class State(Protocol):
    """Who is covered while the same facilities are open, and how far they are."""

    @property
    def covered(self) -> Crosswalk:
        """Areas to their municipality."""
        ...

    @property
    def metres(self) -> Floats:
        """To the nearest facility, by place."""
        ...

    @property
    def minutes(self) -> Floats:
        """The same by road, NaN where the rule does not go by road."""
        ...


def gather_years(people: Population, walks: Sequence[Crosswalk]) -> Population:
    """Count people in other zones by a crosswalk for every year ``(Y,)``."""
    if all(walk is walks[0] for walk in walks):
        return gather(people, walks[0])
    return join_years(
        [gather(people.at(year), walk) for year, walk in zip(people.years, walks, strict=True)],
    )


def access_of(
    name: str,
    states: Sequence[State],
    people: Population,
    ground: Ground,
    town: str,
) -> Table:
    """Coverage and travel of a class, of the town's own people.

    Parameters
    ----------
    name
        The class.
    states
        Who is covered and how far it is, in every year.
    people
        People of the ground's areas. [persons]
    ground, town
        What the rules work on, and the code of the town.
    """
    blocks = ground.areas.frame["parent"].tolist()
    all_of = gather(people, to_parents(ground.areas.ids, blocks)).only([town])
    covered = gather_years(people, [state.covered for state in states]).only([town])
    places = ground.places.places
    own = np.flatnonzero(places.frame["parent"] == town)
    standing = np.asarray((ground.places.walk.weights[own] @ people.totals().T).T)
    table = coverage(all_of, covered)
    travels: dict[Unit, Floats] = {
        "metres": np.stack([state.metres[own] for state in states]),
        "minutes": np.stack([state.minutes[own] for state in states]),
    }
    for unit, travel in travels.items():
        table = _with_travel(table, travel, standing, unit=unit)
    named = f"{town}/{name}"
    return Table(table.data.assign_coords(zone=np.array([named], dtype=object)))


def _with_travel(table: Table, travel: Floats, people: Floats, *, unit: Unit) -> Table:
    shape = (len(table.years), 1)
    nothing = np.full(shape, np.nan)
    if np.isnan(travel).any():  # the rule does not go by road
        values = {f"nearest_{unit}_p{percent}": nothing for percent in PERCENTILES}
        return table.join(Table.build(values, years=table.years, zones=table.zones))
    found = percentiles(travel, people, parents=[table.zones[0]] * people.shape[1])
    more = nearest_travel(
        found.travel,
        people=found.people,
        unreached=found.unreached,
        years=table.years,
        zones=table.zones,
        unit=unit,
    )
    kept = [name for name in more.indicators if name.startswith("nearest_")]
    values = {name: more.data["value"].sel(indicator=name).values for name in kept}
    return table.join(Table.build(values, years=table.years, zones=table.zones))

"""What weighing works on: every indicator by block, and what comes out for a municipality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from futuremap.core.crosswalk import Crosswalk
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.core.zones import Zones
from futuremap.pipeline.prepare import Town
from futuremap.pipeline.reaching import Reaching
from futuremap.pipeline.uncertainty import Uncertainty

Floats = NDArray[np.float64]


class Kept(NamedTuple):
    """One table of indicators.

    level
        Kind of the zones: "municipality", "block", "mesh", "facility", "district", or the name
        of areas of the project.
    variant
        "fixed" or "trend".
    table
        The indicators.
    names
        Name of each zone.
    towns
        Codes of the municipalities whose people are counted.
    """

    level: str
    variant: str
    table: Table
    names: Mapping[str, str]
    towns: tuple[str, ...]


class Outcomes(Protocol):
    """What came out for one municipality, as far as weighing needs it."""

    @property
    def town(self) -> Town:
        """What went in."""
        ...

    @property
    def people(self) -> Population:
        """Its people by block."""
        ...

    @property
    def reach(self) -> Reaching | None:
        """The reach of its facilities."""
        ...

    @property
    def mesh(self) -> OnMesh | None:
        """Its people on the mesh."""
        ...


class OnMesh(Protocol):
    """Blocks counted on a mesh."""

    @property
    def zones(self) -> Zones:
        """Mesh cells."""
        ...

    @property
    def walk(self) -> Crosswalk:
        """How blocks count there."""
        ...

    @property
    def people(self) -> Population:
        """The people gathered."""
        ...


class Blocks(NamedTuple):
    """Every indicator by block, from which all other zones are counted.

    names
        Fields ``(I,)``.
    values
        ``(I, Y, Z)`` over all blocks of the run.
    people
        The projection.
    spread
        How far blocks may come from it.
    """

    names: tuple[str, ...]
    values: Floats
    people: Population
    spread: Uncertainty

    def only(self, names: Sequence[str]) -> Blocks:
        """Some of the indicators; all if none is named."""
        at = [i for i, name in enumerate(self.names) if not names or name in names]
        return self._replace(names=tuple(self.names[i] for i in at), values=self.values[at])

    def on(self, walks: Sequence[Crosswalk], *, at: Sequence[int] | None = None) -> Table:
        """The indicators of a crosswalk's targets.

        Parameters
        ----------
        walks
            Who counts where in every year of the run ``(Y,)``.
        at
            Positions of the years wanted; all if not given.
        """
        place = {zone: i for i, zone in enumerate(self.people.zones)}
        columns = [place[zone] for zone in walks[0].sources]
        years = list(range(len(walks))) if at is None else list(at)
        labels = [self.people.years[y] for y in years]
        if not self.names:
            return Table.build({}, years=labels, zones=walks[0].targets)
        part = self.values[:, :, columns]
        shape = (len(self.names), len(walks), len(walks[0].targets))
        values, low, high = (np.full(shape, np.nan) for _ in range(3))
        for walk in {id(walk): walk for walk in walks}.values():
            mine = [y for y in years if walks[y] is walk]
            for y in mine:
                values[:, y] = (walk.weights @ part[:, y].T).T
            later = [y for y in mine if y > 0]  # the base year was counted
            if later:
                low[:, later], high[:, later] = self.spread.bounds_of(
                    part[:, later], walk, years=[y - 1 for y in later]
                )
        known = ~np.isnan(low)
        low = np.where(known, np.minimum(low, values), np.nan)[:, years]
        high = np.where(known, np.maximum(high, values), np.nan)[:, years]
        return Table.build(
            dict(zip(self.names, values[:, years], strict=True)),
            years=labels,
            zones=walks[0].targets,
            intervals={n: (low[i], high[i]) for i, n in enumerate(self.names)},
        )

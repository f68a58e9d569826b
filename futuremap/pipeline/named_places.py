"""Zones and facilities of a project, by the id or the name that a scenario or target gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from futuremap.core.facilities import Facilities
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.pipeline.read_reach import ReachInputs


class Town(Protocol):
    """A municipality, as far as scenarios name parts of it."""

    @property
    def code(self) -> str:
        """Its code."""
        ...

    @property
    def outline(self) -> Zones:
        """Its boundary."""
        ...

    @property
    def blocks(self) -> Zones:
        """Its town blocks."""
        ...

    @property
    def base(self) -> Population:
        """Its people in the base year."""
        ...

    @property
    def reach(self) -> ReachInputs:
        """Its roads and buses."""
        ...

    @property
    def facilities(self) -> Facilities | None:
        """Its facilities with the events of the baseline."""
        ...

    @property
    def class_names(self) -> dict[str, str]:
        """The names of their classes."""
        ...


def towns_of(code: str, towns: Sequence[Town]) -> list[Town]:
    """Municipalities of a code; all where none is said."""
    return [town for town in towns if code in ("", town.code)]


def only_town(code: str, towns: Sequence[Town]) -> Town | None:
    """The one municipality of a code; None unless there is exactly one."""
    found = towns_of(code, towns)
    return found[0] if len(found) == 1 else None


def find_zone(name: str, code: str, towns: Sequence[Town]) -> tuple[str, str] | None:
    """Town code and id of a zone of that id or name; None unless there is exactly one."""
    found = [(town.code, _zone_index(town.blocks).get(name)) for town in towns_of(code, towns)]
    known = [(code, zone) for code, zone in found if zone is not None]
    return known[0] if len(known) == 1 else None


@lru_cache(maxsize=64)
def _zone_index(blocks: Zones) -> dict[str, str]:
    """Id of each block by its id, and by its name where only one has it."""
    ids, names = blocks.ids, blocks.names
    alone = {name for name, count in Counter(names).items() if count == 1}
    named = {name: zone for name, zone in zip(names, ids, strict=True) if name in alone}
    return {**named, **{zone: zone for zone in ids}}


def find_facility(name: str, code: str, towns: Sequence[Town]) -> tuple[str, str] | None:
    """Town code and id of a facility of that id or name; None unless there is exactly one."""
    known = []
    for town in towns_of(code, towns):
        if town.facilities is None:
            continue
        table = town.facilities.table
        ids = [name] if name in table.index else table.index[table["name"] == name].tolist()
        known += [(town.code, str(one)) for one in ids]
    return known[0] if len(known) == 1 else None

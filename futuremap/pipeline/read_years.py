"""The years of one municipality on the same blocks, in the same ages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.base.links import Links, link, on_groups
from futuremap.core.population import Population, join_years, with_open_age
from futuremap.core.zones import Zones
from futuremap.pipeline.read_blocks import SHOWN, Blocks
from futuremap.problems import Report


def on_common_blocks(
    years: Mapping[int, Blocks],
    *,
    base_year: int,
    files: Mapping[int, str],
    report: Report,
) -> tuple[Population, Zones | None]:
    """Count every year on the blocks of the base year, put together where borders changed.

    Parameters
    ----------
    years
        People and blocks of every year; all could be read.
    base_year
        The year whose blocks are kept as far as possible.
    files
        File of each year, for the warnings.
    report
        Takes those of :func:`futuremap.base.links.link`, and FM018.

    Returns
    -------
    Population, Zones or None
        All years, and their common blocks; None where the municipality is the only zone.
    """
    base = years[base_year]
    zones = base.zones
    alike: dict[int, Population] = {}
    others: dict[int, tuple[Population, Zones]] = {}
    for year, (people, own) in years.items():
        if people is None or base.people is None:
            raise AssertionError(f"{files[year]} was accepted without its people")
        if set(people.zones) == set(base.people.zones):
            alike[year] = people.only(base.people.zones)
        elif own is not None:
            others[year] = people, own
        else:
            raise AssertionError(f"{files[year]} was accepted without its blocks")
    for year in sorted(others, reverse=True):  # borders move little by little
        people, own = others[year]
        if zones is None:
            raise AssertionError("blocks of a past year without those of the base year")
        links = link(
            own,
            zones,
            report=report,
            file=files[year],
            earlier_people=people.totals()[0],
            later_people=alike[base_year].totals()[0],
        )
        alike = {at: on_groups(known, links, date="later") for at, known in alike.items()}
        alike[year] = on_groups(people, links, date="earlier")
        zones, alike = _with_shapes(links, alike, year, files[year], report)
    open_age = min(people.ages.open_age for people in alike.values())
    history = join_years([with_open_age(people, open_age) for people in alike.values()])
    return history, zones


def _with_shapes(
    links: Links,
    years: Mapping[int, Population],
    year: int,
    file: str,
    report: Report,
) -> tuple[Zones, dict[int, Population]]:
    # blocks that are gone and have no shape cannot be drawn: their people are left out, and said
    zones = links.groups
    drawn = ~_is_missing(zones.geometry)
    if drawn.all():
        return zones, dict(years)
    lost = years[year].totals()[0][~drawn]
    if lost.sum() > 0:
        names = "、".join(zones.frame["name"][~drawn].tolist()[:SHOWN])
        persons = f"{lost.sum():,.0f}"
        report.add("FM018", file=file, value=persons, persons=persons, names=names)
    kept = zones.frame[drawn]
    left = Zones(kept, zones.kind, zones.plane_zone, zones.notes, zones.sources)
    return left, {at: people.only(left.ids) for at, people in years.items()}


def _is_missing(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.asarray(shapely.is_missing(shapes) | shapely.is_empty(shapes))

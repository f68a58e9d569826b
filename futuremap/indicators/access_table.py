"""Access: who is covered, how far people have, whose reach overlaps or crosses a border."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.errors import DemographyError, LabelError
from futuremap.indicators.people import OLD, VERY_OLD, WORKING, ratio

Floats = NDArray[np.float64]
ROUNDING = 1e-9  # relative to max(1, people), as for every sum of people
PERCENTILES = (50, 80, 90)


def coverage(people: Population, within: Population | None) -> Table:
    """People with a facility in reach, each once, and their share, by age.

    Parameters
    ----------
    people
        All people by municipality. [persons]
    within
        Those of some of the municipalities within reach of any facility, gathered by a union
        such as :func:`futuremap.catchment.coverage.within_radius_of_any`; the others have no
        list of facilities. [persons]

    Returns
    -------
    Table
        ``people_covered`` [persons] and ``coverage_rate`` [ratio, NaN where nobody lives], and
        both of the ages 0-14, 65 and over, 75 and over; NaN without a list of facilities.

    Raises
    ------
    LabelError
        If years or ages differ, or a municipality is not among the people.
    DemographyError
        If more people are covered than live there: a sum over facilities is no union.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> ages = AgeGroups((0, 15, 65, 75))
    >>> all_of, near = (
    ...     Population.build([[[[n, n, n, n]] * 2]], years=[2020], zones=["34204"], ages=ages)
    ...     for n in (10.0, 4.0)
    ... )
    >>> float(coverage(all_of, near).column("coverage_rate_65_over", 2020)[0])  # 16 of 40
    0.4
    """
    covered = np.full_like(people.persons, np.nan)
    if within is not None:
        listed = people.only(within.zones)
        _require_same(listed, within)
        _require_part("covered", within.persons, listed.persons, listed.zones)
        position = {zone: i for i, zone in enumerate(people.zones)}
        covered[:, [position[zone] for zone in within.zones]] = within.persons
    ages = people.ages
    groups = {
        "": slice(None),
        "_0_14": ages.between(0, WORKING),
        "_65_over": ages.at_least(OLD),
        "_75_over": ages.at_least(VERY_OLD),
    }
    values: dict[str, Floats] = {}
    for name, group in groups.items():
        whole = people.persons[..., group].sum(axis=(2, 3))
        values[f"people_covered{name}"] = covered[..., group].sum(axis=(2, 3))
        values[f"coverage_rate{name}"] = ratio(values[f"people_covered{name}"], whole)
    return Table.build(values, years=people.years, zones=people.zones)


def nearest_travel(
    travel: Floats,
    *,
    people: Floats,
    unreached: Floats,
    years: Sequence[int],
    zones: Sequence[str],
    unit: Literal["minutes", "metres"],
) -> Table:
    """How far people have to the nearest facility.

    Parameters
    ----------
    travel
        The percentiles 50, 80 and 90 % ``(3, Y, P)``; infinite where fewer people than that
        reach a facility. [min or m]
    people
        All people ``(Y, P)``. [persons]
    unreached
        Those who reach none ``(Y, P)``. [persons]
    years, zones
        Labels.
    unit
        What `travel` is measured in.

    Returns
    -------
    Table
        ``nearest_minutes_p50`` and so on, or ``nearest_metres_p50``, not defined (NaN) where
        infinite: ``people_unreached`` and ``unreached_share`` beside them say why.

    Raises
    ------
    LabelError
        If shapes do not match the labels.

    Examples
    --------
    >>> one = nearest_travel(np.array([[[5.0]], [[20.0]], [[np.inf]]]), people=np.array([[10.0]]),
    ...               unreached=np.array([[2.0]]), years=[2020], zones=["34204"], unit="minutes")
    >>> one.column("nearest_minutes_p80", 2020).tolist(), one.column("unreached_share", 2020)
    ([20.0], array([0.2]))
    """
    if len(travel) != len(PERCENTILES):
        raise LabelError(f"{len(travel)} percentiles of travel; the table has {PERCENTILES}")
    values = {
        f"nearest_{unit}_p{percent}": np.where(np.isinf(of), np.nan, of)
        for percent, of in zip(PERCENTILES, travel, strict=True)
    }
    values["people_unreached"] = unreached
    values["unreached_share"] = ratio(unreached, people)
    return Table.build(values, years=years, zones=zones)


def curve_rows(
    people: Floats,
    share: Floats,
    *,
    limits: Sequence[float],
    years: Sequence[int],
    zones: Sequence[str],
) -> pd.DataFrame:
    """People within each of several distances or times, one row a limit, year and municipality.

    Parameters
    ----------
    people
        People within each limit ``(T, Y, P)``. [persons]
    share
        Their share of all people ``(T, Y, P)``. [ratio]
    limits
        Distances or times (T). [min or m]
    years, zones
        Labels.

    Returns
    -------
    pandas.DataFrame
        ``zone``, ``year``, ``travel_limit``, ``people_within``, ``share_within``, by
        municipality, then year, then limit.

    Examples
    --------
    >>> curve_rows(np.array([[[6.0]], [[9.0]]]), np.array([[[0.6]], [[0.9]]]), limits=[5, 30],
    ...            years=[2020], zones=["34204"])["travel_limit"].tolist()
    [5.0, 30.0]
    """
    shape = (len(zones), len(years), len(limits))
    zone, year, limit = (axis.ravel() for axis in np.indices(shape))
    return pd.DataFrame(
        {
            "zone": np.asarray(zones, dtype=object)[zone],
            "year": np.asarray(years, dtype=np.int64)[year],
            "travel_limit": np.asarray(limits, dtype=np.float64)[limit],
            "people_within": people.transpose(2, 1, 0).ravel(),
            "share_within": share.transpose(2, 1, 0).ravel(),
        },
    )


def reach_overlap(catchments: Population, alone: Population) -> Table:
    """How much of each facility's reach it shares with others.

    Parameters
    ----------
    catchments
        People in reach of each facility. [persons]
    alone
        Those who reach no other, as :func:`futuremap.catchment.choice.only_here` gathers them.
        [persons]

    Returns
    -------
    Table
        ``people_only_here`` [persons] and ``reach_shared_share`` [ratio], NaN where nobody is
        in reach.

    Raises
    ------
    LabelError
        If years, facilities or ages differ.
    DemographyError
        If more people reach only this facility than reach it.
    """
    _require_same(catchments, alone)
    _require_part("alone in reach", alone.persons, catchments.persons, alone.zones)
    whole, only = catchments.totals(), alone.totals()
    return Table.build(
        {"people_only_here": only, "reach_shared_share": ratio(whole - only, whole)},
        years=catchments.years,
        zones=catchments.zones,
    )


def across_border(
    town: Population,
    neighbours: Population | None,
    *,
    outside: Floats,
    missing: Floats,
) -> Table:
    """People in reach inside the municipality and beyond it, and what is still not counted.

    Parameters
    ----------
    town
        The municipality's own people gathered to its facilities. [persons]
    neighbours
        The neighbours' people gathered to the same facilities by the same rule; None if their
        data are not there. [persons]
    outside
        Share of each reach outside the municipality ``(F,)``. [ratio]
    missing
        Share of each reach outside the municipality and the neighbours loaded ``(F,)``: sea,
        or land whose people are not known. Without neighbours it is `outside`. [ratio]

    Returns
    -------
    Table
        ``reach_in_town``, ``reach_in_neighbours`` (NaN without data) and
        ``reach_both_sides`` [persons]; ``reach_outside_share`` and ``reach_missing_share``
        [ratio].

    Raises
    ------
    LabelError
        If the two populations have different years, facilities or ages.
    DemographyError
        If more is missing than lies outside.

    Examples
    --------
    >>> from futuremap.core.ages import AgeGroups
    >>> here, there = (
    ...     Population.build([[[[n], [n]]]], years=[2020], zones=["hall"], ages=AgeGroups((0,)))
    ...     for n in (40.0, 10.0)
    ... )
    >>> both = across_border(here, there, outside=np.array([0.3]), missing=np.array([0.1]))
    >>> both.column("reach_both_sides", 2020).tolist()
    [100.0]
    """
    inside = town.totals()
    beyond = np.full_like(inside, np.nan)
    if neighbours is not None:
        _require_same(town, neighbours)
        beyond = neighbours.totals()
    _require_part("missing from the reach", missing, outside, town.zones)
    return Table.build(
        {
            "reach_in_town": inside,
            "reach_in_neighbours": beyond,
            "reach_both_sides": inside + np.nan_to_num(beyond),
            "reach_outside_share": np.broadcast_to(outside, inside.shape),
            "reach_missing_share": np.broadcast_to(missing, inside.shape),
        },
        years=town.years,
        zones=town.zones,
    )


def _require_same(one: Population, other: Population) -> None:
    if (one.years, one.zones, one.ages) != (other.years, other.zones, other.ages):
        raise LabelError("the two populations have different years, zones or ages")


def _require_part(what: str, part: Floats, whole: Floats, zones: Sequence[str]) -> None:
    # zones stand on the second axis of persons (Y, Z, S, A), on the only one of shares (F,)
    over = part > whole + ROUNDING * np.maximum(1.0, whole)
    if over.any():
        where = tuple(np.argwhere(over)[0])
        zone = zones[where[min(1, over.ndim - 1)]]
        raise DemographyError(f"{part[where]} of {whole[where]} are {what} at {zone}")

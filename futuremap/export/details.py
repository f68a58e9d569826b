"""Details of a theme that only some clients draw: pyramids, outlines of reach, level roofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from futuremap.core.fields import describe
from futuremap.core.layer import Layer, Pyramids, Text
from futuremap.core.population import Population
from futuremap.errors import LabelError

LEVEL = Text(
    "屋根は水平です：高さは、区域の平均標高から測っています。",
    "Roofs are level: heights start from the mean altitude of each area.",
)
SEA = Text(
    "標高データのない{count}区域は、海面（0 m）から測っています。",
    "{count} areas without altitude start from the level of the sea.",
)


def brief(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """A theme whose balloons hold people, what height and colour say, and the change of these.

    For maps of very many features: what else is known of each stands in the tables.
    """
    shown = {"population", "people_in_reach", "change_rate", "reach_change_rate"}
    for layer in layers:
        shown |= {layer.height_field.name, layer.colour_field.name}
    shown |= {f"{name}_change" for name in shown}
    return tuple(
        replace(
            layer,
            balloon=tuple(name for name in layer.balloon if describe(name)[0].name in shown),
            pyramids=None,
        )
        for layer in layers
    )


def with_pyramids(layers: Sequence[Layer], people: Population) -> tuple[Layer, ...]:
    """A theme whose features know their people by sex and age, in its first and last year.

    Parameters
    ----------
    layers
        States of one theme of areas.
    people
        The people of its areas, in any order. [persons]

    Raises
    ------
    LabelError
        If the areas are others, or a year is missing.
    """
    first = layers[0]
    years = (first.base_year, max(layer.year for layer in layers))
    order = _order(first, people.zones)
    shown = np.stack([people.at(year).persons[0][order] for year in years])
    pyramids = Pyramids(years, people.ages.labels(), shown)
    return tuple(replace(layer, pyramids=pyramids) for layer in layers)


def with_reaches(
    layers: Sequence[Layer],
    facilities: Sequence[str],
    shapes: NDArray[np.object_],
) -> tuple[Layer, ...]:
    """A theme of facilities with the outline of the reach of each.

    Parameters
    ----------
    layers
        States of one theme.
    facilities
        Ids of the facilities that have coordinates (F).
    shapes
        Outlines in degrees, None where there is none to draw ``(F,)``.

    Raises
    ------
    LabelError
        If a facility is none of the theme's.
    """
    ids = layers[0].features.index
    found = np.full(len(ids), None, dtype=object)
    place = ids.get_indexer(list(facilities))
    if (place < 0).any():
        raise LabelError(f"{layers[0].theme} does not hold all facilities that have a reach")
    found[place] = shapes
    return tuple(replace(layer, reaches=found) for layer in layers)


def with_ground(
    layers: Sequence[Layer],
    zones: Sequence[str],
    altitude: NDArray[np.float64],
) -> tuple[Layer, ...]:
    """A theme whose roofs are level, because the ground below each feature is known.

    Parameters
    ----------
    layers
        States of one theme.
    zones
        Ids of its features, in any order; others start from the level of the sea.
    altitude
        Mean altitude of the ground, NaN where it is not known ``(Z,)``. [m above sea level]

    Notes
    -----
    Where the ground is not known, shapes stand on the sea, and the legend counts them.
    """
    ids = layers[0].features.index
    ground = np.full(len(ids), np.nan)
    place = ids.get_indexer(list(zones))
    ground[place[place >= 0]] = altitude[place >= 0]
    known = np.isfinite(ground)
    return tuple(
        replace(
            layer,
            ground=np.where(known, ground, 0.0),
            notes=(*layer.notes, LEVEL, *_at_sea(int((layer.shown & ~known).sum()))),
        )
        for layer in layers
    )


def _at_sea(count: int) -> tuple[Text, ...]:
    said = (SEA.ja.format(count=count), SEA.en.format(count=count))
    return (Text(*said),) if count else ()


def _order(layer: Layer, zones: Sequence[str]) -> NDArray[np.intp]:
    place = {zone: i for i, zone in enumerate(zones)}
    ids = layer.features.index.tolist()
    if set(place) != set(ids):
        raise LabelError(f"the people are not those of the areas of {layer.theme}")
    return np.array([place[zone] for zone in ids], dtype=np.intp)

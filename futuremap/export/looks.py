"""Looks: which indicator gives the height of a theme, which its colour, and in what classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import geopandas as gpd
import numpy as np

from futuremap.core.breaks import Method, classified, colours, named
from futuremap.core.classes import (
    AGEING_RATE,
    CHANGE_RATE,
    DIVERGING,
    SERVICE_YEARS,
    Classes,
    between,
)
from futuremap.core.fields import column, dictionary, field
from futuremap.core.layer import State

# the classes that readers know; all other colours are parted by what the numbers are
USUAL = {"ageing_rate": AGEING_RATE, "years_in_service": SERVICE_YEARS}
PEOPLE = (
    "population",
    "population_0_14",
    "population_15_64",
    "population_65_over",
    "population_75_over",
)
AREA_FIELDS = (*PEOPLE, "density", "ageing_rate")
REACH = ("people_in_reach", "people_in_reach_0_14", "people_in_reach_65_over")
# known only of some lists: the colour of a facility may be 不明, its height may not
OF_LISTS = ("years_in_service", "life_left", "load", "floor_area_per_head")
HEIGHTS = {"areas": AREA_FIELDS, "facilities": REACH}
COLOURS = {"areas": AREA_FIELDS, "facilities": (*REACH, *OF_LISTS)}
CHANGES = {
    "population": ("population_change", "change_rate"),
    "density": ("density_change", "change_rate"),
    "people_in_reach": ("reach_change", "reach_change_rate"),
    "ageing_rate": ("ageing_rate_change", "ageing_rate_change"),
}
POINTS = replace(
    between((-15, -10, -5, 5, 10, 15), "ポイント", "points", DIVERGING[7]),
    unknown_ja="不明",
    unknown_en="unknown",
)


class Drawn(NamedTuple):
    """What one state of a theme draws: height, colour, classes and the columns of its count."""

    height: str
    colour: str
    classes: Classes


class Look(NamedTuple):
    """What the height and the colour of a theme say.

    Parameters
    ----------
    height, colour
        Fields, one column a year.
    method
        How limits are found in the numbers of all years shown; "usual" takes the field's own
        classes, "fixed" takes `limits`.
    limits
        Inner limits in the unit that readers see.
    class_count
        Classes wanted.
    palette
        Colours; those of the usual classes if not said.
    """

    height: str
    colour: str
    method: Method | Literal["usual", "fixed"] = "usual"
    limits: tuple[float, ...] = ()
    class_count: int = 5
    palette: str | None = None

    def changes(self) -> tuple[str, str]:
        """Field of the change of the height, and of its rate.

        Examples
        --------
        >>> Look("population_75_over", "density").changes()
        ('population_75_over_change', 'population_75_over_change_rate')
        """
        plain = (f"{self.height}_change", f"{self.height}_change_rate")
        return CHANGES.get(self.height, plain)


AREAS = Look("density", "ageing_rate")
FACILITIES = Look("people_in_reach", "years_in_service")


def drawn(features: gpd.GeoDataFrame, look: Look, years: tuple[int, int]) -> dict[State, Drawn]:
    """Columns and classes of every state; now and future share their classes.

    Parameters
    ----------
    features
        The theme's features with the columns of both years.
    look
        What height and colour say.
    years
        Base year and the future shown.
    """
    base, future = years
    classes = _classes(features, look, years)
    height, rate = look.changes()
    return {
        "now": Drawn(column(look.height, base), column(look.colour, base), classes),
        "future": Drawn(column(look.height, future), column(look.colour, future), classes),
        "change": Drawn(column(height, future), column(rate, future), _of_change(rate)),
    }


def _of_change(rate: str) -> Classes:
    return CHANGE_RATE if field(rate).unit_ja == "％" else POINTS


def _classes(features: gpd.GeoDataFrame, look: Look, years: tuple[int, int]) -> Classes:
    shown = field(look.colour)
    palette = look.palette or "viridis"
    if look.method == "usual" and look.colour in USUAL:
        usual = USUAL[look.colour]
        if look.palette is None:
            return usual
        return replace(usual, colours=colours(palette, len(usual.colours)))
    if look.method == "fixed":
        return named(shown, look.limits, palette=palette)
    method: Method = "natural" if look.method == "usual" else look.method
    values = np.concatenate(
        [features[column(look.colour, year)].to_numpy(dtype=np.float64) for year in years]
    )
    return classified(shown, values, count=look.class_count, method=method, palette=palette)


def has_change(name: str) -> bool:
    """Whether the change of a field is in the dictionary, so that it can be a height.

    Examples
    --------
    >>> has_change("people_in_reach_65_over"), has_change("life_left")
    (True, False)
    """
    return Look(name, name).changes()[0] in dictionary()

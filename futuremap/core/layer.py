"""Layer: shapes, a height, a colour and words; all that an exporter sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.classes import Classes
from futuremap.core.credits import Credit
from futuremap.core.fields import Field, describe
from futuremap.core.zones import GEOGRAPHIC, Kind
from futuremap.errors import CrsError, LabelError

State = Literal["now", "future", "change"]
STATES: tuple[State, ...] = ("now", "future", "change")
VIEW_SHARE = 0.25  # the tallest prism is at most this part of the width of the view
ROUND = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
OUTERMOST = 0.005  # share of people beyond each edge of the first view
METRES_PER_DEGREE = 111_320.0  # of latitude; only for cameras


class Text(NamedTuple):
    """Words for the reader in both languages."""

    ja: str
    en: str


class View(NamedTuple):
    """Where the camera looks first.

    longitude, latitude
        The point in the middle. [degrees]
    width_m
        Width of what must be seen. [m]
    heading, tilt
        Direction of the camera, and its angle from straight down. [degrees]
    """

    longitude: float
    latitude: float
    width_m: float
    heading: float = 0.0
    tilt: float = 50.0


class Pyramids(NamedTuple):
    """People of every feature by sex and age group in two years.

    years
        Base year and later year.
    ages
        Name of each age group, the youngest first ``(A,)``.
    people
        Persons, males first ``(2, N, 2, A)``.
    """

    years: tuple[int, int]
    ages: tuple[str, ...]
    people: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layer:
    """One state of one theme of one place, with numbers in the units that readers see.

    Parameters
    ----------
    theme
        ASCII name shared by the states of a theme: "town_blocks", "mesh250", "facilities".
    title
        Name of the theme.
    place
        Name of the municipality or region shown.
    kind
        What the features are.
    state, year, base_year
        "now", "future" or "change" (`year` against `base_year`).
    features
        GeoDataFrame in EPSG:6668 indexed by id, sorted by id, with a ``name`` and the columns
        of all states of the theme; the same object in each of its layers. Areas are polygons,
        facilities are points.
    height, colour
        Columns that give the height and the colour.
    classes
        Classes of the colour column.
    metres_per_unit
        Height of one unit; the same for every layer that is compared. [m]
    shown
        Which features are drawn ``(N,)``; the others are counted in a note.
    balloon
        Columns that a balloon lists, in order.
    notes
        What a reader must know; drawn in legends, balloons and metadata.
    credits
        Credits of the data.
    view
        First view of the theme.
    pyramids
        Sex and age of every feature, where a balloon shows them.
    reaches
        Outline of the reach of every feature ``(N,)``, None where there is none to draw.
    ground
        Height of the ground at every feature, where it is known: roofs are level then ``(N,)``.
        [m above sea level]
    scenario
        What future this is, in place of 将来 or 増減, where several stand side by side.
    scenario_key
        ASCII key of it; empty for the baseline.
    """

    theme: str
    title: Text
    place: Text
    kind: Kind
    state: State
    year: int
    base_year: int
    features: gpd.GeoDataFrame
    height: str
    colour: str
    classes: Classes
    metres_per_unit: float
    shown: NDArray[np.bool_]
    balloon: tuple[str, ...]
    notes: tuple[Text, ...]
    credits: tuple[Credit, ...]
    view: View
    pyramids: Pyramids | None = None
    reaches: NDArray[np.object_] | None = None
    ground: NDArray[np.float64] | None = None
    scenario: Text | None = None
    scenario_key: str = ""

    def __post_init__(self) -> None:
        if self.features.crs is None or self.features.crs.to_epsg() != GEOGRAPHIC:
            raise CrsError(f"layers stand in EPSG:{GEOGRAPHIC}, got {self.features.crs}")
        wanted = {"name", self.height, self.colour, *self.balloon}
        missing = sorted(wanted - set(self.features.columns))
        if missing:
            raise LabelError(f"the layer {self.theme} lacks the columns {missing}")
        for column in self.features.columns.drop("geometry"):
            describe(column)
        if not self.features.index.is_monotonic_increasing or self.features.index.has_duplicates:
            raise LabelError(f"the features of {self.theme} are not sorted by a unique id")
        if self.shown.shape != (len(self.features),):
            raise LabelError(f"{self.theme}: {self.shown.shape} marks, {len(self.features)} rows")
        heights = self.heights()[self.shown]
        if not np.isfinite(heights).all():
            raise LabelError(f"{self.theme}: {self.height} is not a number in shown features")
        if not self.credits:
            raise LabelError(f"the layer {self.theme} has no credit")
        self._check_further()

    def _check_further(self) -> None:
        count = len(self.features)
        lengths = [len(column) for column in (self.reaches, self.ground) if column is not None]
        if self.pyramids is not None:
            wanted = (2, count, 2, len(self.pyramids.ages))
            if self.pyramids.people.shape != wanted:
                raise LabelError(f"{self.theme}: pyramids {self.pyramids.people.shape}: {wanted}")
        if any(length != count for length in lengths):
            raise LabelError(f"{self.theme}: {lengths} reaches or grounds for {count} features")
        if self.ground is not None and not np.isfinite(self.ground[self.shown]).all():
            raise LabelError(f"{self.theme}: the ground under shown features is not known")

    @property
    def height_field(self) -> Field:
        """Dictionary entry of the height."""
        return describe(self.height)[0]

    @property
    def colour_field(self) -> Field:
        """Dictionary entry of the colour."""
        return describe(self.colour)[0]

    @property
    def synthetic(self) -> bool:
        """Whether any of the data is made up."""
        return any(credit.synthetic for credit in self.credits)

    def heights(self) -> NDArray[np.float64]:
        """Height of every feature; of a change its size, whatever its sign. [m]"""
        values = self.features[self.height].to_numpy(dtype=np.float64)
        return np.asarray(np.abs(values) * self.metres_per_unit)

    def class_index(self) -> NDArray[np.intp]:
        """Colour class of every feature; those not shown count as unknown."""
        values = self.features[self.colour].to_numpy(dtype=np.float64)
        index = np.full(len(values), len(self.classes.colours), dtype=np.intp)
        index[self.shown] = self.classes.index(values[self.shown])
        return index

    def entries(self, lang: str = "ja") -> list[tuple[str, str]]:
        """Label and colour of every class for a legend; the unknown one only where it occurs."""
        entries = self.classes.entries(lang)
        known = len(self.classes.colours)
        values = self.features[self.colour].to_numpy(dtype=np.float64)
        return entries if np.isnan(values[self.shown]).any() else entries[:known]

    def heading(self, lang: str = "ja") -> str:
        """State and year as a reader sees them.

        The seed's own words stand first: 現況 and 将来.
        """
        if self.scenario is not None:
            shown = f"{self.scenario.ja}（{self.year}年）", f"{self.scenario.en} ({self.year})"
            return shown[0 if lang == "ja" else 1]
        names = {
            "now": (f"現況（{self.year}年）", f"Now ({self.year})"),
            "future": (f"将来（{self.year}年）", f"Future ({self.year})"),
            "change": (
                f"増減（{self.base_year}→{self.year}年）",
                f"Change ({self.base_year} to {self.year})",
            ),
        }
        return names[self.state][0 if lang == "ja" else 1]


def metres_per_unit(values: Sequence[NDArray[np.float64]], view: View) -> float:
    """One height scale for all that is compared: tallest at most a quarter of the view.

    Parameters
    ----------
    values
        Heights of every layer in the same unit; NaN is passed over.
    view
        The view whose width is the measure.

    Returns
    -------
    float
        A round number: 1, 1.5, 2, 3, 5 or 7 times a power of ten. [m per unit]

    Examples
    --------
    >>> import numpy as np
    >>> metres_per_unit([np.array([80.0, np.nan])], View(134.0, 34.3, 20_000.0))
    50.0
    """
    known = np.concatenate([np.abs(v[~np.isnan(v)]) for v in values])
    peak = float(known.max(initial=0.0))
    if peak == 0:
        return 1.0
    wanted = view.width_m * VIEW_SHARE / peak
    power = 10.0 ** np.floor(np.log10(wanted))
    step = max(step for step in ROUND if step * power <= wanted * (1 + 1e-9))
    return float(f"{step * power:.6g}")


def view_of(shapes: NDArray[np.object_], people: NDArray[np.float64]) -> View:
    """A view of where people live: all but the outermost in each direction.

    Parameters
    ----------
    shapes
        Geometry in degrees ``(N,)``.
    people
        Weight of each shape ``(N,)``; where nobody lives, all shapes count alike. [persons]

    Examples
    --------
    >>> import numpy as np, shapely
    >>> towns = shapely.points([[134.0, 34.0], [134.1, 34.1], [135.0, 34.0]])
    >>> v = view_of(towns, np.array([500.0, 500.0, 1.0]))
    >>> round(v.longitude, 2), round(v.latitude, 2), round(v.width_m, -3)
    (134.05, 34.05, 11000.0)
    """
    bounds = shapely.bounds(shapes)
    weights = people if people.sum() > 0 else np.ones_like(people)
    west, south = (_quantile(bounds[:, i], weights, OUTERMOST) for i in (0, 1))
    east, north = (_quantile(bounds[:, i], weights, 1 - OUTERMOST) for i in (2, 3))
    latitude = (south + north) / 2
    across = (east - west) * METRES_PER_DEGREE * np.cos(np.radians(latitude))
    along = (north - south) * METRES_PER_DEGREE
    return View(float((west + east) / 2), float(latitude), float(max(across, along, 1000.0)))


def _quantile(places: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    order = np.argsort(places, kind="stable")
    cumulated = np.cumsum(weights[order]) / weights.sum()
    return float(places[order][np.searchsorted(cumulated, share).clip(max=len(places) - 1)])

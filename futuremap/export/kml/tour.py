"""A tour from now to the future: prisms grow, shrink and change colour before one's eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.layer import METRES_PER_DEGREE, Layer, Text
from futuremap.export.kml.balloon import Rows
from futuremap.export.kml.document import (
    FOLDER_TAIL,
    TAIL,
    balloon_style,
    colour,
    folder_head,
    head,
    legend_overlay,
    look_at,
    styles,
)
from futuremap.export.kml.profiles import Profile
from futuremap.export.kml.rings import size_of
from futuremap.export.kml.slider import MOVING_HEAD
from futuremap.export.kml.writer import HEIGHT_DECIMALS, Part, placemarks
from futuremap.export.text import ascii_ids, xml_text

NAME = Text("現況から将来へ（{first}→{last}年）", "From now to the future ({first} to {last})")
LATER = Text("{last}年に現れるもの", "What appears by {last}")
STOPS = 5
CANDIDATES = 200  # features that change most, among which the stops are chosen
APART = 0.15  # of the width of the view, between two stops
NEAR = 0.35  # of that width, seen at every stop: the same, so that heights can be compared
FLIGHT, STAY, GROWTH, STOP_STAY, RETURN = 4.0, 2.0, 10.0, 4.0, 3.0  # [seconds]
MARKS = re.compile(rb'<Placemark id="([^"]+)">|<(Polygon|LineString)>|<styleUrl>#[^<]*</styleUrl>')


class Journey(NamedTuple):
    """What a tour shows.

    Parameters
    ----------
    start
        What stands now.
    future
        The theme in the future.
    later
        What has no height now and one in the future: it cannot be lifted, so it appears.
    """

    start: Part
    future: Layer
    later: Part

    def raised(self) -> NDArray[np.bool_]:
        """Whether each feature that stands now has a height."""
        return self.start.heights() > 0

    def rises(self) -> NDArray[np.float64]:
        """How much each of them grows; what is gone or unknown in the future sinks to 0. [m]"""
        rows = self.start.rows
        there = self.future.shown[rows]
        heights = np.where(there, np.round(self.future.heights()[rows], HEIGHT_DECIMALS), 0.0)
        rise = np.round(heights - self.start.heights(), HEIGHT_DECIMALS) + 0.0
        return np.where(self.raised(), rise, 0.0)

    def classes(self) -> tuple[Rows, Rows]:
        """Colour class of each of them now and in the future; it keeps its own if unknown."""
        before = self.start.classes()
        values = self.future.features[self.future.colour].to_numpy(dtype=np.float64)
        values = values[self.start.rows]
        known = ~np.isnan(values) | bool(self.future.classes.unknown_ja)
        after = before.copy()
        after[known] = self.future.classes.index(values[known])
        return before, after


def journey(layers: Sequence[Layer], profile: Profile) -> Journey | None:
    """Now and future of a theme as one journey; None if a state is missing or all is too much.

    Parameters
    ----------
    layers
        States of one theme.
    profile
        The client.
    """
    ends = {layer.state: layer for layer in layers}
    if not {"now", "future"} <= ends.keys() or ends["now"].classes != ends["future"].classes:
        return None
    now, future = ends["now"], ends["future"]
    start = Part(now, np.flatnonzero(now.shown))
    lifted = np.zeros(len(now.shown), dtype=bool)
    lifted[start.rows] = start.heights() > 0
    whole = Part(future, np.flatnonzero(future.shown))
    later = Part(future, whole.rows[(whole.heights() > 0) & ~lifted[whole.rows]])
    features, vertices = size_of([start, later], with_rings=False)
    fits = features <= profile.max_features and vertices <= profile.max_vertices
    return Journey(start, future, later) if lifted.any() and fits else None


def tour(trip: Journey, *, legend: str, lang: str = "ja") -> Iterator[bytes]:
    """A document with a tour, in pieces of UTF-8.

    Parameters
    ----------
    trip
        What it shows.
    legend
        Path of the legend's picture inside the KMZ.
    lang
        "ja" or "en".
    """
    start = trip.start
    ends = Part(trip.future, trip.later.rows)
    years = {"first": start.layer.year, "last": trip.future.year}
    name, view = NAME[lang != "ja"].format(**years), look_at(start.layer.view)
    yield head([start, ends], view, start=MOVING_HEAD, name=name, lang=lang).encode()
    yield "".join(
        [*_pair_styles(trip, lang), *_flat_styles(trip, lang), *styles(trip.later, lang)]
    ).encode()
    yield legend_overlay(legend, lang).encode()
    yield folder_head(start, view, shown=True, lang=lang).encode()
    marker = _Marker(trip)
    for piece in placemarks(start, visible=True, lang=lang):
        yield MARKS.sub(marker, piece)
    yield FOLDER_TAIL.encode()
    if len(trip.later.rows):
        what = LATER[lang != "ja"].format(**years)
        yield f'<Folder id="later"><name>{what}</name><visibility>0</visibility>\n'.encode()
        yield from placemarks(trip.later, visible=False, lang=lang)
        yield FOLDER_TAIL.encode()
    yield "".join(_playlist(trip, marker.prisms, name=name, view=view)).encode()
    yield TAIL.encode()


class _Prism(NamedTuple):
    tag: str
    key: str
    rise: float


class _Marker:
    """Gives placemarks the styles of a journey, and their prisms an id to be lifted by."""

    def __init__(self, trip: Journey) -> None:
        self.prisms: list[_Prism] = []
        before, after = trip.classes()
        self._pairs = list(zip(before.tolist(), after.tolist(), strict=True))
        self._raised, self._rises = trip.raised().tolist(), trip.rises().tolist()
        self._row, self._own, self._shapes = -1, "", 0

    def __call__(self, match: re.Match[bytes]) -> bytes:
        own, tag = match.groups()
        if own is not None:
            self._row, self._own, self._shapes = self._row + 1, own.decode(), 0
        elif self._raised[self._row]:
            if tag is None:
                pair = _pair_id("style", *self._pairs[self._row])
                return f"<styleUrl>#{pair}</styleUrl>".encode()
            self._shapes += 1
            key = f"shape{self._shapes}-{self._own}"
            self.prisms.append(_Prism(tag.decode(), key, self._rises[self._row]))
            return f'<{tag.decode()} id="{key}">'.encode()
        return match[0]


def _pair_id(start: str, before: int, after: int) -> str:
    return f"{start}-tour-{before}-{after}"


def _pairs(trip: Journey) -> list[tuple[int, int]]:
    raised = trip.raised()
    before, after = trip.classes()
    return sorted(set(zip(before[raised].tolist(), after[raised].tolist(), strict=True)))


def _pair_styles(trip: Journey, lang: str) -> Iterator[str]:
    # one style for all that go from a class to another: few colours change, not every shape's
    hues, balloon = _hues(trip), balloon_style(trip.start, lang)
    for before, after in _pairs(trip):
        yield (
            f'<Style id="{_pair_id("style", before, after)}">'
            f'<PolyStyle id="{_pair_id("colour", before, after)}">'
            f"<color>{hues[before]}</color><outline>0</outline></PolyStyle>{balloon}</Style>\n"
        )


def _flat_styles(trip: Journey, lang: str) -> Iterator[str]:
    flat = ~trip.raised()
    if flat.any():
        yield from styles(Part(trip.start.layer, trip.start.rows[flat]), lang)


def _hues(trip: Journey) -> list[str]:
    return [colour(hue) for _, hue in trip.start.layer.classes.entries()]


def _playlist(
    trip: Journey,
    prisms: Sequence[_Prism],
    *,
    name: str,
    view: str,
) -> Iterator[str]:
    yield f'<gx:Tour id="tour"><name>{xml_text(name)}</name><gx:Playlist>\n'
    yield f"{_fly(view)}{_wait(STAY)}"
    yield f"{_update(GROWTH, _changes(trip, prisms, back=False))}{_wait(GROWTH + STAY)}"
    for row in _stops(trip):
        feature = _ids(trip.start)[row]
        yield f"{_fly(_near(trip, row))}{_update(0.0, _balloon(feature, is_open=True))}"
        yield f"{_wait(STOP_STAY)}{_update(0.0, _balloon(feature, is_open=False))}"
    # clients undo updates when a tour ends; one that is stopped here shows what is true now
    yield f"{_fly(view)}{_update(RETURN, _changes(trip, prisms, back=True))}{_wait(RETURN)}"
    yield "</gx:Playlist></gx:Tour>\n"


def _fly(view: str) -> str:
    return (
        f"<gx:FlyTo><gx:duration>{FLIGHT}</gx:duration>"
        f"<gx:flyToMode>bounce</gx:flyToMode>{view}</gx:FlyTo>\n"
    )


def _wait(seconds: float) -> str:
    return f"<gx:Wait><gx:duration>{seconds}</gx:duration></gx:Wait>\n"


def _update(seconds: float, changes: str) -> str:
    return (
        f"<gx:AnimatedUpdate><gx:duration>{seconds}</gx:duration><Update><targetHref/>"
        f"<Change>\n{changes}</Change></Update></gx:AnimatedUpdate>\n"
    )


def _changes(trip: Journey, prisms: Sequence[_Prism], *, back: bool) -> str:
    """Everything that changes, in one change; or changes back."""
    lifted = "".join(
        f'<{tag} targetId="{key}"><gx:altitudeOffset>{0.0 if back else rise}</gx:altitudeOffset>'
        f"</{tag}>\n"
        for tag, key, rise in prisms
        if rise
    )
    hues = _hues(trip)
    coloured = "".join(
        f'<PolyStyle targetId="{_pair_id("colour", *pair)}">'
        f"<color>{hues[pair[not back]]}</color></PolyStyle>\n"
        for pair in _pairs(trip)
        if pair[0] != pair[1]
    )
    if not len(trip.later.rows):
        return lifted + coloured
    targets = [("Folder", "later"), *(("Placemark", own) for own in _ids(trip.later))]
    shown = "".join(
        f'<{tag} targetId="{own}"><visibility>{not back:d}</visibility></{tag}>\n'
        for tag, own in targets
    )
    return lifted + coloured + shown


def _balloon(feature: str, *, is_open: bool) -> str:
    return (
        f'<Placemark targetId="{feature}"><gx:balloonVisibility>{is_open:d}</gx:balloonVisibility>'
        "</Placemark>\n"
    )


def _ids(part: Part) -> list[str]:
    zones = part.layer.features.index[part.rows].tolist()
    return ascii_ids([f"{part.key}-{zone}" for zone in zones])


def _stops(trip: Journey) -> list[int]:
    """The features that change most, apart from each other, from north-west to south-east."""
    rises, view = trip.rises(), trip.start.layer.view
    order = np.lexsort((trip.start.rows, -np.abs(rises)))[:CANDIDATES]
    order = order[rises[order] != 0]
    places = _places(trip, order) * METRES_PER_DEGREE
    places[:, 0] *= np.cos(np.radians(view.latitude))
    chosen: list[int] = []
    for place in range(len(order)):
        away = np.hypot(*(places[chosen] - places[place]).T)
        if len(chosen) < STOPS and away.min(initial=np.inf) >= APART * view.width_m:
            chosen.append(place)
    chosen.sort(key=lambda place: (places[place, 0] - places[place, 1], place))
    found: list[int] = order[chosen].tolist()
    return found


def _places(trip: Journey, order: Rows) -> NDArray[np.float64]:
    shapes = trip.start.layer.features.geometry.to_numpy()[trip.start.rows[order]]
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(shapes)))


def _near(trip: Journey, row: int) -> str:
    (longitude, latitude), view = _places(trip, np.array([row]))[0], trip.start.layer.view
    near = view._replace(longitude=longitude, latitude=latitude, width_m=view.width_m * NEAR)
    return look_at(near)

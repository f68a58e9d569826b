"""Names of places as labels: the town's from afar, those of its blocks as one comes nearer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.fields import column
from futuremap.core.layer import METRES_PER_DEGREE, Layer, Text, View
from futuremap.export.kml.profiles import DECIMALS, Profile
from futuremap.export.kml.shapes import foot_radius
from futuremap.export.kml.writer import Part
from futuremap.export.text import html_text, xml_text

TOWN_STYLE, BLOCK_STYLE = "style-label-town", "style-label-block"
HEADING = Text("地名", "Place names")
FEWEST, STEPS = 2, 6  # of the cells in a row across the view: 4, 8, … 128
CELL_PIXELS = 128  # on the screen, of the cell that a name has to itself; wider than most names
TOWN_PIXELS = (24, 1024)  # of the whole view; beyond, the town fills more than the screen
NO_END = -1  # of a Lod: however near
LIFT, TOWN_LIFT = 0.01, 0.05  # of the width of the view: how far names stand above the roofs
LINE = "ffffffff"  # of the thread from a name to the ground
# a client that shows all names at once gets the weightiest of those with much room
MOST_WITHOUT_REGIONS, ROOM = 40, 1 / 8  # and the side of that, of the width of the view


class Label(NamedTuple):
    """A name on the map.

    Parameters
    ----------
    name
        The name.
    longitude, latitude
        Where it stands. [degrees]
    weight
        Of two names for one place on the screen, that of more weight is shown. [persons]
    town
        Whether it names the whole town.
    """

    name: Text
    longitude: float
    latitude: float
    weight: float
    town: bool = False


def labels_of(layer: Layer) -> list[Label]:
    """Names of a town and of its blocks, for all themes of the town.

    Parameters
    ----------
    layer
        The town's blocks in any state; those without a name get no label.
    """
    features = layer.features[layer.features.geometry.notna()]
    if features.empty:
        return []
    points = shapely.get_coordinates(shapely.point_on_surface(features.geometry.to_numpy()))
    counted = column("population", layer.base_year)
    people = np.ones(len(features))
    if counted in features:
        people = np.nan_to_num(features[counted].to_numpy(dtype=np.float64))
    weights = people if people.sum() > 0 else np.ones_like(people)
    # a block of the town, so that the name never stands in the sea
    middle = np.average(points, axis=0, weights=weights)
    longitude, latitude = points[np.argmin(np.hypot(*(points - middle).T))].tolist()
    names = features["name"].fillna("").astype(str).tolist()
    blocks = [
        Label(Text(name, name), x, y, weight)
        for name, (x, y), weight in zip(names, points.tolist(), people.tolist(), strict=True)
        if name
    ]
    return [Label(layer.place, longitude, latitude, float(people.sum()), town=True), *blocks]


def cell_sizes(labels: Sequence[Label], view: View) -> NDArray[np.float64]:
    """Side of the largest square cell in which each name weighs most ``(N,)``. [m]

    Cells of a grid over the view, each half as wide as the one before; a name that weighs
    most in none of them gets the smallest.

    Parameters
    ----------
    labels
        Names in any order.
    view
        The view whose quarter is the largest cell.

    Examples
    --------
    >>> here = [Label(Text("a", "a"), 134.001, 34.001, weight) for weight in (5.0, 9.0)]
    >>> cell_sizes(here, View(134.0, 34.0, 12_800.0)).tolist()
    [100.0, 3200.0]
    """
    sizes = view.width_m / 2.0 ** np.arange(FEWEST, FEWEST + STEPS)
    found = np.full(len(labels), sizes[-1])
    if not len(labels):
        return found
    longitude, latitude, weight = (
        np.array([label[field] for label in labels], dtype=np.float64) for field in (1, 2, 3)
    )
    across = (longitude - view.longitude) * np.cos(np.radians(view.latitude))
    places = np.stack([across, latitude - view.latitude], axis=1) * METRES_PER_DEGREE
    order = np.lexsort((latitude, longitude, -weight))
    for size in sizes[::-1]:  # who is first in a cell is first in each smaller one that holds it
        _, first = np.unique(np.floor(places[order] / size), axis=0, return_index=True)
        found[order[first]] = size
    return found


def altitudes(labels: Sequence[Label], parts: Sequence[Part]) -> NDArray[np.float64]:
    """How high each name stands so that no prism of any state hides it ``(N,)``. [m]

    Parameters
    ----------
    labels
        Names.
    parts
        States of one theme, or parts of them.
    """
    view = parts[0].layer.view
    points = shapely.points([(label.longitude, label.latitude) for label in labels])
    roofs = np.zeros(len(labels))
    for part in parts:
        shapes = part.layer.features.geometry.to_numpy()[part.rows]
        near = foot_radius(view, len(part.layer.features)) / METRES_PER_DEGREE
        found = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=near)
        np.maximum.at(roofs, found[0], part.heights()[found[1]])
    towns = np.array([label.town for label in labels])
    return np.asarray(roofs + np.where(towns, TOWN_LIFT, LIFT) * view.width_m)


def labels_folder(
    labels: Sequence[Label],
    profile: Profile,
    *,
    parts: Sequence[Part],
    lang: str = "ja",
) -> Iterator[str]:
    """Folder of names; nothing if there is none.

    A client that knows regions shows each name when its cell is as wide as the name; another
    gets the weightiest names, switched off, so that the first view stays clear.

    Parameters
    ----------
    labels
        Names.
    profile
        The client.
    parts
        What the file shows beside them.
    lang
        "ja" or "en".
    """
    if not labels:
        return
    regions, view = has_regions(profile), parts[0].layer.view
    chosen, sizes = thinned(labels, profile, view=view)
    yield (
        f'<Folder id="labels"><name>{HEADING[lang != "ja"]}</name>'
        f"<visibility>{regions:d}</visibility><open>0</open>\n"
    )
    heights = altitudes(chosen, parts).tolist()
    found = zip(chosen, sizes.tolist(), heights, strict=True)
    for number, (label, size, height) in enumerate(found, start=1):
        region = _region(label, size, view) if regions else ""
        name, key = xml_text(label.name[lang != "ja"]), f"label-{number}"
        yield (
            f'<Placemark id="{key}"><name>{name}</name><visibility>{regions:d}</visibility>'
            f"{_placed(label, height, region=region, lang=lang)}</Placemark>\n"
        )
    yield "</Folder>\n"


def has_regions(profile: Profile) -> bool:
    """Whether a client shows things by how large they are on its screen."""
    return "Region" not in profile.refused


def thinned(
    labels: Sequence[Label],
    profile: Profile,
    *,
    view: View,
) -> tuple[list[Label], NDArray[np.float64]]:
    """Names that a client gets and the cells of each, the town's first, then by weight."""
    sizes = cell_sizes(labels, view)
    keys = [(not x.town, -size, -x.weight) for x, size in zip(labels, sizes.tolist(), strict=True)]
    order = sorted(range(len(labels)), key=keys.__getitem__)
    if not has_regions(profile):
        roomy = sizes >= ROOM * view.width_m
        order = [place for place in order if labels[place].town or roomy[place]]
        order = order[:MOST_WITHOUT_REGIONS]
    return [labels[place] for place in order], sizes[order]


def label_styles() -> str:
    """Styles of names: no icon, the town's name larger."""
    # a scale of nothing, because without one every client draws a pin of its own
    return "".join(
        f'<Style id="{style}"><IconStyle><scale>0</scale></IconStyle>'
        f"<LabelStyle><scale>{scale}</scale></LabelStyle>"
        f"<LineStyle><color>{LINE}</color><width>1</width></LineStyle>"
        "<BalloonStyle><text>$[description]</text></BalloonStyle></Style>\n"
        for style, scale in ((TOWN_STYLE, 1.4), (BLOCK_STYLE, 0.9))
    )


def _placed(label: Label, height: float, *, region: str, lang: str) -> str:
    point = f"{label.longitude:.{DECIMALS}f},{label.latitude:.{DECIMALS}f},{height:.0f}"
    return (
        f"<description>{html_text(label.name[lang != 'ja'])}</description>"
        f"<styleUrl>#{TOWN_STYLE if label.town else BLOCK_STYLE}</styleUrl>{region}"
        "<Point><extrude>1</extrude><altitudeMode>relativeToGround</altitudeMode>"
        f"<coordinates>{point}</coordinates></Point>"
    )


def _region(label: Label, size: float, view: View) -> str:
    half = (view.width_m if label.town else size) / 2 / METRES_PER_DEGREE
    wide = half / np.cos(np.radians(label.latitude))
    low, high = TOWN_PIXELS if label.town else (CELL_PIXELS, NO_END)
    sides = {
        "north": label.latitude + half,
        "south": label.latitude - half,
        "east": label.longitude + wide,
        "west": label.longitude - wide,
    }
    box = "".join(f"<{side}>{at:.{DECIMALS}f}</{side}>" for side, at in sides.items())
    return (
        f"<Region><LatLonAltBox>{box}</LatLonAltBox><Lod><minLodPixels>{low}</minLodPixels>"
        f"<maxLodPixels>{high}</maxLodPixels></Lod></Region>"
    )

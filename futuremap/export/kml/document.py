"""The KML document: styles, first view, legend, and a folder for every state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from futuremap.core.classes import UNKNOWN_COLOUR
from futuremap.core.layer import METRES_PER_DEGREE, View
from futuremap.export.kml.balloon import balloon_text
from futuremap.export.kml.profiles import Profile
from futuremap.export.kml.words import document_name, legend_html, markup
from futuremap.export.kml.writer import FLAT, Part, placemarks, style_id
from futuremap.export.text import xml_text

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document id="document">\n'
)
TAIL = "</Document>\n</kml>\n"
RANGE_PER_WIDTH = 1.5  # a tilted camera at this distance has the near edge in its picture too
LEGEND_SHIFT = 0.12  # of the range: a tenth of the picture, whose lens is about 60° wide
FOLDER_TAIL = "</Folder>\n"
RADIO = "style-radio"
RADIO_STYLE = (
    f'<Style id="{RADIO}"><ListStyle><listItemType>radioFolder</listItemType></ListStyle></Style>\n'
)
FLAT_LINE = "ffffffff"  # white: seen on photographs of forest and sea alike


def document(parts: Sequence[Part], profile: Profile, *, legend: str) -> Iterator[bytes]:
    """A KML document in pieces of UTF-8, one folder per part; the first one is shown.

    Parameters
    ----------
    parts
        States of one theme, or parts of them.
    profile
        The client.
    legend
        Path of the legend's picture inside the KMZ.
    """
    radio = profile.radio and len(parts) > 1
    view = look_at(parts[0].layer.view)
    yield "".join(_head(parts, view, legend=legend, radio=radio)).encode()
    for number, part in enumerate(parts):
        yield _folder_head(part, view, first=number == 0).encode()
        yield from placemarks(part, visible=number == 0)
        yield FOLDER_TAIL.encode()
    yield ((FOLDER_TAIL if radio else "") + TAIL).encode()


def _head(parts: Sequence[Part], view: str, *, legend: str, radio: bool) -> Iterator[str]:
    layers = [part.layer for part in parts]
    both = markup("<br><br>").join(legend_html(*layers, lang=lang) for lang in ("ja", "en"))
    yield HEAD
    yield f"<name>{xml_text(_name(parts))}</name><visibility>1</visibility><open>1</open>\n"
    yield f"<description>{both}</description>\n{view}\n"
    yield from (style for part in parts for style in _styles(part))
    if radio:
        yield RADIO_STYLE
    yield _legend(legend)
    if radio:
        yield (
            f'<Folder id="states"><name>{xml_text(layers[0].title.ja)}</name>'
            f"<visibility>1</visibility><open>1</open>{view}<styleUrl>#{RADIO}</styleUrl>\n"
        )


def look_at(view: View, *, shift: float = LEGEND_SHIFT) -> str:
    """First view as KML.

    The range leaves room for a tilted look at the whole width; the view moves a little to
    the left, so that the legend does not stand on the town.

    Parameters
    ----------
    view
        What must be seen.
    shift
        How far it moves, as a part of the range; 0 where there is no legend.
    """
    range_m = view.width_m * RANGE_PER_WIDTH
    turn, aside = math.radians(view.heading), shift * range_m / METRES_PER_DEGREE
    latitude = view.latitude + aside * math.sin(turn)
    longitude = view.longitude - aside * math.cos(turn) / math.cos(math.radians(view.latitude))
    return (
        f"<LookAt><longitude>{longitude:.6f}</longitude><latitude>{latitude:.6f}</latitude>"
        f"<altitude>0</altitude><heading>{view.heading:.1f}</heading>"
        f"<tilt>{view.tilt:.1f}</tilt><range>{range_m:.0f}</range>"
        "<altitudeMode>clampToGround</altitudeMode></LookAt>"
    )


def colour(hex_rgb: str) -> str:
    """Opaque KML colour (aabbggrr) of ``#rrggbb``.

    Examples
    --------
    >>> colour("#fde725")
    'ff25e7fd'
    """
    red, green, blue = hex_rgb[1:3], hex_rgb[3:5], hex_rgb[5:7]
    return f"ff{blue}{green}{red}".lower()


def _name(parts: Sequence[Part]) -> str:
    name = document_name([part.layer for part in parts])
    return f"{name} {parts[0].heading}" if len(parts) == 1 else name


def _styles(part: Part) -> Iterator[str]:
    balloon = f"<BalloonStyle><text>{balloon_text(part.layer)}</text></BalloonStyle>"
    hues = [hue for _, hue in part.layer.classes.entries()]
    solid = part.heights() > 0
    for entry in np.unique(part.classes()[solid]).tolist():
        yield (
            f'<Style id="{style_id(part.key, entry)}">'
            f"<PolyStyle><color>{colour(hues[entry])}</color><outline>0</outline></PolyStyle>"
            f"{balloon}</Style>\n"
        )
    if not solid.all():
        yield (
            f'<Style id="{style_id(part.key, FLAT)}">'
            f"<LineStyle><color>{FLAT_LINE}</color><width>1.5</width></LineStyle>"
            f"<PolyStyle><color>{colour(UNKNOWN_COLOUR)}</color><fill>0</fill>"
            f"<outline>1</outline></PolyStyle>{balloon}</Style>\n"
        )


def _legend(href: str) -> str:
    # fractions only: clients disagree about pixels counted from the upper edge
    return (
        '<ScreenOverlay id="legend"><name>凡例</name><visibility>1</visibility>'
        f"<Icon><href>{xml_text(href)}</href></Icon>"
        '<overlayXY x="0" y="1" xunits="fraction" yunits="fraction"/>'
        '<screenXY x="0.01" y="0.98" xunits="fraction" yunits="fraction"/>'
        '<size x="-1" y="-1" xunits="pixels" yunits="pixels"/></ScreenOverlay>\n'
    )


def _folder_head(part: Part, view: str, *, first: bool) -> str:
    return (
        f'<Folder id="folder-{part.key}"><name>{xml_text(part.heading)}</name>'
        f"<visibility>{first:d}</visibility><open>{first:d}</open>"
        f"<description>{legend_html(part.layer)}</description>{view}\n"
    )

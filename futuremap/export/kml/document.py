"""The KML document: styles, first view, legend, and a folder for every state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from futuremap.core.classes import UNKNOWN_COLOUR
from futuremap.core.layer import METRES_PER_DEGREE, Text, View
from futuremap.export.kml.balloon import balloon_text
from futuremap.export.kml.labels import Label, label_styles, labels_folder, thinned
from futuremap.export.kml.marks import ALPHAS
from futuremap.export.kml.profiles import Profile
from futuremap.export.kml.rings import WIDTH, ring_classes, ring_rows, ring_style, rings, size_of
from futuremap.export.kml.words import document_name, legend_html, markup
from futuremap.export.kml.writer import FLAT, Part, placemarks, style_id
from futuremap.export.text import xml_text

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document id="document">\n'
)
TAIL = "</Document>\n</kml>\n"
RANGE_PER_WIDTH = 1.6  # a tilted camera at this distance has the near edge in its picture too
LEGEND_SHIFT = 0.17  # of the range: a seventh of the picture, whose lens is about 60° wide
FOLDER_TAIL = "</Folder>\n"
RADIO = "style-radio"
RADIO_STYLE = (
    f'<Style id="{RADIO}"><ListStyle><listItemType>radioFolder</listItemType></ListStyle></Style>\n'
)
FLAT_LINE = "ffffffff"  # white: seen on photographs of forest and sea alike
NO_RINGS = Text(
    "利用圏の輪は、このファイルに入る数を超えるため省いています。",
    "The rings of reach are left out: together they are more than this file can hold.",
)


def document(
    parts: Sequence[Part],
    profile: Profile,
    *,
    legend: str,
    labels: Sequence[Label] = (),
    lang: str = "ja",
) -> Iterator[bytes]:
    """A KML document in pieces of UTF-8, one folder per part; the first one is shown.

    Parameters
    ----------
    parts
        States of one theme, or parts of them.
    profile
        The client.
    legend
        Path of the legend's picture inside the KMZ.
    labels
        Names of places; left out where the client would take too many features for them.
    lang
        "ja" or "en".
    """
    radio = profile.radio and len(parts) > 1
    view = look_at(parts[0].layer.view)
    names, with_rings = _extras(parts, profile, labels)
    lost = not with_rings and any(len(ring_rows(part)) for part in parts)
    yield head(parts, view, lang=lang, remark=NO_RINGS[lang != "ja"] if lost else "").encode()
    for part in parts:
        yield "".join([*styles(part, lang), *(_ring_styles(part) if with_rings else ())]).encode()
    yield label_styles().encode() if names else b""
    yield "".join(frame(parts, view, legend=legend, radio=radio, lang=lang)).encode()
    for number, part in enumerate(parts):
        yield folder_head(part, view, shown=number == 0, lang=lang).encode()
        yield from placemarks(part, visible=number == 0, lang=lang)
        if with_rings:
            yield from rings(part, shown=number == 0, lang=lang)
        yield FOLDER_TAIL.encode()
    yield (FOLDER_TAIL if radio else "").encode()
    yield "".join(labels_folder(names, profile, parts=parts, lang=lang)).encode()
    yield TAIL.encode()


def head(
    parts: Sequence[Part],
    view: str,
    *,
    start: str = HEAD,
    name: str | None = None,
    remark: str = "",
    lang: str = "ja",
) -> str:
    """Start of a document: its name, its legend as text and its first view.

    Parameters
    ----------
    parts
        What it holds.
    view
        First view, as KML.
    start
        What stands before the name.
    name
        Added to the name of the theme; that of the state if there is one only.
    remark
        A line below the legend.
    lang
        Language of the name; the legend is in both, this one first.
    """
    layers = [part.layer for part in parts]
    first = sorted(("ja", "en"), key=lambda each: each != lang)
    lines = [legend_html(*layers, lang=each) for each in first]
    both = markup("<br><br>").join([*lines, xml_text(remark)] if remark else lines)
    if name is None:
        name = heading(parts[0], lang) if len(parts) == 1 else ""
    whole = f"{document_name(layers, lang)} {name}".rstrip()
    return (
        f"{start}<name>{xml_text(whole)}</name><visibility>1</visibility><open>1</open>\n"
        f"<description>{both}</description>\n{view}\n"
    )


def heading(part: Part, lang: str = "ja") -> str:
    """State and year of a part, and which of several it is."""
    number, count = part.tile
    return part.layer.heading(lang) + (f"（{number}/{count}）" if count > 1 else "")


def look_at(view: View, *, shift: float = LEGEND_SHIFT, extension: str = "") -> str:
    """First view as KML.

    The range leaves room for a tilted look at the whole width; the view moves a little to
    the left, so that the legend does not stand on the town.

    Parameters
    ----------
    view
        What must be seen.
    shift
        How far it moves, as a part of the range; 0 where there is no legend.
    extension
        What stands before the place of the view: the time of a slider.
    """
    range_m = view.width_m * RANGE_PER_WIDTH
    turn, aside = math.radians(view.heading), shift * range_m / METRES_PER_DEGREE
    latitude = view.latitude + aside * math.sin(turn)
    longitude = view.longitude - aside * math.cos(turn) / math.cos(math.radians(view.latitude))
    return (
        f"<LookAt>{extension}<longitude>{longitude:.6f}</longitude>"
        f"<latitude>{latitude:.6f}</latitude>"
        f"<altitude>0</altitude><heading>{view.heading:.1f}</heading>"
        f"<tilt>{view.tilt:.1f}</tilt><range>{range_m:.0f}</range>"
        "<altitudeMode>clampToGround</altitudeMode></LookAt>"
    )


def colour(hex_rgb: str, alpha: int = 255) -> str:
    """KML colour (aabbggrr) of ``#rrggbb``, opaque if nothing else is said.

    Examples
    --------
    >>> colour("#fde725"), colour("#fde725", 96)
    ('ff25e7fd', '6025e7fd')
    """
    red, green, blue = hex_rgb[1:3], hex_rgb[3:5], hex_rgb[5:7]
    return f"{alpha:02x}{blue}{green}{red}".lower()


def styles(part: Part, lang: str = "ja") -> Iterator[str]:
    """Styles of the classes that a part has, each with its balloon."""
    balloon = balloon_style(part, lang)
    hues = [hue for _, hue in part.layer.classes.entries()]
    solid = part.heights() > 0
    drawn = np.unique(part.classes()[solid] * (ALPHAS[0] + 1) + part.fades()[solid])
    for entry, alpha in (divmod(one, ALPHAS[0] + 1) for one in drawn.tolist()):
        # an outline keeps a pale prism's edges readable; opaque ones shimmer with it
        outline = int(alpha != ALPHAS[0])
        edge = f"<LineStyle><color>{colour(hues[entry])}</color></LineStyle>" if outline else ""
        yield (
            f'<Style id="{style_id(part.key, entry, alpha)}">{edge}'
            f"<PolyStyle><color>{colour(hues[entry], alpha)}</color><outline>{outline}</outline>"
            f"</PolyStyle>{balloon}</Style>\n"
        )
    if not solid.all():
        yield (
            f'<Style id="{style_id(part.key, FLAT)}">'
            f"<LineStyle><color>{FLAT_LINE}</color><width>1.5</width></LineStyle>"
            f"<PolyStyle><color>{colour(UNKNOWN_COLOUR)}</color><fill>0</fill>"
            f"<outline>1</outline></PolyStyle>{balloon}</Style>\n"
        )


def balloon_style(part: Part, lang: str = "ja") -> str:
    """Template of the balloons of a part, as part of a style."""
    return f"<BalloonStyle><text>{balloon_text(part.layer, lang=lang)}</text></BalloonStyle>"


def legend_overlay(href: str, lang: str = "ja") -> str:
    """The legend's picture in the upper left of the screen."""
    # fractions only: clients disagree about pixels counted from the upper edge
    return (
        f'<ScreenOverlay id="legend"><name>{"凡例" if lang == "ja" else "Legend"}</name>'
        f"<visibility>1</visibility><Icon><href>{xml_text(href)}</href></Icon>"
        '<overlayXY x="0" y="1" xunits="fraction" yunits="fraction"/>'
        '<screenXY x="0.01" y="0.98" xunits="fraction" yunits="fraction"/>'
        '<size x="-1" y="-1" xunits="pixels" yunits="pixels"/></ScreenOverlay>\n'
    )


def folder_head(part: Part, view: str, *, shown: bool, lang: str = "ja") -> str:
    """Start of the folder of a state, with its legend as text."""
    return (
        f'<Folder id="folder-{part.key}"><name>{xml_text(heading(part, lang))}</name>'
        f"<visibility>{shown:d}</visibility><open>{shown:d}</open>"
        f"<description>{legend_html(part.layer, lang=lang)}</description>{view}\n"
    )


def frame(
    parts: Sequence[Part],
    view: str,
    *,
    legend: str,
    radio: bool,
    lang: str,
) -> Iterator[str]:
    """What stands before the states: the legend, and the folder that shows one at a time.

    Parameters
    ----------
    parts
        The states.
    view
        First view, as KML.
    legend
        Path of the legend's picture inside the KMZ.
    radio
        Whether the client has such folders.
    lang
        "ja" or "en".
    """
    if radio:
        yield RADIO_STYLE
    yield legend_overlay(legend, lang)
    if radio:
        title = parts[0].layer.title[lang != "ja"]
        yield (
            f'<Folder id="states"><name>{xml_text(title)}</name>'
            f"<visibility>1</visibility><open>1</open>{view}<styleUrl>#{RADIO}</styleUrl>\n"
        )


def _ring_styles(part: Part) -> Iterator[str]:
    hues = [hue for _, hue in part.layer.classes.entries()]
    for entry in sorted(set(ring_classes(part))):
        yield (
            f'<Style id="{ring_style(part.key, entry)}">'
            f"<LineStyle><color>{colour(hues[entry])}</color><width>{WIDTH}</width></LineStyle>"
            "<BalloonStyle><text>$[description]</text></BalloonStyle></Style>\n"
        )


def _extras(
    parts: Sequence[Part],
    profile: Profile,
    labels: Sequence[Label],
) -> tuple[list[Label], bool]:
    """Names that the file has room for, all that the client gets or none, and whether rings."""
    names = thinned(labels, profile, view=parts[0].layer.view)[0] if labels else []
    has_rings = any(len(ring_rows(part)) for part in parts)
    # rings are of the theme itself, names are at home on every map below it
    for chosen, with_rings in ((names, has_rings), ([], has_rings), (names, False)):
        if not chosen and not with_rings:
            continue  # nothing to make room for
        features, vertices = size_of(parts, with_rings=with_rings)
        features += len(chosen) + bool(chosen)
        vertices += len(chosen)
        if features <= profile.max_features and vertices <= profile.max_vertices:
            return list(chosen), with_rings
    return [], False

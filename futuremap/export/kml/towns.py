"""Towns side by side: a list that flies to each of them, and in Earth Pro a tour of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import shapely

from futuremap.core.credits import Credit
from futuremap.core.layer import Text, View, view_of
from futuremap.errors import ExportError
from futuremap.export.kml.document import FLAT_LINE, FOLDER_TAIL, HEAD, TAIL, look_at
from futuremap.export.kml.kmz import ROOT, publish
from futuremap.export.kml.lint_process import LintProcess
from futuremap.export.kml.profiles import DECIMALS, EXTENSION, Profile
from futuremap.export.kml.shapes import foot_radius, outlines
from futuremap.export.kml.words import SYNTHETIC, WORDS, markup
from futuremap.export.text import html_text, xml_text

STYLE_ID = "style-town"
# no icon is named: every client has a pin of its own, and a file must not fetch one; the
# template keeps Earth Pro from adding directions to the balloon
STYLE = (
    f'<Style id="{STYLE_ID}"><LabelStyle><scale>1.2</scale></LabelStyle>'
    f"<LineStyle><color>{FLAT_LINE}</color><width>2.5</width></LineStyle>"
    "<BalloonStyle><text>$[description]</text></BalloonStyle></Style>\n"
)
TOUR_HEAD = HEAD.replace("<kml ", f'<kml xmlns:gx="{EXTENSION}" ')
FLIGHT, STAY = 8.0, 6.0  # [seconds]
HEADINGS = {"ja": ("", "現況", "", "将来"), "en": ("", "Now", "", "Future")}
OUTLINE = Text("{name}の区域", "Area of {name}")
TRIP = Text("{first}から{last}へ", "From {first} to {last}")
ALONE = Text("{first}へ", "To {first}")
ARROW = "→"


class Stop(NamedTuple):
    """A town to fly to.

    Parameters
    ----------
    name
        Its name.
    view
        What is seen of it.
    outline
        Its area, in degrees of EPSG:6668.
    rows
        Lines of its balloon: what, now, future; the first may be the years.
    """

    name: Text
    view: View
    outline: shapely.Geometry
    rows: Sequence[tuple[str, str, str]]


def write_towns(
    stops: Sequence[Stop],
    path: Path,
    *,
    profile: Profile,
    title: Text,
    credits: Sequence[Credit],  # noqa: A002 - the word that all exports use
    notes: Sequence[Text],
    lang: str = "ja",
    linter: LintProcess | None = None,
) -> Path:
    """Write towns as one KMZ: a folder each, and a tour where the client takes one.

    The file is written beside its place, checked, and moved there only if it is sound.

    Parameters
    ----------
    stops
        The towns in the order of the list and of the tour.
    path
        The file; its folder is made if absent.
    profile
        The client.
    title
        Name of the file's content.
    credits
        Credits of the data.
    notes
        What a reader must know.
    lang
        "ja" or "en".
    linter
        As for `write_earth`.

    Raises
    ------
    ExportError
        If there is no town or no credit, an outline cannot be drawn, the disk refuses, or the
        written file fails the check.
    """
    if not stops or not credits:
        raise ExportError(f"{path.name}: {len(stops)} towns and {len(credits)} credits")
    words = {each: _remarks(notes, credits, each) for each in WORDS}
    synthetic = any(credit.synthetic for credit in credits)
    pieces = _document(stops, profile, title=title, words=words, synthetic=synthetic, lang=lang)
    document = (piece.encode() for piece in pieces)
    return publish({path: [(ROOT, document)]}, profile=profile, linter=linter)[0]


def _document(
    stops: Sequence[Stop],
    profile: Profile,
    *,
    title: Text,
    words: Mapping[str, list[str]],
    synthetic: bool,
    lang: str,
) -> Iterator[str]:
    at = lang != "ja"
    mark = SYNTHETIC[at] if synthetic else ""
    known = mark.strip("［］[] ") in title[at]
    shapes = np.array([stop.outline for stop in stops], dtype=object)
    drawn = outlines(shapes, radius=foot_radius(stops[0].view, len(stops)))
    ends, text = drawn.ends.tolist(), drawn.coordinates.tolist()
    everything = view_of(shapes, np.ones(len(stops)))._replace(tilt=0.0)
    both = [title.ja, *words["ja"], "", title.en, *words["en"]]
    yield TOUR_HEAD if profile.tours else HEAD
    yield f"<name>{'' if known else mark}{xml_text(title[at])}</name>"
    yield "<visibility>1</visibility><open>1</open>\n"
    yield f"<description>{_html_lines(both)}</description>\n"
    yield f"{look_at(everything if len(stops) > 1 else stops[0].view, shift=0.0)}\n"
    yield STYLE
    if profile.tours:
        yield _tour(stops, lang)
    # in each description and not in the style: a folder, which is clicked in the list, has none
    small = f"{markup('<hr><small>')}{_html_lines(words[lang])}{markup('</small>')}"
    for number, (stop, polygons) in enumerate(zip(stops, drawn.shapes, strict=True), start=1):
        rings = [text[ends[ring] : ends[ring + 1]] for polygon in polygons for ring in polygon]
        about = f"{_balloon(stop, mark, lang)}{small}"
        yield _folder(stop, f"town-{number}", rings=rings, about=about, lang=lang)
    yield TAIL


def _remarks(notes: Sequence[Text], credits_: Sequence[Credit], lang: str) -> list[str]:
    words = WORDS[lang]
    said = [note.ja if lang == "ja" else note.en for note in notes]
    return [*said, *(f"{words.source}{words.colon}{credit.line(lang)}" for credit in credits_)]


def _html_lines(lines: Sequence[str]) -> str:
    return markup("<br>").join(html_text(line) for line in lines)


def _tour(stops: Sequence[Stop], lang: str) -> str:
    at = lang != "ja"
    first, last = (xml_text(stops[place].name[at]) for place in (0, -1))
    name = (TRIP if len(stops) > 1 else ALONE)[at].format(first=first, last=last)
    flights = "".join(
        f"<gx:FlyTo><gx:duration>{FLIGHT}</gx:duration><gx:flyToMode>bounce</gx:flyToMode>"
        f"{look_at(stop.view, shift=0.0)}</gx:FlyTo>"
        f"<gx:Wait><gx:duration>{STAY}</gx:duration></gx:Wait>\n"
        for stop in stops
    )
    return (
        f'<gx:Tour id="tour"><name>{name}</name><gx:Playlist>\n{flights}</gx:Playlist></gx:Tour>\n'
    )


def _folder(
    stop: Stop,
    key: str,
    *,
    rings: list[list[list[float]]],
    about: str,
    lang: str,
) -> str:
    name, view = xml_text(stop.name[lang != "ja"]), look_at(stop.view, shift=0.0)
    area = OUTLINE[lang != "ja"].format(name=name)
    about = f"<description>{about}</description>{view}"
    point = f"{stop.view.longitude:.{DECIMALS}f},{stop.view.latitude:.{DECIMALS}f},0"
    lines = "".join(
        "<LineString><tessellate>1</tessellate><altitudeMode>clampToGround</altitudeMode>"
        f"<coordinates>{_corners(ring)}</coordinates></LineString>"
        for ring in rings
    )
    # lines, because not every client draws the edge of an area that lies on the ground
    return (
        f'<Folder id="{key}"><name>{name}</name><visibility>1</visibility><open>0</open>{about}\n'
        f'<Placemark id="{key}-point"><name>{name}</name><visibility>1</visibility>{about}'
        f"<styleUrl>#{STYLE_ID}</styleUrl><Point><coordinates>{point}</coordinates></Point>"
        f'</Placemark>\n<Placemark id="{key}-outline"><name>{area}</name>'
        f"<visibility>1</visibility>{about}<styleUrl>#{STYLE_ID}</styleUrl>"
        f"<MultiGeometry>{lines}</MultiGeometry></Placemark>\n{FOLDER_TAIL}"
    )


def _corners(ring: list[list[float]]) -> str:
    return " ".join(f"{x:.{DECIMALS}f},{y:.{DECIMALS}f},0" for x, y in ring)


def _balloon(stop: Stop, mark: str, lang: str) -> str:
    """The name and a table of now and future, as HTML inside XML."""
    heads = "".join(f"<th>{heading}</th>" for heading in HEADINGS[lang])
    lines = "".join(_row(*row) for row in stop.rows)
    own, other = stop.name if lang == "ja" else (stop.name.en, stop.name.ja)
    title = f"{markup('<b>')}{html_text(mark + own)}{markup('</b>')}"
    table = f"{markup(f'<table><tr>{heads}</tr>')}{lines}{markup('</table>')}"
    return f"{title} {html_text(other)}{table}"


def _row(label: str, now: str, future: str) -> str:
    right = markup('</td><td align="right" nowrap="nowrap">')
    arrow = ARROW if now and future else ""
    cells = f"{html_text(label)}{right}{html_text(now)}{markup('</td><td>')}{arrow}"
    return f"{markup('<tr><td>')}{cells}{right}{html_text(future)}{markup('</td></tr>')}"

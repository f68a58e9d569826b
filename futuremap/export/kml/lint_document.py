"""What the elements of one document must be: references, shapes, views, texts."""

from __future__ import annotations

import posixpath
import re
from typing import IO

from futuremap.export.kml.lint_html import PLACEHOLDER, SCHEME, TAG, misread, scales, tag_fault
from futuremap.export.kml.lint_links import PARTS as LINK_PARTS
from futuremap.export.kml.lint_links import Links
from futuremap.export.kml.lint_reader import FEATURES, MOST_PER_RULE, Frame, Reader
from futuremap.export.kml.lint_rules import Finding
from futuremap.export.kml.lint_values import (
    COLOUR,
    MOST_CORNERS,
    NUMBERS,
    box_fault,
    lod_fault,
    number_fault,
    points_of,
    ring_fault,
    time_fault,
)
from futuremap.export.kml.profiles import Profile

TIMES = ("TimeSpan", "TimeStamp")
GROUPS = {"LatLonAltBox": ("box", box_fault), "LatLonBox": ("box", box_fault)}
GROUPS |= {"Lod": ("lod", lod_fault)} | dict.fromkeys(TIMES, ("time", time_fault))
PARTS = frozenset(
    {"north", "south", "east", "west", "minAltitude", "maxAltitude"}
    | {"minLodPixels", "maxLodPixels", "begin", "end", "when"},
)
SHAPES = ("Point", "LineString", "Polygon")
OURS = "document"  # id of the document of a file that this package wrote
ENTRY = re.compile(r"(?!/)(?!.*\.\.)[A-Za-z0-9._/-]+")
TRUE = frozenset({"1", "true"})
ALWAYS_FILLED = frozenset(
    {"name", "description", "address", "id", "Snippet", "snippet", "geDirections"}
)


class Document(Reader):
    """One pass over one document; of what has been read only ids and references are kept.

    Parameters
    ----------
    name
        Name of the file, for findings.
    profile
        The client.
    members
        The files beside it in its KMZ; None of a plain KML, whose neighbours are not known.
    place
        Folder of the document in its KMZ.
    doubts
        Whether texts are looked at that may be as their author wants them.
    """

    def __init__(
        self,
        name: str,
        profile: Profile,
        *,
        members: frozenset[str] | None = None,
        place: str = "",
        doubts: bool = False,
    ) -> None:
        super().__init__(name, profile)
        self.scales: set[str] = set()
        self.tall = False  # whether anything has a height
        self._members, self._place, self._doubts = members, place, doubts
        self._fields: set[str] = set()
        # where each was first asked for
        self._wanted: dict[str, dict[str, Finding]] = {
            rule: {} for rule in ("style", "target", "file", "placeholder")
        }
        self._sound_tags: set[str] = set()
        self._group: dict[str, str] = {}  # children of a box, a Lod or a time
        self._mode = ""  # altitudeMode of the shape being read
        self._shown: list[bool] = []  # of every state
        self._timed: list[bool] = []  # of every state that a time slider shows
        self.links = Links()
        self.at_start = {
            "NetworkLink": self.links.begin,
            **dict.fromkeys(GROUPS, lambda _: self._group.clear()),
            **dict.fromkeys(SHAPES, self._shape),
        }
        self.at_end = {
            "styleUrl": self._style_url,
            "visibility": self._visibility,
            "extrude": self._extrude,
            "altitudeMode": self._altitude_mode,
            "coordinates": self._coordinates,
            **dict.fromkeys(("href", "targetHref", "sourceHref"), self._href),
            **dict.fromkeys(("description", "text"), self._html),
            **dict.fromkeys(("color", "bgColor", "textColor"), self._colour),
            **dict.fromkeys(NUMBERS, self._number),
            **dict.fromkeys(PARTS, self._part),
            **dict.fromkeys(GROUPS, self._whole_group),
        }
        self.at_end |= dict.fromkeys(LINK_PARTS - self.at_end.keys(), self.links.part)
        self.at_end["NetworkLink"] = self._network_link
        if doubts:
            self.at_end |= dict.fromkeys(("name", "value", "displayName", "address"), self._words)

    @property
    def ours(self) -> bool:
        """Whether this package wrote it."""
        return self.first == OURS

    def read(self, stream: IO[bytes], *, root: bool = True) -> None:
        """Check the document.

        Parameters
        ----------
        stream
            Its bytes.
        root
            Whether it is what a client opens first.
        """
        if self.parse(stream):
            self._references()
            self._limits()
            self._first_view(root=root)
        for rule, count in sorted(self.counts.items()):
            if count > MOST_PER_RULE:
                self.findings.append(
                    Finding(rule, self.name, f"ほか / more: {count - MOST_PER_RULE:,}")
                )

    def _references(self) -> None:
        anchors = {f"#{own}" for own in self.ids}
        fields = self._fields | ALWAYS_FILLED
        for rule, known in (("style", anchors), ("target", self.ids), ("placeholder", fields)):
            self._lost(rule, known)
        if self._members is not None:
            self._lost("file", self._members)

    def _lost(self, rule: str, known: set[str] | frozenset[str]) -> None:
        lost = [finding for what, finding in self._wanted[rule].items() if what not in known]
        self.counts[rule] += len(lost)
        self.findings += lost[:MOST_PER_RULE]

    def _limits(self) -> None:
        for rule, count, most in (
            ("features", self.features, self.profile.max_features),
            ("vertices", self.vertices, self.profile.max_vertices),
        ):
            if count > most:
                self.find_all(rule, f"{count:,} > {most:,}")

    def _first_view(self, *, root: bool) -> None:
        states = len(self._shown) + len(self._timed)
        shown = sum(self._shown) + sum(self._timed)
        wanted = len(self._timed) or 1  # a slider chooses of those that are all on
        if (states or (self.ours and self.tall and root)) and shown != wanted:
            self.find_all("shown", f"{shown} of {states} states")

    def named(self, tag: str, attributes: dict[str, str]) -> None:
        """Note ids, targets of updates, and fields that a balloon can show."""
        if (own := attributes.get("id")) is not None:
            if own in self.ids:
                self.find("id", own)
            self.keep(own)
            self.ids.add(own)
        if (target := attributes.get("targetId")) is not None:
            self._want("target", target)
        if tag == "Data" and (field := attributes.get("name", "")) not in self._fields:
            self.keep(field)
            self._fields |= {field, f"{field}/displayName"}

    def close(self, frame: Frame, owner: Frame | None) -> None:
        """Compare what a feature shows at first with its folder."""
        if frame.state:
            (self._timed if frame.timed else self._shown).append(frame.visible)
        if owner is None or not self.ours:
            return
        alone = frame.visible and not owner.visible
        if alone or (frame.tag == "Placemark" and frame.visible != owner.visible):
            self.find("shown", f"{frame.tag}: unlike its folder {owner.own}")

    def _want(self, rule: str, what: str) -> None:
        if what not in self._wanted[rule]:
            self.keep(what)
            self._wanted[rule][what] = self.here(rule, what)

    def _style_url(self, _: str, text: str) -> None:
        if SCHEME.match(text):
            self.find("remote", text)
        else:
            self._want("style", text)

    def _href(self, tag: str, text: str) -> None:
        if tag == "targetHref" and not text:
            return  # the document itself
        path = posixpath.normpath(posixpath.join(self._place, text))
        self.links.part(tag, text)
        if SCHEME.match(text) or not ENTRY.fullmatch(path):
            self.find("remote", text)
        else:
            self._want("file", path)

    def _network_link(self, *_: str) -> None:
        href = self.links.href
        path = posixpath.normpath(posixpath.join(self._place, href))
        inside = bool(href) and not SCHEME.match(href) and ENTRY.fullmatch(path) is not None
        fault = self.links.end(path if inside else "")
        if "NetworkLink" in self.profile.refused:
            return  # said already
        if fault is not None or self._members is None or not href:
            self.find("link", fault or href or "no href")

    def _colour(self, _: str, text: str) -> None:
        if not COLOUR.fullmatch(text):
            self.find("colour", text)

    def _extrude(self, _: str, text: str) -> None:
        self.tall |= text in TRUE

    def _visibility(self, _: str, text: str) -> None:
        if self.frames and not self.updating:
            self.frames[-1].visible = text in TRUE

    def _shape(self, _: str) -> None:
        self._mode = ""

    def _altitude_mode(self, _: str, text: str) -> None:
        self._mode = text

    def _number(self, tag: str, text: str) -> None:
        if number_fault(tag, text):
            self.find("number", f"{tag} {text}")

    def _part(self, tag: str, text: str) -> None:
        self._group[tag] = text

    def _whole_group(self, tag: str, _: str) -> None:
        rule, fault = GROUPS[tag]
        if (seen := fault(self._group)) is not None:
            self.find(rule, seen)
        # of a view it says when to look, of a feature when it is there
        if tag in TIMES and self.frames and self.stack[-1] in FEATURES:
            self.frames[-1].timed = True

    def _coordinates(self, _: str, text: str) -> None:
        corners = len(text.split(None, MOST_CORNERS))
        self.vertices += corners
        if corners > MOST_CORNERS:
            self.find("vertices", f"> {MOST_CORNERS:,}")
        elif (points := points_of(text, self._mode)) is None:
            self.find("coordinates", text[:80])
        elif self.stack[-1:] == ["LinearRing"]:
            fault = ring_fault(points, outer=self.stack[-2:-1] == ["outerBoundaryIs"])
            if fault is not None:
                self.find(*fault)

    def _words(self, _: str, text: str) -> None:
        if seen := misread(text):
            self.find("mojibake", seen)

    def _html(self, tag: str, text: str) -> None:
        owner = self.stack[-1] if self.stack else ""
        if owner == "Folder":
            self.scales.update(scales(text))
        if owner == "BalloonStyle":
            for field in PLACEHOLDER.findall(text):
                self._want("placeholder", field)
        elif "$[" in text:
            self.find("running", text[text.index("$[") :])
        if self._doubts:
            self._words(tag, text)
        for markup in TAG.findall(text):
            if markup not in self._sound_tags:
                self._tag(markup)

    def _tag(self, markup: str) -> None:
        fault = tag_fault(markup)
        if fault is not None:
            self.find(fault, markup)
        else:
            self.keep(markup)
            self._sound_tags.add(markup)

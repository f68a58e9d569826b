"""The linter that reads every KMZ before it is published, as strictly as the strictest client."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers import expat

from futuremap.export.kml.profiles import EXTENSION, Profile
from futuremap.export.kml.shapes import DECIMALS

KML = "http://www.opengis.net/kml/2.2 "
GX = f"{EXTENSION} "
FEATURES = frozenset(
    {"Document", "Folder", "Placemark", "NetworkLink", "ScreenOverlay", "GroundOverlay"}
    | {"PhotoOverlay", "Tour"},
)
COLOURS = frozenset({"color", "bgColor", "textColor"})
COLOUR = re.compile(r"[0-9a-f]{8}")
TAG = re.compile(r"<[^>]*>?")
RUNNING = re.compile(
    r"</?\s*(?:script|iframe|object|embed|form|meta|link|style|svg|base)\b|\son\w+\s*=",
    re.IGNORECASE,
)
LINK = re.compile(
    r"""\b(?:href|src|action|background|poster)\s*=\s*["']?([^"'>\s]*)""", re.IGNORECASE
)
SCHEME = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|//|\\\\)", re.IGNORECASE)
SCALE = re.compile(r"(?:^|<br>)高さ：[^<]*?([\d,.]+) ?[^\s<]* ＝ ([\d,.]+) m")
STATE = "folder-"  # start of the id of a state's folder
ENTRY = re.compile(r"(?!/)(?!.*\.\.)[A-Za-z0-9._/-]+")
ROOT = "doc.kml"
MOST_PER_RULE = 20
RANGES = ((-180.0, 180.0), (-90.0, 90.0), (0.0, 1e6))
LEAST_CORNERS = 4
UNIT = 10**DECIMALS

WORDS = {
    "zip": ("KMZ の構成が正しくない", "the KMZ is not put together as clients expect"),
    "xml": ("XML として読めない", "not well-formed XML"),
    "root": ("KML 2.2 の文書ではない", "not a KML 2.2 document"),
    "id": ("id が重なっている", "an id is used twice"),
    "style": ("styleUrl の先がない", "a styleUrl leads nowhere"),
    "colour": ("色の書式が aabbggrr でない", "a colour is not aabbggrr"),
    "ring": ("輪が閉じていない、または点が足りない", "a ring is not closed or too short"),
    "turn": ("輪の向きが逆", "a ring runs the wrong way"),
    "coordinates": ("座標が数でない、または範囲の外", "coordinates are no numbers or out of range"),
    "remote": ("外部への参照がある", "refers to something outside the file"),
    "running": ("動く内容（script など）がある", "holds running content"),
    "file": ("参照先のファイルが KMZ にない", "a file that is referred to is not in the KMZ"),
    "refused": ("このクライアントが拒む要素", "an element that this client refuses"),
    "features": ("地物が多すぎる", "too many features"),
    "vertices": ("頂点が多すぎる", "too many vertices"),
    "shown": ("最初に見える状態が一つでない", "not exactly one state is shown at first"),
    "scale": ("高さの縮尺が状態で違うか、書かれていない", "height scales differ or are missing"),
}  # fmt: skip


class Finding(NamedTuple):
    """One fault of a file.

    Parameters
    ----------
    rule
        Short name of the rule; key of `WORDS`.
    file
        Name of the file.
    seen
        What was seen.
    """

    rule: str
    file: str
    seen: str

    def text(self, lang: str = "ja") -> str:
        """The finding in one line."""
        return f"{self.file}: {WORDS[self.rule][0 if lang == 'ja' else 1]}: {self.seen}"

    def __str__(self) -> str:
        return self.text("en")


def lint(path: Path, *, profile: Profile) -> list[Finding]:
    """Faults of one KMZ or KML file.

    Parameters
    ----------
    path
        The file; ``.kml`` is read as a document, all else as a KMZ.
    profile
        The client that has to take it.
    """
    return lint_set([path], profile=profile)


def lint_set(paths: Sequence[Path], *, profile: Profile) -> list[Finding]:
    """Faults of files that belong together; where there are heights, they share one scale."""
    checks = [_checked(path, profile) for path in paths]
    findings = [finding for check in checks for finding in check.findings]
    scales = {scale for check in checks for scale in check.scales}
    bare = [check.name for check in checks if check.tall and not check.scales]
    if len(scales) > 1 or bare:
        seen = f"{sorted(scales)} m, none in {bare}"
        findings.append(Finding("scale", ", ".join(check.name for check in checks), seen))
    return findings


def _checked(path: Path, profile: Profile) -> _Check:
    check = _Check(path.name, profile)
    if path.suffix == ".kml":
        with path.open("rb") as stream:
            check.read(stream, members=None)
        return check
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            check.members(members)
            with archive.open(members[0]) as stream:
                check.read(stream, members=frozenset(members))
    except (zipfile.BadZipFile, zlib.error, EOFError, IndexError) as error:
        check.find("zip", repr(error))
    return check


class _Check:
    """One pass over one document; of what has been read only the ids are kept."""

    def __init__(self, name: str, profile: Profile) -> None:
        self.name, self.profile = name, profile
        self.findings: list[Finding] = []
        self.scales: set[str] = set()
        self.tall = False  # whether anything has a height
        self._counts: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._style_urls: set[str] = set()
        self._files: set[str] = set()
        self._sound_tags: set[str] = set()
        self._known: dict[str, str] = {}  # names of elements with their namespace -> without
        self._stack: list[str] = []
        self._text: list[str] = []
        self._folder, self._visible = "", "1"  # id and visibility of the folder being read
        self._shown: list[bool] = []  # of every state
        self._at_end: dict[str, Callable[[str], None]] = {
            "styleUrl": self._style_urls.add,
            "href": self._href,
            "description": self._html,
            "text": self._html,
            "visibility": self._visibility,
            "extrude": self._extrude,
            "coordinates": self._coordinates,
            **dict.fromkeys(COLOURS, self._colour),
        }

    def find(self, rule: str, seen: str) -> None:
        """Note a fault; of one kind only the first ones are kept."""
        self._counts[rule] += 1
        if self._counts[rule] <= MOST_PER_RULE:
            self.findings.append(Finding(rule, self.name, seen[:200]))

    def members(self, names: Sequence[str]) -> None:
        """Check the list of files inside a KMZ."""
        if not names or names[0] != ROOT or sum(n.endswith(".kml") for n in names) != 1:
            self.find("zip", f"first and only document must be {ROOT}: {names[:5]}")
        for name in names:
            if not ENTRY.fullmatch(name) or names.count(name) > 1:
                self.find("zip", f"file name {name!r}")

    def read(self, stream: IO[bytes], *, members: frozenset[str] | None) -> None:
        """Check a document; `members` are the files beside it in its KMZ."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        try:
            parser.ParseFile(stream)
        except expat.ExpatError as error:
            self.find("xml", str(error))
            return
        self._whole(members)

    def _doctype(self, *_: object) -> None:
        # without a document type there are no entities to blow up or to fetch
        raise expat.ExpatError("a document type is declared")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._text.clear()
        tag = self._known.get(name) or self._new(name)
        if tag in self.profile.refused or not (name.startswith(KML) or self._extends(name)):
            self.find("refused", name)
        if tag in FEATURES:
            self._counts["feature"] += 1
        if tag == "Folder":
            self._folder = attributes.get("id", "")
        if (own := attributes.get("id")) is not None:
            if own in self._ids:
                self.find("id", own)
            self._ids.add(own)
        self._stack.append(tag)

    def _extends(self, name: str) -> bool:
        return name.startswith(GX) and name.removeprefix(GX) in self.profile.extensions

    def _new(self, name: str) -> str:
        if not self._stack and name != f"{KML}kml":
            self.find("root", name)
        self._known[name] = tag = name.rpartition(" ")[2]
        return tag

    def _end(self, _: str) -> None:
        if (handle := self._at_end.get(self._stack.pop())) is not None:
            handle("".join(self._text))
        self._text.clear()

    def _whole(self, members: frozenset[str] | None) -> None:
        targets = {f"#{own}" for own in self._ids}
        for url in sorted(self._style_urls - targets):
            self.find("remote" if SCHEME.match(url) else "style", url)
        for href in sorted(self._files):
            if members is not None and href not in members:
                self.find("file", href)
        if self._counts["feature"] > self.profile.max_features:
            self.find("features", f"{self._counts['feature']:,}")
        if self._counts["vertex"] > self.profile.max_vertices:
            self.find("vertices", f"{self._counts['vertex']:,}")
        if (self._shown or self.tall) and sum(self._shown) != 1:
            self.find("shown", f"{sum(self._shown)} of {len(self._shown)} states")

    def _href(self, text: str) -> None:
        if SCHEME.match(text) or not ENTRY.fullmatch(text):
            self.find("remote", text)
        else:
            self._files.add(text)

    def _colour(self, text: str) -> None:
        if not COLOUR.fullmatch(text):
            self.find("colour", text)

    def _extrude(self, text: str) -> None:
        self.tall |= text != "0"

    def _visibility(self, text: str) -> None:
        if self._stack[-1] == "Folder":
            self._visible = text
            if self._folder.startswith(STATE):
                self._shown.append(text == "1")
        elif self._stack[-1] == "Placemark" and text != self._visible:
            self.find("shown", f"a placemark unlike its folder {self._folder}")

    def _html(self, text: str) -> None:
        owner = self._stack[-1]
        if owner == "Folder":
            pairs = (match.groups() for match in SCALE.finditer(text))
            self.scales |= {f"{_number(m) / _number(n):.9g}" for n, m in pairs if _number(n) > 0}
        if owner != "BalloonStyle" and "$[" in text:
            self.find("running", text[text.index("$[") :])
        for tag in TAG.findall(text):
            if tag not in self._sound_tags:
                self._tag(tag)

    def _tag(self, tag: str) -> None:
        links = [link for link in LINK.findall(tag) if SCHEME.match(unescape(link))]
        if RUNNING.search(tag) or not tag.endswith(">"):
            self.find("running", tag)
        elif links:
            self.find("remote", tag)
        else:
            self._sound_tags.add(tag)

    def _coordinates(self, text: str) -> None:
        corners = text.split()
        self._counts["vertex"] += len(corners)
        try:
            points = [tuple(map(float, corner.split(","))) for corner in corners]
            x, y, z = zip(*points, strict=True)
        except ValueError:
            self.find("coordinates", text[:80])
            return
        for (low, high), values in zip(RANGES, (x, y, z), strict=True):
            if not all(low <= value <= high for value in values):
                self.find("coordinates", text[:80])
                return
        if self._stack[-1] == "LinearRing":
            self._ring(points, outer=self._stack[-2] == "outerBoundaryIs")

    def _ring(self, points: Sequence[tuple[float, ...]], *, outer: bool) -> None:
        if len(points) < LEAST_CORNERS or points[0] != points[-1]:
            self.find("ring", f"{len(points)} corners from {points[0]}")
            return
        # whole numbers, so that the sign of a thin ring is exact
        whole = [(round(x * UNIT), round(y * UNIT)) for x, y, _ in points]
        area = sum(a * d - b * c for (a, b), (c, d) in pairwise(whole))
        if area < 0 if outer else area > 0:
            self.find("turn", str(points[0]))


def _number(text: str) -> float:
    return float(text.replace(",", ""))

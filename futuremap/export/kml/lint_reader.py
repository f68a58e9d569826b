"""Reading of one document for the linter: strict, in bounded memory, always knowing its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import IO, NamedTuple
from xml.parsers import expat

from futuremap.export.kml.lint_order import ORDER
from futuremap.export.kml.lint_rules import Finding
from futuremap.export.kml.profiles import EXTENSION, Profile

KML = "http://www.opengis.net/kml/2.2 "
GX = f"{EXTENSION} "
FEATURES = frozenset(
    {"Document", "Folder", "Placemark", "NetworkLink", "ScreenOverlay", "GroundOverlay"}
    | {"PhotoOverlay", "Tour"},
)
UPDATES = frozenset({"Change", "Create", "Delete"})
STATE = "folder-"  # start of the id of a state's folder
MOST_PER_RULE = 20
# what a client could ever take lies far below: who writes more wants to do harm
MOST_FAULTS = 100_000
MOST_PER_FEATURE = 200  # elements; ours have about fifty
MOST_KEPT = 2**26  # characters of ids and references
DEEPEST = 64
CHUNK, BUFFER = 2**16, 2**13
MOST_TEXT = 2**25  # characters of one element
LONGEST_TOKEN = 2**23  # bytes: of a tag with its attributes, a comment
PER_ENTRY = 64  # what keeping one more id costs, however short
# expat has these itself, and others from Python
ENCODINGS = frozenset({"UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE"})


class TooMuch(Exception):  # noqa: N818 - not an error; ends the reading
    """The document passes what is looked at."""


class _Name(NamedTuple):
    tag: str
    refused: bool
    ranked: bool  # whether its place is known to `ORDER`
    feature: bool
    special: bool  # whether more than its place is looked at when it begins or ends
    order: dict[str, int] | None  # of its children
    end: Callable[[str, str], None] | None


class Frame:
    """A feature that is being read.

    Parameters
    ----------
    tag
        Its element.
    own
        Its id, empty if it has none.
    state
        Whether it is the folder of now, future or change.
    """

    __slots__ = ("own", "state", "tag", "timed", "visible")

    def __init__(self, tag: str, own: str, *, state: bool) -> None:
        self.tag, self.own, self.state = tag, own, state
        self.timed, self.visible = False, True


class Reader:
    """Elements, their order, ids and places; what they mean is for a subclass to say.

    Parameters
    ----------
    name
        Name of the file, for findings.
    profile
        The client.
    """

    most_text, longest_token = MOST_TEXT, LONGEST_TOKEN

    def __init__(self, name: str, profile: Profile) -> None:
        self.name, self.profile = name, profile
        self.findings: list[Finding] = []
        self.counts: Counter[str] = Counter()  # of faults of each rule
        self.features = self.vertices = 0
        self.ids: set[str] = set()
        self.stack: list[str] = []
        self.frames: list[Frame] = []
        self.first = ""  # id of the outermost feature
        self.updating = 0
        self.at_end: dict[str, Callable[[str, str], None]] = {}
        self.at_start: dict[str, Callable[[str], None]] = {}
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._space = KML
        self._kept = self._elements = 0
        self._given = 0  # bytes that the parser was given
        self._held = b""  # what has been read, but not given yet
        self._known: dict[str, _Name] = {}
        self._ranks: list[int] = []
        self._orders: list[dict[str, int] | None] = [None]  # of what is open; nothing says more
        self._text: list[str] = []

    def find(self, rule: str, seen: str) -> None:
        """Note a fault where the reader stands; of one kind only the first ones are kept."""
        self.counts[rule] += 1
        if self.counts[rule] <= MOST_PER_RULE:
            self.findings.append(self.here(rule, seen))

    def find_all(self, rule: str, seen: str) -> None:
        """Note a fault of the whole document."""
        self.counts[rule] += 1
        self.findings.append(Finding(rule, self.name, seen))

    def here(self, rule: str, seen: str) -> Finding:
        """A finding with the place where the reader stands."""
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        frame = self.frames[-1] if self.frames else None
        feature = (frame.own or frame.tag) if frame else ""
        return Finding(rule, self.name, seen[:200], line, column, feature[:200])

    def keep(self, text: str) -> None:
        """Count what has to be remembered."""
        self._kept += len(text) + PER_ENTRY

    def parse(self, stream: IO[bytes]) -> bool:
        """Read a document; whether it was read to its end."""
        parser = self._parser
        parser.buffer_text, parser.buffer_size = True, BUFFER
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = _doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        try:
            self._feed(stream)
        except expat.ExpatError as error:
            self.find("xml", str(error))
        except TooMuch as stop:
            self.find("limit", str(stop))
        else:
            return True
        return False

    def _feed(self, stream: IO[bytes]) -> None:
        client = self.profile
        elements = MOST_PER_FEATURE * client.max_features + client.max_vertices
        while piece := stream.read(CHUNK):
            self._take(piece)
            behind = self._given + len(self._held) - self._parser.CurrentByteIndex
            for what, count, most in (
                ("bytes in a tag or comment", behind, self.longest_token),
                ("characters of text", sum(map(len, self._text)), self.most_text),
                ("elements", self._elements, elements),
                ("characters of ids", self._kept, MOST_KEPT),
                ("faults", self.counts.total(), MOST_FAULTS),
            ):
                if count > most:
                    raise TooMuch(f"> {most:,} {what}")
        self._parser.Parse(self._held, True)  # noqa: FBT003 - the parser's own signature

    def _take(self, piece: bytes) -> None:
        self._give(piece)

    def _give(self, data: bytes) -> None:
        self._given += len(data)
        self._parser.Parse(data)

    def _declaration(self, _version: str, encoding: str | None, _alone: int) -> None:
        if encoding is not None and not _readable(encoding):
            raise expat.ExpatError(
                f"{encoding}: UTF-8 で保存してください / cannot be checked; save it as UTF-8"
            )

    def _instruction(self, target: str, data: str) -> None:
        self.find("running", f"<?{target} {data}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._text.clear()
        self._elements += 1
        known = self._known.get(name) or self._new(name)
        tag = known.tag
        if known.refused:
            self.find("refused", name)
        if known.ranked and (order := self._orders[-1]) is not None:
            rank = order.get(tag)
            if rank is None or rank < self._ranks[-1]:
                self.find("order", f"{tag} in {self.stack[-1]}")
            else:
                self._ranks[-1] = rank
        self.stack.append(tag)
        self._ranks.append(0)
        self._orders.append(known.order)
        if len(self.stack) > DEEPEST:
            raise TooMuch(f"> {DEEPEST} elements inside each other")
        if known.special:
            self._special(known, attributes)
        if attributes:
            self.named(tag, attributes)

    def _special(self, known: _Name, attributes: dict[str, str]) -> None:
        tag = known.tag
        if known.feature and not self.updating:
            self._feature(tag, attributes.get("id", ""))
        elif tag in UPDATES:
            self.updating += 1
        if (begin := self.at_start.get(tag)) is not None:
            begin(tag)

    def _new(self, name: str) -> _Name:
        space, _, tag = name.rpartition(" ")
        if not self.stack:
            if name != f"{KML}kml":
                self.find("root", name)
            # a wrong root is one fault, not one an element
            self._space = f"{space} "
        plain = f"{space} " == self._space
        extends = f"{space} " == GX and tag in self.profile.extensions
        refused = tag in self.profile.refused or not (plain or extends)
        self.keep(name)
        feature = tag in FEATURES and (plain or f"{space} " == GX)
        special = feature or tag in UPDATES or tag in self.at_start
        order, end = ORDER.get(tag), self.at_end.get(tag)
        self._known[name] = known = _Name(tag, refused, plain, feature, special, order, end)
        return known

    def _feature(self, tag: str, own: str) -> None:
        if not self.features:
            self.first = own
        self.features += 1
        state = tag == "Folder" and own.startswith(STATE)
        state = state and not any(frame.state for frame in self.frames)
        self.frames.append(Frame(tag, own, state=state))

    def _end(self, name: str) -> None:
        tag = self.stack.pop()
        self._ranks.pop()
        self._orders.pop()
        known = self._known[name]
        if known.end is not None:
            known.end(tag, "".join(self._text))
        self._text.clear()
        if not known.special:
            return
        if known.feature and not self.updating:
            self.close(self.frames[-1], self.frames[-2] if len(self.frames) > 1 else None)
            self.frames.pop()
        elif tag in UPDATES:
            self.updating -= 1

    def named(self, tag: str, attributes: dict[str, str]) -> None:
        """Meet an element with attributes."""
        raise NotImplementedError

    def close(self, frame: Frame, owner: Frame | None) -> None:
        """Leave a feature that stands in another."""
        raise NotImplementedError


def _readable(encoding: str) -> bool:
    """Whether the parser has an encoding: UTF-8, UTF-16, or any of one byte a character.

    Examples
    --------
    >>> [_readable(name) for name in ("UTF-8", "utf-16", "cp1252", "Shift_JIS", "no such", "hex")]
    [True, True, True, False, False, False]
    """
    if encoding.upper() in ENCODINGS:
        return True
    try:
        return len(bytes(range(256)).decode(encoding, "replace")) == len(range(256))
    except (LookupError, ValueError):
        return False


def _doctype(*_: object) -> None:
    # without a document type there are no entities to blow up or to fetch
    raise expat.ExpatError("a document type is declared")

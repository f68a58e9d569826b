"""Layers of made-up prisms, and names that no writer likes: for the bench and for the tests."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from html import unescape
from xml.parsers import expat

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from futuremap.core.classes import between
from futuremap.core.credits import Credit
from futuremap.core.layer import Layer, Text, View
from futuremap.export.kml import EARTH_PRO
from futuremap.export.kml.document import document
from futuremap.export.kml.writer import Part, replaced_characters

COLUMNS = ("population_2020", "population_2050", "ageing_rate_2020", "ageing_rate_2050")
HUES = tuple(f"#{i:02x}{255 - i:02x}80" for i in range(0, 250, 25))
NAME = "\ue000"  # a plain name that stands nowhere else
FORBIDDEN = {*range(9), 0xB, 0xC, *range(0xE, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF}
SPECIAL = (
    *"&<>\"'$%[]{}\\\t\n\r=+-@;#\0\x0b\x1b\x7f\x85\ud800\udbff\udfff\ufffe\uffff\ufeff\u2028",
    *"\u202a\u202e\u2066\u2069\u200b\u200f\u3000髙﨑①〜～−－",
    "]]>", "<![CDATA[", "<!--", "-->", "<?xml?>", "<!DOCTYPE x>", "&amp;", "&lt;", "&#60;", "&#0;",
    "&x;", "$[name]", "$[description]", "<script>alert(1)</script>", "</name>", "</Placemark>",
    "<img src=x onerror=alert(1)>", "javascript:alert(1)", "http://example.com/", "%s", "%%",
    "%(a)s", '<a href="http://example.com/">', "=HYPERLINK(1)", "<NetworkLink>", "</description>",
    "{0}", "\ud83d\ude00", "\U0001f3eb", "\U0010ffff", "\U0001fffe",
)  # fmt: skip


def country(prisms: int, names: Sequence[str] | None = None) -> Part:
    """Squares of a grid, each with a height, a colour of ten and four numbers."""
    rng = np.random.default_rng(7)
    width = int(np.ceil(np.sqrt(prisms)))
    column, row = np.arange(prisms) % width, np.arange(prisms) // width
    west, south = 132.0 + column * 0.003125, 33.0 + row * 0.002083333
    frame = pd.DataFrame(
        {
            "name": pd.Series(
                [f"{i // 9}町{i % 9 + 1}丁目" for i in range(prisms)] if names is None else names,
                dtype=object,
            ),
            COLUMNS[0]: rng.gamma(0.7, 300, prisms),
            COLUMNS[1]: rng.gamma(0.7, 200, prisms),
            COLUMNS[2]: rng.uniform(5, 80, prisms),
            COLUMNS[3]: rng.uniform(5, 80, prisms),
        },
    )
    frame.index = pd.Index([f"{50_000_000_000 + i}" for i in range(prisms)], dtype=object)
    shapes = shapely.box(west, south, west + 0.003125, south + 0.002083333)
    layer = Layer(
        theme="mesh250", title=Text("250mメッシュ", "250 m mesh"), place=Text("試験県", "Test"),
        kind="mesh", state="now", year=2020, base_year=2020,
        features=gpd.GeoDataFrame(frame, geometry=shapes, crs=6668),
        height=COLUMNS[0], colour=COLUMNS[2],
        classes=between(range(10, 100, 8)[:9], "％", "%", HUES), metres_per_unit=2.0,
        shown=np.ones(prisms, dtype=bool), balloon=COLUMNS, notes=(),
        credits=(Credit("test", "試験", "試験", "CC0", "", synthetic=True),),
        view=View(132.5, 33.5, 60_000.0),
    )  # fmt: skip
    return Part(layer, np.arange(prisms))


def make_names(count: int, seed: int) -> list[str]:
    """Names of up to 24 pieces: characters of all planes and what breaks other writers."""
    rng = random.Random(seed)  # noqa: S311 - names, not secrets
    pools: tuple[Callable[[], str], ...] = (
        lambda: chr(rng.randrange(0x110000)),
        lambda: chr(rng.randrange(0x10000)),
        lambda: chr(rng.randrange(0x80)),
        lambda: chr(rng.randrange(0x3040, 0x9FFF)),
        lambda: rng.choice(SPECIAL),
    )
    return ["".join(rng.choice(pools)() for _ in range(rng.randrange(25))) for _ in range(count)]


def cleaned(name: str) -> tuple[str, int]:
    """What a reader of XML must see, character by character, and how much was replaced."""
    kept = [chr(0xFFFD) if ord(c) in FORBIDDEN else c for c in name]
    return "".join(kept), sum(ord(c) in FORBIDDEN for c in name)


class Strict:
    """Every name, description and id of a document, and all its elements and attributes."""

    def __init__(self, text: bytes) -> None:
        self.tags: dict[str, int] = {}
        self.attributes: set[str] = set()
        self.found: dict[str, list[str]] = {"name": [], "description": [], "value": []}
        self._text: list[str] = []
        self._inside = False
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text.append
        parser.Parse(text, True)  # noqa: FBT003 - the only form it has

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._inside |= tag == "Placemark"
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes |= {f"{tag} {key}" for key in attributes}
        self._text.clear()

    def _end(self, tag: str) -> None:
        if self._inside and tag in self.found:
            self.found[tag].append("".join(self._text))
        self._inside &= tag != "Placemark"
        self._text.clear()


def failures(names: Sequence[str]) -> int:
    """Names that don't come back as they were meant, and whatever they added to a document."""
    part, plain = country(len(names), names), country(len(names), [NAME] * len(names))
    wanted, counts = zip(*map(cleaned, names), strict=True)
    texts = [b"".join(document([p], EARTH_PRO, legend="files/legend.png")) for p in (part, plain)]
    try:
        found, usual = map(Strict, texts)
    except expat.ExpatError:
        return len(names)
    wrong = sum(a != b for a, b in zip(found.found["name"], wanted, strict=True))
    wrong += found.tags != usual.tags or found.attributes != usual.attributes
    wrong += found.found["value"] != usual.found["value"]
    told = replaced_characters(part)
    ids = part.layer.features.index
    wrong += sum(told.get(own, 0) != count for own, count in zip(ids, counts, strict=True))
    pairs = zip(found.found["description"], usual.found["description"], wanted, strict=True)
    return wrong + sum(bad_balloon(*pair) for pair in pairs)


def bad_balloon(text: str, usual: str, name: str) -> bool:
    """Whether a balloon is anything but a plain name's with this name in its place, as text."""
    around = usual.split(NAME)
    said = text[len(around[0]) : text.find(around[1], len(around[0])) if around[1] else None]
    inert = not re.search("[<>\"']", said) and "$[" not in text
    return not inert or unescape(said) != name or said.join(around) != text

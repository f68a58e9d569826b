"""The legend as a picture: white, Japanese, readable on an old screen of 1024 x 768."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from futuremap.core.layer import Layer
from futuremap.export.kml.marks import fade_entries
from futuremap.export.kml.words import (
    WORDS,
    Group,
    colour_line,
    credit_lines,
    document_name,
    groups,
    has_flat,
    has_interval,
    has_reaches,
    height_line,
    height_name,
    notes,
    unit_of,
)
from futuremap.export.text import clean

FONT = ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf")
WIDTH = 380  # [pixels], like all lengths below
TALLEST = 690  # the screen less the browser's own bars
MARGIN = 12
INNER = WIDTH - 2 * MARGIN
GAP = 12
SWATCH = (28, 15)
BAR_WIDTH, BAR_HEIGHT = 26, 44
INK, PALE_INK, LINE, PAPER, ALARM = "#1a1a1a", "#4a4a4a", "#bdbdbd", "#ffffff", "#b00020"
BAR = "#607d8b"
PIECE = re.compile(r"[!-~]+|.")
NOT_FIRST = "、。，．）］」』】・ー～％"
RING_WIDTH = 2
SMALLEST = 9  # size of type


class Type(NamedTuple):
    """Size of type and distance of lines."""

    size: int
    line: int


TITLE, LONG_TITLE = Type(21, 28), Type(17, 23)
BODY, SMALL = Type(15, 20), Type(12, 15)
TITLE_LINES = 2


class Pen:
    """A page that is written from top to bottom.

    Parameters
    ----------
    page
        The picture.
    top
        Where the next line starts.
    """

    def __init__(self, page: Image.Image, top: int = MARGIN) -> None:
        self.draw = ImageDraw.Draw(page)
        self.top = top

    def write(
        self,
        text: str,
        kind: Type,
        *,
        left: int = MARGIN,
        width: int = INNER,
        ink: str = INK,
    ) -> None:
        """Write text in lines of a width."""
        for line in wrap(text, kind.size, width=width):
            self.draw.text((left, self.top), line, fill=ink, font=font(kind.size))
            self.top += kind.line


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The Japanese font that the program ships with."""
    package, name = FONT
    with as_file(files(package) / name) as path:
        # the basic engine sets type the same way on every machine
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def wrap(text: str, size: int, *, width: int) -> list[str]:
    """Lines that fit a width [pixels]; closing marks don't start a line.

    Examples
    --------
    >>> wrap("高さ：人口密度", 15, width=50)
    ['高さ：', '人口密', '度']
    """
    measure: Callable[[str], float] = font(size).getlength
    lines = [""]
    for piece in PIECE.findall(clean(text).replace("\n", " ")):
        # a word of Latin letters stays whole unless it is wider than the line
        for part in [piece] if measure(piece) <= width else piece:
            full = measure(lines[-1] + part) > width
            if full and lines[-1] and part not in NOT_FIRST:
                lines.append("")
            lines[-1] += part
    return [line.strip() for line in lines]


def legend_png(layers: Sequence[Layer], *, lang: str = "ja", fade: bool = False) -> bytes:
    """Legend of the states that stand in one file, as a PNG of the same bytes every time.

    Parameters
    ----------
    layers
        States of one theme.
    lang
        "ja" or "en".
    fade
        Whether shapes are drawn with `opacity`, which is explained then.
    """
    page = Image.new("RGB", (WIDTH, 4 * TALLEST), PAPER)
    pen = Pen(page)
    synthetic = any(layer.synthetic for layer in layers)
    title = document_name(layers, lang)
    long = len(wrap(title, TITLE.size, width=INNER)) > TITLE_LINES
    pen.write(title, LONG_TITLE if long else TITLE, ink=ALARM if synthetic else INK)
    pen.top += 4
    _classes(pen, groups(layers), lang)
    _heights(pen, layers, lang)
    _signs(pen, layers, lang)
    if fade:
        _fades(pen, groups(layers)[0], lang)
    _remarks(pen, layers, lang)
    height = min(pen.top + MARGIN, TALLEST)
    pen.draw.rectangle((0, 0, WIDTH - 1, height - 1), outline=LINE)
    out = io.BytesIO()
    page.crop((0, 0, WIDTH, height)).save(out, format="PNG")
    return out.getvalue()


def _classes(pen: Pen, found: Sequence[Group], lang: str) -> None:
    # two parts stand side by side, else the picture is taller than the screen
    count = min(len(found), 2)
    width = (INNER - (count - 1) * GAP) // count
    for first in range(0, len(found), count):
        top, ends = pen.top, []
        for place, group in enumerate(found[first : first + count]):
            pen.top = top
            left = MARGIN + place * (width + GAP)
            _class_column(pen, group, left=left, width=width, lang=lang)
            ends.append(pen.top)
        pen.top = max(ends) + 6


def _class_column(pen: Pen, group: Group, *, left: int, width: int, lang: str) -> None:
    for heading in group.headings:
        pen.write(heading.ja if lang == "ja" else heading.en, BODY, left=left, width=width)
    pen.write(colour_line(group.layer, lang), BODY, left=left, width=width)
    wide, high = SWATCH
    for label, hue in group.entries(lang):
        box = (left, pen.top + 4, left + wide, pen.top + 4 + high)
        pen.draw.rectangle(box, fill=hue, outline=LINE)
        pen.write(label, BODY, left=left + wide + 8, width=width - wide - 8)
        pen.top = max(pen.top, box[3] + 2)


def _heights(pen: Pen, layers: Sequence[Layer], lang: str) -> None:
    # the scale is the same for all states, so it stands once
    first, *others = groups(layers)
    pen.write(height_line(first.layer, lang), BODY)
    peak = max(_peak(layer) for layer in layers)
    if peak > 0:
        _bars(pen, first.layer, peak=peak, unit=unit_of(first.layer.height_field, lang))
    for group in others:
        pen.write(height_name(group.layer, lang), BODY)


def _fitting(text: str, size: int, *, width: int) -> int:
    """The largest size, up to one given, in which a text fits a width."""
    sizes = range(size, SMALLEST, -1)
    return next((s for s in sizes if font(s).getlength(text) <= width), SMALLEST)


def _signs(pen: Pen, layers: Sequence[Layer], lang: str) -> None:
    words, (wide, high) = WORDS[lang], SWATCH
    for text, holds in ((words.flat, has_flat), (words.ring, has_reaches)):
        if any(holds(layer) for layer in layers):
            box = (MARGIN, pen.top + 4, MARGIN + wide, pen.top + 4 + high)
            if holds is has_flat:
                pen.draw.rectangle(box, outline=PALE_INK)
            else:
                pen.draw.ellipse(box, outline=PALE_INK, width=RING_WIDTH)
            pen.write(text, BODY, left=box[2] + 8, width=INNER - wide - 8)
    if any(has_interval(layer) for layer in layers):
        pen.write(words.interval_place, BODY)
    pen.top += 6


def _fades(pen: Pen, group: Group, lang: str) -> None:
    pen.write(WORDS[lang].fade, BODY)
    ink = ImageColor.getrgb(group.entries()[-1][1])
    width = INNER // len(fade_entries())
    for place, (label, alpha) in enumerate(fade_entries(lang)):
        left = MARGIN + place * width
        pale = tuple(255 + (part - 255) * alpha // 255 for part in ink)
        box = (left, pen.top + 3, left + SWATCH[0], pen.top + 3 + SWATCH[1])
        pen.draw.rectangle(box, fill=pale, outline=LINE)
        pen.draw.text((box[2] + 5, pen.top + 2), label, fill=INK, font=font(SMALL.size))
    pen.top += BODY.line + 6


def _peak(layer: Layer) -> float:
    return float(layer.heights()[layer.shown].max(initial=0.0)) / layer.metres_per_unit


def _bars(pen: Pen, layer: Layer, *, peak: float, unit: str) -> None:
    power = 10.0 ** np.floor(np.log10(peak))
    largest = max(step * power for step in (1, 2, 5) if step * power <= peak)
    floor = pen.top + BAR_HEIGHT + 4
    room = INNER // 3 - BAR_WIDTH - 8
    kind = font(_fitting(f"{largest:,g} {unit}", SMALL.size + 1, width=room))
    for place, share in enumerate((1.0, 0.5, 0.25)):
        left = MARGIN + place * INNER // 3
        value = largest * share
        top = floor - round(BAR_HEIGHT * share)
        pen.draw.rectangle((left, top, left + BAR_WIDTH, floor), fill=BAR)
        for line, text in enumerate(
            (f"{value:,g} {unit}", f"{value * layer.metres_per_unit:,g} m")
        ):
            spot = (left + BAR_WIDTH + 6, floor - (2 - line) * (SMALL.line + 2))
            pen.draw.text(spot, text, fill=INK, font=kind)
    pen.top = floor + 6


def _remarks(pen: Pen, layers: Sequence[Layer], lang: str) -> None:
    words, said = WORDS[lang], notes(layers, lang)
    sources = [f"{words.source}{words.colon}{line}" for line in credit_lines(layers, lang)]
    room = TALLEST - MARGIN - 4 - pen.top
    # notes shrink before anything is cut; the description has all of it in any case
    credit_room = _length(sources, SMALL)
    kind = BODY if _length(said, BODY) + credit_room <= room else SMALL
    note_room = max(room - credit_room, room // 2)
    _write_within(pen, said, kind, room=note_room, ink=INK, more=words.more)
    pen.top += 4
    credit_room = TALLEST - MARGIN - pen.top
    _write_within(pen, sources, SMALL, room=credit_room, ink=PALE_INK, more=words.more)


def _length(texts: Iterable[str], kind: Type) -> int:
    return sum(len(wrap(text, kind.size, width=INNER)) for text in texts) * kind.line


def _write_within(
    pen: Pen,
    texts: Iterable[str],
    kind: Type,
    *,
    room: int,
    ink: str,
    more: str,
) -> None:
    lines = [line for text in texts for line in wrap(text, kind.size, width=INNER)]
    count = max(room // kind.line, 0)
    shown = lines if len(lines) <= count else [*lines[: count - 1], more][:count]
    for line in shown:
        pen.draw.text((MARGIN, pen.top), line, fill=ink, font=font(kind.size))
        pen.top += kind.line

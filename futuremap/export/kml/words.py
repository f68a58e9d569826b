"""Words of a layer: numbers, scale, names and the legend as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.classes import Classes
from futuremap.core.fields import Field
from futuremap.core.layer import Layer, Text
from futuremap.export.text import html_text, xml_text

MISSING = "—"
SYNTHETIC = Text("［合成データ］", "[synthetic data] ")
SCALE_SIGN = "＝"
SQUARE = "■"
SEPARATED = 1000  # from here on, numbers have separators


class Words(NamedTuple):
    """Fixed words of the legend in one language."""

    colour: str
    height: str
    size: str
    flat: str
    source: str
    colon: str
    joint: str


WORDS = {
    "ja": Words("色", "高さ", "の大きさ（増か減かは色）", "高さ0：輪郭だけ", "出典", "：", "・"),
    "en": Words(
        "Colour",
        "Height",
        ", size only (colour shows the sign)",
        "height 0: outline only",
        "Source",
        ": ",
        ", ",
    ),
}


def markup(html: str) -> str:
    """HTML of ours as text of an XML element."""
    return html.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Group(NamedTuple):
    """States that share height field, colour field and classes, hence one part of a legend."""

    layers: tuple[Layer, ...]

    @property
    def layer(self) -> Layer:
        """The first state, which speaks for all of them."""
        return self.layers[0]

    @property
    def headings(self) -> tuple[Text, ...]:
        """State and year of each."""
        return tuple(Text(layer.heading(), layer.heading("en")) for layer in self.layers)

    def entries(self, lang: str = "ja") -> list[tuple[str, str]]:
        """Label and colour of every class; the unknown one where any state has it."""
        return max((layer.entries(lang) for layer in self.layers), key=len)


class Cells(NamedTuple):
    """A column as text, for machines and for people."""

    machine: list[str]
    people: list[str]


def number_cells(field: Field, values: NDArray[np.float64]) -> Cells:
    """Numbers as text; people see separators unless they are years, and a dash for nothing.

    Examples
    --------
    >>> from futuremap.core.fields import field
    >>> number_cells(field("population"), np.array([1234.56, np.nan, -0.01])).people
    ['1,234.6', '—', '0.0']
    >>> number_cells(field("population"), np.array([1234.56, np.nan, -0.01])).machine
    ['1234.6', '', '0.0']
    >>> number_cells(field("opened"), np.array([1975.0])).people
    ['1975']
    """
    # adding zero makes the negative zero a plain one
    rounded = np.round(values, field.decimals) + 0.0
    # one format for the whole column is several times faster than one a value
    form = f"%.{field.decimals}f\n" * len(rounded)
    machine = (form % tuple(rounded.tolist())).split("\n")[:-1]
    people = machine.copy()
    large = np.zeros(0, dtype=int) if field.unit == "year" else np.abs(rounded) >= SEPARATED
    for row in np.flatnonzero(large).tolist():
        people[row] = f"{rounded[row]:,.{field.decimals}f}"
    for row in np.flatnonzero(np.isnan(rounded)).tolist():
        machine[row], people[row] = "", MISSING
    return Cells(machine, people)


def text_cells(values: pd.Series) -> Cells:
    """Text ready for its XML element."""
    found = texts(values)
    return Cells([xml_text(t) for t in found], [html_text(t) or MISSING for t in found])


def texts(values: pd.Series) -> list[str]:
    """A column of text; empty where there is none."""
    known = values.notna().tolist()
    return [str(v) if k else "" for v, k in zip(values.tolist(), known, strict=True)]


def scale(layer: Layer, lang: str = "ja") -> str:
    """The height scale, so that neither side is a fraction: ``10 人 ＝ 5 m``."""
    factor = 10.0 ** max(0, math.ceil(-math.log10(layer.metres_per_unit) - 1e-9))
    unit = layer.height_field.unit_ja if lang == "ja" else layer.height_field.unit_en
    count = f"{factor:,.0f} {unit}".rstrip()
    return f"{count} {SCALE_SIGN} {layer.metres_per_unit * factor:,.6g} m"


def height_name(layer: Layer, lang: str = "ja") -> str:
    """What the height says."""
    words, field = WORDS[lang], layer.height_field
    name = field.name_ja if lang == "ja" else field.name_en
    return f"{words.height}{words.colon}{name}{words.size if layer.state == 'change' else ''}"


def height_line(layer: Layer, lang: str = "ja") -> str:
    """What the height says and its scale."""
    return f"{height_name(layer, lang)} {scale(layer, lang)}"


def colour_line(layer: Layer, lang: str = "ja") -> str:
    """What the colour says and its unit."""
    return f"{WORDS[lang].colour}{WORDS[lang].colon}{layer.colour_field.label(lang)}"


def document_name(layers: Sequence[Layer], lang: str = "ja") -> str:
    """Place and theme; made-up data say so first."""
    index = 0 if lang == "ja" else 1
    place, title = layers[0].place[index], layers[0].title[index]
    name = title if place in title else f"{place} {title}"
    mark = SYNTHETIC[index]
    known = mark.strip("［］[] ") in name
    return f"{mark}{name}" if any(x.synthetic for x in layers) and not known else name


def groups(layers: Sequence[Layer]) -> list[Group]:
    """States that share a part of the legend, in order."""
    found: dict[tuple[str, str, bool, Classes], list[Layer]] = {}
    for layer in layers:
        fields = (layer.height_field.name, layer.colour_field.name, layer.state == "change")
        found.setdefault((*fields, layer.classes), []).append(layer)
    return [Group(tuple(same)) for same in found.values()]


def notes(layers: Sequence[Layer], lang: str = "ja") -> list[str]:
    """Notes of all layers, each once."""
    index = 0 if lang == "ja" else 1
    return list(dict.fromkeys(note[index] for layer in layers for note in layer.notes))


def credit_lines(layers: Sequence[Layer], lang: str = "ja") -> list[str]:
    """Credits of all layers, each once."""
    return list(dict.fromkeys(c.line(lang) for layer in layers for c in layer.credits))


class Line(NamedTuple):
    """A line of the legend; that of a class has its colour as ``#rrggbb``."""

    text: str
    colour: str = ""


def legend_lines(*layers: Layer, lang: str = "ja") -> list[Line]:
    """The legend line by line.

    Parameters
    ----------
    layers
        States of one theme.
    lang
        "ja" or "en".
    """
    words, index = WORDS[lang], 0 if lang == "ja" else 1
    lines = [Line(document_name(layers, lang))]
    for group in groups(layers):
        lines.append(Line(words.joint.join(heading[index] for heading in group.headings)))
        lines += [Line(height_line(group.layer, lang)), Line(colour_line(group.layer, lang))]
        lines += [Line(label, hue) for label, hue in group.entries(lang)]
    lines += [Line(note) for note in notes(layers, lang)]
    credits_ = credit_lines(layers, lang)
    return [*lines, *(Line(f"{words.source}{words.colon}{line}") for line in credits_)]


def legend_text(*layers: Layer, lang: str = "ja") -> list[str]:
    """The legend as plain lines, for clients that don't show its picture."""
    return [
        f"{SQUARE} {line.text}" if line.colour else line.text
        for line in legend_lines(*layers, lang=lang)
    ]


def legend_html(*layers: Layer, lang: str = "ja") -> str:
    """The legend as HTML inside XML, each class beside a square of its colour."""
    return markup("<br>").join(
        markup(f'<font color="{line.colour}">{SQUARE}</font> ') + html_text(line.text)
        if line.colour
        else html_text(line.text)
        for line in legend_lines(*layers, lang=lang)
    )

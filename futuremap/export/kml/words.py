"""Words of a layer: numbers, scale, names and the legend as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core.classes import Classes
from futuremap.core.fields import Field, describe
from futuremap.core.layer import Layer, Text
from futuremap.export.text import html_text, xml_text

MISSING = "—"
SYNTHETIC = Text("［合成データ］", "[synthetic data] ")
SQUARE = "■"
SEPARATED = 1000  # from here on, numbers have separators
LOWEST_M = 0.05  # heights are written in tenths of a metre: up to here they are written as none
BOUNDS = ("low", "high")


class Words(NamedTuple):
    """Fixed words of legends and balloons in one language."""

    colour: str
    height: str
    size: str
    flat: str
    source: str
    colon: str
    joint: str
    equals: str
    around: tuple[str, str]
    year: str
    to: str
    change: str
    interval: str
    interval_note: str
    interval_place: str
    ring: str
    fade: str
    course: str
    pyramid: str
    sexes: tuple[str, str]
    age: str
    longest: str
    imputed: str
    made_up: str
    more: str


WORDS = {
    "ja": Words(
        colour="色",
        height="高さ",
        size="の大きさ（増か減かは色）",
        flat="高さ0：輪郭だけ",
        source="出典",
        colon="：",
        joint="・",
        equals=" ＝ ",
        around=("（", "）"),
        year="%d年",
        to="～",
        change="増減",
        interval="80％区間",
        interval_note="80％区間：過去の推計誤差からみて80％の確率で収まる範囲",
        interval_place="将来の数の80％区間は吹き出しに",
        ring="地上の輪：施設の利用圏",
        fade="色の濃さ：80％区間の幅（人口比）",
        course="%sの推移",
        pyramid="男女・年齢別の人口",
        sexes=("男", "女"),
        age="歳",
        longest="いちばん長い棒＝%s人",
        imputed="%sの人口のうち%s％は、数えた値ではなく推計です（秘匿の補完・合算・合成）。",
        made_up="合成データ：例示のための数値を含みます。",
        more="（続きは文書の説明欄に）",
    ),
    "en": Words(
        colour="Colour",
        height="Height",
        size=", size only (colour shows the sign)",
        flat="height 0: outline only",
        source="Source",
        colon=": ",
        joint=", ",
        equals=" = ",
        around=(" (", ")"),
        year="%d",
        to="–",
        change="Change",
        interval="80 % interval",
        interval_note="80 % interval: as past errors of projections say, 8 in 10 fall into it",
        interval_place="80 % intervals of later years stand in the balloons",
        ring="Ring on the ground: reach of a facility",
        fade="Opacity: width of the 80 % interval",
        course="%s by year",
        pyramid="Population by sex and age",
        sexes=("male", "female"),
        age="age",
        longest="longest bar = %s persons",
        imputed="%s: %s %% of the people are estimated, not counted (filled in, merged, made up).",
        made_up="Synthetic data: holds numbers that were made up as an example.",
        more="(the description of the document has the rest)",
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


def name_of(field: Field, lang: str = "ja") -> str:
    """Name of a field as a reader sees it."""
    return field.name_ja if lang == "ja" else field.name_en


def unit_of(field: Field, lang: str = "ja") -> str:
    """Unit of a field as a reader sees it."""
    return field.unit_ja if lang == "ja" else field.unit_en


def year_of(year: int, lang: str = "ja") -> str:
    """A year as a reader sees it.

    Examples
    --------
    >>> year_of(2053), year_of(2053, "en")
    ('2053年', '2053')
    """
    return WORDS[lang].year % year


def scale(layer: Layer, lang: str = "ja") -> str:
    """The height scale, so that neither side is a fraction: ``10 人 ＝ 5 m``."""
    factor = 10.0 ** max(0, math.ceil(-math.log10(layer.metres_per_unit) - 1e-9))
    unit = unit_of(layer.height_field, lang)
    if factor == 1:
        unit = unit.replace("persons", "person")
    count = f"{factor:,.0f} {unit}".rstrip()
    return f"{count}{WORDS[lang].equals}{layer.metres_per_unit * factor:,.6g} m"


def height_name(layer: Layer, lang: str = "ja") -> str:
    """What the height says."""
    words, name = WORDS[lang], name_of(layer.height_field, lang)
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


def has_flat(layer: Layer) -> bool:
    """Whether it draws a shape without height."""
    return bool((layer.heights()[layer.shown] <= LOWEST_M).any())


def has_reaches(layer: Layer) -> bool:
    """Whether the reach of a shape can be drawn."""
    return layer.reaches is not None and any(reach is not None for reach in layer.reaches)


def interval_columns(layer: Layer, name: str, year: int) -> tuple[str, str] | None:
    """Columns of the lower and the upper end of a field's interval, if the layer has them."""
    low, high = (f"{name}_{bound}_{year}" for bound in BOUNDS)
    return (low, high) if {low, high} <= set(layer.features.columns) else None


def has_interval(layer: Layer) -> bool:
    """Whether any field that its balloon lists has an interval in any year."""
    found = (describe(column) for column in layer.balloon)
    return any(year and interval_columns(layer, field.name, year) for field, year in found)


def remarks(layers: Sequence[Layer], lang: str = "ja") -> list[str]:
    """What the marks on the map mean that neither height nor colour explains."""
    words = WORDS[lang]
    known = {
        words.flat: has_flat,
        words.ring: has_reaches,
        words.interval_place: has_interval,
    }
    return [text for text, holds in known.items() if any(holds(layer) for layer in layers)]


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
    lines += [Line(text) for text in (*remarks(layers, lang), *notes(layers, lang))]
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

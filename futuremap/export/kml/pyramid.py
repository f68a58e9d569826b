"""Population pyramids of a balloon: two years side by side, as plain HTML."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from futuremap.core.fields import field
from futuremap.core.layer import Pyramids
from futuremap.export.kml.series import TIGHT, bar, percents
from futuremap.export.kml.words import WORDS, markup, number_cells, year_of
from futuremap.export.text import html_text

Rows = NDArray[np.intp]
SIDES = (("right", "#2c7bb6"), ("left", "#e08214"))  # males to the left, females to the right
SIDE_WIDTH, AGE_WIDTH = 62, 42  # [pixels]
READABLE = 'style="font-size:10px;line-height:11px"'
NUMBER = re.compile(r"[0-9]+")


def pyramid_cells(pyramids: Pyramids, rows: Rows, *, lang: str = "ja") -> list[str]:
    """Pyramids of some shapes, as HTML inside XML; both years share the shape's own scale.

    Parameters
    ----------
    pyramids
        Persons ``(2, N, 2, A)`` in two years.
    rows
        The shapes ``(F,)``.
    lang
        "ja" or "en".
    """
    people = pyramids.people[:, rows]
    peak = people.max(axis=(0, 2, 3), initial=0.0)
    widths = percents(people, peak[None, :, None, None])
    # a line of HTML is an age, the oldest first: males and females of one year, then of the other
    lines = widths.transpose(1, 3, 0, 2)[:, ::-1].reshape(len(rows), -1)
    longest = number_cells(field("population"), peak).people
    block = _block(pyramids, lang)
    return [block % (*line, text) for line, text in zip(lines.tolist(), longest, strict=True)]


def age_label(name: str) -> str:
    """Name of an age group in as few letters as a balloon has room for, in any language.

    Examples
    --------
    >>> age_label("0～4歳"), age_label("85歳以上"), age_label("85+")
    ('0-4', '85+', '85+')
    """
    found = NUMBER.findall(name)
    if not found:
        return name
    return "-".join(found) if len(found) > 1 else f"{found[0]}+"


def _block(pyramids: Pyramids, lang: str) -> str:
    words = WORDS[lang]
    first, later = (year_of(year, lang) for year in pyramids.years)
    sexes = "".join(
        f'<td align="{side}" width="{SIDE_WIDTH}">'
        f'<font color="{colour}">&nbsp;{sex}&nbsp;</font></td>'
        for (side, colour), sex in zip(SIDES, words.sexes, strict=True)
    )
    bars = "".join(
        f'<td width="{SIDE_WIDTH}">{bar(colour, side=side)}</td>' for side, colour in SIDES
    )
    age = f'<td align="center" width="{AGE_WIDTH}" nowrap {READABLE}>'
    ages = "".join(
        f"<tr>{bars}{age}{_escaped(age_label(name))}</td>{bars}</tr>"
        for name in reversed(pyramids.ages)
    )
    head = (
        f'<tr><td colspan="2" align="center">{first}</td><td></td>'
        f'<td colspan="2" align="center">{later}</td></tr>'
        f'<tr>{sexes}<td align="center" width="{AGE_WIDTH}">{words.age}</td>{sexes}</tr>'
    )
    table = (
        f'<table cellspacing="0" cellpadding="0" {READABLE}>{head}</table>'
        f'<table cellspacing="0" cellpadding="0" {TIGHT}>{ages}</table>'
    )
    return markup(f"<b>{words.pyramid}</b>{table}<small>{words.longest}</small>")


def _escaped(name: str) -> str:
    # names of ages come from a layer; escaped for HTML here, for XML by markup with the rest
    return html_text(name).replace("&amp;", "&").replace("%", "%%")

"""What the linter looks for in texts: running content, links, scales, wrong encodings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Literal

TAG = re.compile(r"<[^>]*>?")
RUNNING = re.compile(
    r"</?\s*(?:script|iframe|object|embed|form|meta|link|style|svg|base)\b|\son\w+\s*=",
    re.IGNORECASE,
)
LINK = re.compile(
    r"""\b(?:href|src|action|background|poster)\s*=\s*["']?([^"'>\s]*)""", re.IGNORECASE
)
STYLE_LINK = re.compile(r"""url\(\s*["']?([^"')\s]*)""", re.IGNORECASE)
SCHEME = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|//|\\\\)", re.IGNORECASE)
PLACEHOLDER = re.compile(r"\$\[([^\]$]{0,200})\]")
HEIGHTS = {"高さ：": " ＝ ", "Height: ": " = "}  # start of the line -> what stands between
# the numbers and units are short; without the bounds a hostile text takes hours
LEFT = re.compile(r"([\d,.]{1,20}) ?[^\s\d]{0,30}$")
RIGHT = re.compile(r"([\d,.]{1,20}) m\b")
REPLACED = "\N{REPLACEMENT CHARACTER}"
# UTF-8 of Japanese read as Shift_JIS: 縺, 繧, 繝 lead its syllables; read as Latin-1: ã
SHIFTED, LATIN = re.compile("[縺繧繝]"), re.compile("[ãäåæçèé][\x80-\x9f]")
LEAST_SHIFTED, SHARE_SHIFTED = 3, 0.05


def tag_fault(tag: str) -> Literal["running", "remote"] | None:
    """What is wrong with a tag of a balloon.

    Examples
    --------
    >>> tag_fault('<td align="right">'), tag_fault("<a href=//x.jp>"), tag_fault("<script")
    (None, 'remote', 'running')
    """
    if RUNNING.search(tag) or not tag.endswith(">"):
        return "running"
    links = [*LINK.findall(tag), *STYLE_LINK.findall(unescape(tag))]
    return "remote" if any(SCHEME.match(unescape(link)) for link in links) else None


def scales(html: str) -> Iterator[str]:
    """Height scales that a text prints. [m of one unit, nine digits]

    Examples
    --------
    >>> list(scales("町<br>高さ：人口密度 10 人/ha ＝ 5 m<br>色：")), list(scales("Height: 5 m"))
    (['0.5'], [])
    """
    for line in html.split("<br>"):
        for start, between in HEIGHTS.items():
            left, found, right = line.partition(between)
            if not (found and line.startswith(start)):
                continue
            units, metres = LEFT.search(left[-60:]), RIGHT.match(right)
            if units and metres and (size := _number(units[1])) > 0:
                yield f"{_number(metres[1]) / size:.9g}"


def misread(text: str) -> str:
    """The part of a text that was read in a wrong encoding, empty if none is seen.

    Examples
    --------
    >>> misread("縺薙縺ｧ縺"), misread("もつれる（縺れる）")
    ('縺薙縺ｧ縺', '')
    """
    shifted = len(SHIFTED.findall(text))
    if shifted >= LEAST_SHIFTED and shifted > SHARE_SHIFTED * len(text):
        return text[:40]
    latin = LATIN.search(text)
    place = text.find(REPLACED) if latin is None else latin.start()
    return text[max(0, place - 20) : place + 20] if place >= 0 else ""


def _number(text: str) -> float:
    digits = text.replace(",", "")
    return float(digits) if digits.count(".") < 2 and digits.strip(".") else 0.0  # noqa: PLR2004

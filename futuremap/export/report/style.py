"""Type, colours and settings of the report's drawings; our own font on every machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.ticker import FuncFormatter

FONT = ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf")
FAMILY = "futuremap-jp"  # a name of our own, so that no other file of the same font is taken
INK, PALE, RULE, GROUND, ALARM = "#1b1b1b", "#444444", "#bbbbbb", "#eeeeee", "#8c1020"
MALE, FEMALE = "#2c7bb6", "#e08214"
NOW, FUTURE = "#2166ac", "#b2182b"
SALT = "futuremap"  # of the ids in SVG, which are random otherwise
SETTINGS: dict[Any, Any] = {
    "font.family": [FAMILY],
    "font.size": 8.0,
    "text.parse_math": False,  # a dollar sign in a name is one
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": False,
    "xtick.color": PALE,
    "ytick.color": PALE,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "svg.hashsalt": SALT,
    "svg.fonttype": "none",
    "pdf.compression": 6,
    "path.simplify": False,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Our settings while the report is drawn; the reader's own are put back afterwards."""
    with as_file(files(FONT[0]) / FONT[1]) as path:
        entry = font_manager.FontEntry(fname=str(path), name=FAMILY, weight=400, size="scalable")
        known = font_manager.fontManager.ttflist
        known.append(entry)
        try:
            with mpl.rc_context(), warnings.catch_warnings():
                # a box stands for a character that the font has not
                warnings.filterwarnings("ignore", message="Glyph .* missing from font")
                mpl.rcdefaults()
                mpl.rcParams.update(SETTINGS)
                yield
        finally:
            known.remove(entry)


def whole_numbers() -> FuncFormatter:
    """Tick labels with thousands separators; what stands below zero for the drawing is positive."""
    return FuncFormatter(lambda value, _: f"{abs(value):,.0f}")

"""Marks of doubt: numbers that were not counted, and opacity by the width of the interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from futuremap.core.classes import between
from futuremap.core.fields import describe
from futuremap.core.layer import Layer
from futuremap.export.kml.words import WORDS, interval_columns, markup, number_cells, year_of

Rows = NDArray[np.intp]
IMPUTED = "imputed_share"
WIDTHS = (25.0, 50.0)  # limits of the interval's width [% of the number itself]
ALPHAS = (255, 170, 96)  # of narrow, wide and very wide intervals


def imputed_cells(layer: Layer, rows: Rows, *, lang: str = "ja") -> list[str]:
    """What was not counted at some shapes, in words and as HTML inside XML; empty if nothing.

    Parameters
    ----------
    layer
        A state whose features have ``imputed_share``. [%]
    rows
        The shapes ``(F,)``.
    lang
        "ja" or "en".
    """
    values = layer.features[IMPUTED].iloc[rows].to_numpy(dtype=np.float64, na_value=np.nan)
    field = describe(IMPUTED)[0]
    texts = number_cells(field, values).people
    seen = np.round(np.nan_to_num(values), field.decimals) > 0
    words, year = WORDS[lang], year_of(layer.base_year, lang)
    return [
        markup(f"<br><small>{words.imputed % (year, text)}</small>") if some else ""
        for text, some in zip(texts, seen.tolist(), strict=True)
    ]


def opacity(layer: Layer) -> NDArray[np.intp] | None:
    """Opacity of every shape by the relative width of its 80 % interval, one of `ALPHAS`.

    The number is the first of the balloon that has an interval in the state's year; a density
    has the same relative width as the people it is made of.

    Returns
    -------
    ndarray or None
        0 (transparent) to 255 (opaque) ``(N,)``; shapes whose interval is not known are opaque.
        None where the state has no interval, as the base year has none.
    """
    for name in layer.balloon:
        field, year = describe(name)
        pair = interval_columns(layer, field.name, layer.year) if year == layer.year else None
        if pair is not None:
            value, low, high = (
                layer.features[column].to_numpy(dtype=np.float64, na_value=np.nan)
                for column in (name, *pair)
            )
            # no division: where nobody lives and nobody may live, nothing is in doubt
            steps = [100.0 * (high - low) > limit * value for limit in WIDTHS]
            return np.asarray(np.array(ALPHAS, dtype=np.intp)[np.sum(steps, axis=0)])
    return None


def fade_entries(lang: str = "ja") -> list[tuple[str, int]]:
    """Label and opacity of every class of intervals, for a legend.

    Examples
    --------
    >>> fade_entries("en")[0]
    ('under 25 %', 255)
    """
    classes = between(WIDTHS, "％", "%", ["#000000"] * len(ALPHAS))
    labels = classes.labels_ja if lang == "ja" else classes.labels_en
    return list(zip(labels, ALPHAS, strict=True))

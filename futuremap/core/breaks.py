"""Class limits found in the numbers (equal, quantile, natural), and colours for any count."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from futuremap.core.classes import SEED_HUES, Classes, between
from futuremap.core.fields import Field
from futuremap.errors import LabelError

Method = Literal["equal", "quantile", "natural"]
FUZZ = 1e-6  # of the last decimal: what a float misses its decimal number by
MOST_POINTS = 512  # of which natural breaks are sought; more values are thinned to as many
# matplotlib's viridis and cividis in nine steps, the pale end first: lightness falls evenly;
# the seed's own hues go from new (blue) to old (red)
PALETTES = {
    "viridis": (
        "#fde725", "#addc30", "#5ec962", "#28ae80", "#21918c", "#2c728e", "#3b528b", "#472d7b",
        "#440154",
    ),
    "cividis": (
        "#fee838", "#dec958", "#bcae6c", "#9b9476", "#7d7c78", "#61656f", "#434e6c", "#1a386f",
        "#00224e",
    ),
    "seed": SEED_HUES,
}  # fmt: skip


def limits(values: ArrayLike, count: int, *, method: Method) -> tuple[float, ...]:
    """Inner limits of classes of some numbers, ascending.

    Parameters
    ----------
    values
        Numbers; those that are not known are passed over.
    count
        How many classes are wanted; fewer are made where there are fewer different numbers.
    method
        "equal" steps, as many values in each class ("quantile"), or classes as alike inside as
        can be ("natural").

    Returns
    -------
    tuple of float
        At most ``count - 1`` limits; none where all values are the same. A value equal to a
        limit belongs to the class above it.

    Raises
    ------
    LabelError
        If `count` is below 1.

    Notes
    -----
    Natural breaks are Fisher's optimal partition by dynamic programming, of up to 512
    quantiles where there are more different values.

    References
    ----------
    W. D. Fisher (1958), "On grouping for maximum homogeneity".
    G. F. Jenks (1977), "Optimal data classification for choropleth maps".

    Examples
    --------
    >>> limits([0, 1, 2, 10, 11, 50], 3, method="natural")
    (10.0, 50.0)
    >>> limits([0, 1, 2, 10, 11, 50], 2, method="quantile")
    (10.0,)
    >>> limits([0, 50], 5, method="equal"), limits([7, 7], 5, method="equal")
    ((10.0, 20.0, 30.0, 40.0), ())
    """
    if count < 1:
        raise LabelError(f"{count} classes")
    given = np.asarray(values, dtype=np.float64).ravel()
    known = np.sort(given[np.isfinite(given)])
    if not len(known) or known[0] == known[-1]:
        return ()
    found = _FINDERS[method](known, count)
    inside = np.unique(found[(found > known[0]) & (found <= known[-1])])
    return tuple(inside.tolist())


def classified(
    field: Field,
    values: ArrayLike,
    *,
    count: int,
    method: Method,
    palette: str = "viridis",
) -> Classes:
    """Classes of a field, with limits as round as its own decimals.

    Parameters
    ----------
    field
        What the numbers are.
    values
        All values that are to share these classes, in the unit that readers see.
    count, method
        As of :func:`limits`.
    palette
        A key of `PALETTES`.

    Raises
    ------
    LabelError
        If there is no such palette.

    Examples
    --------
    >>> from futuremap.core.fields import field
    >>> classified(field("population"), [0.0, 400.0], count=4, method="equal").labels_ja
    ('100人未満', '100～200人', '200～300人', '300人以上')
    """
    found = np.array(limits(values, count, method=method))
    step = 10.0**field.decimals
    # rounded down, so that a value that is a limit stays in the class above it
    rounded = np.unique(np.floor(found * step + FUZZ) / step)
    lowest = np.nanmin(np.append(np.asarray(values, dtype=np.float64), np.inf))
    return named(field, rounded[rounded > lowest], palette=palette)


def named(field: Field, found: ArrayLike, *, palette: str = "viridis") -> Classes:
    """Classes of a field between limits that are given, with one for what is not known.

    Raises
    ------
    LabelError
        If the limits do not ascend, or there is no such palette.

    Examples
    --------
    >>> from futuremap.core.fields import field
    >>> named(field("density"), []).labels_en
    ('all the same',)
    """
    inner = [float(limit) for limit in np.asarray(found, dtype=np.float64)]
    hues = colours(palette, len(inner) + 1)
    if inner:
        made = between(inner, field.unit_ja, field.unit_en, hues)
    else:
        made = Classes((), ("すべて同じ値",), ("all the same",), hues)
    return Classes(
        made.limits, made.labels_ja, made.labels_en, made.colours,
        unknown_ja="不明", unknown_en="unknown",
    )  # fmt: skip


def colours(palette: str, count: int) -> tuple[str, ...]:
    """Colours at even steps of a palette, the pale or new end first.

    Raises
    ------
    LabelError
        If there is no such palette.

    Examples
    --------
    >>> colours("viridis", 3), colours("viridis", 1)
    (('#fde725', '#21918c', '#440154'), ('#21918c',))
    >>> colours("seed", 4) == SEED_HUES
    True
    """
    if palette not in PALETTES:
        raise LabelError(f"no palette {palette!r}; there are {sorted(PALETTES)}")
    anchors = np.array([[int(hue[i : i + 2], 16) for i in (1, 3, 5)] for hue in PALETTES[palette]])
    at = np.linspace(0, len(anchors) - 1, count) if count > 1 else [(len(anchors) - 1) / 2]
    steps = np.arange(len(anchors))
    mixed = np.stack([np.interp(at, steps, part) for part in anchors.T], axis=1)
    return tuple("#{:02x}{:02x}{:02x}".format(*row) for row in np.rint(mixed).astype(int).tolist())


def _equal(known: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.linspace(known[0], known[-1], count + 1)[1:-1]


def _quantile(known: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    # a limit is a value itself, so that equal values never part
    place = np.ceil(np.arange(1, count) * len(known) / count).astype(int)
    return np.asarray(known[place.clip(max=len(known) - 1)])


def _natural(known: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    points, weight = np.unique(known, return_counts=True)
    if len(points) > MOST_POINTS:
        points, weight = np.unique(
            np.quantile(known, np.linspace(0, 1, MOST_POINTS), method="nearest"),
            return_counts=True,
        )
    starts = _fisher(points, weight.astype(np.float64), min(count, len(points)))
    return np.asarray(points[starts])


def _fisher(points: NDArray[np.float64], weight: NDArray[np.float64], count: int) -> list[int]:
    """First point of every class but the lowest, of the partition with least squares inside."""
    size = len(points)
    moved = points - points.mean()
    sums = [np.concatenate([[0.0], np.cumsum(weight * moved**power)]) for power in range(3)]
    low, high = np.arange(size)[:, None], np.arange(1, size + 1)[None, :]
    people, first, second = (total[high] - total[low] for total in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(high > low, second - first**2 / people, np.inf)  # of points low … high
    best, back = spread[0], np.zeros((count, size), dtype=np.intp)
    for k in range(1, count):
        # the last class starts at `low`; what lies below is parted best already
        total = np.concatenate([[np.inf], best[:-1]])[:, None] + spread
        back[k] = total.argmin(axis=0)
        best = total.min(axis=0)
    starts, end = [], size
    for k in range(count - 1, 0, -1):
        end = int(back[k, end - 1])
        starts.append(end)
    return starts[::-1]


_FINDERS = {"equal": _equal, "quantile": _quantile, "natural": _natural}

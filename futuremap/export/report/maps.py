"""Maps on paper: the classes and colours of a Layer, without its height."""

from __future__ import annotations

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from futuremap.core.layer import METRES_PER_DEGREE, Layer
from futuremap.export.report.style import GROUND, INK, PALE
from futuremap.export.text import clean

MARGIN = 0.03  # of the extent, around it
SIZES = (3.0, 90.0)  # smallest and largest point of a facility [pt²]
BAR_SHARE = 0.25  # of the width of the map, at most, that the scale bar takes
SPARSE = 0.05  # share of the extent that areas cover at least, to be drawn as areas
EDGED = 1500  # areas; more are drawn without white lines between them
Floats = NDArray[np.float64]


def draw_map(
    axes: Axes, layer: Layer, *, background: Layer | None = None, dots: bool = False
) -> None:
    """Draw a layer: areas in their colours, facilities as points as large as their reach.

    Parameters
    ----------
    axes
        Where to draw.
    layer
        What to draw.
    background
        Areas behind it, in pale grey.
    dots
        Whether areas become pixels in a vector file, which many small ones need.
    """
    shapes = layer.features.geometry.to_numpy()
    behind = (background or layer).features.geometry.to_numpy()
    if background is not None or layer.kind != "facility":
        _fill(axes, behind, GROUND, edge=None, dots=dots)
    if layer.kind == "facility":
        _points(axes, layer)
    elif is_sparse(layer):
        _named_dots(axes, layer)
    else:
        edge = "#ffffff" if len(shapes) < EDGED else None
        index = layer.class_index()
        for number, (_, colour) in enumerate(layer.classes.entries()):
            _fill(axes, shapes[layer.shown & (index == number)], colour, edge=edge, dots=dots)
    _frame(axes, behind[shapely.get_type_id(behind) >= 0])
    axes.set_title(layer.heading(), fontsize=10, loc="left", pad=4)


def legend(axes: Axes, layer: Layer, *, ncols: int = 1) -> None:
    """The classes of a layer, those of the map in Google Earth."""
    patches = [Patch(facecolor=colour, edgecolor=PALE, linewidth=0.4, label=label)
               for label, colour in layer.entries()]  # fmt: skip
    entry = layer.colour_field
    axes.legend(
        handles=patches,
        title=f"{entry.name_ja}（{entry.unit_ja}）" if entry.unit_ja else entry.name_ja,
        loc="center left",
        frameon=False,
        ncols=ncols,
        fontsize=8,
        title_fontsize=8.5,
        alignment="left",
    )
    axes.axis("off")


def compound(shapes: NDArray[np.object_]) -> Path | None:
    """All polygons as one path, outer rings one way round and holes the other; None of none.

    Examples
    --------
    >>> compound(np.array([shapely.box(0, 0, 1, 1)])).vertices.tolist()[0]
    [1.0, 0.0]
    """
    known = shapes[shapely.get_type_id(shapes) >= 0]
    parts = shapely.get_parts(known)
    rings = shapely.get_rings(shapely.orient_polygons(parts[shapely.get_type_id(parts) == 3]))  # noqa: PLR2004
    if not len(rings):
        return None
    points, ring = shapely.get_coordinates(rings, return_index=True)
    first = np.r_[True, ring[1:] != ring[:-1]]
    last = np.r_[first[1:], True]
    codes = np.full(len(points), Path.LINETO, dtype=Path.code_type)
    codes[first], codes[last] = Path.MOVETO, Path.CLOSEPOLY
    return Path(points, codes)


def _fill(
    axes: Axes, shapes: NDArray[np.object_], colour: str, *, edge: str | None, dots: bool
) -> None:
    path = compound(shapes)
    if path is None:
        return
    # without an edge of its own colour, hair lines show between neighbours
    patch = PathPatch(
        path,
        facecolor=colour,
        edgecolor=edge or colour,
        linewidth=0.25 if edge else 0.1,
        rasterized=dots,
        transform=axes.transData,
    )
    axes.add_artist(patch)  # add_patch would look for the extent of every single line


def _points(axes: Axes, layer: Layer) -> None:
    shown = np.flatnonzero(layer.shown)
    values = np.abs(layer.features[layer.height].to_numpy(dtype=np.float64)[shown])
    places = shapely.get_coordinates(layer.features.geometry.to_numpy()[shown])
    most = values.max(initial=0.0) or 1.0
    sizes = SIZES[0] + (SIZES[1] - SIZES[0]) * values / most
    palette = np.array([colour for _, colour in layer.classes.entries()], dtype=object)
    order = np.argsort(-sizes, kind="stable")  # small ones on top
    drawn = axes.scatter(
        places[order, 0],
        places[order, 1],
        s=sizes[order],
        c=palette[layer.class_index()[shown]][order].tolist(),
        linewidths=0.3,
        edgecolors="#ffffff",
        zorder=3,
    )
    assert isinstance(drawn, PathCollection)  # noqa: S101 - for the type checker


def _frame(axes: Axes, shapes: NDArray[np.object_]) -> None:
    west, south, east, north = shapely.total_bounds(shapes)
    shrink = np.cos(np.radians((south + north) / 2))
    wide, high = (east - west) * MARGIN, (north - south) * MARGIN
    axes.set_xlim(west - wide, east + wide)
    axes.set_ylim(south - 2 * high, north + high)
    axes.set_aspect(1 / shrink)
    axes.set_xticks([])
    axes.set_yticks([])
    width_m = (east - west) * METRES_PER_DEGREE * shrink
    length = bar_length(width_m * BAR_SHARE)
    degrees = length / METRES_PER_DEGREE / shrink
    y = south - high
    axes.plot([west, west + degrees], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt")
    shown = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"  # noqa: PLR2004
    axes.annotate(
        shown, (west + degrees, y), xytext=(3, 0), textcoords="offset points", va="center",
        fontsize=7,
    )  # fmt: skip
    axes.annotate(
        "北", (0.985, 0.985), xytext=(0, -24), xycoords="axes fraction",
        textcoords="offset points", ha="center", va="top", fontsize=7,
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "shrinkA": 0},
    )  # fmt: skip


def is_sparse(layer: Layer) -> bool:
    """Whether areas lie so far apart that they would be specks on paper."""
    shapes = layer.features.geometry.to_numpy()
    west, south, east, north = shapely.total_bounds(shapes)
    return bool(shapely.area(shapes).sum() < SPARSE * (east - west) * (north - south))


def _named_dots(axes: Axes, layer: Layer) -> None:
    frame = layer.features[layer.shown]
    index = layer.class_index()[layer.shown]
    palette = [colour for _, colour in layer.classes.entries()]
    places = shapely.get_coordinates(shapely.point_on_surface(frame.geometry.to_numpy()))
    axes.scatter(places[:, 0], places[:, 1], s=40, c=[palette[i] for i in index],
                 edgecolors=PALE, linewidths=0.5, zorder=3)  # fmt: skip
    for name, place in zip(frame["name"], places, strict=True):
        axes.annotate(
            clean(str(name)), tuple(place), xytext=(5, 0), textcoords="offset points",
            va="center", fontsize=6.5, parse_math=False,
        )  # fmt: skip


def is_tall(layer: Layer) -> bool:
    """Whether a map of a layer is higher than it is wide."""
    shapes = layer.features.geometry.to_numpy()
    west, south, east, north = shapely.total_bounds(shapes[shapely.get_type_id(shapes) >= 0])
    return bool(north - south > (east - west) * np.cos(np.radians((south + north) / 2)))


def bar_length(most: float) -> float:
    """A round length up to the most that there is room for. [m]

    Examples
    --------
    >>> bar_length(7300.0)
    5000.0
    """
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most))

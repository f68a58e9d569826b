"""Small layers for the tests of every exporter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from futuremap.core.classes import CHANGE_RATE, SEQUENTIAL, Classes
from futuremap.core.credits import Credit
from futuremap.core.layer import STATES, Layer, State, Text, View, view_of

BASE, LATER = 2020, 2050
AGEING = Classes(
    (20.0, 30.0, 40.0),
    ("20％未満", "20～30％", "30～40％", "40％以上"),
    ("under 20 %", "20 to 30 %", "30 to 40 %", "40 % and over"),
    SEQUENTIAL[4],
    unknown_ja="不明",
    unknown_en="unknown",
)
CHANGES = Classes(
    CHANGE_RATE.limits,
    CHANGE_RATE.labels_ja,
    CHANGE_RATE.labels_en,
    CHANGE_RATE.colours,
    unknown_ja="不明",
    unknown_en="unknown",
)
CREDIT = Credit("town", "架空町「人口」を加工して作成", "Made from Population (Town)", "CC BY 4.0")
MADE_UP = Credit("made_up", "例示用の数値", "Numbers made up", "CC0", synthetic=True)
COLUMNS: dict[State, tuple[str, str, Classes]] = {
    "now": (f"population_{BASE}", f"ageing_rate_{BASE}", AGEING),
    "future": (f"population_{LATER}", f"ageing_rate_{LATER}", AGEING),
    "change": (f"population_change_{LATER}", f"change_rate_{LATER}", CHANGES),
}
MakeLayer = Callable[..., Layer]


def squares(count: int) -> list[shapely.Geometry]:
    """Cells of a grid around 134°E 34°N."""
    wide = int(np.ceil(np.sqrt(count)))
    west, south = np.arange(count) % wide * 0.003, np.arange(count) // wide * 0.002
    return list(shapely.box(134 + west, 34 + south, 134.003 + west, 34.002 + south))


def features(
    shapes: Sequence[shapely.Geometry],
    *,
    now: Sequence[float] | None = None,
    later: Sequence[float] | None = None,
    names: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    ageing: Sequence[float] | None = None,
) -> gpd.GeoDataFrame:
    """Columns of all states of a theme."""
    n = len(shapes)
    before = np.linspace(100, 1000, n) if now is None else np.asarray(now, dtype=float)
    after = before * 0.6 if later is None else np.asarray(later, dtype=float)
    old = np.linspace(15, 45, n) if ageing is None else np.asarray(ageing, dtype=float)
    rate = np.divide(after - before, before, out=np.full(n, np.nan), where=before > 0)
    labels = pd.Index([f"z{i:06d}" for i in range(n)] if ids is None else ids, dtype=object)
    words = [f"{i}丁目" for i in range(n)] if names is None else names
    return gpd.GeoDataFrame(
        {
            # pandas' own text holds no lone surrogates
            "name": pd.Series(words, index=labels, dtype=object),
            "address": pd.Series(words, index=labels, dtype=object),
            f"population_{BASE}": before,
            f"population_{LATER}": after,
            f"population_change_{LATER}": after - before,
            f"ageing_rate_{BASE}": old,
            f"ageing_rate_{LATER}": old + 5,
            f"change_rate_{LATER}": 100 * rate,
        },
        index=labels,
        geometry=np.asarray(shapes, dtype=object),
        crs=6668,
    )


def build(
    state: State = "now",
    count: int = 6,
    *,
    shapes: Sequence[shapely.Geometry] | None = None,
    shown: Sequence[bool] | None = None,
    synthetic: bool = False,
    **changes: Any,
) -> Layer:
    """A layer of `count` squares, or of the shapes given.

    `now`, `later`, `names`, `ids` and `ageing` replace columns, all else parts of the layer.
    """
    drawn = squares(count) if shapes is None else list(shapes)
    columns = {"now", "later", "names", "ids", "ageing"} & changes.keys()
    frame = features(drawn, **{column: changes.pop(column) for column in columns})
    height, colour, classes = COLUMNS[state]
    parts: dict[str, Any] = {
        "theme": "town_blocks",
        "title": Text("町丁別人口", "Population by block"),
        "place": Text("架空町", "Sample Town"),
        "kind": "town_block",
        "state": state,
        "year": BASE if state == "now" else LATER,
        "base_year": BASE,
        "features": frame,
        "height": height,
        "colour": colour,
        "classes": classes,
        "metres_per_unit": 2.0,
        "shown": np.ones(len(drawn), dtype=bool)
        if shown is None
        else np.asarray(shown, dtype=bool),
        "balloon": (f"population_{BASE}", f"population_{LATER}", "address"),
        "notes": (Text("境界は近似", "Boundaries are approximations"),),
        "credits": (CREDIT, MADE_UP) if synthetic else (CREDIT,),
        "view": _view(drawn),
    }
    return Layer(**parts | changes)


def _view(shapes: Sequence[shapely.Geometry]) -> View:
    known = np.asarray([shape for shape in shapes if shape is not None], dtype=object)
    return view_of(known, np.ones(len(known)))


@pytest.fixture
def make_layer() -> MakeLayer:
    """Builder of small layers: ``make_layer("now", 6, names=[…])``."""
    return build


@pytest.fixture
def make_states() -> Callable[..., list[Layer]]:
    """Builder of now, future and change of one theme."""

    def states(count: int = 6, **changes: Any) -> list[Layer]:
        layers = [build(state, count, **changes) for state in STATES]
        return [replace(layer, features=layers[0].features) for layer in layers]

    return states

"""Now, the baseline's future, a scenario's future and their difference, drawn side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from futuremap.core.classes import DIFFERENCE_RATE
from futuremap.core.fields import column, describe
from futuremap.core.layer import Layer, Text, metres_per_unit
from futuremap.pipeline.draw import draw
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.scenarios import Comparison, Played

NOTHING_DONE = Text("何もしない将来", "If nothing is done")
DIFFERENCE = Text("何もしない将来との差", "Difference from doing nothing")
OTHER_CLASSES = Text(
    "違いのない種類の施設は、何もしない将来の図にあります。",
    "Classes in which nothing differs stand in the baseline's own map.",
)
FEWEST = 0.05  # persons; a smaller difference is not drawn
Floats = NDArray[np.float64]


class Measure(NamedTuple):
    """What a difference of a theme is made of: columns without their year."""

    people: str
    height: str
    difference: str
    height_difference: str
    rate: str


AREAS = Measure(
    "population", "density", "population_difference", "density_difference", "difference_rate"
)
REACH = Measure(
    "people_in_reach", "people_in_reach", "reach_difference", "reach_difference",
    "reach_difference_rate",
)  # fmt: skip


class SideBySide(NamedTuple):
    """One theme of one scenario.

    key
        The scenario.
    layers
        Now, the baseline's future, the scenario's future and their difference.
    """

    key: str
    layers: tuple[Layer, ...]

    def for_earth(self) -> list[Layer]:
        """Layers with anything to show, and of each number the two years that are compared.

        Facilities are those of the classes in which any differs. The baseline's own maps have
        all years and all classes.
        """
        layers = [layer for layer in self.layers if layer.shown.any()]
        last = self.layers[-1]
        years = (None, last.base_year, last.year)
        kept = last.features["facility_class"][last.shown].unique() if _is_reach(last) else ()
        return [_lean(layer, years, kept) for layer in layers]

    @property
    def differing(self) -> tuple[Layer, ...]:
        """The scenario's future and its difference, which share their features."""
        return self.layers[2:]


def _is_reach(layer: Layer) -> bool:
    return layer.kind == "facility"


def _lean(layer: Layer, years: Sequence[int | None], kept: Sequence[str]) -> Layer:
    columns = [
        name
        for name in layer.features.columns
        if name == layer.features.geometry.name or describe(name)[1] in years
    ]
    shown = layer.shown
    notes = layer.notes
    if _is_reach(layer):
        inside = layer.features["facility_class"].isin(kept).to_numpy()
        if (shown & ~inside).any():
            shown, notes = shown & inside, (*notes, OTHER_CLASSES)
    return replace(layer, features=layer.features[columns], shown=shown, notes=notes)


def side_by_side(comparison: Comparison) -> list[SideBySide]:
    """Every theme in which a scenario differs, all of them on one height scale.

    Parameters
    ----------
    comparison
        Baseline and scenarios.
    """
    base = {theme[0].theme: theme for theme in draw(comparison.baseline)}
    drawn = []
    for played in comparison.scenarios:
        changed = changed_themes(comparison.baseline, played.outcome)
        drawn += [
            _beside(base[theme[0].theme], theme, played)
            for theme in draw(played.outcome)
            if _kind(theme[0]) in changed and theme[0].theme in base
        ]
    scales = _scales(drawn)
    return [
        one._replace(
            layers=tuple(
                replace(layer, metres_per_unit=scales[layer.theme]) for layer in one.layers
            )
        )
        for one in drawn
    ]


def changed_themes(baseline: Outcome, outcome: Outcome) -> set[str]:
    """Which kinds of themes differ: "people", and "facility"."""
    kinds = set()
    for town, like in zip(outcome.towns, baseline.towns, strict=True):
        if town.blocks is not like.blocks:
            kinds.add("people")
        if town.reach is not like.reach:
            kinds.add("facility")
    return kinds


def _kind(layer: Layer) -> str:
    return "facility" if _is_reach(layer) else "people"


def _beside(base: Sequence[Layer], other: Sequence[Layer], played: Played) -> SideBySide:
    now, future, _ = base
    then, change = other[1:]
    setting = played.setting
    name = Text(setting.name, setting.name_en or setting.name)
    title = Text(f"{then.title.ja}：{name.ja}", f"{then.title.en}: {name.en}")
    measure = REACH if _kind(then) == "facility" else AREAS
    features = _with_difference(then, future, measure)
    year = then.year
    size = features[column(measure.difference, year)].to_numpy(dtype=np.float64)
    visible = np.nan_to_num(np.abs(size)) >= FEWEST
    balloon = (
        *then.balloon,
        column(measure.difference, year),
        column(measure.rate, year),
    )
    scenario = replace(
        then, title=title, features=features, balloon=balloon, scenario=name,
        scenario_key=played.key,
    )  # fmt: skip
    located = features.geometry.notna().to_numpy()
    shown = visible & located
    difference = replace(
        change,
        title=title,
        features=features,
        height=column(measure.height_difference, year),
        colour=column(measure.rate, year),
        classes=DIFFERENCE_RATE,
        balloon=balloon,
        shown=shown,
        notes=(*_notes(change, base), *_left_out(shown, located)),
        scenario=DIFFERENCE,
        scenario_key=played.key,
    )
    return SideBySide(
        played.key,
        (
            replace(now, title=title),
            replace(future, title=title, scenario=NOTHING_DONE),
            scenario,
            difference,
        ),
    )


def _notes(change: Layer, base: Sequence[Layer]) -> tuple[Text, ...]:
    # what all states of a theme say; what one left out is its own
    shared = set.intersection(*(set(layer.notes) for layer in base))
    return tuple(note for note in change.notes if note in shared)


def _left_out(shown: NDArray[np.bool_], located: NDArray[np.bool_]) -> tuple[Text, ...]:
    count = int((located & ~shown).sum())
    said = Text(
        f"何もしない将来と変わらない{count}か所は描いていません。",
        f"{count} places where nothing differs are left out.",
    )
    return (said,) if count else ()


def _with_difference(then: Layer, future: Layer, measure: Measure) -> gpd.GeoDataFrame:
    features, before = then.features.copy(), future.features
    year = then.year
    people, there = (
        frame[column(measure.people, year)].reindex(features.index).fillna(0.0).to_numpy(float)
        for frame in (features, before)
    )
    heights, lower = (
        frame[column(measure.height, year)].reindex(features.index).fillna(0.0).to_numpy(float)
        for frame in (features, before)
    )
    gap = people - there
    rate = np.divide(100 * gap, there, out=np.full_like(gap, np.nan), where=there > 0)
    features[column(measure.difference, year)] = gap
    features[column(measure.height_difference, year)] = heights - lower
    features[column(measure.rate, year)] = rate
    return features


def _scales(drawn: Sequence[SideBySide]) -> dict[str, float]:
    """One scale a theme for the baseline and all scenarios."""
    scales = {}
    for theme in dict.fromkeys(one.layers[0].theme for one in drawn):
        layers = [layer for one in drawn for layer in one.layers if layer.theme == theme]
        heights = [layer.features[layer.height].to_numpy(dtype=np.float64) for layer in layers]
        scales[theme] = metres_per_unit(heights, layers[0].view)
    return scales

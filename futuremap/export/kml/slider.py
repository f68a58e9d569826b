"""Every year of a theme in one file, for a client with a slider of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from futuremap.core.fields import describe
from futuremap.core.layer import Layer, Text
from futuremap.export.kml.document import (
    FOLDER_TAIL,
    HEAD,
    TAIL,
    head,
    heading,
    legend_overlay,
    look_at,
    styles,
)
from futuremap.export.kml.profiles import EXTENSION, Profile
from futuremap.export.kml.rings import size_of
from futuremap.export.kml.words import legend_html
from futuremap.export.kml.writer import Part, placemarks
from futuremap.export.text import xml_text
from futuremap.export.themes import FEWEST_SHOWN

MOVING_HEAD = HEAD.replace("<kml ", f'<kml xmlns:gx="{EXTENSION}" ')
HEADING = Text("{first}年から{last}年まで（スライダー）", "{first} to {last} (slider)")
LEFT_OUT = Text(
    "{year}年の図では、人がほとんどいないか、まだ開いていないか、座標がない{count}件を描いていません。",
    "{count} are not drawn for {year}: hardly anybody there, not yet open, or no coordinates.",
)
FEWEST_YEARS = 2


def year_layers(layers: Sequence[Layer]) -> list[Layer]:
    """The theme in every year whose height and colour its features know, earliest first.

    Parameters
    ----------
    layers
        States of one theme; without its present and a future there are no years.
    """
    ends = {layer.state: layer for layer in layers}
    if not {"now", "future"} <= ends.keys():
        return []
    now, last = ends["now"], ends["future"]
    found = {now.year: now, last.year: last}
    for year in _years(last):
        if now.year < year < last.year:
            height, colour = (f"{describe(c)[0].name}_{year}" for c in (last.height, last.colour))
            found[year] = replace(
                last,
                year=year,
                height=height,
                colour=colour,
                shown=_shown(now, last, year),
                notes=now.notes[: _shared(now, last)],
            )
    return [found[year] for year in sorted(found)]


def _years(layer: Layer) -> list[int]:
    known = [describe(column) for column in layer.features.columns.drop("geometry")]
    years = [
        {year for field, year in known if field == wanted and year is not None}
        for wanted in (layer.height_field, layer.colour_field)
    ]
    return sorted(years[0] & years[1])


def _shown(now: Layer, last: Layer, year: int) -> NDArray[np.bool_]:
    """What stands in a year between: what always does, and what has come by then or not yet gone.

    The rules of the themes: facilities stand from the year in which they open, areas while
    anybody lives there.
    """
    features, people, open_ = last.features, f"population_{year}", f"in_service_{year}"
    if open_ in features:  # only where facilities open or close
        there = features[open_].to_numpy(dtype=np.float64) == 1
    elif "opened" in features:
        there = ~(features["opened"].to_numpy(dtype=np.float64) > year)
    elif people in features:
        there = features[people].to_numpy(dtype=np.float64) >= FEWEST_SHOWN
    else:
        return now.shown & last.shown
    return np.asarray((now.shown | last.shown) & there)


def _shared(now: Layer, last: Layer) -> int:
    # what is left out is counted for a year of its own; such notes stand behind the common ones
    same = [one == other for one, other in zip(now.notes, last.notes, strict=False)]
    return same.index(False) if False in same else len(same)


def _of_its_year(layer: Layer) -> Layer:
    """A layer whose balloons hold no other year: the slider itself shows how it goes on."""
    own = [*layer.balloon, layer.height, layer.colour, "imputed_share"]
    kept = [
        name
        for name in dict.fromkeys(own)
        if name in layer.features and describe(name)[1] in (None, layer.year)
    ]
    return replace(
        layer,
        features=layer.features[list(dict.fromkeys(["name", *kept, "geometry"]))],
        balloon=tuple(name for name in kept if name != "imputed_share"),
        pyramids=None,
    )


def year_parts(layers: Sequence[Layer], profile: Profile) -> list[Part]:
    """As many years as the client takes in one file, evenly chosen; the first and last always.

    Parameters
    ----------
    layers
        States of one theme.
    profile
        The client.
    """
    found = [_of_its_year(layer) for layer in year_layers(layers)]
    years = [Part(layer, np.flatnonzero(layer.shown)) for layer in found]
    for step in range(1, len(years)):
        chosen = [*years[:-1:step], years[-1]]
        features, vertices = size_of(chosen, with_rings=False)
        if features + len(chosen) <= profile.max_features and vertices <= profile.max_vertices:
            return chosen
    return []


def slider(parts: Sequence[Part], *, legend: str, lang: str = "ja") -> Iterator[bytes]:
    """A document in which a slider of time chooses the year, in pieces of UTF-8.

    Parameters
    ----------
    parts
        A theme in two years or more, earliest first.
    legend
        Path of the legend's picture inside the KMZ.
    lang
        "ja" or "en".
    """
    years = [part.layer.year for part in parts]
    name = HEADING[lang != "ja"].format(first=years[0], last=years[-1])
    # a slider that starts as wide as all years would show all of them at once
    day = "<gx:TimeSpan><begin>{0}-01-01</begin><end>{0}-01-02</end></gx:TimeSpan>"
    view = look_at(parts[0].layer.view, extension=day.format(years[0]))
    ends = [parts[0], parts[-1]]  # the years between have the same height and colours
    yield head(ends, view, start=MOVING_HEAD, name=name, lang=lang).encode()
    yield from ("".join(styles(part, lang)).encode() for part in parts)
    yield legend_overlay(legend, lang).encode()
    yield (
        f'<Folder id="folder-years"><name>{xml_text(name)}</name><visibility>1</visibility>'
        "<open>1</open><description>"
        f"{legend_html(*(part.layer for part in ends), lang=lang)}</description>{view}\n"
    ).encode()
    for part, span in zip(parts, _spans(years), strict=True):
        yield (
            f'<Folder id="year-{part.layer.year}"><name>{xml_text(heading(part, lang))}</name>'
            f"<visibility>1</visibility><open>0</open>{_left_out(part, lang)}{span}\n"
        ).encode()
        yield from placemarks(part, visible=True, lang=lang)
        yield FOLDER_TAIL.encode()
    yield f"{FOLDER_TAIL}{TAIL}".encode()


def _left_out(part: Part, lang: str) -> str:
    count = len(part.layer.features) - len(part.rows)
    said = LEFT_OUT[lang != "ja"].format(year=part.layer.year, count=count)
    return f"<description>{said}</description>" if count else ""


def _spans(years: Sequence[int]) -> list[str]:
    """From each year to the second before the next one, so that no two meet."""
    after = 2 * years[-1] - years[-2] if len(years) >= FEWEST_YEARS else years[-1] + 1
    return [
        f"<TimeSpan><begin>{begin}-01-01T00:00:00Z</begin>"
        f"<end>{end - 1}-12-31T23:59:59Z</end></TimeSpan>"
        for begin, end in pairwise([*years, after])
    ]

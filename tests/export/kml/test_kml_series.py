"""Bars by year."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from futuremap.export.kml.series import series_cells, series_of


@pytest.fixture
def yearly(make_layer):
    def build(state="future", **columns):
        layer = make_layer(state, 2, now=[100.0, 0.0], later=[50.0, 0.0])
        added = {"population_2035": [80.0, np.nan], **columns}
        return replace(layer, features=layer.features.assign(**added))

    return build


def bars(layer, row=0, *, lang="ja"):
    series = series_of(layer)
    return unescape(series_cells(layer, series, np.array([row]), lang=lang)[0])


def widths(html):
    return [int(width) for width in re.findall(r'<hr [^>]*width="(\d+)%"', html)]


def test_two_years_are_no_series(make_layer):
    assert series_of(make_layer()) is None


def test_it_is_the_first_number_of_the_balloon_with_three_years(yearly):
    found = series_of(yearly())
    assert (found.field.name, found.years) == ("population", (2020, 2035, 2050))


def test_changes_are_no_series(make_layer):
    layer = make_layer()
    added = {f"population_change_{year}": [0.0] * 6 for year in (2030, 2040)}
    frame = layer.features.assign(**added)
    assert series_of(replace(layer, features=frame, balloon=tuple(added))) is None


def test_bars_are_as_long_as_their_share_of_the_longest(yearly):
    html = bars(yearly())
    assert widths(html) == [100, 80, 50]
    assert re.findall(r"<td>(\d{4})</td>", html) == ["2020", "2035", "2050"]
    assert re.findall(r"nowrap>(?:&nbsp;|\xa0)([\d.]+)", html) == ["100.0", "80.0", "50.0"]


def test_nobody_and_nothing_known_have_no_bar(yearly):
    html = bars(yearly(), 1)
    assert widths(html) == [0, 0, 0]
    assert "—" in html


def test_the_interval_is_a_line_from_end_to_end(yearly):
    bounds = {"population_low_2050": [20.0, 0.0], "population_high_2050": [200.0, 0.0]}
    html = bars(yearly(**bounds))
    assert widths(html) == [50, 40, 25]
    assert re.findall(r'<td width="(\d+)%"', html) == ["10", "90"]
    assert "（20.0～200.0）" in html
    assert " (20.0–200.0)" in bars(yearly(**bounds), lang="en")


@pytest.mark.parametrize(("state", "dark"), [("future", [2]), ("now", [0]), ("change", [0, 2])])
def test_the_years_of_the_state_are_darker(yearly, state, dark):
    colours = re.findall(r'<hr [^>]*color="(#\w+)"', bars(yearly(state)))
    assert [place for place, colour in enumerate(colours) if colour == "#455a64"] == dark

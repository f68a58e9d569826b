"""Opacity by the width of the interval."""

from dataclasses import replace

import numpy as np

from futuremap.export.kml.marks import ALPHAS, fade_entries, opacity


def with_interval(layer, low, high):
    ends = {"population_low_2050": low, "population_high_2050": high}
    return replace(layer, features=layer.features.assign(**ends))


def test_wide_intervals_are_pale(make_layer):
    layer = make_layer("future", 5, now=[1.0] * 5, later=[100.0, 100.0, 100.0, 0.0, 100.0])
    found = opacity(
        with_interval(layer, [90.0, 80.0, 40.0, 0.0, np.nan], [110.0, 120.0, 100.0, 0.0, np.nan])
    )
    # a fifth, two fifths and three fifths of the people; nobody; not known
    assert found.tolist() == [ALPHAS[0], ALPHAS[1], ALPHAS[2], ALPHAS[0], ALPHAS[0]]


def test_what_was_counted_and_what_has_no_interval_is_not_faded(make_layer):
    ends = ([1.0] * 6, [2.0] * 6)
    assert opacity(with_interval(make_layer("now"), *ends)) is None
    assert opacity(make_layer("future")) is None
    assert opacity(with_interval(make_layer("future"), *ends)) is not None


def test_entries_name_every_opacity_once():
    assert [alpha for _, alpha in fade_entries()] == list(ALPHAS)
    assert [label for label, _ in fade_entries()] == ["25％未満", "25～50％", "50％以上"]

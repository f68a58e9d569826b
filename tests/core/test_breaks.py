"""Class limits found in numbers, and palettes whose lightness keeps the order."""

from itertools import combinations

import numpy as np
import pytest

from futuremap.core.breaks import MOST_POINTS, PALETTES, classified, colours, limits, named
from futuremap.core.fields import field
from futuremap.errors import LabelError

RNG = np.random.default_rng(5)


def spread(values, found):
    """Sum of squares inside the classes."""
    part = np.searchsorted(found, values, side="right")
    return sum(((values[part == k] - values[part == k].mean()) ** 2).sum() for k in np.unique(part))


@pytest.mark.parametrize("seed", range(8))
def test_natural_breaks_are_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    values = np.sort(rng.choice([rng.normal(0, 1, 12), rng.gamma(0.5, 30, 12)]))
    count = 2 + seed % 3
    best = min(spread(values, values[list(cut)]) for cut in combinations(range(1, 12), count - 1))
    assert spread(values, limits(values, count, method="natural")) == pytest.approx(best)


def test_many_values_are_thinned_and_still_parted_well():
    values = np.concatenate([RNG.normal(at, 1, 4000) for at in (0, 50, 90)])
    assert len(values) > MOST_POINTS
    low, high = limits(values, 3, method="natural")
    assert 5 < low < 50
    assert 55 < high < 90


def test_quantiles_hold_as_many_values_each():
    values = RNG.gamma(0.6, 40, 1000)
    found = limits(values, 4, method="quantile")
    counts = np.bincount(np.searchsorted(found, values, side="right"))
    assert counts.tolist() == [250] * 4


def test_equal_values_never_part():
    values = [0.0] * 90 + [1.0, 2.0, 3.0]
    for method in ("quantile", "natural", "equal"):
        found = limits(values, 5, method=method)
        assert all(0 < limit <= 3 for limit in found)
        assert np.all(np.diff(found) > 0)


@pytest.mark.parametrize("values", [[], [np.nan], [4.0], [4.0] * 9, [4.0, np.nan, 4.0]])
@pytest.mark.parametrize("method", ["quantile", "natural", "equal"])
def test_where_nothing_differs_there_is_one_class(values, method):
    assert limits(values, 5, method=method) == ()
    made = classified(field("density"), values, count=5, method=method)
    assert made.labels_ja == ("すべて同じ値",)
    assert made.index([4.0, np.nan]).tolist() == [0, 1]


def test_limits_are_as_round_as_the_field():
    made = classified(field("people_in_reach"), [0, 10.4, 99.9], count=4, method="equal")
    assert made.limits == (24.0, 49.0, 74.0)


def test_no_limit_is_rounded_to_where_nothing_lies_below():
    made = classified(field("people_in_reach"), [0, 0.4, 0.8, 9], count=4, method="natural")
    assert made.limits[0] > 0


def test_large_numbers_are_written_out():
    made = named(field("population"), [1_250_000, 2_500_000.5])
    assert made.labels_en[1] == "1,250,000 to 2,500,000.5 persons"


def lightness(hue):
    parts = np.array([int(hue[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("count", range(2, 10))
@pytest.mark.parametrize("palette", ["viridis", "cividis"])
def test_lightness_falls_from_class_to_class(palette, count):
    found = [lightness(hue) for hue in colours(palette, count)]
    assert np.all(np.diff(found) < 0)
    assert found[0] - found[-1] > 0.6


def test_a_palette_or_count_that_is_none_is_refused():
    with pytest.raises(LabelError, match="cividis"):
        colours("rainbow", 3)
    with pytest.raises(LabelError, match="0 classes"):
        limits([1, 2], 0, method="equal")
    assert set(PALETTES) == {"viridis", "cividis", "seed"}

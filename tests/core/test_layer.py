"""Classes, height scale and the Layer's own checks."""

import numpy as np
import pytest

from futuremap.core.classes import AGEING_RATE, CHANGE_RATE, SEQUENTIAL, SERVICE_YEARS, Classes
from futuremap.core.fields import describe, dictionary
from futuremap.core.layer import View, metres_per_unit
from futuremap.errors import LabelError


def lightness(colour):
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * y ** (1 / 3) - 16


@pytest.mark.parametrize("colours", SEQUENTIAL.values())
def test_sequential_colours_darken_so_that_grey_prints_keep_the_order(colours):
    steps = np.diff([lightness(colour) for colour in colours])
    assert (steps < -8).all()


@pytest.mark.parametrize("classes", [SERVICE_YEARS, AGEING_RATE, CHANGE_RATE])
def test_a_limit_belongs_to_the_class_above(classes):
    below = np.nextafter(classes.limits, -np.inf)
    assert classes.index(classes.limits).tolist() == list(range(1, len(classes.limits) + 1))
    assert classes.index(below).tolist() == list(range(len(classes.limits)))


def test_the_seed_s_classes():
    assert SERVICE_YEARS.labels_ja == ("15年未満", "15～30年", "30～60年", "60年以上")
    assert SERVICE_YEARS.entries()[-1][0] == "不明"


def test_unknown_values_need_a_class():
    with pytest.raises(LabelError):
        AGEING_RATE.index([np.nan])
    with pytest.raises(LabelError):
        Classes((1.0,), ("a",), ("a",), ("#000000",))


@pytest.mark.parametrize("peak", [0.3, 7.0, 123.0, 25_000.0])
def test_the_tallest_is_between_a_tenth_and_a_quarter_of_the_view(peak):
    view = View(134.0, 34.0, 20_000.0)
    tallest = peak * metres_per_unit([np.array([-peak, 1e-3])], view)
    assert 0.1 * view.width_m <= tallest <= 0.25 * view.width_m * (1 + 1e-9)


def test_every_field_is_named_in_both_languages():
    for name, field in dictionary().items():
        assert field.name_ja, name
        assert field.name_en, name
        assert bool(field.unit_ja) >= bool(field.unit_en), name
    assert describe("people_in_reach_0_14_2053")[0].name == "people_in_reach_0_14"
    with pytest.raises(LabelError):
        describe("no_such_field_2020")

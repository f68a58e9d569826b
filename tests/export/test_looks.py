"""Looks: any indicator as height and colour, in classes that all states share."""

import numpy as np
import pytest
import shapely

from futuremap.core.ages import AgeGroups
from futuremap.core.classes import AGEING_RATE, CHANGE_RATE, SEED_HUES
from futuremap.core.credits import Credit
from futuremap.core.fields import dictionary
from futuremap.core.layer import Text, View
from futuremap.core.population import Population
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.export.details import brief, with_ground, with_pyramids, with_reaches
from futuremap.export.looks import COLOURS, HEIGHTS, POINTS, Look, has_change
from futuremap.export.themes import Place, area_layers
from futuremap.indicators.change import with_change
from futuremap.indicators.people import age_structure, density

IDS = [f"z{i}" for i in range(8)]
PLACE = Place(
    Text("架空町", "Town"), (2020, 2050), (Credit("c", "出典", "source", "CC0", ""),),
    View(133.0, 34.4, 5_000.0),
)  # fmt: skip


def people(*, later=0.7, empty=()):
    rng = np.random.default_rng(2)
    persons = rng.gamma(2.0, 30.0, (1, 8, 2, 4))
    persons[0, list(empty)] = 0.0
    both = np.concatenate([persons, persons * later])
    return Population.build(both, years=[2020, 2050], zones=IDS, ages=AgeGroups((0, 15, 65, 75)))


def layers(look, given=None):
    count = people() if given is None else given
    zones = Zones.build(
        IDS, shapely.box(133 + np.arange(8) * 0.01, 34.4, 133.01 + np.arange(8) * 0.01, 34.41),
        names=IDS, parents=["34204"] * 8, kind="town_block", plane_zone=3,
    )  # fmt: skip
    table = (
        with_change(age_structure(count).join(density(count, zones.areas())), look.height)
        if look.height != "density"
        else age_structure(count).join(density(count, zones.areas()))
    )
    return area_layers(
        [zones], table, theme="blocks", title=Text("図", "map"), place=PLACE, look=look
    )


@pytest.mark.parametrize("height", HEIGHTS["areas"])
@pytest.mark.parametrize("colour", COLOURS["areas"])
def test_any_indicator_gives_height_and_colour(height, colour):
    now, future, change = layers(Look(height, colour))
    assert (now.height, now.colour) == (f"{height}_2020", f"{colour}_2020")
    assert (future.height, future.colour) == (f"{height}_2050", f"{colour}_2050")
    assert now.classes == future.classes
    assert {now.metres_per_unit} == {future.metres_per_unit, change.metres_per_unit}
    assert "change" in change.height
    assert change.classes in (CHANGE_RATE, POINTS)
    tallest = max(layer.heights()[layer.shown].max() for layer in (now, future, change))
    assert 0.1 * 5_000 < tallest <= 0.25 * 5_000 * (1 + 1e-9)
    assert {f"{height}_2020", f"{colour}_2050"} <= set(now.balloon)


@pytest.mark.parametrize("names", [HEIGHTS["areas"], HEIGHTS["facilities"]])
def test_every_height_has_a_change_in_the_dictionary(names):
    for name in names:
        assert has_change(name)
        assert set(Look(name, name).changes()) <= set(dictionary())


def test_classes_are_of_all_years_shown():
    now, future, _ = layers(Look("population", "population", "quantile", class_count=4))
    both = np.concatenate([layer.features[layer.colour] for layer in (now, future)])
    counts = np.bincount(now.classes.index(both), minlength=4)
    assert counts.tolist() == [4, 4, 4, 4]


def test_limits_and_hues_may_be_given():
    now, *_ = layers(Look("density", "ageing_rate", "fixed", (10.0, 50.0), palette="cividis"))
    assert now.classes.limits == (10.0, 50.0)
    assert now.classes.labels_ja[1] == "10～50％"
    usual, *_ = layers(Look("density", "ageing_rate"))
    assert usual.classes == AGEING_RATE
    seed, *_ = layers(Look("density", "ageing_rate", palette="seed"))
    assert seed.classes.limits == AGEING_RATE.limits
    assert (seed.classes.colours[0], seed.classes.colours[-1]) == (SEED_HUES[0], SEED_HUES[-1])


def test_what_has_no_height_is_left_out_and_counted():
    # nobody is left of two blocks: their ageing rate is no number
    given = people(empty=[1])
    later = np.array(given.persons)
    later[1, 2] = 0.0
    count = Population.build(later, years=[2020, 2050], zones=IDS, ages=given.ages)
    now, future, change = layers(Look("ageing_rate", "density"), count)
    assert [int(layer.shown.sum()) for layer in (now, future, change)] == [7, 6, 6]
    (said,) = [note.ja for note in change.notes if "高さの値がない" in note.ja]
    assert said == "増減の図では、高さの値がない1件を描いていません。"


def test_all_equal_values_are_one_class():
    same = Population.build(
        np.full((2, 8, 2, 4), 5.0), years=[2020, 2050], zones=IDS, ages=AgeGroups((0, 15, 65, 75))
    )
    now, future, change = layers(Look("population", "population"), same)
    assert now.entries() == [("すべて同じ値", "#21918c")]
    assert len(set(now.heights().tolist())) == 1
    assert future.shown.all()
    assert change.heights().max() == 0


def test_pyramids_follow_the_order_of_the_features():
    given = people()
    now, *_ = with_pyramids(layers(Look("density", "ageing_rate")), given.only(IDS[::-1]))
    np.testing.assert_array_equal(now.pyramids.people[0], given.persons[0])
    np.testing.assert_array_equal(now.pyramids.people[1], given.persons[1])
    assert now.pyramids.years == (2020, 2050)
    with pytest.raises(LabelError, match="are not those"):
        with_pyramids(layers(Look("density", "ageing_rate")), given.only(IDS[1:]))


def test_reaches_stand_with_their_facility():
    shapes = np.array([shapely.Point(133, 34).buffer(0.01), None], dtype=object)
    now, *_ = with_reaches(layers(Look("density", "ageing_rate")), ["z3", "z1"], shapes)
    assert [shape is None for shape in now.reaches] == [True] * 3 + [False] + [True] * 4
    with pytest.raises(LabelError, match="does not hold all"):
        with_reaches(layers(Look("density", "ageing_rate")), ["x"], shapes[:1])


def test_ground_that_is_not_known_is_the_sea_and_counted():
    given = layers(Look("density", "ageing_rate"))
    altitude = np.array([5.0, np.nan, 7.0])
    now, *_ = with_ground(given, ["z0", "z1", "z2"], altitude)
    assert now.ground.tolist() == [5.0, 0.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert [note.ja for note in now.notes[-2:]] == [
        "屋根は水平です：高さは、区域の平均標高から測っています。",
        "標高データのない6区域は、海面（0 m）から測っています。",
    ]


def test_brief_balloons_keep_people_height_and_colour():
    now, *_ = brief(layers(Look("density", "ageing_rate")))
    names = {name.rpartition("_20")[0] for name in now.balloon}
    assert names == {"population", "density", "ageing_rate", "population_change", "change_rate"}

"""Bundles and schedules: who comes, and when a difference holds."""

import numpy as np
import pytest

from futuremap.config.scenario import Member, OwnBundle, When
from futuremap.core.ages import AgeGroups
from futuremap.errors import LabelError
from futuremap.scenario.bundles import known_bundles, presets, whole_numbers
from futuremap.scenario.schedule import at_ages, intensity

AGES = AgeGroups.five_year(open_age=85)


@pytest.mark.parametrize("key", presets())
def test_every_bundle_has_its_people_at_its_ages(key):
    bundle = presets()[key]
    people = bundle.by_age(AGES)
    assert people.sum() == pytest.approx(bundle.persons)
    assert bundle.name.ja
    assert bundle.name.en


def test_the_three_generations_are_those_of_the_prescription():
    family = presets()["fujiyama_30s"].by_age(AGES)
    assert family[0, 6] == family[1, 6] == 1.0
    assert family[:, 0].sum() == pytest.approx(1.0)
    assert presets()["fujiyama_20s"].by_age(AGES)[:, 4].tolist() == [1.0, 1.0]
    assert presets()["fujiyama_60s"].by_age(AGES)[:, 12].tolist() == [1.0, 1.0]


def test_own_bundles_go_first_and_are_known_by_name():
    own = OwnBundle(name="30代夫婦と子", members=[Member(age_from=30, age_to=34)])
    known = known_bundles({"mine": own})
    assert known["30代夫婦と子"].persons == 1.0
    assert known["mine"].name.en == "30代夫婦と子"
    assert known["family_30s"].persons == 3.0
    with pytest.raises(LabelError):
        known_bundles({"x": OwnBundle(name="x", members=[Member(age_from=9, age_to=3)])})[
            "x"
        ].by_age(AGES)


def test_a_difference_begins_lasts_and_fades():
    always = intensity(When(), base_year=2020, steps=2, width=5)
    assert always.tolist() == [[1.0] * 5, [1.0] * 5]
    late = intensity(When(from_year=2028), base_year=2020, steps=2, width=5)
    assert late.sum() == 3.0
    fading = intensity(When(to_year=2021, taper_years=4), base_year=2020, steps=2, width=5)
    np.testing.assert_allclose(fading.ravel()[:6], [1.0, 0.8, 0.6, 0.4, 0.2, 0.0])


def test_ages_inside_groups_count_in_part():
    assert at_ages(AGES, 6, 11)[1:3].tolist() == [0.8, 0.4]
    assert at_ages(AGES, 65, None).sum() == 5.0


@pytest.mark.parametrize("amount", [0.07, 0.31, 0.99, 1.0, 1.02, 2.51, 3.24, 17.3, 492.2])
def test_words_never_say_fewer_than_needed(amount):
    count, years = whole_numbers(amount)
    assert count / years >= amount - 1e-9
    assert count / years <= amount + 0.1 + amount / 10

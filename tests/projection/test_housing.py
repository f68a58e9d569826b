"""Known housing projects: who comes, who goes, and what is refused."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.rates import Rates
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.housing import (
    HousingProject,
    housing_migrants,
    in_mover_profile,
    settle,
)

ZONES = ("a", "b")
PEOPLE = np.array([[[10.0, 20.0, 30.0], [10.0, 20.0, 10.0]], np.zeros((2, 3))])
MOVERS = np.array([[1.0, 3.0, 0.0], [1.0, 3.0, 0.0]])


def migrants(*projects, start=2025, end=2030, profile=MOVERS):
    return housing_migrants(projects, PEOPLE, zones=ZONES, start=start, end=end, profile=profile)


def test_flats_bring_people_like_the_in_movers():
    net = migrants(HousingProject("b", 2027, dwellings=40, household_size=2.0, occupied_share=0.9))
    assert net[1].tolist() == (72 * MOVERS / 8).tolist()
    assert not net[0].any()


def test_a_profile_of_its_own():
    home = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 3.0]])
    net = migrants(HousingProject("b", 2027, persons=100, profile=home))
    assert net[1].tolist() == [[0, 0, 25], [0, 0, 75]]


def test_a_clearance_takes_from_all_who_live_there():
    net = migrants(HousingProject("a", 2030, persons=-50))
    assert net[0] == pytest.approx(-PEOPLE[0] / 2)
    everybody = migrants(HousingProject("a", 2030, dwellings=-50, household_size=2.0))
    assert everybody[0] == pytest.approx(-PEOPLE[0])
    assert (PEOPLE + everybody).min() >= 0


def test_each_project_belongs_to_one_step():
    project = HousingProject("a", 2025, persons=8)
    assert not migrants(project).any()
    assert migrants(project, start=2020, end=2025).sum() == pytest.approx(8)
    assert not migrants(HousingProject("a", 2026, persons=0)).any()


def test_a_clearance_then_flats():
    net = migrants(HousingProject("a", 2028, persons=80), HousingProject("a", 2026, persons=-100))
    assert (PEOPLE + net)[0] == pytest.approx(80 * MOVERS / 8)


def test_a_profile_by_zone():
    by_zone = np.stack([MOVERS, MOVERS[:, ::-1]])
    net = migrants(HousingProject("b", 2027, persons=8), profile=by_zone)
    assert net[1].tolist() == MOVERS[:, ::-1].tolist()


def test_more_than_live_there_cannot_go():
    with pytest.raises(DemographyError, match=r"in a, 2027: .* sex 0, age group 0, where 10 live"):
        migrants(HousingProject("a", 2027, persons=-101))
    elderly = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    with pytest.raises(DemographyError, match="sex 1, age group 2, where 10 live"):
        migrants(HousingProject("a", 2027, persons=-11, profile=elderly))
    with pytest.raises(DemographyError, match="in b, 2027"):
        migrants(HousingProject("b", 2027, persons=-1))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"dwellings": 3, "persons": 4},
        {"dwellings": 3},
        {"dwellings": 3, "household_size": 0},
        {"dwellings": 3, "household_size": 2, "occupied_share": 1.2},
        {"persons": float("nan")},
        {"persons": 3, "profile": np.zeros((2, 3))},
        {"persons": 3, "profile": -np.ones((2, 3))},
    ],
)
def test_unsound_projects_are_refused(given):
    with pytest.raises(DemographyError, match="housing project in a, 2027"):
        HousingProject("a", 2027, **given)


def test_labels_must_fit():
    with pytest.raises(LabelError, match="zone c"):
        migrants(HousingProject("c", 2027, persons=3))
    with pytest.raises(LabelError, match="profile"):
        migrants(HousingProject("a", 2027, persons=3, profile=np.ones((2, 2))))
    with pytest.raises(LabelError, match="zone ids"):
        housing_migrants([], PEOPLE, zones=["a"], start=2025, end=2030, profile=MOVERS)


def test_profile_of_in_movers():
    before = np.full((3, 2, 2), 100.0)
    after = before.copy()
    after[0, 1, 0] += 30  # one zone draws women of the younger group
    profile = in_mover_profile(after, before, parent_of=np.array([0, 0, 1]))
    assert profile[0].tolist() == [[0, 0], [1, 0]]
    assert profile[0].tolist() == profile[1].tolist()
    assert profile[2] == pytest.approx(np.full((2, 2), 0.25))  # nobody moved: its own structure
    with pytest.raises(DemographyError, match="parent 0 has nobody"):
        in_mover_profile(np.zeros((1, 2, 2)), before[:1], parent_of=np.array([0]))


def town(zones=2):
    ages = AgeGroups.five_year(open_age=85)
    rates = Rates.build(
        {
            "parent_cohort_change_ratio": np.full((1, 2, len(ages)), 0.98),
            "sex_ratio_0_4": [1.05],
            "parent_child_woman_ratio": [0.2],
        },
        zones=["a", "b"][:zones], parents=["p"], parent_of=np.zeros(zones, dtype=np.intp),
        ages=ages, interval=5,
    )  # fmt: skip
    path = np.random.default_rng(0).uniform(20, 60, (4, zones, 2, len(ages)))
    return rates, path, np.ones((2, len(ages)))


def test_who_comes_ages_and_has_children_and_the_neighbours_are_untouched():
    rates, path, profile = town()
    flats = HousingProject("a", 2028, dwellings=40, household_size=2.5)
    made = settle(path, [flats], rates, years=[2023, 2028, 2033, 2038], profile=profile)
    more = (made - path).sum(axis=(2, 3))
    assert more[:2].tolist() == [[0.0, 0.0], [pytest.approx(100.0), 0.0]]
    assert more[2, 0] > 98.0  # a fiftieth goes, and children come
    assert (made - path)[2, 0, :, 0].sum() > 0
    assert not more[:, 1].any()


def test_who_is_cleared_stays_away_and_nobody_is_less_than_nobody():
    rates, path, profile = town()
    half = HousingProject("b", 2024, persons=-path[1, 1].sum() / 2)
    rest = HousingProject("b", 2030, persons=-path[2, 1].sum() / 4)
    made = settle(path, [half, rest], rates, years=[2023, 2028, 2033, 2038], profile=profile)
    assert (made >= 0).all()
    assert made[1, 1].sum() == pytest.approx(path[1, 1].sum() / 2)
    assert made[2, 1].sum() == pytest.approx(path[2, 1].sum() / 4)
    assert np.allclose(made[3, 1, :, 2:] / path[3, 1, :, 2:], 0.25)
    with pytest.raises(DemographyError, match="would leave"):
        settle(
            path,
            [HousingProject("b", 2024, persons=-1e6)],
            rates,
            years=[2023, 2028, 2033, 2038],
            profile=profile,
        )

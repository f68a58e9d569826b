"""Known housing projects: who comes, who goes, and what is refused."""

import numpy as np
import pytest

from futuremap.errors import DemographyError, LabelError
from futuremap.projection.housing import HousingProject, housing_migrants, in_mover_profile

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

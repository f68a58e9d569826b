"""Register on the level of the census: totals met, what is absurd refused."""

import numpy as np
import pytest

from futuremap.base.reconcile import factors, scaled
from futuremap.core.ages import AgeGroups
from futuremap.core.population import Flag, Population
from futuremap.errors import LabelError
from futuremap.problems import Report

FIVE = AgeGroups.five_year(open_age=85)
OLDER = AgeGroups.five_year(open_age=95)
TOWNS = ["37201", "37201", "37206", "37201", "37206"]
ZONES = ["a", "b", "c", "d", "e"]


def people(cube, zones, *, year=2020, ages=FIVE, **more):
    return Population.build(cube, years=[year], zones=zones, ages=ages, **more)


def made_up(seed, *, spread=0.2, older=OLDER):
    random = np.random.default_rng(seed)
    register = people(random.integers(1, 90, (1, 5, 2, 18)), ZONES, sources=["register"])
    of_town = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 0, 1]])
    sums = np.einsum("pz,yzsa->ypsa", of_town, register.persons)
    census = sums * random.uniform(1 - spread, 1 + spread, sums.shape)
    tail = census[..., -1:] * [0.6, 0.3, 0.1]
    counted = people(
        np.concatenate([census[..., :-1], tail], axis=3), ["37201", "37206"], ages=older,
        sources=["census"],
    )  # fmt: skip
    return register, counted, census, of_town


@pytest.mark.parametrize("seed", range(20))
def test_sums_by_municipality_sex_and_age_are_those_of_the_census(seed):
    register, counted, census, of_town = made_up(seed)
    report = Report()
    found = factors(register, counted, parents=TOWNS, report=report)
    level = scaled(register, found, parents=TOWNS)
    sums = np.einsum("pz,yzsa->ypsa", of_town, level.persons)
    np.testing.assert_allclose(sums, census, rtol=1e-12)
    assert level.totals().sum() == pytest.approx(counted.totals().sum(), rel=1e-12)
    np.testing.assert_allclose(found.overall, sums.sum(axis=(0, 2, 3)) / [
        register.totals()[0, [0, 1, 3]].sum(), register.totals()[0, [2, 4]].sum()])  # fmt: skip
    assert report.errors == []
    assert (level.flag == Flag.OBSERVED | Flag.RAKED).all()
    assert (level.imputed_share == 0).all()
    assert level.sources == ("census", "register")


def test_factors_of_the_census_year_bring_a_later_register_to_its_level():
    register, counted, _, _ = made_up(3)
    found = factors(register, counted, parents=TOWNS, report=Report())
    later = people(register.persons * 0.9, ZONES, year=2023)
    np.testing.assert_allclose(
        scaled(later, found, parents=TOWNS).totals(),
        scaled(register, found, parents=TOWNS).totals() * 0.9,
    )
    assert found.years == (2020, 2020)
    one = later.only(["e", "c"])
    assert scaled(one, found, parents=["37206"] * 2).zones == ("e", "c")


AGES = AgeGroups((0, 65, 75, 85))


def one_town(register, census, *, years=(2020, 2020)):
    report = Report()
    zones = [f"{i}" for i in range(len(register))]
    made = people([register], zones, year=years[0], ages=AGES)
    found = factors(
        made,
        people([[census]], ["37201"], year=years[1], ages=AGES),
        parents=["37201"] * len(zones),
        report=report,
        file="register.csv",
    )
    return made, found, report


@pytest.mark.parametrize(
    ("listed", "counted", "pooled"),
    [
        ([50, 8, 4, 0], [50, 8, 3, 2], [2, 3]),
        ([50, 8, 0, 0], [50, 8, 2, 1], [1, 2, 3]),
        ([50, 8, 0, 0], [50, 8, 0, 3], [1, 2, 3]),
        ([0, 8, 4, 2], [3, 8, 4, 2], [0, 1]),
        ([0, 0, 4, 2], [3, 0, 4, 2], [0, 1, 2]),
        ([0, 0, 0, 14], [3, 5, 0, 6], [0, 1, 2, 3]),
        ([50, 0, 4, 0], [50, 0, 4, 0], []),
    ],
)
def test_ages_of_nobody_are_pooled_with_their_neighbours(listed, counted, pooled):
    made, found, report = one_town([[listed, [40, 9, 9, 9]]], [counted, [40, 9, 9, 9]])
    assert np.flatnonzero(found.pooled[0, 0]).tolist() == pooled
    assert not found.pooled[0, 1].any()
    level = scaled(made, found, parents=["37201"])
    assert level.persons[0, 0, 0].sum() == pytest.approx(sum(counted), rel=1e-12)
    rest = [a for a in range(4) if a not in pooled]
    np.testing.assert_allclose(level.persons[0, 0, 0, rest], np.array(counted, float)[rest])
    assert [p.code for p in report.problems] == (["FM478"] if pooled else [])
    cells = level.data["flag"].values[0, 0, 0]
    assert [bool(bits & Flag.IMPUTED) for bits in cells] == [
        a in pooled and listed[a] > 0 for a in range(4)
    ]
    part = level.persons[0, 0, 0, pooled].sum() / level.totals()[0, 0]
    assert level.imputed_share[0, 0] == pytest.approx(part)


def test_what_is_absurd_is_refused_with_its_place():
    half = [[400, 80, 40, 20], [400, 90, 50, 40]]
    _, found, report = one_town([half], [[250, 50, 25, 10], [260, 60, 30, 25]])
    assert found is None
    assert [(p.code, p.value) for p in report.problems] == [("FM475", "0.634")]
    swapped = [[400, 80, 10, 500], [400, 90, 50, 40]]
    _, found, report = one_town([half], swapped)
    assert found is None
    problem = report.errors[0]
    assert (problem.code, problem.column, problem.value) == ("FM476", "男 85歳以上", "20")
    assert problem.place() == "register.csv 列「男 85歳以上」"
    _, found, report = one_town([[[4, 1, 1, 1], [0, 0, 0, 0]]], [[4, 1, 0, 0], [1, 0, 0, 1]])
    assert [p.code for p in report.errors] == ["FM476", "FM476"]  # no women to scale
    _, found, report = one_town([[[0] * 4] * 2], half)
    assert {p.code for p in report.errors} == {"FM475", "FM476"}


def test_a_tenth_is_told_and_years_apart_are_refused():
    half = [[400, 80, 40, 20], [400, 90, 50, 40]]
    _, found, report = one_town([half], (np.array(half) * 1.12).tolist())
    assert found.overall[0] == pytest.approx(1.12)
    assert [p.code for p in report.problems] == ["FM477"]
    assert report.problems[0].text("expected") == "台帳 1,120 人、国勢調査 1,254 人"
    assert one_town([half], half, years=(2022, 2020))[1] is not None
    _, found, report = one_town([half], half, years=(2023, 2020))
    assert found is None
    assert [p.code for p in report.problems] == ["FM479"]
    empty = [[0] * 4] * 2
    made, found, report = one_town([empty], empty)
    assert not report.problems
    assert scaled(made, found, parents=["37201"]).totals()[0, 0] == 0


def test_flags_by_cell_and_imputed_shares_travel():
    flags = np.full((1, 1, 2, 4), Flag.OBSERVED, np.uint8)
    flags[0, 0, 0, 3] = Flag.IMPUTED
    half = [[400, 80, 40, 20], [400, 90, 50, 40]]
    register = people([[half]], ["a"], ages=AGES, flag=flags)
    census = people([[half]], ["37201"], ages=AGES)
    found = factors(register, census, parents=["37201"], report=Report())
    level = scaled(register, found, parents=["37201"])
    np.testing.assert_array_equal(level.data["flag"].values, flags | Flag.RAKED)
    np.testing.assert_array_equal(level.imputed_share, register.imputed_share)


def test_labels_that_do_not_match_are_refused():
    register, counted, _, _ = made_up(1)
    found = factors(register, counted, parents=TOWNS, report=Report())
    with pytest.raises(LabelError, match="parents"):
        factors(register, counted, parents=TOWNS[:2], report=Report())
    with pytest.raises(LabelError, match="no census"):
        factors(register, counted.only(["37201"]), parents=TOWNS, report=Report())
    two = Population.build(np.ones((2, 1, 2, 18)), years=[2015, 2020], zones=["a"], ages=FIVE)
    with pytest.raises(LabelError, match="one year"):
        factors(two, counted, parents=["37201"], report=Report())
    with pytest.raises(LabelError, match="factors for"):
        scaled(counted, found, parents=["37201", "37206"])

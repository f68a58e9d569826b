"""The open age group split: sums kept, the municipality's own shape by sex, cells flagged."""

import numpy as np
import pytest

from futuremap.base.open_age import split
from futuremap.core.ages import AgeGroups
from futuremap.core.population import Flag, Population
from futuremap.errors import DemographyError, LabelError

OPEN_75, OPEN_95 = AgeGroups.five_year(open_age=75), AgeGroups.five_year(open_age=95)
OBSERVED, IMPUTED = int(Flag.OBSERVED), int(Flag.IMPUTED)


def people(cube, zones, ages, years=(2020,), **more):
    return Population.build(cube, years=list(years), zones=zones, ages=ages, **more)


def made_up(years=(2020,)):
    random = np.random.default_rng(3)
    blocks = people(
        random.integers(0, 40, (len(years), 9, 2, 16)), [f"b{i}" for i in range(9)], OPEN_75, years
    )
    towns = people(
        random.integers(1, 900, (len(years), 2, 2, 20)), ["34204", "14384"], OPEN_95, years
    )
    return blocks, towns, ["34204"] * 5 + ["14384"] * 4


@pytest.mark.parametrize("years", [(2020,), (2015, 2020)])
def test_sums_and_younger_ages_are_kept(years):
    blocks, towns, parents = made_up(years)
    done = split(blocks, towns, parents=parents)
    assert done.ages == OPEN_95
    np.testing.assert_array_equal(done.persons[..., :15], blocks.persons[..., :15])
    np.testing.assert_allclose(
        done.persons[..., 15:].sum(axis=3), blocks.persons[..., 15], rtol=1e-14
    )
    shape = towns.persons[0, 0, 1, 15:] / towns.persons[0, 0, 1, 15:].sum()
    np.testing.assert_allclose(done.persons[0, 2, 1, 15:], blocks.persons[0, 2, 1, 15] * shape)


def test_flags_and_imputed_share_of_the_new_cells_only():
    cube = np.ones((1, 2, 2, 16))
    cube[0, 1, :, 15] = 0
    blocks = people(cube, ["a", "b"], OPEN_75)
    towns = people(np.ones((1, 1, 2, 20)), ["t"], OPEN_95)
    done = split(blocks, towns, parents=["t", "t"])
    flags = done.data["flag"].values[0]
    assert set(flags[0, :, :15].ravel().tolist()) == {OBSERVED}
    assert set(flags[0, :, 15:].ravel().tolist()) == {IMPUTED}
    assert set(flags[1].ravel().tolist()) == {OBSERVED}
    np.testing.assert_allclose(done.imputed_share[0], [1 / 16, 0])


def test_what_was_imputed_before_counts_once():
    blocks = people(np.ones((1, 1, 2, 16)), ["a"], OPEN_75, imputed_share=[[0.5]])
    towns = people(np.ones((1, 1, 2, 20)), ["t"], OPEN_95)
    np.testing.assert_allclose(split(blocks, towns, parents=["t"]).imputed_share, 0.5 + 0.5 / 16)
    flags = np.full((1, 1, 2, 16), OBSERVED)
    flags[..., 15] = int(Flag.MERGED)
    merged = people(np.ones((1, 1, 2, 16)), ["a"], OPEN_75, flag=flags)
    done = split(merged, towns, parents=["t"])
    np.testing.assert_allclose(done.imputed_share, 1 / 16)
    assert int(done.data["flag"].values[0, 0, 0, -1]) == int(Flag.MERGED | Flag.IMPUTED)


def test_nobody_of_a_sex_or_of_a_town_to_take_the_shape_from():
    cube = np.zeros((1, 2, 2, 3))
    cube[0, 0] = [[1, 0, 0], [1, 3, 1]]  # no old men in the first, nobody old in the second
    towns = people(cube, ["t", "u"], AgeGroups((0, 75, 85)))
    blocks = people(np.full((1, 2, 2, 2), 4.0), ["a", "b"], AgeGroups((0, 75)))
    done = split(blocks, towns, parents=["t", "u"])
    assert done.persons[0, :, :, 1:].tolist() == [[[3, 1], [3, 1]]] * 2
    empty = people(np.zeros((1, 1, 2, 3)), ["t"], AgeGroups((0, 75, 85)))
    with pytest.raises(DemographyError, match="75"):
        split(blocks, empty, parents=["t", "t"])


def test_years_ages_and_parents_must_match():
    blocks, towns, parents = made_up()
    assert split(towns, towns, parents=["34204", "14384"]) is towns
    with pytest.raises(LabelError, match="go on"):
        split(people(np.ones((1, 1, 2, 2)), ["a"], AgeGroups((0, 60))), towns, parents=["34204"])
    with pytest.raises(LabelError, match="no shape for the municipalities"):
        split(blocks, towns, parents=["01209"] * 9)
    with pytest.raises(LabelError, match="parents for"):
        split(blocks, towns, parents=parents[:3])
    two_years = made_up((2010, 2015))[1]
    with pytest.raises(LabelError, match="no shape for the years"):
        split(blocks, two_years, parents=parents)

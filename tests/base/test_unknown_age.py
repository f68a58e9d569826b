"""Unknown ages: every total kept; where no age is known, those of the municipality."""

import numpy as np
import pytest

from futuremap.base.unknown_age import spread
from futuremap.core.ages import AgeGroups
from futuremap.core.population import Flag, Population
from futuremap.errors import LabelError

AGES = AgeGroups((0, 65))
ZONES = ["a", "b", "c"]


def people(cube, ages=AGES):
    return Population.build(cube, years=[2020], zones=ZONES, ages=ages)


KNOWN = people([[[[30, 10], [20, 20]], [[0, 0], [6, 2]], [[0, 0], [0, 0]]]])
UNKNOWN = people([[[[4], [0]], [[2], [4]], [[0], [1]]]], AgeGroups((0,)))


def test_ages_of_the_municipality_where_none_is_known():
    found = spread(KNOWN, UNKNOWN, parents=["01209", "01209", "01209"])
    np.testing.assert_allclose(found.persons[0, 0], [[33, 11], [20, 20]])
    np.testing.assert_allclose(found.persons[0, 1], [[1.5, 0.5], [9, 3]])  # men as in a
    np.testing.assert_allclose(found.persons[0, 2], [[0, 0], [26 / 48, 22 / 48]])
    np.testing.assert_allclose(found.totals(), KNOWN.totals() + UNKNOWN.totals(), rtol=1e-15)
    assert (found.flag[0] & Flag.IMPUTED).all()
    np.testing.assert_allclose(found.imputed_share[0], [4 / 84, 6 / 14, 1])


def test_both_sexes_where_nobody_of_one_is_known():
    found = spread(KNOWN, UNKNOWN, parents=["01209", "01222", "01209"])
    np.testing.assert_allclose(found.persons[0, 1, 0], [1.5, 0.5])  # as the women of b


def test_nobody_to_take_ages_from_is_refused():
    with pytest.raises(LabelError, match="no age is known"):
        spread(KNOWN, UNKNOWN)
    with pytest.raises(LabelError, match="no age is known"):
        spread(KNOWN, UNKNOWN, parents=["01209", "01209", "01222"])
    with pytest.raises(LabelError, match="2 parents for 3"):
        spread(KNOWN, UNKNOWN, parents=["01209", "01209"])
    with pytest.raises(LabelError, match="different zones"):
        spread(KNOWN.only(["a"]), UNKNOWN)

"""Population and its verbs."""

import numpy as np
import pytest

from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import from_pairs, gather
from futuremap.core.population import (
    Flag,
    Population,
    join_years,
    join_zones,
    mark,
    with_open_age,
)
from futuremap.errors import DemographyError, LabelError

AGES = AgeGroups((0, 15, 65))


def people(year=2020, zones=("a", "b"), value=1.0, **more):
    cube = np.full((1, len(zones), 2, 3), value)
    return Population.build(cube, years=[year], zones=zones, ages=AGES, **more)


def test_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        people().persons[0, 0, 0, 0] = 5


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_refuses_impossible_numbers_and_names_the_cell(bad):
    cube = np.ones((1, 2, 2, 3))
    cube[0, 1, 1, 2] = bad
    with pytest.raises(DemographyError, match="'b', 'female', 65"):
        Population.build(cube, years=[2020], zones=["a", "b"], ages=AGES)


def test_refuses_repeated_labels():
    with pytest.raises(LabelError, match="repeat"):
        people(zones=("a", "a"))


def test_selects_zones_by_name_in_the_order_asked():
    chosen = people(zones=("a", "b", "c")).only(["c", "a"])
    assert chosen.zones == ("c", "a")
    with pytest.raises(LabelError, match="unknown"):
        people().only(["z"])


def test_joins_years_in_order_and_zones_side_by_side():
    years = join_years([people(2025, value=2.0), people(2020)])
    assert years.years == (2020, 2025)
    assert years.totals().tolist() == [[6.0, 6.0], [12.0, 12.0]]
    zones = join_zones([people(zones=("a",)), people(zones=("b",), sources=["x"])])
    assert zones.zones == ("a", "b")
    assert zones.sources == ("x",)
    with pytest.raises(LabelError):
        join_years([people(), people(2025, zones=("a", "c"))])


def test_cell_flags_give_the_share_of_people_not_as_counted():
    flag = np.full((1, 2, 2, 3), Flag.OBSERVED, dtype=np.uint8)
    flag[0, 0, :, 0] |= np.uint8(Flag.IMPUTED)
    marked = people(flag=flag)
    assert marked.imputed_share.tolist() == [[pytest.approx(1 / 3), 0.0]]
    assert marked.flag[0, 0] == Flag.OBSERVED | Flag.IMPUTED
    assert marked.flag[0, 1] == Flag.OBSERVED


def test_gather_carries_flags_shares_and_sources():
    flag = np.array([[Flag.OBSERVED, Flag.SYNTHETIC]], dtype=np.uint8)
    marked = people(flag=flag, sources=["register"])
    walk = from_pairs(
        np.array([0, 0, 1]),
        np.array([0, 1, 0]),
        np.array([0.5, 1.0, 0.5]),
        targets=["x", "y"],
        sources=["a", "b"],
        rule="test",
        credits=["outline"],
    )
    gathered = gather(marked, walk)
    assert gathered.totals().tolist() == [[9.0, 3.0]]
    assert gathered.flag.tolist() == [[Flag.OBSERVED | Flag.SYNTHETIC, Flag.OBSERVED]]
    assert gathered.imputed_share.tolist() == [[pytest.approx(6 / 9), 0.0]]
    assert gathered.sources == ("outline", "register")
    with pytest.raises(LabelError, match="in order"):
        gather(marked.only(["b", "a"]), walk)


def flagged(year=2020, zones=("a", "b")):
    """Only the people of 65 and over were imputed."""
    flag = np.full((1, len(zones), 2, 3), Flag.OBSERVED, dtype=np.uint8)
    flag[..., 2] = Flag.IMPUTED
    return people(year, zones, flag=flag)


def test_joining_keeps_what_happened_to_every_cell():
    years = join_years([flagged(), flagged(2025)])
    zones = join_zones([flagged(zones=("a",)), flagged(zones=("b",))])
    for joined in (years, zones):
        cells = joined.data["flag"].values
        assert (cells[..., :2] == Flag.OBSERVED).all()
        assert (cells[..., 2] == Flag.IMPUTED).all()
    # one side knows its zones only: a zone has the flags of all its cells
    assert join_years([flagged(), people(2025)]).data["flag"].dims == ("year", "zone")
    assert join_years([flagged(), people(2025)]).flag[0, 0] == Flag.OBSERVED | Flag.IMPUTED


def test_ages_put_together_share_their_flags_and_a_mark_reaches_every_cell():
    fewer = with_open_age(flagged(), 15)
    assert fewer.data["flag"].values[0, 0, 0].tolist() == [
        Flag.OBSERVED,
        Flag.OBSERVED | Flag.IMPUTED,
    ]
    assert fewer.imputed_share.tolist() == flagged().imputed_share.tolist()
    made_up = mark(flagged(), Flag.SYNTHETIC).data["flag"].values
    assert made_up[0, 0, 0].tolist() == [
        Flag.SYNTHETIC,
        Flag.SYNTHETIC,
        Flag.SYNTHETIC | Flag.IMPUTED,
    ]

"""Larger cells hold what is in the smaller ones, also across towns and plane zones."""

import numpy as np
import pytest
import shapely

from futuremap.base.coarser import in_larger_cells, together
from futuremap.core import mesh
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import gather
from futuremap.core.population import Flag, Population
from futuremap.core.zones import Zones
from futuremap.errors import KeyCodeError

RNG = np.random.default_rng(3)


def cells(south, west, *, parent="34204", plane=3, level="250m", size=0.03):
    codes = np.sort(
        mesh.cover(south=south, west=west, north=south + size, east=west + size, level=level)
    )
    box = mesh.bounds(codes)
    return Zones.build(
        codes.tolist(), shapely.box(box.west, box.south, box.east, box.north),
        names=codes.tolist(), parents=[parent] * len(codes), kind="mesh", plane_zone=plane,
    )  # fmt: skip


def people(zones, flag=Flag.OBSERVED):
    persons = RNG.gamma(0.5, 10, (2, len(zones), 2, 3))
    return Population.build(
        persons, years=[2020, 2050], zones=zones.ids, ages=AgeGroups((0, 15, 65)), flag=flag
    )


@pytest.mark.parametrize("level", ["500m", "1km", "10km"])
def test_every_larger_cell_holds_the_sum_of_its_cells(level):
    small = cells(34.39, 133.08)
    count = people(small)
    larger = in_larger_cells(small, level)
    held = gather(count, larger.crosswalk)
    parents = mesh.parent(list(small.ids), level)
    for i, code in enumerate(larger.zones.ids):
        mine = parents == code
        np.testing.assert_allclose(held.persons[:, i], count.persons[:, mine].sum(axis=1))
        assert shapely.covers(
            larger.zones.geometry[i].buffer(1e-9), shapely.union_all(small.geometry[mine])
        )
    assert larger.crosswalk.conserves()


def test_a_level_that_is_not_larger_is_refused():
    with pytest.raises(KeyCodeError):
        in_larger_cells(cells(34.39, 133.08), "125m")


def test_people_of_both_towns_of_a_border_cell_add_up():
    west, east = cells(34.39, 133.08), cells(34.40, 133.10, parent="34205", plane=4)
    both = set(west.ids) & set(east.ids)
    assert both
    parts = [(west, people(west)), (east, people(east, Flag.SYNTHETIC))]
    found = together(parts)
    assert [zones.plane_zone for zones, _ in found] == [3, 4]
    assert sum(len(zones) for zones, _ in found) == len({*west.ids, *east.ids})
    before = sum(part.persons.sum() for _, part in parts)
    assert sum(part.persons.sum() for _, part in found) == pytest.approx(before)
    zones, held = found[0]
    code = min(both)
    place = zones.ids.index(code)
    wanted = sum(part.only([code]).persons[:, 0] for _, part in parts)
    np.testing.assert_allclose(held.persons[:, place], wanted)
    assert (held.flag[:, place] & Flag.SYNTHETIC > 0).all()
    assert 0 < held.imputed_share[0, place] < 1
    assert zones.frame.loc[code, "parent"] == "34204"

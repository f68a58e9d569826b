"""Blocks of two dates: what was split, merged, renamed or shifted is found, totals are kept."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from futuremap.base.link_names import plain
from futuremap.base.links import link, on_groups
from futuremap.core.ages import AgeGroups
from futuremap.core.crosswalk import gather
from futuremap.core.population import Flag, Population
from futuremap.core.zones import Zones
from futuremap.errors import LabelError
from futuremap.problems import Report
from futuremap.sources import boundary
from futuremap.sources.vector import Town

CLIPS = Path(__file__).resolve().parents[2] / "fixtures/geo/clips/boundary"
PLANE = 6669 + 3  # plane zone 4
SIDE = 200.0


def square(column, row=0, columns=1, rows=1):
    """A box on a grid of 200 m in plane zone 4, in metres."""
    return shapely.box(column * SIDE, row * SIDE, (column + columns) * SIDE, (row + rows) * SIDE)


def zones(*rows, parent="37201"):
    """Blocks (id, name, shape in the plane or None)."""
    ids, names, shapes = zip(*rows, strict=True)
    degrees = gpd.GeoSeries(list(shapes), crs=PLANE).to_crs(6668).to_numpy()
    return Zones.build(
        ids, degrees, names=names, parents=[parent] * len(ids), kind="town_block", plane_zone=4
    )


def linked(earlier, later, **more):
    report = Report()
    found = link(earlier, later, report=report, file="later.gpkg", **more)
    for walk in found[1:5]:
        assert walk.conserves()
    assert found.earlier.targets == found.later.targets == found.groups.ids
    return found, report


def rows(found, *columns):
    return [tuple(row) for row in found.table[list(columns)].values.tolist()]


def codes(report):
    return [problem.code for problem in report.problems]


def people(numbers, ids, year=2015):
    cube = np.array(numbers, float).reshape(1, -1, 1, 1) * np.array([0.5, 0.5]).reshape(1, 1, 2, 1)
    return Population.build(cube, years=[year], zones=ids, ages=AgeGroups((0,)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("本町一丁目", "本町１丁目"),
        ("大字木太町", "木太町"),
        ("大字木太町字洲端", "木太町洲端"),
        ("字東", "東"),
        ("霞ヶ関二十三丁目", "霞ケ関23丁目"),
        ("浜の町", "浜ノ町"),
        ("塩江町安原下第一号", "塩江町安原下第１号"),
        ("北三条 西十丁目", "北３条西１０丁目"),
        ("東ハゼ町", "東ﾊｾﾞ町"),
    ],
)
def test_names_are_compared_as_they_are_meant(one, other):
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("本町一丁目", "本町二丁目"), ("十字街", "十街"), ("三一丁目", "四丁目"), ("東町", "西町")],
)
def test_names_that_differ_stay_apart(one, other):
    assert plain(one) != plain(other)


def test_unchanged_blocks_are_linked_one_to_one():
    before = zones(("a", "東町", square(0)), ("b", "西町", square(1)))
    found, report = linked(before, before)
    assert rows(found, "earlier", "later", "by", "change") == [
        ("a", "a", "code+name+overlap", "same"),
        ("b", "b", "code+name+overlap", "same"),
    ]
    np.testing.assert_allclose(found.table[["share_of_earlier", "share_of_later"]], 1)
    np.testing.assert_array_equal(found.forward.weights.toarray(), np.eye(2))
    assert report.problems == []


def test_split_merged_renamed_and_recoded_by_their_ground():
    before = zones(
        ("1", "東町", square(0, 0, 2)), ("2", "西町", square(2)), ("3", "北町", square(3)),
        ("4", "南町", square(4)), ("5", "旧町", square(5)),
    )  # fmt: skip
    after = zones(
        ("5", "新町", square(5)), ("8", "南町", square(4)), ("2", "西北町", square(2, 0, 2)),
        ("6", "東町一丁目", square(0)), ("7", "東町二丁目", square(1)),
    )  # fmt: skip
    found, report = linked(before, after)
    assert set(rows(found, "earlier", "later", "by", "change")) == {
        ("5", "5", "code+overlap", "renamed"),
        ("4", "8", "name+overlap", "recoded"),
        ("2", "2", "code+overlap", "merged"),
        ("3", "2", "overlap", "merged"),
        ("1", "6", "overlap", "split"),
        ("1", "7", "overlap", "split"),
    }
    assert found.groups.ids == ("5", "8", "2", "6")
    assert found.groups.names[3] == "東町一丁目・東町二丁目"
    np.testing.assert_allclose(found.groups.areas()[3], 2 * SIDE**2, rtol=1e-3)
    assert codes(report) == ["FM470"]
    assert "前の 3 町丁・後の 3 町丁" in report.problems[0].text("expected")
    # the halves of 1 by area; backward whole
    np.testing.assert_allclose(found.forward.weights.toarray()[3:, 0], 0.5, rtol=1e-9)
    assert found.backward.weights.toarray()[0, 3:].tolist() == [1, 1]


def test_groups_are_marked_where_blocks_were_added_up():
    before = zones(("1", "東町", square(0, 0, 2)), ("2", "西町", square(2)))
    after = zones(("3", "東", square(0)), ("4", "中", square(1)), ("2", "西町", square(2)))
    found, _ = linked(before, after)
    old = on_groups(people([10, 5], ["1", "2"]), found, date="earlier")
    new = on_groups(people([6, 3, 5], ["3", "4", "2"], 2020), found, date="later")
    assert old.zones == new.zones == ("3", "2")
    assert old.totals().tolist() == [[10, 5]]
    assert new.totals().tolist() == [[9, 5]]
    assert old.flag[0].tolist() == [Flag.OBSERVED, Flag.OBSERVED]  # one block, as counted
    assert new.flag[0].tolist() == [Flag.MERGED, Flag.OBSERVED]
    assert new.imputed_share[0].tolist() == [1, 0]
    with pytest.raises(LabelError, match="crosswalk"):
        on_groups(people([6, 3, 5], ["3", "4", "2"]), found, date="earlier")


def test_a_border_that_moved_makes_a_group_and_a_redrawn_one_does_not():
    before = zones(("1", "東町", square(0)), ("2", "西町", square(1)))
    moved = zones(("1", "東町", square(0, 0, 1.3)), ("2", "西町", square(1.3, 0, 0.7)))
    found, report = linked(before, moved)
    assert ("2", "1", "overlap", "shifted") in rows(found, "earlier", "later", "by", "change")
    assert len(found.groups) == 1
    assert codes(report) == ["FM470"]
    np.testing.assert_allclose(found.forward.weights.toarray()[:, 1], [0.3, 0.7], rtol=1e-6)
    drawn = zones(("1", "東町", square(0.03, 0.03)), ("2", "西町", square(1.03, 0.03)))
    found, report = linked(before, drawn)  # 6 m off
    assert (len(found.groups), report.problems) == (2, [])
    assert len(linked(before, drawn, sliver=1.0, minor=0.01)[0].groups) == 1


def test_people_weigh_more_than_ground():
    before = zones(("1", "東町", square(0, 0, 2)))
    after = zones(("2", "東", square(0)), ("3", "中", square(1)))
    weighed, _ = linked(before, after, later_people=np.array([90.0, 10.0]))
    np.testing.assert_allclose(weighed.forward.weights.toarray()[:, 0], [0.9, 0.1], rtol=1e-3)
    assert weighed.forward.rule.endswith("by people")
    empty, _ = linked(before, after, later_people=np.zeros(2))  # nobody: by area
    np.testing.assert_allclose(empty.forward.weights.toarray()[:, 0], 0.5, rtol=1e-9)
    with pytest.raises(LabelError, match="for 1 blocks"):
        linked(before, after, earlier_people=np.zeros(2))


def test_a_code_given_to_another_place_is_told_and_not_followed():
    before = zones(("1", "東町", square(0)), ("2", "西町", square(1)))
    after = zones(("2", "東町", square(0)), ("1", "港町", square(1)))
    found, report = linked(before, after)
    assert rows(found, "earlier", "later", "change") == [
        ("1", "2", "recoded"),
        ("2", "1", "renamed"),
    ]
    assert codes(report) == ["FM472", "FM472"]
    assert (
        report.problems[0].text("title")
        == "同じコードが別の場所に付け替えられています（東町 → 港町）"
    )


def test_blocks_of_one_name_with_new_numbers_follow_their_ground():
    before = zones(("1", "沼ノ沢", square(0)), ("2", "沼ノ沢", square(2)))
    after = zones(("1", "沼ノ沢", square(2)), ("2", "沼ノ沢", square(0)))
    found, report = linked(before, after)
    assert rows(found, "earlier", "later", "by") == [("2", "1", "overlap"), ("1", "2", "overlap")]
    assert codes(report) == ["FM472", "FM472"]


def test_ground_that_is_gone_and_new_stands_alone_and_keeps_totals():
    before = zones(("1", "東町", square(0)), ("2", "島", square(50)))
    after = zones(("1", "東町", square(0)), ("2", "埋立地", square(80)))
    found, report = linked(before, after)
    assert rows(found, "earlier", "later", "group", "change") == [
        ("1", "1", "1", "same"),
        (None, "2", "2", "new"),
        ("2", None, "2-old", "gone"),
    ]
    assert codes(report) == ["FM472", "FM471"]
    assert found.groups.ids == ("1", "2", "2-old")
    assert found.groups.names == ("東町", "埋立地", "島")
    assert gather(people([5, 2], ["1", "2"]), found.forward).totals().sum() == 7


NONE = None


def test_codes_and_names_alone():
    before = zones(
        ("1", "東町", NONE), ("2", "西町", NONE), ("3", "旧名", NONE), ("4", "北町", NONE),
        ("5", "沼ノ沢", NONE), ("6", "沼ノ沢", NONE), ("7", "消町", NONE),
    )  # fmt: skip
    after = zones(
        ("1", "西町", NONE), ("2", "東町", NONE), ("3", "新名", NONE), ("9", "大字北町", NONE),
        ("5", "沼の沢", NONE), ("6", "沼の沢", NONE),
    )  # fmt: skip
    found, report = linked(before, after)
    assert set(rows(found, "earlier", "later", "by", "change")) == {
        ("1", "2", "name", "recoded"),  # codes 1 and 2 changed places
        ("2", "1", "name", "recoded"),
        ("3", "3", "code", "renamed"),
        ("4", "9", "name", "recoded"),
        ("5", "5", "code+name", "same"),
        ("6", "6", "code+name", "same"),
        ("7", None, "", "gone"),
    }
    assert sorted(codes(report)) == ["FM471", "FM472", "FM472", "FM473"]
    assert found.table["share_of_earlier"].isna().all()
    assert found.groups.geometry[0] is None


def test_a_code_that_speaks_against_a_name_makes_a_group():
    # 東町 kept its code, but a block of its old name stands under another
    before = zones(("1", "東町", NONE))
    after = zones(("1", "港町", NONE), ("2", "東町", NONE))
    found, report = linked(before, after)
    assert rows(found, "earlier", "later", "by", "change") == [
        ("1", "1", "code", "split"),
        ("1", "2", "name", "split"),
    ]
    assert codes(report) == ["FM473", "FM470"]


def test_towns_and_their_parts_without_shapes():
    before = zones(
        ("012090010", "木太町", NONE), ("012090020", "本町", NONE),
        ("01209003001", "旭１丁目", NONE), ("01209003002", "旭２丁目", NONE),
    )  # fmt: skip
    after = zones(
        ("012090010", "木太町", NONE), ("012090040", "木太町一丁目", NONE),
        ("01209002001", "港", NONE), ("01209002002", "浜", NONE), ("012090030", "旭", NONE),
    )  # fmt: skip
    found, report = linked(before, after, later_people=np.array([30.0, 10.0, 1.0, 3.0, 9.0]))
    assert set(rows(found, "earlier", "later", "by", "change")) == {
        ("012090010", "012090010", "code+name", "split"),  # a part became 一丁目
        ("012090010", "012090040", "town", "split"),
        ("012090020", "01209002001", "town", "split"),  # by the first nine digits
        ("012090020", "01209002002", "town", "split"),
        ("01209003001", "012090030", "town", "merged"),
        ("01209003002", "012090030", "town", "merged"),
    }
    assert found.forward.weights.toarray()[:, 0].tolist() == [0.75, 0.25, 0, 0, 0]
    assert found.forward.weights.toarray()[:, 1].tolist() == [0, 0, 0.25, 0.75, 0]
    assert "FM473" in codes(report)  # backward, to the two parts of 旭


def test_blocks_of_one_name_take_in_what_is_lost_among_them():
    before = zones(("1", "沼ノ沢", NONE), ("2", "沼ノ沢", NONE), ("3", "沼ノ沢", NONE))
    after = zones(("1", "沼ノ沢", NONE), ("2", "沼ノ沢", NONE))
    found, _ = linked(before, after)
    assert len(found.groups) == 1  # 3 went to 1 or to 2
    found, _ = linked(before, zones(*[(i, "沼ノ沢", NONE) for i in ("1", "2", "9")]))
    assert ("3", "9", "town", "recoded") in rows(found, "earlier", "later", "by", "change")
    assert len(found.groups) == 3


def test_names_of_one_municipality_only():
    before = zones(("1", "本町", NONE))
    after = zones(("2", "本町", NONE), parent="37202")
    found, _ = linked(before, after)
    assert rows(found, "earlier", "later") == [(None, "2"), ("1", None)]
    assert found.forward.weights.toarray().tolist() == [[1.0]]  # all there is


def test_a_date_without_blocks_is_refused():
    nothing = Zones.build(
        [], np.array([], dtype=object), names=[], parents=[], kind="town_block", plane_zone=4
    )
    with pytest.raises(LabelError, match="no blocks"):
        linked(nothing, zones(("1", "東町", NONE)))


def test_points_count_as_no_shape():
    before = zones(("1", "東町", shapely.Point(0, 0)), ("2", "西町", shapely.Point(9, 9)))
    found, _ = linked(before, zones(("8", "西町", NONE), ("9", "東町", square(4))))
    assert {row[:2] for row in rows(found, "earlier", "later")} == {("1", "9"), ("2", "8")}


class Altered:
    """A real town, changed at random: what became of every block is known."""

    def __init__(self, path, seed):
        read = boundary.read(path, town=Town(path.stem.split("_")[1], 12), credit="x",
                             report=Report())  # fmt: skip
        self.before, self.people = read.zones, read.persons
        self.shapes = shapely.make_valid(self.before.plane_geometry())
        self.random = np.random.default_rng(seed)
        self.blocks, self.used = [], set()
        ways = [self.split, self.merge, self.rename, self.recode, self.shift, *[self.keep] * 3]
        for n, i in enumerate(self.random.permutation(len(self.shapes))):
            if i not in self.used:
                self.used.add(i)
                ways[n % len(ways)](i, f"{self.before.ids[0][:5]}9{n:03d}")
        off = self.random.normal(0, 2, 2)  # another drawing of all borders
        self.later = Zones.build(
            [block[0] for block in self.blocks],
            gpd.GeoSeries(
                shapely.transform([block[2] for block in self.blocks], lambda xy: xy + off),
                crs=6680,
            ).to_crs(6668).to_numpy(),
            names=[block[1] for block in self.blocks],
            parents=[block[0][:5] for block in self.blocks], kind="town_block", plane_zone=12,
        )  # fmt: skip
        self.truth = {(self.before.ids[i], block[0]) for block in self.blocks for i in block[3]}

    def add(self, i, *, key=None, name=None, shape=None, of=()):
        self.blocks.append((
            key or self.before.ids[i], name or self.before.names[i],
            self.shapes[i] if shape is None else shape, {i, *of},
        ))  # fmt: skip

    def beside(self, i):
        touching = [
            j for j in np.flatnonzero(shapely.intersects(self.shapes, self.shapes[i]))
            if j not in self.used
            and shapely.length(shapely.intersection(self.shapes[i], self.shapes[j])) > 50
        ]  # fmt: skip
        if touching:
            self.used.add(touching[0])
        return touching[0] if touching else None

    def keep(self, i, _):
        self.add(i)

    def split(self, i, key):
        west, south, east, north = shapely.bounds(self.shapes[i])
        at = west + self.random.uniform(0.4, 0.6) * (east - west)
        for part, (left, right) in enumerate(((west, at), (at, east)), 1):
            shape = shapely.intersection(self.shapes[i], shapely.box(left, south, right, north))
            self.add(i, key=f"{key}{part}", name=f"{self.before.names[i]}{part}号", shape=shape)

    def merge(self, i, _):
        j = self.beside(i)
        if j is None:
            return self.add(i)
        both = shapely.union(self.shapes[i], self.shapes[j])
        return self.add(i, shape=both, of=(j,))

    def rename(self, i, _):
        self.add(i, name="新" + self.before.names[i])

    def recode(self, i, key):
        self.add(i, key=key)

    def shift(self, i, _):
        j = self.beside(i)
        if j is None:
            return self.add(i)
        width = 0.4 * np.sqrt(min(shapely.area(self.shapes[[i, j]])))
        strip = shapely.intersection(self.shapes[i], shapely.buffer(self.shapes[j], width))
        self.add(i, shape=shapely.difference(self.shapes[i], strip))
        return self.add(j, shape=shapely.union(self.shapes[j], strip), of=(i,))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("clip", ["utashinai_01227", "yubari_01209_first20"])
def test_a_real_town_altered_is_linked_as_it_was_altered(clip, seed):
    town = Altered(CLIPS / f"{clip}.geojson", seed)
    found, _ = linked(town.before, town.later, earlier_people=town.people)
    table = found.table.dropna(subset=["earlier", "later"])
    made = set(zip(table["earlier"], table["later"], strict=True))
    assert made - town.truth == set()
    lost = town.truth - made
    assert len(lost) <= 1, lost  # a strip that is less than a twentieth of both
    total = town.people.sum()
    counted = people(town.people, town.before.ids)
    for walk in (found.earlier, found.forward):
        assert gather(counted, walk).totals().sum() == pytest.approx(total, rel=1e-9)
    back = people(np.ones(len(town.later)), town.later.ids)
    for walk in (found.later, found.backward):
        assert gather(back, walk).totals().sum() == pytest.approx(len(town.later), rel=1e-9)

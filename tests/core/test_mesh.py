"""Mesh codes against an exact reading of JIS X 0410 in fractions of a degree."""

import itertools
import pickle
from fractions import Fraction
from math import floor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core import mesh
from futuremap.core.mesh import Level
from futuremap.errors import KeyCodeError

# digits that may follow the code of a first-level mesh, written out from the standard
EIGHT, TEN, QUAD = "01234567", "0123456789", "1234"
TAILS = {
    Level.KM80: [],
    Level.KM10: [EIGHT, EIGHT],
    Level.KM5: [EIGHT, EIGHT, QUAD],
    Level.KM2: [EIGHT, EIGHT, "02468", "02468", "5"],
    Level.KM1: [EIGHT, EIGHT, TEN, TEN],
    Level.M500: [EIGHT, EIGHT, TEN, TEN, QUAD],
    Level.M250: [EIGHT, EIGHT, TEN, TEN, QUAD, QUAD],
    Level.M125: [EIGHT, EIGHT, TEN, TEN, QUAD, QUAD, QUAD],
}
# sides of a cell in seconds of arc, from the table of the Statistics Bureau
SECONDS = {
    Level.KM80: (Fraction(2400), Fraction(3600)),
    Level.KM10: (Fraction(300), Fraction(450)),
    Level.KM5: (Fraction(150), Fraction(225)),
    Level.KM2: (Fraction(60), Fraction(90)),
    Level.KM1: (Fraction(30), Fraction(45)),
    Level.M500: (Fraction(15), Fraction(45, 2)),
    Level.M250: (Fraction(15, 2), Fraction(45, 4)),
    Level.M125: (Fraction(15, 4), Fraction(45, 8)),
}
# Takamatsu, Kochi, Nagoya's neighbour, Okinotorishima, Hokkaido's north, and both far corners
FIRST_MESHES = ["5134", "5033", "5240", "3036", "6848", "0000", "9979"]
LEVELS = list(Level)
NESTED = [
    (small, large)
    for large, small in itertools.combinations(Level, 2)
    if (small, large) != (Level.KM2, Level.KM5)
]
# pairs small enough to be listed again and again
NEAR = [pair for pair in NESTED if SECONDS[pair[1]][0] / SECONDS[pair[0]][0] <= 40]


def quadrant(south, west, height, width):
    """Code of a quarter, and what is left of the point in it."""
    north, east = int(south >= height), int(west >= width)
    return str(2 * north + east + 1), south - north * height, west - east * width


def oracle_code(lat, lon, level):
    """Code of a point given in exact degrees, digit by digit in seconds of arc."""
    p, south = divmod(Fraction(lat) * 3600, 2400)
    u, west = divmod((Fraction(lon) - 100) * 3600, 3600)
    first = f"{p:02d}{u:02d}"
    if level is Level.KM80:
        return first
    (q, south), (v, west) = divmod(south, 300), divmod(west, 450)
    second = f"{first}{q}{v}"
    if level is Level.KM10:
        return second
    if level is Level.KM5:
        return second + quadrant(south, west, 150, 225)[0]
    if level is Level.KM2:
        return f"{second}{2 * floor(south / 60)}{2 * floor(west / 90)}5"
    (r, south), (w, west) = divmod(south, 30), divmod(west, 45)
    code = f"{second}{r}{w}"
    height, width = SECONDS[Level.KM1]
    while SECONDS[level][0] < height:
        height, width = height / 2, width / 2
        digit, south, west = quadrant(south, west, height, width)
        code += digit
    return code


def oracle_bounds(code, level):
    """South, west, north and east of a code in exact degrees."""
    south, west = Fraction(code[:2]) * 2400, (100 + Fraction(code[2:4])) * 3600
    rest = code[4:-1] if level is Level.KM2 else code[4:]
    for (height, width), digits in zip(((300, 450), (30, 45)), (rest[:2], rest[2:4]), strict=True):
        if len(digits) == 2:
            south, west = south + int(digits[0]) * height, west + int(digits[1]) * width
    height, width = (150, 225) if level is Level.KM5 else (Fraction(15), Fraction(45, 2))
    for digit in rest[2:] if level is Level.KM5 else rest[4:]:
        south, west = south + (digit in "34") * height, west + (digit in "24") * width
        height, width = height / 2, width / 2
    height, width = SECONDS[level]
    return [side / 3600 for side in (south, west, south + height, west + width)]


def all_codes(first, level):
    return np.array([first + "".join(tail) for tail in itertools.product(*TAILS[level])])


@st.composite
def codes(draw, levels=LEVELS):
    level = draw(st.sampled_from(levels))
    first = f"{draw(st.integers(0, 99)):02d}{draw(st.integers(0, 79)):02d}"
    return first + "".join(draw(st.sampled_from(list(digits))) for digits in TAILS[level]), level


latitudes = st.floats(0, 66.66, allow_subnormal=False)
longitudes = st.floats(100, 179.99)


class TestPublished:
    # Tokyo Tower and Kyoto Tower as in the tests of jismesh; the last as in the table of japanmesh
    @pytest.mark.parametrize(
        ("lat", "lon", "code"),
        [
            (35.658581, 139.745433, "5339"),
            (35.658581, 139.745433, "533935"),
            (35.658581, 139.745433, "5339354"),
            (35.658581, 139.745433, "533935885"),
            (35.658581, 139.745433, "53393599"),
            (35.658581, 139.745433, "533935992"),
            (35.658581, 139.745433, "5339359921"),
            (35.658581, 139.745433, "53393599212"),
            (34.987574, 135.759363, "5235"),
            (34.987574, 135.759363, "523536"),
            (34.987574, 135.759363, "5235363"),
            (34.987574, 135.759363, "523536805"),
            (34.987574, 135.759363, "52353680"),
            (34.987574, 135.759363, "523536804"),
            (34.987574, 135.759363, "5235368041"),
            (34.987574, 135.759363, "52353680412"),
            (35.70078, 139.71475, "53394547"),
        ],
    )
    def test_points(self, lat, lon, code):
        assert mesh.encode(lat, lon, level=mesh.level_of(code)) == code
        assert oracle_code(lat, lon, mesh.level_of(code)) == code

    def test_levels_of_the_published_examples(self):
        examples = ["5339", "533945", "5339452", "533945465", "53394529", "533945292"]
        examples += ["5339452922", "53394529221"]
        assert mesh.level_of(examples).tolist() == list(Level)

    def test_children_of_a_published_cell(self):
        expected = ["533945471", "533945472", "533945473", "533945474"]
        assert mesh.children("53394547", "500m").tolist() == expected


class TestLevel:
    @pytest.mark.parametrize("level", LEVELS)
    def test_sizes_are_those_of_the_standard(self, level):
        height, width = SECONDS[level]
        assert level.size == (float(height / 3600), float(width / 3600))
        assert len(level.places) == 4 + len(TAILS[level])

    def test_is_its_name(self):
        assert Level("500m") is Level.M500
        assert Level.M500 == "500m"
        assert pickle.loads(pickle.dumps(Level.M500)) is Level.M500  # noqa: S301
        assert Level.M500.label == "2分の1（500m）"

    def test_unknown(self):
        with pytest.raises(ValueError, match="3km"):
            mesh.encode(34.3, 134.0, level="3km")


class TestEveryCell:
    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("first", FIRST_MESHES)
    def test_round_trip(self, first, level):
        cells = all_codes(first, level)
        assert mesh.validate(cells).all()
        south, west, north, east = mesh.bounds(cells)
        for lat, lon in ((south, west), mesh.centre(cells)):
            np.testing.assert_array_equal(mesh.encode(lat, lon, level=level), cells)
        # the first points inside the other corners that no line reaches
        lat, lon = north - 2 * mesh.SNAP / 960, east - 2 * mesh.SNAP / 640
        for corner in ((lat, lon), (lat, west), (south, lon)):
            np.testing.assert_array_equal(mesh.encode(*corner, level=level), cells)

    @pytest.mark.parametrize("level", LEVELS)
    def test_corners_a_few_floats_off_find_their_cell(self, level):
        cells = all_codes("5134", level)
        south, west, _, _ = mesh.bounds(cells)
        for _ in range(4):
            south, west = np.nextafter(south, 0), np.nextafter(west, 0)
            np.testing.assert_array_equal(mesh.encode(south, west, level=level), cells)

    @pytest.mark.parametrize("level", LEVELS)
    def test_cells_tile_their_mesh(self, level):
        cells = all_codes("5134", level)
        south, west, north, east = mesh.bounds(cells)
        per_side = round(len(cells) ** 0.5)
        rows, cols = np.unique(south), np.unique(west)
        assert rows.size == cols.size == per_side
        assert len(set(zip(south.tolist(), west.tolist(), strict=True))) == len(cells)
        np.testing.assert_array_equal(np.unique(north), [*rows[1:], 52 / 1.5])
        np.testing.assert_array_equal(np.unique(east), [*cols[1:], 135])

    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("first", ["5134", "3036"])
    def test_bounds_are_the_nearest_floats(self, first, level):
        cells = all_codes(first, level)
        cells = cells[:: len(cells) // 1500 + 1]
        exact = [oracle_bounds(code, level) for code in cells.tolist()]
        np.testing.assert_array_equal(np.stack(mesh.bounds(cells), -1), np.array(exact, float))
        middle = [((s + n) / 2, (w + e) / 2) for s, w, n, e in exact]
        np.testing.assert_array_equal(np.stack(mesh.centre(cells), -1), np.array(middle, float))


class TestEncode:
    @given(latitudes, longitudes, st.sampled_from(LEVELS))
    def test_agrees_with_exact_arithmetic(self, lat, lon, level):
        rows, cols = Fraction(lat) * 960, Fraction(lon) * 640
        if abs(rows - round(rows)) < 2 * mesh.SNAP:
            rows = Fraction(round(rows))
        if abs(cols - round(cols)) < 2 * mesh.SNAP:
            cols = Fraction(round(cols))
        lat, lon = rows / 960, cols / 640
        assert mesh.encode(float(lat), float(lon), level=level) == oracle_code(lat, lon, level)

    def test_million_points(self):
        rng = np.random.default_rng(410)
        lat, lon = rng.uniform(20, 46, 1_000_000), rng.uniform(122, 154, 1_000_000)
        found = mesh.encode(lat, lon, level="250m")
        assert found.shape == (1_000_000,)
        south, west, north, east = mesh.bounds(found)
        assert ((south <= lat) & (lat < north) & (west <= lon) & (lon < east)).all()
        for i in range(0, lat.size, 499):
            assert found[i] == oracle_code(lat[i], lon[i], Level.M250)

    @pytest.mark.parametrize("level", LEVELS)
    def test_snaps_within_the_stated_reach_only(self, level):
        south, west, _, _ = mesh.bounds("5134")
        near, far = 0.9 * mesh.SNAP, 1.1 * mesh.SNAP
        itself = mesh.encode(south, west, level=level)
        assert mesh.encode(south - near / 960, west - near / 640, level=level) == itself
        below = mesh.encode(south - far / 960, west, level=level)
        left = mesh.encode(south, west - far / 640, level=level)
        assert (below[:4], left[:4]) == ("5034", "5133")

    def test_nine_decimals_reach_the_line(self):
        assert mesh.encode(34.666666667, 134.0, level="80km") == "5234"
        assert mesh.encode(34.666666666, 134.0, level="80km") == "5234"
        assert mesh.encode(34.66666666, 134.0, level="80km") == "5134"

    @pytest.mark.parametrize(
        ("lat", "lon", "what"),
        [
            (np.nan, 134.0, "latitude .*index 1, nan"),
            (34.0, np.inf, "longitude .*index 1, inf"),
            (-np.inf, 134.0, "latitude .*index 1, -inf"),
            (1e308, 134.0, "latitude .*index 1, 1e[+]308"),
            (-0.01, 134.0, "latitude from 0 to 66.67: index 1, -0.01"),
            (66.67, 134.0, "latitude"),
            (34.0, 99.99, "longitude from 100 to 180: index 1, 99.99"),
            (34.0, 180.0, "longitude"),
            (134.0, 34.0, "latitude"),
        ],
    )
    def test_refuses_what_has_no_code(self, lat, lon, what):
        with pytest.raises(KeyCodeError, match=f"1 of 2 are no {what}"):
            mesh.encode([34.0, lat], [134.0, lon], level="1km")

    def test_names_the_first_few(self):
        with pytest.raises(KeyCodeError, match=r"5 of 6 are no latitude.*index 3, nan$"):
            mesh.encode([34, *[np.nan] * 5], 134, level="1km")


class TestShapes:
    def test_scalars(self):
        code = mesh.encode(34.3428, 134.0466, level="250m")
        assert type(code) is str
        assert type(mesh.level_of(code)) is Level
        assert type(mesh.validate(code)) is bool
        assert {type(side) for side in (*mesh.bounds(code), *mesh.centre(code))} == {float}
        assert type(mesh.parent(code, "1km")) is str
        assert mesh.children(code, "125m").shape == (4,)

    def test_zero_dimensional_arrays_are_scalars(self):
        assert type(mesh.encode(np.array(34.3), np.float64(134), level="1km")) is str
        assert mesh.parent(np.array("51344013"), "10km") == "513440"
        assert mesh.level_of(np.str_("51344013")) is Level.KM1

    @pytest.mark.parametrize("shape", [(0,), (1,), (5,), (2, 3), (0, 4)])
    def test_arrays(self, shape):
        cells = mesh.encode(np.full(shape, 34.3), np.full(shape, 134.05), level="500m")
        assert cells.dtype == "U9"
        for answer in (
            cells,
            mesh.level_of(cells),
            mesh.validate(cells),
            mesh.parent(cells, "1km"),
        ):
            assert answer.shape == shape
        for side in (*mesh.bounds(cells), *mesh.centre(cells)):
            assert side.shape == shape
        if cells.size:
            assert mesh.children(cells, "125m").shape == (*shape, 16)

    def test_broadcasts(self):
        assert mesh.encode(np.ones((3, 1)) * 34, np.ones(4) * 134, level="1km").shape == (3, 4)
        assert mesh.encode([34.0, 35.0], 134.0, level="80km").tolist() == ["5134", "5234"]

    def test_empty_list(self):
        assert mesh.validate([]).shape == (0,)
        assert mesh.level_of([]).shape == (0,)
        assert mesh.bounds([]).south.shape == (0,)
        assert mesh.encode([], [], level="1km").shape == (0,)

    @pytest.mark.parametrize(
        "make",
        [
            list,
            tuple,
            pd.Series,
            pd.Index,
            lambda texts: np.array(texts, object),
            lambda texts: np.array(texts, ">U30"),
            lambda texts: np.repeat(np.array(texts), 2)[::2],
            lambda texts: np.array(texts, np.dtypes.StringDType()),
        ],
    )
    def test_any_container_of_text(self, make):
        cells = ["51344013", "513440132", "513440025"]
        assert mesh.level_of(make(cells)).tolist() == ["1km", "500m", "2km"]
        assert mesh.parent(make(cells), "10km").tolist() == ["513440"] * 3

    def test_bounds_say_their_order(self):
        assert mesh.bounds("5134")._fields == ("south", "west", "north", "east")
        assert mesh.centre("5134")._fields == ("lat", "lon")

    def test_does_not_touch_its_input(self):
        cells = np.array(["51344013", "51344014"])
        lat = np.array([34.3, 34.4])
        for given_array in (cells, lat):
            given_array.setflags(write=False)
        mesh.bounds(cells)
        mesh.parent(cells, "10km")
        mesh.encode(lat, lat + 100, level="1km")
        assert cells.tolist() == ["51344013", "51344014"]
        assert lat.tolist() == [34.3, 34.4]


class TestMalformed:
    BAD = (
        ("", "0 characters"),
        ("513", "3 characters"),
        ("51344", "5 characters"),
        ("513440131111", "12 characters"),
        ("5134401311111111", "16 characters"),
        ("51a4", "digit 3 of a 80km code is one of 01234567, not 'a'"),
        ("5184", "digit 3 of a 80km code is one of 01234567, not '8'"),
        ("513480", "digit 5 of a 10km code is one of 01234567, not '8'"),
        ("51340813", "digit 6 of a 1km code"),
        ("5134400", "digit 7 of a 5km code is one of 1234, not '0'"),
        ("5134405", "digit 7 of a 5km code"),
        ("513440130", "digit 9 of a 500m code is one of 1234, not '0'"),
        ("513440135", "digit 7 of a 2km code is one of 02468, not '1'"),
        ("513440036", "digit 9 of a 500m code"),
        ("5134401325", "digit 10 of a 250m code"),
        ("51344013240", "digit 11 of a 125m code"),
        ("５１３４", "digit 1 of a 80km code"),
        ("-134", "digit 1"),
        (" 5134 ", "digit 1"),
        ("51344013 ", "digit 9"),
        ("5134-40", "digit 5"),
        ("51\x0034", "5 characters"),
        ("5134.0", "digit 5"),
    )

    @pytest.mark.parametrize(("code", "rule"), BAD)
    def test_is_located_and_explained(self, code, rule):
        assert mesh.validate(code) is False
        assert mesh.validate(["5134", code]).tolist() == [True, False]
        for read in (mesh.level_of, mesh.bounds, mesh.centre):
            with pytest.raises(KeyCodeError, match=f"1 of 2 .*index 1, .*{rule}"):
                read(["5134", code])
        for derive in (mesh.parent, mesh.children):
            with pytest.raises(KeyCodeError, match=f"1 of 1 .*index 0, .*{rule}"):
                derive(code, "1km")

    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA, 51344013, b"51344013"])
    def test_what_is_not_text(self, missing):
        cells = np.array(["51344013", missing], object)
        assert mesh.validate(cells).tolist() == [True, False]
        with pytest.raises(KeyCodeError, match=r"1 of 2 .*index 1, .*: not text"):
            mesh.bounds(cells)

    def test_numbers_have_lost_their_zeros(self):
        assert not mesh.validate(np.array([5134, 5135])).any()
        with pytest.raises(KeyCodeError, match="2 of 2"):
            mesh.bounds(np.array([5134, 5135]))

    def test_leading_zeros_live(self):
        assert mesh.bounds("0000") == (0, 100, 40 / 60, 101)
        assert mesh.encode(0, 100, level="1km") == "00000000"

    def test_names_the_first_few(self):
        with pytest.raises(KeyCodeError, match="9 of 9 ") as caught:
            mesh.bounds([f"x{i}" for i in range(9)])
        assert [f"'x{i}'" in str(caught.value) for i in range(4)] == [True, True, True, False]


class TestNesting:
    @settings(deadline=None)
    @given(st.data(), st.sampled_from(NEAR))
    def test_children_and_parent_are_inverse(self, data, pair):
        small, large = pair
        code, _ = data.draw(codes(levels=[large]))
        inner = mesh.children(code, small)
        ratio = SECONDS[large][0] / SECONDS[small][0]
        assert len(set(inner.tolist())) == inner.size == ratio**2
        assert inner.tolist() == sorted(inner.tolist())
        assert set(mesh.level_of(inner)) == {small}
        assert set(mesh.parent(inner, large)) == {code}

    @settings(deadline=None)
    @given(st.data(), st.sampled_from(NEAR))
    def test_every_cell_is_among_its_siblings(self, data, pair):
        small, large = pair
        code, _ = data.draw(codes(levels=[small]))
        assert code in mesh.children(mesh.parent(code, large), small)

    @given(latitudes, longitudes, st.sampled_from(NESTED))
    def test_parent_of_a_point_is_the_point_of_the_parent(self, lat, lon, pair):
        small, large = pair
        fine = mesh.encode(lat, lon, level=small)
        assert mesh.parent(fine, large) == mesh.encode(lat, lon, level=large)

    @pytest.mark.parametrize(("small", "large"), NESTED)
    def test_children_fill_their_parent(self, small, large):
        parents = all_codes("5134", large)[-2:]
        inner, outer = mesh.bounds(mesh.children(parents, small)), mesh.bounds(parents)
        np.testing.assert_array_equal(inner.south.min(-1), outer.south)
        np.testing.assert_array_equal(inner.west.min(-1), outer.west)
        np.testing.assert_array_equal(inner.north.max(-1), outer.north)
        np.testing.assert_array_equal(inner.east.max(-1), outer.east)

    def test_mixed_levels_have_parents_of_one(self):
        mixed = ["51344013", "513440132", "513440025", "5134403"]
        assert mesh.parent(mixed, "10km").tolist() == ["513440"] * 4

    def test_two_km_straddles_five_km(self):
        match = "2km cells do not nest in 5km cells: a 5km side is 2.5 times a 2km side"
        with pytest.raises(KeyCodeError, match=match):
            mesh.parent("513440025", "5km")
        with pytest.raises(KeyCodeError, match=match):
            mesh.children("5134403", "2km")

    @pytest.mark.parametrize("level", ["1km", "500m", "125m"])
    def test_parents_are_larger(self, level):
        with pytest.raises(KeyCodeError, match=f"1km cells do not nest in {level} cells"):
            mesh.parent("51344013", level)

    @pytest.mark.parametrize("level", ["1km", "2km", "80km"])
    def test_children_are_smaller(self, level):
        with pytest.raises(KeyCodeError, match=f"{level} cells do not nest in 1km cells"):
            mesh.children("51344013", level)

    def test_children_need_one_level(self):
        with pytest.raises(KeyCodeError, match="one level, got 1km, 500m"):
            mesh.children(["51344013", "513440132"], "125m")
        with pytest.raises(KeyCodeError, match="one level, got none"):
            mesh.children([], "125m")


class TestCover:
    @given(codes(levels=LEVELS[2:]), st.sampled_from(LEVELS))
    def test_of_a_cell_is_its_children_or_itself_or_its_parents(self, cell, level):
        code, own = cell
        found = mesh.cover(**mesh.bounds(code)._asdict(), level=level).tolist()
        if (level, own) in NEAR:
            assert found == mesh.children(code, level).tolist()
        elif (own, level) in NESTED or own == level:
            assert found == [code if own == level else mesh.parent(code, level)]

    @given(
        st.floats(34.0, 34.66),
        st.floats(134.0, 134.99),
        st.floats(1e-5, 0.2),
        st.floats(1e-5, 0.2),
        st.sampled_from([Level.KM10, Level.KM5, Level.KM2, Level.KM1]),
    )
    def test_is_what_overlaps(self, south, west, height, width, level):
        north, east = min(south + height, 34.66), min(west + width, 134.99)
        if north <= south or east <= west:
            return
        cells = all_codes("5134", level)
        box = mesh.bounds(cells)
        reach = mesh.SNAP / 640
        inside = (box.south < north - reach) & (box.north > south + reach)
        inside &= (box.west < east - reach) & (box.east > west + reach)
        touching = (box.south < north + reach) & (box.north > south - reach)
        touching &= (box.west < east + reach) & (box.east > west - reach)
        found = mesh.cover(south=south, west=west, north=north, east=east, level=level)
        assert found.tolist() == sorted(found.tolist())
        assert set(cells[inside]) <= set(found.tolist()) <= set(cells[touching])

    def test_a_shared_line_is_not_enough(self):
        box = mesh.bounds("51344013")
        assert mesh.cover(**box._asdict(), level="1km").tolist() == ["51344013"]
        wider = box._replace(east=box.east + 1e-6, south=box.south - 1e-6)
        expected = ["51344003", "51344004", "51344013", "51344014"]
        assert mesh.cover(**wider._asdict(), level="1km").tolist() == expected

    def test_reaches_the_last_row_and_column(self):
        assert mesh.cover(**mesh.bounds("9979")._asdict(), level="80km").tolist() == ["9979"]
        whole = mesh.cover(south=0, west=100, north=200 / 3, east=180, level="80km")
        assert whole.size == 8000

    @pytest.mark.parametrize(
        "box",
        [
            {"south": 35, "west": 134, "north": 34, "east": 135},
            {"south": 34, "west": 134, "north": 34, "east": 135},
            {"south": 34, "west": 135, "north": 35, "east": 134},
            {"south": 134, "west": 34, "north": 135, "east": 35},
            {"south": np.nan, "west": 134, "north": 35, "east": 135},
            {"south": 34, "west": 134, "north": 35, "east": np.inf},
            {"south": -1, "west": 134, "north": 35, "east": 135},
            {"south": 34, "west": 134, "north": 35, "east": 180.1},
        ],
    )
    def test_refuses_a_box_that_is_none(self, box):
        with pytest.raises(KeyCodeError, match="is no span of l"):
            mesh.cover(**box, level="1km")

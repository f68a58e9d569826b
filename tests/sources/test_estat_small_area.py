"""未検証 layout: small areas of made-up files (合成データ) in the true form of T001082."""

import numpy as np
import pytest

from futuremap.base.suppressed import restore
from futuremap.sources import estat_small_area

from .estat_files import GROUPS, add, changed, labels, numbers, row, withheld, write
from .variants import found

TOWN = {"year": 2020, "credit": "census"}
WEST = numbers(range(16), [2] * 16, (1, 0))  # a block of its own
EAST = [numbers([5] * 16, [k % 4 for k in range(16)]), numbers([1] * 16, [3] * 16, (0, 2))]
TINY = numbers([1] + [0] * 15, [1] + [0] * 15)  # suppressed
ALL = add(WEST, *EAST, TINY)


def rows(year=2020):
    """A municipality of a block, a town of two 丁目, and a block merged into the first."""
    parent, child = ("3", "4") if year == 2020 else ("2", "3")
    return [
        row("01209", "1", "", ALL),
        row("012090010", "2", "西町", merged(WEST, TINY), treatment="1", members="012090030"),
        row("012090020", parent, "東町", add(*EAST)),
        row("01209002001", child, "東町１丁目", EAST[0]),
        row("01209002002", child, "東町２丁目", EAST[1]),
        row("012090030", "2", "谷", withheld(TINY), treatment="2", partner="012090010"),
    ]  # fmt: skip


def merged(holder, *members):
    """Totals of the holder alone, ages of all."""
    together = add(holder, *members)
    return [holder[p] if p % 20 == 0 else together[p] for p in range(60)]


def read(path, report, municipality="01209"):
    return estat_small_area.read(path, municipality=municipality, report=report, **TOWN)


@pytest.mark.parametrize("year", [2015, 2020])
def test_leaves_only_and_every_person_once(tmp_path, report, year):
    path = write(tmp_path / "tblT001082C01.txt", rows(year), named=labels(year))
    table = read(path, report)
    totals, details, walk = table.published
    assert totals.zones == ("012090010", "01209002001", "01209002002", "012090030")
    assert table.names == ("西町", "東町１丁目", "東町２丁目", "谷")
    assert table.parents == ("01209",) * 4
    assert table.lines == dict(zip(totals.zones, [4, 6, 7, 8], strict=True))
    assert totals.persons[0, :, :, 0].sum(axis=0).tolist() == [ALL[20], ALL[40]]
    assert details.ages.lower == tuple(range(0, 80, 5))
    assert details.zones == totals.zones[:3]
    assert details.persons[0, 0, 0].tolist() == [1, *range(1, 16)]
    assert totals.totals().sum() - details.totals().sum() == 3  # of unknown age
    assert walk.conserves()
    assert [(p.code, p.value) for p in report.problems] == [("FM316", "1")]


def test_only_the_municipality_asked_for(tmp_path, report):
    broken = row("012100010", "2", "隣町", ["x-1"] * 60)
    other = [row("01210", "1", "", TINY), broken]
    path = write(tmp_path / "a.txt", [*rows(), *other])
    assert len(read(path, report).names) == 4
    assert read(path, report, "34204") is None
    assert found(report) == [("FM316", None, "HTKSYORI"), ("FM441", None, "KEY_CODE")]


def test_all_municipalities(tmp_path, report):
    other = [row("01210", "1", "", TINY), row("012100010", "2", "隣町", TINY)]
    table = read(write(tmp_path / "a.txt", [*rows(), *other]), report, None)
    assert table.parents == ("01209",) * 4 + ("01210",)


def test_an_uninhabited_area_is_a_zone_of_nobody(tmp_path, report):
    nobody = row("012090040", "2", "山林", numbers([0] * 16, [0] * 16))
    table = read(write(tmp_path / "a.txt", [*rows(), nobody]), report)
    assert table.published.totals.totals()[0].tolist()[-1] == 0


def test_partners_without_the_code_of_the_municipality(tmp_path, report):
    path = write(tmp_path / "a.txt", rows())
    short = changed(
        path, tmp_path / "b.txt", {b",2,012090010,": b",2,0010,", b",1,,012090030": b",1,,30"}
    )
    assert read(short, report).published.merged.conserves()


def test_a_block_merged_into_a_town_above_its_parts(tmp_path, report):
    """The ages of the town then hold the block's; its 丁目 do not."""
    changed_rows = rows()
    changed_rows[1] = row("012090010", "2", "西町", WEST)
    changed_rows[2] = row(
        "012090020", "3", "東町", merged(add(*EAST), TINY), treatment="1", members="012090030"
    )
    changed_rows[5] = row(
        "012090030", "2", "谷", withheld(TINY), treatment="2", partner="012090020"
    )
    details = read(write(tmp_path / "a.txt", changed_rows), report).published.details
    at = details.zones.index("012090020")
    assert details.persons[0, at].tolist() == [[1] + [0] * 15] * 2


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({b"012090010,2": b"12090010,2"}, [("FM317", 3, ""), ("FM315", 8, "HTKSAKI")]),
        ({b"01209002001,4": b"0120900200,4"}, [("FM313", 6, "KEY_CODE")]),
        ({b"01209002001,4": b"01209002002,4"}, [("FM411", 7, "KEY_CODE")]),
        ({b"012090020,3": b"012090020,2"}, [("FM313", 5, "HYOSYO")]),
        ({b"HYOSYO": b"LEVEL"}, [("FM481", 2, "HYOSYO")]),
        ({"男５～９歳".encode("cp932"): b"x"}, [("FM481", 2, "男5～9歳")]),
        # found by atheris: it had stopped with ValueError, and one of the two had gone unsaid
        (
            {"女６５～６９歳".encode("cp932"): b"Polygon", "男６５歳以上".encode("cp932"): b"x"},
            [("FM481", 2, "女65～69歳")],
        ),
        ({"男７５歳以上".encode("cp932"): b"x"}, [("FM481", 2, "男75歳以上")]),
        ({"男の総数".encode("cp932"): b"x"}, [("FM481", 2, "男の総数、年齢「不詳」含む")]),
        ({",谷,2,012090010".encode("cp932"): ",谷,2,".encode("cp932")}, [("FM314", 4, "GASSAN"), ("FM314", 8, "HTKSAKI")]),
    ],
)  # fmt: skip
def test_one_fault_is_refused_in_its_place(tmp_path, report, changes, wanted):
    path = write(tmp_path / "a.txt", rows())
    assert read(changed(path, tmp_path / "b.txt", changes), report) is None
    assert [place for place in found(report) if place[0] != "FM316"] == wanted


def test_rows_that_are_missing(tmp_path, report):
    some = rows()
    assert read(write(tmp_path / "a.txt", some[:4] + some[5:]), report) is None
    found_there = [(p.code, p.line, p.value) for p in report.errors]
    assert found_there == [("FM317", 3, str(ALL[0])), ("FM317", 5, str(add(*EAST)[0]))]


def test_ages_that_pass_their_total(tmp_path, report):
    some = rows()
    some[3] = row("01209002001", "4", "東町１丁目", [*EAST[0][:21], EAST[0][21] + 9, *EAST[0][22:]])
    assert read(write(tmp_path / "a.txt", some), report) is None
    assert [(p.code, p.line) for p in report.errors] == [("FM318", 6)]


def test_suppressed_ages_without_a_note(tmp_path, report):
    some = rows()
    some[3] = row("01209002001", "4", "東町１丁目", withheld(EAST[0]))
    assert read(write(tmp_path / "a.txt", some), report) is None
    withheld_cells = [p for p in report.errors if p.code == "FM308"]
    assert {p.line for p in withheld_cells} == {6}
    assert len(withheld_cells) == 2 * GROUPS


def test_a_file_of_many_rows_reads_the_same_sums(tmp_path, report):
    random = np.random.default_rng(5)
    areas = [numbers(*random.integers(0, 9, (2, 16)).tolist()) for _ in range(300)]
    table = [row("01209", "1", "", add(*areas))]
    table += [row(f"01209{i + 1:04d}", "2", "町", area) for i, area in enumerate(areas)]
    published = read(write(tmp_path / "a.txt", table), report).published
    wanted = np.array(areas).sum(axis=0)
    ages = published.details.persons[0].sum(axis=0)
    np.testing.assert_array_equal(
        ages, [[*wanted[21:36], wanted[39]], [*wanted[41:56], wanted[59]]]
    )
    assert not report.problems


@pytest.mark.parametrize("town_above", [False, True])
def test_ages_merged_with_an_area_of_another_municipality(tmp_path, report, town_above):
    """Both municipalities can be read alone, and each has its own people restored."""
    near = numbers([4] * 16, [6] * 16)
    table = rows()
    table[1] = row("012090010", "2", "西町", WEST)
    partner = "012100020" if town_above else "012100010"
    table[5] = row("012090030", "2", "谷", withheld(TINY), treatment="2", partner=partner)
    holder = (merged(near, TINY), {"treatment": "1", "members": "012090030"})
    above, below = (holder, (near, {})) if town_above else ((near, {}), holder)
    other = [row("01210", "1", "", add(near, near))]
    other.append(row("012100010", "2", "隣町", below[0], **below[1]))
    other.append(row("012100020", "3", "上町", above[0], **above[1]))
    other.append(row("01210002001", "4", "上町１丁目", near))
    path = write(tmp_path / "a.txt", [*table, *other])
    for code, people in (("01209", sum(ALL[20::20])), ("01210", 2 * sum(near[20::20]))):
        found_areas = read(path, report, code)
        totals, details, walk = found_areas.published
        known = restore(totals, details, merged=walk).known
        own = [zone for zone in totals.zones if zone.startswith(code)]
        in_all = totals.only(own).totals().sum()
        assert in_all == people
        assert known.only(own).totals().sum() == pytest.approx(
            in_all - (3 if code == "01209" else 0)
        )
        assert (known.only(own).persons >= 0).all()
    assert {p.code for p in report.problems} == {"FM316"}


def test_zeros_lost_from_all_codes_are_put_back(tmp_path, report):
    # as Excel saves it: codes in lists are text, and keep theirs
    lost = [list(cells) for cells in rows()]
    for cells in lost:
        cells[0], cells[5] = cells[0].lstrip("0"), cells[5].lstrip("0")
    whole = read(write(tmp_path / "whole.txt", rows()), report)
    table = read(write(tmp_path / "lost.txt", lost), report)
    assert table.published.totals.zones == whole.published.totals.zones
    assert (table.published.details.persons == whole.published.details.persons).all()
    assert (table.published.merged.weights != whole.published.merged.weights).nnz == 0
    (said,) = (p for p in report.problems if p.code == "FM219")
    assert (said.file, said.line, said.column, said.value) == ("lost.txt", 3, "KEY_CODE", "1209")


def test_a_row_that_cannot_be_read_is_one_fault(tmp_path, report):
    torn = rows()
    torn[4] = torn[4][:-1]  # a 丁目: the sums above it could not come out right
    assert read(write(tmp_path / "t.txt", torn), report) is None
    assert [(p.code, p.line) for p in report.problems if p.code != "FM316"] == [("FM310", 7)]


def test_a_municipality_that_is_not_divided_is_one_area(tmp_path, report):
    path = write(tmp_path / "t.txt", [row("01209", "1", "", WEST), row("01210", "1", "", TINY)])
    table = read(path, report)
    assert table.published.totals.zones == ("01209",)
    assert table.names == ("夕張市",)
    assert table.published.totals.totals().sum() == WEST[0]
    assert not report.problems

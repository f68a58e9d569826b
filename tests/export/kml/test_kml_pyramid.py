"""Population pyramids of a balloon."""

import re
from html import unescape

import numpy as np

from futuremap.core.layer import Pyramids
from futuremap.export.kml.pyramid import pyramid_cells

AGES = ("0～14歳", "15～64歳", "65歳以上")
# years, features, sexes, ages
PEOPLE = np.array(
    [
        [[[10, 20, 30], [11, 22, 33]], [[0, 0, 0], [0, 0, 0]]],
        [[[5, 10, 100], [6, 12, 50]], [[0, 0, 0], [0, 0, 0]]],
    ],
    dtype=float,
)
PYRAMIDS = Pyramids((2020, 2050), AGES, PEOPLE)


def drawn(row, *, lang="ja"):
    return unescape(pyramid_cells(PYRAMIDS, np.array([row]), lang=lang)[0])


def lines(html):
    found = re.findall(r"<tr>(?:(?!</tr>).)*<hr.*?</tr>", html)
    return [[int(w) for w in re.findall(r'<hr [^>]*width="(\d+)%"', line)] for line in found]


def test_lines_are_ages_from_the_oldest_with_both_years_on_one_scale():
    assert lines(drawn(0)) == [[30, 33, 100, 50], [20, 22, 10, 12], [10, 11, 5, 6]]
    assert "いちばん長い棒＝100.0人" in drawn(0)


def test_males_stand_to_the_left_of_the_axis():
    sides = re.findall(r'<hr [^>]*align="(\w+)"', drawn(0))
    assert sides == ["right", "left"] * 6
    assert drawn(0).index("男") < drawn(0).index("女")


def test_where_nobody_lives_there_are_no_bars():
    assert lines(drawn(1)) == [[0] * 4] * 3


def test_years_and_ages_are_named_in_both_languages():
    for lang, year in (("ja", "2050年"), ("en", "2050")):
        html = drawn(0, lang=lang)
        assert f">{year}<" in html
        assert [age for age in ("0-14", "15-64", "65+") if age in html] == ["0-14", "15-64", "65+"]
    assert not re.search(r"[ぁ-んァ-ヶ一-龠]", drawn(0, lang="en"))

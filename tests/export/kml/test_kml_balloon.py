"""Balloons: now and future side by side, what was not counted, both languages."""

import re
from html import unescape

import numpy as np
import pytest

from futuremap.core.layer import Pyramids
from futuremap.export.kml import EARTH_WEB, write_earth
from futuremap.export.kml.balloon import (
    balloon_text,
    cells,
    column_label,
    columns,
    description_cells,
    description_template,
    table_lines,
)
from futuremap.export.kml.schema import schema_errors

WHOLE = (
    "address",
    "population_2020",
    "population_2050",
    "population_low_2050",
    "population_high_2050",
    "population_change_2050",
    "change_rate_2050",
    "imputed_share",
)
EXTRA = {
    "population_low_2050": [40.0, 4000.0],
    "population_high_2050": [80.0, 8000.0],
    "imputed_share": [0.0, 12.34],
}


@pytest.fixture
def whole(make_layer):
    """Build a layer of two squares with intervals and numbers that were not counted."""

    def build(state="future", **changes):
        layer = make_layer(state, 2, now=[100.0, 5000.0], later=[60.0, 6000.0], **changes)
        frame = layer.features.assign(**EXTRA)
        return make_layer(state, 2, **changes | {"features": frame, "balloon": WHOLE})

    return build


def described(layer, *, lang="ja"):
    """HTML of every description, as a client sees it."""
    rows = np.arange(len(layer.features))
    people = {column: cells(layer, column, rows).people for column in columns(layer)}
    found = description_cells(
        layer,
        list(layer.features["name"]),
        classes=layer.class_index(),
        people=people,
        rows=rows,
        lang=lang,
    )
    template = description_template(layer, lang=lang)
    return [unescape(template % row) for row in zip(*found, strict=True)]


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_now_and_future_stand_side_by_side(whole):
    first, second = described(whole())
    assert "2020年 → 2050年" in words(first)
    assert "人口（人） 100.0 60.0" in words(first)
    assert "80％区間 40.0～80.0" in words(first)
    assert "増減 -40.0人 （-40.0％）" in words(first)
    assert "増減 +1,000.0人 （+20.0％）" in words(second)


def test_years_stand_over_the_first_line_that_has_any(whole):
    text = words(described(whole())[0])
    assert text.index("所在地") < text.index("→ 2050年") < text.index("人口（人）")


def test_every_column_of_the_balloon_stands_in_it_once(whole):
    layer = whole()
    listed = [c for line in table_lines(layer) for under in line.cells.values() for c in under]
    assert sorted(listed) == sorted(set(WHOLE) - {"imputed_share"})


def test_what_was_not_counted_is_said_in_words(whole):
    none, some = described(whole())
    assert "数えた値ではなく" not in none
    assert "2020年の人口のうち12.3％は、数えた値ではなく推計です" in some
    assert "2020: 12.3 % of the people are estimated" in described(whole(), lang="en")[1]


def test_the_class_has_a_chip_of_its_colour(whole):
    layer = whole()
    hues = [hue for _, hue in layer.classes.entries()]
    for html, index in zip(described(layer), layer.class_index().tolist(), strict=True):
        assert re.findall(r'<font color="(#\w+)"', html)[0] == hues[index]


def test_the_english_edition_has_no_japanese_words(whole):
    html = described(whole(ids=["a", "b"], names=["A", "B"]), lang="en")[1]
    assert not re.search(r"[ぁ-んァ-ヶ一-龠]", html)
    assert "Population (persons) 5,000.0 6,000.0" in words(html)
    assert "80 % interval 4,000.0–8,000.0" in words(html)
    assert "Change +1,000.0 persons (+20.0 %)" in words(html)
    assert column_label("population_2050", lang="en") == "Population 2050 (persons)"


def test_notes_explain_intervals_and_made_up_numbers(whole, make_layer):
    text = balloon_text(whole(synthetic=True))
    assert "80％の確率で収まる範囲" in text
    assert "例示のための数値" in text
    assert "made up as an example" in balloon_text(whole(synthetic=True), lang="en")
    plain = balloon_text(make_layer())
    assert "80％" not in plain
    assert "例示" not in plain


def test_rich_balloons_are_valid_and_escaped(whole, tmp_path, read):
    people = np.arange(16.0).reshape(2, 2, 2, 2)
    ages = ("0～14歳<script>", "15歳以上")
    nasty = ["<script>x</script>", "$[name]%s%"]
    layer = whole(names=nasty, pyramids=Pyramids((2020, 2050), ages, people))
    years = {f"population_{year}": [50.0, 70.0] for year in (2030, 2040)}
    layer = whole(pyramids=layer.pyramids, names=nasty)
    frame = layer.features.assign(**years)
    object.__setattr__(layer, "features", frame)
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    assert schema_errors(path) == []
    texts = read(path).texts("//Placemark/description")
    assert all("人口の推移" in text and "男女・年齢別" in text for text in texts)
    assert not any("<script" in text or "$[" in text for text in texts)


def test_plain_layers_have_no_bars(make_layer):
    html = described(make_layer())[0]
    assert "<hr" not in html
    assert "推移" not in html

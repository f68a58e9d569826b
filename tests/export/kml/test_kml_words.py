"""Words of the legend: signs, scale and both languages."""

import re
from dataclasses import replace

import numpy as np
import shapely

from futuremap.export.kml.lint_html import scales
from futuremap.export.kml.words import (
    WORDS,
    document_name,
    has_flat,
    height_line,
    legend_html,
    legend_text,
)
from futuremap.export.kml.writer import Part


def test_both_languages_have_the_same_places():
    for japanese, english in zip(WORDS["ja"], WORDS["en"], strict=True):
        if isinstance(japanese, str):
            assert japanese.count("%s") == english.count("%s")


def test_shapes_are_flat_where_the_writer_writes_them_flat(make_layer):
    for height in (0.0, 0.04, 0.05, 0.0501, 0.06, 3.0):
        layer = make_layer(count=1, now=[height], metres_per_unit=1.0)
        written = Part(layer, np.array([0])).heights()
        assert has_flat(layer) == (written == 0).any()


def test_signs_are_explained_only_where_they_occur(make_layer):
    words = WORDS["ja"]
    signs = {words.flat, words.ring, words.interval_place}
    assert not signs & set(legend_text(make_layer()))
    layer = make_layer("future", 2, later=[0.0, 5.0])
    bounds = {f"population_{end}_2050": [0.0, 6.0] for end in ("low", "high")}
    reaches = np.array([shapely.box(134, 34, 135, 35), None], dtype=object)
    rich = replace(layer, features=layer.features.assign(**bounds), reaches=reaches)
    assert signs <= set(legend_text(rich))
    assert words.ring not in legend_text(replace(rich, reaches=np.array([None] * 2)))


def test_the_linter_reads_the_scale_in_both_languages(make_layer):
    layer = make_layer(metres_per_unit=0.05)
    assert height_line(layer, "en") == "Height: Population 100 persons = 5 m"
    found = [list(scales(legend_html(layer, lang=lang).replace("&lt;br&gt;", "<br>")))
             for lang in ("ja", "en")]  # fmt: skip
    assert found == [["0.05"], ["0.05"]]
    assert "1 person = 2 m" in height_line(make_layer(), "en")


def test_the_english_legend_has_no_japanese(make_states):
    lines = legend_text(*make_states(synthetic=True), lang="en")
    assert not re.search(r"[ぁ-んァ-ヶ一-龠（）：]", "".join(lines))
    assert lines[0] == document_name(make_states(synthetic=True), "en")

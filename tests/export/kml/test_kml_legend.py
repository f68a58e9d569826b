"""The legend as a picture and as text."""

import io
from dataclasses import replace

import numpy as np
import pytest
import shapely
from PIL import Image, ImageColor

from futuremap.core.layer import Text
from futuremap.export.kml.legend import TALLEST, WIDTH, font, legend_png, wrap
from futuremap.export.kml.words import document_name, legend_html, legend_text, scale


def picture(layers, **changes):
    return Image.open(io.BytesIO(legend_png(layers, **changes))).convert("RGB")


def test_all_classes_are_drawn_in_their_colours(make_states):
    states = make_states()
    colours = {colour for _, colour in picture(states).getcolors(2**24)}
    wanted = {hue for layer in states for _, hue in layer.classes.entries()}
    assert {ImageColor.getrgb(hue) for hue in wanted} <= colours


def test_it_has_letters_and_white_paper(make_states):
    image = picture(make_states())
    grey = np.asarray(image.convert("L"))
    assert image.width == WIDTH
    assert image.height <= TALLEST
    assert 0.02 < (grey < 90).mean() < 0.4
    assert (grey == 255).mean() > 0.5


def test_it_is_the_same_every_time(make_states):
    assert legend_png(make_states()) == legend_png(make_states())


def test_it_differs_between_towns(make_layer):
    other = make_layer(place=Text("別の町", "Other"))
    assert legend_png([make_layer()]) != legend_png([other])


def test_endless_notes_do_not_make_it_taller_than_the_screen(make_layer):
    notes = tuple(Text(f"{i}番目の注記" * 9, "note") for i in range(60))
    assert picture([make_layer(notes=notes)]).height <= TALLEST


def test_made_up_data_are_in_red(make_layer):
    red = ImageColor.getrgb("#b00020")
    assert red in {colour for _, colour in picture([make_layer(synthetic=True)]).getcolors(2**24)}
    assert red not in {colour for _, colour in picture([make_layer()]).getcolors(2**24)}


def test_lines_fit_and_do_not_start_with_closing_marks():
    lines = wrap(
        "高松市「地域・年齢別人口」（CC BY 4.0）、https://example.jp/" + "x" * 80, 15, width=100
    )
    assert all(font(15).getlength(line) <= 130 for line in lines)
    assert not any(line.startswith(("、", "）", "」")) for line in lines)
    assert "".join(lines).replace(" ", "").endswith("x" * 80)


@pytest.mark.parametrize(
    ("metres", "shown"),
    [
        (50.0, "1 人 ＝ 50 m"),
        (0.05, "100 人 ＝ 5 m"),
        (0.5, "10 人 ＝ 5 m"),
        (1.0, "1 人 ＝ 1 m"),
        (2000.0, "1 人 ＝ 2,000 m"),
        (0.001, "1,000 人 ＝ 1 m"),
    ],
)
def test_the_scale_has_no_fractions(make_layer, metres, shown):
    assert scale(make_layer(metres_per_unit=metres)) == shown


def test_the_text_says_what_the_picture_says(make_states):
    lines = legend_text(*make_states(synthetic=True))
    assert lines[:4] == [
        "［合成データ］架空町 町丁別人口",
        "現況（2020年）・将来（2050年）",
        "高さ：人口 1 人 ＝ 2 m",
        "色：高齢化率（％）",
    ]
    assert "■ 20～30％" in lines
    assert "増減（2020→2050年）" in lines
    assert lines[-1] == "出典：［合成データ］例示用の数値（CC0）"
    assert "境界は近似" in lines
    assert "■ 20 to 30 %" in legend_text(*make_states(), lang="en")
    assert "#5ec962" in legend_html(*make_states())


def test_a_title_that_names_the_place_does_not_name_it_twice(make_layer):
    layer = make_layer(title=Text("架空町の人口", "Sample Town population"))
    assert document_name([layer]) == "架空町の人口"


def test_the_english_edition_is_another_picture_of_the_same_size(make_states):
    states = make_states()
    english = picture(states, lang="en")
    assert english.width == WIDTH
    assert english.height <= TALLEST
    assert legend_png(states, lang="en") != legend_png(states)


def test_opacity_and_rings_are_explained_where_they_are_drawn(make_layer):
    layer = make_layer("future")
    reaches = np.array([shapely.box(134, 34, 135, 35)] * 6, dtype=object)
    plain, ringed = picture([layer]), picture([replace(layer, reaches=reaches)])
    assert ringed.height > plain.height
    faded = picture([layer], fade=True)
    assert faded.height > plain.height
    assert faded.tobytes() == picture([layer], fade=True).tobytes()


def test_numbers_beside_the_bars_fit_between_them():
    from futuremap.export.kml.legend import _fitting

    size = _fitting("20,000 persons/ha", 13, width=86)
    assert size < 13
    assert font(size).getlength("20,000 persons/ha") <= 86
    assert _fitting("1 人", 13, width=86) == 13

"""Safe text: whatever is put in, what comes out stays text."""

import html
import re

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from futuremap.export.text import ascii_id, clean, file_stem, html_text, inert_cell, xml_text

anything = st.text(alphabet=st.characters(exclude_categories=()))
nasty = st.one_of(
    anything,
    st.lists(
        st.sampled_from(
            [
                "&",
                "<",
                ">",
                "]]>",
                "$[name]",
                "\x0b",
                "\ud800",
                "'",
                '"',
                "町",
                "\r",
                "\U0001f3eb",
                "￾",
            ]
        )
    ).map("".join),
)


@given(nasty)
def test_xml_text_is_read_back_as_the_clean_text(text):
    read = ElementTree.fromstring(f"<a b='{xml_text(text)}'>{xml_text(text)}</a>")
    assert (read.text or "") == clean(text)


@given(nasty)
def test_html_text_survives_xml_and_html(text):
    inner = ElementTree.fromstring(f"<a>{html_text(text)}</a>").text or ""
    assert not re.search("[<>\"']", inner)
    assert html.unescape(inner) == clean(text)


@given(nasty)
def test_no_client_finds_a_place_to_fill_in(text):
    assert "$[" not in html_text(text)


@given(nasty)
def test_ids_are_names_of_xml(text):
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]*", ascii_id(text))
    assert ascii_id(text) == ascii_id(text)


@given(nasty, nasty)
def test_different_texts_have_different_ids(one, other):
    assert (ascii_id(one) == ascii_id(other)) == (one == other)


@given(nasty)
def test_an_id_is_not_an_id_of_another_text(text):
    if ascii_id(text) != text:
        assert ascii_id(ascii_id(text)) != ascii_id(text)


@given(nasty)
def test_file_stems_are_safe(text):
    stem = file_stem(text)
    assert re.fullmatch(r"[a-z0-9_-]{1,80}", stem)


@pytest.mark.parametrize("name", ["con", "nul", "com1", "../x", "a/b", "", "."])
def test_file_stems_that_systems_refuse_are_changed(name):
    assert file_stem(name) != name


@given(nasty)
def test_no_cell_starts_a_formula(text):
    cell = inert_cell(text)
    assert cell in {clean(text), f"'{clean(text)}"}
    assert not cell.lstrip(" 　\u200b").startswith(tuple("=+-@\t＝＋－＠"))


@pytest.mark.parametrize(
    "text", ["=1+1", "+81", "-5", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠x", " =1", "\u200b=1"]
)
def test_cells_that_look_like_formulas_get_an_apostrophe(text):
    assert inert_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["塩屋町", "1-2", "", "a=b", "'x"])
def test_other_cells_stay(text):
    assert inert_cell(text) == text

"""Lines of keys in a project file."""

import tomllib
from pathlib import Path

import pytest

from futuremap.config.lines import key_lines, line_of

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "fixtures" / "geo").glob("*/project.toml"))


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for i, inner in enumerate(value):
            yield from leaves(inner, (*path, i))
    else:
        yield path, value


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_every_value_of_an_example_is_found_on_its_line(file):
    text = file.read_text(encoding="utf-8")
    lines = key_lines(text)
    rows = text.splitlines()
    for path, value in leaves(tomllib.loads(text)):
        number = line_of(lines, path)
        assert number is not None, path
        if path in lines:
            assert str(path[-1]) in rows[number - 1]
            if isinstance(value, str | int) and not isinstance(value, bool):
                assert str(value) in rows[number - 1], path


def test_comments_quotes_and_nested_lists():
    text = '\n# [no]\n[a."b c"]  # table\n"d e" = 1\n[[f]]\n[[f.g]]\nh = 2\n[[f]]\n[[f.g]]\nh = 3\n'
    lines = key_lines(text)
    assert lines["a", "b c", "d e"] == 4
    assert lines["f", 0, "g", 0, "h"] == 7
    assert lines["f", 1, "g", 0, "h"] == 10
    assert line_of(lines, ("f", 1, "missing")) == 8
    assert line_of(lines, ("nowhere",)) is None

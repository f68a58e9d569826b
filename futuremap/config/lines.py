"""Where in a TOML text a key stands; the standard reader does not say."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]
TABLE = re.compile(r"^\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
KEY = re.compile(r"""^\s*([A-Za-z0-9_-]+|"[^"]*"|'[^']*')\s*=""")


def key_lines(text: str) -> dict[Path, int]:
    r"""Line of every table header and of every key that begins a line.

    Parameters
    ----------
    text
        A valid TOML text.

    Returns
    -------
    dict
        Path of keys and list positions to a line number, counted from 1.

    Examples
    --------
    >>> key_lines('[a]\nx = 1\n[[b]]\ny = 2\n[[b]]\ny = 3')[("b", 1, "y")]
    6
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = TABLE.match(line)
        if header:
            table = _table_path(header[2], header[1] == "[[", counts)
            lines.setdefault(table, number)
            continue
        key = KEY.match(line)
        if key:
            lines.setdefault((*table, key[1].strip("\"'")), number)
    return lines


def _table_path(name: str, is_list: bool, counts: dict[Path, int]) -> Path:
    path: Path = ()
    parts = [part.strip().strip("\"'") for part in name.split(".")]
    for depth, part in enumerate(parts, start=1):
        path = (*path, part)
        last = depth == len(parts)
        if last and is_list:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Line of a path, or of the nearest table around it."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None

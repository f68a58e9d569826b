"""Forms: placemarks of one document are alike but for their texts, and need be read once only.

Two bodies (what stands between ``<Placemark …>`` and ``</Placemark>``) have one form if their
tags are the same, letter by letter, in the same order. What the linter says of elements, their
order and attributes is then the same of both, and only texts are left to look at.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

MOST_TAGS = 1_000  # of a body that is worth remembering
# what stands between brackets if XML takes it for a tag, too: no comment, no CDATA, nothing that
# is still open in an attribute
WHOLE = re.compile(
    r"""(?P<end>/)?(?:[\w.-]+:)?(?P<name>[\w.-]+)(?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(?P<empty>/)?""",
    re.ASCII,
)
# what only the parser may judge: other ids, which must not be twice in a document, namespaces
OWN = re.compile(r"\s(?:id|targetId|xmlns)\b")
# an id at the end of a tag (in a text it would not stand before a bracket), and what is left of it
ID, MARK = re.compile(rb' id="([\w.:-]+)"(?=/?>)'), " id"
MARKED = re.compile(f"{MARK}(?=/?\\Z)")
PAIR = b"<>"
# all bytes but the brackets, control characters, which XML has not, and the carriage return,
# which it changes
ORDINARY = bytes(({*range(0x20, 0x100)} | {0x09, 0x0A}) - {*PAIR, 0x7F})
REFERENCE = re.compile(rb"&(?!(?:lt|gt|amp|quot|apos);)")


class Step(NamedTuple):
    """One moment of a form at which the linter looks at something.

    Parameters
    ----------
    path
        Elements that are open then, below the placemark.
    tag
        The element.
    text
        Place of its text in the split body; None where it begins, -1 where it has none.
    """

    path: tuple[str, ...]
    tag: str
    text: int | None


class Form(NamedTuple):
    """What bodies of one form have in common.

    Parameters
    ----------
    steps
        Where there is something to look at, in order.
    elements
        How many elements there are.
    depth
        How many of them are open at once, at most.
    ids
        How many of them have an id.
    """

    steps: tuple[Step, ...]
    elements: int
    depth: int
    ids: int


def without_ids(body: bytes) -> tuple[bytes, list[bytes]]:
    """A body with a mark in place of each id, and the ids.

    Examples
    --------
    >>> without_ids(b'<Point id="a1"></Point>')
    (b'<Point id></Point>', [b'a1'])
    """
    if b' id="' not in body:
        return body, []
    return ID.sub(MARK.encode(), body), ID.findall(body)


def split(body: bytes) -> list[str]:
    """Texts of a body with the tags between them: text, tag, text, tag, ..., text.

    Nothing if only a parser can say what they are: if there is any ``<`` or ``>`` but those of
    tags, a reference other than the five names, or what XML or UTF-8 do not allow.

    Examples
    --------
    >>> split("<name>R&amp;D 村</name>".encode())
    ['', 'name', 'R&amp;D 村', '/name', '']
    >>> split(b"<name>R&D</name>"), split(b"<name>a > b</name>"), split(b"<name>&#60;</name>")
    ([], [], [])
    """
    marks = body.translate(None, ORDINARY)
    if marks != PAIR * (len(marks) // len(PAIR)) or REFERENCE.search(body):
        return []
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return []
    return [] if "\ufffe" in text or "\uffff" in text else text.replace(">", "<").split("<")


def unescape(text: str) -> str:
    """A plain text as a parser gives it.

    Examples
    --------
    >>> unescape("&amp;lt; &lt;b&gt;")
    '&lt; <b>'
    """
    for name, letter in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("apos", "'"), ("amp", "&")):
        text = text.replace(f"&{name};", letter)
    return text


def form_of(
    tags: Sequence[str],
    *,
    begin: Container[str],
    end: Container[str],
    never: Container[str],
) -> Form | None:
    """The form of a body, None if it is none that may be remembered.

    Parameters
    ----------
    tags
        What stands between the brackets of its tags, with marks in place of ids.
    begin, end
        Elements that are looked at when they begin and when they end.
    never
        Elements that only the parser may see.

    Examples
    --------
    >>> found = form_of(["name", "/name", "Point", "x", "/x", "/Point"],
    ...                 begin={"Point"}, end={"x"}, never={"Folder"})
    >>> found.steps
    (Step(path=('Point',), tag='Point', text=None), Step(path=('Point',), tag='x', text=8))
    >>> found.elements, found.depth
    (3, 2)
    >>> form_of(["!--x--"], begin=(), end=(), never=())
    """
    if len(tags) > MOST_TAGS:
        return None
    stack: list[str] = []
    steps, elements, depth, ids = [], 0, 0, 0
    for place, tag in enumerate(tags):
        bare = MARKED.sub("", tag)
        found = WHOLE.fullmatch(bare)
        if found is None or OWN.search(bare) or found["name"] in never:
            return None
        name, ends = found["name"], found["end"] is not None
        ids += bare != tag
        if not ends:
            stack.append(name)
            elements, depth = elements + 1, max(depth, len(stack))
            if name in begin:
                steps.append(Step(tuple(stack), name, None))
        if ends or found["empty"]:
            if not stack or stack.pop() != name:
                return None
            if name in end:
                steps.append(Step(tuple(stack), name, 2 * place if ends else -1))
    return None if stack else Form(tuple(steps), elements, depth, ids)

"""Safe text for every output: XML, HTML inside XML, ids, file names and spreadsheet cells."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

HASH_LENGTH = 12
STEM_LENGTH = 60
# outside "Char" of XML 1.0; U+FFFE and U+FFFF are not characters, lone surrogates not text
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MARKUP = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"},
)
HTML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "$": "&#36;"},
)
NEEDS_CARE = re.compile("[&<>\"'$\r]|[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PLAIN_ID = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
HASHED_ID = re.compile(rf".*\.x[0-9a-f]{{{HASH_LENGTH}}}")
PLAIN_IDS = re.compile(rf"(?:{PLAIN_ID.pattern}\n)*")
ANY_HASHED_ID = re.compile(rf"\.x[0-9a-f]{{{HASH_LENGTH}}}\n")
FORMULA = tuple("=+-@\t\r＝＋－＠")
RESERVED_STEMS = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def clean(text: str) -> str:
    r"""Text in which every character that XML cannot hold is U+FFFD.

    Examples
    --------
    >>> clean("a\x0bb")
    'a\ufffdb'
    """
    return NOT_XML.sub("\ufffd", text)


def replaced(text: str) -> int:
    r"""How many characters `clean` replaces.

    Examples
    --------
    >>> replaced("a\x0bb\ud800"), replaced("塩屋町")
    (2, 0)
    """
    return len(NOT_XML.findall(text))


def xml_text(text: str) -> str:
    """Text as it stands between XML tags or in an attribute.

    Examples
    --------
    >>> xml_text("A & B <15年")
    'A &amp; B &lt;15年'
    """
    return clean(text).translate(MARKUP) if NEEDS_CARE.search(text) else text


def plain(texts: Sequence[str]) -> bool:
    """Whether many texts may stand in XML and in HTML as they are, looked through at once.

    Examples
    --------
    >>> plain(["塩屋町", "A"]), plain(["塩屋町", "$[name]"])
    (True, False)
    """
    return NEEDS_CARE.search("\n".join(texts)) is None


def xml_texts(texts: Sequence[str]) -> list[str]:
    """`xml_text` of many, looked through at once.

    Examples
    --------
    >>> xml_texts(["塩屋町", "A & B"])
    ['塩屋町', 'A &amp; B']
    """
    return list(texts) if plain(texts) else [xml_text(text) for text in texts]


def html_text(text: str) -> str:
    """Text as it stands in HTML that is then written as text of an XML element.

    Escaped for HTML first and then for XML; a dollar sign becomes its number, so that no
    client takes ``$[name]`` in the data for a place to fill in.

    Examples
    --------
    >>> html_text("A & $[name]")
    'A &amp;amp; &amp;#36;[name]'
    """
    if not NEEDS_CARE.search(text):
        return text
    return clean(text).translate(HTML).translate(MARKUP)


def html_texts(texts: Sequence[str]) -> list[str]:
    """`html_text` of many, looked through at once.

    Examples
    --------
    >>> html_texts(["塩屋町", "A & B"])
    ['塩屋町', 'A &amp;amp; B']
    """
    return list(texts) if plain(texts) else [html_text(text) for text in texts]


def ascii_id(text: str) -> str:
    """An id that XML accepts (xs:ID), the same for the same text and different for others.

    Text that already is one stays as it is; other text keeps its safe characters and gets
    a piece of its SHA-256.

    Examples
    --------
    >>> ascii_id("now-372010010")
    'now-372010010'
    >>> ascii_id("塩屋町")
    '_.x33d4ee1a5969'
    """
    # text that looks like one of our hashed ids is hashed too, else two texts could meet
    if PLAIN_ID.fullmatch(text) and not HASHED_ID.fullmatch(text):
        return text
    kept = re.sub(r"[^A-Za-z0-9._-]+", "", text)[:STEM_LENGTH]
    start = kept if re.match(r"[A-Za-z_]", kept) else f"_{kept}"
    return f"{start}.x{_digest(text)}"


def ascii_ids(texts: Sequence[str]) -> list[str]:
    """`ascii_id` of many, looked through at once.

    Examples
    --------
    >>> ascii_ids(["now-372010010", "塩屋町"])
    ['now-372010010', '_.x33d4ee1a5969']
    """
    joined = "".join([f"{text}\n" for text in texts])
    # a line break inside of a text would make two ids of it
    plain = PLAIN_IDS.fullmatch(joined) and joined.count("\n") == len(texts)
    if plain and not ANY_HASHED_ID.search(joined):
        return list(texts)
    return [ascii_id(text) for text in texts]


def file_stem(text: str) -> str:
    """A file name without its ending: lower-case ASCII, safe on every system.

    Examples
    --------
    >>> file_stem("mesh250"), file_stem("Town blocks")
    ('mesh250', 'town_blocks_x7ba30afe2726')
    """
    kept = re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_-")
    if kept == text and 0 < len(kept) <= STEM_LENGTH and not RESERVED_STEMS.fullmatch(kept):
        return kept
    return f"{kept[:STEM_LENGTH].rstrip('_-') or 'layer'}_x{_digest(text)}"


def inert_cell(text: str) -> str:
    """Text that no spreadsheet runs as a formula when it opens a CSV file.

    Only for text: a negative number is written as a number.

    Examples
    --------
    >>> inert_cell("=HYPERLINK(1)"), inert_cell("塩屋町")
    ("'=HYPERLINK(1)", '塩屋町')
    """
    shown = clean(text)
    # blanks and marks that nobody sees don't keep a spreadsheet from reading on
    seen = islice((c for c in shown if c in "\t\r" or not _invisible(c)), 1)
    return f"'{shown}" if shown.startswith(FORMULA) or next(seen, "") in FORMULA else shown


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Zs"}


def _digest(text: str) -> str:
    # surrogatepass: even text that is not valid Unicode has an id
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]

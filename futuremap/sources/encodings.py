"""Bytes to text: UTF-8 or CP932, strictly, and what was done to bytes that are neither.

What went wrong decides how it is mended (another choice when saving, a new download, a line to
write anew), so each kind of damage is told by a code of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from futuremap.sources.limits import Refused

ISO_2022 = b"\x1b$"  # begins Japanese in mails; the rest looks like plain ASCII
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
WIDE_SHARE = 0.2  # of NUL bytes from which they are halves of letters, not damage
LOOKED_AT = 2**12  # bytes from which that is judged
# single bytes without a character, for which the codec makes one up instead of failing
NO_CP932 = re.compile("[\x80\xa0\uf8f0-\uf8f3]")


class _Failure(NamedTuple):
    """Where an encoding gave up, and whether because the bytes ended there."""

    at: int
    cut: bool


def decode(body: bytes) -> str:
    """Text of bytes that are strictly UTF-8 (with or without a mark) or CP932.

    Raises
    ------
    Refused
        With the line: UTF-16 (FM563), NUL bytes (FM565), cut off within a character (FM566), both
        encodings in one file (FM567), ISO-2022-JP (FM570), EUC-JP (FM571), or none of these
        (FM103).

    Examples
    --------
    >>> decode("高松市".encode("cp932")), decode("高松市".encode("utf-8-sig"))
    ('高松市', '高松市')
    """
    _refuse_marks(body)
    utf8 = _attempt(body, "utf-8-sig")
    if isinstance(utf8, str):
        return utf8
    cp932 = _attempt(body, "cp932")
    if isinstance(cp932, str):
        return cp932
    raise _diagnosis(body, utf8, cp932)


def _refuse_marks(body: bytes) -> None:
    if body.startswith(UTF_16):
        raise Refused("FM563", line=1)
    if b"\0" in body:
        top = body[:LOOKED_AT]
        code = "FM563" if top.count(0) >= WIDE_SHARE * len(top) else "FM565"
        raise Refused(code, line=1 if code == "FM563" else line_of(body, body.index(0)))
    if ISO_2022 in body:
        raise Refused("FM570", line=line_of(body, body.index(ISO_2022)))


def _attempt(body: bytes, encoding: str) -> str | _Failure:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        is_cut = error.end >= len(body) and ("unexpected end" in error.reason
                                             or "incomplete" in error.reason)  # fmt: skip
        return _Failure(error.start, is_cut)
    none = NO_CP932.search(text) if encoding == "cp932" else None
    return text if none is None else _Failure(len(text[: none.start()].encode("cp932")), cut=False)


def _fits(body: bytes, encoding: str) -> bool:
    return isinstance(_attempt(body, encoding), str)


def _diagnosis(body: bytes, utf8: _Failure, cp932: _Failure) -> Refused:
    # the encoding that got further is the one that was meant
    further = max(utf8, cp932, key=lambda failure: failure.at)
    if further.cut:
        return Refused("FM566", line=line_of(body, further.at))
    if _fits(body, "euc_jp"):
        return Refused("FM571", line=line_of(body, utf8.at), encoding="EUC-JP")
    if other := _other_line(body):
        return Refused("FM567", line=other)
    return Refused("FM103", line=line_of(body, further.at))


def _other_line(body: bytes) -> int | None:
    """The first line in the rarer of two encodings; None if a line is in neither."""
    lines: dict[str, list[int]] = {"utf-8": [], "cp932": []}
    for number, line in enumerate(body.splitlines(), 1):
        if line.isascii():
            continue
        fitting = next((name for name in lines if _fits(line, name)), None)
        if fitting is None:
            return None
        lines[fitting].append(number)
    first = min(lines.values(), key=len)
    return first[0] if first else None


def line_of(body: bytes, position: int) -> int:
    """Line of a byte, from 1."""
    return body.count(b"\n", 0, position) + 1

"""Mutations of input files that keep enough of their form to get past the first look at them.

Deterministic: all of them draw from the generator that is handed in.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import zipfile

TOKENS = [
    token.encode(encoding)
    for encoding in ("utf-8", "cp932")
    for token in (
        "", "-", "－", "X", "*", "***", "…", "#REF!", "0", "1", "-1", "12.5", "1e309", "NaN", "inf",
        "1,234", "9" * 20, "3.42E+10", "２０２３", "塩屋町", "1月2日", "計", "男", "女", "0～4歳",
        "85歳以上", "0-4", "令和5年", "S58.4.1", "45292", "9999", "34.3,134.0", "134.0", "34.3",
        "0.0", "null", "true", "[]", "{}", '"', '""', "[[[[", "Polygon", "EPSG:4301", "37201",
        "01209", "2", "（注）", "人", "\ufffd" if encoding == "utf-8" else "?", " ", "\u3000",
    )
]  # fmt: skip
EDGES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f")
_TOKEN = re.compile(rb'[^,\t\r\n\[\]{}:"]*')
_ENCODINGS = ("utf-16", "cp932", "euc_jp", "utf-8-sig", "iso2022_jp", "utf-7")
INNER = (".xml", ".rels", ".shp", ".shx", ".dbf", ".prj", ".cpg", ".txt", ".csv")


def text(body: bytes, rng: random.Random) -> bytes:
    """A changed text: some tokens, lines or bytes of it, or all of it in another encoding."""
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        change = rng.choices(*zip(*CHANGES, strict=True))[0]
        body = change(body, rng)
    return body


def _token(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(body) + 1)
    start = max(body.rfind(mark, 0, start) for mark in (b",", b"\n", b"[", b":", b'"', b"\t"))
    found = _TOKEN.match(body, start + 1)
    end = found.end() if found else start + 1
    return body[: start + 1] + rng.choice(TOKENS) + body[end:]


def _line(body: bytes, rng: random.Random) -> bytes:
    lines = body.splitlines(keepends=True) or [b""]
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(j, lines[i])
    elif kind == 2:  # noqa: PLR2004
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 3:  # noqa: PLR2004
        lines[i] = lines[i].rstrip(b"\r\n") + b"," + rng.choice(TOKENS) + b"\n"
    else:
        lines.insert(i, rng.choice(TOKENS) + b"\n")
    return b"".join(lines)


def raw(body: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, put in, taken out or repeated."""
    at = rng.randrange(len(body) + 1)
    length = rng.choice((1, 1, 2, 4, 8, 64))
    new = rng.choice((rng.randbytes(length), rng.choice(EDGES)))
    kind = rng.randrange(4)
    if kind == 0:
        return body[:at] + new + body[at:]
    if kind == 1:
        return body[:at] + body[at + length :]
    if kind == 2:  # noqa: PLR2004
        return body[:at] + body[at : at + length] * rng.choice((2, 100)) + body[at + length :]
    return body[:at] + new + body[at + len(new) :]


def _recode(body: bytes, rng: random.Random) -> bytes:
    plain = body.decode("utf-8", "replace")
    return plain.encode(rng.choice(_ENCODINGS), "replace")


def _cut(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _nest(body: bytes, rng: random.Random) -> bytes:
    # deeper than a reader may call itself
    at, mark = rng.randrange(len(body) + 1), rng.choice((b"[", b'{"a":', b'"', b"<a>"))
    return body[:at] + mark * rng.choice((200, 1_500)) + body[at:]


def _pack(body: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.5:  # noqa: PLR2004
        return gzip.compress(body, mtime=0)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), body)
    return out.getvalue()


def packed(body: bytes, rng: random.Random) -> bytes:
    """A changed binary file; of a zip mostly one of its parts, so that the zip stays whole."""
    if body.startswith(b"PK") and rng.random() < 0.85:  # noqa: PLR2004
        return _part_of_zip(body, rng)
    for _ in range(rng.choice((1, 1, 2, 8))):
        body = _cut(body, rng) if rng.random() < 0.03 else raw(body, rng)  # noqa: PLR2004
    return body


def _part_of_zip(body: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    names = [name for name in parts if name.endswith(INNER)]
    # a sheet is where most can go wrong
    chosen = rng.choice([*names, *(name for name in names if "sheet" in name), *names[:1]])
    change = text if chosen.endswith((".xml", ".rels", ".prj", ".txt", ".csv")) else raw
    if chosen.endswith(".xml") and rng.random() < 0.6:  # noqa: PLR2004
        parts[chosen] = _xml(parts[chosen], rng)
    else:
        parts[chosen] = change(parts[chosen], rng)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()


def _xml(body: bytes, rng: random.Random) -> bytes:
    # another text or attribute, the XML staying well-formed
    places = list(re.finditer(rb'>([^<>]+)<|="([^"]*)"', body))
    if not places:
        return body
    for _ in range(rng.choice((1, 2, 5))):
        place = rng.choice(places)
        group = 1 if place[1] is not None else 2
        token = rng.choice(TOKENS).decode("utf-8", "ignore").replace('"', "").encode()
        body = body[: place.start(group)] + token + body[place.end(group) :]
        places = list(re.finditer(rb'>([^<>]+)<|="([^"]*)"', body))
    return body


CHANGES = (
    (_token, 10), (_line, 4), (raw, 3), (_recode, 0.3), (_cut, 0.3), (_nest, 0.1), (_pack, 0.1),
)  # fmt: skip

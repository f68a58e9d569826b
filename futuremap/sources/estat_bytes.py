"""The bytes of an e-Stat table: out of the zip, weighed, and cut into cells by pyarrow.

Cells are told apart in the bytes as they are: in CP932 a comma, a quote or a line end is never
the second byte of a character.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from futuremap.sources import cells
from futuremap.sources.encodings import NO_CP932, decode
from futuremap.sources.files import ZIP, read_bytes
from futuremap.sources.limits import (
    CHUNK,
    MAX_COLUMNS,
    MAX_RATIO,
    MAX_ROWS,
    RATIO_FROM,
    Refused,
    too_large,
)
from futuremap.sources.shapefile import check_entries

KEY = "KEY_CODE"
UNLIKE = {KEY, "NAME"}  # columns in which few texts repeat
HEADING_ROWS = 2
MAX_HEADINGS = 2**18  # bytes
MAX_TEXT = 96 * 2**20  # bytes; 230,000 rows of 73 columns take 50 MB
MAX_NUMBERS = 20_000_000  # cells; held as numbers, not as objects as in other tables
MAX_DISTINCT = 2_000_000  # texts, summed over columns; a prefecture has 5,000 a column
PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
BOM = b"\xef\xbb\xbf"


def load(path: Path) -> bytes:
    """The text of a table as bytes, without a mark: plain, gzipped, or alone in a zip.

    Raises
    ------
    Refused
        If there is no such file, it is too large, or packed in another way.
    """
    body = read_bytes(path)
    return (_unzip(body) if body.startswith(ZIP) else body).removeprefix(BOM)


def headings(body: bytes) -> tuple[str, list[str], list[str]]:
    """Encoding of the file, and its two heading rows, equally long.

    Raises
    ------
    Refused
        If there is nothing in it (FM105), its text cannot be read (FM103, FM563 to FM571), or
        the headings cannot be told apart (FM338, FM339).
    """
    if b"\0" in body or not body or body.isspace():
        decode(body)  # says where the NUL stands
        raise Refused("FM105")
    top = b"\n".join(body[:MAX_HEADINGS].splitlines()[:HEADING_ROWS])
    encoding = _encoding(body if top.isascii() else top)  # labels are Japanese as a rule
    head = decoded(top, body, encoding)
    if "," not in head and ("\t" in head or ";" in head):
        reason = "欄の区切りがコンマではありません / cells are not separated by commas"
        raise Refused.format("CSV", reason, line=1, code="FM338")
    try:
        rows = list(csv.reader(io.StringIO(head)))
    except csv.Error as error:  # of an overlong heading; the cells below are not read by it
        reason = f"見出しが読めません / the headings cannot be read ({error})"
        raise Refused.format("CSV", reason, line=1, code="FM339") from error
    codes = [cells.heading(cell) for cell in rows[0]] if rows else []
    labels = [cells.heading(cell) for cell in rows[1]] if len(rows) > 1 else []
    return encoding, codes, (labels + [""] * len(codes))[: len(codes)]


def _encoding(body: bytes) -> str:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "cp932"
    return "utf-8"


def decoded(part: bytes, body: bytes, encoding: str) -> str:
    """Text of a part of the body, which is looked through for the line if it has none.

    Raises
    ------
    Refused
        If a character cannot be read (FM103).
    """
    try:
        text = part.decode(encoding)
    except UnicodeDecodeError as error:
        decode(body)  # says in which line
        raise Refused("FM103") from error
    if encoding == "cp932" and NO_CP932.search(text):
        decode(body)
        raise Refused("FM103")
    return text


def weigh(body: bytes, columns: int) -> int:
    """Count of lines; a table that would not fit into memory as numbers is declined.

    Raises
    ------
    Refused
        If bytes, rows, columns or cells are too many (FM104).
    """
    rows = count_lines(body)
    if len(body) > MAX_TEXT:
        raise Refused("FM104", expected=f"≤ {MAX_TEXT // 2**20} MiB")
    if columns > MAX_COLUMNS:
        raise too_large("columns", line=1)
    if rows > MAX_ROWS:
        raise too_large("rows")
    if rows * columns > MAX_NUMBERS:
        raise Refused("FM104", expected=f"≤ {MAX_NUMBERS:,} セル/cells")
    return rows


def count_lines(body: bytes) -> int:
    """Count of lines, the last one with or without its end."""
    ends = body.count(b"\n") or body.count(b"\r")
    return ends + (not body.endswith((b"\n", b"\r")))


def parse(body: bytes, codes: Sequence[str], wanted: Collection[int]) -> pa.Table | None:
    """The rows below the headings, the wanted columns called by their position in the file.

    None if rows are ragged.

    Raises
    ------
    Refused
        If columns hold too many different texts (FM104).
    """
    names = [str(place) for place in range(len(codes))]
    coded = pa.dictionary(pa.int32(), pa.binary())
    types = {
        name: pa.binary() if code in UNLIKE else coded
        for name, code in zip(names, codes, strict=True)
    }
    try:
        columns = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(body)),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=HEADING_ROWS),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types,
                include_columns=[name for place, name in enumerate(names) if place in wanted],
                check_utf8=False,
                strings_can_be_null=False,
            ),
        ).unify_dictionaries()
    except pa.ArrowException:
        return None
    distinct = sum(
        len(column.chunk(0).dictionary)
        for column in columns.columns
        if pa.types.is_dictionary(column.type) and column.num_chunks
    )
    if distinct > MAX_DISTINCT:
        raise Refused("FM104", expected=f"≤ {MAX_DISTINCT:,} 種の値/distinct texts")
    return columns


def ragged(body: bytes, width: int) -> dict[int, int]:
    r"""Lines below the headings with another count of cells than `width`, and their count.

    A line in which a quote stays open counts as none: its last cell would go on in the next.

    Examples
    --------
    >>> ragged(b"KEY_CODE,A\n,total\n01209,1\n01210,1,2\n", 2)
    {4: 3}
    """
    counts = {
        number: _cells_in(line)
        for number, line in enumerate(body.splitlines(), 1)
        if number > HEADING_ROWS and line
    }
    return {number: count for number, count in counts.items() if count != width}


def _cells_in(line: bytes) -> int:
    if line.count(b'"') % 2:  # the cell would go on in the next line
        return 0
    try:
        return len(next(csv.reader([line.decode("latin-1")]), []))
    except csv.Error:
        return 0


def without(body: bytes, lines: Collection[int]) -> bytes:
    """The body without some of its lines, counted from 1."""
    if not lines:
        return body
    numbered = enumerate(body.splitlines(), 1)
    return b"\n".join(line for number, line in numbered if number not in lines)


def _unzip(body: bytes) -> bytes:
    """The only text file in a zip, as e-Stat packs it."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = archive.infolist()
            check_entries(entries, known_as="TXT, CSV, ZIP")
            texts = [e for e in entries if e.filename.lower().endswith((".txt", ".csv"))]
            if len(texts) != 1 or texts[0].compress_type not in PACKINGS:
                reason = "テキストが1つだけの zip ではありません / no zip with a single text"
                raise Refused.format("TXT, CSV, ZIP", reason)
            with archive.open(texts[0]) as stream:
                return _inflate(stream, len(body))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError,
            NotImplementedError, RuntimeError) as error:  # fmt: skip
        reason = "zip が壊れているか、パスワード付きです / the zip is broken, or has a password"
        raise Refused.format("TXT, CSV, ZIP", reason, code="FM331") from error


def _inflate(stream: Any, packed: int) -> bytes:
    out, size = [], 0
    while part := stream.read(CHUNK):
        size += len(part)
        if size > MAX_TEXT:
            raise Refused("FM104", expected=f"≤ {MAX_TEXT // 2**20} MiB")
        if size > RATIO_FROM and size > MAX_RATIO * packed:
            raise too_large("ratio")
        out.append(part)
    return b"".join(out)

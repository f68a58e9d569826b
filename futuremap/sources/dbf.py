"""Some columns or some rows of a .dbf (the table of a shapefile), without its shapes.

The mesh projections of 国土数値情報 have 343 columns for every mesh of a prefecture, hundreds of
megabytes in all; a town needs a few thousand rows. So the table is passed over once for the few
columns that say which rows these are, and once more for the rows: it is never held as a whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import IO

import numpy as np
from numpy.typing import NDArray

from futuremap.sources.limits import MAX_COLUMNS, Refused, too_large

HEAD = 32  # bytes before the descriptions of the fields, and of each of these
END_OF_FIELDS = 0x0D
DELETED = b"*"
ENCODINGS = ("ascii", "utf-8", "cp932")
KNOWN_AS = "DBF (dBASE III)"
MAX_TABLE = 2**30  # bytes of all rows
BLOCK = 2**22  # bytes looked at together
_MARK, _REST = "\0", "\1"  # the first byte of a row, and what follows its last field
Records = NDArray[np.void]


class Columns(Mapping[str, NDArray[np.object_]]):
    """Fields of some rows by name, as texts without blanks around them, each ``(N,)``.

    Parameters
    ----------
    records
        The rows.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._names = [name for name in records.dtype.names or () if name not in {_MARK, _REST}]

    def __getitem__(self, name: str) -> NDArray[np.object_]:
        """The texts of one field.

        Raises
        ------
        KeyError
            If there is no such field.
        Refused
            FM103 if they are neither UTF-8 nor CP932.
        """
        if name not in self._names:
            raise KeyError(name)
        raw = np.char.strip(self._records[name], b" \0")
        for encoding in ENCODINGS:
            try:
                return np.char.decode(raw, encoding).astype(object)
            except UnicodeDecodeError:
                continue
        raise Refused("FM103", value=name)

    def __iter__(self) -> Iterator[str]:
        """Names of the fields."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count of the fields."""
        return len(self._names)


class Table:
    """A .dbf that is passed over as often as it is asked for something.

    Parameters
    ----------
    opened
        Opens the file, or its place in an archive, at the start.

    Raises
    ------
    Refused
        FM557 if it is broken, FM104 if it has too many fields or rows.
    """

    def __init__(self, opened: Callable[[], IO[bytes]]) -> None:
        self._opened = opened
        with opened() as stream:
            head = stream.read(HEAD * (MAX_COLUMNS + 2))
        if len(head) < HEAD:
            raise _broken("見出し部が切れています / its header is cut off")
        self._count, self._start, self._length = struct.unpack_from("<IHH", head, 4)
        fields = _fields(head[: self._start])
        width = 1 + sum(size for _, size in fields)
        self.names = [name for name, _ in fields]
        if width > self._length or len(set(self.names)) < len(self.names):
            raise _broken("項目と行の長さが合いません / its fields do not fit its rows")
        if self._count * self._length > MAX_TABLE:
            raise Refused("FM104", expected=f"≤ {MAX_TABLE // 2**20} MiB")
        layout = [(_MARK, "S1"), *((name, f"S{size}") for name, size in fields)]
        if self._length > width:
            layout.append((_REST, f"S{self._length - width}"))
        self._layout = np.dtype(layout)

    def columns(self, names: Collection[str]) -> tuple[NDArray[np.intp], Columns]:
        """Numbers (from 1) of the rows that are not deleted ``(N,)``, and some of their fields."""
        kept = [name for name in self.names if name in names]
        layout = np.dtype([(name, self._layout[name]) for name in kept])
        numbers, parts = [np.empty(0, np.intp)], [np.empty(0, layout)]
        for first, block in self._blocks():
            alive = block[_MARK] != DELETED
            part = np.empty(int(alive.sum()), layout)
            for name in kept:
                part[name] = block[name][alive]
            numbers.append(np.flatnonzero(alive) + first)
            parts.append(part)
        return np.concatenate(numbers), Columns(np.concatenate(parts))

    def rows(self, numbers: NDArray[np.intp]) -> Columns:
        """All fields of the rows with these numbers, ascending from 1."""
        parts = [np.empty(0, self._layout)]
        for first, block in self._blocks():
            start, stop = np.searchsorted(numbers, [first, first + len(block)])
            parts.append(block[numbers[start:stop] - first])
        return Columns(np.concatenate(parts))

    def _blocks(self) -> Iterator[tuple[int, Records]]:
        """The rows in blocks, each with the number of its first row."""
        at_once = max(BLOCK // self._length, 1)
        with self._opened() as stream:
            _ = _exactly(stream, self._start)
            for done in range(0, self._count, at_once):
                body = _exactly(stream, min(at_once, self._count - done) * self._length)
                yield done + 1, np.frombuffer(body, self._layout)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    body = stream.read(size)
    if len(body) < size:
        raise _broken("途中で切れています / it is cut off")
    return body


def _fields(head: bytes) -> list[tuple[str, int]]:
    fields: list[tuple[str, int]] = []
    for at in range(HEAD, len(head), HEAD):
        if head[at] == END_OF_FIELDS:
            break
        name = head[at : at + 11].partition(b"\0")[0].decode("cp932", "replace").strip()
        if at + HEAD > len(head) or not name or not head[at + 16]:
            raise _broken("項目の名前か幅がありません / a field has no name or no width")
        fields.append((name, head[at + 16]))
        if len(fields) > MAX_COLUMNS:
            raise too_large("columns")
    if not fields:
        raise _broken("項目がありません / it has no fields")
    return fields


def _broken(reason: str) -> Refused:
    return Refused.format(KNOWN_AS, reason, code="FM557")

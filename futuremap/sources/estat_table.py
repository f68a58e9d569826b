"""e-Stat's text tables: two rows of headings, then a row an area; columns by their labels.

The first heading row holds codes that change from table to table, the second one the labels; a
column without a label (KEY_CODE, NAME, HTKSYORI …) goes by its code. The bytes are parsed by
pyarrow as they are: in CP932 a comma, a quote or a line end is never the second byte of a
character. Of the counts, only the distinct texts of each column are understood one by one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from futuremap.problems import Report
from futuremap.sources import cells, estat_bytes
from futuremap.sources.cells import Reason
from futuremap.sources.columns import count_code
from futuremap.sources.estat_bytes import KEY
from futuremap.sources.limits import Refused

VERIFIED = True
LISTED = 1_000  # problems of a kind that are noted one by one
FAULT = -1.0  # stands where a cell has been noted
LONGEST_COUNT = 15  # digits that a float64 holds exactly
BLANK = re.compile(r"[ \t\u3000]")


class _Value(NamedTuple):
    persons: float  # NaN where suppressed, FAULT where the text holds none
    reason: Reason | None


@dataclass(frozen=True, eq=False)
class EstatTable:
    """One table: texts of its leading columns, and counts by label.

    Parameters
    ----------
    file
        Name of the file, for problems.
    labels
        Label of each column, NFKC-normalised; its code where it has no label.
    texts
        The columns without a label, by code: one text a row, without blanks around it.
    complete
        Whether every row has as many cells as the headings.
    """

    file: str
    labels: tuple[str, ...]
    texts: Mapping[str, NDArray[np.object_]]
    complete: bool
    _columns: pa.Table = field(repr=False)
    _body: bytes = field(repr=False)
    _encoding: str = field(repr=False)
    _left_out: frozenset[int] = field(repr=False)
    _line_count: int = field(repr=False)
    _noted: dict[str, int] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Count of rows (N)."""
        return int(self._columns.num_rows)

    @cached_property
    def lines(self) -> NDArray[np.int64]:
        """Line of each row in the file, from 1 ``(N,)``."""
        if len(self) + 2 == self._line_count:
            return np.arange(3, 3 + len(self))
        numbered = enumerate(self._body.splitlines(), 1)
        filled = [n for n, line in numbered if line and n not in self._left_out]
        return np.array(filled[2:], dtype=np.int64)

    def note(
        self,
        report: Report,
        code: str,
        *,
        row: int | None = None,
        column: str = "",
        value: object = "",
        **detail: Any,
    ) -> None:
        """Note a problem at a row, or of the table as a whole; past LISTED of a kind, FM312."""
        self._noted[code] = self._noted.get(code, 0) + 1
        if self._noted[code] > LISTED:
            report.add("FM312", file=self.file, value=code, count=LISTED)
            return
        line = None if row is None else int(self.lines[row])
        report.add(code, file=self.file, line=line, column=column, value=value, **detail)

    def persons(
        self,
        places: Sequence[int],
        *,
        rows: NDArray[np.bool_],
        report: Report,
    ) -> NDArray[np.float64]:
        """Counts of some columns ``(C, N)``: NaN where suppressed, FAULT where no count. [persons]

        ``-`` is nobody, ``X`` and ``*`` are suppressed. Of the rows asked for ``(N,)``, cells
        that are empty, negative, broken or no number are noted, FM301 to FM304 and FM484 to FM486.
        """
        counts = np.empty((len(places), len(self)))
        memo: dict[bytes, _Value] = {}
        faults: list[tuple[int, int, bytes, Reason]] = []
        for c, place in enumerate(places):
            indices, entries = _coded(self._columns.column(str(place)))
            values = [_understand(entry, self._encoding, memo) for entry in entries]
            persons = np.array([value.persons for value in values])
            np.take(persons, indices, out=counts[c], mode="clip")  # "raise" would copy twice
            wrong = [i for i, v in enumerate(values) if v.reason not in {None, Reason.SUPPRESSED}]
            if wrong:
                at = np.flatnonzero(np.isin(indices, wrong) & rows)
                for row in at[: LISTED + 1].tolist():
                    entry = int(indices[row])
                    reason = values[entry].reason
                    faults += [(row, place, entries[entry], reason)] if reason else []
        self._note_faults(faults, report)
        return counts

    def note_withheld(
        self,
        places: Sequence[int],
        counts: NDArray[np.float64],
        *,
        rows: NDArray[np.bool_],
        report: Report,
    ) -> None:
        """Note cells of these rows ``(N,)`` that must be known but are suppressed (FM308).

        `counts` are those of :meth:`persons` at the same places ``(C, N)``.
        """
        withheld = np.argwhere((np.isnan(counts) & rows).T)
        faults = []
        for row, c in withheld[: LISTED + 1].tolist():
            indices, entries = _coded(self._columns.column(str(places[c])))
            faults.append((row, places[c], entries[int(indices[row])], Reason.SUPPRESSED))
        self._note_faults(faults, report)

    def has(self, codes: Sequence[str], *, report: Report) -> bool:
        """Whether the columns without a label are there; FM481 for those that are not."""
        missing = [code for code in codes if code not in self.texts]
        for code in missing:
            note_missing(self.file, code, report=report)
        return not missing

    def note_rows(
        self,
        code: str,
        rows: NDArray[np.intp],
        *,
        column: str,
        expected: str,
        report: Report,
    ) -> None:
        """Note the text of one column in some rows."""
        for row in rows[: LISTED + 1].tolist():
            value = self.texts[column][row]
            self.note(report, code, row=row, column=column, value=value, expected=expected)

    def check_sum(
        self,
        both: int,
        by_sex: NDArray[np.float64],
        *,
        rows: NDArray[np.bool_],
        report: Report,
    ) -> None:
        """Note rows ``(N,)`` in which men and women ``(S, N)`` are not all people (FM305)."""
        in_all = self.persons([both], rows=rows, report=report)[0]
        parts = by_sex.sum(axis=0)
        differ = rows & (in_all >= 0) & (parts >= 0) & (in_all != parts)
        for row in np.flatnonzero(differ)[: LISTED + 1].tolist():
            self.note(
                report, "FM305", row=row, column=self.labels[both], value=f"{in_all[row]:g}",
                zone=self.texts[KEY][row], expected=f"{parts[row]:g}",
            )  # fmt: skip

    def unique(self, rows: NDArray[np.bool_], *, report: Report) -> bool:
        """Whether no KEY_CODE of these rows ``(N,)`` stands twice; FM411 for those that do."""
        keys = self.texts[KEY][rows].tolist()
        if len(set(keys)) == len(keys):
            return True
        first: dict[str, int] = {}
        for row in np.flatnonzero(rows).tolist():
            key = self.texts[KEY][row]
            earlier = first.setdefault(key, row)
            if earlier != row:
                self.note(
                    report, "FM411", row=row, column=KEY, value=key,
                    zone=key, line_first=int(self.lines[earlier]),
                )  # fmt: skip
        return False

    def _note_faults(
        self,
        faults: list[tuple[int, int, bytes, Reason]],
        report: Report,
    ) -> None:
        for row, place, entry, reason in sorted(faults, key=lambda fault: fault[:2]):
            value = entry.decode(self._encoding, "replace")
            self.note(
                report, count_code(reason, value), row=row, column=self.labels[place], value=value,
                expected="0, 1, 2 … -, X",
            )  # fmt: skip


def read(
    path: Path,
    *,
    report: Report,
    wanted: Callable[[str], object] | None = None,
) -> EstatTable | None:
    """Read a table as e-Stat gives it out: a text file, gzipped, or alone in a zip.

    Parameters
    ----------
    path
        The file, in CP932 or UTF-8.
    report
        Takes FM101 to FM105; FM481 without a KEY_CODE, FM311 without a row of labels, FM202
        for labels that stand twice, FM310 for every row with more or fewer cells than the
        headings, FM312 past a thousand problems of a kind.
    wanted
        Says of a label whether the counts of its column are; all of them if not given. The
        others are only seen to be there.

    Returns
    -------
    EstatTable or None
        None when nothing of it could be read.
    """
    try:
        return _read(estat_bytes.load(path), path.name, wanted or bool, report)
    except Refused as refused:
        refused.note(report, file=path.name)
        return None


def note_missing(file: str, label: str, *, report: Report) -> None:
    """Note that a table lacks a column (FM481)."""
    report.add(
        "FM481", file=file, line=2, column=label, expected=label,
        suggestion_ja=f"e-Stat から、見出しに「{label}」のある表を取り直してください",
        suggestion_en=f"get the table from e-Stat again, with the label {label!r}",
    )  # fmt: skip


def _read(
    body: bytes,
    file: str,
    wanted: Callable[[str], object],
    report: Report,
) -> EstatTable | None:
    encoding, codes, labels = estat_bytes.headings(body)
    if not _headings_are_sound(codes, labels, file, report):
        return None
    if _note_repeated([label for label in labels if label and wanted(label)], file, report):
        return None
    line_count = estat_bytes.weigh(body, len(codes))
    ragged: dict[int, int] = {}
    used = {place for place, label in enumerate(labels) if not label or wanted(label)}
    columns = None if b'"' in body else estat_bytes.parse(body, codes, used)
    if columns is None:  # or quotes might join lines: look at each line by itself
        ragged = estat_bytes.ragged(body, len(codes))
        _note_ragged(ragged, len(codes), file, report)
        columns = estat_bytes.parse(estat_bytes.without(body, ragged), codes, used)
    if columns is None:
        raise Refused.format(
            "CSV", "欄の区切りが読めません / cells cannot be told apart", code="FM339"
        )
    if not columns.num_rows:
        raise Refused("FM482", line=2)
    texts = {
        code: _texts(columns.column(str(place)), body, encoding)
        for place, (code, label) in enumerate(zip(codes, labels, strict=True))
        if not label
    }
    names = tuple(label or code for code, label in zip(codes, labels, strict=True))
    left_out = frozenset(ragged)
    return EstatTable(file, names, texts, not ragged, columns, body, encoding, left_out, line_count)


def _headings_are_sound(codes: list[str], labels: list[str], file: str, report: Report) -> bool:
    if KEY not in codes:
        note_missing(file, KEY, report=report)
        return False
    at = codes.index(KEY)
    labelled = any(labels) and not labels[at]
    if not labelled:
        report.add("FM311", file=file, line=2, value=labels[at])
    repeated = sorted(code for code, count in Counter(codes).items() if count > 1)
    for code in repeated:
        report.add("FM202", file=file, line=1, column=code)
    return labelled and not repeated


def _note_repeated(labels: list[str], file: str, report: Report) -> bool:
    counts = Counter(cells.key(label) for label in labels)
    repeated = [label for label in dict.fromkeys(labels) if counts[cells.key(label)] > 1]
    for label in repeated:
        report.add("FM202", file=file, line=2, column=label)
    return bool(repeated)


def _note_ragged(ragged: dict[int, int], width: int, file: str, report: Report) -> None:
    for number, count in list(ragged.items())[:LISTED]:
        report.add("FM310", file=file, line=number, value=count, expected=width)
    if len(ragged) > LISTED:
        report.add("FM312", file=file, value="FM310", count=LISTED)


def _coded(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[bytes]]:
    """Position of each cell's text among the distinct texts of its column, and these texts."""
    chunks = column.chunks
    indices = np.concatenate([chunk.indices.to_numpy(zero_copy_only=False) for chunk in chunks])
    return indices, chunks[0].dictionary.to_pylist()


def _texts(column: pa.ChunkedArray, body: bytes, encoding: str) -> NDArray[np.object_]:
    if pa.types.is_binary(column.type):
        if all(_is_plain(chunk) for chunk in column.chunks):
            return np.asarray(column.cast(pa.string()).to_numpy(), dtype=object)
        return _decoded(column.to_pylist(), body, encoding)
    indices, entries = _coded(column)
    return _decoded(entries, body, encoding)[indices]


def _is_plain(chunk: pa.Array) -> bool:
    """Whether all its texts are ASCII without blanks, as codes are."""
    buffer = chunk.buffers()[2]
    text = b"" if buffer is None else buffer.to_pybytes()
    return text.isascii() and not re.search(rb"[ \t]", text)


def _decoded(entries: list[bytes], body: bytes, encoding: str) -> NDArray[np.object_]:
    whole = estat_bytes.decoded(b"\n".join(entries), body, encoding)  # no cell has a line end
    texts = whole.split("\n")
    if BLANK.search(whole):
        texts = [text.strip() for text in texts]
    return np.array(texts, dtype=object)


def _understand(entry: bytes, encoding: str, memo: dict[bytes, _Value]) -> _Value:
    value = memo.get(entry)
    if value is None:
        value = memo[entry] = _value(entry, encoding)
    return value


def _value(entry: bytes, encoding: str) -> _Value:
    if entry.isdigit() and len(entry) <= LONGEST_COUNT:
        return _Value(float(entry), None)
    found = cells.count(entry.decode(encoding, "replace"), dash_is_zero=True)
    if isinstance(found, Reason):
        return _Value(np.nan if found is Reason.SUPPRESSED else FAULT, found)
    return _Value(float(found), None)

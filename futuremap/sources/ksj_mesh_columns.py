"""Columns of a mesh projection of 国土数値情報, found by name, and the rows that a town needs."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from futuremap.core import mesh
from futuremap.problems import Report
from futuremap.sources import cells, dbf, shapefile
from futuremap.sources.columns import count_code
from futuremap.sources.features import read_features
from futuremap.sources.files import ZIP
from futuremap.sources.limits import MAX_RATIO, RATIO_FROM, Refused, too_large

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError)
ID, TOWN = "MESH_ID", "SHICODE"
LEAST_GROUPS = 19  # five-year groups: 0-4 … 85-89, 90 and over
_FIVE = re.compile(r"PT([0-9]{1,2})_([0-9]{4})")
_OTHER = re.compile(r"(PTN|PT[A-E]|HITOKU|GASSAN)_?([0-9]{4})")
Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


class Names(NamedTuple):
    """Which columns hold what, by year."""

    totals: dict[int, str]
    five: dict[int, list[str]]
    sums: dict[int, str]
    broad: dict[int, dict[str, str]]
    hidden: dict[int, str]
    partner: dict[int, str]


class Meshes(NamedTuple):
    """Some rows of a file, with the place of each for problems.

    file, layer
        Where they come from.
    named
        Names of all columns.
    codes
        Mesh codes ``(N,)``.
    lines
        Number of each row in the file, from 1 ``(N,)``.
    columns
        Those columns that are at hand, each ``(N,)``.
    table
        The .dbf that the others are in; None if all are at hand.
    report
        Takes the problems.
    """

    file: str
    layer: str
    named: tuple[str, ...]
    codes: Texts
    lines: NDArray[np.intp]
    columns: Mapping[str, Texts]
    table: dbf.Table | None
    report: Report

    def only(self, rows: NDArray[np.intp]) -> Meshes:
        """Some of the rows, with all their columns."""
        columns: Mapping[str, Texts]
        if self.table is None:
            columns = {name: column[rows] for name, column in self.columns.items()}
        else:
            columns = self.table.rows(self.lines[rows])
        return self._replace(codes=self.codes[rows], lines=self.lines[rows], columns=columns)

    def note(self, code: str, row: int | None = None, column: str = "", **more: object) -> None:
        """Note a problem of one row ``0 … N - 1``, or of all."""
        line = None if row is None else int(self.lines[row])
        place = {"file": self.file, "sheet": self.layer, "line": line, "column": column}
        self.report.add(code, **place, **more)  # type: ignore[arg-type]

    def numbers(self, name: str) -> Floats:
        """One column as persons; NaN, with a problem noted, where there is no number."""
        raw = self.columns[name]
        found = pd.to_numeric(pd.Series(raw, dtype=object), errors="coerce").to_numpy(
            np.float64, copy=True
        )
        for row in np.flatnonzero(~np.isfinite(found) | (found < 0)).tolist():
            value = cells.amount(raw[row] if raw[row] == raw[row] else None)
            if isinstance(value, cells.Reason):
                self.note(count_code(value, raw[row]), row, name, value=raw[row], expected="≥ 0")
                found[row] = np.nan
            else:
                found[row] = value
        return np.asarray(found)


def open_meshes(path: Path, layer: str, report: Report) -> Meshes | None:
    """All meshes of a file; None, with the problem noted, if it cannot be read.

    Raises
    ------
    Refused
        If it is a shapefile (or a zip of one) that is broken or too large.
    """
    columns: Mapping[str, Texts]
    table = _table_of_shapefile(path, layer)
    if table is None:
        features = read_features(path, report=report, layer=layer)
        if features is None:
            return None
        columns, lines, title = features.fields, features.numbers, features.layer
        named = tuple(columns)
    else:
        named, title = tuple(table.names), layer
        lines, columns = table.columns([name for name in named if _is_needed_of_all(name)])
    none = np.empty(0, dtype=object)
    every = Meshes(path.name, title, named, none, lines, columns, table, report)
    missing = [name for name in (ID, TOWN) if name not in columns]
    if missing or not len(lines):
        every.note("FM452", value=", ".join(named), expected=", ".join(missing) or ID)
        return None
    return every._replace(codes=codes_of(columns[ID]))


def _is_needed_of_all(name: str) -> bool:
    found = _OTHER.fullmatch(name.upper())
    return name in {ID, TOWN} or (found is not None and found[1] in {"HITOKU", "GASSAN"})


def _table_of_shapefile(path: Path, layer: str) -> dbf.Table | None:
    # the shapes are not looked at: a prefecture's file holds far more than a town needs
    if not path.is_file():  # a pipe would never end
        return None
    try:
        with path.open("rb") as file:
            first = file.read(4)
    except OSError:
        return None  # which the reader of features says
    if first.startswith(ZIP):
        return dbf.Table(partial(_open_in_zip, path, layer))
    if first != shapefile.SHAPE_MAGIC:
        return None
    found = [path.with_suffix(ending) for ending in (".dbf", ".DBF")]
    beside = next((one for one in found if one.is_file()), None)
    if beside is None:
        raise Refused("FM549", value=found[0].name, part=".dbf")
    return dbf.Table(partial(_open_beside, beside))


def _open_beside(path: Path) -> IO[bytes]:
    return path.open("rb")


def _open_in_zip(path: Path, layer: str) -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        shapefile.check_entries(archive.infolist())
        tables = {
            PurePosixPath(entry.filename.replace("\\", "/")).stem: entry
            for entry in archive.infolist()
            if entry.filename.lower().endswith(".dbf")
        }
        chosen = [stem for stem in tables if not layer or stem == layer]
        if not tables:
            raise Refused("FM549", value=path.name, part=".dbf")
        if len(chosen) != 1:
            raise Refused("FM576", value=layer, choices=" / ".join(sorted(tables)[:20]))
        entry = tables[chosen[0]]
        # no more than the stated size is ever inflated, so what it states is what it weighs
        if entry.file_size > max(RATIO_FROM, MAX_RATIO * entry.compress_size):
            raise too_large("ratio")
        return archive.open(entry)


def codes_of(raw: Texts) -> Texts:
    """Codes and marks as text, empty where there is none.

    Examples
    --------
    >>> codes_of(np.array([533945894, 53394589.0, "５３", None, float("nan")], object)).tolist()
    ['533945894', '53394589', '53', '', '']
    """
    # a whole number may have come as 533945894.0
    found = np.empty(len(raw), dtype=object)
    found[:] = ["" if one != one else cells.heading(one).removesuffix(".0") for one in raw]  # noqa: PLR0124 - NaN
    return found


def find_names(meshes: Meshes) -> Names | None:
    """The columns by what they hold; None, with FM452 noted, where some are missing."""
    names = Names({}, {}, {}, {}, {}, {})
    numbered: dict[int, dict[int, str]] = {}
    for name in meshes.named:
        if found := _FIVE.fullmatch(name.upper()):
            numbered.setdefault(int(found[2]), {})[int(found[1])] = name
        elif found := _OTHER.fullmatch(name.upper()):
            kind, year = found[1], int(found[2])
            if len(kind) == len("PTA") and kind != "PTN":
                names.broad.setdefault(year, {})[kind[-1]] = name
            else:
                of_kind = {"PTN": names.totals, "HITOKU": names.hidden, "GASSAN": names.partner}
                of_kind[kind][year] = name
    groups = max((max(columns) for columns in numbered.values()), default=0)
    lacking = [] if groups >= LEAST_GROUPS else [f"PT{LEAST_GROUPS}_YYYY"]
    for year, columns in sorted(numbered.items()):
        lacking += [f"PT{n:02d}_{year}" for n in range(groups + 1) if n not in columns]
        lacking += [] if year in names.totals else [f"PTN_{year}"]
    if lacking:
        meshes.note("FM452", value=", ".join(meshes.named), expected=", ".join(lacking[:20]))
        return None
    for year, columns in numbered.items():
        names.sums[year] = columns[0]
        names.five[year] = [columns[group] for group in range(1, groups + 1)]
    return names


def with_partners(every: Meshes, names: Names, ours: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Our meshes and all those, of other towns too, that are merged with one of them."""
    named = [codes_of(every.columns[name]) for name in names.partner.values()]
    wanted = set(every.codes[ours])
    for partner in named:
        wanted |= set(partner[ours])
    keep = ours | np.isin(every.codes.astype(str), sorted(wanted - {""}))
    for partner in named:
        keep |= np.isin(partner.astype(str), sorted(wanted - {""}))
    return keep


def are_codes_sound(meshes: Meshes) -> bool:
    """Whether all codes are of one level and stand once; if not, FM411 and FM453 are noted."""
    codes = meshes.codes
    good = mesh.validate(codes.astype(str))
    for row in np.flatnonzero(~good).tolist():
        meshes.note("FM453", row, ID, value=codes[row])
    lengths = pd.Series(codes).str.len()
    usual = lengths.mode().iloc[0]
    for row in np.flatnonzero(good & (lengths != usual).to_numpy()).tolist():
        meshes.note("FM453", row, ID, value=codes[row])
    again = pd.Series(codes).duplicated().to_numpy()
    for row in np.flatnonzero(again).tolist():
        line_first = int(meshes.lines[np.flatnonzero(codes == codes[row])[0]])
        zone = codes[row]
        meshes.note("FM411", row, ID, value=zone, zone=zone, line_first=line_first)
    return bool(good.all() and (lengths == usual).all() and not again.any())

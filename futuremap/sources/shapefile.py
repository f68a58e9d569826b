"""Shapefiles, loose or in a zip: parts weighed and checked, then read by GDAL under fixed names.

GDAL sees nothing but a .shp, .shx and .dbf in a folder of our own, each with the first bytes of
its format, so it can neither take the file for something else nor follow what lies beside it.
Texts are decoded here, strictly, because a wrong .cpg would otherwise garble names unnoticed.
"""

from __future__ import annotations

import io
import stat
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray

from futuremap.sources.limits import (
    CHUNK,
    MAX_ENTRIES,
    MAX_RATIO,
    RATIO_FROM,
    Refused,
    too_large,
)

SHAPE_MAGIC = b"\x00\x00\x27\x0a"
MAX_FEATURES = 1_000_000
MAX_VALUES = 3_000_000  # the small areas of 北海道 have 30,000 rows of 36 columns
MAX_PARTS = 160 * 2**20  # bytes; the same as shapes and texts take four times as much
KNOWN_AS = "ESRI Shapefile"
NEEDED = ("shp", "shx", "dbf")
TAKEN = (*NEEDED, "prj", "cpg")
NESTED = (".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".lzh", ".tar", ".tgz", ".kmz")
ENCODINGS = {
    "UTF-8": "utf-8", "UTF8": "utf-8", "65001": "utf-8", "SHIFT_JIS": "cp932", "SHIFT-JIS": "cp932",
    "SJIS": "cp932", "CP932": "cp932", "932": "cp932", "MS932": "cp932", "WINDOWS-31J": "cp932",
    "ANSI932": "cp932", "ANSI 932": "cp932", "EUC-JP": "euc_jp", "EUCJP": "euc_jp",
}  # fmt: skip


class Raw(NamedTuple):
    """A layer as it stands in a file, in its own coordinates.

    layer
        Its name; empty where the format has none.
    fields
        Columns of values, by name, each ``(N,)``.
    geometry
        Shapes, None where there is none ``(N,)``.
    crs
        What the file says about its coordinate system; empty if nothing.
    crs_file
        Where that stands, or should.
    """

    layer: str
    fields: Mapping[str, NDArray[np.object_]]
    geometry: NDArray[np.object_]
    crs: str
    crs_file: str


def beside(path: Path) -> dict[str, bytes]:
    """The parts of a loose shapefile, by ending, whatever the case of their names.

    Raises
    ------
    Refused
        If they are too large together (FM104) or cannot be read (FM101).
    """
    parts, room = {}, MAX_PARTS
    try:
        for other in sorted(path.parent.iterdir()):
            ending = other.suffix.lower()[1:]
            if other.stem == path.stem and ending in TAKEN and other.is_file():
                room -= other.stat().st_size
                if room < 0:
                    raise _too_large()
                parts[ending] = other.read_bytes()
    except OSError as error:
        raise Refused("FM101", value=error.strerror or "") from error
    return parts


def _too_large() -> Refused:
    return Refused("FM104", expected=f"≤ {MAX_PARTS // 2**20} MiB")


def inside(body: bytes, layer: str) -> tuple[str, dict[str, bytes]]:
    """The parts of one shapefile in a zip, by ending, with its name.

    Parameters
    ----------
    body
        The zip.
    layer
        Name of the .shp without ending; may be empty if there is only one.

    Raises
    ------
    Refused
        FM331 to FM335 if the zip is broken, encrypted, nested, or has paths that lead out of it;
        FM104 if it is too large; FM576 if it holds several shapefiles and none is named.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            check_entries(entries)
            stem = _choose(entries, layer)
            parts, room = {}, MAX_PARTS
            for entry in entries:
                name = PurePosixPath(entry.filename.replace("\\", "/"))
                ending = name.suffix.lower()[1:]
                if str(name.with_suffix("")) == stem and ending in TAKEN:
                    parts[ending] = _inflate(archive, entry, room)
                    room -= len(parts[ending])
            return PurePosixPath(stem).name, parts
    except Refused:
        raise
    except Exception as error:  # whatever a broken zip sets off inside its parser
        reason = f"zip が壊れています / the zip is broken ({type(error).__name__})"
        raise Refused.format(KNOWN_AS, reason, code="FM331") from error


def check_entries(entries: Sequence[zipfile.ZipInfo], *, known_as: str = KNOWN_AS) -> None:
    """Refuse a zip whose list of entries is a trap: too many, leading out, nested, locked.

    Raises
    ------
    Refused
        With the reason.
    """
    if len(entries) > MAX_ENTRIES:
        raise too_large("entries")
    names = [entry.filename.replace("\\", "/") for entry in entries]
    reason, code = "", "FM334"
    if any(".." in PurePosixPath(name).parts or name[:1] == "/" or ":" in name for name in names):
        reason = "外に出る道すじ（..）のファイルがあります / a path in it leads out of the zip"
    elif any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries):
        reason = "中にリンクがあります / it holds a symbolic link"
    elif any(name.lower().endswith(NESTED) for name in names):
        code = "FM333"
        reason = "中に別の圧縮ファイルがあります。先に展開してください / it holds another archive"
    elif any(entry.flag_bits & 1 for entry in entries):
        code = "FM335"
        reason = "パスワードで保護されています / it is protected by a password"
    elif len(set(names)) != len(names):
        reason = "同じ名前のファイルが2つあります / two files in it have the same name"
    if reason:
        raise Refused.format(known_as, reason, code=code)


def _choose(entries: list[zipfile.ZipInfo], layer: str) -> str:
    paths = [PurePosixPath(entry.filename.replace("\\", "/")) for entry in entries]
    stems = [str(path.with_suffix("")) for path in paths if path.suffix.lower() == ".shp"]
    if not stems:
        reason = "zip の中に .shp がありません / there is no .shp in the zip"
        raise Refused.format(KNOWN_AS, reason)
    wanted = [stem for stem in stems if layer in {stem, PurePosixPath(stem).name}]
    if len(wanted) == 1:
        return wanted[0]
    if layer or len(stems) > 1:
        raise Refused("FM576", value=layer, choices=" / ".join(stems[:20]))
    return stems[0]


def _inflate(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    parts, size = [], 0
    with archive.open(entry) as stream:
        while part := stream.read(CHUNK):
            size += len(part)
            if size > room:
                raise _too_large()
            if size > RATIO_FROM and size > MAX_RATIO * max(entry.compress_size, 1):
                raise too_large("ratio")
            parts.append(part)
    return b"".join(parts)


def read(name: str, parts: dict[str, bytes]) -> Raw:
    """Read the parts of a shapefile.

    Parameters
    ----------
    name
        Its name without ending.
    parts
        Its parts by ending: shp, shx, dbf; prj and cpg where there are any. Emptied, so that
        no more than one copy of them stays in memory.

    Raises
    ------
    Refused
        FM549 if a part is missing, FM557 if one is broken, FM569 if its texts cannot be decoded,
        FM104 if it is too large.
    """
    for ending in NEEDED:
        if not parts.get(ending):
            raise Refused("FM549", value=f"{name}.{ending}", part=f".{ending}")
    _check_sizes(parts)
    encoding, crs = _encoding(parts), parts.get("prj", b"").decode("utf-8", "replace")
    columns, values, shapes = _through_gdal(parts)
    geometry = shapely.from_wkb(shapes, on_invalid="ignore")
    del shapes
    fields = _decode(columns, values, encoding)
    return Raw("", fields, np.asarray(geometry, dtype=object), crs, f"{name}.prj")


def _through_gdal(parts: dict[str, bytes]) -> tuple[list[str], list[Any], NDArray[np.object_]]:
    with tempfile.TemporaryDirectory() as folder:
        for ending in NEEDED:
            (Path(folder) / f"layer.{ending}").write_bytes(parts.pop(ending))
        try:
            with warnings.catch_warnings(action="ignore"):  # rings left open are found as shapes
                # under this name and with these bytes no other driver can take the file;
                # one character a byte: what the bytes mean is decided afterwards
                meta, _, shapes, values = pyogrio.raw.read(
                    Path(folder) / "layer.shp", encoding="ISO-8859-1", force_2d=True
                )
        except Exception as error:  # whatever a broken file sets off inside GDAL
            reason = f"シェープファイルが壊れています / it is broken ({type(error).__name__})"
            raise Refused.format(KNOWN_AS, reason, code="FM557") from error
    return [str(column) for column in meta["fields"]], list(values), shapes


def _encoding(parts: Mapping[str, bytes]) -> str:
    # the one declared, or else UTF-8 if all of it is
    declared = parts.get("cpg", b"").decode("ascii", "replace").strip().upper()
    if declared in ENCODINGS:
        return ENCODINGS[declared]
    dbf = parts["dbf"]
    header: int = struct.unpack_from("<H", dbf, 8)[0]
    names = [dbf[at : at + 11].partition(b"\0")[0] for at in range(32, header - 1, 32)]
    try:
        _ = b" ".join(names).decode("utf-8"), dbf[header:].decode("utf-8")
    except UnicodeDecodeError:
        return "cp932"
    return "utf-8"


def _check_sizes(parts: Mapping[str, bytes]) -> None:
    shp, shx, dbf = (parts[ending] for ending in NEEDED)
    reason = "見出し部が壊れています / its header is broken"
    if shp[:4] != SHAPE_MAGIC or shx[:4] != SHAPE_MAGIC or len(dbf) < 33:  # noqa: PLR2004 - bytes
        raise Refused.format(KNOWN_AS, reason, code="FM557")
    records, header, length = struct.unpack_from("<IHH", dbf, 4)
    shapes, columns = (len(shx) - 100) // 8, max((header - 33) // 32, 1)
    if records != shapes or len(dbf) < header + records * length:
        reason = (
            f"図形 {shapes} 個と属性 {records} 行が合いません / "
            f"{shapes} shapes but {records} rows of values"
        )
        raise Refused.format(KNOWN_AS, reason, code="FM557")
    # in words of two bytes; GDAL would give the shapes behind a cut as none at all
    stated = 2 * struct.unpack_from(">i", shp, 24)[0] if len(shp) >= 100 else -1  # noqa: PLR2004
    if not 0 <= stated <= len(shp):
        reason = (
            f".shp が途中で切れています（{stated:,} バイトのうち {len(shp):,}） / "
            f"the .shp is cut off ({len(shp):,} of {stated:,} bytes)"
        )
        raise Refused.format(KNOWN_AS, reason, code="FM557")
    if records > MAX_FEATURES or records * columns > MAX_VALUES:
        raise Refused("FM104", expected=f"≤ {MAX_FEATURES:,} 図形/shapes")


def _decode(
    columns: list[str],
    values: list[Any],
    encoding: str,
) -> dict[str, NDArray[np.object_]]:
    # column by column, each given up once it is decoded; equal texts are decoded once
    fields: dict[str, NDArray[np.object_]] = {}
    column = ""
    try:
        for column in columns:
            name = column.encode("latin-1").decode(encoding)
            written = values.pop(0)
            if written.dtype == object:
                position, distinct = pd.factorize(written, use_na_sentinel=True)
                texts = [_text(raw, encoding) for raw in distinct]
                written = np.array([*texts, None], dtype=object)[position]
            fields[name] = written.astype(object)
    except UnicodeDecodeError as error:
        shown = column.encode("latin-1").decode("ascii", "replace")
        raise Refused("FM569", value=f"{shown} ({encoding})", encoding=encoding) from error
    return fields


def _text(raw: object, encoding: str) -> object:
    # GDAL gives texts as str and keeps dates and times as they are
    return raw.encode("latin-1").decode(encoding) if isinstance(raw, str) else raw

"""What a file is: told by its first bytes, then by giving it to the right reader on trial.

Nothing that is tried here is kept: the readers write into a report that is thrown away, and what
they said against the file is told in a line. Files too large to be read in a second or two are
told by their headings only. 未検証 layouts are said to be so.
"""

from __future__ import annotations

import io
import tomllib
import zipfile
import zlib
from pathlib import Path

from futuremap.sources import recognise_shapes, recognise_tables
from futuremap.sources.files import GZIP, ZIP
from futuremap.sources.geopackage import MAGIC as SQLITE
from futuremap.sources.raster import MAGICS as TIFF
from futuremap.sources.recognised import Clues, Recognised, recognised
from futuremap.sources.shapefile import SHAPE_MAGIC

HEAD = 2**16  # bytes that are looked at first
MAX_BOOK = 48 * 2**20  # bytes of all parts of a workbook
MAX_SHEET = 6 * 2**20  # bytes of its largest part
MAX_SHAPES = 16 * 2**20  # bytes of shapes with their values
MAX_GEOJSON = 8 * 2**20  # the same as text, which takes longer
MAX_PROJECT = 2**20  # bytes of a project file
PARTS = {".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".xml"}
JSON = {".geojson", ".json"}
BINARY = {".tif", ".tiff", ".gpkg", ".shp", ".zip"}  # told by their first bytes, not by these
# OSError: a place of a part that lies before the file
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)
TEXTS = {".csv", ".txt", ".tsv", ".tab", ".dat", ".xls", ".xlsx", ".xlsm", ""}
MARK = b"\xef\xbb\xbf"


def recognise(path: Path) -> Recognised:
    """Say what a file is.

    Parameters
    ----------
    path
        A regular file; links are the caller's to judge.

    Returns
    -------
    Recognised
        Of kind "unknown", with the reason, if it is nothing that a run could use. Whatever is
        wrong with the file, nothing is raised.
    """
    try:
        found = _recognise(path)
    except Exception as error:  # noqa: BLE001 - one file must not hide what the others are
        said = type(error).__name__
        return _unknown(path, f"読む途中で止まりました（{said}）", f"reading it stopped ({said})")
    return found


def _recognise(path: Path) -> Recognised:
    if path.suffix.lower() in PARTS and _has_shapes(path):
        return recognised(path, "part")
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    size = path.stat().st_size
    if not size:
        return _unknown(path, "FM105：中身がありません", "FM105: it is empty")
    if head.startswith(ZIP):
        return _packed(path, size)
    if head.startswith(TIFF):
        return recognise_shapes.raster_file(path)
    if head.startswith((SQLITE, SHAPE_MAGIC)):
        whole = size + _beside(path) <= MAX_SHAPES
        return recognise_shapes.shapes(path, head, whole=whole)
    return _text(path, head, size)


def _text(path: Path, head: bytes, size: int) -> Recognised:
    ending = path.suffix.lower()
    if head.startswith(GZIP):
        ending = Path(path.stem).suffix.lower()
        try:
            head, size = _inflated(path)
        except BROKEN as error:
            return _broken(path, "gzip", "FM102", error)
    if ending in JSON or head.removeprefix(MARK).lstrip()[:1] in {b"{", b"["}:
        return recognise_shapes.shapes(path, head, whole=size <= MAX_GEOJSON)
    if ending == ".toml":
        return _project(path, size)
    if ending in BINARY:
        return _unknown(
            path,
            f"FM102：拡張子は {ending} ですが、中身は違う形式です",
            f"FM102: its ending is {ending}, its first bytes are of something else",
        )
    if ending not in TEXTS:
        return _unknown(path, "この形式は使いません", "files of this form are not used")
    return recognise_tables.text_file(path, head, size=size)


def _unknown(path: Path, ja: str, en: str) -> Recognised:
    return recognised(path, "unknown", lacks=((ja, en),))


def _has_shapes(path: Path) -> bool:
    stem = path.name.split(".")[0]
    return any((path.parent / f"{stem}{ending}").is_file() for ending in (".shp", ".SHP"))


def _beside(path: Path) -> int:
    table = path.with_suffix(".dbf")
    return table.stat().st_size if path.suffix.lower() == ".shp" and table.is_file() else 0


def _inflated(path: Path) -> tuple[bytes, int]:
    """First bytes of what is in a gzip, and its size; past the largest text it is not counted."""
    unpack = zlib.decompressobj(wbits=31)
    head, size = b"", 0
    with path.open("rb") as stream:
        while size <= MAX_SHAPES and not unpack.eof and (part := stream.read(HEAD)):
            while part and size <= MAX_SHAPES:
                out = unpack.decompress(part, HEAD * 16)
                head = head or out[:HEAD]
                size += len(out)
                part = unpack.unconsumed_tail
    return head, size


def _packed(path: Path, size: int) -> Recognised:
    try:
        return _unpacked(path, size)
    except BROKEN as error:
        return _broken(path, "zip", "FM331", error)


def _broken(path: Path, packing: str, code: str, error: Exception) -> Recognised:
    said = type(error).__name__
    ja, en = f"{packing} が壊れているか、途中で切れています", f"the {packing} is broken or cut off"
    return _unknown(path, f"{code}：{ja}（{said}）", f"{code}: {en} ({said})")


def _unpacked(path: Path, size: int) -> Recognised:
    with zipfile.ZipFile(path) as archive:
        names = [name.lower() for name in archive.namelist()]
        sizes = [entry.file_size for entry in archive.infolist()]
    total = sum(sizes)
    if any(name.startswith("xl/") for name in names):
        if max(total, size) > MAX_BOOK or max(sizes) > MAX_SHEET:
            return _unknown(
                path,
                "大きすぎて確かめていません（ブック）",
                "a workbook too large to be looked into here",
            )
        return recognise_tables.workbook_file(path)
    if any(name.endswith(".shp") for name in names):
        return recognise_shapes.shapes(path, ZIP, whole=total <= MAX_SHAPES)
    if len(names) == 1 and names[0].endswith((".txt", ".csv")):
        return recognise_tables.text_file(path, _first_of(path), size=total)
    return _unknown(
        path,
        "zip の中に使えるファイルが見つかりません。展開してください",
        "nothing to use was found in the zip; unpack it",
    )


def _first_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive, archive.open(archive.infolist()[0]) as stream:
        return stream.read(HEAD)


def _project(path: Path, size: int) -> Recognised:
    try:
        body = path.read_bytes() if size <= MAX_PROJECT else b""
        content = tomllib.load(io.BytesIO(body))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return _unknown(
            path, f"FM001：TOML として読めません（{error}）", f"FM001: no TOML ({error})"
        )
    if not {"project", "municipality"} <= set(content):
        return _unknown(path, "futuremap の設定ではありません", "no settings of futuremap")
    header = content["project"] if isinstance(content["project"], dict) else {}
    years = sorted(y for y in (header.get("base_year"), header.get("end_year")) if type(y) is int)
    return recognised(path, "project", years=tuple(years), clues=Clues())

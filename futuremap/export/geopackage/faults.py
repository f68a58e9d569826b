"""What keeps a GeoPackage from being written, as located errors: name, open file, disk, folder."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import tempfile
from pathlib import Path

import pyogrio.errors

from futuremap.errors import ExportError
from futuremap.export.text import NOT_XML, RESERVED_STEMS

FAULTS = (
    OSError,
    sqlite3.Error,
    pyogrio.errors.CRSError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.FieldError,
    pyogrio.errors.GeometryError,
)
SIDE_FILES = ("-wal", "-shm", "-journal")
# "|" ends the name of a file where QGIS names a layer in it; Windows refuses the others
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]|[. ]\Z')
CUT = re.compile("[;!]")  # pyogrio parts an address there, wherever in the path it stands
LONGEST = 200  # bytes of a file name; systems take 255, and the draft's is longer
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
FULL_WORDS = re.compile(r"disk is full|disk I/O error|no space left|file too large", re.IGNORECASE)
PROBE = 2**20  # bytes


def refuse_target(path: Path) -> None:
    """Refuse a file whose name a system or QGIS misreads, or that another program has open.

    Parameters
    ----------
    path
        File to write.

    Raises
    ------
    ExportError
        FM720 for its name; FM721 if SQLite's files lie beside it, which would be taken for
        those of the new file; FM723 if its folder cannot be written to.
    """
    name = path.name
    bad = FORBIDDEN.search(name) or NOT_XML.search(name) or CUT.search(str(path))
    if bad or RESERVED_STEMS.fullmatch(name) or len(name.encode("utf-8", "replace")) > LONGEST:
        seen = repr(bad.group() if bad else name)
        raise ExportError(f"{seen} in {str(path)!r}", code="FM720", file=str(path))
    if open_files := [side.name for side in side_files(path) if os.access(side, os.F_OK)]:
        raise ExportError(f"{', '.join(open_files)}", code="FM721", file=str(path))
    if not _is_open(path.parent):
        reason = f"{path.parent}: no folder that may be written to"
        raise ExportError(reason, code="FM723", file=str(path))


def fault_of(error: BaseException, path: Path) -> ExportError:
    """The located error for what an operating system, SQLite or GDAL says.

    Call it while the draft still stands: where the words do not tell the cause (GDAL reports
    what failed last, not first), the folder is tried.

    Examples
    --------
    >>> fault_of(sqlite3.OperationalError("database or disk is full"), Path("a.gpkg")).code
    'FM722'
    """
    said = str(error).rpartition(" failed: ")[2]  # without the SQL and what is in it
    known = error if isinstance(error, OSError) and error.errno else None
    if isinstance(known, PermissionError) and os.access(path, os.F_OK) and _is_open(path.parent):
        return ExportError(said, code="FM721", file=str(path))  # Windows keeps an open file
    if known is None and not FULL_WORDS.search(said):
        known = _probe(path.parent)
        said = f"{said}: {known.strerror}" if known is not None else said
    number = known.errno if known is not None else None
    if number in FULL or FULL_WORDS.search(said):
        code = "FM722"
    else:
        code = "FM723" if number in CLOSED else ""
    return ExportError(f"{path}: {said}", code=code, file=str(path))


def _is_open(folder: Path) -> bool:
    # unlike pathlib's, these answer where the folder above may not be read
    return os.access(folder / ".", os.W_OK | os.X_OK)


def _probe(folder: Path) -> OSError | None:
    """What the system says to another megabyte in a folder."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x" * PROBE)
    except OSError as error:
        return error
    return None


def side_files(path: Path) -> list[Path]:
    """What SQLite keeps beside a database that is open."""
    return [path.with_name(path.name + ending) for ending in SIDE_FILES]

"""What can keep a GeoPackage from being written, as located errors: name, open file, disk, folder."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
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
LONGEST = 200  # bytes of a file name; systems take 255, and the draft's is longer
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
FULL_WORDS = re.compile(r"disk is full|disk I/O error|no space left|file too large", re.IGNORECASE)
CLOSED_WORDS = re.compile(r"read-?only|permission denied|unable to open", re.IGNORECASE)


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
        those of the new file; FM723 if its folder is not there.
    """
    name = path.name
    bad = FORBIDDEN.search(name) or NOT_XML.search(name)
    if bad or RESERVED_STEMS.fullmatch(name) or len(name.encode("utf-8", "replace")) > LONGEST:
        seen = repr(bad.group()) if bad else repr(name)
        raise ExportError(f"{seen} in the name of a file", code="FM720", file=str(path))
    if open_files := [side.name for side in side_files(path) if side.exists()]:
        raise ExportError(f"{', '.join(open_files)}", code="FM721", file=str(path))
    if not path.parent.is_dir():
        raise ExportError(f"{path.parent} is not a folder", code="FM723", file=str(path))


def fault_of(error: BaseException, path: Path) -> ExportError:
    """The located error for what an operating system, SQLite or GDAL says.

    Examples
    --------
    >>> fault_of(sqlite3.OperationalError("database or disk is full"), Path("a.gpkg")).code
    'FM722'
    """
    number = error.errno if isinstance(error, OSError) else None
    words = str(error)
    if number in FULL or FULL_WORDS.search(words):
        code = "FM722"
    elif isinstance(error, PermissionError) and path.exists() and _is_writable(path.parent):
        code = "FM721"  # Windows keeps a file that a program has open
    elif number in CLOSED or CLOSED_WORDS.search(words):
        code = "FM723"
    else:
        code = ""
    return ExportError(f"{path}: {words}", code=code, file=str(path))


def side_files(path: Path) -> list[Path]:
    """What SQLite keeps beside a database that is open."""
    return [path.with_name(path.name + ending) for ending in SIDE_FILES]


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)

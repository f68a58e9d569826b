"""Publishing a folder as one set: readers find all files of one run or all of the run before.

The files are made in a hidden folder beside the target, which then changes places with it.
A lock file, held by the operating system for as long as the process lives, keeps other runs
out; it stays behind empty, because deleting a lock lets two runs hold it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from futuremap.errors import ExportError, LockedError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MANIFEST = "manifest.json"
AT_FDCWD = -100  # linux/fcntl.h: a relative path is seen from the working folder
RENAME_EXCHANGE = 2  # linux/fs.h
RENAME_SWAP = 2  # macOS sys/stdio.h
# what SQLite leaves beside an open database; never to be paired with a new one
SIDE_FILES = ("-wal", "-shm", "-journal")
NOT_SUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def publishing(target: Path) -> Iterator[Path]:
    """Fill a fresh folder, which takes the place of `target` if nothing fails.

    Files in the earlier set that its manifest does not list are the reader's own (a saved
    QGIS project, for one) and are copied into the new set.

    Parameters
    ----------
    target
        Folder to publish: none yet, empty, or one with a ``manifest.json`` of ours.

    Yields
    ------
    Path
        Empty folder beside the target.

    Raises
    ------
    LockedError
        If another run is publishing the same folder.
    ExportError
        If the system cannot write, or `target` is not ours; the earlier set is whole.
    """
    target = target.resolve()
    fresh = target.with_name(f".{target.name}.tmp-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target), _terminable():
            recover(target)
            own_files = _own_files(target)
            try:
                fresh.mkdir()
                yield fresh
                _copy_missing(own_files, target, into=fresh)
                _sync(fresh)
                _swap(fresh, target)
            finally:
                # after the swap this is the earlier set
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else target
        raise ExportError(f"{where}: {error.strerror or error}") from error


def recover(target: Path) -> None:
    """Mend what a killed run left beside `target`; call it only while holding the lock.

    Raises
    ------
    OSError
        If the earlier set cannot be put back.
    """
    earlier = _earlier(target)
    if earlier.exists():
        if target.exists():
            shutil.rmtree(earlier)
        else:
            earlier.rename(target)
    stale = re.compile(rf"\.{re.escape(target.name)}\.tmp-\d+")
    for path in target.parent.iterdir():
        if stale.fullmatch(path.name) and path.is_dir():
            shutil.rmtree(path)


def _earlier(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    lock = target.with_name(f".{target.name}.lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            _take(handle)
        except BlockingIOError as error:
            raise LockedError(f"{target}: another run is writing to this folder") from error
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":

    def _take(handle: int) -> None:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error

else:

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _terminable() -> Iterator[None]:
    # a plain SIGTERM ends Python without cleaning up; a handler of the caller's own is kept
    free = threading.current_thread() is threading.main_thread()
    if not free or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _own_files(target: Path) -> list[Path]:
    """Files of the reader's in an earlier set, relative to it."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return []
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        ours = {MANIFEST, *(entry["path"] for entry in manifest["outputs"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{target}: has no {MANIFEST} of ours and would be lost; choose another folder"
        raise ExportError(message) from error
    files = (path.relative_to(target) for path in target.rglob("*") if path.is_file())
    return sorted(
        path for path in files if path.as_posix() not in ours and not path.name.endswith(SIDE_FILES)
    )


def _copy_missing(names: list[Path], source: Path, *, into: Path) -> None:
    for name in names:
        if not (into / name).exists():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, into / name)


def _sync(folder: Path) -> None:
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync_one(Path(root) / name)
        _sync_folder(Path(root))


def _sync_one(path: Path) -> None:
    # Windows flushes only what is open for writing
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":  # Windows cannot open a folder
        _sync_one(folder)


def _swap(fresh: Path, target: Path) -> None:
    if not target.exists():
        fresh.rename(target)
    elif not _exchange(fresh, target):
        _rename_twice(fresh, target)
    _sync_folder(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system cannot."""
    call = _exchange_call()
    if call is None:
        return False
    if call(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    code = ctypes.get_errno()
    if code in NOT_SUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(other))


def _exchange_call() -> Callable[[bytes, bytes], int] | None:
    if os.name != "posix":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        return lambda one, other: int(
            libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE),
        )
    if hasattr(libc, "renamex_np"):
        return lambda one, other: int(libc.renamex_np(one, other, RENAME_SWAP))
    return None


def _rename_twice(fresh: Path, target: Path) -> None:
    # killed between the two, `recover` puts the earlier set back
    earlier = _earlier(target)
    target.rename(earlier)
    try:
        fresh.rename(target)
    except BaseException:
        earlier.rename(target)
        raise
    shutil.rmtree(earlier, ignore_errors=True)

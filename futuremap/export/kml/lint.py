"""The linter that reads every KMZ before it is published, as strictly as the strictest client."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from posixpath import dirname
from typing import IO

from futuremap.export.kml.lint_document import ENTRY, Document
from futuremap.export.kml.lint_links import unreached
from futuremap.export.kml.lint_quick import Quick
from futuremap.export.kml.lint_reader import MOST_PER_RULE
from futuremap.export.kml.lint_rules import Finding
from futuremap.export.kml.profiles import Profile

ROOT = "doc.kml"
KMZ, KML = ".kmz", ".kml"
PICTURES = (".png", ".jpg", ".jpeg", ".gif")
MOST_BYTES = 512 * 2**20  # of a file, of a document: more than any Google Earth imports
MOST_UNPACKED = 2**30  # of all files in a KMZ
MOST_RATIO, RATIO_FROM = 200, 2**20  # ours stay below 50; small files do no harm
MOST_MEMBERS = 5_000
MOST_TILES = 60_000  # files of a client that takes links between them; a zip holds no more
MOST_INDEX = 2**23  # bytes of the list of files, which is read as a whole
END = struct.Struct("<4s4H2LH")  # the record at the end of a zip: PKZIP's application note §4.3.16
END_MARK, LONG_MARK, LONG_SIZE = b"PK\5\6", b"PK\6\7", 20
LONGEST_COMMENT = 2**16
LINK_MODE = 0o12
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def lint(path: Path, *, profile: Profile, doubts: bool = False) -> list[Finding]:
    """Faults of one KMZ or KML file.

    Parameters
    ----------
    path
        The file; ``.kml`` is read as a document, all else as a KMZ.
    profile
        The client that has to take it.
    doubts
        Whether to find wrong encodings, too. The writer puts U+FFFD for what XML cannot hold,
        and says so elsewhere: no reason not to publish.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    return lint_set([path], profile=profile, doubts=doubts)


def lint_set(paths: Sequence[Path], *, profile: Profile, doubts: bool = False) -> list[Finding]:
    """Faults of files that belong together; where there are heights, they share one scale.

    Parameters
    ----------
    paths
        The files.
    profile, doubts
        As of `lint`.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    files = [_File(path, profile, doubts=doubts) for path in paths]
    findings = [finding for file in files for finding in file.findings()]
    scales = {scale for file in files for scale in file.scales}
    bare = [file.path.name for file in files if file.ours_and_tall and not file.scales]
    if len(scales) > 1 or bare:
        seen = f"{sorted(scales)} m, none in {bare}"
        findings.append(Finding("scale", ", ".join(path.name for path in paths), seen))
    return findings


class _File:
    """One file with its documents, checked when it is made."""

    def __init__(self, path: Path, profile: Profile, *, doubts: bool) -> None:
        self.path, self._profile, self._doubts = path, profile, doubts
        self._found: list[Finding] = []
        self._documents: list[Document] = []
        if path.stat().st_size > MOST_BYTES:
            self._find("limit", f"> {MOST_BYTES // 2**20} MiB")
        elif path.suffix.lower() == KML:
            self._plain()
        else:
            self._packed()

    @property
    def scales(self) -> set[str]:
        """Height scales that its documents print."""
        return {scale for document in self._documents for scale in document.scales}

    @property
    def ours_and_tall(self) -> bool:
        """Whether it must print its height scale."""
        return any(document.ours and document.tall for document in self._documents)

    def findings(self) -> list[Finding]:
        """Faults of the file, then of its documents."""
        return [*self._found, *(f for document in self._documents for f in document.findings)]

    def _find(self, rule: str, seen: str) -> None:
        self._found.append(Finding(rule, self.path.name, seen[:200]))

    @property
    def _several(self) -> bool:
        """Whether the client takes links from document to document."""
        return "NetworkLink" not in self._profile.refused

    def _paths(self, names: Sequence[str]) -> None:
        links = {
            name: document.links.targets
            for name, document in zip(names, self._documents, strict=True)
        }
        for name, fault in list(unreached(ROOT, links))[:MOST_PER_RULE]:
            self._found.append(Finding("link", f"{self.path.name}/{name}", fault))

    def _plain(self) -> None:
        self._read(lambda: self.path.open("rb"), self.path.name)

    def _packed(self) -> None:
        fault = _index_fault(self.path, most=MOST_TILES if self._several else MOST_MEMBERS)
        if fault is not None:
            self._find(*fault)
            return
        try:
            with zipfile.ZipFile(self.path) as archive:
                members = archive.infolist()
                readable = self._members(members)
                names = frozenset(info.filename for info in members)
                for info in readable:
                    self._member(archive, info, names)
                if self._several and len(readable) > 1:
                    self._paths([info.filename for info in readable])
        except (*UNREADABLE, UnicodeDecodeError) as error:
            self._find("zip", repr(error))

    def _member(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, names: frozenset[str]
    ) -> None:
        inner = info.filename
        name = self.path.name if not self._documents else f"{self.path.name}/{inner}"
        self._read(partial(archive.open, info), name, members=names, place=dirname(inner))

    def _read(
        self,
        opened: Callable[[], IO[bytes]],
        name: str,
        *,
        members: frozenset[str] | None = None,
        place: str = "",
    ) -> None:
        """Read a document, the quick way if there is nothing to find."""
        root = not self._documents
        quick = Quick(name, self._profile, members=members, place=place, doubts=self._doubts)
        with suppress(*UNREADABLE):  # it will be said when it is read again
            with opened() as stream:
                sound = quick.sound(stream, root=root)
            if sound:
                self._documents.append(quick)
                return
        document = Document(name, self._profile, members=members, place=place, doubts=self._doubts)
        self._documents.append(document)
        with opened() as stream:
            document.read(stream, root=root)

    def _members(self, members: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
        """Check the list of files inside a KMZ; gives the documents that may be read."""
        names = [info.filename for info in members]
        documents = [info for info in members if info.filename.lower().endswith(KML)]
        several = self._several
        if not names or names[0] != ROOT or (len(documents) != 1 and not several):
            self._find("zip", f"first and only document must be {ROOT}: {names[:5]}")
        twice = [name for name, count in Counter(names).items() if count > 1]
        for info in members:
            if (fault := _member_fault(info)) is not None or info.filename in twice:
                self._find(*(fault or ("zip", f"file name {info.filename!r} twice")))
            if len(self._found) > MOST_MEMBERS:
                break
        if sum(info.file_size for info in members) > MOST_UNPACKED:
            self._find("limit", f"> {MOST_UNPACKED // 2**20} MiB unpacked")
            return []
        sound = [info for info in documents if _openable(info)]
        return sound if several else sound[:1]


def _member_fault(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    name = info.filename
    if not ENTRY.fullmatch(name):
        return "zip", f"file name {name!r}"
    if info.external_attr >> 28 == LINK_MODE:
        return "zip", f"{name}: a link to another file"
    if info.flag_bits & 1 or info.compress_type not in METHODS:
        return "zip", f"{name}: encrypted, or packed in a way that clients cannot read"
    if not name.lower().endswith((KML, *PICTURES)):
        return "zip", f"{name}: neither a document nor a picture"
    if not _openable(info):
        size = f"{info.compress_size:,} → {info.file_size:,} bytes"
        return "limit", f"{name}: {size}, > {MOST_RATIO} : 1 or > {MOST_BYTES // 2**20} MiB"
    return None


def _openable(info: zipfile.ZipInfo) -> bool:
    bomb = info.file_size > RATIO_FROM and info.file_size > MOST_RATIO * info.compress_size
    sound = not info.flag_bits & 1 and info.compress_type in METHODS
    return sound and not bomb and info.file_size <= MOST_BYTES


def _index_fault(path: Path, *, most: int) -> tuple[str, str] | None:
    """What is wrong with the end of a zip, read before anything trusts it."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - END.size - LONGEST_COMMENT - LONG_SIZE))
        tail = stream.read()
    place = tail.rfind(END_MARK)
    if place < 0 or len(tail) - place < END.size:
        return "zip", "no list of files at the end"
    _, _, _, _, count, length, _, _ = END.unpack_from(tail, place)
    if LONG_MARK in tail[max(0, place - LONG_SIZE) : place]:
        return "zip", "a zip64, which clients cannot read"
    if count > most or length > MOST_INDEX:
        return "limit", f"{count:,} files, {length:,} bytes of names"
    return None

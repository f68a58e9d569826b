"""LintProcess: a second process checks the files that are written, while the first writes on."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from futuremap.export.kml.drafts import Drafts
from futuremap.export.kml.lint_rules import Finding
from futuremap.export.kml.lint_serve import findings, request

# below this, all files so far together take less time to check than a process to start [bytes]
LEAST = 2**19
# the package is imported from where this process has it: from a wheel, a checkout, a zip; the
# place is taken back before anything else is imported, for there may be more beside the package
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); import futuremap; del sys.path[0]; "
    "from futuremap.export.kml.lint_serve import serve; serve()"
)


class LintProcess:
    """A place to hand drafts to: checked elsewhere, they are settled when the block is left.

    The process starts when there is enough to check. If it cannot be started, or dies, its files
    are checked here: nothing is settled unchecked. It ends with the block, and, since it then
    has nobody to listen to, with this process, however that ends.

    Examples
    --------
    >>> from futuremap.export.kml.profiles import EARTH_WEB
    >>> with LintProcess() as linter:
    ...     linter.take(Drafts({}, EARTH_WEB))
    """

    def __init__(self) -> None:
        self._waiting: deque[Drafts] = (
            deque()
        )  # as they were handed over; a process that lives was asked about all
        self._size = 0
        self._process: subprocess.Popen[str] | None = None
        self._lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.settle()
        finally:
            self._end()
            for drafts in self._waiting:
                drafts.discard()

    def take(self, drafts: Drafts) -> None:
        """Take over drafts, to check them and to move them to their place.

        Raises
        ------
        ExportError
            If they are checked at once, being few and small, and are not sound.
        """
        self._waiting.append(drafts)
        self._size += sum(draft.stat().st_size for draft in drafts.places)
        if self._process is None and not self._lost and self._size >= LEAST:
            self._begin()
        if self._process is None:
            self.settle()
        else:
            self._ask(self._process, drafts)

    def settle(self) -> None:
        """Wait until all is checked, and move it to its place.

        Raises
        ------
        ExportError
            If anything is not sound; the first that was handed over is told.
        """
        while self._waiting:
            drafts = self._waiting.popleft()
            try:
                found = None if self._process is None else self._answer(self._process)
                drafts.settle(drafts.lint() if found is None else found)
            finally:
                drafts.discard()

    def _begin(self) -> None:
        # where Python is a part of another program, that would be started once more
        own = Path(sys.executable or "").stem.lower().startswith("python")
        if not own or getattr(sys, "frozen", False):
            self._lost = True
            return
        root = Path(__file__).parents[3]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-P", "-c", START, str(root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="ascii",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            self._lost = True

    def _ask(self, process: subprocess.Popen[str], drafts: Drafts) -> None:
        stream = cast("IO[str]", process.stdin)
        try:
            stream.write(f"{request(list(drafts.places), drafts.profile)}\n")
            stream.flush()
        except OSError:
            self._end()

    def _answer(self, process: subprocess.Popen[str]) -> list[Finding] | None:
        """What was found in the first drafts that wait; None if the process cannot say."""
        stream = cast("IO[str]", process.stdout)
        try:
            return findings(stream.readline())
        except (OSError, ValueError):
            self._end()
            return None

    def _end(self) -> None:
        process, self._process = self._process, None
        self._lost = True
        if process is not None:
            process.kill()
            with suppress(OSError), process:  # closes its pipes and waits for it
                pass

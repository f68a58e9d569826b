"""What the second process of `LintProcess` does: it reads requests, lints, and answers."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from futuremap.export.kml.lint import lint_set
from futuremap.export.kml.lint_rules import Finding
from futuremap.export.kml.profiles import Profile

# one line of JSON each, answers in the order of requests:
#   {"paths": [...], "profile": {...}}  →  [[rule, file, seen, line, column, feature], ...]
# null answers what could not be checked; who asked will see for himself why


def request(paths: Sequence[Path], profile: Profile) -> str:
    """Ask for the findings of files that belong together.

    Examples
    --------
    >>> from futuremap.export.kml.profiles import EARTH_WEB
    >>> text = request([Path("a.kmz")], EARTH_WEB)
    >>> text.startswith('{"paths": ["'), text.endswith('}}'), asked(text)[1] == EARTH_WEB
    (True, True, True)
    """
    fields = {name: getattr(profile, name) for name in Profile.__dataclass_fields__}
    sets = {name: sorted(value) for name, value in fields.items() if isinstance(value, frozenset)}
    return json.dumps({"paths": [str(path.absolute()) for path in paths], "profile": fields | sets})


def asked(line: str) -> tuple[list[Path], Profile]:
    """The files and the client of a request."""
    said = json.loads(line)
    fields: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value
        for name, value in said["profile"].items()
    }
    return [Path(path) for path in said["paths"]], Profile(**fields)


def findings(line: str) -> list[Finding]:
    """What an answer says.

    Raises
    ------
    ValueError
        If it says nothing, because the process died or could not check the files.

    Examples
    --------
    >>> findings('[["id", "a.kmz", "now-1", 7, 3, ""]]')
    [Finding(rule='id', file='a.kmz', seen='now-1', line=7, column=3, feature='')]
    """
    said = json.loads(line)
    if said is None:
        raise ValueError("could not be checked")
    return [Finding(*one) for one in said]


def serve() -> None:
    """Answer requests of standard input until it ends, and then leave at once.

    It ends when the process that asks closes it, or dies: nobody waits for what is left to do.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks decides what an interrupt means
    lines: SimpleQueue[str] = SimpleQueue()
    Thread(target=_read, args=(sys.stdin, lines), daemon=True).start()
    while True:
        sys.stdout.write(f"{_answer(lines.get())}\n")
        sys.stdout.flush()


def _read(stream: IO[str], lines: SimpleQueue[str]) -> None:
    # in a thread, to see the end of input while a file is being checked
    for line in stream:
        lines.put(line)
    os._exit(0)


def _answer(line: str) -> str:
    try:
        paths, profile = asked(line)
        return json.dumps(lint_set(paths, profile=profile))
    except Exception:  # noqa: BLE001 - it comes again where it can be told to somebody
        return "null"

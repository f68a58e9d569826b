"""Every error that futuremap raises, drawn as one tree.

::

    FuturemapError                     exit code 1
    ├── InputRefused                   3  the input has problems; carries the whole report
    ├── SourceError      (ValueError)  3  a file or code is not what it promises
    │   └── KeyCodeError               3  a malformed mesh code or area code
    ├── UnknownNameError (LookupError) 2  a name on the command line that nothing has
    ├── LabelError       (ValueError)  1  two nouns do not share zones, years, sexes or ages
    ├── CrsError         (ValueError)  3  geometry in a wrong or unknown reference system
    ├── DemographyError  (ValueError)  3  impossible numbers, such as a negative count
    ├── SolveError                     3  raking or another iteration did not converge
    ├── ExportError                    5  an output could not be written or failed its own check
    ├── LockedError                    6  another run is writing to the same folder
    └── ResourceError                  7  the machine has not the memory that the input needs

Exit code 2 is also any other wrong command line, 4 is kept for refused disclosure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Findings(Protocol):
    """What a refusal carries: the report of ``futuremap.problems``, seen from below."""

    def summary(self) -> str:
        """Count of errors and warnings in one line."""
        ...

    def lines(self) -> Iterator[str]:
        """All problems for a terminal."""
        ...


class FuturemapError(Exception):
    """Base of all errors of this package."""

    exit_code = 1


class InputRefused(FuturemapError):  # noqa: N818 - said to planners, not an error class name
    """The input has problems; `report` lists all of them."""

    exit_code = 3

    def __init__(self, report: Findings) -> None:
        self.report = report
        super().__init__("\n".join(report.lines()))


class SourceError(FuturemapError, ValueError):
    """A file or a code is not what it promises to be."""

    exit_code = 3


class KeyCodeError(SourceError):
    """A mesh code or an area code is malformed or unknown."""


class UnknownNameError(FuturemapError, LookupError):
    """Nothing is called what was asked for; `near` are the names that come closest."""

    exit_code = 2

    def __init__(self, name: str, near: tuple[str, ...]) -> None:
        self.name = name
        self.near = near
        listed = "、".join(near)
        super().__init__(
            f"「{name}」はありません / nothing is called so. 近い名前 / near: {listed}"
        )


class LabelError(FuturemapError, ValueError):
    """Two nouns do not share their zones, years, sexes or ages."""


class CrsError(FuturemapError, ValueError):
    """Geometry stands in a wrong or unknown coordinate reference system."""

    exit_code = 3


class DemographyError(FuturemapError, ValueError):
    """Numbers that no population can have."""

    exit_code = 3


class SolveError(FuturemapError):
    """An iteration did not converge, or what was asked contradicts itself."""

    exit_code = 3


class ExportError(FuturemapError):
    """An output could not be written, or failed the check after writing.

    `code` is its problem code where the cause is known, `file` the output it concerns.
    """

    exit_code = 5

    def __init__(self, message: str, *, code: str = "", file: str = "") -> None:
        self.code = code
        self.file = file
        super().__init__(message)


class LockedError(FuturemapError):
    """Another run is writing to the same output folder."""

    exit_code = 6


class ResourceError(FuturemapError):
    """The machine has not the memory that the input needs."""

    exit_code = 7

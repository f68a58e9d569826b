"""Drafts: files beside their place, moved there when they are found sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from futuremap.errors import ExportError
from futuremap.export.kml.lint import lint_set
from futuremap.export.kml.lint_rules import Finding
from futuremap.export.kml.profiles import Profile

SHOWN_FINDINGS = 5


class Drafts(NamedTuple):
    """Files of one theme that are written, but not yet checked.

    Parameters
    ----------
    places
        Where each belongs, by where it lies now.
    profile
        The client.
    """

    places: Mapping[Path, Path]
    profile: Profile

    def lint(self) -> list[Finding]:
        """Check them, in this process.

        Raises
        ------
        ExportError
            If they cannot be read.
        """
        try:
            return lint_set(list(self.places), profile=self.profile)
        except OSError as error:
            raise self.unwritable(error) from error

    def settle(self, findings: Sequence[Finding]) -> None:
        """Move them to their place, unless anything was found.

        Raises
        ------
        ExportError
            If there are findings, or the disk refuses.
        """
        if findings:
            shown = "; ".join(str(finding) for finding in findings[:SHOWN_FINDINGS])
            name = self.profile.name
            raise ExportError(f"{len(findings)} faults in files for {name}: {shown}")
        try:
            for draft, place in self.places.items():
                draft.replace(place)
        except OSError as error:
            raise self.unwritable(error) from error

    def discard(self) -> None:
        """Delete those that are still drafts."""
        for draft in self.places:
            with suppress(OSError):  # which would hide why they are given up
                draft.unlink(missing_ok=True)

    def unwritable(self, error: OSError) -> ExportError:
        """What to raise when the disk refuses."""
        return ExportError(f"{next(iter(self.places)).parent} cannot be written: {error}")

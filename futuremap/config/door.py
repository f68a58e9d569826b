"""The problems of a project file, each with its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from futuremap.config.entry import Entry
from futuremap.config.lines import Path as KeyPath
from futuremap.config.lines import line_of
from futuremap.problems import Report

NO_SENSE = ("この項目の値として意味をなしません", "it makes no sense as the value of this key")


@dataclass(frozen=True)
class Door:
    """What a check needs to locate what it finds.

    Parameters
    ----------
    file
        Name of the project file.
    lines
        Line of each of its keys.
    report
        Takes the problems.
    """

    file: str
    lines: dict[KeyPath, int]
    report: Report

    def add(self, code: str, path: KeyPath, *, value: object = "", **detail: Any) -> None:
        """Note a problem of a key, or of the table around it."""
        place: dict[str, Any] = {
            "file": self.file,
            "line": line_of(self.lines, path),
            "column": ".".join(str(part) for part in path),
        }
        self.report.add(code, **place, value=value, **detail)

    def no_sense(self, path: KeyPath, value: object, expected: tuple[str, str]) -> None:
        """Note a value that cannot be meant (FM004), and what could, in Japanese and English."""
        self.add(
            "FM004",
            path,
            value=value,
            key=path[-1] if path else "",
            expected_ja=expected[0],
            expected_en=expected[1],
            reason_ja=NO_SENSE[0],
            reason_en=NO_SENSE[1],
        )

    def unused(self, entry: Entry, keys: Mapping[str, tuple[str, ...]], path: KeyPath) -> None:
        """Note keys that the entry's format does not look at: they would do nothing.

        Parameters
        ----------
        entry
            A table that has a `format`.
        keys
            Formats that have each key.
        path
            Where the table stands.
        """
        said = entry.model_dump(exclude_defaults=True)
        for key, formats in keys.items():
            if key in said and getattr(entry, "format", "") not in formats:
                listed = " / ".join(f'"{name}"' for name in formats)
                only = (f"format = {listed} のときだけ", f"only with format = {listed}")
                value = said[key]
                self.no_sense((*path, key), value if isinstance(value, str) else "", only)

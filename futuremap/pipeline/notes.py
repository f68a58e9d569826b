"""Notes: where problems of scenarios go, with their place in the project file."""

from __future__ import annotations

from typing import Any, NamedTuple

from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import Project
from futuremap.problems import Report


class Notes(NamedTuple):
    """Where problems of scenarios go.

    project
        The project, which knows the lines of its file.
    report
        Takes them.
    source
        Name of what was written, if it is not the project's file.
    """

    project: Project
    report: Report
    source: str = ""

    def add(self, code: str, at: KeyPath, value: object, **detail: Any) -> None:
        """Note a problem of a key."""
        inside = not self.source
        self.report.add(
            code,
            file=self.project.file.name if inside else self.source,
            line=self.project.line(*at) if inside else None,
            column=".".join(map(str, at)),
            value=value,
            **detail,
        )

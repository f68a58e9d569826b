"""What a survey of a folder gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from futuremap.pipeline.survey_towns import TownPlan
from futuremap.problems import Report
from futuremap.sources.recognised import Lack, Recognised


@dataclass(frozen=True)
class Survey:
    """What was found in a folder.

    Parameters
    ----------
    folder
        The folder.
    files
        What each file is, by name; parts of shapefiles are not listed by themselves.
    towns
        Which of them would make a run.
    base_year
        The year that it would start from; None if there is none.
    lacks
        What a run still needs.
    wishes
        What would make it better.
    report
        The same as located problems: FM009 is an error, FM107 to FM110 are warnings.
    """

    folder: Path
    files: tuple[Recognised, ...]
    towns: tuple[TownPlan, ...]
    base_year: int | None
    lacks: tuple[Lack, ...]
    wishes: tuple[Lack, ...]
    report: Report

    @property
    def ready(self) -> bool:
        """Whether nothing is missing: the starter can then be checked and run."""
        return not self.lacks

    def relative(self, file: Recognised) -> str:
        """Path of a file in the folder, as project.toml names it."""
        return file.path.relative_to(self.folder).as_posix()

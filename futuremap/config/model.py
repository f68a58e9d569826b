"""What a project.toml may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from futuremap.config.lines import Path as KeyPath
from futuremap.config.lines import line_of
from futuremap.core.credits import Credit, register

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Year = Annotated[int, Field(ge=1900, le=2200)]
Code = Annotated[str, Field(pattern=r"^[0-9]{5}$")]
INTERVAL = 5  # years; the width of the age groups that are read


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Header(_Entry):
    """``[project]``: name of the output folder, titles, first and last year."""

    name: Slug
    title: str
    title_en: str = ""
    base_year: Year
    end_year: Year


class PopulationFile(_Entry):
    """``[[municipality.population]]``: sex and age in one year.

    "register" is by town block; "census" is the municipality as one zone.
    """

    year: Year
    file: str
    format: Literal["register", "census"] = "register"
    credit: str


class OutlineFile(_Entry):
    """``[municipality.outline]``: the municipality's boundary."""

    file: str
    format: Literal["n03"] = "n03"
    credit: str


class PointCorrection(_Entry):
    """``[[municipality.point_correction]]``: a published point that is wrong, with the reason."""

    zone: str
    lat: Annotated[float, Field(ge=20, le=46)]
    lon: Annotated[float, Field(ge=122, le=154)]
    reason: str


class ControlFile(_Entry):
    """``[municipality.control]``: municipal totals that the projection must meet."""

    file: str
    format: Literal["municipal_csv"] = "municipal_csv"
    basis: Literal["level", "growth"] = "level"
    credit: str


class CheckFile(_Entry):
    """``[municipality.check]``: a later count, printed beside the projection of its year."""

    year: Year
    name: str
    file: str
    credit: str


class FacilityFile(_Entry):
    """``[[municipality.facilities]]``: a list of facilities of one class."""

    facility_class: Slug = Field(alias="class")
    name: str
    file: str
    credit: str


class Municipality(_Entry):
    """``[[municipality]]``: one town with its files."""

    code: Code
    name: str
    name_en: str = ""
    plane_zone: Annotated[int, Field(ge=1, le=19)]
    population: Annotated[list[PopulationFile], Field(min_length=1)]
    outline: OutlineFile
    point_correction: list[PointCorrection] = []
    control: ControlFile | None = None
    check: CheckFile | None = None
    facilities: list[FacilityFile] = []

    def population_of(self, year: int) -> PopulationFile | None:
        """The population file of a year, if there is one."""
        return next((entry for entry in self.population if entry.year == year), None)

    def files(self) -> list[tuple[str, str]]:
        """Every file named, with its credit key."""
        named = [(entry.file, entry.credit) for entry in self.population]
        named += [(entry.file, entry.credit) for entry in self.facilities]
        named.append((self.outline.file, self.outline.credit))
        if self.control is not None:
            named.append((self.control.file, self.control.credit))
        if self.check is not None:
            named.append((self.check.file, self.check.credit))
        return named


class Reach(_Entry):
    """``[reach]``: how far people go to a facility. [m]."""

    radius_m: Annotated[float, Field(ge=1, le=50_000)] = 800.0


class Mesh(_Entry):
    """``[mesh]``: size of the mesh of JIS X 0410."""

    level: Literal["1km", "500m", "250m", "125m"] = "250m"


class Projecting(_Entry):
    """``[projection]``: the method, and the seed of the draws behind intervals.

    `futuremap backtest` says which method did best on the project's own past.
    """

    method: str = "damped"
    seed: Annotated[int, Field(ge=0)] = 1


class OwnCredit(_Entry):
    """``[credit.KEY]``: credit of a data set that is not in the register."""

    text_ja: str
    text_en: str = ""
    licence: str
    url: str = ""
    synthetic: bool = False


class Project(_Entry):
    """A whole project file."""

    project: Header
    municipality: Annotated[list[Municipality], Field(min_length=1)]
    reach: Reach = Reach()
    mesh: Mesh = Mesh()
    projection: Projecting = Projecting()
    credit: dict[str, OwnCredit] = {}
    _file: Path = PrivateAttr(default=Path("project.toml"))
    _lines: dict[KeyPath, int] = PrivateAttr(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where the project file stands."""
        return self._file

    def line(self, *path: str | int) -> int | None:
        """Line of a key in the project file, or of the nearest table around it."""
        return line_of(self._lines, path)

    def path(self, name: str) -> Path:
        """A file named in the project, relative to it."""
        return self._file.parent / name

    @property
    def years(self) -> tuple[int, int]:
        """Base year and last year."""
        return self.project.base_year, self.project.end_year

    @property
    def past_year(self) -> int:
        """The year before the base year from which rates are made."""
        return self.project.base_year - INTERVAL

    @property
    def steps(self) -> int:
        """Count of steps from the base year to the last."""
        return (self.project.end_year - self.project.base_year) // INTERVAL

    @property
    def projected_years(self) -> list[int]:
        """The base year and the end of every step."""
        return [self.project.base_year + INTERVAL * i for i in range(self.steps + 1)]

    def own_credits(self) -> dict[str, Credit]:
        """The credits that the project file itself gives."""
        return {
            key: Credit(key, entry.text_ja, entry.text_en or entry.text_ja, entry.licence,
                        entry.url, entry.synthetic)
            for key, entry in self.credit.items()
        }  # fmt: skip

    def known_credits(self) -> list[str]:
        """Keys that a ``credit = `` may name."""
        return sorted({*register(), *self.credit})

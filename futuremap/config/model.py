"""What a project.toml may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from futuremap.config.cartography import GroundFile, Level, Map, Output
from futuremap.config.entry import Entry, Slug, Year
from futuremap.config.indicators import Indicators
from futuremap.config.lines import Path as KeyPath
from futuremap.config.lines import line_of
from futuremap.config.official import (
    DwellingFile,
    MeshMarginsFile,
    OldestFile,
    ReconcileFile,
    RivalFile,
)
from futuremap.config.reach import (
    BusFile,
    DistrictsFile,
    PlannedEvent,
    Reach,
    RoadsFile,
    SurfaceFile,
)
from futuremap.config.scenario import BackcastEntry, OwnBundle, Scenario
from futuremap.core.credits import Credit, register
from futuremap.sources.mapped_layout import TableMapping

Code = Annotated[str, Field(pattern=r"^[0-9]{5}$")]
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
INTERVAL = 5  # years; the width of the age groups that are read


class Header(Entry):
    """``[project]``: name of the output folder, titles, first and last year."""

    name: Slug
    title: str
    title_en: str = ""
    base_year: Year
    end_year: Year


class BlocksFile(Entry):
    """``[municipality.blocks]``: areas or points of the town blocks.

    "estat_boundary" and "vector" are areas; "points" is a list with coordinates, "register" a
    register with its points, of which the nearest ground is taken. `key` is the column of the
    codes (of the names, in a list of points); `parent` that of municipality codes. Blocks are
    found by their code or by their name.
    """

    file: str
    format: Literal["estat_boundary", "vector", "points", "register"] = "vector"
    key: str = ""
    name: str = ""
    parent: str = ""
    layer: str = ""
    latitude: str = ""
    longitude: str = ""
    join: Literal["code", "name"] = "code"
    credit: str


class Mapping(Entry):
    """``[municipality.population.mapping]``: which column of a table is what.

    The keys are those of :class:`futuremap.sources.mapped_layout.TableMapping`; ages are added
    up to groups of five years unless it says otherwise.
    """

    zone_code: str = ""
    zone_name: str = ""
    date: str = ""
    year: Year | None = None
    sex: str = ""
    age: str = ""
    value: str = ""
    labels: dict[str, str] = {}
    header_rows: Annotated[int, Field(ge=1, le=20)] = 1
    header_line: Annotated[int, Field(ge=1)] | None = None
    sheet: str | None = None
    skip: list[str] = []
    carry_down: bool = False
    ages: Literal["as_found", "five_year"] = "five_year"
    dash_is_zero: bool = False
    whole: bool = True
    municipality: str = ""

    def table(self, year: int) -> TableMapping:
        """The mapping as its reader takes it; rows of `year` if no column says the year."""
        said = self.model_dump()
        said["labels"] = tuple(self.labels.items())
        said["skip"] = tuple(self.skip)
        said["year"] = self.year if self.date else year
        return TableMapping(**said)


class PopulationFile(Entry):
    """``[[municipality.population]]``: sex and age in one year.

    "register" is by town block; "census" is the municipality as one zone; "estat_small_area"
    is by town block of a census; "mapped" is any table, read by its `mapping`;
    "register_series" is one `month` of registers joined in one file. `names_from` is a register
    of another month with sound names; `blocks` the town blocks of this year if they are others
    than those of the base year.
    """

    year: Year
    file: str
    format: Literal["register", "census", "estat_small_area", "mapped", "register_series"] = (
        "register"
    )
    month: Month | None = None
    names_from: str | None = None
    mapping: Mapping | None = None
    blocks: BlocksFile | None = None
    credit: str


class AgesFile(Entry):
    """``[municipality.ages]``: municipal censuses whose ages the open group is split by.

    "census" goes to 90 and over; "mapped" is any table with older groups or single years, in
    which the municipality stands by its code or name.
    """

    file: str
    format: Literal["census", "mapped"] = "census"
    mapping: Mapping | None = None
    credit: str


class OutlineFile(Entry):
    """``[municipality.outline]``: the municipality's boundary."""

    file: str
    format: Literal["n03"] = "n03"
    credit: str


class PointCorrection(Entry):
    """``[[municipality.point_correction]]``: a published point that is wrong, with the reason."""

    zone: str
    lat: Annotated[float, Field(ge=20, le=46)]
    lon: Annotated[float, Field(ge=122, le=154)]
    reason: str


class ControlFile(Entry):
    """``[municipality.control]``: municipal totals that the projection must meet.

    "ksj_mesh" are the meshes of 国土数値情報 that carry the municipality's code, added up.
    """

    file: str
    format: Literal["municipal_csv", "ipss_workbook", "ksj_mesh"] = "municipal_csv"
    layer: str = ""
    basis: Literal["level", "growth"] = "level"
    credit: str


class CheckFile(Entry):
    """``[municipality.check]``: a later count, printed beside the projection of its year."""

    year: Year
    name: str
    file: str
    credit: str


FacilityColumn = Literal[
    "number", "name", "address", "latitude", "longitude", "opened", "kind", "floor_area",
    "capacity", "code",
]  # fmt: skip


class FacilityFile(Entry):
    """``[[municipality.facilities]]``: a list of facilities of one class.

    "list" and "public_facilities" are tables, "ksj" are points of 国土数値情報; of each only some
    `kinds` may be taken. The last two take a `mapping` of headings or columns; of "ksj", if so
    said, only those inside the outline are taken (for P04, which does not say the municipality).
    """

    facility_class: Slug = Field(alias="class")
    name: str
    file: str
    format: Literal["list", "public_facilities", "ksj"] = "list"
    mapping: dict[str, FacilityColumn] = {}
    kinds: list[str] = []
    inside_only: bool = False
    credit: str


class Housing(Entry):
    """``[[municipality.housing]]``: flats that will be built or cleared, as the town knows.

    The zone is a name or an id. Give dwellings (with the household size) or persons; a
    clearance is negative.
    """

    zone: str
    year: Year
    dwellings: float | None = None
    persons: float | None = None
    household_size: Annotated[float, Field(gt=0)] | None = None
    occupied_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    reason: str


class Municipality(Entry):
    """``[[municipality]]``: one town with its files."""

    code: Code
    name: str
    name_en: str = ""
    plane_zone: Annotated[int, Field(ge=1, le=19)]
    population: Annotated[list[PopulationFile], Field(min_length=1)]
    outline: OutlineFile
    blocks: BlocksFile | None = None
    ages: AgesFile | None = None
    oldest: OldestFile | None = None
    dwelling: DwellingFile | None = None
    mesh_margins: MeshMarginsFile | None = None
    reconcile: ReconcileFile | None = None
    point_correction: list[PointCorrection] = []
    control: ControlFile | None = None
    check: CheckFile | None = None
    rival: list[RivalFile] = []
    facilities: list[FacilityFile] = []
    housing: list[Housing] = []
    roads: RoadsFile | None = None
    bus: BusFile | None = None
    surface: SurfaceFile | None = None
    districts: list[DistrictsFile] = []
    event: list[PlannedEvent] = []
    ground: GroundFile | None = None

    def population_of(self, year: int) -> PopulationFile | None:
        """The population file of a year, if there is one."""
        return next((entry for entry in self.population if entry.year == year), None)

    def files(self) -> list[tuple[str, str]]:
        """Every file named, with its credit key."""
        named = [(entry.file, entry.credit) for entry in self.population]
        named += [(entry.file, entry.credit) for entry in self.facilities]
        named += [(e.names_from, e.credit) for e in self.population if e.names_from]
        for entry in (self.outline, self.blocks, self.ages, self.control, self.check,
                      self.roads, self.surface, *self.districts, self.oldest, self.dwelling,
                      self.reconcile, self.ground, *self.rival):  # fmt: skip
            if entry is not None:
                named.append((entry.file, entry.credit))
        if self.mesh_margins is not None:
            named += [(file, self.mesh_margins.credit) for file in self.mesh_margins.files]
        if self.bus is not None:
            named += [(file, self.bus.credit) for file in (self.bus.lines, self.bus.stops)]
        own = [entry.blocks for entry in self.population if entry.blocks is not None]
        return named + [(entry.file, entry.credit) for entry in own]


class Mesh(Entry):
    """``[mesh]``: size of the mesh of JIS X 0410."""

    level: Level = "250m"


class Projecting(Entry):
    """``[projection]``: the method, and the seed of the draws behind intervals.

    `futuremap backtest` says which method did best on the project's own past.
    """

    method: str = "damped"
    seed: Annotated[int, Field(ge=0)] = 1


class OwnCredit(Entry):
    """``[credit.KEY]``: credit of a data set that is not in the register."""

    text_ja: str
    text_en: str = ""
    licence: str
    url: str = ""
    synthetic: bool = False


class Project(Entry):
    """A whole project file."""

    project: Header
    municipality: Annotated[list[Municipality], Field(min_length=1)]
    reach: Reach = Reach()
    mesh: Mesh = Mesh()
    projection: Projecting = Projecting()
    output: Output = Output()
    map_: Map = Field(default=Map(), alias="map")
    indicators: Indicators = Indicators()
    credit: dict[str, OwnCredit] = {}
    bundle: dict[Slug, OwnBundle] = {}
    scenario: dict[Slug, Scenario] = {}
    backcast: dict[Slug, BackcastEntry] = {}
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

"""What a project.toml may say about reach: rules by class, roads, districts and dated events."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from futuremap.config.entry import Entry, Slug, Year

Rule = Literal[
    "radius",
    "centroid",
    "nearest",
    "k_nearest",
    "huff",
    "capacity",
    "districts",
    "walk",
    "car",
    "bus",
    "surface",
]
Metres = Annotated[float, Field(ge=1, le=200_000)]
Event = Literal["open", "rebuild", "renew", "merge", "close", "move"]


class Decay(Entry):
    """``decay = {form = "power", parameter = 2.0}``: how attraction falls with distance d [m].

    "power" d^−λ, "exponential" exp(−β d), "gaussian" exp(−d² / v); the parameter is λ, β or v.
    """

    form: Literal["power", "exponential", "gaussian"] = "power"
    parameter: Annotated[float, Field(gt=0)] = 2.0


class Accessibility(Entry):
    """``accessibility = {supply = "capacity"}``: supply per person (2SFCA, with rings E2SFCA).

    `supply` is what the facilities of the class share out; `unknown` stands for those whose
    capacity or floor area the list does not say. `limits` are the upper ends of rings [m, or
    minutes where the rule goes by time] and `weights` their weights; without rings the reach of
    the rule itself counts.
    """

    supply: Literal["capacity", "floor_area", "count"] = "capacity"
    unknown: Annotated[float, Field(ge=0)] | None = None
    limits: list[Annotated[float, Field(gt=0, le=200_000)]] = []
    weights: list[Annotated[float, Field(ge=0, le=1)]] = []


class ReachRule(Entry):
    """``[[reach.rule]]``: who counts at the facilities of one class, and how long they last.

    `preset` takes radius, life, unit costs and ages from the table of presets; what is said here
    goes before it. `life` chooses between the legal life of the preset (法定耐用年数) and the years
    until rebuilding to which its unit costs belong ("target"). Unit costs are in yen a square
    metre. Roads, districts and the surface are files of each municipality.
    """

    facility_class: Slug = Field(alias="class")
    rule: Rule = "radius"
    preset: str = ""
    radius_m: Metres | None = None
    minutes: Annotated[float, Field(gt=0, le=600)] | None = None
    speed_kmh: Annotated[float, Field(gt=0, le=200)] | None = None
    farthest_m: Metres | None = None
    k: Annotated[int, Field(ge=1, le=50)] | None = None
    attraction: Literal["equal", "capacity", "floor_area"] | None = None
    decay: Decay | None = None
    age_from: Annotated[int, Field(ge=0, le=120)] | None = None
    age_to: Annotated[int, Field(ge=0, le=120)] | None = None
    life: Literal["legal", "target"] = "legal"
    life_years: Annotated[int, Field(ge=1, le=200)] | None = None
    extension_years: Annotated[int, Field(ge=0, le=200)] | None = None
    rebuild_cost: Annotated[float, Field(ge=0, le=1e8)] | None = None
    repair_cost: Annotated[float, Field(ge=0, le=1e8)] | None = None
    accessibility: Accessibility | None = None


class Reach(Entry):
    """``[reach]``: how far people go to a facility, where no rule says otherwise. [m]."""

    radius_m: Annotated[float, Field(ge=1, le=50_000)] = 800.0
    rule: list[ReachRule] = []

    def rule_of(self, facility_class: str) -> ReachRule:
        """The rule of a class; a radius where the file has none for it."""
        own = (rule for rule in self.rule if rule.facility_class == facility_class)
        plain = {"class": facility_class, "radius_m": self.radius_m}
        return next(own, ReachRule.model_validate(plain))


class RoadsFile(Entry):
    """``[municipality.roads]``: the graph on which people walk or drive.

    GraphML, OSM PBF, or lines; of lines, columns may say their kind, one-way roads and limits.
    """

    file: str
    kind: str = ""
    oneway: str = ""
    maxspeed: str = ""
    layer: str = ""
    credit: str


class BusFile(Entry):
    """``[municipality.bus]``: bus lines and stops over the roads, and how buses run.

    `lines` are those of 国土数値情報 (N07) or any other layer; `stops` points of 国土数値情報 (P11)
    or of any other, or a list with coordinates such as stops.txt of GTFS-JP. `speed_kmh` is that
    from stop to stop with its halts (表定速度), `wait_minutes` the wait at each boarding: nothing
    is assumed.
    """

    lines: str
    stops: str
    speed_kmh: Annotated[float, Field(gt=0, le=200)]
    wait_minutes: Annotated[float, Field(ge=0, le=240)]
    lines_layer: str = ""
    stops_layer: str = ""
    credit: str


class SurfaceFile(Entry):
    """``[municipality.surface]``: a raster of the seconds that a metre takes."""

    file: str
    credit: str


class DistrictsFile(Entry):
    """``[[municipality.districts]]``: the districts of the facilities of one class.

    A facility serves the district that has its name, or in which it stands. Files of known
    layouts need no `key` and `name`.
    """

    facility_class: Slug = Field(alias="class")
    file: str
    key: str = ""
    name: str = ""
    by: Literal["name", "inside"] = "inside"
    credit: str


class PlannedEvent(Entry):
    """``[[municipality.event]]``: what will happen to a facility, by its name or id."""

    facility: str
    year: Year
    event: Event
    into: str = ""
    latitude: Annotated[float, Field(ge=20, le=46)] | None = None
    longitude: Annotated[float, Field(ge=122, le=154)] | None = None
    floor_area: Annotated[float, Field(gt=0)] | None = None
    capacity: Annotated[float, Field(gt=0)] | None = None

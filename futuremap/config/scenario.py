"""What a project.toml may say about scenarios: differences from the baseline, and only those."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from futuremap.config.entry import Entry, Slug, Year
from futuremap.config.reach import PlannedEvent, ReachRule

# what a target may be about: people of a place, or people in reach of a facility
AGED = ("0_14", "15_64", "65_over", "75_over")
OF_PEOPLE = (
    "population", *(f"population_{name}" for name in AGED), "children_6_11", "children_12_14",
    "ageing_rate", "coverage_rate",
)  # fmt: skip
OF_REACH = (
    "people_in_reach", "people_in_reach_0_14", "people_in_reach_65_over",
    "people_in_reach_6_11", "people_in_reach_12_14",
)  # fmt: skip
INDICATORS = (*OF_PEOPLE, *OF_REACH)
SENSES = ("at_least", "at_most", "keep")
Age = Annotated[int, Field(ge=0, le=120)]
Share = Annotated[float, Field(ge=0, le=1)]
Latitude = Annotated[float, Field(ge=20, le=46)]
Longitude = Annotated[float, Field(ge=122, le=154)]
Place = Annotated[tuple[Latitude, Longitude], Field(strict=False)]  # TOML has no tuples


class Member(Entry):
    """``members = [{ sex = "female", age_from = 30, age_to = 39, persons = 1 }]``."""

    sex: Literal["male", "female", "both"] = "both"
    age_from: Age
    age_to: Age
    persons: Annotated[float, Field(gt=0, le=20)] = 1.0


class OwnBundle(Entry):
    """``[bundle.KEY]``: a household that may come, by sex and age of its members."""

    name: str
    name_en: str = ""
    members: Annotated[list[Member], Field(min_length=1)]


class When(Entry):
    """From which year to which a difference holds, and in how many years it then fades.

    Without `from_year` it begins in the year after the base year, without `to_year` it lasts.
    """

    from_year: Year | None = None
    to_year: Year | None = None
    taper_years: Annotated[int, Field(ge=0, le=100)] = 0


class Where(When):
    """Which areas: blocks, a municipality, or all within reach of a facility; else everywhere."""

    municipality: str = ""
    zone: str = ""
    zones: list[str] = []
    facility: str = ""


class PeopleWhoCome(Where):
    """``[[scenario.NAME.people]]``: households that come every year, beyond the baseline's."""

    bundle: str
    per_year: Annotated[float, Field(gt=0, le=100_000)]


class FertilityChange(Where):
    """``[[scenario.NAME.fertility]]``: births per woman, as a factor or as two total rates."""

    factor: Annotated[float, Field(gt=0, le=10)] | None = None
    tfr_now: Annotated[float, Field(gt=0, le=10)] | None = None
    tfr_goal: Annotated[float, Field(gt=0, le=10)] | None = None


class SurvivalChange(Where):
    """``[[scenario.NAME.survival]]``: deaths, as a factor, at some ages."""

    death_factor: Annotated[float, Field(ge=0, le=5)]
    age_from: Age = 0
    age_to: Age | None = None


class MigrationChange(Where):
    """``[[scenario.NAME.migration]]``: net migration at some ages (at the end of a step).

    `net_loss_factor` = 0.5 halves what ages lose on balance; `net_rate` is added to the net
    migration of a step. [per person in five years]
    """

    net_loss_factor: Annotated[float, Field(ge=0, le=5)] | None = None
    net_rate: Annotated[float, Field(ge=-0.9, le=5)] | None = None
    age_from: Age = 0
    age_to: Age | None = None


class HousingChange(Entry):
    """``[[scenario.NAME.housing]]``: an estate built, or (with dwellings < 0) cleared.

    `mix` is the share of each bundle among the households that move in; without it people are
    like the municipality's in-movers, `household_size` to a dwelling.
    """

    zone: str
    municipality: str = ""
    year: Year
    dwellings: float
    household_size: Annotated[float, Field(gt=0, le=20)] | None = None
    occupied_share: Share = 1.0
    mix: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}


class RateChange(Where):
    """``[[scenario.NAME.rate]]``: how much people of some ages use a service, as a factor.

    `indicator` is a field of the catalogue of indicators, or its Japanese name. The factor holds
    in full from `full_from` on, and grows towards it in a line from `from_year`.
    """

    indicator: str
    factor: Annotated[float, Field(ge=0, le=10)]
    sex: Literal["male", "female", "both"] = "both"
    age_from: Age = 0
    age_to: Age | None = None
    full_from: Year | None = None


class FacilityEvent(PlannedEvent):
    """``[[scenario.NAME.event]]``: a facility opens, closes, merges, moves, is rebuilt."""

    municipality: str = ""


class NewFacility(Entry):
    """``[[scenario.NAME.facility]]``: a facility that is not in any list yet."""

    facility_class: Slug = Field(alias="class")
    name: str
    year: Year
    latitude: Latitude
    longitude: Longitude
    municipality: str = ""
    floor_area: Annotated[float, Field(gt=0)] | None = None
    capacity: Annotated[float, Field(gt=0)] | None = None


class ReachChange(ReachRule):
    """``[[scenario.NAME.reach]]``: another rule for a class, from a year on."""

    from_year: Year | None = None


class NewBus(Entry):
    """``[[scenario.NAME.bus]]``: a bus line that does not run yet, by its stops in their order.

    `stops` are pairs of latitude and longitude; from one to the next the bus takes the shortest
    way along the roads of the municipality, and back unless it runs `one_way`. `speed_kmh` is
    that from stop to stop with its halts (表定速度), `wait_minutes` the wait at each boarding.
    """

    name: str = ""
    municipality: str = ""
    stops: Annotated[list[Place], Field(min_length=2, max_length=500)]
    speed_kmh: Annotated[float, Field(gt=0, le=200)]
    wait_minutes: Annotated[float, Field(ge=0, le=240)]
    one_way: bool = False
    from_year: Year | None = None


class Scenario(Entry):
    """``[scenario.NAME]``: what is different from the baseline.

    `reach` are rules in place of those of their classes; `bus` are lines that run besides those
    of the municipality, and change the reach of the classes to which people go by bus.
    """

    name: str
    name_en: str = ""
    description: str = ""
    description_en: str = ""
    people: list[PeopleWhoCome] = []
    fertility: list[FertilityChange] = []
    survival: list[SurvivalChange] = []
    migration: list[MigrationChange] = []
    housing: list[HousingChange] = []
    event: list[FacilityEvent] = []
    facility: list[NewFacility] = []
    reach: list[ReachChange] = []
    bus: list[NewBus] = []
    rate: list[RateChange] = []

    @property
    def changes_people(self) -> bool:
        """Whether anybody comes, goes, is born or dies otherwise than in the baseline."""
        return any((self.people, self.fertility, self.survival, self.migration, self.housing))

    @property
    def changes_facilities(self) -> bool:
        """Whether a facility or a rule of reach is another one."""
        return any((self.event, self.facility, self.reach, self.bus))

    @property
    def changes_rates(self) -> bool:
        """Whether people use services otherwise than in the baseline."""
        return bool(self.rate)


class TargetEntry(Entry):
    """``[[backcast.NAME.target]]``: what shall be true of an indicator in a year.

    Exactly one of `at_least`, `at_most` and `keep` is said; `keep` is a share of the base
    year's value. A place is a zone, a facility or a municipality; without one, all together.
    """

    indicator: str
    year: Year
    municipality: str = ""
    zone: str = ""
    facility: str = ""
    at_least: float | None = None
    at_most: float | None = None
    keep: Annotated[float, Field(gt=0, le=10)] | None = None


class LeverEntry(Where):
    """``[[backcast.NAME.lever]]``: what can be done, within bounds, and what a unit costs.

    `bundle` households come every year; `fertility` is a factor on births, `net_loss` a factor
    on what ages lose by migration, `radius_m` a radius of reach and `facilities` a count to keep
    of one `class`.
    """

    bundle: str = ""
    lever: Literal["people", "fertility", "net_loss", "radius_m", "facilities"] = "people"
    facility_class: str = Field(alias="class", default="")
    minimum: float = Field(alias="min", default=0.0)
    maximum: float | None = Field(alias="max", default=None)
    cost: Annotated[float, Field(gt=0)] = 1.0
    whole: bool = False
    by_step: bool = False
    by_zone: bool = False
    age_from: Age = 0
    age_to: Age | None = None


class BackcastEntry(Entry):
    """``[backcast.NAME]``: a future that is wanted, and what may be done for it."""

    name: str
    name_en: str = ""
    target: Annotated[list[TargetEntry], Field(min_length=1)]
    lever: Annotated[list[LeverEntry], Field(min_length=1)]

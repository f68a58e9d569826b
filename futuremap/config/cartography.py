"""What a project.toml may say about maps: language, height, colour, classes, further themes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from futuremap.config.entry import Entry, Slug

Level = Literal["1km", "500m", "250m", "125m"]
Language = Literal["ja", "en"]
ZonesOfMap = Literal["town_blocks", "mesh", "facilities"]


class Output(Entry):
    """``[output]``: language of the maps that planners open; Japanese if nothing is said."""

    language: Language = "ja"


class LookSetting(Entry):
    """``[map.town_blocks]``, ``[map.mesh]``, ``[map.facilities]``: what height and colour say.

    Empty keys leave the usual: density and ageing rate of areas, people in reach and years in
    service of facilities. "fixed" classes need `limits`, unless the colour has usual ones;
    without `classes` a colour that has none is parted by natural breaks.
    """

    height: str = ""
    colour: str = ""
    classes: Literal["fixed", "quantile", "natural", "equal"] | None = None
    limits: list[float] = []
    count: Annotated[int, Field(ge=2, le=9)] = 5
    palette: Literal["viridis", "cividis", "seed"] | None = None


class FurtherTheme(LookSetting):
    """``[[map.theme]]``: one more map of the same zones, with another height or colour."""

    name: Slug
    zones: ZonesOfMap
    title: str = ""
    title_en: str = ""


class Map(Entry):
    """``[map]``: what is drawn beside the usual, and how.

    `meshes` are further, larger meshes; `facilities_by_class` gives each class of facilities a
    map of its own; `fade_by_interval` pales what is uncertain; `labels` are names of places;
    `motion` are a slider of years and a tour for Google Earth Pro.
    """

    meshes: list[Level] = []
    facilities_by_class: bool = False
    fade_by_interval: bool = False
    labels: bool = True
    motion: bool = True
    town_blocks: LookSetting = LookSetting()
    mesh: LookSetting = LookSetting()
    facilities: LookSetting = LookSetting()
    theme: list[FurtherTheme] = []


class GroundFile(Entry):
    """``[municipality.ground]``: a raster of the ground's altitude, for level roofs."""

    file: str
    credit: str

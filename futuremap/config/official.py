"""What a project.toml may say about where people stand, meshes, the census's level and rivals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from futuremap.config.entry import Entry, Year

ClassCode = Annotated[str, Field(pattern=r"^-?[0-9]{1,9}$")]
Weight = Annotated[float, Field(ge=0, le=1e9)]


class DwellingFile(Entry):
    """``[municipality.dwelling]``: how the people of a town block are shared over its meshes.

    "raster" is a GeoTIFF of people, buildings or, with `classes` such as ``{7 = 1.0}``, of land
    use. "points" and "buildings" are a table with coordinates or any vector file; `weight` is a
    column, without which points count alike and buildings by their ground.
    """

    file: str
    format: Literal["raster", "points", "buildings"]
    band: Annotated[int, Field(ge=1)] = 1
    classes: dict[ClassCode, Weight] = {}
    weight: str = ""
    layer: str = ""
    latitude: str = ""
    longitude: str = ""
    credit: str

    def weights(self) -> dict[int, float] | None:
        """Weight of each class of land use; None where the raster holds weights itself."""
        return {int(code): weight for code, weight in self.classes.items()} or None


class MeshMarginsFile(Entry):
    """``[municipality.mesh_margins]``: 地域メッシュ統計 by first mesh or prefecture."""

    files: Annotated[list[str], Field(min_length=1)]
    format: Literal["estat_mesh"] = "estat_mesh"
    year: Year
    credit: str


class ReconcileFile(Entry):
    """``[municipality.reconcile]``: a census to whose level the registers are brought.

    Factors are those of the register nearest to the census of `year`, by sex and age or of all
    people, and are applied to the registers of all years.
    """

    file: str
    format: Literal["census"] = "census"
    year: Year
    rule: Literal["sex_age", "total"] = "sex_age"
    credit: str


class RivalFile(Entry):
    """``[[municipality.rival]]``: another projection, printed beside ours in all its years."""

    name: str
    file: str
    format: Literal["ksj_mesh", "ipss_workbook", "municipal_csv"]
    layer: str = ""
    credit: str


class OldestFile(Entry):
    """``[municipality.oldest]``: a life table by whose person-years the open group is split."""

    file: str
    format: Literal["life_table"] = "life_table"
    credit: str

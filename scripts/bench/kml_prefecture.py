"""A made-up prefecture on the 250 m mesh and its larger meshes: for the bench and for the tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from futuremap.base.coarser import in_larger_cells
from futuremap.core import mesh
from futuremap.core.ages import AgeGroups
from futuremap.core.credits import Credit
from futuremap.core.crosswalk import gather
from futuremap.core.layer import Layer, Text, View
from futuremap.core.population import Flag, Population
from futuremap.core.zones import Zones
from futuremap.export.details import brief
from futuremap.export.themes import Place, area_layers
from futuremap.indicators.people import age_structure, density

YEARS = (2020, 2050)
LARGER = ("500m", "1km", "10km")
CORNER = (34.0, 132.0)  # of a tile of 10 km, south and west
CREDIT = Credit("test", "試験", "test", "CC0", "", synthetic=True)
NAME = {"250m": "mesh250", "500m": "mesh500", "1km": "mesh1000", "10km": "mesh10000"}


def prefecture(high: int, wide: int, *, empty: float = 0.0) -> list[tuple[Layer, ...]]:
    """Now, future and change on every mesh, of tiles of 10 km that hold 1,600 cells each.

    Parameters
    ----------
    high, wide
        Count of tiles from south to north and from west to east.
    empty
        Share of the cells in which nobody lives.
    """
    south, west = CORNER
    size = mesh.Level.KM10.size
    edge = 1e-7  # what touches the edge only is another tile
    codes = np.sort(
        mesh.cover(
            south=south + edge, west=west + edge, north=south + high * size.lat - edge,
            east=west + wide * size.lon - edge, level="250m",
        )
    )  # fmt: skip
    box = mesh.bounds(codes)
    ids = codes.tolist()
    zones = Zones.build(
        ids, shapely.box(box.west, box.south, box.east, box.north, ccw=True), names=ids,
        parents=["34000"] * len(ids), kind="mesh", plane_zone=3,
    )  # fmt: skip
    found = [(zones, people_of(ids, empty=empty))]
    for level in LARGER:
        larger = in_larger_cells(found[0][0], level)
        found.append((larger.zones, gather(found[0][1], larger.crosswalk)))
    return layers_of(found)


def people_of(ids: list[str], *, empty: float = 0.0) -> Population:
    """People by age in two years: some hundred in few cells, few in most."""
    rng = np.random.default_rng(11)
    persons = rng.gamma(0.3, 20.0, (1, len(ids), 2, 4))
    persons[:, rng.random(len(ids)) < empty] = 0.0
    later = persons * rng.uniform(0.3, 1.2, (1, len(ids), 1, 1))
    return Population.build(
        np.concatenate([persons, later]), years=YEARS, zones=ids, ages=AgeGroups((0, 15, 65, 75)),
        flag=np.full((2, len(ids)), Flag.SYNTHETIC, dtype=np.uint8),
    )  # fmt: skip


def layers_of(meshes: list[tuple[Zones, Population]]) -> list[tuple[Layer, ...]]:
    """The themes of all meshes with the height scale of the first one, the finest."""
    view = View(132.6, 34.35, 20_000.0)
    themes = []
    for zones, people in meshes:
        level = mesh.level_of(people.zones[0])
        place = Place(Text("試験県", "Test"), YEARS, (CREDIT,), view)
        table = age_structure(people).join(density(people, zones.areas()))
        themes.append(
            area_layers(
                [zones], table, theme=NAME[str(level)],
                title=Text(f"{level}メッシュ", f"{level} mesh"), place=place,
            )
        )  # fmt: skip
    scale = themes[0][0].metres_per_unit
    return [brief([replace(layer, metres_per_unit=scale) for layer in theme]) for theme in themes]

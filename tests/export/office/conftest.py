"""A small run on paper: everything that the desk formats say, without a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

from futuremap.core.ages import AgeGroups
from futuremap.core.layer import Layer, Text
from futuremap.core.mesh import bounds
from futuremap.core.population import Population
from futuremap.core.table import Table
from futuremap.export.brief import Brief, Fact, PastError
from futuremap.problems import Problem

YEARS = (2020, 2050)
CELLS = [f"{code[:8]}{quarter}" for code in ("51340430", "51340431") for quarter in (1, 2, 3)]
MakeBrief = Callable[..., Brief]


def cells() -> list[shapely.Geometry]:
    """Shapes of six 500 m cells."""
    sides = bounds(CELLS)
    return list(shapely.box(sides.west, sides.south, sides.east, sides.north))


@pytest.fixture
def mesh_states(make_states: Callable[..., list[Layer]]) -> Callable[..., tuple[Layer, ...]]:
    """Now, future and change on six mesh cells."""

    def build(**changes: Any) -> tuple[Layer, ...]:
        made = make_states(shapes=cells(), ids=CELLS, **changes)
        return tuple(replace(layer, kind="mesh", theme="mesh500") for layer in made)

    return build


@pytest.fixture
def make_brief(
    make_states: Callable[..., list[Layer]],
    mesh_states: Callable[..., tuple[Layer, ...]],
) -> MakeBrief:
    """Builder of a brief of one town, its town blocks and meshes; any part can be replaced."""

    def build(*, names: list[str] | None = None, synthetic: bool = False, **changes: Any) -> Brief:
        blocks = tuple(make_states(names=names, synthetic=synthetic))
        people = np.array([[1000.0], [800.0]])
        old = np.array([[300.0], [320.0]])
        municipal = Table.build(
            {
                "population": people,
                "population_0_14": people * 0.1,
                "population_15_64": people * 0.9 - old,
                "population_65_over": old,
                "ageing_rate": old / people,
                "population_change": people - people[0],
                "change_rate": (people - people[0]) / people[0],
            },
            years=YEARS,
            zones=["37201"],
            intervals={
                "population": (np.array([[np.nan], [700.0]]), np.array([[np.nan], [950.0]]))
            },
        )
        cohorts = np.array([[[100.0, 250.0, 130.0], [100.0, 250.0, 170.0]]])
        population = Population.build(
            np.stack([cohorts, cohorts * 0.8]),
            years=YEARS,
            zones=["37201"],
            ages=AgeGroups((0, 15, 65)),
        )
        parts: dict[str, Any] = {
            "title": Text("架空町の現況と将来", "Sample Town"),
            "summary": Text("2020年の現況と2050年の推計です。", "Now and a projection."),
            "years": YEARS,
            "municipal": municipal,
            "names": {"37201": Text("架空町", "Sample Town")},
            "people": population,
            "themes": [blocks, mesh_states(synthetic=synthetic)],
            "method": [Text("コーホート変化率による。", "Cohort-change ratios.")],
            "checks": [],
            "settings": [Fact(Text("基準年", "base year"), 2020.0)],
            "inputs": [Fact(Text("register.csv", "register.csv"), "架空町「人口」", "CC BY 4.0")],
            "measures": [Fact(Text("総数とのずれ", "residual"), 1e-12, "架空町")],
            "controls": Table.build(
                {"control_factor": np.array([[1.0], [1.01]])}, years=YEARS, zones=["37201"]
            ),
            "errors": [PastError(30, 0.0, -0.4, 0.9, 12), PastError(30, 1000.0, -0.1, 0.1, 0)],
            "warnings": [Problem("FM612", file="a.csv", line=4, column="latitude")],
            "credits": blocks[0].credits,
        }
        return Brief(**parts | changes)

    return build

"""What renewing a run's facilities costs, where floor areas and a class's unit costs are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.catchment.life_cycle import renewal_costs
from futuremap.config.presets import known_presets
from futuremap.core.table import Table, stack
from futuremap.pipeline.by_block import Outcomes
from futuremap.pipeline.prepare import Prepared
from futuremap.pipeline.read_reach import rule_of


def renewals(prepared: Prepared, outcomes: Sequence[Outcomes]) -> Table | None:
    """Costs of rebuilding and large repairs by facility and year; None where none can be told.

    Parameters
    ----------
    prepared
        Checked input. Unit costs and the years that they belong to are those of the preset of a
        class: the one that its rule names, or the one called like it; a rule's own life goes first.
    outcomes
        What came out by municipality.
    """
    tables = []
    for one in outcomes:
        facilities = one.town.facilities
        if facilities is None or "floor_area" not in facilities.table:
            continue
        lives: dict[str, float] = {}
        rebuild: dict[str, float] = {}
        repair: dict[str, float] = {}
        for name in one.town.class_names:
            rule = rule_of(prepared.project, name)
            preset = known_presets().get(rule.preset or name)
            own = prepared.project.reach.rule_of(name).life_years
            life = own or (preset.target_years if preset is not None else None)
            if preset is None or life is None:
                continue
            lives[name] = float(life)
            if preset.rebuild_cost is not None and preset.repair_cost is not None:
                rebuild[name], repair[name] = preset.rebuild_cost, preset.repair_cost
        if rebuild:
            years = list(one.people.years)
            tables.append(
                renewal_costs(
                    facilities, years, life_years=lives, rebuild_cost=rebuild, repair_cost=repair
                )
            )
    known = [table for table in tables if not np.isnan(table.data["value"].values).all()]
    return stack(known) if known else None

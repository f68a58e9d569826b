"""Towns side by side: one chart of their numbers, and the way from one to the other in Earth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from futuremap.core.credits import Credit
from futuremap.core.fields import Field, field
from futuremap.core.layer import Text, view_of
from futuremap.export.chart import Panel, Series, line_chart
from futuremap.export.kml.towns import Stop
from futuremap.export.kml.words import year_of
from futuremap.pipeline.run import Outcome, TownOutcome

CHARTED = ("population", "ageing_rate", "people_covered")
BALLOON = (*CHARTED[:2], "population_65_over", "people_covered", "coverage_rate")


def chart(outcome: Outcome, credits: Sequence[Credit]) -> str:  # noqa: A002 - the noun
    """People, their ageing and those within reach, a line a municipality, as SVG.

    Parameters
    ----------
    outcome
        The run.
    credits
        Credits of its data.
    """
    table = outcome.municipal
    header = outcome.prepared.project.project
    panels = []
    for name in CHARTED:
        shown = field(name)
        values = shown.export(table.frame(name).to_numpy())
        if np.isnan(values).all():
            continue
        series = tuple(
            Series(town.town.name, values[:, table.zones.index(town.town.code)])
            for town in outcome.towns
        )
        panels.append(Panel(Text(shown.name_ja, shown.name_en), shown.unit_ja, series))
    return line_chart(
        panels,
        years=table.years,
        title=Text(header.title, header.title_en or header.title),
        notes=(),
        credits=credits,
        base_year=header.base_year,
        synthetic=any(credit.synthetic for credit in credits),
    )


def stops(outcome: Outcome, *, lang: str = "ja") -> list[Stop]:
    """The municipalities in the order of the project, with their numbers now and then.

    Parameters
    ----------
    outcome
        The run.
    lang
        "ja" or "en".
    """
    return [
        Stop(
            town.town.name,
            view_of(town.town.blocks.geometry, town.people.totals()[0]),
            town.town.outline.geometry[0],
            _rows(outcome, town, lang),
        )
        for town in outcome.towns
    ]


def _rows(outcome: Outcome, town: TownOutcome, lang: str) -> list[tuple[str, str, str]]:
    table = outcome.municipal
    base, end = table.years[0], table.years[-1]
    place = table.zones.index(town.town.code)
    rows = [("", year_of(base, lang), year_of(end, lang))]
    for name in BALLOON:
        shown = field(name)
        now, future = (float(shown.export(table.column(name, year))[place]) for year in (base, end))
        if not np.isnan(now):
            rows.append((shown.label(lang), _figure(shown, now), _figure(shown, future)))
    return rows


def _figure(shown: Field, value: float) -> str:
    # parts of persons say nothing of a whole town
    decimals = 0 if shown.unit == "persons" else shown.decimals
    return f"{value:,.{decimals}f}"

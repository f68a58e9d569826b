"""What a run says on a desk: its Brief, for the workbook and the printed report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from futuremap.core.credits import credits_of
from futuremap.core.crosswalk import gather, to_parents
from futuremap.core.layer import Text
from futuremap.core.table import stack
from futuremap.export.brief import Brief, Fact, PastError, Said
from futuremap.pipeline.draw import Theme, credits_for
from futuremap.pipeline.run import Outcome, TownOutcome
from futuremap.pipeline.uncertainty import errors
from futuremap.pipeline.welcome import method_of, summary_of

RESIDUAL = Text("総数とのずれ（最大）", "largest distance from the control total")
RATIO = Text("基準年の人口 ÷ 公表された総数", "base population / published total")
SETTINGS = {
    "project.base_year": Text("基準年", "base year"),
    "project.end_year": Text("最後の年", "last year"),
    "projection.method": Text("推計の方法", "method"),
    "projection.seed": Text("乱数の種", "seed of the draws"),
    "reach.radius_m": Text("利用圏の半径（m）", "radius of the reach (m)"),
    "mesh.level": Text("メッシュの大きさ", "mesh"),
}


def brief_of(outcome: Outcome, themes: Sequence[Theme]) -> Brief:
    """Everything that the desk formats say of a run.

    Parameters
    ----------
    outcome
        A finished run.
    themes
        What is drawn of it.
    """
    project = outcome.prepared.project
    header = project.project
    access = [town.reach.access for town in outcome.towns if town.reach is not None]
    blocks = outcome.projection.population
    said = _said(outcome)
    parents = [town.town.code for town in outcome.towns for _ in town.town.base.zones]
    return Brief(
        title=Text(header.title, header.title_en or header.title),
        summary=summary_of(outcome),
        years=project.years,
        municipal=outcome.municipal,
        names={town.town.code: town.town.name for town in outcome.towns},
        people=gather(blocks, to_parents(blocks.zones, parents)),
        themes=themes,
        method=said.method,
        checks=said.checks,
        settings=_settings(outcome),
        inputs=_inputs(outcome),
        measures=said.measures,
        controls=outcome.projection.controls,
        errors=past_errors(),
        warnings=outcome.prepared.report.warnings,
        credits=said.credits,
        access=stack(access) if access else None,
        access_names=_access_names(outcome.towns),
    )


def reports_of(brief: Brief, outcome: Outcome) -> list[tuple[str, Brief]]:
    """What is printed: a report a town with areas of its own, one of all towns that have none.

    Parameters
    ----------
    brief
        What the run says.
    outcome
        The run.

    Returns
    -------
    list of (str, Brief)
        What is put behind the file's name, empty where there is one report; and its contents.
    """
    whole = [town.town for town in outcome.towns if town.town.is_whole]
    apart = [town.town for town in outcome.towns if not town.town.is_whole]
    groups = ([("", whole)] if whole else []) + [(f"_{town.code}", [town]) for town in apart]
    if len(groups) == 1:
        return [("", brief)]
    parts = []
    for tail, towns in groups:
        codes = [town.code for town in towns]
        themes = [theme for theme in brief.themes if _is_of(theme, codes, alone=bool(tail))]
        title = (
            brief.title
            if not tail
            else Text(
                f"{brief.title.ja}：{towns[0].name.ja}", f"{brief.title.en}: {towns[0].name.en}"
            )
        )
        told = _said(
            outcome._replace(towns=tuple(t for t in outcome.towns if t.town.code in codes))
        )
        parts.append((tail, brief.of(codes, title=title, themes=themes, said=told)))
    return parts


def _is_of(theme: Theme, codes: Sequence[str], *, alone: bool) -> bool:
    # themes of a single town carry its code, that of all whole towns none
    if theme[0].kind == "municipality":
        return not alone
    return any(theme[0].theme.endswith(f"_{code}") for code in codes)


def past_errors() -> list[PastError]:
    """Errors of past projections, from which the intervals are made."""
    table = errors()
    return [
        PastError(int(years), size, float(table.low[h, s]), float(table.high[h, s]),
                  int(table.counts[h, s]))
        for h, years in enumerate(table.years)
        for s, size in enumerate(table.sizes)
    ]  # fmt: skip


def _access_names(towns: Sequence[TownOutcome]) -> dict[str, str]:
    return {
        f"{town.town.code}/{name}": f"{town.town.name.ja} {ja}"
        for town in towns
        for name, ja in town.town.class_names.items()
    }


def _said(outcome: Outcome) -> Said:
    """What is said in words of the towns that a run holds."""
    codes = [town.town.code for town in outcome.towns]
    checks = [outcome.checks[code] for code in codes if code in outcome.checks]
    checks += [one for code in codes for one in outcome.rivals.get(code, ())]
    return Said(
        method_of(outcome),
        [check.text for check in checks],
        _measures(outcome),
        credits_for(outcome, codes),
    )


def _measures(outcome: Outcome) -> list[Fact]:
    names = {town.town.code: town.town.name.ja for town in outcome.towns}
    found = [
        Fact(words, value, names[code])
        for words, values in (
            (RESIDUAL, outcome.control_residuals),
            (RATIO, outcome.register_ratio),
        )
        for code, value in values.items()
        if code in names
    ]
    return [fact for fact in found if fact.value == fact.value]


def _inputs(outcome: Outcome) -> list[Fact]:
    own = outcome.prepared.project.own_credits()
    base = outcome.prepared.project.file.parent.resolve()
    facts = []
    for path, key in outcome.prepared.inputs:
        credit = credits_of([key], own)[0]
        name = PurePath(os.path.relpath(path.resolve(), base)).as_posix()
        facts.append(Fact(Text(name, name), credit.text_ja, credit.licence))
    return sorted(facts)


def _settings(outcome: Outcome) -> list[Fact]:
    given = outcome.prepared.project.model_dump(mode="json", by_alias=True)
    flat = dict(_flattened(given))
    named = [Fact(words, flat.pop(key)) for key, words in SETTINGS.items() if key in flat]
    return named + [Fact(Text(key, key), value) for key, value in flat.items()]


def _flattened(value: object, path: str = "") -> Iterator[tuple[str, str | float]]:
    """Every single setting with its path; what is not given is left out."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _flattened(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for i, entry in enumerate(value):
            yield from _flattened(entry, f"{path}[{i}]")
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    elif isinstance(value, int | float):
        yield path, float(value)
    elif value not in (None, ""):
        yield path, str(value)

"""All outputs of a run, written beside the earlier set and published at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from futuremap.core.credits import Credit, credits_of
from futuremap.core.population import Population
from futuremap.core.rounding import round_persons
from futuremap.core.table import stack
from futuremap.export.geopackage import BASELINE
from futuremap.export.kml.lint_process import LintProcess
from futuremap.export.manifest import Input, RunRecord, write_manifest
from futuremap.export.page import write_page
from futuremap.export.publish import publishing
from futuremap.export.tabular import write_frame, write_population, write_table
from futuremap.pipeline.compare import chart
from futuremap.pipeline.deliver_earth import deliver_earth
from futuremap.pipeline.deliver_indicators import credits_of_indicators
from futuremap.pipeline.deliver_indicators import write_all as write_indicators
from futuremap.pipeline.deliver_office import deliver_office
from futuremap.pipeline.deliver_qgis import write_qgis
from futuremap.pipeline.deliver_reach import write_reach
from futuremap.pipeline.draw import Theme, credits_for, draw
from futuremap.pipeline.prepare import Prepared, Progress, silent
from futuremap.pipeline.run import Outcome
from futuremap.pipeline.welcome import page

CHART = "comparison.svg"


def deliver(outcome: Outcome, out: Path, *, progress: Progress = silent) -> Path:
    """Write everything a run gives and publish it as one set.

    Parameters
    ----------
    outcome
        A finished run.
    out
        Folder of outputs; the project gets a folder of its own name in it.
    progress
        Is told what is being written.

    Returns
    -------
    Path
        The published folder.

    Raises
    ------
    ExportError
        If anything cannot be written or fails its check; the earlier set stays whole.
    LockedError
        If another run is writing to the same folder.
    """
    header = outcome.prepared.project.project
    with publishing(out / header.name) as folder:
        themes = draw(outcome)
        with LintProcess() as linter:
            deliver_earth(
                outcome,
                themes,
                folder,
                credits=_credits(outcome),
                progress=progress,
                linter=linter,
            )
            _write_others(outcome, themes, folder, progress=progress)
        layers = [layer for theme in themes for layer in theme]
        write_page(folder, page(outcome, folder, layers=layers, credits=_all_credits(outcome)))
        write_manifest(folder, _record(outcome))  # with what was warned of while writing
    return out / header.name


def _write_others(
    outcome: Outcome,
    themes: list[Theme],
    folder: Path,
    *,
    progress: Progress,
) -> None:
    """All but what Google Earth opens, and the page and manifest that list the files."""
    if len(outcome.towns) > 1:
        picture = chart(outcome, _credits(outcome))
        (folder / CHART).write_text(picture, encoding="utf-8", newline="\n")
    progress("QGIS：GeoPackage")
    write_qgis(outcome, themes, folder / "qgis", run=_record(outcome))
    progress("表：Parquet・CSV / tables")
    _write_tables(outcome, themes, folder / "data")
    deliver_office(
        outcome,
        themes,
        folder,
        scenario=BASELINE.name,
        about=_about(outcome),
        progress=progress,
    )


def _credits(outcome: Outcome) -> tuple[Credit, ...]:
    """Of what is drawn: people, shapes and facilities."""
    return credits_for(outcome, [town.town.code for town in outcome.towns])


def _all_credits(outcome: Outcome) -> tuple[Credit, ...]:
    """Of everything, rates and tasks included."""
    own = outcome.prepared.project.own_credits()
    used = {one.key for one in _credits(outcome)}
    tables = {key for _, key in outcome.prepared.project.indicators.files()}
    return credits_of({*used, *tables, *credits_of_indicators(outcome.prepared)}, own)


def _write_tables(outcome: Outcome, themes: list[Theme], folder: Path) -> None:
    folder.mkdir(parents=True)
    made_up = {
        zone
        for town in outcome.towns
        if any(credit.synthetic for credit in credits_for(outcome, [town.town.code]))
        for zone in (town.town.code, *town.town.blocks.ids)
    }
    blocks = {
        zone: name
        for town in outcome.towns
        for zone, name in zip(town.town.blocks.ids, town.town.blocks.names, strict=True)
    }
    towns = {town.town.code: town.town.name.ja for town in outcome.towns}
    people = outcome.projection.population
    whole = _whole(people, outcome)
    write_population(people, folder / "population", names=blocks, made_up=made_up, whole=whole)
    for name, table, names in (
        ("flows", outcome.accounts, blocks),
        ("municipality", outcome.municipal, towns),
        ("controls", outcome.projection.controls, towns),
    ):
        write_table(table, folder / name, names=names, made_up=made_up)
    _write_access(outcome, folder, made_up)
    write_indicators(outcome, folder)
    for theme in themes:
        write_frame(theme[0].features, folder / theme[0].theme)


def _write_access(outcome: Outcome, folder: Path, made_up: set[str]) -> None:
    """Coverage and travel by class of facility, if there are facilities."""
    tables = [town.reach.access for town in outcome.towns if town.reach is not None]
    if not tables:
        return
    names = {
        f"{town.town.code}/{name}": f"{town.town.name.ja} {ja}"
        for town in outcome.towns
        for name, ja in town.town.class_names.items()
    }
    synthetic = {zone for zone in names if zone.partition("/")[0] in made_up}
    write_table(stack(tables), folder / "access", names=names, made_up=synthetic)
    write_reach(outcome, folder, made_up)


def _whole(people: Population, outcome: Outcome) -> NDArray[np.int64]:
    rates, seed = outcome.rates, outcome.prepared.project.projection.seed
    parents = [rates.parents[i] for i in rates.parent_of]
    return np.stack(
        [
            round_persons(year, zones=people.zones, parents=parents, seed=seed)
            for year in people.persons
        ]
    )


def _about(outcome: Outcome) -> Mapping[str, object]:
    header = outcome.prepared.project.project
    return {
        "futuremap": version("futuremap"),
        "project": header.name,
        "scenario": BASELINE.name,
        "base_year": header.base_year,
        "end_year": header.end_year,
        "credits": [credit.line() for credit in _credits(outcome)],
    }


def _record(outcome: Outcome) -> RunRecord:
    return record(
        outcome.prepared,
        control_residuals=outcome.control_residuals,
        register_census_ratio=outcome.register_ratio,
    )


def record(
    prepared: Prepared,
    *,
    control_residuals: Mapping[str, float] | None = None,
    register_census_ratio: Mapping[str, float] | None = None,
) -> RunRecord:
    """What a manifest says of the input and settings behind a set of outputs.

    Parameters
    ----------
    prepared
        Checked input.
    control_residuals, register_census_ratio
        What the run measured, by municipality. [ratio]
    """
    project = prepared.project
    own = project.own_credits()
    return RunRecord(
        base=project.file.parent,
        inputs=[Input(path, credits_of([key], own)[0]) for path, key in prepared.inputs],
        parameters=project.model_dump(mode="json", by_alias=True),
        credits=credits_of(
            {key for _, key in prepared.inputs} | credits_of_indicators(prepared), own
        ),
        warnings=prepared.report.warnings,
        control_residuals=control_residuals or {},
        register_census_ratio=register_census_ratio or {},
        seed=project.projection.seed,
    )

"""The ages of a municipality, by which the open age group of its blocks is split."""

from __future__ import annotations

import numpy as np

from futuremap.base.open_age import split
from futuremap.base.unknown_age import spread
from futuremap.config import Municipality, Project
from futuremap.config.model import AgesFile, PopulationFile
from futuremap.config.official import OldestFile
from futuremap.core.ages import AgeGroups
from futuremap.core.population import Population, with_open_age
from futuremap.pipeline.read_common import note_unverified
from futuremap.problems import Report
from futuremap.sources import cells, census, life_table_file, mapped

OLDEST = 100  # years; older groups of a table are taken together


def municipal(
    project: Project,
    town: Municipality,
    file: str,
    *,
    year: int,
    credit: str,
    report: Report,
) -> Population | None:
    """A census of the municipality as its only zone, people of unknown age spread."""
    found = census.read(
        project.path(file),
        code=town.code,
        name=town.name,
        year=year,
        credit=credit,
        report=report,
    )
    return None if found is None else spread(found.known, found.unknown, parents=[town.code])


def in_older_ages(
    project: Project,
    town: Municipality,
    file: PopulationFile,
    people: Population,
    report: Report,
) -> Population | None:
    """Split the open group of town blocks by the ages of their municipality.

    Parameters
    ----------
    project, town, file
        The project, the municipality, and the file of the people.
    people
        By town block, in the year of the file.
    report
        Takes the problems of the readers, FM017 where nothing splits the open group of a
        census, FM468 with what did, and FM469 where a table cannot.

    Returns
    -------
    Population or None
        None if a table is in doubt.
    """
    if town.ages is None and town.oldest is None:
        if file.format == "estat_small_area":
            open_age = people.ages.open_age
            report.add("FM017", file=file.file, value=open_age, open_age=open_age)
        return people
    parents = [town.code] * len(people.zones)
    for entry in (town.ages, town.oldest):
        if entry is None:
            continue
        shape = (
            _shape(project, town, entry, file.year, report)
            if isinstance(entry, AgesFile)
            else _stationary(project, town, entry, file.year, report)
        )
        if shape is None or not _goes_on(shape, people, entry, report):
            return None
        if shape.ages.open_age > people.ages.open_age:
            note = (people.ages.open_age, shape.ages.open_age, entry.file)
            report.add("FM468", file=file.file, value=f"{note[0]}＋ → {note[1]}＋",
                       open_age=note[0], oldest=note[1], by=note[2])  # fmt: skip
            people = split(people, shape, parents=parents)
    return people


def _shape(
    project: Project,
    town: Municipality,
    entry: AgesFile,
    year: int,
    report: Report,
) -> Population | None:
    if entry.format == "census":
        return municipal(project, town, entry.file, year=year, credit=entry.credit, report=report)
    if entry.mapping is None:
        return None  # the project file was reported
    found = mapped.read(
        project.path(entry.file),
        mapping=entry.mapping.table(year),
        credit=entry.credit,
        report=report,
    )
    if found is None or found.population is None:
        return None
    own = {town.code, cells.key(town.name)}
    zones = [z for z, name in found.names.items() if z in own or cells.key(name) in own]
    if len(zones) != 1 or year not in found.population.years:
        shown = "、".join(map(str, found.population.years if zones else list(found.names)[:3]))
        report.add("FM309", file=entry.file, sheet=found.sheet, value=year, name=town.name,
                   expected=shown)  # fmt: skip
        return None
    people = found.population.at(year).only(zones)
    if found.unknown is not None:
        people = spread(people, found.unknown.at(year).only(zones), parents=[town.code])
    return _of_town(people, town, year)


def _stationary(
    project: Project,
    town: Municipality,
    entry: OldestFile,
    year: int,
    report: Report,
) -> Population | None:
    """Person-years lived in five-year groups, as people: who would be alive at each age."""
    note_unverified(life_table_file.VERIFIED, "生命表", file=entry.file, report=report)
    table = life_table_file.read_csv(project.path(entry.file), credit=entry.credit, report=report)
    if table is None:
        return None
    periods = [start for start, stop in table.periods if start <= year < stop or not stop]
    if not periods or "nLx" not in table.values:
        shown = "、".join(table.values) if periods else f"{table.periods[0][0]}"
        report.add("FM469", file=entry.file, value=shown, expected=f"nLx（{year}）")
        return None
    people = Population.build(
        table.at(year)["nLx"][np.newaxis, np.newaxis],
        years=[year],
        zones=[town.code],
        ages=AgeGroups(table.ages),
        sources=table.sources,
    )
    return _of_town(people, town, year)


def _of_town(people: Population, town: Municipality, year: int) -> Population:
    """As the one zone of the municipality, in groups of five years to `OLDEST` at most."""
    wide = _in_steps(people)
    if wide is None:
        return people
    merged = Population.build(
        people.persons @ people.ages.merge_matrix(wide).T,
        years=[year],
        zones=[town.code],
        ages=wide,
        flag=people.flag,
        imputed_share=people.imputed_share,
        sources=people.sources,
    )
    return with_open_age(merged, min(OLDEST, wide.open_age))


def _in_steps(people: Population) -> AgeGroups | None:
    """The five-year groups that the ages make up; None if they make none."""
    wide = AgeGroups.five_year(open_age=people.ages.open_age)
    return wide if set(wide.lower) <= set(people.ages.lower) else None


def _goes_on(
    shape: Population,
    people: Population,
    entry: AgesFile | OldestFile,
    report: Report,
) -> bool:
    """Whether a shape has the groups of the blocks; it may have no older ones."""
    groups = min(len(shape.ages), len(people.ages))
    if shape.ages.lower[:groups] == people.ages.lower[:groups]:
        return True
    shown = ", ".join(map(str, shape.ages.lower[-4:]))
    expected = f"{people.ages.open_age}, {people.ages.open_age + 5}, …"
    report.add("FM469", file=entry.file, value=shown, expected=expected)
    return False

"""Which of the files found in a folder would make a run, town by town."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import shapely

from futuremap.base.placement import OUTLINE_TOLERANCE_M, distance_outside
from futuremap.config.model import INTERVAL
from futuremap.core.zones import PLANE_ZONES, PREFECTURE_ZONES, Zones, plane_distortion
from futuremap.pipeline.survey_extra import NOTHING, Extra, extra_of
from futuremap.pipeline.survey_official import (
    NOBODY,
    BlockPeople,
    by_series,
    by_small_areas,
    years_of_series,
    years_of_small_areas,
)
from futuremap.pipeline.survey_official import has_town as _has
from futuremap.pipeline.survey_official import usable as _of
from futuremap.problems import Report
from futuremap.sources import facilities, ksj_points, outline_file, public_facilities, register
from futuremap.sources.recognised import Kind, Lack, Recognised, faults
from futuremap.sources.vector import Town as Place

Form = Literal["register", "estat_small_area", "register_series", "census", ""]
MOST_TOWNS = 60  # towns of one project; a file of all Japan alone does not make 1,700 of them
HORIZON = 30  # years from the base year to the last one, in a starter
_BLOCK_NUMBER = re.compile(r"[0-9０-９一二三四五六七八九十〇]+丁目$")


class Correction(NamedTuple):
    """A point outside its town, and where its block may stand meanwhile.

    zone
        Name of the block.
    seen
        The point as published.
    place
        Latitude and longitude in the middle of the blocks of the same name; None if none is
        sound.
    """

    zone: str
    seen: str
    place: tuple[float, float] | None


class TownPlan(NamedTuple):
    """The files of one town.

    code, name
        The municipality; the name may be empty.
    plane_zones
        Plane rectangular zones of its prefecture, the one to take first.
    people
        Which file gives its people, by year.
    form
        How people are counted; empty where no two years five apart were found.
    places
        People by block with the files of the blocks, where the people's own do not say them.
    outline, control, check
        Its boundary, published totals, and a later count.
    facilities
        Its lists of facilities.
    corrections
        Points of the base year that lie outside.
    left_out
        Files that could be used but for a fault, with the fault.
    extra
        Files that a run can do without.
    """

    code: str
    name: str
    plane_zones: tuple[int, ...]
    people: dict[int, Recognised]
    form: Form
    places: BlockPeople
    outline: Recognised | None
    control: Recognised | None
    check: Recognised | None
    facilities: tuple[Recognised, ...]
    corrections: tuple[Correction, ...]
    left_out: tuple[tuple[Recognised, Lack], ...]
    extra: Extra = NOTHING


class _Town(NamedTuple):
    files: Sequence[Recognised]
    code: str
    registers: tuple[Recognised, ...]
    censuses: tuple[Recognised, ...]
    area: Zones | None
    alone: bool

    @property
    def located(self) -> list[Recognised]:
        return [file for file in self.registers if file.clues.located]


def plan(files: Sequence[Recognised]) -> tuple[tuple[TownPlan, ...], int | None]:
    """The towns that the files are of, and the base year that most of them can start from.

    Parameters
    ----------
    files
        What was recognised; the order decides between files that serve alike.

    Returns
    -------
    tuple of TownPlan, int or None
        No base year if no town has people in two years, five years apart.
    """
    codes = _codes(files)
    alone = len(codes) == 1
    towns = [_town(files, code, alone=alone) for code in codes]
    options = [_base_years(town) for town in towns]
    votes = [year for years in options for year in years]
    base = max(votes, key=lambda year: (votes.count(year), year), default=None)
    return tuple(_plan(files, town, base) for town in towns), base


def _codes(files: Sequence[Recognised]) -> list[str]:
    """Codes of the towns to plan for: of registers, else of censuses with outlines, else any."""

    def of(*kinds: Kind) -> set[str]:
        return {town.code for file in _of(files, *kinds) for town in file.clues.towns}

    outlines, counted = of("outline"), of("census")
    choices = (
        of("register"),
        of("estat_small_area") & of("boundary") & outlines,
        counted & outlines,
        of("facilities", "ksj_points") & outlines,
        outlines,
        of("boundary", "estat_small_area"),
        counted,
        of("projection"),
        of("facilities"),
    )
    few = (codes for codes in choices if 0 < len(codes) <= MOST_TOWNS)
    return sorted(next(few, set()))


def _town(files: Sequence[Recognised], code: str, *, alone: bool) -> _Town:
    registers = [
        file
        for file in _of(files, "register")
        if _has(file, code) or (alone and not file.clues.towns)
    ]
    censuses = [file for file in _of(files, "census") if _has(file, code)]
    return _Town(files, code, tuple(registers), tuple(censuses), _area(files, code), alone)


def _area(files: Sequence[Recognised], code: str) -> Zones | None:
    found = next((file for file in _of(files, "outline") if _has(file, code)), None)
    if found is None:
        return None
    zone = PREFECTURE_ZONES.get(code[:2], tuple(PLANE_ZONES))[0]
    read = outline_file.read(
        found.path, code=code, plane_zone=zone, name="", credit="", report=Report()
    )
    if read is None:
        return None
    return Zones(read.frame, read.kind, _plane_zones(code, read)[0])


def _plane_zones(code: str, area: Zones | None) -> tuple[int, ...]:
    lawful = PREFECTURE_ZONES.get(code[:2], tuple(PLANE_ZONES))
    if area is None:
        return lawful
    return (min(lawful, key=lambda zone: plane_distortion(area.geometry, zone)),)


def _zones_of(town: _Town) -> tuple[int, ...]:
    """The plane zones to choose from: by the outline, else by where its blocks lie."""
    lawful = _plane_zones(town.code, town.area)
    of_one = (f for f in _of(town.files, "boundary") if len(f.clues.towns) == 1)
    found = next((f for f in of_one if _has(f, town.code) and f.clues.middle), None)
    if len(lawful) == 1 or found is None:
        return lawful
    middle = np.array([shapely.Point(found.clues.middle)], dtype=object)
    return (min(lawful, key=lambda zone: plane_distortion(middle, zone)),)


def _base_years(town: _Town) -> set[int]:
    """Years from which a town can start: by block, or where that is not known, by census."""
    registers = {year for file in town.registers for year in file.years}
    located = {year for file in town.registers if file.clues.located for year in file.years}
    counted = {year for file in town.censuses for year in file.years}
    by_register = {year for year in located if year - INTERVAL in registers}
    by_block = by_register or years_of_small_areas(town.files, town.code)
    if not by_block and town.located:
        by_block = years_of_series(town.files, alone=town.alone)
    return by_block or {year for year in counted if year - INTERVAL in counted}


def _month(file: Recognised) -> int:
    month = file.clues.month[5:7]
    return int(month) if month else 0


def _registers(town: _Town, base: int) -> dict[int, Recognised]:
    """A register for each year: two of the same month, if there are, five years apart."""

    def of(year: int) -> list[Recognised]:
        return [file for file in town.registers if year in file.years]

    starts = [file for file in of(base) if file.clues.located]
    pairs = [(late, early) for late in starts for early in of(base - INTERVAL)]
    if not pairs:
        return {}
    late, early = min(
        pairs, key=lambda pair: (abs(_month(pair[0]) - _month(pair[1])), -_month(pair[0]))
    )
    chosen = {base - INTERVAL: early, base: late}
    for year in sorted({year for file in town.registers for year in file.years}):
        if year not in chosen and year < base:
            chosen[year] = min(of(year), key=lambda file: abs(_month(file) - _month(late)))
    return dict(sorted(chosen.items()))


def _plan(files: Sequence[Recognised], town: _Town, base: int | None) -> TownPlan:
    left_out: list[tuple[Recognised, Lack]] = []
    form, places = _people(town, base)
    people = places.people
    corrections: tuple[Correction, ...] = ()
    if form == "register" and base is not None:
        corrections = _check_registers(town, people, base, left_out)
    control, check = _totals(files, town.code, base)
    lists = _facilities(files, town, base, left_out)
    return TownPlan(
        town.code,
        _name(files, town.code),
        _zones_of(town),
        people,
        form,
        places,
        next((file for file in _of(files, "outline") if _has(file, town.code)), None),
        control,
        check,
        tuple(lists),
        corrections,
        tuple(left_out),
        NOTHING
        if base is None
        else extra_of(files, town.code, area=town.area, base=base, form=form, control=control),
    )


def _people(town: _Town, base: int | None) -> tuple[Form, BlockPeople]:
    """People of the base year and five years before: by block if possible."""
    if base is None:
        return "", NOBODY
    if registers := _registers(town, base):
        return "register", NOBODY._replace(people=registers)
    places = by_small_areas(town.files, town.code, base)
    if places.people:
        return "estat_small_area", places
    if town.alone:
        places = by_series(town.files, town.located, base)
        if places.people:
            return "register_series", places
    wanted = (base - INTERVAL, base)
    counted = (file for file in town.censuses if set(wanted) <= set(file.years))
    if (file := next(counted, None)) is not None:
        return "census", NOBODY._replace(people=dict.fromkeys(wanted, file))
    return "", NOBODY


def _name(files: Sequence[Recognised], code: str) -> str:
    named = [t.name for file in files for t in file.clues.towns if t.code == code and t.name]
    return named[0] if named else ""


def _check_registers(
    town: _Town,
    people: dict[int, Recognised],
    base: int,
    left_out: list[tuple[Recognised, Lack]],
) -> tuple[Correction, ...]:
    """Points outside the town; years between whose areas are others are taken out of `people`."""
    zone = _plane_zones(town.code, town.area)[0]
    if not people[base].tried:
        return ()
    read = register.read(people[base].path, year=base, municipality=town.code, plane_zone=zone,
                         credit="", report=Report())  # fmt: skip
    if read is None:
        return ()
    ids = dict(zip(read.zones.names, read.zones.ids, strict=True))
    for year in sorted(people.keys() - {base, base - INTERVAL}):
        report, path = Report(), people[year].path
        register.read_year(path, year=year, ids_by_name=ids, credit="", report=report,
                           municipality=town.code)  # fmt: skip
        if report.errors:
            left_out.append((people.pop(year), faults(report)[0]))
    return () if town.area is None else _outside(read.zones, town.area)


def _outside(points: Zones, area: Zones) -> tuple[Correction, ...]:
    far = distance_outside(points, area) > OUTLINE_TOLERANCE_M
    names = np.array([_BLOCK_NUMBER.sub("", name) for name in points.names], dtype=object)
    there = ~(shapely.is_missing(points.geometry) | shapely.is_empty(points.geometry))
    found = []
    for i in np.flatnonzero(far).tolist():
        alike = points.geometry[(names == names[i]) & ~far & there]
        place = shapely.get_coordinates(alike).mean(axis=0) if len(alike) else None
        point = points.geometry[i]
        found.append(
            Correction(
                points.names[i],
                f"{point.y:.6f}, {point.x:.6f}",
                None if place is None else (round(place[1], 6), round(place[0], 6)),
            )
        )
    return tuple(found)


def _totals(
    files: Sequence[Recognised],
    code: str,
    base: int | None,
) -> tuple[Recognised | None, Recognised | None]:
    """Published totals after the base year, and a later count in a year of the projection."""
    if base is None:
        return None, None
    later = range(base + INTERVAL, base + HORIZON + 1, INTERVAL)
    published = _of(files, "projection", "ipss_workbook")
    controls = [f for f in published if _has(f, code) and f.years[-1] > base]
    counts = [f for f in _of(files, "census_totals") if _has(f, code) and set(f.years) & {*later}]
    return next(iter(controls), None), next(iter(counts), None)


def _facilities(
    files: Sequence[Recognised],
    town: _Town,
    base: int | None,
    left_out: list[tuple[Recognised, Lack]],
) -> list[Recognised]:
    lists = []
    for file in _of(files, "facilities", "ksj_points"):
        if not _is_in(file, town):
            continue
        if not file.tried:
            lists.append(file)
            continue
        report = _tried(file, town, base or 0)
        if report.errors:
            left_out.append((file, faults(report)[0]))
        else:
            lists.append(file)
    return lists


def _tried(file: Recognised, town: _Town, base: int) -> Report:
    """What the reader of a list says of it."""
    report, zone = Report(), _plane_zones(town.code, town.area)[0]
    if file.clues.form == "list":
        facilities.read(
            file.path, facility_class="trial", municipality=town.code, plane_zone=zone, credit="",
            base_year=base, report=report,
        )  # fmt: skip
        return report
    place = Place(town.code, zone)
    if file.clues.form == "ksj":
        inside = town.area.geometry[0] if town.area is not None and is_of_nowhere(file) else None
        ksj_points.read(
            file.path, facility_class="trial", town=place, credit="", base_year=base,
            report=report, wanted=ksj_points.Wanted(outline=inside),
        )  # fmt: skip
        return report
    public_facilities.read(
        file.path, facility_class="trial", town=place, credit="", base_year=base, report=report
    )
    return report


def is_of_nowhere(file: Recognised) -> bool:
    """Whether points of a prefecture do not say to which municipality each belongs."""
    return file.clues.form == "ksj" and not file.clues.towns


def _is_in(file: Recognised, town: _Town) -> bool:
    # by its code, else by where half of its points lie
    if file.clues.towns:
        return _has(file, town.code)
    if is_of_nowhere(file):
        return town.area is not None
    if town.area is None:
        return town.alone
    if file.clues.middle is None:
        return False
    return bool(shapely.intersects(town.area.geometry[0], shapely.Point(file.clues.middle)))

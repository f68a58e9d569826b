"""What a town can also have: school districts, mesh statistics, rivals, a life table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import shapely

from futuremap.config.model import INTERVAL
from futuremap.core.zones import Zones
from futuremap.pipeline.survey_official import has_town, usable
from futuremap.pipeline.survey_words import Relative, credit_of, entry, quoted
from futuremap.sources.recognised import Recognised

MESH_LEVELS = ("250 m", "125 m")  # no larger than the mesh of a starter
WITH_OPEN_AGE = ("estat_small_area", "register_series")  # forms whose open age a table can split
_PRIMARY = re.compile(r"小学校|elementary|primary|shou?gakkou?", re.IGNORECASE)
_MIDDLE = re.compile(r"中学校|junior|middle|chuu?gakkou?", re.IGNORECASE)
SCHOOLS = ((("A27", "小学校区"), _PRIMARY), (("A32", "中学校区"), _MIDDLE))


class Extra(NamedTuple):
    """Files of one town that a run can do without.

    districts
        Areas of its schools.
    margins
        地域メッシュ統計 of the base year, one file a first mesh.
    rivals
        Other projections of the town, none of which is its control.
    oldest
        A life table by whose person-years the oldest are told apart.
    level
        A census near a year of the registers, whose level they could be brought to.
    """

    districts: tuple[Recognised, ...] = ()
    margins: tuple[Recognised, ...] = ()
    rivals: tuple[Recognised, ...] = ()
    oldest: Recognised | None = None
    level: Recognised | None = None

    def files(self) -> list[Recognised]:
        """Those that a starter names whatever lists of facilities there are."""
        single = (file for file in (self.oldest, self.level) if file is not None)
        return [*self.margins, *self.rivals, *single]


NOTHING = Extra()


def extra_of(
    files: Sequence[Recognised],
    code: str,
    *,
    area: Zones | None,
    base: int,
    form: str,
    control: Recognised | None,
) -> Extra:
    """Find them among the files of a folder.

    Parameters
    ----------
    files
        What was recognised.
    code, area
        The municipality, and its outline if there is one.
    base
        The base year.
    form
        How its people are counted.
    control
        The projection that its totals are taken from.
    """
    published = usable(files, "projection", "ipss_workbook", "ksj_mesh")
    rivals = [f for f in published if has_town(f, code) and f.years[-1] > base and f is not control]
    tables = [f for f in usable(files, "life_table") if f.clues.form == "nLx" and not f.years]
    censuses = [f for f in usable(files, "census") if has_town(f, code) and _near(f, base)]
    return Extra(
        tuple(f for f in usable(files, "districts") if _is_here(f, code, area)),
        _margins(files, area, base),
        tuple(rivals),
        next(iter(tables), None) if form in WITH_OPEN_AGE else None,
        next(iter(censuses), None) if form in {"register", "register_series"} else None,
    )


def _near(file: Recognised, base: int) -> bool:
    return any(abs(year - base) <= INTERVAL for year in file.years)


def _is_here(file: Recognised, code: str, area: Zones | None) -> bool:
    if file.clues.towns:
        return has_town(file, code)
    if area is None or file.clues.middle is None:
        return False
    return bool(shapely.intersects(area.geometry[0], shapely.Point(file.clues.middle)))


def _margins(files: Sequence[Recognised], area: Zones | None, base: int) -> tuple[Recognised, ...]:
    """One table (of one number and size) for every first mesh that the town touches."""
    if area is None:
        return ()
    tables: dict[str, dict[object, Recognised]] = {}
    for file in usable(files, "estat_mesh"):
        _, _, size = file.clues.detail.partition(" ")
        if file.years == (base,) and size in MESH_LEVELS and _touches(file, area):
            tables.setdefault(file.clues.detail, {}).setdefault(file.clues.extent, file)
    # the table that is known from real files before its duplicates, then the larger mesh
    order = sorted(tables, key=lambda name: (not _all_verified(tables[name]), name))
    return tuple(tables[order[0]].values()) if order else ()


def _all_verified(of: Mapping[object, Recognised]) -> bool:
    return all(file.verified for file in of.values())


def _touches(file: Recognised, area: Zones) -> bool:
    return file.clues.extent is not None and bool(
        shapely.intersects(area.geometry[0], shapely.box(*file.clues.extent))
    )


def school_class(districts: Recognised, classes: Mapping[str, Recognised]) -> str:
    """The class of facilities whose districts these are; empty if no list says it.

    Parameters
    ----------
    districts
        The file of the districts.
    classes
        Class to the list of its facilities.
    """
    for marks, named in SCHOOLS:
        if any(mark in districts.clues.detail for mark in marks):
            fitting = (c for c, file in classes.items() if named.search(f"{c} {file.path.stem}"))
            return next(fitting, "")
    return ""


def districts_of(extra: Extra, classes: Mapping[str, Recognised]) -> dict[str, Recognised]:
    """Class of facilities to the file of its districts."""
    found: dict[str, Recognised] = {}
    for file in extra.districts:
        if named := school_class(file, classes):
            found.setdefault(named, file)
    return found


def ruled_classes(
    towns: Sequence[tuple[Mapping[str, Recognised], Mapping[str, Recognised]]],
) -> list[str]:
    """The classes that have districts in every town that has the class.

    Parameters
    ----------
    towns
        Of each town its classes, and its districts by class.
    """
    fits: dict[str, bool] = {}
    for classes, districts in towns:
        for name in classes:
            fits[name] = fits.get(name, True) and name in districts
    return sorted(name for name, fitting in fits.items() if fitting)


def extra_lines(
    extra: Extra,
    districts: Mapping[str, Recognised],
    relative: Relative,
) -> Iterator[str]:
    """Their tables in project.toml, below those of the town."""
    for named, file in districts.items():
        yield "# 通学区域。下の [[reach.rule]] で、その学校を区域ごとに数える"
        yield "[[municipality.districts]]"
        yield f"class = {quoted(named)}"
        yield from entry(relative, file)
        yield ""
    if extra.margins:
        yield "# メッシュ自身の公表値に合わせて、町丁の人口をメッシュに分ける"
        yield "[municipality.mesh_margins]"
        yield f"files = [{', '.join(quoted(relative(file)) for file in extra.margins)}]"
        yield f"year = {extra.margins[0].years[0]}"
        yield f"credit = {quoted(credit_of(extra.margins[0]))}"
        yield ""
    if extra.oldest is not None:
        yield "# 生命表の生存数で、いちばん上の年齢階級を分ける"
        yield "[municipality.oldest]"
        yield from entry(relative, extra.oldest)
        yield ""
    for file in extra.rivals:
        yield "# 比べるための、ほかの将来推計"
        yield "[[municipality.rival]]"
        yield f"name = {quoted(_rival_name(file, relative))}"
        yield f'format = "{RIVAL_FORMATS[file.kind]}"'
        yield from entry(relative, file)
        yield ""
    yield from _level_lines(extra, relative)


RIVAL_FORMATS = {
    "projection": "municipal_csv",
    "ipss_workbook": "ipss_workbook",
    "ksj_mesh": "ksj_mesh",
}


def _rival_name(file: Recognised, relative: Relative) -> str:
    return relative(file).rpartition("/")[2].partition(".")[0]


def _level_lines(extra: Extra, relative: Relative) -> Iterator[str]:
    if extra.level is not None:
        yield "# 台帳を国勢調査の水準に直すときは、次の5行の # を消す（男女・年齢別の比を掛ける）"
        yield "# [municipality.reconcile]"
        yield f"# file = {quoted(relative(extra.level))}"
        yield f"# year = {max(extra.level.years)}"
        yield '# rule = "sex_age"'
        yield f"# credit = {quoted(credit_of(extra.level))}"
        yield ""

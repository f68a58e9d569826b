"""The facilities of one municipality, whatever their lists are."""

from __future__ import annotations

from futuremap.base.placement import check_facilities
from futuremap.config import Municipality, Project
from futuremap.config.model import FacilityFile
from futuremap.core.facilities import Facilities
from futuremap.core.zones import Zones
from futuremap.pipeline.read_common import note_unverified, place_of
from futuremap.problems import Report
from futuremap.sources import facilities, ksj_points, public_facilities


def read_facilities(
    project: Project,
    entry: Municipality,
    *,
    area: Zones | None,
    report: Report,
) -> list[Facilities]:
    """Read all lists of a municipality.

    Parameters
    ----------
    project, entry
        The project, and the municipality.
    area
        Its outline, if it could be read: facilities outside are counted (FM611).
    report
        Takes the problems of the readers, and FM010.
    """
    lists = []
    for listed in entry.facilities:
        read = _read(project, entry, listed, area, report)
        if read is None:
            continue
        if area is not None:
            check_facilities(read, area, file=listed.file, report=report)
        lists.append(read)
    return lists


def _read(
    project: Project,
    entry: Municipality,
    listed: FacilityFile,
    area: Zones | None,
    report: Report,
) -> Facilities | None:
    if listed.format == "ksj":
        return _ksj(project, entry, listed, area, report)
    path, base_year = project.path(listed.file), project.project.base_year
    if listed.format == "public_facilities":
        return public_facilities.read(
            path,
            facility_class=listed.facility_class,
            town=place_of(entry, area),
            credit=listed.credit,
            base_year=base_year,
            report=report,
            mapping=listed.mapping,
            kinds=listed.kinds,
        )
    return facilities.read(
        path,
        facility_class=listed.facility_class,
        municipality=entry.code,
        plane_zone=entry.plane_zone,
        credit=listed.credit,
        base_year=base_year,
        report=report,
        kinds=listed.kinds,
    )


def _ksj(
    project: Project,
    entry: Municipality,
    listed: FacilityFile,
    area: Zones | None,
    report: Report,
) -> Facilities | None:
    note_unverified(ksj_points.VERIFIED, "国土数値情報 点", file=listed.file, report=report)
    inside = area.geometry[0] if listed.inside_only and area is not None else None
    return ksj_points.read(
        project.path(listed.file),
        facility_class=listed.facility_class,
        town=place_of(entry, area),
        credit=listed.credit,
        base_year=project.project.base_year,
        report=report,
        wanted=ksj_points.Wanted(listed.kinds, inside),
        mapping=listed.mapping,
    )

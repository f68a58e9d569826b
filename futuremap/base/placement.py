"""Points and areas in their municipality: how far outside one lies, and what that means."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from futuremap.core.facilities import Facilities
from futuremap.core.zones import PLANE_ZONES, PREFECTURE_ZONES, Zones, plane_distortion
from futuremap.problems import Report

# the outline is a simplified one; a point on a quay may fall into the sea by this much
OUTLINE_TOLERANCE_M = 500.0
# plane zones keep lengths to 1 in 10,000 within 130 km; this is past the edge of any of them
LARGEST_DISTORTION = 3e-4
SHOWN_NAMES = 3
OVERLAP = 0.1  # of the smaller of two blocks; boundaries drawn apart differ by slivers [ratio]
STICKING_OUT = 0.1  # of the blocks' ground; outlines drawn apart differ along coasts [ratio]


def distance_outside(points: Zones, outline: Zones) -> NDArray[np.float64]:
    """Distance of every point from the municipality ``(Z,)``, 0 inside, NaN without a point. [m]"""
    area = outline.plane_geometry()[0]
    return np.asarray(shapely.distance(points.plane_geometry(), area), dtype=np.float64)


def check_plane(outline: Zones, *, file: str, line: int | None, report: Report) -> None:
    """Refuse a municipality whose plane zone is not its own (FM531).

    The zones of its prefecture are fixed by law; where a prefecture has several, the one in
    which lengths come out right is its own.

    Parameters
    ----------
    outline
        The municipality; its id is its code.
    file, line
        Where the project file names the plane zone.
    report
        Takes the problem.
    """
    code = outline.ids[0]
    lawful = PREFECTURE_ZONES.get(code[:2], tuple(PLANE_ZONES))
    right = min(lawful, key=lambda zone: plane_distortion(outline.geometry, zone))
    distortion = plane_distortion(outline.geometry, outline.plane_zone)
    if outline.plane_zone not in lawful or distortion > LARGEST_DISTORTION:
        report.add(
            "FM531",
            file=file,
            line=line,
            column="plane_zone",
            value=outline.plane_zone,
            municipality=outline.names[0],
            expected=right,
            percent=f"{100 * distortion:.3g}",
        )


def check_corrections(
    points: Zones,
    lines: Mapping[str, int | None],
    *,
    file: str,
    report: Report,
) -> None:
    """Report corrections of town blocks that do not exist (FM526).

    Parameters
    ----------
    points
        Town blocks.
    lines
        Name of every corrected block, and where in the project file it stands.
    file
        Name of the project file.
    report
        Takes the problems.
    """
    known = {unicodedata.normalize("NFKC", name).strip(): name for name in points.names}
    for name, line in lines.items():
        wanted = unicodedata.normalize("NFKC", name).strip()
        if wanted in known:
            continue
        near = [known[key] for key in difflib.get_close_matches(wanted, known, n=1)]
        report.add(
            "FM526",
            file=file,
            line=line,
            column="point_correction.zone",
            value=name,
            suggestion_ja=f"もしかして「{near[0]}」ですか"
            if near
            else "台帳の名前に直してください",
            suggestion_en=f"did you mean {near[0]}?" if near else "use a name of the register",
        )


def check_blocks(
    points: Zones,
    outline: Zones,
    *,
    file: str,
    sheet: str,
    lines: Mapping[str, int],
    report: Report,
) -> None:
    """Refuse town blocks whose point lies outside their municipality.

    Parameters
    ----------
    points
        Town blocks as points.
    outline
        Their municipality.
    file, sheet, lines
        Where the points came from, line by zone.
    report
        Notes FM523 for every point further out than the outline is exact.
    """
    distances = distance_outside(points, outline)
    for i in np.flatnonzero(distances > OUTLINE_TOLERANCE_M):
        place = points.geometry[i]
        report.add(
            "FM523",
            file=file,
            sheet=sheet,
            line=lines.get(points.ids[i]),
            column="location",
            value=f"{place.y:.6f},{place.x:.6f}",
            zone=points.names[i],
            distance=f"{distances[i] / 1000:.1f}",
            municipality=outline.names[0],
        )


def check_areas(areas: Zones, outline: Zones, *, file: str, report: Report) -> None:
    """Compare the ground of town blocks with that of their municipality and of each other.

    Parameters
    ----------
    areas
        Town blocks as areas.
    outline
        Their municipality.
    file
        Where the areas came from.
    report
        Notes FM579 for every block that lies outside; the warnings FM582 where only a part does,
        FM580 for every two that lie on each other, and FM581 where many stick out, as those of a
        wrong datum do.
    """
    shapes, town = areas.plane_geometry(), outline.plane_geometry()[0]
    parts, owner = shapely.get_parts(shapes, return_index=True)
    distances, nearest = np.zeros(len(shapes)), shapely.distance(shapes, town)
    np.maximum.at(distances, owner, shapely.distance(parts, town))
    for i in np.flatnonzero(distances > OUTLINE_TOLERANCE_M).tolist():
        report.add(  # a part may be an islet that the outline leaves out
            "FM579" if nearest[i] > OUTLINE_TOLERANCE_M else "FM582",
            file=file,
            value=areas.ids[i],
            zone=areas.names[i],
            distance=f"{distances[i] / 1000:.1f}",
            municipality=outline.names[0],
        )
    sizes = shapely.area(shapes)
    for i, j in _on_each_other(shapes, sizes):
        first, second = areas.names[i], areas.names[j]
        report.add("FM580", file=file, value=areas.ids[j], first=first, second=second)
    shapely.prepare(town)
    out = np.flatnonzero((distances <= OUTLINE_TOLERANCE_M) & ~shapely.covers(town, shapes))
    beyond = float(sizes[out].sum() - shapely.area(shapely.intersection(shapes[out], town)).sum())
    share = beyond / max(float(sizes.sum()), 1.0)
    if share > STICKING_OUT:
        municipality = outline.names[0]
        report.add("FM581", file=file, value=f"{100 * share:.0f} %", municipality=municipality)


def _on_each_other(
    shapes: NDArray[np.object_],
    sizes: NDArray[np.float64],
) -> list[tuple[int, int]]:
    """Pairs of areas of which one covers much of the other; lines and slivers are no overlap."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    apart = first < second
    first, second = first[apart], second[apart]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    much = shared > OVERLAP * np.minimum(sizes[first], sizes[second])
    return sorted(zip(first[much].tolist(), second[much].tolist(), strict=True))


def check_facilities(facilities: Facilities, outline: Zones, *, file: str, report: Report) -> None:
    """Count the facilities outside their municipality; they are kept, with a warning (FM611)."""
    outside = distance_outside(facilities.located, outline) > OUTLINE_TOLERANCE_M
    if not outside.any():
        return
    names = [facilities.located.names[i] for i in np.flatnonzero(outside)]
    report.add(
        "FM611",
        file=file,
        value=len(names),
        count=len(names),
        municipality=outline.names[0],
        names="、".join(names[:SHOWN_NAMES]),
    )

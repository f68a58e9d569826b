"""Municipal projections as control totals: code, year, sex and five-year ages to 90 and over."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from futuremap.core.population import Flag, Population
from futuremap.problems import Report
from futuremap.sources.municipal import AGES, read_municipal


def read(
    path: Path,
    *,
    code: str,
    name: str,
    credit: str,
    report: Report,
) -> Population | None:
    """Read the projection of one municipality.

    Parameters
    ----------
    path
        CSV in the layout of :func:`futuremap.sources.municipal.read_municipal`.
    code
        Code of the municipality; becomes the only zone.
    name
        Its name, for the problems.
    credit
        Key of the credit line.
    report
        Takes the problems.

    Returns
    -------
    Population or None
        One zone in all years of the file; None if any of its numbers is in doubt.
    """
    found = read_municipal(path, code=code, name=name, report=report, with_unknown=False)
    if found is None:
        return None
    return Population.build(
        found.persons[:, np.newaxis],
        years=found.years,
        zones=[code],
        ages=AGES,
        flag=Flag.PROJECTED,
        sources=[credit],
    )

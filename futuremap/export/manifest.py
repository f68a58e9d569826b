"""The manifest: what went into a set of outputs, with what versions, and what came out.

It holds no clock, no host and no absolute path, so that the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Literal

import numpy as np
import pyogrio
import pyproj
import shapely

from futuremap.core.credits import Credit
from futuremap.export.publish import MANIFEST
from futuremap.problems import Problem

PACKAGES = (
    "futuremap",
    "geopandas",
    "numpy",
    "pandas",
    "pyarrow",
    "pyogrio",
    "pyproj",
    "scipy",
    "shapely",
    "xarray",
)
PARTS: tuple[Literal["title", "why", "fix"], ...] = ("title", "why", "fix")


@dataclass(frozen=True)
class Input:
    """One file that was read.

    Parameters
    ----------
    path
        The file.
    credit
        Whose data it is and on what terms.
    """

    path: Path
    credit: Credit


@dataclass(frozen=True)
class RunRecord:
    """What a run has to say about itself.

    Parameters
    ----------
    base
        Folder of the project file; paths are written as seen from there.
    inputs
        Files read.
    parameters
        Settings of the project as given.
    credits
        Credits of the outputs.
    warnings
        Problems with which the run went on.
    control_residuals
        Largest distance from the control totals, by name of the control. [ratio]
    register_census_ratio
        People in the register per person in the census, by municipality. [ratio]
    seed
        Seed of the random draws; None where nothing was drawn.
    """

    base: Path
    inputs: Sequence[Input]
    parameters: Mapping[str, object]
    credits: Sequence[Credit]
    warnings: Sequence[Problem] = ()
    control_residuals: Mapping[str, float] = field(default_factory=dict)
    register_census_ratio: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None


def build_manifest(folder: Path, run: RunRecord) -> dict[str, object]:
    """The manifest of everything that lies in a folder.

    Parameters
    ----------
    folder
        Set of outputs; an earlier manifest in it does not count.
    run
        What the run says about itself.

    Raises
    ------
    OSError
        If an input or an output cannot be read.
    """
    return {
        **describe_run(run),
        "outputs": [
            {"path": path.relative_to(folder).as_posix(), **_fingerprint(path)}
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path != folder / MANIFEST
        ],
    }


def describe_run(run: RunRecord) -> dict[str, object]:
    """What went into a run: its inputs, settings, versions, warnings, residuals and credits.

    Parameters
    ----------
    run
        What the run says about itself.

    Raises
    ------
    OSError
        If an input cannot be read.
    """
    return {
        "inputs": [
            {
                "path": _seen_from(run.base, entry.path),
                "credit": entry.credit.text_ja,
                "licence": entry.credit.licence,
                **_fingerprint(entry.path),
            }
            for entry in sorted(run.inputs, key=lambda entry: _seen_from(run.base, entry.path))
        ],
        "parameters": _plain(run.parameters, base=run.base),
        "versions": versions(),
        "warnings": [_problem(problem, base=run.base) for problem in run.warnings],
        "control_residuals": _plain(run.control_residuals, base=run.base),
        "register_census_ratio": _plain(run.register_census_ratio, base=run.base),
        "credits": [_credit(credit) for credit in run.credits],
        "seed": run.seed,
        "synthetic": any(credit.synthetic for credit in run.credits),
    }


def write_manifest(folder: Path, run: RunRecord) -> Path:
    """Write ``manifest.json`` into a folder, as the last file of the set.

    Raises
    ------
    OSError
        If an input or an output cannot be read, or the manifest cannot be written.
    """
    path = folder / MANIFEST
    manifest = build_manifest(folder, run)
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def versions() -> dict[str, str]:
    """Versions of Python, the packages and the libraries under them."""
    return {name: version(name) for name in PACKAGES} | {
        "python": platform.python_version(),
        "gdal": pyogrio.__gdal_version_string__,
        "geos": shapely.geos_version_string,
        "proj": pyproj.proj_version_str,
    }


def _fingerprint(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"sha256": digest, "bytes": file.tell()}


def _seen_from(base: Path, path: Path) -> str:
    try:
        return PurePath(os.path.relpath(path.resolve(), base.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return path.name


def _plain(value: object, *, base: Path) -> object:
    """A value as JSON can hold it; undefined numbers are null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry, base=base) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), base=base)
    if isinstance(value, list | tuple):
        return [_plain(entry, base=base) for entry in value]
    if isinstance(value, PurePath):
        return _seen_from(base, Path(value)) if value.is_absolute() else value.as_posix()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)


def _problem(problem: Problem, *, base: Path) -> dict[str, object]:
    path = Path(problem.file)
    file = _seen_from(base, path) if path.is_absolute() else problem.file
    texts = {f"{part}_{lang}": problem.text(part, lang) for part in PARTS for lang in ("ja", "en")}
    place = {"sheet": problem.sheet, "line": problem.line, "column": problem.column}
    about = {"code": problem.code, "severity": problem.severity, "value": problem.value}
    return {**about, "file": file, **place, **texts}


def _credit(credit: Credit) -> dict[str, object]:
    return {
        "key": credit.key,
        "text_ja": credit.text_ja,
        "text_en": credit.text_en,
        "licence": credit.licence,
        "url": credit.url,
        "synthetic": credit.synthetic,
    }

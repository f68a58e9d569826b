"""The presets that come with the program, by class of facility."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from futuremap.catchment.presets import Preset, presets

TABLE = "presets.csv"


@cache
def known_presets() -> dict[str, Preset]:
    """Radius, life, costs and ages of each class, as far as a source is known.

    Examples
    --------
    >>> known_presets()["medical"].radius_m
    800.0
    """
    text = (files("futuremap.catchment") / TABLE).read_text(encoding="utf-8")
    return presets(text)

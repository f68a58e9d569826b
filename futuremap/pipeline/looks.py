"""Looks of the maps as the project file wants them, with their names and titles."""

from __future__ import annotations

from typing import NamedTuple

from futuremap.config.cartography import FurtherTheme, LookSetting, Map, ZonesOfMap
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.core.table import Table
from futuremap.export.looks import AREAS, FACILITIES, USUAL, Look
from futuremap.indicators.change import with_change

DEFAULTS = {"town_blocks": AREAS, "mesh": AREAS, "facilities": FACILITIES}


class Map_(NamedTuple):  # noqa: N801 - a map is a mapping in Python
    """One map of some zones.

    tail
        What follows the name of the zones in the name of the theme.
    look
        What height and colour say.
    title
        Its own title; None leaves the usual one.
    """

    tail: str
    look: Look
    title: Text | None


def maps_of(setting: Map, zones: ZonesOfMap) -> list[Map_]:
    """The maps of some zones: the usual one, as it is set, then further ones.

    Parameters
    ----------
    setting
        ``[map]`` of a checked project.
    zones
        Which zones.
    """
    own: LookSetting = getattr(setting, zones)
    first = _look(own, DEFAULTS[zones])
    plain = (first.height, first.colour) == DEFAULTS[zones][:2]
    found = [Map_("", first, None if plain else _title(first))]
    for theme in setting.theme:
        if theme.zones == zones:
            look = _look(theme, DEFAULTS[zones])
            found.append(Map_(f"_{theme.name}", look, _own_title(theme) or _title(look)))
    return found


def with_changes(table: Table, look: Look) -> Table:
    """A table with all that a look draws.

    Parameters
    ----------
    table
        Indicators of its zones.
    look
        What height and colour say.
    """
    return with_change(table, look.height) if look.changes()[0] not in table.indicators else table


def _look(setting: LookSetting, usual: Look) -> Look:
    colour = setting.colour or usual.colour
    method = setting.classes or "usual"
    if method == "fixed" and not setting.limits and colour in USUAL:
        method = "usual"
    return Look(
        setting.height or usual.height,
        colour,
        method,
        tuple(setting.limits),
        setting.count,
        setting.palette,
    )


def _title(look: Look) -> Text:
    height, colour = field(look.height), field(look.colour)
    if height == colour:
        return Text(height.name_ja, height.name_en)
    return Text(
        f"{height.name_ja}（高さ）と{colour.name_ja}（色）",
        f"{height.name_en} (height) and {colour.name_en.lower()} (colour)",
    )


def _own_title(theme: FurtherTheme) -> Text | None:
    return Text(theme.title, theme.title_en or theme.title) if theme.title else None

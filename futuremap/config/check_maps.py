"""Checks of ``[map]``: indicators, class limits and meshes that cannot be drawn."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from futuremap.config.cartography import LookSetting
from futuremap.config.door import Door
from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import Project
from futuremap.core.mesh import Level
from futuremap.export.looks import COLOURS, HEIGHTS, USUAL

KIND = {"town_blocks": "areas", "mesh": "areas", "facilities": "facilities"}
USUAL_COLOUR = {"areas": "ageing_rate", "facilities": "years_in_service"}
MOST_LIMITS = 8
ONCE = ("ほかの主題図にない名前", "a name that no other map has")


def check_maps(project: Project, door: Door) -> None:
    """Report what the maps of a project cannot show, with its line.

    Parameters
    ----------
    project
        A project file that could be read.
    door
        Takes FM004 (a value that makes no sense here), FM704 (an indicator that these zones do
        not have) and FM705 (limits of classes).
    """
    given = project.map_
    for name, kind in KIND.items():
        _check_look(getattr(given, name), kind, ("map", name), door)
    taken: list[tuple[str, str]] = []
    for i, theme in enumerate(given.theme):
        at: KeyPath = ("map", "theme", i)
        _check_look(theme, KIND[theme.zones], at, door)
        if (theme.zones, theme.name) in taken:
            door.no_sense((*at, "name"), theme.name, ONCE)
        taken.append((theme.zones, theme.name))
    span = Level(project.mesh.level).span
    for i, level in enumerate(given.meshes):
        if Level(level).span <= span or level in given.meshes[:i]:
            larger = (f"{project.mesh.level} より大きいメッシュを1回ずつ",
                      f"meshes larger than {project.mesh.level}, each once")  # fmt: skip
            door.no_sense(("map", "meshes", i), level, larger)


def _check_look(look: LookSetting, kind: str, at: KeyPath, door: Door) -> None:
    for key, value, known in (
        ("height", look.height, HEIGHTS[kind]),
        ("colour", look.colour, COLOURS[kind]),
    ):
        if value and value not in known:
            _no_such(door, (*at, key), value, known)
    colour = look.colour or USUAL_COLOUR[kind]
    fixed = look.classes == "fixed"
    if fixed and not look.limits and colour not in USUAL:
        wanted = ("limits = [20, 30, 40] のような区切り", "limits such as [20, 30, 40]")
        door.add("FM705", (*at, "limits"), value="", expected=wanted[0], expected_en=wanted[1])
    if look.limits and not fixed:
        only = ('classes = "fixed" のときだけ', 'only with classes = "fixed"')
        door.add("FM705", (*at, "limits"), value=_shown(look.limits), expected=only[0],
                 expected_en=only[1])  # fmt: skip
    ascending = all(a < b for a, b in zip(look.limits, look.limits[1:], strict=False))
    if not ascending or len(look.limits) > MOST_LIMITS:
        wanted = (f"小さい順に {MOST_LIMITS} 個まで", f"ascending, at most {MOST_LIMITS}")
        door.add("FM705", (*at, "limits"), value=_shown(look.limits), expected=wanted[0],
                 expected_en=wanted[1])  # fmt: skip


def _no_such(door: Door, at: KeyPath, value: str, known: Sequence[str]) -> None:
    near = difflib.get_close_matches(value, known, n=1)
    door.add(
        "FM704",
        at,
        value=value,
        known="、".join(known),
        suggestion_ja=f"もしかして「{near[0]}」ですか" if near else "一覧から選んでください",
        suggestion_en=f'did you mean "{near[0]}"?' if near else "choose one of the list",
    )


def _shown(limits: Sequence[float]) -> str:
    return ", ".join(f"{limit:g}" for limit in limits)

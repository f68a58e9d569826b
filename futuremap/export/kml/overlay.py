"""write_overlay: a country of mesh cells in one KMZ, of which a client reads what it sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from futuremap.core import mesh
from futuremap.core.layer import STATES, Layer, Text
from futuremap.errors import ExportError
from futuremap.export.kml.balloon import (
    balloon_notes,
    class_labels,
    columns,
    description_template,
    table_lines,
)
from futuremap.export.kml.document import (
    FLAT_LINE,
    FOLDER_TAIL,
    HEAD,
    TAIL,
    colour,
    folder_head,
    frame,
    head,
    heading,
    look_at,
)
from futuremap.export.kml.kmz import LEGEND, ROOT, Members, publish
from futuremap.export.kml.labels import Label, label_styles, labels_folder
from futuremap.export.kml.legend import legend_png
from futuremap.export.kml.lint_process import LintProcess
from futuremap.export.kml.marks import IMPUTED
from futuremap.export.kml.profiles import Profile
from futuremap.export.kml.tiles import (
    MOST_CELLS,
    SHEET_DIGITS,
    TILE,
    Tile,
    Tower,
    region,
    tower,
)
from futuremap.export.kml.words import markup
from futuremap.export.kml.writer import FLAT, Part, compact_placemarks, style_id
from futuremap.export.text import file_stem, xml_text

UNKNOWN = "ff9e9e9e"
NEARER = Text(
    "遠くからは大きいメッシュ、近づくと小さいメッシュで描きます（人口の合計は同じです）。",
    "Large cells from afar, small ones from near; the people in them sum to the same.",
)


def write_overlay(
    meshes: Sequence[Sequence[Layer]],
    folder: Path,
    *,
    profile: Profile,
    prefix: str = "",
    labels: Sequence[Label] = (),
    lang: str = "ja",
    linter: LintProcess | None = None,
) -> list[Path]:
    """Write a theme of too many mesh cells for one view as tiles of the JIS mesh.

    Tiles are 10 km wide (2次メッシュ); each holds its cells of 1 km, 500 m and 250 m in files of
    their own, read when the tile is large enough on the screen. The file is written beside its
    place, checked, and moved there only if it is sound.

    Parameters
    ----------
    meshes
        The states of one theme on every mesh: ``[[now, future, change], …]``, all with the
        height scale of the finest.
    folder
        Where the file goes; made if absent.
    profile
        A client that takes links between the documents of a KMZ.
    prefix
        Start of the file name.
    labels
        Names of places.
    lang
        "ja" or "en".
    linter
        As for `write_earth`.

    Returns
    -------
    list of Path
        ``theme.kmz``, of the theme of the finest mesh.

    Raises
    ------
    ExportError
        If the client takes no links, layers do not belong together, larger cells do not hold
        what is in the smaller ones, the disk refuses, or the written file fails the check.
    """
    if "NetworkLink" in profile.refused:
        raise ExportError(f"{profile.name} takes no links between the documents of a file")
    towers = _towers(meshes)
    theme = towers[0].state.theme
    path = folder / f"{prefix}{file_stem(theme)}.kmz"
    members = _members(towers, profile, labels, lang)
    return publish({path: members}, profile=profile, linter=linter)


def _towers(meshes: Sequence[Sequence[Layer]]) -> list[Tower]:
    """The states, each on all meshes."""
    layers = [layer for states in meshes for layer in states]
    if not layers:
        raise ExportError("no layer to write")
    if len({(layer.place, layer.metres_per_unit) for layer in layers}) > 1:
        raise ExportError(f"{layers[0].theme}: meshes do not share place and height scale")
    states: dict[tuple[int, int], list[Layer]] = {}
    for layer in layers:
        states.setdefault((STATES.index(layer.state), layer.year), []).append(layer)
    counts = {len(found) for found in states.values()}
    if counts != {len(meshes)}:
        raise ExportError(f"{layers[0].theme}: a state is missing on a mesh")
    return [tower(states[key]) for key in sorted(states)]


def _members(
    towers: Sequence[Tower],
    profile: Profile,
    labels: Sequence[Label],
    lang: str,
) -> Members:
    yield ROOT, _root(towers, profile, labels, lang)
    yield LEGEND, [legend_png([one.state for one in towers], lang=lang)]
    for one in towers:
        for sheet, codes in _sheets(one).items() if TILE in one.layers else ():
            yield _path(one, sheet), _sheet(one, codes, lang)
        for level, tiles in one.tiles.items():
            for tile in tiles.values() if level != TILE else ():
                if len(tile.rows) > MOST_CELLS:
                    raise ExportError(f"{one.state.theme}: {len(tile.rows)} cells in {tile.code}")
                yield _path(one, _name(tile)), _tile(one, tile, lang)


def _root(
    towers: Sequence[Tower],
    profile: Profile,
    labels: Sequence[Label],
    lang: str,
) -> Iterator[bytes]:
    parts = [Part(one.state, np.flatnonzero(one.state.shown)) for one in towers]
    view = look_at(parts[0].layer.view)
    radio = profile.radio and len(parts) > 1
    yield head(parts, view, lang=lang, remark=NEARER[lang != "ja"]).encode()
    yield label_styles().encode() if labels else b""
    yield "".join(frame(parts, view, legend=LEGEND, radio=radio, lang=lang)).encode()
    for number, (one, part) in enumerate(zip(towers, parts, strict=True)):
        yield folder_head(part, view, shown=number == 0, lang=lang).encode()
        yield "".join(_first_links(one, shown=number == 0)).encode()
        yield FOLDER_TAIL.encode()
    yield (FOLDER_TAIL if radio else "").encode()
    yield "".join(labels_folder(labels, profile, parts=parts, lang=lang)).encode()
    yield TAIL.encode()


def _first_links(one: Tower, *, shown: bool) -> Iterator[str]:
    if TILE in one.layers:
        for sheet, codes in _sheets(one).items():
            box = _region(one, sheet, tiles=codes, pixels=(0, -1))
            yield _link(f"tiles/{_key(one)}/{sheet}.kml", sheet, region_=box, shown=shown)
        return
    first = next(iter(one.layers))
    for code, tile in one.tiles[first].items():
        box = _region(one, code, tiles=[code], pixels=(0, -1))
        yield _link(f"tiles/{_key(one)}/{_name(tile)}.kml", code, region_=box, shown=shown)


def _sheet(one: Tower, codes: Sequence[str], lang: str) -> Iterator[bytes]:
    """Cells of 10 km, each until its own smaller cells are read."""
    rows = np.concatenate([one.tiles[TILE][code].rows for code in codes])
    part = Part(one.layers[TILE], rows)
    yield _top(part, codes[0][:SHEET_DIGITS], lang).encode()
    yield b'<Folder id="cells"><name>10km</name><visibility>1</visibility><open>0</open>\n'
    boxes = [_region(one, code, tiles=[code], pixels=one.range_of(TILE, code)) for code in codes]
    yield from compact_placemarks(part, regions=boxes, lang=lang)
    yield FOLDER_TAIL.encode()
    yield "".join(_next(one, one.tiles[TILE][code]) for code in codes).encode()
    yield TAIL.encode()


def _tile(one: Tower, tile: Tile, lang: str) -> Iterator[bytes]:
    part = one.part(tile)
    box = _region(one, tile.code, tiles=[tile.code], pixels=one.range_of(tile.level, tile.code))
    yield _top(part, _name(tile), lang).encode()
    yield (
        f'<Folder id="cells"><name>{tile.level}</name><visibility>1</visibility><open>0</open>'
        f"{box}\n"
    ).encode()
    yield from compact_placemarks(part, lang=lang)
    yield FOLDER_TAIL.encode()
    yield f"{_next(one, tile)}{TAIL}".encode()


def _top(part: Part, name: str, lang: str) -> str:
    return (
        f"{HEAD}<name>{xml_text(f'{name} {heading(part, lang)}')}</name>"
        f"<visibility>1</visibility><open>0</open>\n{''.join(_styles(part, lang))}"
    )


def _next(one: Tower, tile: Tile) -> str:
    """Link to the smaller cells of a tile, if there are any."""
    found = one.next_tile(tile.level, tile.code)
    if found is None:
        return ""
    pixels = (one.range_of(found.level, found.code)[0], -1)
    box = _region(one, tile.code, tiles=[tile.code], pixels=pixels)
    return _link(f"{_name(found)}.kml", _name(found), region_=box, shown=True)


def _link(href: str, name: str, *, region_: str, shown: bool) -> str:
    return (
        f"<NetworkLink><name>{name}</name><visibility>{shown:d}</visibility><open>0</open>{region_}"
        f"<Link><href>{href}</href><viewRefreshMode>onRegion</viewRefreshMode></Link>"
        "</NetworkLink>\n"
    )


def _styles(part: Part, lang: str) -> Iterator[str]:
    """Styles whose balloons are made of the data of the feature that is clicked."""
    # a template has places for data only: bars by year and pyramids are drawn, not filled in
    own = [name for name in columns(part.layer) if name != IMPUTED]
    bare = part.layer.features[["name", *own, "geometry"]]
    layer = replace(part.layer, features=bare, pyramids=None, balloon=_without(part.layer))
    hues = [hue for _, hue in layer.classes.entries()]
    labels = class_labels(layer, lang)
    shown = [
        f"$[{name}]"
        for line in table_lines(layer, lang)
        for under in line.cells.values()
        for name in under
    ]
    template = description_template(layer, lang=lang)
    notes = balloon_notes(layer, lang=lang)
    raised, classes = part.heights() > 0, part.classes()
    values = ("$[description]", f"$[{layer.height}]", f"$[{layer.colour}]")
    for entry in np.unique(classes[raised]).tolist():
        text = template % (*values, labels[entry], *shown)
        yield (
            f'<Style id="{style_id(part.key, entry)}">'
            f"<PolyStyle><color>{colour(hues[entry])}</color><outline>0</outline></PolyStyle>"
            f"<BalloonStyle><text>{text}{notes}</text></BalloonStyle></Style>\n"
        )
    if not raised.all():
        text = template % (*values, markup("—"), *shown)
        yield (
            f'<Style id="{style_id(part.key, FLAT)}">'
            f"<LineStyle><color>{FLAT_LINE}</color><width>1.5</width></LineStyle>"
            f"<PolyStyle><color>{UNKNOWN}</color><fill>0</fill><outline>1</outline></PolyStyle>"
            f"<BalloonStyle><text>{text}{notes}</text></BalloonStyle></Style>\n"
        )


def _without(layer: Layer) -> tuple[str, ...]:
    return tuple(name for name in layer.balloon if name != IMPUTED)


def _region(one: Tower, code: str, *, tiles: Sequence[str], pixels: tuple[int, int]) -> str:
    mode = "relativeToGround" if one.state.ground is None else "absolute"
    top = max(one.tops[tile] for tile in tiles)
    return region(code, bottom=one.bottom, top=top, pixels=pixels, mode=mode)


def _sheets(one: Tower) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code in one.tiles[TILE]:
        found.setdefault(code[:SHEET_DIGITS], []).append(code)
    return found


def _key(one: Tower) -> str:
    return Part(one.state, np.zeros(0, dtype=np.intp)).key


def _name(tile: Tile) -> str:
    return f"{tile.code}-{mesh.Level(tile.level).value}"


def _path(one: Tower, name: str) -> str:
    return f"tiles/{_key(one)}/{name}.kml"

"""What of dwellings, meshes, the census's level and rivals does not go together."""

from __future__ import annotations

from futuremap.config.door import Door
from futuremap.config.lines import Path as KeyPath
from futuremap.config.model import Municipality

OF_DWELLING = {
    "band": ("raster",), "classes": ("raster",),
    "weight": ("points", "buildings"), "layer": ("points", "buildings"),
    "latitude": ("points", "buildings"), "longitude": ("points", "buildings"),
}  # fmt: skip
OF_AGES = {"mapping": ("mapped",)}
OF_CONTROL = {"layer": ("ksj_mesh",)}
OF_RIVAL = {"layer": ("ksj_mesh",)}
OF_REGISTERS = ("register", "register_series", "mapped")  # populations that are no census
WITH_PLACES = ("register", "census")  # populations that need no blocks of their own
NO_NEED = ("この format の人口では書かない", "nothing, with people in this format")
NO_BLOCKS = ("町丁のない人口では書かない", "nothing where people are not by town block")
NO_REGISTER = ("住民基本台帳の人口のときだけ", "only with people of a resident register")


def check_official(town: Municipality, at: KeyPath, door: Door) -> None:
    """Note the keys of one municipality that do nothing, or lack another.

    Parameters
    ----------
    town, at
        The municipality, and where it stands in the project file.
    door
        Takes FM004 and FM011.
    """
    written = town.population[0].format
    for key in ("ages", "oldest"):
        if getattr(town, key) is not None and written in WITH_PLACES:
            door.no_sense((*at, key), "", NO_NEED)
    if town.dwelling is not None and written == "census":
        door.no_sense((*at, "dwelling"), "", NO_BLOCKS)
    if town.reconcile is not None and written not in OF_REGISTERS:
        door.no_sense((*at, "reconcile"), "", NO_REGISTER)
    _check_formats(town, at, door)
    names = [rival.name for rival in town.rival]
    for j, name in enumerate(names):
        if name in names[:j]:
            once = ("名前ごとに1つ", "each name once")
            door.no_sense((*at, "rival", j, "name"), name, once)


def _check_formats(town: Municipality, at: KeyPath, door: Door) -> None:
    for j, rival in enumerate(town.rival):
        door.unused(rival, OF_RIVAL, (*at, "rival", j))
    if town.control is not None:
        door.unused(town.control, OF_CONTROL, (*at, "control"))
    if town.ages is not None:
        door.unused(town.ages, OF_AGES, (*at, "ages"))
        if town.ages.format == "mapped" and town.ages.mapping is None:
            door.add("FM011", (*at, "ages", "mapping"), key="mapping", format="mapped")
    if town.dwelling is not None:
        door.unused(town.dwelling, OF_DWELLING, (*at, "dwelling"))
        if bool(town.dwelling.latitude) != bool(town.dwelling.longitude):
            lacking = "longitude" if town.dwelling.latitude else "latitude"
            path = (*at, "dwelling", lacking)
            door.add("FM011", path, key=lacking, format=town.dwelling.format)

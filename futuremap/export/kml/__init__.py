"""Google Earth: now, future and change of one theme as KMZ files that every client accepts."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from futuremap.export.kml.bridge import to_simplekml as to_simplekml
    from futuremap.export.kml.kmz import write_earth as write_earth
    from futuremap.export.kml.kmz import write_motion as write_motion
    from futuremap.export.kml.overlay import write_overlay as write_overlay
    from futuremap.export.kml.profiles import EARTH_PRO as EARTH_PRO
    from futuremap.export.kml.profiles import EARTH_WEB as EARTH_WEB
    from futuremap.export.kml.profiles import PROFILES as PROFILES
    from futuremap.export.kml.profiles import Profile as Profile
    from futuremap.export.kml.profiles import profile_named as profile_named
    from futuremap.export.kml.towns import Stop as Stop
    from futuremap.export.kml.towns import write_towns as write_towns

# where each public name lives; it is imported when first asked for, because the linter, which
# has a process of its own (`lint_process`), needs nothing of what writers need
_HOMES = {
    "EARTH_PRO": "profiles",
    "EARTH_WEB": "profiles",
    "PROFILES": "profiles",
    "Profile": "profiles",
    "Stop": "towns",
    "profile_named": "profiles",
    "to_simplekml": "bridge",
    "write_earth": "kmz",
    "write_motion": "kmz",
    "write_overlay": "overlay",
    "write_towns": "towns",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of the names above


def __getattr__(name: str) -> _Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'futuremap.export.kml' has no attribute {name!r}")
    return getattr(_import_module(f"futuremap.export.kml.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__

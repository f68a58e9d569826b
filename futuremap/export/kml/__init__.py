"""Google Earth: now, future and change of one theme as KMZ files that every client accepts."""

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

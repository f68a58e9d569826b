"""Profiles: what a Google Earth can take."""

from __future__ import annotations

from dataclasses import dataclass

from futuremap.errors import ExportError


@dataclass(frozen=True)
class Profile:
    """What one client takes.

    Parameters
    ----------
    name
        Name of the profile, also of its folder.
    max_features
        Most features of one file; folders and overlays count too, to be on the safe side.
    max_vertices
        Most vertices of one file.
    radio
        Whether the states stand in a folder that shows one of them at a time.
    tours
        Whether the client takes tours, and has a slider of time.
    max_shown
        Most features that may be seen at once; more are written as tiles, if the client takes
        links between the documents of a file.
    refused
        Elements for which the client refuses a file.
    extensions
        Elements of Google's extension that the client takes.
    """

    name: str
    max_features: int
    max_vertices: int
    radio: bool
    tours: bool
    refused: frozenset[str]
    extensions: frozenset[str]
    max_shown: int = 10_000


DECIMALS = 6  # of a degree in all files: about 0.1 m
EXTENSION = "http://www.google.com/kml/ext/2.2"
TOUR = frozenset({"Tour", "Playlist", "FlyTo", "Wait", "duration", "flyToMode"})
# prisms that grow in a tour, balloons that open in it, and the first place of the time slider
MOTION = frozenset({"AnimatedUpdate", "altitudeOffset", "balloonVisibility", "TimeSpan"})
# remote or running content has no place in any of our files; links from tile to tile of one KMZ
# have in that of a client that takes them
NEVER = frozenset({"NetworkLinkControl", "Model", "SchemaData", "Metadata"})
# import limits of the web client: reference/kml.md §0
EARTH_WEB = Profile(
    "earth-web",
    max_features=10_000,
    max_vertices=250_000,
    radio=False,
    tours=False,
    refused=NEVER
    | {
        "NetworkLink",
        "Region",
        "Tour",
        "Track",
        "MultiTrack",
        "ListStyle",
        "TimeSpan",
        "TimeStamp",
    },
    extensions=frozenset(),
)
EARTH_PRO = Profile(
    "earth-pro",
    max_features=200_000,
    max_vertices=5_000_000,
    radio=True,
    tours=True,
    refused=NEVER,
    extensions=TOUR | MOTION,
    max_shown=20_000,
)
PROFILES = {profile.name: profile for profile in (EARTH_WEB, EARTH_PRO)}


def profile_named(name: str) -> Profile:
    """The profile of a name.

    Raises
    ------
    ExportError
        If there is none of that name.

    Examples
    --------
    >>> profile_named("earth-web").max_features
    10000
    """
    if name not in PROFILES:
        raise ExportError(f"no Google Earth profile {name!r}; there are {sorted(PROFILES)}")
    return PROFILES[name]

"""The order that KML 2.2 prescribes for the children of an element, as far as files use it."""

from __future__ import annotations

from typing import Final

# of ogckml22.xsd (tests compare); elements joined by a bar share their place. Elements of other
# namespaces are not ranked: where they may stand is for the whole schema to say
FEATURE: Final = (
    "name visibility open address phoneNumber Snippet|snippet description LookAt|Camera "
    "TimeStamp|TimeSpan styleUrl Style|StyleMap Region Metadata|ExtendedData"
)
FEATURES: Final = "Document|Folder|Placemark|NetworkLink|ScreenOverlay|GroundOverlay|PhotoOverlay"
SHAPES: Final = "Point|LineString|LinearRing|Polygon|MultiGeometry|Model"
OVERLAY: Final = f"{FEATURE} color drawOrder Icon"
BOX: Final = "north south east west"
LINK: Final = (
    "href refreshMode refreshInterval viewRefreshMode viewRefreshTime viewBoundScale "
    "viewFormat httpQuery"
)
CHILDREN: Final = {
    "kml": f"NetworkLinkControl {FEATURES}",
    "Document": f"{FEATURE} Schema {FEATURES}",
    "Folder": f"{FEATURE} {FEATURES}",
    "Placemark": f"{FEATURE} {SHAPES}",
    "NetworkLink": f"{FEATURE} refreshVisibility flyToView Url|Link",
    "ScreenOverlay": f"{OVERLAY} overlayXY screenXY rotationXY size rotation",
    "GroundOverlay": f"{OVERLAY} altitude altitudeMode LatLonBox",
    "PhotoOverlay": f"{OVERLAY} rotation ViewVolume ImagePyramid Point shape",
    "LookAt": "longitude latitude altitude heading tilt range altitudeMode",
    "Camera": "longitude latitude altitude heading tilt roll altitudeMode",
    "TimeStamp": "when",
    "TimeSpan": "begin end",
    "Region": "LatLonAltBox Lod",
    "LatLonAltBox": f"{BOX} minAltitude maxAltitude altitudeMode",
    "LatLonBox": f"{BOX} rotation",
    "Lod": "minLodPixels maxLodPixels minFadeExtent maxFadeExtent",
    "Link": LINK,
    "Icon": LINK,
    "ExtendedData": "Data SchemaData",
    "Data": "displayName value",
    "Point": "extrude altitudeMode coordinates",
    "LineString": "extrude tessellate altitudeMode coordinates",
    "LinearRing": "extrude tessellate altitudeMode coordinates",
    "Polygon": "extrude tessellate altitudeMode outerBoundaryIs innerBoundaryIs",
    "outerBoundaryIs": "LinearRing",
    "innerBoundaryIs": "LinearRing",
    "MultiGeometry": SHAPES,
    "Style": "IconStyle LabelStyle LineStyle PolyStyle BalloonStyle ListStyle",
    "StyleMap": "Pair",
    "Pair": "key styleUrl Style|StyleMap",
    "IconStyle": "color colorMode scale heading Icon hotSpot",
    "LabelStyle": "color colorMode scale",
    "LineStyle": "color colorMode width",
    "PolyStyle": "color colorMode fill outline",
    "BalloonStyle": "color|bgColor textColor text displayMode",
    "ListStyle": "listItemType bgColor ItemIcon maxSnippetLines",
}


def ranks(children: str) -> dict[str, int]:
    """Place of every child of an element.

    Parameters
    ----------
    children
        Their names in order; those joined by a bar share their place.

    Examples
    --------
    >>> ranks("name Snippet|snippet description")
    {'name': 0, 'Snippet': 1, 'snippet': 1, 'description': 2}
    """
    places = enumerate(children.split())
    return {name: rank for rank, names in places for name in names.split("|")}


ORDER: Final = {parent: ranks(children) for parent, children in CHILDREN.items()}

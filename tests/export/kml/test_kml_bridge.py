"""simplekml as a bridge, and as a second opinion about coordinates."""

import numpy as np
import pytest
import shapely
from lxml import etree

from futuremap.errors import ExportError
from futuremap.export.kml import EARTH_WEB, to_simplekml, write_earth

KML = "{http://www.opengis.net/kml/2.2}"


def mixed(make_layer, **changes):
    holed = shapely.box(134, 34, 135, 35).difference(shapely.box(134.2, 34.2, 134.4, 34.4))
    islands = shapely.MultiPolygon([shapely.box(136, 34, 137, 35), shapely.box(138, 34, 139, 35)])
    shapes = [holed, islands, shapely.Point(134.5, 33.5), shapely.box(140, 34, 141, 35)]
    return make_layer(shapes=shapes, now=[10, 20, 30, 0], **changes)


def corners(root):
    return [
        np.array([c.split(",") for c in element.text.split()], dtype=float)
        for element in root.iter(f"{KML}coordinates")
    ]


def test_both_writers_agree_on_every_corner(make_layer, tmp_path, read):
    layer = mixed(make_layer)
    (path,) = write_earth([layer], tmp_path, profile=EARTH_WEB)
    ours = corners(read(path).root)
    theirs = corners(etree.fromstring(to_simplekml(layer).kml().encode()))
    assert len(ours) == len(theirs) == 6
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_values_with_markup_do_not_break_it(make_layer):
    names = ["A & B", "<15年", "]]>\x0b", "$[name]"]
    root = etree.fromstring(to_simplekml(mixed(make_layer, names=names)).kml().encode())
    values = [
        d.findtext(f"{KML}value") for d in root.iter(f"{KML}Data") if d.get("name") == "address"
    ]
    assert values == ["A & B", "<15年", "]]>�", "$[name]"]
    assert [p.findtext(f"{KML}name") for p in root.iter(f"{KML}Placemark")] == values


def test_people_can_add_their_own(make_layer):
    kml = to_simplekml(make_layer(synthetic=True))
    kml.newpoint(name="役場", coords=[(134.0, 34.0)])
    assert "役場" in kml.kml()
    assert "合成データ" in kml.kml()


def test_more_than_it_can_bear_is_refused(make_layer):
    with pytest.raises(ExportError, match="10,000"):
        to_simplekml(make_layer(count=10_001))

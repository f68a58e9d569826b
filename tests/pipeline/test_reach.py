"""高松市 with rules of reach: nearest, Huff, districts, roads; and schools that close and merge."""

import json
import shutil

import numpy as np
import pytest
import shapely

from futuremap.core.crosswalk import gather
from futuremap.pipeline import open_project, run
from futuremap.pipeline.prepare import check_project
from futuremap.pipeline.reach_shapes import reach_shapes
from tests.conftest import TAKAMATSU

RULES = """
[municipality.roads]
file = "roads.graphml"
credit = "osm"

[[municipality.districts]]
class = "middle_school"
file = "districts.geojson"
key = "code"
name = "name"
by = "inside"
credit = "takamatsu_opendata"

[[municipality.event]]
facility = "{closing}"
year = 2035
event = "merge"
into = "{taking}"

[[municipality.event]]
facility = "{moving}"
year = 2040
event = "move"
latitude = 34.30
longitude = 134.05

[[reach.rule]]
class = "medical"
rule = "nearest"

[[reach.rule]]
class = "primary_school"
rule = "walk"
minutes = 15
life_years = 47

[[reach.rule]]
class = "middle_school"
rule = "districts"

[[reach.rule]]
class = "community_center"
rule = "huff"
decay = {{ form = "exponential", parameter = 0.002 }}
"""
BOX = (133.95, 34.15, 134.20, 34.40)
STEP = 0.0025  # degrees between streets


def graphml(path, kind="footway"):
    """A grid of streets all over the city, as OSMnx writes it."""
    east, north = np.arange(BOX[0], BOX[2], STEP), np.arange(BOX[1], BOX[3], STEP)
    wide = len(east)
    nodes = [
        f'<node id="{i}"><data key="x">{x}</data><data key="y">{y}</data></node>'
        for i, (y, x) in enumerate((y, x) for y in north for x in east)
    ]
    pairs = [(i, i + 1) for i in range(len(nodes) - 1) if (i + 1) % wide]
    pairs += [(i, i + wide) for i in range(len(nodes) - wide)]
    edges = [
        f'<edge source="{a}" target="{b}"><data key="h">{kind}</data></edge>'
        for pair in pairs
        for a, b in (pair, pair[::-1])
    ]
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key id="x" for="node" attr.name="x" attr.type="double"/>'
        '<key id="y" for="node" attr.name="y" attr.type="double"/>'
        '<key id="h" for="edge" attr.name="highway" attr.type="string"/>'
        '<key id="c" for="graph" attr.name="crs" attr.type="string"/>'
        f'<graph edgedefault="directed"><data key="c">epsg:4326</data>{"".join(nodes)}{"".join(edges)}</graph></graphml>',
        encoding="utf-8",
    )


def districts(path, schools):
    """The ground nearest to each school, as its district."""
    cells = shapely.voronoi_polygons(
        shapely.MultiPoint(list(schools.geometry)),
        extend_to=shapely.box(133.7, 34.0, 134.4, 34.6),
    )
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"d{i}", "name": f"第{i}学区"},
            "geometry": json.loads(shapely.to_geojson(cell)),
        }
        for i, cell in enumerate(cells.geoms)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::6668"}}
    text = {"type": "FeatureCollection", "crs": crs, "features": features}
    path.write_text(json.dumps(text), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("rules") / "p"
    shutil.copytree(TAKAMATSU, made)
    facilities = open_project(TAKAMATSU).towns[0].facilities
    own = facilities.table["facility_class"] == "middle_school"
    ids = set(facilities.table.index[own])
    points = facilities.located.frame
    schools = points[[zone in ids for zone in points.index]]
    graphml(made / "roads.graphml")
    districts(made / "districts.geojson", schools)
    halls = facilities.table[facilities.table["facility_class"] == "community_center"]
    text = (made / "project.toml").read_text(encoding="utf-8")
    said = RULES.format(closing=schools.index[0], taking=schools.index[1], moving=halls.index[0])
    (made / "project.toml").write_text(text + said, encoding="utf-8")
    return made, schools.index[0], schools.index[1], halls.index[0]


@pytest.fixture(scope="module")
def town(folder):
    return run(open_project(folder[0])).towns[0]


def of_class(town, name):
    table = town.town.facilities.table
    return [zone for zone in town.reach.zones.ids if table.loc[zone, "facility_class"] == name]


def test_everybody_counts_at_one_facility(town):
    city = town.people.totals().sum(axis=1)
    for name in ("medical", "community_center", "middle_school"):
        counted = town.reach.people.only(of_class(town, name)).totals().sum(axis=1)
        np.testing.assert_allclose(counted, city, rtol=1e-9)


def test_a_merged_school_hands_its_district_on(town, folder):
    _, closing, taking, _ = folder
    years = town.reach.people.years
    closed, other = (town.reach.people.only([one]).totals()[:, 0] for one in (closing, taking))
    assert closed[years.index(2033)] > 0
    assert closed[years.index(2038)] == 0
    parts = town.reach.walks[town.reach.of_year[0]]
    before = gather(town.reach.sent, parts).only([closing, taking]).totals().sum(axis=1)
    np.testing.assert_allclose(other[years.index(2038) :], before[years.index(2038) :])
    state = town.reach.in_service[:, town.reach.zones.ids.index(closing)]
    assert state.tolist() == [year < 2035 for year in years]


def test_a_hall_that_moves_draws_other_people(town, folder):
    moving = folder[3]
    years = town.reach.people.years
    first, moved = (
        town.reach.by_year[years.index(year)]
        .weights[[town.reach.zones.ids.index(moving)]]
        .toarray()
        for year in (2038, 2043)
    )
    assert np.abs(first - moved).max() > 0.01


def test_access_says_how_far_people_walk(town):
    access = town.reach.access
    at = access.zones.index("37201/primary_school")
    minutes = access.column("nearest_minutes_p50", 2023)
    assert 3 < minutes[at] < 30
    assert np.isnan(np.delete(minutes, at)).all()
    covered = access.column("coverage_rate", 2023)
    np.testing.assert_allclose(np.delete(covered, at), 1.0, rtol=1e-9)
    assert 0.3 < covered[at] < 0.95


def test_life_left_of_schools(town):
    some = of_class(town, "primary_school")[0]
    table = town.town.facilities.table
    opened = table.loc[some, "opened"]
    if not np.isnan(opened):
        left = town.reach.table.frame("life_left")[some]
        assert left[2053] == opened + 47 - 2053


def test_departments_of_medical_institutions(tmp_path):
    made = tmp_path / "p"
    shutil.copytree(TAKAMATSU, made)
    path = made / "project.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('name = "医療機関"\n', 'name = "内科・外科"\nkinds = ["内科", "外科"]\n'),
        encoding="utf-8",
    )
    town = run(open_project(made)).towns[0]
    medical = of_class(town, "medical")
    assert 200 < len(medical) < 617
    known = town.town.facilities.table.loc[medical, "capacity"]
    load = town.reach.table.frame("load")[medical]
    people = town.reach.table.frame("people_in_reach")[medical]
    beds = known[known > 0]
    np.testing.assert_allclose(load.loc[2023, beds.index] * beds, people.loc[2023, beds.index])


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ('[[reach.rule]]\nclass = "medikal"\n', "FM004", "medical"),
        ('[[reach.rule]]\nclass = "medical"\nrule = "walk"\nminutes = 9\n', "FM670", "roads"),
        ('[[reach.rule]]\nclass = "medical"\nrule = "k_nearest"\n', "FM011", "k"),
        ('[[reach.rule]]\nclass = "medical"\nminutes = 5\n', "FM004", "walk"),
        ('[[reach.rule]]\nclass = "medical"\npreset = "medicl"\n', "FM004", "medical"),
        ('[[reach.rule]]\nclass = "medical"\nrule = "capacity"\n', "FM671", "capacity"),
        ('[[reach.rule]]\nclass = "medical"\nage_from = 6\n', "FM673", "5"),
        ('[[reach.rule]]\nclass = "primary_school"\npreset = "primary_school"\n', "FM674", "11"),
        ('[[municipality.event]]\nfacility = "玉藻中"\nyear = 2030\nevent = "close"\n',
         "FM640", "玉藻"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_located(tmp_path, said, code, words):
    made = tmp_path / "p"
    shutil.copytree(TAKAMATSU, made)
    path = made / "project.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n{said}", encoding="utf-8")
    found = [one for one in check_project(made).problems if one.code == code]
    assert found
    assert words in " ".join(str(part) for part in (*found[0].detail, found[0].value, found[0]))


def test_every_rule_with_an_edge_has_an_outline(folder):
    prepared = open_project(folder[0])
    town = prepared.towns[0]
    shapes = dict(
        zip(town.facilities.located.ids, reach_shapes(prepared, town, town.base), strict=True)
    )
    classes = town.facilities.table["facility_class"]
    of = {name: [shapes[zone] for zone in shapes if classes[zone] == name] for name in set(classes)}
    # whoever is nearest, or shared out: no edge
    assert all(shape is None for name in ("medical", "community_center") for shape in of[name])
    districts = town.reach.districts["middle_school"]
    for zone in (zone for zone in shapes if classes[zone] == "middle_school"):
        point = town.facilities.located.frame.geometry[zone]
        assert shapely.covers(shapes[zone], point)
        assert any(shapes[zone].equals(district) for district in districts.geometry)
    hulls = of["primary_school"]
    assert all(shape.is_valid and shape.area > 0 for shape in hulls)
    # 15 minutes on foot are 1,200 m along the streets, and no more as the crow flies
    size = max(max(b[2] - b[0], (b[3] - b[1]) / 0.82) for b in map(shapely.bounds, hulls))
    assert 1_500 < size * 91_800 < 2 * 1_200 + 2 * 500 + 100

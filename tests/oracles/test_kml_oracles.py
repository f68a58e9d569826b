"""Every KMZ of the demo, read back by clients' own libraries: LIBKML and the OGC schemas."""

import re
import zipfile
from collections import Counter

import numpy as np
import pyogrio
import pytest
import shapely

from futuremap.core.fields import describe
from futuremap.export.kml import PROFILES
from futuremap.export.kml.lint import lint
from futuremap.export.kml.schema import schema_errors
from futuremap.pipeline.draw import draw

YEAR = re.compile(r"（(?:\d{4}→)?(\d{4})年）")
STATES = {"現況": "now", "将来": "future", "増減": "change"}
ONE_FILE = re.compile(r"(?:_(?:now|change|\d{4}))?(?:_\d+of\d+)?$")
# heights are written in decimetres, attributes with the digits of fields.csv
HALF_A_DECIMETRE = 0.05 + 1e-9


@pytest.fixture(scope="module")
def layers(outcome):
    """Layer of every theme, state and year."""
    return {(x.theme, x.state, x.year): x for theme in draw(outcome) for x in theme}


@pytest.fixture(scope="module")
def files(demo_output):
    found = sorted((demo_output / "earth").rglob("*.kmz"))
    assert {path.parent.name for path in found} == {"web", "pro"}
    return found


def test_every_file_is_valid(files):
    assert {path.name: schema_errors(path) for path in files} == {path.name: [] for path in files}


def test_no_file_has_a_finding(files):
    found = [
        str(finding)
        for path in files
        for finding in lint(path, profile=PROFILES[f"earth-{path.parent.name}"], doubts=True)
    ]
    assert found == []


def states_of(path, layers):
    """Layer of a state of a theme -> what LIBKML reads in the folder of that state."""
    theme = ONE_FILE.sub("", path.stem)
    if theme not in {known for known, _, _ in layers}:
        return
    for name, _ in pyogrio.list_layers(path):
        state, year = STATES.get(name[:2]), YEAR.search(name)
        if state is None or year is None:
            continue
        frame = pyogrio.read_dataframe(path, layer=name)
        yield layers[theme, state, int(year[1])], frame[frame["extrude"] == 1]


def heights(shapes):
    """Height of every shape, whose corners all have the same."""
    coordinates, owner = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    top = np.full(len(shapes), -np.inf)
    low = np.full(len(shapes), np.inf)
    np.maximum.at(top, owner, coordinates[:, 2])
    np.minimum.at(low, owner, coordinates[:, 2])
    assert np.array_equal(top, low)
    return top


def test_libkml_reads_what_the_layers_hold(files, layers):
    read = Counter()
    for path in files:
        for layer, frame in states_of(path, layers):
            solid = layer.shown & (np.round(layer.heights(), 1) > 0)
            features, tops = layer.features[solid], layer.heights()[solid]
            tag = f"{path.parent.name}/{path.name} {layer.heading()}"
            assert len(frame) == len(features), tag
            assert frame["Name"].fillna("").tolist() == features["name"].tolist(), tag
            found = heights(frame.geometry.to_numpy())
            assert np.abs(found - tops).max() <= HALF_A_DECIMETRE, tag
            _compare(frame, features, layer.balloon, tag)
            read[path.parent.name] += len(frame)
    shown = sum(int((x.shown & (np.round(x.heights(), 1) > 0)).sum()) for x in layers.values())
    assert read == {"web": shown, "pro": shown}


def _compare(frame, features, columns, tag):
    for column in columns:
        wanted = features[column]
        found = frame[column]
        if wanted.dtype.kind not in "fi":
            assert found.fillna("").tolist() == wanted.fillna("").astype(str).tolist(), tag
            continue
        numbers = found.replace("", np.nan).astype(float).to_numpy()
        digits = describe(column)[0].decimals
        same = np.isclose(numbers, wanted.astype(float), rtol=0, atol=0.5001 * 10.0**-digits, equal_nan=True)  # fmt: skip
        assert same.all(), (tag, column)


def test_the_documents_are_one_a_file(files):
    for path in files:
        with zipfile.ZipFile(path) as archive:
            assert [n for n in archive.namelist() if n.endswith(".kml")] == ["doc.kml"], path.name

"""A facility that moves stands at its new place on the map of the future only."""

import numpy as np
import pytest
import shapely

from futuremap.errors import ExportError
from futuremap.export.geopackage.tables import theme_tables
from futuremap.export.moves import with_moves
from futuremap.pipeline import open_project, run
from futuremap.pipeline.draw import draw
from tests.conftest import TAKAMATSU

EVENT = """
[[municipality.event]]
facility = "community_center-0001"
year = 2040
event = "move"
latitude = 34.30
longitude = 134.05
"""


@pytest.fixture(scope="module")
def theme(tmp_path_factory):
    made = tmp_path_factory.mktemp("moves")
    for file in TAKAMATSU.iterdir():
        (made / file.name).write_bytes(file.read_bytes())
    text = (made / "project.toml").read_text(encoding="utf-8")
    before, at, after = text.partition("[reach]")
    (made / "project.toml").write_text(f"{before}{EVENT}\n{at}{after}", encoding="utf-8")
    return draw(run(open_project(made)))[0]


def test_only_the_future_is_elsewhere(theme):
    places = {
        layer.state: shapely.get_coordinates(layer.features.geometry["community_center-0001"])[0]
        for layer in theme
    }
    np.testing.assert_allclose(places["future"], [134.05, 34.30])
    np.testing.assert_array_equal(places["now"], places["change"])
    assert np.abs(places["now"] - places["future"]).max() > 0.01
    for layer in theme:
        assert any(
            "移転する1施設（高松市日新コミュニティセンター）" in note.ja for note in layer.notes
        )
    others = [layer.features.geometry.drop("community_center-0001") for layer in theme]
    assert others[0].geom_equals(others[1]).sum() == others[0].notna().sum()


def test_a_table_keeps_one_place_and_refuses_other_numbers(theme):
    (table,) = theme_tables(theme)
    assert len(table.drawings) == 3
    future = theme[1]
    other = future.features.assign(people_in_reach_2053=0.0)
    with pytest.raises(ExportError, match="share"):
        theme_tables([theme[0], type(future)(**{**vars(future), "features": other})])


def test_nobody_moves_nothing_changes(theme):
    assert with_moves(theme, {}) == tuple(theme)

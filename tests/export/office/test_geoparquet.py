"""GeoParquet read back by geopandas, and its metadata by pyarrow."""

import json

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from futuremap.errors import LabelError
from futuremap.export.geoparquet import write_geoparquet
from futuremap.problems import Report
from futuremap.sources.published import is_published, read_published, table_of

ABOUT = {"project": "sample", "run": ["架空町の現況と将来", "Sample Town"]}


def test_geopandas_reads_shapes_and_numbers(make_states, tmp_path):
    layers = make_states()
    write_geoparquet(layers, tmp_path / "t.parquet", about=ABOUT)
    again = gpd.read_parquet(tmp_path / "t.parquet").set_index("zone")
    assert again.crs.to_epsg() == 6668
    features = layers[0].features
    assert again.index.tolist() == features.index.tolist()
    assert again.geometry.geom_equals_exact(features.geometry, 0).all()
    for name in features.columns.drop("geometry"):
        assert again[name].tolist() == features[name].tolist()


def test_metadata_say_what_the_columns_are_and_whose(make_states, tmp_path):
    layers = make_states(synthetic=True)
    write_geoparquet(layers, tmp_path / "t.parquet", about=ABOUT)
    schema = pq.read_schema(tmp_path / "t.parquet")
    geo = json.loads(schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["primary_column"] == "geometry"
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon"]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 6668}
    assert column["bbox"] == layers[0].features.total_bounds.tolist()
    about = json.loads(schema.metadata[b"futuremap"])
    assert about["synthetic"] is True
    assert about["credits"][0]["text_ja"] == layers[0].credits[0].text_ja
    named = schema.field("population_2050").metadata
    assert named[b"name_ja"].decode() == "人口 2050年（人）"


def test_features_without_a_place_keep_their_row(make_states, tmp_path):
    shapes = [*shapely.points([[134.0, 34.0], [134.1, 34.0]]), None]
    layers = make_states(3, shapes=shapes, shown=[True, True, False], kind="facility")
    write_geoparquet(layers, tmp_path / "f.parquet", about=ABOUT)
    again = gpd.read_parquet(tmp_path / "f.parquet")
    assert again.geometry.isna().tolist() == [False, False, True]


def test_the_same_layers_give_the_same_bytes(make_states, tmp_path):
    for name in "ab":
        write_geoparquet(make_states(), tmp_path / f"{name}.parquet", about=ABOUT)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_our_own_reader_gives_back_the_theme(make_states, tmp_path):
    folder = tmp_path / "geoparquet"
    folder.mkdir()
    layers = make_states(names=["=1", "a\x0bb", "三", "四", "五", "六"])
    assert not is_published(tmp_path)
    write_geoparquet(layers, folder / "town_blocks.parquet", about=ABOUT)
    assert is_published(tmp_path)
    report = Report()
    (theme,) = read_published(tmp_path, report)
    assert not report.problems
    assert (theme.name, theme.kind, theme.run.ja) == ("town_blocks", "town_block", ABOUT["run"][0])
    assert theme.credits == layers[0].credits
    assert theme.features["name"].tolist() == layers[0].features["name"].tolist()
    assert theme.features.geometry.geom_equals_exact(layers[0].features.geometry, 0).all()
    ours = theme.table(["population", "ageing_rate"])
    assert ours.years == (2020, 2050)
    np.testing.assert_allclose(
        ours.column("ageing_rate", 2050), layers[0].features["ageing_rate_2050"] / 100
    )
    with pytest.raises(LabelError, match="coverage_rate"):
        table_of(theme.features, ["coverage_rate"])


@pytest.mark.parametrize("fault", ["cut", "foreign", "empty", "column", "twice"])
def test_a_damaged_file_is_a_located_problem(make_states, tmp_path, fault):
    folder = tmp_path / "geoparquet"
    folder.mkdir()
    path = folder / "town_blocks.parquet"
    write_geoparquet(make_states(), path, about=ABOUT)
    table = pq.read_table(path)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif fault == "empty":
        path.write_bytes(b"")
    elif fault == "foreign":
        pq.write_table(table.replace_schema_metadata(None), path)
    elif fault == "column":
        pq.write_table(table.rename_columns([*table.column_names[:-2], "mine", "geometry"]), path)
    else:
        import pyarrow as pa

        pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    report = Report()
    assert read_published(tmp_path, report) == []
    assert [(p.code, p.file) for p in report.problems] == [("FM735", str(path))]

"""The table of presets: no number without a source that says where it can be seen."""

from importlib.resources import files

import pytest

from futuremap.catchment.presets import COLUMNS, SOURCES, presets
from futuremap.errors import SourceError

TEXT = (files("futuremap.catchment") / "presets.csv").read_text(encoding="utf-8")


def sheet(**cells):
    row = dict.fromkeys(COLUMNS, "") | {"facility_class": "hall"} | cells
    return ",".join(COLUMNS) + "\n" + ",".join(row[column] for column in COLUMNS)


SOURCED = {"radius_m": "800", "radius_source": "計画", "radius_url": "https://x", "terms": "引用"}


def test_every_number_of_the_shipped_table_has_a_source_with_an_address():
    for preset in presets(TEXT).values():
        named = {source for source, _, _ in preset.sources}
        for source, columns in SOURCES.items():
            has = any(getattr(preset, column) is not None for column in columns)
            assert has == (source in named), (preset.facility_class, source)
        assert all(title and url.startswith("http") for _, title, url in preset.sources)


def test_the_values_are_those_of_the_law_and_the_ministry():
    # 耐用年数省令 別表第一 (RC): offices 50, schools 47, hospitals 39; 更新費用推計ソフト
    table = presets(TEXT)
    assert table["primary_school"].life_years == table["gymnasium"].life_years == 47
    assert (table["hospital"].life_years, table["city_office"].life_years) == (39, 50)
    hall = table["community_center"]
    assert (hall.target_years, hall.rebuild_cost, hall.repair_cost) == (60, 400_000, 250_000)
    assert (table["primary_school"].age_from, table["primary_school"].age_to) == (6, 11)
    assert table["primary_school"].radius_m == 4000
    assert table["medical"].radius_m == 800


def test_what_no_source_was_seen_for_stays_empty():
    table = presets(TEXT)
    assert table["community_center"].radius_m is None
    assert table["medical"].life_years is None
    assert table["nursery"].radius_m is None


def test_a_good_row_is_read():
    assert presets(sheet(**SOURCED))["hall"].radius_m == 800


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (SOURCED | {"radius_source": ""}, "without radius_source"),
        (SOURCED | {"radius_url": ""}, "without radius_source"),
        (SOURCED | {"terms": ""}, "without terms"),
        (SOURCED | {"radius_m": "800m"}, "radius_m '800m'"),
        (SOURCED | {"radius_m": "-1"}, "radius_m '-1'"),
        (SOURCED | {"radius_m": "nan"}, "radius_m 'nan'"),
        ({"rebuild_cost": "400000"}, "without cost_source"),
        ({"age_from": "12", "age_to": "6"}, "from 12.0 to 6.0"),
        ({"facility_class": ""}, "no class"),
    ],
)
def test_a_faulty_row_is_refused(cells, message):
    with pytest.raises(SourceError, match=message):
        presets(sheet(**cells))


def test_a_class_stands_once_and_all_columns_are_there():
    with pytest.raises(SourceError, match="twice"):
        presets(TEXT + TEXT.splitlines()[1])
    with pytest.raises(SourceError, match="radius_m"):
        presets("facility_class\nhall")

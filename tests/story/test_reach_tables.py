"""The demo's tables of reach, as a planner opens them."""

import pandas as pd


def test_every_facility_stands_in_every_year(demo_output):
    data = demo_output / "data"
    years = pd.read_csv(data / "facility_years.csv", encoding="utf-8-sig")
    listed = pd.read_csv(data / "facilities.csv", encoding="utf-8-sig")
    assert set(years["年"]) == set(range(2023, 2054, 5))
    assert len(years) == 7 * len(listed)
    assert set(years["区域コード"]) == set(listed["区域コード"])
    # one has no coordinates: its people are not known, not 0
    unknown = years[years["利用圏人口（人）"].isna()]
    assert set(unknown["名称"]) == set(listed.loc[listed["緯度（JGD2011）"].isna(), "名称"])
    assert len(set(unknown["名称"])) == 1
    now = years[years["年"] == 2023].set_index("区域コード")["利用圏人口（人）"]
    wide = listed.set_index("区域コード")["利用圏人口 2023年（人）"]
    pd.testing.assert_series_equal(now.loc[wide.index], wide, check_names=False)


def test_overlap_and_the_handbook_s_coverage_stand_in_the_tables(demo_output):
    data = demo_output / "data"
    wide = pd.read_csv(data / "facilities.csv", encoding="utf-8-sig")
    people = wide["利用圏人口 2053年（人）"]
    only = wide["この施設だけが利用できる人口 2053年（人）"]
    assert ((only >= 0) & (only <= people + 1e-6))[people.notna()].all()
    share = wide["利用圏の重なりの割合 2053年（％）"]
    known = share.notna()
    assert (only[known] - people[known] * (1 - share[known] / 100)).abs().max() < 0.01
    access = pd.read_csv(data / "access.csv", encoding="utf-8-sig")
    at = access[(access["年"] == 2023) & (access["区域コード"] == "37201/medical")]
    value = at.set_index("指標（英名）")["値"]
    assert abs(value["walking_coverage_rate"] - value["coverage_rate"]) < 0.5  # percent

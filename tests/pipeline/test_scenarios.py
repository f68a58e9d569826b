"""Scenarios of 高松市: differences only, shared work, sums that hold, and bad input with its place."""

import shutil
import time

import numpy as np
import pandas as pd
import pytest

from futuremap import example
from futuremap.config.scenario import Scenario
from futuremap.core.flows import Flows, imbalance
from futuremap.pipeline import open_project, run
from futuremap.pipeline.comparison_rows import comparison_rows
from futuremap.pipeline.prepare import check_project
from futuremap.pipeline.respond import respond
from futuremap.pipeline.scenarios import Comparison, play, run_scenarios
from futuremap.pipeline.side_by_side import side_by_side
from tests.conftest import TAKAMATSU

CLOSING, TAKING = "高松市二番丁コミュニティセンター", "高松市四番丁コミュニティセンター"
MERGE = {
    "name": "統合",
    "event": [{"facility": CLOSING, "year": 2035, "event": "merge", "into": TAKING}],
}
FAMILIES = {
    "name": "家族",
    "people": [{"bundle": "30代夫婦と子", "per_year": 12.0, "zone": "番町１丁目",
                "from_year": 2026, "to_year": 2040, "taper_years": 4}],
}  # fmt: skip


def played(outcome, **said):
    return play(outcome, "one", Scenario.model_validate({"name": "試み", **said}))


def same_tables(one, other):
    return one.data.equals(other.data)


def test_a_scenario_that_changes_nothing_is_the_baseline_to_the_bit(outcome):
    nothing = {"fertility": [{"factor": 1.0}], "survival": [{"death_factor": 1.0}]}
    found = played(outcome, **nothing).outcome
    assert found is not outcome
    assert (found.projection.population.persons == outcome.projection.population.persons).all()
    for name in outcome.projection.flows.names:
        assert (found.projection.flows.data[name].values
                == outcome.projection.flows.data[name].values).all()  # fmt: skip
    assert same_tables(found.municipal, outcome.municipal)
    for town, like in zip(found.towns, outcome.towns, strict=True):
        assert same_tables(town.blocks, like.blocks)
        assert same_tables(town.mesh.table, like.mesh.table)
        assert same_tables(town.reach.table, like.reach.table)
        assert same_tables(town.reach.access, like.reach.access)
    assert played(outcome).outcome is outcome  # without any difference nothing is computed


def services(outcome):
    (kept,) = outcome.indicators.of("municipality")
    return kept.table


def test_other_rates_of_use_change_their_services_and_nothing_else(outcome):
    rate = {"indicator": "care_certified", "factor": 0.9, "from_year": 2026, "full_from": 2035}
    found = played(outcome, rate=[rate]).outcome
    assert found.projection is outcome.projection
    assert found.towns is outcome.towns
    assert found.municipal is outcome.municipal
    ratio = {
        name: services(found).frame(name).to_numpy() / services(outcome).frame(name).to_numpy()
        for name in services(outcome).indicators
    }
    # the strength of 2028 is 3 of 10 years, of 2033 8 of 10, from 2035 on whole
    wanted = [1.0, 0.97, 0.92, 0.9, 0.9, 0.9, 0.9]
    for name, one in ratio.items():
        if name.startswith("care_") and name != "care_cost":  # yen a person are another rate
            assert one[:, 0] == pytest.approx(wanted), name
        else:
            assert np.array_equal(one[1:], np.ones_like(one[1:])), name


def test_rates_of_two_places_add_up_to_those_of_the_city(outcome):
    zones = list(outcome.towns[0].town.blocks.ids)
    change = {"indicator": "inpatients", "factor": 0.8, "age_from": 75}
    whole = services(played(outcome, rate=[change]).outcome).frame("inpatients")
    parts = [{**change, "zones": zones[:100]}, {**change, "zones": zones[100:]}]
    apart = services(played(outcome, rate=parts).outcome).frame("inpatients")
    assert np.allclose(whole, apart, rtol=1e-12, atol=0)
    half = services(played(outcome, rate=parts[:1]).outcome).frame("inpatients").to_numpy()
    base = services(outcome).frame("inpatients").to_numpy()
    assert (whole.to_numpy()[1:] < half[1:]).all()
    assert (half[1:] < base[1:]).all()
    other = played(outcome, rate=parts[:1], fertility=[{"factor": 1.0}]).outcome
    assert np.array_equal(services(other).frame("inpatients").to_numpy(), half)


def test_services_of_areas_and_of_all_towns_are_compared_too():
    base = run(open_project(example("tottori")))
    code = base.towns[0].town.code
    change = {"fertility": [{"factor": 1.2, "municipality": code}]}
    one = play(base, "one", Scenario.model_validate({"name": "試み", **change}))
    rows = comparison_rows(Comparison(base, (one,)))
    rows = rows[(rows["kind"] == "service") & (rows["indicator"] == "pupils_primary")]
    gaps = rows[rows["year"] == rows["year"].max()].set_index("zone")["difference"]
    # the town, all towns together, its medical area, and the living areas that share it
    assert np.allclose(gaps[[code, "region", "東部"]], gaps[code])
    assert np.isclose(gaps[["鳥取", "倉吉", "米子"]].sum(), gaps[code])


def test_people_who_come_are_in_the_flows_and_everywhere_else(outcome):
    found = played(outcome, **FAMILIES).outcome
    flows = found.projection.flows
    households = 12.0 * (15 + 0.8 + 0.6 + 0.4 + 0.2)
    assert flows.data["in_migrants"].sum() == pytest.approx(households * 3, rel=1e-12)
    assert imbalance(found.projection.population, flows) < 1e-12
    gap = found.projection.population.persons - outcome.projection.population.persons
    place = outcome.projection.population.zones.index(
        outcome.towns[0].town.zone_named("番町１丁目")
    )
    assert (np.delete(gap, place, axis=1) == 0).all()  # rake factors are held: nobody else moves
    assert (gap >= 0).all()
    total = found.municipal.frame("population").sum(axis=1).to_numpy()
    assert found.towns[0].mesh.people.totals().sum(axis=1) == pytest.approx(total, rel=1e-9)
    assert (found.accounts.frame("in_migrants").sum(axis=1)[2028] > 0).all()


def test_the_run_says_what_the_unit_responses_say(outcome):
    found = played(outcome, **FAMILIES).outcome
    entry = Scenario.model_validate({"name": "x", **FAMILIES}).people[0]
    from futuremap.config.scenario import LeverEntry

    lever = LeverEntry.model_validate(
        {**entry.model_dump(exclude={"per_year"}), "max": 99.0},
    )
    responses = respond(outcome, [lever])
    said = outcome.projection.population.persons + responses.persons(np.array([12.0]))
    np.testing.assert_allclose(found.projection.population.persons, said, rtol=1e-12, atol=1e-9)


def test_a_merger_is_that_of_a_fresh_run(outcome):
    found = played(outcome, **MERGE).outcome
    afresh = run(found.prepared)
    for name in ("value", "low", "high"):
        np.testing.assert_array_equal(
            found.towns[0].reach.table.data[name].values,
            afresh.towns[0].reach.table.data[name].values,
        )
    assert same_tables(found.municipal, afresh.municipal)
    assert same_tables(found.towns[0].reach.access, afresh.towns[0].reach.access)


def test_facilities_alone_project_and_gather_nothing_anew(outcome):
    found = played(outcome, **MERGE).outcome
    assert found.projection is outcome.projection
    assert found.accounts is outcome.accounts
    town, like = found.towns[0], outcome.towns[0]
    assert town.blocks is like.blocks
    assert town.mesh is like.mesh
    kinds = {one.layers[0].theme for one in side_by_side(Comparison(outcome, run_scenarios_of(
        outcome, MERGE)))}  # fmt: skip
    assert kinds == {"facilities"}


def run_scenarios_of(outcome, *settings):
    return tuple(
        play(outcome, f"s{i}", Scenario.model_validate(said)) for i, said in enumerate(settings)
    )


def test_a_facility_scenario_costs_under_a_tenth_of_a_run(outcome):
    def cost(call, repeats):
        times = []
        for _ in range(repeats):
            start = time.process_time()
            call()
            times.append(time.process_time() - start)
        return min(times)

    whole = cost(lambda: run(open_project(TAKAMATSU)), 1)
    assert cost(lambda: played(outcome, **MERGE), 3) < 0.1 * whole


@pytest.fixture(scope="module")
def nearest(tmp_path_factory):
    """高松市 with centres that everybody goes to the nearest of."""
    folder = tmp_path_factory.mktemp("nearest") / "project"
    shutil.copytree(TAKAMATSU, folder)
    text = (folder / "project.toml").read_text(encoding="utf-8")
    rule = '\n[[reach.rule]]\nclass = "community_center"\nrule = "nearest"\n'
    text = text.replace("\n[projection]", f"{rule}\n[projection]", 1)
    (folder / "project.toml").write_text(text, encoding="utf-8")
    return run(open_project(folder))


def test_merged_facilities_keep_every_person_once(nearest):
    found = play(nearest, "merge", Scenario.model_validate(MERGE)).outcome
    table = nearest.towns[0].town.facilities.table
    mine = table.index[table["facility_class"] == "community_center"]
    before, after = (
        one.towns[0].reach.people.only(list(mine)).totals() for one in (nearest, found)
    )
    np.testing.assert_allclose(before.sum(axis=1), after.sum(axis=1), rtol=1e-9)
    place = {name: list(mine).index(table.index[table["name"] == name][0])
             for name in (CLOSING, TAKING)}  # fmt: skip
    gone = before[:, place[CLOSING]] - after[:, place[CLOSING]]
    assert (gone[:3] == 0).all()  # until 2033
    assert (after[3:, place[CLOSING]] == 0).all()
    assert (after[3:, place[TAKING]] > before[3:, place[TAKING]]).all()


def test_new_facilities_moves_and_rules(outcome):
    new = {"class": "community_center", "name": "新センター", "year": 2030, "latitude": 34.30,
           "longitude": 134.05, "capacity": 200.0}  # fmt: skip
    found = played(outcome, facility=[new]).outcome.towns[0]
    row = found.reach.table.zones.index("37201-new-01")
    people = found.reach.people.totals()[:, row]
    assert (people[:2] == 0).all()
    assert (people[2:] > 0).all()
    other = {**new, "year": 2040, "latitude": 34.28}
    moved = played(outcome, facility=[other]).outcome.towns[0].reach.people.totals()[:, row]
    assert (moved[:4] == 0).all()  # another new facility is not mistaken for the first
    assert moved[-1] != people[-1]
    wider = played(outcome, reach=[{"class": "middle_school", "radius_m": 1500.0}]).outcome
    table = outcome.towns[0].town.facilities.table
    schools = list(table.index[table["facility_class"] == "middle_school"])
    before, after = (one.towns[0].reach.people.only(schools).totals() for one in (outcome, wider))
    assert (after[1:] > before[1:]).all()
    assert np.array_equal(after[0], before[0])  # what was counted cannot differ


def test_rates_bend_what_they_should(outcome):
    births = played(outcome, fertility=[{"factor": 1.2, "from_year": 2029}]).outcome
    gap = births.projection.population.persons - outcome.projection.population.persons
    assert (gap[1] == 0).all()
    children = outcome.projection.population.persons[2, :, :, 0]
    np.testing.assert_allclose(gap[2, :, :, 0], 0.2 * children, rtol=1e-9, atol=1e-12)
    twice = played(outcome, fertility=[{"tfr_now": 1.4, "tfr_goal": 1.4 * 1.2}]).outcome
    assert (
        twice.municipal.frame("population_0_14").iloc[-1, 0]
        > (births.municipal.frame("population_0_14").iloc[-1, 0])
    )
    deaths = played(outcome, survival=[{"death_factor": 0.5}]).outcome
    old = deaths.municipal.frame("population_65_over").iloc[-1, 0]
    assert old > 1.1 * outcome.municipal.frame("population_65_over").iloc[-1, 0]
    stay = played(
        outcome,
        migration=[{"net_loss_factor": 0.5, "age_from": 20, "age_to": 29, "zone": "番町１丁目"}],
    ).outcome
    moved = stay.projection.population.persons - outcome.projection.population.persons
    assert set(np.nonzero(moved.any(axis=(0, 2, 3)))[0]) == {
        outcome.projection.population.zones.index(outcome.towns[0].town.zone_named("番町１丁目"))
    }
    assert (moved[1].sum(axis=(0, 1)).round(9) > 0).nonzero()[0].min() in (0, 4)


def test_estates_and_clearances(outcome):
    said = {
        "housing": [
            {"zone": "番町１丁目", "year": 2030, "dwellings": 100.0, "occupied_share": 0.9,
             "mix": {"family_30s": 0.5, "single_20s": 0.5}},
            {"zone": "番町２丁目", "year": 2031, "dwellings": -20.0, "household_size": 2.0},
            {"zone": "番町３丁目", "year": 2031, "dwellings": 10.0, "household_size": 2.5},
        ],
    }  # fmt: skip
    found = played(outcome, **said).outcome
    flows = found.projection.flows.data
    assert flows["in_migrants"].sum() == pytest.approx(90 * (0.5 * 3 + 0.5) + 25)
    assert flows["out_migrants"].sum() == pytest.approx(40.0)
    assert imbalance(found.projection.population, found.projection.flows) < 1e-12


def test_the_table_holds_what_differs_and_the_scale_is_one(outcome):
    comparison = Comparison(outcome, run_scenarios_of(outcome, MERGE, FAMILIES))
    rows = comparison_rows(comparison)
    np.testing.assert_allclose(rows["value"] - rows["baseline_value"], rows["difference"])
    assert set(rows["scenario"]) == {"s0", "s1"}
    zones = rows[rows["kind"] == "zone"]
    assert set(zones["name"]) == {"番町１丁目"}
    merged = rows[(rows["scenario"] == "s0") & (rows["kind"] == "facility")]
    assert CLOSING in set(merged["name"])
    drawn = side_by_side(comparison)
    for theme in {one.layers[0].theme for one in drawn}:
        scales = {x.metres_per_unit for one in drawn for x in one.layers if x.theme == theme}
        assert len(scales) == 1
    assert all(
        [layer.heading() for layer in one.layers][:2]
        == ["現況（2023年）", "何もしない将来（2053年）"]
        for one in drawn
    )
    assert isinstance(rows, pd.DataFrame)


BAD = {
    "FM840": '[[scenario.s.people]]\nbundle = "family_30s"\nper_year = 1.0\nzone = "番町1丁目"\n',
    "FM841": '[[scenario.s.event]]\nfacility = "二番丁コミュニティセンター"\nyear = 2035\n'
    'event = "close"\n',
    "FM842": '[[scenario.s.people]]\nbundle = "家族"\nper_year = 1.0\n',
    "FM843": '[[scenario.s.people]]\nbundle = "family_30s"\nper_year = 1.0\nfrom_year = 2023\n',
    "FM845": '[[scenario.s.people]]\nbundle = "family_30s"\nper_year = 1.0\nzone = "番町１丁目"\n'
    f'facility = "{CLOSING}"\n',
    "FM846": "[[scenario.s.fertility]]\nfactor = 1.2\ntfr_now = 1.4\ntfr_goal = 1.5\n",
    "FM847": '[[scenario.s.housing]]\nzone = "番町１丁目"\nyear = 2030\ndwellings = -9999.0\n'
    "household_size = 2.0\n",
    "FM849": '[[scenario.s.facility]]\nclass = "community_center"\nname = "海の上"\nyear = 2030\n'
    "latitude = 34.9\nlongitude = 134.0\n",
    "FM850": '[[backcast.b.lever]]\nbundle = "family_30s"\n',
    "FM851": '[[backcast.b.lever]]\nbundle = "family_30s"\nmin = 5.0\nmax = 2.0\n',
    "FM852": '[[backcast.b.target]]\nindicator = "population"\nyear = 2053\nat_most = 1.0\n',
    "FM853": '[[backcast.b.target]]\nindicator = "populaton"\nyear = 2053\nkeep = 0.9\n',
    "FM854": '[[backcast.b.target]]\nindicator = "population"\nyear = 2053\nkeep = 0.9\n'
    "at_most = 3.0\n",
    "FM855": '[[backcast.b.target]]\nindicator = "population"\nyear = 2050\nkeep = 0.9\n',
    "FM856": '[[backcast.b.lever]]\nlever = "fertility"\nbundle = "family_30s"\nmax = 2.0\n',
    "FM857": '[[backcast.b.lever]]\nlever = "radius_m"\nclass = "medical"\nmax = 2000.0\n',
    "FM858": '[[backcast.b.lever]]\nlever = "facilities"\nclass = "hall"\nmax = 20.0\n',
    "FM859": '[[scenario.s.people]]\nbundle = "family_30s"\nper_year = 1.0\nfrom_year = 2040\n'
    "to_year = 2030\n",
    "FM870": '[[scenario.s.rate]]\nindicator = "care_certifed"\nfactor = 0.9\n',
    "FM871": '[[scenario.s.rate]]\nindicator = "care_level_3"\nfactor = 0.9\n',
    "FM872": '[[scenario.s.rate]]\nindicator = "outpatients"\nfactor = 0.9\n',
    "FM873": '[[scenario.s.rate]]\nindicator = "要介護（要支援）認定者"\nfactor = 5.0\n',
    "FM874": '[[backcast.b.target]]\nindicator = "classes_expected"\nyear = 2053\nkeep = 0.9\n',
    "FM642": f'[[scenario.s.event]]\nfacility = "{CLOSING}"\nyear = 2030\nevent = "close"\n'
    f'[[scenario.s.event]]\nfacility = "{CLOSING}"\nyear = 2035\nevent = "close"\n',
    "FM644": f'[[scenario.s.event]]\nfacility = "{CLOSING}"\nyear = 2060\nevent = "close"\n',
    "FM002": '[[scenario.s.people]]\nbundel = "family_30s"\nper_year = 1.0\n',
}
HEAD = """
[scenario.s]
name = "試み"

[backcast.b]
name = "逆算"
[[backcast.b.target]]
indicator = "population"
year = 2053
at_least = 10.0
[[backcast.b.lever]]
bundle = "family_30s"
max = 3.0

"""


def test_every_fault_is_told_with_its_line_and_all_at_once(project):
    file = project / "project.toml"
    good = file.read_text(encoding="utf-8")
    told = {}
    for code, text in BAD.items():
        if code == "FM002":
            continue
        file.write_text(f"{good}{HEAD}{text}", encoding="utf-8")
        told[code] = {p.code: p for p in check_quickly(project).problems}
    for code, found in told.items():
        assert code in found, (code, sorted(found))
        problem = found[code]
        assert problem.line is not None, code
        line = file.read_text(encoding="utf-8")
        assert problem.line > good.count("\n"), (code, problem.line, line)
        assert all(problem.text(part, lang) for part in ("title", "why", "fix")
                   for lang in ("ja", "en"))  # fmt: skip
        assert "?" not in problem.text("expected").replace("？", "")
    assert "高松市二番丁" in told["FM841"]["FM841"].text("fix")
    assert "番町" in told["FM840"]["FM840"].text("fix")
    assert "care_certified" in told["FM870"]["FM870"].text("fix")
    assert "care_needed" in told["FM871"]["FM871"].text("fix")


_KNOWN = {}


def check_quickly(project):
    """Scenarios checked against data read once: only the project file differs."""
    from futuremap.config import load
    from futuremap.pipeline.read_scenarios import check_scenarios
    from futuremap.problems import Report

    if "towns" not in _KNOWN:
        known = open_project(TAKAMATSU)
        _KNOWN.update(towns=known.towns, inputs=known.indicators)
    report = Report()
    loaded = load(project, report=report)
    if loaded is not None:
        check_scenarios(loaded, _KNOWN["towns"], _KNOWN["inputs"], report)
    return report


def test_an_unknown_key_has_a_suggestion_and_check_reads_it_all(project):
    file = project / "project.toml"
    good = file.read_text(encoding="utf-8")
    file.write_text(f"{good}{HEAD}{BAD['FM002']}", encoding="utf-8")
    (problem,) = (found for found in check_quickly(project).errors if found.code == "FM002")
    assert "bundle" in problem.text("fix")
    file.write_text(f"{good}{HEAD}{BAD['FM840']}{BAD['FM850']}", encoding="utf-8")
    codes = {found.code for found in check_project(project).errors}
    assert {"FM840", "FM850"} <= codes


def test_a_scenario_nobody_wrote_is_proposed_another(outcome):
    from futuremap.errors import UnknownNameError

    with pytest.raises(UnknownNameError):
        run_scenarios(outcome, ["nothing"])


def test_no_difference_keeps_the_account_to_the_bit(outcome):
    for nothing in ({"fertility": [{"factor": 1.0}]}, {"survival": [{"death_factor": 1.0}]},
                    {"migration": [{"net_loss_factor": 1.0}]}):  # fmt: skip
        found = played(outcome, **nothing).outcome
        assert found.projection.flows is outcome.projection.flows
        assert found.accounts.indicators == outcome.accounts.indicators
        assert same_tables(found.accounts, outcome.accounts)


def test_what_a_baseline_brings_stays_in_its_own_column(outcome):
    """People of a baseline whose account knows in- and out-migrants are not lumped together."""
    flows = outcome.projection.flows
    net = flows.data["net_change"].values
    known = Flows.build(
        {
            "births": flows.data["births"].values.copy(),
            "control_adjustment": flows.data["control_adjustment"].values.copy(),
            "in_migrants": np.maximum(net, 0.0),
            "out_migrants": np.maximum(-net, 0.0),
        },
        years=[int(year) for year in flows.data["year"].values],
        zones=outcome.projection.population.zones,
        ages=flows.ages,
    )
    base = outcome._replace(projection=outcome.projection._replace(flows=known))
    setting = Scenario.model_validate({"name": "x", **FAMILIES})
    found = play(base, "x", setting, draft=True).outcome.projection
    assert imbalance(found.population, found.flows) < 1e-12
    more = found.flows.data["in_migrants"].values - known.data["in_migrants"].values
    assert more.sum() == pytest.approx(12.0 * (15 + 0.8 + 0.6 + 0.4 + 0.2) * 3, rel=1e-9)
    np.testing.assert_array_equal(
        found.flows.data["out_migrants"].values, known.data["out_migrants"].values
    )

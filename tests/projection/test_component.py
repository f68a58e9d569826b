"""The cohort-component step by hand, its account, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.core.flows import advance_age, imbalance
from futuremap.core.population import Flag, Population
from futuremap.core.rates import Rates
from futuremap.errors import DemographyError, LabelError
from futuremap.projection.by_component import project_components
from futuremap.projection.component import ComponentRates, Convention, component_step

AGES = AgeGroups.five_year(open_age=85)
A = len(AGES)
CONVENTIONS = [Convention(t, a) for t in ("end", "half") for a in ("event", "reached")]


def closed(survival=1.0, ages=4, **more):
    """No births, no migration; one zone."""
    rates = {"survival_ratio": np.full((1, 2, ages + 1), survival), "asfr": np.zeros((1, ages))}
    return ComponentRates(**{**rates, "sex_ratio": np.ones(1), **more})


def women(*counts):
    return np.array([[[0.0] * len(counts), list(counts)]])


def at(age, value, sex=1, ages=4):
    cube = np.zeros((1, 2, ages))
    cube[0, sex, age] = value
    return cube


@pytest.mark.parametrize(("people", "expected"), [((0, 0, 0, 9), 1.8), ((0, 0, 10, 0), 5.0)])
def test_the_open_group_has_a_ratio_of_its_own(people, expected):
    survival = np.ones((1, 2, 5))
    survival[..., 3], survival[..., 4] = 0.5, 0.2
    step = component_step(women(*people), closed(survival_ratio=survival), width=5)
    assert step.persons[0, 1, 3] == pytest.approx(expected)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_closed_and_immortal_stays_constant(convention):
    people = women(4.0, 3.0, 2.0, 1.0)
    step = component_step(people, closed(), width=5, convention=convention)
    assert step.persons.sum() == people.sum()
    np.testing.assert_array_equal(step.persons, advance_age(people))


def test_births_by_hand_with_half_of_the_migrants_there():
    """8 + 2/2 women at the start and 4·0.5 + 2/2 at the end bear 0.1 a year for five years."""
    rates = closed(
        survival=0.5,
        asfr=np.array([[0.0, 0.0, 0.1, 0.0]]),
        sex_ratio=np.array([1.5]),
        net_count=at(2, 2.0),
    )
    people = women(0.0, 4.0, 8.0, 0.0)
    step = component_step(people, rates, width=5, convention=Convention("half"))
    births = 5 * 0.1 * (9.0 + 3.0) / 2
    assert step.births_by_mother[0].tolist() == pytest.approx([0, 0, births, 0])
    assert step.births[0].tolist() == pytest.approx([births * 0.6, births * 0.4])
    assert step.persons[0, 1].tolist() == pytest.approx([births * 0.4 * 0.5, 0, 3.0, 4.5])


def test_migrants_at_the_end_neither_die_nor_leave_early():
    rates = closed(survival=0.5, net_count=at(2, 2.0) + at(3, -1.0))
    step = component_step(women(0.0, 4.0, 8.0, 0.0), rates, width=5)
    assert step.persons[0, 1].tolist() == [0.0, 0.0, 4.0, 3.0]
    assert step.deaths[0, 1].tolist() == [0.0, 0.0, 2.0, 4.0]
    assert step.in_migrants[0, 1, 2] == 2.0
    assert step.out_migrants[0, 1, 3] == 1.0


def test_half_the_net_migrants_of_a_reached_age_can_die():
    """D = m (S + net/2), n = S + net − D: the account of single years by age reached."""
    rates = closed(survival=0.8, net_count=at(2, 5.0))
    step = component_step(women(0, 10.0, 0, 0), rates, width=1, convention=CONVENTIONS[3])
    assert step.deaths[0, 1, 2] == pytest.approx(0.2 * 12.5)
    assert step.persons[0, 1, 2] == pytest.approx(15 - 0.2 * 12.5)


def test_a_rate_of_out_migration_is_of_those_at_the_start():
    """Of 100, 60 survive and 10 leave: 50 stay, not 54."""
    rates = closed(survival=0.6, emigration_rate=np.full((1, 2, 5), 0.1))
    step = component_step(women(0, 100.0, 0, 0), rates, width=5)
    assert step.persons[0, 1, 2] == pytest.approx(50.0)


def test_children_of_a_child_woman_ratio_do_not_die_twice():
    rates = closed(
        survival=0.5,
        asfr=None,
        child_woman_ratio=np.array([0.4]),
        fertile=slice(1, 3),
        net_count=at(0, 7.0),
    )
    step = component_step(women(8.0, 4.0, 8.0, 0.0), rates, width=5)
    assert step.births[0].tolist() == pytest.approx([1.2, 1.2])  # 0.4 · (4 + 2) children
    assert step.persons[0, :, 0].tolist() == pytest.approx([1.2, 1.2])
    assert step.deaths[0, :, 0].tolist() == [0.0, 0.0]
    assert step.births_by_mother[0].tolist() == pytest.approx([0.0, 1.6, 0.8, 0.0])


def test_no_woman_of_fertile_age_bears_nobody():
    rates = closed(asfr=np.array([[0.0, 0.1, 0.1, 0.0]]))
    step = component_step(women(5.0, 0.0, 0.0, 3.0)[:, ::-1], rates, width=5)
    assert step.births.tolist() == [[0.0, 0.0]]
    assert np.isfinite(step.persons).all()


def test_the_pool_hands_on_whom_it_takes_within_parents():
    people = np.full((3, 2, 4), 10.0)
    share = np.array([0.25, 0.75, 1.0])[:, None, None] * np.ones((3, 2, 4))
    immigrants = np.ones((2, 2, 4))
    rates = ComponentRates(
        np.ones((3, 2, 5)),
        np.ones(3),
        asfr=np.zeros((3, 4)),
        out_rate=np.full((3, 2, 5), 0.2),
        in_share=share,
        immigrants=immigrants,
    )
    step = component_step(people, rates, width=5, parent_starts=np.array([0, 2]))
    gain = step.in_migrants - step.out_migrants
    assert gain[:2].sum() == pytest.approx(immigrants[0].sum())
    assert gain[2].sum() == pytest.approx(immigrants[1].sum())
    assert step.in_migrants[0, 0, 1] == pytest.approx(0.25 * (0.2 * 20 + 1))


def test_an_empty_zone_fills_from_the_pool():
    people = np.zeros((2, 2, 4))
    people[0] = 100.0
    rates = ComponentRates(
        np.ones((2, 2, 5)),
        np.ones(2),
        asfr=np.zeros((2, 4)),
        out_rate=np.full((2, 2, 5), 0.1),
        in_share=np.full((2, 2, 4), 0.5),
    )
    later = component_step(people, rates, width=5).persons
    assert later[1, 0, 1] == pytest.approx(5.0)
    assert later.sum() == pytest.approx(people.sum())


def test_nationals_gain_whom_the_others_lose_and_some_of_their_children():
    people = np.zeros((2, 1, 2, 4))
    people[1, 0, 1, 1] = 10.0
    exchange = np.zeros((2, 2, 1, 2, 5))
    exchange[1, 0] = 0.3
    rates = ComponentRates(
        np.ones((2, 1, 2, 5)),
        np.ones((2, 1)),
        asfr=np.array([[[0.0, 0.08, 0.0, 0.0]]] * 2),
        exchange_rate=exchange,
        child_group=np.array([[1.0, 0.0], [0.25, 0.75]]),
    )
    step = component_step(people, rates, width=5)
    assert step.persons[:, 0, 1, 2].tolist() == pytest.approx([3.0, 7.0])
    np.testing.assert_allclose(step.exchange.sum(axis=0), 0.0, atol=1e-12)
    # 5 · 0.08 · 10/2 = 2 children: half a child is a national at once, others are naturalised
    assert step.births.sum(axis=2).ravel().tolist() == pytest.approx([0.5, 1.5])
    assert step.persons[:, 0, :, 0].sum(axis=1).tolist() == pytest.approx([0.95, 1.05])


def test_group_quarters_stay_as_they_are_and_are_accounted_for():
    people = women(0.0, 12.0, 6.0, 0.0)
    dormitory = women(0.0, 10.0, 0.0, 0.0)
    step = component_step(people, closed(), width=5, group_quarters=dormitory)
    assert step.persons[0, 1].tolist() == [0.0, 10.0, 2.0, 6.0]
    assert step.in_migrants[0, 1].tolist() == [0.0, 10.0, 0.0, 0.0]
    assert step.out_migrants[0, 1].tolist() == [0.0, 0.0, 10.0, 0.0]
    with pytest.raises(DemographyError, match="group quarters hold 13"):
        component_step(people, closed(), width=5, group_quarters=women(0.0, 13.0, 0.0, 0.0))


def test_whom_a_zone_lacks_the_rest_of_its_parent_gives():
    people = np.full((3, 2, 4), 10.0)
    leave = np.zeros((3, 2, 4))
    leave[0, 0, 1] = -14.0
    rates = ComponentRates(np.ones((3, 2, 5)), np.ones(3), asfr=np.zeros((3, 4)), net_count=leave)
    step = component_step(people, rates, width=5, parent_starts=np.array([0, 2]))
    assert step.persons[:, 0, 1].tolist() == [0.0, 6.0, 10.0]
    assert step.limited[:, 0, 1].tolist() == [-4.0, 4.0, 0.0]
    with pytest.raises(DemographyError, match=r"parent 0 .sex 0, age group 1"):
        component_step(
            people,
            ComponentRates(
                np.ones((3, 2, 5)), np.ones(3), asfr=np.zeros((3, 4)), net_count=2 * leave
            ),
            width=5,
            parent_starts=np.array([0, 2]),
        )


def test_impossible_rates_and_ambiguous_fertility_are_refused():
    people = women(1.0, 1.0, 1.0, 1.0)
    with pytest.raises(DemographyError, match="more people leave than survive"):
        component_step(people, closed(0.5, net_rate=np.full((1, 2, 5), -0.7)), width=5)
    with pytest.raises(LabelError, match="either"):
        component_step(people, closed(child_woman_ratio=np.ones(1)), width=5)
    with pytest.raises(LabelError, match="age groups of its women"):
        component_step(people, closed(asfr=None, child_woman_ratio=np.ones(1)), width=5)
    with pytest.raises(LabelError, match="too few"):
        component_step(people[..., :2], closed(ages=2), width=5)


@st.composite
def towns(draw):
    """Four zones of two parents with every kind of rate; counts may ask for too many."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    zones, ages = 4, draw(st.integers(3, 9))
    people = rng.gamma(0.7, 20.0, (zones, 2, ages))
    people[rng.random(zones) < 0.2] = 0.0
    people[1::2] += 5.0
    kinds = {
        name
        for name in ("net_rate", "out_rate", "emigration_rate", "in_count", "net_count")
        if draw(st.booleans())
    }
    cohorts = (zones, 2, ages + 1)
    share = rng.uniform(0.1, 1, (2, 2, 2, ages))
    given_rates = {
        "net_rate": rng.uniform(-0.1, 0.3, cohorts),
        "out_rate": rng.uniform(0, 0.1, cohorts),
        "emigration_rate": rng.uniform(0, 0.1, cohorts),
        "in_count": rng.uniform(0, 5, (zones, 2, ages)),
        "net_count": rng.normal(0.0, 1.0, (zones, 2, ages)) * people.mean() / 100,
    }
    asfr = rng.uniform(0, 0.2, (zones, ages)) * (np.arange(ages) > 0)
    by_cwr = draw(st.booleans())
    rates = ComponentRates(
        rng.uniform(0.6, 1.0, cohorts),
        rng.uniform(0.8, 1.2, zones),
        asfr=None if by_cwr else asfr,
        child_woman_ratio=rng.uniform(0, 1, zones) if by_cwr else None,
        fertile=slice(1, 3),
        in_share=(share / share.sum(axis=1, keepdims=True)).reshape(zones, 2, ages),
        immigrants=rng.uniform(0, 3, (2, 2, ages)) if draw(st.booleans()) else None,
        **{name: array for name, array in given_rates.items() if name in kinds},
    )
    quarters = people * rng.uniform(0, 0.3, people.shape) if draw(st.booleans()) else None
    return people, rates, draw(st.sampled_from(CONVENTIONS)), quarters


@settings(max_examples=150, deadline=None)
@given(towns())
def test_the_account_is_exact_in_every_cell(town):
    people, rates, convention, quarters = town
    try:
        step = component_step(
            people,
            rates,
            width=5,
            convention=convention,
            parent_starts=np.array([0, 2]),
            group_quarters=quarters,
        )
    except DemographyError as refused:  # nobody left of those who should leave
        assert "leave" in str(refused)  # noqa: PT017
        return
    account = advance_age(people) - step.deaths + step.in_migrants - step.out_migrants
    account[..., 0] += step.births
    scale = np.maximum(1.0, people.sum(axis=(1, 2)))[:, None, None]
    assert (np.abs(step.persons - account) / scale).max() < 1e-9
    assert step.births_by_mother.sum() == pytest.approx(step.births.sum())
    np.testing.assert_allclose(step.limited[:2].sum(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(step.limited[2:].sum(axis=0), 0.0, atol=1e-9)
    for flow in (step.persons, step.deaths, step.in_migrants, step.out_migrants):
        assert (flow >= -1e-9).all()


@settings(max_examples=40, deadline=None)
@given(towns(), st.floats(0.1, 10.0))
def test_rates_are_linear_and_zones_do_not_disturb_each_other(town, factor):
    people, rates, convention, _ = town
    shared = ComponentRates(
        **{
            **vars(rates),
            "net_count": None,
            "in_count": None,
            "immigrants": None,
        }
    )

    def run(stock):
        return component_step(
            stock, shared, width=5, convention=convention, parent_starts=np.array([0, 2])
        ).persons

    other = np.roll(people, 1, axis=2)
    np.testing.assert_allclose(
        run(people + factor * other), run(people) + factor * run(other), atol=1e-9 * people.sum()
    )
    half = people.copy()
    half[2:] = 0.0
    np.testing.assert_allclose(run(half)[:2], run(people)[:2])


def named(zones=3, **changes):
    shape = (zones, 2, A)
    asfr = np.zeros((1, A))
    asfr[0, 3:10] = 0.05
    variables = {
        "survival_ratio": np.full(shape, 0.9),
        "parent_birth_survival_ratio": np.full((1, 2), 0.99),
        "sex_ratio_at_birth": np.full(zones, 1.05),
        "parent_asfr": asfr,
        **changes,
    }
    return Rates.build(
        {name: value for name, value in variables.items() if value is not None},
        zones=[f"z{i}" for i in range(zones)],
        parents=["34204"],
        parent_of=np.zeros(zones, dtype=np.intp),
        ages=AGES,
        interval=5,
        flag=np.full(zones, Flag.SHRUNK, np.uint8),
    )


def town(zones=3, ages=AGES, flag=Flag.OBSERVED):
    people = np.random.default_rng(1).gamma(2.0, 30.0, (1, zones, 2, len(ages)))
    return Population.build(
        people,
        years=[2020],
        zones=[f"z{i}" for i in range(zones)],
        ages=ages,
        flag=flag,
    )


def test_a_projection_by_component_balances_and_keeps_its_flags():
    rates = named(net_migration_rate=np.full((3, 2, A), -0.05))
    result = project_components(town(), [rates, named()], steps=4)
    assert result.population.years == (2020, 2025, 2030, 2035, 2040)
    assert imbalance(result.population, result.flows) < 1e-9
    assert (result.population.flag[1:] == Flag.PROJECTED | Flag.SHRUNK).all()
    assert result.flows.data["births_by_mother"].dims == ("year", "zone", "age")
    left = result.flows.data["out_migrants"].values.sum(axis=(1, 2, 3))
    assert left[0] > 0
    assert left[1:].tolist() == [0.0, 0.0, 0.0]  # the second rates hold for the rest
    assert result.limited.shape == (4, 1)


def test_what_was_made_up_stays_marked():
    base = town(flag=Flag.SYNTHETIC)
    later = project_components(base, named(), steps=2).population
    assert (later.flag[1:] & Flag.SYNTHETIC > 0).all()
    assert (later.imputed_share == 1).all()


def test_two_steps_of_five_years_are_the_matrix_squared():
    people = town()
    once = project_components(people, named(), steps=1).population.persons[1]
    middle = Population.build(once[None], years=[2025], zones=people.zones, ages=AGES)
    twice = project_components(middle, named(), steps=1).population.persons[1]
    np.testing.assert_allclose(
        project_components(people, named(), steps=2).population.persons[2], twice, rtol=1e-12
    )


def test_gathering_and_projecting_commute_where_rates_are_shared():
    people = town()
    rates = named(parent_net_migration_rate=np.full((1, 2, A), -0.1))
    apart = project_components(people, rates, steps=3).population
    together = Population.build(
        people.persons.sum(axis=1, keepdims=True), years=[2020], zones=["z0"], ages=AGES
    )
    shared = named(zones=1, parent_net_migration_rate=np.full((1, 2, A), -0.1))
    np.testing.assert_allclose(
        project_components(together, shared, steps=3).population.persons[:, 0],
        apart.persons.sum(axis=1),
    )


def test_group_quarters_survive_every_step():
    people = town()
    quarters = people.persons[0] * 0.2
    result = project_components(people, named(), steps=3, group_quarters=quarters)
    assert imbalance(result.population, result.flows) < 1e-9
    assert (result.population.persons >= quarters * (1 - 1e-9)).all()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"survival_ratio": np.full((3, 2, A), 1.2)}, "survival_ratio is 1.2 at .'z0', 'male'"),
        ({"net_migration_rate": np.full((3, 2, A), -0.95)}, "more people than survive .*zone z0"),
        (
            {
                "out_migration_rate": np.full((3, 2, A), 0.1),
                "in_migration_share": np.full((3, 2, A), 0.3),
            },
            "adds up to 0.89.* over parent 34204",
        ),
    ],
)
def test_rates_out_of_range_are_refused_with_their_place(changes, fault):
    with pytest.raises(DemographyError, match=fault):
        project_components(town(), named(**changes), steps=1)


def test_labels_that_do_not_match_are_refused():
    with pytest.raises(LabelError, match=r"19 age groups to 90.*one set goes on"):
        project_components(town(ages=AgeGroups.five_year(open_age=90)), named(), steps=1)
    with pytest.raises(LabelError, match="zones"):
        project_components(town(zones=2), named(), steps=1)
    with pytest.raises(LabelError, match="needs asfr"):
        project_components(town(), named(parent_asfr=None), steps=1)
    with pytest.raises(LabelError, match="pool"):
        project_components(town(), named(out_migration_rate=np.full((3, 2, A), 0.1)), steps=1)


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "is nan"), (1.5, "is 1.5"), (-0.1, "is -0.1")]
)
def test_impossible_survival_is_refused_with_its_place(value, words):
    survival = np.ones((1, 2, 4))
    survival[0, 1, 2] = value
    rates = ComponentRates(survival, np.ones(1), asfr=np.zeros((1, 3)))
    with pytest.raises(DemographyError, match=rf"survival_ratio {words} at .0, 1, 2."):
        component_step(np.ones((1, 2, 3)), rates, width=5)

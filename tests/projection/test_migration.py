"""Residuals, gross flows, model profiles and signed scaling, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from futuremap.core.ages import AgeGroups
from futuremap.core.rates import Rates
from futuremap.errors import DemographyError, SolveError
from futuremap.projection.by_component import component_rates
from futuremap.projection.component import Convention, component_step
from futuremap.projection.migration import (
    RogersCastro,
    limit_outflow,
    net_profile,
    parent_sum,
    residual_net_migration,
    rogers_castro,
)
from futuremap.projection.pool import gross_from_net, pool_rates
from futuremap.projection.signed import plus_minus

ONE_PARENT = np.array([0])


def scaled(gains, losses, total, **more):
    return plus_minus(
        np.array([*gains, *(-x for x in losses)], float), np.array(float(total)), axes=[0], **more
    )


@pytest.mark.parametrize("total", [-1e8, -30, -4, 0, 1e-9, 15, 1e8])
@pytest.mark.parametrize(("gain", "loss"), [(1.0, 1.0), (0.01, 1e4), (1e-6, 10.0), (100.0, 1e-3)])
def test_plus_minus_meets_any_total_and_keeps_signs(gain, loss, total):
    result = scaled([gain, gain], [loss], total)
    assert abs(result.net.sum() - total) <= 1.5e-8 * max(1.0, abs(total) / 1e8, loss, gain)
    assert (result.net[:2] >= 0).all()
    assert result.net[2] <= 0
    assert result.added == 0


@pytest.mark.parametrize(
    ("gains", "losses", "total", "expected"),
    [
        ([2, 4], [], 3, [1, 2]),
        ([2, 4], [], 0, [0, 0]),
        ([], [2, 4], -3, [-1, -2]),
        ([], [2, 4], 0, [0, 0]),
        ([], [], 0, []),
        ([0, 0], [], 0, [0, 0]),
    ],
)
def test_plus_minus_of_one_sign(gains, losses, total, expected):
    assert scaled(gains, losses, total).net.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("gains", "losses", "total"), [([2], [], -1), ([], [2], 1), ([0], [], 5)])
def test_what_plus_minus_cannot_meet_is_an_error_or_spread_with_its_mass(gains, losses, total):
    with pytest.raises(SolveError, match="cannot be scaled"):
        scaled(gains, losses, total)
    people = np.array([5.0])
    result = scaled(gains, losses, total, fallback=people)
    assert result.net.sum() == pytest.approx(total)
    assert result.added == total - (sum(gains) - sum(losses))
    with pytest.raises(SolveError, match="nobody to spread"):
        scaled(gains, losses, total, fallback=people * 0)


def test_plus_minus_says_where_its_factors_are_absurd():
    calm, wild = scaled([4], [1], 2), scaled([1], [100], 50)
    assert calm.strained == 0
    assert wild.factor > 50
    assert wild.strained > 100


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_plus_minus_of_many_cells_at_once(seed):
    rng = np.random.default_rng(seed)
    net = rng.normal(0, 3, (6, 2, 5)) * (rng.random((6, 2, 5)) < 0.8)
    total = rng.normal(0, 10, (2, 5))
    result = plus_minus(net, total, axes=[0], fallback=np.ones_like(net))
    np.testing.assert_allclose(result.net.sum(axis=0), total, atol=1e-9)
    kept = (result.added == 0)[None] & np.ones_like(net, bool)
    assert (np.sign(result.net[kept]) * np.sign(net[kept]) >= 0).all()


def test_the_rest_of_the_parent_leaves_in_proportion():
    asked = np.array([6.0, 1.0, 0.0]).reshape(3, 1, 1)
    there = np.array([4.0, 3.0, 6.0]).reshape(3, 1, 1)
    gone = limit_outflow(asked, there, parent_starts=ONE_PARENT)
    assert gone.ravel().tolist() == [4.0, 1.5, 1.5]
    with pytest.raises(DemographyError, match=r"2 more persons.*age group 7"):
        limit_outflow(asked[:2] + 1, there[:2], parent_starts=ONE_PARENT, youngest=7)
    with pytest.raises(DemographyError, match="age group 0"):
        limit_outflow(asked, there, parent_starts=np.array([0, 1]))


def test_residuals_forward_and_reverse():
    survival = np.array([[0.5, 0.8, 0.5, 0.2]])
    first, last = np.array([[10.0, 8.0, 5.0]]), np.array([[5.0, 12.0, 3.0]])
    births = np.array([6.0])

    def residual(method, **more):
        return residual_net_migration(first, last, survival_ratio=survival, method=method, **more)[
            0
        ].tolist()

    assert residual("forward", births=births) == pytest.approx([2.0, 4.0, -2.0])
    assert residual("reverse", births=births) == pytest.approx([4.0, 5.0, -2.0 / (5 / 13)])
    assert residual("average", births=births)[1] == pytest.approx(4.5)
    assert residual("forward")[0] == 0.0
    with pytest.raises(DemographyError, match="nobody survives"):
        residual_net_migration(first, last, survival_ratio=survival * 0, method="reverse")


def test_a_model_profile_peaks_with_young_adults():
    ages = AgeGroups.five_year(open_age=85)
    shares = rogers_castro(ages)
    assert shares.sum() == pytest.approx(1.0)
    assert ages.lower[int(shares.argmax())] == 20
    flat = rogers_castro(ages, RogersCastro(1.0, 0.0, 0.0, 0.1, 20.0, 0.4))
    assert flat[0] == pytest.approx(5 / 120)


def test_a_net_profile_trusts_residuals_as_far_as_they_agree():
    model = np.array([0.4, 0.6])
    residual = np.array([[6.0, 2.0], [1.0, 1.0]])
    assert net_profile(residual, model).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(
        net_profile(residual, model), 0.05 * residual + 0.5 * np.outer([0.8, 0.2], model)
    )
    evenly = np.outer([0.5, 0.5], model)
    for published in (0.0, -10.0):
        np.testing.assert_allclose(net_profile(residual, model, published=published), evenly)
    np.testing.assert_allclose(net_profile(residual * 0, model), evenly)
    young = net_profile(residual, model, movers=slice(0, 1))
    assert young[:, 1].tolist() == [0.0, 0.0]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_net_profile_is_bounded_whatever_the_residuals(seed):
    rng = np.random.default_rng(seed)
    shape = net_profile(rng.normal(0.1, 1, (2, 6)), np.full(6, 1 / 6))
    assert shape.sum() == pytest.approx(1.0)
    assert np.abs(shape).sum() < 2.0


def two_censuses(seed):
    rng = np.random.default_rng(seed)
    inhabited = rng.random((2, 7, 1, 1)) < 0.8
    first, last = rng.poisson(5.0, (2, 7, 2, 4)) * inhabited
    survival = rng.uniform(0.3, 1.0, (7, 2, 4))
    survival[..., -1] = survival[..., -2]  # two dates cannot tell the oldest cohorts apart
    return first.astype(float), last.astype(float), survival, rng.uniform(0.0, 0.4, (2, 2, 4))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_gross_flows_explain_the_change_and_leave_nobody_negative(seed):
    first, last, survival, out_rate = two_censuses(seed)
    alive = survival * first
    flows = gross_from_net(first, alive, last, out_rate=out_rate, parent_starts=np.array([0, 3]))
    np.testing.assert_allclose(alive + flows.inflow - flows.outflow, last, atol=1e-9)
    assert (flows.inflow >= 0).all()
    assert (flows.outflow >= 0).all()
    assert (flows.inflow <= last + 1e-12).all()
    assert (flows.outflow <= alive + 1e-12).all()


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_pool_gives_back_the_change_that_it_was_made_from(seed):
    first, last, survival, out_rate = two_censuses(seed)
    starts = np.array([0, 3])
    made = pool_rates(first, last, survival_ratio=survival, out_rate=out_rate, parent_starts=starts)
    np.testing.assert_allclose(parent_sum(made["in_migration_share"], starts), 1.0)
    rates = Rates.build(
        {
            "survival_ratio": survival,
            "birth_survival_ratio": np.ones((7, 2)),
            "sex_ratio_at_birth": np.ones(7),
            "asfr": np.zeros((7, 4)),
            **made,
        },
        zones=[f"z{i}" for i in range(7)],
        parents=["a", "b"],
        parent_of=np.array([0, 0, 0, 1, 1, 1, 1]),
        ages=AgeGroups.five_year(open_age=15),
        interval=5,
    )
    arrays = component_rates(rates, convention=Convention("end"))
    step = component_step(first, arrays, width=5, parent_starts=starts)
    np.testing.assert_allclose(step.persons[..., 1:], last[..., 1:], atol=1e-9)


def test_an_area_that_was_empty_gets_a_share_of_the_pool():
    first = np.zeros((2, 1, 3))
    first[1] = 100.0
    made = pool_rates(
        first,
        first + 10,
        survival_ratio=np.ones((2, 1, 3)),
        out_rate=np.full((1, 1, 3), 0.2),
        parent_starts=ONE_PARENT,
    )
    assert made["in_migration_share"][0, 0, 1] > 0.1
    assert made["out_migration_rate"][0, 0, 0] == 0.0
    assert made["parent_immigrants"][0, 0, 1] == pytest.approx(20.0)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.plan.busy import busy_fraction, cover_curve, erlang_b
from deploy_opt.plan.sites.hypercube import busy_fractions

TIMES = np.array([[100.0, 400.0, 700.0], [500.0, 100.0, 300.0], [800.0, 300.0, 100.0]])


def town(seed, *, posts=5, points=12):
    random = np.random.default_rng(seed)
    return random.uniform(60, 900, (posts, points)), random.random(points)


def test_units_at_one_post_share_the_loss_systems_work():
    # one post: whoever answers, the number of busy units is Erlang's
    exact = busy_fractions([[60.0]], [2.0], [0, 0, 0], 1.0, method="exact", standard_s=90)
    assert exact.by_unit.mean() == pytest.approx(busy_fraction(2.0, 3)[3])
    assert exact.lost_share == pytest.approx(erlang_b(2.0, 3)[3])
    assert exact.cover == pytest.approx(cover_curve(2.0, 3)[3])
    near = busy_fractions([[60.0]], [2.0], [0, 0, 0], 1.0)
    assert near.by_unit.mean() == pytest.approx(exact.by_unit.mean(), rel=1e-6)
    assert np.isnan(near.cover)


def test_two_units_equal_the_four_states_solved_by_hand():
    # point 0 prefers unit 0, point 1 prefers unit 1; rates a, b; service rate 1
    a, b = 0.6, 0.9
    found = busy_fractions([[10.0, 50.0], [50.0, 10.0]], [a, b], [0, 1], 1.0, method="exact")
    lam = a + b
    # states: none, only 0 busy, only 1 busy, both
    rows = np.array(
        [
            [lam, -1.0, -1.0, 0.0],
            [-a, 1.0 + lam, 0.0, -1.0],
            [-b, 0.0, 1.0 + lam, -1.0],
            [1.0, 1.0, 1.0, 1.0],
        ]
    )
    p = np.linalg.solve(rows, [0.0, 0.0, 0.0, 1.0])
    assert found.by_unit == pytest.approx([p[1] + p[3], p[2] + p[3]])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("load", [0.5, 1.5, 3.0])
def test_the_approximation_is_near_the_exact_model(seed, load):
    times, rates = town(seed)
    rates = rates * load / rates.sum()
    units_at = np.arange(5)
    exact = busy_fractions(times, rates, units_at, 1.0, method="exact", standard_s=400)
    near = busy_fractions(times, rates, units_at, 1.0, standard_s=400)
    assert near.by_unit == pytest.approx(exact.by_unit, abs=0.03)
    assert near.by_unit.mean() == pytest.approx(exact.by_unit.mean(), abs=1e-6)
    assert near.cover == pytest.approx(exact.cover, abs=0.02)
    assert near.mean_response_s == pytest.approx(exact.mean_response_s, rel=0.03)


@given(st.integers(0, 1000), st.floats(0.1, 20.0))
def test_busy_fractions_are_shares_and_calls_are_conserved(seed, load):
    times, rates = town(seed, posts=4)
    rates = rates * load / rates.sum()
    found = busy_fractions(times, rates, [0, 0, 1, 2, 3, 3], 1.0)
    assert (found.by_unit >= 0).all()
    assert (found.by_unit < 1).all()
    assert found.by_unit.sum() == pytest.approx(load * (1 - erlang_b(load, 6)[6]), rel=1e-6)


def test_a_point_that_nobody_reaches_is_lost():
    times = np.array([[60.0, np.inf]])
    for method in ("exact", "approximate"):
        found = busy_fractions(times, [0.0, 1.0], [0], 1.0, method=method, standard_s=90)
        assert found.lost_share == pytest.approx(1.0)
        assert found.mean_response_s == np.inf
        assert found.by_unit.tolist() == [0.0]


def test_without_calls_nobody_is_busy_and_nothing_is_lost():
    found = busy_fractions(TIMES, [0.0, 0.0, 0.0], [0, 1], 1.0, standard_s=90)
    assert found.by_unit == pytest.approx([0.0, 0.0])
    assert found.lost_share == 0.0


def test_the_busiest_corner_has_the_busiest_unit():
    found = busy_fractions(TIMES, [2.0, 0.2, 0.2], [0, 1, 2], 0.5)
    assert found.by_unit.argmax() == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"times_s": [1.0]}, "posts x points"),
        ({"call_rate_per_h": [1.0]}, "3 rates"),
        ({"units_at": [3]}, "posts 0 to 2"),
        ({"service_h": 0.0}, "above 0"),
        ({"method": "exakt"}, "did you mean 'exact'"),
        ({"method": "exact", "units_at": [0] * 9}, "at most 8"),
    ],
)
def test_wrong_input_is_named(change, words):
    given_args = {
        "times_s": TIMES,
        "call_rate_per_h": [1.0, 1.0, 1.0],
        "units_at": [0, 1],
        "service_h": 0.5,
    } | change
    with pytest.raises(InputError, match=words):
        busy_fractions(**given_args)

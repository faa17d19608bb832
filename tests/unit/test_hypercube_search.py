import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.plan.sites.hypercube import busy_fractions
from deploy_opt.plan.sites.hypercube_search import search_on_hypercube


def town(seed, *, posts=5, points=14, load=1.4):
    random = np.random.default_rng(seed)
    rates = random.random(points)
    return random.uniform(60, 900, (posts, points)), rates * load / rates.sum()


@given(st.integers(0, 1000))
@settings(max_examples=25)
def test_no_single_move_improves_what_the_search_gives(seed):
    times, rates = town(seed)
    found = search_on_hypercube(times, rates, [0, 0, 0, 1], 1.0, standard_s=400)
    assert found.finished
    assert found.units.sum() == 4
    assert found.fleet.cover >= found.start_cover - 1e-6
    at = np.repeat(np.arange(5), found.units)
    for unit, goal in itertools.product(range(4), range(5)):
        other = at.copy()
        other[unit] = goal
        near = busy_fractions(times, rates, other, 1.0, standard_s=400)
        assert near.cover <= found.fleet.cover + 1e-4


def test_units_leave_a_crowded_post_for_the_calls():
    times = np.array([[60.0, 900.0, 900.0], [900.0, 60.0, 900.0], [900.0, 900.0, 60.0]])
    found = search_on_hypercube(times, [0.5, 0.5, 0.5], [0, 0, 0], 0.3, standard_s=300)
    assert found.units.tolist() == [1, 1, 1]
    assert found.swaps == 2


def test_bounds_are_kept():
    times, rates = town(3)
    found = search_on_hypercube(
        times, rates, [0, 0, 1, 1], 1.0, standard_s=400, lower=[1, 0, 0, 0, 0], upper=2
    )
    assert found.units[0] >= 1
    assert found.units.max() <= 2


def test_the_work_limit_ends_the_search_with_its_best():
    times, rates = town(5)
    one = search_on_hypercube(times, rates, [0, 0, 0, 0], 1.0, standard_s=400, max_evaluations=1)
    assert (one.evaluations, one.swaps, one.finished) == (1, 0, False)
    assert one.units.tolist() == [4, 0, 0, 0, 0]


def test_without_calls_nothing_moves():
    found = search_on_hypercube([[60.0], [70.0]], [0.0], [1], 1.0, standard_s=300)
    assert found.units.tolist() == [0, 1]
    assert found.finished


def test_a_beginning_outside_the_bounds_is_refused():
    times, rates = town(1)
    with pytest.raises(InputError, match="post 0") as raised:
        search_on_hypercube(times, rates, [0, 0], 1.0, standard_s=400, upper=1, max_evaluations=0)
    assert "max_evaluations" in str(raised.value)


def test_cover_of_up_to_eight_units_is_within_two_per_cent_of_the_exact_model():
    errors = []
    for units, load in itertools.product(range(2, 9), (0.3, 0.6)):
        times, rates = town(units, posts=units, points=20, load=load * units)
        exact, near = (
            busy_fractions(times, rates, np.arange(units), 1.0, method=m, standard_s=450)
            for m in ("exact", "approximate")
        )
        errors.append(abs(near.cover / exact.cover - 1))
    assert np.mean(errors) <= 0.02

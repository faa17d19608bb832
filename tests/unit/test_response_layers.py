import itertools

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.locate import locate
from deploy_opt.plan.response_layers import response_layers, time_layers

TIMES = np.array(
    [[60.0, 240.0, 420.0, 600.0], [300.0, 60.0, 240.0, 480.0], [600.0, 360.0, 120.0, 60.0]]
)
DEMAND = np.array([3.0, 2.0, 4.0, 1.0])
Q = 0.4


def plans(units):
    for places in itertools.combinations_with_replacement(range(3), units):
        yield np.bincount(places, minlength=3)


def expected_response(units):
    """Rank the units of each row and let the nearest free one answer; nobody free: the longest."""
    total = 0.0
    for row, calls in enumerate(DEMAND):
        order = np.sort(np.repeat(TIMES[:, row], units))
        chance = (1 - Q) * Q ** np.arange(order.size)
        total += calls * (order @ chance + Q**order.size * TIMES.max())
    return total


def test_one_layer_is_expected_cover():
    rows = response_layers(TIMES, DEMAND, layers_s=[300], layer_weights=[1.0])
    layered = locate("mexclp", rows.cover, rows.weights, num_units=3, busy_fraction=Q)
    plain = locate("mexclp", TIMES, DEMAND, num_units=3, busy_fraction=Q, standard_s=300)
    assert layered.objective == pytest.approx(plain.objective)
    assert layered.units.tolist() == plain.units.tolist()


def test_time_layers_find_the_least_expected_response_of_every_placement():
    layers_s, worth = time_layers(TIMES)
    rows = response_layers(TIMES, DEMAND, layers_s=layers_s, layer_weights=worth)
    found = locate("mexclp", rows.cover, rows.weights, num_units=3, busy_fraction=Q, gap=1e-9)
    response = {tuple(units): expected_response(units) for units in plans(3)}
    assert expected_response(found.units) == pytest.approx(min(response.values()))
    saved = DEMAND.sum() * TIMES.max() - expected_response(found.units)
    assert found.objective == pytest.approx(saved)


def test_survival_steps_find_the_best_expected_survival_of_every_placement():
    limits, survival = np.array([120.0, 300.0, 480.0]), np.array([0.6, 0.3, 0.1])
    worth = survival - np.append(survival[1:], 0.0)
    rows = response_layers(TIMES, DEMAND, layers_s=limits, layer_weights=worth)
    found = locate("mexclp", rows.cover, rows.weights, num_units=2, busy_fraction=Q, gap=1e-9)

    def lives(units):
        total = 0.0
        for row, calls in enumerate(DEMAND):
            order = np.sort(np.repeat(TIMES[:, row], units))
            step = np.searchsorted(limits, order)
            total += calls * (
                np.append(survival, 0.0)[step] @ ((1 - Q) * Q ** np.arange(order.size))
            )
        return total

    assert found.objective == pytest.approx(max(lives(units) for units in plans(2)))
    assert found.objective == pytest.approx(lives(found.units))


def test_layers_that_do_not_fit_are_named_together():
    with pytest.raises(InputError) as raised:
        response_layers(TIMES, [1.0], layers_s=[300, 300], layer_weights=[1.0])
    for words in ("layers_s", "layer_weights", "demand"):
        assert words in str(raised.value)

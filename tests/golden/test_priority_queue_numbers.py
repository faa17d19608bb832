"""The queue with priorities against its Markov chain, numbers by hand, limits and conservation."""

import itertools

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg as splinalg
from scipy.special import factorial

from deploy_opt.plan.patrols import erlang_c, priority_waits


def chain_waits(rates, units, *, interrupts, most=90):
    """Solve the two-class Markov chain itself, cut off at `most` calls a class; hours of mean 1.

    With interruptions a state is the calls of each class present. Without, it is the busy units
    while one is free, and else the calls of each class that wait.
    """
    first, second = rates
    index, moves = {}, []

    def at(*state):
        return index.setdefault(state, len(index))

    if interrupts:
        for one, two in itertools.product(range(most), repeat=2):
            here = at(one, two)
            served = min(one, units), min(two, max(units - one, 0))
            moves += [(here, at(one + 1, two), first)] if one + 1 < most else []
            moves += [(here, at(one, two + 1), second)] if two + 1 < most else []
            moves += [(here, at(one - 1, two), served[0])] if served[0] else []
            moves += [(here, at(one, two - 1), served[1])] if served[1] else []
    else:
        for busy in range(units):
            following = at(busy + 1) if busy + 1 < units else at(0, 0)
            moves.append((at(busy), following, first + second))
            moves += [(at(busy), at(busy - 1), busy)] if busy else []
        for one, two in itertools.product(range(most), repeat=2):
            here = at(one, two)
            moves += [(here, at(one + 1, two), first)] if one + 1 < most else []
            moves += [(here, at(one, two + 1), second)] if two + 1 < most else []
            after = at(one - 1, two) if one else at(0, two - 1) if two else at(units - 1)
            moves.append((here, after, units))
    source, goal, rate = (np.array(column) for column in zip(*moves, strict=True))
    size = len(index)
    flow = sparse.coo_array((rate, (goal, source)), shape=(size, size)).tocsr()
    balance = (flow - sparse.diags_array(np.bincount(source, rate, size))).tolil()
    balance[0] = np.ones(size)
    right = np.zeros(size)
    right[0] = 1.0
    chance = splinalg.spsolve(balance.tocsc(), right)
    waiting = np.zeros(2)
    for state, k in index.items():
        if interrupts:
            one, two = state
            served = min(one, units), min(two, max(units - one, 0))
            waiting += chance[k] * np.array([one - served[0], two - served[1]])
        elif len(state) == 2:
            waiting += chance[k] * np.array(state)
    return waiting / rates


@pytest.mark.parametrize("interrupts", [False, True])
@pytest.mark.parametrize(("units", "rates"), [(1, [0.3, 0.3]), (3, [1.2, 0.7]), (2, [0.2, 1.2])])
def test_waits_are_those_of_the_markov_chain(units, rates, interrupts):
    exact = chain_waits(np.array(rates), units, interrupts=interrupts)
    waits = priority_waits(rates, 1.0, units, interrupts=interrupts).wait_h
    np.testing.assert_allclose(waits, exact, rtol=1e-6)


@pytest.mark.parametrize(
    ("units", "interrupts", "by_hand"),
    [
        # loads 1/15, 3/15 and 6/15; C(1, 2/3) = 2/3, C(2, 2/3) = 1/6
        (1, False, [5 / 21, 25 / 77, 10 / 11]),
        (2, False, [5 / 174, 25 / 754, 5 / 104]),
        # one unit with interruptions: 1 / (mu (1 - s_{k-1}) (1 - s_k)) - 1 / mu
        (1, True, [1 / 42, 71 / 462, 34 / 33]),
    ],
)
def test_waits_worked_by_hand(units, interrupts, by_hand):
    waits = priority_waits([0.2, 0.6, 1.2], 1 / 3, units, interrupts=interrupts).wait_h
    np.testing.assert_allclose(waits, by_hand)


@pytest.mark.parametrize(("units", "wait_h"), [(1, 2 / 3), (2, 1 / 24)])
def test_without_priorities_waits_are_the_textbook_ones(units, wait_h):
    # 2 calls an hour of 20 minutes: lambda / (mu (mu - lambda)), and C / (c mu - lambda)
    assert priority_waits([2.0], 1 / 3, units).wait_h[0] == pytest.approx(wait_h)


@pytest.mark.parametrize(("load", "units"), [(0.7, 1), (1.0, 2), (4.0, 5), (17.5, 20), (90.0, 95)])
def test_erlang_c_is_the_sum_over_states(load, units):
    k = np.arange(units)
    top = load**units / factorial(units) * units / (units - load)
    exact = top / ((load**k / factorial(k)).sum() + top)
    assert erlang_c(load, units) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("interrupts", [False, True])
def test_one_class_is_erlang_c(interrupts):
    units = np.arange(1, 30)
    load = 0.8 * units
    waits = priority_waits([load / 0.5], 0.5, units, interrupts=interrupts)
    np.testing.assert_allclose(waits.wait_h[0], erlang_c(load, units) * 0.5 / (units - load))


def test_one_unit_waits_as_cobham_wrote():
    rates = np.array([0.2, 0.3, 0.1])
    s = np.concatenate([[0.0], np.cumsum(rates)])
    expected = s[-1] / ((1 - s[:-1]) * (1 - s[1:]))  # W0 = a E[S], exponential hours of mean 1
    np.testing.assert_allclose(priority_waits(rates, 1.0, 1).wait_h, expected)


@pytest.mark.parametrize("interrupts", [False, True])
def test_the_order_of_classes_moves_waits_but_conserves_their_sum(interrupts):
    rates = np.array([0.9, 0.4, 1.1])
    one_queue = priority_waits([rates.sum()], 0.8, 3).wait_h[0]
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]):
        waits = priority_waits(rates[order], 0.8, 3, interrupts=interrupts).wait_h
        assert rates[order] @ waits == pytest.approx(rates.sum() * one_queue)
        assert (np.diff(waits) > 0).all()


def test_with_ever_more_units_nobody_waits():
    waits = priority_waits([[3.0], [2.0]], 0.7, np.array([4, 8, 16, 32]))
    assert (np.diff(waits.wait_h, axis=1) < 0).all()
    assert waits.wait_h[:, -1].max() < 1e-15
    assert waits.must_wait[-1] < 1e-15


def test_a_class_without_calls_waits_as_its_first_call_would():
    for interrupts in (False, True):
        none = priority_waits([0.5, 0.0, 0.4], 1.0, 2, interrupts=interrupts).wait_h
        few = priority_waits([0.5, 1e-6, 0.4], 1.0, 2, interrupts=interrupts).wait_h
        np.testing.assert_allclose(none, few, rtol=1e-4)


def test_urgent_calls_are_served_while_others_wait_without_end():
    waits = priority_waits([1.0, 4.0], 0.5, 2)
    assert waits.must_wait == 1.0
    assert waits.wait_h[0] == pytest.approx(1 / (4.0 - 1.0))  # units come free at c mu = 4 an hour
    assert waits.wait_h[1] == np.inf
    assert waits.utilisation == 1.0


def test_the_law_of_the_first_wait_has_its_mean():
    waits = priority_waits([1.5, 0.8], 0.9, 3)
    h = np.linspace(0, 30, 300_001)
    late = 1 - waits.first_started_within(h)
    assert np.trapezoid(late, h) == pytest.approx(waits.wait_h[0], rel=1e-6)
    assert late[0] == pytest.approx(waits.must_wait)


def test_districts_and_hours_are_computed_at_once():
    rng = np.random.default_rng(3)
    rates, service = rng.uniform(0, 2, (3, 4, 5)), rng.uniform(0.2, 1, (4, 5))
    units = rng.integers(0, 6, (7, 1, 5))
    together = priority_waits(rates, service, units)
    assert together.wait_h.shape == (3, 7, 4, 5)
    one = priority_waits(rates[:, 2, 3], service[2, 3], int(units[6, 0, 3]))
    np.testing.assert_allclose(together.wait_h[:, 6, 2, 3], one.wait_h)
    assert np.isnan(together.utilisation[np.broadcast_to(units, (7, 4, 5)) == 0]).all()

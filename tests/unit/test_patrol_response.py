"""Drives of the nearest free unit and the response they give, against plain counting."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import factorial

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.patrol.border_help import help_chances
from deploy_opt.plan.patrol.need import district_states, target_score
from deploy_opt.plan.patrol.priority_queue import free_unit_chances
from deploy_opt.plan.patrol.response import DistrictDrives, urgent_response
from deploy_opt.plan.patrols import PatrolRules
from patrol_towns import MINUTE, calls_of, street, town

WEIGHTS = np.array([0.4, 0.3, 0.2, 0.1])
EVEN = np.full(4, 0.25)


def drives(**given):
    settings = {"target_s": 4 * MINUTE, "busy": 0.5, **given}
    return DistrictDrives(street(4)[0], WEIGHTS, EVEN, **settings)


def test_drives_are_the_mean_over_every_set_of_free_units():
    at = np.array([0, 1, 1, 3])
    table = drives().table(at)
    times = street(4)[0][at]
    for free in range(1, 5):
        nearest = [times[list(s)].min(axis=0) for s in itertools.combinations(range(4), free)]
        assert table.mean_s[free - 1] == pytest.approx(np.mean(nearest, axis=0) @ WEIGHTS)
        within = np.mean([row <= 4 * MINUTE for row in nearest], axis=0) @ WEIGHTS
        assert table.within[free - 1] == pytest.approx(within)


def test_the_first_post_is_the_median_and_a_post_with_room_for_one_is_used_once():
    assert drives().order(1).tolist() == [1]
    assert sorted(drives(capacity=1).order(4).tolist()) == [0, 1, 2, 3]
    assert drives().order(0).size == 0
    assert len(set(drives(busy=0.9).order(6).tolist())) < 6  # backups stand at the same posts


@pytest.mark.parametrize(("load", "units"), [(0.0, 2), (1.7, 3), (6.5, 7), (0.4, 1)])
def test_free_units_follow_the_states_of_the_queue(load, units):
    k = np.arange(units)
    terms = load**k / factorial(k)
    all_busy = load**units / factorial(units) * units / (units - load)
    total = terms.sum() + all_busy
    free, none = free_unit_chances(load, units)
    np.testing.assert_allclose(free, (terms / total)[::-1], atol=1e-15)
    assert none == pytest.approx(all_busy / total)


def test_with_more_calls_than_units_nobody_is_free():
    free, none = free_unit_chances([3.0, 5.0], 3)
    assert not free.any()
    assert none.tolist() == [1.0, 1.0]
    assert free_unit_chances(1.0, 0)[1] == 1.0


def response(units, *, urgent=0.5, other=1.0):
    ground = town([0, 0, 0, 0], hours=1)
    calls = calls_of(WEIGHTS[:, None] * urgent, WEIGHTS[:, None] * other)
    states = district_states(ground, calls, PatrolRules())
    here = states.drives[0][0]
    return urgent_response(states.queues[0], here, here.order(units), np.array([0])), here


def test_without_calls_the_response_is_the_drive_of_the_nearest():
    ground = town([0, 0, 0, 0], hours=1)
    quiet = calls_of(np.zeros((4, 1)), np.zeros((4, 1)))
    states = district_states(ground, quiet, PatrolRules())
    here = states.drives[0][0]
    found = urgent_response(states.queues[0], here, here.order(4), np.array([0]))
    assert found.mean_s[0] == pytest.approx(here.table(here.order(4)).mean_s[-1])
    assert found.within[0] == 1.0


def test_with_many_units_the_response_is_a_minute_and_nobody_waits():
    found, _ = response(60)
    assert found.mean_s[0] == pytest.approx(MINUTE, rel=1e-3)


def test_one_unit_more_never_answers_later():
    found = [response(n)[0] for n in range(2, 12)]
    assert (np.diff([f.mean_s[0] for f in found]) < 0).all()
    assert (np.diff([f.within[0] for f in found]) >= 0).all()


def test_without_units_or_without_end_the_response_is_infinite():
    assert response(0)[0].mean_s[0] == np.inf
    assert response(0)[0].within[0] == 0.0
    crowded, _ = response(1, urgent=5.0)
    assert crowded.mean_s[0] == np.inf
    assert target_score(crowded, PatrolRules(target_share=None))[0] == 0.0


def test_the_share_within_the_target_counts_the_wait_and_the_drive_after_it():
    # one unit: free with chance 1 - a; else it comes free somewhere and drives
    found, here = response(1, urgent=0.4, other=0.5)
    load = 0.4 * 0.6 + 0.5 * 0.4
    service = load / 0.9
    rate = (1 - 0.4 * service) / service
    times = street(4)[0]
    target = PatrolRules().target_s
    there = np.where(times <= target, 1 - np.exp(-rate * (target - times) / 3600), 0.0)
    queued = WEIGHTS @ there @ WEIGHTS  # units that come free stand where the calls are
    free = here.table(here.order(1)).within[0]
    assert found.within[0] == pytest.approx((1 - load) * free + load * queued, abs=2e-3)


def test_finished_officer_work_delays_calls_and_interrupted_work_does_not():
    ground = town([0, 0], hours=1)
    own = np.full((2, 1), 0.6)
    rates = np.full((2, 1), 0.3)
    plain, with_own = (calls_of(rates, rates, initiated_h=given) for given in (None, own))

    def mean_of(calls, initiated):
        states = district_states(ground, calls, PatrolRules(initiated=initiated))
        here = states.drives[0][0]
        return urgent_response(states.queues[0], here, here.order(2), np.array([0])).mean_s[0]

    assert mean_of(with_own, "interrupted") == mean_of(plain, "interrupted")
    assert mean_of(with_own, "finished") > mean_of(plain, "finished")


def test_help_is_one_less_the_chance_that_every_neighbour_in_reach_is_busy():
    ground = town([0, 1, 2], hours=1, times=street(3, apart_min=4.0))
    rates = np.array([[0.4], [0.6], [0.8]])
    calls = calls_of(rates, rates)
    positions = [np.array([[n]]) for n in (1, 2, 3)]
    helped = help_chances(ground, calls, PatrolRules(), positions)
    load = rates[:, 0] * (0.6 + 0.4)
    miss = [1 - cover_curve(float(load[k]), n)[n] for k, n in enumerate((1, 2, 3))]
    np.testing.assert_allclose(  # limits 210 s: nobody; 420 s: next door
        helped[420.0][:, 0], [1 - miss[1], 1 - miss[0] * miss[2], 1 - miss[1]]
    )
    assert not helped[210.0].any()
    alone = replace(ground, neighbours=np.zeros((3, 3), dtype=bool))
    assert not help_chances(alone, calls, PatrolRules(), positions)[420.0].any()

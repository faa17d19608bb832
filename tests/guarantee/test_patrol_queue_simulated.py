"""The queue behind patrol need against the event engine, which knows no formula."""

import numpy as np
import pandas as pd
import pytest

import deploy_opt
from deploy_opt.plan.patrol.need import district_states
from deploy_opt.plan.patrol.response import urgent_response
from deploy_opt.plan.patrols import PatrolCalls, PatrolGround, PatrolRules, priority_waits


def within_error(values, truth):
    """Four standard errors over batches, since neighbours in time go together."""
    batches = np.array([batch.mean() for batch in np.array_split(np.asarray(values, float), 40)])
    error = batches.std(ddof=1) / np.sqrt(batches.size)
    return abs(batches.mean() - truth) < 4 * error and error < 0.1 * max(truth, 0.05)


@pytest.mark.parametrize(("units", "rates"), [(3, [0.7, 0.9, 0.8]), (5, [0.6, 1.5, 1.9])])
def test_waits_by_priority_are_those_of_the_engine(units, rates):
    num, service_s = 60_000, 3600.0
    rng = np.random.default_rng(units)
    total = sum(rates)
    calls = pd.DataFrame(
        {
            "call_id": np.arange(num),
            "at_s": np.cumsum(rng.exponential(3600.0 / total, num)),
            "node": 0,
            "call_class": "police",
            "priority": rng.choice(len(rates), size=num, p=np.array(rates) / total),
            "on_scene_s": rng.exponential(service_s, num),
            "transport": False,
            "handover_s": 0.0,
        }
    )
    names = [f"P{k}" for k in range(units)]
    fleet = pd.DataFrame({"unit_id": names, "unit_type": "patrol", "home_node": 0})
    wait_h = deploy_opt.simulate(fleet, calls, np.zeros((1, 1))).calls["response_s"] / 3600.0
    model = priority_waits(rates, service_s / 3600.0, units)
    for rank, mean in enumerate(model.wait_h):
        assert within_error(wait_h[(calls["priority"] == rank).to_numpy()][300:], mean)
    urgent = wait_h[(calls["priority"] == 0).to_numpy()][300:]
    for limit_h in (0.0, 0.1, 0.3):
        assert within_error(urgent > limit_h, 1 - model.first_started_within(limit_h))


@pytest.mark.parametrize(("units", "rates"), [(3, (0.6, 1.2)), (5, (1.0, 3.0)), (8, (2.0, 6.0))])
def test_the_response_of_a_district_is_near_that_of_the_engine(units, rates):
    # nearest idle unit, priorities, the drive part of the service: none of it is in the formula,
    # which takes any free units as equally likely and one service time for all; units 34-55 % busy
    num, places, scene_h = 30_000, 12, 0.5
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 4000, (places, 2))
    times = 60 + np.abs(at[:, None] - at[None]).sum(axis=2) / 10
    share = rng.dirichlet(np.full(places, 3.0))
    calls = pd.DataFrame(
        {
            "call_id": np.arange(num),
            "at_s": np.cumsum(rng.exponential(3600 / sum(rates), num)),
            "node": rng.choice(places, num, p=share),
            "call_class": "police",
            "priority": rng.choice(2, num, p=np.array(rates) / sum(rates)),
            "on_scene_s": rng.exponential(scene_h * 3600, num),
            "transport": False,
            "handover_s": 0.0,
        }
    )
    here = np.arange(places)
    one = np.zeros(places, dtype=np.int64)
    hour = np.zeros(1, dtype=np.int64)
    names = tuple(str(place) for place in here)
    ground = PatrolGround(names, ("City",), one, here, np.ones(places), here, times[None], hour)

    def model(busy_h):
        by_class = np.stack([share[:, None] * rate for rate in rates])
        asked = PatrolCalls(("p1", "p2"), by_class, np.full(2, busy_h), np.ones(2))
        states = district_states(ground, asked, PatrolRules())
        posts = states.drives[0][0].order(units)
        return posts, urgent_response(states.queues[0], states.drives[0][0], posts, hour)

    posts, _ = model(scene_h)
    fleet = pd.DataFrame(
        {"unit_id": [f"P{k}" for k in range(units)], "unit_type": "patrol", "home_node": posts}
    )
    played = deploy_opt.simulate(fleet, calls, times).calls
    drive_h = (played["arrived_s"] - played["dispatched_s"]).mean() / 3600
    _, found = model(scene_h + drive_h)
    urgent = played["response_s"][(calls["priority"] == 0).to_numpy()][300:]
    assert found.mean_s[0] == pytest.approx(urgent.mean(), rel=0.06)
    assert found.within[0] == pytest.approx((urgent <= PatrolRules().target_s).mean(), abs=0.03)

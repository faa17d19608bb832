"""The engine against queueing theory: Erlang's two formulas and Larson's exact hypercube."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import deploy_opt
from deploy_opt.plan.busy import erlang_b

SERVICE_S = 3600.0
WARM_UP = 500
NO_TRAVEL = np.zeros((1, 1))


def poisson_calls(seed, num_calls, rate_per_h, shares=(1.0,)):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "call_id": np.arange(num_calls),
            "at_s": np.cumsum(rng.exponential(3600.0 / rate_per_h, num_calls)),
            "node": rng.choice(len(shares), size=num_calls, p=shares),
            "call_class": "p1",
            "on_scene_s": rng.exponential(SERVICE_S, num_calls),
            "transport": False,
            "handover_s": 0.0,
        }
    )


def fleet_at(homes):
    names = [f"U{number}" for number in range(len(homes))]
    return pd.DataFrame({"unit_id": names, "unit_type": "als", "home_node": homes})


def assert_mean(values, truth):
    """Four standard errors, measured over batches, since neighbours in time go together."""
    batches = np.array([batch.mean() for batch in np.array_split(np.asarray(values, float), 40)])
    error = batches.std(ddof=1) / np.sqrt(batches.size)
    assert abs(batches.mean() - truth) < 4 * error
    assert error < 0.06 * max(abs(truth), 0.1)  # sharp enough to mean something


@pytest.mark.parametrize(("units", "load"), [(1, 0.5), (3, 2.0), (6, 5.0)])
def test_lost_calls_follow_erlang_b(units, load):
    calls = poisson_calls(units, 30_000, load)
    result = deploy_opt.simulate(fleet_at([0] * units), calls, NO_TRAVEL, none_free="lose")
    lost = result.calls["unit_id"].isna()[WARM_UP:]
    assert_mean(lost, erlang_b(load, units)[units])


@pytest.mark.parametrize(("units", "load"), [(1, 0.5), (3, 2.0), (6, 4.0)])
def test_waiting_calls_follow_erlang_c(units, load):
    calls = poisson_calls(10 + units, 40_000, load)
    result = deploy_opt.simulate(fleet_at([0] * units), calls, NO_TRAVEL).calls[WARM_UP:]
    loss = erlang_b(load, units)[units]
    delayed = units * loss / (units - load * (1 - loss))
    assert_mean(result["queued"], delayed)
    assert_mean(result["response_s"] / SERVICE_S, delayed / (units - load))


def test_priorities_wait_as_cobhams_formula_says():
    # one unit, two classes: W_k = W0 / ((1 - s_{k-1}) (1 - s_k)), W0 = load x E[S] (exponential)
    load = 0.6
    calls = poisson_calls(5, 40_000, load)
    calls["priority"] = np.random.default_rng(6).integers(1, 3, len(calls))
    waits = deploy_opt.simulate(fleet_at([0]), calls, NO_TRAVEL).calls["response_s"] / SERVICE_S
    first = (calls["priority"] == 1).to_numpy()
    assert_mean(waits[first][WARM_UP:], load / (1 - load / 2))
    assert_mean(waits[~first][WARM_UP:], load / ((1 - load / 2) * (1 - load)))


@pytest.mark.parametrize(("seed", "num_units"), [(1, 4), (2, 8)])
def test_busy_units_follow_the_exact_hypercube(seed, num_units):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 600, (10, 2))
    drive = np.abs(places[:, None] - places[None]).sum(axis=2)
    shares = rng.dirichlet(np.ones(10))
    homes = rng.integers(0, 10, num_units)
    rate = 0.5 * num_units
    exact = deploy_opt.busy_fractions(
        drive, shares * rate, homes, SERVICE_S / 3600, method="exact", standard_s=300.0
    )
    calls = poisson_calls(seed, 40_000, rate, shares)
    small = 1e-6  # the model's service does not hold the drive
    found = deploy_opt.simulate(fleet_at(homes), calls, drive * small, none_free="lose")
    assert np.abs(found.units["busy_fraction"] - exact.by_unit).max() < 0.02
    answered = found.calls[WARM_UP:]
    response_s = answered["response_s"] / small
    assert_mean(answered["unit_id"].isna(), exact.lost_share)
    assert_mean(response_s <= 300.0, exact.cover)
    assert_mean(response_s.dropna(), exact.mean_response_s)


def test_at_low_load_the_busy_units_are_poisson_whatever_the_service_law():
    # M/G/infinity: with units to spare the number at work is Poisson with mean rate x E[S]
    rng = np.random.default_rng(11)
    calls = poisson_calls(11, 40_000, 2.0)
    calls["on_scene_s"] = 5400.0 * rng.lognormal(-0.5, 1.0, len(calls))
    found = deploy_opt.simulate(fleet_at([0] * 40), calls, NO_TRAVEL).calls
    assert not found["queued"].any()
    looks = np.arange(WARM_UP * 1800.0, found["dispatched_s"].iloc[-1], 7200.0)
    began = np.searchsorted(found["dispatched_s"].to_numpy(), looks)
    ended = np.searchsorted(np.sort(found["cleared_s"].to_numpy()), looks)
    at_work = began - ended
    assert_mean(at_work, 3.0)
    assert_mean((at_work - 3.0) ** 2, 3.0)
    assert_mean(at_work == 0, np.exp(-3.0))

"""A forecast has the same bytes wherever its stretches are fitted."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.forecast import forecast
from deploy_opt.executor import executor_for

LEVELS = {"A": "north", "B": "north", "C": "south"}


def two_services(weeks=9):
    hours = pd.date_range("2025-01-06", periods=weeks * 168, freq="h")
    shape = 1 + 0.7 * np.sin((hours.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {
                "service": service,
                "area_id": area,
                "hour": hours,
                "num_calls": rng.poisson(level * shape),
            }
        )
        for service, size in (("ems", 1.0), ("fire", 0.3))
        for area, level in (("A", size), ("B", 0.4 * size), ("C", 0.1 * size))
    ]
    return pd.concat(frames, ignore_index=True)


def digest(executor):
    made = forecast(
        two_services(),
        start="2025-03-10",
        horizon_h=72,
        levels=LEVELS,
        seed=1,
        num_paths=20,
        executor=executor,
    )
    whole = hashlib.sha256("\n".join(made.notes).encode())
    for frame in (made.quantiles, made.levels, made.paths, made.skill):
        whole.update(frame.to_csv(index=False).encode())
    for service in ("ems", "fire"):
        whole.update(made.weekly_rates(service)[1].tobytes())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def here():
    return digest(None)


@pytest.mark.slow
def test_a_forecast_in_processes_has_the_bytes_of_one_made_here(here):
    with executor_for("serial") as one:
        assert digest(one) == here
    with executor_for("processes:2") as two:
        assert digest(two) == here


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own resource warnings at shutdown
def test_a_forecast_behind_a_dask_address_has_them_too(here):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        executor_for(cluster.scheduler_address) as far,
    ):
        assert digest(far) == here


def test_an_executor_is_asked_for_every_stretch_and_the_horizon_then_for_the_scores(here):
    asked = []

    class Counting:
        name = "counting"

        def map(self, work, units):
            waiting = list(units)
            asked.append(len(waiting))
            return [work(unit) for unit in waiting]

    assert digest(Counting()) == here
    stretches = asked[1]
    assert asked == [stretches + 1, stretches] * 2
    assert 3 <= stretches <= 8

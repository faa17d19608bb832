"""The pilot's test holds its level, and shared luck makes it sharp."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.seeds import stream
from deploy_opt.simulation.draws import Law, ServiceLaws, draw_poisson, draw_service
from deploy_opt.simulation.pilot import weekly
from deploy_opt.simulation.resampling import sign_flip
from deploy_opt.simulation.simulate import simulate

ROAD = 60.0 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
LAWS = {"p1": ServiceLaws(on_scene=Law("exponential", 1200.0))}
PILOTS, WEEKS = 1000, 12


def weeks_of(homes, seed, num_weeks, *, rate=0.03):
    calls = draw_poisson(np.full((num_weeks * 168, 5), rate), seed=seed)
    calls = draw_service(calls.assign(call_class="p1"), LAWS, seed=seed)
    fleet = pd.DataFrame(
        {"unit_id": [f"U{n}" for n in range(len(homes))], "unit_type": "als", "home_node": homes}
    )
    table = weekly(simulate(fleet, calls, ROAD).calls, calls, standard_s=180.0)
    return table[table["outcome"] == "mean_response_s"]["value"].to_numpy()


@pytest.mark.slow
def test_independent_streams_reject_in_3_to_7_of_100_pilots_of_the_same_plan():
    ours, theirs = (weeks_of([0, 3], seed, PILOTS * WEEKS + 1) for seed in (1, 2))
    apart = (ours - theirs)[: PILOTS * WEEKS].reshape(PILOTS, WEEKS)
    p = [sign_flip(one, stream(1, "level", row)) for row, one in enumerate(apart)]
    assert 0.03 <= np.mean(np.array(p) < 0.05) <= 0.07


def test_shared_luck_narrows_the_difference_more_than_fivefold_in_variance():
    plan, today, strange = (
        weeks_of(homes, seed, 41, rate=1.6)[:40]
        for homes, seed in (([1, 1, 3, 4], 1), ([0, 1, 3, 4], 1), ([0, 1, 3, 4], 2))
    )
    assert np.var(plan - strange) / np.var(plan - today) > 5


def test_one_more_unit_never_makes_the_mean_worse_beyond_its_interval():
    few = weeks_of([0, 3], 1, 27, rate=0.5)[:26]
    for home in range(5):
        change = weeks_of([0, 3, home], 1, 27, rate=0.5)[:26] - few
        half = 2.06 * change.std(ddof=1) / np.sqrt(change.size)  # Student's, 25 degrees
        assert change.mean() - half <= 0

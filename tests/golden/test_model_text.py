"""The text of the whole model: two posts, two hours, every family of rows."""

from pathlib import Path

import numpy as np

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.solver import lp_text
from deploy_opt.plan.whole.model import write_out
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Solver
from plan_towns import Forecast, plan_settings, times_of

GOLDEN = Path(__file__).with_name("whole_model.lp")


def two_posts():
    """One area at each post and one between them; two units at most, one move, one open post."""
    times = times_of([[100, 200, 900], [900, 200, 100]], ["west", "mid", "east"], [1.0, 1.0, 1.0])
    rates = np.tile([[0.5], [0.25], [1.0]], (1, 168))
    settings = plan_settings(
        hours=2,
        shifts=None,
        busy_min=60.0,
        fleet=Fleet(unit_hours_per_week=4.0, busy_cap=0.95, min_units=1),
        posts=PostRules(capacity=2, max_open=1, max_moves_per_hour=1),
        equity=EquityRules(weakest_area_cover=0.25, min_calls_per_week=0.0),
        solver=Solver(gap=0.0, method="extensive"),
    )
    return lay_out(Forecast(("west", "mid", "east"), rates), times, settings, None)


def test_the_model_reads_as_the_formulation_does():
    text = lp_text(write_out(two_posts(), np.array([2, 1])).model)
    assert text == GOLDEN.read_text(encoding="utf-8")

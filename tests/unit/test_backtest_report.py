"""A backtest as lines and as a model card."""

from __future__ import annotations

import numpy as np
import pandas as pd

from deploy_opt.report.backtest_report import BacktestFacts, backtest_lines, model_card
from report_fixtures import scenario

FACTS = BacktestFacts(
    window="2025-01-01 to 2025-12-31",
    cutoffs=("2025-12-17T00:00:00", "2025-12-24T00:00:00"),
    horizon_h=168,
    run_id="abcdef1234",
    executor="serial",
    covariates=("weather",),
    notes=("9 h masked",),
)


def scores(*, coverage=0.95, bias=0.01, skill=0.1, interval=True):
    rows = [
        ("forecast", "deviance", 1.02),
        ("forecast", "deviance_floor", 1.0),
        ("forecast", "coverage_0.95", coverage),
        ("forecast", "bias", bias),
        ("forecast", "skill", skill),
        ("20_week_average", "deviance", 1.1),
        ("rank_90", "pinball_0.9", 0.5),
    ]
    frame = pd.DataFrame(rows, columns=["model", "metric", "value"])
    return frame.assign(
        service="ems", level="city", horizon="1-168 h", n=336,
        lo=frame["value"] - 0.1 if interval else np.nan,
        hi=frame["value"] + 0.1 if interval else np.nan,
    )  # fmt: skip


def test_the_best_model_stands_first_and_staffing_rules_last():
    lines = backtest_lines(scores(), FACTS)
    at = lines.index("ems, city, 1-168 h ahead")
    models = [line.split()[0] for line in lines[at + 1 : at + 5]]
    assert models == ["model", "forecast", "20_week_average", "rank_90"]
    assert lines[0] == (
        "2 stretches of 168 h, from 2025-12-17 to 2025-12-24; counts of 2025-01-01 to 2025-12-31"
    )
    assert len({len(line) for line in lines[at + 1 : at + 4]}) == 1


def test_the_card_says_what_was_measured_with_intervals_and_never_persons():
    card = model_card(scores(), FACTS, scenario())
    assert "| forecast | 1.020 | 1.000 | – |" in card
    assert "| ems | city | 1-168 h | deviance | 1.020 | 0.920 to 1.120 | 336 |" in card
    assert "never persons" in card
    assert "- 9 h masked" in card
    assert "horizons beyond the tested 168 h" in card
    assert "synthetic" not in card
    assert "(synthetic data: an invented city)" in model_card(
        scores(), FACTS, scenario(synthetic=True)
    )


def test_measured_shortfalls_stand_among_the_limits():
    card = model_card(scores(coverage=0.85, bias=-0.08, skill=-0.02), FACTS, scenario())
    assert "the 95 % interval held 85% of the hours" in card
    assert "off by -8% on the whole" in card
    assert "no better than the 20-week average here" in card
    assert "off by" not in model_card(scores(), FACTS, scenario())


def test_a_single_stretch_has_no_intervals_to_show():
    assert "Intervals" not in model_card(scores(interval=False), FACTS, scenario())

"""What the pages of pilots say where there is little to say."""

from __future__ import annotations

import numpy as np
import pandas as pd

from deploy_opt.report.pilot_live_page import LiveFacts, effect_words, overrides_words, render_live
from deploy_opt.report.pilot_page import agreement_words, number, rule_words

NO_OVERRIDES = pd.DataFrame({"reason": [], "overrides": []})
FACTS = LiveFacts(
    name="A <b>town</b>",
    synthetic=True,
    standard="within 8 min",
    design="switchback",
    start="2026-03-02",
    end="2026-05-02",
    num_records=10,
    washout_h=1.0,
    control=None,
    false_alarm_days=365.0,
    harm_ratio=1.5,
    notes=("Nothing else.",),
    provenance="Run 1.",
)


def effects(outcome, lo, hi):
    row = {"outcome": outcome, "design": "switchback", "difference": (lo + hi) / 2, "lo": lo}
    more = {"hi": hi, "p": 0.0001, "p_holm": 0.02, "num_blocks": 40, "num_records": 10}
    return pd.DataFrame([row | more])


def test_values_have_their_units_and_a_minus_that_is_one():
    assert number(-12.34, "mean_response_s", signed=True) == "−12.3 s"
    assert number(0.1234, "late_share") == "12.34 %"
    assert number(0.01, "busy_share", signed=True) == "+1.00 points"
    assert number(np.nan, "late_share") == "–"
    assert number(3.0, "late_first_priority") == "3.0"
    rule = {"primary": "late_share", "guard": "worst_area_p90_s", "margin": 30, "fewest_calls": 5}
    assert "below 30.0 s" in rule_words(rule)
    row = effects("late", -0.1, np.inf).iloc[0].to_dict()
    assert effect_words(row).endswith("(−10.00 to unknown)")


def test_a_page_without_harm_and_overrides_escapes_what_users_wrote():
    page = render_live(effects("officer_injured", 0.01, 0.03), None, (), None, FACTS)
    assert "A &lt;b&gt;town" in page
    assert 'class="n worse"' in page
    assert "Harm bound" not in page
    assert "synthetic data" in page
    more = render_live(effects("transported", 0.01, 0.03), None, (), NO_OVERRIDES, FACTS)
    assert 'class="n shown"' in more  # more transport is neither better nor worse


def test_no_overrides_and_no_arrivals_are_said():
    assert overrides_words(NO_OVERRIDES) == "Dispatchers overrode nothing."
    assert "not checked: 4 incidents" in agreement_words({"n": 4, "believed": None})

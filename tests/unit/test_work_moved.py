"""Deferral releases hours and cuts no patrol; a call of a tier asks for its patrol once."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.city import _own_share, _tier_hours
from deploy_opt.plan.city.parts import TierHours
from deploy_opt.plan.city.work_moved import kept_hours, plan_follow_up
from deploy_opt.plan.coresponders import team_floors
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.report.services_page import fte_words, released_words
from deploy_opt.rule_settings import Shifts
from deploy_opt.service_settings import CoResponders
from deploy_opt.staff_settings import FollowUp

FREED = pd.DataFrame(
    {
        "area_id": ["A1", "A2", "A1", "A1"],
        "hour": [3, 30, 30, 30],
        "tier": [4, 4, 4, 3],
        "hours_per_week": [6.0, 2.0, 4.0, 50.0],
        "calls_per_week": [6.0, 2.0, 4.0, 100.0],
    }
)


def question_of(tiers):
    return SimpleNamespace(tiers=tiers, rules=SimpleNamespace(utilisation_cap=0.6))


def test_what_deferral_releases_stays_with_the_patrols():
    hours, words = kept_hours(question_of(TierHours(pd.DataFrame(), FREED, 12.0)))
    assert hours == pytest.approx(20.0)  # units that calls keep busy at most .6
    assert "20 for the 12 hours that deferral releases" in words
    assert kept_hours(question_of(None)) == (0.0, "")
    assert kept_hours(question_of(TierHours(pd.DataFrame(), FREED, 0.0))) == (0.0, "")


@pytest.mark.parametrize(("first", "hours", "deferred"), [(0, 168, 12.0), (24, 24, 6.0)])
def test_deferred_hours_are_those_of_tier_4_inside_the_plan(first, hours, deferred):
    scenario = SimpleNamespace(horizon=SimpleNamespace(first_hour=first, hours=hours))
    calls = SimpleNamespace(others=pd.DataFrame(), released=FREED)
    found = _tier_hours(scenario, calls)
    assert found.deferred_h == deferred
    assert _tier_hours(scenario, SimpleNamespace(others=None, released=None)) is None


def test_calls_of_a_tier_bring_their_own_patrol():
    calls = pd.DataFrame({"service": ["coresponse"] * 4 + ["police"], "responder": [""] * 5})
    assert _own_share(SimpleNamespace(incidents=calls)) == 1.0
    calls.loc[0, "responder"] = "clinician"
    assert _own_share(SimpleNamespace(incidents=calls)) == 0.75
    assert _own_share(SimpleNamespace(incidents=calls.drop(columns="responder"))) == 1.0
    assert _own_share(SimpleNamespace(incidents=calls.iloc[4:])) == 1.0


def test_follow_up_of_a_scenario_fills_its_window():
    rates = np.full((1, 168), 0.4)
    floors = team_floors(rates.sum(axis=0), 1.0, min_teams=1)
    columns = shift_columns(Shifts(starts_h=(0, 8, 16), lengths_h=(8,)), hours=168)
    ground = SimpleNamespace(first_hour=0)
    section = CoResponders(follow_up=FollowUp(share=0.5, minutes=30, days=("tue",), to_h=24))
    question = SimpleNamespace(teams=section, ground=ground)
    found = plan_follow_up(question, SimpleNamespace(rates=rates), floors, columns)
    assert found.work.work_h.sum() == pytest.approx(0.4 * 168 * 0.5 * 0.5)
    assert set(np.flatnonzero(found.crews.placed_h)) <= set(range(33, 48))
    assert found.crews.missed_h == pytest.approx(0.0)
    plain = SimpleNamespace(teams=CoResponders(), ground=ground)
    assert plan_follow_up(plain, SimpleNamespace(rates=rates), floors, columns) is None


def test_released_hours_and_civilians_are_said_in_words():
    third, fourth = released_words(FREED)
    assert third == "Tier 3: 50.0 patrol hours a week released."
    assert fourth.startswith("Tier 4: 12.0 patrol hours a week released, most in area A1 (10.0).")
    assert fourth.endswith("The patrols keep them: no post is cut.")
    assert released_words(FREED.iloc[:0]) == ()
    row = {"service": "police", "role": "community_officer", "tier": "3, 4", "fte": 2.04}
    row |= {"hours_per_year": 3536.0, "formula": "relief_factor", "relief_factor": 1.2}
    words = fte_words({**row, "binding": "workload", "workload_fte": 2.04})
    assert words == (
        "Community officer, Tier 3, 4: 2.0 FTE for 3,536 hours a year of work, relief factor 1.2."
    )

"""Co-responder teams: floors by hour, the paired class, full-time staff."""

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.coresponders import paired_class, team_floors, team_fte
from deploy_opt.plan.joint.question import Layer
from deploy_opt.rule_settings import Shifts
from deploy_opt.service_settings import CoResponders
from deploy_opt.staffing import FteTerms

WEEK = np.full(168, 0.5)


def test_each_floor_is_known_by_itself():
    # half an erlang: two teams are busy 1/4 (1 - B) of the time; Erlang C of one team is 1/2
    floors = team_floors(WEEK, 1.0, busy_cap=0.25, min_teams=1, prompt_share=0.8, prompt_wait_min=0)
    assert set(floors.workload) == {2}
    assert set(floors.minimum_posts) == {1}
    assert set(floors.queueing) == {2}
    assert [words for words, _ in floors.named] == [
        "teams for the workload",
        "teams that are always there",
        "teams for a prompt start",
    ]


def test_floors_that_are_not_asked_for_are_left_out():
    floors = team_floors(WEEK, 1.0)
    assert [words for words, _ in floors.named] == ["teams for the workload"]
    assert not floors.queueing.any()


def test_meal_breaks_put_more_teams_on_duty():
    plain = team_floors(8 * WEEK, 1.0, prompt_share=0.8)
    breaks = team_floors(8 * WEEK, 1.0, prompt_share=0.8, available=9 / 10)
    assert (breaks.workload >= plain.workload).all()
    assert breaks.workload.sum() == np.ceil(plain.workload / 0.9).sum()
    assert (breaks.queueing > plain.queueing).all()


def test_a_longer_meal_break_never_asks_for_fewer_teams_and_costs_its_share():
    on_duty = []
    for minutes in (0, 30, 60):
        rules = CoResponders(meal_break_min=minutes, shifts=Shifts(lengths_h=(8,)))
        assert rules.available == pytest.approx(1 - minutes / 480)
        floors = team_floors(40 * WEEK, 1.0, available=rules.available)
        on_duty.append(int(floors.workload.sum()))
    assert on_duty[0] < on_duty[1] < on_duty[2]
    # what is left after the breaks is what the calls need, to less than a team an hour
    for teams, minutes in zip(on_duty, (0, 30, 60), strict=True):
        assert 0 <= teams * (1 - minutes / 480) - on_duty[0] < 168


def test_more_calls_never_ask_for_fewer_teams():
    rates = np.linspace(0.0, 12.0, 60)
    floors = team_floors(rates, 0.9, prompt_share=0.9)
    assert (np.diff(floors.workload) >= 0).all()
    assert (np.diff(floors.queueing) >= 0).all()
    assert floors.workload[0] == floors.queueing[0] == 0


def test_shares_that_cannot_be_are_named_together():
    with pytest.raises(InputError) as refused:
        team_floors(WEEK, 1.0, busy_cap=1.4, min_teams=-1, prompt_share=1.0, available=0.0)
    found = str(refused.value)
    for name in ("busy_cap", "available", "prompt_share", "min_teams"):
        assert name in found


def test_a_paired_call_counts_by_both_chances_and_commits_the_team_either_way():
    rates = np.array([[1.0, 2.0], [0.5, 0.0]])
    there = np.array([[0.9, 0.8], [0.0, 1.0]])
    pair = paired_class(
        "crisis", rates, there, busy_h=1.5, team_type="coresponder", layers=(Layer(900.0),)
    )
    assert np.allclose(pair.rates, [[0.9, 1.6], [0.0, 0.0]])
    assert pair.loads.tolist() == [2.25, 3.0]


def test_the_staff_of_the_plan_and_of_each_floor():
    floors = team_floors(WEEK, 2.0, min_teams=1, busy_cap=0.45)
    assert set(floors.workload) == {2}  # one erlang: two teams are busy .4 each
    one = team_fte(floors, np.full(168, 2), people=1).iloc[0]
    assert one["workload_fte"] == pytest.approx(8760 / 2080 * 1.2)
    assert one["minimum_posts_fte"] == pytest.approx(8760 / 2080 * 1.2)
    assert one["fte"] == pytest.approx(2 * 8760 / 2080 * 1.2)
    assert one["binding"] == "workload"
    assert team_fte(floors, np.full(168, 3)).iloc[0]["binding"] == "coverage"
    net = team_fte(
        floors, np.full(168, 2), people=1, terms=FteTerms("net_hours", unavailable_hours=400)
    )
    assert net.iloc[0]["fte"] == pytest.approx(2 * 8760 / 1680)

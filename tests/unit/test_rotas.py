"""Cyclic rosters by CP-SAT, and the checker that stands apart from it."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.rosters.check_rota import check_line, check_rotas
from deploy_opt.plan.rosters.duties import Duties, check_crews, crews_table, duties_of
from deploy_opt.plan.rosters.labour_rules import LabourRules, labour_rules
from deploy_opt.plan.rosters.lines import lines_of_shifts
from deploy_opt.plan.rosters.ring import solve_ring
from deploy_opt.plan.rosters.rota import Rota
from deploy_opt.plan.rosters.rotas import (
    RotaSize,
    conflicting_rules,
    fewest_lines,
    fixed_rota,
    make_rotas,
)
from deploy_opt.plan.shifts import shift_columns, weekly_columns
from deploy_opt.rule_settings import Shifts

MONDAY = dt.datetime(2024, 1, 1)  # noqa: DTZ001 (local time)
FREE = LabourRules(max_hours=168, max_days_in_a_row=28, max_shift_h=48)
FORTY = LabourRules(basis="flsa_40h", min_rest_h=10)


def daily(start_h, length_h, crews=1):
    """One shift every day, as the crew table of a plan."""
    return pd.DataFrame(
        {"start_hour": start_h + 24 * np.arange(7), "length_h": length_h, "crews": crews}
    )


def weekly(*rows):
    return pd.DataFrame(rows, columns=["start_hour", "length_h", "days", "crews"])


def as_rota(text, start_h=6, length_h=8):
    weeks = np.asarray([[0 if cell == "x" else -1 for cell in row] for row in text.split()])
    return Rota("hand", np.asarray([start_h]), np.asarray([length_h]), weeks, 1, "optimal")


def rules_broken(rota, rules):
    duties = Duties(rota.start_h, rota.length_h, np.asarray([(rota.weeks == 0).sum(axis=0)]))
    return {breach.rule for breach in check_rotas([rota], duties, rules)}


def test_one_position_of_eight_hours_a_day_takes_two_lines_at_forty_hours():
    (rota,) = make_rotas(daily(6, 8), FORTY)
    assert rota.lines == 2 == rota.fewest  # 7 shifts, 5 fit into a week
    assert check_rotas([rota], duties_of(daily(6, 8)), FORTY) == ()


def test_round_the_clock_in_twelves_takes_five_lines_of_three_shifts():
    crews = pd.concat([daily(6, 12), daily(18, 12)])
    rotas = make_rotas(crews, FORTY, size=RotaSize(start_spread_h=12))
    assert [rota.lines for rota in rotas] == [5]  # 14 shifts, 3 in 40 h
    assert check_rotas(rotas, duties_of(crews), FORTY) == ()


def test_firefighters_on_24_48_come_out_as_three_lines():
    rules = LabourRules(max_hours=240, work_period_days=28, min_rest_h=48, max_days_in_a_row=1)
    (rota,) = make_rotas(daily(7, 24), rules)
    assert rota.lines == 3
    worked = (rota.weeks == 0).ravel()
    assert np.flatnonzero(worked).tolist() == list(range(int(np.argmax(worked)), 21, 3))


def test_weekly_patterns_keep_their_shifts_a_week_and_their_number_of_lines():
    crews = weekly((6, 8, 5, 2), (30, 8, 5, 1), (54, 8, 5, 1), (96, 8, 5, 1))
    rules = FORTY.model_copy(update={"min_days_off_in_a_row": 2})
    rotas = make_rotas(crews, rules, name="als")
    assert sum(rota.lines for rota in rotas) == 5
    for rota in rotas:
        assert ((rota.weeks >= 0).sum(axis=1) == 5).all()
        assert rota.name.startswith("als ")
    assert check_rotas(rotas, duties_of(crews), rules) == ()


def test_patterns_whose_weeks_cannot_follow_each_other_become_lines_of_their_own():
    # every day off is a Sunday or a Wednesday: no line may change between them on 6 of 7 days
    crews = weekly((0, 8, 6, 1), (96, 8, 6, 1))
    rules = LabourRules(max_hours=48, max_days_in_a_row=6)
    rotas = make_rotas(crews, rules)
    assert sorted(rota.lines for rota in rotas) == [1, 1]
    assert check_rotas(rotas, duties_of(crews), rules) == ()


def test_large_plans_are_cut_into_rosters_of_few_weeks():
    crews = weekly(*((24 * day + 6, 10, 4, 4) for day in range(7)))
    rotas = make_rotas(crews, FORTY, size=RotaSize(most_lines=8, work=0.2))
    assert sum(rota.lines for rota in rotas) == 28
    assert max(rota.lines for rota in rotas) <= 8
    assert check_rotas(rotas, duties_of(crews), FORTY) == ()


def test_daily_shifts_beyond_a_roster_are_dealt_to_several():
    crews = daily(6, 10, crews=6)
    rotas = make_rotas(crews, FORTY, size=RotaSize(most_lines=6))
    assert len(rotas) > 1
    assert check_rotas(rotas, duties_of(crews), FORTY) == ()
    # eleven lines is the least that any roster of 42 shifts of 10 h can do with
    assert fewest_lines(duties_of(crews), FORTY) == 11


def test_weekends_off_take_further_lines():
    few = make_rotas(daily(6, 8), FORTY)
    rules = FORTY.model_copy(update={"weekends_off": 3, "weekends_in": 4})
    many = make_rotas(daily(6, 8), rules)
    assert sum(r.lines for r in many) == 4 > sum(r.lines for r in few)
    assert check_rotas(many, duties_of(daily(6, 8)), rules) == ()


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        (LabourRules(max_hours=40, max_shift_h=10), ("no shift above 10 h", "shifts of 12 h")),
        (LabourRules(max_hours=8), ("at most 8 h in 7 days", "shifts of 12 h")),
        (
            LabourRules(max_hours=40, weekends_off=4),
            ("4 of any 4 weekends off", "Saturday or Sunday"),
        ),
    ],
)
def test_rules_that_no_line_can_keep_are_named_before_any_search(rules, names):
    with pytest.raises(InfeasibleError) as caught:
        make_rotas(daily(6, 12), rules)
    for name in names:
        assert name in str(caught.value)


def test_a_roster_of_too_few_lines_names_the_smallest_set_of_rules():
    rules = LabourRules(max_hours=60, min_rest_h=10, max_days_in_a_row=6)
    with pytest.raises(InfeasibleError) as caught:
        fixed_rota(duties_of(daily(6, 8)), 1, rules)
    # 56 h fit into 60: only the seventh day in a row stands against one line
    assert caught.value.rules == (
        "at most 6 days in a row",
        "7 shifts (56 h) a week on 1 lines",
    )
    assert fixed_rota(duties_of(daily(6, 8)), 2, rules).lines == 2


def test_two_rules_that_conflict_only_together_are_both_named():
    duties = duties_of(daily(6, 8))
    rules = LabourRules(max_hours=60, max_days_in_a_row=4, min_days_off_in_a_row=5, min_rest_h=10)
    # seven days off in two weeks make one block of at least five, so seven days are worked in a row
    assert fixed_rota(duties, 2, rules.model_copy(update={"max_days_in_a_row": 7})).lines == 2
    assert fixed_rota(duties, 2, rules.model_copy(update={"min_days_off_in_a_row": 1})).lines == 2
    assert conflicting_rules(duties, 2, rules)[:-1] == (
        "at most 4 days in a row",
        "at least 5 days off in a row",
    )


def test_crews_of_one_lone_pattern_that_breaks_a_rule_are_refused_with_its_name():
    with pytest.raises(InfeasibleError, match="days in a row") as caught:
        make_rotas(weekly((6, 8, 5, 1)), LabourRules(max_hours=40, max_days_in_a_row=4))
    assert caught.value.rules == (
        "at most 4 days in a row",
        "a crew on 5 x 8 h from Mon 06:00, every week alike",
    )


def test_rare_weekends_take_as_many_lines_as_their_turns():
    rules = LabourRules(max_hours=40, weekends_off=9, weekends_in=10)
    (rota,) = make_rotas(daily(6, 8), rules)
    assert rota.lines == 10 == rota.fewest
    assert check_rotas([rota], duties_of(daily(6, 8)), rules) == ()


def test_duties_that_no_roster_near_the_bound_works_are_parted():
    # long rest and one day in a row: the bound knows the runs, not the rest
    rules = LabourRules(max_hours=168, min_rest_h=72, max_days_in_a_row=1)
    crews = daily(6, 8, crews=4)
    rotas = make_rotas(crews, rules, size=RotaSize(work=0.2))
    assert len(rotas) > 1
    assert check_rotas(rotas, duties_of(crews), rules) == ()


@pytest.mark.parametrize(
    ("rule", "rules", "text"),
    [
        ("run", LabourRules(max_hours=168, max_days_in_a_row=5), "xxxxxx-"),
        ("run", LabourRules(max_hours=168, max_days_in_a_row=5), "----xxx xxx----"),
        ("hours", LabourRules(max_hours=39), "xxxxx--"),
        ("hours", LabourRules(max_hours=71, work_period_days=14), "xxxxx-- xxxx---"),
        ("hours", LabourRules(max_hours=24, work_period_days=5), "--xxxx-"),
        ("shift", LabourRules(max_hours=168, max_shift_h=7), "x------"),
        ("rest", LabourRules(max_hours=168, min_rest_h=17), "xx-----"),
        ("off", LabourRules(max_hours=168, min_days_off_in_a_row=2), "xxx-x--"),
        ("weekends", LabourRules(max_hours=168, weekends_off=1, weekends_in=2), "x----x-"),
    ],
)
def test_the_checker_sees_each_rule_broken_and_the_solver_finds_no_such_week(rule, rules, text):
    rota = as_rota(text)
    assert rules_broken(rota, rules) == {rule}
    duties = Duties(rota.start_h, rota.length_h, np.asarray([(rota.weeks == 0).sum(axis=0)]))
    _, weeks = solve_ring(duties, rota.lines, rules)
    if weeks is not None:  # the same days in another order of weeks
        assert rules_broken(replace(rota, weeks=weeks), rules) == set()


def test_the_checker_sees_crews_that_are_missing_or_too_many():
    rota = as_rota("xxxxx--")
    wanted = Duties(rota.start_h, rota.length_h, np.asarray([[1, 1, 1, 1, 0, 1, 0]]))
    words = {(b.day, b.words) for b in check_rotas([rota], wanted, FREE)}
    assert words == {(4, "1 crews too many"), (5, "1 crews too few")}


def test_a_night_shift_over_the_end_of_the_week_counts_in_both_weeks():
    shifts = [(MONDAY + dt.timedelta(days=6, hours=20), 10)]
    rules = LabourRules(max_hours=5)
    found = check_line(shifts, rules, first=MONDAY, days=14)
    assert [(b.day, b.words) for b in found] == [(7, "6 h in 7 days")]


def test_a_roster_reads_as_a_table():
    table = as_rota("xx----- --x----").table()
    assert table.columns.tolist()[:3] == ["rota", "week", "Mon"]
    assert table["Mon"].tolist() == ["06:00-14:00", ""]
    assert table["hours"].tolist() == [16, 8]
    assert as_rota("xx----- --x----").hours_per_week == 12


def test_the_crews_of_a_plan_become_duties():
    columns = shift_columns(Shifts(starts_h=(6, 18), lengths_h=(12,)), hours=168)
    table = crews_table(columns, np.ones(len(columns.start_hour), dtype=int))
    duties = duties_of(table)
    assert duties.shifts == 14
    assert duties.hours == 168
    assert [duties.words(kind) for kind in range(2)] == ["06:00-18:00", "18:00-06:00"]
    patterns = weekly_columns([(4, 10)], [6])
    first = np.eye(len(patterns.start_hour), dtype=int)[0]
    assert crews_table(patterns, first)["days"].tolist() == [4]
    assert duties_of(crews_table(patterns, first)).crews.sum() == 4


def test_crew_tables_that_cannot_be_are_refused_with_every_cell():
    with pytest.raises(InputError, match="no column 'crews'"):
        check_crews(pd.DataFrame({"start_hour": [1], "length_h": [8]}))
    wrong = weekly((168, 8, 5, 1), (0, 0, 5, -1), (0, 30, 2, 1))
    with pytest.raises(InputError) as caught:
        check_crews(wrong)
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match="shifts that do not overlap"):
        check_crews(weekly((0, 30, 2, 1)))
    with pytest.raises(InputError, match="no crews"):
        make_rotas(weekly((0, 8, 5, 0)), FORTY)


def test_a_roster_of_the_same_crews_is_the_same_every_time():
    crews = weekly(*((24 * day + 6, 10, 4, 1) for day in range(7)))
    size = RotaSize(work=0.3)
    one, two = (make_rotas(crews, labour_rules("officer"), size=size) for _ in range(2))
    assert [r.weeks.tolist() for r in one] == [r.weeks.tolist() for r in two]


def test_every_dated_shift_of_the_rosters_has_its_line_and_extra_ones_have_none():
    rotas = make_rotas(daily(6, 8), FORTY, name="als")
    first = dt.date(2026, 1, 5)
    start = pd.Timestamp(first) + pd.to_timedelta(np.arange(28), unit="D") + pd.Timedelta(hours=6)
    whole = pd.DataFrame({"start": start, "end": start + pd.Timedelta(hours=8)})
    lines = lines_of_shifts(whole, rotas, first)
    assert (lines != "").all()
    for day in range(28):
        line = int(lines[day].rsplit(" ", 1)[1]) - 1
        assert rotas[0].kind_on(line, day // 7, day % 7) == 0
    extra = pd.DataFrame({"start": [start[0]] * 2, "end": [start[0] + pd.Timedelta(hours=8)] * 2})
    assert sorted(lines_of_shifts(extra, rotas, first) != "") == [False, True]
    assert lines_of_shifts(whole, (), first).eq("").all()


def test_a_pattern_that_is_worked_every_day_is_shared_by_lines():
    crews = pd.DataFrame({"start_hour": [6, 8], "length_h": [12, 8], "days": [7, 5], "crews": 1})
    rules = LabourRules(max_hours=40, min_rest_h=10)
    rotas = make_rotas(crews, rules, size=RotaSize(work=0.5))
    assert check_rotas(rotas, duties_of(crews), rules) == ()
    assert sorted(rota.lines for rota in rotas) == [1, 3]  # 84 h a week by three people

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.balance.equity import weekly_cover
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.plan.place import Placed, best_of_rivals
from deploy_opt.plan.proof import hour_names
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.plan.simple import simple_plan
from deploy_opt.plan.staff import staff, staff_for_rivals
from deploy_opt.plan.week import week_moves
from deploy_opt.rule_settings import EquityRules, Fleet, PostLimit, PostRules, Shifts, Solver
from plan_towns import Forecast, grid_town, plan_settings, same_units, three_posts

TODAY = [1] * 6 + [0] * 6


def worth(units, forecast, times, settings):
    return float(evaluate_positions(units, forecast, times, settings).value.sum())


def test_a_week_keeps_every_rule_and_its_crews_add_up_to_its_units():
    forecast, times = grid_town()
    posts = PostRules(
        max_open=7,
        max_moves_per_hour=2,
        capacity=3,
        locked={"p4": 1},
        forbidden=("p0",),
        limits=(PostLimit(post_id="p5", from_hour=0, to_hour=30, max_units=0),),
    )
    settings = plan_settings(
        hours=168,
        posts=posts,
        shifts=Shifts(),
        fleet=Fleet(min_units=3, max_units=10, busy_cap=0.6),
        solver=Solver(),
    )
    today = same_units(TODAY, hours=168)
    plan = plan_deployment(forecast, times, settings, baseline=today)
    units, report = plan.units, plan.report
    assert units.sum() <= today.sum()
    assert units.any(axis=0).sum() <= 7
    assert (units[:, 4] >= 1).all()
    assert not units[:, 0].any()
    assert not units[:30, 5].any()
    assert units.max() <= 3
    assert week_moves(units, cyclic=True).max() <= 2
    staffing = units.sum(axis=1)
    assert staffing.min() >= 3
    assert staffing.max() <= 10
    assert evaluate_positions(units, forecast, times, settings).busy.max() <= 0.6
    columns = shift_columns(Shifts(), hours=168)
    total = np.zeros(168, dtype=int)
    for start, length, crews in plan.crews.itertuples(index=False):
        row = (columns.start_hour == start) & (columns.length_h == length)
        total += crews * columns.on_duty[row][0]
    assert np.array_equal(total, staffing)
    assert report.status == "optimal"
    assert report.objective == pytest.approx(worth(units, forecast, times, settings))
    assert report.bound >= report.objective
    assert report.gap == pytest.approx(report.bound / report.objective - 1)
    assert report.parts["mix_gap"] <= 2e-3  # crews were chosen again on the open posts
    assert report.parts["location_gap"] <= 1e-2
    assert not [note for note in report.notes if "cannot be kept" in note]


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_is_worse_than_neither_today_nor_the_simple_plan(seed):
    forecast, times = grid_town(seed=seed)
    random = np.random.default_rng(seed)
    today = same_units(random.permutation(TODAY))
    settings = plan_settings(posts=PostRules(max_moves_per_hour=1), solver=Solver())
    plan = plan_deployment(forecast, times, settings, baseline=today)
    simple = simple_plan(forecast, times, settings, baseline=today)
    best = worth(plan.units, forecast, times, settings)
    assert best >= worth(today, forecast, times, settings)
    assert best >= worth(simple.units, forecast, times, settings)


def test_a_rule_that_only_today_keeps_well_leaves_today_in_place():
    # no moves, one lock-step roster, posts already best: nothing can be better than today
    forecast, times = three_posts(night=1.0)
    settings = plan_settings(posts=PostRules(max_moves_per_hour=0, capacity=1))
    today = same_units([1, 1, 1])
    plan = plan_deployment(forecast, times, settings, baseline=today)
    assert np.array_equal(plan.units, today)
    assert plan.report.gap == pytest.approx(0, abs=1e-9)


def test_the_same_question_gives_the_same_bytes():
    forecast, times = grid_town()
    settings = plan_settings(posts=PostRules(max_open=6, max_moves_per_hour=1), solver=Solver())
    one, other = (
        plan_deployment(forecast, times, settings, baseline=same_units(TODAY)) for _ in range(2)
    )
    assert one.units.tobytes() == other.units.tobytes()
    assert one.crews.equals(other.crews)
    assert one.report == other.report


def test_a_budget_too_small_for_the_cap_gives_a_plan_and_names_the_hours():
    forecast, times = grid_town(calls_per_hour=9.0)
    settings = plan_settings(
        fleet=Fleet(busy_cap=0.5, min_units=1), shifts=Shifts(), solver=Solver()
    )
    plan = plan_deployment(forecast, times, settings, baseline=same_units(TODAY))
    note = next(note for note in plan.report.notes if "busy cap of 50%" in note)
    assert "Mon" in note
    assert plan.report.parts["missing_unit_hours"] > 0
    assert plan.report.parts["busy_cap_kept"] > 0.5
    assert plan.units.sum() <= 24 * 6


def test_fewest_units_beyond_the_budget_are_named_too():
    forecast, times = grid_town()
    settings = plan_settings(fleet=Fleet(min_units=8), solver=Solver())
    plan = plan_deployment(forecast, times, settings, baseline=same_units(TODAY))
    assert any("fleet.min_units = 8 cannot be kept" in note for note in plan.report.notes)
    assert plan.units.sum(axis=1).min() == 6


def test_conflicting_hard_rules_are_infeasible_with_their_names():
    forecast, times = three_posts()
    settings = plan_settings(posts=PostRules(locked={"p0": 2}, capacity=1))
    with pytest.raises(InfeasibleError, match="post p0"):
        plan_deployment(forecast, times, settings, baseline=same_units([1, 1, 1]))


def test_without_budget_or_baseline_there_is_nothing_to_plan_with():
    forecast, times = three_posts()
    with pytest.raises(InputError, match="unit_hours_per_week"):
        plan_deployment(forecast, times, plan_settings())


def test_a_budget_alone_is_enough():
    forecast, times = three_posts()
    settings = plan_settings(fleet=Fleet(unit_hours_per_week=48, min_units=0, busy_cap=0.95))
    assert plan_deployment(forecast, times, settings).units.sum() == 48


def test_the_weakest_area_is_raised_to_its_floor():
    forecast, times = grid_town(areas=6, posts=10, seed=2)
    today = same_units([1] * 6 + [0] * 4)
    free = plan_deployment(forecast, times, plan_settings(limit_s=450.0), baseline=today)
    model = cover_model(forecast, times, plan_settings(limit_s=450.0))
    floor = float(weekly_cover(model, free.units).min()) + 0.03
    equity = EquityRules(weakest_area_cover=floor)
    settings = plan_settings(limit_s=450.0, equity=equity)
    fair = plan_deployment(forecast, times, settings, baseline=today)
    assert weekly_cover(model, fair.units).min() >= floor
    assert fair.report.objective <= free.report.objective + 1e-9
    assert fair.report.parts["floor_bound"] >= fair.report.objective - 1e-6
    assert fair.report.parts["weakest_area_cover"] >= floor


def test_a_floor_out_of_reach_is_reported_with_what_blocks_it():
    forecast, times = three_posts()
    settings = plan_settings(
        equity=EquityRules(weakest_area_cover=0.9), posts=PostRules(forbidden=("p2",))
    )
    plan = plan_deployment(forecast, times, settings, baseline=same_units([1, 1, 0]))
    notes = " ".join(plan.report.notes)
    assert "is not reached" in notes
    assert "area east" in notes
    assert "no more than" in notes


def test_a_clock_limit_gives_a_usable_plan():
    forecast, times = grid_town()
    settings = plan_settings(
        solver=Solver(gap=0.0, time_limit_s=1e-6), equity=EquityRules(weakest_area_cover=0.9)
    )
    plan = plan_deployment(forecast, times, settings, baseline=same_units(TODAY))
    assert plan.units.sum() > 0
    assert np.isfinite(plan.report.gap)


def test_only_a_node_limit_written_by_the_user_is_called_a_limit():
    forecast, times = grid_town(seed=7)
    shifts = Shifts(starts_h=tuple(range(0, 24, 3)), lengths_h=(5, 7))
    asked = plan_settings(hours=72, shifts=shifts, solver=Solver(gap=0.0, node_limit=1))
    plan = plan_deployment(forecast, times, asked, baseline=same_units(TODAY, hours=72))
    reached = plan.report.parts["mix_gap"] <= 1e-9
    assert plan.report.status == ("optimal" if reached else "limit")
    built_in = asked.solver.model_copy()
    object.__setattr__(built_in, "__pydantic_fields_set__", {"gap"})
    again = plan_deployment(
        forecast,
        times,
        asked.model_copy(update={"solver": built_in}),
        baseline=same_units(TODAY, hours=72),
    )
    assert again.report.status == "optimal"
    assert reached or any("default work limit" in note for note in again.report.notes)


def test_tables_grow_when_the_best_crews_meet_their_end():
    # all calls in eight hours: nearly the whole budget belongs there
    forecast, times = grid_town(calls_per_hour=6.0)
    hour = np.arange(168) % 24
    peaked = Forecast(forecast.area_ids, forecast.rates * np.where(hour < 8, 1.0, 0.002))
    settings = plan_settings(shifts=Shifts(starts_h=(0, 8, 16), lengths_h=(8,)), solver=Solver())
    plan = plan_deployment(peaked, times, settings, baseline=same_units([1] * 5 + [0] * 7))
    assert plan.units.sum(axis=1)[:8].max() > 10


def test_hours_are_named_by_day_and_clock():
    assert hour_names(np.array([], dtype=int), 0) == "none"
    assert hour_names(np.arange(168), 0) == "the whole week"
    assert hour_names(np.array([22, 23, 24]), 24) == "Tue 22-Wed 01"
    assert hour_names(np.arange(0, 60, 2), 0).endswith("and 18 more spans")


def test_limits_by_hour_that_force_moves_are_admitted():
    forecast, times = three_posts(night=1.0)
    limits = (
        PostLimit(post_id="p0", from_hour=6, to_hour=12, min_units=3),
        PostLimit(post_id="p2", from_hour=12, to_hour=18, min_units=3),
    )
    settings = plan_settings(
        posts=PostRules(limits=limits, max_moves_per_hour=1),
        shifts=Shifts(starts_h=(0,), lengths_h=(24,)),
    )
    plan = plan_deployment(forecast, times, settings, baseline=same_units([1, 1, 1]))
    assert any("posts.limits force up to 3 moves" in note for note in plan.report.notes)


def test_a_rival_that_keeps_the_rules_and_is_worth_more_is_kept_instead():
    forecast, times = three_posts(night=1.0)
    settings = plan_settings(posts=PostRules(capacity=1))
    case = lay_out(forecast, times, settings, same_units([1, 1, 1]))
    poor = same_units([1, 0, 0])
    value = float(case.model.value(poor).sum())
    placed = Placed(poor, case.floors.crews, value, poor, value)
    kept = best_of_rivals(case, placed)
    assert np.array_equal(kept.units, same_units([1, 1, 1]))
    assert kept.value > value


def test_an_unreachable_cap_gives_way_further_rather_than_lose_to_today():
    # overloaded: spread evenly every hour drowns, while today serves eight hours well
    forecast, times = grid_town(calls_per_hour=15.0)
    forecast.rates = np.tile(forecast.rates.mean(axis=1, keepdims=True), (1, 168))
    today = np.zeros((24, 12), dtype=np.int64)
    today[:8] = 1
    settings = plan_settings(
        fleet=Fleet(busy_cap=0.5, min_units=0),
        shifts=Shifts(starts_h=(0, 8, 16), lengths_h=(8,)),
        solver=Solver(),
    )
    case = lay_out(forecast, times, settings, today)
    even = staff(case)
    rival = float(case.model.value(today).sum())
    assert even.crews.value < rival
    assert 0.5 < case.floors.busy_cap < 1.0
    relaxed, staffed = staff_for_rivals(case)
    assert relaxed.floors.busy_cap > case.floors.busy_cap
    assert staffed.crews.value >= rival
    plan = plan_deployment(forecast, times, settings, baseline=today)
    assert plan.report.objective >= rival

"""Plans for the worst paths: directions, limits, words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import plan_deployment, solve_case
from deploy_opt.plan.paths.model import paths_model
from deploy_opt.plan.paths.rates import about_the_mean, judging_rates
from deploy_opt.plan.paths.robust import (
    judge_on_paths,
    late_calls,
    standing,
    tail_weights,
    worst_mean,
)
from deploy_opt.plan.week import week_moves
from deploy_opt.report.path_lines import path_metrics, path_sentences
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Robust, Solver
from deploy_opt.scenario import load_scenario
from plan_towns import grid_town, plan_settings, same_units

TODAY = same_units([1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0])


def paths(forecast, *, hours=24, count=40, seed=5):
    """Weeks in which the calls of one half of the town may be many."""
    random = np.random.default_rng(seed)
    factors = random.gamma(2.0, 0.5, (count, len(forecast.area_ids), 1))
    return random.poisson(forecast.rates[None, :, :hours] * factors).astype(np.int32)


def solved(robust, **sections):
    forecast, times = grid_town()
    keys = {"posts": PostRules(max_moves_per_hour=1, max_open=6), "robust": robust} | sections
    case = lay_out(forecast, times, plan_settings(**keys), TODAY, path_calls=paths(forecast))
    return case, solve_case(case)


@pytest.fixture(scope="module")
def bad_weeks():
    return solved(Robust(against="cvar", paths=10, worst_share=0.2, passes=4))


def test_the_worst_paths_have_fewer_late_calls_than_under_any_other_plan_at_hand(bad_weeks):
    case, found = bad_weeks
    plans = [found.plan.units, found.on_the_mean, TODAY]
    plans += [units for units, _ in case.rivals]
    worst = [worst_mean(late_calls(case.model, units), 0.2) for units in plans]
    assert worst[0] == min(worst)
    assert worst[0] < worst[1]
    report = found.plan.report
    assert report.parts["worst_paths_late"] == pytest.approx(worst[0])
    assert report.parts["worst_paths_late_bound"] <= worst[0]
    assert report.objective <= report.bound


def test_the_plan_for_bad_weeks_keeps_the_rules(bad_weeks):
    case, found = bad_weeks
    units = found.plan.units
    assert units.sum() <= TODAY.sum()
    assert units.any(axis=0).sum() <= 6
    assert week_moves(units, cyclic=case.rules.cyclic).max() <= 1
    assert (units.sum(axis=1) >= case.floors.units).all()


def test_limits_by_hour_and_prices_of_posts_hold_on_paths_too():
    posts = PostRules(max_moves_per_hour=2, max_open_per_hour=4, calls_to_open=0.3)
    case, found = solved(Robust(paths=10, passes=2), posts=posts)
    assert (found.plan.units > 0).sum(axis=1).max() <= 4
    ranks = [standing(case, case.model, x) for x in (found.plan.units, found.on_the_mean)]
    assert ranks[0] <= ranks[1]


def test_two_runs_give_the_same_plan(bad_weeks):
    _, again = solved(Robust(against="cvar", paths=10, worst_share=0.2, passes=4))
    assert np.array_equal(again.plan.units, bad_weeks[1].plan.units)
    assert again.plan.report == bad_weeks[1].plan.report


def test_against_the_mean_of_the_paths_no_plan_at_hand_has_fewer_late_calls():
    case, found = solved(Robust(against="mean", paths=10))
    late = [late_calls(case.model, x).mean() for x in (found.plan.units, found.on_the_mean, TODAY)]
    assert late[0] == min(late)
    assert found.plan.report.parts["robust_passes"] == 1
    assert any("on average over 10 sample paths" in note for note in found.plan.report.notes)


def test_a_floor_for_the_weakest_area_is_missed_no_more_than_without_paths():
    case, found = solved(Robust(paths=4, passes=1), equity=EquityRules(weakest_area_cover=0.4))
    misses = [standing(case, case.model, x)[0] for x in (found.plan.units, found.on_the_mean)]
    assert misses[0] <= misses[1]


def test_after_the_last_search_too_the_plan_for_bad_weeks_is_no_worse_than_the_other():
    case, found = solved(Robust(paths=10, passes=2), solver=Solver(gap=0.0))
    ranks = [standing(case, case.model, x) for x in (found.plan.units, found.on_the_mean)]
    assert ranks[0] <= ranks[1]


def test_without_the_section_paths_change_nothing():
    forecast, times = grid_town()
    settings = plan_settings()
    plain = plan_deployment(forecast, times, settings, baseline=TODAY)
    given_paths = plan_deployment(
        forecast, times, settings, baseline=TODAY, path_calls=paths(forecast)
    )
    assert np.array_equal(plain.units, given_paths.units)
    assert plain.report == given_paths.report


def test_paths_that_are_asked_for_must_be_given():
    forecast, times = grid_town()
    with pytest.raises(InputError, match="sample paths"):
        plan_deployment(forecast, times, plan_settings(robust=Robust()), baseline=TODAY)


def test_a_clock_that_has_run_out_still_gives_a_plan():
    _, found = solved(Robust(paths=10), solver=Solver(time_limit_s=1e-6, last_search="none"))
    assert found.plan.units.sum() <= TODAY.sum()
    assert found.plan.report.parts["robust_passes"] == 1


def test_plans_are_judged_on_paths_that_none_was_made_against(bad_weeks):
    case, found = bad_weeks
    forecast, _ = grid_town()
    rates = np.stack([forecast.rates[:, :24] * f for f in (0.5, 1.0, 1.5)])
    plans = {"plan": found.plan.units, "plan_on_the_mean": found.on_the_mean, "baseline": TODAY}
    figures = judge_on_paths(case, rates, plans)
    assert figures.paths == 3
    assert (figures.late[:, 1] > figures.late[:, 0]).all()
    assert (figures.reached[:, 1] < figures.reached[:, 0]).all()
    rows = list(path_metrics(figures))
    assert len(rows) == 12
    assert rows[3].population == "the worst 20% of 3 sample paths kept from the plan"
    assert rows[3].value == pytest.approx(1 - figures.late[0, 1] / figures.calls[0, 1])
    (words,) = path_sentences(figures)
    assert "in the worst 20%" in words
    assert "the worst of sample paths" in words
    assert path_sentences(None) == ()
    assert list(path_metrics(None)) == []
    plain = replace(case, settings=case.settings.model_copy(update={"robust": None}))
    assert judge_on_paths(plain, rates, plans) is None


def kept_late(case, plans, calls):
    """Late calls on paths that were kept from plans: mean and worst fifth of each."""
    forecast, _ = grid_town()
    figures = judge_on_paths(case, judging_rates(calls, forecast.rates[:, :24]), plans)
    return figures.late


def swinging(variance, *, count=200):
    """Paths on which every area has a factor of its own."""
    forecast, _ = grid_town()
    random = np.random.default_rng(5)
    factors = np.ones((count, 8, 1))
    if variance:
        factors = random.gamma(1 / variance, variance, (count, 8, 1))
    return random.poisson(forecast.rates[None, :, :24] * factors).astype(np.int32)


def asked(calls, robust):
    forecast, times = grid_town()
    posts = PostRules(max_moves_per_hour=1, max_open=6)
    settings = plan_settings(posts=posts, robust=robust)
    return lay_out(forecast, times, settings, TODAY, path_calls=calls)


def test_a_plan_against_the_counts_of_paths_would_follow_noise_and_one_against_rates_does_not():
    calls = swinging(0.0)  # paths differ by chance alone
    case = asked(calls, Robust(paths=20, passes=4))
    found = solve_case(case)
    forecast, _ = grid_town()
    counts = about_the_mean(calls[:40:2].astype(float), forecast.rates[:, :24])
    by_counts = paths_model(case.model.forecast_model, counts)
    noisy = solve_case(replace(case, model=by_counts)).plan.units
    plans = {"plan": found.plan.units, "noisy": noisy, "mean": found.on_the_mean}
    late = kept_late(case, plans, calls)
    seen = [worst_mean(late_calls(by_counts, units), 0.2) for units in plans.values()]
    assert seen[1] < seen[0]  # it looks better where it was made
    assert late[1, 1] > 1.02 * late[0, 1]  # and is worse elsewhere
    assert late[0, 1] == pytest.approx(late[2, 1], rel=1e-3)


def test_where_areas_swing_the_plan_for_bad_weeks_is_better_on_kept_paths_too():
    calls = swinging(0.5)
    case = asked(calls, Robust(passes=4))
    found = solve_case(case)
    late = kept_late(case, {"plan": found.plan.units, "mean": found.on_the_mean}, calls)
    assert late[0, 1] < late[1, 1]
    assert found.plan.report.gap < 0.06


@given(
    st.lists(st.floats(0, 1e3), min_size=1, max_size=12),
    st.floats(0.01, 1.0),
)
def test_the_worst_share_is_between_the_mean_and_the_worst(losses, share):
    given_losses = np.array(losses)
    weights = tail_weights(given_losses, share)
    assert weights.sum() == pytest.approx(1.0)
    assert weights.max() <= 1.0 / max(share * len(losses), 1.0) + 1e-12
    worst = worst_mean(given_losses, share)
    assert given_losses.mean() - 1e-9 <= worst <= given_losses.max() + 1e-9
    assert worst_mean(given_losses, 1.0) == pytest.approx(given_losses.mean())


def test_fleets_of_one_unit_hour_an_hour_can_be_planned_for_bad_weeks():
    forecast, times = grid_town()
    settings = plan_settings(
        shifts=None,
        fleet=Fleet(unit_hours_per_week=24, busy_cap=0.95, min_units=1),
        robust=Robust(paths=5, passes=2),
    )
    plan = plan_deployment(forecast, times, settings, path_calls=paths(forecast))
    assert plan.units.sum() <= 24


MINIMAL = """
name: Tiny
time_zone: Europe/Amsterdam
horizon: {start: 2026-03-02, hours: 24}
inputs:
  counts: counts.csv
  areas: areas.geojson
  travel_matrix: {file: matrix.csv, unit: s}
  posts: posts.csv
standards:
  ems: {response_limit_s: 539}
"""


@pytest.fixture
def scenario_file(tmp_path):
    """A scenario whose inputs exist."""
    for name in ("counts.csv", "areas.geojson", "matrix.csv", "posts.csv"):
        (tmp_path / name).write_text("x")
    file = tmp_path / "tiny.yaml"
    file.write_text(MINIMAL, encoding="utf-8")
    return file


def test_the_section_of_a_scenario_reaches_the_plan(scenario_file):
    assert load_scenario(scenario_file).plan_settings("ems", busy_min=50.0).robust is None
    scenario = load_scenario(scenario_file, overrides=["robust={against: mean, paths: 30}"])
    robust = scenario.plan_settings("ems", busy_min=50.0).robust
    assert robust == Robust(against="mean", paths=30)
    assert Robust().against == "cvar"
    load_scenario(scenario_file, overrides=["robust={}", "demand.num_paths=50"])  # as many as fit


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["robust.against=worst"], "'mean' or 'cvar'"),
        (["robust.worst_share=0"], "greater than 0"),
        (["robust.share=0.1"], "worst_share"),
        (["robust.paths=120"], "at most 100, half of demand.num_paths"),
        (["robust={}", "solver.method=extensive"], "solver.method tables"),
        (["robust={}", "equity.objective=nash"], "equity.objective calls"),
    ],
)
def test_what_does_not_go_with_paths_is_refused_in_words(scenario_file, overrides, words):
    with pytest.raises(InputError) as raised:
        load_scenario(scenario_file, overrides=overrides)
    assert any(words in str(fault) for fault in raised.value.faults)

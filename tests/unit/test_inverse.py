"""The fewest unit-hours that reach a target: enumeration, bounds, and targets out of reach."""

import itertools

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.questions.inverse import _Search, fewest_unit_hours
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.plan.value_tables import value_tables
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules
from plan_towns import grid_town, plan_settings, same_units, three_posts


@pytest.mark.parametrize("target", [0.4, 0.6, 0.75])
def test_the_answer_is_that_of_trying_every_number_of_crews(target):
    forecast, times = three_posts()
    settings = plan_settings()
    model = cover_model(forecast, times, settings)
    none = np.zeros((24, 3), dtype=np.int64)
    tables = value_tables(model, 12, (none, none + 9))
    columns = shift_columns(settings.shifts, hours=24)
    calls, best = model.rates.sum(), np.inf
    for crews in itertools.product(range(7), repeat=len(columns.length_h)):
        staffing = columns.staffing(np.asarray(crews))
        if staffing.max() > 12 or (model.busy(staffing) > 0.95).any():
            continue
        if tables.value[np.arange(24), staffing].sum() >= target * calls:
            best = min(best, staffing.sum())
    found = fewest_unit_hours(forecast, times, settings, target_share=target)
    assert found.unit_hours == best
    assert found.bound <= best
    assert found.share >= target


def test_the_answer_keeps_every_rule_and_lies_just_above_its_bound():
    forecast, times = grid_town()
    settings = plan_settings(
        posts=PostRules(max_open=5, max_moves_per_hour=1), fleet=Fleet(min_units=2, busy_cap=0.6)
    )
    found = fewest_unit_hours(
        forecast, times, settings, target_share=0.7, baseline=same_units([1] * 6 + [0] * 6)
    )
    units = found.plan.units
    assert found.share >= 0.7
    assert found.unit_hours == units.sum()
    assert found.bound <= found.unit_hours <= 1.25 * found.bound
    assert units.any(axis=0).sum() <= 5
    assert (units.sum(axis=1) >= 2).all()
    assert found.settings.fleet.unit_hours_per_week == found.unit_hours
    assert f"{found.unit_hours:,} unit-hours" in found.words
    assert found.plan.crews["crews"].sum() > 0


def test_a_higher_target_never_takes_fewer_hours():
    forecast, times = grid_town(seed=2)
    hours = [
        fewest_unit_hours(forecast, times, plan_settings(), target_share=share).unit_hours
        for share in (0.4, 0.55, 0.7)
    ]
    assert hours == sorted(hours)


def test_a_floor_for_the_weakest_area_is_kept_too():
    forecast, times = three_posts()
    equity = EquityRules(weakest_area_cover=0.5, min_calls_per_week=0)
    settings = plan_settings(equity=equity)
    found = fewest_unit_hours(forecast, times, settings, target_share=0.5)
    assert found.plan.report.parts["weakest_area_cover"] >= 0.5


def test_a_target_beyond_every_post_says_by_how_much_it_is_missed():
    forecast, times = three_posts()
    settings = plan_settings(posts=PostRules(forbidden=("p0", "p1"), max_moves_per_hour=None))
    with pytest.raises(InfeasibleError, match=r"are missing; nearer posts") as caught:
        fewest_unit_hours(forecast, times, settings, target_share=0.9)
    # the east post reaches .3 of the 1.6 calls at the very most
    assert "18.7" in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_cap_that_the_posts_cannot_keep_is_named():
    forecast, times = three_posts(capacity=[1, 1, 1])
    settings = plan_settings(fleet=Fleet(min_units=0, busy_cap=0.1))
    with pytest.raises(InfeasibleError, match="busy_cap"):
        fewest_unit_hours(forecast, times, settings, target_share=0.5)


@pytest.mark.parametrize("target", [0.0, 1.0, 1.5])
def test_a_target_that_is_no_share_is_refused(target):
    forecast, times = three_posts()
    with pytest.raises(InputError, match="above 0 and below 1"):
        fewest_unit_hours(forecast, times, plan_settings(), target_share=target)


def test_climbing_from_the_bound_finds_the_crews_that_branch_and_bound_finds():
    forecast, times = three_posts()
    case = lay_out(forecast, times, plan_settings(), same_units([1, 1, 1]))
    none = np.zeros((24, 3), dtype=np.int64)
    tables = value_tables(case.model, 12, (none, none + 9))
    search = _Search(case, tables, (case.floors.units, np.full(24, 12)))
    wanted = 0.7 * case.model.rates.sum()
    bound, crews = search.fewest(wanted)
    climbed = search._climb(wanted, bound)
    assert search.problem(0.0).total(climbed) >= wanted * (1 - 1e-9)
    assert climbed @ case.columns.unit_hours == crews @ case.columns.unit_hours
    with pytest.raises(InfeasibleError, match="no crews"):
        search.fewest(case.model.rates.sum())


def test_climbing_doubles_its_step_from_far_below():
    forecast, times = three_posts()
    case = lay_out(forecast, times, plan_settings(), same_units([1, 1, 1]))
    none = np.zeros((24, 3), dtype=np.int64)
    tables = value_tables(case.model, 12, (none, none + 9))
    search = _Search(case, tables, (case.floors.units, np.full(24, 12)))
    wanted = 0.7 * case.model.rates.sum()
    _, crews = search.fewest(wanted)
    assert search._climb(wanted, 30.0) @ case.columns.unit_hours == crews @ case.columns.unit_hours
    with pytest.raises(InfeasibleError, match="no whole crews"):
        search._climb(2 * wanted, 30.0)


def test_a_floor_that_the_open_posts_cannot_keep_is_named_with_what_they_reach():
    forecast, times = three_posts()
    settings = plan_settings(
        posts=PostRules(max_open=1, max_moves_per_hour=None),
        equity=EquityRules(weakest_area_cover=0.6, min_calls_per_week=0),
    )
    with pytest.raises(InfeasibleError, match=r"weakest_area_cover: \d+\.\d% is the nearest found"):
        fewest_unit_hours(forecast, times, settings, target_share=0.3)

"""The last search in a whole plan: what it changes, what it keeps, and what the report says."""

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.plan.sites.last_search import search_last
from deploy_opt.plan.sites.site_busy import site_busy, site_demand
from deploy_opt.plan.week import week_moves
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Solver
from deploy_opt.standard_settings import DriveLayer
from plan_towns import grid_town, plan_settings, same_units

TODAY = same_units([2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])


def solved(last, seed=2, **sections):
    forecast, times = grid_town(seed=seed)
    chosen = {
        "fleet": Fleet(min_units=0, busy_cap=0.95),
        "solver": Solver(last_search=last),
        "posts": PostRules(max_moves_per_hour=1, max_open=8),
    }
    settings = plan_settings(**(chosen | sections))
    return solve_case(lay_out(forecast, times, settings, TODAY)), (forecast, times, settings)


def hypercube(question, case, units):
    return site_busy(site_demand(case.model, *question[1:]), case.model, units).total


@pytest.mark.parametrize("seed", [2, 3])
def test_only_positions_change_and_the_hypercube_reaches_more(seed):
    (plain, question), (searched, _) = solved("none", seed), solved("hypercube", seed)
    case = searched.case
    before, after = plain.plan.units, searched.plan.units
    assert hypercube(question, case, after) > hypercube(question, case, before)
    assert plain.plan.crews.equals(searched.plan.crews)
    np.testing.assert_array_equal(before.sum(axis=1), after.sum(axis=1))
    np.testing.assert_array_equal(searched.placed.units, before)
    assert after.any(axis=0).sum() <= 8
    assert week_moves(after, cyclic=case.rules.cyclic).max() <= 1


def test_the_report_counts_the_plan_as_it_is_and_names_the_loss_apart():
    (plain, question), (searched, _) = solved("none"), solved("hypercube")
    report, parts = searched.plan.report, searched.plan.report.parts
    value = evaluate_positions(searched.plan.units, *question).value.sum()
    assert report.objective == pytest.approx(value)
    assert report.objective < plain.plan.report.objective <= report.bound + 1e-9
    assert report.bound == plain.plan.report.bound
    assert parts["link_loss"] == plain.plan.report.parts["link_loss"]
    kept = (1 - parts["link_loss"]) * (1 - parts["last_search_loss"])
    gap = (1 + parts["mix_gap"]) * (1 + parts["location_gap"]) / kept - 1
    assert report.gap == pytest.approx(gap, abs=1e-9)
    calls = searched.case.model.rates.sum()
    assert parts["model_cover"] == pytest.approx(value / calls)
    assert parts["model_cover_before"] == pytest.approx(plain.plan.report.objective / calls)
    cover = hypercube(question, searched.case, searched.plan.units) / calls
    assert parts["hypercube_cover"] == pytest.approx(cover)
    assert parts["hypercube_cover"] > parts["hypercube_cover_before"]
    assert report.notes[-1].startswith("last search: with every unit as busy")
    assert "last_search_loss" not in plain.plan.report.parts


def test_a_floor_for_the_weakest_area_is_missed_by_no_more_than_before():
    floor = EquityRules(weakest_area_cover=0.55, min_calls_per_week=0)
    plain, _ = solved("none", equity=floor)
    searched, _ = solved("hypercube", equity=floor)
    key = "weakest_area_cover"
    before, after = plain.plan.report.parts[key], searched.plan.report.parts[key]
    assert after >= min(before, 0.55) - 1e-9
    price = "balance_price"
    assert searched.plan.report.parts[price] == pytest.approx(plain.plan.report.parts[price])


def test_by_the_model_the_plan_stays_no_worse_than_todays():
    # today's positions are good already: what the search may give up is little
    found, question = solved("hypercube", seed=5)
    forecast, times, settings = question
    again = solve_case(lay_out(forecast, times, settings, found.placed.units))
    assert again.plan.report.objective >= again.case.model.value(found.placed.units).sum() - 1e-9


def test_response_layers_are_what_the_search_makes_most_of():
    layers = (DriveLayer(drive_limit_s=150, worth=0.5), DriveLayer(drive_limit_s=300, worth=0.5))
    searched, question = solved("hypercube", layers=layers)
    case, parts = searched.case, searched.plan.report.parts
    demand = site_demand(case.model, *question[1:])
    worth = site_busy(demand, case.model, searched.plan.units, layered=True).total
    assert parts["hypercube_cover"] == pytest.approx(worth / case.model.rates.sum())
    assert "of the calls by their worth" in searched.plan.report.notes[-1]


def test_a_plan_chosen_by_its_nash_welfare_is_left_as_it_is_and_says_so():
    found, _ = solved("hypercube", equity=EquityRules(objective="nash"))
    np.testing.assert_array_equal(found.plan.units, found.placed.units)
    assert found.plan.report.notes[-1].startswith("no last search on the hypercube")


def test_without_time_left_there_is_no_last_search():
    found, question = solved("none")
    late = Solver(time_limit_s=1e-9)
    settings = question[2].model_copy(update={"solver": late})
    case = lay_out(*question[:2], settings, TODAY)
    assert search_last(case, found.placed) is None


def test_a_wrong_kind_of_last_search_is_refused():
    with pytest.raises(ValidationError, match=r"'hypercube' or 'none'"):
        Solver(last_search="simulation")

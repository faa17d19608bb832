"""Rules of balance against every positions of every hour on a town with three posts."""

import itertools

import numpy as np
import pytest

from deploy_opt.inputs.population import Population
from deploy_opt.plan.balance.equity import weekly_cover
from deploy_opt.plan.balance.mixture_floor import mixture_cover
from deploy_opt.plan.balance.nearest_units import NearestUnits
from deploy_opt.plan.balance.welfare import geometric_mean
from deploy_opt.plan.balance.workload_rule import relative_deviation
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Shifts, Solver
from plan_towns import plan_settings, same_units, three_posts

HOURS = 6
UNEVEN = (0.2, 0.2, 0.6)
PEOPLE = Population(
    ("west", "mid", "east"),
    np.array([1000.0, 2000.0, 1500.0]),
    ("old", "young"),
    np.array([[0.1, 0.2, 0.9], [0.6, 0.3, 0.1]]),
)


def solved(units=2, calls=(1.5, 1.5, 0.3), **equity):
    """Two units on duty all six hours, so that positions are all that is left to choose."""
    forecast, times = three_posts(calls)
    settings = plan_settings(
        hours=HOURS,
        first_hour=8,
        shifts=Shifts(starts_h=(8,), lengths_h=(HOURS,)),
        fleet=Fleet(
            unit_hours_per_week=units * HOURS, min_units=units, max_units=units, busy_cap=0.95
        ),
        posts=PostRules(capacity=2, max_moves_per_hour=None),
        solver=Solver(gap=0.0, last_search="none"),
        equity=EquityRules(min_calls_per_week=0, min_group_residents=0, **equity),
    )
    today = same_units([1, 1, 0], HOURS)
    return solve_case(lay_out(forecast, times, settings, today, people=PEOPLE)), times


@pytest.fixture(scope="module")
def every_plan():
    """Calls reached of each area by all 6 ** 6 plans of two units, shape (plans, areas)."""
    found, _ = solved()
    model = found.case.model
    spots = [x for x in itertools.product(range(3), repeat=3) if sum(x) == 2]
    reached = np.stack(
        [model.rates * model.area_cover(np.tile(np.array(x), (HOURS, 1))) for x in spots]
    )
    chosen = np.array(list(itertools.product(range(len(spots)), repeat=HOURS)))
    each = sum(reached[chosen[:, hour], :, hour] for hour in range(HOURS))
    return each, model.rates.sum(axis=1)


def test_the_most_nash_welfare_of_all_plans_is_found_and_bounded(every_plan):
    each, calls = every_plan
    best = max(geometric_mean(row / calls, calls) for row in each)
    found, _ = solved(objective="nash")
    parts = found.plan.report.parts
    assert parts["nash_cover"] == pytest.approx(best, rel=2e-3)
    assert parts["nash_cover"] <= best + 1e-12
    assert parts["nash_bound"] >= best - 1e-9
    most = solved()[0]
    cover = weekly_cover(most.case.model, most.plan.units)
    assert parts["nash_cover"] > geometric_mean(cover, calls)
    assert parts["balance_price"] == pytest.approx(most.placed.value - found.placed.value)


@pytest.mark.parametrize("step", [0.3, 0.6])
def test_a_floor_for_groups_costs_no_less_than_the_bound_and_little_more_than_the_best(
    every_plan, step
):
    each, calls = every_plan
    free, _ = solved()
    groups = mixture_cover(PEOPLE.shares, calls, weekly_cover(free.case.model, free.plan.units))
    covers = np.stack([mixture_cover(PEOPLE.shares, calls, row / calls) for row in each])
    floor = float(groups.min() + step * (covers.min(axis=1).max() - groups.min()))
    best = each[covers.min(axis=1) >= floor].sum(axis=1).max()
    found, _ = solved(worst_group_cover=floor)
    parts = found.plan.report.parts
    assert parts["worst_group_cover"] >= floor
    assert found.placed.value <= best + 1e-9
    assert found.placed.value >= 0.98 * best
    assert parts["floor_bound"] >= best - 1e-9
    assert found.placed.value < free.placed.value


def test_a_floor_and_the_nash_welfare_hold_together(every_plan):
    each, calls = every_plan
    lone, _ = solved(objective="nash")
    weakest = float(weekly_cover(lone.case.model, lone.plan.units).min())
    highest = float((each / calls).min(axis=1).max())
    floor = (weakest + highest) / 2
    found, _ = solved(objective="nash", weakest_area_cover=floor)
    parts = found.plan.report.parts
    kept = [geometric_mean(row / calls, calls) for row in each if (row / calls).min() >= floor]
    assert parts["weakest_area_cover"] >= floor
    assert max(kept) * 0.99 <= parts["nash_cover"] <= max(kept) + 1e-12
    assert parts["nash_bound"] >= max(kept) - 1e-9


def test_a_limit_on_the_mean_drive_is_kept():
    free, times = solved()
    nearest = NearestUnits(free.case.model, times, first_hour=8)
    now = nearest.mean_drive_s(free.plan.units)
    spots = [same_units(x, HOURS) for x in itertools.product(range(3), repeat=3) if sum(x) == 2]
    drives = [nearest.mean_drive_s(units) for units in spots]
    limit = min(drives) + 0.5 * (now - min(drives))
    assert limit < now
    found, _ = solved(max_mean_drive_s=limit)
    parts = found.plan.report.parts
    assert parts["mean_drive_s"] <= limit
    assert parts["mean_drive_s"] == pytest.approx(nearest.mean_drive_s(found.plan.units))
    assert found.placed.value <= free.placed.value


def test_a_band_for_workload_is_kept():
    free, times = solved(units=3, calls=UNEVEN)
    nearest = NearestUnits(free.case.model, times, first_hour=8)

    def away(units):
        return float(np.abs(relative_deviation(*nearest.week_by_post(units))).max())

    now = away(free.plan.units)
    spots = [x for x in itertools.product(range(3), repeat=3) if sum(x) == 3]
    least = min(away(same_units(x, HOURS)) for x in spots)
    band = least + 0.5 * (now - least)
    assert band < now
    found, _ = solved(units=3, calls=UNEVEN, workload_band=band)
    assert away(found.plan.units) <= band
    assert found.plan.report.parts["workload_outside"] == 0
    assert found.placed.value <= free.placed.value

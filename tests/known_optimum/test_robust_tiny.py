"""Plans against paths of the calls, beside full enumeration on a town with three posts."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.paths.model import paths_model
from deploy_opt.plan.paths.robust import late_calls, worst_mean
from deploy_opt.rule_settings import Fleet, PostRules, Robust, Shifts, Solver
from deploy_opt.standard_settings import DriveLayer
from plan_towns import plan_settings, three_posts

HOURS = 2
# most weeks the west calls, some weeks the east does, and then there is far more of it
WEST, EAST = (1.6, 0.3, 0.1), (0.1, 0.4, 2.6)
LAYERS = (
    DriveLayer(drive_limit_s=150.0, worth=0.6),
    DriveLayer(drive_limit_s=450.0, worth=0.4),
)


ALL_DAY = Shifts(starts_h=(0,), lengths_h=(HOURS,))


def question(paths, units=2, shifts=ALL_DAY, **sections):
    forecast, times = three_posts(tuple(np.mean(paths, axis=0)), night=1.0)
    settings = plan_settings(
        hours=HOURS,
        shifts=shifts,
        fleet=Fleet(unit_hours_per_week=units * HOURS, busy_cap=0.95, min_units=0),
        posts=PostRules(capacity=2, max_moves_per_hour=None),
        solver=Solver(gap=0.0, last_search="none"),
        **sections,
    )
    case = lay_out(forecast, times, settings, None)
    rates = np.repeat(np.asarray(paths, dtype=float)[:, :, None], HOURS, axis=2)
    return case, paths_model(case.model, rates), times


def late_by_points(paths, units, times, limits, busy_h):
    """Late calls of each path from the drive times alone: no covering sets, no models."""
    area = [("west", "mid", "east").index(a) for a in times.destinations["area_id"]]
    share = times.destinations["share"].to_numpy()
    result = np.zeros(len(paths))
    for row in units:
        for path, calls in enumerate(np.asarray(paths, dtype=float)):
            curve = cover_curve(calls.sum() * busy_h, int(np.sum(row)))
            result[path] += calls.sum()
            for limit, worth in limits:
                reached = curve[(np.asarray(row) @ (times.by_profile[0] <= limit)).astype(int)]
                result[path] -= worth * float((calls[area] * share) @ reached)
    return result


def all_plans(case):
    rows = list(itertools.product(range(3), repeat=3))
    for plan in itertools.product(rows, repeat=HOURS):
        staffing = [sum(row) for row in plan]
        fixed = case.settings.shifts is None or len(set(staffing)) == 1
        enough = min(staffing) >= case.floors.units.max()
        if fixed and enough and sum(staffing) <= case.rules.unit_hours:
            yield plan


@pytest.mark.parametrize("layers", [(), LAYERS])
@pytest.mark.parametrize("against", ["mean", "cvar"])
@pytest.mark.parametrize(
    "paths", [(WEST, WEST, EAST, WEST), ((0.5, 0.2, 0.9), (0.9, 0.9, 0.1), (0.2, 0.1, 0.4))]
)
def test_the_plan_is_the_best_of_all_on_its_paths(paths, against, layers):
    robust = Robust(against=against, paths=len(paths), worst_share=0.25, passes=12)
    case, model, times = question(paths, robust=robust, layers=layers)
    solved = solve_case(replace(case, model=model))
    share = robust.worst_share if against == "cvar" else 1.0
    limits = [(x.drive_limit_s, x.worth) for x in layers] or [(300.0, 1.0)]
    best = min(
        worst_mean(late_by_points(paths, plan, times, limits, model.busy_h), share)
        for plan in all_plans(case)
    )
    found = late_by_points(paths, solved.plan.units, times, limits, model.busy_h)
    assert np.allclose(found, late_calls(model, solved.plan.units))
    assert worst_mean(found, share) == pytest.approx(best, rel=1e-9)
    parts = solved.plan.report.parts
    assert parts["worst_paths_late_bound"] <= best + 1e-9
    assert parts["worst_paths_late"] == pytest.approx(best, rel=1e-9)
    assert solved.plan.report.bound >= solved.plan.report.objective


def test_where_crews_may_differ_by_hour_the_bound_says_how_far_the_best_can_be():
    paths = (WEST, WEST, EAST, WEST)
    robust = Robust(against="cvar", paths=4, worst_share=0.25, passes=12)
    case, model, times = question(paths, shifts=None, robust=robust)
    report = solve_case(replace(case, model=model)).plan.report
    best = min(
        late_by_points(paths, plan, times, [(300.0, 1.0)], model.busy_h).max()
        for plan in all_plans(case)
    )
    assert report.parts["worst_paths_late_bound"] <= best <= report.parts["worst_paths_late"]
    assert report.parts["worst_paths_late"] == pytest.approx(best, rel=0.02)
    assert report.gap > 0


def test_the_plan_for_bad_weeks_waits_where_the_mean_does_not():
    paths = (WEST, WEST, EAST, WEST)
    robust = Robust(against="cvar", paths=4, worst_share=0.25, passes=12)
    case, model, _ = question(paths, robust=robust)
    solved = solve_case(replace(case, model=model))
    mean = late_calls(model, solved.on_the_mean)
    worst = late_calls(model, solved.plan.units)
    assert worst.max() < mean.max() - 0.05
    assert worst.mean() > mean.mean()
    assert solved.plan.units[:, 2].sum() > solved.on_the_mean[:, 2].sum()

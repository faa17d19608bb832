"""Response layers in the weekly plan against full enumeration on a town with three posts."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.coverage import Geometry, cover_model, merge_sets, stack_layers
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.plan.questions.inverse import fewest_unit_hours
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Shifts, Solver
from deploy_opt.standard_settings import DriveLayer, Standard
from plan_towns import grid_town, plan_settings, same_units, three_posts

SHIFTS = Shifts(starts_h=(5, 7, 8), lengths_h=(3, 4))
EARLY_AND_LATE = ((150.0, 0.7), (450.0, 0.3))


def layers(pairs=EARLY_AND_LATE):
    return tuple(DriveLayer(drive_limit_s=limit, worth=worth) for limit, worth in pairs)


def asked(**changes):
    keys = {
        "hours": 6,
        "first_hour": 5,
        "shifts": SHIFTS,
        "fleet": Fleet(unit_hours_per_week=9, busy_cap=0.95, min_units=0),
        "posts": PostRules(capacity=2, max_moves_per_hour=None),
        "solver": Solver(gap=0.0),
    }
    return plan_settings(**(keys | changes))


def worth_by_points(units, forecast, times, settings, pairs):
    """The objective from the drive times alone, point by point: no covering sets."""
    area = [forecast.area_ids.index(a) for a in times.destinations["area_id"]]
    share = times.destinations["share"].to_numpy()
    total = 0.0
    for hour, row in enumerate(units):
        rates = forecast.rates[:, (settings.first_hour + hour) % 168]
        curve = cover_curve(float(rates.sum()) * settings.busy_min / 60, int(row.sum()))
        seconds = times.at_hour(settings.first_hour + hour)
        for limit, worth in pairs:
            reached = curve[(row @ (seconds <= limit)).astype(int)]
            total += worth * float((rates[area] * share) @ reached)
    return total


def best_of_all(forecast, times, settings, pairs):
    columns = shift_columns(SHIFTS, hours=settings.hours, first_hour=settings.first_hour)
    places = list(itertools.product(range(3), repeat=3))
    value = np.zeros((settings.hours, 7))
    for hour in range(settings.hours):
        for x in places:
            units = np.zeros((settings.hours, 3), dtype=int)
            units[hour] = x
            found = worth_by_points(units, forecast, times, settings, pairs)
            value[hour, sum(x)] = max(value[hour, sum(x)], found)
    best, budget = 0.0, settings.fleet.unit_hours_per_week
    for chosen in itertools.product(*(range(int(budget // h) + 1) for h in columns.unit_hours)):
        crews = np.array(chosen)
        staffing = columns.staffing(crews)
        # an hour without units is wholly busy, above the cap
        if crews @ columns.unit_hours <= budget and staffing.min() >= 1 and staffing.max() <= 6:
            best = max(best, value[np.arange(settings.hours), staffing].sum())
    return best


@pytest.mark.parametrize("pairs", [EARLY_AND_LATE, ((120.0, 0.2), (290.0, 0.3), (600.0, 0.5))])
@pytest.mark.parametrize("calls", [(0.5, 0.8, 0.3), (0.2, 0.1, 0.9)])
def test_a_layered_plan_is_the_best_of_all_crews_and_positions(calls, pairs):
    forecast, times = three_posts(calls)
    settings = asked(layers=layers(pairs))
    plan = plan_deployment(forecast, times, settings)
    best = best_of_all(forecast, times, settings, pairs)
    assert plan.report.objective == pytest.approx(best, rel=1e-9)
    assert plan.report.bound >= best - 1e-9
    by_points = worth_by_points(plan.units, forecast, times, settings, pairs)
    assert by_points == pytest.approx(best)
    judged = evaluate_positions(plan.units, forecast, times, settings)
    model = cover_model(forecast, times, settings)
    assert (model.rates * judged.worth).sum() == pytest.approx(best)


def test_reports_keep_to_the_standard_whatever_the_layers():
    forecast, times = three_posts()
    units = same_units([2, 1, 0])
    plain = evaluate_positions(units, forecast, times, plan_settings())
    layered = evaluate_positions(units, forecast, times, plan_settings(layers=layers()))
    assert plain.worth is None
    assert layered.cover == pytest.approx(plain.cover, abs=1e-14)
    assert layered.value == pytest.approx(plain.value)
    assert layered.busy == pytest.approx(plain.busy)


def test_one_layer_of_the_standard_gives_the_same_plan_to_the_byte():
    forecast, times = grid_town()
    keys = {
        "hours": 24,
        "equity": EquityRules(weakest_area_cover=0.3),
        "posts": PostRules(max_open=6, max_moves_per_hour=2),
        "fleet": Fleet(unit_hours_per_week=192, min_units=2),
    }
    plain = plan_deployment(forecast, times, plan_settings(**keys))
    only = layers([(300.0, 1.0)])
    one = plan_deployment(forecast, times, plan_settings(**keys, layers=only))
    assert one.units.tobytes() == plain.units.tobytes()
    assert one.crews.equals(plain.crews)
    assert one.report.objective == plain.report.objective
    assert one.report.bound == plain.report.bound


def test_two_layers_at_one_limits_both_sides_are_one_layer_in_the_middle():
    # nothing lies between 300 and 390 s in this town, so both layers reach the same points
    forecast, times = three_posts()
    units = same_units([1, 2, 0])
    both = cover_model(forecast, times, plan_settings(layers=layers([(300, 0.4), (390, 0.6)])))
    alone = cover_model(forecast, times, plan_settings())
    assert both.value(units) == pytest.approx(alone.value(units))
    assert np.array_equal(both.geometries[0].cover, alone.geometries[0].cover)


def test_stacked_layers_of_worth_one_are_the_sets_themselves():
    random = np.random.default_rng(5)
    reached = random.random((7, 30)) < 0.3
    one = merge_sets(reached, random.integers(0, 4, 30), random.random(30), 4)
    stacked = stack_layers([one], [1.0], standard=0)
    assert np.array_equal(stacked.cover, one.cover)
    assert np.array_equal(stacked.area_share.toarray(), one.area_share.toarray())
    assert np.array_equal(stacked.worth.toarray(), one.worth.toarray())
    assert isinstance(one, Geometry)
    assert one.area_worth is None


def test_prices_of_floors_weigh_the_standards_calls_beside_the_layers_worth():
    forecast, times = grid_town()
    model = cover_model(forecast, times, plan_settings(layers=layers([(120, 0.5), (500, 0.5)])))
    random = np.random.default_rng(2)
    units = random.integers(0, 2, (24, 12))
    prices = random.random(8)
    for hour in (3, 12):
        geometry = model.geometry(hour)
        curve = model.curve(hour, int(units[hour].sum()))
        reached = curve[(units[hour] @ geometry.cover).astype(int)]
        calls = model.rates[:, hour]
        in_time = calls * (geometry.area_share @ reached)
        priced = float(model.weights(hour, 1.0 + prices) @ reached)
        assert priced == pytest.approx(model.value(units)[hour] + prices @ in_time)


def test_a_floor_holds_on_the_standards_cover_while_the_plan_aims_at_layers():
    forecast, times = grid_town(posts=8, areas=5, calls_per_hour=2.0)
    keys = {
        "hours": 24,
        "fleet": Fleet(unit_hours_per_week=120, min_units=0, busy_cap=0.95),
        "posts": PostRules(max_moves_per_hour=None),
        "layers": layers([(60, 0.6), (120, 0.4)]),
    }

    def weakest(plan, settings):
        judged = evaluate_positions(plan.units, forecast, times, settings)
        rates = cover_model(forecast, times, settings).rates
        return float(((rates * judged.cover).sum(axis=1) / rates.sum(axis=1)).min())

    free_settings = plan_settings(**keys)
    free = plan_deployment(forecast, times, free_settings)
    floor = weakest(free, free_settings) + 0.05
    fair_settings = plan_settings(**keys, equity=EquityRules(weakest_area_cover=floor))
    fair = plan_deployment(forecast, times, fair_settings)
    assert weakest(fair, fair_settings) >= floor - 1e-9
    assert fair.report.objective <= free.report.bound + 1e-9


def test_the_least_mean_response_is_lower_than_that_of_the_coverage_plan():
    forecast, times = grid_town()
    standard = Standard(drive_limit_s=300, objective="response_time", time_steps=12)
    keys = {"hours": 24, "fleet": Fleet(unit_hours_per_week=192, min_units=2)}
    quick = plan_settings(**keys, layers=standard.drive_layers)
    covering = plan_deployment(forecast, times, plan_settings(**keys))
    fast = plan_deployment(forecast, times, quick)

    def mean_drive(plan):
        judged = evaluate_positions(plan.units, forecast, times, quick)
        rates = cover_model(forecast, times, quick).rates
        return standard.longest_drive_s * (1 - (rates * judged.worth).sum() / rates.sum())

    in_time = [evaluate_positions(p.units, forecast, times, quick).value.sum() for p in (
        covering, fast)]  # fmt: skip
    assert mean_drive(fast) < mean_drive(covering) - 1.0
    assert in_time[1] <= in_time[0] * 1.001


def test_a_target_share_is_asked_of_the_standard_and_leaves_the_layers_aside():
    forecast, times = three_posts()
    keys = {"posts": PostRules(capacity=3, max_moves_per_hour=None)}
    plain = fewest_unit_hours(
        forecast, times, plan_settings(**keys), target_share=0.7, baseline=same_units([1, 1, 0])
    )
    layered = fewest_unit_hours(
        forecast, times, plan_settings(**keys, layers=layers()), target_share=0.7,
        baseline=same_units([1, 1, 0]),
    )  # fmt: skip
    assert layered.unit_hours == plain.unit_hours
    assert layered.settings.layers == ()

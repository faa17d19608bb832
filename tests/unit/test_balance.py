"""Rules of balance in the weekly plan: what they buy, what they cost, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_opt.errors import InputError
from deploy_opt.inputs.population import Population
from deploy_opt.plan.balance.equity import weekly_cover
from deploy_opt.plan.balance.fair_swaps import fair_swaps
from deploy_opt.plan.balance.figures import balance_figures
from deploy_opt.plan.balance.mixture_floor import MixtureFloor
from deploy_opt.plan.balance.nearest_units import NearestUnits
from deploy_opt.plan.balance.rules import balance_of, groups_of
from deploy_opt.plan.balance.weighted_week import ExtraSets, Weights, weighted_week
from deploy_opt.plan.balance.welfare import geometric_mean, nash_bound, tangent_weights
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.place import linked
from deploy_opt.plan.questions.prices import price_rules
from deploy_opt.plan.search import Hour
from deploy_opt.plan.week import Week, week_moves
from deploy_opt.rule_settings import EquityRules, Fleet, PostRules, Solver
from deploy_opt.standard_settings import DriveLayer
from plan_towns import grid_town, plan_settings, same_units, three_posts

TODAY = same_units([1] * 5 + [0] * 7)
IDS = tuple(f"a{i}" for i in range(8))
PEOPLE = Population(
    IDS,
    np.full(8, 1000.0),
    ("near", "far", "few"),
    np.array([[0.9] * 4 + [0.1] * 4, [0.1] * 4 + [0.9] * 4, [0.001] * 8]),
)


def solve(*, people=PEOPLE, posts=None, **equity):
    forecast, times = grid_town(seed=5)
    settings = plan_settings(
        limit_s=450.0,
        posts=PostRules(max_open=6, max_moves_per_hour=1) if posts is None else posts,
        equity=EquityRules(**equity),
        solver=Solver(last_search="none"),
    )
    return solve_case(lay_out(forecast, times, settings, TODAY, people=people)), times


@pytest.fixture(scope="module")
def free():
    return solve()[0]


@pytest.fixture(scope="module")
def fair():
    return solve(objective="nash")[0]


@pytest.fixture(scope="module")
def short_drives():
    return solve(max_mean_drive_s=1.0)[0]


def kept_limits(found):
    units = found.plan.units
    assert units.any(axis=0).sum() <= 6
    assert week_moves(units, cyclic=False).max() <= 1
    assert units.sum() <= TODAY.sum()


def groups(found):
    group = groups_of(found.case)
    rule = MixtureFloor("x", 0.0, group.mix, found.case.model.rates.sum(axis=1), group.counted)
    return rule.cover_of(weekly_cover(found.case.model, found.plan.units))


def test_without_rules_of_balance_nothing_is_weighed(free):
    assert free.placed.balanced is None
    assert not balance_of(free.case, free.placed.staffing).rules
    assert not {"balance_price", "nash_cover", "floor_bound"} & set(free.plan.report.parts)


def test_a_floor_lifts_the_worst_group_and_costs_calls(free):
    before = groups(free)[:2]
    floor = float(before.min() + 0.3 * (before.max() - before.min()))
    found, _ = solve(worst_group_cover=floor)
    kept_limits(found)
    assert groups(found)[:2].min() >= floor
    parts = found.plan.report.parts
    assert parts["worst_group_cover"] == pytest.approx(groups(found)[:2].min())
    assert parts["balance_price"] == pytest.approx(found.placed.unbalanced - found.placed.value)
    assert found.placed.value <= parts["floor_bound"] + 1e-9
    prices = {price.rule: price for price in price_rules(found, found.case.times.origins)}
    assert prices[f"equity.worst_group_cover = {floor:g}"].calls > 0


def test_few_residents_do_not_make_a_group(free):
    found, _ = solve(worst_group_cover=0.2)
    counted = groups_of(found.case).counted
    assert counted.tolist() == [True, True, False]
    figures = balance_figures(found.case, found.plan.units, TODAY)
    assert [g.name for g in figures.groups if not g.counted] == ["few"]
    assert figures.worst.plan == pytest.approx(groups(found)[:2].min())


def test_a_floor_that_no_group_can_reach_is_named_with_what_is_possible():
    found, _ = solve(worst_group_cover=0.999)
    notes = " ".join(found.plan.report.notes)
    assert "equity.worst_group_cover = 99.9% is not reached for group" in notes
    assert "possible" in notes
    nobody, _ = solve(worst_group_cover=0.5, min_group_residents=1e6)
    assert "no population group has enough" in " ".join(nobody.plan.report.notes)


def test_the_nash_welfare_lifts_the_geometric_mean_within_its_bound(free, fair):
    found = fair
    kept_limits(found)
    model, parts = found.case.model, found.plan.report.parts
    calls = model.rates.sum(axis=1)
    here = geometric_mean(weekly_cover(model, found.plan.units), calls)
    assert here == pytest.approx(parts["nash_cover"])
    assert here >= geometric_mean(weekly_cover(model, free.plan.units), calls)
    assert parts["nash_bound"] >= here
    assert parts["nash_gap"] < 0.03
    assert found.placed.value <= free.placed.value + 1e-9


def test_floors_and_the_nash_welfare_work_together(fair):
    alone = fair
    weakest = weekly_cover(alone.case.model, alone.plan.units).min()
    worst = groups(alone)[:2].min()
    found, _ = solve(
        objective="nash", weakest_area_cover=weakest + 0.01, worst_group_cover=worst - 0.01
    )
    kept_limits(found)
    assert weekly_cover(found.case.model, found.plan.units).min() >= weakest + 0.01
    assert groups(found)[:2].min() >= worst - 0.01
    assert found.plan.report.parts["nash_cover"] <= alone.plan.report.parts["nash_bound"]


def test_a_limit_on_the_mean_drive_shortens_it_and_an_impossible_one_is_named(free, short_drives):
    found = short_drives
    nearest = NearestUnits(found.case.model, found.case.times, first_hour=0)
    least, now = (nearest.mean_drive_s(one.plan.units) for one in (found, free))
    assert least < now
    assert "max_mean_drive_s = 1 s is not reached" in " ".join(found.plan.report.notes)
    limit = (least + now) / 2
    kept, _ = solve(max_mean_drive_s=limit)
    kept_limits(kept)
    assert nearest.mean_drive_s(kept.plan.units) <= limit
    assert kept.placed.value >= found.placed.value - 1e-9


def test_a_band_brings_the_workload_of_posts_together(free):
    found, _ = solve(workload_band=0.02)
    assert "workload_band = 2% is not kept" in " ".join(found.plan.report.notes)
    kept_limits(found)
    figures = balance_figures(found.case, found.plan.units, free.plan.units)
    assert figures.workload[0].deviation < figures.workload[1].deviation
    assert found.plan.report.parts["workload_outside"] > 0


def test_open_posts_stay_within_their_limit_when_moves_are_linked():
    found, _ = solve(worst_group_cover=0.9, posts=PostRules(max_open=5, max_moves_per_hour=0))
    assert found.plan.units.any(axis=0).sum() <= 5
    case, staffing = found.case, found.placed.staffing
    units = linked(case, staffing, found.plan.units, Weights(np.linspace(1, 4, 8)))
    assert units.any(axis=0).sum() <= 5


def test_swaps_hour_by_hour_never_make_a_plan_less_fair(fair, short_drives):
    found = fair
    search = found.placed.balanced
    start = replace(search, units=linked(found.case, found.placed.staffing, found.placed.free))
    start = replace(start, standing=search.balance.judge(start.units))
    better = fair_swaps(found.case, start)
    assert better.standing.rank >= start.standing.rank
    assert week_moves(better.units, cyclic=False).max() <= 1
    assert (better.units.sum(axis=1) == start.units.sum(axis=1)).all()
    driven = short_drives.placed.balanced
    assert fair_swaps(short_drives.case, driven) is driven


def test_a_bound_by_tangents_is_above_every_cover():
    random = np.random.default_rng(3)
    for _ in range(50):
        cover, at = random.uniform(0.05, 1.0, (2, 6))
        calls = random.uniform(0.0, 5.0, 6)
        mu = tangent_weights(at, np.ones(6, dtype=bool))
        weighted = float((mu * calls) @ cover)
        assert nash_bound(weighted, mu, calls) >= geometric_mean(cover, calls) - 1e-12
    assert nash_bound(3.0, np.ones(2), np.zeros(2)) == 1.0
    assert geometric_mean(np.array([0.5]), np.zeros(1)) == 1.0
    assert geometric_mean(np.array([0.0, 0.5]), np.ones(2)) == 0.0


def test_sets_beside_the_calls_are_worth_what_they_weigh(free):
    case = free.case
    staffing = free.placed.staffing
    posts = case.model.num_posts
    beside = ExtraSets(
        tuple(np.eye(posts) for _ in case.model.geometries),
        tuple(np.full((24, posts), 2.0) for _ in case.model.geometries),
    )
    areas = np.ones(8)
    plain, more = (weighted_week(case, staffing, Weights(areas, sets)) for sets in ((), (beside,)))
    units = free.placed.units
    curve = case.model.curve(0, int(staffing[0]))
    extra = 2.0 * curve[units[0]].sum()
    assert more.hours[0].value(units[0]) == pytest.approx(plain.hours[0].value(units[0]) + extra)
    assert Weights(areas).plain
    assert not Weights(areas, (beside,)).plain


def test_sets_beside_calls_of_several_classes_take_the_plain_curve(free, monkeypatch):
    case, staffing = free.case, free.placed.staffing
    posts = case.model.num_posts
    beside = ExtraSets(
        tuple(np.eye(posts) for _ in case.model.geometries),
        tuple(np.ones((24, posts)) for _ in case.model.geometries),
    )
    flat = weighted_week(case, staffing, Weights(np.ones(8), (beside,)))
    plain = weighted_week(case, staffing)

    def by_class(model, rules, number, areas=None):
        hours = tuple(replace(h, curve=np.tile(h.curve, (len(h.weights), 1))) for h in plain.hours)
        return Week(hours, plain.staffing, plain.cyclic)

    monkeypatch.setattr("deploy_opt.plan.balance.weighted_week.week_at", by_class)
    mixed = weighted_week(case, staffing, Weights(np.ones(8), (beside,)))
    assert isinstance(mixed.hours[0], Hour)
    for hour, row in enumerate(free.placed.units):
        assert mixed.hours[hour].value(row) == pytest.approx(flat.hours[hour].value(row))


@pytest.mark.parametrize(
    ("equity", "words"),
    [
        ({"objective": "fair"}, "calls"),
        ({"worst_group_cover": 1.2}, "less than or equal to 1"),
        ({"workload_band": 0}, "greater than 0"),
        ({"max_mean_drive_s": -5}, "greater than 0"),
        ({"groups": ()}, "at least one column"),
        ({"groups": ("share_a", "share_a")}, "each group once"),
        ({"worst_group": 0.5}, "worst_group"),
    ],
)
def test_wrong_values_are_refused_in_words(equity, words):
    with pytest.raises(ValidationError, match=words):
        EquityRules(**equity)


def test_a_floor_for_groups_needs_a_population():
    with pytest.raises(InputError, match=r"inputs\.population"):
        solve(people=None, worst_group_cover=0.5)


def test_the_nash_welfare_and_response_layers_do_not_go_together():
    forecast, times = three_posts()
    settings = plan_settings(
        equity=EquityRules(objective="nash"),
        layers=(
            DriveLayer(drive_limit_s=200.0, worth=0.5),
            DriveLayer(drive_limit_s=300.0, worth=0.5),
        ),
        fleet=Fleet(min_units=0, busy_cap=0.95),
    )
    with pytest.raises(InputError, match="response layers"):
        lay_out(forecast, times, settings, same_units([1, 1, 1]))

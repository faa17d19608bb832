"""Units move to where the hypercube reaches more calls, under every rule of the plan."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.case import lay_out
from deploy_opt.plan.sites.hypercube import busy_fractions
from deploy_opt.plan.sites.site_busy import site_busy, site_demand
from deploy_opt.plan.sites.site_search import search_sites
from deploy_opt.plan.week import settle, week_at, week_moves
from deploy_opt.rule_settings import PostLimit, PostRules
from plan_towns import grid_town, plan_settings, same_units, three_posts


def question(town, units, **sections):
    forecast, times = town
    settings = plan_settings(**sections)
    case = lay_out(forecast, times, settings, units)
    return case, site_demand(case.model, times, settings), times


def worth(case, demand, units):
    return site_busy(demand, case.model, units).total


@pytest.mark.parametrize("seed", range(6))
def test_positions_get_better_and_keep_every_rule(seed):
    start = same_units([2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    start[8:20, 4] = 2
    rules = PostRules(
        locked={"p0": 1},
        forbidden=("p11",),
        capacity=2,
        limits=(PostLimit(post_id="p3", from_hour=2, to_hour=9, max_units=1),),
        max_open=6,
        max_moves_per_hour=1,
    )
    case, demand, _ = question(grid_town(seed=seed), start, posts=rules)
    found = search_sites(case.model, demand, case.rules, start)
    assert found.finished
    assert worth(case, demand, found.units) > worth(case, demand, start)
    assert (found.units.sum(axis=1) == start.sum(axis=1)).all()
    assert (found.units >= case.rules.lower).all()
    assert (found.units <= case.rules.upper).all()
    assert found.units.any(axis=0).sum() <= 6
    assert week_moves(found.units, cyclic=case.rules.cyclic).max() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_from_the_models_best_positions_a_small_town_ends_within_a_hundredth_of_the_best(seed):
    town = grid_town(seed=seed, posts=5, areas=4, calls_per_hour=2.0)
    units = same_units([3, 0, 0, 0, 0])
    case, demand, times = question(town, units, posts=PostRules(max_moves_per_hour=None))
    start = settle(week_at(case.model, case.rules, units.sum(axis=1)), units)
    found = search_sites(case.model, demand, case.rules, start)
    gaps = []
    for hour in (4, 12):
        rates = case.model.rates[demand.area, hour] * demand.share
        by_exact = {}
        for at in itertools.combinations_with_replacement(range(5), 3):
            one = busy_fractions(
                times.at_hour(hour), rates, at, case.model.busy_h, method="exact", standard_s=300
            )
            by_exact[at] = one.cover
        mine = by_exact[tuple(np.repeat(np.arange(5), found.units[hour]).tolist())]
        gaps.append(1 - mine / max(by_exact.values()))
    assert max(gaps) < 0.01


@pytest.mark.parametrize("seed", range(4))
def test_the_exact_hypercube_of_up_to_eight_units_agrees_that_the_plan_is_better(seed):
    town = grid_town(seed=seed, posts=10)
    start = same_units([2, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    case, demand, times = question(town, start, posts=PostRules(max_moves_per_hour=2))
    found = search_sites(case.model, demand, case.rules, start)

    def exact(units):
        covers = []
        for hour in (3, 11, 19):
            rates = case.model.rates[demand.area, hour] * demand.share
            at = np.repeat(np.arange(10), units[hour])
            busy_h = case.model.busy_h
            one = busy_fractions(
                times.at_hour(hour), rates, at, busy_h, method="exact", standard_s=300
            )
            covers.append(one.cover)
        return np.asarray(covers)

    assert (exact(found.units) > exact(start) - 1e-3).all()
    assert exact(found.units).mean() > exact(start).mean()


def test_no_move_of_one_unit_in_one_hour_is_left_that_brings_much():
    town = grid_town(seed=4, posts=6)
    start = same_units([2, 2, 0, 0, 0, 0])
    case, demand, _ = question(town, start, posts=PostRules(max_moves_per_hour=None))
    found = search_sites(case.model, demand, case.rules, start)
    best = worth(case, demand, found.units)
    calls = case.model.rates[:, 6].sum()
    for source, goal in itertools.permutations(range(6), 2):
        if found.units[6, source]:
            other = found.units.copy()
            other[6, source] -= 1
            other[6, goal] += 1
            assert worth(case, demand, other) <= best + 1e-3 * calls


def test_a_run_that_something_else_forbids_is_not_made():
    town = grid_town(seed=1)
    start = same_units([2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    case, demand, _ = question(town, start)
    found = search_sites(case.model, demand, case.rules, start, keeps=lambda _: False)
    assert found.finished
    assert found.runs == 0
    np.testing.assert_array_equal(found.units, start)
    asked = []

    def never_at_night(units):
        asked.append(units)
        return bool((units[:6] == start[:6]).all())

    found = search_sites(case.model, demand, case.rules, start, keeps=never_at_night)
    assert asked
    assert (found.units[:6] == start[:6]).all()


def test_limits_end_the_search_with_the_best_so_far():
    start = same_units([2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    case, demand, _ = question(grid_town(seed=2), start)
    whole = search_sites(case.model, demand, case.rules, start)
    part = search_sites(case.model, demand, case.rules, start, most_work=4_000_000)
    assert not part.finished
    assert part.runs < whole.runs
    values = [worth(case, demand, units) for units in (start, part.units, whole.units)]
    assert values == sorted(values)
    stopped = search_sites(case.model, demand, case.rules, start, stop=lambda: True)
    assert (stopped.runs, stopped.finished) == (0, False)


def test_the_same_question_gives_the_same_positions():
    start = same_units([2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    case, demand, _ = question(grid_town(seed=3), start, posts=PostRules(max_moves_per_hour=1))
    both = [search_sites(case.model, demand, case.rules, start) for _ in range(2)]
    assert both[0].units.tobytes() == both[1].units.tobytes()
    assert both[0].evaluations == both[1].evaluations


def test_units_that_all_stand_well_stay():
    start = same_units([1, 1, 1])
    case, demand, _ = question(three_posts((0.05, 0.05, 0.05)), start)
    found = search_sites(case.model, demand, case.rules, start)
    assert found.finished
    assert found.runs == 0
    empty = np.zeros_like(start)
    none = search_sites(case.model, demand, case.rules, empty)
    assert none.finished
    assert not none.units.any()

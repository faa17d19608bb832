import itertools
from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.busy import cover_curve
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.posts import scarce_posts
from deploy_opt.plan.posts.open_bound import open_bound
from deploy_opt.plan.posts.scarce_posts import scarce_posts_bound
from deploy_opt.plan.search import Hour, fit, improve
from deploy_opt.rule_settings import Fleet, PostRules, Solver
from plan_towns import grid_town, plan_settings

HOURS, POSTS, MOST, BUDGET = 3, 4, 4, 7


class Town:
    """Three hours, four posts, up to four units an hour, seven unit-hours."""

    def __init__(self, seed, *, locked=(), capacity=4):
        random = np.random.default_rng(seed)
        self.covers = [(random.random((POSTS, 12)) < 0.4).astype(float) for _ in range(2)]
        self.weights = random.random((HOURS, 12))
        self.loads = 0.5 + 1.5 * random.random(HOURS)
        self.lower = np.zeros(POSTS, dtype=np.int64)
        self.lower[list(locked)] = 1
        self.upper = np.full(POSTS, capacity)

    def hour(self, hour, number):
        return Hour(
            self.covers[hour % 2],
            self.weights[hour],
            cover_curve(self.loads[hour], number),
            self.lower,
            self.upper,
        )

    def best(self, chosen, hour, number):
        """Try all positions of an hour at the chosen posts."""
        problem, best = self.hour(hour, number), -np.inf
        for places in itertools.combinations_with_replacement(chosen, number):
            units = np.bincount(np.array(places, dtype=int), minlength=POSTS)
            if (units >= self.lower).all() and (units <= self.upper).all():
                best = max(best, problem.value(units))
        return best

    def optimum(self, max_open, staffings):
        """Try all posts and all numbers of units."""
        best = -np.inf
        for chosen in itertools.combinations(range(POSTS), max_open):
            value = [
                [self.best(chosen, h, n) if n else 0.0 for n in range(MOST + 1)]
                for h in range(HOURS)
            ]
            for numbers in staffings:
                best = max(best, sum(value[h][n] for h, n in enumerate(numbers)))
        return best


def staffings():
    return [n for n in itertools.product(range(1, MOST + 1), repeat=HOURS) if sum(n) <= BUDGET]


def best_table(table):
    return max(sum(table[h, n] for h, n in enumerate(numbers)) for numbers in staffings())


def bounded(town, max_open, staffing=(2, 2, 3)):
    chosen = np.arange(POSTS) < max_open
    if town.lower.any():
        chosen = town.lower > 0
    rows = []
    for hour, number in enumerate(staffing):
        problem = town.hour(hour, number)
        small = Hour(
            problem.cover,
            problem.weights,
            problem.curve,
            town.lower,
            np.where(chosen, town.upper, 0),
        )
        rows.append(improve(small, fit(small, town.lower, number))[0])
    return open_bound(town.hour, np.stack(rows), max_open, MOST, best_table)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("max_open", [1, 2, 3])
def test_no_crews_posts_and_positions_reach_more_and_the_bound_is_near(seed, max_open):
    town = Town(seed)
    best = town.optimum(max_open, staffings())
    found = bounded(town, max_open)
    assert best - 1e-9 <= found.bound <= 1.25 * best
    at_staffing = town.optimum(max_open, [(2, 2, 3)])
    assert at_staffing - 1e-9 <= found.at_staffing <= 1.2 * at_staffing
    assert found.at_staffing <= found.bound


@pytest.mark.parametrize("seed", range(4))
def test_locked_posts_are_open_and_small_ones_hold_few_units(seed):
    town = Town(seed, locked=(1,), capacity=3)
    best = town.optimum(2, [n for n in staffings() if max(n) <= 6])
    town_bound = bounded(town, 2, staffing=(2, 2, 3))
    assert town_bound.bound >= best - 1e-9


def test_more_open_posts_never_lower_what_is_possible_below_the_bound():
    town = Town(11)
    bounds = [bounded(town, k).bound for k in (1, 2, 3)]
    optima = [town.optimum(k, staffings()) for k in (1, 2, 3)]
    assert all(a >= b - 1e-9 for a, b in zip(bounds, optima, strict=True))
    assert bounds[0] < optima[2]  # with one post the bound knows that three are out of reach


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("max_open", [1, 2])
@pytest.mark.parametrize("alone", [40, 1])
def test_one_or_two_posts_tried_all_give_the_optimum_itself(seed, max_open, alone, monkeypatch):
    monkeypatch.setattr(scarce_posts, "_ALONE", alone)
    town = Town(seed, locked=(1,) if seed % 2 else (), capacity=3)
    kept = [n for n in staffings() if max(n) <= 3]
    best = town.optimum(max_open, kept)

    def most(table):
        return max(sum(table[h, n] for h, n in enumerate(numbers)) for numbers in kept)

    found = scarce_posts_bound(town.hour, np.array([2, 2, 3]), max_open, MOST, most)
    if alone == 1:
        assert best - 1e-9 <= found <= 1.2 * best
    else:
        assert found == pytest.approx(best)


def test_more_than_two_posts_or_sets_of_their_own_curves_are_left_to_prices():
    town = Town(0)
    staffing = np.array([2, 2, 3])
    assert scarce_posts_bound(town.hour, staffing, 3, MOST, best_table) == np.inf

    def own(hour, number):
        given = town.hour(hour, number)
        return replace(given, curve=np.tile(given.curve, (12, 1)))

    assert scarce_posts_bound(own, staffing, 2, MOST, best_table) == np.inf


@pytest.mark.parametrize("max_open", [1, 2, 3])
def test_a_plan_with_very_few_posts_has_a_gap_that_means_something(max_open):
    forecast, times = grid_town(seed=1)
    settings = plan_settings(
        posts=PostRules(max_open=max_open, max_moves_per_hour=None, capacity=6),
        fleet=Fleet(unit_hours_per_week=96, min_units=2, max_units=6, busy_cap=0.9),
        solver=Solver(),
    )
    report = plan_deployment(forecast, times, settings).report
    parts = report.parts
    free = max(parts["hull_bound"], parts["free_value"]) * (1 + parts["location_gap"])
    assert parts["open_bound"] >= report.objective
    if max_open <= 2:
        assert report.gap < 0.25 * (free / report.objective - 1)
    assert any("max_open" in note for note in report.notes)

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from deploy_opt.plan.locate import locate
from deploy_opt.plan.locations.median import radius_model
from deploy_opt.plan.locations.median_bounds import greedy_median, relax_median, swap_median
from deploy_opt.plan.solver import solve
from deploy_opt.seeds import stream


def small_town(number):
    random = stream(number, "tests", "properties")
    posts, rows = int(random.integers(2, 8)), int(random.integers(1, 14))
    times = random.integers(0, 12, (posts, rows)).astype(float) * 30
    return times, random.integers(0, 6, rows).astype(float), int(random.integers(1, posts + 1))


@given(st.integers(0, 100_000))
@settings(max_examples=40)
def test_the_order_of_posts_and_rows_changes_no_value(number):
    times, demand, p = small_town(number)
    random = stream(number, "tests", "order")
    posts, rows = random.permutation(times.shape[0]), random.permutation(times.shape[1])
    mixed = times[np.ix_(posts, rows)]
    for problem in ("mclp", "p_median", "p_center", "backup"):
        first = locate(problem, times, demand, num_posts=p, standard_s=120)
        second = locate(problem, mixed, demand[rows], num_posts=p, standard_s=120)
        assert np.isclose(first.objective, second.objective)


@given(st.integers(0, 100_000))
@settings(max_examples=40)
def test_splitting_a_row_in_two_changes_no_value(number):
    times, demand, p = small_town(number)
    halves = np.concatenate([demand, demand]) / 2
    for problem in ("mclp", "p_median", "backup"):
        whole = locate(problem, times, demand, num_posts=p, standard_s=120)
        split = locate(problem, np.hstack([times, times]), halves, num_posts=p, standard_s=120)
        assert np.isclose(whole.objective, split.objective)


@given(st.integers(0, 100_000))
@settings(max_examples=60)
def test_the_lagrangian_never_exceeds_the_optimum_and_fixes_no_better_post(number):
    times, demand, p = small_town(number)
    cost = times * demand
    locked = np.zeros(len(times), dtype=bool)
    opened = swap_median(cost, greedy_median(cost, p, locked), locked)
    relaxed = relax_median(cost, opened, locked, gap=0.0)
    found = locate("p_median", times, demand, num_posts=p)
    assert relaxed.bound <= found.objective + 1e-6
    assert (relaxed.cost_if_open[found.chosen] <= found.objective + 1e-6).all()
    shut = np.setdiff1d(np.arange(len(times)), found.chosen)
    assert (relaxed.cost_if_shut[shut] <= found.objective + 1e-6).all()


@given(st.integers(0, 100_000))
@settings(max_examples=40)
def test_the_radius_formulation_has_the_bound_of_the_assignment_formulation(number):
    times, demand, p = small_town(number)
    posts, rows = times.shape
    demand = demand + 1.0
    radius = solve(radius_model(times, demand, np.zeros(posts, dtype=bool), p), gap=0.0)
    # y_ij: row j is served by post i;  sum_i y_ij = 1,  y_ij <= x_i,  sum_i x_i = p
    serve = np.hstack([np.zeros((rows, posts)), np.tile(np.eye(rows), (1, posts))])
    count = np.append(np.ones(posts), np.zeros(posts * rows))
    link = np.hstack([-np.kron(np.eye(posts), np.ones((rows, 1))), np.eye(posts * rows)])
    assigned = optimize.milp(
        np.concatenate([np.zeros(posts), (times * demand).ravel()]),
        constraints=[
            optimize.LinearConstraint(
                np.vstack([serve, count]), *[np.append(np.ones(rows), p)] * 2
            ),
            optimize.LinearConstraint(link, -np.inf, 0),
        ],
        integrality=np.append(np.ones(posts), np.zeros(posts * rows)),
        bounds=optimize.Bounds(0, 1),
    )
    assert np.isclose(radius.report.objective, assigned.fun)


@given(st.integers(0, 100_000))
@settings(max_examples=30)
def test_one_more_unit_never_lowers_the_expected_cover(number):
    times, demand, p = small_town(number)
    values = [
        locate(
            "mexclp", times, demand, num_units=units, busy_fraction=0.4, standard_s=120
        ).objective
        for units in range(p, p + 3)
    ]
    assert values[0] <= values[1] + 1e-9
    assert values[1] <= values[2] + 1e-9


@given(st.integers(0, 100_000))
@settings(max_examples=30)
def test_names_of_posts_and_split_rows_change_no_expected_cover(number):
    times, demand, p = small_town(number)
    random = stream(number, "tests", "expected order")
    posts = random.permutation(times.shape[0])
    doubled = np.hstack([times[posts], times[posts]])
    halves = np.concatenate([demand, demand]) / 2
    first = locate("mexclp", times, demand, num_units=p, busy_fraction=0.4, standard_s=120)
    second = locate("mexclp", doubled, halves, num_units=p, busy_fraction=0.4, standard_s=120)
    assert np.isclose(first.objective, second.objective, atol=1e-5)

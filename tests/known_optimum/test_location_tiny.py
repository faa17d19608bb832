"""Every location problem against full enumeration on towns of at most 7 posts."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import optimize

from deploy_opt.plan.locate import locate
from deploy_opt.seeds import stream

STANDARD_S = 300.0


def town(number):
    """Posts and homes in a 10-minute square; whole seconds and ties included."""
    random = stream(number, "tests", "town")
    posts, rows = int(random.integers(3, 8)), int(random.integers(4, 11))
    near = random.integers(0, 11, (posts, 1, 2)) - random.integers(0, 11, (1, rows, 2))
    times = 60.0 * np.abs(near).sum(axis=2)
    return times, random.integers(0, 9, rows).astype(float), int(random.integers(1, posts))


def choices(posts, number):
    return [list(chosen) for chosen in combinations(range(posts), number)]


@pytest.mark.parametrize("number", range(25))
def test_mclp_covers_as_much_as_the_best_of_all_choices(number):
    times, demand, p = town(number)
    best = max(demand @ (times[c] <= STANDARD_S).any(axis=0) for c in choices(len(times), p))
    found = locate("mclp", times, demand, num_posts=p, standard_s=STANDARD_S)
    assert found.objective == pytest.approx(best)
    assert found.bound == pytest.approx(best)
    assert demand @ found.covered == pytest.approx(best)
    assert len(found.chosen) == p


@pytest.mark.parametrize("number", range(25))
def test_p_median_travels_as_little_as_the_best_of_all_choices(number):
    times, demand, p = town(number)
    best = min(demand @ times[c].min(axis=0) for c in choices(len(times), p))
    found = locate("p_median", times, demand, num_posts=p)
    assert found.objective == pytest.approx(best)
    assert found.bound == pytest.approx(best, rel=1e-6)
    assert demand @ times[found.post_of_row, np.arange(len(demand))] == pytest.approx(best)


@pytest.mark.parametrize("number", range(15))
def test_p_median_keeps_locks_and_never_uses_roads_that_do_not_exist(number):
    times, demand, p = town(number)
    posts = len(times)
    times = np.where(stream(number, "tests", "gaps").random(times.shape) < 0.3, np.inf, times)
    locked, forbidden = [posts - 1], [0] if p < posts - 1 else []
    costs = [
        demand[demand > 0] @ times[c].min(axis=0)[demand > 0]
        for c in choices(posts, p)
        if set(locked) <= set(c) and not set(forbidden) & set(c)
    ]
    if np.isinf(min(costs)):
        with pytest.raises(ValueError, match=r"cannot reach all|no allowed post can reach"):
            locate("p_median", times, demand, num_posts=p, locked=locked, forbidden=forbidden)
        return
    found = locate("p_median", times, demand, num_posts=p, locked=locked, forbidden=forbidden)
    assert found.objective == pytest.approx(min(costs))
    assert found.bound == pytest.approx(min(costs), rel=1e-6)
    assert found.units[posts - 1] == 1


@pytest.mark.parametrize("number", range(25))
def test_p_center_keeps_the_longest_time_as_short_as_the_best_of_all_choices(number):
    times, demand, p = town(number)
    needed = times[:, demand > 0]
    best = min(needed[c].min(axis=0).max() for c in choices(len(times), p))
    found = locate("p_center", times, demand, num_posts=p)
    assert (found.objective, found.bound) == (best, best)
    assert len(found.chosen) == p


@pytest.mark.parametrize("number", range(25))
def test_lscp_needs_as_few_posts_as_the_smallest_covering_choice(number):
    times, demand, _ = town(number)
    reached = (times <= 600.0)[:, demand > 0]
    sizes = [
        n for n in range(1, len(times) + 1)
        if any(reached[c].any(axis=0).all() for c in choices(len(times), n))
    ]  # fmt: skip
    if not sizes:
        with pytest.raises(ValueError, match="within the standard"):
            locate("lscp", times, demand, standard_s=600.0)
        return
    assert locate("lscp", times, demand, standard_s=600.0).objective == sizes[0]


@pytest.mark.parametrize("number", range(25))
def test_backup_covers_most_twice_among_the_best_first_covers(number):
    times, demand, p = town(number)
    values = []
    for c in choices(len(times), p):
        count = (times[c] <= STANDARD_S).sum(axis=0)
        values.append((demand @ (count >= 1), demand @ (count >= 2)))
    found = locate("backup", times, demand, num_posts=p, standard_s=STANDARD_S)
    assert (found.report.parts["first_cover"], found.objective) == pytest.approx(max(values))


@pytest.mark.parametrize("q", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("number", range(6))
def test_mexclp_expects_as_much_as_the_best_placement_of_units(number, q):
    times, demand, _ = town(number)
    reached, units, cap = (times <= STANDARD_S).astype(float), 4, 2
    placed = [u for u in product(range(cap + 1), repeat=len(times)) if sum(u) == units]
    best = max(demand @ (1 - q ** (np.array(u) @ reached)) for u in placed)
    found = locate(
        "mexclp", times, demand, num_units=units, standard_s=STANDARD_S, busy_fraction=q,
        capacity=cap,
    )  # fmt: skip
    assert found.objective == pytest.approx(best)
    assert found.bound == pytest.approx(best, rel=2e-6)
    assert found.units.sum() == units
    assert found.units.max() <= cap
    assert demand @ found.share == pytest.approx(best)


@pytest.mark.parametrize("number", range(6))
def test_mexclp_opens_no_more_posts_than_allowed(number):
    times, demand, _ = town(number)
    reached = (times <= STANDARD_S).astype(float)
    placed = [
        u for u in product(range(4), repeat=len(times)) if sum(u) == 3 and np.count_nonzero(u) <= 2
    ]
    best = max(demand @ (1 - 0.4 ** (np.array(u) @ reached)) for u in placed)
    found = locate(
        "mexclp", times, demand, num_units=3, num_posts=2, standard_s=STANDARD_S, busy_fraction=0.4
    )
    assert found.objective == pytest.approx(best)
    assert len(found.chosen) <= 2


def served(reached, demand, capacity, chosen):
    """Most demand the chosen posts can serve: a transport problem."""
    pairs = [(i, j) for i in chosen for j in range(len(demand)) if reached[i, j]]
    if not pairs:
        return 0.0
    supply = [[1.0 if i == post else 0.0 for i, _ in pairs] for post in chosen]
    need = [[1.0 if j == row else 0.0 for _, j in pairs] for row in range(len(demand))]
    found = optimize.linprog(
        -np.ones(len(pairs)), A_ub=supply + need, b_ub=[capacity] * len(chosen) + demand.tolist()
    )
    return -found.fun


@pytest.mark.parametrize("number", range(8))
def test_capacitated_serves_as_much_as_the_best_of_all_choices(number):
    times, demand, p = town(number)
    reached = times <= STANDARD_S
    best = max(served(reached, demand, 7.0, c) for c in choices(len(times), p))
    found = locate("capacitated", times, demand, num_posts=p, standard_s=STANDARD_S, capacity=7.0)
    assert found.objective == pytest.approx(best, abs=1e-6)
    assert demand @ found.share == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("number", range(8))
def test_single_source_serves_whole_rows_from_one_post(number):
    times, demand, _ = town(number)
    times, demand, p, cap = times[:4, :6], demand[:6], 2, 9.0
    reached = times <= STANDARD_S
    best = 0.0
    for c in choices(len(times), p):
        for given in product([*c, -1], repeat=len(demand)):
            load = dict.fromkeys(c, 0.0)
            for row, post in enumerate(given):
                if post >= 0:
                    load[post] += demand[row] if reached[post, row] else np.inf
            if max(load.values()) <= cap:
                best = max(best, sum(load.values()))
    found = locate(
        "capacitated", times, demand, num_posts=p, standard_s=STANDARD_S, capacity=cap,
        single_source=True,
    )  # fmt: skip
    assert found.objective == pytest.approx(best)
    assert set(np.unique(np.round(found.share, 9))) <= {0.0, 1.0}


@pytest.mark.parametrize("number", range(10))
def test_nested_cover_opens_posts_in_the_best_of_all_orders(number):
    times, demand, _ = town(number)
    times = times[:5]
    weights = stream(number, "tests", "levels").random(3)
    reached = times <= STANDARD_S
    best = 0.0
    for order in product(range(len(times)), repeat=3):
        if len(set(order)) == 3:
            covered = [demand @ reached[list(order[: k + 1])].any(axis=0) for k in range(3)]
            best = max(best, float(weights @ covered))
    found = locate("nested_mclp", times, demand, standard_s=STANDARD_S, level_weights=weights)
    covered = [demand @ reached[found.chosen[: k + 1]].any(axis=0) for k in range(3)]
    assert found.objective == pytest.approx(best)
    assert weights @ covered == pytest.approx(best)

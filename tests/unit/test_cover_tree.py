import itertools
import time

import numpy as np
import pytest
from scipy import sparse

from deploy_opt.plan.locate import locate
from deploy_opt.plan.locations import covering
from deploy_opt.plan.locations.cover_tree import CoverSets, cover_tree
from deploy_opt.plan.solver import LinearProgram, linear_model


def sets_of(seed, *, posts=9, sets=40, num=3, whole=True, locked=(), forbidden=()):
    random = np.random.default_rng(seed)
    cover = (random.random((posts, sets)) < 0.25).astype(float)
    weights = random.integers(1, 20, sets).astype(float) if whole else random.random(sets) + 0.01
    lower, upper = np.zeros(posts, dtype=np.int64), np.ones(posts, dtype=np.int64)
    lower[list(locked)], upper[list(forbidden)] = 1, 0
    return CoverSets(sparse.csr_array(cover), weights, num, lower, upper)


def begin(problem):
    chosen = problem.lower.copy()
    for post in np.flatnonzero((problem.upper > 0) & (problem.lower == 0)):
        chosen[post] = 1 if chosen.sum() < problem.num_posts else 0
    return chosen


def best_of_all(problem):
    posts = len(problem.lower)
    tried = (
        np.isin(np.arange(posts), c)
        for c in itertools.combinations(range(posts), problem.num_posts)
    )
    return max(
        problem.value(t.astype(int))
        for t in tried
        if (t >= problem.lower).all() and (t <= problem.upper).all()
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("whole", [True, False])
def test_the_best_posts_of_all_are_found_and_proven(seed, whole):
    problem = sets_of(seed, whole=whole)
    found = cover_tree(problem, begin(problem), gap=1e-9)
    assert found.finished
    assert found.value == pytest.approx(best_of_all(problem))
    assert found.bound == pytest.approx(found.value)
    assert found.chosen.sum() == 3
    assert found.root.bound >= found.value - 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_locked_and_forbidden_posts_are_kept(seed):
    problem = sets_of(seed, locked=(2,), forbidden=(0, 5))
    found = cover_tree(problem, begin(problem), gap=1e-9)
    assert found.value == pytest.approx(best_of_all(problem))
    assert found.chosen[2] == 1
    assert found.chosen[[0, 5]].sum() == 0


@pytest.mark.parametrize("limit", [{"node_limit": 1}, {"stop_at": time.monotonic() - 1}])
def test_a_limit_leaves_the_best_found_and_a_bound_above_the_optimum(limit):
    problem = sets_of(1, posts=30, sets=200, num=6, whole=False)
    full = cover_tree(problem, begin(problem), gap=1e-9)
    found = cover_tree(problem, begin(problem), gap=1e-9, **limit)
    assert full.finished
    assert full.nodes > 1
    assert not found.finished
    assert found.value <= full.value + 1e-9
    assert found.bound >= full.value - 1e-9


def test_a_wide_gap_ends_sooner_and_is_kept():
    problem = sets_of(1, posts=30, sets=200, num=6, whole=False)
    exact = cover_tree(problem, begin(problem), gap=1e-9)
    quick = cover_tree(problem, exact.chosen, gap=0.5)
    assert quick.nodes == 1
    assert exact.value <= quick.bound <= 1.5 * quick.value


def test_what_branching_leaves_open_is_proven_by_cuts(monkeypatch):
    random = np.random.default_rng(5)
    cover = (random.random((30, 200)) < 0.15).astype(float)
    weights = random.random(200)
    whole = locate("mclp", sparse.csr_array(cover), weights, num_posts=6)
    monkeypatch.setattr(covering, "MOST_NODES", 1)
    cut = locate("mclp", sparse.csr_array(cover), weights, num_posts=6)
    assert whole.report.solver.startswith("branch and bound")
    assert cut.report.solver == "HiGHS"
    assert cut.objective == pytest.approx(whole.objective)
    assert cut.report.status == whole.report.status == "optimal"


def test_a_program_goes_on_from_its_last_basis_as_bounds_change():
    program = LinearProgram(
        linear_model([-1.0, -2.0], [[1.0, 1.0]], rows=(-np.inf, 3.0), bounds=(0.0, 2.0))
    )
    column, dual = program.solve()
    assert column.tolist() == [1.0, 2.0]
    assert dual.tolist() == [-1.0]
    program.set_row(0, -np.inf, 2.0)
    assert program.solve()[0].tolist() == [0.0, 2.0]
    program.set_column(1, 0.0, 0.5)
    assert program.solve()[0].tolist() == [1.5, 0.5]
    program.set_row(0, 10.0, 20.0)
    assert program.solve() is None

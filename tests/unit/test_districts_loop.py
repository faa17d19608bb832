"""The annealing loop, compiled and as plain Python."""

import importlib.util

import numba
import numpy as np
import pytest

from deploy_opt.plan.districting import anneal as compiled
from deploy_opt.plan.districting.figures import best_centres, cut_border, stray_areas
from deploy_opt.plan.districting.searches import ground_of
from deploy_opt.seeds import stream
from district_grids import grid_case


@pytest.fixture(scope="module")
def plain():
    """The same module without numba."""
    spec = importlib.util.spec_from_file_location("plain_anneal", compiled.__file__)
    module = importlib.util.module_from_spec(spec)
    before = numba.config.DISABLE_JIT
    numba.config.DISABLE_JIT = 1
    try:
        spec.loader.exec_module(module)
    finally:
        numba.config.DISABLE_JIT = before
    return module


def searched(module, *, steps, price=0.0, most=25, fixed=()):
    calls = stream(3, "loop").integers(0, 9, 25).astype(float)
    case = grid_case(5, 5, calls, num_districts=3, band=0.1)
    today = np.repeat([0, 0, 1, 2, 2], 5).astype(np.int64)
    held = np.zeros(25, dtype=np.bool_)
    held[list(fixed)] = True
    base = ground_of(case)
    ground = module.Ground(*base[:5], held, today)
    rules = module.Rules(3, case.lower_h, case.upper_h, price, most, 5.0)
    state = module.empty_state(today, 3)
    best = today.copy()
    words = stream(4, "loop").integers(1, 2**32, 4).astype(np.int64)
    found = module.anneal(
        ground, rules, module.Schedule(steps, 20.0, 0.5, 0.5), state, 1.0, words, best
    )
    return case, state, best, words, found


@pytest.mark.parametrize(
    "wishes", [{}, {"price": 2.0}, {"most": 4}, {"fixed": (0, 24), "price": 1.0}]
)
def test_plain_and_compiled_loops_give_the_same_bytes(plain, wishes):
    one, other = (searched(module, steps=6_000, **wishes) for module in (plain, compiled))
    assert one[4] == other[4]
    for a, b in zip((*one[1], one[2], one[3]), (*other[1], other[2], other[3]), strict=True):
        assert a.tobytes() == b.tobytes()


def test_the_state_kept_up_to_date_is_the_state_worked_out_anew(plain):
    case, state, _, _, _ = searched(plain, steps=2_000, price=2.0)
    centre, travel = best_centres(case.travel_min, state.labels, 3)
    assert state.cost == pytest.approx(travel)
    assert len(stray_areas(case.border_km, state.labels, case.workload_h)) == 0
    for district in range(3):
        own = np.flatnonzero(state.labels == district)
        assert sorted(state.members[district, : state.size[district]]) == own.tolist()
        assert state.load[district] == pytest.approx(case.workload_h[own].sum())
        assert centre[district] in own


def test_the_objective_counts_borders_at_their_price(plain):
    case, _, best, _, (objective, _) = searched(plain, steps=3_000, price=2.0)
    _, travel = best_centres(case.travel_min, best, 3)
    assert objective == pytest.approx(travel.sum() + 2.0 * cut_border(case.border_km, best)[1])


def test_fixed_areas_never_move_and_the_limit_on_moves_holds(plain):
    today = np.repeat([0, 0, 1, 2, 2], 5)
    _, _, best, _, _ = searched(plain, steps=3_000, fixed=(0, 12))
    assert best[[0, 12]].tolist() == [0, 1]
    _, _, near, _, _ = searched(plain, steps=3_000, most=4)
    assert np.count_nonzero(near != today) <= 4


def test_the_state_is_rebuilt_on_long_runs(plain, monkeypatch):
    monkeypatch.setattr(plain, "_CHECK_STEPS", (50, 50))
    monkeypatch.setattr(plain, "_REBUILD", 2)
    case, state, _, _, _ = searched(plain, steps=400)
    assert state.cost == pytest.approx(best_centres(case.travel_min, state.labels, 3)[1])


def test_random_words_are_spread_evenly(plain):
    words = np.array([1, 2, 3, 4], dtype=np.int64)
    drawn = np.array([compiled.draw(words) for _ in range(20_000)])
    assert ((drawn >= 0) & (drawn < 2**32)).all()
    counts = np.bincount(drawn >> 29, minlength=8)
    assert np.abs(counts - 2500).max() < 5 * np.sqrt(2500)

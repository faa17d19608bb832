import numpy as np
import pytest
from scipy import sparse

from deploy_opt.plan.districting import cut_bound
from deploy_opt.plan.districting.bound import BoundLimits, district_bound
from deploy_opt.plan.districting.branches import candidates
from deploy_opt.plan.districting.case import DistrictCase
from deploy_opt.plan.districting.cut_bound import CentreCut, DistrictProgram, tighten
from deploy_opt.plan.districting.lagrangian import fill_knapsacks, fix_pairs, relax_districts
from deploy_opt.plan.districting.reduce import keep_pairs, pairs_of, reached_items
from deploy_opt.plan.districting.separators import Separator, separators
from deploy_opt.plan.solver import LinearProgram, linear_model, solve


def street(calls, *, districts=2, band=0.3, **changes):
    """Areas in a row, a minute apart."""
    calls = np.asarray(calls, dtype=float)
    num = calls.size
    at = np.arange(num)
    gap = np.abs(at[:, None] - at[None]).astype(float)
    mean = calls.sum() / districts
    values = {
        "area_ids": tuple("abcdefghijklmnop"[:num]),
        "workload_h": calls,
        "travel_min": calls[:, None] * gap,
        "border_km": sparse.csr_array((gap == 1).astype(float)),
        "num_districts": districts,
        "lower_h": mean * (1 - band),
        "upper_h": mean * (1 + band),
    }
    return DistrictCase(**(values | changes))


# --- pairs -----------------------------------------------------------------------------------


def test_a_pair_heavier_than_the_band_is_not_allowed():
    pairs = pairs_of(street([10, 1, 10, 1]))  # 14.3 at most
    assert not pairs.allowed[0, 2]
    assert pairs.allowed[0, 1]


def test_what_lies_behind_a_pair_too_heavy_is_cut_off():
    pairs = pairs_of(street([10, 10, 1, 1], band=0.2))  # 8.8 to 13.2
    assert pairs.allowed[0].tolist() == [True, False, False, False]
    assert pairs.allowed[1].tolist() == [False, True, True, True]


def test_a_centre_that_cannot_fill_its_district_is_dropped():
    pairs = pairs_of(street([1, 10, 10, 1], band=0.05))  # 10.45 to 11.55
    kept = np.eye(4, dtype=bool)
    kept[1, 0] = True
    assert keep_pairs(pairs, kept).centres.tolist() == [1]


def test_areas_locked_to_a_district_become_one_item_and_two_such_items_exclude_each_other():
    pairs = pairs_of(street([3, 3, 3, 3, 3], locked=np.array([-1, 1, 0, -1, 0]), band=0.9))
    assert pairs.item_of.tolist() == [0, 1, 2, 3, 2]
    assert pairs.is_locked.tolist() == [False, True, True, False]
    assert pairs.workload_h.tolist() == [3, 3, 6, 3]
    at_b = int(np.flatnonzero(pairs.centres == 1)[0])
    assert not pairs.allowed[at_b, 2]


def test_items_are_reached_through_open_items_alone():
    pairs = pairs_of(street([1, 1, 1, 1, 1], districts=1, band=0.5))
    open_items = np.array([[1, 1, 0, 1, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 0]], dtype=bool)
    reached = reached_items(pairs, np.array([1, 2, 4]), open_items)
    assert reached[0].tolist() == [True, True, False, False, False]
    assert not reached[1:].any()


# --- prices ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_each_knapsack_is_the_linear_optimum(seed):
    random = np.random.default_rng(seed)
    calls = random.integers(0, 9, 9).astype(float)
    pairs = pairs_of(street(calls, districts=2, band=0.4))
    reduced = pairs.cost - random.uniform(0, 20, 9)
    filled = fill_knapsacks(pairs, reduced)
    for row in range(pairs.num_centres):
        low = np.zeros(9)
        low[pairs.home[row]] = 1.0
        model = linear_model(
            reduced[row],
            calls[None, :],
            rows=(pairs.lower_h, pairs.upper_h),
            bounds=(low, pairs.allowed[row].astype(float)),
        )
        assert filled.value[row] == pytest.approx(solve(model).report.objective)


def test_prices_rule_out_far_pairs_and_keep_the_plan():
    case = street([4, 4, 4, 4, 4, 4], band=0.01)
    pairs = pairs_of(case)
    found = relax_districts(pairs, np.full(6, 4.0), 16.0, steps=200)
    assert found.bound <= 16.0
    assert found.bound > 15.0
    assert found.pairs.num_pairs < pairs.num_pairs
    row = int(np.flatnonzero(found.pairs.centres == 1)[0])
    assert found.pairs.allowed[row].tolist() == [True, True, True, False, False, False]


def test_where_nothing_is_left_the_known_plan_is_the_bound():
    pairs = pairs_of(street([4, 4, 4, 4], band=0.01))
    none = keep_pairs(pairs, np.zeros((4, 4), dtype=bool))
    assert relax_districts(none, np.zeros(4), 8.0, steps=10).bound == 8.0
    assert tighten(none, np.zeros(4), 8.0, rounds=5).bound == 8.0
    heavy = pairs_of(street([4, 4, 4, 4], lower_h=7.0, upper_h=7.5))  # no load fits
    assert fix_pairs(heavy, np.zeros(4), 8.0).num_pairs <= heavy.num_pairs
    assert (
        district_bound(
            street([4, 4, 4, 4], lower_h=7.0, upper_h=7.5), np.array([0, 0, 1, 1]), 8.0
        ).bound
        == 8.0
    )


# --- separators ------------------------------------------------------------------------------


def test_a_stray_piece_is_cut_off_by_the_nearest_areas_that_part_it():
    near = street([1] * 6).border_km
    share = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    assert separators(share, 0, near) == [Separator(4, (3,))]


def test_a_thin_way_is_cut_where_it_is_narrowest():
    near = street([1] * 5).border_km
    share = np.array([1.0, 1.0, 0.3, 1.0, 0.9])
    assert set(separators(share, 0, near)) == {Separator(3, (2,)), Separator(4, (2,))}


def test_two_half_ways_together_are_wide_enough():
    ring = sparse.csr_array(
        np.array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]], dtype=float)
    )
    assert separators(np.array([1.0, 0.5, 0.5, 1.0]), 0, ring) == []
    assert separators(np.array([1.0, 0.5, 0.4, 1.0]), 0, ring) == [Separator(3, (1, 2))]


def test_a_centre_without_a_share_still_parts_its_areas():
    near = street([1] * 4).border_km
    assert separators(np.array([0.0, 0.0, 0.0, 0.5]), 0, near) == [Separator(3, (2,))]


# --- the program -----------------------------------------------------------------------------


def test_cuts_of_centres_and_pairs_that_are_gone_are_left_out():
    pairs = pairs_of(street([4, 4, 4, 4], band=0.01))
    fine = CentreCut(0, 1, (0,))
    program = DistrictProgram(
        pairs, np.zeros((4, 4), dtype=bool), (CentreCut(9, 0, ()), CentreCut(0, 3, (2,)), fine)
    )
    present = [cut for cut in (CentreCut(0, 3, (2,)), fine) if pairs.allowed[0, cut.item]]
    assert program.num_cuts == len(present)


def test_pairs_ruled_out_in_the_program_settle_the_proof(monkeypatch):
    case = street([4, 4, 4, 4, 4, 4], band=0.01)
    pairs = pairs_of(case)
    tight = tighten(pairs, np.full(6, 4.0), 15.9, rounds=40)
    assert tight.program is None
    assert tight.bound == 15.9
    monkeypatch.setattr(cut_bound, "WEAK_ROUNDS", 1)
    assert tighten(pairs, np.full(6, 4.0), 40.0, rounds=1).bound <= 16.0 + 1e-6


def test_branches_ask_about_shared_items_once():
    pairs = pairs_of(street([4, 4, 4, 4, 4, 4], band=0.5))
    share = np.zeros((6, 6))
    share[1, :3], share[4, 3:] = 1.0, 1.0
    distance = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    assert candidates(pairs, share, distance) == []
    share[1, 2], share[4, 2] = 0.6, 0.4
    (branch,) = candidates(pairs, share, distance)
    assert branch.item == 2
    assert branch.inside.tolist() == [True, True, True, False, False, False]
    share[1, 2], share[4, 2] = 0.999, 0.001  # below what counts, but the only one
    assert len(candidates(pairs, share, distance)) == 1


def test_a_street_is_proven_and_a_better_plan_is_given():
    case = street([4, 4, 4, 4, 4, 4], band=0.5)
    found = district_bound(case, np.array([0, 0, 1, 1, 1, 1]), 4.0 + 16.0)
    assert found.status == "optimal"
    assert found.bound == found.plan_travel_min == 16.0
    assert found.plan.tolist() == [0, 0, 0, 1, 1, 1]


def test_work_can_be_limited():
    calls = np.random.default_rng(4).integers(1, 30, 14)
    case = street(calls, districts=4, band=0.6)
    plan = np.arange(14) * 4 // 14
    free = district_bound(case, plan, 1e4)
    short = district_bound(case, plan, 1e4, limits=BoundLimits(work_limit=1.0))
    assert short.nodes <= 1
    assert short.bound <= free.bound


# --- the solver's door -----------------------------------------------------------------------


def test_a_program_grows_goes_back_and_stops_as_asked():
    program = LinearProgram(
        linear_model([-1.0, -2.0], [[1.0, 1.0]], rows=(-np.inf, 3.0), bounds=(0.0, 2.0)),
        jumps=True,
    )
    found = program.answer()
    assert (found.status, found.objective) == ("optimal", -5.0)
    basis = program.basis()
    program.add_rows(sparse.csr_array([[0.0, 1.0]]), np.array([-np.inf]), np.array([1.0]))
    program.add_rows(sparse.csr_array((0, 2)), np.zeros(0), np.zeros(0))
    program.restore(basis)
    assert program.answer().objective == pytest.approx(-4.0)
    program.set_columns(np.array([0, 1]), np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    assert program.answer().objective == pytest.approx(-2.0)
    program.set_columns(np.array([0]), np.array([9.0]), np.array([9.0]))
    assert program.answer().status == "infeasible"
    assert program.solve() is None

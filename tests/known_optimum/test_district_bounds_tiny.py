import numpy as np
import pytest
from scipy import sparse

from deploy_opt.plan.districting.bound import BoundLimits, district_bound
from deploy_opt.plan.districting.case import DistrictCase
from deploy_opt.plan.districting.figures import best_centres

PRICES_ALONE = BoundLimits(rounds=0)
NO_BRANCHING = BoundLimits(node_limit=0)


def grid_case(seed, *, rows=3, columns=4, districts=3, band=0.2, some_empty=False, **changes):
    """A board of squares whose calls and times are drawn at random, times near the distance."""
    random = np.random.default_rng(seed)
    num = rows * columns
    at = np.column_stack(np.divmod(np.arange(num), columns)).astype(float)
    gap = np.abs(at[:, None] - at[None]).sum(axis=2)
    calls = random.integers(1, 20, num).astype(float)
    if some_empty:
        calls[random.choice(num, 3, replace=False)] = 0.0
    minutes = 3 * gap * random.uniform(0.6, 1.4, gap.shape)
    mean = calls.sum() / districts
    values = {
        "area_ids": tuple(map(str, range(num))),
        "workload_h": calls,
        "travel_min": calls[:, None] * minutes,
        "border_km": sparse.csr_array((gap == 1).astype(float)),
        "num_districts": districts,
        "lower_h": mean * (1 - band),
        "upper_h": mean * (1 + band),
    }
    return DistrictCase(**(values | changes))


class Partitions:
    """Every connected partition of a small case within its band, found by listing all sets."""

    def __init__(self, case):
        num = case.num_areas
        sets = np.arange(1 << num)
        self.inside = (sets[:, None] >> np.arange(num)) & 1
        load = self.inside @ case.workload_h
        way = np.where(np.isfinite(case.travel_min), case.travel_min, 1e9)
        travel = np.where(self.inside == 1, self.inside @ way, np.inf).min(axis=1)
        near = case.border_km.toarray() > 0
        masks = [sum(1 << int(k) for k in np.flatnonzero(row)) for row in near]
        first = sets & -sets
        grown = first.copy()
        for _ in range(num):
            for area in range(num):
                grown |= np.where((grown >> area) & 1 == 1, masks[area] & sets, 0)
        slack = 1e-9 * case.upper_h
        good = (grown == sets) & (sets > 0)
        good &= (load >= case.lower_h - slack) & (load <= case.upper_h + slack)
        if case.locked is not None:
            kinds = [case.locked == district for district in range(case.num_districts)]
            kinds = [kind for kind in kinds if kind.any()]
            held = np.stack([self.inside[:, kind].sum(axis=1) for kind in kinds])
            whole = np.array([kind.sum() for kind in kinds])[:, None]
            good &= ((held == 0) | (held == whole)).all(axis=0) & ((held > 0).sum(axis=0) <= 1)
        self.good, self.travel, self.num = good, travel, num
        self.districts = case.num_districts

    def all(self):
        """Give (travel, sets) of every partition."""
        full = (1 << self.num) - 1
        listed = np.flatnonzero(self.good)
        first = listed & -listed

        def split(rest, left):
            if left == 1:
                if self.good[rest]:
                    yield (rest,)
                return
            for one in listed[(first == (rest & -rest)) & (listed & ~rest == 0)].tolist():
                for others in split(rest ^ one, left - 1):
                    yield (one, *others)

        for sets in split(full, self.districts):
            yield float(self.travel[list(sets)].sum()), sets

    def labels(self, sets):
        """Give the district of each area."""
        return sum(k * self.inside[one] for k, one in enumerate(sets)).astype(np.int64)


def poor_and_best(case):
    partitions = Partitions(case)
    listed = sorted(partitions.all())
    assert listed, "the case has no plan"
    ways = [entry for entry in listed if entry[0] < 1e8]
    travel, sets = ways[len(ways) // 2]
    return partitions.labels(sets), travel, listed[0][0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("limits", [PRICES_ALONE, NO_BRANCHING, BoundLimits()])
def test_no_connected_partition_beats_the_bound(seed, limits):
    case = grid_case(seed, some_empty=seed % 2 == 1)
    plan, travel, best = poor_and_best(case)
    found = district_bound(case, plan, travel, limits=limits)
    assert found.bound <= best * (1 + 1e-8)
    assert found.lagrangian_bound <= found.bound * (1 + 1e-8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("rows", "districts"), [(4, 2), (4, 3), (3, 4)])
def test_solved_to_the_end_the_bound_is_the_optimum_and_its_plan_is_given(seed, rows, districts):
    case = grid_case(seed, rows=rows, districts=districts, band=0.25)
    plan, travel, best = poor_and_best(case)
    found = district_bound(case, plan, travel)
    assert found.status == "optimal"
    assert found.bound == pytest.approx(best, rel=1e-7)
    assert found.plan_travel_min == pytest.approx(best, rel=1e-7)
    better = plan if found.plan is None else found.plan
    assert best_centres(case.travel_min, better, districts)[1].sum() == pytest.approx(best)


@pytest.mark.parametrize("seed", range(4))
def test_locked_areas_stay_together_and_apart(seed):
    locked = np.full(12, -1)
    locked[[0, 9]], locked[[3]] = 0, 2
    case = grid_case(seed, band=0.4, locked=locked)
    free = grid_case(seed, band=0.4)
    plan, travel, best = poor_and_best(case)
    found = district_bound(case, plan, travel)
    assert found.bound == pytest.approx(best, rel=1e-7)
    assert found.bound >= district_bound(free, plan, travel).bound * (1 - 1e-8)
    if found.plan is not None:
        assert (found.plan[locked >= 0] == locked[locked >= 0]).all()
        assert sorted(set(found.plan.tolist())) == [0, 1, 2]


def test_the_optimal_plan_is_proven_without_another_one():
    case = grid_case(3)
    partitions = Partitions(case)
    best, sets = min(partitions.all())
    found = district_bound(case, partitions.labels(sets), best)
    assert found.status == "optimal"
    assert found.plan is None
    assert found.bound == best


def test_areas_without_a_way_are_not_served():
    case = grid_case(5, band=0.4)
    travel = case.travel_min.copy()
    travel[0, 8:], travel[11, :4] = np.inf, np.inf
    blocked = grid_case(5, band=0.4, travel_min=travel)
    plan, known, best = poor_and_best(blocked)
    assert district_bound(blocked, plan, known).bound == pytest.approx(best, rel=1e-7)


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_areas_changes_no_bound(seed):
    case = grid_case(seed)
    plan, travel, _ = poor_and_best(case)
    order = np.random.default_rng(seed).permutation(12)
    turned = grid_case(
        seed,
        workload_h=case.workload_h[order],
        travel_min=case.travel_min[np.ix_(order, order)],
        border_km=sparse.csr_array(case.border_km.toarray()[np.ix_(order, order)]),
    )
    same = district_bound(turned, plan[order], travel).bound
    assert same == pytest.approx(district_bound(case, plan, travel).bound, rel=1e-6)


def test_a_looser_gap_is_less_work_and_no_false_claim():
    case = grid_case(6, districts=4, band=0.15)
    plan, travel, best = poor_and_best(case)
    loose = district_bound(case, plan, travel, limits=BoundLimits(gap=0.3))
    assert loose.bound <= best * (1 + 1e-8)
    assert loose.nodes <= district_bound(case, plan, travel).nodes
    assert loose.status == "bound" or loose.bound >= best * (1 - 1e-4)


def test_twice_the_same_bound():
    case = grid_case(2, districts=4)
    plan, travel, _ = poor_and_best(case)
    first, second = (district_bound(case, plan, travel) for _ in range(2))
    assert (first.bound, first.nodes, first.iterations) == (
        second.bound, second.nodes, second.iterations,
    )  # fmt: skip

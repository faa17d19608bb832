import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from deploy_opt.plan.districting.case import DistrictCase
from deploy_opt.plan.districting.figures import best_centres
from deploy_opt.plan.districting.lagrangian import fill_knapsacks, relax_districts
from deploy_opt.plan.districting.reduce import pairs_of
from deploy_opt.plan.districting.separators import LEAST_VIOLATION, separators

ROWS, COLUMNS = 5, 6
AREAS = ROWS * COLUMNS


def board(random, *, gaps=0.0):
    """Squares with shared sides as neighbours, some sides taken away at random."""
    at = np.column_stack(np.divmod(np.arange(AREAS), COLUMNS))
    near = np.abs(at[:, None] - at[None]).sum(axis=2) == 1
    gone = np.triu(random.random(near.shape) < gaps)
    return sparse.csr_array((near & ~gone & ~gone.T).astype(float))


def grown(random, neighbours, start, size):
    """A connected set of areas around a start."""
    inside = np.zeros(AREAS, dtype=bool)
    inside[start] = True
    for _ in range(size - 1):
        rim = np.flatnonzero((neighbours @ inside.astype(float) > 0) & ~inside)
        if rim.size:
            inside[random.choice(rim)] = True
    return inside


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_cuts_never_exclude_a_connected_district(seed):
    random = np.random.default_rng(seed)
    neighbours = board(random, gaps=0.2)
    centre = int(random.integers(AREAS))
    share = random.choice([0.0, 0.1, 0.5, 1.0], AREAS, p=[0.5, 0.1, 0.2, 0.2])
    share[centre] = 1.0
    for cut in separators(share, centre, neighbours):
        between = list(cut.between)
        assert cut.area not in between
        assert centre not in between
        assert share[cut.area] > share[between].sum() + LEAST_VIOLATION
        for size in (5, 12, 25):
            district = grown(random, neighbours, centre, size)
            assert not district[cut.area] or district[between].any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_a_stray_piece_is_always_cut_off_and_a_connected_district_never(seed):
    random = np.random.default_rng(seed)
    neighbours = board(random)
    centre, other = random.choice(AREAS, 2, replace=False).tolist()
    near = grown(random, neighbours, centre, 6)
    assert separators(near.astype(float), centre, neighbours) == []
    stray = grown(random, neighbours, other, 3) & ~near
    touching = (neighbours @ near.astype(float) > 0) & stray
    stray &= ~touching
    cuts = separators((near | stray).astype(float), centre, neighbours)
    alone = stray & ~(neighbours @ near.astype(float) > 0)
    if not alone.any():
        assert cuts == []
    else:
        assert {cut.area for cut in cuts} <= set(np.flatnonzero(stray).tolist())
        assert cuts


def town(random, districts):
    """A board with calls, times and a plan; the band just holds the plan."""
    neighbours = board(random)
    calls = random.integers(0, 30, AREAS).astype(float)
    at = np.column_stack(np.divmod(np.arange(AREAS), COLUMNS)).astype(float)
    minutes = np.abs(at[:, None] - at[None]).sum(axis=2) * random.uniform(0.5, 2, (AREAS, AREAS))
    plan = np.full(AREAS, -1)
    plan[random.choice(AREAS, districts, replace=False)] = np.arange(districts)
    while (plan < 0).any():
        for area in random.permutation(np.flatnonzero(plan < 0)):
            beside = plan[neighbours[[area]].indices]
            if (beside >= 0).any():
                plan[area] = beside[beside >= 0][0]
    loads = np.bincount(plan, calls, minlength=districts)
    case = DistrictCase(
        area_ids=tuple(map(str, range(AREAS))),
        workload_h=calls,
        travel_min=calls[:, None] * minutes,
        border_km=neighbours,
        num_districts=districts,
        lower_h=loads.min(),
        upper_h=loads.max(),
    )
    return case, plan.astype(np.int64)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_ruling_out_never_removes_the_known_plan_and_prices_never_pass_it(seed, districts):
    case, plan = town(np.random.default_rng(seed), districts)
    centre, travel = best_centres(case.travel_min, plan, districts)
    pairs = pairs_of(case)
    found = relax_districts(pairs, np.zeros(AREAS), float(travel.sum()), steps=120)
    assert found.bound <= travel.sum() * (1 + 1e-9)
    left = found.pairs
    for area in range(AREAS):
        row = np.flatnonzero(left.centres == centre[plan[area]])
        assert row.size == 1
        assert left.allowed[row[0], area]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_a_filled_knapsack_costs_no_more_than_any_district_of_its_centre(seed):
    random = np.random.default_rng(seed)
    case, plan = town(random, 3)
    centre, _ = best_centres(case.travel_min, plan, 3)
    pairs = pairs_of(case)
    reduced = pairs.cost - random.uniform(0, 60, AREAS)
    filled = fill_knapsacks(pairs, reduced)
    for district, area in enumerate(centre.tolist()):
        row = int(np.flatnonzero(pairs.centres == area)[0])
        inside = plan == district
        assert filled.value[row] <= reduced[row, inside].sum() + 1e-6

"""Districts of random grids: what must hold for any of them."""

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.plan.districting.figures import (
    join_nearest,
    match_names,
    pieces_of,
    stray_areas,
)
from deploy_opt.plan.districting.rule_conflicts import conflicting_rules
from deploy_opt.plan.districting.searches import (
    Search,
    objective_of,
    satisfies,
    search_freely,
    search_near,
)
from deploy_opt.seeds import stream
from district_grids import grid_case

SEARCH = Search(starts=2, steps=30_000)
TODAY = np.repeat([0, 1], 10).astype(np.int64)
seeds = st.integers(0, 10_000)


def case_of(seed, *, band=0.3, number=2, **more):
    calls = stream(seed, "property").integers(1, 9, 20).astype(float)
    return grid_case(4, 5, calls, num_districts=number, band=band, **more)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seeds, st.integers(2, 5), st.sampled_from([0.0, 3.0]))
def test_every_district_is_connected_and_keeps_the_band(seed, number, price):
    case = case_of(seed, number=number, border_price=price)
    found = search_freely(case, SEARCH)
    assert satisfies(case, found.labels)
    assert pieces_of(case.border_km, found.labels)[0] == number
    again = search_freely(case, SEARCH)
    assert again.labels.tobytes() == found.labels.tobytes()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seeds)
def test_a_wider_band_never_costs_more(seed):
    costs = []
    for band in (0.15, 0.3, 0.6):
        case = case_of(seed, band=band)
        costs.append(objective_of(case, search_freely(case, SEARCH).labels))
    assert costs == sorted(costs, reverse=True)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seeds)
def test_more_changes_never_cost_more(seed):
    base = case_of(seed, band=0.6, today=TODAY)
    also, costs = (), []
    for most in (1, 3, 6, 20):
        case = replace(base, max_moved=most)
        found = search_near(case, SEARCH, also=also)
        if found.labels is None:
            assert not costs
            continue
        also = (found.labels,)
        costs.append(objective_of(case, found.labels))
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(costs))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seeds, st.integers(0, 19), st.integers(0, 1))
def test_a_lock_never_saves_travel_and_is_kept(seed, area, district):
    free = case_of(seed)
    locked = np.full(20, -1, dtype=np.int64)
    locked[area] = district
    held = replace(free, locked=locked)
    found = search_freely(held, SEARCH)
    assert found.labels[area] == district
    assert objective_of(held, found.labels) >= (
        objective_of(free, search_freely(free, SEARCH).labels) - 1e-9
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seeds, st.integers(1, 8))
def test_rules_that_a_plan_keeps_are_never_called_a_conflict(seed, num_locks):
    case = case_of(seed)
    labels = search_freely(case, Search(starts=1, steps=20_000)).labels
    locked = np.full(20, -1, dtype=np.int64)
    some = stream(seed, "locks").choice(20, num_locks, replace=False)
    locked[some] = labels[some]
    moved = int((labels != TODAY).sum())
    asked = replace(case, locked=locked, today=TODAY, max_moved=moved)
    assert conflicting_rules(asked, ("x", "y"), band_words="band") == ()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seeds, st.integers(1, 5))
def test_names_go_one_to_one_and_lonely_areas_join_what_they_touch(seed, number):
    case = case_of(seed, number=number)
    random = stream(seed, "labels")
    labels = np.concatenate([np.arange(number), random.integers(0, number, 20 - number)])
    today = random.integers(-1, 4, 20)
    names = match_names(labels, today, case.workload_h, num_districts=number, num_today=4)
    given_names = names[names >= 0]
    assert len(set(given_names)) == len(given_names) == min(number, 4)
    if (today >= 0).any() and len(np.unique(today[today >= 0])) == 4:
        times = np.where(np.eye(20) > 0, 0.0, 1.0)
        joined = join_nearest(today, case.border_km, case.travel_min, times, 4)
        assert (joined >= 0).all()
        assert (joined[today >= 0] == today[today >= 0]).all()
        before = len(stray_areas(case.border_km, today, case.workload_h))
        assert before >= 0

"""Districts of tiny grids against every connected partition there is."""

import itertools

import numpy as np
import pytest

from deploy_opt.plan.districting.figures import best_centres, loads_of, pieces_of
from deploy_opt.plan.districting.searches import (
    Search,
    num_moved,
    objective_of,
    satisfies,
    search_freely,
    search_near,
)
from deploy_opt.seeds import stream
from district_grids import grid_case


def connected_sets(case):
    """Every connected set of areas as a bit mask."""
    near = [
        sum(1 << int(j) for j in case.border_km.indices[a:b])
        for a, b in itertools.pairwise(case.border_km.indptr)
    ]
    found = set()
    todo = [1 << i for i in range(case.num_areas)]
    while todo:
        mask = todo.pop()
        if mask in found:
            continue
        found.add(mask)
        around = 0
        for i in range(case.num_areas):
            if mask >> i & 1:
                around |= near[i]
        around &= ~mask
        todo += [mask | 1 << i for i in range(case.num_areas) if around >> i & 1]
    return found


def partitions(case):
    """Every partition of the areas into connected districts within the band."""
    everything = (1 << case.num_areas) - 1
    members = {m: [i for i in range(case.num_areas) if m >> i & 1] for m in connected_sets(case)}
    loads = {m: case.workload_h[own].sum() for m, own in members.items()}
    fit = {m for m, load in loads.items() if case.lower_h - 1e-9 <= load <= case.upper_h + 1e-9}
    by_first = [[m for m in fit if members[m][0] == i] for i in range(case.num_areas)]

    def parts(left, number):
        if number == 1:
            if left in fit:
                yield [left]
            return
        first = (left & -left).bit_length() - 1
        for mask in by_first[first]:
            if mask & left == mask and mask != left:
                for rest in parts(left & ~mask, number - 1):
                    yield [mask, *rest]

    for part in parts(everything, case.num_districts):
        labels = np.empty(case.num_areas, dtype=np.int64)
        for district, mask in enumerate(part):
            labels[members[mask]] = district
        yield labels


def calls_of(seed, areas):
    return stream(seed, "tiny districts").integers(1, 10, areas).astype(float)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("number", "price"), [(2, 0.0), (3, 0.0), (3, 4.0)])
def test_the_search_finds_the_cheapest_of_all_connected_districts(seed, number, price):
    case = grid_case(4, 4, calls_of(seed, 16), num_districts=number, band=0.15, border_price=price)
    every = list(partitions(case))
    assert len(every) > 10
    best = min(objective_of(case, labels) for labels in every)
    found = search_freely(case, Search(starts=3))
    assert satisfies(case, found.labels)
    assert objective_of(case, found.labels) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("most", [1, 2, 4])
def test_the_best_plan_that_changes_few_areas_is_found(most):
    today = np.repeat([0, 1], 8)  # two rows each
    calls = calls_of(5, 16)
    case = grid_case(
        4, 4, calls, num_districts=2, band=0.35, today=today.astype(np.int64), max_moved=most
    )
    costs = [
        objective_of(case, labels)
        for part in partitions(case)
        for labels in (part, 1 - part)
        if num_moved(case, labels) <= most
    ]
    found = search_near(case, Search(starts=4))
    assert objective_of(case, found.labels) == pytest.approx(min(costs), abs=1e-9)


def test_locked_areas_stay_and_the_rest_is_the_best_around_them():
    calls = calls_of(7, 16)
    locked = np.full(16, -1, dtype=np.int64)
    locked[[0, 3]] = 0  # two corners of one side together
    locked[15] = 1
    case = grid_case(4, 4, calls, num_districts=2, band=0.2, locked=locked)
    costs = [
        objective_of(case, labels)
        for part in partitions(case)
        for labels in (part, 1 - part)
        if ((locked < 0) | (locked == labels)).all()
    ]
    found = search_freely(case, Search(starts=4))
    assert objective_of(case, found.labels) == pytest.approx(min(costs), abs=1e-9)


def test_the_figures_of_every_partition_agree_with_plain_sums():
    case = grid_case(3, 3, calls_of(9, 9), num_districts=2, band=0.6)
    for labels in partitions(case):
        centre, travel = best_centres(case.travel_min, labels, 2)
        for district in (0, 1):
            own = np.flatnonzero(labels == district)
            sums = {int(j): case.travel_min[own, j].sum() for j in own}
            assert travel[district] == pytest.approx(min(sums.values()))
            assert sums[int(centre[district])] == pytest.approx(travel[district])
        assert pieces_of(case.border_km, labels)[0] == 2
        assert loads_of(case.workload_h, labels, 2).sum() == pytest.approx(case.workload_h.sum())

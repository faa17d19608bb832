"""Simulated annealing of connected districts, compiled.

State: the district of each area; per district its members, workload and the call-minutes to every
possible centre, so that a district's travel is the least of these over its members and the centre
is chosen anew at every move. A move gives an area to the district of a neighbour, a swap exchanges
two areas of two districts; either is made only if both districts stay connected. A workload
outside its limits is priced, and the price adapts until about a third of the steps are inside.

Every function is plain Python that numba compiles; random numbers come from integers (xorshift,
Marsaglia, Journal of Statistical Software 8(14), 2003), so that both give the same districts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MASK = 0xFFFFFFFF
_WORD = 32
_PER_WORD = 1.0 / 4294967296.0
_CHECKS = 500
_CHECK_STEPS = (100, 5_000)
_REBUILD = 100
_INSIDE = 0.35
_PRICE_FACTOR = 1.1
_PRICE_RANGE = 1e6
_SLACK = 1e-9


class Ground(NamedTuple):
    """What the areas are, as arrays that the loop reads.

    Attributes
    ----------
    travel
        Call-minutes of area i (row) from centre j (column), finite, and a last row of zeros,
        shape (areas + 1, areas).
    workload
        Unit-hours of each area, shape (areas,).
    indptr, indices, border
        Neighbours and the lengths of their borders, km, in compressed rows.
    fixed
        Areas whose district is given, shape (areas,).
    today
        District of each area today, -1: none, shape (areas,).
    """

    travel: NDArray[np.float64]
    workload: NDArray[np.float64]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    border: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    today: NDArray[np.int64]


class Rules(NamedTuple):
    """What districts must satisfy and what it costs not to.

    Attributes
    ----------
    num_districts
        Districts.
    lower, upper
        Least and most unit-hours of a district.
    border_price
        Call-minutes per km of border.
    max_moved
        Most areas outside their district of today; more are priced.
    moved_price
        Call-minutes per area moved in excess.
    """

    num_districts: int
    lower: float
    upper: float
    border_price: float
    max_moved: int
    moved_price: float


class Schedule(NamedTuple):
    """How long and how hot to search.

    Attributes
    ----------
    steps
        Steps.
    hot, cold
        First and last temperature, call-minutes; it falls by the same factor every step.
    swap_share
        Share of the steps that try a swap.
    """

    steps: int
    hot: float
    cold: float
    swap_share: float


class State(NamedTuple):
    """Districts with all that is kept up to date with them.

    Attributes
    ----------
    labels
        District of each area, shape (areas,).
    sums
        Call-minutes of each district from every centre, shape (districts, areas).
    members, at, size
        Members of each district in any order, shape (districts, areas); the place of each area
        in its row, shape (areas,); how many there are, shape (districts,).
    load, cost
        Unit-hours, and call-minutes from the best centre, shape (districts,).
    seen, queue
        Room for walks through a district, shape (areas + 1,); the last of `seen` counts walks.
    """

    labels: NDArray[np.int64]
    sums: NDArray[np.float64]
    members: NDArray[np.int64]
    at: NDArray[np.int64]
    size: NDArray[np.int64]
    load: NDArray[np.float64]
    cost: NDArray[np.float64]
    seen: NDArray[np.int64]
    queue: NDArray[np.int64]


def empty_state(labels: NDArray[np.int64], num_districts: int) -> State:
    """Make room for the state of some districts; `anneal` fills it."""
    areas = len(labels)
    return State(
        labels.astype(np.int64),
        np.zeros((num_districts, areas)),
        np.zeros((num_districts, areas), dtype=np.int64),
        np.zeros(areas, dtype=np.int64),
        np.zeros(num_districts, dtype=np.int64),
        np.zeros(num_districts),
        np.zeros(num_districts),
        np.zeros(areas + 1, dtype=np.int64),
        np.zeros(areas + 1, dtype=np.int64),
    )


@njit(cache=True)
def draw(random: NDArray[np.int64]) -> int:
    """Give the next whole number below 2^32 of a xorshift stream of four words."""
    first = random[0]
    mixed = first ^ ((first << 11) & _MASK)
    random[0] = random[1]
    random[1] = random[2]
    random[2] = random[3]
    last = random[3]
    random[3] = last ^ (last >> 19) ^ mixed ^ (mixed >> 8)
    return random[3]  # type: ignore[no-any-return, unused-ignore]  # an integer of the loop


@njit(cache=True)
def least_travel(ground: Ground, state: State, district: int, out: int, new: int) -> float:
    """Give a district's call-minutes without area `out`, with area `new`, from its best centre.

    The number of areas stands for no area.
    """
    travel = ground.travel
    nobody = travel.shape[1]
    best = np.inf
    for place in range(state.size[district]):
        centre = state.members[district, place]
        if centre != out:
            value = state.sums[district, centre] - travel[out, centre] + travel[new, centre]
            best = min(best, value)
    if new != nobody:
        value = state.sums[district, new] - travel[out, new] + travel[new, new]
        best = min(best, value)
    return best


@njit(cache=True)
def border_change(ground: Ground, labels: NDArray[np.int64], area: int, target: int) -> float:
    """Give the change of the border, km, when an area goes to another district."""
    own = labels[area]
    change = 0.0
    for place in range(ground.indptr[area], ground.indptr[area + 1]):
        district = labels[ground.indices[place]]
        if district == own:
            change += ground.border[place]
        elif district == target:
            change -= ground.border[place]
    return change


@njit(cache=True)
def stays_connected(ground: Ground, state: State, area: int) -> bool:
    """Say whether the other members of an area's district hang together without it."""
    labels, seen, queue = state.labels, state.seen, state.queue
    own = labels[area]
    nobody = len(labels)
    wanted = 0
    first = -1
    for place in range(ground.indptr[area], ground.indptr[area + 1]):
        near = ground.indices[place]
        if labels[near] == own:
            wanted += 1
            first = near
    if wanted <= 1:
        return wanted == 1
    seen[nobody] += 2
    target, met = seen[nobody], seen[nobody] + 1
    for place in range(ground.indptr[area], ground.indptr[area + 1]):
        near = ground.indices[place]
        if labels[near] == own:
            seen[near] = target
    seen[area] = met
    seen[first] = met
    wanted -= 1
    queue[0] = first
    head, tail = 0, 1
    while head < tail:
        here = queue[head]
        head += 1
        for place in range(ground.indptr[here], ground.indptr[here + 1]):
            near = ground.indices[place]
            if labels[near] == own and seen[near] != met:
                if seen[near] == target:
                    wanted -= 1
                    if wanted == 0:
                        return True
                seen[near] = met
                queue[tail] = near
                tail += 1
    return False


@njit(cache=True)
def hangs_together(ground: Ground, state: State, start: int) -> bool:
    """Say whether every area with the label of `start` can be walked to from there."""
    labels, seen, queue = state.labels, state.seen, state.queue
    own = labels[start]
    nobody = len(labels)
    seen[nobody] += 2
    met = seen[nobody] + 1
    seen[start] = met
    queue[0] = start
    head, tail = 0, 1
    while head < tail:
        here = queue[head]
        head += 1
        for place in range(ground.indptr[here], ground.indptr[here + 1]):
            near = ground.indices[place]
            if labels[near] == own and seen[near] != met:
                seen[near] = met
                queue[tail] = near
                tail += 1
    return tail == state.size[own]  # type: ignore[no-any-return, unused-ignore]  # a flag of the loop


@njit(cache=True)
def outside(rules: Rules, load: float) -> float:
    """Give the unit-hours by which a workload lies outside its limits."""
    return max(rules.lower - load, 0.0) + max(load - rules.upper, 0.0)


@njit(cache=True)
def relabel(ground: Ground, state: State, area: int, target: int) -> None:
    """Give an area to another district; costs are left to the caller."""
    own = state.labels[area]
    last = state.size[own] - 1
    place = state.at[area]
    moved = state.members[own, last]
    state.members[own, place] = moved
    state.at[moved] = place
    state.size[own] = last
    state.members[target, state.size[target]] = area
    state.at[area] = state.size[target]
    state.size[target] += 1
    state.labels[area] = target
    state.load[own] -= ground.workload[area]
    state.load[target] += ground.workload[area]
    for centre in range(ground.travel.shape[1]):
        minutes = ground.travel[area, centre]
        state.sums[own, centre] -= minutes
        state.sums[target, centre] += minutes


@njit(cache=True)
def rebuild(ground: Ground, rules: Rules, state: State) -> tuple[float, float, int]:
    """Work out the state anew from its labels: objective, unit-hours outside, areas moved."""
    areas = len(state.labels)
    nobody = areas
    state.size[:] = 0
    state.load[:] = 0.0
    state.sums[:, :] = 0.0
    num_moved = 0
    twice_border = 0.0
    for area in range(areas):
        own = state.labels[area]
        state.members[own, state.size[own]] = area
        state.at[area] = state.size[own]
        state.size[own] += 1
        state.load[own] += ground.workload[area]
        for centre in range(areas):
            state.sums[own, centre] += ground.travel[area, centre]
        if ground.today[area] >= 0 and ground.today[area] != own:
            num_moved += 1
        for place in range(ground.indptr[area], ground.indptr[area + 1]):
            if state.labels[ground.indices[place]] != own:
                twice_border += ground.border[place]
    objective = rules.border_price * twice_border / 2.0
    excess = 0.0
    for district in range(rules.num_districts):
        state.cost[district] = least_travel(ground, state, district, nobody, nobody)
        objective += state.cost[district]
        excess += outside(rules, state.load[district])
    return objective, excess, num_moved


@njit(cache=True)
def leaves(ground: Ground, area: int, own: int, target: int) -> int:
    """Count the change of areas away from their district of today when one is moved."""
    today = ground.today[area]
    if today < 0:
        return 0
    return int(own == today) - int(target == today)


@njit(cache=True)
def partner(ground: Ground, state: State, area: int, target: int, random: NDArray[np.int64]) -> int:
    """Draw an area of the target district that borders on the area's district; -1: none."""
    own = state.labels[area]
    other = state.members[target, (draw(random) * state.size[target]) >> _WORD]
    if ground.fixed[other]:
        return -1
    for place in range(ground.indptr[other], ground.indptr[other + 1]):
        near = ground.indices[place]
        if near != area and state.labels[near] == own:
            return other  # type: ignore[no-any-return, unused-ignore]  # an integer of the loop
    return -1


@njit(cache=True)
def connected_after(
    ground: Ground, state: State, area: int, other: int, own: int, target: int
) -> bool:
    """Say whether districts stay connected when an area moves, or swaps with another one."""
    if other < 0:
        return stays_connected(ground, state, area)
    state.labels[area] = target
    state.labels[other] = own
    together = hangs_together(ground, state, area) and hangs_together(ground, state, other)
    state.labels[area] = own
    state.labels[other] = target
    return together


@njit(cache=True)
def border_change_of_both(
    ground: Ground, state: State, area: int, other: int, own: int, target: int
) -> float:
    """Give the change of the border, km, of a move, or of a swap with another area."""
    change = border_change(ground, state.labels, area, target)
    if other >= 0:
        state.labels[area] = target
        change += border_change(ground, state.labels, other, own)
        state.labels[area] = own
    return change


@njit(cache=True)
def anneal(  # noqa: C901, PLR0912, PLR0915  (one compiled loop; calls would copy its state)
    ground: Ground,
    rules: Rules,
    schedule: Schedule,
    state: State,
    price: float,
    random: NDArray[np.int64],
    best: NDArray[np.int64],
) -> tuple[float, float]:
    """Search from the state's districts; keep the best ones that satisfy every rule in `best`.

    Parameters
    ----------
    ground, rules, schedule
        The case, its rules, the schedule.
    state
        Where to begin: its labels, connected districts without an empty one; where the search
        ends, after.
    price
        First call-minutes per unit-hour outside the limits; adapts.
    random
        Four words of random numbers, the last not zero, shape (4,), int64; changed.
    best
        Labels, shape (areas,): the best districts found; changed only when some were found.

    Returns
    -------
    objective, price
        Call-minutes of `best`, inf when no districts satisfied the rules; the last price.
    """
    areas = len(state.labels)
    tolerance = _SLACK * (rules.lower + rules.upper)
    objective, excess, num_moved = rebuild(ground, rules, state)
    best_objective = np.inf
    if excess <= tolerance and num_moved <= rules.max_moved:
        best_objective = objective
        best[:] = state.labels
    heat = schedule.hot
    cooling = math.exp(math.log(schedule.cold / schedule.hot) / max(schedule.steps, 1))
    first_price = price
    check = min(max(schedule.steps // _CHECKS, _CHECK_STEPS[0]), _CHECK_STEPS[1])
    num_inside = 0
    for step in range(1, schedule.steps + 1):
        heat *= cooling
        if excess <= tolerance:
            num_inside += 1
        if step % check == 0:
            price *= _PRICE_FACTOR if num_inside < _INSIDE * check else 1.0 / _PRICE_FACTOR
            price = min(max(price, first_price / _PRICE_RANGE), first_price * _PRICE_RANGE)
            num_inside = 0
            if step % (check * _REBUILD) == 0:
                objective, excess, num_moved = rebuild(ground, rules, state)
        swap = draw(random) * _PER_WORD < schedule.swap_share
        area = (draw(random) * areas) >> _WORD
        degree = ground.indptr[area + 1] - ground.indptr[area]
        if ground.fixed[area] or degree == 0:
            continue
        near = ground.indices[ground.indptr[area] + ((draw(random) * degree) >> _WORD)]
        own, target = state.labels[area], state.labels[near]
        if own == target:
            continue
        other = -1
        gained, given = ground.workload[area], 0.0
        change_moved = leaves(ground, area, own, target)
        if swap:
            other = partner(ground, state, area, target, random)
            if other < 0:
                continue
            given = ground.workload[other]
            change_moved += leaves(ground, other, target, own)
        elif state.size[own] == 1:
            continue
        net = gained - given
        new_excess = (
            excess
            - outside(rules, state.load[own])
            - outside(rules, state.load[target])
            + outside(rules, state.load[own] - net)
            + outside(rules, state.load[target] + net)
        )
        back = other if swap else areas
        own_cost = least_travel(ground, state, own, area, back)
        target_cost = least_travel(ground, state, target, back, area)
        change = own_cost + target_cost - state.cost[own] - state.cost[target]
        if rules.border_price > 0:
            change += rules.border_price * border_change_of_both(
                ground, state, area, other, own, target
            )
        over = max(num_moved + change_moved - rules.max_moved, 0)
        over -= max(num_moved - rules.max_moved, 0)
        total = change + price * (new_excess - excess) + rules.moved_price * over
        if total > 0 and draw(random) * _PER_WORD >= math.exp(-total / heat):
            continue
        if not connected_after(ground, state, area, other, own, target):
            continue
        relabel(ground, state, area, target)
        if swap:
            relabel(ground, state, other, own)
        state.cost[own] = own_cost
        state.cost[target] = target_cost
        objective += change
        excess = new_excess
        num_moved += change_moved
        if (
            excess <= tolerance
            and num_moved <= rules.max_moved
            and objective < best_objective * (1.0 - _SLACK)
        ):
            best_objective = objective
            best[:] = state.labels
    return best_objective, price

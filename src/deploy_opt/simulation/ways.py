"""Where units are, and how they get to a post."""

# mypy: disable-error-code="no-any-return"
# The fields of records have no static types.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.simulation.agenda import set_ready
from deploy_opt.simulation.compiled import helper

if TYPE_CHECKING:
    from deploy_opt.simulation.arrays import Case, State
    from deploy_opt.simulation.grid import Grid


@helper
def period_at(case: Case, now_s: float) -> int:
    """Period of the day or week; that of hour 0 for units on duty before all time."""
    hours = case.roads.period_of_hour
    if hours.size == 1 or now_s == -np.inf:
        return hours[0]
    return hours[int(np.floor(now_s / 3600.0)) % hours.size]


@helper
def drive_s(case: Case, start: int, end: int, now_s: float) -> float:
    """Drive time at this hour, s."""
    return case.roads.times_s[period_at(case, now_s), end, start]


@helper
def share_driven(left_at: float, reach_at: float, now_s: float) -> float:
    """Share of a way that is driven, 0 to 1."""
    if reach_at <= left_at or now_s >= reach_at:
        return 1.0
    return max((now_s - left_at) / (reach_at - left_at), 0.0)


@helper
def nearest_node(grid: Grid, x: float, y: float) -> int:
    """Find the node nearest to a point between nodes, the lowest of several."""
    column = min(int((x - grid.low[0]) * grid.per_m), grid.columns - 1)
    row = min(int((y - grid.low[1]) * grid.per_m), grid.rows - 1)
    square = max(row, 0) * grid.columns + max(column, 0)
    best, least = -1, np.inf
    for number in range(grid.first[square], grid.first[square + 1]):
        node = grid.nodes[number]
        off_x, off_y = grid.xy[0, node] - x, grid.xy[1, node] - y
        apart = off_x * off_x + off_y * off_y
        if apart < least:
            best, least = node, apart
    return best


@helper
def place_of(case: Case, state: State, unit: int, now_s: float) -> int:
    """Find the node of a unit: the nearest to where it is on the line between its way's ends.

    Without coordinates it is the start for the first half of the way, and the end for the second.
    """
    one, xy = state.units[unit], case.roads.grid.xy
    start, end = one.from_node, one.to_node
    if now_s >= one.reach_at or one.reach_at <= one.left_at:
        return end
    gone_s, whole_s = now_s - one.left_at, one.reach_at - one.left_at
    if xy.shape[1] == 0:
        return start if gone_s < 0.5 * whole_s else end
    share = gone_s / whole_s
    if share <= 0.0 or share >= 1.0:
        return start if share <= 0.0 else end
    x = xy[0, start] + share * (xy[0, end] - xy[0, start])
    y = xy[1, start] + share * (xy[1, end] - xy[1, start])
    return nearest_node(case.roads.grid, x, y)


@helper
def end_way(case: Case, state: State, unit: int, now_s: float) -> None:
    """Book what a unit has driven of its way until now."""
    one = state.units[unit]
    if one.reach_at > one.left_at:
        share = share_driven(one.left_at, one.reach_at, now_s)
        one.drive_s += share * (one.reach_at - one.left_at)
        if case.roads.distances_km.size > 0:
            one.drive_km += share * case.roads.distances_km[one.from_node, one.to_node]


@helper
def set_off(state: State, unit: int, start: int, end: int, left_at: float, reach_at: float) -> None:
    """Let a unit be on a way, or where it is when start and end are one."""
    one = state.units[unit]
    one.from_node = start
    one.to_node = end
    one.left_at = left_at
    one.reach_at = reach_at
    if one.rank >= 0:
        state.idle[one.rank].to_node = end
        state.idle[one.rank].reach_at = reach_at


@helper
def stand(state: State, unit: int, node: int, now_s: float) -> None:
    """Let a unit be at a node."""
    set_off(state, unit, node, node, now_s, now_s)


@helper
def go_to_post(case: Case, state: State, unit: int, post: int, now_s: float) -> None:
    """Send an idle unit to a post from where it is."""
    one = state.units[unit]
    node = place_of(case, state, unit, now_s)
    if post not in (one.post, one.home):
        one.moves += 1
    end_way(case, state, unit, now_s)
    one.post = post
    reach_at = now_s + drive_s(case, node, post, now_s) / case.roads.return_speed_factor
    set_off(state, unit, node, post, now_s, reach_at)
    set_ready(state.agenda, unit, reach_at)


@helper
def join_idle(state: State, unit: int) -> None:
    """Count a unit among the idle ones; it is to stand somewhere at once."""
    last = state.num_idle[0]
    state.idle[last].unit = unit
    state.units[unit].rank = last
    state.num_idle[0] = last + 1


@helper
def leave_idle(state: State, unit: int) -> None:
    """Take a unit out of the idle ones; the last of them takes its row."""
    rank, last = state.units[unit].rank, state.num_idle[0] - 1
    state.idle[rank] = state.idle[last]
    state.units[state.idle[rank].unit].rank = rank
    state.units[unit].rank = -1
    state.num_idle[0] = last

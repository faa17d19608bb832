"""Where units are, and how they get to a post."""

# mypy: disable-error-code="no-any-return"
# The fields of records have no static types.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.simulation.compiled import helper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.simulation.arrays import Case, State


@helper
def period_at(case: Case, now_s: float) -> int:
    """Period of the day or week."""
    hours = case.roads.period_of_hour
    if hours.size == 1:
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
def node_between(xy: NDArray[np.float64], start: int, end: int, share: float) -> int:
    """Find the node nearest to a point of the straight line between two nodes.

    Without coordinates it is the start for the first half of the way, and the end for the second.
    """
    if share >= 1.0:
        return end
    if share <= 0.0:
        return start
    if xy.shape[1] == 0:
        return start if share < 0.5 else end
    x = xy[0, start] + share * (xy[0, end] - xy[0, start])
    y = xy[1, start] + share * (xy[1, end] - xy[1, start])
    best, least = 0, np.inf
    for node in range(xy.shape[1]):
        off_x, off_y = xy[0, node] - x, xy[1, node] - y
        apart = off_x * off_x + off_y * off_y
        if apart < least:
            best, least = node, apart
    return best


@helper
def place_of(case: Case, state: State, unit: int, now_s: float) -> int:
    """Find the node of a unit, by the share of its drive time that has passed."""
    one = state.units[unit]
    share = share_driven(one.left_at, one.reach_at, now_s)
    return node_between(case.roads.xy, one.from_node, one.to_node, share)


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
def stand(state: State, unit: int, node: int, now_s: float) -> None:
    """Let a unit be at a node."""
    one = state.units[unit]
    one.from_node = node
    one.to_node = node
    one.left_at = now_s
    one.reach_at = now_s
    state.ready_at[unit] = np.inf


@helper
def go_to_post(case: Case, state: State, unit: int, post: int, now_s: float) -> None:
    """Send an idle unit to a post from where it is."""
    one = state.units[unit]
    node = place_of(case, state, unit, now_s)
    if post not in (one.post, one.home):
        one.moves += 1
    end_way(case, state, unit, now_s)
    one.post = post
    one.from_node = node
    one.to_node = post
    one.left_at = now_s
    one.reach_at = now_s + drive_s(case, node, post, now_s) / case.roads.return_speed_factor
    state.ready_at[unit] = one.reach_at

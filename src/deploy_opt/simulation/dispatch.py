"""Who answers: where the units are, which of them is closest, which waiting call comes next.

Plain functions over the arrays of `engine.Case` and `engine.State`; no Python objects inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from deploy_opt.simulation.engine import Case, State


def place_of(case: Case, state: State, unit: int, now_s: float) -> int:
    """Find the node of an idle unit.

    At home it is the home. On its way home it is the node nearest to the point of the straight
    line that it has reached by the share of its drive time; without coordinates it is where it
    left from for the first half of the drive, and its home for the second.
    """
    home_at_s = state.ready_at[unit]
    left_at_s = state.left_at[unit]
    start, home = state.from_node[unit], case.home[unit]
    if home_at_s == np.inf or home_at_s <= left_at_s:
        return int(home)
    share = (now_s - left_at_s) / (home_at_s - left_at_s)
    if share <= 0.0:
        return int(start)
    if not case.x.size:
        return int(start if share < 0.5 else home)
    x = case.x[start] + share * (case.x[home] - case.x[start])
    y = case.y[start] + share * (case.y[home] - case.y[start])
    return int(np.argmin((case.x - x) ** 2 + (case.y - y) ** 2))


def answers(case: Case, unit: int, call: int) -> bool:
    """Say whether a unit ever answers a call: its type may, and a road leads there from home."""
    if not case.able[case.unit_type[unit], case.call_class[call]]:
        return False
    return bool(case.times_s[case.home[unit], case.call_node[call]] < np.inf)


def closest(case: Case, state: State, call: int, now_s: float) -> tuple[int, int]:
    """Choose the idle unit on duty with the shortest drive to a call.

    Returns
    -------
    tuple
        Unit and its node; (-1, -1) when none is free that can reach the call.
    """
    best, best_node, best_s = -1, -1, np.inf
    target = case.call_node[call]
    for unit in range(case.home.size):
        if state.busy[unit] or state.on_until[unit] <= now_s or not answers(case, unit, call):
            continue
        node = place_of(case, state, unit, now_s)
        drive_s = case.times_s[node, target]
        tied = case.longest_idle and best >= 0 and drive_s == best_s
        if drive_s < best_s or (tied and state.free_since[unit] < state.free_since[best]):
            best, best_node, best_s = unit, node, drive_s
    return best, best_node


def wait(case: Case, state: State, call: int) -> None:
    """Put a call at the end of the queue of its priority."""
    lane = case.lane[call]
    last = state.tail[lane]
    if last < 0:
        state.head[lane] = call
    else:
        state.next_waiting[last] = call
    state.tail[lane] = call


def next_waiting(case: Case, state: State, unit: int, node: int) -> int:
    """Take the waiting call that a unit serves next out of the queue.

    The first of the highest priority that the unit may answer and can reach from `node`.

    Returns
    -------
    int
        The call; -1 when there is none.
    """
    for lane in range(state.head.size):
        before, call = -1, int(state.head[lane])
        while call >= 0:
            after = int(state.next_waiting[call])
            near = case.times_s[node, case.call_node[call]] < np.inf
            if near and answers(case, unit, call):
                if before < 0:
                    state.head[lane] = after
                else:
                    state.next_waiting[before] = after
                if after < 0:
                    state.tail[lane] = before
                state.next_waiting[call] = -1
                return call
            before, call = call, after
    return -1

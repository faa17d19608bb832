"""Who answers: which unit goes, and which waiting call a free unit takes next."""

# mypy: disable-error-code="no-any-return"
# The fields of records have no static types.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.simulation.compiled import helper
from deploy_opt.simulation.standing import count_cover, extra_cover, is_free
from deploy_opt.simulation.ways import drive_s, node_between, period_at, place_of, share_driven

if TYPE_CHECKING:
    from deploy_opt.simulation.arrays import Case, State


RESERVE, DISTRICT_FIRST, LEAST_NEEDED = 1, 2, 3
OWN, HELPING, ALL = 0, 1, 2
"""Whose units are looked at: of the district, also of those that help it, of the city."""
NOBODY = (-1, -1)


@helper
def answers(case: Case, state: State, unit: int, leg: int) -> bool:
    """Whether a unit ever answers a leg: its type may, and a road leads there from home."""
    legs = case.legs
    if not case.able[case.fleet.unit_type[unit], legs.kind[leg]]:
        return False
    return drive_s(case, state.units.home[unit], legs.node[leg], legs.due_at[leg]) < np.inf


@helper
def can_leave(case: Case, state: State, unit: int, leg: int, now_s: float) -> bool:
    """Whether a unit on its way to a call, or at work on it, may be sent to another one."""
    old = state.units.leg[unit]
    if old < 0 or case.legs.together[old] or state.units.on_until[unit] <= now_s:
        return False
    lane, other = case.legs.lane[old], case.legs.lane[leg]
    if case.rules.interrupts[lane, other]:
        return True
    return case.rules.diverts[lane, other] and state.legs.arrived[old] > now_s


@helper
def held_back(case: Case, state: State, leg: int, now_s: float) -> bool:
    """Whether the last free units are kept for calls of higher priority."""
    rules = case.rules
    if rules.dispatch != RESERVE or case.legs.lane[leg] < rules.reserve_lane:
        return False
    free = 0
    for unit in range(state.units.size):
        if is_free(state, unit, now_s) and answers(case, state, unit, leg):
            free += not case.fleet.mutual_aid[unit]
    return free <= rules.reserve


@helper
def choose(case: Case, state: State, leg: int, now_s: float) -> tuple[int, int]:
    """Choose unit and its node by the rule of dispatch; (-1, -1) = nobody."""
    if held_back(case, state, leg, now_s):
        return NOBODY
    if case.rules.dispatch == DISTRICT_FIRST and case.legs.district[leg] >= 0:
        unit, node = closest(case, state, leg, now_s, OWN, 0)
        if unit >= 0 or not may_help(case, leg):
            return unit, node
        unit, node = closest(case, state, leg, now_s, HELPING, 0)
        if unit < 0:
            unit, node = closest(case, state, leg, now_s, ALL, 1)
        return unit, node
    if case.rules.dispatch == LEAST_NEEDED:
        unit, node = least_needed(case, state, leg, now_s)
        if unit >= 0:
            return unit, node
    unit, node = closest(case, state, leg, now_s, ALL, 0)
    if unit < 0:
        unit, node = closest(case, state, leg, now_s, ALL, 1)
    return unit, node


@helper
def may_help(case: Case, leg: int) -> bool:
    """Whether units of other districts may come to a leg."""
    return case.legs.helped[leg] and case.legs.lane[leg] < case.rules.help_lane


@helper
def belongs(case: Case, unit: int, leg: int, whose: int) -> bool:
    """Whether a leg is of a unit's district, or (helping) of one that it helps.

    A unit without a district serves all of them.
    """
    theirs, own = case.legs.district[leg], case.fleet.district[unit]
    if theirs < 0 or own < 0 or theirs == own:
        return True
    return whose == HELPING and may_help(case, leg) and case.rules.helps[theirs, own]


@helper
def closest(
    case: Case, state: State, leg: int, now_s: float, whose: int, mutual_aid: int
) -> tuple[int, int]:
    """Choose the own (0) or neighbour's (1) unit that arrives first, by turnout and drive."""
    legs, fleet, units, rules = case.legs, case.fleet, state.units, case.rules
    xy, able, kind = case.roads.xy, case.able, legs.kind[leg]
    to_s = case.roads.times_s[period_at(case, now_s), legs.node[leg]]
    best, best_node, best_s = -1, -1, np.inf
    for unit in range(units.size):
        one, own = units[unit], fleet[unit]
        free = one.leg < 0
        if free:
            if one.resting or one.on_until <= now_s:
                continue
        elif not rules.some_divert or not can_leave(case, state, unit, leg, now_s):
            continue
        if int(own.mutual_aid) != mutual_aid:
            continue
        if whose != ALL and not belongs(case, unit, leg, whose):
            continue
        if not able[own.unit_type, kind]:
            continue
        node = one.to_node
        if one.reach_at > now_s:
            share = share_driven(one.left_at, one.reach_at, now_s)
            node = node_between(xy, one.from_node, one.to_node, share)
        needs_s = to_s[node]
        at_post = free and one.reach_at <= now_s
        needs_s += rules.turnout_s if at_post else rules.turnout_on_road_s
        tied = rules.longest_idle and best >= 0 and needs_s == best_s
        nearer = needs_s < best_s or (tied and one.free_since < units[best].free_since)
        if nearer and to_s[one.home] < np.inf:
            best, best_node, best_s = unit, node, needs_s
    return best, best_node


@helper
def least_needed(case: Case, state: State, leg: int, now_s: float) -> tuple[int, int]:
    """Choose, of the free units in time, the one that is missed least where it stands."""
    best, best_node, least = -1, -1, np.inf
    for unit in range(state.units.size):
        if case.fleet.mutual_aid[unit] or not is_free(state, unit, now_s):
            continue
        if not answers(case, state, unit, leg):
            continue
        node = place_of(case, state, unit, now_s)
        needs_s = drive_s(case, node, case.legs.node[leg], now_s)
        if needs_s > case.rules.standard_s:
            continue
        row = case.rules.node_post[state.units.post[unit]]
        count_cover(case, state, unit, now_s)
        missed = extra_cover(case, state, row, now_s)
        if missed < least:
            best, best_node, least = unit, node, missed
    return best, best_node


@helper
def wait(case: Case, state: State, leg: int) -> None:
    """Put a leg into the queue of its lane, in the order of the calls."""
    lane = case.legs.lane[leg]
    before, after = -1, state.lanes.head[lane]
    if state.lanes.tail[lane] >= 0 and state.lanes.tail[lane] < leg:
        before, after = state.lanes.tail[lane], -1
    while after >= 0 and after < leg:
        before, after = after, state.legs.next_waiting[after]
    state.legs.next_waiting[leg] = after
    if before < 0:
        state.lanes.head[lane] = leg
    else:
        state.legs.next_waiting[before] = leg
    if after < 0:
        state.lanes.tail[lane] = leg


@helper
def too_early(case: Case, state: State, leg: int) -> bool:
    """Whether a leg that comes in turn still waits for the place before it to have a unit."""
    if not case.legs.follows[leg]:
        return False
    return state.legs.unit[leg - 1] < 0 and not state.legs.given_up[leg - 1]


@helper
def leave_queue(case: Case, state: State, wanted: int) -> bool:
    """Take a leg out of the queue of its lane; say whether it was there."""
    lane = case.legs.lane[wanted]
    before, leg = -1, state.lanes.head[lane]
    while leg >= 0 and leg != wanted:
        before, leg = leg, state.legs.next_waiting[leg]
    if leg >= 0:
        unlink(state, lane, before, leg)
    return leg >= 0


@helper
def unlink(state: State, lane: int, before: int, leg: int) -> None:
    """Join the legs before and behind one that leaves a queue."""
    after = state.legs.next_waiting[leg]
    if before < 0:
        state.lanes.head[lane] = after
    else:
        state.legs.next_waiting[before] = after
    if after < 0:
        state.lanes.tail[lane] = before
    state.legs.next_waiting[leg] = -1


@helper
def next_waiting(case: Case, state: State, unit: int, node: int, now_s: float) -> int:
    """Take out of the queue what a unit serves next: by priority, own district, time; or -1."""
    by_district = case.rules.dispatch == DISTRICT_FIRST
    for lane in range(state.lanes.size):
        for helping in range(2 if by_district else 1):
            before, leg = -1, state.lanes.head[lane]
            while leg >= 0:
                right = not by_district or belongs(case, unit, leg, helping)
                near = drive_s(case, node, case.legs.node[leg], now_s) < np.inf
                able = right and near and answers(case, state, unit, leg)
                able = able and not too_early(case, state, leg)
                if able and not held_back(case, state, leg, now_s):
                    unlink(state, lane, before, leg)
                    return leg
                before, leg = leg, state.legs.next_waiting[leg]
    return -1

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
    """Whether a unit on its way to a call may be sent to another one instead."""
    old = state.units.leg[unit]
    if old < 0 or not case.rules.diverts[case.legs.lane[old], case.legs.lane[leg]]:
        return False
    under_way = state.legs.arrived[old] > now_s and state.units.on_until[unit] > now_s
    return under_way and not case.legs.together[old]


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
    district = case.legs.district[leg]
    if case.rules.dispatch == DISTRICT_FIRST and district >= 0:
        unit, node = closest(case, state, leg, now_s, district, 0)
        if unit >= 0 or case.legs.lane[leg] >= case.rules.help_lane:
            return unit, node
    if case.rules.dispatch == LEAST_NEEDED:
        unit, node = least_needed(case, state, leg, now_s)
        if unit >= 0:
            return unit, node
    unit, node = closest(case, state, leg, now_s, -1, 0)
    if unit < 0:
        unit, node = closest(case, state, leg, now_s, -1, 1)
    return unit, node


@helper
def closest(
    case: Case, state: State, leg: int, now_s: float, district: int, mutual_aid: int
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
        if int(own.mutual_aid) != mutual_aid or (district >= 0 and own.district != district):
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
def next_waiting(case: Case, state: State, unit: int, node: int, now_s: float) -> int:
    """Take out of the queue what a unit serves next: by priority, own district, time; or -1."""
    by_district = case.rules.dispatch == DISTRICT_FIRST
    own = case.fleet.district[unit]
    for lane in range(state.lanes.size):
        for helping in range(2 if by_district else 1):
            before, leg = -1, state.lanes.head[lane]
            while leg >= 0:
                theirs = case.legs.district[leg]
                right = not by_district or theirs < 0 or (theirs == own) != (helping == 1)
                right = right and (helping == 0 or lane < case.rules.help_lane)
                near = drive_s(case, node, case.legs.node[leg], now_s) < np.inf
                able = right and near and answers(case, state, unit, leg)
                if able and not held_back(case, state, leg, now_s):
                    after = state.legs.next_waiting[leg]
                    if before < 0:
                        state.lanes.head[lane] = after
                    else:
                        state.legs.next_waiting[before] = after
                    if after < 0:
                        state.lanes.tail[lane] = before
                    state.legs.next_waiting[leg] = -1
                    return leg
                before, leg = leg, state.legs.next_waiting[leg]
    return -1

"""Who answers: which unit goes, and which waiting call a free unit takes next."""

# mypy: disable-error-code="no-any-return"
# The fields of records have no static types.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.simulation.compiled import helper, rare
from deploy_opt.simulation.standing import count_cover, extra_cover, is_free
from deploy_opt.simulation.ways import drive_s, period_at, place_of

if TYPE_CHECKING:
    from deploy_opt.simulation.arrays import Case, State


RESERVE, DISTRICT_FIRST, LEAST_NEEDED = 1, 2, 3
OWN, HELPING, ANYBODY, ALL, AID = 0, 1, 2, 3, 4
"""Whose units are looked at: of the district, also of those that help it; anybody's in the hope
that the nearest may go, as it mostly may; all own ones that may; neighbours' that may."""
NOBODY = (-1, -1)


@helper
def answers(case: Case, state: State, unit: int, leg: int) -> bool:
    """Whether a unit ever answers a leg: its type may, and a road leads there from home."""
    legs = case.legs
    if not case.able[case.fleet[unit].unit_type, legs[leg].kind]:
        return False
    return drive_s(case, state.units[unit].home, legs[leg].node, legs[leg].due_at) < np.inf


@helper
def can_leave(case: Case, state: State, unit: int, leg: int, now_s: float) -> bool:
    """Whether a unit on its way to a call, or at work on it, may be sent to another one."""
    old = state.units[unit].leg
    if old < 0 or case.legs[old].together or state.units[unit].on_until <= now_s:
        return False
    lane, other = case.legs[old].lane, case.legs[leg].lane
    if case.rules.interrupts[lane, other]:
        return True
    return case.rules.diverts[lane, other] and state.legs[old].arrived > now_s


@helper
def held_back(case: Case, state: State, leg: int, now_s: float) -> bool:
    """Whether the last free units are kept for calls of higher priority."""
    rules = case.rules
    if rules.dispatch != RESERVE or case.legs[leg].lane < rules.reserve_lane:
        return False
    return count_free(case, state, leg, now_s) <= rules.reserve


@rare
def count_free(case: Case, state: State, leg: int, now_s: float) -> int:
    """Count the own free units that answer a leg."""
    free = 0
    for unit in range(state.units.size):
        if is_free(state, unit, now_s) and answers(case, state, unit, leg):
            free += not case.fleet[unit].mutual_aid
    return free


@helper
def choose(case: Case, state: State, leg: int, now_s: float) -> tuple[int, int]:
    """Choose unit and its node by the rule of dispatch; (-1, -1) = nobody."""
    if held_back(case, state, leg, now_s):
        return NOBODY
    if case.rules.dispatch == LEAST_NEEDED:
        unit, node = least_needed(case, state, leg, now_s)
        if unit >= 0:
            return unit, node
    by_district = case.rules.dispatch == DISTRICT_FIRST and case.legs[leg].district >= 0
    one_type = case.able.shape[0] == 1
    whose = OWN if by_district else ANYBODY if one_type else ALL
    while whose <= AID:
        unit, node = closest(case, state, leg, now_s, whose)
        if unit >= 0 and (whose != ANYBODY or may_go(case, state, unit, leg, now_s, ALL)):
            return unit, node
        whose = wider(case, leg, whose)
    return NOBODY


@helper
def wider(case: Case, leg: int, whose: int) -> int:
    """Say whose units are looked at next, above `AID` = no more."""
    if whose == OWN and not may_help(case, leg):
        return AID + 1
    return AID if whose == HELPING else whose + 1


@helper
def may_help(case: Case, leg: int) -> bool:
    """Whether units of other districts may come to a leg."""
    return case.legs[leg].helped and case.legs[leg].lane < case.rules.help_lane


@helper
def belongs(case: Case, unit: int, leg: int, whose: int) -> bool:
    """Whether a leg is of a unit's district, or (helping) of one that it helps.

    A unit without a district serves all of them.
    """
    theirs, own = case.legs[leg].district, case.fleet[unit].district
    if theirs < 0 or own < 0 or theirs == own:
        return True
    return whose == HELPING and may_help(case, leg) and case.rules.helps[theirs, own]


@helper
def closest(case: Case, state: State, leg: int, now_s: float, whose: int) -> tuple[int, int]:
    """Choose the unit that arrives first, by turnout and drive.

    What rarely decides is asked last: most units are told by their drive alone.
    """
    units, rules = state.units, case.rules
    to_s = case.roads.times_s[period_at(case, now_s), case.legs[leg].node]
    best, best_node, best_s = -1, -1, np.inf
    for rank in range(state.num_idle[0]):
        near = state.idle[rank]
        node, turnout_s = near.to_node, rules.turnout_s
        if near.reach_at > now_s:
            node, turnout_s = place_of(case, state, near.unit, now_s), rules.turnout_on_road_s
        elif rules.some_divert and units[near.unit].leg >= 0:
            turnout_s = rules.turnout_on_road_s
        needs_s = to_s[node] + turnout_s
        if needs_s > best_s:
            continue
        if needs_s == best_s and not goes_first(case, state, near.unit, best):
            continue
        if whose == ANYBODY or may_go(case, state, near.unit, leg, now_s, whose):
            best, best_node, best_s = near.unit, node, needs_s
    return best, best_node


@helper
def may_go(case: Case, state: State, unit: int, leg: int, now_s: float, whose: int) -> bool:
    """Whether a unit of those that are looked at may be sent to a leg now."""
    one, own = state.units[unit], case.fleet[unit]
    if drive_s(case, one.home, case.legs[leg].node, now_s) == np.inf:
        return False
    if own.mutual_aid != (whose == AID) or not case.able[own.unit_type, case.legs[leg].kind]:
        return False
    if whose <= HELPING and not belongs(case, unit, leg, whose):
        return False
    if one.leg >= 0:
        return can_leave(case, state, unit, leg, now_s)
    return not one.resting and one.on_until > now_s


@helper
def goes_first(case: Case, state: State, unit: int, other: int) -> bool:
    """Whether of two units equally near the first goes; other = -1: they cannot reach it."""
    if other < 0:
        return False
    since_s, other_s = state.units[unit].free_since, state.units[other].free_since
    if case.rules.longest_idle and since_s != other_s:
        return since_s < other_s
    return unit < other


@rare
def least_needed(case: Case, state: State, leg: int, now_s: float) -> tuple[int, int]:
    """Choose, of the free units in time, the one that is missed least where it stands."""
    best, best_node, least = -1, -1, np.inf
    for unit in range(state.units.size):
        if case.fleet[unit].mutual_aid or not is_free(state, unit, now_s):
            continue
        if not answers(case, state, unit, leg):
            continue
        node = place_of(case, state, unit, now_s)
        needs_s = drive_s(case, node, case.legs[leg].node, now_s)
        if needs_s > case.rules.standard_s:
            continue
        row = case.rules.node_post[state.units[unit].post]
        count_cover(case, state, unit, now_s)
        missed = extra_cover(case, state, row, now_s)
        if missed < least:
            best, best_node, least = unit, node, missed
    return best, best_node


@helper
def wait(case: Case, state: State, leg: int) -> None:
    """Put a leg into the queue of its lane, in the order of the calls."""
    lane = case.legs[leg].lane
    before, after = -1, state.lanes[lane].head
    if state.lanes[lane].tail >= 0 and state.lanes[lane].tail < leg:
        before, after = state.lanes[lane].tail, -1
    while after >= 0 and after < leg:
        before, after = after, state.legs[after].next_waiting
    state.legs[leg].next_waiting = after
    if before < 0:
        state.lanes[lane].head = leg
    else:
        state.legs[before].next_waiting = leg
    if after < 0:
        state.lanes[lane].tail = leg


@helper
def too_early(case: Case, state: State, leg: int) -> bool:
    """Whether a leg that comes in turn still waits for the place before it to have a unit."""
    if not case.legs[leg].follows:
        return False
    return state.legs.unit[leg - 1] < 0 and not state.legs.given_up[leg - 1]


@helper
def leave_queue(case: Case, state: State, wanted: int) -> bool:
    """Take a leg out of the queue of its lane; say whether it was there."""
    lane = case.legs[wanted].lane
    before, leg = -1, state.lanes[lane].head
    while leg >= 0 and leg != wanted:
        before, leg = leg, state.legs[leg].next_waiting
    if leg >= 0:
        unlink(state, lane, before, leg)
    return leg >= 0


@helper
def take_follower(case: Case, state: State, leg: int) -> int:
    """Take the next place of a call out of the queue, if it comes in turn; or -1."""
    last = case.legs[leg].first + case.legs[leg].places
    if leg + 1 < last and case.legs.follows[leg + 1] and leave_queue(case, state, leg + 1):
        return leg + 1
    return -1


@helper
def unlink(state: State, lane: int, before: int, leg: int) -> None:
    """Join the legs before and behind one that leaves a queue."""
    after = state.legs[leg].next_waiting
    if before < 0:
        state.lanes[lane].head = after
    else:
        state.legs[before].next_waiting = after
    if after < 0:
        state.lanes[lane].tail = before
    state.legs[leg].next_waiting = -1


@helper
def next_waiting(case: Case, state: State, unit: int, node: int, now_s: float) -> int:
    """Take out of the queue what a unit serves next: by priority, own district, time; or -1."""
    by_district = case.rules.dispatch == DISTRICT_FIRST
    for lane in range(state.lanes.size):
        for helping in range(2 if by_district else 1):
            before, leg = -1, state.lanes[lane].head
            while leg >= 0:
                right = not by_district or belongs(case, unit, leg, helping)
                near = drive_s(case, node, case.legs[leg].node, now_s) < np.inf
                able = right and near and answers(case, state, unit, leg)
                able = able and not too_early(case, state, leg)
                if able and not held_back(case, state, leg, now_s):
                    unlink(state, lane, before, leg)
                    return leg
                before, leg = leg, state.legs[leg].next_waiting
    return -1

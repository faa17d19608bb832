"""The event loop: calls come, units go, work, go home; compiled, over plain arrays.

Events of one instant happen in this order: units that finish or arrive, units that come on duty,
breaks, calls. Among units the lowest goes first. No Python objects and no random numbers inside.
"""

# mypy: disable-error-code="no-any-return"
# The fields of records have no static types.

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.simulation import agenda, arrays, dispatch, standing, ways
from deploy_opt.simulation.agenda import first_ready, is_ready_at, set_ready
from deploy_opt.simulation.arrays import State, at_start
from deploy_opt.simulation.compiled import digest, helper, loop
from deploy_opt.simulation.dispatch import (
    choose,
    next_waiting,
    take_follower,
    too_early,
    wait,
)
from deploy_opt.simulation.standing import comply, next_post
from deploy_opt.simulation.ways import (
    drive_s,
    end_way,
    go_to_post,
    join_idle,
    leave_idle,
    place_of,
    set_off,
    stand,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy_opt.simulation.arrays import Case


def run_events(case: Case) -> State:
    """Play every call to its end.

    Parameters
    ----------
    case
        Fleet, calls and times; checked by the caller.

    Returns
    -------
    State
        After the last event.
    """
    state = at_start(case)
    _loop()(case, state)
    return state


@functools.cache
def _loop() -> Callable[[Case, State], None]:
    """Make the loop; its kept code belongs to the sources as they are."""
    sources = digest(agenda, arrays, dispatch, standing, ways, sys.modules[__name__])

    @loop
    def play(case: Case, state: State) -> None:
        """Let the next event happen until there is none."""
        if not sources:
            return
        legs, spells, breaks = case.legs, case.spells, case.breaks
        next_leg, spell, rest = 0, 0, 0
        while True:
            unit_s = state.agenda[1]
            call_s = legs[next_leg].due_at if next_leg < legs.size else np.inf
            spell_s = spells[spell].from_s if spell < spells.size else np.inf
            rest_s = breaks[rest].from_s if rest < breaks.size else np.inf
            now_s = min(unit_s, spell_s, rest_s, call_s)
            if now_s == np.inf:
                return
            leg, unit, node = -1, -1, -1
            done, all_kinds = False, False
            if unit_s == now_s:
                unit = first_ready(state.agenda)
                done = state.units[unit].leg >= 0
                node = arrive(case, state, unit, now_s)
            elif spell_s == now_s:
                unit = spells[spell].unit
                node = come_on_duty(case, state, spells[spell], now_s)
                spell += 1
                all_kinds = spell == spells.size or spells[spell].from_s > now_s
            elif rest_s == now_s:
                break_is_due(state, breaks[rest], now_s)
                rest += 1
            else:
                leg = next_leg
                next_leg += 1
            if node >= 0 and state.units[unit].on_until > now_s:
                leg = next_waiting(case, state, unit, node, now_s)
            answer(case, state, leg, unit, node, now_s)
            if done and state.units[unit].leg < 0:
                go_to_post(case, state, unit, next_post(case, state, unit, now_s), now_s)
                comply(case, state, case.fleet[unit].unit_type, now_s)
            if all_kinds:
                for kind in range(case.rules.levels.shape[0]):
                    comply(case, state, kind, now_s)

    return play


@helper
def arrive(case: Case, state: State, unit: int, now_s: float) -> int:
    """Let a unit finish, end its break or stand at its post; give the node where it is free."""
    units, leg = state.units, state.units[unit].leg
    if units[unit].resting:
        units[unit].resting = False
        set_ready(state.agenda, unit, np.inf)
        return units[unit].post
    end_way(case, state, unit, now_s)
    node = units[unit].post if leg < 0 else leave_scene(case, state, unit, leg, now_s)
    stand(state, unit, node, now_s)
    if leg < 0:
        set_ready(state.agenda, unit, np.inf)
        if begin_break(state, unit, now_s):
            return -1
    return node


@helper
def leave_scene(case: Case, state: State, unit: int, leg: int, now_s: float) -> int:
    """Free a unit, at the hospital if it went there; give its node."""
    node, hospital = case.legs[leg].node, state.legs[leg].hospital
    if hospital >= 0:
        away_s = state.legs[leg].arrived + state.legs[leg].work_s
        state.units[unit].drive_s += drive_s(case, node, hospital, away_s)
        if case.roads.distances_km.size > 0:
            state.units[unit].drive_km += case.roads.distances_km[node, hospital]
        node = hospital
    state.units[unit].leg = -1
    state.units[unit].free_since = now_s
    if not case.rules.some_divert:
        join_idle(state, unit)
    return node


@helper
def come_on_duty(case: Case, state: State, spell: np.record, now_s: float) -> int:
    """Begin a spell; a unit that was off duty and at rest stands at the spell's home at once.

    Give the node where the unit is free, -1 = it is not.
    """
    unit, home = spell.unit, spell.home
    was_off = state.units[unit].on_until < now_s
    moved = home != state.units[unit].home
    state.units[unit].on_until = max(state.units[unit].on_until, spell.to_s)
    state.units[unit].home = home
    if state.units[unit].leg >= 0:
        return -1
    if was_off:
        state.units[unit].free_since = now_s
    if was_off and is_ready_at(state.agenda, unit) == np.inf:
        state.units[unit].post = home
        stand(state, unit, home, now_s)
    elif moved and not state.units[unit].resting:
        go_to_post(case, state, unit, home, now_s)
    if state.units[unit].resting:
        return -1
    return place_of(case, state, unit, now_s)


@helper
def break_is_due(state: State, rest: np.record, now_s: float) -> None:
    """Note a break; it begins when the unit next stands at its post."""
    unit = rest.unit
    state.units[unit].rest_due += rest.length_s
    if state.units[unit].leg < 0 and is_ready_at(state.agenda, unit) == np.inf:
        begin_break(state, unit, now_s)


@helper
def begin_break(state: State, unit: int, now_s: float) -> bool:
    """Begin a break that is due, if the unit is on duty."""
    due_s = state.units[unit].rest_due
    state.units[unit].rest_due = 0.0
    if due_s <= 0.0 or state.units[unit].on_until <= now_s:
        return False
    state.units[unit].resting = True
    set_ready(state.agenda, unit, now_s + due_s)
    return True


@helper
def answer(case: Case, state: State, leg: int, unit: int, node: int, now_s: float) -> None:
    """Answer a leg with a free unit, or (-1) with whom the rule chooses.

    One that loses its unit to it, or comes in turn after it, is answered next.
    """
    while leg >= 0:
        chosen = unit < 0
        if chosen and not too_early(case, state, leg):
            unit, node = choose(case, state, leg, now_s)
        follower = -1
        if unit >= 0:
            follower = send(case, state, unit, node, leg, now_s)
        elif case.legs[leg].waits:
            wait(case, state, leg)
            return
        else:
            state.legs[leg].given_up = True
        begin_work(case, state, leg)
        if unit >= 0 and chosen:
            comply(case, state, case.fleet[unit].unit_type, now_s)
        elif unit >= 0:
            follower = take_follower(case, state, leg)
        leg, unit = follower, -1


@helper
def send(case: Case, state: State, unit: int, node: int, leg: int, now_s: float) -> int:
    """Send a unit to a leg; give the leg that it leaves, or -1."""
    legs, to = case.legs, case.legs[leg].node
    lost = state.units[unit].leg
    at_post = lost < 0 and node == state.units[unit].post and state.units[unit].reach_at <= now_s
    if lost >= 0:
        leave_leg(state, lost, now_s)
    elif not case.rules.some_divert:
        leave_idle(state, unit)
    end_way(case, state, unit, now_s)
    enroute_s = now_s + (legs[leg].turnout_s if at_post else legs[leg].turnout_on_road_s)
    arrived_s = enroute_s + drive_s(case, node, to, enroute_s) * legs[leg].drive_factor
    set_off(state, unit, node, to, enroute_s, arrived_s)
    state.units[unit].leg = leg
    state.legs[leg].unit = unit
    state.legs[leg].dispatched = now_s
    state.legs[leg].enroute = enroute_s
    state.legs[leg].arrived = arrived_s
    if legs[leg].together:
        set_ready(state.agenda, unit, np.inf)
    return lost


@helper
def leave_leg(state: State, leg: int, now_s: float) -> None:
    """Take a leg's unit away; work that it has begun is done in part."""
    state.legs[leg].work_s -= max(now_s - state.legs[leg].arrived, 0.0)
    state.legs[leg].unit = -1
    state.legs[leg].dispatched = np.nan
    state.legs[leg].enroute = np.nan
    state.legs[leg].arrived = np.nan
    state.legs[leg].cleared = np.nan
    state.legs[leg].hospital = -1
    state.legs[leg].diverted += 1


@helper
def begin_work(case: Case, state: State, leg: int) -> None:
    """Begin the work of a leg; of a paired call, once each leg has a unit or went without."""
    first, last = leg, leg + 1
    if case.legs[leg].together:
        first = case.legs[leg].first
        last = first + case.legs[leg].places
    start_s = -np.inf
    for one in range(first, last):
        if state.legs[one].unit < 0 and not state.legs[one].given_up:
            return
        if state.legs[one].unit >= 0:
            start_s = max(start_s, state.legs[one].arrived)
    for one in range(first, last):
        if state.legs[one].unit >= 0:
            work(case, state, one, start_s)


@helper
def work(case: Case, state: State, leg: int, start_s: float) -> None:
    """Settle when a leg is done: on scene, to the hospital, handover."""
    legs = case.legs
    done_s = start_s + state.legs[leg].work_s
    hospital = open_hospital(case, leg, done_s)
    if hospital >= 0:
        done_s = done_s + drive_s(case, legs[leg].node, hospital, done_s) + legs[leg].handover
    state.legs[leg].hospital = hospital
    state.legs[leg].cleared = done_s
    set_ready(state.agenda, state.legs[leg].unit, done_s)


@helper
def open_hospital(case: Case, leg: int, now_s: float) -> int:
    """Find the hospital of a leg: its own, or the nearest open one while that diverts."""
    own = case.legs[leg].hospital
    if own < 0 or not diverts_at(case, own, now_s):
        return own
    best, best_s = own, np.inf
    for hospital in case.hospitals:
        needs_s = drive_s(case, case.legs[leg].node, hospital, now_s)
        if needs_s < best_s and not diverts_at(case, hospital, now_s):
            best, best_s = hospital, needs_s
    return best


@helper
def diverts_at(case: Case, hospital: int, now_s: float) -> bool:
    """Whether a hospital sends ambulances elsewhere now."""
    for row in range(case.closed.size):
        one = case.closed[row]
        if one.node == hospital and one.from_s <= now_s < one.to_s:
            return True
    return False

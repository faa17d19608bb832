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

from deploy_opt.simulation import arrays, dispatch, standing, ways
from deploy_opt.simulation.arrays import State, at_start
from deploy_opt.simulation.compiled import digest, helper, loop
from deploy_opt.simulation.dispatch import (
    choose,
    leave_queue,
    next_waiting,
    too_early,
    wait,
)
from deploy_opt.simulation.standing import comply, next_post
from deploy_opt.simulation.ways import drive_s, end_way, go_to_post, place_of, stand

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

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
    sources = digest(arrays, dispatch, standing, ways, sys.modules[__name__])

    @loop
    def play(case: Case, state: State) -> None:
        """Let the next event happen until there is none."""
        if not sources:
            return
        legs, spells, breaks = case.legs, case.spells, case.breaks
        leg, spell, rest = 0, 0, 0
        while True:
            unit = first_ready(state.ready_at)
            unit_s = state.ready_at[unit]
            call_s = legs.due_at[leg] if leg < legs.size else np.inf
            spell_s = spells.from_s[spell] if spell < spells.size else np.inf
            rest_s = breaks.from_s[rest] if rest < breaks.size else np.inf
            if unit_s <= min(spell_s, rest_s, call_s):
                if unit_s == np.inf:
                    return
                unit_event(case, state, unit, unit_s)
            elif spell_s <= min(rest_s, call_s):
                come_on_duty(case, state, spell, spell_s)
                spell += 1
            elif rest_s <= call_s:
                break_is_due(case, state, rest, rest_s)
                rest += 1
            else:
                take(case, state, leg, call_s)
                leg += 1

    return play


@helper
def first_ready(ready_at: NDArray[np.float64]) -> int:
    """Find the unit with the next event, the lowest of several."""
    best, best_s = 0, ready_at[0]
    for unit in range(1, ready_at.size):
        if ready_at[unit] < best_s:
            best, best_s = unit, ready_at[unit]
    return best


@helper
def unit_event(case: Case, state: State, unit: int, now_s: float) -> None:
    """Free a unit that finished, end its break, or park it at its post."""
    if state.units.leg[unit] >= 0:
        finish(case, state, unit, now_s)
        return
    if state.units.resting[unit]:
        state.units.resting[unit] = False
        state.ready_at[unit] = np.inf
    else:
        end_way(case, state, unit, now_s)
        stand(state, unit, state.units.post[unit], now_s)
        if begin_break(state, unit, now_s):
            return
    offer(case, state, unit, state.units.post[unit], now_s)


@helper
def finish(case: Case, state: State, unit: int, now_s: float) -> None:
    """Free a unit: it takes a waiting call or drives to a post."""
    leg = state.units.leg[unit]
    node, hospital = case.legs.node[leg], state.legs.hospital[leg]
    end_way(case, state, unit, now_s)
    if hospital >= 0:
        away_s = state.legs.arrived[leg] + state.legs.work_s[leg]
        state.units.drive_s[unit] += drive_s(case, node, hospital, away_s)
        if case.roads.distances_km.size > 0:
            state.units.drive_km[unit] += case.roads.distances_km[node, hospital]
        node = hospital
    state.units.leg[unit] = -1
    state.units.free_since[unit] = now_s
    stand(state, unit, node, now_s)
    if not offer(case, state, unit, node, now_s):
        go_to_post(case, state, unit, next_post(case, state, unit, now_s), now_s)
        comply(case, state, case.fleet.unit_type[unit], now_s)


@helper
def come_on_duty(case: Case, state: State, spell: int, now_s: float) -> None:
    """Begin a spell; a unit that was off duty and at rest stands at the spell's home at once."""
    spells = case.spells
    unit, home = spells.unit[spell], spells.home[spell]
    was_off = state.units.on_until[unit] < now_s
    moved = home != state.units.home[unit]
    state.units.on_until[unit] = max(state.units.on_until[unit], spells.to_s[spell])
    state.units.home[unit] = home
    if state.units.leg[unit] < 0:
        if was_off:
            state.units.free_since[unit] = now_s
        if was_off and state.ready_at[unit] == np.inf:
            state.units.post[unit] = home
            stand(state, unit, home, now_s)
        elif moved and not state.units.resting[unit]:
            go_to_post(case, state, unit, home, now_s)
        if not state.units.resting[unit]:
            offer(case, state, unit, place_of(case, state, unit, now_s), now_s)
    if spell + 1 == spells.size or spells.from_s[spell + 1] > now_s:
        for kind in range(case.rules.levels.shape[0]):
            comply(case, state, kind, now_s)


@helper
def break_is_due(case: Case, state: State, rest: int, now_s: float) -> None:
    """Note a break; it begins when the unit next stands at its post."""
    unit = case.breaks.unit[rest]
    state.units.rest_due[unit] += case.breaks.length_s[rest]
    if state.units.leg[unit] < 0 and state.ready_at[unit] == np.inf:
        begin_break(state, unit, now_s)


@helper
def begin_break(state: State, unit: int, now_s: float) -> bool:
    """Begin a break that is due, if the unit is on duty."""
    due_s = state.units.rest_due[unit]
    state.units.rest_due[unit] = 0.0
    if due_s <= 0.0 or state.units.on_until[unit] <= now_s:
        return False
    state.units.resting[unit] = True
    state.ready_at[unit] = now_s + due_s
    return True


@helper
def take(case: Case, state: State, leg: int, now_s: float) -> None:
    """Answer a leg; one that loses its unit to it is answered next."""
    while leg >= 0:
        unit, node = -1, -1
        if not too_early(case, state, leg):
            unit, node = choose(case, state, leg, now_s)
        if unit >= 0:
            lost = send(case, state, unit, node, leg, now_s)
            comply(case, state, case.fleet.unit_type[unit], now_s)
            leg = lost
        elif case.legs.waits[leg]:
            wait(case, state, leg)
            return
        else:
            state.legs.given_up[leg] = True
            if case.legs.together[leg]:
                begin_together(case, state, leg)
            return


@helper
def offer(case: Case, state: State, unit: int, node: int, now_s: float) -> bool:
    """Give an idle unit the next waiting leg, if it is on duty and there is one."""
    if state.units.on_until[unit] <= now_s:
        return False
    leg = next_waiting(case, state, unit, node, now_s)
    if leg < 0:
        return False
    send(case, state, unit, node, leg, now_s)
    last = case.legs.first[leg] + case.legs.places[leg]
    if leg + 1 < last and case.legs.follows[leg + 1] and leave_queue(case, state, leg + 1):
        take(case, state, leg + 1, now_s)
    return True


@helper
def send(case: Case, state: State, unit: int, node: int, leg: int, now_s: float) -> int:
    """Send a unit to a leg; give the leg that it leaves, or -1."""
    legs = case.legs
    lost = state.units.leg[unit]
    if lost >= 0:
        state.legs.work_s[lost] -= max(now_s - state.legs.arrived[lost], 0.0)
    at_post = lost < 0 and node == state.units.post[unit] and state.units.reach_at[unit] <= now_s
    if lost >= 0:
        state.legs.unit[lost] = -1
        state.legs.dispatched[lost] = np.nan
        state.legs.enroute[lost] = np.nan
        state.legs.arrived[lost] = np.nan
        state.legs.cleared[lost] = np.nan
        state.legs.hospital[lost] = -1
        state.legs.diverted[lost] += 1
    end_way(case, state, unit, now_s)
    enroute_s = now_s + (legs.turnout_s[leg] if at_post else legs.turnout_on_road_s[leg])
    needs_s = drive_s(case, node, legs.node[leg], enroute_s) * legs.drive_factor[leg]
    state.units.leg[unit] = leg
    state.units.from_node[unit] = node
    state.units.to_node[unit] = legs.node[leg]
    state.units.left_at[unit] = enroute_s
    state.units.reach_at[unit] = enroute_s + needs_s
    state.legs.unit[leg] = unit
    state.legs.dispatched[leg] = now_s
    state.legs.enroute[leg] = enroute_s
    state.legs.arrived[leg] = state.units.reach_at[unit]
    if legs.together[leg]:
        state.ready_at[unit] = np.inf
        begin_together(case, state, leg)
    else:
        work(case, state, leg, state.legs.arrived[leg])
    return lost


@helper
def begin_together(case: Case, state: State, leg: int) -> None:
    """Begin the work of a paired call once each of its legs has a unit or went without."""
    first = case.legs.first[leg]
    legs = range(first, first + case.legs.places[leg])
    start_s = -np.inf
    for one in legs:
        if state.legs.unit[one] < 0 and not state.legs.given_up[one]:
            return
        if state.legs.unit[one] >= 0:
            start_s = max(start_s, state.legs.arrived[one])
    for one in legs:
        if state.legs.unit[one] >= 0:
            work(case, state, one, start_s)


@helper
def work(case: Case, state: State, leg: int, start_s: float) -> None:
    """Settle when a leg is done: on scene, to the hospital, handover."""
    legs = case.legs
    done_s = start_s + state.legs.work_s[leg]
    hospital = open_hospital(case, leg, done_s)
    if hospital >= 0:
        done_s = done_s + drive_s(case, legs.node[leg], hospital, done_s) + legs.handover[leg]
    state.legs.hospital[leg] = hospital
    state.legs.cleared[leg] = done_s
    state.ready_at[state.legs.unit[leg]] = done_s


@helper
def open_hospital(case: Case, leg: int, now_s: float) -> int:
    """Find the hospital of a leg: its own, or the nearest open one while that diverts."""
    own = case.legs.hospital[leg]
    if own < 0 or not diverts_at(case, own, now_s):
        return own
    best, best_s = own, np.inf
    for hospital in case.hospitals:
        needs_s = drive_s(case, case.legs.node[leg], hospital, now_s)
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

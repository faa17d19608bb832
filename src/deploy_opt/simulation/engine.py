"""The event loop: calls come, units go, work, go home; over plain arrays.

Events of one instant happen in this order: units that finish or reach home, units that come on
duty, calls. Among units the lowest goes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deploy_opt.simulation.dispatch import closest, next_waiting, place_of, wait

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_HOSPITAL = -1
"""Hospital of a call that transports nobody."""


class Case(NamedTuple):
    """Everything that the loop reads.

    Attributes
    ----------
    times_s
        Drive times, s, shape (nodes, nodes), from row to column; inf = no road.
    x, y
        Coordinates of the nodes, m, shape (nodes,); empty when unknown.
    home, unit_type
        Home node and type of each unit, shape (units,).
    able
        Whether a unit type answers a call class, shape (types, classes).
    spell_unit, spell_from, spell_to
        Spells on duty, s, by start, shape (spells,).
    call_at, call_node, call_class, lane
        Time in s (ascending), node, class and rank of the priority (0 first), shape (calls,).
    on_scene, hospital, handover
        Seconds on scene, node of the hospital or `NO_HOSPITAL`, seconds there, shape (calls,).
    return_speed_factor
        Speed on the way home as a share of the speed to calls.
    longest_idle
        Units at equal distance: the longest idle goes, else the lowest.
    queue
        Calls that find no free unit wait; else they are lost.
    """

    times_s: NDArray[np.floating]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    home: NDArray[np.int64]
    unit_type: NDArray[np.int64]
    able: NDArray[np.bool_]
    spell_unit: NDArray[np.int64]
    spell_from: NDArray[np.float64]
    spell_to: NDArray[np.float64]
    call_at: NDArray[np.float64]
    call_node: NDArray[np.int64]
    call_class: NDArray[np.int64]
    lane: NDArray[np.int64]
    on_scene: NDArray[np.float64]
    hospital: NDArray[np.int64]
    handover: NDArray[np.float64]
    return_speed_factor: float
    longest_idle: bool
    queue: bool


class State(NamedTuple):
    """Everything that the loop writes.

    Attributes
    ----------
    busy
        Whether a unit is on a call, shape (units,).
    ready_at
        When a busy unit finishes or an idle one reaches home, s; inf at home, shape (units,).
    from_node, left_at
        Where and when the unit finished its last call, shape (units,).
    on_until
        End of the spell on duty, s; -inf before the first, shape (units,).
    free_since
        When the unit became idle, s, shape (units,).
    head, tail
        First and last waiting call of each priority; -1 = none, shape (priorities,).
    next_waiting
        The call that waits behind a waiting call; -1 = none, shape (calls,).
    unit
        Who answered a call; -1 = nobody, shape (calls,).
    dispatched, arrived, cleared
        When, s; NaN = never, shape (calls,).
    """

    busy: NDArray[np.bool_]
    ready_at: NDArray[np.float64]
    from_node: NDArray[np.int64]
    left_at: NDArray[np.float64]
    on_until: NDArray[np.float64]
    free_since: NDArray[np.float64]
    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    next_waiting: NDArray[np.int64]
    unit: NDArray[np.int64]
    dispatched: NDArray[np.float64]
    arrived: NDArray[np.float64]
    cleared: NDArray[np.float64]


def run_events(case: Case) -> State:
    """Play every call to its end.

    Parameters
    ----------
    case
        Fleet, calls and times; checked by the caller.

    Returns
    -------
    State
        After the last event; `unit`, `dispatched`, `arrived` and `cleared` are the answer.
    """
    state = _all_at_home(case)
    call, spell = 0, 0
    while True:
        unit = int(np.argmin(state.ready_at))
        unit_s = state.ready_at[unit]
        call_s = case.call_at[call] if call < case.call_at.size else np.inf
        spell_s = case.spell_from[spell] if spell < case.spell_from.size else np.inf
        if unit_s <= min(spell_s, call_s):
            if unit_s == np.inf:
                return state
            _unit_event(case, state, unit, unit_s)
        elif spell_s <= call_s:
            _come_on_duty(case, state, spell, spell_s)
            spell += 1
        else:
            _take_call(case, state, call, call_s)
            call += 1


def _all_at_home(case: Case) -> State:
    units, calls = case.home.size, case.call_at.size
    lanes = int(case.lane.max()) + 1
    return State(
        busy=np.zeros(units, dtype=np.bool_),
        ready_at=np.full(units, np.inf),
        from_node=case.home.copy(),
        left_at=np.full(units, -np.inf),
        on_until=np.full(units, -np.inf),
        free_since=np.full(units, -np.inf),
        head=np.full(lanes, -1, dtype=np.int64),
        tail=np.full(lanes, -1, dtype=np.int64),
        next_waiting=np.full(calls, -1, dtype=np.int64),
        unit=np.full(calls, -1, dtype=np.int64),
        dispatched=np.full(calls, np.nan),
        arrived=np.full(calls, np.nan),
        cleared=np.full(calls, np.nan),
    )


def _unit_event(case: Case, state: State, unit: int, now_s: float) -> None:
    """Free a unit that finished, or park one that reached home; either may take a waiting call."""
    home = int(case.home[unit])
    if not state.busy[unit]:
        state.ready_at[unit] = np.inf
        _offer(case, state, unit, home, now_s)
        return
    node = int(state.from_node[unit])
    state.busy[unit] = False
    state.free_since[unit] = now_s
    if not _offer(case, state, unit, node, now_s):
        state.left_at[unit] = now_s
        state.ready_at[unit] = now_s + case.times_s[node, home] / case.return_speed_factor


def _come_on_duty(case: Case, state: State, spell: int, now_s: float) -> None:
    unit = int(case.spell_unit[spell])
    if state.on_until[unit] < now_s and not state.busy[unit]:
        state.free_since[unit] = now_s
    state.on_until[unit] = max(state.on_until[unit], case.spell_to[spell])
    if not state.busy[unit]:
        _offer(case, state, unit, place_of(case, state, unit, now_s), now_s)


def _take_call(case: Case, state: State, call: int, now_s: float) -> None:
    unit, node = closest(case, state, call, now_s)
    if unit >= 0:
        _send(case, state, unit, node, call, now_s)
    elif case.queue:
        wait(case, state, call)


def _offer(case: Case, state: State, unit: int, node: int, now_s: float) -> bool:
    """Give an idle unit the next waiting call, if it is on duty and there is one."""
    if state.on_until[unit] <= now_s:
        return False
    call = next_waiting(case, state, unit, node)
    if call < 0:
        return False
    _send(case, state, unit, node, call, now_s)
    return True


def _send(case: Case, state: State, unit: int, node: int, call: int, now_s: float) -> None:
    scene = case.call_node[call]
    hospital = case.hospital[call]
    arrived_s = now_s + case.times_s[node, scene]
    done_s = arrived_s + case.on_scene[call]
    end = scene
    if hospital != NO_HOSPITAL:
        done_s = done_s + case.times_s[scene, hospital] + case.handover[call]
        end = hospital
    state.unit[call] = unit
    state.dispatched[call] = now_s
    state.arrived[call] = arrived_s
    state.cleared[call] = done_s
    state.busy[unit] = True
    state.ready_at[unit] = done_s
    state.from_node[unit] = end

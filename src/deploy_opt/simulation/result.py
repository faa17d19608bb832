"""What a simulation found: by call, by unit sent and by unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.simulation.arrays import NO_HOSPITAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.simulation.arrays import Case, State


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What became of every call and every unit.

    Attributes
    ----------
    calls
        In the order of the calls that came in: call_id, call_class, and of the unit that arrived
        first: unit_id (missing = nobody answered), dispatched_s, enroute_s, arrived_s, response_s
        (from the call to the arrival), queued (a place of the call waited);
        hospital (node, -1 = no transport), complete_s (all its units are there), cleared_s (the
        last is done), num_sent, diverted (times that a unit was taken away). Times are NaN where
        nobody answered.
    legs
        The same for each place: call_id, place (0 first), unit_id, dispatched_s, arrived_s,
        cleared_s.
    units
        In the order of the fleet: unit_id, unit_type, num_calls, busy_s and on_duty_s within the
        span from the first call to the last, busy_fraction = busy_s / on_duty_s (above 1 when
        work goes on after duty, NaN without duty), drive_s, drive_km (NaN without distances),
        moves to posts that are not its own.
    """

    calls: pd.DataFrame
    legs: pd.DataFrame
    units: pd.DataFrame

    @property
    def unanswered(self) -> int:
        """Calls that no unit ever answered."""
        return int(self.calls["unit_id"].isna().sum())

    @property
    def mean_response_s(self) -> float:
        """Mean response to the calls that were answered, s; NaN without one."""
        return float(self.calls["response_s"].mean())


def collect(
    case: Case,
    state: State,
    row: NDArray[np.int64],
    calls: pd.DataFrame,
    units: pd.DataFrame,
) -> SimulationResult:
    """Turn the arrays of the loop into frames.

    Parameters
    ----------
    case, state
        The loop's arrays.
    row
        Row in `calls` of each leg, shape (legs,).
    calls
        The calls as they came in: call_id, at_s, call_class.
    units
        unit_id, unit_type, one row per unit of the loop.

    Returns
    -------
    SimulationResult
    """
    names = units["unit_id"].to_numpy(dtype=object)
    who = np.where(state.legs["unit"] >= 0, names[np.maximum(state.legs["unit"], 0)], None)
    starts = np.flatnonzero(case.legs["first"] == np.arange(row.size))
    lead = _first_there(state.legs["arrived"], starts)
    back = np.empty(starts.size, dtype=np.int64)
    back[row[starts]] = np.arange(starts.size)
    lead, starts_of = lead[back], starts[back]
    late = case.legs["waits"] & (state.legs["dispatched"] != case.legs["due_at"])
    answered = pd.DataFrame(
        {
            "call_id": calls["call_id"].to_numpy(),
            "call_class": calls["call_class"].to_numpy(),
            "unit_id": who[lead],
            "dispatched_s": state.legs["dispatched"][lead],
            "enroute_s": state.legs["enroute"][lead],
            "arrived_s": state.legs["arrived"][lead],
            "response_s": state.legs["arrived"][lead] - calls["at_s"].to_numpy(dtype=np.float64),
            "queued": np.logical_or.reduceat(late, starts)[back],
            "hospital": np.where(
                state.legs["unit"][starts_of] >= 0, state.legs["hospital"][starts_of], NO_HOSPITAL
            ),
            "complete_s": np.fmax.reduceat(state.legs["arrived"], starts)[back],
            "cleared_s": np.fmax.reduceat(state.legs["cleared"], starts)[back],
            "num_sent": np.add.reduceat((state.legs["unit"] >= 0).astype(np.int64), starts)[back],
            "diverted": np.add.reduceat(state.legs["diverted"], starts)[back],
        }
    )
    legs = pd.DataFrame(
        {
            "call_id": calls["call_id"].to_numpy()[row],
            "place": np.arange(row.size) - case.legs["first"],
            "unit_id": who,
            "dispatched_s": state.legs["dispatched"],
            "arrived_s": state.legs["arrived"],
            "cleared_s": state.legs["cleared"],
        }
    )
    return SimulationResult(answered, legs, _units(case, state, units))


def _first_there(arrived: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the leg of each call whose unit arrived first; its first leg when none did."""
    if starts.size == arrived.size:
        return starts
    call = np.repeat(np.arange(starts.size), np.diff(np.append(starts, arrived.size)))
    order = np.lexsort((np.arange(arrived.size), arrived, call))  # NaN sorts last
    return order[starts]


def _units(case: Case, state: State, units: pd.DataFrame) -> pd.DataFrame:
    first, last = case.legs["due_at"][0], case.legs["due_at"][-1]
    spells = case.spells
    num_units = case.fleet.size
    done = state.legs["unit"] >= 0
    worked = np.clip(state.legs["cleared"], first, last) - np.clip(
        state.legs["dispatched"], first, last
    )
    worked = np.where(
        np.isnan(worked), last - np.clip(state.legs["dispatched"], first, last), worked
    )
    busy_s = np.bincount(state.legs["unit"][done], weights=worked[done], minlength=num_units)
    duty = np.clip(spells["to_s"], first, last) - np.clip(spells["from_s"], first, last)
    on_duty_s = np.bincount(spells["unit"], weights=duty, minlength=num_units)
    fraction = np.divide(busy_s, on_duty_s, out=np.full(num_units, np.nan), where=on_duty_s > 0)
    km = state.units["drive_km"] if case.roads.distances_km.size else np.full(num_units, np.nan)
    return pd.DataFrame(
        {
            "unit_id": units["unit_id"].to_numpy(),
            "unit_type": units["unit_type"].to_numpy(),
            "num_calls": np.bincount(state.legs["unit"][done], minlength=num_units),
            "busy_s": busy_s,
            "on_duty_s": on_duty_s,
            "busy_fraction": fraction,
            "drive_s": state.units["drive_s"],
            "drive_km": km,
            "moves": state.units["moves"],
        }
    )

"""What a simulation found: by call and by unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.simulation.engine import NO_HOSPITAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.simulation.engine import Case, State


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What became of every call and every unit.

    Attributes
    ----------
    calls
        In the order of the calls that came in: call_id, call_class, unit_id (missing = nobody
        answered), dispatched_s, arrived_s, response_s (from the call to the arrival), queued (it
        waited for a unit), hospital (node, -1 = no transport), cleared_s. Times are NaN where
        nobody answered.
    units
        In the order of the fleet: unit_id, unit_type, num_calls, busy_s and on_duty_s within the
        span from the first call to the last, busy_fraction = busy_s / on_duty_s (above 1 when
        work goes on after duty, NaN without duty).
    """

    calls: pd.DataFrame
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
    order: NDArray[np.int64],
    calls: pd.DataFrame,
    units: pd.DataFrame,
) -> SimulationResult:
    """Turn the arrays of the loop into frames.

    Parameters
    ----------
    case, state
        The loop's arrays.
    order
        Row in `calls` of each call of the loop, shape (calls,).
    calls
        The calls as they came in: call_id, call_class.
    units
        unit_id, unit_type, one row per unit of the loop.

    Returns
    -------
    SimulationResult
    """
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    names = units["unit_id"].to_numpy(dtype=object)
    unit = state.unit[back]
    who = np.where(unit >= 0, names[np.maximum(unit, 0)], None)
    answered = pd.DataFrame(
        {
            "call_id": calls["call_id"].to_numpy(),
            "call_class": calls["call_class"].to_numpy(),
            "unit_id": who,
            "dispatched_s": state.dispatched[back],
            "arrived_s": state.arrived[back],
            "response_s": (state.arrived - case.call_at)[back],
            "queued": case.queue & ~(state.dispatched == case.call_at)[back],
            "hospital": np.where(unit >= 0, case.hospital[back], NO_HOSPITAL),
            "cleared_s": state.cleared[back],
        }
    )
    return SimulationResult(answered, _units(case, state, units))


def _units(case: Case, state: State, units: pd.DataFrame) -> pd.DataFrame:
    first, last = case.call_at[0], case.call_at[-1]
    num_units = case.home.size
    done = state.unit >= 0
    worked = np.clip(state.cleared, first, last) - np.clip(state.dispatched, first, last)
    busy_s = np.bincount(state.unit[done], weights=worked[done], minlength=num_units)
    duty = np.clip(case.spell_to, first, last) - np.clip(case.spell_from, first, last)
    on_duty_s = np.bincount(case.spell_unit, weights=duty, minlength=num_units)
    fraction = np.divide(busy_s, on_duty_s, out=np.full(num_units, np.nan), where=on_duty_s > 0)
    return pd.DataFrame(
        {
            "unit_id": units["unit_id"].to_numpy(),
            "unit_type": units["unit_type"].to_numpy(),
            "num_calls": np.bincount(state.unit[done], minlength=num_units),
            "busy_s": busy_s,
            "on_duty_s": on_duty_s,
            "busy_fraction": fraction,
        }
    )

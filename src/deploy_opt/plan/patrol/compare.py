"""Districts compared by what they need and how soon their units arrive, by one model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.plan.patrol.district_plan import need_positions
from deploy_opt.plan.patrol.need import district_states, patrol_need
from deploy_opt.plan.patrol.results import check_districts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules


def compare_districts(
    ground: PatrolGround,
    calls: PatrolCalls,
    rules: PatrolRules,
    groupings: Mapping[str, NDArray[np.int64]],
    units: NDArray[np.int64],
) -> pd.DataFrame:
    """Judge several ways to draw districts with the same units in each.

    Units stand where they serve their district's urgent calls best; queues are those of
    `priority_queue`, so nothing is simulated.

    Parameters
    ----------
    ground, calls, rules
        Places, calls and rules; the ground's own districts are not looked at.
    groupings
        By name: district of each area, shape (areas,), numbered as `ground.district_names`.
    units
        Units on duty in each district, shape (districts, hours).

    Returns
    -------
    pandas.DataFrame
        One row for each grouping: response_p1_s (mean over urgent calls), worst_response_p1_s (of
        a district and hour), within_target (share of urgent calls), utilisation_spread (largest
        less smallest district's over the plan), worst_utilisation (of a district and hour),
        unit_hours_needed. Responses are inf where calls of some district and hour wait without
        end.

    Raises
    ------
    InputError
        Units of another shape; a district without areas or posts.
    """
    shape = (len(ground.district_names), ground.num_hours)
    if units.shape != shape:
        raise InputError.of("units", f"shape {units.shape}", f"{shape}: districts x hours")
    rows = []
    for name, grouping in groupings.items():
        here = replace(ground, area_district=grouping)
        states = district_states(here, calls, rules)
        need = patrol_need(here, calls, rules, states=states)
        frame = check_districts(here, states, need, need_positions(here, states, units))
        urgent = here.by_district(calls.rates)[0].ravel()
        counted = urgent > 0
        response = frame["response_p1_s"].to_numpy()
        response = np.where(np.isnan(response), np.inf, response)
        load = np.stack([queue.call_load for queue in states.queues]).sum(axis=1)
        share = load / np.maximum(units.sum(axis=1), 1)
        rows.append(
            {
                "districts": name,
                "response_p1_s": _mean(response, urgent),
                "worst_response_p1_s": float(response[counted].max(initial=0.0)),
                "within_target": _mean(frame["response_p1_share"].to_numpy(), urgent),
                "utilisation_spread": float(share.max() - share.min()),
                "worst_utilisation": float(np.nanmax(frame["utilisation"].to_numpy())),
                "unit_hours_needed": int(need.units.sum()),
            }
        )
    return pd.DataFrame(rows)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    counted = weights > 0
    total = float(weights.sum())
    return float(values[counted] @ weights[counted]) / total if total > 0 else float("nan")

"""Several services in one simulation: the result of each by itself, and what it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.simulation.result import SimulationResult
from deploy_opt.simulation.statistics import measure

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from deploy_opt.simulation.groups import GroupWeights


@dataclass(frozen=True, slots=True)
class ServiceScore:
    """How the calls of a service are judged.

    Attributes
    ----------
    service
        Name of the service, as in the column ``service`` of the calls.
    unit_types
        Types of its units.
    standards_s
        Response standard, s: one, or by class.
    together
        A call is reached when all units that it asks for are there, not when the first is.
    """

    service: str
    unit_types: Collection[str]
    standards_s: float | Mapping[str, float]
    together: bool = False


def of_service(
    result: SimulationResult, calls: pd.DataFrame, score: ServiceScore
) -> tuple[SimulationResult, pd.DataFrame]:
    """Take the calls and units of a service out of a simulation of several.

    Parameters
    ----------
    result, calls
        The simulation and the calls it played, with the column service.
    score
        The service.

    Returns
    -------
    tuple
        Result and calls of the service alone. With `together`, response_s counts to the arrival
        of the last unit, and is missing while one is.
    """
    mine = (calls["service"] == score.service).to_numpy()
    own = calls[mine].reset_index(drop=True)
    answered = result.calls[mine].reset_index(drop=True)
    legs = result.legs[result.legs["call_id"].isin(set(own["call_id"]))]
    if score.together:
        whole = legs["arrived_s"].notna().groupby(legs["call_id"], sort=False).all()
        complete = answered["complete_s"].where(answered["call_id"].map(whole))
        answered = answered.assign(response_s=complete - own["at_s"])
    units = result.units[result.units["unit_type"].isin(score.unit_types)]
    return SimulationResult(answered, legs.reset_index(drop=True), units), own


def measure_services(
    result: SimulationResult,
    calls: pd.DataFrame,
    scores: Sequence[ServiceScore],
    *,
    warm_up_s: float = 0.0,
    groups: Mapping[str, GroupWeights] | None = None,
) -> pd.DataFrame:
    """Work out every statistic of one replication for each service.

    Parameters
    ----------
    result, calls
        The simulation and the calls it played, with the column service; services without a score
        (what officers start themselves) only keep units busy.
    scores
        How each service is judged.
    warm_up_s
        Calls of the first seconds after second 0 are not counted.
    groups
        Population groups by service, see `measure`.

    Returns
    -------
    pandas.DataFrame
        As `measure`, with the column service; a service without calls has no rows.
    """
    parts = []
    for score in scores:
        found, own = of_service(result, calls, score)
        counted = own["at_s"].to_numpy(dtype=np.float64) >= warm_up_s
        if not counted.any():
            continue
        found = SimulationResult(found.calls[counted], found.legs, found.units)
        table = measure(
            found,
            own[counted],
            standards_s=score.standards_s,
            groups=None if groups is None else groups.get(score.service),
        )
        parts.append(table.assign(service=score.service))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

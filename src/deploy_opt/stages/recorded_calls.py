"""Recorded incidents as the simulation plays them: unchanged in time, place and kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.geometry import local_metres
from deploy_opt.simulation.draws import ServiceLaws, draw_service, uniforms
from deploy_opt.stages.simulation_ground import rank_classes, times_of_records

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls
    from deploy_opt.stages.simulation_ground import SimulationGround

_TIMES = ["on_scene_s", "transport", "handover_s"]
_ALL = "all"


def recorded_calls(
    scenario: Scenario,
    calls: Calls,
    ground_stage: SimulationGround,
    start: dt.date | str,
    end: dt.date | str,
    *,
    luck: str | None = None,
) -> pd.DataFrame:
    """Make the recorded incidents of a period ready to be played again.

    Time, place and kind are those of the record. The place is the demand point nearest to it; an
    incident without coordinates takes a point of its area by share, chosen by its id. Times on
    scene, transport and time at hospital are the record's own; where it has none they are drawn
    from the ground's records or laws, by the incident's id, so that any plan meets the same.

    Parameters
    ----------
    scenario
        Its first service is replayed.
    calls
        Located incidents.
    ground_stage
        What plans are played on.
    start, end
        First moment, and the first moment after; a date is its local midnight.
    luck
        Name of a stream: all lengths are then drawn by it and none is the record's; other names
        give independent lengths.

    Returns
    -------
    pandas.DataFrame
        Calls as `simulate` takes them, by time: call_id and incident_id, received_at (local), at_s
        (elapsed since `start`, a change of the clock included), node, area (row of the areas axis)
        and area_id, call_class (as known at first) and final_class, priority and final_priority
        (numbers, the most urgent first), on_scene_s, transport, handover_s, processing_s,
        turnout_s, recorded (whether the lengths are the record's), snap_m (from the record's place
        to the point; NaN without coordinates), observed_response_s (from the call to the arrival;
        NaN where not recorded).

    Raises
    ------
    InputError
        When there is no such incident, or an id stands twice.
    """
    first, last = (moment(day, scenario.time_zone) for day in (start, end))
    own = _chosen(scenario, calls, ground_stage, first, last)
    ids = own["incident_id"].to_numpy(dtype=object)
    rank = {area_id: k for k, area_id in enumerate(ground_stage.area_ids)}
    area = own["area_id"].map(rank).to_numpy(dtype=np.int64)
    node, snap_m = _places(own, area, ids, ground_stage)
    seconds = _elapsed_s(own["received_at"], first)
    classes = _classes(own)
    frame = pd.DataFrame(
        {
            "call_id": ids,
            "incident_id": ids,
            "received_at": own["received_at"].dt.tz_convert(scenario.time_zone),
            "at_s": seconds,
            "node": node,
            "area": area,
            "area_id": own["area_id"].to_numpy(dtype=object),
            **classes,
            "processing_s": ground_stage.processing_s,
            "turnout_s": ground_stage.turnouts(ids, "replay"),
            "snap_m": snap_m,
            "observed_response_s": _between_s(own["received_at"], own["arrived_at"]),
        }
    )
    return _with_lengths(frame, own, ground_stage, luck)


def moment(day: dt.date | str, zone: str) -> pd.Timestamp:
    """Give the moment of a day's local midnight, or of a time that stands without a zone."""
    at = pd.Timestamp(day)
    return at.tz_localize(zone) if at.tzinfo is None else at.tz_convert(zone)


def hours_of_week(start: dt.date | str, num_hours: int, zone: str) -> NDArray[np.int64]:
    """Name the local hour of the week (Monday 00:00 = 0) of each elapsed hour from `start`.

    Where the clock changes an hour is left out, or comes twice.

    Examples
    --------
    >>> hours_of_week("2026-03-29", 4, "Europe/Berlin").tolist()
    [144, 145, 147, 148]
    """
    first = moment(start, zone)
    hours = pd.date_range(first, periods=num_hours, freq="h")
    return np.asarray(hours.dayofweek * 24 + hours.hour, dtype=np.int64)


def _chosen(
    scenario: Scenario,
    calls: Calls,
    stage: SimulationGround,
    first: pd.Timestamp,
    last: pd.Timestamp,
) -> pd.DataFrame:
    """Take the incidents of the first service in the period, by time."""
    service, frame = scenario.services[0], calls.incidents
    words = f"{service} incidents from {first:%Y-%m-%d} until {last:%Y-%m-%d}"
    if frame.empty:
        do = "name the CAD export under inputs.incidents"
        raise InputError.of("inputs.incidents", "no records", words, do)
    at = frame["received_at"]
    kept = (frame["service"] == service) & (at >= first) & (at < last)
    kept &= frame["area_id"].isin(stage.area_ids)
    if not kept.any():
        of_service = at[frame["service"] == service].dropna()
        found = "none"
        if len(of_service):
            local = of_service.dt.tz_convert(scenario.time_zone)
            found = f"none; records go from {local.min():%Y-%m-%d} to {local.max():%Y-%m-%d}"
        raise InputError.of("inputs.incidents", found, words, "choose other days")
    own = frame[kept].sort_values(["received_at", "incident_id"], kind="stable", ignore_index=True)
    twice = own.loc[own["incident_id"].duplicated(), "incident_id"]
    if len(twice):
        found = f"{twice.iloc[0]!r} and {len(twice)} others more than once"
        raise InputError.of("inputs.incidents: incident_id", found, "each incident once")
    return own


def _places(
    own: pd.DataFrame, area: NDArray[np.int64], ids: NDArray[np.object_], stage: SimulationGround
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the demand point of each incident, and how far away it is, m."""
    from scipy.spatial import KDTree

    points = stage.points
    node_of = points["node"].to_numpy(dtype=np.int64)
    node = np.empty(len(own), dtype=np.int64)
    snap_m = np.full(len(own), np.nan)
    lon, lat = (own[name].to_numpy(dtype=np.float64) for name in ("lon", "lat"))
    placed = np.isfinite(lon) & np.isfinite(lat)
    if placed.any():
        here = local_metres(lon[placed], lat[placed], stage.origin)
        snap_m[placed], row = KDTree(stage.node_xy[node_of]).query(here)
        node[placed] = node_of[row]
    chance = uniforms(stage.seed, "replay/point", ids)
    for number in np.unique(area[~placed]):
        mine = points[points["area"] == number]
        ends = np.cumsum(mine["share"].to_numpy(dtype=np.float64))
        rows = ~placed & (area == number)
        pick = np.searchsorted(ends, chance[rows] * ends[-1], "right")
        node[rows] = mine["node"].to_numpy(dtype=np.int64)[np.minimum(pick, len(mine) - 1)]
    return node, snap_m


def _classes(own: pd.DataFrame) -> dict[str, object]:
    """Name the class as first known and as it turned out, with their ranks."""
    final = own["priority"].astype(object)
    final = final.where(final.notna(), "none").astype(str)
    initial = own["initial_priority"].astype(object)
    initial = initial.where(initial.notna(), final).astype(str)
    known = pd.concat([initial, final])
    return {
        "call_class": initial.to_numpy(),
        "final_class": final.to_numpy(),
        "priority": rank_classes(initial, known),
        "final_priority": rank_classes(final, known),
    }


def _with_lengths(
    frame: pd.DataFrame, own: pd.DataFrame, stage: SimulationGround, luck: str | None
) -> pd.DataFrame:
    """Add how long each call takes: its record's times, else drawn by its id."""
    drawn = _drawn(frame, stage, "shared" if luck is None else luck)
    recorded = np.zeros(len(frame), dtype=np.bool_)
    if luck is None:
        found, _ = times_of_records(own, stage.before_s, bool(stage.hospitals.size))
        rows = found.index.to_numpy(dtype=np.int64)
        recorded[rows] = True
        for name in _TIMES:
            drawn[name][rows] = found[name].to_numpy()
    return frame.assign(**drawn, recorded=recorded)


def _drawn(
    frame: pd.DataFrame, stage: SimulationGround, luck: str
) -> dict[str, NDArray[np.generic]]:
    if isinstance(stage.service, ServiceLaws):
        laws = {_ALL: stage.service}
        bare = frame[["call_id"]].assign(call_class=_ALL)
        seed = int(uniforms(stage.seed, f"replay/{luck}", ["laws"])[0] * 2**31)
        made = draw_service(bare, laws, seed=seed)
        return {name: made[name].to_numpy(copy=True) for name in _TIMES}
    chance = uniforms(stage.seed, f"replay/record/{luck}", frame["call_id"].to_numpy())
    area = frame["area"].to_numpy(dtype=np.int64)
    rows = stage.service.frame.iloc[stage.service.rows_for(area, chance)]
    return {name: rows[name].to_numpy(copy=True) for name in _TIMES}


def _elapsed_s(at: pd.Series, first: pd.Timestamp) -> NDArray[np.float64]:
    return np.asarray((at - first).dt.total_seconds(), dtype=np.float64)


def _between_s(start: pd.Series, end: pd.Series) -> NDArray[np.float64]:
    """Seconds from one time to the other; NaN where one is missing or the second comes first."""
    seconds = (end - start).dt.total_seconds().to_numpy(dtype=np.float64)
    return np.where(seconds >= 0, seconds, np.nan)

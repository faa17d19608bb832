"""How long police and team calls commit units, and what officers start themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.simulation.draws import Law
from deploy_opt.stages.simulation_ground import ServiceRecords, times_of_records
from deploy_opt.units import MINUTES_PER_HOUR, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules
    from deploy_opt.service_settings import CoResponders
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls, Ground

_FEWEST_RECORDS, _FEWEST_OF_OWN = 100, 20
_USUAL_OWN_S = 20 * SECONDS_PER_MINUTE
MOST_UNITS = 8
"""Most units of a call; records with more count as this many."""


@dataclass(frozen=True, slots=True)
class OwnWork:
    """Work that officers start themselves.

    Attributes
    ----------
    starts
        Expected starts per hour, shape (areas, hours).
    length
        How long one lasts.
    """

    starts: NDArray[np.float64]
    length: Law


@dataclass(frozen=True, slots=True)
class TeamLengths:
    """How long a call commits a team, and the patrol beside it, after arrival, s."""

    law: Law
    patrol_s: float


def police_records(
    scenario: Scenario, calls: Calls, ground: PatrolGround, before_s: float
) -> tuple[ServiceRecords, str]:
    """Take police calls that others asked for, with their units; without a priority the last."""
    frame = calls.incidents
    own = frame[frame["service"] == "police"]
    started = own["self_initiated"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    own = own[~started]
    own = by_priority_number(own)
    found, words = times_of_records(own, before_s, hospitals=False)
    if len(found) < _FEWEST_RECORDS:
        expected = "at least 100 with dispatch or arrival and clear times"
        raise InputError.of("inputs.incidents: police", f"{len(found)} such records", expected)
    simulation = scenario.simulation
    asked = None if simulation is None else simulation.units_per_call.get("police")
    units = own["num_units"].reindex(found.index).fillna(1).clip(1, MOST_UNITS).astype(int)
    if asked is not None:
        known = sorted(set(found["call_class"]))
        faults = FaultList()
        for name in sorted(set(asked) - set(known)):
            where = "simulation.units_per_call.police"
            faults.add(where, f"class {name!r}", ", ".join(known), nearest(name, known))
        faults.raise_if_any()
        units = found["call_class"].map(lambda name: asked.get(name, 1)).astype(int)
    words = words.replace("the nearest staffed post", "the nearest place of the district")
    rank = {area_id: k for k, area_id in enumerate(ground.area_ids)}
    area = found["area_id"].map(rank).fillna(len(rank)).astype(np.int64)
    found = found.assign(area=area, num_units=units)
    found = found.sort_values("area", kind="stable", ignore_index=True)
    ends = np.searchsorted(found["area"].to_numpy(), np.arange(len(rank) + 1))
    sent = f"{units.mean():.2f} patrols a call, as {'asked' if asked is not None else 'recorded'}"
    return ServiceRecords(found, ends), f"Patrols: {words[0].lower()}{words[1:]} {sent}."


def by_priority_number(police: pd.DataFrame) -> pd.DataFrame:
    """Write priorities as numbers; without one a call has the last, without a first its own."""
    number = pd.to_numeric(police["priority"], errors="coerce")
    first = pd.to_numeric(police["initial_priority"], errors="coerce")
    number = number.fillna(number.max())
    return police.assign(
        priority=number.map("{:g}".format), initial_priority=first.fillna(number).map("{:g}".format)
    )


def own_work(
    calls: Calls,
    ground: PatrolGround,
    known: PatrolCalls,
    rules: PatrolRules,
    city: CityPlan,
) -> tuple[OwnWork | None, tuple[str, ...]]:
    """Say how often officers start work themselves, and how long it lasts."""
    frame = calls.incidents
    started = frame["self_initiated"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    own = frame[started & (frame["service"] == "police").to_numpy()]
    spent = (own["cleared_at"] - own["dispatched_at"]).dt.total_seconds()
    spent = spent[(spent > 0) & (spent <= 6 * SECONDS_PER_HOUR)]
    mean_s = float(spent.mean()) if len(spent) >= _FEWEST_OF_OWN else _USUAL_OWN_S
    if rules.officer_min_per_h is not None:
        rows = city.district_hours
        share = rules.officer_min_per_h / MINUTES_PER_HOUR
        units = rows.pivot_table(index="district", columns="hour", values="units", sort=False)
        units = units.reindex(index=list(ground.district_names), columns=ground.hours)
        of_district = share * units.to_numpy(dtype=np.float64)
        members = np.bincount(ground.area_district, minlength=len(of_district))
        load = of_district[ground.area_district] / members[ground.area_district][:, None]
        source = f"{rules.officer_min_per_h:g} min of each hour on duty"
    elif known.initiated_h is not None and known.initiated_h.any():
        load, source = known.initiated_h, "as recorded"
    else:
        return None, ("No work that officers start themselves is known; none is played.",)
    starts = load * SECONDS_PER_HOUR / mean_s
    words = (
        f"Officers' own work: {load.sum() / ground.num_hours:.2f} units busy on average ({source}),"
        f" {mean_s / SECONDS_PER_MINUTE:.0f} min each."
    )
    return OwnWork(np.asarray(starts), Law("exponential", mean_s)), (words,)


def team_lengths(
    scenario: Scenario, calls: Calls, ground: Ground, teams: CoResponders, patrol_drive_s: float
) -> tuple[TeamLengths, tuple[str, ...]]:
    """Say how long a call commits a team and the patrol beside it, drives left out."""
    standard = scenario.standards["coresponse"]
    nearest = ground.times.seconds.min(axis=0)
    known = np.isfinite(nearest)
    share = ground.times.destinations["share"].to_numpy(dtype=float)
    before_s = standard.turnout_s + float(np.average(nearest[known], weights=share[known]))
    section = scenario.service_times.get("coresponse")
    if section is not None and section.busy_min is not None:
        scene_s = max(SECONDS_PER_MINUTE * section.busy_min - before_s, 0.0)
        law, words = Law("exponential", scene_s), "exponential with the scenario's mean"
    else:
        frame = calls.incidents
        found, _ = times_of_records(frame[frame["service"] == "coresponse"], before_s, False)
        if len(found) < _FEWEST_RECORDS:
            expected = "busy_min, or 100 records with dispatch and clear times"
            raise InputError.of("service_times.coresponse", f"{len(found)} records", expected)
        law = Law("recorded", values_s=tuple(found["on_scene_s"].tolist()))
        words = f"those of {len(found):,} records"
    patrol_s = max(SECONDS_PER_MINUTE * teams.patrol_min - patrol_drive_s, 0.0)
    said = (
        f"Teams: times on scene are {words}. A patrol is sent once a team is on its way, the work "
        f"begins when both are there, and the patrol stays {patrol_s / SECONDS_PER_MINUTE:.0f} min."
    )
    return TeamLengths(law, patrol_s), (said,)


def mean_patrol_drive_s(ground: PatrolGround, calls: PatrolCalls) -> float:
    """Mean drive of the nearest place of the own district, over the calls, s."""
    own = ground.area_district[ground.post_area][:, None]
    theirs = ground.area_district[ground.point_area]
    nearest = np.where(own == theirs, ground.by_profile[0], np.inf).min(axis=0)
    of_area = calls.rates.sum(axis=(0, 2))
    weight = of_area[ground.point_area] * ground.point_share
    return float(np.average(nearest, weights=weight)) if weight.sum() > 0 else float(nearest.mean())

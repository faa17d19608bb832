"""Today's patrols and teams: read where rosters name them, and set where they wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.rosters import has_units, read_roster
from deploy_opt.plan.patrol.district_plan import need_positions
from deploy_opt.plan.patrol.need import district_states
from deploy_opt.service_settings import CoResponders, Patrol

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules
    from deploy_opt.settings import Scenario

COLUMNS = ["service", "unit_type", "district", "hour", "post_id", "units"]


@dataclass(frozen=True, slots=True, eq=False)
class ServicesToday:
    """Today's patrols and teams beside the plan's.

    Attributes
    ----------
    units
        service, unit_type, district, hour (of the week), post_id, units, as `CityPlan.units`.
        A service whose units today are not known has the plan's.
    services
        Services whose units today are known.
    notes
        What a reader must know.
    """

    units: pd.DataFrame
    services: tuple[str, ...]
    notes: tuple[str, ...]


def patrols_today(scenario: Scenario, districts: tuple[str, ...]) -> NDArray[np.int64] | None:
    """Read today's patrol units by district and hour, where a roster of them is given.

    Parameters
    ----------
    scenario
        With patrol.today, or patrols in baseline.roster.
    districts
        Names of the districts; row order.

    Returns
    -------
    numpy.ndarray or None
        Units, shape (districts, hours); None where no roster names any.
    """
    section, baseline = scenario.patrol or Patrol(), scenario.baseline
    file = section.today
    if file is None and baseline is not None and baseline.roster is not None:
        if not has_units(scenario.path(baseline.roster), section.unit_type):
            return None
        file = baseline.roster
    if file is None:
        return None
    units = read_roster(
        scenario.path(file),
        districts,
        unit_type=section.unit_type,
        start=scenario.horizon.start,
        hours=scenario.horizon.hours,
        crew_size=section.crew_size,
        place="district",
    )
    return np.ascontiguousarray(units.T)


def teams_today(scenario: Scenario, post_ids: list[str]) -> NDArray[np.int64] | None:
    """Read today's co-responder teams by hour and post, where a roster of today names any.

    Returns
    -------
    numpy.ndarray or None
        Units, shape (hours, posts); None where neither baseline nor fleet.today has rows of
        coresponders.unit_type.
    """
    section = scenario.coresponders or CoResponders()
    file = _roster_with(scenario, section.unit_type)
    if file is None:
        return None
    return read_roster(
        file,
        post_ids,
        unit_type=section.unit_type,
        start=scenario.horizon.start,
        hours=scenario.horizon.hours,
        crew_size=section.people,
    )


def services_today(
    scenario: Scenario,
    planned: pd.DataFrame,
    post_ids: list[str],
    ground: PatrolGround,
    calls: PatrolCalls,
    rules: PatrolRules,
) -> ServicesToday | None:
    """Set today's patrols and teams beside a plan of all services.

    Parameters
    ----------
    scenario
        The scenario.
    planned
        `CityPlan.units`.
    post_ids
        Posts of the teams; row order of the posts.
    ground, calls, rules
        Of the patrols: today's wait in the order that serves urgent calls of their district best
        (`need_positions`), as a roster by district does not say where.

    Returns
    -------
    ServicesToday or None
        None where neither patrols nor teams are known today.
    """
    parts: dict[str, pd.DataFrame] = {}
    patrols = patrols_today(scenario, ground.district_names)
    if patrols is not None and patrols.any():
        parts["police"] = patrol_rows(scenario, patrols, ground, calls, rules)
    if "coresponse" in scenario.services:
        teams = teams_today(scenario, post_ids)
        if teams is not None and teams.any():
            kind = (scenario.coresponders or CoResponders()).unit_type
            parts["coresponse"] = _rows(
                teams, np.asarray(post_ids, dtype=object), ground.hours
            ).assign(service="coresponse", unit_type=kind, district="")
    if not parts:
        return None
    rest = planned[~planned["service"].isin(["ems", *parts])]
    units = pd.concat([*parts.values(), rest], ignore_index=True)[COLUMNS]
    return ServicesToday(units, tuple(parts), _words(tuple(parts), set(rest["service"])))


def patrol_rows(
    scenario: Scenario,
    patrols: NDArray[np.int64],
    ground: PatrolGround,
    calls: PatrolCalls,
    rules: PatrolRules,
) -> pd.DataFrame:
    """Set patrols of districts where they wait, in the order that serves urgent calls best.

    Parameters
    ----------
    scenario
        Names the unit type.
    patrols
        Units, shape (districts, hours of the plan).
    ground, calls, rules
        Districts, their drives, calls and queues.

    Returns
    -------
    pandas.DataFrame
        service, unit_type, district, hour, post_id (the area), units.
    """
    positions = need_positions(ground, district_states(ground, calls, rules), patrols)
    areas = np.asarray(ground.area_ids, dtype=object)
    rows = [
        _rows(of, areas[ground.post_area[ground.posts_of(k)]], ground.hours).assign(
            service="police",
            unit_type=(scenario.patrol or Patrol()).unit_type,
            district=ground.district_names[k],
        )
        for k, of in enumerate(positions)
    ]
    return pd.concat(rows, ignore_index=True)


def _rows(
    units: NDArray[np.int64], places: NDArray[np.object_], hours: NDArray[np.int64]
) -> pd.DataFrame:
    hour, place = np.nonzero(units)
    return pd.DataFrame(
        {"hour": hours[hour], "post_id": places[place], "units": units[hour, place]}
    )


def _words(known: tuple[str, ...], planned: set[str]) -> tuple[str, ...]:
    words = []
    if "police" in known:
        words.append(
            "Today's patrols wait where they serve urgent calls of their district best, as the "
            "roster names districts only; officers start as much work themselves as in the plan."
        )
    if "coresponse" in planned:
        words.append("Today's teams are not in the scenario: the plan's work beside the patrols "
                     "of both, and are not compared.")  # fmt: skip
    if "police" in planned:
        words.append("Today's patrols are not in the scenario: the plan's work beside the teams "
                     "of both, and are not compared.")  # fmt: skip
    return tuple(words)


def _roster_with(scenario: Scenario, unit_type: str) -> Path | None:
    """Name the first roster of today that has units of a type."""
    baseline = scenario.baseline
    named = [] if baseline is None else [baseline.roster, baseline.plan]
    for file in (*named, scenario.fleet.today):
        if file is not None and has_units(scenario.path(file), unit_type):
            return scenario.path(file)
    return None

"""What a pilot replays: incidents on either side of a day, fleets by the clock, districts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.district_files import read_districts
from deploy_opt.simulation.calibrate import MEAN_WITHIN, P90_WITHIN, compare
from deploy_opt.simulation.pilot import DecisionRule
from deploy_opt.stages.recorded_calls import hours_of_week, moment
from deploy_opt.stages.simulation_fleet import vehicles_of
from deploy_opt.stages.simulation_ground import AFTER_H, WARM_UP_H
from deploy_opt.store import fingerprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls
    from deploy_opt.stages.simulation_ground import SimulationGround

DAYS_PER_WEEK = 7
FEWEST_RESPONSES = 30


@dataclass(frozen=True, slots=True)
class Window:
    """The weeks that a pilot replays.

    Attributes
    ----------
    start
        First local day; nothing from it on is learnt from.
    num_weeks
        Whole weeks.
    zone
        Time zone.
    """

    start: dt.date
    num_weeks: int
    zone: str

    @property
    def end(self) -> dt.date:
        """First local day after the weeks."""
        return self.start + dt.timedelta(days=DAYS_PER_WEEK * self.num_weeks)

    @property
    def first_hour_at(self) -> pd.Timestamp:
        """When the warm-up begins: that many hours before the first day."""
        return moment(self.start, self.zone) - pd.Timedelta(hours=WARM_UP_H)

    @property
    def num_hours(self) -> int:
        """Hours played, with the warm-up and those in which the last calls end."""
        return WARM_UP_H + 24 * DAYS_PER_WEEK * self.num_weeks + AFTER_H


def choose_window(
    scenario: Scenario, calls: Calls, start: dt.date | None, num_weeks: int | None
) -> Window:
    """Choose the weeks: asked for, else the scenario's, else the last whole ones of the records.

    Raises
    ------
    InputError
        Records too few to learn from before the first day or to replay after it; a plan of a week
        that does not start on a Monday.
    """
    section = scenario.pilot
    weeks = section.weeks if num_weeks is None else num_weeks
    frame = calls.incidents
    service = scenario.services[0]
    at = pd.Series(dtype="datetime64[ns, UTC]") if frame.empty else frame["received_at"]
    own = at if frame.empty else at[frame["service"] == service].dropna()
    if own.empty:
        expected = f"{service} incidents with times: before the first day to learn, after to replay"
        raise InputError.of("inputs.incidents", "none", expected)
    local = own.dt.tz_convert(scenario.time_zone)
    first, after = local.min().date(), local.max().date() + dt.timedelta(days=1)
    chosen = start or section.start or _latest(after, weeks, scenario.horizon.hours)
    window = Window(chosen, weeks, scenario.time_zone)
    found = f"records from {first} to {after - dt.timedelta(days=1)}"
    if window.end > after:
        whole = max((after - chosen).days // DAYS_PER_WEEK, 0)
        expected = f"{weeks} whole weeks from {chosen}"
        do = f"ask for {whole} weeks or start earlier" if whole > 1 else "start earlier"
        raise InputError.of("pilot.start, pilot.weeks", found, expected, do)
    if (chosen - first).days < DAYS_PER_WEEK:
        expected = f"at least a week of records before {chosen} to learn from"
        raise InputError.of("pilot.start", found, expected, "start later, or replay fewer weeks")
    if scenario.horizon.hours > 24 and chosen.weekday() != 0:
        monday = chosen - dt.timedelta(days=chosen.weekday())
        expected = f"a Monday, as the plan is a week; the nearest before is {monday}"
        raise InputError.of("pilot.start", f"{chosen:%A %Y-%m-%d}", expected)
    return window


def _latest(after: dt.date, weeks: int, hours: int) -> dt.date:
    """Latest first day, a Monday for a plan of a week, that leaves whole weeks of records."""
    day = after - dt.timedelta(days=DAYS_PER_WEEK * weeks)
    return day - dt.timedelta(days=day.weekday()) if hours > 24 else day


def split_calls(calls: Calls, day: dt.date, zone: str) -> tuple[Calls, Calls]:
    """Part the records into those before a local day and those from it on."""
    if calls.incidents.empty:
        return calls, calls
    early = calls.incidents["received_at"] < moment(day, zone)
    late = calls.incidents["received_at"] >= moment(day, zone)
    return tuple(  # type: ignore[return-value]
        replace(calls, incidents=calls.incidents[rows].reset_index(drop=True))
        for rows in (early, late)
    )


def fleet_by_the_clock(
    scenario: Scenario, units: NDArray[np.int64], stage: SimulationGround, window: Window
) -> pd.DataFrame:
    """Make the vehicles of a plan for all hours played, each by its local hour of the week.

    Parameters
    ----------
    scenario
        Says which hours the plan has.
    units
        Units on duty, shape (hours, posts).
    stage
        What is played on.
    window
        The weeks.

    Returns
    -------
    pandas.DataFrame
        Fleet as `simulate` takes it; second 0 is the first hour of the warm-up.
    """
    hours = hours_of_week(window.first_hour_at.isoformat(), window.num_hours, window.zone)
    of_plan = (hours - scenario.horizon.first_hour) % len(units)
    return vehicles_of(
        units[of_plan],
        stage.times_s[0, : stage.num_posts, : stage.num_posts],
        unit_type=scenario.fleet.unit_type,
        first_hour=0,
        num_hours=window.num_hours,
    )


def fleet_in_two_parts(
    scenario: Scenario,
    units: NDArray[np.int64],
    stage: SimulationGround,
    window: Window,
    inside: NDArray[np.bool_],
) -> pd.DataFrame:
    """Make the vehicles of the posts outside a pilot's districts, then of those inside.

    Between two hours no vehicle moves over the border, so that those outside are the same whatever
    stands inside. Arguments as `fleet_by_the_clock`; `inside`, shape (posts,), says which posts
    lie in the districts. With every post inside there is one part.
    """
    if inside.all():
        return fleet_by_the_clock(scenario, units, stage, window)
    parts = []
    for own, suffix in ((~inside, ""), (inside, " in the pilot")):
        there = np.where(own, units, 0)
        if there.any():
            fleet = fleet_by_the_clock(scenario, there, stage, window)
            parts.append(fleet.assign(unit_id=fleet["unit_id"] + suffix))
    return pd.concat(parts, ignore_index=True)


def hours_by_the_clock(
    scenario: Scenario, plan: NDArray[np.int64], today: NDArray[np.int64], window: Window
) -> float:
    """Count the unit-hours in which two plans of equal weeks differ because the clock changes.

    Where an hour is left out or comes twice in the weeks, a plan with more units in it loses or
    gains more. `plan` and `today` are units on duty, shape (hours, posts); 0 without a change.
    """
    num_hours = 24 * DAYS_PER_WEEK * window.num_weeks
    hours = hours_of_week(window.start, num_hours, window.zone)
    of_plan = (hours - scenario.horizon.first_hour) % len(plan)
    more = np.bincount(of_plan, minlength=len(plan)) - num_hours / len(plan)
    return float(abs(more @ (plan.sum(axis=1) - today.sum(axis=1))))


def periods_by_the_clock(
    stage: SimulationGround, scenario: Scenario, window: Window
) -> NDArray[np.int64]:
    """Give the speed profile of every hour played."""
    hours = hours_of_week(window.first_hour_at.isoformat(), window.num_hours, window.zone)
    of_stage = (hours - scenario.horizon.first_hour + WARM_UP_H) % len(stage.period_of_hour)
    return np.asarray(stage.period_of_hour[of_stage], dtype=np.int64)


def districts_of(scenario: Scenario, areas: Areas) -> dict[str, str]:
    """Name the district of each area; empty where the scenario has no districts."""
    file, column = scenario.pilot.districts, None
    if file is None and scenario.districts is not None:
        file, column = scenario.districts.today, scenario.districts.today_column
    if file is None:
        if scenario.pilot.tried_in:
            expected = "pilot.districts or districts.today, as pilot.tried_in names districts"
            raise InputError.of("pilot.districts", "nothing", expected)
        return {}
    drawn = read_districts(scenario.path(file), areas, name_column=column)
    strange = [name for name in scenario.pilot.tried_in if name not in drawn.names]
    if strange:
        raise InputError.of("pilot.tried_in", ", ".join(strange), ", ".join(drawn.names))
    ids = areas.frame["area_id"].astype(str)
    return {
        area_id: drawn.names[number]
        for area_id, number in zip(ids, drawn.district_of.tolist(), strict=True)
        if number >= 0
    }


def agreement(recorded_s: NDArray[np.float64], simulated_s: NDArray[np.float64]) -> dict[str, Any]:
    """Compare the simulated baseline with the recorded response of the same incidents.

    Parameters
    ----------
    recorded_s, simulated_s
        Response by incident, s; NaN where unknown. Shape (incidents,).

    Returns
    -------
    dict
        n, recorded and simulated mean and 90th percentile (s), their differences as shares, and
        believed: the mean within 5 % and the 90th percentile within 10 %; None with fewer than 30
        recorded responses.
    """
    both = np.isfinite(recorded_s) & np.isfinite(simulated_s)
    if both.sum() < FEWEST_RESPONSES:
        return {"n": int(both.sum()), "believed": None}
    found = compare(recorded_s, simulated_s)
    mean_off, p90_off = found.pop("mean_error"), found.pop("p90_error")
    return {
        "n": int(both.sum()),
        **found,
        "mean_off": mean_off,
        "p90_off": p90_off,
        "believed": abs(mean_off) <= MEAN_WITHIN and abs(p90_off) <= P90_WITHIN,
    }


def rule_of(scenario: Scenario) -> tuple[DecisionRule, str]:
    """Take the rule of the scenario's section, and a digest of the section."""
    section = scenario.pilot
    rule = DecisionRule(section.primary, section.guard, section.margin, section.fewest_calls)
    return rule, fingerprint(section.model_dump(mode="json"))[:16]

"""Published shifts of one run against the units that another run asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.local_times import wall_times
from deploy_opt.plan.rosters.replan import replan_week
from deploy_opt.report.schedule_files import read_schedule
from deploy_opt.report.shift_tables import LOCAL_FORMAT
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.plan.rosters.replan import Replan, ReplanCosts, ReplanRules


def replan_runs(
    published: Path,
    needed: Path,
    *,
    costs: ReplanCosts | None = None,
    rules: ReplanRules | None = None,
) -> Replan:
    """Keep the shifts of a published run and meet the units that a new run asks for.

    Shifts that began before the horizon stand as published.

    Parameters
    ----------
    published
        Folder of the run whose shifts were published.
    needed
        Folder of a run on this week's forecast: its units on duty are the need.
    costs, rules
        See `replan_week`.

    Raises
    ------
    InputError
        Folders that are no runs, or runs of another length, unit type or weekday.
    """
    old, new = read_schedule(published), read_schedule(needed)
    same = (
        len(old.units) == len(new.units)
        and old.words.unit_type == new.words.unit_type
        and old.start.weekday() == new.start.weekday()
    )
    if not same:
        found = f"{len(new.units)} h of {new.words.unit_type} from {new.start}"
        expected = f"{len(old.units)} h of {old.words.unit_type} from the same weekday"
        raise InputError.of(str(needed), found, f"{expected} as {published}")
    hours = len(old.units)
    shifts = shifts_in_hours(old.crews, old.start, hours)
    before = shifts["start"] < 0
    need = new.units.sum(axis=1) - _on_duty(shifts[before], hours)
    return replan_week(shifts[~before], np.maximum(need, 0), costs=costs, rules=rules)


def replan_table(found: Replan, start: dt.date, time_zone: str) -> pd.DataFrame:
    """Date the actions: action, start_local, end_local (with overtime), crews, cost."""
    actions = found.actions
    begin = actions["start"] - actions["before_h"]
    end = actions["start"] + actions["length_h"] + actions["after_h"]
    return pd.DataFrame(
        {
            "action": actions["action"],
            "start_local": wall_times(start, begin, time_zone).strftime(LOCAL_FORMAT),
            "end_local": wall_times(start, end, time_zone).strftime(LOCAL_FORMAT),
            "before_h": actions["before_h"],
            "after_h": actions["after_h"],
            "crews": actions["crews"],
            "cost": actions["cost"],
        }
    )


def shifts_in_hours(crews: pd.DataFrame, start: dt.date, hours: int) -> pd.DataFrame:
    """Put a plan's crews on the hours of its horizon: start, length_h, crews.

    Shifts that began before the first hour have a start below 0; a week's last shifts stand a
    second time there, as those of the week before.
    """
    first = start.weekday() * HOURS_PER_DAY
    table = crews.assign(start=(crews["start_hour"] - first) % HOURS_PER_WEEK)
    early = table.assign(start=table["start"] - HOURS_PER_WEEK)
    both = pd.concat([early[early["start"] + early["length_h"] > 0], table[table["start"] < hours]])
    return both[["start", "length_h", "crews"]].sort_values(
        ["start", "length_h"], ignore_index=True
    )


def _on_duty(shifts: pd.DataFrame, hours: int) -> NDArray[np.float64]:
    result = np.zeros(hours)
    for start, length, crews in shifts.itertuples(index=False):
        result[max(start, 0) : max(start + length, 0)] += crews
    return result

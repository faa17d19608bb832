"""Published shifts of one run against the units that another run asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.rosters.local_times import wall_times
from deploy_opt.plan.rosters.replan import replan_groups
from deploy_opt.report.run_schedule import read_schedule
from deploy_opt.report.shift_tables import LOCAL_FORMAT
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.plan.rosters.replan import Replan, ReplanCosts, ReplanRules
    from deploy_opt.report.crew_groups import CrewGroup
    from deploy_opt.report.run_schedule import RunSchedule


def replan_runs(
    published: Path,
    needed: Path,
    *,
    costs: ReplanCosts | None = None,
    rules: ReplanRules | None = None,
) -> Replan:
    """Keep the shifts of a published run and meet the units that a new run asks for.

    Every unit type, and every patrol district, keeps its own crews; limits on drops and call-ins
    hold for all together. Shifts that began before the horizon stand as published. A group that
    one of the runs lacks has no crews there, or no need.

    Parameters
    ----------
    published
        Folder of the run whose shifts were published.
    needed
        Folder of a run on this week's forecast: its units on duty are the need.
    costs, rules
        See `replan_groups`.

    Returns
    -------
    Replan
        Its groups are unit types, or unit type and district.

    Raises
    ------
    InputError
        Folders that are no runs, or runs of another length, unit type or weekday.
    """
    old, new = read_schedule(published), read_schedule(needed)
    _check_alike(old, new, published, needed)
    hours = len(old.groups[0].units)
    before, after = ({group.key: group for group in run.groups} for run in (old, new))
    crews, need = {}, {}
    for key in dict.fromkeys([*before, *after]):
        name = " ".join(part for part in key if part)
        shifts = shifts_in_hours(_crews(before.get(key)), old.start, hours)
        early = shifts["start"] < 0
        wanted = after[key].units.sum(axis=1) if key in after else np.zeros(hours)
        crews[name] = shifts[~early]
        need[name] = np.maximum(wanted - _on_duty(shifts[early], hours), 0)
    return replan_groups(crews, need, costs=costs, rules=rules)


def _check_alike(old: RunSchedule, new: RunSchedule, published: Path, needed: Path) -> None:
    faults = FaultList()
    said = [
        f"{len(run.groups[0].units)} h of {run.groups[0].unit_type} from a {run.start:%A}"
        for run in (old, new)
    ]
    if said[0] != said[1]:
        faults.add(str(needed), said[1], f"{said[0]}, as in {published}")
    faults.raise_if_any()


def _crews(group: CrewGroup | None) -> pd.DataFrame:
    if group is None:
        return pd.DataFrame({"start_hour": [], "length_h": [], "crews": []}, dtype=np.int64)
    return group.crews


def replan_table(found: Replan, start: dt.date, time_zone: str) -> pd.DataFrame:
    """Date the actions: unit, action, start_local, end_local (with overtime), crews, cost.

    The unit is its type, and the district of patrols after it.
    """
    actions = found.actions
    begin = actions["start"] - actions["before_h"]
    end = actions["start"] + actions["length_h"] + actions["after_h"]
    return pd.DataFrame(
        {
            "unit": actions["group"],
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
    of_day = crews.loc[crews.index.repeat(crews["days"])] if "days" in crews else crews
    nth = of_day.groupby(level=0).cumcount() * HOURS_PER_DAY
    table = of_day.assign(start=(of_day["start_hour"] + nth - first) % HOURS_PER_WEEK)
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

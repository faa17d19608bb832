"""Shifts of several services and unit types in one canonical table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.report.shift_tables import SHIFT_COLUMNS, ShiftWords, shifts_of_plan

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from deploy_opt.plan.rosters.roll_out import Days


def shifts_of_services(  # noqa: PLR0913 - the road's facts, one each
    units: pd.DataFrame,
    crews: pd.DataFrame,
    names: Mapping[str, str],
    words: Mapping[str, ShiftWords],
    *,
    hours: int,
    start: dt.date,
    time_zone: str,
    weeks: int = 1,
    days: Days | None = None,
) -> pd.DataFrame:
    """Write the shifts of a plan of all services (contract ``shifts.csv``).

    Crews of a unit type, and of a district where the plan has districts, are placed by
    themselves: a patrol crew stays in its district, which is the area of its shifts.

    Parameters
    ----------
    units
        unit_type, district, hour (of the plan, from its first), post_id, units: where units
        wait, as in `CityPlan.units`; an empty or missing district: none.
    crews
        unit_type, district, start_hour (of the week), length_h, crews.
    names
        Post -> name; a post without one goes by its id.
    words
        Unit type -> people, breaks, plan id; a type without: a crew of one.
    hours
        Length of the plan, h.
    start
        First local day.
    time_zone
        IANA zone.
    weeks, days
        See `shifts_of_plan`.

    Returns
    -------
    pandas.DataFrame
        Columns of `shift_tables.SHIFT_COLUMNS`, by start, then crew, then stretch.

    Raises
    ------
    InputError
        Crews that do not add up to the units on duty, wrong weeks or start.
    """
    keys = ["unit_type", "district"]
    placed, staffed = (
        frame.assign(district=frame["district"].fillna("").astype(str)) for frame in (units, crews)
    )
    parts = []
    for (unit_type, district), rows in placed.groupby(keys, sort=True):
        mine = staffed[(staffed["unit_type"] == unit_type) & (staffed["district"] == district)]
        post, post_ids = pd.factorize(rows["post_id"].astype(str), sort=True)
        on_duty = np.zeros((hours, len(post_ids)), dtype=np.int64)
        np.add.at(on_duty, (rows["hour"].to_numpy(), post), rows["units"].to_numpy())
        posts = pd.DataFrame({"post_id": post_ids, "name": [names.get(p, p) for p in post_ids]})
        of_type = words.get(str(unit_type), ShiftWords(str(unit_type), {str(unit_type): 1}))
        if district:
            of_type = replace(
                of_type,
                area_of_post=dict.fromkeys(post_ids, district),
                label=f"{unit_type}-{district}",
            )
        parts.append(
            shifts_of_plan(
                on_duty, mine.reset_index(drop=True), posts, of_type,
                start=start, time_zone=time_zone, weeks=weeks, days=days,
            )
        )  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=list(SHIFT_COLUMNS))
    joined = pd.concat(parts, ignore_index=True)
    return joined.sort_values(["start_local", "crew", "leg"], kind="stable", ignore_index=True)

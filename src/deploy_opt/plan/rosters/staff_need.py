"""People behind the crews of a plan, by qualification: relief, vacancies, overtime apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.staffing import PAID_HOURS, workload_fte

if TYPE_CHECKING:
    from collections.abc import Mapping

_WEEKS_PER_YEAR = 365.0 / 7.0


def staff_need(
    crew_hours_per_week: Mapping[str, float],
    make_up: Mapping[str, Mapping[str, int]],
    *,
    relief_factor: float,
    vacancy_share: float = 0.0,
    overtime_share: float = 0.0,
    paid_hours: float = PAID_HOURS,
) -> pd.DataFrame:
    """Turn crew-hours into people by qualification.

    Relief (leave, training) makes more people than positions; overtime worked by those who are
    there makes fewer; vacancies are posts that are paid for and not filled, so authorised posts
    are more than people. The three are kept apart.

    Parameters
    ----------
    crew_hours_per_week
        Unit type -> hours of its crews a week.
    make_up
        Unit type -> people on a unit by qualification.
    relief_factor
        People per person on duty: see `staffing.shift_relief_factor`.
    vacancy_share
        Share of authorised posts that are vacant, below 1.
    overtime_share
        Share of the hours that is worked as overtime, below 1.
    paid_hours
        Paid hours of one FTE, h a year.

    Returns
    -------
    pandas.DataFrame
        role, hours_per_week (of people), fte_on_duty (without relief), fte (with relief),
        overtime_h_per_week, fte_with_overtime, authorised (with vacancies); by role.

    Raises
    ------
    InputError
        Unit types without a make-up, shares outside [0, 1).

    Examples
    --------
    >>> need = staff_need({"als": 168.0}, {"als": {"paramedic": 1, "emt": 1}}, relief_factor=1.2)
    >>> need[["role", "fte"]].round(2).to_numpy().tolist()
    [['emt', 5.05], ['paramedic', 5.05]]
    """
    faults = FaultList()
    for name, share in (("vacancy_share", vacancy_share), ("overtime_share", overtime_share)):
        if not 0 <= share < 1:
            faults.add(name, str(share), "a share from 0 to below 1")
    for unit in crew_hours_per_week:
        if not make_up.get(unit):
            faults.add("make_up", f"nothing for {unit!r}", "people on a unit by qualification")
    faults.raise_if_any()
    hours: dict[str, float] = {}
    for unit, of_unit in crew_hours_per_week.items():
        for role, people in make_up[unit].items():
            hours[role] = hours.get(role, 0.0) + people * float(of_unit)
    table = pd.DataFrame(
        {"role": sorted(hours), "hours_per_week": [hours[role] for role in sorted(hours)]}
    )
    per_year = table["hours_per_week"].to_numpy(dtype=np.float64) * _WEEKS_PER_YEAR
    table["fte_on_duty"] = per_year / paid_hours
    table["fte"] = [
        workload_fte(of, relief_factor=relief_factor, paid_hours=paid_hours) for of in per_year
    ]
    table["overtime_h_per_week"] = overtime_share * table["hours_per_week"]
    table["fte_with_overtime"] = table["fte"] * (1.0 - overtime_share)
    table["authorised"] = table["fte_with_overtime"] / (1.0 - vacancy_share)
    return table

"""People behind the crews of a plan, by qualification: relief, vacancies, overtime apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.staffing import PAID_HOURS, SEATTLE_RELIEF, FteTerms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.staffing import StaffTerms

_WEEKS_PER_YEAR = 365.0 / 7.0
STAFF_COLUMNS = (
    "service", "role", "qualification", "people_per_unit", "paid_hours_per_week",
    "on_duty_hours_per_week", "headcount_peak", "relief_factor", "fte_on_duty", "fte",
    "overtime_hours_per_week", "filled_posts", "funded_posts", "vacancies",
)  # fmt: skip


def staff_need(
    crew_hours_per_week: Mapping[str, float],
    make_up: Mapping[str, Mapping[str, int]],
    *,
    relief_factor: float = SEATTLE_RELIEF,
    vacancy_share: float = 0.0,
    overtime_share: float = 0.0,
    paid_hours: float = PAID_HOURS,
    terms: FteTerms | None = None,
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
    terms
        How hours become staff; instead of relief_factor and paid_hours.

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
    how = terms or FteTerms(relief_factor=relief_factor, paid_hours=paid_hours)
    table["fte_on_duty"] = per_year / how.paid_hours
    table["fte"] = [how.fte(of) for of in per_year]
    table["overtime_h_per_week"] = overtime_share * table["hours_per_week"]
    table["fte_with_overtime"] = table["fte"] * (1.0 - overtime_share)
    table["authorised"] = table["fte_with_overtime"] / (1.0 - vacancy_share)
    return table


def people_of_role(
    service: str,
    role: str,
    terms: StaffTerms,
    paid_h: float,
    break_h: float = 0.0,
    *,
    peak: int | None = None,
) -> pd.DataFrame:
    """List the people of one role by qualification (contract ``staff.csv``).

    Parameters
    ----------
    service, role
        Labels; the role is a unit type, or a responder.
    terms
        Crew make-up, relief, overtime and vacancies.
    paid_h
        Unit-hours a week.
    break_h
        Those of them that are meal breaks.
    peak
        Most units on duty at once; None: not known.

    Examples
    --------
    >>> from deploy_opt.staffing import StaffTerms
    >>> crew = people_of_role("ems", "als", StaffTerms(make_up={"emt": 2}), 168.0, peak=1)
    >>> crew[["qualification", "headcount_peak", "fte"]].round(2).to_numpy().tolist()
    [['emt', 2, 10.11]]
    """
    need = staff_need(
        {role: paid_h},
        {role: terms.make_up},
        terms=terms.terms,
        vacancy_share=terms.vacancy_share,
        overtime_share=terms.overtime_share,
    )
    people = need["role"].map(dict(terms.make_up)).astype(np.int64)
    frame = pd.DataFrame(
        {
            "service": service,
            "role": role,
            "qualification": need["role"],
            "people_per_unit": people,
            "paid_hours_per_week": need["hours_per_week"],
            "on_duty_hours_per_week": people * (paid_h - break_h),
            "headcount_peak": pd.NA if peak is None else people * peak,
            "relief_factor": terms.terms.relief_factor,
            "fte_on_duty": need["fte_on_duty"],
            "fte": need["fte"],
            "overtime_hours_per_week": need["overtime_h_per_week"],
            "filled_posts": need["fte_with_overtime"],
            "funded_posts": need["authorised"],
            "vacancies": need["authorised"] - need["fte_with_overtime"],
        }
    )
    return frame[list(STAFF_COLUMNS)].astype({"headcount_peak": "Int64"})

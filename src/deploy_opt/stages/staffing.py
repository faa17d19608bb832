"""What the scenario says of the people behind the units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.staff_files import read_leave
from deploy_opt.plan.rosters.make_up import usual_make_up
from deploy_opt.plan.rosters.staff_need import people_of_role
from deploy_opt.service_settings import CoResponders, Patrol
from deploy_opt.staff_settings import RoleStaffing
from deploy_opt.staffing import (
    SEATTLE_TERMS,
    FteTerms,
    StaffTerms,
    leave_relief_factor,
    unavailable_hours,
)
from deploy_opt.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from deploy_opt.settings import Scenario


def staff_terms_of(scenario: Scenario) -> dict[str, StaffTerms]:
    """Work out relief, make-up, overtime and vacancies of every role of a scenario.

    Returns
    -------
    dict
        Unit type, or responder that `staffing` names -> its terms.

    Raises
    ------
    InputError
        For a table of leave that cannot be read, and leave as long as the paid hours.
    """
    fleet, patrol = scenario.fleet, scenario.patrol or Patrol()
    teams = scenario.coresponders or CoResponders()
    usual = {
        fleet.unit_type: StaffTerms(make_up=usual_make_up(fleet.unit_type, fleet.crew_size)),
        patrol.unit_type: StaffTerms(make_up={"officer": patrol.crew_size}),
        teams.unit_type: StaffTerms(
            teams.terms, {"clinician": teams.people}, words="as coresponders says"
        ),
    }
    named = {role: usual.get(role, StaffTerms(make_up={role: 1})) for role in scenario.staffing}
    return {
        role: _with_section(scenario, role, terms) for role, terms in {**usual, **named}.items()
    }


def ambulance_staff(
    scenario: Scenario, units: NDArray[np.int64], num_shifts: int
) -> pd.DataFrame | None:
    """Give the people behind a plan of ambulances alone; None: `staffing` does not name them.

    Parameters
    ----------
    scenario
        The scenario.
    units
        Units in each hour at each post, shape (hours, posts).
    num_shifts
        Shifts that give these units, each with its meal break.

    Returns
    -------
    pandas.DataFrame or None
        Contract ``staff.csv``.
    """
    role = scenario.fleet.unit_type
    if role not in scenario.staffing:
        return None
    on_duty = units.sum(axis=1)
    of_week = HOURS_PER_WEEK / len(on_duty)
    weekly = float(on_duty.sum()) * of_week
    break_h = num_shifts * scenario.fleet.meal_break_min / MINUTES_PER_HOUR * of_week
    terms = staff_terms_of(scenario)[role]
    return people_of_role("ems", role, terms, weekly, break_h, peak=int(on_duty.max(initial=0)))


def teams_of(scenario: Scenario, terms: StaffTerms) -> CoResponders:
    """Give the rules of co-responder teams with the relief that `staffing` makes."""
    section = scenario.coresponders or CoResponders()
    found = terms.terms
    return section.model_copy(
        update={
            "formula": found.formula,
            "relief_factor": found.relief_factor,
            "paid_hours": found.paid_hours,
            "unavailable_hours": found.unavailable_hours,
        }
    )


def _with_section(scenario: Scenario, role: str, usual: StaffTerms) -> StaffTerms:
    section = scenario.staffing.get(role, RoleStaffing())
    terms, words = usual.terms, usual.words
    if section.relief_factor is not None:
        terms = FteTerms(relief_factor=section.relief_factor, paid_hours=section.paid_hours)
        words = "as the scenario says"
    elif section.leave is not None:
        terms, words = _from_leave(scenario, role, section)
    elif terms is SEATTLE_TERMS and section.paid_hours != terms.paid_hours:
        terms = FteTerms(paid_hours=section.paid_hours)
        words = f"{section.paid_hours:,.0f} h and 20 %"
    return StaffTerms(
        terms,
        dict(section.make_up or usual.make_up),
        section.vacancy_share,
        section.overtime_share,
        words,
    )


def _from_leave(scenario: Scenario, role: str, section: RoleStaffing) -> tuple[FteTerms, str]:
    if isinstance(section.leave, str):
        table = read_leave(scenario.path(section.leave), role=role)
    else:
        table = pd.DataFrame((section.leave or {}).items(), columns=["kind", "hours"])
    away = unavailable_hours(table, people=section.people or 1.0, years=section.years)
    if away >= section.paid_hours:
        expected = f"less than the {section.paid_hours:g} paid hours of a year"
        where, found = f"staffing.{role}.leave", f"{away:,.0f} h a person and year"
        raise InputError.of(where, found, expected, "say of how many people and years its rows are")
    relief = leave_relief_factor(away, paid_hours=section.paid_hours)
    return FteTerms("relief_factor", relief, section.paid_hours, away), f"{away:,.0f} h away a year"

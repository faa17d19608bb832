"""Full-time staff of every service, by floor and by qualification, and follow-up work by hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.coresponders import team_fte
from deploy_opt.plan.follow_up import place_follow_up
from deploy_opt.plan.fte import fte_row
from deploy_opt.plan.rosters.staff_need import people_of_role
from deploy_opt.staffing import HOURS_PER_YEAR, StaffTerms
from deploy_opt.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.city.parts import Found

_FOLLOW_UP_COLUMNS = ("hour", "teams", "calls_h", "room_h", "follow_up_h")
_OTHERS_SERVICE = "police"
"""Service whose calls civilians and other responders take over."""


def fte_rows(found: Found) -> pd.DataFrame:
    """Give the full-time staff of every service by what asks for them (contract ``fte.csv``)."""
    question, need = found.question, found.police.need
    case, calls = question.case, question.calls
    fleet, patrol = case.settings.fleet, question.patrol
    own = calls.initiated_h
    rows = [
        _service_row(
            found,
            "ems",
            fleet.unit_type,
            work_h=float(case.model.loads.sum()),
            floors_h={
                "workload": float(case.rules.cap_units.sum()),
                "minimum_posts": float(case.rules.min_units.sum()),
            },
            needed_h=float(np.maximum(case.rules.cap_units, case.rules.min_units).sum()),
        ),
        _service_row(
            found,
            "police",
            patrol.unit_type,
            work_h=float(calls.unit_hours.sum()) + (0.0 if own is None else float(own.sum())),
            floors_h={
                "workload": float(
                    np.maximum(need.rows["utilisation"], need.rows["officer_time"]).sum()
                ),
                "minimum_posts": float(need.rows["minimum"].sum()),
                "queueing": float(np.maximum(need.rows["queue"], need.rows["response"]).sum()),
            },
            needed_h=float(need.units.sum()),
        ),
    ]
    frame = pd.DataFrame([*rows, *_other_rows(found)])
    teams, rules = found.teams, question.teams
    if teams is None:
        return frame
    of_teams = team_fte(
        teams.floors,
        found.joint.units[teams.kind.name].sum(axis=1),
        people=rules.people,
        terms=rules.terms,
        tier=", ".join(map(str, rules.tiers)),
    )
    return pd.concat([frame, of_teams], ignore_index=True)


def staff_rows(found: Found) -> pd.DataFrame:
    """Give the people of every service by qualification (contract ``staff.csv``)."""
    question = found.question
    parts = []
    for service, types in found.services.items():
        role = question.patrol.unit_type if service == "police" else types[0]
        terms = _terms(found, role)
        on_duty = _on_duty(found, types)
        paid_h = float(on_duty.sum()) * HOURS_PER_WEEK / len(on_duty)
        rest_h = _break_hours(found, service, types) * HOURS_PER_WEEK / len(on_duty)
        rows = people_of_role(service, role, terms, paid_h, rest_h, peak=int(on_duty.max()))
        parts.append(rows)
    for row in _others(found).itertuples():
        weekly = float(row.hours_per_year) * HOURS_PER_WEEK / HOURS_PER_YEAR
        terms = _terms(found, str(row.role))
        parts.append(people_of_role(_OTHERS_SERVICE, str(row.role), terms, weekly))
    return pd.concat(parts, ignore_index=True)


def follow_up_rows(found: Found) -> pd.DataFrame:
    """List the follow-up work of every hour in the plan (contract ``follow_up.csv``)."""
    teams = found.teams
    if teams is None or teams.follow_up is None:
        return pd.DataFrame(columns=list(_FOLLOW_UP_COLUMNS))
    on_duty = found.joint.units[teams.kind.name].sum(axis=1)
    room_h = teams.follow_up.room.room_h(on_duty)
    return pd.DataFrame(
        {
            "hour": found.question.ground.hours,
            "teams": on_duty,
            "calls_h": teams.floors.load,
            "room_h": room_h,
            "follow_up_h": place_follow_up(teams.follow_up.work, room_h).sum(axis=0),
        }
    )


def follow_up_words(found: Found, rows: pd.DataFrame) -> tuple[str, ...]:
    """Say how much follow-up work finds room and what it costs, in at most one line."""
    teams = found.teams
    if teams is None or teams.follow_up is None:
        return ()
    asked, done = teams.floors.follow_up_h, float(rows["follow_up_h"].sum())
    crews = teams.follow_up.crews
    words = f"Follow-up work: {done:.1f} of {asked:.1f} team-hours find room beside the calls"
    if crews.extra_h >= 1:
        words += (
            f"; crews for both have {crews.extra_h:,.0f} team-hours more than for the calls alone"
            f" ({crews.unit_hours_without:,.0f})."
        )
    else:
        words += ", in crews that calls alone need."
    return (words,)


def _service_row(
    found: Found,
    service: str,
    role: str,
    *,
    work_h: float,
    floors_h: dict[str, float],
    needed_h: float,
) -> dict[str, object]:
    on_duty, terms = _on_duty(found, found.services[service]), _terms(found, role)
    return fte_row(
        service,
        role,
        "all",
        work_h=work_h,
        floors_h=floors_h,
        needed_h=needed_h,
        planned_h=float(on_duty.sum()),
        hours=len(on_duty),
        people=terms.crew_size,
        terms=terms.terms,
    )


def _other_rows(found: Found) -> list[dict[str, object]]:
    rows = []
    for row in _others(found).itertuples():
        yearly, terms = float(row.hours_per_year), _terms(found, str(row.role)).terms
        rows.append(
            fte_row(
                _OTHERS_SERVICE,
                str(row.role),
                str(row.tier),
                work_h=yearly,
                floors_h={"workload": yearly},
                needed_h=yearly,
                planned_h=yearly,
                hours=int(HOURS_PER_YEAR),
                people=1,
                terms=terms,
            )
        )
    return rows


def _others(found: Found) -> pd.DataFrame:
    tiers = found.question.tiers
    return pd.DataFrame() if tiers is None else tiers.others


def _terms(found: Found, role: str) -> StaffTerms:
    question = found.question
    people = {
        question.case.settings.fleet.unit_type: question.case.settings.fleet.crew_size,
        question.patrol.unit_type: question.patrol.crew_size,
        question.teams.unit_type: question.teams.people,
    }
    known = question.staff.get(role)
    return known or StaffTerms(make_up={role: people.get(role, 1)})


def _on_duty(found: Found, types: tuple[str, ...]) -> NDArray[np.int64]:
    return np.asarray(sum(found.joint.units[name].sum(axis=1) for name in types), dtype=np.int64)


def _break_hours(found: Found, service: str, types: tuple[str, ...]) -> float:
    """Give the unit-hours of meal breaks inside the horizon."""
    question = found.question
    break_min = {
        "ems": question.case.settings.fleet.meal_break_min,
        "police": question.patrol.meal_break_min,
        "coresponse": question.teams.meal_break_min,
    }[service]
    shifts = 0.0
    for name in types:
        columns = found.laid.question.type_named(name).columns
        shifts += float(found.joint.crews[name] @ (columns.unit_hours / columns.length_h))
    return shifts * break_min / MINUTES_PER_HOUR

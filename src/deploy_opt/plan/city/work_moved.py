"""Work that moves: follow-up into hours with room, deferred calls away from the patrols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_opt.plan.city.parts import FollowUpPlan
from deploy_opt.plan.follow_up import TeamRoom, crews_with_follow_up, follow_up_work
from deploy_opt.staff_settings import WEEKDAYS
from deploy_opt.units import MINUTES_PER_HOUR

if TYPE_CHECKING:
    from deploy_opt.plan.city.parts import CityQuestion, TeamCalls
    from deploy_opt.plan.coresponders import TeamFloors
    from deploy_opt.plan.shifts import ShiftColumns


def plan_follow_up(
    question: CityQuestion, calls: TeamCalls, floors: TeamFloors, columns: ShiftColumns
) -> FollowUpPlan | None:
    """Lay out the teams' follow-up work and the crews that have room for it; None: not asked."""
    rules, asked = question.teams, question.teams.follow_up
    if asked is None:
        return None
    per_call = None if asked.share is None else asked.share * asked.minutes / MINUTES_PER_HOUR
    work = follow_up_work(
        calls.rates.sum(axis=0),
        hours_per_call=per_call,
        hours_per_week=asked.hours_per_week,
        days=[WEEKDAYS.index(day) for day in asked.days],
        from_h=asked.from_h,
        to_h=asked.to_h,
        within_days=asked.within_days,
        first_hour=question.ground.first_hour,
    )
    room = TeamRoom(floors.needed, floors.load, rules.busy_cap * rules.available)
    crews = crews_with_follow_up(work, room, columns, most=rules.max_teams)
    return FollowUpPlan(work, room, crews)


def kept_hours(question: CityQuestion) -> tuple[float, str]:
    """Give the patrol unit-hours that deferral must not cut, and say so.

    Deferred calls leave the patrols' workload, so that their need falls. What was released stays
    on duty: the released hours over the busy cap, as many unit-hours as calls of that length ask
    for. Whether patrols are fewer is the agency's decision (``patrol.unit_hours_per_week``).
    """
    released = 0.0 if question.tiers is None else question.tiers.deferred_h
    if released <= 0:
        return 0.0, ""
    hours = released / question.rules.utilisation_cap
    return hours, (
        f", and {hours:,.0f} for the {released:,.0f} hours that deferral releases, which stay with "
        "the patrols"
    )

"""Plan ambulances, patrols and co-responder teams together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.city.frames import (
    cap_rows,
    crew_rows,
    last_hour_rows,
    service_rows,
    today_rows,
    unit_rows,
    weight_rows,
)
from deploy_opt.plan.city.minimum import (
    check_minimum,
    minima_of,
    patrol_hours_given,
    team_cost_per_h,
)
from deploy_opt.plan.city.parts import CityQuestion, Found, Police, Teams
from deploy_opt.plan.city.results import CityPlan
from deploy_opt.plan.city.staff_rows import (
    follow_up_rows,
    follow_up_words,
    fte_rows,
    staff_rows,
)
from deploy_opt.plan.city.start_prices import start_price_rows
from deploy_opt.plan.city.work_moved import kept_hours, plan_follow_up
from deploy_opt.plan.coresponders import paired_class, team_floors, with_follow_up
from deploy_opt.plan.joint.ambulances import ambulance_class, ambulance_type
from deploy_opt.plan.joint.cheapest import cheapest_crews, few_start_columns
from deploy_opt.plan.joint.combine import combined
from deploy_opt.plan.joint.floors_kept import short_words
from deploy_opt.plan.joint.question import Budget, Layer, Question, UnitType
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import lay_services, settle
from deploy_opt.plan.joint.trade_offs import (
    cap_prices,
    last_hours,
    reweighed,
    separate_crews,
    shared_at_starts,
    shared_crews,
)
from deploy_opt.plan.patrol.district_plan import keep_target, plan_patrols
from deploy_opt.plan.patrol.district_pools import district_pools, fewest_unit_hours, type_name
from deploy_opt.plan.patrol.need import district_states, patrol_need
from deploy_opt.plan.patrol.results import check_districts, shortfall_words
from deploy_opt.plan.shifts import shift_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.joint.services import JointPlan, Laid
    from deploy_opt.plan.patrol.district_pools import DistrictPools
    from deploy_opt.plan.patrol.need import PatrolNeed
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.rule_settings import Shifts


def plan_city(question: CityQuestion, *, trade_offs: bool = True) -> CityPlan:
    """Plan all services, with separate budgets and with one, and price what decides.

    Patrols belong to a district: each is a unit type of its own. Co-responder calls need a team
    and a patrol; how likely a patrol is there is taken from the patrols' own plan, so that teams
    keep a table of one dimension. One crew master then chooses all crews, once with a budget for
    each service, once with their sum. Common currency: calls reached in standard x weight.

    Parameters
    ----------
    question
        What is asked.
    trade_offs
        Whether caps and weights are priced too: a choice of crews for each.

    Raises
    ------
    InfeasibleError
        A budget, or a limit on start times, below the minimum staffing of a service; locks that
        no crews hold.
    """
    check_minimum(
        minima_of(question),
        first_hour=question.case.settings.first_hour,
        shared=question.budget.shared,
        money=question.budget.money_per_week,
    )
    police = _police(question)
    teams = _teams(question, police)
    case = question.case
    services = {
        "ems": (question.case.settings.fleet.unit_type,),
        "police": tuple(type_name(name) for name in question.ground.district_names),
    }
    ems = _ems_question(question)
    parts = [ems, _weighed(police.pools.question, question, "police")]
    cost = {"ems": ems.types[0].cost_per_h, "police": question.patrol.cost_per_unit_hour}
    hours = {"ems": case.rules.unit_hours, "police": police.limit_h}
    if teams is not None:
        services["coresponse"] = (teams.kind.name,)
        parts.append(teams.question)
        cost["coresponse"] = teams.kind.cost_per_h
        hours["coresponse"] = teams.limit_h
    limits = {name: hours[name] * cost[name] for name in services}
    budgets = tuple(Budget(name, limits[name], types) for name, types in services.items())
    laid = lay_services(combined(parts, budgets))
    apart = separate_crews(laid, limits, services)
    total = question.budget.money_per_week or sum(limits.values())
    starts = (apart.crews,) if total >= sum(limits.values()) - 1e-6 else ()
    if question.budget.shared:
        together = shared_crews(laid, total, starts=starts)
    else:  # an alternative beside the plan: at its start times, where those are few
        together = shared_at_starts(laid, total, apart.crews)
    chosen = together if question.budget.shared else apart
    final = _with_budget(laid, budgets, total, shared=question.budget.shared)
    found = Found(
        question, police, teams, services, limits, final, apart, together, chosen,
        settle(final, chosen),
    )  # fmt: skip
    return _results(found, trade_offs=trade_offs)


def _ems_question(question: CityQuestion) -> Question:
    case, ground = question.case, question.ground
    kind = ambulance_type(case)
    weight = question.budget.weights.get("ems", 1.0)
    return Question(
        ground.area_ids,
        ground.point_area,
        ground.point_share,
        ground.profile_of_hour,
        (kind,),
        (ambulance_class(case, weight=weight),),
        (Budget("ems", 1.0, (kind.name,)),),
        cyclic=case.rules.cyclic,
    )


def _weighed(found: Question, question: CityQuestion, service: str) -> Question:
    weight = question.budget.weights.get(service, 1.0)  # type: ignore[call-overload]  # a service
    classes = tuple(replace(each, weight=each.weight * weight) for each in found.classes)
    kinds = tuple(
        replace(kind, cost_per_h=question.patrol.cost_per_unit_hour) for kind in found.types
    )
    cyclic = question.case.rules.cyclic
    return replace(found, classes=classes, types=kinds, cyclic=cyclic)


def _police(question: CityQuestion) -> Police:
    ground, calls, rules = question.ground, question.calls, question.rules
    columns = _columns(question, question.patrol.shifts)
    states = district_states(ground, calls, rules)
    need = patrol_need(ground, calls, rules, states=states)
    limit_h, words = _patrol_hours(question, need, columns)
    words += _too_few(limit_h, need, columns)
    alone = plan_patrols(ground, calls, rules, columns, budget_h=limit_h, certify=False)
    positions = [alone.positions[name] for name in ground.district_names]
    pools = district_pools(ground, calls, rules, need, columns, budget_h=limit_h)
    pools = _one_role(pools, question)
    there = _patrol_there(question, pools, positions)
    return Police(states, need, pools, there, columns, limit_h, words)


def _one_role(pools: DistrictPools, question: CityQuestion) -> DistrictPools:
    """Let the patrols of all districts share few start times and patterns."""
    shifts = question.patrol.shifts
    kinds = tuple(
        replace(
            kind,
            role=question.patrol.unit_type,
            max_starts=shifts.max_starts,
            max_patterns=shifts.max_patterns,
        )
        for kind in pools.question.types
    )
    return replace(pools, question=replace(pools.question, types=kinds))


def _patrol_hours(
    question: CityQuestion, need: PatrolNeed, columns: ShiftColumns
) -> tuple[float, str]:
    given, words = patrol_hours_given(question)
    if given is not None:
        return given, words
    few = _few_columns(need.units, columns, question.patrol.shifts)
    hours = sum(cheapest_crews(units, few).unit_hours for units in need.units)
    kept, also = kept_hours(question)
    words = f"as many as whole crews need to keep every district's need{also}"
    return float(hours) + kept, words


def _too_few(limit_h: float, need: PatrolNeed, columns: ShiftColumns) -> str:
    """Say how many unit-hours whole crews need to keep every district's need, where too few are."""
    fewest = fewest_unit_hours(need, columns).bound
    if limit_h >= fewest - 1e-6:
        return ""
    return (
        f"; whole crews of these shifts need {np.ceil(fewest - 1e-6):,.0f} to keep every district's"
        " need, so some hours stay short"
    )


def _few_columns(needed: NDArray[np.int64], columns: ShiftColumns, of: Shifts) -> ShiftColumns:
    """Keep the start times and patterns that cover a need best; all where no few of them can."""
    found = few_start_columns(
        needed, columns, max_starts=of.max_starts, max_patterns=of.max_patterns
    )
    return columns if found is None else found


def _patrol_there(
    question: CityQuestion, pools: DistrictPools, positions: list[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Give the chance that a patrol of the own district is in reach and free, (areas, hours).

    The widest limit of the least urgent priority counts: the team leads.
    """
    found = pools.question
    there = np.zeros((len(found.area_ids), found.num_hours))
    last = len(question.calls.priorities) - 1
    widest = max(layer.drive_limit_s for layer in question.rules.layers_of(last))
    for pool in found.pools:
        district = pool.types[0]
        reached = pool_model(found, pool).reached((positions[district],))
        for rank, index in enumerate(pool.classes):
            if found.classes[index].name.endswith(f"within {widest:g} s"):
                there = np.maximum(there, reached[rank])
    return np.clip(there, 0.0, 1.0)


def _columns(question: CityQuestion, shifts: object) -> ShiftColumns:
    settings = question.case.settings
    return shift_columns(shifts, hours=settings.hours, first_hour=settings.first_hour)  # type: ignore[arg-type]


def _teams(question: CityQuestion, police: Police) -> Teams | None:
    asked = question.team_calls
    if asked is None:
        return None
    rules, ground, case = question.teams, question.ground, question.case
    columns = _columns(question, rules.shifts)
    floors = team_floors(
        asked.rates.sum(axis=0),
        asked.busy_h,
        busy_cap=rules.busy_cap,
        min_teams=rules.min_teams,
        prompt_share=rules.prompt_share,
        prompt_wait_min=rules.prompt_wait_min,
        available=rules.available,
    )
    shape = (ground.num_hours, len(case.times.origins))
    follow_up = plan_follow_up(question, asked, floors, columns)
    if follow_up is not None:
        floors = with_follow_up(floors, follow_up.crews)
    needed = floors.needed
    room = int(needed.max(initial=1)) * 2 + 2
    kind = UnitType(
        name=rules.unit_type,
        columns=columns,
        by_profile=np.asarray(case.times.by_profile),
        lower=np.zeros(shape, dtype=np.int64),
        upper=np.full(shape, room, dtype=np.int64),
        cost_per_h=team_cost_per_h(rules),
        busy_cap=1.0,
        max_units=rules.max_teams or room,
        max_moves=case.rules.max_moves,
        floors=floors.named,
        max_starts=rules.shifts.max_starts,
        max_patterns=rules.shifts.max_patterns,
    )
    limit_h = rules.unit_hours_per_week
    if limit_h is None:
        few = _few_columns(needed[None, :], columns, rules.shifts)
        limit_h = float(cheapest_crews(needed, few).unit_hours)
    pair = paired_class(
        "coresponse",
        asked.rates,
        police.there,
        busy_h=asked.busy_h,
        team_type=kind.name,
        layers=(Layer(asked.drive_limit_s),),
        weight=question.budget.weights.get("coresponse", 1.0),
    )
    own = Question(
        ground.area_ids,
        ground.point_area,
        ground.point_share,
        ground.profile_of_hour,
        (kind,),
        (pair,),
        (Budget("coresponse", max(limit_h, 1.0), (kind.name,)),),
        cyclic=case.rules.cyclic,
    )
    return Teams(kind, own, floors, limit_h, follow_up)


def _with_budget(laid: Laid, budgets: tuple[Budget, ...], total: float, *, shared: bool) -> Laid:
    types = tuple(kind.name for kind in laid.question.types)
    kept = (Budget("all services", total, types),) if shared else budgets
    return replace(laid, question=replace(laid.question, budgets=kept))


def _results(found: Found, *, trade_offs: bool) -> CityPlan:
    question, police, joint = found.question, found.police, found.joint
    services, names = list(found.services), question.ground.district_names
    at_areas = [joint.units[type_name(name)] for name in names]
    positions = keep_target(question.ground, question.rules, police.states, at_areas)
    units_of = dict(joint.units)
    units_of.update({type_name(n): rows for n, rows in zip(names, positions, strict=True)})
    on_duty = np.stack([rows.sum(axis=1) for rows in positions])
    laid, chosen = found.laid, found.chosen
    caps = cap_prices(laid, chosen, found.services) if trade_offs else ()
    counted = reweighed(laid, chosen, found.services) if trade_offs else ()
    follow_up = follow_up_rows(found)
    released = pd.DataFrame() if question.tiers is None else question.tiers.released
    return CityPlan(
        shared=question.budget.shared,
        services=service_rows(found),
        units=unit_rows(found, units_of),
        crews=crew_rows(found),
        district_hours=check_districts(question.ground, police.states, police.need, positions),
        need=police.need.frame(),
        fte=fte_rows(found),
        staff=staff_rows(found),
        follow_up=follow_up,
        released=released,
        patrol_today=_patrol_today(found, positions),
        start_prices=start_price_rows(found),
        last_hours=last_hour_rows(last_hours(laid, chosen.crews, found.services)),
        caps=cap_rows(caps, services),
        weights=weight_rows(counted, services),
        hull_bound=joint.hull_bound,
        location_bound=joint.location_bound,
        value=joint.value,
        mix_gap=joint.mix_gap,
        location_gap=joint.location_gap,
        value_separate=found.separate.value,
        value_shared=found.shared.value,
        shortfalls=(*_short(joint), *shortfall_words(police.need, on_duty)),
        notes=(
            f"patrol unit-hours: {police.words}",
            *_said(question),
            *short_words(laid, chosen),
        ),
        follow_up_words=follow_up_words(found, follow_up),
        work=dict(joint.work),
    )


def _said(question: CityQuestion) -> list[str]:
    """Say what limits on start times and patterns hold, role by role."""
    found = []
    for role, shifts in (
        ("ambulances", question.case.settings.shifts),
        ("patrols of all districts", question.patrol.shifts),
        ("co-responders", question.teams.shifts if question.team_calls is not None else None),
    ):
        if shifts is None:
            continue
        words = [f"the weekly patterns {', '.join(shifts.weekly)}"] if shifts.weekly else []
        if shifts.max_starts is not None:
            words.append(f"at most {shifts.max_starts} start times")
        if shifts.max_patterns is not None:
            words.append(f"at most {shifts.max_patterns} patterns")
        if words:
            found.append(f"{role}: {', '.join(words)}; prices are those at the start times in use")
    return found


def _patrol_today(found: Found, positions: list[NDArray[np.int64]]) -> pd.DataFrame:
    today = found.question.patrol_today
    if today is None:
        return pd.DataFrame()
    return today_rows(found.question, found.police, today, positions)


def _short(joint: JointPlan) -> list[str]:
    return [
        f"{s.reason}: {s.unit_hours} unit-hours short in {len(s.hours)} hours"
        for s in joint.shortfalls
        if not s.reason.startswith("units needed")
    ]

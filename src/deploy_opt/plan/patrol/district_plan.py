"""The plan of patrols by district: need, crews that keep their district, help across borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.services import CREW_LIMITS, choose_crews, lay_services, settle
from deploy_opt.plan.patrol.border_help import help_chances
from deploy_opt.plan.patrol.district_pools import district_pools, fewest_unit_hours, type_name
from deploy_opt.plan.patrol.need import district_states, patrol_need, target_score
from deploy_opt.plan.patrol.results import (
    PatrolPlan,
    check_districts,
    crews_by_district,
    district_response,
    shortfall_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.services import Chosen, JointPlan, Laid
    from deploy_opt.plan.patrol.district_pools import DistrictPools
    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules
    from deploy_opt.plan.patrol.need import DistrictStates, PatrolNeed
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.plan.solver import Limits

Positions = list["NDArray[np.int64]"]


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """One pass at a stated staffing of the neighbours.

    Attributes
    ----------
    stated
        Units of the neighbours by district, shape (districts, hours).
    pools, laid, chosen
        The question, its tables and its crews.
    joint
        Its plan, positions not bounded.
    positions
        The plan's units at posts, by district.
    at_plan
        Worth with neighbours' help at the plan's own units.
    """

    stated: NDArray[np.int64]
    pools: DistrictPools
    laid: Laid
    chosen: Chosen
    joint: JointPlan
    positions: Positions
    at_plan: float


def plan_patrols(
    ground: PatrolGround,
    calls: PatrolCalls,
    rules: PatrolRules,
    columns: ShiftColumns,
    *,
    budget_h: float | None = None,
    limits: Limits | None = None,
    certify: bool = True,
) -> PatrolPlan:
    """Plan the patrol crews of every district under one budget of unit-hours.

    Crews belong to a district and keep it for their whole shift; value tables stand by district
    and hour, and one crew master spends the budget over all of them. Needed units
    (`need.patrol_need`) are floors, elastic at a price above any value. Neighbours' help is first
    taken at their need, and once more at the plan that this leads to; the better plan, with help
    at its own units, is kept. See `district_pools.district_pools` for the model.

    Parameters
    ----------
    ground, calls, rules
        Districts, calls and rules.
    columns
        Shifts or weekly patterns that crews may work (`shifts.shift_columns`, `weekly_columns`).
    budget_h
        Unit-hours over the plan; None: the fewest with which crews cover the need
        (`district_pools.fewest_unit_hours`). With no fewer the plan never falls short of it.
    limits, certify
        As `joint.services.plan_services`.

    Returns
    -------
    PatrolPlan

    Raises
    ------
    InputError
        Shapes that do not fit, a budget of nothing, no shift in an hour that needs units.

    Examples
    --------
    A district a side of the river, one place and one call an hour in each, two shifts of 2 h:

    >>> from deploy_opt.plan.patrols import PatrolCalls, PatrolGround, PatrolRules
    >>> from deploy_opt.plan.shifts import ShiftColumns
    >>> drive = np.array([[[60.0, 300.0], [300.0, 60.0]]])
    >>> here = np.array([0, 1])
    >>> ground = PatrolGround(("n", "s"), ("North", "South"), here, here, np.ones(2), here, drive,
    ...                       np.zeros(4, dtype=np.int64))
    >>> calls = PatrolCalls(("p1",), np.full((1, 2, 4), 1.0), np.array([0.5]), np.array([1.0]))
    >>> shifts = ShiftColumns(np.array([0, 2]), np.array([2, 2]),
    ...                       np.array([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool))
    >>> plan_patrols(ground, calls, PatrolRules(), shifts).units.tolist()
    [[2, 2], [2, 2], [2, 2], [2, 2]]
    """
    if columns.on_duty.shape[1] != ground.num_hours:
        found = f"shifts of {columns.on_duty.shape[1]} hours"
        raise InputError.of("columns", found, f"{ground.num_hours} hours, as the plan has")
    states = district_states(ground, calls, rules)
    need = patrol_need(ground, calls, rules, states=states)
    covering = fewest_unit_hours(need, columns)
    budget = float(covering.unit_hours) if budget_h is None else float(budget_h)
    if not budget > 0:
        raise InputError.of("budget_h", f"{budget:g}", "unit-hours above 0")
    asked = _Asked(ground, calls, rules, need, columns, budget, limits, certify)
    here = need_positions(ground, states, need.units)
    starts = (covering.crews,) if covering.unit_hours <= budget else ()
    best = _solve(asked, states, here, starts=starts)
    if rules.help_share > 0 and len(ground.district_names) > 1:
        again = _solve(asked, states, best.positions, starts=(*starts, best.chosen.crews))
        if again.at_plan >= best.at_plan:
            best = again
    return _finish(asked, states, best)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The arguments of a plan together."""

    ground: PatrolGround
    calls: PatrolCalls
    rules: PatrolRules
    need: PatrolNeed
    columns: ShiftColumns
    budget_h: float
    limits: Limits | None
    certify: bool

    def pools(self, positions: Sequence[NDArray[np.int64]]) -> DistrictPools:
        """Lay out the question at a staffing of the neighbours."""
        helping = None
        if self.rules.help_share > 0 and len(positions) > 1:
            helping = help_chances(self.ground, self.calls, self.rules, positions)
        return district_pools(
            self.ground,
            self.calls,
            self.rules,
            self.need,
            self.columns,
            budget_h=self.budget_h,
            helping=helping,
        )


def need_positions(
    ground: PatrolGround, states: DistrictStates, units: NDArray[np.int64]
) -> Positions:
    """Put units at the posts of their district in the order that serves urgent calls best.

    Parameters
    ----------
    ground, states
        Districts and their drives.
    units
        Shape (districts, hours).

    Returns
    -------
    list
        By district: units at each of its posts, shape (hours, posts of the district).
    """
    result = []
    for district, of_hour in enumerate(units):
        posts = len(ground.posts_of(district))
        rows = np.zeros((ground.num_hours, posts), dtype=np.int64)
        for hour, number in enumerate(of_hour.tolist()):
            drives = states.drives[district][int(ground.profile_of_hour[hour])]
            rows[hour] = np.bincount(drives.order(number), minlength=posts)
        result.append(rows)
    return result


def _solve(
    asked: _Asked,
    states: DistrictStates,
    neighbours: Sequence[NDArray[np.int64]],
    *,
    starts: Sequence[Sequence[NDArray[np.int64]]] = (),
) -> _Round:
    pools = asked.pools(neighbours)
    laid = lay_services(pools.question)
    chosen = choose_crews(laid, asked.limits or CREW_LIMITS, starts=starts)
    joint = settle(laid, chosen, certify=False)
    found = [joint.units[type_name(name)] for name in asked.ground.district_names]
    positions = keep_target(asked.ground, asked.rules, states, found)
    stated = np.stack([rows.sum(axis=1) for rows in neighbours])
    at_plan = _worth(asked.pools(positions), positions)
    return _Round(stated, pools, laid, chosen, joint, positions, at_plan)


def _worth(pools: DistrictPools, positions: Sequence[NDArray[np.int64]]) -> float:
    """Give the worth of the calls reached from positions, by district, help included."""
    question = pools.question
    return pools.helped + sum(
        float(pool_model(question, pool).value((positions[pool.types[0]],)).sum())
        for pool in question.pools
    )


def keep_target(
    ground: PatrolGround,
    rules: PatrolRules,
    states: DistrictStates,
    positions: Sequence[NDArray[np.int64]],
) -> Positions:
    """Keep the response target by positions where the same units can.

    Positions of the highest worth may miss the target in an hour in which as many units keep it in
    the order that need is counted by (`response.DistrictDrives.order`): they take that order there.

    Parameters
    ----------
    ground, rules, states
        Districts, rules, queues and drives.
    positions
        By district: units at each of its posts, shape (hours, posts of the district).

    Returns
    -------
    list
        Positions of the same units.
    """
    units = np.stack([rows.sum(axis=1) for rows in positions])
    ordered = need_positions(ground, states, units)
    result = []
    for district, (there, other) in enumerate(zip(positions, ordered, strict=True)):
        score, instead = (
            target_score(district_response(ground, states, district, rows), rules)
            for rows in (there, other)
        )
        result.append(np.where(((score < 1.0) & (instead >= 1.0))[:, None], other, there))
    return result


def _finish(asked: _Asked, states: DistrictStates, found: _Round) -> PatrolPlan:
    names, helped = asked.ground.district_names, found.pools.helped
    # placing is the same every time, so this only adds the bounds of the positions
    joint = settle(found.laid, found.chosen) if asked.certify else found.joint
    units = np.stack([rows.sum(axis=1) for rows in found.positions])
    crews = [joint.crews[type_name(name)] for name in names]
    return PatrolPlan(
        district_names=names,
        hours=asked.ground.hours,
        units=np.ascontiguousarray(units.T),
        crews=crews_by_district(names, asked.columns, crews),
        positions=dict(zip(names, found.positions, strict=True)),
        value=_worth(found.pools, found.positions),
        free_value=joint.free_value + helped,
        value_at_plan=found.at_plan,
        helped=helped,
        hull_bound=joint.hull_bound + helped,
        location_bound=joint.location_bound + helped,
        stated_units=np.ascontiguousarray(found.stated.T),
        spent_h=float(sum(joint.spent.values())),
        budget_h=asked.budget_h,
        shortfalls=shortfall_words(asked.need, units),
        need=asked.need,
        district_hours=check_districts(asked.ground, states, asked.need, found.positions),
        work=joint.work,
    )

"""District pools: patrols whose crews belong to a district, as a joint plan's question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.plan.joint.cheapest import cheapest_crews
from deploy_opt.plan.joint.question import Budget, CallClass, Layer, Question, UnitType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules
    from deploy_opt.plan.patrol.need import PatrolNeed
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.plan.solver import Limits


@dataclass(frozen=True, slots=True, eq=False)
class DistrictPools:
    """A question in which every district is a unit type with calls of its own.

    Attributes
    ----------
    question
        Unit types stand in the order of the districts, each a pool of its own.
    helped
        Worth of the calls that neighbours reach at the stated staffing where no unit of the own
        district is looked at: what the question's value leaves out.
    """

    question: Question
    helped: float


def type_name(district: str) -> str:
    """Name the unit type of a district's patrols."""
    return f"patrol {district}"


def district_pools(
    ground: PatrolGround,
    calls: PatrolCalls,
    rules: PatrolRules,
    need: PatrolNeed,
    columns: ShiftColumns,
    *,
    budget_h: float,
    helping: Mapping[float, NDArray[np.float64]] | None = None,
) -> DistrictPools:
    """Lay out the joint question of patrols by district.

    Crews are chosen by district and shift or pattern (u by type, district and pattern), and their
    units stand inside their district for the whole shift: n_dt = sum_s a_ts u_ds, with a value
    table V_dt(n) for every district and hour. One budget of unit-hours is shared. A call of
    district d that no free unit of d in reach answers (chance 1 - F_d) goes, in a share s of
    cases, to a neighbour's free unit in reach (chance H): it counts
    ``F_d + (1 - F_d) s H = s H + (1 - s H) F_d``. At a stated staffing of the neighbours s H is a
    number, so tables keep one dimension: calls are weighed by 1 - s H, and the rest is `helped`.
    Helped calls still commit units of their own district in the model, not of the neighbour.

    Parameters
    ----------
    ground, calls, rules
        Districts, calls and rules.
    need
        Units needed: floors of the plan, elastic at a price above any value.
    columns
        Shifts or weekly patterns that crews may work.
    budget_h
        Unit-hours that all districts share.
    helping
        H by drive limit, of `border_help.help_chances`; None: no help.

    Returns
    -------
    DistrictPools
    """
    classes: list[CallClass] = []
    helped = 0.0
    for district, name in enumerate(ground.district_names):
        inside = (ground.area_district == district)[:, None]
        for priority, label in enumerate(calls.priorities):
            rates = np.where(inside, calls.rates[priority], 0.0)
            layers = rules.layers_of(priority)
            busy_h = float(calls.busy_h[priority] * calls.units_per_call[priority])
            for rank, layer in enumerate(layers):
                given = np.zeros_like(rates)
                if helping is not None:
                    given = rules.help_share * helping[layer.drive_limit_s] * rates
                weight = rules.weight_of(priority) * layer.worth
                helped += weight * float(given.sum())
                classes.append(
                    CallClass(
                        f"{name} {label} within {layer.drive_limit_s:g} s",
                        rates - given,
                        busy_h,
                        (type_name(name),),
                        (Layer(layer.drive_limit_s),),
                        weight,
                        # a call commits its units once, not at each of its limits
                        committing=rates if rank == 0 else np.zeros_like(rates),
                    )
                )
    types = tuple(
        _unit_type(ground, rules, need, columns, district)
        for district in range(len(ground.district_names))
    )
    question = Question(
        ground.area_ids,
        ground.point_area,
        ground.point_share,
        ground.profile_of_hour,
        types,
        tuple(classes),
        (Budget("patrol unit-hours", budget_h, tuple(kind.name for kind in types)),),
        cyclic=True,
    )
    return DistrictPools(question, helped)


def _unit_type(
    ground: PatrolGround,
    rules: PatrolRules,
    need: PatrolNeed,
    columns: ShiftColumns,
    district: int,
) -> UnitType:
    posts, points = ground.posts_of(district), ground.points_of(district)
    by_profile = np.full(
        (len(ground.by_profile), len(posts), len(ground.point_area)), np.inf, dtype=np.float32
    )
    by_profile[:, :, points] = ground.by_profile[:, posts][:, :, points]
    most = int(need.most[district])
    shape = (ground.num_hours, len(posts))
    return UnitType(
        type_name(ground.district_names[district]),
        columns,
        by_profile,
        np.zeros(shape, dtype=np.int64),
        np.full(shape, most if rules.capacity is None else rules.capacity, dtype=np.int64),
        busy_cap=1.0,
        max_units=most,
        max_moves=None,
        floors=(("units needed", need.units[district]),),
    )


@dataclass(frozen=True, slots=True, eq=False)
class CoveringCrews:
    """Whole crews that put the needed units on duty with few unit-hours.

    Attributes
    ----------
    crews
        By district: crews of each shift, shape (shifts,).
    unit_hours, bound
        Their unit-hours, and the fewest that any such crews can have.
    """

    crews: tuple[NDArray[np.int64], ...]
    unit_hours: int
    bound: float


def fewest_unit_hours(
    need: PatrolNeed, columns: ShiftColumns, *, limits: Limits | None = None
) -> CoveringCrews:
    """Find whole crews that put the needed units on duty with the fewest unit-hours.

    Districts do not share crews, so each is an integer program of its own: min sum_s h_s u_s with
    sum_s a_ts u_s >= need_t.

    Parameters
    ----------
    need
        Units needed.
    columns
        Shifts or weekly patterns.
    limits
        Work for each district; default: a gap of 0.1 % or 200 nodes.

    Returns
    -------
    CoveringCrews

    Raises
    ------
    InputError
        No shift is on duty in an hour that needs units.
    """
    _check_worked(need, columns)
    found = [cheapest_crews(asked, columns, limits=limits) for asked in need.units]
    spent = sum(of_district.unit_hours for of_district in found)
    bound = min(sum(of_district.bound for of_district in found), float(spent))
    return CoveringCrews(tuple(of_district.crews for of_district in found), spent, bound)


def _check_worked(need: PatrolNeed, columns: ShiftColumns) -> None:
    bare = need.units.any(axis=0) & ~columns.on_duty.any(axis=0)
    if bare.any():
        faults = FaultList()
        hours = ", ".join(str(hour) for hour in need.hours[bare][:6].tolist())
        faults.add("shifts", f"none on duty in hour {hours} of the week", "a shift in every hour")
        faults.raise_if_any()

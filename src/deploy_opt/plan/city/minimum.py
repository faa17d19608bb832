"""Whether the budgets, start times and patterns of a plan can keep the minimum staffing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.joint.cheapest import cheapest_crews, few_start_columns
from deploy_opt.plan.joint.start_search import pattern_of, start_of
from deploy_opt.plan.proof import hour_names
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.plan.solver import linear_model, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.city.parts import CityQuestion
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.service_settings import CoResponders

_SHORT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """What a service must always have on duty, and what it may use for that.

    Attributes
    ----------
    service
        The service.
    asks
        What asks for the units, in words: a key of the scenario and its value.
    needed
        Units by unit type (districts are types) and hour, shape (types, hours).
    columns
        Shifts.
    cost_per_h
        Money that a unit-hour costs.
    budget_h
        Unit-hours that the service may use by itself; None: as many as it needs.
    budget_key
        Key of the scenario that sets them.
    shifts_key
        Section that holds its start times and patterns.
    max_starts, max_patterns
        Its limits on them.
    """

    service: str
    asks: str
    needed: NDArray[np.int64]
    columns: ShiftColumns
    cost_per_h: float
    budget_h: float | None
    budget_key: str
    shifts_key: str
    max_starts: int | None = None
    max_patterns: int | None = None


def check_minimum(
    minima: Sequence[Minimum], *, first_hour: int, shared: bool, money: float | None
) -> None:
    """Refuse budgets and limits on start times that cannot keep the minimum staffing.

    Parameters
    ----------
    minima
        By service.
    first_hour
        Hour of the week at which the plan starts.
    shared
        Whether the services share their money; then only the sum has to do.
    money
        The shared budget; None: the sum of what the services may use by themselves.

    Raises
    ------
    InfeasibleError
        Names the service, the hours that stay short and how much more they need.
    """
    wrong: list[str] = []
    cost, budget, known = 0.0, 0.0, True
    for minimum in minima:
        columns = few_start_columns(
            minimum.needed,
            minimum.columns,
            max_starts=minimum.max_starts,
            max_patterns=minimum.max_patterns,
        )
        if columns is None:
            wrong.append(_too_few_starts(minimum, first_hour))
            continue
        fewest = _fewest_hours(minimum.needed, columns)
        cost += fewest * minimum.cost_per_h
        if minimum.budget_h is None:
            known = known and money is not None
            continue
        budget += minimum.budget_h * minimum.cost_per_h
        if not shared and minimum.budget_h < fewest - _SHORT:
            short = _short_hours(minimum.needed, columns, minimum.budget_h)
            wrong.append(
                f"{minimum.service}: {minimum.asks} takes {fewest:,.0f} unit-hours of whole crews; "
                f"{minimum.budget_key} = {minimum.budget_h:g} needs "
                f"{fewest - minimum.budget_h:,.0f} more; short at {hour_names(short, first_hour)}"
            )
    total = money if money is not None else budget
    if shared and known and total < cost - _SHORT:
        names = ", ".join(f"{minimum.service} ({minimum.asks})" for minimum in minima)
        wrong.append(
            f"all services: {names} take {cost:,.0f} of money in the hours of the plan, and the "
            f"shared budget of {total:,.0f} needs {cost - total:,.0f} more"
        )
    if wrong:
        raise InfeasibleError(wrong)


def minima_of(question: CityQuestion) -> list[Minimum]:
    """List what each service of a plan must always have on duty."""
    case, patrol, teams = question.case, question.patrol, question.teams
    fleet, shifts, rules = case.settings.fleet, case.settings.shifts, case.rules
    hours, districts = question.ground.num_hours, len(question.ground.district_names)
    asks = f"fleet.min_units = {fleet.min_units}"
    if (rules.min_units > fleet.min_units).any():
        asks += " with fleet.limits"
    found = [
        Minimum(
            service="ems",
            asks=asks,
            needed=rules.min_units[None, :].astype(np.int64),
            columns=case.columns,
            cost_per_h=fleet.cost_per_unit_hour or 1.0,
            budget_h=rules.unit_hours,
            budget_key="fleet.unit_hours_per_week (or today's)",
            shifts_key="shifts",
            max_starts=None if shifts is None else shifts.max_starts,
            max_patterns=None if shifts is None else shifts.max_patterns,
        )
    ]
    sections = [
        (
            f"patrol.min_units = {patrol.min_units} in each of {districts} districts",
            ("police", "patrol", patrol.shifts),
            np.full((districts, hours), patrol.min_units, dtype=np.int64),
            (patrol.cost_per_unit_hour, patrol_hours_given(question)[0]),
        )
    ]
    if question.team_calls is not None:
        sections.append(
            (
                f"coresponders.min_teams = {teams.min_teams}",
                ("coresponse", "coresponders", teams.shifts),
                np.full((1, hours), teams.min_teams, dtype=np.int64),
                (team_cost_per_h(teams), teams.unit_hours_per_week),
            )
        )
    for asks, (service, key, of), needed, (cost, given) in sections:
        columns = shift_columns(of, hours=hours, first_hour=case.settings.first_hour)
        found.append(
            Minimum(
                service=service,
                asks=asks,
                needed=needed,
                columns=columns,
                cost_per_h=cost,
                budget_h=given,
                budget_key=f"{key}.unit_hours_per_week",
                shifts_key=f"{key}.shifts",
                max_starts=of.max_starts,
                max_patterns=of.max_patterns,
            )
        )
    return found


def patrol_hours_given(question: CityQuestion) -> tuple[float | None, str]:
    """Give the patrols' unit-hours where the scenario or today's roster says them, and which."""
    if question.patrol.unit_hours_per_week is not None:
        return question.patrol.unit_hours_per_week, "as the scenario says"
    if question.patrol_today is not None:
        return float(question.patrol_today.sum()), "as many as today's roster"
    return None, ""


def team_cost_per_h(teams: CoResponders) -> float:
    """Give what an hour on duty of a team costs, relief included where it is a factor."""
    relief = teams.relief_factor if teams.formula == "relief_factor" else 1.0
    return teams.cost_per_unit_hour * relief


def _fewest_hours(needed: NDArray[np.int64], columns: ShiftColumns) -> float:
    """Give the fewest unit-hours of whole crews that keep a need, as far as they are bounded."""
    needs, count = np.unique(needed, axis=0, return_counts=True)
    bounds = [np.ceil(cheapest_crews(need, columns).bound - _SHORT) for need in needs]
    return float(np.dot(count, bounds))


def _short_hours(
    needed: NDArray[np.int64], columns: ShiftColumns, budget_h: float
) -> NDArray[np.int64]:
    """Find hours that stay short when a budget misses as few unit-hours of a need as it can."""
    needs, count = np.unique(needed, axis=0, return_counts=True)
    on_duty = sparse.csr_array(columns.on_duty.T.astype(np.float64))
    crews, hours = len(columns.length_h) * len(needs), needs.size
    cover = sparse.hstack([sparse.block_diag([on_duty] * len(needs)), sparse.eye_array(hours)])
    paid = np.concatenate([np.kron(count, columns.unit_hours), np.zeros(hours)])
    model = linear_model(
        np.concatenate([np.zeros(crews), np.repeat(count, needs.shape[1]).astype(np.float64)]),
        sparse.csr_array(sparse.vstack([cover, sparse.csr_array(paid[None, :])])),
        rows=(
            np.concatenate([needs.ravel().astype(np.float64), [-np.inf]]),
            np.concatenate([np.full(hours, np.inf), [float(budget_h)]]),
        ),
        bounds=(0.0, np.inf),
        integer=False,
    )
    found = solve(model)
    missing = np.zeros(hours) if found.x is None else found.x[crews:]
    return np.flatnonzero((missing.reshape(needs.shape) > _SHORT).any(axis=0))


def _too_few_starts(minimum: Minimum, first_hour: int) -> str:
    """Say which limit leaves hours without crews, and the least that would do."""
    bare = minimum.needed.any(axis=0) & ~minimum.columns.on_duty.any(axis=0)
    if bare.any():
        hours = hour_names(np.flatnonzero(bare), first_hour)
        return (
            f"{minimum.service}: {minimum.asks}, and {minimum.shifts_key} has no shift at {hours}"
        )
    said = [
        f"{minimum.shifts_key}.{key} = {at_most}"
        for key, at_most in (
            ("max_starts", minimum.max_starts),
            ("max_patterns", minimum.max_patterns),
        )
        if at_most is not None
    ]
    words = f"{minimum.service}: {' with '.join(said)} cannot keep {minimum.asks}"
    limits = (minimum.max_starts, minimum.max_patterns)
    options = (start_of(minimum.columns), pattern_of(minimum.columns))
    for rank, (key, at_most) in enumerate(zip(("max_starts", "max_patterns"), limits, strict=True)):
        if at_most is None:
            continue
        for more in range(at_most + 1, len(np.unique(options[rank], axis=0)) + 1):
            tried = [more if k == rank else limit for k, limit in enumerate(limits)]
            found = few_start_columns(
                minimum.needed, minimum.columns, max_starts=tried[0], max_patterns=tried[1]
            )
            if found is not None:
                return f"{words}; {key} = {more} can"
    return words

"""One deployment question laid out: demand rows, rules, shifts, floors and rival plans."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, InfeasibleError, InputError
from deploy_opt.plan.coverage import CoverModel, cover_model
from deploy_opt.plan.crew_conflicts import crew_conflicts
from deploy_opt.plan.evaluate import checked_units
from deploy_opt.plan.floors import Floors, reachable_floors
from deploy_opt.plan.joint.few_starts import few_starts
from deploy_opt.plan.master import fitting_crews
from deploy_opt.plan.paths.model import paths_model
from deploy_opt.plan.paths.rates import planning_rates
from deploy_opt.plan.pinned import FreePart, pinned_rules, weighted_model
from deploy_opt.plan.rules import Rules, rules_of
from deploy_opt.plan.shifts import ShiftColumns, shift_columns
from deploy_opt.plan.simple import make_simple
from deploy_opt.plan.solver import Limits, check_engine
from deploy_opt.plan.week import week_moves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.population import Population
    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import WeeklyForecast
    from deploy_opt.settings import PlanSettings


_NO_FLOORS = Floors(np.zeros(0, np.int64), 1.0, 0, np.zeros(0, np.int64))
"""Stands in a case until its floors are found."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the steps of a plan share.

    Attributes
    ----------
    model
        Demand rows of the week.
    rules
        Rules by hour and post.
    columns
        Shifts.
    settings
        The plan section.
    floors
        Fewest units by hour that can be kept.
    rivals
        Today's and the simple plan where they keep the hard rules: units (hours, posts) and crews.
    stop_at
        Monotonic clock at which searches end; inf without a clock limit.
    times
        Drive times from posts to demand points.
    people
        Residents and population groups; None where they are not known.
    notes
        What the questions leave to say of the shifts, in words.
    own_areas
        Areas whose floors count, shape (areas,); None = all.
    """

    model: CoverModel
    rules: Rules
    columns: ShiftColumns
    settings: PlanSettings
    floors: Floors
    rivals: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    stop_at: float
    times: TravelTimes
    people: Population | None = None
    notes: tuple[str, ...] = ()
    own_areas: NDArray[np.bool_] | None = None

    @property
    def out_of_time(self) -> bool:
        """Whether the clock limit has passed."""
        return time.monotonic() > self.stop_at


def lay_out(
    forecast: WeeklyForecast,
    times: TravelTimes,
    settings: PlanSettings,
    baseline: NDArray[np.int64] | None,
    *,
    people: Population | None = None,
    path_calls: NDArray[np.int32] | None = None,
    every_start: bool = False,
    free: FreePart | None = None,
) -> Case:
    """Lay out a deployment question; arguments and errors as `plan_deployment`.

    With `path_calls` and ``robust``, the rules stand on the forecast's mean and the value of a
    plan on the paths. A limit on start times or patterns is kept by leaving the others out
    (`few_starts.few_starts`), unless a plan of several services asks for `every_start` to choose
    them itself. With a `free` part units are planned at its posts alone, in the unit-hours that
    they have in `baseline`; elsewhere they are the baseline's, hour by hour
    (`pinned.pinned_rules`). Crews are then those of the free posts, by the same shifts.
    """
    _check_balance(settings, people)
    check_engine(settings.solver.engine)
    limit = settings.solver.time_limit_s
    stop_at = np.inf if limit is None else time.monotonic() + limit
    if baseline is None and settings.fleet.unit_hours_per_week is None:
        expected = "fleet.unit_hours_per_week, or a baseline that tells today's unit-hours"
        raise InputError.of("fleet.unit_hours_per_week", "nothing", expected)
    model = cover_model(forecast, times, settings)
    posts, hours = times.origins, settings.hours
    today = None
    if baseline is not None:
        today = checked_units(baseline, hours, len(posts), "baseline")
    rules = rules_of(settings, posts, model.loads, 0 if today is None else today.sum())
    columns = shift_columns(settings.shifts, hours=hours, first_hour=settings.first_hour)
    case = _with_columns(
        Case(model, rules, columns, settings, _NO_FLOORS, (), stop_at, times, people), today
    )
    few = None if every_start else few_starts(case)
    if few is not None:
        case = replace(_with_columns(replace(case, columns=few.columns), today), notes=(few.words,))
    if free is not None and today is not None and not free.posts.all():
        model = weighted_model(model, free.weight)
        rules = pinned_rules(rules, today, free.posts)
        columns = replace(case.columns, fixed=np.where(free.posts, 0, today).sum(axis=1))
        case = replace(case, model=model, rules=rules, columns=columns, own_areas=free.areas)
        case = _with_columns(case, today)
    if settings.robust is not None and path_calls is not None:
        rates = planning_rates(path_calls, model.rates, settings.robust.paths)
        case = replace(case, model=paths_model(model, rates))
    return case


def _with_columns(case: Case, today: NDArray[np.int64] | None) -> Case:
    """Find the floors and rival plans that the case's shifts can keep."""
    model, rules, columns, settings = case.model, case.rules, case.columns, case.settings
    post_ids = [str(post) for post in case.times.origins["post_id"]]
    floors = _floors(model, settings, rules, columns, post_ids)
    simple = make_simple(model, rules, columns)
    rivals = [(simple.units, simple.crews)]
    if today is not None:
        crews = fitting_crews(today.sum(axis=1), columns, engine=settings.solver.engine)
        if crews is not None:
            rivals.append((today, crews))
    kept = tuple(rival for rival in rivals if _keeps_hard_rules(rules, rival[0]))
    return replace(case, floors=floors, rivals=kept)


def _floors(
    model: CoverModel,
    settings: PlanSettings,
    rules: Rules,
    columns: ShiftColumns,
    post_ids: list[str],
) -> Floors:
    """Find the floors that can be kept; where no crews keep the rules, name the fewest of them."""
    cap, engine = settings.fleet.busy_cap, settings.solver.engine
    try:
        return reachable_floors(model.loads, columns, rules, busy_cap=cap, engine=engine)
    except InfeasibleError as error:
        named = crew_conflicts(settings, rules, columns, post_ids)
        if not named:
            raise
        kept = error.rules if (rules.held[~columns.on_duty.any(axis=0)] > 0).any() else ()
        shifts = "units come and go only by shifts.starts_h and shifts.lengths_h"
        raise InfeasibleError(kept or (*named, shifts)) from None


def _check_balance(settings: PlanSettings, people: Population | None) -> None:
    faults = FaultList()
    if settings.equity.worst_group_cover is not None and people is None:
        expected = "inputs.population: area_id, population and group shares"
        faults.add("equity.worst_group_cover", "no population", expected)
    if settings.equity.objective == "nash" and settings.layers:
        expected = "calls, as the response layers of the standard say what a plan makes most of"
        faults.add("equity.objective", "nash", expected, "leave the layers or the Nash welfare out")
    prices = (settings.posts.calls_to_open, *settings.posts.calls_to_open_at.values())
    if settings.equity.objective == "nash" and any(prices):
        expected = "calls, as prices of opening (posts.calls_to_open) are counted in calls"
        faults.add("equity.objective", "nash", expected, "leave the prices or the welfare out")
    faults.raise_if_any()


def _keeps_hard_rules(rules: Rules, units: NDArray[np.int64]) -> bool:
    inside = (units >= rules.lower).all() and (units <= rules.upper).all()
    few = (units.sum(axis=1) <= rules.max_units).all() and units.sum() <= rules.unit_hours
    posts = rules.max_open is None or int(units.any(axis=0).sum()) <= rules.max_open
    if rules.max_open_per_hour is not None:
        posts &= int((units > 0).sum(axis=1).max(initial=0)) <= rules.max_open_per_hour
    moves = week_moves(units, cyclic=rules.cyclic).max(initial=0)
    return bool(inside and few and posts and (rules.max_moves is None or moves <= rules.max_moves))


def solver_limits(case: Case) -> Limits:
    """Give the gap, the work and what is left of the clock for an integer solve."""
    solver = case.settings.solver
    left = None if np.isinf(case.stop_at) else max(case.stop_at - time.monotonic(), 0.1)
    return Limits(solver.gap, solver.node_limit, time_limit_s=left)

"""The fewest unit-hours that reach a target share of the calls, with the bound below it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.balance.rules import balance_of
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.crew_search import CrewProblem, priced_score
from deploy_opt.plan.deployment import DeploymentPlan, SolvedCase, crew_frame
from deploy_opt.plan.floors import reachable_floors
from deploy_opt.plan.master import CrewPlan, choose_crews, concave_hull
from deploy_opt.plan.place import place
from deploy_opt.plan.proof import certify, make_report
from deploy_opt.plan.solver import Limits, Model, linear_model, solve
from deploy_opt.plan.staff import Staffed
from deploy_opt.plan.value_tables import ValueTables, value_tables

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from deploy_opt.inputs.population import Population
    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.coverage import WeeklyForecast
    from deploy_opt.plan.place import Placed
    from deploy_opt.settings import PlanSettings

    _Span: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]

_ROOM = 1_000_000.0
"""Unit-hours that stand for "any number"."""
_TRIES = 12
_FIRST_STEP = 3e-4
_FULL = 1e-5
_ENOUGH = 1.01
_SPARE = 4
_HOURS_GAP = 1e-3
_NODES = 300
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class FewestHours:
    """The least that reaches a target.

    Attributes
    ----------
    solved
        A plan that reaches it, with what it was made from.
    target_share
        The asked share of the expected calls.
    share
        Share that the plan reaches.
    unit_hours
        Its unit-hours.
    bound
        No crews with fewer unit-hours reach the target, by the concave hulls of the value tables.
    settings
        The plan section with these unit-hours as its budget.
    """

    solved: SolvedCase
    target_share: float
    share: float
    unit_hours: int
    bound: float
    settings: PlanSettings

    @property
    def plan(self) -> DeploymentPlan:
        """The plan."""
        return self.solved.plan

    @property
    def words(self) -> str:
        """Answer and bound in one sentence."""
        return (
            f"{self.unit_hours:,} unit-hours reach {self.share:.2%} of the calls in time "
            f"(asked: {self.target_share:.2%}); fewer than {self.bound:,.0f} cannot, by the bound "
            "on crews over the value tables."
        )


def fewest_unit_hours(
    forecast: WeeklyForecast,
    times: TravelTimes,
    settings: PlanSettings,
    *,
    target_share: float,
    baseline: NDArray[np.int64] | None = None,
    people: Population | None = None,
) -> FewestHours:
    """Find the fewest unit-hours that reach a target within every rule of the plan section.

    Value tables are made once. The least unit-hours of crews whose hull values reach the target
    are a linear program, and branch and bound makes the crews whole: both bound the answer. Where
    whole crews miss the target, as a table lies below its hull, budgets are bisected upwards.
    Limits on posts and moves and rules of balance cost a little of that, so positions are made
    and, where they fall short, the target of the crews rises by what was lost. The busy cap and
    the fewest units are hard here.

    Parameters
    ----------
    forecast
        Gives the expected calls by area and hour of the week.
    times
        Drive times from posts to demand points, s.
    settings
        The plan section; its unit-hours and its response layers are not used, as the target is
        a share within the standard.
    target_share
        Share of the expected calls to reach within the standard, between 0 and 1.
    baseline
        Today's units, shape (hours, posts): tried as a start where they keep the rules.
    people
        Residents and population groups; needed for a floor on groups.

    Returns
    -------
    FewestHours

    Raises
    ------
    InputError
        A target outside 0 to 1.
    InfeasibleError
        No number of units at the usable posts reaches the target, or keeps the rules of balance
        with it; says by how much it is missed.
    """
    if not 0.0 < target_share < 1.0:
        raise InputError.of("target", f"{target_share:g}", "a share above 0 and below 1")
    settings = settings.on_the_standard()
    case = _any_budget(
        lay_out(forecast, times, _affordable(settings, baseline), baseline, people=people)
    )
    calls = float(case.model.rates.sum())
    asked = target_share * calls
    limits = case.floors.units, np.minimum(case.rules.max_units, case.rules.upper.sum(axis=1))
    tables = _tables_to(case, asked, limits)
    search = _Search(case, tables, limits)
    bound, crews = search.fewest(asked)
    wanted, failed, step = asked, asked, _FIRST_STEP * asked
    best: tuple[Case, Staffed, Placed] | None = None
    for _ in range(_TRIES):
        hours = search.problem(0.0).used(crews)
        here = _at_budget(case, hours)
        staffed = Staffed(tables, search.as_plan(crews, hours))
        placed = place(here, staffed)
        missed = asked - placed.value
        unkept = _unkept(here, placed, tables.max_units)
        weak = bool(unkept)
        if missed <= _CLOSE * asked and not weak:
            better = best is None or placed.staffing.sum() < best[2].staffing.sum()
            best = (here, staffed, placed) if better else best
            if wanted - failed <= _FIRST_STEP * asked:
                break
            wanted = (wanted + failed) / 2
        else:
            failed = wanted
            if best is not None:
                break
            # what limits took is asked for on top; a rule of balance needs more and more
            wanted += max(1.2 * missed, step)
            step *= 2
        if wanted > _ceiling(tables, limits):
            break
        crews = search.fewest(wanted)[1]
    if best is None:
        raise InfeasibleError(_short(placed.value / calls, target_share, unkept))
    here, staffed, placed = best
    hours = int(placed.staffing.sum())
    report = make_report(here, staffed, placed, certify(here, staffed, placed))
    plan = DeploymentPlan(placed.units, crew_frame(case.columns, placed.crews), report)
    return FewestHours(
        SolvedCase(plan, here, staffed, placed),
        target_share,
        placed.value / calls,
        hours,
        float(min(np.ceil(bound - 1e-6), hours)),
        _with_hours(settings, float(hours)),
    )


def _unkept(case: Case, placed: Placed, most: int) -> list[str]:
    """Name the rules of balance that are missed, though `most` units an hour could keep them."""
    many = np.full(case.model.num_hours, most)
    balance = balance_of(case, many)
    standing = balance.judge(placed.units)
    return [
        f"{rule.key}: "
        + (f"{judged.reached:.1f} s" if rule.key.endswith("_s") else f"{judged.reached:.1%}")
        + " is the nearest found"
        for rule, judged in zip(balance.rules, standing.rules, strict=True)
        if judged.miss > 0
    ]


def _affordable(settings: PlanSettings, baseline: NDArray[np.int64] | None) -> PlanSettings:
    """Give a budget to lay the question out with, where the scenario's own says too little."""
    given = settings.fleet.unit_hours_per_week
    locked = sum(settings.posts.locked.values()) * settings.hours
    today = 0.0 if baseline is None else float(np.asarray(baseline).sum())
    least = max(2.0 * locked, float(max(settings.fleet.min_units, 1) * settings.hours))
    return _with_hours(settings, max(today if given is None else given, least))


def _with_hours(settings: PlanSettings, hours: float) -> PlanSettings:
    fleet = settings.fleet.model_copy(update={"unit_hours_per_week": hours})
    return settings.model_copy(update={"fleet": fleet})


def _any_budget(case: Case) -> Case:
    """Lift the budget and keep the floors as asked; say so where no budget could keep them."""
    rules = replace(case.rules, unit_hours=_ROOM)
    cap = case.settings.fleet.busy_cap
    engine = case.settings.solver.engine
    floors = reachable_floors(case.model.loads, case.columns, rules, busy_cap=cap, engine=engine)
    room = np.minimum(rules.max_units, rules.upper.sum(axis=1))
    if (rules.floor > np.minimum(room, floors.units)).any():
        raise InfeasibleError(
            [
                (
                    f"fleet.busy_cap = {cap:g} and fleet.min_units = {rules.min_units.max()} "
                    f"need up to {int(rules.floor.max())} units in an hour"
                ),
                "fleet.max_units, the posts' capacities and the shifts allow fewer at that hour",
            ]
        )
    return replace(case, rules=rules, floors=floors)


def _at_budget(case: Case, hours: int) -> Case:
    """Set a budget and leave out the rivals that are above it."""
    rivals = tuple(rival for rival in case.rivals if rival[0].sum() <= hours)
    return replace(case, rules=replace(case.rules, unit_hours=float(hours)), rivals=rivals)


def _tables_to(case: Case, asked: float, limits: _Span) -> ValueTables:
    """Tabulate until the target is within reach with units to spare, or no unit adds any more."""
    low, most = limits
    seen = max((int(units.sum(axis=1).max()) for units, _ in case.rivals), default=0)
    top = int(most.max())
    size = min(top, max(int(low.max()), seen, int(2 * case.model.loads.max())) + _SPARE)
    before = 0.0
    while True:
        bounds = case.rules.lower, case.rules.upper
        seeds = tuple(units for units, _ in case.rivals)
        tables = value_tables(
            case.model, size, bounds, seeds=seeds, max_open=case.rules.max_open_per_hour
        )
        value = _ceiling(tables, limits)
        if value > _ENOUGH * asked or size >= top or value - before < _FULL * value:
            break
        before, size = value, min(top, int(1.4 * size) + 2)
    if value < asked:
        calls = float(case.model.rates.sum())
        raise InfeasibleError(
            [
                f"the target of {asked / calls:.2%} of the calls in time",
                (
                    f"with every usable post open and up to {size} units in an hour "
                    f"{value / calls:.2%} are reached: {(asked - value) / calls:.2%} of the calls, "
                    f"{asked - value:,.1f}, are missing; nearer posts or a longer standard are "
                    "needed"
                ),
            ]
        )
    return tables


def _ceiling(tables: ValueTables, limits: _Span) -> float:
    top = np.minimum(limits[1], tables.max_units)
    return float(tables.value[np.arange(len(top)), top].sum())


class _Search:
    """Crews of the fewest unit-hours for a sum of table values."""

    def __init__(self, case: Case, tables: ValueTables, limits: _Span) -> None:
        self.case, self.tables = case, tables
        self.low, self.high = limits[0], np.minimum(limits[1], tables.max_units)
        self.score = priced_score(tables.value, (self.low, self.high))

    def problem(self, unit_hours: float) -> CrewProblem:
        """Give the crew problem at a budget."""
        return CrewProblem(self.case.columns, self.score, unit_hours)

    def as_plan(self, crews: NDArray[np.int64], hours: int) -> CrewPlan:
        """Give crews with the bound on what the same unit-hours can be worth."""
        plan = self._best_at(hours, [crews])
        return replace(
            plan,
            crews=crews,
            staffing=self.case.columns.staffing(crews),
            value=self.problem(hours).total(crews),
        )

    def fewest(self, wanted: float) -> tuple[float, NDArray[np.int64]]:
        """Bound the unit-hours of a value from below and find whole crews near the bound."""
        model = self._least_hours(wanted, whole=False)
        engine = self.case.settings.solver.engine
        relaxed = solve(model, engine=engine)
        if relaxed.x is None:
            raise InfeasibleError([f"no crews of these shifts reach {wanted:,.1f} calls in time"])
        bound = relaxed.report.bound
        whole = solve(
            self._least_hours(wanted, whole=True), engine=engine, limits=Limits(_HOURS_GAP, _NODES)
        )
        shifts = len(self.case.columns.length_h)
        bound = max(bound, whole.report.bound)
        if whole.x is not None:
            crews = np.rint(whole.x[:shifts]).astype(np.int64)
            if self.problem(0.0).total(crews) >= wanted * (1 - _CLOSE):
                return bound, crews
        return bound, self._climb(wanted, bound)

    def _climb(self, wanted: float, bound: float) -> NDArray[np.int64]:
        """Double the step above the bound until crews reach the value, then bisect."""
        low, step = int(np.ceil(bound - 1e-6)) - 1, max(1, round(2e-3 * bound))
        best = None
        crews = [self.case.floors.crews]
        while best is None:
            found = self._best_at(low + step, crews)
            if found.value >= wanted * (1 - _CLOSE):
                best = found.crews
            elif step > bound + self.case.model.num_hours:
                raise InfeasibleError([f"no whole crews reach {wanted:,.1f} calls in time"])
            else:
                crews, low, step = [found.crews], low + step, 2 * step
        high = self.problem(0.0).used(best)
        while high - low > max(1, round(_HOURS_GAP * high)):
            middle = (low + high) // 2
            found = self._best_at(middle, crews)
            if found.value >= wanted * (1 - _CLOSE):
                best, high = found.crews, min(middle, self.problem(0.0).used(found.crews))
            else:
                crews, low = [found.crews], middle
        return best

    def _best_at(self, hours: int, starts: list[NDArray[np.int64]]) -> CrewPlan:
        case = self.case
        kept = [crews for crews in starts if crews @ case.columns.unit_hours <= hours]
        return choose_crews(
            self.tables.value,
            case.columns,
            (self.low, self.high),
            float(hours),
            kept or [np.zeros_like(case.floors.crews)],
            limits=Limits(1e-3, _NODES),
            engine=case.settings.solver.engine,
        )

    def _least_hours(self, wanted: float, *, whole: bool) -> Model:
        hour, number, worth = [], [], []
        for row in range(len(self.low)):
            points = np.arange(self.low[row], self.high[row] + 1)
            hull = points[concave_hull(self.tables.value[row, points])]
            hour.append(np.full(len(hull), row))
            number.append(hull)
            worth.append(self.tables.value[row, hull])
        rows, counts = np.concatenate(hour), np.concatenate(number)
        points, columns = np.arange(len(rows)), self.case.columns
        shape, shifts = (len(self.low), len(rows)), len(columns.length_h)
        one = sparse.coo_array((np.ones(len(rows)), (rows, points)), shape=shape)
        count = sparse.coo_array((counts.astype(np.float64), (rows, points)), shape=shape)
        on_duty = sparse.csr_array(-columns.on_duty.T.astype(np.float64))
        reached = sparse.csr_array(np.concatenate(worth)[None, :])
        fixed = np.concatenate([np.ones(shape[0]), np.zeros(shape[0])])
        return linear_model(
            np.concatenate([columns.unit_hours.astype(np.float64), np.zeros(len(rows))]),
            sparse.block_array([[None, one], [on_duty, count], [None, reached]]),
            rows=(np.append(fixed, wanted), np.append(fixed, np.inf)),
            bounds=(0.0, np.concatenate([np.full(shifts, np.inf), np.ones(len(rows))])),
            integer=np.concatenate([np.full(shifts, whole), np.zeros(len(rows), dtype=bool)]),
        )


def _short(reached: float, target_share: float, unkept: list[str]) -> list[str]:
    lines = [f"the target of {target_share:.2%} of the calls in time", *unkept]
    lines.append(
        f"the limits on open posts, moves and posts: with them {reached:.2%} are reached"
        + (f", {target_share - reached:.2%} short" if reached < target_share else "")
    )
    return lines

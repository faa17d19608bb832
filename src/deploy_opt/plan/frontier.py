"""What more hours buy and what fairness costs: calls reached against one other aim."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.balance.balance import Balance
from deploy_opt.plan.balance.equity import counted_areas, possible_cover, weekly_cover
from deploy_opt.plan.balance.mixture_floor import MixtureFloor
from deploy_opt.plan.balance.price_search import search_prices
from deploy_opt.plan.balance.rules import AREA_FLOOR
from deploy_opt.plan.bounds.certificates import location_bound
from deploy_opt.plan.floors import reachable_floors
from deploy_opt.plan.master import choose_crews
from deploy_opt.plan.solver import Limits
from deploy_opt.plan.value_tables import value_tables
from deploy_opt.plan.week import settle, week_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.balance.balance import Prices
    from deploy_opt.plan.balance.price_search import PriceSearch
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.value_tables import ValueTables

Curve = Literal["cost", "equity", "response", "workload"]
CURVES: tuple[Curve, ...] = ("cost", "equity", "response", "workload")
PointStatus = Literal["optimal", "limit", "floors_missed", "infeasible"]

_NODES = 200
_LEAST_BEND = 0.03
_FIRST_RISE = 0.06
_LEAST_RISE = 0.01
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """One point of a curve.

    Attributes
    ----------
    x
        Unit-hours, cover of the weakest area, mean drive (s), or spread of the units' workload.
    calls
        Expected calls reached within the standard; NaN where nothing keeps the rules.
    bound
        What nothing can exceed at this x; NaN where it is not known.
    status
        ``optimal``: within the asked gap; ``limit``: a work or clock limit ended the search first;
        ``floors_missed``: the best there is, but the busy cap or the fewest units give way;
        ``infeasible``: nothing reaches this x.
    mark
        ``plan``, ``today``, ``knee`` or nothing.
    """

    x: float
    calls: float
    bound: float = np.nan
    status: PointStatus = "optimal"
    mark: str = ""

    @property
    def gap(self) -> float:
        """Gap between the calls and the bound; NaN where one is not known."""
        return self.bound / self.calls - 1.0 if self.calls > 0 else np.nan


@dataclass(frozen=True, slots=True)
class Frontier:
    """A curve of calls reached.

    Attributes
    ----------
    curve
        Which one.
    total
        Expected calls that 100 % stands for.
    points
        By rising x; marks of plan and today that are not on the curve come last.
    notes
        How it was made, and what it leaves aside.
    cost_per_unit_hour
        Money that a unit-hour costs, where x are unit-hours and the scenario says it.
    """

    curve: Curve
    total: float
    points: tuple[FrontierPoint, ...]
    notes: tuple[str, ...]
    cost_per_unit_hour: float | None = None

    @property
    def line(self) -> tuple[FrontierPoint, ...]:
        """The points on the curve, without the marks beside it."""
        return tuple(point for point in self.points if point.mark not in {"plan", "today"})


@dataclass(frozen=True, slots=True)
class PlanAtHand:
    """A plan whose neighbours are asked for.

    Attributes
    ----------
    case
        The question that it answers.
    units
        Units at each post, shape (hours, posts).
    free
        The same units on duty without limits on open posts and moves, shape (hours, posts).
    today
        Today's units, to be marked; None where there are none.
    """

    case: Case
    units: NDArray[np.int64]
    free: NDArray[np.int64]
    today: NDArray[np.int64] | None = None

    @property
    def staffing(self) -> NDArray[np.int64]:
        """Units on duty, shape (hours,)."""
        return np.asarray(self.units.sum(axis=1), dtype=np.int64)

    def value(self, units: NDArray[np.int64]) -> float:
        """Give the expected calls that any positions reach."""
        return float(self.case.model.value(units).sum())

    @property
    def marks(self) -> list[tuple[NDArray[np.int64], str]]:
        """The plan and today, each with its mark."""
        found = [(self.units, "plan")]
        return found if self.today is None else [*found, (self.today, "today")]


def at_hand(
    case: Case, units: NDArray[np.int64], today: NDArray[np.int64] | None = None
) -> PlanAtHand:
    """Set up the plan whose neighbours are asked for; its free positions are searched from it."""
    free = settle(week_at(case.model, case.rules, units.sum(axis=1)), units)
    return PlanAtHand(case, units, free, today)


def cost_curve(
    plan: PlanAtHand,
    *,
    num_points: int = 8,
    span: tuple[float, float] = (0.6, 1.5),
    tables: ValueTables | None = None,
) -> Frontier:
    """Trace the calls reached by unit-hours, on value tables that are made once.

    Each point is a crew master on the same tables; it starts from the crews of the point before,
    so that more hours never reach fewer calls. Limits on open posts and moves are left aside.

    Parameters
    ----------
    plan
        The plan at hand.
    num_points
        Points on the curve.
    span
        Lowest and highest budget against the plan's.
    tables
        Value tables of the same question, if some are at hand; too small ones are made again.

    Returns
    -------
    Frontier
    """
    case, budget = plan.case, float(plan.staffing.sum())
    budgets = np.unique(np.round(np.linspace(span[0] * budget, span[1] * budget, num_points)))
    most = np.minimum(case.rules.max_units, case.rules.upper.sum(axis=1))
    size = min(int(most.max()), int(span[1] * plan.staffing.max()) + 4)
    if tables is None or size > tables.max_units:
        seeds = (plan.free, *(units for units, _ in case.rivals))
        bounds = case.rules.lower, case.rules.upper
        tables = value_tables(
            case.model, size, bounds, seeds=seeds, max_open=case.rules.max_open_per_hour
        )
    points: list[FrontierPoint] = []
    before: NDArray[np.int64] | None = None
    for hours in budgets.tolist():
        point, before = _cost_point(case, tables.value, most, hours, before)
        last = max((p.calls for p in points if p.calls > 0), default=-np.inf)
        if point.calls < last:  # tighter floors must not hide that fewer hours reached more
            point = replace(point, calls=last, status="floors_missed")
        points.append(replace(point, bound=max(point.bound, point.calls)))
    marked = _with_knee(points)
    for units, mark in plan.marks:
        marked.append(FrontierPoint(float(units.sum()), plan.value(units), mark=mark))
    notes = (
        (
            "Each point chooses crews for its unit-hours on the same value tables, up to "
            f"{size} units "
            "an hour; the bound is that of the tables' concave hulls."
        ),
        (
            "Limits on open posts and moves are left aside; they take "
            f"{max(1 - plan.value(plan.units) / max(plan.value(plan.free), 1e-12), 0):.2%} of the "
            "calls reached at the plan."
        ),
    )
    cost = case.settings.fleet.cost_per_unit_hour
    return Frontier("cost", float(case.model.rates.sum()), tuple(marked), notes, cost)


def _cost_point(
    case: Case,
    value: NDArray[np.float64],
    most: NDArray[np.int64],
    hours: float,
    before: NDArray[np.int64] | None,
) -> tuple[FrontierPoint, NDArray[np.int64] | None]:
    solver, fleet = case.settings.solver, case.settings.fleet
    rules = replace(case.rules, unit_hours=hours)
    try:
        floors = reachable_floors(
            case.model.loads, case.columns, rules, busy_cap=fleet.busy_cap, engine=solver.engine
        )
    except InfeasibleError:
        return FrontierPoint(hours, np.nan, status="infeasible"), before
    missed = floors.busy_cap > fleet.busy_cap or floors.lowered > 0
    low = np.minimum(floors.units, most)
    starts = [floors.crews] if before is None else [floors.crews, before]
    crews = choose_crews(
        value,
        case.columns,
        (low, most),
        hours,
        [start for start in starts if case.columns.staffing(start).max() < value.shape[1]],
        limits=Limits(solver.gap, _NODES),
        engine=solver.engine,
    )
    status: PointStatus = "optimal" if crews.gap <= solver.gap * (1 + 1e-9) else "limit"
    point = FrontierPoint(hours, crews.value, crews.bound, "floors_missed" if missed else status)
    return point, crews.crews


def _with_knee(points: Sequence[FrontierPoint]) -> list[FrontierPoint]:
    """Mark the point that lies farthest above the chord (Satopaa and others 2011, *ICDCSW*)."""
    result = list(points)
    known = [rank for rank, point in enumerate(points) if np.isfinite(point.calls)]
    if len(known) < 3:
        return result
    x = np.asarray([points[rank].x for rank in known])
    y = np.asarray([points[rank].calls for rank in known])
    if np.ptp(x) <= 0 or np.ptp(y) <= 0:
        return result
    above = (y - y[0]) / (y[-1] - y[0]) - (x - x[0]) / (x[-1] - x[0])
    best = int(np.argmax(np.abs(above)))
    if abs(above[best]) >= _LEAST_BEND:
        result[known[best]] = replace(points[known[best]], mark="knee")
    return result


def equity_curve(plan: PlanAtHand, *, num_points: int = 8) -> Frontier:
    """Trace the calls reached by the cover that the weakest area must have.

    At the plan's units on duty, without limits on open posts and moves: the floor rises step by
    step, priced by weights on areas (`search_prices`). Every plan seen counts for every floor that
    it keeps, so that a higher floor never reaches more. Weak duality at the weights found bounds
    every floor at once. The last point is the highest floor that any positions could keep by
    `possible_cover`; where no plan was found for it, its calls are NaN.

    Parameters
    ----------
    plan
        The plan at hand.
    num_points
        Points on the curve, from the free plan's weakest area upwards.
    """
    case, staffing, model = plan.case, plan.staffing, plan.case.model
    possible = possible_cover(model, staffing, case.rules.usable)
    counted = counted_areas(model, case.settings.equity.min_calls_per_week) & (possible > 0)
    ceiling = float(possible[counted].min(initial=1.0))
    seen: list[tuple[float, float]] = []

    def weakest(units: NDArray[np.int64]) -> float:
        return float(weekly_cover(model, units)[counted].min(initial=1.0))

    def place(prices: Prices, here: NDArray[np.int64]) -> NDArray[np.int64]:
        units = settle(week_at(model, case.rules, staffing, prices.rules[0]), here)
        seen.append((weakest(units), plan.value(units)))
        return units

    def raised(floor: float, start: NDArray[np.int64], prices: Prices | None) -> PriceSearch:
        rule = MixtureFloor(AREA_FLOOR, floor, None, model.rates.sum(axis=1), counted)
        balance = Balance(model, (rule,))
        return search_prices(balance, start, place, prices=prices, stop=lambda: case.out_of_time)

    seen.append((weakest(plan.free), plan.value(plan.free)))
    start = seen[0][0]
    priced = [(np.ones(len(counted)), plan.free)]
    here, prices, floor, step = plan.free, None, start, _FIRST_RISE
    while step >= _LEAST_RISE and floor < ceiling:  # how high the floor can be
        found = raised(min(floor + step, ceiling), here, prices)
        if found.standing.miss <= 0:
            here, prices, floor = found.units, found.prices, found.standing.rules[0].reached
            priced.append((found.multipliers, found.units))
        else:
            step /= 2
    highest = max(w for w, _ in seen)
    here, prices = plan.free, None
    for floor in np.linspace(start, highest, num_points - 1)[1:-1].tolist():
        found = raised(floor, here, prices)
        if found.standing.miss <= 0:
            here, prices = found.units, found.prices
            priced.append((found.multipliers, found.units))
    floors = [*np.linspace(start, highest, num_points - 1).tolist(), ceiling]
    lines = _price_lines(plan, [priced[0], *priced[1 :: max(len(priced) // 3, 1)]])
    points = [_floor_point(floor, seen, lines, case.settings.solver.gap) for floor in floors]
    for units, mark in plan.marks:
        points.append(FrontierPoint(weakest(units), plan.value(units), mark=mark))
    notes = (
        (
            "At the plan's units on duty, without limits on open posts and moves; the floor is on "
            "the "
            f"weekly cover of each of {int(counted.sum())} areas with enough calls."
        ),
        (
            f"The search ended at {highest:.1%}; above {ceiling:.1%} nothing is possible with "
            "these "
            "units on duty."
        ),
    )
    return Frontier("equity", float(model.rates.sum()), tuple(points), notes)


def _price_lines(
    plan: PlanAtHand, priced: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]]
) -> list[tuple[float, float]]:
    """Bound the calls by ``top - floor x price`` for each of some weights and their positions."""
    model, engine = plan.case.model, plan.case.settings.solver.engine
    lines = []
    for mu, units in {one.tobytes(): (one, near) for one, near in priced}.values():
        week = week_at(model, plan.case.rules, plan.staffing, mu)
        top = location_bound(week, units, engine=engine).by_hour.sum()
        lines.append((float(top), float((mu - 1.0) @ model.rates.sum(axis=1))))
    return lines


def _floor_point(
    floor: float,
    seen: Sequence[tuple[float, float]],
    lines: Sequence[tuple[float, float]],
    asked: float,
) -> FrontierPoint:
    bound = min(top - floor * price for top, price in lines)
    reached = max((value for weakest, value in seen if weakest >= floor - _CLOSE), default=np.nan)
    if np.isnan(reached):
        return FrontierPoint(floor, np.nan, bound, "limit")
    status: PointStatus = "optimal" if bound <= reached * (1 + asked) else "limit"
    return FrontierPoint(floor, reached, max(bound, reached), status)


def best_below(seen: Sequence[tuple[float, float]], num_points: int) -> list[tuple[float, float]]:
    """Give the best value for each of several limits on x, of plans seen anywhere.

    Parameters
    ----------
    seen
        x (smaller is better) and value of each plan.
    num_points
        Limits, evenly spaced from the smallest x to that of the best value.

    Returns
    -------
    list
        Limit and value, rising in both.

    Examples
    --------
    >>> best_below([(1.0, 5.0), (3.0, 9.0), (2.0, 4.0)], 3)
    [(1.0, 5.0), (2.0, 5.0), (3.0, 9.0)]
    """
    top = max(value for _, value in seen)
    last = min(x for x, value in seen if value >= top)
    first = min(x for x, _ in seen)
    limits = np.linspace(first, last, num_points).tolist()
    return [
        (limit, max(value for x, value in seen if x <= limit * (1 + _CLOSE))) for limit in limits
    ]

"""Calls reached against mean response and against the spread of the units' workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.balance.nearest_units import NearestUnits, mean_absolute_deviation
from deploy_opt.plan.balance.response_rule import time_geometries
from deploy_opt.plan.coverage import CoverModel, Geometry
from deploy_opt.plan.frontier import Frontier, FrontierPoint, best_below
from deploy_opt.plan.search import swap_changes
from deploy_opt.plan.week import settle, week_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.frontier import PlanAtHand
    from deploy_opt.plan.search import Hour

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Weights of mean response in the response curve."""
WORKLOAD_PRICES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.4, 0.8, 1.6, 4.0)
"""Prices of the spread of workload, as shares of an hour's calls per unit of spread."""
WORKLOAD_STEP_H = 6
"""The workload curve looks at every sixth hour."""
_NEAR = 6
_MOST_STEPS = 30


def response_curve(plan: PlanAtHand, times: TravelTimes, *, num_points: int = 8) -> Frontier:
    """Trace the calls reached by the mean drive that is allowed.

    At the plan's units on duty, without limits on open posts and moves. The mean drive is the area
    under the share of calls not reached by a time, so layers of the same covering rows at several
    times, weighted by the time between them, stand for it; the curve follows their mix with the
    standard's own layer. The drive shown is that of the nearest free unit.

    Parameters
    ----------
    plan
        The plan at hand.
    times
        Drive times from posts to demand points, s.
    num_points
        Points on the curve.
    """
    case, staffing = plan.case, plan.staffing
    nearest = NearestUnits(case.model, times, first_hour=case.settings.first_hour)
    layered = time_geometries(
        case.model,
        times,
        first_hour=case.settings.first_hour,
        drive_limit_s=case.settings.drive_limit_s,
    )
    seen: list[tuple[float, float]] = []
    here = plan.free
    for share in SHARES:
        model = _mixed(case.model, layered, share)
        here = settle(week_at(model, case.rules, staffing), here)
        seen.append((nearest.mean_drive_s(here), plan.value(here)))
    points = [FrontierPoint(x, calls, np.nan) for x, calls in best_below(seen, num_points)]
    for units, mark in plan.marks:
        drive = nearest.mean_drive_s(units)
        points.append(FrontierPoint(drive, plan.value(units), mark=mark))
    notes = (
        (
            "At the plan's units on duty, without limits on open posts and moves; mean drive of "
            "the nearest free unit over calls that some unit can reach. Best plans found, without "
            "a bound."
        ),
    )
    return Frontier("response", float(case.model.rates.sum()), tuple(points), notes)


def _mixed(model: CoverModel, layered: Sequence[Geometry], share: float) -> CoverModel:
    """Weigh the standard's layer against the layers of mean response."""
    geometries = tuple(
        Geometry(
            np.hstack([one.cover, other.cover]),
            sparse.csr_array(
                sparse.hstack([(1.0 - share) * one.area_share, share * other.area_share])
            ),
        )
        for one, other in zip(model.geometries, layered, strict=True)
    )
    return CoverModel(model.area_ids, model.rates, model.busy_h, geometries, model.geometry_of_hour)


def workload_curve(plan: PlanAtHand, times: TravelTimes, *, num_points: int = 8) -> Frontier:
    """Trace the calls reached by the spread of workload between units that is allowed.

    Spread is the mean absolute deviation of the share of time that units are busy, over units and
    hours, when the nearest free unit answers (k-th nearest with chance ``(1 - q) q^(k-1)``). Units
    move from quiet to busy posts while the calls gained or lost, less the price of the spread,
    improve; prices rise from point to point. Every sixth hour is looked at, at the plan's units
    on duty and without limits on open posts and moves.

    Parameters
    ----------
    plan
        The plan at hand.
    times
        Drive times from posts to demand points, s.
    num_points
        Points on the curve.
    """
    case = plan.case
    hours = range(0, case.model.num_hours, WORKLOAD_STEP_H)
    week = week_at(case.model, case.rules, plan.staffing)
    nearest = NearestUnits(case.model, times, first_hour=case.settings.first_hour)
    work = _Spread(nearest)
    here = {hour: plan.free[hour] for hour in hours}
    seen = []
    for price in WORKLOAD_PRICES:
        here = {h: _balance(week.hours[h], here[h], work, h, price) for h in hours}
        value = sum(week.hours[h].value(here[h]) for h in hours)
        seen.append((work.over(here), value))
    points = [FrontierPoint(x, calls, np.nan) for x, calls in best_below(seen, num_points)]
    for units, mark in plan.marks:
        rows = {hour: units[hour] for hour in hours}
        value = float(case.model.value(units)[list(hours)].sum())
        points.append(FrontierPoint(work.over(rows), value, mark=mark))
    notes = (
        (
            "Mean absolute deviation of the units' busy share when the nearest free unit answers; "
            "every sixth hour, at the plan's units on duty, without limits on open posts and "
            "moves. "
            "Best plans found, without a bound."
        ),
    )
    total = float(case.model.rates[:, list(hours)].sum())
    return Frontier("workload", total, tuple(points), notes)


class _Spread:
    """Mean absolute deviation of the units' busy share, hour by hour."""

    def __init__(self, nearest: NearestUnits) -> None:
        self.by_post = nearest.busy_by_post

    def deviation(self, hour: int, units: NDArray[np.int64]) -> float:
        """Give the mean absolute deviation in an hour."""
        return mean_absolute_deviation(self.by_post(hour, units), units)

    def over(self, rows: dict[int, NDArray[np.int64]]) -> float:
        """Average the deviation over hours, each by its units on duty."""
        number = np.asarray([row.sum() for row in rows.values()], dtype=np.float64)
        each = np.asarray([self.deviation(hour, row) for hour, row in rows.items()])
        return float(number @ each / max(number.sum(), 1e-12))


def _balance(
    problem: Hour, units: NDArray[np.int64], work: _Spread, hour: int, price: float
) -> NDArray[np.int64]:
    result = units.copy()
    scale = price * float(problem.weights.sum())
    if scale <= 0:
        return result
    here = problem.value(result) - scale * work.deviation(hour, result)
    for _ in range(_MOST_STEPS):
        load = work.by_post(hour, result)
        can_leave = np.flatnonzero(result > problem.lower)
        can_take = np.flatnonzero(result < problem.upper)
        if not can_leave.size or not can_take.size:
            break
        sources = can_leave[np.argsort(load[can_leave], kind="stable")[:_NEAR]]
        change = swap_changes(problem, result, sources, can_take)
        busiest = np.argsort(-load[can_take], kind="stable")[:_NEAR]
        gentle = np.argsort(-change.max(axis=0), kind="stable")[:_NEAR]
        best, move = here, None
        for column in sorted({*busiest.tolist(), *gentle.tolist()}):
            for row in range(len(sources)):
                if not np.isfinite(change[row, column]):
                    continue
                trial = result.copy()
                trial[sources[row]] -= 1
                trial[can_take[column]] += 1
                worth = problem.value(trial) - scale * work.deviation(hour, trial)
                if worth > best + 1e-9 * abs(here):
                    best, move = worth, trial
        if move is None:
            break
        result, here = move, best
    return result

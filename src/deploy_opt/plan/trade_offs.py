"""Calls reached against mean response and against the spread of the units' workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.coverage import CoverModel, Geometry, merge_sets
from deploy_opt.plan.frontier import Frontier, FrontierPoint, best_below
from deploy_opt.plan.response import mean_drive_s
from deploy_opt.plan.search import swap_changes
from deploy_opt.plan.week import settle, week_at
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.frontier import PlanAtHand
    from deploy_opt.plan.search import Hour

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Weights of mean response in the response curve."""
WORKLOAD_PRICES = (0.0, 0.01, 0.03, 0.1, 0.2, 0.4, 0.8, 1.6, 4.0)
"""Prices of the spread of workload, as shares of an hour's calls per unit of spread."""
WORKLOAD_STEP_H = 6
"""The workload curve looks at every sixth hour."""
_LAYERS = 8
_DEPTH = 16
_NEAR = 6
_MOST_STEPS = 30


def response_curve(plan: PlanAtHand, times: TravelTimes, *, num_points: int = 8) -> Frontier:
    """Trace the calls reached by the mean drive that is allowed.

    At the plan's units on duty, without limits on open posts and moves. The mean drive is the area
    under the share of calls not reached by a time, so layers of the same covering rows at several
    times, weighted by the time between them, stand for it; the curve follows their mix with the
    standard's own layer. The drive shown is `mean_drive_s` of the nearest free unit.

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
    layered = _time_layers(case, times)
    seen: list[tuple[float, float]] = []
    here = plan.free
    for share in SHARES:
        model = _mixed(case.model, layered, share)
        here = settle(week_at(model, case.rules, staffing), here)
        seen.append((_mean_drive(case, times, here), plan.value(here)))
    points = [FrontierPoint(x, calls, np.nan) for x, calls in best_below(seen, num_points)]
    for units, mark in plan.marks:
        drive = _mean_drive(case, times, units)
        points.append(FrontierPoint(drive, plan.value(units), mark=mark))
    notes = (
        (
            "At the plan's units on duty, without limits on open posts and moves; mean drive of "
            "the nearest free unit over calls that some unit can reach. Best plans found, without "
            "a bound."
        ),
    )
    return Frontier("response", float(case.model.rates.sum()), tuple(points), notes)


def _time_layers(case: Case, times: TravelTimes) -> CoverModel:
    """Lay out covering rows at several times; their value is 1 - mean drive / longest time."""
    model = case.model
    position = {area_id: row for row, area_id in enumerate(model.area_ids)}
    area = times.destinations["area_id"].map(position).to_numpy(dtype=np.int64)
    share = times.destinations["share"].to_numpy(dtype=np.float64)
    finite = times.by_profile[np.isfinite(times.by_profile)]
    longest = 2.5 * case.settings.drive_limit_s
    limits = np.linspace(0.0, min(longest, float(finite.max(initial=longest))), _LAYERS + 1)[1:]
    profiles = _profiles(case, times)
    geometries = []
    for profile in profiles.tolist():
        parts = [
            merge_sets(times.by_profile[profile] <= limit, area, share, len(model.area_ids))
            for limit in limits.tolist()
        ]
        cover = np.hstack([part.cover for part in parts])
        shares = sparse.hstack([part.area_share for part in parts]).tocsr() / _LAYERS
        geometries.append(Geometry(cover, sparse.csr_array(shares)))
    return CoverModel(
        model.area_ids, model.rates, model.busy_h, tuple(geometries), model.geometry_of_hour
    )


def _profiles(case: Case, times: TravelTimes) -> NDArray[np.int64]:
    """Give the speed profile behind each geometry of the model."""
    hours = (case.settings.first_hour + np.arange(case.settings.hours)) % HOURS_PER_WEEK
    return np.unique(np.asarray(times.profile_of_hour, dtype=np.int64)[hours])


def _mixed(model: CoverModel, layered: CoverModel, share: float) -> CoverModel:
    """Weigh the standard's layer against the layers of mean response."""
    geometries = tuple(
        Geometry(
            np.hstack([one.cover, other.cover]),
            sparse.csr_array(
                sparse.hstack([(1.0 - share) * one.area_share, share * other.area_share])
            ),
        )
        for one, other in zip(model.geometries, layered.geometries, strict=True)
    )
    return CoverModel(model.area_ids, model.rates, model.busy_h, geometries, model.geometry_of_hour)


def _mean_drive(case: Case, times: TravelTimes, units: NDArray[np.int64]) -> float:
    model = case.model
    position = {area_id: row for row, area_id in enumerate(model.area_ids)}
    area = times.destinations["area_id"].map(position).to_numpy(dtype=np.int64)
    share = times.destinations["share"].to_numpy(dtype=np.float64)
    busy = model.busy(units.sum(axis=1))
    total = weight = 0.0
    for hour in range(model.num_hours):
        of_week = (case.settings.first_hour + hour) % HOURS_PER_WEEK
        drive = mean_drive_s(times.at_hour(of_week), units[hour], float(busy[hour]))
        reached = np.isfinite(drive)
        calls = share * model.rates[area, hour]
        total += float(calls[reached] @ drive[reached])
        weight += float(calls[reached].sum())
    return total / weight if weight > 0 else np.nan


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
    work = _Workload(case, times)
    here = {hour: plan.free[hour] for hour in hours}
    seen = []
    for price in WORKLOAD_PRICES:
        here = {h: _balance(week.hours[h], here[h], work, h, price) for h in hours}
        value = sum(week.hours[h].value(here[h]) for h in hours)
        seen.append((work.spread(here), value))
    points = [FrontierPoint(x, calls, np.nan) for x, calls in best_below(seen, num_points)]
    for units, mark in plan.marks:
        rows = {hour: units[hour] for hour in hours}
        value = float(case.model.value(units)[list(hours)].sum())
        points.append(FrontierPoint(work.spread(rows), value, mark=mark))
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


class _Workload:
    """How busy the units of each post are when the nearest free one answers."""

    def __init__(self, case: Case, times: TravelTimes) -> None:
        model = case.model
        self.model, self.settings = model, case.settings
        position = {area_id: row for row, area_id in enumerate(model.area_ids)}
        self.area = times.destinations["area_id"].map(position).to_numpy(dtype=np.int64)
        self.share = times.destinations["share"].to_numpy(dtype=np.float64)
        self.order, self.reach = [], []
        for profile in _profiles(case, times).tolist():
            drive = times.by_profile[profile]
            order = np.argsort(drive, axis=0, kind="stable")
            self.order.append(order)
            self.reach.append(np.isfinite(np.take_along_axis(drive, order, axis=0)))

    def by_post(self, hour: int, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the share of time that each unit of a post is busy; 0 at empty posts."""
        profile = int(self.model.geometry_of_hour[hour])
        order, reach = self.order[profile], self.reach[profile]
        # the nearest staffed posts alone, as later ones answer next to nothing
        staffed = units > 0
        number = units[order] * reach
        after = np.minimum(np.cumsum(number, axis=0), _DEPTH)
        number_on = int(units.sum())
        staffing = np.full(self.model.num_hours, number_on)
        q = float(self.model.busy(staffing)[hour])
        power = q ** np.arange(_DEPTH + 1)
        power[-1] = 0.0
        before = np.vstack([np.zeros((1, after.shape[1]), dtype=after.dtype), after[:-1]])
        answered = power[before] - power[after]
        calls = self.share * self.model.rates[self.area, hour]
        total = answered.sum(axis=0)
        answered *= np.divide(calls, total, out=np.zeros_like(calls), where=total > 0)
        load = np.bincount(order.ravel(), answered.ravel(), minlength=len(units))
        answered_share = q * number_on / max(float(self.model.loads[hour]), 1e-12)
        load = np.asarray(load * (self.model.busy_h * min(answered_share, 1.0)), dtype=np.float64)
        return np.divide(load, units, out=np.zeros(len(units)), where=staffed)

    def deviation(self, hour: int, units: NDArray[np.int64]) -> float:
        """Give the mean absolute deviation of the units' busy share in an hour."""
        load, number = self.by_post(hour, units), max(int(units.sum()), 1)
        mean = float(units @ load) / number
        return float(units @ np.abs(load - mean)) / number

    def spread(self, rows: dict[int, NDArray[np.int64]]) -> float:
        """Average the deviation over hours, each by its units on duty."""
        number = np.asarray([row.sum() for row in rows.values()], dtype=np.float64)
        each = np.asarray([self.deviation(hour, row) for hour, row in rows.items()])
        return float(number @ each / max(number.sum(), 1e-12))


def _balance(
    problem: Hour, units: NDArray[np.int64], work: _Workload, hour: int, price: float
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

"""A strong plan without the optimiser: the fleet follows the calls, posts by MEXCLP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.coverage import cover_model
from deploy_opt.plan.evaluate import checked_units
from deploy_opt.plan.floors import reachable_floors
from deploy_opt.plan.links import link_hours
from deploy_opt.plan.master import choose_crews
from deploy_opt.plan.posts.open_posts import open_posts
from deploy_opt.plan.posts.opening import open_worthwhile
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.search import Hour, fit, improve
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.plan.solver import Limits
from deploy_opt.plan.week import Week

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import CoverModel, WeeklyForecast
    from deploy_opt.plan.rules import Rules
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.settings import PlanSettings

BUSY_FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Values of MEXCLP's one busy fraction that are tried."""
_GAP = 0.01
_NODES = 200


@dataclass(frozen=True, slots=True)
class SimplePlan:
    """A plan that a good planner makes without the optimiser.

    Attributes
    ----------
    units
        Units on duty, shape (hours, posts).
    words
        How it was made.
    crews
        Crews of each shift column, shape (shifts,).
    busy_fraction
        MEXCLP's q that the deployment model likes best.
    """

    units: NDArray[np.int64]
    words: str
    crews: NDArray[np.int64]
    busy_fraction: float


def simple_plan(
    forecast: WeeklyForecast,
    times: TravelTimes,
    settings: PlanSettings,
    *,
    baseline: NDArray[np.int64] | None = None,
) -> SimplePlan:
    """Make the simple plan that an optimised one has to beat.

    The same unit-hours, shifts and rules as the optimised plan. Units on duty follow the expected
    calls as nearly as the shifts allow; each hour's posts are those of the maximum expected
    covering location problem (Daskin 1983) with one busy fraction q for all units and hours, and
    of the plans for several q the one is taken that the deployment model values most.

    Parameters
    ----------
    forecast
        Gives the expected calls by area and hour of the week.
    times
        Drive times, s.
    settings
        The plan section.
    baseline
        Today's units, shape (hours, posts): the budget where none is given.

    Returns
    -------
    SimplePlan

    Raises
    ------
    InfeasibleError
        Hard rules conflict.
    """
    model = cover_model(forecast, times, settings)
    today = 0
    if baseline is not None:
        today = int(checked_units(baseline, settings.hours, len(times.origins), "baseline").sum())
    rules = rules_of(settings, times.origins, model.loads, today)
    columns = shift_columns(settings.shifts, hours=settings.hours, first_hour=settings.first_hour)
    return make_simple(model, rules, columns)


def make_simple(model: CoverModel, rules: Rules, columns: ShiftColumns) -> SimplePlan:
    """Make the simple plan from rules and shifts that are laid out already; see `simple_plan`."""
    crews = _follow_calls(model, rules, columns)
    staffing = columns.staffing(crews)
    best: tuple[float, float, NDArray[np.int64], Week] | None = None
    for q in BUSY_FRACTIONS:
        week = mexclp_week(model, rules, staffing, q)
        units = _search(week)
        worth = float(model.value(units).sum())
        if best is None or worth > best[0] * (1 + 1e-12):
            best = (worth, q, units, week)
    if best is None:  # pragma: no cover  (the grid is not empty)
        raise AssertionError
    _, q, units, week = best
    every_post = week
    if rules.max_open is not None:
        week, units = open_posts(week, units, rules.max_open)
    if rules.opening_calls.any():
        week, units = open_worthwhile(every_post, units, rules.opening_calls, rules.max_open)
    if rules.max_moves is not None:
        units = link_hours(week, units, rules.max_moves)
    words = (
        "a simple plan of the same unit-hours: units follow the expected calls by hour as nearly "
        f"as the shifts allow, posts by MEXCLP with q = {q:g}, the best of "
        f"{BUSY_FRACTIONS[0]:g} to {BUSY_FRACTIONS[-1]:g}"
    )
    return SimplePlan(units, words, crews, q)


def mexclp_week(
    model: CoverModel, rules: Rules, staffing: NDArray[np.int64], busy_fraction: float
) -> Week:
    """Set up every hour as MEXCLP: ``1 - q^m`` by m covering units, one q (Daskin 1983)."""
    hours = tuple(
        Hour(
            model.geometry(hour).cover,
            model.weights(hour),
            1.0 - busy_fraction ** np.arange(number + 1),
            rules.lower[hour],
            rules.upper[hour],
            rules.max_open_per_hour,
        )
        for hour, number in enumerate(staffing.tolist())
    )
    return Week(hours, staffing, rules.cyclic)


def _follow_calls(model: CoverModel, rules: Rules, columns: ShiftColumns) -> NDArray[np.int64]:
    calls = model.rates.sum(axis=0)
    target = rules.unit_hours * calls / calls.sum()
    floors = reachable_floors(model.loads, columns, rules, busy_cap=1.0)
    most = int(max(target.max(), columns.staffing(floors.crews).max())) + 4
    number = np.arange(most + 1)
    # squared distance from the target, turned into a concave value
    value = target[:, None] ** 2 - (number - target[:, None]) ** 2
    within = (floors.units, np.minimum(rules.max_units, most))
    plan = choose_crews(
        value, columns, within, rules.unit_hours, [floors.crews], limits=Limits(_GAP, _NODES)
    )
    return plan.crews


def _search(week: Week) -> NDArray[np.int64]:
    rows: list[NDArray[np.int64]] = []
    seen: dict[bytes, int] = {}
    for hour, number in zip(week.hours, week.staffing.tolist(), strict=True):
        parts = (hour.weights, hour.curve, hour.lower, hour.upper)
        key = b"".join([str(id(hour.cover)).encode(), *(part.tobytes() for part in parts)])
        if key in seen:
            rows.append(rows[seen[key]])
            continue
        seen[key] = len(rows)
        rows.append(improve(hour, fit(hour, hour.lower, number))[0])
    return np.stack(rows)

"""A plan for a broken city: the crews on duty, waiting where they reach most in a bad spell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.rule_settings import EquityRules, FleetLimit
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import WeeklyForecast
    from deploy_opt.settings import PlanSettings

NAME = "contingency"
_MOST_BUSY = 0.95


@dataclass(frozen=True, slots=True)
class SurgedForecast:
    """A forecast with more calls in some hours.

    Attributes
    ----------
    forecast
        As it is.
    hours
        Hours of the week of the surge.
    factor
        What the calls are multiplied by.
    areas
        Areas of the surge; none = all.
    """

    forecast: WeeklyForecast
    hours: tuple[int, ...]
    factor: float
    areas: tuple[str, ...] = ()

    def weekly_rates(self, service: str) -> tuple[Sequence[str], NDArray[np.float64]]:
        """Give area ids and expected calls per hour of the week, shape (areas, 168)."""
        area_ids, rates = self.forecast.weekly_rates(service)
        hit = np.isin(list(area_ids), self.areas or list(area_ids))
        found = rates.copy()
        found[np.ix_(np.flatnonzero(hit), np.asarray(self.hours, dtype=np.int64))] *= self.factor
        return area_ids, found


@dataclass(frozen=True, slots=True)
class Contingency:
    """Positions for a bad spell, judged by the deployment model of the broken city.

    Attributes
    ----------
    units
        Units by hour of the spell and post; None where no positions keep the rules.
    calls
        Expected calls of the spell.
    in_time
        Expected calls in time by plan: ``contingency`` and the rivals.
    bound
        What no positions of the same units can exceed, calls.
    status
        ``optimal``, ``limit``, ``infeasible``, or ``rival`` where a rival was better than what
        was solved.
    words
        What a reader must know.
    """

    units: NDArray[np.int64] | None
    calls: float
    in_time: dict[str, float]
    bound: float
    status: str
    words: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """How far the contingency may be from the best, as a share of its value."""
        value = self.in_time.get(NAME, np.nan)
        return float(abs(self.bound - value) / max(abs(value), 1e-12))


def plan_contingency(
    forecast: WeeklyForecast,
    times: TravelTimes,
    settings: PlanSettings,
    counts: NDArray[np.int64],
    *,
    from_hour: int,
    closed: Sequence[str] = (),
    rivals: Mapping[str, NDArray[np.int64]],
) -> Contingency:
    """Find where the units that are there should wait in a bad spell.

    The crews on duty stay as they are, hour by hour, as no others can be called in; where they
    wait is solved anew for the broken roads and the calls of the surge, by value tables as in
    `plan_deployment`. The busy cap and floors on areas, which no crews of a bad spell keep, give
    way.

    Parameters
    ----------
    forecast
        With the calls of the spell.
    times
        Drive times of the broken network.
    settings
        The plan section.
    counts
        Units that are there, shape (hours of the spell,).
    from_hour
        First hour of the spell, hour of the plan.
    closed
        Posts that cannot be used.
    rivals
        Positions of other plans in the spell, by name, shape (hours of the spell, posts); those
        with no more units and no closed post are candidates, so the answer is worse than none.

    Returns
    -------
    Contingency
    """
    own = spell_settings(settings, counts, from_hour=from_hour, closed=closed)
    judged = {
        name: evaluate_positions(units, forecast, times, own) for name, units in rivals.items()
    }
    in_time = {name: float(found.value.sum()) for name, found in judged.items()}
    hours = (own.first_hour + np.arange(own.hours)) % HOURS_PER_WEEK
    calls = float(forecast.weekly_rates(own.service)[1][:, hours].sum())
    if counts.sum() == 0:
        return Contingency(None, calls, in_time, 0.0, "infeasible", ("nobody is on duty",))
    shut = times.origins["post_id"].astype(str).isin(list(closed)).to_numpy()
    fair = {
        name: units
        for name, units in rivals.items()
        if (units.sum(axis=1) <= counts).all() and not units[:, shut].any()
    }
    words: tuple[str, ...] = ()
    found, status, bound = None, "infeasible", np.inf
    try:
        solved = plan_deployment(forecast, times, own)
        found, status, bound = solved.units, solved.report.status, solved.report.bound
        in_time[NAME] = float(evaluate_positions(found, forecast, times, own).value.sum())
    except InfeasibleError as error:
        words = (f"the rules leave no other positions: {', '.join(error.rules)}",)
    for name, units in fair.items():
        if found is None or in_time[name] > in_time[NAME]:
            found, status, in_time[NAME] = units, "rival", in_time[name]
            words = (*words, f"nothing better than the positions of {name} was found")
    value = in_time.get(NAME, 0.0)
    bound = float(min(max(bound, value), calls))
    return Contingency(found, calls, in_time, bound, status, words)


def spell_settings(
    settings: PlanSettings,
    counts: NDArray[np.int64],
    *,
    from_hour: int,
    closed: Sequence[str] = (),
) -> PlanSettings:
    """Ask for positions of so many units in each hour of a spell, by the standard alone."""
    first = (settings.first_hour + from_hour) % HOURS_PER_WEEK
    limits = []
    for offset, number in enumerate(counts.tolist()):
        hour = (first + offset) % HOURS_PER_WEEK
        limits.append(
            FleetLimit(from_hour=hour, to_hour=hour + 1, min_units=number, max_units=number)
        )
    fleet = settings.fleet.model_copy(
        update={
            "unit_hours_per_week": float(max(int(counts.sum()), 1)),
            "min_units": 0,
            "max_units": None,
            "limits": tuple(limits),
            "busy_cap": _MOST_BUSY,
        }
    )
    rules = settings.posts
    shut = set(closed)
    posts = rules.model_copy(
        update={
            "forbidden": tuple(sorted({*rules.forbidden, *shut})),
            "locked": {},
            "limits": tuple(limit for limit in rules.limits if limit.min_units == 0),
            "calls_to_open": 0.0,
            "calls_to_open_at": {},
        }
    )
    solver = settings.solver.model_copy(update={"method": "tables", "last_search": "none"})
    return settings.on_the_standard().model_copy(
        update={
            "hours": len(counts),
            "first_hour": first,
            "fleet": fleet,
            "shifts": None,
            "posts": posts,
            "equity": EquityRules(),
            "solver": solver,
            "robust": None,
        }
    )

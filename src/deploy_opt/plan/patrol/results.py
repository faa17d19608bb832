"""What a patrol plan is: units, crews and positions by district, and what they keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.plan.bounds.gaps import Gaps
from deploy_opt.plan.patrol.need import ROWS
from deploy_opt.plan.patrol.response import UrgentResponse, urgent_response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.patrol.ground import PatrolGround
    from deploy_opt.plan.patrol.need import DistrictStates, PatrolNeed
    from deploy_opt.plan.shifts import ShiftColumns

_WORDS = {
    "response": "the response target",
    "utilisation": "the utilisation cap",
    "minimum": "the fewest units",
    "officer_time": "officers' own work",
    "queue": "the queue",
}


@dataclass(frozen=True, slots=True, eq=False)
class PatrolPlan(Gaps):
    """Units, crews and positions of all districts.

    Attributes
    ----------
    district_names, hours
        Districts; hour of the week of each hour of the plan.
    units
        Units on duty, shape (hours, districts).
    crews
        district, start_hour (hour of the week), length_h, days (in a row, 1 = a single shift),
        crews; by district, earliest first.
    positions
        By district: units at each of its posts (`PatrolGround.posts_of`), shape (hours, posts).
    value
        Expected worth of the calls reached, neighbours' help taken at `stated_units`.
    free_value
        The same before positions were changed to keep the response target.
    value_at_plan
        `value` with neighbours' help at this plan's own units.
    helped
        Part of `value` that counts neighbours' help alone.
    hull_bound, location_bound
        What no crews, and no positions of these crews, can be worth at the stated help.
    stated_units
        Units at which neighbours' help was taken, shape (hours, districts).
    spent_h, budget_h
        Unit-hours of the crews, and the most that was allowed.
    shortfalls
        Districts and hours below need, in words.
    need
        Units needed and why.
    district_hours
        district, hour, units, utilisation (share of on-duty time committed to calls; NaN without
        units), response_p1_s (mean, queue to arrival; NaN where calls wait without end),
        response_p1_share (within the target), units_needed, binding.
    work
        Searches, swaps, exchanges, iterations: the work done.
    """

    district_names: tuple[str, ...]
    hours: NDArray[np.int64]
    units: NDArray[np.int64]
    crews: pd.DataFrame
    positions: Mapping[str, NDArray[np.int64]]
    value: float
    free_value: float
    value_at_plan: float
    helped: float
    hull_bound: float
    location_bound: float
    stated_units: NDArray[np.int64]
    spent_h: float
    budget_h: float
    shortfalls: tuple[str, ...]
    need: PatrolNeed
    district_hours: pd.DataFrame
    work: Mapping[str, int]

    @property
    def gap(self) -> float:
        """How far the plan can be from the best; `link_loss` is what keeping the target costs."""
        reached = max(1.0 - self.link_loss, 1e-12)
        return (1.0 + self.mix_gap) * (1.0 + self.location_gap) / reached - 1.0


def crews_by_district(
    names: Sequence[str], columns: ShiftColumns, crews: Sequence[NDArray[np.int64]]
) -> pd.DataFrame:
    """List the shifts that each district's crews work, earliest first."""
    parts = []
    days = np.ones_like(columns.length_h) if columns.days is None else columns.days
    for name, of_district in zip(names, crews, strict=True):
        used = np.flatnonzero(of_district)
        part = pd.DataFrame(
            {
                "district": np.full(len(used), name, dtype=object),
                "start_hour": columns.start_hour[used],
                "length_h": columns.length_h[used],
                "days": days[used],
                "crews": of_district[used],
            }
        )
        parts.append(part.sort_values(["start_hour", "length_h", "days"], kind="stable"))
    return pd.concat(parts, ignore_index=True)


def district_response(
    ground: PatrolGround, states: DistrictStates, district: int, there: NDArray[np.int64]
) -> UrgentResponse:
    """Compute the response to a district's urgent calls from units at its posts, hour by hour.

    Parameters
    ----------
    ground, states
        Districts, their queues and drives.
    district
        The district.
    there
        Units at each of its posts, shape (hours, posts of the district).
    """
    mean, share = np.full(ground.num_hours, np.inf), np.zeros(ground.num_hours)
    for profile, drives in states.drives[district].items():
        hours = np.flatnonzero(ground.profile_of_hour == profile)
        ways, which = np.unique(there[hours], axis=0, return_inverse=True)
        for row, way in enumerate(ways):
            at = hours[which.ravel() == row]
            posts = np.repeat(np.arange(len(way)), way)
            found = urgent_response(states.queues[district], drives, posts, at)
            mean[at], share[at] = found.mean_s, found.within
    return UrgentResponse(mean, share)


def check_districts(
    ground: PatrolGround,
    states: DistrictStates,
    need: PatrolNeed,
    positions: Sequence[NDArray[np.int64]],
) -> pd.DataFrame:
    """Judge units at their posts by the queue of each district and hour.

    Parameters
    ----------
    ground, states, need
        Districts, their queues and drives, and what they need.
    positions
        By district: units at each of its posts, shape (hours, posts of the district).

    Returns
    -------
    pandas.DataFrame
        As `PatrolPlan.district_hours`.
    """
    shape = (len(positions), ground.num_hours)
    found = [district_response(ground, states, d, rows) for d, rows in enumerate(positions)]
    mean = np.stack([response.mean_s for response in found])
    share = np.stack([response.within for response in found])
    units = np.stack([there.sum(axis=1) for there in positions])
    load = np.stack([queue.call_load for queue in states.queues])
    busy = np.where(units > 0, np.minimum(load / np.maximum(units, 1), 1.0), np.nan)
    return pd.DataFrame(
        {
            "district": np.repeat(np.asarray(ground.district_names, dtype=object), shape[1]),
            "hour": np.tile(ground.hours, shape[0]),
            "units": units.ravel(),
            "utilisation": busy.ravel(),
            "response_p1_s": np.where(np.isfinite(mean), mean, np.nan).ravel(),
            "response_p1_share": share.ravel(),
            "units_needed": need.units.ravel(),
            "binding": need.binding.ravel().astype(object),
        }
    )


def shortfall_words(need: PatrolNeed, units: NDArray[np.int64]) -> tuple[str, ...]:
    """Say where units are below need, one line for each district and row that asks.

    Parameters
    ----------
    need
        Units needed.
    units
        Units on duty, shape (districts, hours).

    Examples
    --------
    A line reads ``Harbor: 3 unit-hours short of the response target in 2 hours of the week:
    hour 22 (1 of 2), hour 23 (1 of 3)``.
    """
    lines = []
    needed, binding = need.units, need.binding
    for district, name in enumerate(need.district_names):
        missing = needed[district] - units[district]
        for row in ROWS:
            at = np.flatnonzero((missing > 0) & (binding[district] == row))
            if not at.size:
                continue
            worst = sorted(at.tolist(), key=lambda hour: (-int(missing[hour]), hour))[:_MOST_NAMED]
            named = ", ".join(
                f"hour {need.hours[h]} ({units[district, h]} of {needed[district, h]})"
                for h in sorted(worst)
            )
            more = f" and {at.size - len(worst)} more" if at.size > len(worst) else ""
            plural = "s" if at.size > 1 else ""
            lines.append(
                f"{name}: {int(missing[at].sum())} unit-hours short of {_WORDS[row]} in "
                f"{at.size} hour{plural} of the week: {named}{more}"
            )
        never = ~need.target_kept[district]
        if never.any():
            lines.append(
                f"{name}: no number of units keeps the response target in {int(never.sum())} "
                "hours of the week: drives alone take longer; the need there is what comes within "
                "1 % of the best"
            )
    return tuple(lines)


_MOST_NAMED = 6

"""When a live pilot must stop: late calls of the first priority, watched day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.trends.cusum import CusumRule, cusum
from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class HarmWatch:
    """What the harm bound says.

    Attributes
    ----------
    expected_per_day
        Late calls of the first priority that a day under the plan would hold at today's share.
    late, calls
        Late calls and calls of the first priority under the plan.
    days
        Days watched.
    sums
        Height of the cumulative sum at the end of each day, shape (days,).
    alarm
        Row of the first day on which the sum was above its limit; None = never.
    """

    expected_per_day: float
    late: int
    calls: int
    days: int
    sums: NDArray[np.float64]
    alarm: int | None


def watch_harm(
    late: ArrayLike,
    calls: ArrayLike,
    *,
    usual_share: float,
    ratio: float = 1.5,
    false_alarm_days: float = 365.0,
) -> HarmWatch:
    """Add up late calls beyond what today's share would give; alarm above a limit.

    Parameters
    ----------
    late, calls
        Late calls, and all calls, of the first priority by day under the plan; shape (days,).
    usual_share
        Share late under today's posts.
    ratio
        Rise that the sum finds soonest.
    false_alarm_days
        Mean days between false alarms, while nothing is worse; at least a year.

    Raises
    ------
    InputError
        Less than a year between false alarms; a share that is not between 0 and 1.

    Notes
    -----
    A Poisson cumulative sum (Lucas 1985) with the expected number of each day, as
    `deploy_opt.demand.trends.cusum` runs it; its limit comes from the run lengths of Brook and
    Evans (1972).
    """
    if not false_alarm_days >= 365:
        found = f"{false_alarm_days:g} days between false alarms"
        raise InputError.of("pilot.live.harm_false_alarm_days", found, "a year (365) or more")
    if not 0 < usual_share < 1:
        found = f"a share of {usual_share:g} late calls under today's posts"
        expected = "some late and some in time, to know what is usual"
        raise InputError.of("records: priority, response", found, expected)
    number = np.asarray(late, dtype=np.float64)
    every = np.asarray(calls, dtype=np.float64)
    usual = np.maximum(usual_share * every, 1e-9)
    rule = CusumRule(ratio=ratio, run_length=false_alarm_days, min_mean=1e-3)
    scores = cusum(number[:, None], rule, expected=usual[:, None])
    sums = np.nan_to_num(scores.statistic[:, 0])
    over = np.flatnonzero(scores.exceeds[:, 0])
    return HarmWatch(
        expected_per_day=float(usual.mean()) if every.size else 0.0,
        late=int(number.sum()),
        calls=int(every.sum()),
        days=int(number.size),
        sums=sums,
        alarm=int(over[0]) if over.size else None,
    )

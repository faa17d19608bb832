"""Every hour of a plan as a covering problem, and the moves between hours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.search import Hour, fit, improve
from deploy_opt.plan.value_tables import hour_problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.coverage import CoverModel
    from deploy_opt.plan.rules import Rules


@dataclass(frozen=True, slots=True)
class Week:
    """Every hour's covering problem at the units on duty of a plan.

    Attributes
    ----------
    hours
        The problems, in order.
    staffing
        Units on duty, shape (hours,).
    cyclic
        Whether the last hour is followed by the first.
    """

    hours: tuple[Hour, ...]
    staffing: NDArray[np.int64]
    cyclic: bool

    def value(self, units: NDArray[np.int64]) -> float:
        """Give the value of positions, shape (hours, posts)."""
        return sum(hour.value(row) for hour, row in zip(self.hours, units, strict=True))

    def on_posts(self, open_posts: NDArray[np.bool_]) -> Week:
        """Close all other posts."""
        hours = tuple(
            replace(hour, upper=np.where(open_posts, hour.upper, 0)) for hour in self.hours
        )
        return Week(hours, self.staffing, self.cyclic)


def week_at(
    model: CoverModel,
    rules: Rules,
    staffing: NDArray[np.int64],
    multipliers: NDArray[np.float64] | None = None,
) -> Week:
    """Set up every hour of a plan at its units on duty."""
    bounds = (rules.lower, rules.upper)
    hours = tuple(
        hour_problem(
            model, hour, int(number), bounds, multipliers, max_open=rules.max_open_per_hour
        )
        for hour, number in enumerate(staffing)
    )
    return Week(hours, staffing, rules.cyclic)


def moves_between(before: NDArray[np.int64], after: NDArray[np.int64]) -> int:
    """Count the units that change post between two hours beyond the change of the fleet.

    Of the units that appear at posts, as many as the fleet grew came on duty there; the others
    moved.
    """
    change = after - before
    return int((np.abs(change).sum() - abs(int(change.sum()))) // 2)


def week_moves(units: NDArray[np.int64], *, cyclic: bool) -> NDArray[np.int64]:
    """Count the moves into each hour, shape (hours,); 0 into the first hour of an open horizon."""
    before = np.roll(units, 1, axis=0)
    result = np.asarray(
        [moves_between(a, b) for a, b in zip(before, units, strict=True)], dtype=np.int64
    )
    if not cyclic:
        result[0] = 0
    return result


def keeps_moves(
    units: NDArray[np.int64],
    hour: int,
    row: NDArray[np.int64],
    max_moves: int | None,
    *,
    cyclic: bool,
) -> bool:
    """Say whether other positions in one hour keep the limit on moves to the hours beside it.

    Parameters
    ----------
    units
        Positions, shape (hours, posts).
    hour
        The hour.
    row
        Its other positions, shape (posts,).
    max_moves
        Most moves into an hour; None = any. Where there are more already, not still more.
    cyclic
        Whether the last hour is followed by the first.
    """
    if max_moves is None:
        return True
    count = len(units)
    beside = []
    if hour > 0 or cyclic:
        beside.append((hour - 1) % count)
    if hour < count - 1 or cyclic:
        beside.append((hour + 1) % count)
    return all(
        moves_between(units[other], row) <= max(max_moves, moves_between(units[other], units[hour]))
        for other in beside
    )


def settle(week: Week, units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Improve each hour's positions alone, from given ones."""
    rows = [
        improve(hour, fit(hour, row, int(number)))[0]
        for hour, row, number in zip(week.hours, units, week.staffing, strict=True)
    ]
    return np.stack(rows)

"""Which posts open when the plan may use only so many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.search import fit, improve
from deploy_opt.plan.week import settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.week import Week

SAMPLE_HOURS = 7
_RIVALS = 3


def open_posts(
    week: Week, units: NDArray[np.int64], max_open: int
) -> tuple[Week, NDArray[np.int64]]:
    """Keep the best posts and search every hour on them.

    Posts are taken by their unit-hours in the free plan, those with locked units first; then
    posts are exchanged while that raises the value of a few sample hours; then all hours are
    searched again.

    Parameters
    ----------
    week
        The hours.
    units
        Positions without the limit, shape (hours, posts).
    max_open
        Most posts in use.

    Returns
    -------
    tuple
        The week on the open posts and its positions.
    """
    if (units.any(axis=0)).sum() <= max_open:
        return week, units
    held = np.any([hour.lower > 0 for hour in week.hours], axis=0)
    usable = np.any([hour.upper > 0 for hour in week.hours], axis=0)
    room = np.min([hour.upper for hour in week.hours], axis=0)
    use = units.sum(axis=0) + np.where(held, week.staffing.sum() + 1, 0)
    ranked = np.lexsort((np.arange(len(use)), -use))
    chosen = np.zeros(len(use), dtype=bool)
    chosen[[post for post in ranked if usable[post]][:max_open]] = True
    chosen = _with_room(chosen, held, room, int(week.staffing.max()))
    samples = np.unique(np.linspace(0, len(week.hours) - 1, SAMPLE_HOURS).astype(int))
    chosen = _exchange_posts(week, units, chosen, held, samples)
    closed = week.on_posts(chosen)
    return closed, settle(closed, units)


def _with_room(
    chosen: NDArray[np.bool_], held: NDArray[np.bool_], room: NDArray[np.int64], needed: int
) -> NDArray[np.bool_]:
    """Exchange small posts for large ones until the open posts can hold the fleet."""
    result = chosen.copy()
    while room[result].sum() < needed:
        inside = np.flatnonzero(result & ~held)
        outside = np.flatnonzero(~result)
        if not inside.size or not outside.size:
            break
        small, large = inside[np.argmin(room[inside])], outside[np.argmax(room[outside])]
        if room[large] <= room[small]:
            break
        result[small], result[large] = False, True
    return result


def _exchange_posts(
    week: Week,
    units: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    held: NDArray[np.bool_],
    samples: NDArray[np.int64],
) -> NDArray[np.bool_]:
    def worth(open_now: NDArray[np.bool_]) -> float:
        closed = week.on_posts(open_now)
        room = [closed.hours[s].upper.sum() >= week.staffing[s] for s in samples]
        if not all(room):
            return -np.inf
        total = 0.0
        for sample in samples:
            hour = closed.hours[sample]
            start = fit(hour, units[sample], int(week.staffing[sample]))
            total += hour.value(improve(hour, start)[0])
        return total

    best = worth(chosen)
    use = units.sum(axis=0)
    outside = [int(p) for p in np.argsort(-use, kind="stable") if not chosen[p] and use[p] > 0]
    for post in outside:
        inside = [int(p) for p in np.argsort(use, kind="stable") if chosen[p] and not held[p]]
        for other in inside[:_RIVALS]:
            trial = chosen.copy()
            trial[other], trial[post] = False, True
            found = worth(trial)
            if found > best * (1 + 1e-9):
                chosen, best = trial, found
                break
    return chosen

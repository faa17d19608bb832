"""Which posts open when the plan may use only so many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.search import fit, improve
from deploy_opt.plan.week import settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.week import Week

SAMPLE_HOURS = 7
SCARCE_LOSS = 0.01
"""Share of the sample hours' value above which a limit on open posts is costly."""
_RIVALS = 3
_MOST_EXCHANGES = 20
_MOST_PAIRS = 1000


def open_posts(
    week: Week, units: NDArray[np.int64], max_open: int
) -> tuple[Week, NDArray[np.int64]]:
    """Keep the best posts and search every hour on them.

    Posts are taken by their unit-hours in the free plan, those with locked units first; then
    posts are exchanged while that raises the value of a few sample hours, any two of them where
    the limit costs more than `SCARCE_LOSS`; then all hours are searched again.

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
    hours = np.unique(np.linspace(0, len(week.hours) - 1, SAMPLE_HOURS).astype(int))
    samples = _Samples(week, units, hours)
    chosen = _exchange_posts(samples, chosen, held)
    chosen = _exchange_scarce(samples, chosen, held, usable)
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


@dataclass(frozen=True, slots=True)
class _Samples:
    """A few hours of a week by which sets of posts are compared."""

    week: Week
    units: NDArray[np.int64]
    hours: NDArray[np.int64]

    def free(self) -> float:
        """Give their value at the positions without the limit."""
        return float(sum(self.week.hours[h].value(self.units[h]) for h in self.hours))

    def worth(self, open_now: NDArray[np.bool_]) -> float:
        """Give their value on the open posts, -inf where these cannot hold the units."""
        closed = self.week.on_posts(open_now)
        room = [closed.hours[h].room >= self.week.staffing[h] for h in self.hours]
        if not all(room):
            return -np.inf
        total = 0.0
        for sample in self.hours:
            hour = closed.hours[sample]
            start = fit(hour, self.units[sample], int(self.week.staffing[sample]))
            total += float(hour.value(improve(hour, start)[0]))
        return total


def _exchange_posts(
    samples: _Samples, chosen: NDArray[np.bool_], held: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Open posts of the free plan instead of little used ones, one pass."""
    best = samples.worth(chosen)
    use = samples.units.sum(axis=0)
    outside = [int(p) for p in np.argsort(-use, kind="stable") if not chosen[p] and use[p] > 0]
    for post in outside:
        inside = [int(p) for p in np.argsort(use, kind="stable") if chosen[p] and not held[p]]
        for other in inside[:_RIVALS]:
            trial = chosen.copy()
            trial[other], trial[post] = False, True
            found = samples.worth(trial)
            if found > best * (1 + 1e-9):
                chosen, best = trial, found
                break
    return chosen


def _exchange_scarce(
    samples: _Samples,
    chosen: NDArray[np.bool_],
    held: NDArray[np.bool_],
    usable: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Make the best exchange of any two posts until none improves, where few posts cost much.

    The free plan, whose units spread over many posts, is then a poor guide.
    """
    best = samples.worth(chosen)
    for _ in range(_MOST_EXCHANGES):
        inside, outside = np.flatnonzero(chosen & ~held), np.flatnonzero(~chosen & usable)
        if best > (1 - SCARCE_LOSS) * samples.free() or inside.size * outside.size > _MOST_PAIRS:
            break
        trials = []
        for post in inside:
            for other in outside:
                trial = chosen.copy()
                trial[post], trial[other] = False, True
                trials.append((samples.worth(trial), trial))
        found, trial = max(trials, key=lambda pair: pair[0])
        if found <= best * (1 + 1e-9):
            break
        chosen, best = trial, found
    return chosen

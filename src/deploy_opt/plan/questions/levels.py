"""Where to wait when only so many units are free: the move-up table, level within level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from deploy_opt.plan.bounds.certificates import relaxation
from deploy_opt.plan.search import Hour, fit, improve
from deploy_opt.plan.solver import Limits, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.coverage import CoverModel

MOST_LEVELS = 120
_ANCHORS = 16


@dataclass(frozen=True, slots=True)
class MoveUpTable:
    """Posts to staff by number of free units; each level holds the one before.

    Attributes
    ----------
    posts
        Post of each rank, a 0-based row of the posts, shape (levels,); level n is the first n.
    chance
        Chance that so many units are free, by Erlang's loss formula, shape (levels,).
    cover
        Share of the next calls that a free unit reaches within the standard, shape (levels,).
    value
        Cover, or with response layers its worth, with what further units within reach add, shape
        (levels,); see `move_up_table`.
    bound
        What no positions of so many units can be worth, nested or not, shape (levels,).
    load
        Mean offered load behind the chances, erlangs.
    """

    posts: NDArray[np.int64]
    chance: NDArray[np.float64]
    cover: NDArray[np.float64]
    value: NDArray[np.float64]
    bound: NDArray[np.float64]
    load: float

    @property
    def gap(self) -> NDArray[np.float64]:
        """How far other positions could be above each level, shape (levels,)."""
        return np.asarray(
            np.maximum(self.bound / np.maximum(self.value, 1e-12) - 1.0, 0.0), dtype=np.float64
        )

    @property
    def expected_cover(self) -> float:
        """Cover over all numbers of free units, weighted by their chance; none free covers none."""
        return float(self.chance @ self.cover)

    @property
    def expected_gap(self) -> float:
        """Gap of the sum of all levels, each at its chance."""
        value, bound = float(self.chance @ self.value), float(self.chance @ self.bound)
        return max(bound / max(value, 1e-12) - 1.0, 0.0)


def move_up_table(
    case: Case,
    units: NDArray[np.int64],
    *,
    hours: NDArray[np.bool_] | None = None,
    bounds: bool = True,
) -> MoveUpTable:
    """Order the posts so that the first n are a good place for any n free units.

    The nested form of the maximal expected coverage relocation problem (Gendreau, Laporte and
    Semet 2006, *Journal of the Operational Research Society* 57): the sum over n of the chance
    that n units are free times the value of level n. Chances are those of Erlang's loss system
    with the plan's most units and the mean load of the hours. A level's value is the share of the
    next calls within reach of a free unit; the k-th unit within reach adds ``b^(k-1)``, with b the
    chance that a call comes before any unit returns, times 1/n, that it takes just this unit.

    Orders grow from the best positions of several levels, units added where they gain most and
    taken away where they lose least; of the best order neighbours then change places while that
    helps.

    Parameters
    ----------
    case
        The question; its posts' upper bounds hold, locks do not, as they bind units on duty.
    units
        The plan, shape (hours, posts): how many units there are, and, where the number of open
        posts is limited, which posts are open.
    hours
        Hours that the table is for, shape (hours,); None = all.
    bounds
        Whether to bound every level by a linear program; otherwise bounds are NaN.

    Returns
    -------
    MoveUpTable
    """
    levels = LevelProblems.of(case, units, hours)
    return order_posts(levels, case.settings.solver.engine, bounds=bounds)


@dataclass(frozen=True, slots=True)
class LevelProblems:
    """The problem of every level over some hours of a plan.

    Attributes
    ----------
    cover, weights
        Covering sets of the standard, as `week_sets`.
    problems
        One for each number of free units, from 1, by what the plan makes most of.
    chance
        Chance that so many units are free, shape (levels,).
    load
        Mean offered load of the hours, erlangs.
    """

    cover: NDArray[np.float64]
    weights: NDArray[np.float64]
    problems: list[Hour]
    chance: NDArray[np.float64]
    load: float

    @classmethod
    def of(
        cls, case: Case, units: NDArray[np.int64], hours: NDArray[np.bool_] | None
    ) -> LevelProblems:
        """Lay the levels of some hours out; arguments as `move_up_table`."""
        chosen = np.ones(len(units), dtype=np.bool_) if hours is None else hours
        room = case.rules.upper[chosen].min(axis=0)
        if case.rules.max_open is not None:
            room = np.where(units.any(axis=0), room, 0)
        fleet = int(units[chosen].sum(axis=1).max(initial=0))
        top = int(min(fleet, room.sum(), MOST_LEVELS))
        load = float(case.model.loads[chosen].mean())
        aim = week_sets(case.model, chosen, layered=True)
        problems = [_level(*aim, room, n, fleet, load) for n in range(1, top + 1)]
        cover, weights = week_sets(case.model, chosen)
        return cls(cover, weights, problems, free_chances(load, fleet)[1 : top + 1], load)

    def allows(self, order: NDArray[np.int64]) -> bool:
        """Say whether the posts have room for an order."""
        if not self.problems:
            return True
        room = self.problems[0].upper
        return bool((np.bincount(order, minlength=len(room)) <= room).all())

    def value(self, order: NDArray[np.int64]) -> float:
        """Give the value of an order over all levels, each at its chance."""
        return float(self.chance @ _values(self.problems, order))

    def reached(self, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the share of calls in reach of each level of an order, shape (levels,)."""
        return np.asarray(
            [float(self.weights[(x @ self.cover) > 0].sum()) for x in self.placed(order)]
        )

    def placed(self, order: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Give the positions of each level of an order."""
        posts = self.cover.shape[0]
        return [np.bincount(order[: n + 1], minlength=posts) for n in range(len(order))]


def order_posts(
    levels: LevelProblems,
    engine: str,
    *,
    bounds: bool,
    rival: NDArray[np.int64] | None = None,
) -> MoveUpTable:
    """Order the posts of levels that are laid out; see `move_up_table`.

    Parameters
    ----------
    levels
        The levels.
    engine
        Solver of the bounds.
    bounds
        Whether to bound every level.
    rival
        An order to start from beside the own ones, one post a level; the result is no worse.
    """
    problems, chance = levels.problems, levels.chance
    order = _best_order(problems, chance, rival)
    value = [problem.value(x) for problem, x in zip(problems, levels.placed(order), strict=True)]
    bound = np.full(len(problems), np.nan)
    if bounds:
        bound = np.asarray([_bound(p, v, engine) for p, v in zip(problems, value, strict=True)])
    reached = levels.reached(order)
    return MoveUpTable(order, chance, reached, np.asarray(value), bound, levels.load)


def week_sets(
    model: CoverModel, hours: NDArray[np.bool_] | None = None, *, layered: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put the covering sets of all speed profiles side by side, with their share of the calls.

    Parameters
    ----------
    model
        Demand rows of the week.
    hours
        Hours that count, shape (hours,); None = all.
    layered
        Whether a call counts by the worth of the plan's response layers instead of the standard.

    Returns
    -------
    tuple
        Cover, shape (posts, sets), and the share of all expected calls in each set, shape (sets,);
        calls that no post reaches are in no set.
    """
    covers, weights = [], []
    chosen = np.ones(model.num_hours, dtype=np.bool_) if hours is None else hours
    for rank, geometry in enumerate(model.geometries):
        calls = model.rates[:, chosen & (model.geometry_of_hour == rank)].sum(axis=1)
        covers.append(geometry.cover)
        weights.append((geometry.worth if layered else geometry.area_share).T @ calls)
    cover, weight = np.hstack(covers), np.concatenate(weights) / model.rates[:, chosen].sum()
    # the same sets under several profiles are one
    packed = np.packbits(cover > 0, axis=0)
    _, first, group = np.unique(packed, axis=1, return_index=True, return_inverse=True)
    total = np.bincount(group.ravel(), weight, len(first))
    kept = total > 0
    return cover[:, first[kept]], np.asarray(total[kept], dtype=np.float64)


def free_chances(load: float, fleet: int) -> NDArray[np.float64]:
    """Give the chance that 0, 1, .. of a fleet's units are free in Erlang's loss system.

    Parameters
    ----------
    load
        Offered load, erlangs.
    fleet
        Units on duty.

    Examples
    --------
    >>> free_chances(1.0, 2).round(2).tolist()
    [0.2, 0.4, 0.4]
    """
    busy = np.arange(fleet, -1, -1, dtype=np.float64)
    log_chance = busy * np.log(max(load, 1e-300)) - gammaln(busy + 1)
    chance = np.exp(log_chance - log_chance.max())
    return np.asarray(chance / chance.sum(), dtype=np.float64)


def _level(
    cover: NDArray[np.float64],
    weights: NDArray[np.float64],
    room: NDArray[np.int64],
    number: int,
    fleet: int,
    load: float,
) -> Hour:
    taken = load / (load + fleet - number + 1) / number
    steps = taken ** np.arange(number)
    curve = np.concatenate([[0.0], np.cumsum(steps)])
    return Hour(cover, weights, curve, np.zeros_like(room), room)


def _bound(problem: Hour, value: float, engine: str) -> float:
    solution = solve(
        relaxation(problem), engine=engine, limits=Limits(lp_method="ipm_no_crossover")
    )
    return max(solution.report.bound, value)


def _best_order(
    problems: list[Hour], chance: NDArray[np.float64], rival: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    top = len(problems)
    if not top:
        return np.zeros(0, dtype=np.int64)
    likely = np.sort(np.argsort(-chance, kind="stable")[:_ANCHORS]) + 1
    anchors = sorted({1, *likely.tolist()})
    best, most = np.zeros(0, dtype=np.int64), -np.inf
    if rival is not None:
        best, most = rival, float(chance @ _values(problems, rival))
    units = problems[0].lower
    for anchor in anchors:
        problem = problems[anchor - 1]
        units, _ = improve(problem, fit(problem, units, anchor))
        order = _order_through(problems, units)
        worth = float(chance @ _values(problems, order))
        if worth > most * (1 + 1e-12):
            best, most = order, worth
    return _exchange(problems, chance, best)


def _order_through(problems: list[Hour], units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order posts so that one level has given positions; the others follow greedily."""
    number = int(units.sum())
    before, here = [], units
    for level in range(number - 1, 0, -1):
        smaller = fit(problems[level - 1], here, level)
        before.append(int(np.argmax(here - smaller)))
        here = smaller
    order = [int(np.argmax(here)), *reversed(before)]
    here = units
    for level in range(number + 1, len(problems) + 1):
        larger = fit(problems[level - 1], here, level)
        order.append(int(np.argmax(larger - here)))
        here = larger
    return np.asarray(order, dtype=np.int64)


def _values(problems: list[Hour], order: NDArray[np.int64]) -> NDArray[np.float64]:
    posts = len(problems[0].lower)
    return np.asarray(
        [
            problem.value(np.bincount(order[: level + 1], minlength=posts))
            for level, problem in enumerate(problems)
        ]
    )


def _exchange(
    problems: list[Hour], chance: NDArray[np.float64], order: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Change places of neighbours while that helps: only the level between them changes."""
    result, posts = order.copy(), len(problems[0].lower)
    for _ in range(len(result)):
        changed = False
        for rank in range(len(result) - 1):
            if result[rank] == result[rank + 1] or chance[rank] <= 0:
                continue
            here = np.bincount(result[: rank + 1], minlength=posts)
            other = here.copy()
            other[result[rank]] -= 1
            other[result[rank + 1]] += 1
            problem = problems[rank]
            if problem.value(other) > problem.value(here) * (1 + 1e-12):
                result[[rank, rank + 1]] = result[[rank + 1, rank]]
                changed = True
        if not changed:
            break
    return result

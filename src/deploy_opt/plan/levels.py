"""Where to wait when only so many units are free: the move-up table, level within level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from deploy_opt.plan.certificates import relaxation
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
        Cover with what further units within reach add, shape (levels,); see `move_up_table`.
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


def move_up_table(case: Case, units: NDArray[np.int64], *, bounds: bool = True) -> MoveUpTable:
    """Order the posts so that the first n are a good place for any n free units.

    The nested form of the maximal expected coverage relocation problem (Gendreau, Laporte and
    Semet 2006, *Journal of the Operational Research Society* 57): the sum over n of the chance
    that n units are free times the value of level n. Chances are those of Erlang's loss system
    with the plan's most units and the week's mean load. A level's value is the share of the next
    calls within reach of a free unit; the k-th unit within reach adds ``b^(k-1)``, with b the
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
    bounds
        Whether to bound every level by a linear program; otherwise bounds are NaN.

    Returns
    -------
    MoveUpTable
    """
    room = case.rules.upper.min(axis=0)
    if case.rules.max_open is not None:
        room = np.where(units.any(axis=0), room, 0)
    fleet = int(units.sum(axis=1).max(initial=0))
    top = int(min(fleet, room.sum(), MOST_LEVELS))
    load = float(case.model.loads.mean())
    cover, weights = week_sets(case.model)
    problems = [_level(cover, weights, room, number, fleet, load) for number in range(1, top + 1)]
    chance = free_chances(load, fleet)[1 : top + 1]
    order = _best_order(problems, chance)
    placed = [np.bincount(order[: n + 1], minlength=len(room)) for n in range(top)]
    reached = [float(weights[(x @ cover) > 0].sum()) for x in placed]
    value = [problem.value(x) for problem, x in zip(problems, placed, strict=True)]
    bound = np.full(top, np.nan)
    if bounds:
        engine = case.settings.solver.engine
        bound = np.asarray([_bound(p, v, engine) for p, v in zip(problems, value, strict=True)])
    return MoveUpTable(order, chance, np.asarray(reached), np.asarray(value), bound, load)


def week_sets(model: CoverModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put the covering sets of all speed profiles side by side, with their share of the calls.

    Returns
    -------
    tuple
        Cover, shape (posts, sets), and the share of all expected calls in each set, shape (sets,);
        calls that no post reaches are in no set.
    """
    covers, weights = [], []
    for rank, geometry in enumerate(model.geometries):
        calls = model.rates[:, model.geometry_of_hour == rank].sum(axis=1)
        covers.append(geometry.cover)
        weights.append(geometry.area_share.T @ calls)
    cover, weight = np.hstack(covers), np.concatenate(weights) / model.rates.sum()
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


def _best_order(problems: list[Hour], chance: NDArray[np.float64]) -> NDArray[np.int64]:
    top = len(problems)
    if not top:
        return np.zeros(0, dtype=np.int64)
    likely = np.sort(np.argsort(-chance, kind="stable")[:_ANCHORS]) + 1
    anchors = sorted({1, *likely.tolist()})
    best, most = np.zeros(0, dtype=np.int64), -np.inf
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


def level_rows(table: MoveUpTable, post_ids: list[str]) -> list[tuple[int, int, str]]:
    """List every level: free units, rank and post id."""
    ordered = [post_ids[post] for post in table.posts.tolist()]
    return [
        (number, rank + 1, ordered[rank])
        for number in range(1, len(ordered) + 1)
        for rank in range(number)
    ]

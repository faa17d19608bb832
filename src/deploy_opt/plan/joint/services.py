"""One weekly plan for several unit types and services: crews, positions and what is proven."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.bounds.gaps import Gaps
from deploy_opt.plan.joint.certify import position_bounds
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.floors import floors_of, lock_words
from deploy_opt.plan.joint.master import Master
from deploy_opt.plan.joint.parts import parts_of
from deploy_opt.plan.joint.place import place_pool
from deploy_opt.plan.joint.rows import pool_model
from deploy_opt.plan.joint.start_search import StartSearch, rules_of
from deploy_opt.plan.joint.tables import PoolTables
from deploy_opt.plan.joint.weekly_crews import (
    better_weekly,
    bounded_weekly,
    is_weekly,
    whole_budgets,
)
from deploy_opt.plan.solver import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.floors import Floor
    from deploy_opt.plan.joint.parts import Part
    from deploy_opt.plan.joint.place import PlacedPool
    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.rows import PoolModel
    from deploy_opt.plan.joint.set_bounds import SetBounds


CREW_LIMITS = Limits(gap=1e-3, node_limit=100)
"""Gap of the crews above which branch and bound polishes them, and its work, by default."""
_ROUGH = 1e-3
"""Relative excess at which the relaxation on shared positions may stop."""
_NEAR = 1
"""Units about the relaxation's staffing within which every hour searches its own positions."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Hours in which a floor is not kept.

    Attributes
    ----------
    reason
        The floor, in words.
    hours
        Hours of the plan.
    unit_hours
        Missing unit-hours.
    """

    reason: str
    hours: tuple[int, ...]
    unit_hours: int


@dataclass(frozen=True, slots=True, eq=False)
class JointPlan(Gaps):
    """A plan for all unit types.

    Attributes
    ----------
    units
        By unit type: units at each post, shape (hours, posts).
    crews
        By unit type: crews of each shift, shape (shifts,).
    value
        Expected worth of the calls reached.
    free_value
        The same without limits on open posts and moves.
    hull_bound
        What no crews can be worth, by the values found for any units on duty.
    location_bound
        What no positions can be worth at the plan's units on duty.
    spent
        By budget: cost of the crews.
    shortfalls
        Floors that are not kept.
    work
        Searches, swaps, exchanges, iterations: the work done.
    """

    units: Mapping[str, NDArray[np.int64]]
    crews: Mapping[str, NDArray[np.int64]]
    value: float
    free_value: float
    hull_bound: float
    location_bound: float
    spent: Mapping[str, float]
    shortfalls: tuple[Shortfall, ...]
    work: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A question laid out: what a choice of crews looks at.

    Attributes
    ----------
    question
        The question.
    models
        Rows of each pool.
    tables
        Values of each pool.
    floors
        Floors of all pools.
    price
        Worth of the first missing unit of an hour.
    """

    question: Question
    models: tuple[PoolModel, ...]
    tables: tuple[PoolTables, ...]
    floors: tuple[Floor, ...]
    price: float


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Crews of every type.

    Attributes
    ----------
    crews
        By type, shape (shifts of the type,).
    staffing
        Units on duty, shape (types, hours).
    value
        Sum of the tables' values, missing units not counted.
    bound
        What no crews can be worth, likewise.
    spent
        By budget: cost of the crews.
    work
        Points, rounds, exchanges, nodes, iterations.
    """

    crews: tuple[NDArray[np.int64], ...]
    staffing: NDArray[np.int64]
    value: float
    bound: float
    spent: Mapping[str, float]
    work: Mapping[str, int]


def lay_services(question: Question, *, frozen: NDArray[np.int64] | None = None) -> Laid:
    """Lay out a question; arguments as `plan_services`."""
    models = [pool_model(question, pool) for pool in question.pools]
    if frozen is not None:
        models = [
            replace(model, frozen=frozen[list(pool.types)])
            for pool, model in zip(question.pools, models, strict=True)
        ]
    floors = tuple(
        floor
        for pool, model in zip(question.pools, models, strict=True)
        for floor in floors_of(pool, model)
    )
    hours = range(question.num_hours)
    price = 2.0 * max(float(model.weights(hour).sum()) for model in models for hour in hours)
    tables = tuple(PoolTables(model) for model in models)
    return Laid(question, tuple(models), tables, floors, price)


def choose_crews(
    laid: Laid,
    limits: Limits,
    *,
    starts: Sequence[Sequence[NDArray[np.int64]]] = (),
    quick: bool = False,
    bounds: SetBounds | None = None,
) -> Chosen:
    """Choose crews by the tables' values, within the budgets.

    Limits on start times and patterns are kept by a search over them (`StartSearch`). Unit types
    that nothing ties together are chosen apart (`parts.parts_of`).

    Parameters
    ----------
    laid
        The question laid out.
    limits
        As `plan_services`.
    starts
        Crews within the budgets that are improved too, so that the choice is worse than none.
    quick
        Leave out the corner of the relaxation: for a question that differs little from one whose
        crews are in `starts`. The bound is as good.
    bounds
        Bounds on sets of shifts (`start_search.set_bounds`) that choices with other limits on
        start times of this question left behind; for a question that is one part.

    Raises
    ------
    InfeasibleError
        No crews within the budgets put the locked units on duty.
    """
    parts = parts_of(laid)
    if len(parts) == 1:
        return _choose_part(laid, limits, starts, quick=quick, bounds=bounds)
    found = []
    for part in parts:
        given = [part.crews_of(crews) for crews in starts]
        found.append(_choose_part(part.laid, limits, given, quick=quick))
    return _joined(laid, parts, found)


def _choose_part(
    laid: Laid,
    limits: Limits,
    starts: Sequence[Sequence[NDArray[np.int64]]],
    *,
    quick: bool,
    bounds: SetBounds | None = None,
) -> Chosen:
    if rules_of(laid.question):
        return StartSearch(laid, limits, _choose_among_all, _written, bounds=bounds).run(starts)
    chosen = _choose_among_all(laid, limits, starts, quick=quick)
    return chosen if quick else bounded_weekly(laid, chosen, limits)


def _joined(laid: Laid, parts: Sequence[Part], found: Sequence[Chosen]) -> Chosen:
    """Put the crews of parts together: values, bounds and work add up."""
    rank_of = {kind: (p, r) for p, part in enumerate(parts) for r, kind in enumerate(part.types)}
    places = [rank_of[kind] for kind in range(len(laid.question.types))]
    spent = {name: cost for chosen in found for name, cost in chosen.spent.items()}
    names = dict.fromkeys(key for chosen in found for key in chosen.work)
    return Chosen(
        crews=tuple(found[p].crews[r] for p, r in places),
        staffing=np.stack([found[p].staffing[r] for p, r in places]),
        value=sum(chosen.value for chosen in found),
        bound=sum(chosen.bound for chosen in found),
        spent={budget.name: spent[budget.name] for budget in laid.question.budgets},
        work={key: sum(chosen.work.get(key, 0) for chosen in found) for key in names},
    )


def _choose_among_all(
    laid: Laid,
    limits: Limits,
    starts: Sequence[Sequence[NDArray[np.int64]]],
    *,
    quick: bool = False,
) -> Chosen:
    """Choose crews among all shifts; arguments as `choose_crews`."""
    weekly = is_weekly(laid.question)
    if weekly:
        laid = replace(laid, question=whole_budgets(laid.question))
    question, tables = laid.question, laid.tables
    master = Master(question, tables, laid.floors, laid.price)
    search = CrewSearch(question, tables, laid.floors, laid.price)
    if not all(of_pool.is_sharp for of_pool in tables):
        relaxed = master.relax(close=_ROUGH, corner=False)
        for pool, of_pool in zip(question.pools, tables, strict=True):
            of_pool.sharpen(relaxed.staffing[list(pool.types)], _NEAR)
    cornered = not (quick or weekly)  # a corner's crews on weekly patterns are as broken
    relaxed = master.relax(corner=cornered)
    ways = (relaxed.crews, relaxed.inner) if cornered else (relaxed.inner,)
    rounded = [search.round(of) for of in ways]
    tried = [search.exchange(crews) for crews in (*rounded, *starts)]
    crews, score, _ = max(tried, key=lambda found: found[1])
    steps, tries = sum(made for _, _, made in tried), 0
    if weekly and relaxed.bound - score > limits.gap * abs(score):
        crews, score, tries = better_weekly(
            laid, search, crews, limits, bound=relaxed.bound, quick=quick
        )
    if score > relaxed.bound:  # exchanges met numbers of units that no price asked for
        master.know(crews)
        relaxed = master.relax(corner=False)
    bound, nodes = relaxed.bound, 0
    if not weekly and bound - score > limits.gap * abs(score):
        polished, report = master.polish(crews, bound - score, limits)
        bound, nodes = min(bound, report.bound), report.nodes
        other, found, more = search.exchange(polished)
        steps += more
        if found > score:
            crews, score = other, found
    work = {
        "points": relaxed.points,
        "rounds": relaxed.rounds,
        "exchanges": steps,
        "tries": tries,
        "nodes": nodes,
        "iterations": relaxed.iterations,
    }
    return _written(question, search, crews, (score, bound), work)


def _written(
    question: Question,
    search: CrewSearch,
    crews: Sequence[NDArray[np.int64]],
    score_and_bound: tuple[float, float],
    work: Mapping[str, int],
) -> Chosen:
    """Write crews down; their score and its bound count missing units at their price."""
    score, bound = score_and_bound
    staffing = search.staffing(crews)
    _check_locks(question, staffing)
    lost = search.lost(staffing)
    spent = search.spent(crews).tolist()
    return Chosen(
        crews=tuple(crews),
        staffing=staffing,
        value=score + lost,
        bound=max(bound, score) + lost,
        spent=dict(zip((budget.name for budget in question.budgets), spent, strict=True)),
        work={"iterations": 0, **work},
    )


def plan_services(
    question: Question,
    *,
    limits: Limits | None = None,
    certify: bool = True,
    frozen: NDArray[np.int64] | None = None,
) -> JointPlan:
    """Plan the crews and positions of several unit types at once.

    Pools of types that answer one another's calls have value tables by the numbers of units of
    each type, with busy fractions inside; one crew master spends the budgets over all pools; each
    pool is then placed. See ``docs/formulation.md``.

    Parameters
    ----------
    question
        Unit types, call classes, budgets.
    limits
        Gap between crews and their bound above which branch and bound polishes the crews, and
        how much work that may take; default: 0.1 %, 100 nodes.
    certify
        Whether to bound the positions too, by a linear program for every hour.
    frozen
        Units on duty at which busy fractions are held instead of following the plan's, shape
        (types, hours): the textbook model, for comparison; values and bounds are then its own.

    Returns
    -------
    JointPlan
        Where budgets cannot keep busy caps and fewest units, floors are missed as evenly as the
        shifts allow, and `JointPlan.shortfalls` names them.

    Raises
    ------
    InfeasibleError
        No crews within the budgets put the locked units on duty.
    """
    laid = lay_services(question, frozen=frozen)
    return settle(laid, choose_crews(laid, limits or CREW_LIMITS), certify=certify)


def settle(laid: Laid, chosen: Chosen, *, certify: bool = True) -> JointPlan:
    """Give chosen crews their positions; arguments as `plan_services`."""
    question, models, tables = laid.question, laid.models, laid.tables
    crews, staffing = chosen.crews, chosen.staffing
    placed = [
        place_pool(of_pool, staffing[list(pool.types)], cyclic=question.cyclic)
        for pool, of_pool in zip(question.pools, tables, strict=True)
    ]
    located, iterations = _located(question, models, placed, staffing) if certify else (np.nan, 0)
    value, free = (
        sum(float(row.sum()) for row in rows)
        for rows in ([p.value for p in placed], [p.free_value for p in placed])
    )
    work = {
        **chosen.work,
        "searches": sum(of_pool.searches for of_pool in tables),
        "swaps": sum(of_pool.moves for of_pool in tables),
        "iterations": chosen.work["iterations"] + iterations,
    }
    units = {
        question.types[kind].name: of_type
        for pool, found in zip(question.pools, placed, strict=True)
        for kind, of_type in zip(pool.types, found.units, strict=True)
    }
    names = [kind.name for kind in question.types]
    return JointPlan(
        units={name: units[name] for name in names},
        crews=dict(zip(names, crews, strict=True)),
        value=value,
        free_value=max(free, value),
        hull_bound=chosen.bound,
        location_bound=located,
        spent=chosen.spent,
        shortfalls=shortfalls_of(laid.floors, staffing),
        work=work,
    )


def _check_locks(question: Question, staffing: NDArray[np.int64]) -> None:
    short = [
        (kind.lower.sum(axis=1) > units).any()
        for kind, units in zip(question.types, staffing, strict=True)
    ]
    if any(short):
        raise InfeasibleError(lock_words(question))


def _located(
    question: Question,
    models: Sequence[PoolModel],
    placed: list[PlacedPool],
    staffing: NDArray[np.int64],
) -> tuple[float, int]:
    total, iterations = 0.0, 0
    for pool, model, found in zip(question.pools, models, placed, strict=True):
        bounds, work = position_bounds(model, staffing[list(pool.types)], found)
        total += float(bounds.sum())
        iterations += work
    return total, iterations


def shortfalls_of(floors: Sequence[Floor], staffing: NDArray[np.int64]) -> tuple[Shortfall, ...]:
    """Name the floors that a staffing, shape (types, hours), does not keep."""
    found = []
    for floor in floors:
        missing = np.maximum(floor.units - staffing[list(floor.types)].sum(axis=0), 0)
        if missing.any():
            hours = tuple(np.flatnonzero(missing).tolist())
            found.append(Shortfall(floor.reason, hours, int(missing.sum())))
    return tuple(found)

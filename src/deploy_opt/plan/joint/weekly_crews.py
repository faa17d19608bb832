"""Whole crews on weekly patterns, which rounding and single exchanges leave far from the bound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.cheapest import cheapest_crews
from deploy_opt.plan.joint.crews import CrewSearch
from deploy_opt.plan.joint.master import Master
from deploy_opt.plan.joint.recreate import Recreation
from deploy_opt.plan.solver import linear_model, solve
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.joint.cheapest import CheapestCrews
    from deploy_opt.plan.joint.question import Question
    from deploy_opt.plan.joint.services import Chosen, Laid
    from deploy_opt.plan.solver import Limits

_ROUND = 1e-6
_TRIES_A_NODE = 5
"""Times that crews of a pool are recreated for a node that branch and bound might take."""
_NODES = 100
_QUICK = 5


def is_weekly(question: Question) -> bool:
    """Say whether crews work weekly patterns in pools of one unit type each.

    Shifts of any day are nearly integral: a relaxation's crews are whole for the most part. Weekly
    patterns are not, and branch and bound over all districts does not end.
    """
    weekly = any(kind.columns.days is not None for kind in question.types)
    return weekly and all(len(pool.types) == 1 for pool in question.pools)


def whole_budgets(question: Question) -> Question:
    """Round budgets down to what whole crews can spend, where their crews cost steps of one size.

    Crews of 40 h leave 30 of 2,950 h unspent, which a relaxation would spend.

    Parameters
    ----------
    question
        The question.
    """
    budgets = []
    for budget in question.budgets:
        of = [kind for kind in question.types if kind.name in budget.types]
        costs = {kind.cost_per_h for kind in of}
        limit = budget.limit
        if len(costs) == 1 and min(costs) > 0:
            hours = np.gcd.reduce(np.concatenate([kind.columns.unit_hours for kind in of]))
            step = float(hours) * min(costs)
            limit = min(limit, float(np.floor(limit / step + _ROUND)) * step)
        budgets.append(replace(budget, limit=limit))
    return replace(question, budgets=tuple(budgets))


def better_weekly(
    laid: Laid,
    search: CrewSearch,
    crews: Sequence[NDArray[np.int64]],
    limits: Limits,
    *,
    bound: float,
    quick: bool = False,
) -> tuple[list[NDArray[np.int64]], float, int]:
    """Improve whole crews by ruin and recreate, from the given ones or the cheapest that cover.

    Parameters
    ----------
    laid
        The question laid out.
    search
        What its hours are worth.
    crews
        Whole crews within the budgets, by type.
    limits
        Gap to the bound at which to stop; five tries for each pool and node that branch and bound
        might take; seed of the draws.
    bound
        What no crews can be worth, missing units counted at their price.
    quick
        Try a fifth as often.

    Returns
    -------
    tuple
        Crews that are no worse, their score and the tries made.
    """
    nodes = _NODES if limits.node_limit is None else limits.node_limit
    tries = _TRIES_A_NODE * nodes * len(laid.question.pools)
    if quick:
        tries //= _QUICK
    enough = bound - limits.gap * abs(bound)
    recreation = Recreation(search, stream(limits.seed, "weekly crews"))
    starts = [crews]
    if search.lost(search.staffing(crews)) > 0:
        starts += _covering(laid, search)
    climbed = [recreation.improve(start, tries=0) for start in starts]
    start, _, _ = max(climbed, key=lambda found: found[1])
    return recreation.improve(start, tries=tries, enough=enough)


def bounded_weekly(laid: Laid, chosen: Chosen, limits: Limits) -> Chosen:
    """Bound crews on weekly patterns by those that fall short of the floors no more than they do.

    Where the given crews keep all floors, so must the others: each type then has as many
    unit-hours as whole crews need for its floors (`cheapest.cheapest_crews`), which a relaxation
    keeps with fewer. Where no crews within the budgets keep all floors, the price of a missing
    unit, which stands above any value, would be most of a gap: the calls' worth is bounded apart
    from it, at missing units that count no more than the given crews' (`Master`, ``most_lost``).

    Parameters
    ----------
    laid
        The question laid out.
    chosen
        Crews.
    limits
        A bound within the gap is taken as it is.

    Returns
    -------
    Chosen
        With the better bound, where crews work weekly patterns (`is_weekly`).
    """
    near = chosen.bound - chosen.value <= limits.gap * abs(chosen.value)
    if not is_weekly(laid.question) or near or not laid.floors:
        return chosen
    laid = replace(laid, question=whole_budgets(laid.question))
    search = CrewSearch(laid.question, laid.tables, laid.floors, laid.price)
    lost = search.lost(chosen.staffing)
    fewest = None
    if lost <= 0:
        found = _cheapest_by_type(laid)
        steps = [np.gcd.reduce(kind.columns.unit_hours) for kind in laid.question.types]
        fewest = np.asarray(
            [np.ceil(f.bound / step - _ROUND) * step for f, step in zip(found, steps, strict=True)]
        )
    master = Master(
        laid.question, laid.tables, laid.floors, laid.price, most_lost=lost, fewest_h=fewest
    )
    master.know(chosen.crews)
    bound = max(master.relax(corner=False).bound, chosen.value)
    return replace(chosen, bound=min(chosen.bound, bound))


def _covering(laid: Laid, search: CrewSearch) -> list[list[NDArray[np.int64]]]:
    """List the cheapest whole crews that keep all floors: none where budgets are too small."""
    question, most = laid.question, search.limit * (1.0 + _ROUND)
    hours = [
        _least(need, kind.columns.on_duty)
        for need, kind in zip(_needed(laid), question.types, strict=True)
    ]
    if (search.cost @ np.asarray(hours) > most).any():
        return []
    crews = [found.crews for found in _cheapest_by_type(laid)]
    return [crews] if (search.spent(crews) <= most).all() else []


def _needed(laid: Laid) -> list[NDArray[np.int64]]:
    """Give the units that the floors ask of each type, each of shape (hours,)."""
    question = laid.question
    needed = [np.zeros(question.num_hours, dtype=np.int64) for _ in question.types]
    for floor in laid.floors:  # in pools of one type a floor is of one type
        (kind,) = floor.types
        needed[kind] = np.maximum(needed[kind], floor.units)
    return needed


def _cheapest_by_type(laid: Laid) -> list[CheapestCrews]:
    kinds = zip(_needed(laid), laid.question.types, strict=True)
    return [cheapest_crews(need, kind.columns) for need, kind in kinds]


def _least(needed: NDArray[np.int64], on_duty: NDArray[np.bool_]) -> float:
    """Bound the unit-hours of whole crews that keep a need from below; inf where none can."""
    hours = on_duty.sum(axis=1)
    model = linear_model(
        hours.astype(np.float64),
        on_duty.T.astype(np.float64),
        rows=(needed.astype(np.float64), np.full(len(needed), np.inf)),
    )
    found = solve(model)
    step = float(np.gcd.reduce(hours))
    bound = found.report.bound if found.x is not None else np.inf
    return float(np.ceil(bound / step - _ROUND)) * step

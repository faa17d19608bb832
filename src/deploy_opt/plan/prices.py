"""What each rule costs, and what each post is worth, in calls reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.case import solver_limits
from deploy_opt.plan.equity import counted_areas, weekly_cover
from deploy_opt.plan.floors import reachable_floors
from deploy_opt.plan.master import choose_crews
from deploy_opt.plan.place import linked
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.search import fit
from deploy_opt.plan.staff import Staffed
from deploy_opt.plan.value_tables import hour_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.deployment import SolvedCase
    from deploy_opt.settings import PlanSettings


@dataclass(frozen=True, slots=True)
class RulePrice:
    """What a rule costs.

    Attributes
    ----------
    rule
        The rule as the scenario names it, such as ``posts.locked.S03 = 1``.
    words
        The rule in words, without the price.
    calls
        Expected calls reached in the plan's hours without the rule minus with it, >= 0.
    bound
        What dropping the rule cannot bring more than, by the bound on crews and positions; NaN
        where the rule itself is part of the bound.
    """

    rule: str
    words: str
    calls: float
    bound: float


@dataclass(frozen=True, slots=True)
class PostValue:
    """Why a post is in the plan.

    Attributes
    ----------
    post
        0-based row of the posts.
    unit_hours
        Unit-hours that wait there.
    only
        Expected calls that are reached from this post alone: no other staffed post covers them.
    lost
        Expected calls lost if the post closes and its units go where they add most.
    next_best
        The post that takes most of its unit-hours then; -1 where none can.
    """

    post: int
    unit_hours: int
    only: float
    lost: float
    next_best: int


def price_rules(solved: SolvedCase, posts: pd.DataFrame) -> tuple[RulePrice, ...]:
    """Solve again without each rule in turn and give the calls that it costs.

    Rules on posts (locked, forbidden, limits, open posts, moves) are dropped at the plan's crews:
    positions are searched again from the free ones. The busy cap and the
    fewest units are dropped from the crew master, on the tables of the plan. A floor on the
    weakest area stays in force while other rules are dropped, by the weights of the areas that
    the plan was found with. The plan itself keeps every smaller set of rules, so no price is
    below 0; searches may miss a little, so a price may be more than is shown.

    Parameters
    ----------
    solved
        The plan and what it was made from.
    posts
        post_id and, where known, name and capacity, in the order of the posts axis.

    Returns
    -------
    tuple
        Dearest first.
    """
    case, placed = solved.case, solved.placed
    mu = None if placed.floor_search is None else placed.floor_search.multipliers
    found = []
    for rule, words, settings in _without_each(case.settings, posts):
        rules = rules_of(settings, posts, case.model.loads, case.rules.unit_hours)
        looser = replace(case, settings=settings, rules=rules)
        if _is_idle(rule, solved):
            value, bound = placed.value, np.nan
        elif rule.startswith("fleet."):
            value, bound = _without_floor(looser, solved, mu)
        else:
            drop = rule.startswith("equity.")
            value = _replaced(looser, solved, None if drop else mu)
            bound = np.nan
        found.append(RulePrice(rule, words, max(value - placed.value, 0.0), bound))
    return tuple(sorted(found, key=lambda price: (-price.calls, price.rule)))


def _is_idle(rule: str, solved: SolvedCase) -> bool:
    """Say whether the plan was found without the rule holding anything back."""
    placed, limit = solved.placed, solved.case.rules.max_open
    if rule.startswith("posts.max_open"):
        return limit is not None and int(_free(solved).any(axis=0).sum()) <= limit
    if rule.startswith("equity."):
        search = placed.floor_search
        return search is not None and search.passes == 0
    return False


def _free(solved: SolvedCase) -> NDArray[np.int64]:
    """Give positions at the plan's units on duty on all posts, whatever the limit on open ones."""
    tables, placed = solved.staffed.tables, solved.placed
    if placed.staffing.max(initial=0) > tables.max_units:
        return placed.free
    return tables.positions_at(placed.staffing)


def _without_each(
    settings: PlanSettings, posts: pd.DataFrame
) -> Iterator[tuple[str, str, PlanSettings]]:
    """Name each rule and give the settings without it."""
    names = _names(posts)
    rules, fleet, equity = settings.posts, settings.fleet, settings.equity

    def post_rules(**changes: object) -> PlanSettings:
        return settings.model_copy(update={"posts": rules.model_copy(update=changes)})

    for post_id, number in rules.locked.items():
        others = {key: value for key, value in rules.locked.items() if key != post_id}
        words = f"{names[post_id]} locked with {number}"
        yield f"posts.locked.{post_id} = {number}", words, post_rules(locked=others)
    for post_id in rules.forbidden:
        left = tuple(name for name in rules.forbidden if name != post_id)
        yield (
            f"posts.forbidden {post_id}",
            f"{names[post_id]} forbidden",
            post_rules(forbidden=left),
        )
    for rank, limit in enumerate(rules.limits):
        left_limits = (*rules.limits[:rank], *rules.limits[rank + 1 :])
        most = "" if limit.max_units is None else f" and at most {limit.max_units}"
        words = (
            f"{names[limit.post_id]} limited to at least {limit.min_units}{most}, "
            f"hours {limit.from_hour} to {limit.to_hour}"
        )
        yield f"posts.limits[{rank}] {limit.post_id}", words, post_rules(limits=left_limits)
    if rules.max_open is not None:
        words = f"at most {rules.max_open} open posts"
        yield f"posts.max_open = {rules.max_open}", words, post_rules(max_open=None)
    if rules.max_moves_per_hour is not None:
        words = f"at most {rules.max_moves_per_hour} moves an hour"
        rule = f"posts.max_moves_per_hour = {rules.max_moves_per_hour}"
        yield rule, words, post_rules(max_moves_per_hour=None)
    if equity.weakest_area_cover is not None:
        words = f"the floor of {equity.weakest_area_cover:.0%} for the weakest area"
        none = settings.model_copy(
            update={"equity": equity.model_copy(update={"weakest_area_cover": None})}
        )
        yield f"equity.weakest_area_cover = {equity.weakest_area_cover:g}", words, none
    free = settings.model_copy(update={"fleet": fleet.model_copy(update={"busy_cap": 1.0})})
    words = f"the busy cap of {fleet.busy_cap:.0%}"
    yield f"fleet.busy_cap = {fleet.busy_cap:g}", words, free
    if fleet.min_units > 0:
        few = settings.model_copy(update={"fleet": fleet.model_copy(update={"min_units": 0})})
        yield f"fleet.min_units = {fleet.min_units}", f"at least {fleet.min_units} units", few


def _names(posts: pd.DataFrame) -> dict[str, str]:
    ids = posts["post_id"].astype(str)
    names = posts["name"].astype(str) if "name" in posts else ids
    return {
        post_id: post_id if name == post_id else f"{post_id} ({name})"
        for post_id, name in zip(ids, names, strict=True)
    }


def _replaced(case: Case, solved: SolvedCase, mu: NDArray[np.float64] | None) -> float:
    """Search the positions again at the plan's crews, under looser rules."""
    placed = solved.placed
    return _best(case, solved, _both_ways(case, placed.staffing, _free(solved), mu))


def _both_ways(
    case: Case,
    staffing: NDArray[np.int64],
    start: NDArray[np.int64],
    mu: NDArray[np.float64] | None,
) -> list[NDArray[np.int64]]:
    """Search positions without weights on areas and, where some have them, with them."""
    tries = [linked(case, staffing, start)]
    if mu is not None and (mu > 1).any():
        tries.append(linked(case, staffing, start, mu))
    return tries


def _best(case: Case, solved: SolvedCase, tries: list[NDArray[np.int64]]) -> float:
    """Give the best value of plans that leave the weakest area no worse than it may be."""
    floor = case.settings.equity.weakest_area_cover
    counted = counted_areas(case.model, case.settings.equity.min_calls_per_week)
    least = -np.inf
    if floor is not None:
        now = weekly_cover(case.model, solved.placed.units)[counted].min(initial=1.0)
        least = min(floor, float(now))
    best = solved.placed.value
    for units in tries:
        weakest = float(weekly_cover(case.model, units)[counted].min(initial=1.0))
        if weakest >= least - 1e-12:
            best = max(best, float(case.model.value(units).sum()))
    return best


def _without_floor(
    case: Case, solved: SolvedCase, mu: NDArray[np.float64] | None
) -> tuple[float, float]:
    """Choose crews again without a floor on units, on the tables of the plan."""
    tables, solver = solved.staffed.tables, case.settings.solver
    floors = reachable_floors(
        case.model.loads,
        case.columns,
        case.rules,
        busy_cap=case.settings.fleet.busy_cap,
        engine=solver.engine,
    )
    most = np.minimum(case.rules.max_units, case.rules.upper.sum(axis=1))
    low = np.minimum(floors.units, most)
    same = np.array_equal(low, solved.case.floors.units)
    if same:
        return solved.placed.value, np.nan
    starts = [floors.crews, solved.placed.crews]
    crews = choose_crews(
        tables.value,
        case.columns,
        (low, most),
        case.rules.unit_hours,
        [c for c in starts if case.columns.staffing(c).max() <= tables.max_units],
        limits=solver_limits(case),
        engine=solver.engine,
    )
    again = Staffed(tables, crews)
    staffing = again.crews.staffing
    value = _best(case, solved, _both_ways(case, staffing, tables.positions_at(staffing), mu))
    return value, max(crews.bound - solved.placed.value, 0.0)


def value_posts(solved: SolvedCase) -> tuple[PostValue, ...]:
    """Say what each post of the plan is worth, in the order of the posts.

    A post's closure is tried hour by hour: its units go one by one where they add most, all other
    units stay; limits on open posts and moves are left aside, so the loss is what no quick answer
    avoids, not that of a new plan.

    Parameters
    ----------
    solved
        The plan and what it was made from.
    """
    case, units = solved.case, solved.placed.units
    bounds = (case.rules.lower, case.rules.upper)
    problems = [
        hour_problem(case.model, hour, int(units[hour].sum()), bounds)
        for hour in range(case.model.num_hours)
    ]
    values = [problem.value(row) for problem, row in zip(problems, units, strict=True)]
    found = []
    for post in np.flatnonzero(units.any(axis=0)).tolist():
        only = lost = 0.0
        gone = np.zeros(units.shape[1], dtype=np.int64)
        for hour in np.flatnonzero(units[:, post]).tolist():
            problem, row = problems[hour], units[hour]
            number = int(row[post])
            alone = (row @ problem.cover == number) & (problem.cover[post] > 0)
            only += float(problem.weights[alone].sum() * problem.curve[number])
            shut = problem.upper.copy()
            shut[post] = 0
            low = np.where(np.arange(len(shut)) == post, 0, problem.lower)
            closed = replace(problem, upper=shut, lower=low)
            target = min(int(row.sum()), int(shut.sum()))
            moved = fit(closed, row, target)
            lost += max(values[hour] - closed.value(moved), 0.0)
            gone += np.maximum(moved - row, 0)
        next_best = int(np.argmax(gone)) if gone.any() else -1
        found.append(PostValue(post, int(units[:, post].sum()), only, lost, next_best))
    return tuple(found)

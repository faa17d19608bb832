"""What each rule costs, and what each post is worth, in calls reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.balance import Prices
from deploy_opt.plan.balance.rules import balance_of
from deploy_opt.plan.case import solver_limits
from deploy_opt.plan.floors import reachable_floors
from deploy_opt.plan.master import choose_crews
from deploy_opt.plan.place import linked
from deploy_opt.plan.questions.price_bounds import PriceBounds
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.search import fit
from deploy_opt.plan.staff import Staffed
from deploy_opt.plan.value_tables import hour_problem
from deploy_opt.rule_settings import EquityRules

_TIE = 1e-12
_OF_POSTS = ("posts.locked", "posts.forbidden", "posts.limits", "posts.max_open_per_hour")

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
        Expected calls reached in the plan's hours without the rule minus with it, >= 0; less the
        prices of the posts in use, where opening has a price that is not the rule itself.
    bound
        What dropping the rule cannot bring more than: for limits of the posts themselves (locked,
        forbidden, limits, open posts by hour) at the plan's units on duty, for all other rules
        over crews and positions, as proven as the plan's own bound. NaN where nothing is known:
        for all other rules while opening has a price.
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
    fewest units are dropped from the crew master, on the tables of the plan. Rules of balance stay
    in force while other rules are dropped, by the prices that the plan was found with. The plan
    itself keeps every smaller set of rules, so no price is
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
    bounds, found = PriceBounds(solved), []
    for rule, words, settings in _without_each(case.settings, posts):
        rules = rules_of(settings, posts, case.model.loads, case.rules.unit_hours)
        looser = replace(case, settings=settings, rules=rules)
        base = placed.value - rules.opening_paid(placed.units)
        if rule.startswith("fleet."):
            value, bound = _without_floor(looser, solved, bounds)
        else:
            value = base if _is_idle(rule, solved) else _replaced(looser, solved)
            own = rule.startswith(_OF_POSTS)
            bound = bounds.at_units(rules) if own else bounds.any_crews()
        calls = max(value - base, 0.0)
        most = np.nan if rules.opening_calls.any() else max(bound - placed.value, calls)
        found.append(RulePrice(rule, words, calls, most))
    return tuple(sorted(found, key=lambda price: (-price.calls, price.rule)))


def _is_idle(rule: str, solved: SolvedCase) -> bool:
    """Say whether the plan was found without the rule holding anything back."""
    placed, limit = solved.placed, solved.case.rules.max_open
    if rule.startswith("posts.max_open"):
        return limit is not None and int(_free(solved).any(axis=0).sum()) <= limit
    if rule.startswith("equity."):
        return placed.balanced is not None and placed.balanced.passes == 0
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
    rules, equity = settings.posts, settings.equity

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
    if rules.max_open_per_hour is not None:
        words = f"at most {rules.max_open_per_hour} open posts in any hour"
        rule = f"posts.max_open_per_hour = {rules.max_open_per_hour}"
        yield rule, words, post_rules(max_open_per_hour=None)
    if rules.calls_to_open > 0 or any(rules.calls_to_open_at.values()):
        words = f"each open post must bring {rules.calls_to_open:g} calls a week"
        if rules.calls_to_open_at:
            words += f", {len(rules.calls_to_open_at)} of them have prices of their own"
        rule = f"posts.calls_to_open = {rules.calls_to_open:g}"
        yield rule, words, post_rules(calls_to_open=0.0, calls_to_open_at={})
    if rules.max_moves_per_hour is not None:
        words = f"at most {rules.max_moves_per_hour} moves an hour"
        rule = f"posts.max_moves_per_hour = {rules.max_moves_per_hour}"
        yield rule, words, post_rules(max_moves_per_hour=None)
    for key, words in _balance_words(equity):
        none = equity.model_copy(update={key: EquityRules.model_fields[key].default})
        value = getattr(equity, key)
        shown = value if isinstance(value, str) else f"{value:g}"
        yield f"equity.{key} = {shown}", words, settings.model_copy(update={"equity": none})
    yield from _fleet_rules(settings)


def _fleet_rules(settings: PlanSettings) -> Iterator[tuple[str, str, PlanSettings]]:
    """Name each rule on units on duty and give the settings without it."""
    fleet = settings.fleet

    def without(**changes: object) -> PlanSettings:
        return settings.model_copy(update={"fleet": fleet.model_copy(update=changes)})

    words = f"the busy cap of {fleet.busy_cap:.0%}"
    yield f"fleet.busy_cap = {fleet.busy_cap:g}", words, without(busy_cap=1.0)
    if fleet.min_units > 0:
        words = f"at least {fleet.min_units} units"
        yield f"fleet.min_units = {fleet.min_units}", words, without(min_units=0)
    if fleet.max_units is not None:
        words = f"at most {fleet.max_units} units"
        yield f"fleet.max_units = {fleet.max_units}", words, without(max_units=None)
    for rank, limit in enumerate(fleet.limits):
        left = (*fleet.limits[:rank], *fleet.limits[rank + 1 :])
        least = f"at least {limit.min_units}" if limit.min_units else ""
        most = "" if limit.max_units is None else f"at most {limit.max_units}"
        words = " and ".join(part for part in (least, most) if part)
        words += f" units on duty, hours {limit.from_hour} to {limit.to_hour}"
        yield f"fleet.limits[{rank}]", words, without(limits=left)


def _balance_words(equity: EquityRules) -> Iterator[tuple[str, str]]:
    """Name the rules of balance that are asked for."""
    if equity.weakest_area_cover is not None:
        yield (
            "weakest_area_cover",
            f"the floor of {equity.weakest_area_cover:.0%} for the weakest area",
        )
    if equity.worst_group_cover is not None:
        yield (
            "worst_group_cover",
            f"the floor of {equity.worst_group_cover:.0%} for the worst group",
        )
    if equity.max_mean_drive_s is not None:
        yield "max_mean_drive_s", f"the limit of {equity.max_mean_drive_s:g} s on the mean drive"
    if equity.workload_band is not None:
        yield "workload_band", f"the band of {equity.workload_band:.0%} for the units' workload"
    if equity.objective != "calls":
        yield "objective", "the Nash welfare instead of the most calls"


def _names(posts: pd.DataFrame) -> dict[str, str]:
    ids = posts["post_id"].astype(str)
    names = posts["name"].astype(str) if "name" in posts else ids
    return {
        post_id: post_id if name == post_id else f"{post_id} ({name})"
        for post_id, name in zip(ids, names, strict=True)
    }


def _replaced(case: Case, solved: SolvedCase) -> float:
    """Search the positions again at the plan's crews, under looser rules."""
    staffing = solved.placed.staffing
    return _best(case, solved, _both_ways(case, solved, staffing, _free(solved)))


def _both_ways(
    case: Case, solved: SolvedCase, staffing: NDArray[np.int64], start: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Search positions without prices of balance and, where some are in force, with them."""
    tries = [linked(case, staffing, start)]
    found = solved.placed.balanced
    if found is None:
        return tries
    kept = balance_of(case, staffing)
    prices = {r.key: p for r, p in zip(found.balance.rules, found.prices.rules, strict=True)}
    left = tuple(prices.get(rule.key, rule.prices) for rule in kept.rules)
    aim = found.prices.aim if kept.welfare is not None else np.ones_like(found.prices.aim)
    weights = kept.weights(Prices(aim, left))
    if not weights.plain:
        tries.append(linked(case, staffing, start, weights))
    return tries


def _best(case: Case, solved: SolvedCase, tries: list[NDArray[np.int64]]) -> float:
    """Give the best value of plans that miss no rule of balance by more than the plan does.

    Where the plan is chosen by the Nash welfare, plans that have less of it do not count.
    """
    balance = balance_of(case, solved.placed.staffing)
    plan = balance.judge(solved.placed.units)
    paid = case.rules.opening_paid
    best = solved.placed.value - paid(solved.placed.units)
    for units in tries:
        standing = balance.judge(units)
        as_fair = balance.welfare is None or standing.worth >= plan.worth - _TIE
        if standing.miss <= plan.miss + _TIE and as_fair:
            best = max(best, float(case.model.value(units).sum()) - paid(units))
    return best


def _without_floor(case: Case, solved: SolvedCase, bounds: PriceBounds) -> tuple[float, float]:
    """Choose crews again without a rule on units on duty, on the tables of the plan."""
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
    if same and np.array_equal(case.rules.max_units, solved.case.rules.max_units):
        base = solved.placed.value - case.rules.opening_paid(solved.placed.units)
        return base, bounds.any_crews()
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
    value = _best(case, solved, _both_ways(case, solved, staffing, tables.positions_at(staffing)))
    return value, bounds.with_positions(crews.bound)


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
    case, units = solved.case, solved.plan.units
    bounds = (case.rules.lower, case.rules.upper)
    problems = [
        hour_problem(
            case.model,
            hour,
            int(units[hour].sum()),
            bounds,
            max_open=case.rules.max_open_per_hour,
        )
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
            curve = problem.curve
            if curve.ndim == 1:
                only += float(problem.weights[alone].sum() * curve[number])
            else:
                only += float(problem.weights[alone] @ curve[alone, number])
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

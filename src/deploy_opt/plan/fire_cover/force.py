"""Where fire companies stand so that most calls get a first company and a whole force in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import sparse

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.conflicts import conflicting_rows
from deploy_opt.plan.engines.linear_model import keeps_rows
from deploy_opt.plan.fire_cover.cuts import with_cuts
from deploy_opt.plan.fire_cover.model import ForceModel, force_model
from deploy_opt.plan.fire_cover.score import ForceScore, score_companies
from deploy_opt.plan.fire_cover.search import PlacementSearch
from deploy_opt.plan.locations.problem import joined_report, settled
from deploy_opt.plan.solver import Limits, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.fire_cover.question import FireQuestion
    from deploy_opt.plan.results import SolveReport
    from deploy_opt.plan.solver import Model, Solution

Aim = Literal["weighted", "first_then_force", "force_then_first"]
_ROUNDING = 1e-9
_TAIL_NOTE = "companies beyond those that matter to a call are bounded, not searched"


@dataclass(frozen=True, slots=True, eq=False)
class ForcePlan:
    """A placement of companies with what is proven about it.

    Attributes
    ----------
    companies
        Companies at each station, shape (kinds, stations).
    score
        What it reaches, counted row by row.
    report
        Objective, bound and gap: weighted calls of the aim, or cost for the fewest companies;
        ``parts`` holds both layers' weighted calls and bounds of earlier solves.
    """

    companies: NDArray[np.int64]
    score: ForceScore
    report: SolveReport


def most_covered(
    question: FireQuestion,
    *,
    aim: Aim = "weighted",
    weights: tuple[float, float] = (0.5, 0.5),
    limits: Limits | None = None,
) -> ForcePlan:
    """Place the companies that the rules allow so that most weighted calls are covered.

    Parameters
    ----------
    question
        Stations, companies, risks, rules; `FireRules.most_companies` or `CompanyKind.most` say
        how many.
    aim
        ``weighted``: the sum of both layers by `weights`; ``first_then_force``: the first-due
        layer at its best, then the force; ``force_then_first``: the other way round.
    weights
        Worth of a call in the first-due and in the force layer.
    limits
        When each solve stops; the default proves the optimum to 1e-6, with busy companies 1e-4.

    Returns
    -------
    ForcePlan
        With `limits` that stop it first, the best found with its bound and gap.

    Raises
    ------
    InputError
        An unknown aim, weights below 0 or both 0.
    InfeasibleError
        The smallest set of rules that no placement keeps together.

    Examples
    --------
    >>> from deploy_opt.plan.fire import CompanyKind, FireQuestion, FireRules, Need, RiskClass
    >>> engines = CompanyKind("engine", np.array([1, 1, 1]), np.array([1, 0, 1]))
    >>> house = RiskClass("house", np.array([3.0, 5.0]), (Need(("engine",), 2),))
    >>> times_s = np.array([[100.0, 500.0], [400.0, 200.0], [900.0, 300.0]])
    >>> question = FireQuestion(
    ...     ("A", "B", "C"), times_s, ("a", "b"), (engines,), (house,),
    ...     rules=FireRules(most_companies=2),
    ... )
    >>> found = most_covered(question, weights=(0, 1))
    >>> found.companies.tolist(), found.score.force.ravel().tolist(), found.report.gap
    ([[0, 1, 1]], [0.0, 1.0], 0.0)
    """
    rules = limits or Limits(gap=1e-4 if question.busy_fraction else 1e-6)
    if aim == "weighted":
        if min(weights) < 0 or sum(weights) <= 0:
            raise InputError.of("weights", f"{weights}", "two numbers >= 0, not both 0")
        return _best(question, force_model(question), weights, rules)
    orders = {"first_then_force": ((1.0, 0.0), (0.0, 1.0))}
    orders["force_then_first"] = orders["first_then_force"][::-1]
    if aim not in orders:
        raise InputError.of("aim", repr(aim), "weighted, first_then_force or force_then_first")
    force = force_model(question)
    before, after = orders[aim]
    first = _best(question, force, before, rules)
    layer = force.first_worth if before[0] else force.force_worth
    reached = float(layer @ force.point(first.companies, question.today))
    held = _with_row(force, layer, reached * (1 - _ROUNDING))
    second = _best(question, held, after, rules, start=first.companies)
    name = "first" if before[0] else "force"
    parts = {f"{name}_best": first.report.objective, f"{name}_bound": first.report.bound}
    return replace(second, report=joined_report(second.report, [first.report], parts=parts))


def fewest_companies(question: FireQuestion, *, limits: Limits | None = None) -> ForcePlan:
    """Find the cheapest companies that reach the least shares, and of such plans the best.

    Parameters
    ----------
    question
        With `FireRules.least_first_share` or `least_force_share`, or both; each company costs
        its kind's `CompanyKind.cost`.
    limits
        When each solve stops; as `most_covered`.

    Returns
    -------
    ForcePlan
        Its report's objective and bound are costs; of all placements of that cost it covers most
        (both layers alike).

    Raises
    ------
    InputError
        No share is asked for.
    InfeasibleError
        The smallest set of rules that no placement keeps together.
    """
    asked = question.rules
    if asked.least_first_share is None and asked.least_force_share is None:
        expected = "least_first_share or least_force_share"
        raise InputError.of("rules", "no share to reach", expected)
    rules = limits or Limits(gap=1e-4 if question.busy_fraction else 1e-6)
    force = force_model(question)
    model = with_cuts(force, replace(force.model, cost=force.cost, maximise=False), rules)
    least = asked.least_first_share or 0.0, asked.least_force_share or 0.0
    asks = float(least[0] > 0), float(least[1] > 0)
    enough = PlacementSearch(question, asks).enough(*least)
    points = [force.point(placed, question.today) for placed in enough]
    start = next((x for x in points if keeps_rows(model, x)), None)
    found = solve(model, start=start, limits=rules)
    x = _taken(question, force, found)
    cost = float(force.cost @ x)
    second = _with_row(force, -force.cost, -cost * (1 + _ROUNDING))
    placed = np.round(x[force.companies]).astype(np.int64)
    counted = replace(asked, most_companies=int(placed.sum()))
    alike = len({kind.cost for kind in question.kinds}) == 1
    within = replace(question, rules=counted) if alike else question
    best = _best(within, second, (0.5, 0.5), rules, start=placed)
    report = settled(found.report, cost, found.report.bound, maximise=False)
    parts = {"reached": best.report.objective, "reached_bound": best.report.bound}
    return replace(best, report=joined_report(report, [best.report], parts=parts))


def _best(
    question: FireQuestion,
    force: ForceModel,
    weights: tuple[float, float],
    limits: Limits,
    *,
    start: NDArray[np.int64] | None = None,
) -> ForcePlan:
    worth = weights[0] * force.first_worth + weights[1] * force.force_worth
    plain = replace(force.model, cost=worth)
    starts = PlacementSearch(question, weights).starts()
    starts += [] if start is None else [start]
    points = [force.point(placed, question.today) for placed in starts]
    points = [x for x in points if keeps_rows(plain, x)]
    begin = max(points, key=lambda x: float(worth @ x)) if points else None
    model = with_cuts(force, plain, limits)
    found = solve(model, start=begin, limits=limits)
    x = found.x
    if begin is not None and (x is None or worth @ begin > worth @ x):
        x = begin
    if x is None:
        x = _taken(question, force, found)
    placed = np.round(x[force.companies]).astype(np.int64)
    score = score_companies(question, placed)
    layers = score.first_share * force.total, score.force_share * force.total
    value = weights[0] * layers[0] + weights[1] * layers[1]
    left = weights[0] * force.first_left + weights[1] * force.force_left
    bound = found.report.bound + left
    if abs(bound - value) <= _ROUNDING * max(force.total, 1.0):
        bound = value
    report = settled(found.report, value, bound, maximise=True)
    if report.status == "optimal" and report.gap > max(limits.gap, _ROUNDING):
        report = replace(report, status="limit", notes=(*report.notes, _TAIL_NOTE))
    parts = {"first_reached": layers[0], "force_reached": layers[1], "total": force.total}
    return ForcePlan(placed, score, replace(report, parts={**report.parts, **parts}))


def _taken(question: FireQuestion, force: ForceModel, found: Solution) -> NDArray[np.float64]:
    """Give the columns found; where there are none, say why."""
    if found.x is not None:
        return found.x
    if found.report.status == "infeasible":
        names = conflicting_rows(force.model, force.rules)
        if names:
            raise InfeasibleError([*names, *_reach_words(question, force, names)])
    raise InfeasibleError(["no placement was found within the limits of the solver"])


def _reach_words(
    question: FireQuestion, force: ForceModel, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Say what full stations would reach, where a least share is among the conflicting rules."""
    if not any("weighted calls" in name for name in names) or not force.total:
        return ()
    full = score_companies(question, question.room)
    words = (
        f"(every station full would reach {full.first_share:.1%} with a first-due company and "
        f"{full.force_share:.1%} with an effective force)"
    )
    return (words,)


def _with_row(force: ForceModel, worth: NDArray[np.float64], least: float) -> ForceModel:
    """Hold a linear sum of the columns at a least value."""
    model: Model = force.model
    row = sparse.csr_array(worth[None, :])
    held = replace(
        model,
        matrix=sparse.csr_array(sparse.vstack([model.matrix, row], format="csr")),
        row_lower=np.append(model.row_lower, least),
        row_upper=np.append(model.row_upper, np.inf),
        row_names=(),
    )
    return replace(force, model=held)

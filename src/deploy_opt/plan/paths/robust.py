"""The plan with the fewest late calls on the worst paths of a forecast: conditional value at risk.

Late calls on path s are ``C_s - V_s(x)``, its calls less what plan x reaches of them. Their mean
over the worst share of the paths is ``max over p in P of sum_s p_s (C_s - V_s(x))`` with P the
weights of the paths that are at most ``1 / (share S)`` each (Rockafellar and Uryasev 2000, *Journal
of Risk* 2). The least of it is the value of a game against the weights: each pass makes the best
plan for the present weights, by the ordinary steps, and moves them 2 / (k + 2) of the way to those
of the paths that are worst for it (the step of Frank and Wolfe 1956, *Naval Research Logistics* 3).
For any weights, no plan has fewer late calls on the worst paths than the best plan for those
weights has in their mean: a bound. The best plan found is last hedged by swaps (`path_swaps`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.rules import balance_of
from deploy_opt.plan.paths.model import PathModel, on_the_forecast, paths_model
from deploy_opt.plan.paths.swaps import path_swaps

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.place import Placed
    from deploy_opt.plan.proof import Proof
    from deploy_opt.plan.results import SolveReport
    from deploy_opt.plan.staff import Staffed

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Made:
    """A plan by the ordinary steps, with its question and its bounds."""

    case: Case
    staffed: Staffed
    placed: Placed
    proof: Proof


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The plan with the fewest late calls found on the worst paths.

    Attributes
    ----------
    made
        The plan; its question has the weights of the paths that it was made with.
    late
        Late calls on the worst paths, on average, and what posts cost to open.
    least_late
        What no plan has fewer of.
    share
        Share of the paths that are the worst; 1: all.
    passes
        Plans made.
    """

    made: Made
    late: float
    least_late: float
    share: float
    passes: int


def tail_weights(losses: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Give the weights by which a mean is the mean of the worst share.

    Parameters
    ----------
    losses
        Loss on each path, all equally likely, shape (paths,).
    share
        Share that is the worst, above 0; less than one path means the worst path.

    Returns
    -------
    numpy.ndarray
        Shape (paths,), summing to 1; the last of the worst may count in part.

    Examples
    --------
    >>> tail_weights(np.array([3.0, 9.0, 5.0, 1.0]), 0.375).round(3).tolist()
    [0.0, 0.667, 0.333, 0.0]
    """
    most = 1.0 / max(share * len(losses), 1.0)
    order = np.argsort(-losses, kind="stable")
    weights = np.zeros(len(losses))
    weights[order] = np.clip(1.0 - most * np.arange(len(losses)), 0.0, most)
    return weights


def worst_mean(losses: NDArray[np.float64], share: float) -> float:
    """Give the mean of the worst share: the conditional value at risk.

    Examples
    --------
    >>> worst_mean(np.array([3.0, 9.0, 5.0, 1.0]), 0.5)
    7.0
    """
    return float(tail_weights(losses, share) @ losses)


def late_calls(model: PathModel, units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the expected late calls of positions, (hours, posts), on each path, shape (paths,).

    With response layers these are the calls less their worth.
    """
    return np.asarray(model.path_calls - model.path_values(units), dtype=np.float64)


def fewest_late(
    case: Case,
    model: PathModel,
    make: Callable[[Case], Made],
    *,
    others: tuple[Made, ...] = (),
) -> WorstCase:
    """Search the plan with the fewest late calls on the worst paths.

    With ``robust.against: mean`` all paths are the worst, and one pass finds the plan.

    Parameters
    ----------
    case
        The question.
    model
        Its paths, all weighing the same.
    make
        Makes the best plan of a question.
    others
        Plans made otherwise, which stand for choice too.

    Returns
    -------
    WorstCase
        No worse on the worst paths than `others`, the plan for the paths' mean and rival plans,
        among those that miss the rules of balance least.
    """
    share, passes = _asked(case)
    calls, weights = model.path_calls, model.path_weights
    least = -np.inf
    judged = [_judge(case, model, made) for made in others]
    for done in range(1, passes + 1):
        made = make(replace(case, model=model.weighed(weights)))
        least = max(least, float(weights @ calls) - made.proof.bound)
        judged.append(_judge(case, model, made))
        judged += [_judge(case, model, rival) for rival in _rivals(made)]
        late = min(judged, key=_rank)[1]
        worst = tail_weights(late_calls(model, made.placed.units), share)
        reached = max(float(worst @ calls) - late, _ROUNDING)
        if late - least <= case.settings.solver.gap * reached or case.out_of_time:
            break
        weights = weights + (worst - weights) * 2.0 / (done + 2)
    miss, _, best = min(judged, key=_rank)
    if not case.out_of_time:
        judged.append(_judge(case, model, _hedged(case, model, best, miss)))
    _, late, best = min(judged, key=_rank)
    return WorstCase(best, late, min(least, late), share, done)


def _hedged(case: Case, model: PathModel, made: Made, miss: float) -> Made:
    """Swap posts, hour by hour, for fewer late calls on the worst paths."""
    share, _ = _asked(case)
    balance = balance_of(replace(case, model=model.forecast_model), made.placed.staffing)

    def keeps(units: NDArray[np.int64]) -> bool:
        return not balance.rules or balance.miss(units) <= miss + _ROUNDING

    start = made.placed.units
    units, _ = path_swaps(model, case.rules, start, lambda late: tail_weights(late, share), keeps)
    value = float(made.case.model.value(units).sum())
    placed = replace(made.placed, units=units, value=value)
    return replace(made, placed=placed, proof=replace(made.proof, value=value))


def _asked(case: Case) -> tuple[float, int]:
    robust = case.settings.robust
    if robust is None or robust.against == "mean":
        return 1.0, 1
    return robust.worst_share, robust.passes


def _judge(case: Case, model: PathModel, made: Made) -> tuple[float, float, Made]:
    miss, late = standing(case, model, made.placed.units)
    return miss, late, made


def standing(case: Case, model: PathModel, units: NDArray[np.int64]) -> tuple[float, float]:
    """Rank positions: what they miss of the rules of balance, then late calls on the worst paths.

    What posts cost to open, in calls, counts as late calls.

    Parameters
    ----------
    case
        The question.
    model
        Its paths, all weighing the same.
    units
        Units at each post, shape (hours, posts).
    """
    share, _ = _asked(case)
    plain = replace(case, model=model.forecast_model)
    miss = balance_of(plain, units.sum(axis=1)).miss(units)
    late = worst_mean(late_calls(model, units), share)
    return round(miss, 9), late + case.rules.opening_paid(units)


def _rank(judged: tuple[float, float, Made]) -> tuple[float, float]:
    return judged[:2]


def _rivals(made: Made) -> list[Made]:
    """Give the rivals that keep the floors, as plans with the bounds of the one made."""
    case, placed = made.case, made.placed
    result = []
    for units, crews in case.rivals:
        if (units.sum(axis=1) >= case.floors.units).all():
            value = float(case.model.value(units).sum())
            other = replace(placed, units=units, crews=crews, value=value, free=units)
            other = replace(other, free_value=value, bound=None, balanced=None)
            result.append(replace(made, placed=other, proof=replace(made.proof, value=value)))
    return result


def report_worst(
    report: SolveReport,
    found: WorstCase,
    model: PathModel,
    units: NDArray[np.int64],
    *,
    on_the_mean: NDArray[np.int64],
) -> SolveReport:
    """Turn the report of the last plan into one on the worst paths.

    Parameters
    ----------
    report
        Of the plan by the weights it was made with.
    found
        The search.
    model
        The paths.
    units
        The plan's positions, after the last search.
    on_the_mean
        Those of the plan for the forecast's mean.

    Returns
    -------
    SolveReport
        Objective and bound are calls reached on the worst paths, on average.
    """
    late = late_calls(model, units)
    worst = tail_weights(late, found.share)
    calls = float(worst @ model.path_calls)
    objective = calls - float(worst @ late)
    bound = max(calls - found.least_late, objective)
    reached = float((model.path_calls - late).sum() / model.path_calls.sum())
    parts = report.parts | {
        "paths": float(len(late)),
        "worst_paths_late": float(worst @ late),
        "worst_paths_late_bound": found.least_late,
        "paths_late": float(late.mean()),
        "robust_passes": float(found.passes),
    }
    other = worst_mean(late_calls(model, on_the_mean), found.share)
    which = "on average over" if found.share >= 1 else f"on the worst {found.share:.0%} of"
    note = (
        f"robust: chosen for the fewest late calls {which} {len(late)} sample paths of the "
        f"forecast: {float(worst @ late):,.1f} (the plan for the forecast's mean: {other:,.1f}), "
        f"bound {found.least_late:,.1f}; over all of these paths the plan reaches {reached:.2%}. "
        f"Objective and bound are calls reached on those paths (plans tried: {found.passes})"
    )
    if np.array_equal(units, on_the_mean):
        note += "; no plan was found that does better there than the plan for the forecast's mean"
    return replace(
        report,
        objective=objective,
        bound=bound,
        gap=bound / max(objective, 1e-12) - 1.0,
        parts=parts,
        notes=(*report.notes, note),
    )


@dataclass(frozen=True, slots=True)
class PathFigures:
    """How plans fare on paths that none of them was made against.

    Attributes
    ----------
    against
        ``mean`` or ``cvar``.
    paths
        Paths that judge.
    worst_share
        Share of them that is the worst; each plan has its own worst paths.
    names
        Plans: plan, plan_on_the_mean, baseline, simple_plan.
    calls
        Calls of a path, on average over all and over each plan's worst, shape (plans, 2).
    late
        Late calls of each plan, on average over all and over its worst paths, shape (plans, 2).
    """

    against: str
    paths: int
    worst_share: float
    names: tuple[str, ...]
    calls: NDArray[np.float64]
    late: NDArray[np.float64]

    @property
    def reached(self) -> NDArray[np.float64]:
        """Share of the calls reached, shape (plans, 2)."""
        return np.asarray(1.0 - self.late / np.maximum(self.calls, 1e-12), dtype=np.float64)


def judge_on_paths(
    case: Case, rates: NDArray[np.float64], plans: dict[str, NDArray[np.int64]]
) -> PathFigures | None:
    """Judge plans on paths that were kept from them.

    Parameters
    ----------
    case
        The question; None is given back where its settings ask for no paths.
    rates
        Rates of those paths, shape (paths, areas, hours).
    plans
        Positions, shape (hours, posts), by name.
    """
    asked = case.settings.robust
    if asked is None:
        return None
    model = paths_model(on_the_forecast(case).model, rates)
    every = np.full(len(rates), 1.0 / len(rates))
    calls, late = [], []
    for units in plans.values():
        lost = late_calls(model, units)
        means = np.stack([every, tail_weights(lost, asked.worst_share)])
        calls.append(means @ model.path_calls)
        late.append(means @ lost)
    return PathFigures(
        asked.against, len(rates), asked.worst_share, tuple(plans), np.array(calls), np.array(late)
    )

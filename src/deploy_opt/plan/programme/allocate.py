"""Slots by area that reach the most need: greedy where that is exact, else a small MIP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.conflicts import conflicting_rows
from deploy_opt.plan.engines.model_builder import ModelBuilder, lp_names
from deploy_opt.plan.locations.problem import settled
from deploy_opt.plan.results import SolveReport
from deploy_opt.plan.solver import Limits, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Model
    from deploy_opt.plan.programme.question import PreventionQuestion

_TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """Slots with what is proven about them.

    Attributes
    ----------
    slots
        Shape (areas,).
    report
        Objective and bound are shares of the need reached.
    """

    slots: NDArray[np.int64]
    report: SolveReport


def allocate_slots(
    question: PreventionQuestion,
    *,
    need: NDArray[np.float64] | None = None,
    floors: bool = True,
    limits: Limits | None = None,
) -> Allocation:
    """Give out slots so that they reach the most need.

    With need d_a, what the k-th slot of an area reaches r_k (falling in k), members m_ga::

        (1) max  sum_a d_a sum_k r_k y_ak
        (2) sum_k y_ak <= s_a                         for all a
        (3) sum_a s_a = S
        (4) sum_a m_ga s_a >= floor_g S share_g       for all g
        (5) b o_a <= s_a <= c_a o_a, s_a >= lock_a    for all a
        (6) sum_a max(s_a - today_a, 0) <= M + max(S - sum_a today_a, 0)
        (7) s_a whole, o_a in {0, 1}, 0 <= y_ak <= 1

    Giving each slot to the area where it reaches most is the best under (2), (3) and the limits of
    (5) (Fox 1966, *Management Science* 13, 210-216); where its answer keeps the other rules too it
    is the answer, elsewhere HiGHS solves the model.

    Parameters
    ----------
    question
        The question.
    need
        Another need measure, shape (areas,); None: the question's own.
    floors
        Whether the groups' floors hold.
    limits
        When the solve stops.

    Returns
    -------
    Allocation

    Raises
    ------
    InfeasibleError
        The smallest set of rules that conflict.
    """
    measure = question.need if need is None else need
    asked = limits or Limits(gap=1e-6)
    greedy = _greedy(question, measure)
    if greedy is not None and _keeps(question, greedy, floors=floors):
        value = _value(question, measure, greedy)
        report = SolveReport("optimal", value, value, 0.0, asked.gap, "greedy", "1")
        return Allocation(greedy, report)
    model, rules = _model(question, measure, floors=floors)
    found = solve(model, limits=asked)
    if found.x is None:
        names = conflicting_rows(model, rules)
        raise InfeasibleError(names or ["no allocation was found within the limits of the solver"])
    slots = np.round(found.x[: len(question.area_ids)]).astype(np.int64)
    value = _value(question, measure, slots)
    bound = found.report.bound
    bound = value if abs(bound - value) <= _TIE else bound
    return Allocation(slots, settled(found.report, value, bound, maximise=True))


def slots_moved(before: NDArray[np.integer], after: NDArray[np.integer]) -> int:
    """Count the slots that stand elsewhere, growth or shrinkage of the programme left out."""
    gained = int(np.maximum(after - before, 0).sum())
    lost = int(np.maximum(before - after, 0).sum())
    return min(gained, lost)


def _value(
    question: PreventionQuestion, need: NDArray[np.float64], slots: NDArray[np.int64]
) -> float:
    return float(need @ np.concatenate([[0.0], np.cumsum(question.returns)])[slots])


def _greedy(question: PreventionQuestion, need: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Give each slot where it reaches most, after the locks; None where they do not fit."""
    least, room = question.least, question.room
    left = question.slots - int(least.sum())
    if left < 0 or (least > room).any():
        return None
    rank = np.arange(question.most_per_area)
    gains = need[:, None] * question.returns[None, :]
    free = (rank >= least[:, None]) & (rank < room[:, None])
    if free.sum() < left:
        return None
    order = np.argsort(np.where(free, -gains, np.inf), axis=None, kind="stable")[:left]
    area = order // question.most_per_area
    return np.asarray(least + np.bincount(area, minlength=need.size), dtype=np.int64)


def _keeps(question: PreventionQuestion, slots: NDArray[np.int64], *, floors: bool) -> bool:
    """Whether slots keep the rules that greed does not look at."""
    small = (slots > 0) & (slots < question.least_if_chosen)
    moved = slots_moved(question.today, slots)
    fair = question.members @ slots >= question.floor_slots - _TIE
    return bool(
        not small.any()
        and (question.most_moved is None or moved <= question.most_moved)
        and (not floors or fair.all())
    )


def _model(
    question: PreventionQuestion, need: NDArray[np.float64], *, floors: bool
) -> tuple[Model, dict[str, NDArray[np.int64]]]:
    builder, size = ModelBuilder(), len(question.area_ids)
    names = lp_names(question.area_ids)
    most, returns = question.most_per_area, question.returns
    slots = builder.columns([f"s_{name}" for name in names], upper=question.slots, integer=True)
    part = builder.columns(
        [f"y_{name}_{k + 1}" for name in names for k in range(most)],
        upper=1.0,
        cost=(need[:, None] * returns[None, :]).ravel(),
    ).reshape(size, most)
    filled = builder.rows([f"filled_{name}" for name in names], upper=0.0)
    builder.terms(filled, slots, -1.0)
    builder.terms(filled[:, None], part, 1.0)
    rules: dict[str, NDArray[np.int64]] = {}
    rows = builder.rows(["all_slots"], lower=question.slots, upper=question.slots)
    builder.terms(np.repeat(rows, size), slots, 1.0)
    rules[f"{question.slots} slots are given out"] = rows
    rows = builder.rows([f"most_{name}" for name in names], upper=float(most))
    builder.terms(rows, slots, 1.0)
    rules[f"at most {most} slots in an area"] = rows
    for a in np.flatnonzero(question.room == 0).tolist():
        rows = builder.rows([f"none_{names[a]}"], upper=0.0)
        builder.terms(rows, slots[[a]], 1.0)
        rules[f"{question.area_ids[a]} is forbidden"] = rows
    for a in np.flatnonzero(question.least > 0).tolist():
        rows = builder.rows([f"lock_{names[a]}"], lower=float(question.least[a]))
        builder.terms(rows, slots[[a]], 1.0)
        rules[f"locked holds {question.least[a]} slots at {question.area_ids[a]}"] = rows
    if question.least_if_chosen > 1:
        chosen = builder.columns([f"o_{name}" for name in names], upper=1.0, integer=True)
        rows = builder.rows([f"open_{name}" for name in names], upper=0.0)
        builder.terms(rows, slots, 1.0)
        builder.terms(rows, chosen, -float(question.slots))
        rows = builder.rows([f"least_{name}" for name in names], lower=0.0)
        builder.terms(rows, slots, 1.0)
        builder.terms(rows, chosen, -float(question.least_if_chosen))
        rules[f"at least {question.least_if_chosen} slots in an area that gets any"] = rows
    if question.most_moved is not None:
        gained = builder.columns([f"gain_{name}" for name in names])
        rows = builder.rows([f"gained_{name}" for name in names], upper=question.today)
        builder.terms(rows, slots, 1.0)
        builder.terms(rows, gained, -1.0)
        growth = max(question.slots - int(question.today.sum()), 0)
        rows = builder.rows(["moved"], upper=float(question.most_moved + growth))
        builder.terms(np.repeat(rows, size), gained, 1.0)
        rules[f"at most {question.most_moved} slots move"] = rows
    if floors:
        for g, name in enumerate(question.groups):
            floor = float(question.floor_slots[g])
            rows = builder.rows([f"floor_{g}"], lower=floor - _TIE)
            builder.terms(np.repeat(rows, size), slots, question.members[g])
            rules[f"at least {floor:.1f} slots for {name}"] = rows
    return builder.model(maximise=True), rules

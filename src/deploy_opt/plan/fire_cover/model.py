"""The k-cover model of first-due companies and effective forces, as one mixed-integer program."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.engines.model_builder import ModelBuilder, lp_names
from deploy_opt.plan.fire_cover.rules import add_rules
from deploy_opt.plan.fire_cover.score import MergedSets, force_sets, free_chance, merged_sets

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from deploy_opt.plan.engines.linear_model import Model
    from deploy_opt.plan.fire_cover.question import FireQuestion, RiskClass

TAIL = 1e-5
"""Chance of cover that more companies could still add, below which they are not counted."""

Thresholds = tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class FirstBlock:
    """Columns y of the first-due layer.

    Attributes
    ----------
    columns
        Column of each group's m-th company, shape (groups, m).
    cover
        Sets of the groups, CSR, shape (groups, stations).
    """

    columns: NDArray[np.int64]
    cover: sparse.csr_array


@dataclass(frozen=True, slots=True, eq=False)
class StepBlock:
    """Columns z that are 1 where a group has at least so many companies for every need.

    Attributes
    ----------
    columns
        Shape (groups,).
    needs
        Kinds and the number of them.
    cover
        Sets of the groups, CSR, shape (groups, stations).
    """

    columns: NDArray[np.int64]
    needs: Thresholds
    cover: sparse.csr_array


@dataclass(frozen=True, slots=True, eq=False)
class ForceModel:
    """The model with what reads it.

    Attributes
    ----------
    model
        Rows and bounds; costs are set by the aim.
    rules
        Rule in words -> rows that state it.
    companies
        Columns x, shape (kinds, stations).
    first_worth, force_worth
        Weighted calls that each column reaches in the two layers, shape (columns,).
    cost
        Cost of the companies, shape (columns,).
    first_left, force_left
        Weighted calls that companies beyond those counted could still add.
    first, steps
        The cover columns.
    total
        Weighted calls.
    opened, arrivals
        Columns of stations in use and of companies that are new to their station; empty where no
        rule needs them.
    kind_names, first_kinds
        Names of the kinds, and of those that count as first due.
    """

    model: Model
    rules: dict[str, NDArray[np.int64]]
    companies: NDArray[np.int64]
    first_worth: NDArray[np.float64]
    force_worth: NDArray[np.float64]
    cost: NDArray[np.float64]
    first_left: float
    force_left: float
    first: FirstBlock
    steps: tuple[StepBlock, ...]
    total: float
    opened: NDArray[np.int64]
    arrivals: NDArray[np.int64]
    kind_names: tuple[str, ...]
    first_kinds: tuple[str, ...]

    def point(self, placed: NDArray[np.int64], today: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the columns of a placement, shape (columns,)."""
        x = np.zeros(self.model.cost.size)
        x[self.companies] = placed
        kinds = {name: k for k, name in enumerate(self.kind_names)}
        first = self.first.cover @ placed[[kinds[n] for n in self.first_kinds]].sum(axis=0)
        ranks = np.arange(self.first.columns.shape[1])
        x[self.first.columns] = np.less(ranks[None, :], first[:, None])
        for step in self.steps:
            met = np.ones(step.columns.size, dtype=np.bool_)
            for names, number in step.needs:
                met &= step.cover @ placed[[kinds[n] for n in names]].sum(axis=0) >= number
            x[step.columns] = met
        if self.opened.size:
            x[self.opened] = placed.any(axis=0)
        if self.arrivals.size:
            x[self.arrivals] = np.maximum(placed - today, 0).ravel()
        return x


def force_model(question: FireQuestion) -> ForceModel:
    """Write the model.

    For kinds v, stations j, groups g of demand rows that the same stations J_g reach within the
    first-due limit and h within the force's, thresholds n of the needs s of a force::

        (1) sum_m y_gm <= sum_{v first due} sum_{j in J_g} x_vj        for all g
        (2) n z_hn <= sum_{v in V_s} sum_{j in J_h} x_vj               for all h, n, s
        (3) l_vj <= x_vj <= c_vj, the rules over kinds and stations
        (4) x_vj whole, 0 <= y_gm <= 1, z_hn in {0, 1}

    y_gm is worth w_g (1 - q) q^(m-1) and z_hn is worth w_h prod_s [P_n - P_(n-1)], where P_n is
    the chance that k of n companies are free. With q = 0 one y and one z stand for each group:
    n = k and the worth is w. P_n rises in an S, so that z are whole except where n = 1.

    Parameters
    ----------
    question
        The question.

    Returns
    -------
    ForceModel
    """
    builder = ModelBuilder()
    rooms = np.maximum(question.room, question.locked)
    stations = lp_names(question.station_ids)
    kinds = lp_names(kind.name for kind in question.kinds)
    names = [f"x_{kind}_{station}" for kind in kinds for station in stations]
    columns = builder.columns(names, upper=rooms.ravel(), integer=True).reshape(rooms.shape)
    rules, opened, arrivals = add_rules(builder, question, columns, stations)
    worth: list[tuple[NDArray[np.int64], NDArray[np.float64], str]] = []
    first, first_left = _first_columns(builder, question, columns, worth)
    steps: list[StepBlock] = []
    force_left = 0.0
    for number, sets in enumerate(force_sets(question)):
        force_left += _force_columns(builder, question, (columns, number, sets), steps, worth)
    # a least share that nothing can add to keeps a column, so that it can be named as a conflict
    nothing = builder.columns(["nothing"], upper=0.0)
    first_worth, force_worth = np.zeros(builder.num_columns), np.zeros(builder.num_columns)
    for of, values, layer in worth:
        (first_worth if layer == "first" else force_worth)[of] += values
    cost = np.zeros(builder.num_columns)
    cost[columns] = np.array([kind.cost for kind in question.kinds])[:, None]
    total = float(question.demand.sum())
    _add_floors(builder, question, (rules, nothing), (first_worth, force_worth), total)
    return ForceModel(
        model=builder.model(maximise=True),
        rules=rules,
        companies=columns,
        first_worth=first_worth,
        force_worth=force_worth,
        cost=cost,
        first_left=first_left,
        force_left=force_left,
        first=first,
        steps=tuple(steps),
        total=total,
        kind_names=tuple(kind.name for kind in question.kinds),
        first_kinds=question.standard.first_kinds,
        opened=opened,
        arrivals=arrivals,
    )


def _most(question: FireQuestion, kinds: NDArray[np.int64]) -> int:
    """Most companies of some kinds that the rules leave, over all stations."""
    rooms = np.maximum(question.room, question.locked)
    each = [
        min(int(rooms[k].sum()), 10**9 if (m := question.kinds[k].most) is None else m)
        for k in kinds.tolist()
    ]
    most = question.rules.most_companies
    return sum(each) if most is None else min(sum(each), most)


def _reachable(
    question: FireQuestion, cover: sparse.csr_array, kinds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Most companies of some kinds that can stand within reach of each group, shape (groups,)."""
    rooms = np.maximum(question.room, question.locked)[kinds].sum(axis=0)
    return np.asarray(np.minimum(cover @ rooms, _most(question, kinds)), dtype=np.int64)


def _first_columns(
    builder: ModelBuilder,
    question: FireQuestion,
    columns: NDArray[np.int64],
    worth: list[tuple[NDArray[np.int64], NDArray[np.float64], str]],
) -> tuple[FirstBlock, float]:
    busy = question.busy_fraction
    kinds = question.kind_rows(question.standard.first_kinds)
    merged = merged_sets(question, question.standard.first_limit_s, question.demand)
    reach = _reachable(question, merged.cover, kinds)
    weights = merged.weights.sum(axis=1)
    kept = np.flatnonzero((reach > 0) & (weights > 0))
    cover, weights = merged.cover[kept], weights[kept]
    depth = 1
    while busy**depth > TAIL and depth < int(reach[kept].max(initial=1)):
        depth += 1
    names = [f"y_{g}_{m + 1}" for g in range(kept.size) for m in range(depth)]
    of = builder.columns(names, upper=1.0).reshape(kept.size, depth)
    curve = (1.0 - busy) * busy ** np.arange(depth)
    worth.append((of.ravel(), (weights[:, None] * curve).ravel(), "first"))
    rows = builder.rows([f"first_{g}" for g in range(kept.size)], upper=0.0)
    builder.terms(rows[:, None], of, 1.0)
    for kind in kinds.tolist():
        builder.matrix_terms(rows, columns[kind], -cover)
    beyond = np.where(reach[kept] > depth, busy**depth - busy ** reach[kept], 0.0)
    return FirstBlock(of, cover), float(weights @ beyond)


def _force_columns(
    builder: ModelBuilder,
    question: FireQuestion,
    given: tuple[NDArray[np.int64], int, MergedSets],
    steps: list[StepBlock],
    worth: list[tuple[NDArray[np.int64], NDArray[np.float64], str]],
) -> float:
    """Add the columns z of one travel limit; gives what was left out at most."""
    columns, number, sets = given
    found: dict[Thresholds, NDArray[np.float64]] = {}
    left = 0.0
    for r, risk in enumerate(question.risks):
        if sets.weights[:, r].any():
            left += _add_steps(question, risk, sets, sets.weights[:, r], found)
    for rank, (needs, weights) in enumerate(found.items()):
        reach = np.min(
            [_reachable(question, sets.cover, question.kind_rows(k)) >= n for k, n in needs], axis=0
        )
        kept = np.flatnonzero(reach & (weights > 0))
        whole = any(n > 1 for _, n in needs)
        label = f"{number}_{rank}"
        of = builder.columns([f"z_{label}_{g}" for g in kept.tolist()], upper=1.0, integer=whole)
        worth.append((of, weights[kept], "force"))
        for s, (names, least) in enumerate(needs):
            rows = builder.rows([f"force_{label}_{s}_{g}" for g in kept.tolist()], upper=0.0)
            builder.terms(rows, of, float(least))
            for kind in question.kind_rows(names).tolist():
                builder.matrix_terms(rows, columns[kind], -sets.cover[kept])
        steps.append(StepBlock(of, needs, sets.cover[kept]))
    return left


def _add_steps(
    question: FireQuestion,
    risk: RiskClass,
    sets: MergedSets,
    weights: NDArray[np.float64],
    found: dict[Thresholds, NDArray[np.float64]],
) -> float:
    """Split a risk's value into steps at the thresholds of its needs."""
    busy = question.busy_fraction
    parts: list[list[tuple[tuple[str, ...], int, float]]] = []
    capped, whole = np.ones(weights.size), np.ones(weights.size)
    for need in risk.force:
        reach = _reachable(question, sets.cover, question.kind_rows(need.kinds))
        most = int(reach.max(initial=0))
        chances = free_chance(np.arange(most + 1), need.companies, busy)
        last = most
        while last > need.companies and 1.0 - chances[last - 1] <= TAIL:
            last -= 1
        gains = np.diff(chances[: last + 1], prepend=0.0)
        parts.append([(need.kinds, n, float(gains[n])) for n in range(need.companies, last + 1)])
        capped *= chances[np.minimum(reach, last)]
        whole *= chances[reach]
    for combination in itertools.product(*parts):
        key = _thresholds(combination)
        worth = weights * float(np.prod([gain for _, _, gain in combination]))
        found[key] = found.get(key, 0.0) + worth
    return float(weights @ (whole - capped))


def _thresholds(combination: tuple[tuple[tuple[str, ...], int, float], ...]) -> Thresholds:
    """Key a combination of steps, of two needs on the same kinds only the larger."""
    largest: dict[tuple[str, ...], int] = {}
    for names, number, _ in combination:
        kinds = tuple(sorted(names))
        largest[kinds] = max(largest.get(kinds, 0), number)
    return tuple(sorted(largest.items()))


def _add_floors(
    builder: ModelBuilder,
    question: FireQuestion,
    held: tuple[dict[str, NDArray[np.int64]], NDArray[np.int64]],
    worths: tuple[NDArray[np.float64], NDArray[np.float64]],
    total: float,
) -> None:
    rules, nothing = held
    standard = question.standard
    limits = sorted({question.limit_s(risk) for risk in question.risks})
    within = " or ".join(f"{limit:g}" for limit in limits)
    words = (
        f"first-due company within {standard.first_limit_s:g} s",
        f"effective force within {within} s",
    )
    shares = (question.rules.least_first_share, question.rules.least_force_share)
    for layer, worth, share in zip(words, worths, shares, strict=True):
        if share is not None:
            of = np.flatnonzero(worth)
            rows = builder.rows([f"least_{len(rules)}"], lower=share * total * (1 - 1e-9))
            builder.terms(np.repeat(rows, of.size), of, worth[of])
            builder.terms(rows, nothing, 1.0)
            rules[f"{layer} for at least {share:.1%} of the weighted calls"] = rows

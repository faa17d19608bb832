"""What any placement of companies reaches: both layers, call by call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats

from deploy_opt.plan.cover import cover_within, merge_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from deploy_opt.plan.fire_cover.question import FireQuestion


@dataclass(frozen=True, slots=True, eq=False)
class ForceScore:
    """Cover of every demand row by a placement.

    Attributes
    ----------
    first
        Probability that a first-due company is free within its limit, shape (rows,).
    force
        Probability that a free force of each risk is within its limit, shape (rows, risks).
    first_share, force_share
        Shares of the weighted calls.
    """

    first: NDArray[np.float64]
    force: NDArray[np.float64]
    first_share: float
    force_share: float


class MergedSets(NamedTuple):
    """Demand rows that the same stations reach, as one.

    Attributes
    ----------
    limit_s
        Travel limit behind the sets, s.
    cover
        CSR of ones, shape (groups, stations).
    weights
        Weighted calls of each group by risk, shape (groups, risks); 0 for risks with another
        limit.
    group_of_row
        Group of each demand row, shape (rows,).
    """

    limit_s: float
    cover: sparse.csr_array
    weights: NDArray[np.float64]
    group_of_row: NDArray[np.int64]


def merged_sets(question: FireQuestion, limit_s: float, demand: NDArray[np.float64]) -> MergedSets:
    """Merge demand rows with the same stations within a limit; `demand` is (rows, risks)."""
    merged = merge_rows(cover_within(question.times_s, limit_s).T.tocsr(), demand)
    return MergedSets(limit_s, merged.cover, merged.weights, merged.group_of_row)


def force_sets(question: FireQuestion) -> tuple[MergedSets, ...]:
    """Merge the rows for the force, once for each travel limit that a risk has."""
    limits = [question.limit_s(risk) for risk in question.risks]
    demand = question.demand
    return tuple(
        merged_sets(question, limit, demand * (np.array(limits) == limit))
        for limit in sorted(set(limits))
    )


def free_chance(
    counts: NDArray[np.integer], companies: int, busy_fraction: float
) -> NDArray[np.float64]:
    """Chance that at least so many of `counts` companies are free, each on its own.

    Examples
    --------
    >>> free_chance(np.array([1, 2, 3]), 2, 0.5).round(3).tolist()
    [0.0, 0.25, 0.5]
    """
    return np.asarray(stats.binom.sf(companies - 1, counts, 1.0 - busy_fraction))


def score_companies(question: FireQuestion, companies: NDArray[np.integer]) -> ForceScore:
    """Score a placement, today's or any other, by the model that plans.

    Parameters
    ----------
    question
        The question.
    companies
        Companies at each station, shape (kinds, stations).

    Returns
    -------
    ForceScore
    """
    placed = np.asarray(companies, dtype=np.int64)
    reach = cover_within(question.times_s, question.standard.first_limit_s)
    counts = reach.T @ placed[question.kind_rows(question.standard.first_kinds)].sum(axis=0)
    first = free_chance(counts.astype(np.int64), 1, question.busy_fraction)
    force = np.ones((len(question.row_area), len(question.risks)))
    for limit in sorted({question.limit_s(risk) for risk in question.risks}):
        reach = cover_within(question.times_s, limit)
        near = (reach.T @ placed.T).astype(np.int64)  # rows x kinds
        for r, risk in enumerate(question.risks):
            if question.limit_s(risk) == limit:
                for need in risk.force:
                    counts = near[:, question.kind_rows(need.kinds)].sum(axis=1)
                    force[:, r] *= free_chance(counts, need.companies, question.busy_fraction)
    demand = question.demand
    total = max(float(demand.sum()), 1e-300)
    return ForceScore(
        first=first,
        force=force,
        first_share=float(demand.sum(axis=1) @ first) / total,
        force_share=float((demand * force).sum()) / total,
    )

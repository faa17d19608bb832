"""Which rules of an infeasible model conflict: elastic relaxation, then a deletion filter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.solver import Limits, Model, linear_model, solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

SLACK_TOLERANCE = 1e-6
"""Relative to the size of the row's limit: a smaller slack is rounding."""


def conflicting_rows(
    model: Model, groups: Mapping[str, ArrayLike], *, limits: Limits | None = None
) -> tuple[str, ...]:
    """Name a set of rules that conflict, as small as removing one at a time can make it.

    Elastic filter (Chinneck 2008, *Feasibility and Infeasibility in Optimization*, ch. 6): every
    rule may be broken at a price; the rules that the cheapest repair breaks become hard, until
    nothing satisfies the hard ones. A deletion filter then drops each rule whose removal leaves
    the rest infeasible. What remains conflicts, and without any one of it does not.

    Parameters
    ----------
    model
        An infeasible model.
    groups
        Rule name -> the rows that state it. Rows in no group, and the column bounds, hold always.
    limits
        Limits of each solve; the default is the solver's own.

    Returns
    -------
    tuple of str
        Names in the order of `groups`; empty if the model is feasible, or infeasible even without
        any of the rules.

    Examples
    --------
    >>> model = linear_model([1.0], [[1.0], [1.0], [1.0]], rows=([3, -np.inf, 0], [np.inf, 2, 9]))
    >>> conflicting_rows(model, {"at least 3": [0], "at most 2": [1], "at most 9": [2]})
    ('at least 3', 'at most 2')
    """
    rules = limits or Limits(gap=0.01)
    rows = {name: np.asarray(number, dtype=np.int64).ravel() for name, number in groups.items()}
    hard = _elastic_filter(model, rows, rules)
    for name in tuple(hard):
        fewer = [other for other in hard if other != name]
        if not _is_feasible(model, rows, fewer, rules):
            hard = fewer
    return tuple(name for name in groups if name in hard)


def _elastic_filter(model: Model, rows: dict[str, NDArray[np.int64]], limits: Limits) -> list[str]:
    """Harden what the cheapest repair breaks, until the hard rules conflict."""
    hard: list[str] = []
    while True:
        elastic = [name for name in rows if name not in hard]
        found = solve(_elastic_model(model, rows, elastic), limits=limits)
        if found.x is None:
            return hard
        activity = model.matrix @ found.x[: model.cost.size]
        broken = [name for name in elastic if _is_broken(model, rows[name], activity)]
        if not broken:
            return []
        hard.extend(broken)


def _is_broken(model: Model, rows: NDArray[np.int64], activity: NDArray[np.float64]) -> bool:
    low, high, value = model.row_lower[rows], model.row_upper[rows], activity[rows]
    size = 1.0 + np.maximum(
        np.where(np.isfinite(low), np.abs(low), 0), np.where(np.isfinite(high), np.abs(high), 0)
    )
    return bool((np.maximum(low - value, value - high) > SLACK_TOLERANCE * size).any())


def _elastic_model(model: Model, rows: dict[str, NDArray[np.int64]], elastic: list[str]) -> Model:
    """Minimise the total slack of the elastic rows, each row scaled to unit coefficients."""
    soft = np.unique(np.concatenate([rows[name] for name in elastic] or [np.zeros(0, np.int64)]))
    scale = np.maximum(abs(model.matrix).max(axis=1).toarray().ravel()[soft], 1e-9)
    size = (model.row_lower.size, soft.size)
    unit = sparse.csr_array((scale, (soft, np.arange(soft.size))), shape=size)
    return linear_model(
        np.concatenate([np.zeros(model.cost.size), np.ones(2 * soft.size)]),
        sparse.hstack([model.matrix, unit, -unit], format="csr"),
        rows=(model.row_lower, model.row_upper),
        bounds=(
            np.concatenate([model.lower, np.zeros(2 * soft.size)]),
            np.concatenate([model.upper, np.full(2 * soft.size, np.inf)]),
        ),
        integer=np.concatenate([model.integer, np.zeros(2 * soft.size, dtype=bool)]),
    )


def _is_feasible(
    model: Model, rows: dict[str, NDArray[np.int64]], kept: list[str], limits: Limits
) -> bool:
    """Whether the ungrouped rows and the kept rules can hold together."""
    low, high = model.row_lower.copy(), model.row_upper.copy()
    for name, number in rows.items():
        if name not in kept:
            low[number], high[number] = -np.inf, np.inf
    for name in kept:  # a row may belong to two rules
        low[rows[name]] = model.row_lower[rows[name]]
        high[rows[name]] = model.row_upper[rows[name]]
    relaxed = replace(model, cost=np.zeros_like(model.cost), row_lower=low, row_upper=high)
    return solve(relaxed, limits=limits).x is not None

"""Cuts for rows ``n z <= sum of x``: stations that can hold few companies cannot be the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.solver import solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.fire_cover.model import ForceModel
    from deploy_opt.plan.solver import Limits, Model

ROUNDS = 8
_VIOLATED = 1e-3


def with_cuts(force: ForceModel, model: Model, limits: Limits) -> Model:
    r"""Strengthen a model by the cuts that its linear relaxation breaks.

    A group that needs n companies gets at most ``c(T)`` of them from stations T, however they are
    filled, so that for every T with ``c(T) < n``::

        (n - c(T)) z <= sum_{j in J \\ T} x_j

    Over all T this is the hull of "z = 0, or n companies in J" (the perspective of the row;
    Günlük & Linderoth 2010, *Mathematical Programming* 124, 183-205). T is grown from the columns
    with the largest ``x_j - c_j z``: exact where every column holds one company.

    Parameters
    ----------
    force
        The model's parts.
    model
        The model with its aim.
    limits
        Limits of each solve.

    Returns
    -------
    Model
        With further rows at its end; every whole answer keeps them.
    """
    rows, columns, numbers = _counting_rows(force, model)
    if not rows.size:
        return model
    relaxed = replace(model, integer=np.zeros_like(model.integer))
    for _ in range(ROUNDS):
        found = solve(relaxed, limits=limits)
        if found.x is None:
            return model
        cuts = [
            cut
            for row, column, number in zip(rows, columns, numbers, strict=True)
            if (cut := _cut(model, found.x, (row, column, number))) is not None
        ]
        if not cuts:
            break
        relaxed = _joined(relaxed, cuts)
    return replace(relaxed, integer=model.integer)


def _counting_rows(
    force: ForceModel, model: Model
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows (2) of the model with n > 1, their column z and n."""
    steps = [step.columns for step in force.steps]
    of = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int64)
    part = sparse.coo_array(model.matrix[:, of])
    at, which = part.coords
    counting = (part.data > 1) & (model.row_upper[at] == 0)
    order = np.argsort(at[counting], kind="stable")
    return (
        at[counting][order].astype(np.int64),
        of[which[counting][order]],
        np.round(part.data[counting][order]).astype(np.int64),
    )


def _cut(
    model: Model, x: NDArray[np.float64], row: tuple[int, int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Find the cut of one row that x breaks, as columns and coefficients of a row <= 0."""
    at, column, number = row
    z = x[column]
    if z <= _VIOLATED:
        return None
    inside = model.matrix.indices[model.matrix.indptr[at] : model.matrix.indptr[at + 1]]
    items = inside[inside != column]
    gains = x[items] - model.upper[items] * z
    order = np.argsort(-gains, kind="stable")
    order = order[gains[order] > 0]
    taken, held = [], 0
    for k in order.tolist():
        room = int(model.upper[items[k]])
        if held + room < number:
            taken.append(k)
            held += room
    rest = np.delete(items, taken)
    if not taken or (number - held) * z - x[rest].sum() <= _VIOLATED:
        return None
    values = np.append(np.full(rest.size, -1.0), float(number - held))
    return np.append(rest, column), values


def _joined(model: Model, cuts: list[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> Model:
    """Add cuts as rows <= 0."""
    starts = np.concatenate([[0], np.cumsum([len(of) for of, _ in cuts])])
    more = sparse.csr_array(
        (np.concatenate([v for _, v in cuts]), np.concatenate([of for of, _ in cuts]), starts),
        shape=(len(cuts), model.cost.size),
    )
    return replace(
        model,
        matrix=sparse.csr_array(sparse.vstack([model.matrix, more], format="csr")),
        row_lower=np.append(model.row_lower, np.full(len(cuts), -np.inf)),
        row_upper=np.append(model.row_upper, np.zeros(len(cuts))),
        row_names=(),
    )

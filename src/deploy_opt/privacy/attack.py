"""Work out, as a reader with the totals could, what the hidden cells of a table may hold.

For each hidden cell, two linear programs find its least and its largest value among all tables
that agree with what was published. In a table with totals the extreme tables are whole numbers.

References
----------
Cox (1980), Suppression methodology and statistical disclosure control, JASA 75 (audit by linear
programming). Hundepool et al. (2012), Statistical disclosure control, Wiley.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from deploy_opt.errors import DeployOptError, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_UNBOUNDED = 3


def hidden_ranges(
    published: ArrayLike,
    *,
    least: float = 0.0,
    enough: float = np.inf,
    cells: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the least and the largest value of every hidden cell.

    Parameters
    ----------
    published
        Table with its totals, shape (rows + 1, columns + 1): last column and last row are sums;
        NaN: hidden.
    least
        What the reader knows a hidden cell to hold at least; 1 when zeros are never hidden.
    enough
        Stop looking at a cell once its range is this wide; then ranges may be wider than found.
    cells
        Hidden cells to look at, of the table's shape; the others are left NaN. None: all.

    Returns
    -------
    tuple
        Least and largest values, each of the table's shape; shown cells have their value as both;
        ``inf``: no limit.

    Raises
    ------
    InputError
        If the table has no totals, or what is shown does not add up.

    Examples
    --------
    >>> low, high = hidden_ranges([[np.nan, 20, 25], [30, 40, 70], [35, 60, 95]])
    >>> low[0, 0].item(), high[0, 0].item()  # one hidden cell alone is no secret
    (5.0, 5.0)
    """
    table = np.asarray(published, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise InputError.of(
            "published", f"shape {table.shape}", "a table with row and column totals"
        )
    low, high = table.copy(), table.copy()
    hidden = np.isnan(table)
    rows, columns = np.nonzero(hidden)
    if not len(rows):
        return low, high
    equations, right = _equations(table, rows, columns)
    asked = np.ones(len(rows), dtype=bool) if cells is None else cells[rows, columns]
    for block in _blocks(equations):
        if not asked[block].any():
            continue
        lines = np.flatnonzero(np.diff(equations[:, block].indptr))
        sums = equations[lines][:, block]
        found = _block_ranges(sums, right[lines], asked[block], least=least, enough=enough)
        for side, bounds in zip((low, high), found, strict=True):
            side[rows[block], columns[block]] = np.where(asked[block], bounds, np.nan)
    return low, high


def _equations(
    table: NDArray[np.float64], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """One equation per line: its cells less its total are 0; the shown ones go to the right."""
    num_rows, num_columns = table.shape
    sign_in_row = np.where(columns == num_columns - 1, -1.0, 1.0)
    sign_in_column = np.where(rows == num_rows - 1, -1.0, 1.0)
    number = np.arange(len(rows))
    equations = sparse.csr_matrix(
        (
            np.concatenate([sign_in_row, sign_in_column]),
            (np.concatenate([rows, num_rows + columns]), np.concatenate([number, number])),
        ),
        shape=(num_rows + num_columns, len(rows)),
    )
    shown = np.nan_to_num(table)
    right = np.concatenate(
        [
            shown[:, -1] - shown[:, :-1].sum(axis=1),
            shown[-1] - shown[:-1].sum(axis=0),
        ]
    )
    return equations, right


def _blocks(equations: sparse.csr_matrix) -> list[NDArray[np.int64]]:
    """Split the hidden cells into blocks that share no line."""
    together = (abs(equations).T @ abs(equations)).tocsr()
    number, label = connected_components(together, directed=False)
    return [np.flatnonzero(label == block) for block in range(number)]


def _block_ranges(
    equations: sparse.csr_matrix,
    right: NDArray[np.float64],
    asked: NDArray[np.bool_],
    *,
    least: float,
    enough: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    size = equations.shape[1]
    low: NDArray[np.float64] = np.full(size, np.inf)
    high: NDArray[np.float64] = np.full(size, -np.inf)
    for cell in np.flatnonzero(asked).tolist():
        for sign in (1.0, -1.0):
            if high[cell] - low[cell] >= enough:
                break
            cost = np.zeros(size)
            cost[cell] = sign
            answer = linprog(cost, A_eq=equations, b_eq=right, bounds=(least, None), method="highs")
            if answer.status == _UNBOUNDED:
                high[cell] = np.inf
            elif answer.status:
                _raise(answer.status, answer.message)
            else:
                low, high = np.minimum(low, answer.x), np.maximum(high, answer.x)
    return _whole(low), _whole(high)


def _whole(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the solver's round-off away."""
    cleaned: NDArray[np.float64] = np.round(bounds, 6)
    return cleaned


def _raise(status: int, message: str) -> None:
    if status == 2:
        raise InputError.of(
            "published", "cells that do not add up to the totals", "sums of whole, unrounded counts"
        )
    raise DeployOptError(f"the attack on the hidden cells was not solved: {message}")

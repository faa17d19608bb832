"""The covering units of the weekly model written out: who reaches which calls in an hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.engines.model_builder import ModelBuilder

_LEAST_WORTH = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class CoverColumns:
    """Covering units of an hour's sets in the model: the first, the second, and so on.

    Attributes
    ----------
    columns
        Positions.
    of_set
        Set of each.
    rank
        0 for a set's first covering unit.
    step
        What it adds to the set's cover.
    """

    columns: NDArray[np.int64]
    of_set: NDArray[np.int64]
    rank: NDArray[np.int64]
    step: NDArray[np.float64]


def count_cover(steps: NDArray[np.float64], most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the covering units of each set that add anything.

    Parameters
    ----------
    steps
        What the k-th covering unit adds, falling, shape (sets, units).
    most
        Units that can cover each set at all, shape (sets,).
    """
    kept = (steps > _LEAST_WORTH).sum(axis=1)
    return np.asarray(np.minimum(kept, most), dtype=np.int64)


def add_cover(
    builder: ModelBuilder,
    mark: str,
    hour: str,
    sides: list[tuple[NDArray[np.int64], NDArray[np.float64]]],
    steps: NDArray[np.float64],
    kept: NDArray[np.int64],
    worth: NDArray[np.float64],
) -> CoverColumns:
    """Add (10): a set's covering units are no more than the units at posts that reach it.

    Parameters
    ----------
    builder
        The model so far.
    mark, hour
        Put into the names.
    sides
        For each type the columns of its units at the posts, and 1.0 where a post reaches a set,
        shape (posts, sets).
    steps
        What the k-th covering unit adds to a set's cover, falling, shape (sets, units).
    kept
        Covering units that count for each set, `count_cover`; 0 leaves the set out.
    worth
        Objective per cover of each set, shape (sets,).

    Returns
    -------
    CoverColumns
    """
    of_set, rank = np.nonzero(np.arange(int(kept.max(initial=0)))[None, :] < kept[:, None])
    step = steps[of_set, rank]
    names = [
        f"y_{mark}g{group}_{k + 1}_{hour}"
        for group, k in zip(of_set.tolist(), rank.tolist(), strict=True)
    ]
    columns = builder.columns(names, upper=1.0, cost=worth[of_set] * step)
    live = np.flatnonzero(kept)
    rows = builder.rows([f"c10_cover_{mark}g{g}_{hour}" for g in live.tolist()], upper=0.0)
    row_of = np.full(len(kept), -1, dtype=np.int64)
    row_of[live] = rows
    builder.terms(row_of[of_set], columns, 1.0)
    for units, cover in sides:
        builder.matrix_terms(rows, units, -cover[:, live].T)
    return CoverColumns(columns, of_set, rank, step)


def start_cover(
    x: NDArray[np.float64], cover: CoverColumns, covering: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Write the covering units of known positions into a point; give each set's cover.

    Parameters
    ----------
    x
        The point; changed.
    cover
        The sets in the model.
    covering
        Units that cover each set, shape (sets,).
    """
    counted = cover.rank < covering[cover.of_set]
    x[cover.columns] = counted
    reached = np.bincount(cover.of_set, cover.step * counted, len(covering))
    return np.asarray(reached, dtype=np.float64)

"""Covering sets: who reaches whom in time, with equal sets merged to one weighted row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from deploy_opt.errors import InputError
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray


class MergedRows(NamedTuple):
    """Demand rows with identical covering sets as one.

    Attributes
    ----------
    cover
        CSR of ones, shape (groups, posts), indices sorted; groups stand in the order in which
        they first appear.
    weights
        Summed weights, shape (groups,) or (groups, k).
    group_of_row
        Group of each given row, shape (rows,).
    """

    cover: sparse.csr_array
    weights: NDArray[np.float64]
    group_of_row: NDArray[np.int64]


def merge_rows(cover: Any, weights: ArrayLike) -> MergedRows:  # noqa: ANN401 - scipy is untyped
    """Merge demand rows that the same posts cover.

    Every model that sees demand only through its covering sets has the same optimum on the merged
    rows. Sets are compared by a 128-bit key and then index by index, so the merge is exact.

    Parameters
    ----------
    cover
        Sparse, shape (rows, posts); a stored value other than zero means "covers".
    weights
        Demand of each row, shape (rows,), or (rows, k) for several hours or classes at once.

    Returns
    -------
    MergedRows

    Raises
    ------
    InputError
        The weights do not fit the rows.

    Examples
    --------
    >>> merged = merge_rows(np.array([[1, 0], [1, 1], [1, 0]]), [2.0, 3.0, 5.0])
    >>> merged.cover.toarray().tolist(), merged.weights.tolist(), merged.group_of_row.tolist()
    ([[1.0, 0.0], [1.0, 1.0]], [7.0, 3.0], [0, 1, 0])
    """
    sets = tidy_cover(cover)
    demand = np.asarray(weights, dtype=np.float64)
    num_rows = sets.shape[0]
    if demand.ndim not in {1, 2} or demand.shape[0] != num_rows:
        raise InputError.of("weights", f"shape {demand.shape}", f"one row for each of {num_rows}")
    _, first, group = np.unique(_row_keys(sets), axis=0, return_index=True, return_inverse=True)
    group = group.ravel()
    by_appearance = np.argsort(first, kind="stable")
    rank = np.empty_like(by_appearance)
    rank[by_appearance] = np.arange(by_appearance.size)
    group, first = rank[group], first[by_appearance]
    merged = sets[first]
    _check_equal(sets, merged, group)
    member = sparse.csr_array(
        (np.ones(num_rows), (group, np.arange(num_rows))), shape=(first.size, num_rows)
    )
    return MergedRows(merged, np.asarray(member @ demand), group.astype(np.int64))


def _row_keys(sets: sparse.csr_array) -> NDArray[np.uint64]:
    """Key each row by its length and two sums of random 64-bit column words, modulo 2^64."""
    words = stream(0, "plan", "cover", "keys").integers(
        0, 2**64, size=(2, sets.shape[1]), dtype=np.uint64
    )
    lengths = np.diff(sets.indptr)
    keys = np.zeros((sets.shape[0], 3), dtype=np.uint64)
    keys[:, 2] = lengths
    filled = np.flatnonzero(lengths)
    if filled.size:
        for k in range(2):
            keys[filled, k] = np.add.reduceat(words[k][sets.indices], sets.indptr[filled])
    return keys


def _check_equal(
    sets: sparse.csr_array, merged: sparse.csr_array, group: NDArray[np.int64]
) -> None:
    """Compare every row with its group, index by index."""
    if not np.array_equal(merged[group].indices, sets.indices):
        raise InputError.of("cover", "two sets with one 128-bit key", "different keys")


def tidy_cover(cover: Any) -> sparse.csr_array:  # noqa: ANN401 - scipy is untyped
    """Turn a cover matrix into CSR of ones with sorted indices and no stored zeros.

    Parameters
    ----------
    cover
        Dense or sparse, shape (rows, columns).

    Returns
    -------
    scipy.sparse.csr_array
        A new matrix; the given one is not changed.
    """
    sets = sparse.csr_array(cover, dtype=np.float64, copy=True)
    sets.sum_duplicates()
    sets.eliminate_zeros()
    sets.data = np.ones_like(sets.data)
    return sets


def cover_within(
    times_s: NDArray[np.floating] | Iterable[NDArray[np.floating]], standard_s: float
) -> sparse.csr_array:
    """Find which posts reach which demand within a standard.

    Parameters
    ----------
    times_s
        Drive times, s, shape (posts, demand), or an iterable of blocks of posts in order, so that
        the whole matrix never stands in memory; inf and NaN = unreachable.
    standard_s
        The response standard; ``t <= standard_s`` is covered.

    Returns
    -------
    scipy.sparse.csr_array
        Ones, shape (posts, demand).

    Raises
    ------
    InputError
        The blocks differ in width, or there is none.

    Examples
    --------
    >>> cover_within(np.array([[480.0, 481.0]]), 480).toarray().tolist()
    [[1.0, 0.0]]
    """
    blocks = [times_s] if isinstance(times_s, np.ndarray) else times_s
    found: list[sparse.csr_array] = []
    for number, block in enumerate(blocks):
        reached = np.atleast_2d(np.asarray(block)) <= standard_s
        if found and reached.shape[1] != found[0].shape[1]:
            raise InputError.of(
                f"times_s: block {number}", f"{reached.shape[1]} demand columns",
                f"{found[0].shape[1]}, as in block 0",
            )  # fmt: skip
        found.append(sparse.csr_array(reached, dtype=np.float64))
    if not found:
        raise InputError.of("times_s", "no block", "at least one post")
    return sparse.csr_array(sparse.vstack(found, format="csr"))

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


def merge_blocks(blocks: Iterable[tuple[NDArray[Any], ArrayLike]], standard_s: float) -> MergedRows:
    """Merge demand rows that come in blocks, so that no block but one stands in memory.

    For demand that is larger than memory allows as a matrix, such as ten million rows: a row is
    held as one bit per post while its block is merged, and after that as its group. Groups are
    found by a 64-bit key and every row's bits are compared with its group's, so the merge is
    exact. ``locate("mclp", merged.cover.T, merged.weights, ...)`` then solves on the groups.

    Parameters
    ----------
    blocks
        Pairs of times and weights: drive times, s, shape (posts, rows of the block), inf or NaN
        = unreachable, or a mask of the same shape that is True where a post covers a row; and the
        demand of the block's rows, shape (rows of the block,).
    standard_s
        The response standard; ``t <= standard_s`` is covered. Not used with masks.

    Returns
    -------
    MergedRows
        As `merge_rows` would give for all rows at once; weights of shape (groups,).

    Raises
    ------
    InputError
        No block, blocks with different numbers of posts, or weights that do not fit.

    Examples
    --------
    >>> blocks = [(np.array([[60.0, 900.0]]), [1.0, 2.0]), (np.array([[90.0, 70.0]]), [3.0, 4.0])]
    >>> merged = merge_blocks(blocks, 300)
    >>> merged.cover.toarray().tolist(), merged.weights.tolist(), merged.group_of_row.tolist()
    ([[1.0], [0.0]], [8.0, 2.0], [0, 1, 0, 0])
    """
    found: _Groups | None = None
    for number, (times, weights) in enumerate(blocks):
        given = np.asarray(times)
        demand = np.asarray(weights, dtype=np.float64)
        posts = given.shape[0] if found is None else found.num_posts
        if given.ndim != 2 or given.shape[0] != posts or demand.shape != given.shape[1:]:
            raise InputError.of(
                f"blocks: block {number}", f"times {given.shape} and weights {demand.shape}",
                f"times ({posts}, rows) and weights (rows,)",
            )  # fmt: skip
        found = found or _Groups(posts)
        found.add(given if given.dtype == np.bool_ else given <= standard_s, demand)
    if found is None:
        raise InputError.of("blocks", "no block", "at least one")
    return found.merged()


class _Groups:
    """Covering sets met so far, as bits, with their summed weights."""

    def __init__(self, num_posts: int) -> None:
        self.num_posts = num_posts
        self.num_words = -(-num_posts // 64)
        odd = stream(0, "plan", "cover", "block keys").integers(
            0, 2**63, size=self.num_words, dtype=np.uint64
        )
        self.factors = 2 * odd + 1
        self.keys = np.zeros(0, dtype=np.uint64)  # sorted
        self.group_of_key = np.zeros(0, dtype=np.int64)
        self.bits = np.zeros((0, self.num_words), dtype=np.uint64)
        self.weights = np.zeros(0)
        self.group_of_row: list[NDArray[np.int64]] = []

    def add(self, reached: NDArray[np.bool_], demand: NDArray[np.float64]) -> None:
        """Merge one block, shape (posts, rows)."""
        packed = np.zeros((reached.shape[1], 8 * self.num_words), dtype=np.uint8)
        packed[:, : -(-self.num_posts // 8)] = np.packbits(reached, axis=0, bitorder="little").T
        bits = packed.view(np.uint64)
        keys = bits @ self.factors  # modulo 2^64
        keys ^= keys >> np.uint64(32)
        place = np.searchsorted(self.keys, keys)
        known = place < self.keys.size
        known[known] = self.keys[place[known]] == keys[known]
        fresh = np.flatnonzero(~known)
        if fresh.size:
            self._extend(keys[fresh], bits[fresh])
            place = np.searchsorted(self.keys, keys)
        group = self.group_of_key[place]
        if not np.array_equal(self.bits[group], bits):
            raise InputError.of("blocks", "two sets with one 64-bit key", "different keys")
        self.weights += np.bincount(group, demand, self.weights.size)
        self.group_of_row.append(group)

    def _extend(self, keys: NDArray[np.uint64], bits: NDArray[np.uint64]) -> None:
        values, first = np.unique(keys, return_index=True)
        by_appearance = np.argsort(first, kind="stable")
        values, first = values[by_appearance], first[by_appearance]
        group = self.weights.size + np.arange(values.size)
        self.bits = np.vstack([self.bits, bits[first]])
        self.weights = np.concatenate([self.weights, np.zeros(values.size)])
        joined = np.concatenate([self.keys, values])
        order = np.argsort(joined, kind="stable")
        self.keys = joined[order]
        self.group_of_key = np.concatenate([self.group_of_key, group])[order]

    def merged(self) -> MergedRows:
        """Give the groups met."""
        as_bytes = np.ascontiguousarray(self.bits).view(np.uint8)
        masks = np.unpackbits(as_bytes, axis=1, count=self.num_posts, bitorder="little")
        return MergedRows(tidy_cover(masks), self.weights, np.concatenate(self.group_of_row))


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

"""Covering models made small: telescoped rows, a Lagrangian bound, and posts fixed by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHORTEST = 3
_ROUNDING = 1e-9


class Telescoped(NamedTuple):
    """Covering rows written as differences to smaller sets.

    Attributes
    ----------
    posts
        CSR of ones, shape (groups, posts): the posts of a group that its parent lacks.
    parent
        A group whose set is this one's without one post; -1 = none. Shape (groups,).
    """

    posts: sparse.csr_array
    parent: NDArray[np.int64]

    @property
    def links(self) -> sparse.csr_array:
        """The parents as CSR of ones, shape (groups, groups)."""
        child = np.flatnonzero(self.parent >= 0)
        pairs = (child, self.parent[child])
        size = (self.parent.size, self.parent.size)
        return sparse.csr_array((np.ones(child.size), pairs), shape=size)


def telescope(cover: sparse.csr_array) -> Telescoped:
    """Write each covering row as a difference to a set that has one post fewer.

    In the plane neighbouring regions differ by one post, so that ``y_g <= sum_j a_gj x_j`` can be
    ``y_g <= y_h + x_j`` for most groups. Both say the same once y is as large as it can be: where
    h's posts hold a unit, y_h = 1 leaves y_g at its own limit of 1. Rows get shorter several
    times over, and the linear relaxation keeps its value.

    Parameters
    ----------
    cover
        CSR of ones with sorted indices, shape (groups, posts), no two rows alike.

    Returns
    -------
    Telescoped
    """
    groups = cover.shape[0]
    begin, posts = cover.indptr.tolist(), cover.indices.tolist()
    sets = [frozenset(posts[begin[g] : begin[g + 1]]) for g in range(groups)]
    place = {members: g for g, members in enumerate(sets)}
    parent = np.full(groups, -1, dtype=np.int64)
    kept = [posts[begin[g] : begin[g + 1]] for g in range(groups)]
    for g, members in enumerate(sets):
        if len(members) < _SHORTEST:
            continue
        for post in kept[g]:
            smaller = place.get(members - {post})
            if smaller is not None:
                parent[g], kept[g] = smaller, [post]
                break
    lengths = [len(row) for row in kept]
    indices = np.array([post for row in kept for post in row], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return Telescoped(
        sparse.csr_array((np.ones(indices.size), indices, starts), shape=cover.shape), parent
    )


class PostValues(NamedTuple):
    """A Lagrangian bound of a covering problem and what each post is worth in it.

    Attributes
    ----------
    bound
        No positions are worth more.
    worth
        Worth of a unit at each post, shape (posts,).
    """

    bound: float
    worth: NDArray[np.float64]


def post_values(
    constant: float,
    worth: NDArray[np.float64],
    limits: tuple[NDArray[np.int64], NDArray[np.int64]],
    num_units: int,
) -> PostValues:
    """Close a Lagrangian: its constant and the best `num_units` places by worth."""
    filled = _fill(worth, limits, num_units)
    return PostValues(float(constant + worth @ filled), worth)


def _fill(
    worth: NDArray[np.float64],
    limits: tuple[NDArray[np.int64], NDArray[np.int64]],
    num_units: int,
) -> NDArray[np.int64]:
    """Put units where they are worth most, within the limits."""
    lower, upper = limits
    filled = lower.copy()
    left = num_units - int(lower.sum())
    for post in np.argsort(-worth, kind="stable").tolist():
        step = min(left, int(upper[post] - lower[post]))
        filled[post] += step
        left -= step
        if left <= 0:
            break
    return filled


def tighten(
    values: PostValues,
    limits: tuple[NDArray[np.int64], NDArray[np.int64]],
    num_units: int,
    value: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Narrow the limits of posts to what a better answer could have.

    d units more at a post than the Lagrangian's answer has come from places worth at least its
    last one; if that costs more than the bound is above `value`, no better answer has them. The
    same for d units fewer.

    Parameters
    ----------
    values
        Bound and worth of the posts.
    limits
        Fewest and most units at each post, each of shape (posts,).
    num_units
        Units to place.
    value
        Value of a known answer.

    Returns
    -------
    tuple
        New fewest and most units. Every answer worth more than `value` keeps them.
    """
    lower, upper = (limit.copy() for limit in limits)
    filled = _fill(values.worth, limits, num_units)
    slack = max(values.bound - value, 0.0) + _ROUNDING * max(abs(value), 1.0)
    movable, open_ended = filled > lower, filled < upper
    if not movable.any() or not open_ended.any():
        return lower, upper
    last_in = float(values.worth[movable].min())
    first_out = float(values.worth[open_ended].max())
    with np.errstate(divide="ignore"):
        more = np.floor(slack / np.maximum(last_in - values.worth, 0.0))
        fewer = np.floor(slack / np.maximum(values.worth - first_out, 0.0))
    upper = np.minimum(upper, filled + np.minimum(more, num_units).astype(np.int64))
    lower = np.maximum(lower, filled - np.minimum(fewer, num_units).astype(np.int64))
    return lower, upper

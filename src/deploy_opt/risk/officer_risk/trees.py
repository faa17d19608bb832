"""Boosted trees as plain arrays: quick to score, easy to read, and with nothing to execute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class TreeEnsemble:
    """Sum of a start value and one leaf value per tree, the log odds of the outcome.

    A row goes left where its feature is at most the cut; a leaf leads to itself.

    Attributes
    ----------
    start
        Log odds before the first tree.
    feature, cut, left, right, value
        Of every node of all trees, shape (nodes,); the value of a leaf holds the learning rate.
    roots
        First node of each tree, shape (trees,).
    depth
        Steps from a root to its deepest leaf.
    """

    start: float
    feature: NDArray[np.int32]
    cut: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    depth: int

    def log_odds(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score rows of features, shape (rows, features), into log odds, shape (rows,)."""
        return np.asarray(self.start + self.parts(rows, self.roots).sum(axis=1))

    def parts(self, rows: NDArray[np.float32], roots: NDArray[np.int32]) -> NDArray[np.float64]:
        """Give the leaf value of each row in some trees, shape (rows, trees)."""
        found = np.empty((len(rows), len(roots)))
        for first in range(0, len(rows), _BLOCK):
            block = rows[first : first + _BLOCK]
            node = np.broadcast_to(roots, (len(block), len(roots)))
            at = np.arange(len(block))[:, None]
            for _ in range(self.depth):
                goes_left = block[at, self.feature[node]] <= self.cut[node]
                node = np.where(goes_left, self.left[node], self.right[node])
            found[first : first + _BLOCK] = self.value[node]
        return found

    def trees_with(self, feature: int) -> NDArray[np.bool_]:
        """Whether each tree splits on a feature, shape (trees,)."""
        splits = (self.feature == feature) & (self.left != self.right)
        tree_of = np.searchsorted(self.roots, np.flatnonzero(splits), side="right") - 1
        used = np.zeros(len(self.roots), dtype=bool)
        used[tree_of] = True
        return used

    def to_plain(self) -> dict[str, Any]:
        """Give the arrays as plain JSON values."""
        return {
            "start": self.start,
            "depth": self.depth,
            **{name: getattr(self, name).tolist() for name in (*_WHOLE, *_REAL)},
        }


_WHOLE = ("feature", "left", "right", "roots")
_REAL = ("cut", "value")


def tree_ensemble(start: float, trees: Iterable[Sequence[NDArray[Any]]]) -> TreeEnsemble:
    """Join trees into one ensemble.

    Parameters
    ----------
    start
        Log odds before the first tree.
    trees
        feature, cut, left, right, value and is_leaf of the nodes of each tree; left and right count
        from its own first node.
    """
    columns: list[list[NDArray[Any]]] = [[], [], [], [], []]
    roots, offset, depth = [], 0, 0
    for feature, cut, left, right, value, is_leaf in trees:
        own = np.arange(len(feature))
        roots.append(offset)
        depth = max(depth, _depth(left, right, is_leaf))
        for column, values in zip(
            columns,
            (
                np.where(is_leaf, 0, feature),
                np.where(is_leaf, 0.0, cut),
                np.where(is_leaf, own, left) + offset,
                np.where(is_leaf, own, right) + offset,
                np.where(is_leaf, value, 0.0),
            ),
            strict=True,
        ):
            column.append(values)
        offset += len(feature)
    joined = [np.concatenate(column) if column else np.zeros(0) for column in columns]
    return TreeEnsemble(
        float(start),
        joined[0].astype(np.int32),
        joined[1].astype(np.float64),
        joined[2].astype(np.int32),
        joined[3].astype(np.int32),
        joined[4].astype(np.float64),
        np.array(roots, dtype=np.int32),
        depth,
    )


def from_plain(plain: dict[str, Any], num_features: int) -> TreeEnsemble:
    """Read an ensemble back, and check that no node leads out of it or backwards.

    Raises
    ------
    InputError
        If the arrays are not those of trees over that many features.
    """
    whole = {name: np.asarray(plain[name], dtype=np.int32) for name in _WHOLE}
    real = {name: np.asarray(plain[name], dtype=np.float64) for name in _REAL}
    size = len(whole["feature"])
    own = np.arange(size)
    sound = (
        all(len(each) == size for name, each in (whole | real).items() if name != "roots")
        and bool(((whole["feature"] >= 0) & (whole["feature"] < num_features)).all())
        and all(bool(((own <= whole[s]) & (whole[s] < size)).all()) for s in ("left", "right"))
        and bool(np.isfinite(real["value"]).all() and np.isfinite(float(plain["start"])))
        and bool(((whole["roots"] >= 0) & (whole["roots"] < size)).all())
    )
    if not sound:
        raise InputError.of("model: trees", "nodes that lead nowhere", "trees as they were saved")
    return TreeEnsemble(
        float(plain["start"]),
        whole["feature"],
        real["cut"],
        whole["left"],
        whole["right"],
        real["value"],
        whole["roots"],
        int(plain["depth"]),
    )


def _depth(left: NDArray[Any], right: NDArray[Any], is_leaf: NDArray[Any]) -> int:
    level = np.zeros(len(left), dtype=np.int64)
    for node in range(len(left)):
        if not is_leaf[node]:
            level[left[node]] = level[right[node]] = level[node] + 1
    return int(level.max())

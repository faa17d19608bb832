"""Which posts open, by valid inequalities of what opening and covering are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from deploy_opt.plan.solver import linear_model, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.search import Hour
    from deploy_opt.plan.solver import Model

_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Inequality:
    """A valid inequality of one hour: value <= constant + sets . covered + posts . open.

    Attributes
    ----------
    by_set
        Prices of covering units that prove it, shape (sets,).
    constant
        Worth of the fleet's units at the least worth of a post that takes them.
    sets
        What covering a set at all is worth beyond, shape (sets,).
    posts
        What opening a post is worth beyond, by the room that it gives, shape (posts,).
    """

    by_set: NDArray[np.float64]
    constant: float
    sets: NDArray[np.float64]
    posts: NDArray[np.float64]


class _Row(NamedTuple):
    """One inequality over all hours; see `Inequality`."""

    constant: float
    sets: NDArray[np.float64]
    posts: NDArray[np.float64]


class OpenChoice:
    """Which posts open, by the inequalities made so far.

    Parameters
    ----------
    week
        The hours; those that share a cover matrix share the question whether a set is covered.
    held, usable
        Posts that must open and that may, shape (posts,).
    max_open
        Most posts in use.
    """

    def __init__(
        self,
        week: Sequence[Hour],
        held: NDArray[np.bool_],
        usable: NDArray[np.bool_],
        max_open: int,
    ) -> None:
        self.held, self.usable, self.max_open = held, usable, max_open
        grounds: dict[int, int] = {}
        self.ground = [grounds.setdefault(id(hour.cover), len(grounds)) for hour in week]
        self.covers = [week[self.ground.index(ground)].cover for ground in range(len(grounds))]
        self.cover = sparse.csr_array(np.hstack(self.covers).T)
        self.ends = np.cumsum([0, *(cover.shape[1] for cover in self.covers)])
        self.room = max_open - int(held.sum())
        self.rows: list[_Row] = []

    def add(self, priced: list[Inequality]) -> None:
        """Take up the inequalities of all hours, summed."""
        sets, posts = np.zeros(self.ends[-1]), np.zeros(len(self.held))
        for ground, part in zip(self.ground, priced, strict=True):
            sets[self.ends[ground] : self.ends[ground + 1]] += part.sets
            posts += part.posts
        self.rows.append(_Row(sum(part.constant for part in priced), sets, posts))

    def last(self) -> tuple[float, list[NDArray[np.float64]]]:
        """Bound by the last inequality; give each set's share paid by posts, by ground."""
        constant, sets, posts = self.rows[-1]
        found = solve(self._model([self.rows[-1]]))
        size = len(sets)
        paid = np.zeros(size)
        if found.row_duals is not None:
            paid = np.abs(found.row_duals[:size]) * self._scale([self.rows[-1]])
            paid = np.clip(paid / np.maximum(sets, _TINY), 0.0, 1.0)
        worth = self.cover.T @ (paid * sets) + posts
        bound = constant + float((1 - paid) @ sets) + self.top(np.asarray(worth))
        return bound, [paid[a:b] for a, b in zip(self.ends, self.ends[1:], strict=False)]

    def guess(self) -> NDArray[np.float64]:
        """Give the posts that open where the inequalities of all rounds leave most."""
        found = solve(self._model(self.rows))
        start = np.asarray(self.held, dtype=np.float64)
        return start if found.x is None else found.x[: len(self.held)]

    def top(self, worth: NDArray[np.float64]) -> float:
        """Open the posts that are held and the best others, as many as may be: their worth."""
        rest = np.sort(worth[self.usable & ~self.held])[::-1]
        return float(worth[self.held].sum() + rest[: self.room].sum())

    def top_each(self, worth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Do the same as `top` for many worths at once, posts along the last axis."""
        others = worth[..., self.usable & ~self.held]
        rest = -np.sort(-others, axis=-1)[..., : self.room]
        return np.asarray(worth[..., self.held].sum(axis=-1) + rest.sum(axis=-1))

    def _scale(self, rows: list[_Row]) -> float:
        constant, sets, _ = rows[0]
        return max(abs(constant) + float(sets.sum()), _TINY)

    def _model(self, rows: list[_Row]) -> Model:
        groups, posts = self.cover.shape
        scale = self._scale(rows)
        cuts = np.array([np.concatenate([-p, -s, [scale]]) / scale for _, s, p in rows])
        matrix = sparse.vstack(
            [
                sparse.hstack(
                    [-self.cover, sparse.eye_array(groups), sparse.csr_array((groups, 1))]
                ),
                sparse.csr_array(np.repeat([1.0, 0.0], [posts, groups + 1])[None, :]),
                sparse.csr_array(cuts),
            ]
        )
        ends = np.concatenate([np.zeros(groups), [self.max_open], [c / scale for c, _, _ in rows]])
        low = np.concatenate([self.held, np.zeros(groups), [-np.inf]])
        high = np.concatenate([self.usable | self.held, np.ones(groups), [np.inf]])
        cost = np.repeat([0.0, 1.0], [posts + groups, 1])
        return linear_model(cost, matrix, rows=(-np.inf, ends), bounds=(low, high), maximise=True)

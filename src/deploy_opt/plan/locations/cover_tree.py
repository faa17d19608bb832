"""Branch and bound for maximal covering, on posts alone, in the dual values of its relaxation."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from deploy_opt.plan.locations.cover_bounds import PostValues, post_values, tighten
from deploy_opt.plan.solver import LinearProgram, linear_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_NODES = 400
"""Nodes after which cuts serve better than more branching."""
_CLOSE = 1e-6
_ROUNDING = 1e-9
FREE = -1


class CoverSets(NamedTuple):
    """A maximal covering problem on merged sets.

    Attributes
    ----------
    cover
        CSR of ones, shape (posts, sets).
    weights
        Demand of each set, > 0, shape (sets,).
    num_posts
        Posts to open.
    lower, upper
        1 for posts that must open and for those that may, shape (posts,).
    """

    cover: sparse.csr_array
    weights: NDArray[np.float64]
    num_posts: int
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]

    def value(self, chosen: NDArray[np.int64]) -> float:
        """Give the demand covered by the chosen posts, 0 or 1 each."""
        return float(self.weights @ (self.cover.T @ chosen > 0))


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """What branch and bound found.

    Attributes
    ----------
    chosen
        Best posts, 0 or 1, shape (posts,).
    value
        Demand that they cover.
    bound
        No posts cover more.
    root
        The linear relaxation's bound and each post's worth in it.
    nodes, iterations
        Relaxations solved and their simplex iterations.
    finished
        Whether the asked gap was reached, or the value proven best.
    """

    chosen: NDArray[np.int64]
    value: float
    bound: float
    root: PostValues
    nodes: int
    iterations: int
    finished: bool


def cover_tree(
    problem: CoverSets,
    start: NDArray[np.int64],
    *,
    gap: float,
    node_limit: int = MOST_NODES,
    stop_at: float = np.inf,
) -> Tree:
    """Solve a maximal covering problem by branch and bound on its posts.

    The relaxation ``max sum_g w_g min(1, sum_j e_jg x_j), sum_j x_j = p, 0 <= x <= 1`` has a dual
    of one row for each post, however many sets there are::

        min  sum_g (w_g - y_g) + p theta + sum_j s_j
        sum_g e_jg y_g <= theta + s_j     for every post j
        0 <= y_g <= w_g,  s_j >= 0

    Closing a post drops its row, and opening it frees its s, so that the simplex goes on from the
    last basis. At every node the bound is recomputed from y
    (Lagrangian: Geoffrion 1974), which makes it safe from the solver's rounding, and fixes posts
    by their worth. Depth first, the post nearest to a half, its likelier side first. Whole weights
    make bounds whole.

    Parameters
    ----------
    problem
        The sets.
    start
        Posts to beat, 0 or 1, shape (posts,), within the limits.
    gap
        Relative gap at which an answer is good enough.
    node_limit
        Most nodes.
    stop_at
        Monotonic clock at which the search ends.

    Returns
    -------
    Tree
    """
    search = _Search(problem, start, gap)
    state = np.where(problem.lower > 0, 1, np.where(problem.upper > 0, FREE, 0))
    waiting: list[tuple[float, NDArray[np.int64]]] = [(np.inf, state)]
    while waiting and search.nodes < node_limit and time.monotonic() < stop_at:
        above, state = waiting.pop()
        if search.beaten(above):
            search.proved = max(search.proved, above)
            continue
        children = search.node(state)
        if children is None:
            waiting.append((above, state))
            break
        waiting += children
    bound = max([search.value, search.proved, *(above for above, _ in waiting)])
    root = search.root or PostValues(np.inf, np.zeros(len(start)))
    return Tree(
        search.chosen,
        search.value,
        min(bound, root.bound),
        root,
        search.nodes,
        search.program.iterations,
        finished=not waiting,
    )


class _Search:
    """The program, the best posts so far, and what has been proven of closed branches."""

    def __init__(self, problem: CoverSets, start: NDArray[np.int64], gap: float) -> None:
        self.problem, self.gap = problem, gap
        self.chosen, self.value = start, problem.value(start)
        self.proved = -np.inf
        self.nodes = 0
        self.root: PostValues | None = None
        weights = problem.weights
        self.whole = bool((weights == np.rint(weights)).all())
        self.scale = float(weights.sum()) / max(problem.num_posts, 1)
        posts, sets = problem.cover.shape
        cost = np.repeat([-1.0, problem.num_posts, 1.0], [sets, 1, posts])
        matrix = sparse.hstack([problem.cover, -np.ones((posts, 1)), -sparse.eye_array(posts)])
        top = np.concatenate([weights / self.scale, np.full(posts + 1, np.inf)])
        low = np.repeat([0.0, -np.inf, 0.0], [sets, 1, posts])
        self.program = LinearProgram(
            linear_model(cost, matrix, rows=(-np.inf, 0.0), bounds=(low, top))
        )
        self.state = np.full(posts, FREE)

    def needed(self) -> float:
        """Give the bound below which no better answer that matters can be."""
        step = 1.0 - _CLOSE if self.whole else 0.0
        return self.value + max(self.gap * self.value, step, _ROUNDING * self.value)

    def beaten(self, bound: float) -> bool:
        """Say whether a branch of this bound can be closed."""
        return bound <= self.needed()

    def node(self, state: NDArray[np.int64]) -> list[tuple[float, NDArray[np.int64]]] | None:
        """Solve a node: its branches, most promising last; None where the solver fails."""
        problem, num = self.problem, self.problem.num_posts
        one, may = (state == 1).astype(np.int64), (state != 0).astype(np.int64)
        if one.sum() > num or may.sum() < num:
            return []
        self._move_to(state)
        self.nodes += 1
        solved = self.program.solve()
        if solved is None:
            return None
        column, dual = solved
        sets = len(problem.weights)
        prices = np.clip(column[:sets] * self.scale, 0.0, problem.weights)
        constant = float((problem.weights - prices).sum())
        values = post_values(constant, problem.cover @ prices, (one, may), num)
        bound = self._whole_bound(values.bound)
        if self.root is None:
            self.root = PostValues(bound, values.worth)
        share = np.clip(-dual, 0.0, 1.0)
        self._try(np.where(state == FREE, share, 2.0 * state))
        if self.beaten(bound):
            self.proved = max(self.proved, bound)
            return []
        low, high = tighten(values, (one, may), num, self.value)
        state = np.where(low > 0, 1, np.where(high > 0, FREE, 0))
        free = np.flatnonzero(state == FREE)
        if not free.size:
            self._try(state.astype(np.float64))
            return []
        post = int(free[np.argmin(np.abs(share[free] - 0.5))])
        closed, opened = state.copy(), state.copy()
        closed[post], opened[post] = 0, 1
        sides = [(bound, closed), (bound, opened)]
        return sides if share[post] >= 0.5 else sides[::-1]

    def _whole_bound(self, bound: float) -> float:
        return float(np.floor(bound + _ROUNDING * max(bound, 1.0))) if self.whole else bound

    def _try(self, rank: NDArray[np.float64]) -> None:
        """Open the best posts of a ranking and keep them if they cover more."""
        trial = np.zeros(len(rank), dtype=np.int64)
        trial[np.argsort(-rank, kind="stable")[: self.problem.num_posts]] = 1
        inside = (trial >= self.problem.lower).all() and (trial <= self.problem.upper).all()
        value = self.problem.value(trial)
        if inside and value > self.value:
            self.chosen, self.value = trial, value

    def _move_to(self, state: NDArray[np.int64]) -> None:
        """Change the program where the state differs from the last node's."""
        first = len(self.problem.weights) + 1
        for post in np.flatnonzero(state != self.state).tolist():
            now = int(state[post])
            self.program.set_row(post, -np.inf, np.inf if now == 0 else 0.0)
            self.program.set_column(first + post, -np.inf if now == 1 else 0.0, np.inf)
        self.state = state

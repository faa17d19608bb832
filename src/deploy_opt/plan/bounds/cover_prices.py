"""What no positions can reach in one hour: prices on covering units, found by a small program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.solver import Limits, linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.engines.linear_model import Solution
    from deploy_opt.plan.search import Hour

_SPAN = 1
_MOST_ROUNDS = 8
_NARROW = 1e-9
_BEYOND = 1e-6
_LEAST_SHARE = 1e-6
_ROOMY = 1.0001


@dataclass(frozen=True, slots=True, eq=False)
class CoverProgram:
    """Expected cover of one hour by units of one or several fleets, each with its own posts.

    Attributes
    ----------
    cover
        1 where a post covers a set, CSR, shape (posts, sets); posts of all fleets.
    weights
        Expected calls of each set, shape (sets,).
    curve
        Cover by m covering units of any fleet, as in `search.Hour`: shape (units + 1,), or one
        row for each set.
    lower, upper
        Fewest and most units at each post, shape (posts,).
    fleet_of_post
        Fleet whose units wait there, shape (posts,).
    units
        Units on duty of each fleet, shape (fleets,).
    """

    cover: sparse.csr_array
    weights: NDArray[np.float64]
    curve: NDArray[np.float64]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    fleet_of_post: NDArray[np.int64]
    units: NDArray[np.int64]

    def steps(self) -> NDArray[np.float64]:
        """Give what each covering unit adds, expected calls, shape (sets, units)."""
        gain = np.diff(np.atleast_2d(self.curve), axis=1)
        return np.asarray(self.weights[:, None] * gain)

    def without_units(self) -> float:
        """Give what the sets are worth when no unit covers them."""
        first = np.atleast_2d(self.curve)[:, 0]
        return float(self.weights @ np.broadcast_to(first, self.weights.shape))


@dataclass(frozen=True, slots=True, eq=False)
class PricedBound:
    """A bound on what any positions reach.

    Attributes
    ----------
    bound
        Expected calls that no positions exceed.
    prices
        Price of a covering unit of each set that proves it, expected calls, shape (sets,).
    units
        Positions of the linear relaxation, shape (posts,); None where the solver gives no dual
        values.
    iterations
        Iterations of the linear programs.
    """

    bound: float
    prices: NDArray[np.float64]
    units: NDArray[np.float64] | None
    iterations: int


def hour_program(hour: Hour) -> CoverProgram:
    """Write an hour of one fleet as a program."""
    posts = len(hour.lower)
    return CoverProgram(
        sparse.csr_array(hour.cover),
        hour.weights,
        hour.curve,
        hour.lower,
        hour.upper,
        np.zeros(posts, dtype=np.int64),
        np.array([hour.most_units], dtype=np.int64),
    )


def price_cover(
    program: CoverProgram, near: NDArray[np.int64], *, engine: str = "highs"
) -> PricedBound:
    """Bound maximum expected covering (Daskin 1983) by the optimum of its linear relaxation.

    With E the cover, f_g the value of set g by its covering units and X the positions that the
    posts' bounds and the fleets allow, every y >= 0 gives the Lagrangian bound::

        max_x sum_g f_g((E'x)_g)  <=  sum_g max_m (f_g(m) - y_g m)  +  max over x in X of y'E'x

    Its least value over y is the relaxation's optimum. In y it is a program of one row for each
    post. Each conjugate is piecewise linear with its breaks at the steps of f_g, and near good
    positions only the pieces about the number of units that now cover the set matter. So only
    these are columns, and where the program's positions leave them it is solved again about those.
    The bound is recomputed from the prices: it holds whatever the solver's tolerance.

    Parameters
    ----------
    program
        The hour.
    near
        Good positions, shape (posts,); the better, the sooner it ends.
    engine
        Solver.

    Returns
    -------
    PricedBound
    """
    steps = program.steps()
    found = _solve(program, near, _Pieces.of(program, steps, None), engine)
    return replace(found, bound=priced_value(program, steps, found.prices))


def price_opening(
    program: CoverProgram,
    near: NDArray[np.int64],
    opening: NDArray[np.float64],
    *,
    engine: str = "highs",
) -> NDArray[np.float64]:
    """Find prices for a bound that is sharp where posts are open to the given share.

    A post that is open to a share of z has room for that share of its units, and a set is covered
    to no more than the sum of the shares of the posts that cover it. The prices are valid for any
    other posts too; `open_bound` makes use of that.

    Parameters
    ----------
    program, near, engine
        As in `price_cover`.
    opening
        Share to which each post is open, shape (posts,), above 0 for a post of every set.

    Returns
    -------
    numpy.ndarray
        Price of a covering unit of each set, expected calls, shape (sets,).
    """
    pieces = _Pieces.of(program, program.steps(), opening)
    return _solve(program, near, pieces, engine).prices


def _solve(
    program: CoverProgram, near: NDArray[np.int64], pieces: _Pieces, engine: str
) -> PricedBound:
    """Solve with the pieces about good positions, and again where the optimum leaves them."""
    most = pieces.breaks.shape[1] - 2
    centre = np.minimum(program.cover.T @ near, most).astype(np.int64)
    low, high = np.maximum(centre - _SPAN, 0), np.minimum(centre + _SPAN, most)
    least, prices, units = np.inf, np.zeros(len(program.weights)), None
    iterations = 0
    for _ in range(_MOST_ROUNDS):
        found, tried = pieces.solve(low, high, engine)
        iterations += found.report.iterations
        if found.report.objective < least:
            least, prices = found.report.objective, tried
        if found.row_duals is None:
            break
        units = np.clip(program.lower - found.row_duals, program.lower, program.upper)
        reached = (program.cover.T @ units) / pieces.share
        outside = (reached < low - 1 - _BEYOND) & (low > 0)
        outside |= (reached > high + 1 + _BEYOND) & (high < most)
        if not outside.any():
            break
        now = np.round(reached[outside]).astype(np.int64)
        low[outside] = np.minimum(low[outside], np.maximum(now - _SPAN, 0))
        high[outside] = np.maximum(high[outside], np.minimum(now + _SPAN, most))
    return PricedBound(np.inf, prices, units, iterations)


def priced_value(
    program: CoverProgram, steps: NDArray[np.float64], prices: NDArray[np.float64]
) -> float:
    """Give the bound that prices of covering units prove, expected calls.

    Parameters
    ----------
    program
        The hour.
    steps
        Its steps.
    prices
        Any prices >= 0, shape (sets,).
    """
    kept = float(np.maximum(steps - prices[:, None], 0.0).sum())
    return program.without_units() + kept + _best_worth(program, program.cover @ prices)


def _best_worth(program: CoverProgram, worth: NDArray[np.float64]) -> float:
    """Place every fleet's units at its worthiest posts: their worth, units that fit nowhere 0."""
    total = float(worth @ program.lower)
    room = program.upper - program.lower
    for fleet, number in enumerate(program.units.tolist()):
        posts = np.flatnonzero(program.fleet_of_post == fleet)
        ranked = posts[np.argsort(-worth[posts], kind="stable")]
        left = max(number - int(program.lower[posts].sum()), 0)
        before = np.cumsum(room[ranked]) - room[ranked]
        total += float(worth[ranked] @ np.clip(left - before, 0, room[ranked]))
    return total


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """The program in prices, as far as it does not depend on which pieces are its columns.

    Attributes
    ----------
    program
        The hour.
    scale
        Mean worth of a unit: prices are counted in it.
    breaks
        Prices at which the covering units that a set would take change, over `scale`: column k
        from k to k - 1 units, shape (sets, units + 2).
    share
        To how much of it each set can be covered, shape (sets,): 1 with every post open.
    fixed
        Units at lower bounds that cover each set, shape (sets,).
    tail, tail_cost
        Columns for the least worth of a unit of each fleet, then for what a post's worth exceeds
        it by: matrix and cost.
    """

    program: CoverProgram
    scale: float
    breaks: NDArray[np.float64]
    share: NDArray[np.float64]
    fixed: NDArray[np.float64]
    tail: sparse.csr_array
    tail_cost: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        program: CoverProgram,
        steps: NDArray[np.float64],
        opening: NDArray[np.float64] | None,
    ) -> _Pieces:
        posts, fleets = len(program.lower), len(program.units)
        of_fleet = sparse.csr_array(
            (np.ones(posts), (np.arange(posts), program.fleet_of_post)), shape=(posts, fleets)
        )
        room = (program.upper - program.lower).astype(np.float64)
        free = np.clip(program.units - of_fleet.T @ program.lower, 0, of_fleet.T @ room)
        share = np.ones(len(steps))
        if opening is not None:
            share = np.minimum(np.asarray(program.cover.T @ opening), 1.0)
            share = np.maximum(share, _LEAST_SHARE)
            room = room * opening
            held = of_fleet.T @ room
            room *= of_fleet @ np.maximum(_ROOMY * free / np.maximum(held, 1e-300), 1.0)
        scale = max(float(steps.sum()) / max(float(program.units.sum()), 1.0), 1e-300)
        edge = np.zeros((len(steps), 1))
        top = steps[:, :1] if steps.shape[1] else edge
        return cls(
            program,
            scale,
            np.hstack([top, steps, edge]) / scale,
            share,
            np.asarray(program.cover.T @ program.lower, dtype=np.float64),
            -sparse.hstack([of_fleet, sparse.eye_array(posts)], format="csr"),
            np.concatenate([free, np.minimum(room, (of_fleet @ free))]),
        )

    def solve(
        self, lowest: NDArray[np.int64], highest: NDArray[np.int64], engine: str
    ) -> tuple[Solution, NDArray[np.float64]]:
        """Solve with the pieces from `lowest` to `highest` units as columns; also give prices."""
        program = self.program
        sets, count = np.arange(len(lowest)), highest - lowest + 1
        of_set = np.repeat(sets, count)
        level = np.arange(len(of_set)) - np.repeat(np.cumsum(count) - count - lowest, count)
        width = self.breaks[of_set, level] - self.breaks[of_set, level + 1]
        wide = width > _NARROW
        of_set, level, width = of_set[wide], level[wide], width[wide]
        base = self.breaks[sets, highest + 1]
        tail = len(self.tail_cost)
        fleets, posts = len(program.units), len(program.lower)
        low = np.concatenate([np.zeros(len(width)), np.full(fleets, -np.inf), np.zeros(posts)])
        model = linear_model(
            np.concatenate([self.fixed[of_set] - self.share[of_set] * level, self.tail_cost]),
            sparse.hstack([program.cover[:, of_set], self.tail]),
            rows=(-np.inf, -(program.cover @ base)),
            bounds=(low, np.concatenate([width, np.full(tail, np.inf)])),
        )
        found = solve(model, engine=engine, limits=Limits(lp_method="simplex"))
        move = np.zeros(len(width)) if found.x is None else found.x[: len(width)]
        return found, (base + np.bincount(of_set, move, len(base))) * self.scale

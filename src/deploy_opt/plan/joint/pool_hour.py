"""Where the units of a pool wait in one hour: each type's covering problem beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.search import Hour, fit, improve

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

_MOST_ROUNDS = 20
NO_PARTNER = -1


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Who covers what under one speed profile.

    A leg is a set of calls of one class and layer that the same posts of the same types reach. A
    call that needs one unit has one leg; one that needs two has a leg for each, and is reached
    when both are.

    Attributes
    ----------
    legs
        For each type of the pool the legs that any of its posts covers, rising.
    covers
        For each type 1.0 where a post covers one of those, shape (posts, legs of the type).
    chain
        Chain of types that each leg may take, shape (legs,).
    partner
        The other leg of the same calls, or `NO_PARTNER`, shape (legs,); the legs of a pair count
        their calls once, at the first.
    area_share
        Per class: share of an area's calls, times the layer's worth, in each leg, CSR, shape
        (areas, legs).
    """

    legs: tuple[NDArray[np.int64], ...]
    covers: tuple[NDArray[np.float64], ...]
    chain: NDArray[np.int64]
    partner: NDArray[np.int64]
    area_share: tuple[sparse.csr_array, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside(Hour):
    """One type's problem with the others in place, for searches.

    Attributes
    ----------
    curves
        Cover by m covering units of each chain, shape (chains, units + 1).
    chain, base
        Chain of each leg, and how many units of other types cover it, shape (legs,).
    number
        Units up to which the problem is asked.
    """

    curves: NDArray[np.float64]
    chain: NDArray[np.int64]
    base: NDArray[np.int64]
    number: int

    @property
    def most_units(self) -> int:
        """Units up to which the curves are asked."""
        return self.number

    def cover_at(self, covering: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give each leg's cover by its number of covering units of this type, shape (legs,)."""
        total = np.minimum(self.base + covering, self.curves.shape[1] - 1)
        return np.asarray(self.curves[self.chain, total])


@dataclass(frozen=True, slots=True, eq=False)
class PoolHour:
    """One hour's covering problem of several unit types.

    The value is the sum over legs of weight x chance that a covering unit is free; for calls that
    need two units it is the product of both legs' chances. With all other types in place, a
    type's own problem is an `Hour`: others' units shift the curve of a shared leg, and a partner's
    chance scales the weight of a paired one.

    Attributes
    ----------
    geometry
        Who covers what.
    weights
        Expected worth of each leg's calls, shape (legs,); a pair's at its first leg.
    curves
        Cover by m covering units, one row per chain of types, shape (chains, units + 1).
    lower, upper
        For each type fewest and most units at each post.
    """

    geometry: Geometry
    weights: NDArray[np.float64]
    curves: NDArray[np.float64]
    lower: tuple[NDArray[np.int64], ...]
    upper: tuple[NDArray[np.int64], ...]

    def value(self, units: tuple[NDArray[np.int64], ...]) -> float:
        """Give the expected worth of the calls reached; `units` by type, each of shape (posts,)."""
        return float(self.weights @ self.reached(units))

    def reached(self, units: tuple[NDArray[np.int64], ...]) -> NDArray[np.float64]:
        """Give the chance that each leg's calls are reached, both units where two are needed."""
        return self.reached_by(self.covering(units))

    def of_type(self, kind: int, units: tuple[NDArray[np.int64], ...], number: int) -> Hour:
        """Set up one type's problem, for up to `number` units of it, with the others in place.

        Only the positions of the other types are read.
        """
        beside = self.beside(kind, units, number)
        steps = np.minimum(beside.base[:, None] + np.arange(number + 1), self.most_units)
        curve = self.curves[beside.chain[:, None], steps]
        return Hour(beside.cover, beside.weights, curve, beside.lower, beside.upper)

    def beside(self, kind: int, units: tuple[NDArray[np.int64], ...], number: int) -> Beside:
        """Set up the same problem as `of_type` without writing out a curve for every leg."""
        legs, partners = self.geometry.legs[kind], self.geometry.partner
        # a start may hold more units of other types than this hour has on duty
        others = np.minimum(self.covering(units, without=kind), self.most_units)
        weights = self.weights[legs]
        paired = np.flatnonzero(partners[legs] >= 0)
        other = partners[legs[paired]]
        # a pair's calls are weighed at its first leg, whichever of the two this type covers
        weights[paired] = np.maximum(weights[paired], self.weights[other])
        weights[paired] *= self.curves[self.geometry.chain[other], others[other]]
        return Beside(
            self.geometry.covers[kind],
            weights,
            self.curves[0, : number + 1],
            self.lower[kind],
            self.upper[kind],
            curves=self.curves,
            chain=self.geometry.chain[legs],
            base=others[legs],
            number=number,
        )

    @property
    def most_units(self) -> int:
        """Units up to which the curves are known."""
        return int(self.curves.shape[1] - 1)

    def covering(
        self, units: tuple[NDArray[np.int64], ...], *, without: int | None = None
    ) -> NDArray[np.int64]:
        """Count the units that cover each leg, shape (legs,); one type may be left out."""
        total = np.zeros(len(self.geometry.chain), dtype=np.int64)
        for kind, of_type in enumerate(units):
            if kind != without:
                staffed = np.flatnonzero(of_type)
                found = of_type[staffed] @ self.geometry.covers[kind][staffed]
                total[self.geometry.legs[kind]] += found.astype(np.int64)
        return total

    def reached_by(self, covering: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the chance that each leg's calls are reached, by its covering units."""
        chances = self.curves[self.geometry.chain, covering]
        partner = self.geometry.partner
        return np.asarray(chances * np.where(partner >= 0, chances[partner], 1.0))


def fit_pool(
    problem: PoolHour, units: tuple[NDArray[np.int64], ...], numbers: tuple[int, ...]
) -> tuple[NDArray[np.int64], ...]:
    """Change positions to numbers of units by type, at the least loss; see `search.fit`."""
    result = list(units)
    for kind, number in enumerate(numbers):
        most = max(number, int(units[kind].sum()))
        result[kind] = fit(problem.beside(kind, tuple(result), most), units[kind], number)
    return tuple(result)


def improve_pool(
    problem: PoolHour, units: tuple[NDArray[np.int64], ...]
) -> tuple[tuple[NDArray[np.int64], ...], int]:
    """Swap units of every type until no swap of any type improves.

    Parameters
    ----------
    problem
        The hour.
    units
        Positions by type, within the bounds.

    Returns
    -------
    tuple
        New positions and the swaps made.
    """
    result, moves, settled = list(units), 0, 0
    for turn in range(_MOST_ROUNDS * len(result)):
        kind = turn % len(result)
        hour = problem.beside(kind, tuple(result), int(result[kind].sum()))
        result[kind], swaps = improve(hour, result[kind])
        moves += swaps
        settled = 1 if swaps else settled + 1
        if settled >= len(result):
            break
    return tuple(result), moves

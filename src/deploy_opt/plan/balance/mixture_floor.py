"""A floor on the cover of areas, or of groups that are mixtures of areas, priced by weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.balance import Judged
from deploy_opt.plan.balance.equity import MOST_MULTIPLIER

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MixtureFloor:
    """A floor on the weekly cover of areas, or of groups that are mixtures of areas.

    Prices start at 1: area a's calls weigh ``1 + sum_i mix_ia (price_i - 1)``.

    Attributes
    ----------
    key
        Key of the scenario.
    floor
        Least weekly cover of a counted row.
    mix
        Share of area a's calls in row i, shape (rows, areas); None = every area is a row.
    calls
        Expected calls of each area, shape (areas,).
    counted
        Rows that count, shape (rows,).
    climb
        Prices first aim at the weakest row's cover plus this, if that is below the floor: rows
        that are much alike, as groups are, would otherwise all rise together.
    """

    key: str
    floor: float
    mix: NDArray[np.float64] | None
    calls: NDArray[np.float64]
    counted: NDArray[np.bool_]
    climb: float = 1.0

    @property
    def prices(self) -> NDArray[np.float64]:
        """Weights of 1, shape (rows,)."""
        return np.ones(len(self.counted))

    @property
    def span(self) -> tuple[float, float]:
        """Lowest and highest weight."""
        return 1.0, MOST_MULTIPLIER

    def cover_of(self, cover: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weekly cover of each row from that of the areas, shape (rows,)."""
        return cover if self.mix is None else mixture_cover(self.mix, self.calls, cover)

    def judge(self, units: NDArray[np.int64], cover: NDArray[np.float64]) -> Judged:  # noqa: ARG002  (a rule on cover alone)
        """Judge positions by the cover of the weakest row."""
        rows = self.cover_of(cover)
        weakest = float(rows[self.counted].min(initial=1.0))
        target = min(self.floor, weakest + self.climb)
        short = np.where(self.counted, target - rows, -1.0)
        return Judged(short, max(self.floor - weakest, 0.0), weakest)

    def sides(
        self,
        short: NDArray[np.float64],
        prices: NDArray[np.float64],  # noqa: ARG002  (other rules need them)
    ) -> NDArray[np.float64]:
        """Raise the weight of rows below the floor, lower that of rows above it."""
        return np.sign(short)

    def area_weights(self, prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what the prices add to the weight of each area, shape (areas,)."""
        return prices - 1.0 if self.mix is None else self.mix.T @ (prices - 1.0)

    def sets(self, prices: NDArray[np.float64]) -> None:  # noqa: ARG002  (areas say it all)
        """Add no covering sets."""
        return

    def promised(self, prices: NDArray[np.float64]) -> float:
        """Give ``floor x sum_i (price_i - 1) calls_i``, which a plan that keeps the floor has."""
        calls = self.calls if self.mix is None else self.mix @ self.calls
        return float(self.floor * ((prices - 1.0) @ calls))


def mixture_cover(
    mix: NDArray[np.float64], calls: NDArray[np.float64], cover: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the cover of areas over the calls of each mixture.

    Parameters
    ----------
    mix
        Share of each area's calls in each mixture, shape (mixtures, areas).
    calls
        Expected calls, shape (areas,).
    cover
        Cover, shape (areas,).

    Returns
    -------
    numpy.ndarray
        Shape (mixtures,); 1 for a mixture without calls.

    Examples
    --------
    >>> mixture_cover(np.array([[1.0, 0.5]]), np.array([2.0, 4.0]), np.array([0.9, 0.6])).tolist()
    [0.75]
    """
    total = mix @ calls
    result = np.ones(len(mix))
    np.divide(mix @ (calls * cover), total, out=result, where=total > 0)
    return result

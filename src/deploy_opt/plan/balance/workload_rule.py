"""A band for the weekly workload of the units by post, priced by rewards on posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.balance import Judged
from deploy_opt.plan.balance.nearest_units import NearestUnits
from deploy_opt.plan.balance.weighted_week import ExtraSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import CoverModel

_STEP = 0.2
_MOST = 8.0


class WorkloadBand:
    """Units of every post in use are busy within a band round the mean of all over the week.

    A post whose units are too busy is rewarded for holding more, one whose units are too quiet
    for holding fewer: its price times the calls that fall to one unit, on a covering set of its
    own. The busy share is that of the nearest free unit answering (`NearestUnits`), so it is not
    concave in the positions and there is no bound.

    Parameters
    ----------
    band
        Most that a post's busy share may differ from the mean, as a share of the mean.
    model, times
        Demand rows and drive times.
    staffing
        Units on duty, shape (hours,).
    first_hour
        Hour of the week at which the plan starts.
    """

    key = "equity.workload_band"
    span = (-_MOST, _MOST)

    def __init__(
        self,
        band: float,
        model: CoverModel,
        times: TravelTimes,
        *,
        staffing: NDArray[np.int64],
        first_hour: int,
    ) -> None:
        self.band = band
        self.nearest = NearestUnits(model, times, first_hour=first_hour)
        self._posts = model.num_posts
        self._cover = tuple(np.eye(self._posts) for _ in model.geometries)
        self._per_unit = model.rates.sum(axis=0) / np.maximum(staffing, 1)

    @property
    def prices(self) -> NDArray[np.float64]:
        """Nothing for each post, shape (posts,)."""
        return np.zeros(self._posts)

    def judge(self, units: NDArray[np.int64], cover: NDArray[np.float64]) -> Judged:  # noqa: ARG002  (a rule on workload alone)
        """Judge positions by the unit-hours outside the band, each by how far."""
        share, unit_hours = self.nearest.week_by_post(units)
        away = relative_deviation(share, unit_hours)
        outside = np.sign(away) * np.maximum(np.abs(away) - self.band, 0.0)
        total = max(float(unit_hours.sum()), 1e-12)
        miss = float(unit_hours @ np.abs(outside)) / total
        return Judged(outside, miss, float(np.abs(away).max(initial=0.0)))

    def sides(self, short: NDArray[np.float64], prices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Raise the price of posts that are too busy, lower that of quiet ones, ease the others."""
        return _STEP * np.where(short != 0, np.sign(short), -np.sign(prices))

    def area_weights(self, prices: NDArray[np.float64]) -> None:  # noqa: ARG002  (sets say it all)
        """Change no area's weight."""
        return

    def sets(self, prices: NDArray[np.float64]) -> ExtraSets | None:
        """Give a covering set for each post, the lowest price counted as none."""
        reward = prices - prices.min(initial=0.0)
        if not reward.any():
            return None
        weights = self._per_unit[:, None] * reward[None, :]
        return ExtraSets(self._cover, tuple(weights for _ in self._cover))

    def promised(self, prices: NDArray[np.float64]) -> float:  # noqa: ARG002  (not relaxed into the bound)
        """Give 0: bounds leave this rule aside."""
        return 0.0


def relative_deviation(
    share: NDArray[np.float64], unit_hours: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give how far each post's busy share is from the mean of all units, as a share of it.

    Parameters
    ----------
    share, unit_hours
        Of each post, shape (posts,).

    Returns
    -------
    numpy.ndarray
        Shape (posts,); 0 at posts without units.

    Examples
    --------
    >>> relative_deviation(np.array([0.3, 0.5, 0.0]), np.array([1, 1, 0])).round(6).tolist()
    [-0.25, 0.25, 0.0]
    """
    mean = float(unit_hours @ share) / max(float(unit_hours.sum()), 1e-12)
    return np.where(unit_hours > 0, share / max(mean, 1e-12) - 1.0, 0.0)

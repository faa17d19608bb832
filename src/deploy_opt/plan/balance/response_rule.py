"""A limit on the mean drive, priced by covering rows at several times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.balance import Judged
from deploy_opt.plan.balance.equity import MOST_MULTIPLIER
from deploy_opt.plan.balance.nearest_units import NearestUnits, profiles_in_use
from deploy_opt.plan.balance.weighted_week import ExtraSets
from deploy_opt.plan.coverage import Geometry, merge_sets, stack_layers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import CoverModel

_LAYERS = 8
_LONGEST = 2.5


def time_geometries(
    model: CoverModel, times: TravelTimes, *, first_hour: int, drive_limit_s: float
) -> tuple[Geometry, ...]:
    """Lay out covering rows at several times; their value is 1 - mean drive / longest time.

    The mean drive is the area under the share of calls not reached by a time. Rows of the same
    form at eight times up to 2.5 standards stand for it, each with an eighth of the calls.

    Parameters
    ----------
    model
        Demand rows of the week.
    times
        Drive times from posts to demand points, s.
    first_hour
        Hour of the week at which the plan starts.
    drive_limit_s
        The standard's limit on the drive, s.

    Returns
    -------
    tuple
        One geometry for each of the model.
    """
    position = {area_id: row for row, area_id in enumerate(model.area_ids)}
    area = times.destinations["area_id"].map(position).to_numpy(dtype=np.int64)
    share = times.destinations["share"].to_numpy(dtype=np.float64)
    finite = times.by_profile[np.isfinite(times.by_profile)]
    longest = _LONGEST * drive_limit_s
    limits = np.linspace(0.0, min(longest, float(finite.max(initial=longest))), _LAYERS + 1)[1:]
    geometries = []
    for profile in profiles_in_use(times, first_hour=first_hour, hours=model.num_hours).tolist():
        parts = [
            merge_sets(times.by_profile[profile] <= limit, area, share, len(model.area_ids))
            for limit in limits.tolist()
        ]
        stacked = stack_layers(parts, [1.0 / _LAYERS] * _LAYERS, standard=0)
        geometries.append(Geometry(stacked.cover, stacked.worth))
    return tuple(geometries)


class DriveLimit:
    """A limit on the mean drive of the nearest free unit over the week.

    Its price is the weight of the rows of `time_geometries` beside the standard's own.

    Parameters
    ----------
    limit_s
        Longest mean drive, s.
    model, times
        Demand rows and drive times.
    first_hour
        Hour of the week at which the plan starts.
    drive_limit_s
        The standard's limit on the drive, s.
    """

    key = "equity.max_mean_drive_s"
    span = (0.0, MOST_MULTIPLIER)

    def __init__(
        self,
        limit_s: float,
        model: CoverModel,
        times: TravelTimes,
        *,
        first_hour: int,
        drive_limit_s: float,
    ) -> None:
        self.limit_s = limit_s
        self._nearest = NearestUnits(model, times, first_hour=first_hour)
        layers = time_geometries(model, times, first_hour=first_hour, drive_limit_s=drive_limit_s)
        self._cover = tuple(layer.cover for layer in layers)
        self._weights = tuple(
            np.asarray((layer.area_share.T @ model.rates).T, dtype=np.float64) for layer in layers
        )

    @property
    def prices(self) -> NDArray[np.float64]:
        """Nothing, shape (1,)."""
        return np.zeros(1)

    def judge(self, units: NDArray[np.int64], cover: NDArray[np.float64]) -> Judged:  # noqa: ARG002  (a rule on drives alone)
        """Judge positions by their mean drive; a plan that reaches nobody misses by all."""
        drive = self._nearest.mean_drive_s(units)
        over = drive / self.limit_s - 1.0 if np.isfinite(drive) else np.inf
        return Judged(np.asarray([over]), max(over, 0.0), drive)

    def sides(
        self,
        short: NDArray[np.float64],
        prices: NDArray[np.float64],  # noqa: ARG002  (other rules need them)
    ) -> NDArray[np.float64]:
        """Raise the weight of short drives while the limit is missed."""
        return np.sign(short)

    def area_weights(self, prices: NDArray[np.float64]) -> None:  # noqa: ARG002  (sets say it all)
        """Change no area's weight."""
        return

    def sets(self, prices: NDArray[np.float64]) -> ExtraSets | None:
        """Give the rows at several times, weighted."""
        if prices[0] <= 0:
            return None
        return ExtraSets(self._cover, tuple(prices[0] * one for one in self._weights))

    def promised(self, prices: NDArray[np.float64]) -> float:  # noqa: ARG002  (not relaxed into the bound)
        """Give 0: bounds leave this rule aside."""
        return 0.0

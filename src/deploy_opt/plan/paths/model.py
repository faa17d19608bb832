"""The demand rows of a week on several paths of its calls at once, each with its own busy units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.busy import busy_fraction
from deploy_opt.plan.coverage import CoverModel
from deploy_opt.plan.search import Hour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class PathModel(CoverModel):
    """`CoverModel` whose values are weighted means over paths of the calls.

    On path s, m of n units that cover a set reach F_ns(m) of its calls, with the load of the path
    inside F. The mean over paths of what a set is worth is again its mean calls times an
    increasing, concave curve, ``sum_s w_gs F_ns(m) / sum_s w_gs``, one for each set: tables,
    crews, links and bounds work with it as they are. `rates` are the weighted mean of the paths.

    Attributes
    ----------
    path_rates
        Calls per hour on each path, shape (paths, areas, hours).
    path_weights
        Weight of each path, shape (paths,); they sum to 1.
    forecast_rates
        Expected calls per hour of the forecast, shape (areas, hours): rules on how busy units
        are keep to these, whatever the weights.
    """

    path_rates: NDArray[np.float64]
    path_weights: NDArray[np.float64]
    forecast_rates: NDArray[np.float64]

    @property
    def loads(self) -> NDArray[np.float64]:
        """Offered load of each hour by the forecast, erlangs, shape (hours,)."""
        return np.asarray(self.forecast_rates.sum(axis=0) * self.busy_h, dtype=np.float64)

    @property
    def path_calls(self) -> NDArray[np.float64]:
        """Calls of each path, shape (paths,)."""
        return np.asarray(self.path_rates.sum(axis=(1, 2)), dtype=np.float64)

    @property
    def forecast_model(self) -> CoverModel:
        """The same week by the forecast's mean alone."""
        return CoverModel(
            self.area_ids,
            self.forecast_rates,
            self.busy_h,
            self.geometries,
            self.geometry_of_hour,
            self.corrected,
        )

    def weighed(self, weights: NDArray[np.float64]) -> PathModel:
        """Give the model with other weights of the paths, shape (paths,)."""
        rates = np.tensordot(weights, self.path_rates, axes=1)
        return replace(self, rates=rates, path_weights=weights)

    def demand_key(self, hour: int) -> bytes:
        """Give a key that hours share whose calls are the same on every path."""
        return np.ascontiguousarray(self.path_rates[:, :, hour]).tobytes()

    def curve(
        self, hour: int, num_units: int, multipliers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Give each set's cover by m covering units over the paths, shape (sets, units + 1)."""
        worth = self._path_worth(hour, self.path_weights, multipliers)
        return self._mix(hour, num_units, worth, self.path_weights)

    def _path_worth(
        self,
        hour: int,
        weights: NDArray[np.float64],
        multipliers: NDArray[np.float64] | None,
    ) -> NDArray[np.float64]:
        """Give what each set is worth on each path, times its weight, shape (sets, paths)."""
        calls = weights[:, None] * self.path_rates[:, :, hour]
        geometry = self.geometry(hour)
        if geometry.area_worth is None:
            weighed = calls if multipliers is None else calls * multipliers
            return np.asarray(geometry.area_share.T @ weighed.T, dtype=np.float64)
        worth = geometry.area_worth.T @ calls.T
        if multipliers is not None:
            worth = worth + geometry.area_share.T @ (calls * (multipliers - 1.0)).T
        return np.asarray(worth, dtype=np.float64)

    def _mix(
        self,
        hour: int,
        num_units: int,
        worth: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Average the paths' curves by what each set is worth on them, (sets, units + 1)."""
        total = worth.sum(axis=1, keepdims=True)
        shares = np.tile(weights, (len(worth), 1))
        np.divide(worth, total, out=shares, where=total > 0)
        return np.asarray(shares @ self._curves(hour, num_units), dtype=np.float64)

    def path_values(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute what the plan aims at on each path, expected calls.

        Parameters
        ----------
        units
            Units at each post, shape (hours, posts).

        Returns
        -------
        numpy.ndarray
            Shape (paths,); their weighted mean is the sum of `value`.
        """
        by_hour = [self.hour_values(hour, row) for hour, row in enumerate(units)]
        return np.asarray(np.sum(by_hour, axis=0), dtype=np.float64)

    def hour_values(self, hour: int, row: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute what positions, shape (posts,), reach on each path in an hour, (paths,)."""
        worth = self._path_cover(hour, row, layered=True)
        return np.asarray((self.path_rates[:, :, hour].T * worth).sum(axis=0))

    def hour_at(
        self,
        hour: int,
        row: NDArray[np.int64],
        weights: NDArray[np.float64],
        bounds: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> Hour:
        """Set up an hour at the units on duty of a row, by other weights of the paths.

        Parameters
        ----------
        hour
            Hour of the plan.
        row
            Units at each post, shape (posts,).
        weights
            Weight of each path, shape (paths,).
        bounds
            Fewest and most units at each post, each of shape (posts,).
        """
        worth = self._path_worth(hour, weights, None)
        curve = self._mix(hour, int(row.sum()), worth, weights)
        return Hour(self.geometry(hour).cover, worth.sum(axis=1), curve, *bounds)

    def _by_area(self, units: NDArray[np.int64], *, layered: bool) -> NDArray[np.float64]:
        result = np.zeros((len(self.area_ids), self.num_hours))
        for hour in range(self.num_hours):
            cover = self._path_cover(hour, units[hour], layered=layered)
            calls = (self.path_weights[:, None] * self.path_rates[:, :, hour]).T
            total = calls.sum(axis=1)
            result[:, hour] = cover @ self.path_weights
            np.divide((calls * cover).sum(axis=1), total, out=result[:, hour], where=total > 0)
        return result

    def _path_cover(
        self, hour: int, row: NDArray[np.int64], *, layered: bool
    ) -> NDArray[np.float64]:
        """Give the cover of each area on each path, shape (areas, paths)."""
        geometry = self.geometry(hour)
        covering = (row @ geometry.cover).astype(np.int64)
        parts = geometry.worth if layered else geometry.area_share
        cover: NDArray[np.float64] = parts @ self._curves(hour, int(row.sum())).T[covering]
        return cover

    def _curves(self, hour: int, num_units: int) -> NDArray[np.float64]:
        loads = self.path_rates[:, :, hour].sum(axis=1) * self.busy_h
        curves: NDArray[np.float64] = _path_curves(loads.tobytes(), num_units, self.corrected)
        return curves


def paths_model(
    model: CoverModel,
    path_rates: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> PathModel:
    """Put paths in the place of a model's mean calls.

    Parameters
    ----------
    model
        Demand rows by the forecast's mean.
    path_rates
        Calls per hour on each path, shape (paths, areas, hours).
    weights
        Weight of each path, shape (paths,), summing to 1; None: all alike.
    """
    count = len(path_rates)
    chosen = np.full(count, 1.0 / count) if weights is None else weights
    return PathModel(
        model.area_ids,
        np.tensordot(chosen, path_rates, axes=1),
        model.busy_h,
        model.geometries,
        model.geometry_of_hour,
        model.corrected,
        path_rates=path_rates,
        path_weights=chosen,
        forecast_rates=model.rates,
    )


def on_the_forecast(case: Case) -> Case:
    """Give a question by the forecast's mean alone, whatever it was solved against."""
    if not isinstance(case.model, PathModel):
        return case
    return replace(case, model=case.model.forecast_model)


@lru_cache(maxsize=8192)
def _path_curves(loads: bytes, num_units: int, corrected: bool) -> NDArray[np.float64]:  # noqa: FBT001  (a key of the cache)
    """Give `busy.cover_curve` for many loads at once, shape (loads, units + 1)."""
    fraction = busy_fraction(np.frombuffer(loads), num_units)
    factors = fraction[:, :0:-1]
    if not corrected:
        factors = np.repeat(fraction[:, -1:], num_units, axis=1)
    curves = np.zeros((len(fraction), num_units + 1))
    curves[:, 1:] = 1.0 - np.cumprod(factors, axis=1)
    curves.setflags(write=False)
    return curves

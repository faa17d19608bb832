"""Who answers when the nearest free unit does: the drive to calls and how busy each post is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import CoverModel

_MOST_BUSY = 0.999


def profiles_in_use(times: TravelTimes, *, first_hour: int, hours: int) -> NDArray[np.int64]:
    """Give the speed profile behind each geometry of a plan's model."""
    of_week = (first_hour + np.arange(hours)) % HOURS_PER_WEEK
    return np.unique(np.asarray(times.profile_of_hour, dtype=np.int64)[of_week])


class NearestUnits:
    """The nearest free unit answers: k-th nearest with chance ``(1 - q) q^(k-1)``.

    Units are busy independently with one probability q, as in MEXCLP (Daskin 1983); chances are
    scaled to the calls that some unit on duty answers.

    Parameters
    ----------
    model
        Demand rows of the week.
    times
        Drive times from posts to demand points, s.
    first_hour
        Hour of the week at which the plan starts.
    """

    def __init__(self, model: CoverModel, times: TravelTimes, *, first_hour: int) -> None:
        self.model = model
        position = {area_id: row for row, area_id in enumerate(model.area_ids)}
        self._area = times.destinations["area_id"].map(position).to_numpy(dtype=np.int64)
        self._share = times.destinations["share"].to_numpy(dtype=np.float64)
        self._order, self._drive, self._reach = [], [], []
        in_use = profiles_in_use(times, first_hour=first_hour, hours=model.num_hours)
        for profile in in_use.tolist():
            drive = np.asarray(times.by_profile[profile], dtype=np.float64)
            order = np.argsort(drive, axis=0, kind="stable")
            by_rank = np.take_along_axis(drive, order, axis=0)
            self._order.append(order)
            self._reach.append(np.isfinite(by_rank))
            self._drive.append(np.where(np.isfinite(by_rank), by_rank, 0.0))

    def _answered(
        self, hour: int, units: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Share calls out: expected calls by rank of post and point, calls by point, and q."""
        which = int(self.model.geometry_of_hour[hour])
        number = units[self._order[which]] * self._reach[which]
        after = np.cumsum(number, axis=0)
        on_duty = int(units.sum())
        q = float(self.model.busy(np.full(self.model.num_hours, on_duty))[hour])
        power = min(max(q, 0.0), _MOST_BUSY) ** np.arange(on_duty + 1)
        chance = power[after - number] - power[after]
        calls = self._share * self.model.rates[self._area, hour]
        total = chance.sum(axis=0)
        reached = total > 0
        chance *= np.divide(calls, total, out=np.zeros_like(calls), where=reached)
        return chance, np.where(reached, calls, 0.0), q

    def busy_by_post(self, hour: int, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the share of time that each unit of a post is busy, shape (posts,); 0 at empty ones.

        Parameters
        ----------
        hour
            Hour of the plan.
        units
            Units at each post, shape (posts,).
        """
        chance, _, q = self._answered(hour, units)
        order = self._order[int(self.model.geometry_of_hour[hour])]
        load = np.bincount(order.ravel(), chance.ravel(), minlength=len(units))
        answered = q * int(units.sum()) / max(float(self.model.loads[hour]), 1e-12)
        load = np.asarray(load * (self.model.busy_h * min(answered, 1.0)), dtype=np.float64)
        return np.divide(load, units, out=np.zeros(len(units)), where=units > 0)

    def mean_drive_s(self, units: NDArray[np.int64]) -> float:
        """Average the drive of the nearest free unit over the calls that some unit can reach.

        Parameters
        ----------
        units
            Units at each post, shape (hours, posts).

        Returns
        -------
        float
            Mean drive, s; NaN where no unit can come to any call.
        """
        total = weight = 0.0
        for hour, row in enumerate(units):
            chance, calls, _ = self._answered(hour, row)
            drive = self._drive[int(self.model.geometry_of_hour[hour])]
            total += float((chance * drive).sum())
            weight += float(calls.sum())
        return total / weight if weight > 0 else np.nan

    def week_by_post(
        self, units: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the busy share of the units of each post over the plan, and their unit-hours.

        Parameters
        ----------
        units
            Units at each post, shape (hours, posts).

        Returns
        -------
        tuple
            Mean busy share, 0 at posts without units, and unit-hours, both shape (posts,).
        """
        unit_hours = np.asarray(units.sum(axis=0), dtype=np.int64)
        busy_h = np.zeros(units.shape[1])
        for hour, row in enumerate(units):
            busy_h += row * self.busy_by_post(hour, row)
        share = np.divide(busy_h, unit_hours, out=np.zeros(len(busy_h)), where=unit_hours > 0)
        return share, unit_hours


def mean_absolute_deviation(share: NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    """Average how far shares lie from their mean, weighted.

    Examples
    --------
    >>> mean_absolute_deviation(np.array([0.2, 0.4]), np.array([1, 1]))
    0.1
    """
    number = max(float(weights.sum()), 1e-12)
    mean = float(weights @ share) / number
    return float(weights @ np.abs(share - mean)) / number

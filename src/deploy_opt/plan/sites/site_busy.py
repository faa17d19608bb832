"""A week's positions with every unit as busy as its own place makes it: the hypercube by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.sites.hypercube import settle_busy
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.coverage import CoverModel
    from deploy_opt.settings import PlanSettings

SETTLED = 1e-7
"""Largest change of a busy fraction at which the fixed point of a finished plan ends."""


@dataclass(frozen=True, slots=True)
class SiteDemand:
    """Demand points with the drives to them, for models in which the nearest free unit answers.

    Attributes
    ----------
    by_profile
        Drive times, s, shape (profiles, posts, points); inf = unreachable.
    profile_of_hour
        Index into the profiles for each hour of the plan, shape (hours,).
    area
        Area of each point, shape (points,).
    share
        Share of its area's calls at each point, shape (points,).
    standard_s
        The standard's limit on the drive, s.
    limits_s, worths
        What the plan makes most of: limits on the drive, s, and the worth of a call reached within
        each, both of shape (layers,); without response layers the standard alone, worth 1.
    """

    by_profile: NDArray[np.float32]
    profile_of_hour: NDArray[np.int64]
    area: NDArray[np.int64]
    share: NDArray[np.float64]
    standard_s: float
    limits_s: NDArray[np.float64]
    worths: NDArray[np.float64]


def site_demand(model: CoverModel, times: TravelTimes, settings: PlanSettings) -> SiteDemand:
    """Gather the demand points of a plan; points without a share of the calls are left out.

    Parameters
    ----------
    model
        The demand rows made of the same times.
    times
        Drive times, s, with each point's area and share of its calls.
    settings
        The plan section: hours, standard, response layers.
    """
    position = {area_id: row for row, area_id in enumerate(model.area_ids)}
    share = times.destinations["share"].to_numpy(dtype=np.float64)
    kept = np.flatnonzero(share > 0)
    area = times.destinations["area_id"].map(position).to_numpy(dtype=np.int64)
    hours = (settings.first_hour + np.arange(settings.hours)) % HOURS_PER_WEEK
    by_profile = np.asarray(times.by_profile)
    layers = [(layer.drive_limit_s, layer.worth) for layer in settings.layers]
    limits, worths = zip(*(layers or [(settings.drive_limit_s, 1.0)]), strict=True)
    return SiteDemand(
        by_profile=by_profile if len(kept) == len(share) else by_profile[:, :, kept],
        profile_of_hour=np.asarray(times.profile_of_hour, dtype=np.int64)[hours],
        area=area[kept],
        share=share[kept],
        standard_s=float(settings.drive_limit_s),
        limits_s=np.asarray(limits, dtype=np.float64),
        worths=np.asarray(worths, dtype=np.float64),
    )


@dataclass(frozen=True, slots=True)
class SiteBusy:
    """What the approximate hypercube says of a week's positions.

    Attributes
    ----------
    reached
        Expected calls that a free unit reaches within the standard, or their worth by the response
        layers, by hour, shape (hours,).
    busy
        Mean busy fraction of the units at each post, shape (hours, posts); NaN without units.
    """

    reached: NDArray[np.float64]
    busy: NDArray[np.float64]

    @property
    def total(self) -> float:
        """The same in all hours together."""
        return float(self.reached.sum())


def site_busy(
    demand: SiteDemand, model: CoverModel, units: NDArray[np.int64], *, layered: bool = False
) -> SiteBusy:
    """Judge a week's positions by the approximate hypercube, hour by hour.

    Each hour is a loss system of its own at its expected calls, in which the nearest free unit
    answers (`hypercube.busy_fractions`), so that a unit where calls are frequent is busier than
    one where they are rare. The deployment model gives every unit of an hour one busy fraction.

    Parameters
    ----------
    demand
        Demand points and drives.
    model
        Gives the expected calls and the hours that a call commits a unit.
    units
        Units at each post, shape (hours, posts).
    layered
        Whether calls count by the worth of the plan's response layers instead of the standard.

    Returns
    -------
    SiteBusy
    """
    hours = HourlySites(demand, model, layered=layered)
    reached = np.zeros(len(units))
    busy = np.full(units.shape, np.nan)
    seen: dict[tuple[int, bytes, bytes], int] = {}
    for hour, row in enumerate(units):
        key = (int(demand.profile_of_hour[hour]), model.rates[:, hour].tobytes(), row.tobytes())
        if key in seen:  # the same calls, drives and positions as an hour before
            reached[hour], busy[hour] = reached[seen[key]], busy[seen[key]]
            continue
        seen[key] = hour
        at = np.repeat(np.arange(len(row)), row)
        reached[hour], by_unit = hours.evaluate(hour, at)
        staffed = np.flatnonzero(row)
        busy[hour, staffed] = np.bincount(at, by_unit, len(row))[staffed] / row[staffed]
    return SiteBusy(reached, busy)


class HourlySites:
    """Every hour of a plan as a hypercube problem.

    The posts' order of nearness to every point is sorted once for each speed profile.

    Parameters
    ----------
    demand, model, layered
        As `site_busy`.
    """

    def __init__(self, demand: SiteDemand, model: CoverModel, *, layered: bool) -> None:
        self._demand, self._rates, self._busy_h = demand, model.rates, model.busy_h
        self._limits = demand.limits_s if layered else np.asarray([demand.standard_s])
        self._worths = demand.worths if layered else np.ones(1)
        self._nearness: dict[int, tuple[NDArray[np.int16], NDArray[np.float64]]] = {}

    def _profile(self, profile: int) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
        """Give each post's place in the order of nearness and its worth, (posts, points)."""
        if profile not in self._nearness:
            drive = self._demand.by_profile[profile]
            order = np.argsort(drive, axis=0, kind="stable")
            place = np.empty(drive.shape, dtype=np.int16)
            ranks = np.arange(len(drive), dtype=np.int16)[:, None]
            np.put_along_axis(place, order, np.broadcast_to(ranks, drive.shape), axis=0)
            worth = np.zeros(drive.shape)
            for limit, value in zip(self._limits, self._worths, strict=True):
                worth += value * (drive <= limit)
            self._nearness[profile] = (place, np.where(np.isfinite(drive), worth, -1.0))
        return self._nearness[profile]

    def evaluate(
        self,
        hour: int,
        at: NDArray[np.int64],
        busy: NDArray[np.float64] | None = None,
        *,
        settled: float = SETTLED,
    ) -> tuple[float, NDArray[np.float64]]:
        """Solve one hour.

        Parameters
        ----------
        hour
            Hour of the plan.
        at
            Post of each unit, rising, shape (units,).
        busy
            Busy fractions to begin with, shape (units,).
        settled
            Largest change of a busy fraction at which the passes end.

        Returns
        -------
        tuple
            Expected calls reached (each times the worth of its drive) and the busy fraction of
            every unit, shape (units,).
        """
        demand = self._demand
        rates = self._rates[demand.area, hour] * demand.share
        if not at.size or not rates.any():
            return 0.0, np.zeros(at.size)
        place, worth = self._profile(int(demand.profile_of_hour[hour]))
        order = np.argsort(place[at], axis=0, kind="stable")
        ranked = np.take_along_axis(worth[at], order, axis=0)
        answered, fractions = settle_busy(
            order, ranked >= 0, rates, self._busy_h, busy=busy, settled=settled
        )
        return float((answered * np.maximum(ranked, 0.0)).sum()), fractions

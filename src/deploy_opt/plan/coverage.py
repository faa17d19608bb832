"""The demand rows of a week: covering sets merged per speed profile, expected calls per hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import sparse

from deploy_opt.errors import InputError
from deploy_opt.plan.busy import busy_fraction, cover_curve
from deploy_opt.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.settings import PlanSettings


class WeeklyForecast(Protocol):
    """What the plan needs of a forecast."""

    def weekly_rates(self, service: str) -> tuple[Sequence[str], NDArray[np.float64]]:
        """Give area ids and expected calls per hour of the week, shape (areas, 168)."""
        ...


@dataclass(frozen=True, slots=True)
class Geometry:
    """Who covers what under one speed profile.

    Demand points that the same posts reach within a limit are one covering set; which areas a
    set belongs to stays in `area_share`, so that covers by area and area floors stay exact. With
    response layers the sets are those of every layer's limit and of the standard's, merged
    wherever the same posts reach them.

    Attributes
    ----------
    cover
        1.0 where a post reaches a covering set, shape (posts, sets). Points that no post reaches
        are in no set.
    area_share
        Share of an area's calls in each set of the standard's limit, CSR, shape (areas, sets).
    area_worth
        Worth of an area's calls in each set by the plan's response layers, as a share of the
        calls, CSR, shape (areas, sets); None: the standard alone, worth = share.
    """

    cover: NDArray[np.float64]
    area_share: sparse.csr_array
    area_worth: sparse.csr_array | None = None

    @property
    def worth(self) -> sparse.csr_array:
        """What the plan aims at: `area_worth`, or without layers `area_share`."""
        return self.area_share if self.area_worth is None else self.area_worth


@dataclass(frozen=True, slots=True)
class CoverModel:
    """One service and one unit type over the hours of a plan.

    Two things are read off the same covering sets: the calls reached within the standard, which
    reports and floors on areas take (`area_cover`), and what the plan aims at (`value`),
    which is the same unless the plan has response layers.

    Attributes
    ----------
    area_ids
        Areas, in the order of every areas axis.
    rates
        Expected calls per hour, shape (areas, hours).
    busy_h
        Hours that a call commits a unit.
    geometries
        One for each speed profile in use.
    geometry_of_hour
        Position in `geometries`, shape (hours,).
    corrected
        Whether covers use the correction of `cover_curve`.
    load_factor
        What the offered load of each hour is multiplied by, shape (hours,); None: 1.
    """

    area_ids: tuple[str, ...]
    rates: NDArray[np.float64]
    busy_h: float
    geometries: tuple[Geometry, ...]
    geometry_of_hour: NDArray[np.int64]
    corrected: bool = True
    load_factor: NDArray[np.float64] | None = None

    @property
    def num_hours(self) -> int:
        """Hours of the plan."""
        return int(self.rates.shape[1])

    @property
    def num_posts(self) -> int:
        """Posts."""
        return int(self.geometries[0].cover.shape[0])

    @property
    def loads(self) -> NDArray[np.float64]:
        """Offered load of each hour, erlangs, shape (hours,)."""
        return np.asarray(self.rates.sum(axis=0) * self.busy_h * self._factor, dtype=np.float64)

    @property
    def _factor(self) -> NDArray[np.float64] | float:
        return 1.0 if self.load_factor is None else self.load_factor

    def geometry(self, hour: int) -> Geometry:
        """Give the covering sets that hold at an hour of the plan."""
        return self.geometries[int(self.geometry_of_hour[hour])]

    def weights(
        self, hour: int, multipliers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Give what each covering set is worth in expected calls, areas weighed by multipliers.

        A multiplier above 1 is 1 plus the price of a floor on the area's calls reached within the
        standard (Lagrangian relaxation): with response layers the price weighs the sets of the
        standard's limit, on top of the layers' worth.

        Parameters
        ----------
        hour
            Hour of the plan.
        multipliers
            Weight of each area, shape (areas,); None = 1.

        Returns
        -------
        numpy.ndarray
            Shape (sets,).
        """
        geometry, calls = self.geometry(hour), self.rates[:, hour]
        if geometry.area_worth is None:
            weighed = calls if multipliers is None else calls * multipliers
            return np.asarray(geometry.area_share.T @ weighed, dtype=np.float64)
        worth = geometry.area_worth.T @ calls
        if multipliers is not None:
            worth = worth + geometry.area_share.T @ (calls * (multipliers - 1.0))
        return np.asarray(worth, dtype=np.float64)

    def demand_key(self, hour: int) -> bytes:
        """Give a key that hours with the same calls share."""
        key = np.ascontiguousarray(self.rates[:, hour]).tobytes()
        return key if self.load_factor is None else key + self.load_factor[hour].tobytes()

    def curve(
        self,
        hour: int,
        num_units: int,
        multipliers: NDArray[np.float64] | None = None,  # noqa: ARG002  (paths weigh areas by it)
    ) -> NDArray[np.float64]:
        """Give the cover by m covering units when `num_units` are on duty; see `cover_curve`.

        One curve for all sets here, shape (units + 1,); a model of several paths gives one for
        each set, for which it takes the areas' multipliers as `weights` does.
        """
        load = float(self.rates[:, hour].sum() * self.busy_h)
        if self.load_factor is not None:
            load *= float(self.load_factor[hour])
        return cover_curve(load, num_units, corrected=self.corrected)

    def busy(self, staffing: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the mean busy fraction of each hour at its units on duty, shape (hours,)."""
        table = busy_fraction(self.loads, int(staffing.max(initial=1)))
        return np.asarray(table[np.arange(self.num_hours), staffing], dtype=np.float64)

    def area_cover(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute the expected cover of each area in each hour.

        Parameters
        ----------
        units
            Units at each post, shape (hours, posts).

        Returns
        -------
        numpy.ndarray
            Share of calls that a free unit reaches within the standard, shape (areas, hours).
        """
        return self._by_area(units, layered=False)

    def area_worth(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute what the plan aims at, per expected call of each area in each hour.

        Parameters
        ----------
        units
            Units at each post, shape (hours, posts).

        Returns
        -------
        numpy.ndarray
            Expected worth of a call by the response layers, between 0 and 1; without layers the
            cover. Shape (areas, hours).
        """
        return self._by_area(units, layered=True)

    def value(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compute what the plan aims at, in expected calls, by hour, shape (hours,).

        The calls reached within the standard or, with response layers, the worth of the calls.
        """
        return np.asarray((self.rates * self.area_worth(units)).sum(axis=0), dtype=np.float64)

    def _by_area(self, units: NDArray[np.int64], *, layered: bool) -> NDArray[np.float64]:
        result = np.zeros((len(self.area_ids), self.num_hours))
        for hour in range(self.num_hours):
            geometry = self.geometry(hour)
            curve = self.curve(hour, int(units[hour].sum()))
            covering = (units[hour] @ geometry.cover).astype(np.int64)
            parts = geometry.worth if layered else geometry.area_share
            result[:, hour] = parts @ curve[covering]
        return result


def cover_model(forecast: WeeklyForecast, times: TravelTimes, settings: PlanSettings) -> CoverModel:
    """Lay out the demand rows of a plan.

    Parameters
    ----------
    forecast
        Gives the expected calls by area and hour of the week.
    times
        Drive times from posts to demand points, s, with each point's area and share of its calls.
    settings
        The plan section: service, horizon, standard, response layers, minutes a call takes.

    Returns
    -------
    CoverModel

    Raises
    ------
    InputError
        When no call is expected in the hours of the plan, when a rate is negative or not a
        number, or when a demand point lies in an area without forecast.
    """
    area_ids, weekly = forecast.weekly_rates(settings.service)
    hours = (settings.first_hour + np.arange(settings.hours)) % HOURS_PER_WEEK
    rates = np.asarray(weekly, dtype=np.float64)[:, hours]
    if not (np.isfinite(rates) & (rates >= 0)).all():
        raise InputError.of("forecast", "a negative or missing rate", "calls per hour, at least 0")
    if not rates.any():
        found = f"no {settings.service} calls in the hours of the plan"
        raise InputError.of("forecast", found, "expected calls in at least one hour")
    position = {area_id: row for row, area_id in enumerate(area_ids)}
    unknown = sorted(set(times.destinations["area_id"]) - set(position))
    if unknown:
        expected = "an area of the forecast for every demand point"
        raise InputError.of("times.destinations", f"area {unknown[0]!r}", expected)
    area = times.destinations["area_id"].map(position).to_numpy(dtype=np.int64)
    share = times.destinations["share"].to_numpy(dtype=np.float64)
    profile_of_hour = np.asarray(times.profile_of_hour, dtype=np.int64)[hours]
    used, geometry_of_hour = np.unique(profile_of_hour, return_inverse=True)
    layers = [(layer.drive_limit_s, layer.worth) for layer in settings.layers]
    standard = settings.drive_limit_s
    if layers == [(standard, 1.0)]:
        layers = []
    limits = sorted({standard, *(limit for limit, _ in layers)})

    def within(profile: int, limit_s: float) -> Geometry:
        return merge_sets(times.by_profile[profile] <= limit_s, area, share, len(area_ids))

    geometries = tuple(
        stack_layers(
            [within(p, limit) for limit in limits],
            [dict(layers).get(limit, 0.0) for limit in limits],
            standard=limits.index(standard),
        )
        if layers
        else within(p, standard)
        for p in used
    )
    return CoverModel(
        tuple(area_ids),
        rates,
        settings.busy_min / MINUTES_PER_HOUR,
        geometries,
        geometry_of_hour,
        load_factor=np.array(settings.load_factor) if settings.load_factor else None,
    )


def merge_sets(
    reached: NDArray[np.bool_],
    area: NDArray[np.int64],
    share: NDArray[np.float64],
    num_areas: int,
) -> Geometry:
    """Merge the demand points that the same posts reach.

    Parameters
    ----------
    reached
        Whether a post reaches a point within the standard, shape (posts, points).
    area
        Area of each point, shape (points,).
    share
        Share of its area's calls at each point, shape (points,).
    num_areas
        Areas.

    Returns
    -------
    Geometry
        Sets in a fixed order, whatever the order of the points.
    """
    kept = np.flatnonzero(reached.any(axis=0) & (share > 0))
    packed = np.packbits(reached[:, kept], axis=0)
    _, first, set_of_point = np.unique(packed, axis=1, return_index=True, return_inverse=True)
    cover = reached[:, kept[first]].astype(np.float64)
    pairs = (area[kept], set_of_point.ravel())
    shape = (num_areas, len(first))
    area_share = sparse.coo_array((share[kept], pairs), shape=shape).tocsr()
    return Geometry(cover, area_share)


def stack_layers(parts: Sequence[Geometry], worth: Sequence[float], *, standard: int) -> Geometry:
    """Put the covering sets of several limits together, those that the same posts reach as one.

    Parameters
    ----------
    parts
        Covering sets of each limit.
    worth
        Worth of each limit, as a share of a call; 0 for a limit that only reports take.
    standard
        Which limit is the standard's.

    Returns
    -------
    Geometry
        Sets in a fixed order; with one limit of worth 1 those of `parts`, value for value.
    """
    cover = np.hstack([part.cover for part in parts])
    packed = np.packbits(cover > 0, axis=0)
    _, first, group = np.unique(packed, axis=1, return_index=True, return_inverse=True)
    start = np.cumsum([0, *(part.cover.shape[1] for part in parts)])
    num_areas = parts[0].area_share.shape[0]

    def gathered(factors: Sequence[float]) -> sparse.csr_array:
        rows, columns, values = [], [], []
        for rank, (part, factor) in enumerate(zip(parts, factors, strict=True)):
            if factor:
                share = part.area_share.tocoo()
                rows.append(share.coords[0])
                columns.append(group.ravel()[start[rank] + share.coords[1]])
                values.append(factor * share.data)
        places = (np.concatenate(rows), np.concatenate(columns))
        shape = (num_areas, len(first))
        return sparse.coo_array((np.concatenate(values), places), shape=shape).tocsr()

    in_standard = gathered([float(rank == standard) for rank in range(len(parts))])
    return Geometry(cover[:, first], in_standard, gathered(worth))

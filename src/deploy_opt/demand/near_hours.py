"""Find the areas and hours that the crowd of an event can be felt in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.units import METRES_PER_KM

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

PHASES = ("before", "during", "after")
BEFORE_H, AFTER_H = 2, 3
NOMINAL_ATTENDANCE = 5_000.0
LONGEST_EVENT = pd.Timedelta(days=14)
MOST_CELLS = 1_000_000
"""Hours of areas near events that are looked at; beyond, the latest events say enough."""
_HOUR = pd.Timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Crowds:
    """Events that have a place in or near the city.

    Attributes
    ----------
    near_event, near_area, away_km
        (pairs,) event, area and the distance from the event to the point of the area, km; every
        area within the largest radius, and the nearest one up to the usual distance between
        neighbours.
    nearest
        (pairs,) whether the area is the nearest one.
    attendance
        (events,) people; the median of the others where it was not told.
    begins
        (events, 4) first row of the hours before, during and after each event, and the row after
        the last one.
    notes
        What the events do not tell, in words.
    """

    near_event: NDArray[np.int64]
    near_area: NDArray[np.int64]
    away_km: NDArray[np.float64]
    nearest: NDArray[np.bool_]
    attendance: NDArray[np.float64]
    begins: NDArray[np.int64]
    notes: tuple[str, ...]

    @property
    def usual_attendance(self) -> float:
        """Median attendance of the events."""
        return float(np.median(self.attendance))


@dataclass(frozen=True, slots=True)
class Felt:
    """Hours of areas within one radius of an event.

    Attributes
    ----------
    radius_km
        The radius.
    row, area
        (cells,) row of the hour and column of the area; each pair once, ordered.
    size
        (cells, 3) log(1 + people / 1,000) of all events near the area that are about to begin, on,
        or just over.
    """

    radius_km: float
    row: NDArray[np.int64]
    area: NDArray[np.int64]
    size: NDArray[np.float64]

    def rows(self, first: int, last: int | None = None) -> Felt:
        """Keep the cells of the hours from `first` to before `last`, counted from `first`."""
        low, high = np.searchsorted(self.row, [first, np.inf if last is None else last])
        keep = slice(int(low), int(high))
        return Felt(self.radius_km, self.row[keep] - first, self.area[keep], self.size[keep])


def size_of(attendance: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Scale people: log(1 + people / 1,000), as calls grow slower than crowds."""
    scaled: NDArray[np.float64] = np.log1p(np.asarray(attendance) / 1000.0)
    return scaled


def crowds_near(
    events: pd.DataFrame,
    places: NDArray[np.float64],
    hours: pd.DatetimeIndex,
    *,
    farthest_km: float,
) -> Crowds | None:
    """Pair the events that have a place with the areas near them.

    Parameters
    ----------
    events
        start_at, end_at (naive local) [, lon, lat, attendance].
    places
        (areas, 2) longitude and latitude of a point of each area, degrees; NaN = near no event.
    hours
        History, then horizon, increasing.
    farthest_km
        Largest radius that is asked for.

    Returns
    -------
    Crowds or None
        None when no event of these hours has a place near an area.
    """
    from scipy.spatial import cKDTree as Tree

    inside = (events["end_at"] + (AFTER_H + 1) * _HOUR > hours[0]) & (
        events["start_at"] - (BEFORE_H + 1) * _HOUR <= hours[-1]
    )
    known = events[inside].sort_values("start_at", kind="stable")
    lon, lat, people = (_numbers(known, name) for name in ("lon", "lat", "attendance"))
    placed = np.isfinite(lon) & np.isfinite(lat)
    brief = ((known["end_at"] - known["start_at"]) <= LONGEST_EVENT).to_numpy()
    use = placed & brief & ~(people == 0)
    if not use.any():
        return None
    known_places = np.flatnonzero(np.isfinite(places).all(axis=1))
    metres = LocalMetres.around(*places[known_places].T)
    points = metres.forward(places[known_places]) / METRES_PER_KM
    venues = metres.forward(np.column_stack([lon[use], lat[use]])) / METRES_PER_KM
    tree = Tree(points)
    event, area = _within(tree, venues, max(farthest_km, _spacing_km(tree)))
    away = np.hypot(*(venues[event] - points[area]).T)
    nearest = area == tree.query(venues)[1][event]
    begins = _begins(known[use], hours)
    near = (away <= farthest_km) | nearest
    latest, notes = _latest(event[near], begins)
    near &= np.isin(event, latest)
    if not near.any():
        return None
    crowd, said = _attendance(people[use][latest])
    return Crowds(
        np.searchsorted(latest, event[near]), known_places[area[near]], away[near], nearest[near],
        crowd, begins[latest], (*said, *_unused(placed, brief), *notes),
    )  # fmt: skip


def felt_within(crowds: Crowds, radius_km: float, num_areas: int) -> Felt:
    """Lay the events on the hours of the areas within a radius.

    Parameters
    ----------
    crowds
        From `crowds_near`.
    radius_km
        Areas whose point is no farther from an event feel it, and always the nearest area.
    num_areas
        Areas of the city.
    """
    pairs = np.flatnonzero((crowds.away_km <= radius_km) | crowds.nearest)
    event, area = crowds.near_event[pairs], crowds.near_area[pairs]
    keys, phases, people = [], [], []
    for phase in range(len(PHASES)):
        first, last = crowds.begins[event, phase], crowds.begins[event, phase + 1]
        number = np.maximum(last - first, 0)
        within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        keys.append((np.repeat(first, number) + within) * num_areas + np.repeat(area, number))
        phases.append(np.full(len(within), phase))
        people.append(np.repeat(crowds.attendance[event], number))
    cells, place = np.unique(np.concatenate(keys), return_inverse=True)
    flat = place * len(PHASES) + np.concatenate(phases)
    total = np.bincount(flat, np.concatenate(people), len(cells) * len(PHASES))
    size = size_of(np.asarray(total, dtype=float).reshape(-1, len(PHASES)))
    return Felt(radius_km, cells // num_areas, cells % num_areas, size)


def _numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in table:
        return np.full(len(table), np.nan)
    return np.asarray(pd.to_numeric(table[name], errors="coerce"), dtype=float)


def _spacing_km(tree: cKDTree) -> float:
    """Median distance between the points of neighbouring areas; 0 for a single area."""
    points = tree.data
    if len(points) < 2:
        return 0.0
    return float(np.median(tree.query(points, k=2)[0][:, 1]))


def _within(
    tree: cKDTree, venues: NDArray[np.float64], radius_km: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    found = tree.query_ball_point(venues, radius_km, return_sorted=True)
    event = np.repeat(np.arange(len(venues)), [len(one) for one in found])
    return event, np.array([area for one in found for area in one], dtype=np.int64)


def _latest(
    event: NDArray[np.int64], begins: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str]]:
    """Choose the events near areas, the latest ones where they are very many."""
    areas = np.bincount(event, minlength=len(begins))
    cells = areas * (begins[:, -1] - begins[:, 0])
    after = np.cumsum(cells[::-1])[::-1] - cells
    wanted = np.flatnonzero((areas > 0) & (after < MOST_CELLS))
    num_near = int((areas > 0).sum())
    if len(wanted) == num_near:
        return wanted, []
    return wanted, [f"the latest {len(wanted):,} of {num_near:,} events near areas were used"]


def _attendance(people: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[str]]:
    """Fill attendances that were not told with the median of the others."""
    missing = np.isnan(people)
    if not missing.any():
        return people, []
    if missing.all():
        words = "no event near an area tells its attendance: all count alike"
        return np.full(len(people), NOMINAL_ATTENDANCE), [words]
    usual = float(np.nanmedian(people))
    words = (
        f"{missing.sum():,} of {len(people):,} events near areas do not tell their attendance and "
        f"count as {usual:,.0f} people, the median of the others"
    )
    return np.where(missing, usual, people), [words]


def _unused(placed: NDArray[np.bool_], brief: NDArray[np.bool_]) -> list[str]:
    notes = []
    if not placed.all():
        lost = int((~placed).sum())
        notes.append(
            f"{lost:,} of {len(placed):,} events have no place: they act on the city as a whole"
        )
    long = int((placed & ~brief).sum())
    if long:
        notes.append(f"{long:,} events of more than {LONGEST_EVENT.days} days act on no area")
    return notes


def _begins(events: pd.DataFrame, hours: pd.DatetimeIndex) -> NDArray[np.int64]:
    start = pd.DatetimeIndex(events["start_at"]).floor("h")
    end = np.maximum(pd.DatetimeIndex(events["end_at"]).ceil("h"), start + _HOUR)
    moments = (start - BEFORE_H * _HOUR, start, end, end + AFTER_H * _HOUR)
    return np.column_stack([hours.searchsorted(moment) for moment in moments])

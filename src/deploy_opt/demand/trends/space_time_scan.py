"""Prospective space-time permutation scan: circles of areas with too many recent calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.trends.checks import check_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

_MOST_VALUES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRule:
    """Settings of the scan.

    Attributes
    ----------
    radius_km
        Largest radius of a circle.
    window_days
        Longest rise that is looked for, ending on the tested day.
    history_days
        Days that the window is compared with, the window included.
    replications
        Permutations of the dates.
    recurrence_days
        A cluster alarms when chance alone makes one as strong less often than once in this time.
    """

    radius_km: float = 3.0
    window_days: int = 7
    history_days: int = 90
    replications: int = 999
    recurrence_days: float = 365.0

    def __post_init__(self) -> None:
        check_settings(
            self,
            {
                "radius_km": (self.radius_km > 0, "km, above 0"),
                "window_days": (self.window_days >= 1, "1 day or more"),
                "history_days": (self.history_days > self.window_days, "more than window_days"),
                "replications": (self.replications >= 1, "1 or more"),
                "recurrence_days": (
                    1 < self.recurrence_days <= self.replications + 1,
                    "days, more than 1, at most replications + 1",
                ),
            },
        )


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cylinder: a circle of areas over the last days.

    Attributes
    ----------
    centre
        Column of the area in the middle.
    areas
        Columns of its areas, nearest to the centre first.
    num_days
        Days, the tested one included.
    num_calls, expected
        Calls in it, and calls if place and day had nothing to do with each other.
    ratio
        Logarithm of the generalised likelihood ratio.
    p_value
        Rank of the ratio among the strongest of every permutation.
    """

    centre: int
    areas: tuple[int, ...]
    num_days: int
    num_calls: int
    expected: float
    ratio: float
    p_value: float


def log_likelihood_ratio(
    found: NDArray[np.float64], expected: NDArray[np.float64], total: float
) -> NDArray[np.float64]:
    """Give c ln(c/mu) + (C - c) ln((C - c)/(C - mu)) where c > mu, else 0.

    Examples
    --------
    >>> log_likelihood_ratio(np.array([12.0, 3.0]), np.array([4.0, 4.0]), 194.0).round(6).tolist()
    [5.354183, 0.0]
    """
    ratio = np.zeros(np.broadcast_shapes(found.shape, expected.shape))
    found, expected = np.broadcast_to(found, ratio.shape), np.broadcast_to(expected, ratio.shape)
    more = np.flatnonzero((found > expected) & (expected > 0))
    c, mu = found.ravel()[more], expected.ravel()[more]
    rest = total - c
    other = np.where(
        rest > 0, rest * np.log(np.maximum(rest, 1e-300) / np.maximum(total - mu, 1e-300)), 0.0
    )
    ratio.ravel()[more] = np.maximum(c * np.log(c / mu) + other, 0.0)
    return ratio


def scan(
    calls: NDArray[np.int64],
    xy_km: NDArray[np.float64],
    rng: np.random.Generator,
    rule: ScanRule | None = None,
) -> tuple[Cluster, ...]:
    """Find the circles of areas with more calls in the last days than their share.

    No population is needed: mu of an area and day is (calls of the area) x (calls of the day) /
    (all calls), so what grows everywhere, or is always high somewhere, is no cluster.

    Parameters
    ----------
    calls
        (days, areas) calls, the last row the tested day.
    xy_km
        (areas, 2) places on a plane, km.
    rng
        Draws the permutations.
    rule
        Settings; `history_days` is the caller's to cut.

    Returns
    -------
    tuple of Cluster
        Strongest first, no two sharing an area; empty without calls.

    Notes
    -----
    Kulldorff, Heffernan, Hartman, Assunção and Mostashari (2005), *A space-time permutation scan
    statistic for disease outbreak detection*, PLoS Medicine 2:e59.
    """
    rule = rule or ScanRule()
    total = int(calls.sum())
    if not total:
        return ()
    window = min(rule.window_days, len(calls))
    circles, pick = circles_within(xy_km, rule.radius_km)
    per_area, recent = calls.sum(axis=0), calls[::-1][:window]
    days = np.cumsum(recent.sum(axis=1))
    expected = np.outer(pick @ per_area.astype(float), days) / total
    found = pick @ np.cumsum(recent, axis=0).T.astype(float)
    ratio = log_likelihood_ratio(found, expected, total)
    chosen = _apart(ratio, circles)
    if not chosen:
        return ()
    strongest = np.sort(_strongest_of_permutations(per_area, recent, pick, expected, rng, rule))
    clusters = []
    for circle, day in chosen:
        value = ratio[circle, day]
        above = len(strongest) - np.searchsorted(strongest, value * (1 - 1e-12), side="left")
        clusters.append(
            Cluster(
                centre=circles[circle][0],
                areas=circles[circle],
                num_days=int(day) + 1,
                num_calls=int(found[circle, day]),
                expected=float(expected[circle, day]),
                ratio=float(value),
                p_value=float((above + 1) / (rule.replications + 1)),
            )
        )
    return tuple(clusters)


def circles_within(
    xy_km: NDArray[np.float64], radius_km: float
) -> tuple[list[tuple[int, ...]], csr_array]:
    """List every set of areas that a circle around an area can hold, each set once.

    Returns
    -------
    circles : list of tuple of int
        Columns of each, nearest to the centre first.
    pick : scipy.sparse.csr_array
        (circles, areas) 1 where the area is in the circle.
    """
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

    near = cKDTree(xy_km).query_ball_point(xy_km, radius_km)
    once: dict[frozenset[int], tuple[int, ...]] = {}
    for centre, others in enumerate(near):
        ids = np.sort(np.asarray(others))
        far = np.hypot(*(xy_km[ids] - xy_km[centre]).T)
        far[ids == centre] = -1.0
        ordered = ids[np.argsort(far, kind="stable")].tolist()
        for size in range(1, len(ordered) + 1):
            once.setdefault(frozenset(ordered[:size]), tuple(ordered[:size]))
    circles = list(once.values())
    sizes = [len(c) for c in circles]
    columns = np.concatenate([np.asarray(c) for c in circles])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return circles, csr_array((np.ones(len(columns)), columns, starts), (len(circles), len(xy_km)))


def _apart(ratio: NDArray[np.float64], circles: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Circle and day of the strongest cylinders above 0 that share no area."""
    best_day = ratio.argmax(axis=1)
    best = ratio.max(axis=1)
    taken: set[int] = set()
    chosen = []
    for circle in np.argsort(-best, kind="stable"):
        if best[circle] <= 0:
            break
        if taken.isdisjoint(circles[circle]):
            taken.update(circles[circle])
            chosen.append((int(circle), int(best_day[circle])))
    return chosen


def _strongest_of_permutations(
    per_area: NDArray[np.int64],
    recent: NDArray[np.int64],
    pick: csr_array,
    expected: NDArray[np.float64],
    rng: np.random.Generator,
    rule: ScanRule,
) -> NDArray[np.float64]:
    """Largest ratio of every permutation of the dates over the calls, (replications,).

    The calls of every area and of every day stay as they are, so only the calls of the last days
    need places: a draw without replacement from the places of all calls.
    """
    places = np.repeat(np.arange(len(per_area)), per_area)
    window, num_areas = recent.shape
    day = np.repeat(np.arange(window), recent.sum(axis=1))
    chunk = max(_MOST_VALUES // (pick.shape[0] * window), 1)
    strongest = np.empty(rule.replications)
    for start in range(0, rule.replications, chunk):
        stop = min(start + chunk, rule.replications)
        drawn = np.empty((num_areas, window, stop - start))
        for number in range(stop - start):
            place = rng.choice(places, len(day), replace=False)
            cell = np.bincount(place * window + day, minlength=num_areas * window)
            drawn[:, :, number] = cell.reshape(num_areas, window)
        summed = np.cumsum(drawn, axis=1).reshape(num_areas, -1)
        found = (pick @ summed).reshape(pick.shape[0], window, -1)
        ratio = log_likelihood_ratio(found, expected[:, :, None], float(len(places)))
        strongest[start:stop] = ratio.max(axis=(0, 1))
    return strongest

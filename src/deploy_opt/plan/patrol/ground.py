"""What patrols are asked to do: districts and their roads, calls by priority, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.errors import FaultList
from deploy_opt.plan.joint.question import Layer
from deploy_opt.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEVEN_MIN_S = 420.0


@dataclass(frozen=True, slots=True, eq=False)
class PatrolGround:
    """Districts, where their units wait and how long they drive.

    Attributes
    ----------
    area_ids
        Areas, in the order of every areas axis.
    district_names
        Districts, in the order of every districts axis.
    area_district
        District of each area, shape (areas,).
    point_area, point_share
        Area of each demand point and the share of its area's calls there, shape (points,).
    post_area
        Area of each place where a unit can wait, shape (posts,): a district's units wait at the
        places inside its own areas.
    by_profile
        Drive times from posts to points, s, shape (profiles, posts, points).
    profile_of_hour
        Speed profile of each hour of the plan, shape (hours,).
    neighbours
        Districts whose free units may help, shape (districts, districts); None: all others.
    first_hour
        Hour of the week at which the plan starts.

    Raises
    ------
    InputError
        Shapes that do not fit; a district without areas, without a post, or with a point that no
        road reaches from its own posts. All at once.
    """

    area_ids: tuple[str, ...]
    district_names: tuple[str, ...]
    area_district: NDArray[np.int64]
    point_area: NDArray[np.int64]
    point_share: NDArray[np.float64]
    post_area: NDArray[np.int64]
    by_profile: NDArray[np.floating]
    profile_of_hour: NDArray[np.int64]
    neighbours: NDArray[np.bool_] | None = None
    first_hour: int = 0

    def __post_init__(self) -> None:
        _check_ground(self)

    @property
    def num_hours(self) -> int:
        """Hours of the plan."""
        return len(self.profile_of_hour)

    @property
    def hours(self) -> NDArray[np.int64]:
        """Hour of the week of each hour of the plan, shape (hours,)."""
        return np.asarray((self.first_hour + np.arange(self.num_hours)) % HOURS_PER_WEEK)

    def posts_of(self, district: int) -> NDArray[np.int64]:
        """List the posts inside a district."""
        return np.flatnonzero(self.area_district[self.post_area] == district)

    def points_of(self, district: int) -> NDArray[np.int64]:
        """List the demand points inside a district."""
        return np.flatnonzero(self.area_district[self.point_area] == district)

    def neighbours_of(self, district: int) -> list[int]:
        """List the districts whose free units may help a district."""
        others = [k for k in range(len(self.district_names)) if k != district]
        if self.neighbours is None:
            return others
        return [k for k in others if self.neighbours[district, k]]

    def by_district(self, of_area: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum numbers by area, shape (.., areas, hours), into districts: (.., districts, hours)."""
        member = self.area_district == np.arange(len(self.district_names))[:, None]
        return np.asarray(member.astype(np.float64) @ of_area)


@dataclass(frozen=True, slots=True, eq=False)
class PatrolCalls:
    """Calls for patrols by priority; work that officers start themselves stands apart.

    Attributes
    ----------
    priorities
        Names, most urgent first.
    rates
        Expected calls per hour, self-initiated ones left out, shape (priorities, areas, hours).
    busy_h
        Mean hours that a call of each priority commits each of its units, dispatch to clear,
        shape (priorities,).
    units_per_call
        Mean units that a call commits, shape (priorities,).
    initiated_h
        Unit-hours per hour that officers spend on work they start themselves, shape (areas,
        hours); None: not known.
    """

    priorities: tuple[str, ...]
    rates: NDArray[np.float64]
    busy_h: NDArray[np.float64]
    units_per_call: NDArray[np.float64]
    initiated_h: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        _check_calls(self)

    @property
    def unit_rates(self) -> NDArray[np.float64]:
        """Units sent to calls per hour, shape (priorities, areas, hours)."""
        return np.asarray(self.rates * self.units_per_call[:, None, None])

    @property
    def unit_hours(self) -> NDArray[np.float64]:
        """Committed unit-hours per hour, shape (priorities, areas, hours)."""
        return np.asarray(self.unit_rates * self.busy_h[:, None, None])


@dataclass(frozen=True, slots=True)
class PatrolRules:
    """What a district needs, and what reaching a call is worth.

    Attributes
    ----------
    target_s
        Response target of the first priority, from queue to arrival, s. Default 7 minutes, the
        target of Seattle's police.
    target_share
        Least share of those calls within the target; None: their mean response keeps it.
    utilisation_cap
        Highest mean share of on-duty time committed to calls. Default 0.60, the average of the
        Rule of 60 (International City/County Management Association), here for every hour.
    min_units
        Fewest units of a district in any hour.
    officer_min_per_h
        Minutes of each unit's hour to be left for work that officers start themselves; None: the
        recorded work of `PatrolCalls.initiated_h` has to fit beside the calls.
    max_wait_min
        Longest mean wait in the queue by priority, min; priorities without one are only asked to
        be served at all.
    initiated
        Whether work that officers start is ``interrupted`` by any call, or ``finished`` first: the
        lowest class of the queue.
    help_share
        Share of the calls without a free unit of their own district that a free unit of a
        neighbour in reach is sent to; counts in the value, never in need or roster.
    layers
        Limits on the drive and their worth, one tuple for each priority; the last holds for all
        further ones. None: half the worth within half the target, half within the target.
    weights
        Worth of a call of each priority that is reached in time; likewise.
    capacity
        Most units that wait at one post; None: any number.
    """

    target_s: float = SEVEN_MIN_S
    target_share: float | None = 0.9
    utilisation_cap: float = 0.60
    min_units: int = 1
    officer_min_per_h: float | None = None
    max_wait_min: tuple[float, ...] = ()
    initiated: Literal["interrupted", "finished"] = "interrupted"
    help_share: float = 0.5
    layers: tuple[tuple[Layer, ...], ...] | None = None
    weights: tuple[float, ...] = (1.0, 0.4, 0.2)
    capacity: int | None = None

    def __post_init__(self) -> None:
        _check_rules(self)

    def layers_of(self, priority: int) -> tuple[Layer, ...]:
        """Give the limits of a priority."""
        if self.layers is None:
            return (Layer(self.target_s / 2, 0.5), Layer(self.target_s, 0.5))
        return self.layers[min(priority, len(self.layers) - 1)]

    def weight_of(self, priority: int) -> float:
        """Give the worth of a call of a priority."""
        return self.weights[min(priority, len(self.weights) - 1)]


def neighbours_by_border(
    border_km: NDArray[np.float64], area_district: NDArray[np.int64], num_districts: int
) -> NDArray[np.bool_]:
    """Say which districts share a border.

    Parameters
    ----------
    border_km
        Length of the border that areas share, km, shape (areas, areas); 0 = none.
    area_district
        District of each area, shape (areas,).
    num_districts
        Districts.

    Returns
    -------
    numpy.ndarray
        Shape (districts, districts), symmetric, False on the diagonal.

    Examples
    --------
    >>> border = np.array([[0, 1, 0], [1, 0, 2], [0, 2, 0]], dtype=float)
    >>> neighbours_by_border(border, np.array([0, 0, 1]), 2).tolist()
    [[False, True], [True, False]]
    """
    result = np.zeros((num_districts, num_districts), dtype=bool)
    first, second = np.nonzero(border_km)
    result[area_district[first], area_district[second]] = True
    result |= result.T
    np.fill_diagonal(result, val=False)
    return result


def _check_ground(ground: PatrolGround) -> None:
    faults = FaultList()
    areas, points = len(ground.area_ids), len(ground.point_area)
    posts, districts = len(ground.post_area), len(ground.district_names)
    shape = ground.by_profile.shape
    if len(ground.area_district) != areas:
        faults.add("area_district", f"{len(ground.area_district)} areas", f"{areas}, as area_ids")
    if ground.by_profile.ndim != 3 or shape[1:] != (posts, points):
        faults.add("by_profile", f"shape {shape}", f"(profiles, {posts} posts, {points} points)")
    if len(ground.point_share) != points:
        faults.add("point_share", f"{len(ground.point_share)} points", f"{points}, as point_area")
    if ground.neighbours is not None and ground.neighbours.shape != (districts, districts):
        faults.add("neighbours", f"shape {ground.neighbours.shape}", "districts x districts")
    for name, at, top in (
        ("area_district", ground.area_district, districts),
        ("point_area", ground.point_area, areas),
        ("post_area", ground.post_area, areas),
        ("profile_of_hour", ground.profile_of_hour, shape[0] if shape else 0),
    ):
        if at.size and (at.min() < 0 or at.max() >= top):
            faults.add(name, f"numbers from {at.min()} to {at.max()}", f"0 .. {top - 1}")
    faults.raise_if_any()
    for district, name in enumerate(ground.district_names):
        own, inside = ground.posts_of(district), ground.points_of(district)
        where = f"district {name}"
        if not (ground.area_district == district).any():
            faults.add(where, "no areas", "at least one", "leave the district out")
        elif not own.size or not inside.size:
            found = "no place where a unit waits" if inside.size else "no demand points"
            faults.add(where, found, "at least one inside its areas")
        elif not np.isfinite(ground.by_profile[:, own][:, :, inside]).all():
            found = "points that no road reaches from one of its posts"
            faults.add(where, found, "drive times between all of them", "join the roads")
    faults.raise_if_any()


def _check_calls(calls: PatrolCalls) -> None:
    faults = FaultList()
    number = len(calls.priorities)
    if not number:
        faults.add("priorities", "none", "at least one")
    if calls.rates.ndim != 3 or len(calls.rates) != number:
        faults.add("rates", f"shape {calls.rates.shape}", f"({number} priorities, areas, hours)")
    if not (np.isfinite(calls.rates) & (calls.rates >= 0)).all():
        faults.add("rates", "a negative or missing rate", "calls per hour, at least 0")
    for name, row in (("busy_h", calls.busy_h), ("units_per_call", calls.units_per_call)):
        if row.shape != (number,) or not (np.isfinite(row) & (row > 0)).all():
            faults.add(name, str(row.tolist()), f"{number} numbers above 0, one a priority")
    own = calls.initiated_h
    if own is not None:
        if own.shape != calls.rates.shape[1:]:
            faults.add("initiated_h", f"shape {own.shape}", f"{calls.rates.shape[1:]}")
        elif not (np.isfinite(own) & (own >= 0)).all():
            faults.add("initiated_h", "a negative or missing number", "unit-hours, at least 0")
    faults.raise_if_any()


def _check_rules(rules: PatrolRules) -> None:
    faults = FaultList()
    if not rules.target_s > 0:
        faults.add("target_s", f"{rules.target_s:g}", "seconds above 0")
    if rules.target_share is not None and not 0 < rules.target_share < 1:
        faults.add("target_share", f"{rules.target_share:g}", "a share between 0 and 1")
    if not 0 < rules.utilisation_cap <= 1:
        faults.add("utilisation_cap", f"{rules.utilisation_cap:g}", "a share above 0, at most 1")
    if rules.min_units < 0:
        faults.add("min_units", str(rules.min_units), "a number of at least 0")
    free = rules.officer_min_per_h
    if free is not None and not 0 <= free < MINUTES_PER_HOUR:
        faults.add("officer_min_per_h", f"{free:g}", "minutes from 0 to below 60")
    if any(not wait > 0 for wait in rules.max_wait_min):
        faults.add("max_wait_min", str(rules.max_wait_min), "minutes above 0")
    if rules.initiated not in ("interrupted", "finished"):
        faults.add("initiated", repr(rules.initiated), "'interrupted' or 'finished'")
    if not 0 <= rules.help_share <= 1:
        faults.add("help_share", f"{rules.help_share:g}", "a share from 0 to 1")
    if rules.layers == () or not rules.weights:
        faults.add("layers and weights", "none", "at least one of each")
    if rules.capacity is not None and rules.capacity < 1:
        faults.add("capacity", str(rules.capacity), "at least 1")
    faults.raise_if_any()

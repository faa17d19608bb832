"""The rules of a plan by hour and post, and the check that they can hold together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt.errors import FaultList, InfeasibleError, nearest
from deploy_opt.plan.busy import busy_fraction
from deploy_opt.plan.posts.hour_posts import room_at
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.rule_settings import FleetLimit, PostLimit
    from deploy_opt.settings import PlanSettings

NO_LIMIT = 9999
"""Units that no post and no hour will ever hold; stands for "no limit"."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a plan must keep.

    Attributes
    ----------
    lower, upper
        Fewest and most units at each post, shape (hours, posts); hard.
    max_units
        Most units on duty, shape (hours,); hard.
    min_units
        Fewest units on duty by ``fleet.min_units`` and ``fleet.limits``, shape (hours,); missing
        units are counted and named.
    cap_units
        Fewest units that keep the busy cap, shape (hours,); missing units are counted and named.
    unit_hours
        Most unit-hours in the plan's horizon; hard.
    max_open
        Most posts in use in the plan; None = no limit.
    max_open_per_hour
        Most posts in use in any hour; None = no limit.
    opening_calls
        Price of each post's use in the plan's horizon, expected calls reached, shape (posts,).
    max_moves
        Most units that change post between two hours beyond the fleet's change; None = no limit.
    cyclic
        Whether the last hour is followed by the first.
    """

    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    max_units: NDArray[np.int64]
    min_units: NDArray[np.int64]
    cap_units: NDArray[np.int64]
    unit_hours: float
    max_open: int | None
    max_open_per_hour: int | None
    opening_calls: NDArray[np.float64]
    max_moves: int | None
    cyclic: bool

    @property
    def held(self) -> NDArray[np.int64]:
        """Units that locks and limits hold, shape (hours,)."""
        return np.asarray(self.lower.sum(axis=1), dtype=np.int64)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Posts that may hold a unit in some hour, shape (posts,)."""
        return np.asarray((self.upper > 0).any(axis=0), dtype=np.bool_)

    @property
    def floor(self) -> NDArray[np.int64]:
        """Fewest units on duty by `min_units` and the busy cap, shape (hours,)."""
        return np.maximum(self.cap_units, self.min_units)

    def opening_paid(self, units: NDArray[np.int64]) -> float:
        """Sum the prices of the posts that positions use, expected calls; shape (hours, posts)."""
        return float(self.opening_calls[units.any(axis=0)].sum())


def rules_of(
    settings: PlanSettings,
    posts: pd.DataFrame,
    loads: NDArray[np.float64],
    unit_hours_today: float,
) -> Rules:
    """Work out the rules of a plan and check that they can hold together.

    Parameters
    ----------
    settings
        The plan section.
    posts
        post_id and, where known, capacity; row order is the posts axis.
    loads
        Offered load of each hour, erlangs, shape (hours,).
    unit_hours_today
        Unit-hours of today's plan in the horizon: the budget where none is given.

    Returns
    -------
    Rules

    Raises
    ------
    InputError
        A rule names an unknown post.
    InfeasibleError
        Hard rules conflict; every conflict is named.
    """
    post_ids = [str(post_id) for post_id in posts["post_id"]]
    _check_names(settings, post_ids)
    lower, upper = _bounds(settings, posts, post_ids)
    given = settings.fleet.unit_hours_per_week
    least, most = _fleet_limits(settings)
    per_hour = settings.posts.max_open_per_hour
    few = room_on_few(lower, upper, settings.posts.max_open)
    room = np.minimum(few, room_at(lower, upper, per_hour))
    rules = Rules(
        lower=lower,
        upper=upper,
        max_units=np.minimum(most, room),
        min_units=least,
        cap_units=units_for_cap(loads, settings.fleet.busy_cap),
        unit_hours=float(unit_hours_today if given is None else given),
        max_open=settings.posts.max_open,
        max_open_per_hour=per_hour,
        opening_calls=_opening_calls(settings, post_ids),
        max_moves=settings.posts.max_moves_per_hour,
        cyclic=settings.hours == HOURS_PER_WEEK,
    )
    conflicts = [*_post_conflicts(rules, settings, post_ids), *_fleet_conflicts(rules, settings)]
    if conflicts:
        raise InfeasibleError(dict.fromkeys(conflicts))
    return rules


def room_on_few(
    lower: NDArray[np.int64], upper: NDArray[np.int64], max_open: int | None
) -> NDArray[np.int64]:
    """Give the units that the posts can hold in each hour when few may open in the plan.

    Parameters
    ----------
    lower, upper
        Fewest and most units at each post, shape (hours, posts).
    max_open
        Most posts in use in the plan; None = no limit.

    Returns
    -------
    numpy.ndarray
        Shape (hours,).
    """
    if max_open is None:
        return np.asarray(upper.sum(axis=1), dtype=np.int64)
    held = (lower > 0).any(axis=0)
    others = -np.sort(-upper[:, ~held], axis=1)[:, : max(max_open - int(held.sum()), 0)]
    return np.asarray(upper[:, held].sum(axis=1) + others.sum(axis=1), dtype=np.int64)


def _fleet_limits(settings: PlanSettings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the fewest and most units on duty that the fleet's settings ask for, by hour."""
    fleet = settings.fleet
    least = np.full(settings.hours, fleet.min_units, dtype=np.int64)
    most = np.full(settings.hours, NO_LIMIT if fleet.max_units is None else fleet.max_units)
    for limit in fleet.limits:
        inside = hours_inside(limit, settings)
        least[inside] = np.maximum(least[inside], limit.min_units)
        if limit.max_units is not None:
            most[inside] = np.minimum(most[inside], limit.max_units)
    return least, most


def _opening_calls(settings: PlanSettings, post_ids: Sequence[str]) -> NDArray[np.float64]:
    """Give each post's price of opening; a plan of a day takes a day's share of a week's."""
    asked = settings.posts
    by_week = [asked.calls_to_open_at.get(post_id, asked.calls_to_open) for post_id in post_ids]
    return np.asarray(by_week, dtype=np.float64) * (settings.hours / HOURS_PER_WEEK)


def hours_inside(limit: PostLimit | FleetLimit, settings: PlanSettings) -> NDArray[np.bool_]:
    """Say which hours of the plan a limit by hour of the week holds in.

    Parameters
    ----------
    limit
        The limit; where its last hour is not above its first, it goes on past the week's end.
    settings
        The plan section.

    Returns
    -------
    numpy.ndarray
        Shape (hours,).
    """
    hours = (settings.first_hour + np.arange(settings.hours)) % HOURS_PER_WEEK
    begin, end = limit.from_hour, limit.to_hour
    if end <= begin:  # over the end of the week
        return np.asarray((hours >= begin) | (hours < end), dtype=np.bool_)
    return np.asarray((hours >= begin) & (hours < end), dtype=np.bool_)


def units_for_cap(loads: NDArray[np.float64], busy_cap: float) -> NDArray[np.int64]:
    """Find the fewest units whose mean busy fraction (loss form) keeps a cap, shape (hours,)."""
    enough = int(np.ceil(float(loads.max(initial=0.0)) / busy_cap)) + 1
    fraction = busy_fraction(loads, enough)
    fraction[:, 0] = np.where(loads > 0, 1.0, 0.0)
    return np.asarray(np.argmax(fraction <= busy_cap, axis=1), dtype=np.int64)


def _check_names(settings: PlanSettings, post_ids: Sequence[str]) -> None:
    faults, known = FaultList(), set(post_ids)
    rules = settings.posts
    named: list[tuple[str, str]] = [("posts.locked", name) for name in rules.locked]
    named += [("posts.forbidden", name) for name in rules.forbidden]
    named += [("posts.limits", limit.post_id) for limit in rules.limits]
    named += [("posts.calls_to_open_at", name) for name in rules.calls_to_open_at]
    for where, name in named:
        if name not in known:
            faults.add(where, f"post {name!r}", "a post of the posts table", nearest(name, known))
    faults.raise_if_any()


def _bounds(
    settings: PlanSettings, posts: pd.DataFrame, post_ids: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    default = NO_LIMIT if settings.posts.capacity is None else settings.posts.capacity
    capacity = np.full(len(post_ids), default, dtype=np.int64)
    if "capacity" in posts.columns:
        known = posts["capacity"].notna().to_numpy()
        capacity[known] = posts.loc[known, "capacity"].to_numpy(dtype=np.int64)
    lower = np.zeros((settings.hours, len(post_ids)), dtype=np.int64)
    upper = np.tile(capacity, (settings.hours, 1))
    for post_id, number in settings.posts.locked.items():
        lower[:, post_ids.index(post_id)] = number
    for post_id in settings.posts.forbidden:
        upper[:, post_ids.index(post_id)] = 0
    for limit in settings.posts.limits:
        post = post_ids.index(limit.post_id)
        inside = hours_inside(limit, settings)
        lower[inside, post] = np.maximum(lower[inside, post], limit.min_units)
        if limit.max_units is not None:
            upper[inside, post] = np.minimum(upper[inside, post], limit.max_units)
    return lower, upper


def _post_conflicts(rules: Rules, settings: PlanSettings, post_ids: list[str]) -> list[str]:
    found = []
    hours = (settings.first_hour + np.arange(settings.hours)) % HOURS_PER_WEEK
    for post in np.flatnonzero((rules.lower > rules.upper).any(axis=0)):
        hour = int(np.argmax(rules.lower[:, post] > rules.upper[:, post]))
        wanted, allowed = int(rules.lower[hour, post]), int(rules.upper[hour, post])
        found.append(
            f"post {post_ids[post]}: locked or limited to at least {wanted} units, while capacity, "
            f"posts.forbidden or posts.limits allow {allowed} (hour {hours[hour]} of the week)"
        )
    held = int((rules.lower > 0).any(axis=0).sum())
    if rules.max_open is not None and held > rules.max_open:
        found.append(
            f"posts.max_open = {rules.max_open}, while posts.locked and posts.limits hold units "
            f"at {held} posts"
        )
    per_hour = rules.max_open_per_hour
    at_once = (rules.lower > 0).sum(axis=1)
    if per_hour is not None and (at_once > per_hour).any():
        hour = int(np.argmax(at_once > per_hour))
        found.append(
            f"posts.max_open_per_hour = {per_hour}, while posts.locked and posts.limits hold "
            f"units at {at_once[hour]} posts in hour {hours[hour]} of the week"
        )
    return found


def _fleet_conflicts(rules: Rules, settings: PlanSettings) -> list[str]:
    found = []
    hours = (settings.first_hour + np.arange(settings.hours)) % HOURS_PER_WEEK

    def worst(short: NDArray[Any]) -> tuple[int, int]:
        hour = int(np.argmax(short))
        return hour, int(hours[hour])

    most = "fleet.max_units" + (" or fleet.limits" if settings.fleet.limits else "")
    hour, name = worst(rules.held - rules.max_units)
    if rules.held[hour] > rules.max_units[hour]:
        found.append(
            f"posts.locked and posts.limits hold {rules.held[hour]} units in hour {name} of the "
            f"week, while {most} and the posts' capacities allow {rules.max_units[hour]}"
        )
    hour, name = worst(rules.min_units - rules.max_units)
    if rules.min_units[hour] > rules.max_units[hour]:
        least = int(rules.min_units[hour])
        few = "posts.max_open" + (" (or _per_hour)" if rules.max_open_per_hour else "")
        asks = f"fleet.min_units = {least}"
        if least > settings.fleet.min_units:
            asks = f"fleet.limits ask for {least} units in hour {name} of the week"
        found.append(
            f"{asks}, while {most}, {few} and "
            f"the posts' capacities allow {rules.max_units[hour]} in hour {name} of the week"
        )
    if rules.held.sum() > rules.unit_hours:
        found.append(
            f"posts.locked and posts.limits hold {rules.held.sum()} unit-hours, while the budget "
            f"(fleet.unit_hours_per_week, or today's) is {rules.unit_hours:g}"
        )
    shortest = settings.shifts.shortest_h if settings.shifts and rules.cyclic else 1
    if rules.min_units.any() and rules.unit_hours < shortest:
        asked = settings.fleet.min_units
        asks = f"fleet.min_units = {asked}" if asked else "fleet.limits ask for units"
        found.append(
            f"{asks}, while the budget of {rules.unit_hours:g} "
            f"unit-hours (fleet.unit_hours_per_week, or today's) holds no shift of {shortest} h"
        )
    return found

"""Crews, units on duty and positions of the weekly model written out, numbered as in the docs.

``docs/formulation.md`` numbers them. Names in the model's text: ``u_`` crews, ``n_`` units on
duty, ``x_`` units at a post, ``a_`` arrivals, ``grows_`` whether the fleet grows, ``z_`` open
posts, ``o_`` posts in use in an hour, ``y_`` covering units; ``t007`` is the eighth hour of the
plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import InputError
from deploy_opt.plan.engines.model_builder import lp_names
from deploy_opt.plan.rules import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.engines.model_builder import ModelBuilder
    from deploy_opt.plan.shifts import ShiftColumns

MOST_COLUMNS = 200_000
"""Columns beyond which nobody should wait for the whole model."""


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Units of one type and the rules that they keep.

    Attributes
    ----------
    mark
        Put into every name, such as ``als_``; empty where there is one type.
    columns
        Shifts.
    posts
        Names of its posts.
    lower, upper
        Fewest and most units at each post, shape (hours, posts).
    least, most
        Fewest and most units on duty, shape (hours,).
    max_open
        Most posts in use; None = all.
    max_moves
        Most units that change post between two hours beyond the fleet's change; None = any.
    cyclic
        Whether the last hour is followed by the first.
    max_open_per_hour
        Most posts in use in any hour; None = all.
    opening
        Price of each post's use, shape (posts,); None = free.
    """

    mark: str
    columns: ShiftColumns
    posts: tuple[str, ...]
    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    least: NDArray[np.int64]
    most: NDArray[np.int64]
    max_open: int | None
    max_moves: int | None
    cyclic: bool
    max_open_per_hour: int | None = None
    opening: NDArray[np.float64] | None = None

    @property
    def num_hours(self) -> int:
        """Hours of the plan."""
        return len(self.most)

    @property
    def room(self) -> NDArray[np.int64]:
        """Most units that a post can hold, units on duty counted, shape (hours, posts)."""
        return np.minimum(self.upper, self.most[:, None])

    @property
    def linked_hours(self) -> NDArray[np.int64]:
        """Hours into which moves count."""
        return np.arange(0 if self.cyclic else 1, self.num_hours)

    @property
    def bounds_change(self) -> bool:
        """Whether the rules of posts differ by hour, so that they may force moves."""
        return bool((self.lower != self.lower[0]).any() or (self.upper != self.upper[0]).any())


@dataclass(frozen=True, slots=True, eq=False)
class FleetColumns:
    """Where a fleet's decisions stand in the model.

    Attributes
    ----------
    crews, on_duty, units
        Crews of each shift, units on duty of each hour, units at each post (hours, posts).
    opened
        Open posts; empty without a limit and without prices.
    in_use
        Posts in use in each hour (hours, posts); empty without a limit by hour.
    arrivals, grows, forced
        Of each linked hour: arrivals at each post, whether the fleet grows, moves beyond the
        limit where the rules of posts force them; empty without a limit.
    """

    crews: NDArray[np.int64]
    on_duty: NDArray[np.int64]
    units: NDArray[np.int64]
    opened: NDArray[np.int64]
    in_use: NDArray[np.int64]
    arrivals: NDArray[np.int64]
    grows: NDArray[np.int64]
    forced: NDArray[np.int64]


def check_size(fleets: Sequence[Fleet], rest: int) -> None:
    """Refuse a model that nobody should wait for, before it is written.

    Parameters
    ----------
    fleets
        The unit types.
    rest
        Columns beside theirs.

    Raises
    ------
    InputError
        It would have more than `MOST_COLUMNS` columns.
    """
    number = rest
    for fleet in fleets:
        rules = (fleet.max_moves, fleet.max_open_per_hour)
        cells = fleet.lower.size * (1 + sum(rule is not None for rule in rules))
        number += len(fleet.columns.length_h) + 2 * fleet.num_hours + cells
    if number > MOST_COLUMNS:
        raise InputError.of(
            "solver.method",
            f"extensive, whose model would have {number:,} columns",
            f"a case of at most {MOST_COLUMNS:,} columns",
            "use tables, which needs no such model",
        )


def hour_marks(hours: int) -> list[str]:
    """Name the hours of a plan: t000, t001, .."""
    return [f"t{hour:03d}" for hour in range(hours)]


def add_fleet(builder: ModelBuilder, fleet: Fleet, *, price: float) -> FleetColumns:
    """Add crews, units on duty and positions of a type, with the rules (1), (2) and (4) to (7).

    Parameters
    ----------
    builder
        The model so far.
    fleet
        The type.
    price
        What a move beyond the limit costs, where the rules of posts force moves.

    Returns
    -------
    FleetColumns
    """
    hours, mark = hour_marks(fleet.num_hours), fleet.mark
    most_crews = np.where(fleet.columns.on_duty, fleet.most, np.inf).min(axis=1)
    crews = builder.columns(
        [f"u_{mark}{name}" for name in _shift_names(fleet.columns)],
        upper=most_crews,
        integer=True,
    )
    on_duty = builder.columns(
        [f"n_{mark}{hour}" for hour in hours], lower=fleet.least, upper=fleet.most, integer=True
    )
    names = [f"{mark}{post}_{hour}" for hour in hours for post in fleet.posts]
    units = builder.columns(
        [f"x_{name}" for name in names],
        lower=fleet.lower.ravel(),
        upper=np.maximum(fleet.room, fleet.lower).ravel(),
        integer=True,
    ).reshape(fleet.lower.shape)
    staffed = builder.rows([f"c01_duty_{mark}{hour}" for hour in hours], lower=0.0, upper=0.0)
    builder.terms(staffed, on_duty, 1.0)
    builder.matrix_terms(staffed, crews, -fleet.columns.on_duty.T.astype(np.float64))
    placed = builder.rows([f"c02_place_{mark}{hour}" for hour in hours], lower=0.0, upper=0.0)
    builder.terms(placed[:, None], units, 1.0)
    builder.terms(placed, on_duty, -1.0)
    opened = _add_open_posts(builder, fleet, units)
    in_use = _add_posts_by_hour(builder, fleet, units)
    arrivals, grows, forced = _add_moves(builder, fleet, units, on_duty, price)
    return FleetColumns(crews, on_duty, units, opened, in_use, arrivals, grows, forced)


def _shift_names(columns: ShiftColumns) -> list[str]:
    days = [1] * len(columns.length_h) if columns.days is None else columns.days.tolist()
    ends = zip(columns.start_hour.tolist(), columns.length_h.tolist(), days, strict=True)
    return lp_names(
        f"h{start:03d}_{length}h" + (f"_{worked}d" if worked > 1 else "")
        for start, length, worked in ends
    )


def _add_open_posts(
    builder: ModelBuilder, fleet: Fleet, units: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Add (6): at most so many posts hold a unit in any hour; each has its price."""
    priced = fleet.opening is not None and bool(fleet.opening.any())
    if fleet.max_open is None and not priced:
        return np.zeros(0, dtype=np.int64)
    hours, mark = hour_marks(fleet.num_hours), fleet.mark
    opened = builder.columns(
        [f"z_{mark}{post}" for post in fleet.posts],
        lower=(fleet.lower > 0).any(axis=0),
        upper=1.0,
        cost=0.0 if fleet.opening is None else -fleet.opening,
        integer=True,
    )
    names = [f"c06_open_{mark}{post}_{hour}" for hour in hours for post in fleet.posts]
    rows = builder.rows(names, upper=0.0).reshape(units.shape)
    builder.terms(rows, units, 1.0)
    builder.terms(rows, opened[None, :], -np.maximum(fleet.room, fleet.lower))
    if fleet.max_open is not None:
        most = builder.rows([f"c06_posts_{mark}".rstrip("_")], upper=float(fleet.max_open))
        builder.terms(most, opened, 1.0)
    return opened


def _add_posts_by_hour(
    builder: ModelBuilder, fleet: Fleet, units: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Add the part of (6) that holds hour by hour: at most so many posts hold a unit at once."""
    if fleet.max_open_per_hour is None:
        return np.zeros(0, dtype=np.int64)
    hours, mark = hour_marks(fleet.num_hours), fleet.mark
    names = [f"{mark}{post}_{hour}" for hour in hours for post in fleet.posts]
    in_use = builder.columns(
        [f"o_{name}" for name in names],
        lower=(fleet.lower > 0).ravel(),
        upper=1.0,
        integer=True,
    ).reshape(units.shape)
    rows = builder.rows([f"c06_use_{name}" for name in names], upper=0.0).reshape(units.shape)
    builder.terms(rows, units, 1.0)
    builder.terms(rows, in_use, -np.maximum(fleet.room, fleet.lower))
    at_once = builder.rows(
        [f"c06_at_once_{mark}{hour}" for hour in hours], upper=float(fleet.max_open_per_hour)
    )
    builder.terms(at_once[:, None], in_use, 1.0)
    return in_use


def _add_moves(
    builder: ModelBuilder,
    fleet: Fleet,
    units: NDArray[np.int64],
    on_duty: NDArray[np.int64],
    price: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Add (7): the smaller of arrivals and departures is at most the limit.

    Of the units that appear at posts, as many as the fleet grew came on duty there. So departures
    are the moves while it grows and arrivals while it shrinks; a whole column says which.
    """
    none = np.zeros(0, dtype=np.int64)
    linked = fleet.linked_hours
    if fleet.max_moves is None or not linked.size:
        return none, none, none
    hours, mark, limit = hour_marks(fleet.num_hours), fleet.mark, float(fleet.max_moves)
    here = [hours[hour] for hour in linked]
    names = [f"{mark}{post}_{hour}" for hour in here for post in fleet.posts]
    room = np.maximum(fleet.room, fleet.lower)[linked]
    arrivals = builder.columns([f"a_{name}" for name in names], upper=room.ravel())
    arrivals = arrivals.reshape(room.shape)
    grows = builder.columns([f"grows_{mark}{hour}" for hour in here], upper=1.0, integer=True)
    forced = none
    if fleet.bounds_change:
        forced = builder.columns([f"forced_{mark}{hour}" for hour in here], cost=-price)
    rows = builder.rows([f"c07_arrive_{name}" for name in names], lower=0.0).reshape(room.shape)
    builder.terms(rows, arrivals, 1.0)
    builder.terms(rows, units[linked], -1.0)
    builder.terms(rows, units[linked - 1], 1.0)
    most, before = fleet.most[linked].astype(np.float64), fleet.most[linked - 1].astype(np.float64)
    shrinks = builder.rows([f"c07_shrinks_{mark}{hour}" for hour in here], upper=limit)
    builder.terms(shrinks[:, None], arrivals, 1.0)
    builder.terms(shrinks, grows, -most)
    grown = builder.rows([f"c07_grows_{mark}{hour}" for hour in here], upper=limit + before)
    builder.terms(grown[:, None], arrivals, 1.0)
    builder.terms(grown, on_duty[linked], -1.0)
    builder.terms(grown, on_duty[linked - 1], 1.0)
    builder.terms(grown, grows, before)
    if forced.size:
        builder.terms(shrinks, forced, -1.0)
        builder.terms(grown, forced, -1.0)
    return arrivals, grows, forced


def start_fleet(
    x: NDArray[np.float64],
    fleet: Fleet,
    columns: FleetColumns,
    crews: NDArray[np.int64],
    units: NDArray[np.int64],
) -> None:
    """Write a fleet's known decisions into a point of the model.

    Parameters
    ----------
    x
        The point, shape (columns,); changed.
    fleet, columns
        The fleet in the model.
    crews, units
        Crews of each shift and units at each post, shape (hours, posts).
    """
    x[columns.crews] = crews
    x[columns.on_duty] = units.sum(axis=1)
    x[columns.units] = units
    if columns.opened.size:
        x[columns.opened] = np.maximum(units.any(axis=0), (fleet.lower > 0).any(axis=0))
    if columns.in_use.size:
        x[columns.in_use] = (units > 0) | (fleet.lower > 0)
    if columns.grows.size:
        linked = fleet.linked_hours
        change = units[linked] - units[linked - 1]
        x[columns.arrivals] = np.maximum(change, 0)
        grown = change.sum(axis=1) >= 0
        x[columns.grows] = grown
        if columns.forced.size:
            x[columns.forced] = forced_moves(fleet, units)


def forced_moves(fleet: Fleet, units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the moves beyond the limit into each linked hour; 0 where no limit is set."""
    change = units[fleet.linked_hours] - units[fleet.linked_hours - 1]
    moved = np.minimum(np.maximum(change, 0).sum(axis=1), np.maximum(-change, 0).sum(axis=1))
    most = NO_LIMIT if fleet.max_moves is None else fleet.max_moves
    return np.asarray(np.maximum(moved - most, 0), dtype=np.int64)

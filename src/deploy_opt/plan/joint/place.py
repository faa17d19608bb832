"""Where the units of every type wait over the week, with limits on open posts and moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.joint.pool_hour import improve_pool
from deploy_opt.plan.links import link_hours
from deploy_opt.plan.posts.open_posts import open_posts
from deploy_opt.plan.week import Week

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.joint.pool_hour import PoolHour
    from deploy_opt.plan.joint.tables import PoolTables

Units = tuple["NDArray[np.int64]", ...]


@dataclass(frozen=True, slots=True, eq=False)
class PlacedPool:
    """Positions of a pool.

    Attributes
    ----------
    free
        For each type its units at each post without limits on posts and moves, shape (hours,
        posts).
    units
        The same with those limits kept.
    free_value, value
        Worth of the calls reached, by hour, shape (hours,).
    """

    free: Units
    units: Units
    free_value: NDArray[np.float64]
    value: NDArray[np.float64]


def place_pool(tables: PoolTables, staffing: NDArray[np.int64], *, cyclic: bool) -> PlacedPool:
    """Place the units on duty of a pool.

    Every hour starts from the positions behind its value and is improved for its own calls; then
    each type in turn keeps its limits, with the others where they are.

    Parameters
    ----------
    tables
        Values of the pool.
    staffing
        Units on duty of each type, shape (types, hours).
    cyclic
        Whether the last hour is followed by the first.

    Returns
    -------
    PlacedPool
    """
    model = tables.model
    problems, rows = [], []
    for hour in range(model.num_hours):
        number = tuple(int(n) for n in staffing[:, hour])
        problem = model.hour(hour, number)
        problems.append(problem)
        rows.append(improve_pool(problem, tables.positions(hour, number))[0])
    free = _by_type(rows)
    units = list(free)
    for kind, of_kind in enumerate(model.kinds):
        if of_kind.max_open is None and of_kind.max_moves is None:
            continue
        week = _week(problems, tuple(units), kind, staffing[kind], cyclic=cyclic)
        here = units[kind]
        if of_kind.max_open is not None:
            week, here = open_posts(week, here, of_kind.max_open)
        if of_kind.max_moves is not None:
            here = link_hours(week, here, of_kind.max_moves)
        units[kind] = here
    linked = tuple(units)
    return PlacedPool(free, linked, _values(problems, free), _values(problems, linked))


def _by_type(rows: list[Units]) -> Units:
    return tuple(np.stack(of_type) for of_type in zip(*rows, strict=True))


def _values(problems: list[PoolHour], units: Units) -> NDArray[np.float64]:
    return np.asarray(
        [
            problem.value(tuple(of_type[hour] for of_type in units))
            for hour, problem in enumerate(problems)
        ]
    )


def _week(
    problems: list[PoolHour],
    units: Units,
    kind: int,
    staffing: NDArray[np.int64],
    *,
    cyclic: bool,
) -> Week:
    hours = tuple(
        problem.of_type(kind, tuple(of_type[hour] for of_type in units), int(staffing[hour]))
        for hour, problem in enumerate(problems)
    )
    return Week(hours, staffing, cyclic)

"""The cheapest whole crews that put a needed number of units on duty in every hour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.joint.start_search import only_shifts, pattern_of, start_of
from deploy_opt.plan.solver import Limits, linear_model, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.shifts import ShiftColumns


@dataclass(frozen=True, slots=True, eq=False)
class CheapestCrews:
    """Crews that cover a need.

    Attributes
    ----------
    crews
        Crews of each shift, shape (shifts,).
    unit_hours
        Their unit-hours.
    bound
        What no crews that cover the need can do with.
    """

    crews: NDArray[np.int64]
    unit_hours: int
    bound: float


def cheapest_crews(
    needed: NDArray[np.int64], columns: ShiftColumns, *, limits: Limits | None = None
) -> CheapestCrews:
    """Cover a need by whole crews with the fewest unit-hours.

    min sum_s h_s u_s with sum_s a_ts u_s >= n_t for every hour t, u integer.

    Parameters
    ----------
    needed
        Units of each hour, shape (hours,); every needed hour lies in some shift.
    columns
        Shifts.
    limits
        Gap and work; default: 0.1 % or 200 nodes.

    Examples
    --------
    >>> from deploy_opt.plan.shifts import ShiftColumns
    >>> day = ShiftColumns(np.array([0, 2]), np.array([3, 2]),
    ...                    np.array([[1, 1, 1, 0], [0, 0, 1, 1]], dtype=bool))
    >>> cheapest_crews(np.array([1, 1, 1, 2]), day).unit_hours
    7
    """
    asked = np.ascontiguousarray(needed, dtype=np.int64)
    found = _cheapest(
        asked.tobytes(),
        columns.on_duty.tobytes(),
        len(columns.length_h),
        limits or Limits(gap=1e-3, node_limit=200),
    )
    return replace(found, crews=found.crews.copy())


@lru_cache(maxsize=64)  # districts ask for the same need again and again
def _cheapest(need: bytes, duty: bytes, num_shifts: int, limits: Limits) -> CheapestCrews:
    needed = np.frombuffer(need, dtype=np.int64)
    on = np.frombuffer(duty, dtype=bool).reshape(num_shifts, len(needed))
    cost = on.sum(axis=1).astype(np.float64)
    model = linear_model(
        cost,
        on.T.astype(np.float64),
        rows=(needed.astype(np.float64), np.full(len(needed), np.inf)),
        bounds=(0.0, np.full(len(cost), float(needed.max(initial=0)))),
        integer=np.ones(len(cost), dtype=bool),
    )
    start = _cover(needed, on)
    solution = solve(model, limits=limits, start=start)
    crews = np.rint(start if solution.x is None else solution.x).astype(np.int64)
    hours = round(float(crews @ cost))
    return CheapestCrews(crews, hours, min(solution.report.bound, float(hours)))


def _cover(needed: NDArray[np.int64], on_duty: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Cover a need: the shift with most missing units per hour, again and again."""
    crews, missing = np.zeros(len(on_duty)), needed.copy()
    hours = np.maximum(on_duty.sum(axis=1), 1)
    while (missing > 0).any():
        best = int(np.argmax(on_duty @ (missing > 0) / hours))
        crews[best] += 1
        missing = missing - on_duty[best]
    return crews


def few_start_columns(
    needed: NDArray[np.int64],
    columns: ShiftColumns,
    *,
    max_starts: int | None = None,
    max_patterns: int | None = None,
    limits: Limits | None = None,
) -> ShiftColumns | None:
    """Keep few start times and patterns that cover the needs of a role with few unit-hours.

    min sum_ds h_s u_ds with sum_s a_ts u_ds >= n_dt, u_ds <= U_d z_o for the start and the pattern
    o of shift s, sum_o z_o <= K, z binary, u continuous: which ones are used is an integer
    program, how many crews is left to `cheapest_crews`.

    Parameters
    ----------
    needed
        Units of each hour by unit type of the role, shape (types, hours).
    columns
        Shifts.
    max_starts, max_patterns
        Most start hours and patterns of all types together; None = all.
    limits
        Gap and work; default: 1 % or 500 nodes.

    Returns
    -------
    ShiftColumns or None
        The shifts of those start times and patterns; None where no choice covers the needs.

    Examples
    --------
    >>> from deploy_opt.plan.shifts import shift_columns
    >>> from deploy_opt.rule_settings import Shifts
    >>> day = shift_columns(Shifts(starts_h=(0, 6, 8, 16), lengths_h=(8,)), hours=168)
    >>> one = np.ones((1, 168), dtype=np.int64)
    >>> np.unique(few_start_columns(one, day, max_starts=3).start_hour % 24).tolist()
    [0, 8, 16]
    >>> few_start_columns(one, day, max_starts=2) is None
    True
    """
    rules = [
        (at_most, np.unique(options, axis=0, return_inverse=True)[1].reshape(-1))
        for at_most, options in (
            (max_starts, start_of(columns)),
            (max_patterns, pattern_of(columns)),
        )
        if at_most is not None
    ]
    bare = needed.any(axis=0) & ~columns.on_duty.any(axis=0)
    if bare.any():
        return None
    if not rules:
        return columns
    needs, count = np.unique(needed, axis=0, return_counts=True)  # alike districts count once
    shifts, kinds = len(columns.length_h), len(needs)
    num_options = [int(option.max()) + 1 for _, option in rules]
    ends = np.cumsum([0, *num_options])
    cover = sparse.block_diag([sparse.csr_array(columns.on_duty.T.astype(np.float64))] * kinds)
    most = np.repeat(needs.max(axis=1).astype(np.float64), shifts)
    blocks: list[list[sparse.sparray]] = [
        [cover, sparse.csr_array((cover.shape[0], int(ends[-1])))]
    ]
    lower, upper = [needs.ravel().astype(np.float64)], [np.full(needs.size, np.inf)]
    for (at_most, option), begin in zip(rules, ends[:-1].tolist(), strict=True):
        at = np.arange(shifts * kinds)
        link = sparse.csr_array(
            (-most, (at, begin + np.tile(option, kinds))), shape=(len(at), int(ends[-1]))
        )
        blocks.append([sparse.eye_array(len(at), format="csr"), link])
        row = np.zeros(int(ends[-1]))
        row[begin : begin + int(option.max()) + 1] = 1.0
        blocks.append([sparse.csr_array((1, len(at))), sparse.csr_array(row[None, :])])
        lower += [np.full(len(at), -np.inf), np.array([-np.inf])]
        upper += [np.zeros(len(at)), np.array([float(at_most)])]
    cost = np.kron(count, columns.unit_hours).astype(np.float64)
    model = linear_model(
        np.concatenate([cost, np.zeros(ends[-1])]),
        sparse.block_array(blocks, format="csr"),
        rows=(np.concatenate(lower), np.concatenate(upper)),
        bounds=(0.0, np.concatenate([most, np.ones(ends[-1])])),
        integer=np.concatenate([np.zeros(len(cost), dtype=bool), np.ones(ends[-1], dtype=bool)]),
    )
    found = solve(model, limits=limits or Limits(gap=0.01, node_limit=500))
    if found.x is None:
        return None
    kept = np.ones(shifts, dtype=bool)
    for (_, option), begin in zip(rules, ends[:-1].tolist(), strict=True):
        chosen = found.x[len(cost) + begin :][: int(option.max()) + 1] > 0.5
        kept &= chosen[option]
    return only_shifts(columns, kept)

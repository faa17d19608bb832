"""Which rules leave no crews at all: the smallest set of them, by an elastic re-solve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from deploy_opt.plan.conflicts import conflicting_rows
from deploy_opt.plan.rules import hours_inside
from deploy_opt.plan.solver import Limits, Model, linear_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from deploy_opt.plan.rules import Rules
    from deploy_opt.plan.shifts import ShiftColumns
    from deploy_opt.settings import PlanSettings

_NODES = 200


def crew_conflicts(
    settings: PlanSettings, rules: Rules, columns: ShiftColumns, post_ids: list[str]
) -> tuple[str, ...]:
    """Name rules that no crews can keep together, as few as removing one at a time leaves.

    Units on duty are split into those that each lock or limit holds at its post and the rest. Each
    rule of the scenario is a group of rows; the shifts themselves always hold. Where the rules
    conflict even with parts of crews, the elastic and deletion filters of `conflicts` name the
    set; floors that give way are not among them.

    Parameters
    ----------
    settings
        The plan section.
    rules
        Its rules by hour and post.
    columns
        Shifts.
    post_ids
        Posts, in the order of the posts axis.

    Returns
    -------
    tuple of str
        Rules in words; empty where crews can keep all of them, or none were found in conflict.
    """
    held = np.flatnonzero((rules.lower > 0).any(axis=0))
    parts = [
        *_post_rules(settings, post_ids, held),
        *_fleet_rules(settings, rules, len(held)),
    ]
    model, groups = _model(rules, columns, len(held), parts)
    return conflicting_rows(model, groups, limits=Limits(gap=0.01, node_limit=_NODES))


class _Part:
    """Rows of one rule: sums of units by hour within limits.

    Parameters
    ----------
    words
        The rule, in words.
    hours
        Hours that it holds in, shape (hours,) bool.
    posts
        Columns of the held posts that it sums; the last stands for the units elsewhere.
    least, most
        Limits of the sum.
    """

    def __init__(
        self,
        words: str,
        hours: NDArray[np.bool_],
        posts: NDArray[np.int64],
        *,
        least: float = -np.inf,
        most: float | NDArray[np.float64] = np.inf,
    ) -> None:
        self.words, self.hours, self.posts = words, np.flatnonzero(hours), posts
        self.least = np.broadcast_to(least, hours.shape)[self.hours]
        self.most = np.broadcast_to(most, hours.shape)[self.hours]


def _post_rules(
    settings: PlanSettings, post_ids: list[str], held: NDArray[np.int64]
) -> Iterator[_Part]:
    column = {post_ids[post]: np.array([rank]) for rank, post in enumerate(held.tolist())}
    always = np.ones(settings.hours, dtype=np.bool_)
    for post_id, number in settings.posts.locked.items():
        words = f"posts.locked holds {number} units at {post_id} in every hour"
        yield _Part(words, always, column[post_id], least=number)
    for rank, limit in enumerate(settings.posts.limits):
        if limit.min_units:
            words = (
                f"posts.limits[{rank}] holds {limit.min_units} units at {limit.post_id}, hours "
                f"{limit.from_hour} to {limit.to_hour} of the week"
            )
            inside = hours_inside(limit, settings)
            yield _Part(words, inside, column[limit.post_id], least=limit.min_units)


def _fleet_rules(settings: PlanSettings, rules: Rules, num_held: int) -> Iterator[_Part]:
    fleet, every = settings.fleet, np.arange(num_held + 1)
    always = np.ones(settings.hours, dtype=np.bool_)
    if fleet.max_units is not None:
        words = f"fleet.max_units allows {fleet.max_units} units on duty"
        yield _Part(words, always, every, most=fleet.max_units)
    for rank, limit in enumerate(fleet.limits):
        if limit.max_units is not None:
            words = (
                f"fleet.limits[{rank}] allows {limit.max_units} units on duty, hours "
                f"{limit.from_hour} to {limit.to_hour} of the week"
            )
            yield _Part(words, hours_inside(limit, settings), every, most=limit.max_units)
    room = np.asarray(rules.max_units, dtype=np.float64)
    words = (
        f"posts have room for {int(room.min())} to {int(room.max())} units (capacities, "
        "posts.forbidden, posts.limits, posts.max_open and posts.max_open_per_hour)"
    )
    given = [fleet.max_units, *(limit.max_units for limit in fleet.limits)]
    asked = [number for number in given if number is not None]
    tight = room < min(asked, default=np.inf)
    yield _Part(words, always & tight, every, most=room)


def _model(
    rules: Rules, columns: ShiftColumns, num_held: int, parts: list[_Part]
) -> tuple[Model, dict[str, NDArray[np.int64]]]:
    """Columns: crews of each shift, then by hour units at each held post and elsewhere."""
    shifts, hours = columns.on_duty.shape
    wide = num_held + 1
    split = sparse.kron(sparse.eye_array(hours), np.ones((1, wide)))
    duty = sparse.csr_array(columns.on_duty.T.astype(np.float64))
    budget = sparse.csr_array(columns.unit_hours[None, :].astype(np.float64))
    blocks: list[list[sparse.sparray | None]] = [[duty, -split], [budget, None]]
    beside = columns.beside.astype(np.float64)
    low = [-beside, np.array([-np.inf])]
    high = [-beside, np.array([rules.unit_hours - beside.sum()])]
    words = f"the budget is {rules.unit_hours:g} unit-hours (fleet.unit_hours_per_week, or today's)"
    groups = {words: np.array([hours])}
    first = hours + 1
    for part in parts:
        size = len(part.hours)
        at = np.repeat(np.arange(size), len(part.posts))
        of = (part.hours[:, None] * wide + part.posts[None, :]).ravel()
        rows = sparse.coo_array((np.ones(len(at)), (at, of)), shape=(size, hours * wide))
        blocks.append([None, rows.tocsr()])
        low.append(part.least)
        high.append(part.most)
        groups[part.words] = first + np.arange(size)
        first += size
    model = linear_model(
        np.zeros(shifts + hours * wide),
        sparse.block_array(blocks, format="csr"),
        rows=(np.concatenate(low), np.concatenate(high)),
        bounds=(0.0, np.inf),
        integer=np.concatenate([np.ones(shifts), np.zeros(hours * wide)]).astype(bool),
    )
    return model, groups

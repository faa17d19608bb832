"""Where idle units wait: at home, where they add most cover, or as a compliance table says."""

# mypy: disable-error-code="no-any-return"
# The fields of records have no static types.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.simulation.compiled import helper, rare
from deploy_opt.simulation.ways import drive_s, go_to_post, period_at, place_of

if TYPE_CHECKING:
    from deploy_opt.simulation.arrays import Case, State


BEST_COVER, COMPLIANCE = 1, 2


@helper
def is_free(state: State, unit: int, now_s: float) -> bool:
    """Whether a unit is on duty, idle and not on a break."""
    return (
        state.units[unit].leg < 0
        and not state.units[unit].resting
        and state.units[unit].on_until > now_s
    )


@helper
def count_cover(case: Case, state: State, but: int, now_s: float) -> None:
    """Count into `state.reached_by` the free units like one, without it, that reach each node."""
    rules, count = case.rules, state.reached_by
    period = period_at(case, now_s)
    for node in range(count.size):
        count[node] = 0
    for unit in range(state.units.size):
        alike = case.fleet[unit].unit_type == case.fleet[but].unit_type
        if unit == but or not alike or case.fleet[unit].mutual_aid:
            continue
        if is_free(state, unit, now_s):
            row = rules.node_post[state.units[unit].post]
            for node in range(count.size):
                count[node] += rules.cover[period, row, node]


@helper
def extra_cover(case: Case, state: State, row: int, now_s: float) -> float:
    """Add up the cover that one more unit brings after `count_cover`, but for the factor 1 - q."""
    rules, count = case.rules, state.reached_by
    period, total = period_at(case, now_s), 0.0
    for node in range(count.size):
        if rules.cover[period, row, node]:
            total += rules.demand[node] * rules.free_again[count[node]]
    return total


@helper
def next_post(case: Case, state: State, unit: int, now_s: float) -> int:
    """Choose where a unit that became free goes."""
    on_duty = state.units[unit].on_until > now_s and not case.fleet[unit].mutual_aid
    if case.rules.relocation != BEST_COVER or not on_duty:
        return state.units[unit].home
    return most_cover(case, state, unit, now_s)


@rare
def most_cover(case: Case, state: State, unit: int, now_s: float) -> int:
    """Choose the post where a unit adds most expected cover."""
    count_cover(case, state, unit, now_s)
    best, most = state.units[unit].home, -1.0
    for row in range(case.rules.posts.size):
        extra = extra_cover(case, state, row, now_s)
        post = case.rules.posts[row]
        reached = drive_s(case, state.units[unit].to_node, post, now_s) < np.inf
        if extra > most and reached:
            best, most = post, extra
    return best


@helper
def comply(case: Case, state: State, kind: int, now_s: float) -> None:
    """Move free units of a type as a compliance table says, if there is one."""
    if case.rules.relocation == COMPLIANCE:
        hold_posts(case, state, kind, now_s)


@rare
def hold_posts(case: Case, state: State, kind: int, now_s: float) -> None:
    """Move free units so that the posts of the compliance table are held."""
    units, spare, short = state.units, state.spare, state.short
    free = 0
    for unit in range(units.size):
        own = case.fleet[unit].unit_type == kind and not case.fleet[unit].mutual_aid
        spare[unit] = own and is_free(state, unit, now_s)
        free += spare[unit]
    table = case.rules.levels
    level = min(free, table.shape[1] - 1)
    for rank in range(short.size):
        short[rank] = table[kind, level, rank] >= 0
        for unit in range(units.size):
            if short[rank] and spare[unit] and units[unit].post == table[kind, level, rank]:
                spare[unit] = False
                short[rank] = False
    moved = 0
    for rank in range(short.size):
        best, best_s = -1, np.inf
        for unit in range(units.size):
            if short[rank] and spare[unit] and moved < case.rules.most_moves:
                node = place_of(case, state, unit, now_s)
                needs_s = drive_s(case, node, table[kind, level, rank], now_s)
                if needs_s < best_s:
                    best, best_s = unit, needs_s
        if best >= 0:
            go_to_post(case, state, best, table[kind, level, rank], now_s)
            spare[best] = False
            moved += 1

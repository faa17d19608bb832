"""What a plan's report says about its rules of balance: figures by name, and what is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.equity import counted_areas, possible_cover, what_blocks
from deploy_opt.plan.balance.mixture_floor import mixture_cover
from deploy_opt.plan.balance.rules import AREA_FLOOR, GROUP_FLOOR, balance_of, groups_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.balance.balance import Judged
    from deploy_opt.plan.case import Case
    from deploy_opt.plan.place import Placed

_SMALL = 1e-12


def balance_words(case: Case, placed: Placed, bound: float) -> tuple[dict[str, float], list[str]]:
    """Gather the figures of the rules of balance and name those that are not kept.

    Parameters
    ----------
    case
        The question.
    placed
        The plan.
    bound
        Bound on what it is chosen by; NaN where none was made.

    Returns
    -------
    tuple
        Parts of the solve report by name, and notes.
    """
    asked, found = case.settings.equity, placed.balanced
    if found is None:
        return {}, []
    balance = balance_of(case, placed.staffing)
    standing = balance.judge(placed.units)
    by_key = {r.key: one for r, one in zip(balance.rules, standing.rules, strict=True)}
    parts: dict[str, float] = {}
    notes: list[str] = []
    if asked.weakest_area_cover is not None:
        _add(_area_floor(case, placed, standing.cover, asked.weakest_area_cover), parts, notes)
    if asked.worst_group_cover is not None:
        _add(_group_floor(case, placed, standing.cover, asked.worst_group_cover), parts, notes)
    if asked.max_mean_drive_s is not None:
        _add(_drive(by_key["equity.max_mean_drive_s"], asked.max_mean_drive_s), parts, notes)
    if asked.workload_band is not None:
        _add(_workload(by_key["equity.workload_band"], asked.workload_band), parts, notes)
    if balance.welfare is not None:
        parts |= _nash(standing.worth, bound)
    elif np.isfinite(bound):
        parts["floor_bound"] = bound
    if placed.unbalanced is not None:
        parts["balance_price"] = placed.unbalanced - placed.value
    return parts, notes


def _add(
    one: tuple[dict[str, float], list[str]], parts: dict[str, float], notes: list[str]
) -> None:
    parts |= one[0]
    notes += one[1]


def _area_floor(
    case: Case, placed: Placed, cover: NDArray[np.float64], floor: float
) -> tuple[dict[str, float], list[str]]:
    counted = counted_areas(case.model, case.settings.equity.min_calls_per_week)
    if case.own_areas is not None:
        counted &= case.own_areas
    weakest = float(cover[counted].min(initial=1.0))
    parts = {"weakest_area_asked": floor, "weakest_area_cover": weakest}
    if weakest >= floor:
        return parts, []
    possible = possible_cover(case.model, placed.staffing, case.rules.usable)
    blocks = what_blocks(case.model, cover, possible, floor=floor, counted=counted)
    first = (
        f"{AREA_FLOOR} = {floor:.1%} is not reached: the highest found for the "
        f"weakest area is {weakest:.1%}"
    )
    return parts, [first, *blocks]


def _group_floor(
    case: Case, placed: Placed, cover: NDArray[np.float64], floor: float
) -> tuple[dict[str, float], list[str]]:
    groups = groups_of(case)
    if groups is None:
        return {}, []
    calls = case.model.rates.sum(axis=1)
    rows = mixture_cover(groups.mix, calls, cover)
    counted = np.flatnonzero(groups.counted)
    if not counted.size:
        none = f"{GROUP_FLOOR}: no population group has enough residents and calls to count"
        return {"worst_group_asked": floor}, [none]
    worst = int(counted[np.argmin(rows[counted])])
    parts = {"worst_group_asked": floor, "worst_group_cover": float(rows[worst])}
    possible = possible_cover(case.model, placed.staffing, case.rules.usable)
    most = mixture_cover(groups.mix, calls, possible)
    notes = [
        f"{GROUP_FLOOR} = {floor:.1%} is not reached for group {groups.names[g]}: {rows[g]:.1%}; "
        + (
            f"even with every unit near its areas no more than {most[g]:.1%} is possible"
            if most[g] < floor
            else "it needs more unit-hours, nearer posts, or looser limits on posts and moves"
        )
        for g in counted[np.argsort(rows[counted], kind="stable")].tolist()
        if rows[g] < floor
    ]
    return parts, notes


def _drive(judged: Judged, limit_s: float) -> tuple[dict[str, float], list[str]]:
    parts = {"mean_drive_asked_s": limit_s, "mean_drive_s": judged.reached}
    if judged.miss <= 0:
        return parts, []
    note = (
        f"equity.max_mean_drive_s = {limit_s:g} s is not reached: the shortest mean drive found "
        f"is {judged.reached:.1f} s; it needs more unit-hours, nearer posts, or looser limits on "
        "posts and moves"
    )
    return parts, [note]


def _workload(judged: Judged, band: float) -> tuple[dict[str, float], list[str]]:
    parts = {
        "workload_band_asked": band,
        "workload_band": judged.reached,
        "workload_outside": judged.miss,
    }
    if judged.miss <= 0:
        return parts, []
    outside = int(np.count_nonzero(judged.short))
    note = (
        f"equity.workload_band = {band:.0%} is not kept at {outside} posts: their units' weekly "
        f"busy share differs from the mean by up to {judged.reached:.0%}; the nearest plan found "
        "is given"
    )
    return parts, [note]


def _nash(worth: float, bound: float) -> dict[str, float]:
    parts = {"nash_cover": worth}
    if np.isfinite(bound):
        parts["nash_bound"] = max(bound, worth)
        parts["nash_gap"] = max(bound / max(worth, _SMALL) - 1.0, 0.0)
    return parts

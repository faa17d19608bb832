"""What one more unit buys, and what one less costs: simulated on the same calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.simulation.fleets import HOUR_S
from deploy_opt.simulation.replicate import Arm, replicate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.policies import Policy

COLUMNS = ["change", "unit_type", "post_id", "block", "unit_hours", "cost", "statistic"]
STATISTICS = ("mean_response_s", "p90_response_s", "late_share")


def marginal(  # noqa: PLR0913 - a study's design is its arguments
    fleet: pd.DataFrame,
    draw_calls: Callable[[int], pd.DataFrame],
    times: ArrayLike,
    *,
    node_of_post: Mapping[str, int],
    unit_types: Sequence[str],
    num_hours: int,
    blocks: Mapping[str, Sequence[int]] | None = None,
    cost_per_hour: Mapping[str, float] | None = None,
    policy: str | Policy = "closest",
    replications: int = 10,
    standards_s: float | Mapping[str, float],
    **options: Any,  # noqa: ANN401 - what `replicate` and `simulate` take
) -> pd.DataFrame:
    """Add and take away one unit per type, post and block of hours.

    Parameters
    ----------
    fleet
        The plan's units, with spells (`fleet_of_posts`).
    draw_calls, times, replications, standards_s, options
        As `replicate` takes them: the change and the plan as it is share every call's luck.
    node_of_post
        Posts to try, by name.
    unit_types
        Types to try.
    num_hours
        Hours simulated.
    blocks
        Hours of the day of each block; None = ``all``, around the clock.
    cost_per_hour
        Cost of a unit-hour by type, to fill `cost`.
    policy
        Rules of dispatch and relocation.

    Returns
    -------
    pandas.DataFrame
        change (+1 or -1), unit_type, post_id, block, unit_hours and cost (the change's own),
        statistic, value (changed less unchanged), half_width, lo, hi, replications. A unit is
        taken away where the post has one on duty in every hour of the block.
    """
    faults = FaultList()
    if "on_from_s" not in fleet:
        faults.add("fleet", "no spells", "on_from_s and on_to_s", "make it with fleet_of_posts")
    if not node_of_post or not unit_types:
        faults.add("marginal", "nothing to try", "at least one post and one unit type")
    faults.raise_if_any()
    hours_of = blocks or {"all": range(24)}
    plan = Arm(fleet, policy)
    found = []
    for kind in unit_types:
        for post, node in node_of_post.items():
            for block, hours in hours_of.items():
                spells = _spells(hours, num_hours)
                for change, other in _changes(fleet, kind, node, spells).items():
                    arms = {"plan": Arm(other, policy), "baseline": plan}
                    table = replicate(
                        arms,
                        draw_calls,
                        times,
                        replications=replications,
                        standards_s=standards_s,
                        **options,
                    ).table
                    mine = (table["arm"] == "difference") & (table["scope"] == "all")
                    mine &= table["statistic"].isin(STATISTICS)
                    num = change * float((spells[:, 1] - spells[:, 0]).sum())
                    cost = num * (cost_per_hour or {}).get(kind, np.nan)
                    head = dict(zip(COLUMNS, (change, kind, post, block, num, cost), strict=False))
                    found.append(table[mine].assign(**head))
    tail = ["value", "half_width", "lo", "hi", "replications"]
    return pd.concat(found, ignore_index=True)[[*COLUMNS, *tail]]


def _spells(hours: Sequence[int], num_hours: int) -> NDArray[np.int64]:
    """Turn hours of the day into spells of the simulated span, h, shape (spells, 2)."""
    on = np.isin(np.arange(num_hours) % 24, list(hours))
    return np.flatnonzero(np.diff(np.r_[False, on, False].astype(np.int8))).reshape(-1, 2)


def _changes(
    fleet: pd.DataFrame,
    kind: str,
    node: int,
    spells: NDArray[np.int64],
) -> dict[int, pd.DataFrame]:
    more = pd.DataFrame(
        {
            "unit_id": "one more",
            "unit_type": kind,
            "home_node": node,
            "on_from_s": spells[:, 0] * HOUR_S,
            "on_to_s": spells[:, 1] * HOUR_S,
        }
    )
    changes = {1: pd.concat([fleet, more], ignore_index=True)}
    here = fleet[(fleet["unit_type"] == kind) & (fleet["home_node"] == node)]
    for name, own in here.groupby("unit_id", sort=False):
        start, end = own["on_from_s"].to_numpy() / HOUR_S, own["on_to_s"].to_numpy() / HOUR_S
        inside = (start <= spells[:, :1]) & (spells[:, 1:] <= end)
        if inside.any(axis=1).all() and len(fleet["unit_id"].unique()) > 1:
            changes[-1] = _without(fleet, name, spells)
            break
    return changes


def _without(fleet: pd.DataFrame, name: object, spells: NDArray[np.int64]) -> pd.DataFrame:
    """Cut spells out of a unit's duty."""
    own = fleet[fleet["unit_id"] == name]
    kept = []
    for row in own.to_dict("records"):
        start, end = row["on_from_s"], row["on_to_s"]
        for cut_from, cut_to in spells * HOUR_S:
            if cut_to <= start or cut_from >= end:
                continue
            if cut_from > start:
                kept.append({**row, "on_from_s": start, "on_to_s": cut_from})
            start = cut_to
        if start < end:
            kept.append({**row, "on_from_s": start, "on_to_s": end})
    rest = fleet[fleet["unit_id"] != name]
    return pd.concat([rest, pd.DataFrame(kept)], ignore_index=True) if kept else rest

"""What one more unit buys, and what one less costs: simulated on the same calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.simulation.fleets import HOUR_S
from deploy_opt.simulation.replicate import summarise
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.statistics import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.policies import Policy
    from deploy_opt.simulation.result import SimulationResult

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
    warm_up_s: float = 86_400.0,
    counted: tuple[int, int] | None = None,
    unit_columns: Mapping[str, Mapping[str, Any]] | None = None,
    measured: Callable[[SimulationResult, pd.DataFrame], pd.DataFrame] | None = None,
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> pd.DataFrame:
    """Add and take away one unit per type, post and block of hours.

    Parameters
    ----------
    fleet
        The plan's units, with spells (`fleet_of_posts`).
    draw_calls, times, replications, standards_s, warm_up_s, options
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
    counted
        First hour, and hour after the last, of those that `unit_hours` counts; None = all.
    unit_columns
        Further columns of a unit of each post, such as its district; a unit is then taken away
        of those with the same, whatever its home. None = the home alone.
    measured
        Works out the statistics of a replication; None: `measure`, of all calls.

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
    if replications < 2:
        faults.add("marginal", f"{replications} replications", "at least 2, for an interval")
    faults.raise_if_any()
    first, last = (0, num_hours) if counted is None else counted
    changes: list[tuple[dict[str, Any], pd.DataFrame]] = []
    for kind in unit_types:
        for post, node in node_of_post.items():
            for block, hours in (blocks or {"all": range(24)}).items():
                spells = _spells(hours, num_hours)
                inside = np.clip(spells, first, last)
                length = float((inside[:, 1] - inside[:, 0]).sum())
                more = {"unit_type": kind, "home_node": node, **(unit_columns or {}).get(post, {})}
                for change, other in _changes(fleet, more, spells).items():
                    num = change * length
                    cost = num * (cost_per_hour or {}).get(kind, np.nan)
                    head = dict(zip(COLUMNS, (change, kind, post, block, num, cost), strict=False))
                    changes.append((head, other))

    def play(units: pd.DataFrame, calls: pd.DataFrame) -> pd.DataFrame:
        result = simulate(units, calls, times, policy=policy, **options)
        if measured is None:
            values = measure(result, calls, standards_s=standards_s, warm_up_s=warm_up_s)
        else:
            values = measured(result, calls)
        values = values[(values["scope"] == "all") & values["statistic"].isin(STATISTICS)]
        return values.set_index("statistic")

    samples = []
    for number in range(replications):
        calls = draw_calls(number)
        usual = play(fleet, calls)
        for rank, (_, other) in enumerate(changes):
            found = play(other, calls)
            gap = (found["value"] - usual["value"]).rename("value").reset_index()
            gap = gap.assign(arm=rank, scope="all", scope_id="all", n=found["n"].to_numpy())
            samples.append(gap.assign(replication=number))
    table = summarise(pd.concat(samples, ignore_index=True), service="")
    heads = pd.DataFrame([head for head, _ in changes], columns=COLUMNS[:-1])
    tail = ["statistic", "value", "half_width", "lo", "hi", "replications"]
    return table[["arm", *tail]].merge(heads, left_on="arm", right_index=True)[
        [*COLUMNS, *tail[1:]]
    ]


def _spells(hours: Sequence[int], num_hours: int) -> NDArray[np.int64]:
    """Turn hours of the day into spells of the simulated span, h, shape (spells, 2)."""
    on = np.isin(np.arange(num_hours) % 24, list(hours))
    return np.flatnonzero(np.diff(np.r_[False, on, False].astype(np.int8))).reshape(-1, 2)


def _changes(
    fleet: pd.DataFrame,
    unit: Mapping[str, Any],
    spells: NDArray[np.int64],
) -> dict[int, pd.DataFrame]:
    more = pd.DataFrame({"on_from_s": spells[:, 0] * HOUR_S, "on_to_s": spells[:, 1] * HOUR_S})
    more = more.assign(unit_id="one more", **unit)
    changes = {1: pd.concat([fleet, more], ignore_index=True)}
    own_columns = [name for name in unit if len(unit) == 2 or name != "home_node"]
    alike = [fleet[name] == unit[name] for name in own_columns]
    here = fleet[np.logical_and.reduce(alike)]
    of_type = fleet.loc[fleet["unit_type"] == unit["unit_type"], "unit_id"].nunique()
    for name, own in here.groupby("unit_id", sort=False):
        start, end = own["on_from_s"].to_numpy() / HOUR_S, own["on_to_s"].to_numpy() / HOUR_S
        inside = (start <= spells[:, :1]) & (spells[:, 1:] <= end)
        if inside.any(axis=1).all() and of_type > 1:
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

"""Units that every district needs in every hour, and what asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.patrol.response import (
    DistrictDrives,
    DistrictQueue,
    UrgentResponse,
    district_drives,
    district_queue,
    urgent_response,
)
from deploy_opt.units import MINUTES_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from deploy_opt.plan.patrol.ground import PatrolCalls, PatrolGround, PatrolRules

ROWS = ("response", "utilisation", "minimum", "officer_time", "queue")
"""What can ask for units, in the order in which the first of equals is called binding."""
_NEAR_BEST = 0.99
"""Where no number of units keeps the target, the fewest that come so near to the best count."""
_WHOLE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class PatrolNeed:
    """Units needed, shape (districts, hours) for every row.

    Attributes
    ----------
    district_names
        Districts.
    hours
        Hour of the week of each hour.
    rows
        By name in `ROWS`: fewest units that this row asks for.
    target_kept
        Whether some number of units keeps the response target; where none does, because drives
        alone take longer, the row asks for the fewest that come within 1 % of the best.
    most
        Units of each district beyond which nothing was looked for, shape (districts,).
    """

    district_names: tuple[str, ...]
    hours: NDArray[np.int64]
    rows: Mapping[str, NDArray[np.int64]]
    target_kept: NDArray[np.bool_]
    most: NDArray[np.int64]

    @property
    def units(self) -> NDArray[np.int64]:
        """Units needed: the most that any row asks for, shape (districts, hours)."""
        return np.asarray(np.max([self.rows[name] for name in ROWS], axis=0))

    @property
    def binding(self) -> NDArray[np.str_]:
        """Row that asks for the most units, shape (districts, hours)."""
        which = np.argmax([self.rows[name] for name in ROWS], axis=0)
        return np.asarray(np.asarray(ROWS)[which])

    def frame(self) -> pd.DataFrame:
        """List district, hour, a column for each row, units_needed, binding, target_kept."""
        districts, hours = self.units.shape
        columns = {
            "district": np.repeat(np.asarray(self.district_names, dtype=object), hours),
            "hour": np.tile(self.hours, districts),
            **{f"need_{name}": self.rows[name].ravel() for name in ROWS},
            "units_needed": self.units.ravel(),
            "binding": self.binding.ravel().astype(object),
            "target_kept": self.target_kept.ravel(),
        }
        return pd.DataFrame(columns)


@dataclass(frozen=True, slots=True, eq=False)
class DistrictStates:
    """Queues and drives of all districts, set up once for need, plan and check.

    Attributes
    ----------
    queues
        By district.
    drives
        By district and speed profile.
    """

    queues: tuple[DistrictQueue, ...]
    drives: tuple[Mapping[int, DistrictDrives], ...]


def district_states(ground: PatrolGround, calls: PatrolCalls, rules: PatrolRules) -> DistrictStates:
    """Set up the queues and drives of all districts."""
    shape = (len(calls.priorities), len(ground.area_ids), ground.num_hours)
    faults = FaultList()
    if calls.rates.shape != shape:
        faults.add("rates", f"shape {calls.rates.shape}", f"{shape}: priorities x areas x hours")
    faults.raise_if_any()
    districts = range(len(ground.district_names))
    profiles = np.unique(ground.profile_of_hour).tolist()
    return DistrictStates(
        tuple(district_queue(ground, calls, rules, d) for d in districts),
        tuple(
            {p: district_drives(ground, calls, rules, d, p) for p in profiles} for d in districts
        ),
    )


def patrol_need(
    ground: PatrolGround,
    calls: PatrolCalls,
    rules: PatrolRules,
    *,
    states: DistrictStates | None = None,
) -> PatrolNeed:
    """Find the units that each district needs in each hour, by each rule on its own.

    - **response**: the fewest units with which urgent calls keep the target, drive and wait
      together (`response.urgent_response`), by share or by mean.
    - **utilisation**: calls' committed unit-hours over units on duty keep the cap.
    - **minimum**: the fewest units of a district.
    - **officer_time**: calls and the work that officers start themselves fit into the hour, or each
      unit keeps `PatrolRules.officer_min_per_h` minutes free of calls.
    - **queue**: every class of calls is served at all (load below the units), and mean waits keep
      `PatrolRules.max_wait_min`.

    A district counts its own units only: help across borders lowers no need.

    Parameters
    ----------
    ground, calls, rules
        Districts, calls and rules.
    states
        Of `district_states`, where they are at hand.

    Returns
    -------
    PatrolNeed

    Raises
    ------
    InputError
        Rates of another shape; posts that cannot hold the units that are needed.
    """
    found = states or district_states(ground, calls, rules)
    by_row: dict[str, list[NDArray[np.int64]]] = {name: [] for name in ROWS}
    kept, most = [], []
    for district, queue in enumerate(found.queues):
        simple = _simple_rows(queue, rules)
        room = _room(ground, rules, district, simple)
        response, reached = _response_row(ground, rules, queue, found.drives[district], room)
        rows = {**simple, "response": response}
        for name in ROWS:
            by_row[name].append(rows[name])
        kept.append(reached)
        most.append(room)
    need = PatrolNeed(
        ground.district_names,
        ground.hours,
        {name: np.stack(rows) for name, rows in by_row.items()},
        np.stack(kept),
        np.asarray(most, dtype=np.int64),
    )
    _check_room(ground, need)
    return need


def _simple_rows(queue: DistrictQueue, rules: PatrolRules) -> dict[str, NDArray[np.int64]]:
    load, own = queue.call_load, queue.initiated_load
    if rules.officer_min_per_h is None:
        officers = load + own
    else:
        officers = load / (1.0 - rules.officer_min_per_h / MINUTES_PER_HOUR)
    return {
        "utilisation": _ceil(load / rules.utilisation_cap),
        "minimum": np.full(len(load), rules.min_units, dtype=np.int64),
        "officer_time": _ceil(officers),
        "queue": _queue_row(queue, rules),
    }


def _queue_row(queue: DistrictQueue, rules: PatrolRules) -> NDArray[np.int64]:
    served = queue.rates.sum(axis=0) * queue.service_h
    units = np.where(served > 0, np.floor(served + _WHOLE).astype(np.int64) + 1, 0)
    limits = np.asarray(rules.max_wait_min) / MINUTES_PER_HOUR
    classes = min(len(limits), len(queue.rates))
    while classes:
        waits = queue.waits(units).wait_h[:classes]
        late = (waits > limits[:classes, None]).any(axis=0) & (served > 0)
        if not late.any():
            break
        units = units + late
    return units


def _response_row(
    ground: PatrolGround,
    rules: PatrolRules,
    queue: DistrictQueue,
    drives: Mapping[int, DistrictDrives],
    room: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    hours = ground.num_hours
    asked = queue.rates[0] > 0
    units = np.zeros(hours, dtype=np.int64)
    score = np.zeros((room + 1, hours))
    kept = ~asked
    for profile, here in drives.items():
        of_profile = ground.profile_of_hour == profile
        for number in range(1, room + 1):
            at = np.flatnonzero(of_profile & ~kept)
            if not at.size:
                break
            response = urgent_response(queue, here, here.order(number), at)
            score[number, at] = target_score(response, rules)
            done = at[score[number, at] >= 1.0 - _WHOLE]
            units[done], kept[done] = number, True
    for hour in np.flatnonzero(~kept).tolist():
        near = score[:, hour] >= _NEAR_BEST * score[:, hour].max()
        units[hour] = int(np.argmax(near))
    return units, kept


def target_score(response: UrgentResponse, rules: PatrolRules) -> NDArray[np.float64]:
    """Give what a response reaches of the target, 1 where it keeps it."""
    if rules.target_share is not None:
        return response.within / rules.target_share
    return rules.target_s / np.maximum(response.mean_s, 1e-9)


def _room(
    ground: PatrolGround,
    rules: PatrolRules,
    district: int,
    rows: Mapping[str, NDArray[np.int64]],
) -> int:
    posts = len(ground.posts_of(district))
    asked = max(int(row.max(initial=0)) for row in rows.values())
    enough = 2 * asked + posts
    return enough if rules.capacity is None else min(enough, rules.capacity * posts)


def _check_room(ground: PatrolGround, need: PatrolNeed) -> None:
    faults = FaultList()
    for district, name in enumerate(ground.district_names):
        asked = int(need.units[district].max(initial=0))
        if asked > need.most[district]:
            faults.add(
                f"district {name}",
                f"posts that hold {need.most[district]} units",
                f"room for the {asked} that it needs",
                "raise the capacity of a post or add posts",
            )
    faults.raise_if_any()


def _ceil(units: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.ceil(units - _WHOLE).astype(np.int64)

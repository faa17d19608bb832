"""Move-up levels, prices of rules and worth of posts as files and sentences."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.report import words
from deploy_opt.report.balance_lines import balance_lines
from deploy_opt.report.workload import site_lines, workload_table
from deploy_opt.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.questions.levels import MoveUpTable
    from deploy_opt.report.results import Comparison, ReportInputs

_SHOWN_PRICE = 0.05
_SMALL_GAIN = 1e-3
_LEVELS_WORDS = (
    "Posts by number of free units; each level holds the one before. The order is chosen for the "
    "expected cover over all numbers of free units, weighted by Erlang's loss formula at the "
    "week's mean load; gap: how far any other positions of so many units could be above."
)


def answer_tables(inputs: ReportInputs) -> dict[str, pd.DataFrame]:
    """Make the tables of levels, workload, rule prices and post values: file name -> frame."""
    comparison, unit_type = inputs.comparison, inputs.scenario.fleet.unit_type
    frames = {
        "levels.csv": levels_table(comparison, unit_type),
        "levels_by_day_part.csv": day_part_table(comparison, unit_type),
        "unit_workload.csv": workload_table(
            comparison, unit_type, inputs.scenario.horizon.first_hour
        ),
        "rule_prices.csv": prices_table(comparison),
        "post_value.csv": post_value_table(comparison),
    }
    return {name: frame for name, frame in frames.items() if not frame.empty}


def levels_table(comparison: Comparison, unit_type: str) -> pd.DataFrame:
    """List the posts of every level (contract ``levels.csv``)."""
    order = np.zeros(0, dtype=np.int64) if comparison.levels is None else comparison.levels.posts
    frame = _level_rows(comparison, order).assign(unit_type=unit_type)
    return frame[TABLES["levels.csv"].names]


def _level_rows(comparison: Comparison, order: NDArray[np.int64]) -> pd.DataFrame:
    number = np.arange(1, len(order) + 1)
    rank = np.concatenate([np.arange(1, n + 1) for n in number]) if len(order) else order
    posts = comparison.posts.iloc[order[rank - 1]]
    return pd.DataFrame(
        {
            "num_free": np.repeat(number, number),
            "rank": rank,
            "post_id": posts["post_id"].to_numpy(),
            "name": posts["name"].to_numpy(),
        }
    )


def day_part_table(comparison: Comparison, unit_type: str) -> pd.DataFrame:
    """List the posts of every level of each part of the day (``levels_by_day_part.csv``)."""
    frames = [
        _level_rows(comparison, part.table.posts).assign(unit_type=unit_type, day_part=part.name)
        for part in comparison.day_parts
    ]
    columns = TABLES["levels_by_day_part.csv"].names
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame()


def prices_table(comparison: Comparison) -> pd.DataFrame:
    """List what each rule costs (contract ``rule_prices.csv``)."""
    rows = [
        {
            "service": comparison.service,
            "rule": price.rule,
            "words": price.words,
            "calls": price.calls,
            "bound": price.bound,
        }
        for price in comparison.prices
    ]
    return pd.DataFrame(rows, columns=TABLES["rule_prices.csv"].names)


def post_value_table(comparison: Comparison) -> pd.DataFrame:
    """List why each post is in the plan (contract ``post_value.csv``)."""
    ids = comparison.posts["post_id"].tolist()
    names = comparison.posts["name"].tolist()
    rows = [
        {
            "service": comparison.service,
            "post_id": ids[value.post],
            "name": names[value.post],
            "unit_hours": value.unit_hours,
            "only_calls": value.only,
            "lost_calls": value.lost,
            "next_best": ids[value.next_best] if value.next_best >= 0 else None,
        }
        for value in comparison.post_values
    ]
    return pd.DataFrame(rows, columns=TABLES["post_value.csv"].names)


def answer_documents(comparison: Comparison) -> dict[str, Any]:
    """Gather levels and rule prices as plain values for ``plan.json``."""
    found: dict[str, Any] = {
        "rule_prices": prices_table(comparison).to_dict("records"),
    }
    levels = comparison.levels
    ids = comparison.posts["post_id"].to_numpy()
    if levels is not None:
        found["levels"] = {"what": _LEVELS_WORDS, **_level_values(levels, ids)}
    if comparison.day_parts:
        found["levels_by_day_part"] = [
            {"day_part": part.name, "gain_over_week": part.gain, **_level_values(part.table, ids)}
            for part in comparison.day_parts
        ]
    return found


def _level_values(levels: MoveUpTable, ids: NDArray[np.object_]) -> dict[str, Any]:
    return {
        "posts": ids[levels.posts].tolist(),
        "chance": levels.chance,
        "next_call_cover": levels.cover,
        "gap": levels.gap,
        "expected_cover": levels.expected_cover,
        "expected_gap": levels.expected_gap,
        "mean_load_erlangs": levels.load,
    }


def answer_lines(comparison: Comparison) -> tuple[str, ...]:
    """Say in words what the rules cost and how the levels were chosen."""
    period = words.period_word(comparison.rates.shape[1])
    calls = "calls" if comparison.plan.worth is None else "calls by their worth"
    lines = []
    free = []
    for price in comparison.prices:
        if price.calls >= _SHOWN_PRICE:
            per = f"a {period}" if period in {"week", "day"} else f"in {period}"
            lines.append(f"{_capital(price.words)} costs {price.calls:,.1f} {calls} {per}")
        else:
            free.append(price.words)
    if free:
        lines.append(f"Cost next to nothing: {_listed(free)}")
    levels = comparison.levels
    if levels is not None and len(levels.posts):
        lines.append(
            f"Move-up levels (levels.csv) for 1 to {len(levels.posts)} free units: each level "
            "holds the one before; weighted by the chance of so many free units they are within "
            f"{levels.expected_gap:.1%} of the best of any kind"
        )
    lines += _day_part_lines(comparison)
    lines += site_lines(comparison)
    lines += balance_lines(comparison)
    return tuple(lines)


def _day_part_lines(comparison: Comparison) -> list[str]:
    parts = comparison.day_parts
    if not parts or comparison.levels is None:
        return []
    most = max(parts, key=lambda part: part.gain)
    told = (
        f"levels by part of the day ({', '.join(part.name for part in parts)}) are in "
        "levels_by_day_part.csv"
    )
    if most.gain < _SMALL_GAIN:
        one = f"one order serves the whole day: no part gains {_SMALL_GAIN:.1%} by its own"
        return [_capital(f"{told}; {one}")]
    return [_capital(f"{told}; the part {most.name} gains most by its own: {most.gain:.1%}")]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def dispatch_schema() -> dict[str, Any]:
    """Read the JSON Schema that every ``exports/dispatch.json`` keeps."""
    file = importlib.resources.files("deploy_opt.report") / "schemas" / "dispatch.schema.json"
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def dispatch_document(inputs: ReportInputs) -> dict[str, Any]:
    """Gather what a dispatch system needs; keeps the shipped JSON Schema.

    Returns
    -------
    dict
        Posts with their units by hour, move-up levels of the week and by part of the day,
        districts (none are planned yet), first and last hour of validity, zone and plan id.
    """
    scenario, comparison = inputs.scenario, inputs.comparison
    start = dt.datetime.combine(scenario.horizon.start, dt.time())
    end = start + dt.timedelta(hours=scenario.horizon.hours)
    units, posts = comparison.plan.units, comparison.posts
    levels = comparison.levels
    ids = posts["post_id"].astype(str).tolist()
    order = [] if levels is None else [ids[post] for post in levels.posts.tolist()]
    used = np.asarray(units.any(axis=0), dtype=np.bool_)
    for table in (levels, *(part.table for part in comparison.day_parts)):
        if table is not None:
            used[table.posts] = True
    return {
        "schema": "deploy-opt/dispatch/1",
        "plan_id": inputs.run_id,
        "name": scenario.name,
        "synthetic": scenario.synthetic,
        "service": comparison.service,
        "unit_type": scenario.fleet.unit_type,
        "effective_from": start.isoformat(),
        "effective_to": end.isoformat(),
        "time_zone": scenario.time_zone,
        "first_hour_of_week": scenario.horizon.first_hour,
        "posts": [
            {
                "post_id": ids[row],
                "name": str(posts["name"].iloc[row]),
                "lon": round(float(posts["lon"].iloc[row]), 6),
                "lat": round(float(posts["lat"].iloc[row]), 6),
                "units_by_hour": units[:, row].tolist(),
            }
            for row in np.flatnonzero(used).tolist()
        ],
        "levels": _dispatch_levels(order),
        "levels_by_day_part": [
            {
                "day_part": part.name,
                "from_hour_of_day": part.begin_h,
                "to_hour_of_day": part.end_h,
                "levels": _dispatch_levels([ids[post] for post in part.table.posts.tolist()]),
            }
            for part in comparison.day_parts
        ],
        "districts": [],
    }


def _dispatch_levels(order: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"num_free": number, "post_ids": list(order[:number])}
        for number in range(1, len(order) + 1)
    ]

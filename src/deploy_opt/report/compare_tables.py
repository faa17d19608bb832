"""What differs between two runs: keys, numbers, posts, areas, staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.report.compare_numbers import (
    COLUMNS,
    LOW_DIGITS,
    metric_rows,
    nothing,
    simulated_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.report.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class RunDifference:
    """What two runs differ in.

    Attributes
    ----------
    keys
        Changed keys of the scenario: key, value_a, value_b (words; empty = not there).
    numbers
        Rows of ``compare.csv`` of the main numbers; value and interval of both, difference.
    apart
        What was not compared and why, in words.
    hours
        hour, units_a, units_b, moved, added, removed: unit-hours by hour, all posts.
    posts
        post_id, name, unit_type, hours_a, hours_b, difference: unit-hours, most changed first.
    areas
        area_id, service, name, cover_a, cover_b, difference, calls_per_week, late_calls (expected
        by the calls of B), response_diff_s; losing most first. Empty where they may not be set
        beside each other.
    staff
        item, service, unit, value_a, value_b, difference.
    """

    keys: pd.DataFrame
    numbers: pd.DataFrame
    apart: tuple[str, ...]
    hours: pd.DataFrame
    posts: pd.DataFrame
    areas: pd.DataFrame
    staff: pd.DataFrame

    @property
    def moved_h(self) -> float:
        """Unit-hours at another post in the same hour."""
        return float(self.hours["moved"].sum())

    @property
    def is_nothing(self) -> bool:
        """Whether the runs are the same in all that was compared."""
        tables = (self.numbers, self.areas, self.staff)
        return (
            self.keys.empty
            and not self.apart
            and not (self.hours[["moved", "added", "removed"]].to_numpy() > 0).any()
            and all(not (table["difference"].abs() > 0).any() for table in tables)
        )

    def tidy(self) -> pd.DataFrame:
        """Lay everything out as one table (contract ``compare.csv``)."""
        hours = [
            {"section": "posts", "item": item, "unit": "h", "difference": self.hours[item].sum()}
            for item in ("moved", "added", "removed")
        ]
        parts = [
            self.keys.rename(columns={"key": "item"}).assign(section="scenario", note=_from_to),
            self.numbers.assign(section="numbers"),
            pd.DataFrame(hours),
            self.posts.assign(section="posts", unit="h", statistic="unit_hours").rename(
                columns={"post_id": "item", "hours_a": "value_a", "hours_b": "value_b"}
            ),
            self.areas.assign(section="areas", unit="share", statistic="cover_plan").rename(
                columns={"area_id": "item", "cover_a": "value_a", "cover_b": "value_b"}
            ),
            self.staff.assign(section="staff"),
        ]
        parts[0] = parts[0].drop(columns=["value_a", "value_b"])
        rows = [part.reindex(columns=COLUMNS).astype(object) for part in parts if len(part)]
        whole = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)
        numbers = [name for name in COLUMNS if name[:2] in ("va", "lo", "hi", "di")]
        return whole.assign(**{name: whole[name].astype(float) for name in numbers})


def _from_to(keys: pd.DataFrame) -> pd.Series:
    before, after = (keys[name].where(keys[name] != "", "unset") for name in ("value_a", "value_b"))
    return before + " -> " + after


def difference_of(run_a: RunFolder, run_b: RunFolder) -> RunDifference:
    """Compare two runs, B against A.

    Numbers are set beside each other only where metric, arm, service, statistic, source, clock,
    limit, counted calls and period are the same.

    Raises
    ------
    InputError
        When a table of either run does not keep its contract.
    """
    apart: list[str] = []
    hours = [run.scenario.get("horizon", {}).get("hours") for run in (run_a, run_b)]
    same_length = hours[0] == hours[1]
    if not same_length:
        apart.append(f"Sums, posts by hour and staff: {hours[0]} hours in A, {hours[1]} in B.")
    metrics = [run.table("metrics.csv") for run in (run_a, run_b)]
    numbers = [metric_rows(*metrics, same_length=same_length, apart=apart)]
    numbers.append(simulated_rows(run_a, run_b, apart))
    found = [part for part in numbers if len(part)]
    together = pd.concat(found, ignore_index=True) if found else nothing(COLUMNS)
    posts = [run.table("posts.csv") if same_length else None for run in (run_a, run_b)]
    by_hour, by_post = _post_rows(*posts)
    if not same_length:
        staff = nothing(["item", "service", "unit", "value_a", "value_b", "difference"])
    else:
        staff = _staff_rows(run_a, run_b)
    areas = _area_rows(run_a, run_b, together, apart)
    return RunDifference(
        keys=changed_keys(run_a.scenario, run_b.scenario),
        numbers=together,
        apart=tuple(dict.fromkeys(apart)),
        hours=by_hour,
        posts=by_post,
        areas=areas,
        staff=staff,
    )


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> pd.DataFrame:
    """Find the keys whose values differ; lists and named entries key by key.

    Examples
    --------
    >>> changed_keys({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}).to_dict("records")
    [{'key': 'a.c', 'value_a': '2', 'value_b': '3'}]
    """
    left, right = _flat(before), _flat(after)
    keys = [k for k in dict.fromkeys([*left, *right]) if left.get(k) != right.get(k)]
    rows = [(key, _word(left.get(key)), _word(right.get(key))) for key in sorted(keys)]
    return pd.DataFrame(rows, columns=["key", "value_a", "value_b"], dtype=object)


def _flat(value: Any, path: str = "") -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict) and value:
        items: dict[str, Any] = {}
        for key, part in value.items():
            items |= _flat(part, f"{path}.{key}" if path else str(key))
        return items
    return {} if value is None or value in ({}, []) else {path: value}


def _word(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _post_rows(a: pd.DataFrame | None, b: pd.DataFrame | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    hours = ["hour", "units_a", "units_b", "moved", "added", "removed"]
    posts = ["post_id", "name", "unit_type", "hours_a", "hours_b", "difference"]
    if a is None or b is None:
        return nothing(hours), nothing(posts)
    key = ["hour", "post_id", "unit_type"]
    both = a[[*key, "name", "units"]].merge(
        b[[*key, "name", "units"]], on=key, how="outer", suffixes=("_a", "_b"), sort=True
    )
    both = both.assign(
        name=both["name_b"].fillna(both["name_a"]),
        units_a=both["units_a"].fillna(0.0),
        units_b=both["units_b"].fillna(0.0),
    )
    change = both["units_b"] - both["units_a"]
    both = both.assign(more=change.clip(lower=0.0), less=(-change).clip(lower=0.0))
    sums = both.groupby(["hour", "unit_type"])[["units_a", "units_b", "more", "less"]].sum()
    moved = sums[["more", "less"]].min(axis=1)
    sums = sums.assign(moved=moved, added=sums["more"] - moved, removed=sums["less"] - moved)
    by_hour = sums.groupby("hour")[hours[1:]].sum().reset_index()
    grouped = both.groupby(["post_id", "unit_type"], sort=True)
    by_post = grouped.agg(name=("name", "first"), hours_a=("units_a", "sum"),
                          hours_b=("units_b", "sum")).reset_index()  # fmt: skip
    by_post = by_post.assign(difference=by_post["hours_b"] - by_post["hours_a"])
    order = by_post["difference"].abs().sort_values(ascending=False, kind="stable").index
    return by_hour[hours], by_post.loc[order, posts].reset_index(drop=True)


def _area_rows(
    run_a: RunFolder, run_b: RunFolder, numbers: pd.DataFrame, apart: list[str]
) -> pd.DataFrame:
    names = ["area_id", "service", "name", "calls_per_week", "cover_a", "cover_b", "difference"]
    names += ["late_calls", "response_diff_s"]
    a, b = (run.table("areas.csv") for run in (run_a, run_b))
    if a is None or b is None:
        return nothing(names)
    reached = numbers[(numbers["item"] == "reached") & (numbers["source"] == "modelled")]
    alike = sorted(set(reached["service"]))
    both = a.merge(b, on=["area_id", "service"], suffixes=("_a", "_b"))
    only = len(a) + len(b) - 2 * len(both)
    if only:
        apart.append(f"{only} areas are in one run only.")
    unlike = sorted(set(both["service"]) - set(alike))
    if unlike:
        apart.append(f"Areas ({', '.join(unlike)}): another clock or limit, as above.")
    both = both[both["service"].isin(alike)]
    change = both["cover_plan_b"] - both["cover_plan_a"]
    response = both["mean_response_plan_s_b"] - both["mean_response_plan_s_a"]
    found = both.assign(
        name=both["name_b"],
        calls_per_week=both["calls_per_week_b"],
        cover_a=both["cover_plan_a"],
        cover_b=both["cover_plan_b"],
        difference=change.round(LOW_DIGITS),
        late_calls=-change * both["calls_per_week_b"],
        response_diff_s=response,
    )
    order = ["late_calls", "area_id"]
    return found.sort_values(order, ascending=[False, True])[names].reset_index(drop=True)


def _staff_rows(run_a: RunFolder, run_b: RunFolder) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []

    def add(item: str, service: str, unit: str, a: float | None, b: float | None) -> None:
        if a is not None and b is not None:
            rows.append({"item": item, "service": service, "unit": unit, "value_a": a,
                         "value_b": b, "difference": b - a})  # fmt: skip

    service = str((run_b.scenario.get("services") or ["ems"])[0])
    hours = [_unit_hours(run) for run in (run_a, run_b)]
    add("unit-hours", service, "h", *hours)
    prices = [run.scenario.get("fleet", {}).get("cost_per_unit_hour") for run in (run_a, run_b)]
    costs = [
        None if price is None or spent is None else price * spent
        for price, spent in zip(prices, hours, strict=True)
    ]
    add("cost", service, "money", *costs)
    shifts = [run.table("shifts.csv") for run in (run_a, run_b)]
    add("shifts", service, "shifts", *(None if t is None else t["crew"].nunique() for t in shifts))
    add("person-hours", service, "h", *(_person_hours(table) for table in shifts))
    fte = [run.table("fte.csv") for run in (run_a, run_b)]
    if fte[0] is not None and fte[1] is not None:
        key = ["service", "role", "tier"]
        both = fte[0].merge(fte[1], on=key, how="outer", suffixes=("_a", "_b"), sort=True)
        for row in both.to_dict("records"):
            pair = (0.0 if pd.isna(v) else float(v) for v in (row["fte_a"], row["fte_b"]))
            add(f"staff: {row['role']}, {row['tier']}", row["service"], "FTE", *pair)
    columns = ["item", "service", "unit", "value_a", "value_b", "difference"]
    return pd.DataFrame(rows, columns=columns)


def _unit_hours(run: RunFolder) -> float | None:
    table = run.table("posts.csv")
    return None if table is None else float(table["units"].sum())


def _person_hours(shifts: pd.DataFrame | None) -> float | None:
    """People times hours on the wall clock."""
    if shifts is None:
        return None
    times = [pd.to_datetime(shifts[name]) for name in ("start_local", "end_local")]
    hours = (times[1] - times[0]).dt.total_seconds() / 3600
    return float((hours * shifts["headcount"]).sum())

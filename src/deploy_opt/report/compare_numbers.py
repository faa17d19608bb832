"""Numbers of two runs side by side, where both have the same source, clock, limit and calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.report.run_folder import RunFolder

COLUMNS = [
    *("section", "item", "service", "arm", "statistic", "source", "unit"),
    *("value_a", "lo_a", "hi_a", "value_b", "lo_b", "hi_b", "difference", "lo", "hi", "note"),
]
_CLOCK = ("population", "clock_start", "clock_stop", "threshold_s", "period", "unit")
_KEY = ["metric", "arm", "service", "statistic", "source"]
_CLOCK_WORDS = {
    "population": "counted calls",
    "clock_start": "start of the clock",
    "clock_stop": "end of the clock",
    "threshold_s": "limit, s",
    "period": "period",
    "unit": "unit",
}
_LISTED = ("late_calls", "reached", "drive", "response", "weakest_area_reached", "unit_hours")
_SIMULATED = {
    "late_share": "share",
    "mean_response_s": "s",
    "p90_response_s": "s",
    "queued_share": "share",
    "busy_fraction": "share",
}
_SUMS = ("late_calls", "unit_hours")
_ARMS = ("plan", "baseline")
LOW_DIGITS = 9


def independent_interval(rows: pd.DataFrame) -> pd.DataFrame:
    """Interval of B - A from those of A and B, as if they shared no luck.

    MOVER (Zou and Donner, 2008, Statistics in Medicine 27, 1693): each side's distance is the
    root of the squared distances of the two intervals. Runs that share sample paths have
    intervals that are narrower than this; numbers that are the same with the same interval have
    none.
    """
    diff = rows["value_b"] - rows["value_a"]
    same = (
        rows[["value_a", "lo_a", "hi_a"]].to_numpy() == rows[["value_b", "lo_b", "hi_b"]].to_numpy()
    )
    one = pd.Series(same.all(axis=1), index=rows.index)
    low = np.hypot(rows["value_b"] - rows["lo_b"], rows["hi_a"] - rows["value_a"])
    high = np.hypot(rows["hi_b"] - rows["value_b"], rows["value_a"] - rows["lo_a"])
    return rows.assign(
        difference=diff.round(LOW_DIGITS),
        lo=(diff - low).round(LOW_DIGITS).mask(one),
        hi=(diff + high).round(LOW_DIGITS).mask(one),
    )


def metric_rows(
    a: pd.DataFrame | None, b: pd.DataFrame | None, *, same_length: bool, apart: list[str]
) -> pd.DataFrame:
    """Set the main rows of two ``metrics.csv`` beside each other; `apart` gets what cannot be."""
    if a is None or b is None:
        missing = " and ".join(n for n, t in (("A", a), ("B", b)) if t is None)
        apart.append(f"Modelled numbers: no metrics.csv in {missing}.")
        return nothing(COLUMNS)
    kept = [
        table[table["metric"].isin(_LISTED) & table["arm"].isin(_ARMS)]
        for table in (a, b)
    ]  # fmt: skip
    both = kept[0].merge(kept[1], on=_KEY, suffixes=("_a", "_b"))
    unlike = _unlike(both)
    for row, words in zip(both.to_dict("records"), unlike, strict=True):
        if words:
            apart.append(f"{row['metric']} ({row['arm']}, {row['service']}): {words}.")
    for name, one, other in (("A", kept[0], kept[1]), ("B", kept[1], kept[0])):
        seen = set(map(tuple, other[_KEY].to_numpy()))
        apart += [
            f"{key[0]} ({key[1]}, {key[2]}, {key[4]}): only in {name}."
            for key in map(tuple, one[_KEY].to_numpy())
            if key not in seen and key[1] == "plan"
        ]
    if not same_length:
        unlike = np.where(both["metric"].isin(_SUMS), "length", unlike)
    fine = both[unlike == ""]
    names = {"metric": "item", "unit_a": "unit"}
    return _ordered(independent_interval(fine.rename(columns=names)))


def _unlike(both: pd.DataFrame) -> Any:  # noqa: ANN401 - an array of words
    """Say of each pair in which words of the clock they differ; empty = in none."""
    found = np.full(len(both), "", dtype=object)
    for name in _CLOCK:
        left, right = both[f"{name}_a"], both[f"{name}_b"]
        other = ~((left == right) | (left.isna() & right.isna()))
        for row in np.flatnonzero(other.to_numpy()):
            word = f"{_CLOCK_WORDS[name]} {left.iloc[row]} in A, {right.iloc[row]} in B"
            found[row] = f"{found[row]}; {word}" if found[row] else word
    return found


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    arms = rows["arm"].map({arm: rank for rank, arm in enumerate(_ARMS)})
    order = rows.assign(_arm=arms).sort_values("_arm", kind="stable")
    return order.reindex(columns=COLUMNS).reset_index(drop=True)


def simulated_rows(run_a: RunFolder, run_b: RunFolder, apart: list[str]) -> pd.DataFrame:
    """Set the main rows of two ``simulation.csv`` beside each other, of the same standard."""
    a, b = (run.table("simulation.csv") for run in (run_a, run_b))
    if a is None or b is None:
        if a is not None or b is not None:
            apart.append(f"Simulated numbers: simulation.csv only in {'B' if a is None else 'A'}.")
        return nothing(COLUMNS)
    kept = [
        table[
            (table["scope"] == "all")
            & table["arm"].isin(_ARMS)
            & table["statistic"].isin(list(_SIMULATED))
        ]
        for table in (a, b)
    ]
    both = kept[0].merge(kept[1], on=["arm", "service", "statistic"], suffixes=("_a", "_b"))
    good = np.ones(len(both), dtype=bool)
    for service in both["service"].unique():
        words = _other_standard(run_a.scenario, run_b.scenario, str(service))
        for statistics, what in words:
            good &= ~((both["service"] == service) & both["statistic"].isin(statistics)).to_numpy()
            apart.append(f"Simulated {', '.join(statistics)} ({service}): {what}.")
    rows = both[good].assign(source="simulated", item=lambda t: t["statistic"])
    rows["unit"] = rows["statistic"].map(_SIMULATED)
    return _ordered(independent_interval(rows))


def _other_standard(
    a: Mapping[str, Any], b: Mapping[str, Any], service: str
) -> list[tuple[tuple[str, ...], str]]:
    """Statistics that two standards measure differently, and how."""
    left, right = (one.get("standards", {}).get(service, {}) for one in (a, b))
    found: list[tuple[tuple[str, ...], str]] = []
    clock = [k for k in ("clock_start", "clock_stop") if left.get(k) != right.get(k)]
    limits = ("response_limit_s", "drive_limit_s", "processing_s", "turnout_s")
    other = [k for k in limits if left.get(k) != right.get(k)]
    if clock:
        words = "; ".join(f"{k} {left.get(k)} in A, {right.get(k)} in B" for k in clock)
        found.append((("late_share", "mean_response_s", "p90_response_s"), words))
    elif other:
        words = "; ".join(f"{k} {left.get(k)} in A, {right.get(k)} in B" for k in other)
        found.append((("late_share",), words))
    return found


def nothing(columns: list[str]) -> pd.DataFrame:
    """Make a table without rows."""
    return pd.DataFrame({name: pd.Series(dtype=float) for name in columns})

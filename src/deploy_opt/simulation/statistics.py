"""What a simulation is judged by: response, lateness, load, by scope; with honest intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.simulation.groups import measure_groups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.simulation.groups import GroupWeights
    from deploy_opt.simulation.result import SimulationResult

KEYS = ["scope", "scope_id", "statistic"]
SCOPES = {"area": "area_id", "call_class": "final_class", "hour": "hour", "group": "group"}
DAY_PARTS = ("00 to 08", "08 to 16", "16 to 24")
_HOURS_A_WEEK = 168
_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def measure(
    result: SimulationResult,
    calls: pd.DataFrame,
    *,
    standards_s: float | Mapping[str, float],
    warm_up_s: float = 0.0,
    groups: GroupWeights | None = None,
) -> pd.DataFrame:
    """Work out every statistic of one replication.

    Parameters
    ----------
    result
        The simulation.
    calls
        The calls that it played: at_s, call_class; optional area_id, group and final_class (as
        the call turned out; scored by it where given).
    standards_s
        Response standard, s: one, or by class. A call that nobody answered is late.
    warm_up_s
        Calls of the first seconds are not counted.
    groups
        Population groups whose response is told too, by the residents of the areas; they stand
        instead of the column group.

    Returns
    -------
    pandas.DataFrame
        scope, scope_id, statistic, value, n. Statistics of calls: num_calls, mean_response_s,
        p90_response_s, late_share, queued_share; of all: also unanswered_share, mean_wait_s (of
        those that waited for a unit), busy_fraction, drive_km, moves; of units: num_calls,
        busy_fraction, drive_km, moves. Hours are hours of the week from second 0.
    """
    at_s = calls["at_s"].to_numpy(dtype=np.float64)
    kept = at_s >= at_s.min() + warm_up_s
    final = calls["final_class"] if "final_class" in calls else calls["call_class"]
    limit = final.map(standards_s) if isinstance(standards_s, dict) else standards_s
    response = result.calls["response_s"].to_numpy()
    table = pd.DataFrame(
        {
            "response_s": response,
            "late": ~(response <= np.asarray(limit, dtype=np.float64)),
            "queued": result.calls["queued"].to_numpy(),
            "unanswered": np.isnan(response),
            "final_class": final.to_numpy(),
            "hour": (at_s // 3600).astype(np.int64) % _HOURS_A_WEEK,
        }
    )
    for name in ("area_id", *(("group",) if groups is None else ())):
        if name in calls:
            table[name] = calls[name].to_numpy()
    table = table[kept]
    waits = result.calls["dispatched_s"].to_numpy() - at_s
    parts = [_of_all(table, waits[kept], result.units)]
    for scope, column in SCOPES.items():
        if column in table:
            parts.append(_of_groups(table, scope, column))
    if groups is not None:
        wide, n = measure_groups(table, groups)
        parts.append(_long(wide, "group", pd.Series(n)))
    parts.append(_of_units(result.units))
    return pd.concat(parts, ignore_index=True)[[*KEYS, "value", "n"]]


def _of_all(table: pd.DataFrame, waits: NDArray[np.float64], units: pd.DataFrame) -> pd.DataFrame:
    groups = _of_groups(table.assign(all="all"), "all", "all")
    queued = waits[table["queued"].to_numpy()]
    queued = queued[np.isfinite(queued)]
    duty = units["on_duty_s"].sum()
    more = {
        "unanswered_share": table["unanswered"].mean(),
        "mean_wait_s": queued.mean() if queued.size else 0.0,
        "busy_fraction": units["busy_s"].sum() / duty if duty > 0 else np.nan,
        "drive_km": units["drive_km"].sum(min_count=1),
        "moves": float(units["moves"].sum()),
    }
    rows = pd.DataFrame({"statistic": list(more), "value": list(more.values())})
    return pd.concat([groups, rows.assign(scope="all", scope_id="all", n=len(table))])


def _of_groups(table: pd.DataFrame, scope: str, column: str) -> pd.DataFrame:
    groups = table.groupby(column, sort=True, observed=True)
    wide = pd.DataFrame(
        {
            "num_calls": groups.size().astype(np.float64),
            "mean_response_s": groups["response_s"].mean(),
            "p90_response_s": groups["response_s"].quantile(0.9),
            "late_share": groups["late"].mean(),
            "queued_share": groups["queued"].mean(),
        }
    )
    return _long(wide, scope, groups.size())


def _of_units(units: pd.DataFrame) -> pd.DataFrame:
    wide = units.set_index("unit_id")[["num_calls", "busy_fraction", "drive_km", "moves"]]
    return _long(wide.astype(np.float64), "unit", wide["num_calls"])


def _long(wide: pd.DataFrame, scope: str, n: pd.Series) -> pd.DataFrame:
    names = [str(name) for name in wide.index]
    return pd.DataFrame(
        {
            "scope": scope,
            "scope_id": np.repeat(names, wide.shape[1]),
            "statistic": np.tile(wide.columns.to_numpy(), len(wide)),
            "value": wide.to_numpy().ravel(),
            "n": np.repeat(n.to_numpy(), wide.shape[1]),
        }
    )


def half_width(values: ArrayLike, *, confidence: float = 0.95) -> float:
    """Half the width of Student's interval for the mean of independent values; NaN below 2."""
    from scipy.stats import t

    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if found.size < 2:
        return float("nan")
    quantile = t.ppf(0.5 + confidence / 2, found.size - 1)
    return float(quantile * found.std(ddof=1) / np.sqrt(found.size))


def batch_means(
    values: ArrayLike, at_s: ArrayLike, *, batch_s: float, warm_up_s: float = 0.0
) -> tuple[float, float, float]:
    """Average one long run with an interval from the means of its batches.

    Parameters
    ----------
    values, at_s
        A value per call and its time, s, shape (calls,).
    batch_s
        Length of a batch; the last, incomplete one is dropped.
    warm_up_s
        Seconds left out at the start.

    Returns
    -------
    tuple
        Mean of the batch means, half-width at 95 %, and the correlation of neighbouring batches
        (well above 0: the batches are too short for the interval to hold).
    """
    found, when = np.asarray(values, dtype=np.float64), np.asarray(at_s, dtype=np.float64)
    start = when.min() + warm_up_s
    batch = np.floor((when - start) / batch_s).astype(np.int64)
    whole = (batch >= 0) & (batch < int((when.max() - start) // batch_s)) & np.isfinite(found)
    means = pd.Series(found[whole]).groupby(batch[whole]).mean().to_numpy()
    lag = np.corrcoef(means[:-1], means[1:])[0, 1] if means.size > 3 else np.nan
    return float(means.mean()), half_width(means), float(lag)


def response_table(
    recorded_s: ArrayLike, simulated_s: ArrayLike, calls: pd.DataFrame
) -> pd.DataFrame:
    """Compare recorded and simulated responses: all, by area and by third of the day.

    Parameters
    ----------
    recorded_s, simulated_s
        Response of each call, s; NaN where there is none, shape (calls,).
    calls
        received_at (local) and area_id.

    Returns
    -------
    pandas.DataFrame
        scope (all, area, day_part), scope_id, statistic (mean; of all also p05 to p95),
        recorded_s, simulated_s, error (simulated over recorded less 1), n (calls with both).
    """
    table = pd.DataFrame(
        {
            "recorded_s": np.asarray(recorded_s, dtype=np.float64),
            "simulated_s": np.asarray(simulated_s, dtype=np.float64),
            "all": "all",
            "area": calls["area_id"].astype(str).to_numpy(),
            "day_part": day_parts(calls["received_at"].dt.hour),
        }
    ).dropna()
    values = ["recorded_s", "simulated_s"]
    parts = []
    for scope in ("all", "area", "day_part"):
        groups = table.groupby(scope, sort=True)[values]
        found = groups.mean().assign(n=groups.size(), statistic="mean", scope=scope)
        parts.append(found.rename_axis("scope_id").reset_index())
    for level in _LEVELS:
        row = table[values].quantile(level)
        parts.append(
            pd.DataFrame(
                {"scope": ["all"], "scope_id": "all", "statistic": f"p{100 * level:02.0f}",
                 "recorded_s": row["recorded_s"], "simulated_s": row["simulated_s"],
                 "n": len(table)}
            )
        )  # fmt: skip
    whole = pd.concat(parts, ignore_index=True)
    whole["error"] = whole["simulated_s"] / whole["recorded_s"] - 1.0
    return whole[[*KEYS, *values, "error", "n"]]


def day_parts(hour_of_day: ArrayLike) -> NDArray[np.object_]:
    """Name the third of the day of each hour.

    Examples
    --------
    >>> day_parts([0, 8, 23]).tolist()
    ['00 to 08', '08 to 16', '16 to 24']
    """
    names = np.asarray(DAY_PARTS, dtype=object)
    found: NDArray[np.object_] = names[np.asarray(hour_of_day, dtype=np.int64) // 8]
    return found

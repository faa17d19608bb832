"""Score what a set of incidents is good for: what is missing, where, when, and for which use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.day_levels import (
    Days,
    count_days,
    dumped_days,
    outage_days,
    volume_breaks,
)
from deploy_opt.inputs.records.mapping_fields import TIME_NAMES
from deploy_opt.inputs.wall_clock import days_in_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.records.imported import Incidents
    from deploy_opt.inputs.records.mapping import IncidentMapping

COLUMNS = ("measure", "use", "field", "group", "value", "n", "verdict", "why")
FIELDS = (
    "call_type",
    "initial_priority",
    "priority",
    *TIME_NAMES[1:],
    "lon",
    "area_id",
    "num_units",
    "self_initiated",
)
_MIN_DAYS_FIT, _MIN_DAYS_LIMITED = 364, 56
_FIT_SHARE, _LIMITED_SHARE = 0.7, 0.3
_LOCATED_FIT, _LOCATED_LIMITED = 0.95, 0.8
_MAX_OUTAGE_SHARE = 0.05
_LONGEST_H = 24.0


def score(frame: pd.DataFrame, mapping: IncidentMapping) -> pd.DataFrame:
    """Score incidents.

    Parameters
    ----------
    frame
        Contract ``incidents.parquet``.
    mapping
        The mapping they were read with; says what `received_at` stands for.

    Returns
    -------
    pandas.DataFrame
        Tidy, one value a row. `measure` is one of

        - ``missing_share`` of a `field`; `group` is ``all``, ``area <id>`` or ``month <yyyy-mm>``;
          the field ``lon`` stands for both coordinates;
        - ``located_share``: incidents with coordinates or an area code, by the same groups;
        - ``calls_per_day``; ``first_day`` and ``last_day`` in `group`;
        - ``outage_day`` and ``dumped_day``: a day (`group`) with far fewer, or far more, calls
          than the 29 days around it; `value` calls, `n` the typical number;
        - ``volume_break``: a month (`group`) from which on the daily calls of three months are
          `value` times those of the three before;
        - ``fit``: `verdict` fit, limited or unfit for a `use` (forecast, response_times,
          travel_times, service_times, areas), `value` the share that decides, and `why`.

        `n` is the number of incidents behind a share.
    """
    local = frame["received_at"].dt.tz_localize(None)
    month = local.to_numpy(dtype="datetime64[M]").astype(str).astype(object)
    days = count_days(local)
    parts = [_missing(frame, month), _days_in_words(days)]
    breaks = volume_breaks(days)
    parts.append(_table("volume_break", [(m, ratio, calls) for m, ratio, calls in breaks]))
    parts.append(_fitness(frame, days, breaks, mapping))
    table = pd.concat([p for p in parts if len(p)], ignore_index=True)
    for name in ("use", "field", "group", "verdict", "why"):
        table[name] = table[name].astype(object).where(table[name].notna(), "")
    return table[list(COLUMNS)].astype({"value": float, "n": "int64"})


def _missing(frame: pd.DataFrame, month: NDArray[np.object_]) -> pd.DataFrame:
    lost = pd.DataFrame({name: frame[name].isna().to_numpy() for name in FIELDS})
    nowhere = lost["lon"].to_numpy() & lost["area_id"].to_numpy()
    shares = lost.assign(located=~nowhere).astype(float)
    area = frame["area_id"].astype(object).where(frame["area_id"].notna(), "none").to_numpy()
    groups = [("all", np.full(len(frame), "", dtype=object)), ("area", area), ("month", month)]
    tables = []
    for word, keys in groups:
        grouped = shares.groupby(keys, sort=True)
        long = grouped.mean().melt(ignore_index=False, var_name="field").reset_index(names="group")
        sizes = grouped.size()
        long["n"] = sizes.loc[long["group"]].to_numpy()
        long["group"] = [f"{word} {key}".strip() for key in long["group"]]
        tables.append(long)
    table = pd.concat(tables, ignore_index=True)
    located = table["field"] == "located"
    table["measure"] = np.where(located, "located_share", "missing_share")
    table["field"] = table["field"].where(~located, "")
    return table


def _table(measure: str, rows: list[tuple[str, float, int]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["group", "value", "n"])
    return table.assign(measure=measure)


def _days_in_words(days: Days) -> pd.DataFrame:
    num = int(days.calls.sum())
    rows = [
        _table("calls_per_day", [("all", num / len(days.day), num)]),
        _table("first_day", [(f"{days.day[0]:%Y-%m-%d}", float(days.calls[0]), num)]),
        _table("last_day", [(f"{days.day[-1]:%Y-%m-%d}", float(days.calls[-1]), num)]),
    ]
    for measure, marked in (("outage_day", outage_days(days)), ("dumped_day", dumped_days(days))):
        found = [
            (f"{days.day[i]:%Y-%m-%d}", float(days.calls[i]), round(float(days.typical[i])))
            for i in np.flatnonzero(marked)
        ]
        rows.append(_table(measure, found))
    return pd.concat([r for r in rows if len(r)], ignore_index=True)


def _fitness(
    frame: pd.DataFrame,
    days: Days,
    breaks: list[tuple[str, float, int]],
    mapping: IncidentMapping,
) -> pd.DataFrame:
    rows = [_forecast_fit(days, breaks)]
    uses = (
        ("response_times", "received_at", ("arrived_at",)),
        ("travel_times", "enroute_at", ("arrived_at",)),
        ("service_times", "arrived_at", ("cleared_at",)),
    )
    for use, start, stop in uses:
        rows.append(_interval_fit(frame, use, start, stop[0], mapping))
    rows.append(_area_fit(frame))
    return pd.DataFrame(rows, columns=["use", "value", "n", "verdict", "why"]).assign(measure="fit")


def _forecast_fit(
    days: Days, breaks: list[tuple[str, float, int]]
) -> tuple[str, float, int, str, str]:
    num_days = len(days.day)
    outage = int(outage_days(days).sum())
    dumped = int(dumped_days(days).sum())
    share = 1 - (outage + dumped) / num_days
    why = [f"{num_days:,} days"]
    verdict = "fit"
    if num_days < _MIN_DAYS_FIT:
        verdict = "limited" if num_days >= _MIN_DAYS_LIMITED else "unfit"
        why.append("less than 52 weeks" if verdict == "limited" else "less than eight weeks")
    if outage or dumped:
        why.append(f"{outage} days of outage, {dumped} of records keyed in at once")
    if outage + dumped > _MAX_OUTAGE_SHARE * num_days and verdict == "fit":
        verdict = "limited"
    last = f"{days.day[-1] - pd.DateOffset(months=12):%Y-%m}"
    recent = [month for month, _, _ in breaks if month >= last]
    if breaks:
        why.append(f"level changes at {', '.join(month for month, _, _ in breaks)}")
    if recent and verdict == "fit":
        verdict = "limited"
    return "forecast", share, int(days.calls.sum()), verdict, "; ".join(why)


def _interval_fit(
    frame: pd.DataFrame, use: str, start: str, stop: str, mapping: IncidentMapping
) -> tuple[str, float, int, str, str]:
    words = f"{start} to {stop}"
    begin = frame[start]
    if use == "travel_times" and begin.isna().all():
        begin, words = frame["dispatched_at"], f"dispatched_at to {stop} (turnout included)"
    if use == "service_times" and begin.isna().all():
        begin, words = frame["dispatched_at"], f"dispatched_at to {stop}"
    hours = ((frame[stop] - begin).dt.total_seconds() / 3600.0).to_numpy(dtype=float)
    known = np.isfinite(hours)
    good = known & (hours >= 0) & (hours <= _LONGEST_H)
    share = float(good.mean())
    why = f"{share:.0%} with {words}"
    if known.any() and not good[known].all():
        why += f"; {1 - good[known].mean():.1%} of them negative or over a day"
    if mapping.received_stands_for and start == "received_at":
        return use, share, int(good.sum()), "unfit", f"received_at is {mapping.received_stands_for}"
    verdict = "fit" if share >= _FIT_SHARE else "limited" if share >= _LIMITED_SHARE else "unfit"
    return use, share, int(good.sum()), verdict, why


def _area_fit(frame: pd.DataFrame) -> tuple[str, float, int, str, str]:
    point = frame["lon"].notna().to_numpy()
    code = frame["area_id"].notna().to_numpy()
    share = float((point | code).mean())
    verdict = (
        "fit" if share >= _LOCATED_FIT else "limited" if share >= _LOCATED_LIMITED else "unfit"
    )
    why = f"{point.mean():.1%} with coordinates, {code.mean():.1%} with an area code"
    return "areas", share, int((point | code).sum()), verdict, why


_MARK = {"fit": "fit    ", "limited": "limited", "unfit": "UNFIT  "}


def format_scorecard(incidents: Incidents) -> str:
    """Write the scorecard of an import as one screen."""
    table = incidents.scorecard
    first = table.loc[table["measure"] == "first_day", "group"].iloc[0]
    last = table.loc[table["measure"] == "last_day", "group"].iloc[0]
    per_day = table.loc[table["measure"] == "calls_per_day", "value"].iloc[0]
    lines = [
        (
            f"Quality: {incidents.num_kept:,} incidents, {first} to {last} ({incidents.zone}), "
            f"{per_day:,.1f} a day"
        ),
    ]
    stands_for = incidents.mapping.received_stands_for
    if stands_for:
        lines.append(f"  received_at stands for {stands_for}")
    for _, row in table[table["measure"] == "fit"].iterrows():
        lines.append(f"  {_MARK[row['verdict']]}  {row['use']:<15} {row['why']}")
    lines.append("  missing: " + _missing_words(table))
    lines += _worst_words(table)
    for measure, words in (("outage_day", "outage days"), ("dumped_day", "days keyed in at once")):
        lines += _day_words(table[table["measure"] == measure], words)
    for _, row in table[table["measure"] == "volume_break"].iterrows():
        lines.append(f"  level of calls x {row['value']:.2f} from {row['group']} on")
    return "\n".join(lines)


def _missing_words(table: pd.DataFrame) -> str:
    shares = table[(table["measure"] == "missing_share") & (table["group"] == "all")]
    none = [f for f, v in zip(shares["field"], shares["value"], strict=True) if v == 1]
    some = [
        f"{'coordinates' if f == 'lon' else f} {v:.1%}"
        for f, v in zip(shares["field"], shares["value"], strict=True)
        if 0 < v < 1
    ]
    words = ", ".join(some) or "nothing in the columns that are there"
    absent = ", ".join("coordinates" if f == "lon" else f for f in none)
    return words + (f"; never there: {absent}" if absent else "")


def _worst_words(table: pd.DataFrame) -> list[str]:
    """Name the month and area where a field that is mostly there is missing most."""
    shares = table[table["measure"] == "missing_share"]
    overall = shares[shares["group"] == "all"].set_index("field")["value"]
    lines = []
    for word in ("month", "area"):
        mine = shares[shares["group"].str.startswith(f"{word} ") & (shares["n"] >= 20)]
        mine = mine[(mine["field"] != "area_id") | (word == "month")]
        gap = mine["value"] - mine["field"].map(overall)
        if len(gap) and gap.max() > 0.2:
            row = mine.loc[gap.idxmax()]
            name = "coordinates" if row["field"] == "lon" else row["field"]
            lines.append(
                f"  most uneven: {name} is missing on {row['value']:.0%} in {row['group']}"
            )
    return lines


def _day_words(rows: pd.DataFrame, words: str) -> list[str]:
    if rows.empty:
        return []
    shown = days_in_words(pd.DatetimeIndex(rows["group"].tolist()), most=4)
    return [f"  {len(rows)} {words}: {shown}"]

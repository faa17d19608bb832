"""Work through the records of a live pilot by its design, and lay out a design."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError, nearest
from deploy_opt.inputs.pilot_files import INCIDENT_OUTCOMES
from deploy_opt.simulation.harm import HarmWatch, watch_harm
from deploy_opt.simulation.observed import ObservedEffect, analyse_series, analyse_switchback
from deploy_opt.simulation.resampling import holm
from deploy_opt.simulation.wedge import analyse_wedge, check_clusters

if TYPE_CHECKING:
    import datetime as dt

    from deploy_opt.pilot_settings import LivePilot

PRIMARY = "response_s"
OUTCOMES = (PRIMARY, "late", "late_first_priority", *INCIDENT_OUTCOMES)
COLUMNS = [
    *("outcome", "design", "difference", "lo", "hi", "p", "p_holm"),
    *("num_blocks", "num_records", "by_time"),
]
_PERIOD_D = 7


@dataclass(frozen=True, slots=True)
class LiveFindings:
    """What the records of a live pilot show.

    Attributes
    ----------
    effects
        Contract ``pilot_effects_live.csv``: one row per outcome.
    harm
        The harm bound; None where the records have no priority or no late calls to compare with.
    harm_days
        Days that it watched, ISO.
    notes
        What could not be judged, and why.
    """

    effects: pd.DataFrame
    harm: HarmWatch | None
    harm_days: tuple[str, ...]
    notes: tuple[str, ...]


def with_lateness(records: pd.DataFrame, standard_s: float) -> pd.DataFrame:
    """Add whether each call was late, and whether of the first priority and late.

    A call without a response is left out of both.
    """
    known = records["response_s"].notna()
    late = (records["response_s"] > standard_s).astype(float).where(known)
    found = records.assign(late=late)
    if "priority" in records:
        found["first"] = _first(records["priority"])
        found["late_first_priority"] = late.where(found["first"])
    return found


def _first(priority: pd.Series) -> pd.Series:
    """Mark the most urgent priority: the lowest number, else the first by name."""
    number = pd.to_numeric(priority, errors="coerce")
    return number == number.min() if number.notna().any() else priority == priority.dropna().min()


def outcomes_in(records: pd.DataFrame) -> list[str]:
    """Name the outcomes that the records have."""
    return [name for name in OUTCOMES if name in records and records[name].notna().any()]


def judge_switchback(
    records: pd.DataFrame, schedule: pd.DataFrame, live: LivePilot, *, seed: int
) -> LiveFindings:
    """Compare the days of a switchback, outcome by outcome, and watch for harm."""
    effects = [
        analyse_switchback(records, schedule, name, seed=seed, washout_h=live.washout_h)
        for name in outcomes_in(records)
    ]
    arm_of_day = schedule.set_index("day")["arm"]
    arm = records["received_at"].dt.normalize().map(arm_of_day)
    return _findings("switchback", effects, records, arm, live)


def judge_series(
    records: pd.DataFrame,
    live: LivePilot,
    *,
    starts: dt.date,
    district: str | None,
    control: str | None,
) -> LiveFindings:
    """Compare weeks before and after a start, less those of a control district."""
    first = records["received_at"].min().normalize()
    start = pd.Timestamp(starts)
    first += pd.Timedelta(days=(start - first).days % _PERIOD_D)  # whole weeks on both sides
    week = (records["received_at"] - first).dt.days // _PERIOD_D
    whole = (records["received_at"].max() - first).days + 1
    kept = (week >= 0) & (week < whole // _PERIOD_D)
    groups = {"plan": district, "control": control}
    named = [name for name in groups.values() if name is not None]
    if named:
        _check_districts(records, named)
    inside = records["district"] == district if district is not None else records.index >= 0
    row = (start - first).days // _PERIOD_D
    effects = []
    for name in outcomes_in(records):
        parts = {"ours": inside} | (
            {"control": records["district"] == control} if control is not None else {}
        )
        periods = pd.DataFrame(
            {
                key: records[kept & own].groupby(week[kept & own])[name].mean()
                for key, own in parts.items()
            }
        ).reindex(range(whole // _PERIOD_D))
        if periods.isna().any(axis=None):
            continue
        found = analyse_series(
            periods, "ours", starts=int(row), control="control" if control is not None else None
        )
        number = int(records.loc[kept & inside, name].notna().sum())
        effects.append(replace(found, outcome=name, num_records=number))
    if not effects:
        expected = "records of every outcome in every week, of the district and its control"
        raise InputError.of("records", "weeks without any", expected)
    arm = pd.Series(np.where(records["received_at"] >= start, "plan", "baseline"), records.index)
    return _findings("interrupted", effects, records[inside], arm[inside], live)


def judge_wedge(
    records: pd.DataFrame, schedule: pd.DataFrame, live: LivePilot, *, seed: int
) -> LiveFindings:
    """Compare districts that took the plan up one after another."""
    districts = sorted(schedule["district"].unique())
    days = np.sort(schedule["day"].unique())
    table = schedule.assign(number=np.searchsorted(days, schedule["day"].to_numpy()))
    under = table[table["arm"] == "plan"].groupby("district")["number"].min()
    starts = under.reindex(districts).fillna(len(days)).astype(int).to_numpy()
    check_clusters(starts)
    _check_districts(records, districts)
    end = schedule["until"].max()
    at = records["received_at"]
    inside = (at >= days[0]) & (at < end) & records["district"].isin(districts)
    own = records[inside]
    period = np.searchsorted(days, own["received_at"].to_numpy(), side="right") - 1
    begin = days[period]
    washed = (own["received_at"].to_numpy() - begin) / np.timedelta64(1, "h") < live.washout_h
    row = own["district"].map({name: k for k, name in enumerate(districts)}).to_numpy()
    washed &= starts[row] == period
    effects, by_time = [], []
    for name in outcomes_in(own):
        kept = own[~washed].assign(row=row[~washed], period=period[~washed])
        cells = kept.groupby(["row", "period"])[name].agg(["mean", "count"])
        wide = cells.unstack("period").reindex(range(len(districts)))
        values = wide["mean"].reindex(columns=range(len(days))).to_numpy()
        weight = wide["count"].reindex(columns=range(len(days))).fillna(0).to_numpy()
        found = analyse_wedge(values, starts, seed=seed, weights=weight)
        cells_seen = int(np.isfinite(values).sum())
        interval = (found.difference, found.lo, found.hi, found.p)
        effects.append(ObservedEffect(name, *interval, cells_seen, int(weight.sum())))
        by_time.append(found.by_time)
    arm = pd.Series(np.where(period >= starts[row], "plan", "baseline"), own.index)
    return _findings("stepped_wedge", effects, own, arm, live, by_time)


def _check_districts(records: pd.DataFrame, names: list[str]) -> None:
    if "district" not in records:
        raise InputError.of("records", "no column 'district'", "the district of every incident")
    known = sorted(records["district"].dropna().unique())
    for name in names:
        if name not in known:
            do = nearest(name, known)
            raise InputError.of("records: district", f"none of {name!r}", ", ".join(known), do)


def _findings(
    design: str,
    effects: list[ObservedEffect],
    records: pd.DataFrame,
    arm: pd.Series,
    live: LivePilot,
    by_time: list[float] | None = None,
) -> LiveFindings:
    if not effects:
        raise InputError.of("records", "no outcome", f"one of {', '.join(OUTCOMES)}")
    table = pd.DataFrame([asdict(effect) for effect in effects])
    table = table.assign(design=design, p_holm=table["p"], by_time=by_time or np.nan)
    secondary = table["outcome"] != PRIMARY
    table.loc[secondary, "p_holm"] = holm(table.loc[secondary, "p"])
    harm, days, notes = _harm(records, arm, live)
    return LiveFindings(table[COLUMNS], harm, days, notes)


def _harm(
    records: pd.DataFrame, arm: pd.Series, live: LivePilot
) -> tuple[HarmWatch | None, tuple[str, ...], tuple[str, ...]]:
    """Watch the late calls of the first priority on the days under the plan."""
    if "first" not in records:
        return None, (), ("Harm is not watched: the records have no column priority.",)
    known = records[records["first"] & records["late"].notna() & arm.notna()]
    of = arm.loc[known.index]
    usual = known.loc[of == "baseline", "late"]
    under = known[of == "plan"]
    if usual.empty or not 0 < usual.mean() < 1 or under.empty:
        words = "Harm is not watched: today's posts have no late and timely calls to compare with."
        return None, (), (words,)
    by_day = under.groupby(under["received_at"].dt.normalize())["late"].agg(["sum", "count"])
    watched = watch_harm(
        by_day["sum"].to_numpy(),
        by_day["count"].to_numpy(),
        usual_share=float(usual.mean()),
        ratio=live.harm_ratio,
        false_alarm_days=live.harm_false_alarm_days,
    )
    return watched, tuple(by_day.index.strftime("%Y-%m-%d")), ()


def count_overrides(overrides: pd.DataFrame) -> pd.DataFrame:
    """Count overrides by reason, the most frequent first.

    Returns
    -------
    pandas.DataFrame
        reason, overrides, share, first, last (ISO days).
    """
    groups = overrides.groupby("reason")["at"]
    table = pd.DataFrame(
        {
            "overrides": groups.size(),
            "first": groups.min().dt.strftime("%Y-%m-%d"),
            "last": groups.max().dt.strftime("%Y-%m-%d"),
        }
    ).reset_index()
    table["share"] = table["overrides"] / max(len(overrides), 1)
    order = table.sort_values(["overrides", "reason"], ascending=[False, True], kind="stable")
    return order[["reason", "overrides", "share", "first", "last"]].reset_index(drop=True)

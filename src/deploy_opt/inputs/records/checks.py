"""Look for the traps that show only when all rows are there: order, range, units, clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.records.mapping_fields import TIME_NAMES
from deploy_opt.inputs.records.traps import Finding, find_rows
from deploy_opt.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from deploy_opt.inputs.records.mapping import IncidentMapping

_FAR = np.timedelta64(366, "D")
_LONGEST = np.timedelta64(7, "D")
_LONGEST_RESPONSE_S = 2 * SECONDS_PER_HOUR
_FEWEST_FOR_CLOCK = 200
_FEWEST_FOR_HOURS = 1000
_QUIET_HOURS = 6
_QUIET_SHARE = 0.8
_NIGHT = (1, 8)
_FEWEST_FOR_UNIT = 5
_FEWEST_FOR_DATES = 20
_FEWEST_FOR_PLACES = 20
_FAR_DEGREES = 2.0
_TWICE = 1.5


def check_rows(frame: pd.DataFrame, mapping: IncidentMapping) -> list[Finding]:
    """Find the traps of the incidents as a whole.

    Parameters
    ----------
    frame
        One row per incident, as `record_merge.one_row_per_incident` gives it; times naive UTC.
    mapping
        The mapping.
    """
    return [
        *_lost_clock(frame, mapping),
        *_odd_hours(frame),
        *_units_of_durations(frame, mapping),
        *_officer_initiated(frame),
        *_negative(frame),
        *_far_times(frame),
        *_responses(frame),
        *_far_places(frame, mapping),
    ]


def _times(frame: pd.DataFrame, name: str) -> NDArray[np.datetime64]:
    values: NDArray[np.datetime64] = frame[name].to_numpy(dtype="datetime64[ns]")
    return values


def _seconds(later: NDArray[np.datetime64], sooner: NDArray[np.datetime64]) -> NDArray[np.float64]:
    seconds: NDArray[np.float64] = (later - sooner) / np.timedelta64(1, "s")
    return seconds


def _at(frame: pd.DataFrame, names: tuple[str, ...]) -> Callable[[int], str]:
    files, rows = frame["_file"].to_numpy(), frame["_row"].to_numpy()

    def show(row: int) -> str:
        values = ", ".join(f"{name} {_shown(frame[name].iloc[row])}" for name in names)
        return f"{files[row]} row {rows[row]}: {values}"

    return show


def _shown(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _lost_clock(frame: pd.DataFrame, mapping: IncidentMapping) -> list[Finding]:
    hours = frame["_hour"].to_numpy()
    known = hours >= 0
    if known.sum() >= _FEWEST_FOR_CLOCK and hours[known].max() <= 12 and hours[known].max() >= 11:
        words = "no hour above 12 in the whole file: AM and PM were lost before; ask for the source"
        show = _at(frame, ("received_at",))
        return find_rows("twelve_hour_clock", "received_at", known, show, words)
    received = _times(frame, "received_at")
    if known.sum() >= _FEWEST_FOR_DATES and not hours[known].any():
        wall_s = received.astype("datetime64[s]").astype(np.int64) % 3600
        if not wall_s[known].any() and not mapping.received_at.time_of_day:
            words = "dates without a time of day: name its column in the mapping (time_of_day)"
            show = _at(frame, ("received_at",))
            return find_rows("split_date_time", "received_at", known, show, words)
    return []


def _odd_hours(frame: pd.DataFrame) -> list[Finding]:
    """Find a record whose calls are fewest by day: its times are in another zone."""
    hours = frame["_hour"].to_numpy()
    known = hours >= 0
    if known.sum() < _FEWEST_FOR_HOURS:
        return []
    calls = np.bincount(hours[known], minlength=24).astype(float)
    window = np.array([np.roll(calls, -start)[:_QUIET_HOURS].sum() for start in range(24)])
    start = int(window.argmin())
    middle = (start + _QUIET_HOURS // 2) % 24
    quiet = window[start] / calls.sum() / (_QUIET_HOURS / 24)
    if quiet > _QUIET_SHARE or _NIGHT[0] <= middle <= _NIGHT[1]:
        return []
    end = (start + _QUIET_HOURS) % 24
    words = (
        f"kept; calls are fewest from {start}:00 to {end}:00: are the times of another zone (UTC)?"
    )
    return find_rows("odd_hours", "received_at", known, _at(frame, ("received_at",)), words)


def _units_of_durations(frame: pd.DataFrame, mapping: IncidentMapping) -> list[Finding]:
    findings = []
    for name in TIME_NAMES:
        column = f"_after.{name}"
        field = mapping.time(name)
        if column not in frame or field is None or field.since is None:
            continue
        declared = frame[column].to_numpy(dtype=float)
        measured = _seconds(_times(frame, name), _times(frame, field.since.field))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = measured / declared
        ratio = ratio[np.isfinite(ratio) & (ratio > 0) & (declared > 0)]
        off = ratio[np.abs(np.log(ratio)) > np.log(_TWICE)]
        has = np.isfinite(declared)
        show = _at(frame, (name, column))
        if off.size >= _FEWEST_FOR_UNIT and off.size > ratio.size / 2:
            words = (
                f"durations differ from the times by a factor of {np.median(off):.3g}: "
                f"is the unit really {field.since.unit}?"
            )
            findings += find_rows("minutes_or_seconds", name, has, show, words)
            continue
        typical = np.median(declared[has & (declared > 0)]) if (has & (declared > 0)).any() else 0
        if has.sum() >= _FEWEST_FOR_UNIT and 0 < typical < SECONDS_PER_MINUTE / 2:
            words = f"half of the durations are under {typical:.3g} s: is the unit minutes?"
            findings += find_rows("minutes_or_seconds", name, has, show, words)
        elif has.sum() >= _FEWEST_FOR_UNIT and typical > 6 * SECONDS_PER_HOUR:
            words = f"half of the durations are over {typical / 3600:.3g} h: is the unit seconds?"
            findings += find_rows("minutes_or_seconds", name, has, show, words)
    return findings


def _officer_initiated(frame: pd.DataFrame) -> list[Finding]:
    own = np.array(
        [flag is True or flag is np.True_ for flag in frame["self_initiated"]], dtype=bool
    )
    show = _at(frame, ("incident_id", "call_type"))
    words = "kept and marked; counts of calls leave them out unless asked"
    return find_rows("officer_initiated", "self_initiated", own, show, words)


def _negative(frame: pd.DataFrame) -> list[Finding]:
    findings = []
    latest = _times(frame, "received_at").copy()
    last_name = np.full(len(frame), "received_at", dtype=object)
    for name in TIME_NAMES[1:]:
        at = _times(frame, name)
        before = at < latest
        for earlier in TIME_NAMES:
            marked = before & (last_name == earlier)
            if marked.any():
                words = "kept; intervals below 0 are left out of every statistic"
                show = _at(frame, (earlier, name))
                findings += find_rows(
                    "negative_interval", f"{earlier} to {name}", marked, show, words
                )
        known = ~np.isnat(at)
        latest = np.where(known, at, latest)
        last_name[known] = name
    return findings


def _far_times(frame: pd.DataFrame) -> list[Finding]:
    findings = []
    received = _times(frame, "received_at")
    ordered = np.sort(received[~np.isnat(received)])
    if ordered.size:
        early = ordered[int(np.ceil(0.01 * (ordered.size - 1)))]
        late = ordered[int(np.floor(0.99 * (ordered.size - 1)))]
        far = (received < early - _FAR) | (received > late + _FAR)
        words = "kept; more than a year away from 98 % of the calls"
        show = _at(frame, ("received_at",))
        findings += find_rows("implausible_time", "received_at", far, show, words)
    for name in TIME_NAMES[1:]:
        far = _times(frame, name) - received > _LONGEST
        words = "kept; more than 7 days after the call"
        show = _at(frame, ("received_at", name))
        findings += find_rows("implausible_time", name, far, show, words)
    return findings


def _responses(frame: pd.DataFrame) -> list[Finding]:
    seconds = _seconds(_times(frame, "arrived_at"), _times(frame, "received_at"))
    own = np.array(
        [flag is True or flag is np.True_ for flag in frame["self_initiated"]], dtype=bool
    )
    odd = ((seconds == 0) & ~own) | (seconds > _LONGEST_RESPONSE_S)
    words = "kept; judge whether these are answered calls"
    show = _at(frame, ("received_at", "arrived_at"))
    return find_rows("implausible_interval", "received_at to arrived_at", odd, show, words)


def _far_places(frame: pd.DataFrame, mapping: IncidentMapping) -> list[Finding]:
    lon, lat = frame["lon"].to_numpy(), frame["lat"].to_numpy()
    located = np.isfinite(lon)
    if mapping.point is None or mapping.point.box is not None:
        return []
    if located.sum() < _FEWEST_FOR_PLACES:
        return []
    far = located & (
        (np.abs(lon - np.median(lon[located])) > _FAR_DEGREES)
        | (np.abs(lat - np.median(lat[located])) > _FAR_DEGREES)
    )
    words = "kept; more than 2 degrees from the middle of the calls (set point.box to drop them)"
    return find_rows("bad_coordinates", "lon, lat", far, _at(frame, ("lon", "lat")), words)

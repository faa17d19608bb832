"""Read the station files of NOAA: GHCN daily summaries, local climatological reports (LCD)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.text_tables import (
    FIRST_LINE,
    dates,
    is_missing,
    need_columns,
    numbers,
    read_text_table,
    times,
)
from deploy_opt.inputs.weather_layouts.frames import (
    MAX_ROWS,
    WeatherReading,
    average_stations,
    on_wall_clock,
    with_mean_temperature,
)
from deploy_opt.inputs.weather_layouts.units import (
    QUANTITIES,
    System,
    convert,
    impossible_faults,
    pattern_break,
    recognise,
    system_unit,
)
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

GHCN_COLUMNS = {
    "TMAX": "temperature_max",
    "TMIN": "temperature_min",
    "TAVG": "temperature",
    "PRCP": "precipitation",
    "SNOW": "snowfall",
    "AWND": "wind",
}
LCD_COLUMNS = {
    "HourlyDryBulbTemperature": "temperature",
    "HourlyPrecipitation": "precipitation",
    "HourlyWindSpeed": "wind",
    "DailySnowfall": "snowfall",
}
ROUTINE_REPORT = "FM-15"

_GHCN_SENTINEL = 9999.0
_ATTRIBUTES = "_ATTRIBUTES"
_QUALITY_FLAG = 1
_SUMMARY_REPORTS = frozenset({"SOD", "SOM"})
_SIX_HOUR_REPORTS = frozenset({"FM-12", "SY-MT", "SY-SA"})
_REPORT_TYPE = "REPORT_TYPE"
_REPORT_TYPE_MISSPELT = "REPORTTPYE"
_HALF_HOUR = pd.Timedelta(minutes=30)
_LCD_NUMBER = r"^(-?\d*\.?\d+)([sSvVeE*]{0,2})$"
_LCD_TRACE = r"T[sS*]?"
_LCD_MISSING = ("M", "*", "VRB", "MM")


def read_ghcn(
    path: Path, *, time_zone: str, system: System | None, columns: Mapping[str, str]
) -> WeatherReading:
    """Read daily summaries of NOAA's Global Historical Climatology Network, wide layout.

    Parameters
    ----------
    path
        CSV with STATION, DATE and some of TMAX, TMIN, TAVG, PRCP, SNOW, AWND; columns such as
        PRCP_ATTRIBUTES hold measurement, quality and source flags. A value with a quality flag,
        9999 or -9999 is missing.
    time_zone
        Not used: the days are the station's local days.
    system
        ``us`` (°F, inch, mph), ``metric`` (°C, mm, m/s) or ``tenths`` (tenths of °C, of mm, of
        m/s; snow in mm); None: recognised from the values, refused when they leave a doubt.
    columns
        NOAA's name to the file's, where they differ.

    Raises
    ------
    InputError
        When the unit is in doubt or contradicted by the values, or a cell cannot be read.

    References
    ----------
    NOAA NCEI, readme and documentation of GHCN-Daily.
    """
    del time_zone
    where = str(path)
    flags = [name + _ATTRIBUTES for name in GHCN_COLUMNS]
    text = _read(path, {"STATION", "DATE", *GHCN_COLUMNS, *flags}, columns)
    present = _present(text, GHCN_COLUMNS, where)
    faults = FaultList()
    days = dates(text["DATE"], where=where, faults=faults)
    raw = {name: numbers(text[name], where=where, faults=faults) for name in present}
    faults.raise_if_any()
    notes: list[str] = []
    for name in present:
        raw[name] = _without_flagged(raw[name], text, name, notes)
    quantities = {GHCN_COLUMNS[name]: raw[name] for name in present}
    system = _settle(quantities, system, get_args(System), where, notes)
    frame = pd.DataFrame({"at": days, **_converted(quantities, system, hours=HOURS_PER_DAY)})
    _refuse_impossible(frame, GHCN_COLUMNS, where, daily=True)
    rows, more = average_stations(frame, text.get("STATION"), path=path)
    daily = with_mean_temperature(rows.rename(columns={"at": "date"}))
    return WeatherReading(None, daily, (*notes, *more))


def read_lcd(
    path: Path, *, time_zone: str, system: System | None, columns: Mapping[str, str]
) -> WeatherReading:
    """Read hourly reports of NOAA's Local Climatological Data.

    The clock of the file is local standard time all year; it is moved to the city's wall clock.
    Routine hourly reports (FM-15) are used where an hour has one, other reports where not. An
    hourly precipitation covers the hour before its report, so it is given to the hour in which
    that period has its middle. Snowfall comes from the summaries of the day (SOD).

    Parameters
    ----------
    path
        CSV with STATION, DATE, REPORT_TYPE and some of HourlyDryBulbTemperature,
        HourlyPrecipitation, HourlyWindSpeed, DailySnowfall. ``T`` is a trace, read as 0;
        suffix flags such as ``s`` (suspect) are counted.
    time_zone
        IANA zone of the city.
    system
        ``us`` (°F, inch, mph) or ``metric`` (°C, mm, m/s); None: recognised from the values.
    columns
        NOAA's name to the file's, where they differ.

    Raises
    ------
    InputError
        When the unit is in doubt or contradicted by the values, or a time cannot be read.

    References
    ----------
    NOAA NCEI, Local Climatological Data (LCD) dataset documentation: times are local standard
    time, "T" is a trace amount of precipitation.
    """
    where = str(path)
    types = {_REPORT_TYPE, _REPORT_TYPE_MISSPELT}
    text = _read(path, {"STATION", "DATE", *types, *LCD_COLUMNS}, columns)
    text = text.rename(columns={_REPORT_TYPE_MISSPELT: _REPORT_TYPE})
    present = _present(text, LCD_COLUMNS, where)
    faults = FaultList()
    at = times(text["DATE"], where=where, faults=faults)
    faults.raise_if_any()
    if at.tz is not None:
        raise InputError.of(where, "times with a zone", "local standard time, as LCD has it")
    notes = ["times moved from local standard time to the wall clock"]
    raw = {LCD_COLUMNS[name]: _flagged_numbers(text[name], notes) for name in present}
    system = _settle(raw, system, ("us", "metric"), where, notes)
    if system == "metric" and raw.pop("snowfall", None) is not None:
        notes.append("DailySnowfall left out: its metric unit differs between versions of LCD")
    frame = pd.DataFrame({"at": at, **_converted(raw, system, hours=1)})
    _refuse_impossible(frame.drop(columns="snowfall_cm", errors="ignore"), LCD_COLUMNS, where)
    _refuse_impossible(
        frame[frame.columns.intersection(["snowfall_cm"])], LCD_COLUMNS, where, daily=True
    )
    frame["station"] = text.get("STATION", "")
    report = text[_REPORT_TYPE].str.strip().str.upper() if _REPORT_TYPE in text else None
    rows, more = average_stations(*_hours(frame, report), path=path)
    hourly = on_wall_clock(rows, "hour_standard", time_zone=time_zone, path=path)
    return WeatherReading(hourly, _snow_days(frame, report), (*notes, *more))


def _read(path: Path, wanted: set[str], columns: Mapping[str, str]) -> pd.DataFrame:
    theirs = {file_name: name for name, file_name in columns.items()}
    keep = (wanted - set(columns)) | set(theirs)
    text = read_text_table(path, max_rows=MAX_ROWS, wanted=lambda name: name.strip() in keep)
    faults = need_columns(text, columns.values(), str(path))
    faults.raise_if_any()
    return text.rename(columns=theirs)


def _present(text: pd.DataFrame, known: Mapping[str, str], where: str) -> list[str]:
    present = [name for name in known if name in text]
    faults = FaultList()
    if "DATE" not in text:
        faults.add(where, "no column 'DATE'", "a column DATE")
    if not present:
        do = "download the wide layout as CSV, one column an element"
        faults.add(where, "no weather column", f"at least one of {', '.join(known)}", do)
    faults.raise_if_any()
    return present


def _settle(
    quantities: Mapping[str, NDArray[np.float64]],
    system: System | None,
    systems: tuple[System, ...],
    where: str,
    notes: list[str],
) -> System:
    if system is None:
        do = f"set units: {' or '.join(systems)}"
        system, reason = recognise(quantities, systems, where=where, do=do)
        notes.append(f"units recognised as {system} ({reason})")
    elif system not in systems:
        raise InputError.of(where, f"units: {system}", " or ".join(systems))
    elif system == "tenths" and (value := pattern_break(quantities, system)):
        raise InputError.of(where, value, "whole tenths, as units says", "check units")
    return system


def _converted(
    quantities: Mapping[str, NDArray[np.float64]], system: System, *, hours: float
) -> dict[str, NDArray[np.float64]]:
    return {
        QUANTITIES[q].column: convert(raw, q, system_unit(q, system), hours=hours)
        for q, raw in quantities.items()
    }


def _refuse_impossible(
    frame: pd.DataFrame, known: Mapping[str, str], where: str, *, daily: bool = False
) -> None:
    raw_names = {QUANTITIES[q].column: name for name, q in known.items()}
    faults = FaultList()
    faults.extend(
        impossible_faults(frame, raw_names, where=where, daily=daily, first_line=FIRST_LINE)
    )
    faults.raise_if_any()


def _without_flagged(
    values: NDArray[np.float64], text: pd.DataFrame, name: str, notes: list[str]
) -> NDArray[np.float64]:
    bad = np.abs(values) == _GHCN_SENTINEL
    if bad.any():
        notes.append(f"{name}: {int(bad.sum())} values of 9999 read as missing")
    if name + _ATTRIBUTES in text:
        parts = text[name + _ATTRIBUTES].str.split(",").str
        flagged = parts.get(_QUALITY_FLAG).fillna("").str.strip().ne("").to_numpy(dtype=bool)
        flagged &= ~np.isnan(values)
        if flagged.any():
            notes.append(f"{name}: {int(flagged.sum())} values failed NOAA's checks, left out")
        bad |= flagged
    return np.where(bad, np.nan, values)


def _flagged_numbers(text: pd.Series, notes: list[str]) -> NDArray[np.float64]:
    stripped = text.str.strip()
    parts = stripped.str.extract(_LCD_NUMBER)
    values = pd.to_numeric(parts[0], errors="coerce").to_numpy(dtype=float)
    trace = stripped.str.fullmatch(_LCD_TRACE).to_numpy(dtype=bool)
    missing = is_missing(text) | stripped.isin(_LCD_MISSING).to_numpy(dtype=bool)
    counts = {
        "traces (T) read as 0": trace,
        "flagged values kept": parts[1].fillna("").ne("").to_numpy(dtype=bool),
        "unreadable cells left empty": np.isnan(values) & ~trace & ~missing,
    }
    said = [f"{int(mask.sum())} {words}" for words, mask in counts.items() if mask.any()]
    if said:
        notes.append(f"{text.name}: {', '.join(said)}")
    return np.where(trace, 0.0, values)


def _hours(frame: pd.DataFrame, report: pd.Series | None) -> tuple[pd.DataFrame, pd.Series]:
    """Make one row a station and standard-time hour, routine reports before others."""
    summary = _marked(report, _SUMMARY_REPORTS, len(frame))
    routine = np.ones(len(frame), bool) if report is None else report.eq(ROUTINE_REPORT).to_numpy()
    six_hour = _marked(report, _SIX_HOUR_REPORTS, len(frame))
    parts = []
    for column in [c for c in frame.columns if c not in {"at", "station", "snowfall_cm"}]:
        is_amount = column == "precipitation_mm"
        stamp = frame["at"] - _HALF_HOUR if is_amount else frame["at"]
        keyed = frame[[column, "station"]].assign(at=stamp.dt.floor("h"))
        way = "max" if is_amount else "mean"
        others = ~routine & ~summary & ~(six_hour & is_amount)
        first, second = (
            keyed[mask].dropna().groupby(["station", "at"])[column].agg(way)
            for mask in (routine, others)
        )
        parts.append(first.combine_first(second).rename(column))
    rows = pd.concat(parts, axis=1).reset_index() if parts else frame.iloc[:0]
    return rows.drop(columns="station"), rows["station"]


def _snow_days(frame: pd.DataFrame, report: pd.Series | None) -> pd.DataFrame | None:
    if "snowfall_cm" not in frame or report is None:
        return None
    summary = frame[report.eq("SOD").to_numpy()].dropna(subset="snowfall_cm")
    if summary.empty:
        return None
    keyed = summary.assign(date=summary["at"].dt.normalize())
    by_station = keyed.groupby(["station", "date"])["snowfall_cm"].max()
    return by_station.groupby("date").mean().reset_index()


def _marked(report: pd.Series | None, kinds: frozenset[str], rows: int) -> NDArray[np.bool_]:
    if report is None:
        return np.zeros(rows, bool)
    marked: NDArray[np.bool_] = report.isin(kinds).to_numpy(dtype=bool)
    return marked

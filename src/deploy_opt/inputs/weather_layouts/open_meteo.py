"""Read a CSV of Open-Meteo: a line of metadata, then blocks whose headers name the units."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.inputs.text_tables import TEXT_ENCODING, bad_cells, dates, numbers
from deploy_opt.inputs.wall_clock import to_wall
from deploy_opt.inputs.weather_layouts.frames import MAX_ROWS, WeatherReading, collapse
from deploy_opt.inputs.weather_layouts.units import QUANTITIES, SUMS, convert, impossible_faults
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deploy_opt.inputs.weather_layouts.units import System

HOURLY_NAMES = {
    "temperature_2m": "temperature",
    "precipitation": "precipitation",
    "snowfall": "snowfall",
    "wind_speed_10m": "wind",
    "windspeed_10m": "wind",
}
DAILY_NAMES = {
    "temperature_2m_mean": "temperature",
    "temperature_2m_max": "temperature_max",
    "temperature_2m_min": "temperature_min",
    "precipitation_sum": "precipitation",
    "snowfall_sum": "snowfall",
    "wind_speed_10m_mean": "wind",
}
UNITS = {
    "°C": "c",
    "°F": "f",
    "mm": "mm",
    "inch": "inch",
    "cm": "cm",
    "km/h": "kph",
    "m/s": "mps",
    "mp/h": "mph",
    "mph": "mph",
    "kn": "kn",
}

_META = "utc_offset_seconds"
_HEADER = re.compile(r"(?P<name>\w+)(?: \((?P<unit>[^)]*)\))?")
_UNIX_TIME = re.compile(r"\d{6,}")
_MAX_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class _Block:
    """Header and rows of one block, with the file's line number of its header."""

    line: int
    header: list[str]
    rows: list[list[str]]


def read_open_meteo(
    path: Path, *, time_zone: str, system: System | None, columns: Mapping[str, str]
) -> WeatherReading:
    """Read the hourly and daily blocks of an Open-Meteo CSV.

    Open-Meteo writes local times with one fixed offset for the whole file (``utc_offset_seconds``,
    the one valid when the file was asked for), also across a clock change; so the offset, not the
    zone's name, is taken off. Its hourly precipitation and snowfall are sums of the hour before
    the stamp and are moved to the hour in which they fell.

    Parameters
    ----------
    path
        The CSV. Hourly values win; the daily block adds what the hourly block lacks.
    time_zone
        IANA zone of the city.
    system, columns
        Must be empty: the header names the units and the columns.

    Raises
    ------
    InputError
        When there is no metadata line, a unit is unknown, or a cell cannot be read.

    References
    ----------
    Open-Meteo documentation ("preceding hour sum"); open-meteo issues 261 and 1764 (one offset).
    """
    where = str(path)
    if system is not None or columns:
        found = "units" if system is not None else "columns"
        raise InputError.of(where, f"the option {found}", "none: an Open-Meteo file names its own")
    offset_s, blocks = _blocks(path)
    hourly, daily, notes = None, None, []
    faults = FaultList()
    for block in blocks:
        stamps = [row[0] for row in block.rows]
        names, kind = _kind(block, stamps)
        if kind == "other" or not stamps:
            notes.append(f"block on line {block.line} left out: neither hourly nor daily")
            continue
        frame = _values(block, names, where=where, faults=faults)
        at = _stamps(block, offset_s, daily=kind == "daily", where=where, faults=faults)
        if faults or len(frame.columns) == 0:
            continue
        if kind == "daily":
            _refuse_other_days(offset_s, at, time_zone, where)
            daily = frame.assign(date=at).groupby("date").first().reset_index()
        else:
            hourly = _hourly(frame, at, time_zone)
            notes.append(f"times are at UTC{offset_s / 3600:+g} h, moved to the wall clock")
    faults.raise_if_any()
    if hourly is None and daily is None:
        allowed = ", ".join([*HOURLY_NAMES, *DAILY_NAMES])
        raise InputError.of(where, "no weather column", f"at least one of {allowed}")
    if hourly is not None and daily is not None:
        daily = daily.drop(columns=[c for c in hourly.columns if c in daily.columns])
    return WeatherReading(hourly, daily, tuple(notes))


def _blocks(path: Path) -> tuple[int, list[_Block]]:
    if not path.is_file():
        raise InputError.of(str(path), "no such file", "a CSV of Open-Meteo")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError.of(str(path), "a file over 200 MB", "a smaller file")
    try:
        lines = path.read_text(encoding=TEXT_ENCODING).splitlines()
    except UnicodeDecodeError as error:
        raise InputError.of(str(path), "bytes that are not UTF-8", "a UTF-8 file") from error
    blocks: list[_Block] = []
    open_block = False
    for number, row in enumerate(csv.reader(lines), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            open_block = False
        elif open_block:
            blocks[-1].rows.append(cells)
        else:
            blocks.append(_Block(number, cells, []))
            open_block = True
    meta = [block for block in blocks if _META in block.header]
    if len(meta) != 1 or len(meta[0].rows) != 1 or "location_id" in meta[0].header:
        found = "no metadata line" if not meta else "several locations"
        do = "ask Open-Meteo for format=csv and one place, or use layout: table"
        expected = "one line with utc_offset_seconds above the blocks"
        raise InputError.of(str(path), found, expected, do)
    offset = dict(zip(meta[0].header, meta[0].rows[0], strict=False))[_META]
    if not re.fullmatch(r"-?\d{1,6}", offset):
        where = f"{path}: line {meta[0].line + 1}, {_META}"
        raise InputError.of(where, repr(offset), "whole seconds")
    return int(offset), [block for block in blocks if block is not meta[0]]


def _kind(block: _Block, stamps: list[str]) -> tuple[Mapping[str, str], str]:
    """Tell an hourly from a daily block by the step of its first two stamps."""
    if block.header[0] != "time" or not stamps:
        return {}, "other"
    unix = all(_UNIX_TIME.fullmatch(stamp) for stamp in stamps[:2])
    if not unix and all(":" not in stamp for stamp in stamps[:2]):
        return DAILY_NAMES, "daily"
    parsed = pd.to_datetime(
        pd.Series(stamps[:2]).astype("int64") if unix else pd.Series(stamps[:2]),
        unit="s" if unix else None,
        format=None if unix else "ISO8601",
        errors="coerce",
    )
    step_s = parsed.diff().dt.total_seconds().iloc[-1] if len(parsed) > 1 else 3600.0
    if unix and step_s >= 23 * 3600:
        return DAILY_NAMES, "daily"
    return HOURLY_NAMES, "other" if step_s in {900.0, 10_800.0, 21_600.0} else "hourly"


def _values(
    block: _Block, names: Mapping[str, str], *, where: str, faults: FaultList
) -> pd.DataFrame:
    """Convert the known columns of a block; a ragged row or an unknown unit is a fault."""
    width = len(block.header)
    ragged = [i for i, row in enumerate(block.rows) if len(row) != width]
    if ragged or len(block.rows) > MAX_ROWS:
        line = block.line + 1 + (ragged[0] if ragged else MAX_ROWS)
        faults.add(f"{where}: line {line}", "a row of another length", f"{width} cells")
        return pd.DataFrame()
    hours = HOURS_PER_DAY if names is DAILY_NAMES else 1
    values, raw_names = {}, {}
    for position, cell in enumerate(block.header):
        parts = _HEADER.fullmatch(cell)
        quantity = names.get(parts["name"]) if parts else None
        if not parts or quantity is None:
            continue
        unit = UNITS.get(parts["unit"] or "")
        if unit is None or unit not in QUANTITIES[quantity].units:
            known = ", ".join(k for k, u in UNITS.items() if u in QUANTITIES[quantity].units)
            faults.add(f"{where}: line {block.line}", cell, f"a unit in brackets: {known}")
            continue
        text = pd.Series([row[position] for row in block.rows], name=cell)
        raw = numbers(text, where=where, faults=faults, first_line=block.line + 1)
        column = QUANTITIES[quantity].column
        values[column] = convert(raw, quantity, unit, hours=hours)
        raw_names[column] = cell
    frame = pd.DataFrame(values)
    daily = names is DAILY_NAMES
    faults.extend(
        impossible_faults(frame, raw_names, where=where, daily=daily, first_line=block.line + 1)
    )
    return frame


def _stamps(
    block: _Block, offset_s: int, *, daily: bool, where: str, faults: FaultList
) -> pd.DatetimeIndex:
    """Read the time column: UTC for hours, naive local midnights for days."""
    text = pd.Series([row[0] for row in block.rows], name="time")
    offset = pd.Timedelta(seconds=offset_s)
    unix = bool(text.str.fullmatch(_UNIX_TIME).all())
    first_line = block.line + 1
    if unix:
        utc = pd.DatetimeIndex(pd.to_datetime(text.astype("int64"), unit="s", utc=True))
        return (utc + offset).tz_localize(None).normalize() if daily else utc
    if daily:
        return dates(text, where=where, faults=faults, first_line=first_line)
    naive = pd.to_datetime(text, format="ISO8601", errors="coerce")
    bad = naive.isna().to_numpy()
    expected = "a time such as 2016-01-31T14:00"
    faults.extend(bad_cells(text, bad, where=where, expected=expected, first_line=first_line))
    return (pd.DatetimeIndex(naive) - offset).tz_localize("UTC")


def _hourly(frame: pd.DataFrame, at: pd.DatetimeIndex, time_zone: str) -> pd.DataFrame:
    """Put instant values on their hour and preceding-hour sums on the hour before."""
    hour = pd.Timedelta(hours=1)
    sums = [column for column in frame.columns if column in SUMS]
    parts = [(frame.drop(columns=sums), at), (frame[sums], at - hour)]
    pieces = [
        collapse(part.assign(hour=to_wall(stamp, time_zone).floor("h")), "hour")
        for part, stamp in parts
        if len(part.columns)
    ]
    joined = pieces[0] if len(pieces) == 1 else pieces[0].merge(pieces[1], on="hour", how="outer")
    return joined.sort_values("hour", kind="stable").reset_index(drop=True)


def _refuse_other_days(offset_s: int, days: pd.DatetimeIndex, time_zone: str, where: str) -> None:
    """Refuse daily values whose days are not the city's, such as UTC days."""
    zone = ZoneInfo(time_zone)
    noons = days.tz_localize(zone) + pd.Timedelta(hours=12)
    offsets = {int((stamp.utcoffset() or pd.Timedelta(0)).total_seconds()) for stamp in noons}
    summer_and_winter = {value + shift for value in offsets for shift in (-3600, 0, 3600)}
    if offset_s not in summer_and_winter:
        raise InputError.of(
            where,
            f"days at UTC{offset_s / 3600:+g} h",
            f"the local days of {time_zone}",
            f"ask Open-Meteo for timezone={time_zone}",
        )

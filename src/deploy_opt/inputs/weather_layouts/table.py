"""Read a weather table whose column names carry the units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import FaultList, nearest
from deploy_opt.inputs.text_tables import (
    FIRST_LINE,
    dates,
    need_columns,
    numbers,
    read_text_table,
    times,
)
from deploy_opt.inputs.weather_layouts.frames import (
    MAX_ROWS,
    TIME_NAMES,
    WeatherReading,
    autumn_rows,
    average_stations,
    on_wall_clock,
    with_mean_temperature,
)
from deploy_opt.inputs.weather_layouts.units import (
    QUANTITIES,
    convert,
    impossible_faults,
    known_names,
    split_name,
)
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deploy_opt.inputs.weather_layouts.units import System


def read_table(
    path: Path, *, time_zone: str, system: System | None, columns: Mapping[str, str]
) -> WeatherReading:
    """Read a table whose columns are named with their unit, or mapped to such names.

    Parameters
    ----------
    path
        CSV or Parquet. One time column: ``hour`` (wall clock, or any time with a zone),
        ``hour_utc``, ``hour_standard`` (local standard time all year) or ``date``; a stamp is
        the start of its hour. Value columns such as ``temperature_c``, ``temperature_max_f``,
        ``precipitation_mm``, ``precipitation_inch_per_h``, ``snowfall_inch``, ``wind_mph``.
        A ``station`` column averages several stations.
    time_zone
        IANA zone of the city.
    system
        Must be None: the names carry the units.
    columns
        Our name to the file's; empty: the file has our names.

    Raises
    ------
    InputError
        With every unknown name, missing column, unreadable cell and repeated time.
    """
    where = str(path)
    text = read_text_table(path, max_rows=MAX_ROWS)
    mapping = dict(columns) or {
        name: name for name in text.columns if name in TIME_NAMES or split_name(name)
    }
    faults = need_columns(text, mapping.values(), where)
    if system is not None:
        found = f"units: {system} for a table"
        faults.add(where, found, "units in the names", "write columns: {temperature_f: ...}")
    faults.extend(_name_faults(list(mapping), where).faults)
    faults.raise_if_any()
    clock = next(name for name in TIME_NAMES if name in mapping)
    is_daily = clock == "date"
    at = (dates if is_daily else times)(text[mapping[clock]], where=where, faults=faults)
    frame = pd.DataFrame({"at": at})
    raw_names = {}
    for name, theirs in mapping.items():
        quantity, unit = split_name(name) or ("", "")
        if not quantity:
            continue
        raw = numbers(text[theirs], where=where, faults=faults)
        column = QUANTITIES[quantity].column
        frame[column] = convert(raw, quantity, unit, hours=HOURS_PER_DAY if is_daily else 1)
        raw_names[column] = theirs
    faults.extend(
        impossible_faults(frame, raw_names, where=where, daily=is_daily, first_line=FIRST_LINE)
    )
    faults.raise_if_any()
    station = text[mapping["station"]] if "station" in mapping else None
    rows, notes = average_stations(
        frame, station, path=path, may_repeat=autumn_rows(at, clock, time_zone)
    )
    if is_daily:
        return WeatherReading(
            None, with_mean_temperature(rows.rename(columns={"at": "date"})), notes
        )
    return WeatherReading(on_wall_clock(rows, clock, time_zone=time_zone, path=path), None, notes)


def _name_faults(names: list[str], where: str) -> FaultList:
    faults = FaultList()
    allowed = [*TIME_NAMES, "station", *known_names()]
    for name in names:
        if name not in TIME_NAMES and name != "station" and split_name(name) is None:
            do = nearest(name, allowed) or "end the name in its unit, such as temperature_f"
            faults.add(where, f"the name {name!r}", "a weather column with its unit", do)
    clocks = [name for name in TIME_NAMES if name in names]
    if len(clocks) != 1:
        found = f"the time columns {', '.join(clocks)}" if clocks else "no time column"
        do = "name it in columns, such as {date: DATE}"
        faults.add(where, found, f"one of {', '.join(TIME_NAMES)}", do)
    quantities = [split[0] for name in names if (split := split_name(name))]
    if not quantities:
        do = "name one in columns, such as {temperature_f: temp}"
        faults.add(where, "no weather column", "at least one, named with its unit", do)
    for quantity in sorted({q for q in quantities if quantities.count(q) > 1}):
        faults.add(where, f"{quantity} in two units", "one column a quantity")
    return faults

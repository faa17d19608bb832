"""What may be known of a call when it is dispatched, as numbers; nothing made on scene.

Every column is on a list, and no column about a person can be put on it. Days are local days; a
call of day d is told from days up to d - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.privacy.schemas import check_columns, personal_columns
from deploy_opt.risk.officer_risk.past import WINDOWS_DAYS, Past, local_day, past_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

KNOWN_AT_DISPATCH = (
    *("incident_id", "received_at", "area_id", "category"),
    *("call_type", "initial_priority", "self_initiated"),
)
"""Columns of a call that exist before anybody is on scene; the first four are needed."""
WEATHER = ("temperature_c", "precipitation_mm", "snowfall_cm", "wind_kph", "fog")
"""Columns of the weather of a day."""
CENSUS = ("vacant_homes_share", "employed_share", "residents_per_km2", "median_income")
"""Columns of an area's census; none is about race, and none can be."""
CALENDAR = ("hour", "weekday", "month", "friday", "saturday", "evening", "june", "july", "august")
"""Columns of the time of a call."""
WORDS = ("call_type", "initial_priority")
"""Columns of words, turned into flags when a model is fitted."""
FEATURES = (
    *past_names(),
    *CALENDAR,
    "self_initiated",
    *(f"{name}_before" for name in WEATHER),
    *CENSUS,
    *WORDS,
)
"""Every predictor that a model may have."""
MARKS = ("incident_id", "category", "area_id", "day", "complete")
"""Columns of a feature table that are no predictors."""

_EVENING_FROM = 18
_FRIDAY, _SATURDAY = 4, 5
_NEEDED = 4


@dataclass(frozen=True, slots=True)
class Sources:
    """What features are made from beside the call itself.

    Attributes
    ----------
    past
        Events of the past by area.
    weather
        date (without zone) and some of `WEATHER`, one row a day; None: without weather.
    weather_is_forecast
        Whether the row of a day is a forecast made before it. Otherwise it is an observation, and
        a call takes the one of the day before.
    census
        area_id and some of `CENSUS`, one row an area; None: without.
    """

    past: Past
    weather: pd.DataFrame | None = None
    weather_is_forecast: bool = False
    census: pd.DataFrame | None = None


def known_at_dispatch(incidents: pd.DataFrame) -> pd.DataFrame:
    """Take the columns of incidents that are known at dispatch, and leave the others out.

    Parameters
    ----------
    incidents
        As ``incidents.parquet``, with a column category; call_type must be the type as dispatched.

    Raises
    ------
    InputError
        If a column is about persons: such a table is refused, not cut down.
    """
    faults = FaultList()
    for column, kind in personal_columns(incidents.columns).items():
        do = "drop it before the table is passed in"
        faults.add(f"calls: column {column!r}", kind, "nothing about single persons", do)
    faults.raise_if_any()
    return incidents[[name for name in KNOWN_AT_DISPATCH if name in incidents.columns]]


def dispatch_features(calls: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Tell what is known of each call when it is dispatched.

    Parameters
    ----------
    calls
        Some of `KNOWN_AT_DISPATCH` and nothing else; received_at zoned and local.
    sources
        Past, weather and census.

    Returns
    -------
    pandas.DataFrame
        In the order of the calls: `MARKS` (day: days since 1970; complete: the longest window lies
        within the records) and those of `FEATURES` that the sources give, numbers in float32.

    Raises
    ------
    InputError
        For columns about persons, columns that are not listed, missing columns and values.
    """
    check_columns(calls.columns, allowed=KNOWN_AT_DISPATCH, where="calls")
    _check_calls(calls)
    day = local_day(calls["received_at"])
    columns: dict[str, object] = {
        "incident_id": calls["incident_id"].astype(str).to_numpy(object),
        "category": calls["category"].astype(str).to_numpy(object),
        "area_id": calls["area_id"].astype(str).to_numpy(object),
        "day": day,
        "complete": day - max(WINDOWS_DAYS) >= sources.past.first_day,
        **sources.past.before(calls["area_id"].astype(str), day),
        **_calendar(calls["received_at"]),
    }
    if "self_initiated" in calls.columns:
        columns["self_initiated"] = calls["self_initiated"].fillna(value=False).astype(np.float32)
    if sources.weather is not None:
        columns |= _weather(sources.weather, day - (not sources.weather_is_forecast))
    if sources.census is not None:
        columns |= _census(sources.census, calls["area_id"].astype(str))
    for name in WORDS:
        if name in calls.columns:
            columns[name] = calls[name].astype("string").fillna("").to_numpy(object)
    return pd.DataFrame({k: np.asarray(v) for k, v in columns.items()})


def daily_weather(hours: pd.DataFrame) -> pd.DataFrame:
    """Turn hourly weather, as `read_weather` gives it, into days.

    Parameters
    ----------
    hours
        hour (naive local) and some of temperature_c, precipitation_mm, snowfall_cm, wind_kph.

    Returns
    -------
    pandas.DataFrame
        date and the same columns: means of temperature and wind, sums of rain and snow.
    """
    of = {"temperature_c": "mean", "wind_kph": "mean"}
    of |= {"precipitation_mm": "sum", "snowfall_cm": "sum"}
    have = [name for name in WEATHER if name in hours.columns and name in of]
    dates = hours["hour"].dt.normalize().rename("date")
    by_day = {name: hours[name].groupby(dates) for name in have}
    days = pd.DataFrame(
        {n: g.mean() if of[n] == "mean" else g.sum(min_count=1) for n, g in by_day.items()}
    )
    return days.reset_index()


def _check_calls(calls: pd.DataFrame) -> None:
    faults = FaultList()
    for column in KNOWN_AT_DISPATCH[:_NEEDED]:
        if column not in calls.columns:
            faults.add("calls", f"no column {column!r}", f"a column {column}")
        elif calls[column].isna().any():
            found = f"{int(calls[column].isna().sum())} rows without {column}"
            faults.add("calls", found, f"{column} in each row")
    faults.raise_if_any()
    if not isinstance(calls["received_at"].dtype, pd.DatetimeTZDtype):
        found = str(calls["received_at"].dtype)
        faults.add("calls: received_at", found, "times with a zone, local")
    faults.raise_if_any()


def _calendar(received_at: pd.Series) -> dict[str, NDArray[np.float32]]:
    at = received_at.dt
    hour, weekday, month = at.hour, at.dayofweek, at.month
    values = (
        *(hour, weekday, month, weekday == _FRIDAY, weekday == _SATURDAY, hour >= _EVENING_FROM),
        *(month == number for number in (6, 7, 8)),
    )
    return {n: np.asarray(v, dtype=np.float32) for n, v in zip(CALENDAR, values, strict=True)}


def _weather(weather: pd.DataFrame, day: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    check_columns(weather.columns, allowed=("date", *WEATHER), where="weather")
    _one_row_each("weather", weather, "date")
    dates = weather["date"].to_numpy("datetime64[D]").astype(np.int64)
    at = pd.Index(dates).get_indexer(day)
    return {
        f"{name}_before": _taken(weather[name], at) for name in WEATHER if name in weather.columns
    }


def _census(census: pd.DataFrame, area_id: pd.Series) -> dict[str, NDArray[np.float32]]:
    check_columns(census.columns, allowed=("area_id", *CENSUS), where="census")
    _one_row_each("census", census, "area_id")
    at = pd.Index(census["area_id"].astype(str)).get_indexer(area_id)
    return {name: _taken(census[name], at) for name in CENSUS if name in census.columns}


def _one_row_each(where: str, table: pd.DataFrame, key: str) -> None:
    faults = FaultList()
    if key not in table.columns:
        faults.add(where, f"no column {key!r}", f"a column {key}")
    elif table[key].duplicated().any():
        found = f"{table.loc[table[key].duplicated(), key].iloc[0]} twice"
        faults.add(where, found, f"one row for each {key}")
    faults.raise_if_any()


def _taken(values: pd.Series, at: NDArray[np.intp]) -> NDArray[np.float32]:
    numbers = values.to_numpy(np.float32, na_value=np.nan)
    return np.where(at < 0, np.float32(np.nan), numbers[at]).astype(np.float32)

"""Put a supposed weather over the days of a plan: a hot week, a snow day, the season's usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SNOW_CM_PER_WATER_MM = 0.7
"""7 cm of snow melt to 10 mm of water, as Open-Meteo counts it."""
_NEAR = pd.Timedelta(days=14)
_RECENT = pd.Timedelta(days=28)
_VALUES = ("temperature_c", "precipitation_mm", "snowfall_cm", "wind_kph")
_SUMS = ("precipitation_mm", "snowfall_cm")


class WeatherScenario(Protocol):
    """What a scenario file supposes about the weather; None leaves a value as it is."""

    @property
    def name(self) -> str:
        """What reports call it."""

    @property
    def days(self) -> Sequence[int]:
        """Days of the plan it holds on, 1 = the first; none = every day."""

    @property
    def base(self) -> str:
        """``forecast``: change the weather of the file; ``season``: the season's usual."""

    @property
    def shift_c(self) -> float:
        """Added to every temperature, degrees C."""

    @property
    def day_high_c(self) -> float | None:
        """Highest temperature of each day, degrees C."""

    @property
    def day_low_c(self) -> float | None:
        """Lowest temperature of each day, degrees C."""

    @property
    def precipitation_mm(self) -> float | None:
        """Rain, or water of the snow, of each day, mm."""

    @property
    def snowfall_cm(self) -> float | None:
        """New snow of each day, cm."""

    @property
    def wind_kph(self) -> float | None:
        """Wind of every hour, km/h."""


def suppose_weather(
    weather: pd.DataFrame | None, scenario: WeatherScenario, *, start: pd.Timestamp
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Change the weather from `start` on, and nothing before it.

    Hours of the chosen days that have no weather, or all of them with the base ``season``, first
    take the mean of the same hour of the day within 14 days of that day of the year in the years
    before `start`, or of the 28 days before `start` where there is no such year. Then each day's
    temperatures are moved so that their highest and lowest are those asked for: by one number when
    only one is asked for, else stretched between the two. Amounts are spread evenly over the day.

    Parameters
    ----------
    weather
        Every wall-clock hour from the history to the end of the plan, as `Covariates.weather`.
    scenario
        What is supposed.
    start
        First hour of the plan, naive local.

    Returns
    -------
    weather : pandas.DataFrame
        A copy; the extremes of the changed days are worked out anew.
    notes : tuple of str
        What was supposed, in words; it stands on the page.

    Raises
    ------
    InputError
        Without weather in the history, or for a day that the plan does not have.
    """
    if weather is None or weather.empty or not (weather["hour"] < start).any():
        found = "a supposed weather, but no weather of the history to learn its effect from"
        raise InputError.of("demand.weather", found, "inputs.weather that reaches back")
    table = weather.set_index("hour")
    ahead = table.index >= start
    day_of = np.asarray((table.index.normalize() - start.normalize()).days, dtype=np.int64) + 1
    last = int(day_of[ahead].max(initial=0))
    beyond = [day for day in scenario.days if day > last]
    if beyond:
        found = f"day {beyond[0]}"
        raise InputError.of("demand.weather.days", found, f"days of the plan, 1 to {last}")
    chosen = ahead & (np.isin(day_of, scenario.days) if len(scenario.days) else True)
    rows = np.flatnonzero(chosen)
    for name in _VALUES:
        if name not in table:
            table[name] = np.nan
        column = table[name].to_numpy(dtype=float, copy=True)
        take = rows if scenario.base == "season" else rows[np.isnan(column[rows])]
        column[take] = _usual(table[name], table.index[take], start)
        table[name] = column
    warmth = table["temperature_c"].to_numpy(dtype=float, copy=True)
    for day in np.unique(day_of[rows]):
        mine = rows[day_of[rows] == day]
        warmth[mine] = _moved(warmth[mine], scenario)
        for name in ("temperature_min_c", "temperature_max_c"):
            extreme = np.nanmin if name == "temperature_min_c" else np.nanmax
            table.loc[table.index[mine], name] = extreme(warmth[mine])
    table["temperature_c"] = warmth
    _lay_amounts(table, rows, day_of, scenario)
    return table.reset_index(), (_words(scenario, table, rows, day_of),)


def _usual(values: pd.Series, hours: pd.DatetimeIndex, start: pd.Timestamp) -> NDArray[np.float64]:
    """Mean of earlier years at this hour of the day near this day of the year; else of late."""
    known = values[(values.index < start) & values.notna()]
    if known.empty:
        return np.full(len(hours), np.nan if values.name == "temperature_c" else 0.0)
    recent = known[known.index >= known.index[-1] - _RECENT]
    late = recent.groupby(recent.index.hour).mean()
    years = range(1, start.year - known.index[0].year + 1)
    means = []
    for day, mine in pd.Series(hours, index=hours.normalize()).groupby(level=0):
        near = [
            known[(known.index >= then - _NEAR) & (known.index < then + _NEAR + pd.Timedelta("1D"))]
            for then in (day - pd.DateOffset(years=back) for back in years)
        ]
        there = pd.concat(near) if near else known[:0]
        by_hour = there.groupby(there.index.hour).mean() if len(there) else late
        hour = pd.DatetimeIndex(mine).hour
        means.append(by_hour.reindex(hour).fillna(float(known.mean())).to_numpy(dtype=float))
    return np.concatenate(means) if means else np.zeros(0)


def _moved(warmth: NDArray[np.float64], scenario: WeatherScenario) -> NDArray[np.float64]:
    """Move the temperatures of one day."""
    high, low = scenario.day_high_c, scenario.day_low_c
    moved = warmth + scenario.shift_c
    top, bottom = float(np.nanmax(moved)), float(np.nanmin(moved))
    if high is not None and low is not None:
        share = (moved - bottom) / (top - bottom) if top > bottom else np.full(len(moved), 0.5)
        moved = low + share * (high - low)
    elif high is not None:
        moved = moved + (high - top)
    elif low is not None:
        moved = moved + (low - bottom)
    return moved


def _lay_amounts(
    table: pd.DataFrame,
    rows: NDArray[np.int64],
    day_of: NDArray[np.int64],
    scenario: WeatherScenario,
) -> None:
    amounts = {"precipitation_mm": scenario.precipitation_mm, "snowfall_cm": scenario.snowfall_cm}
    if scenario.snowfall_cm is not None and scenario.precipitation_mm is None:
        amounts["precipitation_mm"] = scenario.snowfall_cm / SNOW_CM_PER_WATER_MM
    num_hours = np.bincount(day_of[rows])[day_of[rows]] if len(rows) else np.ones(0)
    for name, amount in amounts.items():
        if amount is not None:
            table.iloc[rows, table.columns.get_loc(name)] = amount / num_hours
    if scenario.wind_kph is not None:
        table.iloc[rows, table.columns.get_loc("wind_kph")] = scenario.wind_kph


def _words(
    scenario: WeatherScenario,
    table: pd.DataFrame,
    rows: NDArray[np.int64],
    day_of: NDArray[np.int64],
) -> str:
    laid = table.iloc[rows]
    by_day = laid.groupby(day_of[rows])
    highs = by_day["temperature_c"].max()
    parts = [f"highs of {_span(highs)} °C"] if highs.notna().any() else []
    for name, unit, what in (
        ("precipitation_mm", "mm", "rain or melted snow"),
        ("snowfall_cm", "cm", "new snow"),
    ):
        sums = by_day[name].sum()
        if sums.max() >= 0.1:
            parts.append(f"{_span(sums)} {unit} of {what} a day")
    if scenario.wind_kph is not None:
        parts.append(f"wind of {scenario.wind_kph:g} km/h")
    days = "every day" if not len(scenario.days) else "day " + ", ".join(map(str, scenario.days))
    title = scenario.name.replace("_", " ").strip()
    return (
        f"SUPPOSED WEATHER{f' “{title}”' if title else ''} on {days} of the plan, not a forecast: "
        + "; ".join(parts)
    )


def _span(values: pd.Series) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"

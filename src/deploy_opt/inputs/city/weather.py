"""Makes the sample city's weather: what happened, and what was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.city.draws import normal
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.city.clock import Hours


@dataclass(frozen=True, slots=True)
class Weather:
    """Hourly weather, one value per row of `Hours`."""

    temperature_c: NDArray[np.float64]
    humidity_pct: NDArray[np.float64]
    precipitation_mm: NDArray[np.float64]
    snowfall_cm: NDArray[np.float64]
    wind_kph: NDArray[np.float64]


def _memory(noise: NDArray[np.float64], keep: float) -> NDArray[np.float64]:
    """Turn white noise into an AR(1) series of variance 1."""
    from scipy.signal import lfilter

    scaled = noise * np.sqrt(1 - keep**2)
    scaled[0] = noise[0]
    return np.asarray(lfilter([1.0], [1.0, -keep], scaled), dtype=np.float64)


def _normal_temperature(hours: Hours) -> NDArray[np.float64]:
    day_of_year = (hours.local - hours.local.astype("datetime64[Y]")) / np.timedelta64(1, "D")
    season = -np.cos(2 * np.pi * (day_of_year - 20.0) / 365.25)
    clock = np.cos(2 * np.pi * (hours.hour - 15.0) / 24.0)
    return np.asarray(9.0 + 12.9 * season + (3.6 + 1.0 * season) * clock)


def _rounded(
    temperature: NDArray[np.float64],
    humidity: NDArray[np.float64],
    rain: NDArray[np.float64],
    wind: NDArray[np.float64],
) -> Weather:
    temperature = np.round(temperature, 1)
    rain = np.round(np.where(rain < 0.1, 0.0, rain), 1)
    return Weather(
        temperature_c=temperature,
        humidity_pct=np.round(np.clip(humidity, 18, 100)),
        precipitation_mm=rain,
        snowfall_cm=np.round(np.where(temperature <= 0.3, 0.7 * rain, 0.0), 2),
        wind_kph=np.round(wind, 1),
    )


def make_weather(hours: Hours, seed: int) -> tuple[Weather, Weather]:
    """Make the weather that happened and the file's weather.

    Parameters
    ----------
    hours
        The calendar.
    seed
        The city's seed.

    Returns
    -------
    tuple of Weather
        The actual weather of every hour; and what a planner has on the first day of the plan:
        observed before it, a forecast after it that decays to the normal of the season.
    """
    rng = stream(seed, "city", "weather")
    size = len(hours.utc_s)
    usual = _normal_temperature(hours)
    slow = _memory(normal(rng, size), np.exp(-1 / 60))
    fast = _memory(normal(rng, size), np.exp(-1 / 6))
    front = _memory(normal(rng, size), np.exp(-1 / 9))
    temperature = usual + 3.9 * slow + 1.0 * fast
    wet = np.maximum(front - 1.22, 0.0)
    rain = 1.9 * wet**1.3 * np.exp(0.45 * fast)
    humidity = 66 + 9 * front - 5 * fast - 1.1 * (usual - 9.2) / 4 + 6 * (wet > 0)
    wind = np.exp(2.35 + 0.35 * _memory(normal(rng, size), np.exp(-1 / 8)) + 0.12 * front)
    actual = _rounded(temperature, humidity, rain, wind)
    lead_day = np.maximum(np.arange(size) - hours.num_history, 0) / 24.0
    after = np.arange(size) >= hours.num_history
    trust = np.where(after, np.exp(-((lead_day / 6.0) ** 2)), 1.0)
    miss = _memory(normal(rng, size), np.exp(-1 / 30)) * np.sqrt(1 - trust**2)
    forecast = _rounded(
        usual + trust * (temperature - usual) + 1.2 * miss * trust,
        66 + trust * (humidity - 66),
        np.where(trust > 0.5, rain, 0.0),
        10.5 + trust * (wind - 10.5),
    )
    return actual, forecast

"""Makes the sample city's weather: what happened, and what was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.city.draws import normal
from deploy_opt.seeds import stream
from deploy_opt.units import SECONDS_PER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.city.clock import Hours


@dataclass(frozen=True, slots=True)
class Weather:
    """Hourly weather of whole days in GMT, rounded as it is written.

    Attributes
    ----------
    utc_s
        (hours,) start of the hour, seconds since 1970 in UTC.
    temperature_c, humidity_pct, wind_kph
        (hours,) at the start of the hour.
    precipitation_mm, snowfall_cm
        (hours,) sum of the hour that starts then.
    """

    utc_s: NDArray[np.int64]
    temperature_c: NDArray[np.float64]
    humidity_pct: NDArray[np.float64]
    precipitation_mm: NDArray[np.float64]
    snowfall_cm: NDArray[np.float64]
    wind_kph: NDArray[np.float64]

    def rows(self, hours: Hours) -> slice:
        """Find the rows of the city's calendar."""
        first = int((hours.utc_s[0] - self.utc_s[0]) // 3600)
        return slice(first, first + len(hours.utc_s))


def _memory(noise: NDArray[np.float64], keep: float) -> NDArray[np.float64]:
    """Turn white noise into an AR(1) series of variance 1."""
    from scipy.signal import lfilter

    scaled = noise * np.sqrt(1 - keep**2)
    scaled[0] = noise[0]
    return np.asarray(lfilter([1.0], [1.0, -keep], scaled), dtype=np.float64)


def _normal_temperature(utc_s: NDArray[np.int64]) -> NDArray[np.float64]:
    day_of_year = (utc_s - 1_704_067_200) / SECONDS_PER_DAY
    season = -np.cos(2 * np.pi * (day_of_year - 20.0) / 365.25)
    hour = utc_s % 86_400 / 3600
    clock = np.cos(2 * np.pi * (hour - 20.0) / 24.0)
    return np.asarray(9.0 + 12.9 * season + (3.6 + 1.0 * season) * clock)


def _rounded(
    utc_s: NDArray[np.int64],
    temperature: NDArray[np.float64],
    humidity: NDArray[np.float64],
    rain: NDArray[np.float64],
    wind: NDArray[np.float64],
) -> Weather:
    air = _to(temperature, 1)
    fallen = _to(np.where(rain < 0.1, 0.0, rain), 1)
    return Weather(
        utc_s=utc_s,
        temperature_c=air,
        humidity_pct=_to(np.clip(humidity, 18, 100), 0),
        precipitation_mm=fallen,
        snowfall_cm=_to(np.where(air <= 0.3, 0.7 * fallen, 0.0), 2),
        wind_kph=_to(wind, 1),
    )


def _to(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    return np.asarray(np.round(values, decimals), dtype=np.float64)


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
    first, last = int(hours.utc_s[0]) // 86_400, int(hours.utc_s[-1]) // 86_400 + 1
    utc_s = np.arange(first * 86_400, last * 86_400, 3600, dtype=np.int64)
    size = len(utc_s)
    usual = _normal_temperature(utc_s)
    slow = _memory(normal(rng, size), np.exp(-1 / 60))
    fast = _memory(normal(rng, size), np.exp(-1 / 6))
    front = _memory(normal(rng, size), np.exp(-1 / 9))
    temperature = usual + 3.9 * slow + 1.0 * fast
    wet = np.maximum(front - 1.22, 0.0)
    rain = 1.9 * wet**1.3 * np.exp(0.45 * fast)
    humidity = 66 + 9 * front - 5 * fast - 1.1 * (usual - 9.2) / 4 + 6 * (wet > 0)
    wind = np.exp(2.35 + 0.35 * _memory(normal(rng, size), np.exp(-1 / 8)) + 0.12 * front)
    actual = _rounded(utc_s, temperature, humidity, rain, wind)
    lead_day = np.maximum(utc_s - hours.utc_s[hours.num_history], 0) / SECONDS_PER_DAY
    trust = np.exp(-((lead_day / 6.0) ** 2))
    miss = _memory(normal(rng, size), np.exp(-1 / 30)) * np.sqrt(1 - trust**2)
    forecast = _rounded(
        utc_s,
        usual + trust * (temperature - usual) + 1.2 * miss * trust,
        66 + trust * (humidity - 66),
        np.where(trust > 0.5, rain, 0.0),
        10.5 + trust * (wind - 10.5),
    )
    return actual, forecast

"""Turn weather, holidays, events and school days into columns of an hour-by-driver matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from deploy_opt.demand.driver_calendar import holiday_columns, school_columns, season_columns
from deploy_opt.demand.driver_weather import weather_columns
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CROWD_BEFORE = pd.Timedelta(hours=2)
_CROWD_AFTER = pd.Timedelta(hours=3)


class CovariateFrames(Protocol):
    """What a forecast may know besides the counts; each frame may be None.

    Attributes
    ----------
    weather
        hour (naive local), temperature_c, precipitation_mm, snowfall_cm, wind_kph.
    events
        start_at, end_at (naive local), attendance [, lon, lat: degrees].
    holidays
        date, name.
    school_days
        date.
    """

    @property
    def weather(self) -> pd.DataFrame | None:
        """Weather by hour."""

    @property
    def events(self) -> pd.DataFrame | None:
        """Events with attendance."""

    @property
    def holidays(self) -> pd.DataFrame | None:
        """Public holidays."""

    @property
    def school_days(self) -> pd.DataFrame | None:
        """Days on which school is held."""


@dataclass(frozen=True, slots=True)
class Drivers:
    """Columns of the city models.

    Attributes
    ----------
    names
        One per column.
    past
        (history hours, columns), scaled so that an effect of a column is rarely above 30 %.
    ahead
        (horizon hours, columns).
    notes
        What was filled in, in words.
    groups
        What each column belongs to: season, holidays, school days, events, weather.
    """

    names: tuple[str, ...]
    past: NDArray[np.float64]
    ahead: NDArray[np.float64]
    notes: tuple[str, ...]
    groups: tuple[str, ...]


def build_drivers(
    covariates: CovariateFrames | None,
    past: pd.DatetimeIndex,
    ahead: pd.DatetimeIndex,
    *,
    weather_known_h: int | None = None,
) -> Drivers:
    """Make the driver columns of a history and a horizon.

    The trend stands still after the last hour of history: the level is kept current by the recent
    calls, as a straight line carried on for weeks does harm (``specs``: Wales, 6 to 12 weeks).

    Parameters
    ----------
    covariates
        Outside influences, or None.
    past, ahead
        Hours of the history and of the horizon.
    weather_known_h
        Hours of the horizon whose weather may be read from the frame; None: all that it holds.

    Notes
    -----
    Hours without weather take the mean of each weather column at that hour of the day within 14
    days of that day in the years of the history, or of the last 28 days known when there are none.
    """
    hours, num_past = past.append(ahead), len(past)
    notes: list[str] = []
    groups: dict[str, dict[str, NDArray[np.float64]]] = {"season": season_columns(hours, num_past)}
    if covariates is not None:
        known = num_past + (len(ahead) if weather_known_h is None else weather_known_h)
        groups |= {
            "holidays": holiday_columns(covariates.holidays, hours, num_past),
            "school days": school_columns(covariates.school_days, hours),
            "events": _crowds(covariates.events, hours),
            "weather": weather_columns(covariates.weather, hours, num_past, known, notes),
        }
    kept = [
        (group, name, column)
        for group, columns in groups.items()
        for name, column in columns.items()
        if np.ptp(column[:num_past]) > 0
    ]
    matrix = np.column_stack([k[2] for k in kept]) if kept else np.zeros((len(hours), 0))
    matrix = _beside_the_day(matrix, np.asarray(hours.hour), num_past)
    return Drivers(
        tuple(k[1] for k in kept),
        matrix[:num_past],
        matrix[num_past:],
        tuple(notes),
        tuple(k[0] for k in kept),
    )


def _beside_the_day(
    matrix: NDArray[np.float64], hour: NDArray[np.int64], num_past: int
) -> NDArray[np.float64]:
    """Subtract each column's mean at that hour of the day in the history.

    The weekly profile already holds what the daily course of a column (warm afternoons) goes with;
    left in, it would pull the effect of a warm day towards nothing.
    """
    from scipy.sparse import csr_array

    rows = np.arange(num_past)
    pick = csr_array((np.ones(num_past), (hour[:num_past], rows)), shape=(HOURS_PER_DAY, num_past))
    num = np.maximum(pick.sum(axis=1), 1.0)
    means = (pick @ matrix[:num_past]) / num[:, None]
    left: NDArray[np.float64] = matrix - means[hour]
    return left


def _crowds(table: pd.DataFrame | None, hours: pd.DatetimeIndex) -> dict[str, NDArray[np.float64]]:
    if table is None or table.empty or not len(hours):
        return {}
    heads = pd.to_numeric(table["attendance"], errors="coerce").fillna(0.0).to_numpy(dtype=float)
    come = hours.searchsorted(pd.DatetimeIndex(table["start_at"]) - _CROWD_BEFORE)
    gone = hours.searchsorted(pd.DatetimeIndex(table["end_at"]) + _CROWD_AFTER)
    change = np.zeros(len(hours) + 1)
    np.add.at(change, come, heads)
    np.add.at(change, gone, -heads)
    present = np.maximum(np.cumsum(change)[:-1], 0.0)
    return {"crowd": np.log1p(present / 1000.0)}

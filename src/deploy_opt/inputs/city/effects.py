"""Holds the constants behind the sample city's true call rates; written out as the truth."""

from __future__ import annotations

import datetime as dt
from types import MappingProxyType
from typing import Any, Final

from deploy_opt.inputs.city.places import (
    DRIFTING_AREA,
    FESTIVAL_AREA,
    NEAR_MAIN_BRIDGE,
    NEAR_MINOR_BRIDGE,
)

CALLS_PER_DAY: Final = {"ems": 110.0, "police": 111.0, "police_self": 59.0, "coresponse": 9.0}
"""Expected calls a day, mean over the history; police_self is what officers start themselves."""
SERVICES: Final = tuple(CALLS_PER_DAY)
DAY_SD: Final = 0.05
TREND_PER_YEAR: Final = {"ems": 0.025, "police": -0.01, "police_self": -0.03, "coresponse": 0.09}
WEEKDAY: Final = {
    "ems": (1.03, 0.99, 0.98, 0.99, 1.04, 1.01, 0.96),
    "police": (0.98, 0.96, 0.97, 0.98, 1.06, 1.07, 0.98),
    "police_self": (0.95, 1.02, 1.05, 1.05, 1.04, 0.98, 0.91),
    "coresponse": (1.06, 1.04, 1.03, 1.03, 1.02, 0.93, 0.89),
}
ANNUAL: Final = {
    "ems": (0.030, 0.4, 0.020, 3.0),
    "police": (0.085, 6.6, 0.015, 2.0),
    "police_self": (0.060, 5.4, 0.020, 3.5),
    "coresponse": (0.045, 5.2, 0.010, 1.0),
}
"""Size and peak month of the yearly wave, then of the half-yearly wave."""
HOLIDAY: Final = {
    "New Year's Day": (1.14, 1.18, 0.70, 0.95),
    "Martin Luther King Jr. Day": (0.97, 0.96, 0.90, 0.92),
    "Washington's Birthday": (0.97, 0.97, 0.92, 0.94),
    "Memorial Day": (0.90, 0.97, 0.85, 0.88),
    "Juneteenth": (1.00, 1.02, 0.90, 0.95),
    "Independence Day": (1.10, 1.28, 0.80, 1.00),
    "Labor Day": (0.92, 0.98, 0.85, 0.90),
    "Columbus Day": (0.98, 0.98, 0.95, 0.95),
    "Veterans Day": (0.98, 0.97, 0.95, 0.96),
    "Thanksgiving Day": (0.84, 0.80, 0.65, 0.80),
    "Christmas Day": (0.79, 0.72, 0.55, 0.82),
}
"""Factor of the whole day: ems, police, police_self, coresponse."""
HOLIDAY_NIGHT: Final = {
    "New Year's Day": (0, 5, 1.70),
    "Independence Day": (20, 24, 1.45),
}
"""First hour, hour after the last, further factor for ems and police."""
SCHOOL: Final = {
    "ems": (7, 16, 1.03),
    "police": (14, 17, 1.10),
    "police_self": (7, 16, 1.00),
    "coresponse": (8, 15, 1.12),
}
TERM_BREAK: Final = {"ems": 0.66, "police": 0.58, "police_self": 0.70, "coresponse": 0.55}
WEATHER: Final = {
    "ems": {"heat_per_c": 0.011, "cold_per_c": 0.006, "wet": 1.015, "snow": 1.07, "ice": 1.16},
    "police": {"heat_per_c": 0.008, "cold_per_c": -0.012, "wet": 0.95, "snow": 0.88, "ice": 1.10},
    "police_self": {
        "heat_per_c": 0.0,
        "cold_per_c": -0.02,
        "wet": 0.88,
        "snow": 0.70,
        "ice": 0.75,
    },
    "coresponse": {"heat_per_c": 0.006, "cold_per_c": 0.004, "wet": 0.98, "snow": 0.95, "ice": 1.0},
}
HEAT_ABOVE_C: Final = 26.0
COLD_BELOW_C: Final = -6.0
SNOW_DAY_CM: Final = 3.0
CROWD_PER_1000: Final = {
    "ems": 0.075,
    "police": 0.10,
    "police_self": 0.05,
    "coresponse": 0.01,
}
CROWD_HOURS: Final = (2, 3)
"""The crowd is felt from so many hours before the start to so many after the end."""
FESTIVAL: Final = (dt.date(2025, 7, 14), dt.date(2025, 7, 21), 11, 24)
FESTIVAL_FACTOR: Final = {"ems": 3.2, "police": 3.6, "police_self": 2.5, "coresponse": 1.6}
BRIDGE_CLOSED: Final = (dt.date(2025, 10, 6), dt.date(2025, 10, 13))
BRIDGE_FACTOR: Final = {"main": 0.82, "minor": 1.22}
DRIFT_START: Final = dt.date(2025, 7, 7)
DRIFT_END_FACTOR: Final = 1.9
OUTAGE: Final = (dt.datetime(2025, 5, 13, 2), dt.datetime(2025, 5, 13, 11))  # noqa: DTZ001  (local wall time)
CATCH_UP_SHARE: Final = 0.6
NUM_FAULTS: Final = MappingProxyType(
    {
        "ems": {"duplicates": 24, "without_coordinates": 40},
        "police": {"duplicates": 30, "without_coordinates": 60},
        "coresponse": {"duplicates": 4, "without_coordinates": 8},
    }
)


def effects() -> dict[str, Any]:
    """List every constant as plain values, for ``truth/effects.json``."""
    return {
        "synthetic": True,
        "calls_per_day_mean_of_history": CALLS_PER_DAY,
        "day_factor_gamma_sd": DAY_SD,
        "trend_per_year": TREND_PER_YEAR,
        "weekday_factor_monday_first": WEEKDAY,
        "annual_wave_size_peak_month_half_size_peak_month": ANNUAL,
        "holiday_factor_ems_police_police_self_coresponse": HOLIDAY,
        "holiday_night_first_hour_last_hour_factor": HOLIDAY_NIGHT,
        "school_day_first_hour_last_hour_factor": SCHOOL,
        "university_break_factor": TERM_BREAK,
        "weather": {
            "by_service": WEATHER,
            "heat_above_c": HEAT_ABOVE_C,
            "cold_below_c": COLD_BELOW_C,
            "snow_day_from_cm": SNOW_DAY_CM,
        },
        "crowd": {
            "gain_per_1000_at_the_venue": CROWD_PER_1000,
            "hours_before_start_and_after_end": CROWD_HOURS,
            "distance_law": "exp(-(km/0.8)^2), nothing beyond 1.6 km",
        },
    }


def outside(id_of: dict[str, str], bridges: dict[str, list[str]]) -> dict[str, Any]:
    """List the effects that no model of the family can hold, with the areas they touch.

    Parameters
    ----------
    id_of
        area_id by name of the area.
    bridges
        The two road nodes of the main and of the minor bridge.
    """
    start, stop, first_h, last_h = FESTIVAL
    return {
        "festival_week": {
            "area_id": id_of[FESTIVAL_AREA],
            "first_day": start.isoformat(),
            "until": stop.isoformat(),
            "hours_of_the_day": [first_h, last_h],
            "factor": FESTIVAL_FACTOR,
            "in_events_file": False,
        },
        "closed_bridge_week": {
            "bridge_nodes": bridges["main"],
            "minor_bridge_nodes": bridges["minor"],
            "first_day": BRIDGE_CLOSED[0].isoformat(),
            "until": BRIDGE_CLOSED[1].isoformat(),
            "factor": BRIDGE_FACTOR,
            "areas_near_main": [id_of[name] for name in NEAR_MAIN_BRIDGE],
            "areas_near_minor": [id_of[name] for name in NEAR_MINOR_BRIDGE],
            "ambulances": "drove round by the minor bridge; patrol drives took 15 % longer",
        },
        "drifting_area": {
            "area_id": id_of[DRIFTING_AREA],
            "first_day": DRIFT_START.isoformat(),
            "factor_at_the_end": DRIFT_END_FACTOR,
            "law": "grows by the same share each week to the end of the history, then stays",
        },
    }

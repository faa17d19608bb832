"""Conversion factors between units; nowhere else are they written as numbers."""

from __future__ import annotations

SECONDS_PER_MINUTE = 60.0
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86_400.0
MINUTES_PER_HOUR = 60.0
HOURS_PER_DAY = 24
HOURS_PER_WEEK = 168
METRES_PER_KM = 1000.0
METRES_PER_MILE = 1609.344
METRES_PER_FOOT = 0.3048
METRES_PER_US_SURVEY_FOOT = 1200.0 / 3937.0
MM_PER_INCH = 25.4
KPH_PER_MPH = 1.609344
KPH_PER_KNOT = 1.852
KPH_PER_MPS = 3.6

SECONDS_PER_UNIT = {
    "s": 1.0,
    "sec": 1.0,
    "seconds": 1.0,
    "min": SECONDS_PER_MINUTE,
    "minutes": SECONDS_PER_MINUTE,
    "h": SECONDS_PER_HOUR,
    "hours": SECONDS_PER_HOUR,
    "days": SECONDS_PER_DAY,
}


def celsius(fahrenheit: float) -> float:
    """Convert a temperature from degrees Fahrenheit to degrees Celsius."""
    return (fahrenheit - 32.0) / 1.8

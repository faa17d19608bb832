"""Holds today's rosters of the sample city: ambulances and patrols."""

from __future__ import annotations

import pandas as pd

_DAY = (2, 1, 1, 1, 1, 1, 2, 1, 1, 1)
_NIGHT = (1, 1, 1, 1, 1, 0, 1, 1, 1, 1)
_WEEKEND_DAY = (1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
_WEEKEND_NIGHT = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1)

_WATCHES = {
    "Foundry": (3, 4, 2),
    "Harbor": (2, 3, 2),
    "Lakeside": (3, 4, 2),
    "Meadows": (3, 4, 3),
    "Ridge": (3, 4, 2),
    "University": (3, 4, 2),
}


def make_roster() -> pd.DataFrame:
    """List today's units: twelve-hour crews changing at 07:00 and 19:00, spread by station.

    The crews grew with the stations, not with the calls, and stand where they sleep.

    Returns
    -------
    pandas.DataFrame
        hour (of the week, Monday 00:00 = 0), post_id, unit_type, units; 1,764 unit-hours.
    """
    rows = []
    for hour in range(168):
        shift = (hour - 7) % 168
        weekend = shift // 24 >= 5
        if shift % 24 < 12:
            units = _WEEKEND_DAY if weekend else _DAY
        else:
            units = _WEEKEND_NIGHT if weekend else _NIGHT
        rows += [(hour, f"S{k + 1:02d}", "als", n) for k, n in enumerate(units) if n]
    return pd.DataFrame(rows, columns=["hour", "post_id", "unit_type", "units"])


def make_patrol_roster() -> pd.DataFrame:
    """List today's patrols: three watches from 07:00, 15:00 and 23:00, alike on every day.

    The districts got their cars when they were drawn, and the watches change at one hour.

    Returns
    -------
    pandas.DataFrame
        hour (of the week, Monday 00:00 = 0), district, unit_type, units; 2,968 unit-hours.
    """
    rows = [
        (hour, district, "patrol", watches[(hour - 7) % 24 // 8])
        for hour in range(168)
        for district, watches in _WATCHES.items()
    ]
    return pd.DataFrame(rows, columns=["hour", "district", "unit_type", "units"])

"""Holds today's ambulance roster of the sample city."""

from __future__ import annotations

import pandas as pd

_DAY = (2, 1, 1, 1, 1, 1, 2, 1, 1, 1)
_NIGHT = (1, 1, 1, 1, 1, 0, 1, 1, 1, 1)
_WEEKEND_DAY = (1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
_WEEKEND_NIGHT = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1)


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

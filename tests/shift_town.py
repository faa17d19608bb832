"""A town of two posts whose week of shifts fits on a page."""

import numpy as np
import pandas as pd

from deploy_opt.report.shift_tables import ShiftWords

ZONE = "America/New_York"
POSTS = pd.DataFrame({"post_id": ["P1", "P2"], "name": ["Station 1", "=Market, hall"]})
WORDS = ShiftWords("als", {"paramedic": 1, "emt": 1}, "plan-a", 30)


def town_week():
    """Units on duty and crews: two all day, a third by day that moves at noon on Mondays."""
    units = np.zeros((168, 2), dtype=np.int64)
    units[:, 0] = 1
    rows = [((24 * day + start) % 168, 12, 1) for day in range(7) for start in (7, 19)]
    units[8:12, 1] = 1
    units[12:18, 0] = 2
    rows.append((8, 10, 1))
    crews = pd.DataFrame(rows, columns=["start_hour", "length_h", "crews"])
    return units, crews

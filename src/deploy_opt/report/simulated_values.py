"""Values of the simulation as pages show them: shares turned, intervals, cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

ARMS = ("plan", "baseline", "difference")
_TURNED = {"value": "value", "lo": "hi", "hi": "lo"}


def interval(rows: pd.DataFrame, statistic: str) -> dict[str, float]:
    """Take value, lo and hi of a statistic out of rows that it indexes; NaN where absent."""
    if statistic not in rows.index:
        return dict.fromkeys(_TURNED, float("nan"))
    return {name: float(rows.loc[statistic, name]) for name in _TURNED}


def in_time(late: Mapping[str, float], *, difference: bool = False) -> dict[str, float]:
    """Turn a late share, or a difference of two, into the share in time, within 0 and 1.

    Examples
    --------
    >>> in_time({"value": 0.25, "lo": 0.125, "hi": 0.5})
    {'value': 0.75, 'lo': 0.5, 'hi': 0.875}
    """
    if difference:
        return {name: -late[other] for name, other in _TURNED.items()}
    return {name: float(np.clip(1.0 - late[other], 0.0, 1.0)) for name, other in _TURNED.items()}


def arm_values(rows: pd.DataFrame, arm: str, statistics: Sequence[str]) -> dict[str, Any]:
    """Gather the share in time and other statistics of an arm, indexed by statistic."""
    late = interval(rows, "late_share")
    found = {"in_time": in_time(late, difference=arm == "difference")}
    return found | {name: interval(rows, name) for name in statistics}


def value_cell(found: Mapping[str, float], name: str, *, signed: bool = False) -> str:
    """Write a value with its interval; shares of a difference as points.

    Examples
    --------
    >>> value_cell({"value": 0.012, "lo": 0.01, "hi": 0.014}, "in_time", signed=True)
    '+1.20 points (+1.00 to +1.40)'
    """
    value, lo, hi = (found[key] for key in ("value", "lo", "hi"))
    if not np.isfinite(value):
        return "–"
    seconds = name.endswith("_s")
    sign = "+" if signed else ""
    scale, digits, unit = (1.0, 1, " s") if seconds else (100.0, 2, " points" if signed else " %")
    shape = f"{sign}.{digits}f"
    numbers = [format(scale * number, shape) for number in (value, lo, hi)]
    return f"{numbers[0]}{unit} ({numbers[1]} to {numbers[2]})".replace("-", "\u2212")

"""Lines of rosters put beside the dated shifts that they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from deploy_opt.plan.rosters.rota import OFF

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from deploy_opt.plan.rosters.rota import Rota

_DAYS = 7
_NEAR_H = 2.0
"""A line works a shift whose start and length are off by no more than this together: in the
night of a clock change a shift may start later or be shorter."""


def lines_of_shifts(whole: pd.DataFrame, rotas: Sequence[Rota], first: dt.date) -> pd.Series[str]:
    """Say which line of which roster works each shift.

    On each day the lines that the rosters put on duty are paired with the day's shifts, nearest
    start and length first. Shifts beyond the rosters (extra crews, holidays staffed otherwise)
    have no line: they are open, or overtime.

    Parameters
    ----------
    whole
        A row for each whole shift: start, end (naive local).
    rotas
        Rosters of its role.
    first
        Monday on which line i of each roster works its week i.

    Returns
    -------
    pandas.Series
        Such as ``als 3, line 2``; empty where no line works it. Index of `whole`.
    """
    found = pd.Series("", index=whole.index, dtype=object)
    day = ((whole["start"].dt.normalize() - pd.Timestamp(first)).dt.days).to_numpy()
    start_h = (whole["start"] - whole["start"].dt.normalize()) / pd.Timedelta(hours=1)
    length_h = (whole["end"] - whole["start"]) / pd.Timedelta(hours=1)
    for of_day in np.unique(day).tolist():
        rows = np.flatnonzero(day == of_day)
        on_duty = [
            (f"{rota.name}, line {line + 1}", int(rota.start_h[kind]), int(rota.length_h[kind]))
            for rota in rotas
            for line in range(rota.lines)
            if (kind := rota.kind_on(line, of_day // _DAYS, of_day % _DAYS)) != OFF
        ]
        if not on_duty:
            continue
        starts, lengths = (np.asarray([duty[part] for duty in on_duty]) for part in (1, 2))
        apart = np.abs(start_h.to_numpy()[rows][:, None] - starts[None, :])
        apart = apart + np.abs(length_h.to_numpy()[rows][:, None] - lengths[None, :])
        for row, column in zip(*linear_sum_assignment(np.minimum(apart, 1e3)), strict=True):
            if apart[row, column] <= _NEAR_H:
                found.iloc[rows[row]] = on_duty[column][0]
    return found

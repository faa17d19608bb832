"""What the records say of the standard: the calls that were reached in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.report.results import OnRecord
from deploy_opt.risk.likelihood import clopper_pearson

if TYPE_CHECKING:
    from deploy_opt.settings import Scenario
    from deploy_opt.stages.kept import Calls

NUM_WEEKS = 12
LONGEST_RESPONSE_S = 4 * 3600.0
FEWEST_CALLS = 100


def recorded_in_time(scenario: Scenario, calls: Calls) -> OnRecord | None:
    """Count the calls of the last twelve weeks of records that were reached in time.

    The clock is the standard's: from the call to the first arrival, or, where the standard limits
    the drive alone, from the start of the drive. Times that are missing, negative or above four
    hours are left out and counted.

    Parameters
    ----------
    scenario
        Its first service and the standard of it.
    calls
        Located incidents.

    Returns
    -------
    OnRecord or None
        None where fewer than 100 calls have both times.
    """
    service = scenario.services[0]
    standard = scenario.standards[service]
    frame = calls.incidents
    if frame.empty:
        return None
    drives = standard.drive_limit_s is not None
    start, limit_s = (
        ("enroute_at", standard.drive_s)
        if drives
        else ("received_at", standard.drive_s + standard.before_drive_s)
    )
    own = frame.loc[frame["service"] == service, ["received_at", start, "arrived_at"]]
    own = own.loc[:, ~own.columns.duplicated()].dropna(subset=["received_at"])
    last = own.loc[own["arrived_at"].notna(), "received_at"].max()
    if pd.isna(last):
        return None
    own = own[own["received_at"] > last - pd.Timedelta(weeks=NUM_WEEKS)]
    seconds = (own["arrived_at"] - own[start]).dt.total_seconds()
    taken = seconds.between(0, LONGEST_RESPONSE_S)
    counted = int(taken.sum())
    if counted < FEWEST_CALLS:
        return None
    reached = int((seconds[taken] <= limit_s).sum())
    low, high = clopper_pearson(reached, counted)
    local = own["received_at"].dt.tz_convert(scenario.time_zone)
    return OnRecord(
        service=service,
        reached=reached / counted,
        low=float(low),
        high=float(high),
        num_calls=counted,
        num_left_out=int((~taken).sum()),
        mean_s=float(seconds[taken].mean()),
        p90_s=float(seconds[taken].quantile(0.9)),
        limit_s=float(limit_s),
        clock_start="unit starts to drive" if drives else "the call",
        first=local.min().date(),
        last=local.max().date(),
    )

"""Which counted calls the risk matrix keeps: origin, months and exclusions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.risk.call_counts import FLAGS
from deploy_opt.staffing import JULIAN_DAYS_PER_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.risk.call_counts import CallCounts
    from deploy_opt.risk_settings import RiskSettings


@dataclass(frozen=True, slots=True)
class Kept:
    """Calls that count.

    Attributes
    ----------
    histogram
        Calls by severity, shape (types, 5).
    hours
        Unit-hours of the period, shape (types,).
    excluded_calls
        Calls left out by a rule, shape (types,).
    exclusions
        Indexed by rule, with ``any`` and ``several``: calls, hours, only_this.
    years
        Length of the period, years of 365.25 days.
    """

    histogram: NDArray[np.int64]
    hours: NDArray[np.float64]
    excluded_calls: NDArray[np.int64]
    exclusions: pd.DataFrame
    years: float

    @property
    def calls(self) -> NDArray[np.int64]:
        """Calls of each type, shape (types,)."""
        return np.asarray(self.histogram.sum(axis=1))


def kept_rows(counts: CallCounts, settings: RiskSettings) -> Kept:
    """Choose the calls that count.

    Raises
    ------
    InputError
        For reference years without a call, and ALS options that the calls cannot answer.
    """
    if settings.years and (missing := sorted(set(settings.years) - set(counts.years))):
        known = ", ".join(str(year) for year in counts.years)
        raise InputError.of("params: years", str(missing[0]), f"years with calls: {known}")
    if settings.als_no_transport == 4 and not counts.has_als_visit:
        where = "params: als_no_transport"
        do = "rate the calls with call_severity"
        raise InputError.of(where, "4", "calls with a column severity_als_visit", do)
    months = _months(counts, settings)
    rows = counts.rows[counts.rows["month"].isin(months)]
    if settings.origin == "community":
        rows = rows[~rows["officer"]]
    severity = rows["severity" if settings.als_no_transport == 2 else "severity_als_visit"]
    dropped = np.zeros(len(rows), dtype=bool)
    harmless = np.zeros(len(rows), dtype=bool)
    for flag in FLAGS:
        rule = getattr(settings, flag)
        dropped |= rows[flag].to_numpy() & (rule == "drop")
        harmless |= rows[flag].to_numpy() & (rule == "numerator_only")
    column = np.where(harmless, 1, severity.to_numpy()) - 1
    types, calls = rows["type"].to_numpy(), rows["calls"].to_numpy()
    num_types = len(counts.call_types)

    def total(
        weights: NDArray[np.float64], at: NDArray[np.int64], size: int
    ) -> NDArray[np.float64]:
        return np.asarray(np.bincount(at, weights, minlength=size), dtype=np.float64)

    counted = ~dropped | settings.count_excluded_hours
    return Kept(
        total(calls * ~dropped, types * 5 + column, 5 * num_types)
        .reshape(num_types, 5)
        .astype(np.int64),
        total(rows["hours"].to_numpy() * counted, types, num_types),
        total(calls * dropped, types, num_types).astype(np.int64),
        _exclusions(rows, settings),
        _days(counts, months, settings) / JULIAN_DAYS_PER_YEAR,
    )


def _months(counts: CallCounts, settings: RiskSettings) -> NDArray[np.int64]:
    """Months of the period, also those without calls; 12 x year + month - 1."""
    first, last = (day.year * 12 + day.month - 1 for day in (counts.first_day, counts.last_day))
    months = np.arange(first, last + 1)
    if settings.years is not None:
        months = months[np.isin(months // 12, settings.years)]
    middle = (len(months) + 1) // 2
    if settings.half == "first":
        return months[:middle]
    return months[middle:] if settings.half == "second" else months


def _days(counts: CallCounts, months: NDArray[np.int64], settings: RiskSettings) -> float:
    """Days with records in the chosen months, from the first to the last day with a call."""
    days = pd.date_range(counts.first_day, counts.last_day, freq="D")
    chosen = np.isin(days.year * 12 + days.month - 1, months)
    recorded = len(days) if settings.period_days is None else settings.period_days
    return float(chosen.mean()) * recorded


def _exclusions(rows: pd.DataFrame, settings: RiskSettings) -> pd.DataFrame:
    active = [flag for flag in FLAGS if getattr(settings, flag) != "keep"]
    hit = rows[active].to_numpy(dtype=bool).reshape(len(rows), len(active))
    times = hit.sum(axis=1)
    found = {flag: hit[:, place] for place, flag in enumerate(active)}
    found |= {"any": times > 0, "several": times > 1}
    calls, hours = rows["calls"].to_numpy(), rows["hours"].to_numpy()
    return pd.DataFrame(
        {
            "calls": [int(calls[mask].sum()) for mask in found.values()],
            "hours": [float(hours[mask].sum()) for mask in found.values()],
            "only_this": [int(calls[mask & (times == 1)].sum()) for mask in found.values()],
        },
        index=pd.Index(list(found), name="rule"),
    )

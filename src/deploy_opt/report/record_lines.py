"""The records beside the model: what was reached in time, and whether the model can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy_opt.report.payload import whole
from deploy_opt.report.words import MONTHS

if TYPE_CHECKING:
    import datetime as dt

    from deploy_opt.report.results import OnRecord, ReportInputs
    from deploy_opt.report.tables import Tables

APART = 0.05
"""Share of calls by which model and records may differ before a reader is warned."""


def record_lines(inputs: ReportInputs, tables: Tables) -> tuple[str, ...]:
    """Say what the records hold, or nothing."""
    found = inputs.on_record
    return () if found is None else (record_sentence(found, _today(tables)),)


def cares(inputs: ReportInputs, tables: Tables) -> tuple[str, ...]:
    """Gather what a reader must see before the numbers."""
    found = inputs.on_record
    warning = "" if found is None else record_warning(found, _today(tables))
    return (*inputs.warnings, warning) if warning else inputs.warnings


def _today(tables: Tables) -> float:
    return float(tables.metric("reached", "baseline", "share")["value"])


def record_sentence(found: OnRecord, today: float) -> str:
    """Set the recorded share beside the model's for today.

    Parameters
    ----------
    found
        What the records say.
    today
        Share in time that the model gives for today.
    """
    return (
        f"On record {whole(100 * found.reached)} of 100 calls were in time ({_day(found.first)} to "
        f"{_day(found.last)} {found.last.year}, {found.num_calls:,} calls); the model says "
        f"{whole(100 * today)} for today."
    )


def record_warning(found: OnRecord, today: float) -> str:
    """Warn where model and records are more than five points apart; else empty."""
    apart = today - found.reached
    if abs(apart) <= APART or found.low <= today <= found.high:
        return ""
    kind = "kinder" if apart > 0 else "harder"
    return (
        f"the model is {abs(whole(100 * apart))} points {kind} than the records (today "
        f"{whole(100 * today)} of 100 in time, on record {whole(100 * found.reached)}): "
        "deploy-opt calibrate fits its drives and turnout to them"
    )


def record_metrics(found: OnRecord) -> list[dict[str, Any]]:
    """Rows of ``metrics.csv`` that the records give."""
    shared = {
        "arm": "baseline",
        "service": found.service,
        "population": "recorded calls",
        "period": f"{found.first.isoformat()} to {found.last.isoformat()}",
        "source": "observed",
        "clock_start": found.clock_start,
        "clock_stop": "arrival",
        "n": found.num_calls,
        "excluded_n": found.num_left_out,
        "exclusion_rule": "a time is missing, negative or above 4 h",
    }
    share = {"value": found.reached, "lo": found.low, "hi": found.high, "unit": "share"}
    return [
        shared | share | {"metric": "recorded_reached", "statistic": "share"}
        | {"threshold_s": found.limit_s},
        shared | {"metric": "recorded_response", "statistic": "mean", "value": found.mean_s,
                  "unit": "s"},
        shared | {"metric": "recorded_response", "statistic": "p90", "value": found.p90_s,
                  "unit": "s"},
    ]  # fmt: skip


def _day(day: dt.date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"

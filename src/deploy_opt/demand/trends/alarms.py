"""Detect what begins to rise: an alarms frame from a counts frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np
import pandas as pd

from deploy_opt.demand.trends.alarm_frame import ALARM_COLUMNS, frame_of_cells, frame_of_clusters
from deploy_opt.demand.trends.cells import AbsentRows, Cells, Initiated, Period, align, read_cells
from deploy_opt.demand.trends.cusum import CusumRule, cusum
from deploy_opt.demand.trends.ears import EarsRule, ears
from deploy_opt.demand.trends.farrington import FarringtonRule, farrington
from deploy_opt.demand.trends.scan_days import scan_days
from deploy_opt.demand.trends.space_time_scan import ScanRule
from deploy_opt.errors import FaultList, InputError, nearest

if TYPE_CHECKING:
    import datetime as dt

    from deploy_opt.demand.trends.ears import EarsVariant
    from deploy_opt.demand.trends.scores import Scores

Method = Literal["ears_c1", "ears_c2", "ears_c3", "farrington", "cusum", "scan"]
Rule = EarsRule | FarringtonRule | CusumRule | ScanRule

_RULES: dict[str, type[Rule]] = {
    "ears_c1": EarsRule,
    "ears_c2": EarsRule,
    "ears_c3": EarsRule,
    "farrington": FarringtonRule,
    "cusum": CusumRule,
    "scan": ScanRule,
}


def detect(  # noqa: PLR0913  (each names one choice of the analyst)
    counts: pd.DataFrame,
    *,
    method: Method = "cusum",
    rule: Rule | None = None,
    start: dt.date | str | None = None,
    initiated: Initiated = "community",
    absent_rows: AbsentRows = "unobserved",
    expected: pd.DataFrame | None = None,
    places: pd.DataFrame | None = None,
    false_alarm_share: float | None = 0.1,
    every: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """Detect areas and types of call that begin to rise.

    Parameters
    ----------
    counts
        Contract ``counts.parquet``: service, area_id, hour, num_calls and, if there, observed;
        with a column call_type each type is a cell of its own, with a column self_initiated see
        `initiated`. Rows may also be days or weeks.
    method
        ``ears_c1``, ``ears_c2``, ``ears_c3``: a day against the week before. ``cusum``: days added
        up, soonest for small lasting rises. ``farrington``: a week against the same season of
        earlier years. ``scan``: circles of areas over the last days.
    rule
        Settings: `EarsRule`, `CusumRule`, `FarringtonRule` or `ScanRule`; None: the defaults.
    start
        First day to look at; None: every period with enough history, for ``scan`` the last day.
    initiated
        Calls of the ``community`` alone (default), of the ``officer`` alone, or ``all``. What
        officers begin themselves rises where they are sent, so watch it apart.
    absent_rows
        Whether a row that is not there is ``unobserved`` or ``zero`` calls.
    expected
        For ``cusum``: a forecast made beforehand, contract ``forecast.parquet`` (service, area_id,
        hour, mean and, if there, call_type). None: the moving mean of earlier weeks.
    places
        For ``scan``: area_id, lon, lat, degrees.
    false_alarm_share
        Largest expected share of false alarms among the alarms of a period, over all cells
        (Benjamini and Hochberg); None: every cell for itself.
    every
        Give every tested cell and period, not the alarms alone.
    seed
        Of the permutations of ``scan``.

    Returns
    -------
    pandas.DataFrame
        `ALARM_COLUMNS`, ordered by period, then the most certain first: service, call_type,
        area_id; areas (of a cluster, joined by ``;``); period (first day); since (first day of the
        rise); num_calls, expected and upper (calls above which the method alarms) of the period,
        for ``scan`` of the rise; ratio of calls to expected calls since the rise began, with its
        95 % interval lo, hi; statistic, p_value, q_value (p-value allowing for the number of
        cells), alarm, method, initiated.

    Raises
    ------
    InputError
        With every fault found in the arguments and in the counts; also when no period has enough
        history.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> calls = [8, 10, 12, 9, 11, 10] * 9 + [10, 9, 11, 10, 24, 26]
    >>> counts = pd.DataFrame({"service": "ems", "area_id": "north", "hour": days,
    ...                        "num_calls": calls})
    >>> found = detect(counts, method="ears_c2", start="2024-02-20")
    >>> print(found[["area_id", "period", "since", "num_calls", "ratio"]].round(2).to_string())
      area_id     period      since  num_calls  ratio
    0   north 2024-02-28 2024-02-28         24   2.37
    1   north 2024-02-29 2024-02-28         26   2.45
    """
    _check_arguments(method, rule, start, expected, places, false_alarm_share)
    rule = rule if rule is not None else _RULES[method]()
    period: Period = "week" if method == "farrington" else "day"
    cells = read_cells(counts, period=period, initiated=initiated, absent_rows=absent_rows)
    first = 0 if start is None else int(cells.periods.searchsorted(pd.Timestamp(start)))
    if isinstance(rule, ScanRule):
        first = len(cells.periods) - 1 if start is None else first
        clusters = scan_days(cells, places, rule, first=first, seed=seed)
        found = frame_of_clusters(cells, clusters, rule, false_alarm_share)
    else:
        scores = _scores(cells, method, rule, expected, first)
        if not np.isfinite(scores.expected).any():
            there = f"{len(cells.periods)} {period}s from {cells.periods[0]:%Y-%m-%d}"
            raise InputError.of("counts", f"nothing to test in {there}", _needed(rule))
        found = frame_of_cells(cells, scores, first=first, false_alarm_share=false_alarm_share)
    found = found.assign(method=method, initiated=initiated)
    kept = found if every else found[found["alarm"]]
    return kept.reset_index(drop=True)[list(ALARM_COLUMNS)]


def _scores(
    cells: Cells,
    method: Method,
    rule: EarsRule | FarringtonRule | CusumRule,
    expected: pd.DataFrame | None,
    first: int,
) -> Scores:
    if isinstance(rule, EarsRule):
        return ears(cells.calls, cast("EarsVariant", method.removeprefix("ears_")), rule)
    if isinstance(rule, FarringtonRule):
        return farrington(cells.calls, cells.periods, rule, first=first)
    forecast = None
    if expected is not None:
        given = read_cells(expected, period="day", initiated="all", value="mean", where="expected")
        forecast = align(cells, given, "expected")
    weekday = np.asarray(cells.periods.dayofweek, dtype=np.int64)
    return cusum(cells.calls, rule, expected=forecast, weekday=weekday)


def _needed(rule: EarsRule | FarringtonRule | CusumRule) -> str:
    """Say what history a detector needs before the first tested period."""
    if isinstance(rule, FarringtonRule):
        return f"more than {rule.years} years (years of FarringtonRule) without missing weeks"
    if isinstance(rule, CusumRule):
        days = rule.fewest_periods + rule.guard_periods
        least = f"at least {rule.min_mean:g} calls a day expected"
        return f"more than {days} observed days of history, or a forecast, and {least}"
    least = f"a mean of {rule.min_mean:g} calls a day (min_mean of EarsRule)"
    return f"more than {rule.baseline_days + 2} days and {least}"


def _check_arguments(
    method: str,
    rule: Rule | None,
    start: dt.date | str | None,
    expected: pd.DataFrame | None,
    places: pd.DataFrame | None,
    false_alarm_share: float | None,
) -> None:
    faults = FaultList()
    methods = get_args(Method)
    if method not in methods:
        faults.add("method", repr(method), ", ".join(methods), nearest(str(method), methods))
        faults.raise_if_any()
    wanted = _RULES[method]
    if rule is not None and not isinstance(rule, wanted):
        faults.add("rule", type(rule).__name__, f"{wanted.__name__} for {method}")
    if start is not None and pd.isna(pd.to_datetime(start, errors="coerce")):
        faults.add("start", repr(start), "a date")
    if expected is not None and method != "cusum":
        faults.add("expected", f"a forecast for {method}", "none", "use it with cusum")
    if method == "scan" and places is None:
        faults.add("places", "nothing", "area_id, lon, lat of every area for scan")
    if false_alarm_share is not None and not 0 < false_alarm_share < 1:
        faults.add("false_alarm_share", str(false_alarm_share), "a share in (0, 1), or None")
    faults.raise_if_any()

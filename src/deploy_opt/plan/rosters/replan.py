"""Keep published shifts and meet a week's forecast by the cheapest overtime, call-ins, drops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList
from deploy_opt.plan.engines.model_builder import ModelBuilder
from deploy_opt.plan.solver import solve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.plan.results import SolveReport


@dataclass(frozen=True, slots=True)
class ReplanCosts:
    """What changes to published shifts cost, in pay of a plain hour.

    Attributes
    ----------
    overtime
        One hour of overtime before or after a shift.
    call_in
        One hour of a shift at short notice.
    drop
        What one hour of a dropped shift gives back; below 1, as notice must be paid.
    short
        One unit-hour that stays short.
    """

    overtime: float = 1.5
    call_in: float = 2.0
    drop: float = 0.5
    short: float = 1000.0


@dataclass(frozen=True, slots=True)
class ReplanRules:
    """What changes are allowed.

    Attributes
    ----------
    max_overtime_h
        Most hours added to a shift.
    max_shift_h
        Longest shift with its overtime, h.
    call_in_lengths_h
        Lengths of shifts at short notice; none: no call-ins.
    max_drops
        Most shifts dropped; None = any number.
    max_call_ins
        Most shifts at short notice; None = any number.
    """

    max_overtime_h: int = 4
    max_shift_h: int = 16
    call_in_lengths_h: tuple[int, ...] = (8,)
    max_drops: int | None = None
    max_call_ins: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Replan:
    """The cheapest way to meet a week's forecast on published shifts.

    Attributes
    ----------
    actions
        action (overtime, call_in, drop), start (hour of the horizon of the shift), length_h,
        before_h, after_h (overtime), crews, cost; in that order.
    units
        Units on duty after the actions, shape (hours,).
    short
        Units that stay short, shape (hours,).
    cost
        Cost of the actions, in plain hours; what stays short is not in it.
    report
        Solve report: objective and bound hold what stays short too.
    """

    actions: pd.DataFrame
    units: NDArray[np.int64]
    short: NDArray[np.int64]
    cost: float
    report: SolveReport


def replan_week(
    published: pd.DataFrame,
    need: ArrayLike,
    *,
    costs: ReplanCosts | None = None,
    rules: ReplanRules | None = None,
    engine: str = "highs",
) -> Replan:
    """Choose overtime, call-ins and drops for the least cost, as an integer program.

    Parameters
    ----------
    published
        start (hour of the horizon; below 0 where the shift began before), length_h, crews.
    need
        Units that the forecast asks for, shape (hours,).
    costs
        Prices.
    rules
        What is allowed.
    engine
        Solver, as in `solve`.

    Returns
    -------
    Replan
        Solved to optimality; the published shifts stand except those dropped.

    Raises
    ------
    InputError
        Cells or prices that cannot be; all of them.
    """
    prices, allowed = costs or ReplanCosts(), rules or ReplanRules()
    wanted = np.asarray(need, dtype=np.float64)
    _check(published, wanted, prices)
    kinds = (
        published.groupby(["start", "length_h"], sort=True)["crews"].sum().astype(int).reset_index()
    )
    kinds = kinds[kinds["crews"] > 0].reset_index(drop=True)
    hours = wanted.size
    options = _options(kinds, hours, prices, allowed)
    on_duty = np.zeros(hours)
    for start, length, crews in kinds.itertuples(index=False):
        on_duty += crews * _on(start, length, hours)
    builder = ModelBuilder()
    chosen = builder.columns(
        [f"o{i}" for i in range(len(options))],
        cost=[option.cost for option in options],
        upper=[option.most for option in options],
        integer=True,
    )
    short = builder.columns([f"short_{h}" for h in range(hours)], cost=prices.short, integer=True)
    cover = builder.rows([f"hour_{h}" for h in range(hours)], lower=wanted - on_duty)
    builder.terms(cover, short, 1.0)
    if options:
        change = np.stack([option.change for option in options])
        at, hour = np.nonzero(change)
        builder.terms(cover[hour], chosen[at], change[at, hour])
        of_kind = np.asarray([option.kind for option in options])
        crews_rows = builder.rows(
            [f"crews_{k}" for k in range(len(kinds))], upper=kinds["crews"].to_numpy(dtype=float)
        )
        mine = np.flatnonzero(of_kind >= 0)
        builder.terms(crews_rows[of_kind[mine]], chosen[mine], 1.0)
        for action, most in (("drop", allowed.max_drops), ("call_in", allowed.max_call_ins)):
            those = [i for i, option in enumerate(options) if option.action == action]
            if most is not None and those:
                row = builder.rows([f"most_{action}"], upper=float(most))
                builder.terms(row[0], chosen[those], 1.0)
    found = solve(builder.model(), engine=engine, gap=1e-9)
    values = np.zeros(len(options) + hours) if found.x is None else found.x
    counts = np.round(values[: len(options)]).astype(np.int64)
    return _answer(options, counts, on_duty, wanted, found.report)


@dataclass(frozen=True, slots=True)
class _Option:
    action: str
    start: int
    length_h: int
    before_h: int
    after_h: int
    cost: float
    most: float
    kind: int
    change: NDArray[np.float64]


def _options(
    kinds: pd.DataFrame, hours: int, prices: ReplanCosts, allowed: ReplanRules
) -> list[_Option]:
    found = []
    for kind, (start, length, crews) in enumerate(kinds.itertuples(index=False)):
        duty = _on(start, length, hours)
        found.append(
            _Option("drop", start, length, 0, 0, -prices.drop * length, float(crews), kind, -duty)
        )
        room = min(allowed.max_overtime_h, allowed.max_shift_h - length)
        for before in range(room + 1):
            for after in range(room - before + 1):
                added = _on(start - before, length + before + after, hours) - duty
                if before + after and added.sum() == before + after:
                    cost = prices.overtime * (before + after)
                    found.append(
                        _Option(
                            "overtime", start, length, before, after, cost, float(crews), kind,
                            added,
                        )
                    )  # fmt: skip
    for length in sorted(set(allowed.call_in_lengths_h)):
        for start in range(hours - length + 1):
            duty = _on(start, length, hours)
            cost = prices.call_in * length
            found.append(_Option("call_in", start, length, 0, 0, cost, np.inf, -1, duty))
    return found


def _on(start: int, length: int, hours: int) -> NDArray[np.float64]:
    hour = np.arange(hours)
    return ((hour >= start) & (hour < start + length)).astype(np.float64)


def _check(published: pd.DataFrame, need: NDArray[np.float64], prices: ReplanCosts) -> None:
    faults = FaultList()
    for name in ("start", "length_h", "crews"):
        if name not in published:
            faults.add("published", f"no column {name!r}", "start, length_h, crews")
    if need.ndim != 1 or not need.size or not (np.isfinite(need) & (need >= 0)).all():
        faults.add("need", f"an array of shape {need.shape}", "units >= 0, one for each hour")
    for name in ("overtime", "call_in", "drop", "short"):
        price = getattr(prices, name)
        if not (np.isfinite(price) and price >= 0):
            faults.add(f"costs.{name}", str(price), "a number >= 0")
    if prices.drop > min(prices.overtime, prices.call_in):
        found = f"{prices.drop:g} back for a dropped hour"
        faults.add("costs.drop", found, "no more than an hour of overtime or a call-in costs")
    faults.raise_if_any()


def _answer(
    options: list[_Option],
    counts: NDArray[np.int64],
    on_duty: NDArray[np.float64],
    need: NDArray[np.float64],
    report: SolveReport,
) -> Replan:
    rows = [
        {
            "action": option.action,
            "start": option.start,
            "length_h": option.length_h,
            "before_h": option.before_h,
            "after_h": option.after_h,
            "crews": int(count),
            "cost": option.cost * int(count),
        }
        for option, count in zip(options, counts.tolist(), strict=True)
        if count
    ]
    names = ["action", "start", "length_h", "before_h", "after_h", "crews", "cost"]
    actions = pd.DataFrame(rows, columns=names)
    units = on_duty + sum(
        (option.change * count for option, count in zip(options, counts, strict=True)),
        start=np.zeros(need.size),
    )
    short = np.ceil(np.maximum(need - units, 0) - 1e-9)
    return Replan(
        actions.sort_values(["start", "action", "length_h", "before_h"], ignore_index=True),
        np.round(units).astype(np.int64),
        short.astype(np.int64),
        float(actions["cost"].sum()),
        report,
    )

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
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.plan.engines.linear_model import Model
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
        group, action (overtime, call_in, drop), start (hour of the horizon of the shift),
        length_h, before_h, after_h (overtime), crews, cost; in that order.
    groups
        Names of the groups.
    units
        Units on duty after the actions, shape (groups, hours).
    short
        Units that stay short, shape (groups, hours).
    cost
        Cost of the actions, in plain hours; what stays short is not in it.
    report
        Solve report: objective and bound hold what stays short too.
    """

    actions: pd.DataFrame
    groups: tuple[str, ...]
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
    """Meet the need of one group of crews; see `replan_groups`."""
    return replan_groups({"": published}, {"": need}, costs=costs, rules=rules, engine=engine)


def replan_groups(
    published: Mapping[str, pd.DataFrame],
    need: Mapping[str, ArrayLike],
    *,
    costs: ReplanCosts | None = None,
    rules: ReplanRules | None = None,
    engine: str = "highs",
) -> Replan:
    """Choose overtime, call-ins and drops for the least cost, as one integer program.

    Crews of one group never stand in for another's; the limits on drops and call-ins hold for
    all groups together. Shifts that reach beyond the hours of the need are never dropped.

    Parameters
    ----------
    published
        Group -> start (hour of the horizon; below 0 where the shift began before), length_h,
        crews.
    need
        Group -> units that the forecast asks for, shape (hours,), the same hours for all.
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
    wanted = {name: np.asarray(of, dtype=np.float64) for name, of in need.items()}
    _check(published, wanted, prices)
    hours = next(iter(wanted.values())).size
    options: list[_Option] = []
    on_duty = np.zeros((len(wanted), hours))
    crews: list[float] = []
    for rank, name in enumerate(wanted):
        kinds = published[name].groupby(["start", "length_h"], sort=True)["crews"].sum()
        kinds = kinds[kinds > 0].astype(int).reset_index()
        options += _options(kinds, hours, prices, allowed, group=rank, first_kind=len(crews))
        crews += kinds["crews"].tolist()
        for start, length, number in kinds.itertuples(index=False):
            on_duty[rank] += number * _on(start, length, hours)
    asked = np.stack(list(wanted.values()))
    model = _model(options, asked, on_duty, crews, prices, allowed)
    found = solve(model, engine=engine, gap=1e-9)
    values = np.zeros(len(options)) if found.x is None else found.x[: len(options)]
    counts = np.round(values).astype(np.int64)
    return _answer(options, counts, on_duty, asked, tuple(wanted), found.report)


def _model(
    options: list[_Option],
    need: NDArray[np.float64],
    on_duty: NDArray[np.float64],
    crews: list[float],
    prices: ReplanCosts,
    allowed: ReplanRules,
) -> Model:
    """Write the program: crews of each action, and what stays short in each group and hour."""
    hours = need.shape[1]
    builder = ModelBuilder()
    chosen = builder.columns(
        [f"o{i}" for i in range(len(options))],
        cost=[option.cost for option in options],
        upper=[option.most for option in options],
        integer=True,
    )
    cells = [f"{group}_{hour}" for group in range(len(need)) for hour in range(hours)]
    short = builder.columns([f"short_{cell}" for cell in cells], cost=prices.short, integer=True)
    cover = builder.rows([f"hour_{cell}" for cell in cells], lower=(need - on_duty).ravel())
    builder.terms(cover, short, 1.0)
    if options:
        change = np.stack([option.change for option in options])
        of_group = np.asarray([option.group for option in options])
        at, hour = np.nonzero(change)
        builder.terms(cover[of_group[at] * hours + hour], chosen[at], change[at, hour])
        of_kind = np.asarray([option.kind for option in options])
        rows = builder.rows([f"crews_{k}" for k in range(len(crews))], upper=np.asarray(crews))
        mine = np.flatnonzero(of_kind >= 0)
        if mine.size:
            builder.terms(rows[of_kind[mine]], chosen[mine], 1.0)
        for action, most in (("drop", allowed.max_drops), ("call_in", allowed.max_call_ins)):
            those = [i for i, option in enumerate(options) if option.action == action]
            if most is not None and those:
                row = builder.rows([f"most_{action}"], upper=float(most))
                builder.terms(row[0], chosen[those], 1.0)
    return builder.model()


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
    group: int
    change: NDArray[np.float64]


def _options(
    kinds: pd.DataFrame,
    hours: int,
    prices: ReplanCosts,
    allowed: ReplanRules,
    *,
    group: int,
    first_kind: int,
) -> list[_Option]:
    """List what may be done in a group; its kinds of shifts count from `first_kind`."""
    found = []
    rows = enumerate(kinds.itertuples(index=False), start=first_kind)
    for kind, (start, length, crews) in rows:
        duty = _on(start, length, hours)
        if duty.sum() == length:  # hours outside the horizon have no forecast that could drop them
            back = -prices.drop * length
            found.append(
                _Option("drop", start, length, 0, 0, back, float(crews), kind, group, -duty)
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
                            group, added,
                        )
                    )  # fmt: skip
    for length in sorted(set(allowed.call_in_lengths_h)):
        for start in range(hours - length + 1):
            duty = _on(start, length, hours)
            cost = prices.call_in * length
            found.append(_Option("call_in", start, length, 0, 0, cost, np.inf, -1, group, duty))
    return found


def _on(start: int, length: int, hours: int) -> NDArray[np.float64]:
    hour = np.arange(hours)
    return ((hour >= start) & (hour < start + length)).astype(np.float64)


def _check(
    published: Mapping[str, pd.DataFrame],
    need: Mapping[str, NDArray[np.float64]],
    prices: ReplanCosts,
) -> None:
    faults = FaultList()
    if set(published) != set(need) or not need:
        found = f"shifts of {', '.join(published)}, needs of {', '.join(need)}"
        faults.add("published", found, "the same groups in both, at least one")
    sizes = {of.shape for of in need.values()}
    for group, of in need.items():
        where = f" {group}" if group else ""
        for name in ("start", "length_h", "crews"):
            if group in published and name not in published[group]:
                found = f"no column {name!r}"
                faults.add(f"published{where}", found, "start, length_h, crews")
        fits = of.ndim == 1 and of.size and (np.isfinite(of) & (of >= 0)).all()
        if not fits or len(sizes) > 1:
            found = f"an array of shape {of.shape}"
            faults.add(f"need{where}", found, "units >= 0, one for each hour, of all groups alike")
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
    groups: tuple[str, ...],
    report: SolveReport,
) -> Replan:
    units = on_duty.copy()
    rows = []
    for option, count in zip(options, counts.tolist(), strict=True):
        if not count:
            continue
        units[option.group] += option.change * count
        rows.append(
            {
                "group": groups[option.group],
                "action": option.action,
                "start": option.start,
                "length_h": option.length_h,
                "before_h": option.before_h,
                "after_h": option.after_h,
                "crews": int(count),
                "cost": option.cost * int(count),
            }
        )
    names = ["group", "action", "start", "length_h", "before_h", "after_h", "crews", "cost"]
    actions = pd.DataFrame(rows, columns=names)
    rank = {name: place for place, name in enumerate(groups)}
    order = ["start", "action", "length_h", "before_h"]
    actions = actions.sort_values(
        ["group", *order], key=lambda of: of.map(rank) if of.name == "group" else of,
        ignore_index=True,
    )  # fmt: skip
    short = np.ceil(np.maximum(need - units, 0) - 1e-9)
    return Replan(
        actions,
        groups,
        np.round(units).astype(np.int64),
        short.astype(np.int64),
        float(actions["cost"].sum()),
        report,
    )

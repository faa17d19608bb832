"""Play a year of planning on the records that the plan itself brings about.

Every day the house's rates are fitted to the calls recorded so far, the house's patrol planner
places crews by them, and the day's records are drawn: calls of the community, which come wherever
patrols are, and what patrols find, which comes where they are. In areas that truly are alike a
planner that must be trusted keeps patrols alike; one that learns from its own finds need not.

References
----------
Ensign, Friedler, Neville, Scheidegger and Venkatasubramanian (2018), Runaway feedback loops in
predictive policing, PMLR 81.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.feedback import LARGEST_DEVIATION, largest_deviation
from deploy_opt.demand.rates import fit_area_rates
from deploy_opt.errors import FaultList
from deploy_opt.plan.patrols import PatrolCalls, PatrolGround, PatrolRules, plan_patrols
from deploy_opt.plan.shifts import ShiftColumns
from deploy_opt.seeds import stream
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHAPE = 1.0 + 0.35 * np.sin(2 * np.pi * (np.arange(HOURS_PER_DAY) - 12) / HOURS_PER_DAY)
_OWN_S, _APART_S = 150.0, 420.0
_SHIFT_STARTS_H = (0, 4, 8, 12, 16, 20)
_SHIFT_H = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """A city of alike areas, each a district, and its patrols.

    Attributes
    ----------
    num_areas
        Areas.
    calls_per_day
        Calls of the community in each.
    finds_per_unit_hour
        Records that a patrol makes itself in an hour on duty.
    crews
        Crews of 8 h each day.
    busy_h
        Hours that a call keeps a unit.
    days
        Days that are played.
    history_days
        Days of records before them.
    history_shares
        Share of patrol that each area had in those days; None: even.
    learns_from_finds
        Whether the planner counts what patrols find as calls (the naive loop).
    replan_days
        Days that a plan holds.
    seed
        Of the draws.
    """

    num_areas: int = 4
    calls_per_day: float = 72.0
    finds_per_unit_hour: float = 1.0
    crews: int = 46
    busy_h: float = 0.75
    days: int = 365
    history_days: int = 28
    history_shares: tuple[float, ...] | None = None
    learns_from_finds: bool = False
    replan_days: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        faults = FaultList()
        for name, holds, expected in (
            ("num_areas", self.num_areas >= 2, "2 areas or more"),
            ("calls_per_day", self.calls_per_day > 0, "calls a day, above 0"),
            ("finds_per_unit_hour", self.finds_per_unit_hour >= 0, "0 or more"),
            ("crews", self.crews >= 1, "1 crew or more"),
            ("busy_h", self.busy_h > 0, "hours, above 0"),
            ("days", self.days >= 1, "1 day or more"),
            ("history_days", self.history_days >= 1, "1 day or more"),
            ("replan_days", self.replan_days >= 1, "1 day or more"),
            ("history_shares", self._known_shares(), "a share an area, of at least 0, sum 1"),
        ):
            if not holds:
                faults.add(f"LoopSettings: {name}", str(getattr(self, name)), expected)
        faults.raise_if_any()

    def _known_shares(self) -> bool:
        shares = self.history_shares
        if shares is None:
            return True
        right = len(shares) == self.num_areas and min(shares) >= 0
        return right and abs(sum(shares) - 1.0) < 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class LoopResult:
    """What became of the patrols.

    Attributes
    ----------
    shares
        Share of the unit-hours of each day in each area, shape (days, areas).
    deviation
        Largest deviation of an area's mean share over the last 30 days from an even one.
    deviation_any
        The same over any 30 days in a row.
    passes
        Whether no 30 days in a row leave `deploy_opt.demand.feedback.LARGEST_DEVIATION`.
    """

    shares: NDArray[np.float64]
    deviation: float
    deviation_any: float
    passes: bool


def play_closed_loop(settings: LoopSettings | None = None) -> LoopResult:
    """Play the loop of records, rates, plan and records.

    Parameters
    ----------
    settings
        The city.

    Returns
    -------
    LoopResult

    Raises
    ------
    InputError
        For settings out of range, and crews that the planner cannot use.
    """
    asked = settings or LoopSettings()
    rng = stream(asked.seed, "stages", "closed loop")
    areas, num_hours = asked.num_areas, (asked.history_days + asked.days) * HOURS_PER_DAY
    told = np.zeros((num_hours, areas), dtype=np.float32)
    found = np.zeros((num_hours, areas), dtype=np.float32)
    hourly = asked.calls_per_day / HOURS_PER_DAY * _SHAPE / _SHAPE.mean()
    before = np.array(asked.history_shares or (1.0 / areas,) * areas)
    ground, columns = _ground(areas), _columns()
    shares = np.empty((asked.days, areas))
    units = np.tile(before * (asked.crews * _SHIFT_H / HOURS_PER_DAY), (HOURS_PER_DAY, 1))
    for day in range(asked.history_days + asked.days):
        rank = day - asked.history_days
        now = slice(day * HOURS_PER_DAY, (day + 1) * HOURS_PER_DAY)
        if rank >= 0:
            if rank % asked.replan_days == 0:
                records = told + found if asked.learns_from_finds else told
                rates = _rates(records[: now.start], day)
                units = _units(ground, columns, rates, asked)
            shares[rank] = units.sum(axis=0) / units.sum()
        told[now] = rng.poisson(hourly[:, None], (HOURS_PER_DAY, areas))
        found[now] = rng.poisson(asked.finds_per_unit_hour * units)
    even_share = np.full(areas, 1.0 / areas)
    span = min(30, asked.days)
    worst = max(
        largest_deviation(shares[: end + 1], even_share, last_days=span)
        for end in range(span - 1, asked.days)
    )
    last = largest_deviation(shares, even_share, last_days=span)
    return LoopResult(shares, last, worst, worst < LARGEST_DEVIATION)


def _rates(records: NDArray[np.float32], day: int) -> NDArray[np.float64]:
    """Fit the house's rates to the hours so far and give those of the day, (areas, hours)."""
    hour = np.arange(len(records))
    model = fit_area_rates(
        records,
        np.ones_like(records),
        hour % HOURS_PER_WEEK,
        age_weeks=(len(records) - 1.0 - hour) / HOURS_PER_WEEK,
    )
    today = (day * HOURS_PER_DAY + np.arange(HOURS_PER_DAY)) % HOURS_PER_WEEK
    return np.maximum(model.at(today).T, 1e-6)


def _units(
    ground: PatrolGround,
    columns: ShiftColumns,
    rates: NDArray[np.float64],
    asked: LoopSettings,
) -> NDArray[np.float64]:
    """Let the patrol planner place the day's crews, (hours, areas)."""
    calls = PatrolCalls(("1",), rates[None], np.array([asked.busy_h]), np.array([1.0]))
    rules = PatrolRules(target_s=600.0, target_share=0.5, utilisation_cap=0.95, min_units=1)
    plan = plan_patrols(
        ground, calls, rules, columns, budget_h=float(asked.crews * _SHIFT_H), certify=False
    )
    return np.asarray(plan.units, dtype=np.float64)


def _ground(areas: int) -> PatrolGround:
    """Lay out areas that are all as far from each other, one place and district each."""
    at = np.arange(areas)
    drive = np.full((areas, areas), _APART_S)
    np.fill_diagonal(drive, _OWN_S)
    names = tuple(f"area {k + 1}" for k in at)
    hours = np.zeros(HOURS_PER_DAY, dtype=np.int64)
    return PatrolGround(names, names, at, at, np.ones(areas), at, drive[None], hours)


def _columns() -> ShiftColumns:
    """Shifts of 8 h that wrap around midnight, as the day repeats."""
    starts = np.array(_SHIFT_STARTS_H)
    hour = np.arange(HOURS_PER_DAY)
    on_duty = (hour - starts[:, None]) % HOURS_PER_DAY < _SHIFT_H
    return ShiftColumns(starts, np.full(len(starts), _SHIFT_H), on_duty)

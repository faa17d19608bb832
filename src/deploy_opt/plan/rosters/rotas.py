"""Cyclic rosters that work every crew of a plan and keep every labour rule."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.rosters.duties import MAX_DAYS, WEEKDAYS, Duties, check_crews, duties_of
from deploy_opt.plan.rosters.ring import solve_ring
from deploy_opt.plan.rosters.rota import Rota
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.results import Status
    from deploy_opt.plan.rosters.labour_rules import LabourRules

_SEARCH_MORE = 6
"""Lines above the bound that are tried one by one before the duties are parted in two."""


@dataclass(frozen=True, slots=True)
class RotaSize:
    """How large a roster may be.

    Attributes
    ----------
    most_lines
        Most lines of one roster: the weeks after which it repeats.
    start_spread_h
        How far the starts of one roster's shifts may lie apart, h.
    work
        Limit of the search for one roster, in CP-SAT's deterministic units.
    """

    most_lines: int = 10
    start_spread_h: int = 2
    work: float = 2.0


def make_rotas(
    crews: pd.DataFrame,
    rules: LabourRules,
    *,
    size: RotaSize | None = None,
    name: str = "rota",
) -> tuple[Rota, ...]:
    """Make rosters for the crews of a plan.

    Crews on weekly patterns keep their length and their number of shifts a week: a roster takes
    patterns of one length that start within `RotaSize.start_spread_h`, and has a line for each.
    Daily shifts are put together to weeks of the fewest lines that keep the rules; so are
    patterns of seven days, which several crews work in turn.

    Parameters
    ----------
    crews
        start_hour, length_h, crews [, days]: see `crews_table`.
    rules
        Rules of the role.
    size
        How large a roster may be.
    name
        First part of the rosters' names.

    Returns
    -------
    tuple of Rota
        Together they work every crew of every shift.

    Raises
    ------
    InputError
        No crews, or cells that cannot be.
    InfeasibleError
        Rules that no line of these shifts can keep: the smallest set that conflicts.
    """
    sizes = size or RotaSize()
    table = check_crews(crews)
    table = table[table["crews"] > 0]
    if table.empty:
        raise InputError.of("crews", "no crews", "at least one crew on a shift")
    _check_single(table, rules)
    weekly, daily = _by_kind(table)
    parts = [*_weekly_parts(weekly, sizes), *_daily_parts(daily, rules, sizes)]
    found: list[Rota] = []
    for duties, rows in parts:
        found += _rotas_of(duties, rows, rules, sizes)
    return tuple(
        replace(rota, name=f"{name} {number}") for number, rota in enumerate(found, start=1)
    )


def fewest_lines(duties: Duties, rules: LabourRules) -> int:
    """Bound the lines of any roster from below.

    By the hours of the work period, the busiest weekday, the longest run, the weekends that a
    line may work and, where no shift runs from one week into the next and the period is a week,
    the whole shifts that fit into it.
    """
    bounds = [
        math.ceil(duties.hours / rules.hours_per_week - 1e-9),
        int(duties.crews.sum(axis=0).max(initial=0)),
        math.ceil(duties.shifts * (rules.max_days_in_a_row + 1) / (7 * rules.max_days_in_a_row)),
    ]
    if rules.weekends_off < rules.weekends_in:
        at_weekend = int(duties.crews[:, 5:].sum(axis=0).max(initial=0))
        work = rules.weekends_in - rules.weekends_off
        bounds.append(math.ceil(at_weekend * rules.weekends_in / work))
    into_next = duties.start_h + duties.length_h > HOURS_PER_DAY
    shortest = int(duties.length_h.min(initial=1))
    if rules.work_period_days == 7 and not (duties.crews[:, 6] > 0)[into_next].any():
        fit = int(rules.hours_in_period // shortest)
        if fit:
            bounds.append(math.ceil(duties.shifts / fit))
    return max(bounds)


def fixed_rota(duties: Duties, lines: int, rules: LabourRules, *, work: float = 10.0) -> Rota:
    """Make one roster of exactly so many lines.

    Raises
    ------
    InfeasibleError
        No such roster: names the smallest set of rules that conflicts on so many lines.
    """
    status, weeks = solve_ring(duties, lines, rules, work=work)
    if weeks is None:
        raise InfeasibleError(conflicting_rules(duties, lines, rules, work=work))
    return Rota("rota", duties.start_h, duties.length_h, weeks, fewest_lines(duties, rules), status)


def conflicting_rules(
    duties: Duties, lines: int, rules: LabourRules, *, work: float = 10.0
) -> tuple[str, ...]:
    """Name a smallest set of rules that no roster of so many lines keeps.

    Rules are left out one by one; one that is not missed is left out for good, so that each of
    those named is needed for the conflict. Rules whose role the work limit leaves open count as
    needed.

    Returns
    -------
    tuple of str
        The rules in words, and the duties on so many lines.
    """
    words = rules.words()
    kept = list(words)
    for rule in list(kept):
        fewer = [other for other in kept if other != rule]
        status, weeks = solve_ring(duties, lines, rules, kept=fewer, work=work, polish=False)
        if weeks is None and status == "infeasible":
            kept = fewer
    crews = f"{duties.shifts} shifts ({duties.hours} h) a week on {lines} lines"
    return (*(words[rule] for rule in kept), crews)


def _by_kind(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part weekly patterns of one line each from shifts that lines work day by day."""
    every_day = table["days"] == MAX_DAYS
    weekly = bool((table["days"] > 1).any()) & ~every_day
    turns = table[every_day].loc[lambda rows: rows.index.repeat(rows["days"])]
    nth = turns.groupby(level=0).cumcount() * HOURS_PER_DAY
    turns = turns.assign(start_hour=(turns["start_hour"] + nth) % HOURS_PER_WEEK, days=1)
    daily = pd.concat([table[~weekly & ~every_day], turns], ignore_index=True)
    return table[weekly].reset_index(drop=True), daily


def _check_single(table: pd.DataFrame, rules: LabourRules) -> None:
    """Refuse shifts that no line can work under the rules, however few it works."""
    wrong = []
    for length in sorted(set(table["length_h"].tolist())):
        if length > rules.max_shift_h:
            wrong += [rules.words()["shift"], f"shifts of {length} h in the plan"]
        elif length > rules.hours_in_period:
            wrong += [rules.words()["hours"], f"shifts of {length} h in the plan"]
    if rules.weekends_off == rules.weekends_in and rules.weekends_off:
        days = duties_of(table).crews.sum(axis=0)
        if days[5:].any():
            wrong += [rules.words()["weekends"], "shifts on Saturday or Sunday in the plan"]
    if wrong:
        raise InfeasibleError(dict.fromkeys(wrong))


def _windows(starts: list[int], spread_h: int) -> dict[int, int]:
    """Put starts that lie within a spread together; give the window of each start."""
    window: dict[int, int] = {}
    first, number = None, -1
    for start in sorted(set(starts)):
        if first is None or start - first > spread_h:
            first, number = start, number + 1
        window[start] = number
    return window


def _weekly_parts(table: pd.DataFrame, size: RotaSize) -> list[tuple[Duties, pd.DataFrame | None]]:
    """Cut weekly patterns into rosters of one length and near starts."""
    rows = table.loc[table.index.repeat(table["crews"])].assign(crews=1)
    rows["start_h"] = rows["start_hour"] % HOURS_PER_DAY
    parts: list[tuple[Duties, pd.DataFrame | None]] = []
    for _, of_length in rows.groupby(["length_h", "days"], sort=True):
        window = _windows(of_length["start_h"].tolist(), size.start_spread_h)
        for _, near in of_length.groupby(of_length["start_h"].map(window), sort=True):
            by_day = near.sort_values(["start_hour"], kind="stable").reset_index(drop=True)
            pieces = math.ceil(len(by_day) / size.most_lines)
            for piece in range(pieces):
                part = by_day.iloc[piece::pieces].reset_index(drop=True)
                parts.append((duties_of(part), part))
    return parts


def _daily_parts(
    table: pd.DataFrame, rules: LabourRules, size: RotaSize
) -> list[tuple[Duties, pd.DataFrame | None]]:
    """Cut daily shifts into rosters of near starts and few enough lines."""
    starts = table["start_hour"] % HOURS_PER_DAY
    window = _windows(starts.tolist(), size.start_spread_h)
    parts: list[tuple[Duties, pd.DataFrame | None]] = []
    for _, near in table.groupby(starts.map(window), sort=True):
        duties = duties_of(near)
        pieces = math.ceil(fewest_lines(duties, rules) / size.most_lines)
        dealt = np.zeros((pieces, *duties.crews.shape), dtype=np.int64)
        turn = 0
        for kind, weekday in np.argwhere(duties.crews).tolist():
            for _ in range(int(duties.crews[kind, weekday])):
                dealt[turn % pieces, kind, weekday] += 1
                turn += 1
        parts += [(_used(replace(duties, crews=part)), None) for part in dealt if part.any()]
    return parts


def _used(duties: Duties) -> Duties:
    used = duties.crews.any(axis=1)
    return Duties(duties.start_h[used], duties.length_h[used], duties.crews[used])


def _rotas_of(
    duties: Duties, rows: pd.DataFrame | None, rules: LabourRules, size: RotaSize
) -> list[Rota]:
    """Make one roster of the fewest lines; patterns whose weeks do not follow are parted."""
    fewest = fewest_lines(duties, rules)
    if rows is not None:
        return _pattern_rotas(duties, rows, rules, size, fewest)
    proven = True
    for lines in range(fewest, fewest + _SEARCH_MORE + 1):
        status, weeks = solve_ring(duties, lines, rules, work=size.work)
        if weeks is not None:
            return [_rota(duties, weeks, lines if proven else fewest, status)]
        proven = proven and status == "infeasible"
    if duties.shifts == 1:
        raise InfeasibleError(conflicting_rules(duties, fewest, rules, work=size.work))
    return [rota for half in _halves(duties) for rota in _rotas_of(half, None, rules, size)]


def _pattern_rotas(
    duties: Duties, rows: pd.DataFrame, rules: LabourRules, size: RotaSize, fewest: int
) -> list[Rota]:
    lines, days = len(rows), int(rows["days"].iloc[0])
    status, weeks = solve_ring(duties, lines, rules, shifts_a_week=days, work=size.work)
    if weeks is not None:
        return [_rota(duties, weeks, fewest, status)]
    if lines == 1:
        start = int(rows["start_hour"].iloc[0])
        at = f"{WEEKDAYS[start // HOURS_PER_DAY]} {start % HOURS_PER_DAY:02}:00"
        pattern = f"a crew on {days} x {int(duties.length_h[0])} h from {at}, every week alike"
        raise InfeasibleError((*conflicting_rules(duties, 1, rules, work=size.work)[:-1], pattern))
    found: list[Rota] = []
    for part in (rows.iloc[: lines // 2], rows.iloc[lines // 2 :]):
        of_part = part.reset_index(drop=True)
        half = duties_of(of_part)
        found += _pattern_rotas(half, of_part, rules, size, fewest_lines(half, rules))
    return found


def _halves(duties: Duties) -> tuple[Duties, Duties]:
    flat = duties.crews.copy().ravel()
    first = np.zeros_like(flat)
    turn = 0
    for cell in np.flatnonzero(flat).tolist():
        for _ in range(int(flat[cell])):
            first[cell] += turn % 2
            turn += 1
    one = first.reshape(duties.crews.shape)
    return _used(replace(duties, crews=one)), _used(replace(duties, crews=duties.crews - one))


def _rota(duties: Duties, weeks: NDArray[np.int64], fewest: int, status: Status) -> Rota:
    return Rota("rota", duties.start_h, duties.length_h, weeks, fewest, status)

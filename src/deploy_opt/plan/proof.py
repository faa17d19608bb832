"""What a plan proves and admits: bounds, gaps, floors kept and missed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.equity import weekly_cover
from deploy_opt.plan.balance.words import balance_words
from deploy_opt.plan.bounds.certificates import location_bound
from deploy_opt.plan.bounds.gaps import Gaps
from deploy_opt.plan.posts.open_bound import bound_scarce_posts
from deploy_opt.plan.posts.open_posts import SCARCE_LOSS
from deploy_opt.plan.posts.opening import opening_words
from deploy_opt.plan.results import SolveReport
from deploy_opt.plan.solver import engine_title
from deploy_opt.plan.week import week_at, week_moves
from deploy_opt.units import HOURS_PER_DAY, HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.place import Placed
    from deploy_opt.plan.results import Status
    from deploy_opt.plan.staff import Staffed

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST_SPANS = 12
_BOUND_WORDS = (
    "bounds: crews by the concave hull of values for up to {} units an hour (hull bound); "
    "positions by linear programs at the plan's units on duty (location bound); together they "
    "prove the gap for the tabulated positions, not strictly for all"
)
_OPEN_WORDS = (
    "posts.max_open = {} costs much, so it has a bound of its own (open bound): no crews, posts "
    "and positions that keep it reach more, for up to {} units an hour"
)


@dataclass(frozen=True, slots=True)
class Proof(Gaps):
    """Bounds on a plan.

    Attributes
    ----------
    value
        Expected calls reached by the plan.
    free_value
        The same without limits on open posts and moves, at the plan's units on duty.
    hull_bound
        What no crews can be worth by the concave hulls of the value tables.
    location_bound
        What no positions can be worth at the plan's units on duty, by hourly linear programs.
    balance_bound
        What nothing that keeps the rules of balance can be chosen by, at the plan's units on duty:
        expected calls, or the areas' geometric mean of cover; NaN where that says no more.
    iterations
        Iterations of the linear programs.
    open_bound
        What no crews and positions at so few posts can be worth; inf where open posts are not
        limited, or hardly cost anything.
    """

    value: float
    free_value: float
    hull_bound: float
    location_bound: float
    balance_bound: float
    iterations: int
    open_bound: float = np.inf

    @property
    def bound(self) -> float:
        """Bound on the plan's value: crews and positions together."""
        free = max(self.hull_bound, self.free_value) * (1.0 + self.location_gap)
        return max(min(free, self.open_bound), self.value)


def certify(case: Case, staffed: Staffed, placed: Placed) -> Proof:
    """Bound what other crews and other positions could reach.

    Parameters
    ----------
    case
        The question.
    staffed
        Tables and crews without limits on open posts, moves and areas.
    placed
        The plan.

    Returns
    -------
    Proof
    """
    engine = case.settings.solver.engine
    located = placed.bound
    if located is None or not np.array_equal(located.units.sum(axis=1), placed.staffing):
        week = week_at(case.model, case.rules, placed.staffing)
        located = location_bound(week, placed.free, engine=engine)
    free_value = max(float(case.model.value(located.units).sum()), placed.value)
    balance_bound, iterations = np.nan, located.iterations
    if placed.balanced is not None:
        balance_bound, more = bound_balance(case, placed)
        iterations += more
        if placed.balanced.balance.welfare is None and np.isfinite(balance_bound):
            balance_bound = min(balance_bound, float(located.by_hour.sum()))
    scarce = case.rules.max_open is not None and not case.out_of_time
    if case.rules.opening_calls.any():  # prices of opening may be what costs, not the limit
        scarce = scarce and int(placed.units.any(axis=0).sum()) == case.rules.max_open
    opened = np.inf
    if scarce and placed.value < (1.0 - SCARCE_LOSS) * free_value:
        opened = bound_scarce_posts(case, placed, staffed.tables.max_units)
    return Proof(
        value=placed.value,
        free_value=free_value,
        hull_bound=staffed.crews.bound,
        location_bound=float(located.by_hour.sum()),
        balance_bound=balance_bound,
        iterations=iterations,
        open_bound=opened,
    )


def bound_balance(case: Case, placed: Placed) -> tuple[float, int]:
    """Bound what plans that keep the rules of balance can be chosen by, at the plan's units.

    Floors are priced into the hours; limits on drives and workload are left aside, so the bound
    holds with them too. The Nash welfare is bounded at the slope of the plan's own covers.

    Parameters
    ----------
    case
        The question.
    placed
        The plan, balanced.

    Returns
    -------
    tuple
        The bound, NaN where no price says more than the bound without rules, and the iterations
        of the linear programs.
    """
    found = placed.balanced
    if found is None:
        return np.nan, 0
    balance = found.balance
    aim = balance.aim(weekly_cover(case.model, placed.units))
    prices = replace(found.dual[1], aim=aim)
    weights = balance.weights(prices).areas
    if (weights == 1).all():
        return np.nan, 0
    week = week_at(case.model, case.rules, placed.staffing, weights)
    located = location_bound(week, placed.units, engine=case.settings.solver.engine)
    return balance.bound(float(located.by_hour.sum()), prices), located.iterations


def make_report(
    case: Case,
    staffed: Staffed,
    placed: Placed,
    proof: Proof,
    *,
    bound_notes: Sequence[str] | None = None,
) -> SolveReport:
    """Gather a plan's solve report.

    ``status`` is ``limit`` only where a limit that the user set (a clock limit, or a node limit
    written in the scenario) ended the choice of crews before the asked gap; the built-in work
    limits end a search as part of the method, and a note says what gap they left.

    Parameters
    ----------
    case
        The question.
    staffed
        Tables and crews.
    placed
        The plan.
    proof
        Its bounds.
    bound_notes
        What the bounds mean, in words; None: those of value tables and crew master.

    Returns
    -------
    SolveReport
    """
    solver, whole = case.settings.solver, staffed.crews.report
    reached = staffed.crews.gap <= solver.gap * (1 + 1e-9)
    cut = whole is not None and whole.status == "limit" and not reached
    by_user = solver.time_limit_s is not None or "node_limit" in solver.model_fields_set
    late = case.out_of_time and not reached
    status: Status = "limit" if (cut and by_user) or late else "optimal"
    gap = proof.bound / max(abs(proof.value), 1e-12) - 1.0
    asked, busy = case.settings.fleet, case.model.busy(placed.staffing)
    short = np.maximum(case.rules.floor - placed.staffing, 0)
    parts = {
        "hull_bound": proof.hull_bound,
        "location_bound": proof.location_bound,
        "free_value": proof.free_value,
        "mix_gap": proof.mix_gap,
        "location_gap": proof.location_gap,
        "link_loss": proof.link_loss,
        "busy_cap_asked": asked.busy_cap,
        "busy_cap_kept": case.floors.busy_cap,
        "missing_unit_hours": float(short.sum()),
        "unit_hours": float(placed.staffing.sum()),
        "unit_hours_budget": case.rules.unit_hours,
        "most_units_tabulated": float(staffed.tables.max_units),
        "open_posts": float(placed.units.any(axis=0).sum()),
        "most_moves": float(week_moves(placed.units, cyclic=case.rules.cyclic).max(initial=0)),
    }
    notes = [_BOUND_WORDS.format(staffed.tables.max_units)]
    if cut and not by_user:
        notes.append(
            f"the default work limit ended the choice of crews at a gap of {staffed.crews.gap:.2%}"
        )
    if bound_notes is not None:
        notes = list(bound_notes)
    elif np.isfinite(proof.open_bound):
        parts["open_bound"] = proof.open_bound
        notes.append(_OPEN_WORDS.format(case.rules.max_open, staffed.tables.max_units))
    paid, words = opening_words(case.rules, placed.units)
    parts |= paid
    notes += [*case.notes, *words, *_floor_notes(case, placed, busy, short)]
    if placed.balanced is not None:
        balance_parts, balance_notes = balance_words(case, placed, proof.balance_bound)
        parts |= balance_parts
        notes += balance_notes
    if case.rules.max_moves is not None and parts["most_moves"] > case.rules.max_moves:
        notes.append(
            f"posts.limits force up to {parts['most_moves']:g} moves in an hour, more than "
            f"posts.max_moves_per_hour = {case.rules.max_moves}"
        )
    return SolveReport(
        status=status,
        objective=proof.value,
        bound=proof.bound,
        gap=max(gap, 0.0),
        asked_gap=solver.gap,
        solver=f"value tables and crew master, {engine_title(solver.engine)}",
        version=staffed.crews.version,
        nodes=0 if whole is None else whole.nodes,
        iterations=proof.iterations
        + staffed.tables.moves
        + staffed.crews.steps
        + (0 if whole is None else whole.iterations),
        parts=parts,
        notes=tuple(notes),
    )


def _floor_notes(
    case: Case, placed: Placed, busy: NDArray[np.float64], short: NDArray[np.int64]
) -> list[str]:
    notes, asked, floors = [], case.settings.fleet, case.floors
    hours = f"{case.rules.unit_hours:,.0f} unit-hours"
    if floors.lowered and asked.min_units:
        hit = np.flatnonzero(placed.staffing < asked.min_units)
        notes.append(
            f"fleet.min_units = {asked.min_units} cannot be kept with {hours} and these shifts; "
            f"fewer are on duty in {len(hit)} hours: {hour_names(hit, case.settings.first_hour)}"
        )
    by_limits = case.rules.min_units > asked.min_units
    hit = np.flatnonzero(by_limits & (placed.staffing < case.rules.min_units))
    if len(hit):
        notes.append(
            f"fleet.limits cannot be kept with {hours} and these shifts; fewer units than they "
            f"ask for are on duty in {len(hit)} hours: "
            f"{hour_names(hit, case.settings.first_hour)}"
        )
    if (short > 0).any() and (busy > asked.busy_cap).any():
        hit = np.flatnonzero(busy > asked.busy_cap)
        kept = (
            f"the lowest cap that can be kept in every hour is {floors.busy_cap:.0%}"
            if floors.busy_cap < 1.0
            else "it was given up"
        )
        notes.append(
            f"the busy cap of {asked.busy_cap:.0%} cannot be kept with {hours} and these rules "
            f"({kept}); units are busier in {len(hit)} hours: "
            f"{hour_names(hit, case.settings.first_hour)}; {int(short.sum())} more unit-hours "
            "there would keep it"
        )
    return notes


def hour_names(hours: NDArray[np.int64], first_hour: int) -> str:
    """Name hours of a plan in words, neighbours joined.

    Parameters
    ----------
    hours
        Hours of the plan, rising.
    first_hour
        Hour of the week at which the plan starts.

    Examples
    --------
    >>> hour_names(np.array([8, 9, 10, 33]), 0)
    'Mon 08-11, Tue 09-10'
    """
    if not len(hours):
        return "none"
    if len(hours) == HOURS_PER_WEEK:
        return "the whole week"
    breaks = np.flatnonzero(np.diff(hours) > 1) + 1
    spans = [(int(part[0]), int(part[-1]) + 1) for part in np.split(hours, breaks)]

    def name(hour: int) -> tuple[str, str]:
        day, clock = divmod((first_hour + hour) % HOURS_PER_WEEK, HOURS_PER_DAY)
        return _DAYS[day], f"{clock:02d}"

    words = []
    for begin, end in spans[:_MOST_SPANS]:
        (day, clock), (last_day, last_clock) = name(begin), name(end)
        until = last_clock if day == last_day else f"{last_day} {last_clock}"
        words.append(f"{day} {clock}-{until}")
    rest = len(spans) - _MOST_SPANS
    return ", ".join(words) + (f" and {rest} more spans" if rest > 0 else "")

"""The last search of a plan: positions corrected for units that are not all equally busy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.plan.balance.rules import balance_of
from deploy_opt.plan.proof import make_report
from deploy_opt.plan.sites.site_busy import site_busy, site_demand
from deploy_opt.plan.sites.site_search import search_sites

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.plan.case import Case
    from deploy_opt.plan.place import Placed
    from deploy_opt.plan.proof import Proof
    from deploy_opt.plan.results import SolveReport
    from deploy_opt.plan.staff import Staffed

_ROUNDING = 1e-9
_NASH_WORDS = (
    "no last search on the hypercube: with equity.objective = nash the plan is not chosen by its "
    "calls alone"
)


@dataclass(frozen=True, slots=True)
class LastSearch:
    """Positions after the last search, and what both models say before and after.

    Attributes
    ----------
    units
        Units at each post, shape (hours, posts).
    model
        Expected calls by the deployment model, before and after.
    hypercube
        The same by the approximate hypercube.
    runs
        Runs of hours over which a unit was moved.
    evaluations
        Hours solved.
    finished
        Whether the search came to its own end, not to a limit.
    """

    units: NDArray[np.int64]
    model: tuple[float, float]
    hypercube: tuple[float, float]
    runs: int
    evaluations: int
    finished: bool

    @property
    def loss(self) -> float:
        """Share of the deployment model's value that the search gave up."""
        return max(1.0 - self.model[1] / max(self.model[0], 1e-12), 0.0)


def search_last(case: Case, placed: Placed) -> LastSearch | None:
    """Move units to where the hypercube reaches more calls, under all rules of the plan.

    Crews and units on duty stay. Locks, capacities, limits by hour, open posts and moves hold as
    before; no rule of balance is missed by more than before; and by the deployment model the plan
    stays worth no less than the rivals it was chosen over. The new positions are taken only where
    the settled hypercube rises.

    Parameters
    ----------
    case
        The question.
    placed
        The plan's positions.

    Returns
    -------
    LastSearch or None
        None where ``solver.last_search`` is ``none``, no time is left, or the plan is chosen by
        its Nash welfare.
    """
    settings, model = case.settings, case.model
    nash = settings.equity.objective == "nash"
    if settings.solver.last_search == "none" or case.out_of_time or nash:
        return None
    demand = site_demand(model, case.times, settings)
    balance = balance_of(case, placed.staffing)
    most_missed = balance.miss(placed.units) + _ROUNDING
    least, paid = _best_rival(case, placed), case.rules.opening_paid(placed.units)

    def keeps(units: NDArray[np.int64]) -> bool:
        if case.rules.opening_paid(units) > paid + _ROUNDING:
            return False
        if float(model.value(units).sum()) < least:
            return False
        return not balance.rules or balance.miss(units) <= most_missed

    found = search_sites(
        model, demand, case.rules, placed.units, keeps=keeps, stop=lambda: case.out_of_time
    )
    before = after = site_busy(demand, model, placed.units, layered=True).total
    if found.runs:
        after = site_busy(demand, model, found.units, layered=True).total
    units = found.units if after > before else placed.units
    return LastSearch(
        units,
        (placed.value, float(model.value(units).sum())),
        (before, max(before, after)),
        found.runs if after > before else 0,
        found.evaluations,
        found.finished,
    )


def _best_rival(case: Case, placed: Placed) -> float:
    """Give what the plan must stay worth: the best rival below it that it could have been."""
    worth = [
        float(case.model.value(units).sum())
        for units, _ in case.rivals
        if (units.sum(axis=1) >= case.floors.units).all()
    ]
    return max((value for value in worth if value <= placed.value), default=-np.inf)


def report_searched(
    case: Case, staffed: Staffed, placed: Placed, proof: Proof, found: LastSearch | None
) -> SolveReport:
    """Gather the solve report of a plan whose positions the last search may have changed.

    The bounds stay: they are on the deployment model's value, which the searched positions have
    less of. What was given up is named apart from the other losses, as ``last_search_loss``.

    Parameters
    ----------
    case
        The question.
    staffed
        Tables and crews.
    placed
        The plan before the last search.
    proof
        Its bounds.
    found
        The last search; None where there was none.

    Returns
    -------
    SolveReport
    """
    if found is None:
        report = make_report(case, staffed, placed, proof)
        asked = case.settings.solver.last_search == "hypercube"
        if asked and case.settings.equity.objective == "nash":
            return replace(report, notes=(*report.notes, _NASH_WORDS))
        return report
    moved = replace(placed, units=found.units, value=found.model[1])
    report = make_report(case, staffed, moved, replace(proof, value=found.model[1]))
    calls = max(float(case.model.rates.sum()), 1e-12)
    shares = [value / calls for value in (*found.model, *found.hypercube)]
    parts = report.parts | {
        "link_loss": proof.link_loss,
        "last_search_loss": found.loss,
        "last_search_runs": float(found.runs),
        "model_cover_before": shares[0],
        "model_cover": shares[1],
        "hypercube_cover_before": shares[2],
        "hypercube_cover": shares[3],
    }
    if "balance_price" in parts:  # the price of balance is not that of the last search
        parts["balance_price"] += found.model[1] - found.model[0]
    what = "calls by their worth" if case.settings.layers else "expected calls"
    note = (
        "last search: with every unit as busy as its own post makes it (hypercube) the plan "
        f"reaches {shares[3]:.2%} of the {what} (before the search {shares[2]:.2%}); by the "
        f"deployment model, with one busy fraction for all, {shares[1]:.2%} (before "
        f"{shares[0]:.2%}), a loss of {found.loss:.2%} that is part of the gap"
    )
    return replace(
        report,
        parts=parts,
        notes=(*report.notes, note),
        iterations=report.iterations + found.evaluations,
    )

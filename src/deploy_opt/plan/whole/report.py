"""What a plan by the whole model proves: its bounds, beside those of the value tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deploy_opt.plan.bounds.strict_bound import strict_bound
from deploy_opt.plan.proof import certify, make_report

if TYPE_CHECKING:
    from deploy_opt.plan.results import SolveReport, Status
    from deploy_opt.plan.whole.extensive import ExtensivePlan

_LEFT_OUT = {
    "hypercube": ("no last search on the hypercube: it would leave the whole model's own plan",),
    "none": (),
}


def report_extensive(found: ExtensivePlan) -> SolveReport:
    """Gather the solve report of a plan by the whole model.

    Value and figures are those of any plan. The bound holds with busy fractions inside
    (`strict_bound`); the bounds of the whole model, which hold at frozen ones or at the plan's
    units on duty, and those of the value tables stand beside it.

    Parameters
    ----------
    found
        The plan.

    Returns
    -------
    SolveReport
    """
    case, placed, asked = found.case, found.placed, found.case.settings.solver
    frozen = found.whole.bound(case, placed.units, placed.crews)
    fleet = found.whole.written.fleet
    strict = strict_bound(case, found.staffed, (fleet.least, fleet.most), placed.crews)
    strict = max(strict, placed.value)
    every = [*found.passes, found.held]
    cut = any(part.report.status == "limit" for part in every)
    by_user = asked.time_limit_s is not None or "node_limit" in asked.model_fields_set
    status: Status = "limit" if (cut and by_user) or case.out_of_time else "optimal"
    model = found.whole.written.model
    parts = {
        "strict_bound": strict,
        "frozen_bound": frozen,
        "positions_bound": min(frozen, found.held.bound(case, placed.units, placed.crews)),
        "tables_value": found.tables_value,
        "passes": float(len(found.passes)),
        "settled": float(found.passes[-1].settled),
        "last_pass_value": found.passes[-1].value,
        "model_columns": float(len(model.cost)),
        "model_rows": float(len(model.row_lower)),
    }
    base = make_report(
        case,
        found.staffed,
        placed,
        certify(case, found.staffed, placed),
        bound_notes=[*_words(parts, placed.value, cut=cut), *_LEFT_OUT[asked.last_search]],
    )
    return replace(
        base,
        status=status,
        bound=strict,
        gap=max(strict / max(placed.value, 1e-12) - 1.0, 0.0),
        solver=f"whole model, {found.held.report.solver}",
        version=found.held.report.version,
        nodes=sum(part.report.nodes for part in every),
        iterations=sum(part.report.iterations for part in every),
        parts=base.parts | parts,
    )


def _words(parts: dict[str, float], value: float, *, cut: bool) -> list[str]:
    beyond, frozen = (
        max(parts[name] / max(value, 1e-12) - 1.0, 0.0)
        for name in ("positions_bound", "frozen_bound")
    )
    size = (
        f"whole model: {parts['model_columns']:,.0f} columns and {parts['model_rows']:,.0f} rows; "
        "model.lp holds it at the busy fractions of the plan's units on duty, where its own bound "
        f"is {frozen:.2%} above the plan"
    )
    held = (
        f"whole model: no positions at these units on duty reach over {beyond:.2%} more, every "
        "rule kept"
    )
    strict = (
        "bounds: no crews and no positions reach more, busy fractions inside, by linear programs "
        "at every number of units on duty; limits on posts, moves and areas are left aside in it"
    )
    number = f"{parts['passes']:.0f} pass" + ("es" if parts["passes"] > 1 else "")
    end = "the units on duty stayed" if parts["settled"] else "they did not stay"
    below = 1.0 - parts["last_pass_value"] / max(value, 1e-12)
    lost = f", at {below:.2%} fewer calls than the plan, which is kept" if below > 0 else ""
    loop = f"whole model: busy fractions brought up to date in {number}; {end}{lost}"
    short = ["whole model: a work limit ended a solve before the asked gap"] if cut else []
    return [strict, held, size, loop, *short]

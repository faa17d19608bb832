"""The main numbers of a run, for a terminal and for machines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from deploy_opt.report import words
from deploy_opt.report.aim import aim_lines, calls_word, response_value
from deploy_opt.report.balance_lines import cost_line
from deploy_opt.report.board import losing_areas, unkept_rules
from deploy_opt.report.path_lines import path_sentences
from deploy_opt.report.record_lines import cares, record_lines
from deploy_opt.report.services_page import service_lines
from deploy_opt.report.workload import hypercube_share

if TYPE_CHECKING:
    from deploy_opt.report.results import ReportInputs
    from deploy_opt.report.tables import Tables


def summary(inputs: ReportInputs, tables: Tables) -> dict[str, Any]:
    """Gather the main numbers as plain values, for machines."""
    comparison, report = inputs.comparison, inputs.comparison.report
    arms = {
        arm.name: {
            "reached": float(tables.metric("reached", arm.name, "share")["value"]),
            "late_calls": float(tables.metric("late_calls", arm.name, "sum")["value"]),
            "weakest_area_reached": _number(
                tables.metric("weakest_area_reached", arm.name, "min")["value"]
            ),
            "unit_hours": arm.unit_hours,
            **(
                {}
                if arm.site is None
                else {"hypercube_reached": hypercube_share(arm, comparison.rates)}
            ),
            **(
                {}
                if arm.worth is None
                else {"weighted_response_value": response_value(arm, comparison.rates)}
            ),
        }
        for arm in (comparison.plan, comparison.baseline, comparison.simple)
    }
    losing = tables.metric("areas_that_lose", "difference", "sum")
    return {
        "run_id": inputs.run_id,
        "name": inputs.scenario.name,
        "synthetic": inputs.scenario.synthetic,
        "service": comparison.service,
        "hours": inputs.scenario.horizon.hours,
        "expected_calls": float(comparison.rates.sum()),
        **arms,
        "areas_that_lose": int(losing["value"]),
        "on_record": None if inputs.on_record is None else inputs.on_record.plain(),
        "status": report.status,
        "objective": _number(report.objective),
        "bound": _number(report.bound),
        "gap": _number(report.gap),
        "notes": [*inputs.notes, *report.notes],
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def summary_lines(inputs: ReportInputs, tables: Tables) -> tuple[str, ...]:
    """Say the main numbers in words, one fact a line, for people at a terminal."""
    comparison, report = inputs.comparison, inputs.comparison.report
    reached = {
        arm: float(tables.metric("reached", arm, "share")["value"])
        for arm in ("plan", "baseline", "simple_plan")
    }
    standard = inputs.scenario.standards[inputs.scenario.services[0]]
    plan, today = comparison.plan, comparison.baseline
    status = {
        "optimal": "crews chosen to the asked gap",
        "limit": "stopped by a limit",
        "infeasible": "infeasible",
    }
    coverage = (
        f"Coverage: plan {reached['plan']:.2%}, today {reached['baseline']:.2%}, "
        f"strong simple plan {reached['simple_plan']:.2%}."
    )
    solve = (
        f"Solve: {status[report.status]}; {words.plain(report.objective)} {calls_word(inputs)}, "
        f"bound {words.plain(report.bound)}, gap {report.gap:.3%} with positions and limits."
    )
    lines = [
        words.headline(reached["plan"], reached["baseline"]),
        f"In time: {standard.words}.",
        *(f"{line}." for line in aim_lines(inputs, tables)),
        coverage,
        *record_lines(inputs, tables),
        words.budget_sentence(plan.unit_hours, today.unit_hours),
        *cost_line(comparison, inputs.scenario.fleet.cost_per_unit_hour),
        words.losers_sentence(*losing_areas(inputs)),
        *path_sentences(comparison.on_paths),
        solve,
        *(f"Take care: {warning}." for warning in cares(inputs, tables)),
        *(f"Not kept: {note}" for note in unkept_rules(inputs)),
    ]
    if inputs.city is not None:
        lines += service_lines(inputs.city)
    if inputs.scenario.synthetic:
        lines.insert(0, "Synthetic data: an invented city.")
    return tuple(lines)

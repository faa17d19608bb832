"""What the plan aims at, beside what the standard counts: never one number for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.standard_settings import clock_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.report.results import Arm, ReportInputs
    from deploy_opt.report.tables import Tables


def response_value(arm: Arm, rates: NDArray[np.float64]) -> float:
    """Average the worth of a call by the plan's response layers over the expected calls.

    Parameters
    ----------
    arm
        The arm.
    rates
        Expected calls, shape (areas, hours).

    Returns
    -------
    float
        Between 0 and 1; NaN where the plan has no response layers.
    """
    if arm.worth is None:
        return float("nan")
    return float((rates * arm.worth).sum() / max(float(rates.sum()), 1e-12))


def calls_word(inputs: ReportInputs) -> str:
    """Say what the plan's objective counts: calls in time, or calls weighed by its layers."""
    return "calls in time" if inputs.comparison.plan.worth is None else "calls by their worth"


def aim_lines(inputs: ReportInputs, tables: Tables) -> tuple[str, ...]:
    """Say what the plan aims at and how the arms do by it, one fact a line.

    Parameters
    ----------
    inputs, tables
        The results and their numbers.
    """
    scenario, comparison = inputs.scenario, inputs.comparison
    standard = scenario.standards[scenario.services[0]]
    arms = (("plan", comparison.plan), ("today", comparison.baseline))
    lines = []
    if standard.source:
        lines.append(f"The standard's figures: {standard.source}")
    if standard.mean_response_limit_s is not None:
        said = []
        for words, arm in arms:
            seconds = float(tables.metric("response", arm.name, "mean")["value"])
            said.append(f"{words} {clock_words(seconds)}" if np.isfinite(seconds) else words)
        limit = clock_words(standard.mean_response_limit_s)
        lines.append(f"Mean response, asked at most {limit}: {', '.join(said)}")
    if not standard.drive_layers:
        return tuple(lines)
    if comparison.plan.worth is None:
        lines.append(
            "A share within the standard was asked for, so the plan aims at that alone; "
            f"the scenario's own aim ({standard.aim_words}) is left aside"
        )
        return tuple(lines)
    said = [
        f"{words} {standard.value_words(response_value(arm, comparison.rates))}"
        for words, arm in (*arms, ("simple plan", comparison.simple))
    ]
    lines.append(
        f"The plan aims at {standard.aim_words}. By that: {', '.join(said)}. "
        "Prices of rules and worth of posts count by it too; shares in time are the standard's"
    )
    return tuple(lines)

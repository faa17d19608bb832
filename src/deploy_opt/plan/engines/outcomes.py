"""When a solve stops, and how its end is written down, alike for every solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from deploy_opt.plan.engines.linear_model import Model, Solution
from deploy_opt.plan.results import SolveReport, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

LpMethod = Literal["choose", "simplex", "ipm", "ipm_no_crossover"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop a solve and how to search.

    Attributes
    ----------
    gap
        Relative gap at which an integer model is solved well enough.
    node_limit, iteration_limit
        Work limits: branch-and-bound nodes, LP iterations; None = no limit. They stop at the
        same place on every machine.
    time_limit_s
        Clock limit, s; the answer then depends on the machine.
    seed, threads
        Seed of the solver's own choices; threads it may use (1 is reproducible).
    lp_method
        For models without whole columns; ``ipm_no_crossover`` is quickest for a bound alone.
    """

    gap: float = 1e-4
    node_limit: int | None = None
    iteration_limit: int | None = None
    time_limit_s: float | None = None
    seed: int = 0
    threads: int = 1
    lp_method: LpMethod = "choose"


def relative_gap(objective: float, bound: float) -> float:
    """Give abs(bound - objective) / max(abs(objective), 1e-12); inf where either is missing."""
    if not np.isfinite(objective) or not np.isfinite(bound):
        return np.inf
    return abs(bound - objective) / max(abs(objective), 1e-12)


def infeasible(
    model: Model, limits: Limits, solver: str, version: str, nodes: int, iterations: int
) -> Solution:
    """Write down that nothing satisfies the rows."""
    report = SolveReport(
        "infeasible", np.nan, model.worst, np.inf, limits.gap, solver, version, nodes, iterations
    )
    return Solution(report, None)


def tidy(model: Model, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round whole columns and pull values that overshoot by rounding back inside the bounds."""
    whole = np.where(model.integer, np.round(values), values)
    return np.clip(whole, model.lower, model.upper) + 0.0


def clock_note(status: Status, limits: Limits) -> tuple[str, ...]:
    """Say in words that the answer may depend on the machine."""
    if status == "limit" and limits.time_limit_s is not None:
        return (f"stopped by a limit; the clock limit was {limits.time_limit_s:g} s",)
    return ()


def not_beaten(model: Model, objective: float, bound: float) -> float:
    """Give a bound that rounding has not put on the wrong side of the answer."""
    if np.isnan(objective):
        return bound
    return max(bound, objective) if model.maximise else min(bound, objective)

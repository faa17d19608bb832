"""Every choice behind an officer-risk model, as one frozen value."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from deploy_opt.errors import FaultList
from deploy_opt.risk.officer_risk.boosting import Engine
from deploy_opt.risk.officer_risk.encoding import LEAST_CALLS_OF_WORD
from deploy_opt.risk.officer_risk.model import OBJECTIVES, Objective
from deploy_opt.risk.officer_risk.splits import SplitKind
from deploy_opt.risk.set_report import POLICIES, Policy


@dataclass(frozen=True, slots=True)
class OfficerRiskParams:
    """Choices of the agency and of the fit.

    Attributes
    ----------
    levels
        Names of the outcome's levels, the lowest first; two for high against low.
    cost_ratio
        Cost of a level too low, in levels too high: a decision of the people concerned.
    objective
        ``expected_cost``: honest probabilities, cut where both errors cost the same.
        ``count_ratio``: weights so that false alarms per miss are the cost ratio (Camden).
    coverage
        Share of calls of each true level whose set holds it.
    policy
        What is said where the set holds several levels.
    split
        ``temporal``, or ``random`` as in the Camden study.
    random_report
        Whether the other way to split is reported too.
    engine
        ``auto``: every value is tried as a cut up to 100,000 calls, bins above.
    tuning_rows
        Most training calls that weights are searched on; twice as many with bins.
    least_calls_of_word
        Training calls that a call type needs for a flag of its own.
    least_positives
        Fewest calls of a level in each part of the data for a category to be fitted.
    retire_after_days
        Days after the last call seen from which on the model is not used any more.
    seed
        Seed of every chance.

    Raises
    ------
    InputError
        Names every choice that cannot be.
    """

    levels: tuple[str, ...] = ("low", "high")
    cost_ratio: float = 10.0
    objective: Objective = "expected_cost"
    coverage: float = 0.75
    policy: Policy = "ask_human"
    split: SplitKind = "temporal"
    random_report: bool = True
    engine: Engine = "auto"
    tuning_rows: int = 20_000
    least_calls_of_word: int = LEAST_CALLS_OF_WORD
    least_positives: int = 30
    retire_after_days: int = 365
    seed: int = 0

    def __post_init__(self) -> None:
        faults = FaultList()
        if len(self.levels) < 2 or len(set(self.levels)) < len(self.levels):
            faults.add("levels", str(self.levels), "two names or more, each once")
        if not 1.0 <= self.cost_ratio <= 100.0:
            faults.add("cost_ratio", str(self.cost_ratio), "a ratio 1 to 100")
        if not 0.0 < self.coverage < 1.0:
            faults.add("coverage", str(self.coverage), "a share between 0 and 1")
        closed = {
            "objective": OBJECTIVES,
            "policy": POLICIES,
            "split": typing.get_args(SplitKind),
            "engine": typing.get_args(Engine),
        }
        for name, allowed in closed.items():
            if getattr(self, name) not in allowed:
                faults.add(name, repr(getattr(self, name)), f"one of {', '.join(allowed)}")
        for name in ("tuning_rows", "least_calls_of_word", "least_positives", "retire_after_days"):
            if getattr(self, name) < 1:
                faults.add(name, str(getattr(self, name)), "a whole number above 0")
        faults.raise_if_any()

"""Fit the models on every test stretch and on the horizon, each a unit of work of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from deploy_opt.demand.members import Members
    from deploy_opt.demand.origins import Origin, OriginRunner
    from deploy_opt.executor import Executor


@dataclass(frozen=True, slots=True)
class _Unit:
    """A cutoff to forecast from; the horizon itself is not scored."""

    runner: OriginRunner
    cutoff: pd.Timestamp
    horizon_h: int
    is_horizon: bool = False
    only_factor_model: bool = False


def fit_all(
    runner: OriginRunner, first: pd.Timestamp, horizon_h: int, executor: Executor
) -> tuple[list[Origin], Members]:
    """Fit the stretches before a start, oldest first, and the horizon from there.

    Parameters
    ----------
    runner
        Counts and covariates of one service.
    first
        First hour of the horizon.
    horizon_h
        Hours of the horizon.
    executor
        Where the stretches and the horizon are worked off; a worker gets a copy of the runner.

    Returns
    -------
    origins : list of Origin
        Empty where the history is too short to test on.
    members : Members
        Of the horizon; the factor model alone without origins.
    """
    cutoffs, step_h = runner.cutoffs(first, horizon_h)
    units = [_Unit(runner, at, step_h) for at in cutoffs]
    horizon = _Unit(runner, first, horizon_h, is_horizon=True, only_factor_model=not cutoffs)
    fitted = executor.map(_fit, [*units, horizon])
    return [origin for origin, _ in fitted if origin is not None], fitted[-1][1]


def _fit(unit: _Unit) -> tuple[Origin | None, Members]:
    if not unit.is_horizon:
        origin = unit.runner.origin(unit.cutoff, unit.horizon_h)
        return origin, origin.members
    window = unit.runner.window(unit.cutoff, unit.horizon_h)
    return None, unit.runner.members(window, only_factor_model=unit.only_factor_model)

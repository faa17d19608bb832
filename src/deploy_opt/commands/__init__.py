"""What each command does with the stages, besides `deploy_opt.pipeline.run`."""

from deploy_opt.commands.districts import run_districts
from deploy_opt.commands.prevention import run_prevention
from deploy_opt.commands.road import check, run_backtest, run_forecast, run_frontier, run_plan

__all__ = [
    "check",
    "run_backtest",
    "run_districts",
    "run_forecast",
    "run_frontier",
    "run_plan",
    "run_prevention",
]

"""What each command does with the stages, besides `deploy_opt.pipeline.run`."""

from deploy_opt.commands.road import check, run_backtest, run_forecast, run_frontier, run_plan

__all__ = ["check", "run_backtest", "run_forecast", "run_frontier", "run_plan"]

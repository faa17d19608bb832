"""Busy fractions of the simulation fed back to the deployment model until the two agree."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt import judge
from deploy_opt.commands.plays import (
    asked_of,
    draws_of,
    fleet_of,
    options_of,
    responses_of,
    walk,
)
from deploy_opt.errors import InputError
from deploy_opt.pipeline import close_run
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.report.feed_back import FedBack, Round, rounds_lines, rounds_table
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.simulation.busy import busy_by_hour
from deploy_opt.simulation.replicate import Arm, Replications, replicate
from deploy_opt.simulation.statistics import measure
from deploy_opt.stages.simulation_ground import WARM_UP_H

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.commands.plays import Walked
    from deploy_opt.judge import Asked
    from deploy_opt.settings import Scenario
    from deploy_opt.simulation.result import SimulationResult

TABLE = "loop_back.csv"
ROUNDS = 3
AGREED = 0.01
"""Model and simulation agree where busy fractions are so near, mean over the hours on duty."""
_DAMPING = 0.7
_LEAST, _MOST = 0.5, 2.0


def run_loop_back(
    scenario: Scenario,
    out_dir: Path,
    *,
    replications: int | None = None,
    rounds: int = ROUNDS,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Feed simulated busy fractions back to the deployment model, and plan again.

    The model's offered load of each hour is multiplied by a factor, moved towards the one at which
    the model's busy fraction is the simulation's (a damped fixed point), and the hours are planned
    anew; at most `rounds` times. A plan replaces the run's only if it is better in the simulation
    beyond its interval, on the calls of the rounds and again on others.

    Parameters
    ----------
    scenario, out_dir, replications, fresh, talk
        As `run_simulate`; writes ``loop_back.csv``, ``loop_back.json`` and
        ``loop_back_posts.csv``.
    rounds
        Most rounds.

    Returns
    -------
    tuple
        The rounds as plain values, and the same in words.

    Raises
    ------
    InputError
        As `run_simulate`; for plans against sample paths, whose model has no one load an hour.
    """
    num, _ = asked_of(scenario, replications, None)
    if scenario.robust is not None:
        expected = "nothing: busy fractions are fed back to plans against the forecast's mean"
        raise InputError.of("robust", "robust with --loop-back", expected)
    walked = walk(scenario, out_dir, fresh=fresh, talk=talk)
    with walked.road.progress.stage("loop back"):
        found = feed_back(walked, replications=num, rounds=rounds)
    table = rounds_table(found.rounds)
    posts = _posts(walked, found.kept.units)
    summary = {
        "rounds": table.to_dict("records"),
        "kept_round": found.kept.number,
        "tried_round": None if found.tried is None else found.tried.number,
        "gain_on_other_calls": None
        if found.tried is None
        else dict(zip(("value", "lo", "hi"), found.tried.gain, strict=True)),
    }
    with walked.road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            TABLE: partial(write_csv, table),
            "loop_back.json": partial(write_json, summary),
            "loop_back_posts.csv": partial(write_csv, posts),
        }
        files = write_files(out_dir, writers)
    close_run(walked.road, files)
    return summary | {"files": sorted(files)}, [*rounds_lines(found), str(out_dir / TABLE)]


def feed_back(walked: Walked, *, replications: int, rounds: int = ROUNDS) -> FedBack:
    """Play the rounds, and the best of their plans on other calls."""
    scenario = walked.road.scenario
    if walked.city is not None and walked.city.shared:
        scenario = scenario.with_unit_hours(walked.city.ems_unit_hours)
    asked = judge.ask(scenario, walked.calls, walked.ground)
    start = walked.comparison.plan.units
    factor = np.ones(len(start))
    played = _play(walked, start, None, replications)
    found = [_judged(walked, asked, 0, start, factor, played)]
    for number in range(1, rounds + 1):
        last = found[-1]
        if last.busy_apart < AGREED:
            break
        factor = _moved(walked, asked, last, played)
        units = _planned(walked, asked, factor)
        played = _play(walked, units, start, replications)
        found.append(_judged(walked, asked, number, units, factor, played))
    better = [each for each in found[1:] if each.better]
    if not better:
        return FedBack(tuple(found), None)
    best = max(better, key=lambda each: each.gain[0])
    played = _play(walked, best.units, start, replications, first=replications)
    return FedBack(tuple(found), replace(best, gain=_gain(played)))


def _play(
    walked: Walked,
    units: NDArray[np.int64],
    start: NDArray[np.int64] | None,
    replications: int,
    *,
    first: int = 0,
) -> Replications:
    """Simulate a plan, beside the run's on the same calls where it is another.

    Replications are numbered from `first`: others have other paths and other luck.
    """
    scenario, stage = walked.road.scenario, walked.stage
    plans = {"plan": units} if start is None else {"plan": units, "baseline": start}
    fleets = {name: fleet_of(scenario, plan, stage) for name, plan in plans.items()}
    fleets = {
        name: fleet.assign(unit_id=f"{name} " + fleet["unit_id"]) for name, fleet in fleets.items()
    }
    how = options_of(scenario, walked.ground, stage)
    standards_s, warm_up_s = how.pop("standards_s"), how.pop("warm_up_s")
    num_hours = WARM_UP_H + stage.hours

    draw = draws_of(walked.comparison, stage)

    def measured(result: SimulationResult, calls: pd.DataFrame) -> pd.DataFrame:
        values = measure(result, calls, standards_s=standards_s, warm_up_s=warm_up_s)
        fleet = fleets[str(result.units["unit_id"].iloc[0]).split(maxsplit=1)[0]]
        busy = busy_by_hour(result, fleet, num_hours)[WARM_UP_H:]
        rows = pd.DataFrame(
            {
                "scope": "hour of the plan",
                "scope_id": [str(hour) for hour in range(len(busy))],
                "statistic": "busy_fraction",
                "value": busy,
                "n": len(calls),
            }
        )
        return pd.concat([values, rows], ignore_index=True)

    return replicate(
        {name: Arm(fleet) for name, fleet in fleets.items()},
        lambda number: draw(first + number),
        stage.times_s,
        replications=replications,
        standards_s=standards_s,
        measured=measured,
        service=walked.comparison.service,
        eligible=responses_of(scenario, stage),
        **how,
    )


def _judged(
    walked: Walked,
    asked: Asked,
    number: int,
    units: NDArray[np.int64],
    factor: NDArray[np.float64],
    played: Replications,
) -> Round:
    settings = asked.settings.model_copy(update={"load_factor": tuple(factor.tolist())})
    model = evaluate_positions(units, walked.demand.forecast, walked.ground.times, settings)
    rates = walked.comparison.rates
    late = _row(played, "plan", "late_share")
    apart = np.abs(_busy(played) - model.busy)
    known = np.isfinite(apart)
    weight = units.sum(axis=1)[known]
    return Round(
        number,
        units,
        factor,
        float((model.cover * rates).sum() / rates.sum()),
        1.0 - late["value"],
        late["half_width"],
        float(np.average(apart[known], weights=weight)),
        _gain(played) if number else (0.0, 0.0, 0.0),
    )


def _gain(played: Replications) -> tuple[float, float, float]:
    """Share in time less that of the run's plan, with its interval."""
    change = _row(played, "difference", "late_share")
    return -change["value"], -change["hi"], -change["lo"]


def _row(played: Replications, arm: str, statistic: str) -> dict[str, float]:
    table = played.table
    mine = (table["arm"] == arm) & (table["scope"] == "all") & (table["statistic"] == statistic)
    row = table[mine].iloc[0]
    return {name: float(row[name]) for name in ("value", "lo", "hi", "half_width")}


def _busy(played: Replications) -> NDArray[np.float64]:
    table = played.table
    mine = (table["arm"] == "plan") & (table["scope"] == "hour of the plan")
    own = table[mine].set_index(table.loc[mine, "scope_id"].astype(int))["value"].sort_index()
    return np.asarray(own.to_numpy(dtype=np.float64))


def _moved(walked: Walked, asked: Asked, last: Round, played: Replications) -> NDArray[np.float64]:
    """Move the factor of each hour towards the load at which the model is as busy."""
    settings = asked.settings.model_copy(update={"load_factor": tuple(last.factor.tolist())})
    model = evaluate_positions(last.units, walked.demand.forecast, walked.ground.times, settings)
    ratio = np.divide(_busy(played), model.busy, out=np.ones_like(model.busy), where=model.busy > 0)
    ratio = np.where(np.isfinite(ratio), ratio, 1.0)
    return np.clip(last.factor * np.maximum(ratio, 1e-6) ** _DAMPING, _LEAST, _MOST)


def _planned(walked: Walked, asked: Asked, factor: NDArray[np.float64]) -> NDArray[np.int64]:
    scenario, forecast = walked.road.scenario, walked.demand.forecast
    people, _ = judge.residents(scenario, forecast.weekly_rates(asked.service)[0])
    settings = asked.settings.model_copy(update={"load_factor": tuple(factor.tolist())})
    case = lay_out(forecast, walked.ground.times, settings, asked.today, people=people)
    return solve_case(case).plan.units


def _posts(walked: Walked, units: NDArray[np.int64]) -> pd.DataFrame:
    """List the kept plan as ``posts.csv`` does."""
    posts, scenario = walked.comparison.posts, walked.road.scenario
    hour, post = np.nonzero(units)
    return pd.DataFrame(
        {
            "hour": (scenario.horizon.first_hour + hour) % 168,
            "post_id": posts["post_id"].to_numpy()[post],
            "unit_type": scenario.fleet.unit_type,
            "name": posts["name"].to_numpy()[post],
            "lon": posts["lon"].to_numpy()[post],
            "lat": posts["lat"].to_numpy()[post],
            "units": units[hour, post],
        }
    )

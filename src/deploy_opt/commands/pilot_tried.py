"""What a pilot tries: the plan in the whole city, or in some districts beside today's posts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_opt import judge
from deploy_opt.commands.plays import dmexclp_of, policy_of
from deploy_opt.inputs.rosters import read_roster
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.plan.pinned import FreePart
from deploy_opt.stages.ground import read_places
from deploy_opt.stages.pilot_district import record_trial, trial_area

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.roads import Roads
    from deploy_opt.pipeline import Road
    from deploy_opt.plan.results import SolveReport
    from deploy_opt.report.results import Comparison
    from deploy_opt.settings import PlanSettings, Scenario
    from deploy_opt.simulation.policies import Policy
    from deploy_opt.stages.kept import Calls, Demand, Ground
    from deploy_opt.stages.pilot_district import TrialArea, TrialRecord
    from deploy_opt.stages.simulation_ground import SimulationGround

_READS = (
    *("services", "horizon", "service_times", "fleet", "shifts", "posts", "standards"),
    *("equity", "solver", "robust", "baseline"),
)
WHOLE_CITY_RULES: dict[str, Any] = {
    "objective": "calls",
    "worst_group_cover": None,
    "max_mean_drive_s": None,
    "workload_band": None,
}
"""Rules of balance that the plan of a part of the city is not asked to keep."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Expected calls in time of the plan's horizon by the deployment model, for a part of the city.

    Attributes
    ----------
    calls
        Expected calls.
    plan, today
        Those in time under either plan.
    """

    calls: float
    plan: float
    today: float


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A pilot in some districts.

    Attributes
    ----------
    area
        The districts and their posts.
    record
        What changes and what does not.
    report
        Solve report of the district's plan; None where a table or today was tried instead.
    expected
        Calls in time by the model: ``inside``, ``outside`` and ``city``.
    """

    area: TrialArea
    record: TrialRecord
    report: SolveReport | None
    expected: Mapping[str, Expected]


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """The two rosters of a pilot and what their rules need.

    Attributes
    ----------
    ground
        Posts and drives.
    area_ids
        Areas, in the order of every areas axis.
    rates
        Expected calls, shape (areas, hours).
    plan, today
        Units on duty, shape (hours, posts).
    busy
        Mean busy fraction of the plan's units and of today's, each of shape (hours,).
    comparison
        Plan and rivals of the whole city; None in a pilot of some districts.
    trial
        The pilot of some districts; None in the whole city.
    """

    ground: Ground
    area_ids: tuple[str, ...]
    rates: NDArray[np.float64]
    plan: NDArray[np.int64]
    today: NDArray[np.int64]
    busy: tuple[NDArray[np.float64], NDArray[np.float64]]
    comparison: Comparison | None = None
    trial: Trial | None = None

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Posts whose units the plan may move, shape (posts,)."""
        if self.trial is None:
            return np.ones(self.plan.shape[1], dtype=np.bool_)
        return self.trial.area.inside

    def policies(self, name: str, stage: SimulationGround) -> tuple[str | Policy, str | Policy]:
        """Make the rules that go with the plan and with today; ``compliance``: the city's alone."""
        if self.comparison is not None:
            own = replace(self.comparison.plan, units=self.plan)
            other = self.comparison.baseline
            return (
                policy_of(name, own, self.comparison, stage),
                policy_of(name, other, self.comparison, stage),
            )
        if name == "closest":
            return name, name
        ours, theirs = (
            dmexclp_of(units, busy, self.rates, stage)
            for units, busy in zip((self.plan, self.today), self.busy, strict=True)
        )
        return ours, theirs


def try_in_the_city(
    road: Road,
    located: tuple[Areas, Calls, Demand, Roads | None],
    *,
    plan: Path | None,
    self_test: bool,
) -> Tried:
    """Plan the whole city.

    Parameters
    ----------
    road
        The frozen road.
    located
        Areas, calls before the replay, their forecast, roads.
    plan
        A posts table to try instead of the new plan.
    self_test
        Try today's posts.
    """
    areas, before, demand, roads = located
    ground, comparison, _ = road.to_plan(areas, before, demand, roads)
    today, units = comparison.baseline, comparison.plan.units
    busy = comparison.plan.busy
    if plan is not None:
        units = _units_of(plan, road.scenario, ground)
    if self_test:
        units, busy = today.units, today.busy
        comparison = replace(comparison, plan=replace(today, name="plan"))
    return Tried(
        ground=ground,
        area_ids=comparison.area_ids,
        rates=comparison.rates,
        plan=units,
        today=today.units,
        busy=(busy, today.busy),
        comparison=comparison,
    )


def check_districts(scenario: Scenario, areas: Areas, of_area: Mapping[str, str]) -> None:
    """Check, before anything is forecast, that the pilot's districts have units today.

    Raises
    ------
    InputError
        Where they have none; names those that have.
    """
    if scenario.inputs.posts.candidates:  # a roster may name posts that are not made yet
        return
    posts, _ = read_places(scenario)
    today, _ = judge.units_today(scenario, posts)
    trial_area(scenario.pilot.tried_in, posts, areas, of_area, today)


def try_in_districts(
    road: Road,
    located: tuple[Areas, Calls, Demand, Roads | None],
    of_area: Mapping[str, str],
    *,
    plan: Path | None,
    self_test: bool,
) -> Tried:
    """Plan the posts and hours of the pilot's districts; all others stand as today.

    Parameters
    ----------
    road, located, plan, self_test
        As `try_in_the_city`; of a posts table only the units inside are taken.
    of_area
        District of each area that has one.

    Raises
    ------
    InputError
        Districts without posts or units today; unit-hours inside that differ from today's.
    """
    areas, before, demand, roads = located
    scenario = road.scenario
    ground = road.to_ground(areas, before, demand, roads)
    asked = judge.ask(scenario, before, ground)
    today = asked.today
    area = trial_area(scenario.pilot.tried_in, ground.posts, areas, of_area, today)
    settings = _settings_of(asked.settings, today, area, scenario.pilot.neighbour_weight)
    area_ids = tuple(demand.forecast.weekly_rates(settings.service)[0])
    own = np.array([of_area.get(name) in area.names for name in area_ids])
    report: SolveReport | None = None
    if self_test:
        units = today
    elif plan is not None:
        units = np.where(area.inside, _units_of(plan, scenario, ground), today)
    else:
        ids = ground.posts["post_id"].astype(str)[area.inside]
        units, report = road.stage(
            "district plan",
            lambda: _solve(
                scenario, settings, ground, demand, today, _free_part(scenario, area, own)
            ),
            reads=_READS,
            after=("travel",),
            asked=(ids.tolist(), scenario.pilot.neighbour_weight),
        )
    record = record_trial(area, ground.posts, units, today)
    judged = [
        evaluate_positions(one, demand.forecast, ground.times, settings) for one in (units, today)
    ]
    rates = _rates(demand, settings)
    in_time = [(rates * one.cover).sum(axis=1) for one in judged]
    parts = {"inside": own, "outside": ~own, "city": np.ones_like(own)}
    expected = {
        part: Expected(
            float(rates[rows].sum()), float(in_time[0][rows].sum()), float(in_time[1][rows].sum())
        )
        for part, rows in parts.items()
    }
    return Tried(
        ground=ground,
        area_ids=area_ids,
        rates=rates,
        plan=units,
        today=today,
        busy=(judged[0].busy, judged[1].busy),
        trial=Trial(area, record, report, expected),
    )


def _settings_of(
    settings: PlanSettings, today: NDArray[np.int64], area: TrialArea, weight: float
) -> PlanSettings:
    """Ask for today's unit-hours, and of a part of the city only what it can answer for.

    Beside pinned posts the plan is made by value tables, is chosen by its calls, and keeps the
    floor on its own areas; rules of balance on groups, drives and workload are the whole city's.
    """
    fleet = settings.fleet.model_copy(update={"unit_hours_per_week": float(today.sum())})
    if area.inside.all():
        return settings.model_copy(update={"fleet": fleet})
    how = {"method": "tables"}
    if weight != 1:  # the hypercube of the last search counts every call alike
        how["last_search"] = "none"
    return settings.model_copy(
        update={
            "fleet": fleet,
            "solver": settings.solver.model_copy(update=how),
            "equity": settings.equity.model_copy(update=dict(WHOLE_CITY_RULES)),
        }
    )


def _free_part(scenario: Scenario, area: TrialArea, own: NDArray[np.bool_]) -> FreePart:
    weight = np.where(own, 1.0, scenario.pilot.neighbour_weight)
    return FreePart(area.inside, own, weight)


def _solve(
    scenario: Scenario,
    settings: PlanSettings,
    ground: Ground,
    demand: Demand,
    today: NDArray[np.int64],
    free: FreePart,
) -> tuple[NDArray[np.int64], SolveReport]:
    area_ids = tuple(demand.forecast.weekly_rates(settings.service)[0])
    people, _ = judge.residents(scenario, area_ids)
    case = lay_out(
        demand.forecast,
        ground.times,
        settings,
        today,
        people=people,
        path_calls=judge.path_calls_of(demand, settings.service, area_ids, settings, scenario),
        free=free,
    )
    plan = solve_case(case).plan
    return plan.units, plan.report


def _rates(demand: Demand, settings: PlanSettings) -> NDArray[np.float64]:
    """Give the expected calls of the plan's hours, shape (areas, hours)."""
    weekly = np.asarray(demand.forecast.weekly_rates(settings.service)[1], dtype=np.float64)
    hours = (settings.first_hour + np.arange(settings.hours)) % weekly.shape[1]
    return weekly[:, hours]


def _units_of(file: Path, scenario: Scenario, ground: Ground) -> NDArray[np.int64]:
    return read_roster(
        file,
        ground.posts["post_id"].tolist(),
        unit_type=scenario.fleet.unit_type,
        start=scenario.horizon.start,
        hours=scenario.horizon.hours,
        crew_size=scenario.fleet.crew_size,
    )

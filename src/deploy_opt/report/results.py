"""What a report is made of: the frozen results of every stage, side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas
    from deploy_opt.inputs.base_map import BaseMap
    from deploy_opt.plan.balance.figures import BalanceFigures
    from deploy_opt.plan.city.results import CityPlan
    from deploy_opt.plan.paths.robust import PathFigures
    from deploy_opt.plan.questions.day_parts import DayPart
    from deploy_opt.plan.questions.levels import MoveUpTable
    from deploy_opt.plan.questions.prices import PostValue, RulePrice
    from deploy_opt.plan.results import SolveReport
    from deploy_opt.plan.sites.site_busy import SiteBusy
    from deploy_opt.settings import Scenario


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to deploy the units, judged by the deployment model.

    Attributes
    ----------
    name
        ``plan``, ``baseline`` or ``simple_plan``.
    words
        What it is, for readers.
    units
        Units on duty, shape (hours, posts).
    cover
        Share of calls reached within the standard, shape (areas, hours).
    busy
        Mean busy fraction of the units, shape (hours,).
    drive_s
        Expected drive of the nearest free unit, s, shape (areas, hours); inf where none can come.
    worth
        Expected worth of a call by the plan's response layers, shape (areas, hours); None where
        the plan aims at the calls within the standard.
    site
        What the hypercube says, in which each unit is as busy as its own post makes it; None where
        it was not asked.
    """

    name: str
    words: str
    units: NDArray[np.int64]
    cover: NDArray[np.float64]
    busy: NDArray[np.float64]
    drive_s: NDArray[np.float64]
    worth: NDArray[np.float64] | None = None
    site: SiteBusy | None = None

    @property
    def unit_hours(self) -> int:
        """Unit-hours on duty in the plan's horizon."""
        return int(self.units.sum())


@dataclass(frozen=True, slots=True)
class Comparison:
    """The plan, today and a strong simple plan for one service, on the same demand.

    Attributes
    ----------
    service
        The service.
    area_ids
        Areas, in the order of every areas axis.
    posts
        post_id, name, lon, lat, current, in the order of every posts axis.
    rates
        Expected calls, shape (areas, hours).
    path_calls
        Calls on each sample path, shape (paths, areas, hours).
    plan, baseline, simple
        The three arms.
    crews
        Crews of the plan: start hour, length, number.
    report
        Solve report of the plan.
    busy_min
        Mean minutes that a call commits a unit.
    levels
        Posts by number of free units; None where they were not asked for.
    day_parts
        The same for each part of the day.
    prices
        What each rule costs, dearest first.
    post_values
        What each post of the plan is worth.
    model_lp
        The whole model as LP text, where the plan was solved at once; None by value tables.
    balance
        How evenly groups, areas and units fare; None where it was not asked for.
    on_paths
        How the plans fare on sample paths that were kept from them; None where the plan was made
        against the forecast's mean.
    """

    service: str
    area_ids: tuple[str, ...]
    posts: pd.DataFrame
    rates: NDArray[np.float64]
    path_calls: NDArray[np.int32]
    plan: Arm
    baseline: Arm
    simple: Arm
    crews: pd.DataFrame
    report: SolveReport
    busy_min: float
    levels: MoveUpTable | None = None
    day_parts: tuple[DayPart, ...] = ()
    prices: tuple[RulePrice, ...] = ()
    post_values: tuple[PostValue, ...] = ()
    model_lp: str | None = None
    balance: BalanceFigures | None = None
    on_paths: PathFigures | None = None


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What the records say of the standard.

    Attributes
    ----------
    service
        The service.
    reached, low, high
        Share of the calls that were reached in time, with its exact 95 % interval.
    num_calls, num_left_out
        Calls with both times, and calls without.
    mean_s, p90_s
        Mean and 90th percentile of the recorded times, s.
    limit_s
        The standard's limit by the same clock, s.
    clock_start
        What starts the clock.
    first, last
        Local days of the first and the last call.
    """

    service: str
    reached: float
    low: float
    high: float
    num_calls: int
    num_left_out: int
    mean_s: float
    p90_s: float
    limit_s: float
    clock_start: str
    first: dt.date
    last: dt.date

    def plain(self) -> dict[str, Any]:
        """Give the numbers as plain values."""
        return asdict(self) | {"first": self.first.isoformat(), "last": self.last.isoformat()}


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """Everything that the files of a run are written from.

    Attributes
    ----------
    scenario
        The scenario as it was run.
    areas
        The areas with their names and shapes.
    comparison
        The arms of the planned service.
    notes
        What a reader must know: faults found and masked, assumptions, limits.
    data_window
        First and last local day that was learnt from, in words.
    run_id
        Short hash of scenario, inputs and code.
    lines
        Roads for the base map: class and polylines (longitude, latitude).
    attribution
        Credit line of the map.
    base_map
        Land and water behind the map; None where the scenario brings none.
    warnings
        What a reader must see before the numbers, in words.
    city
        The plan of all services; None where ambulances are planned alone.
    simulated
        Main numbers of the simulation of this run (``simulation.json``); None where none was.
    staff
        Contract ``staff.csv`` of ambulances that are planned alone; None where the scenario says
        nothing of their people, or `city` says it.
    on_record
        What the records say of the standard; None where they hold no arrivals.
    """

    scenario: Scenario
    areas: Areas
    comparison: Comparison
    notes: tuple[str, ...]
    data_window: str
    run_id: str
    lines: tuple[tuple[str, tuple[NDArray[np.float64], ...]], ...]
    attribution: str
    base_map: BaseMap | None = None
    warnings: tuple[str, ...] = ()
    city: CityPlan | None = None
    simulated: Mapping[str, Any] | None = None
    staff: pd.DataFrame | None = None
    on_record: OnRecord | None = None

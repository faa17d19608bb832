"""Solve the deployment and set it beside today's and a strong simple plan, by one model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.population import read_population
from deploy_opt.inputs.rosters import read_roster, units_all_day
from deploy_opt.plan.balance.figures import balance_figures
from deploy_opt.plan.case import lay_out
from deploy_opt.plan.deployment import solve_case
from deploy_opt.plan.evaluate import evaluate_positions
from deploy_opt.plan.frontier import CURVES, at_hand, cost_curve, equity_curve
from deploy_opt.plan.paths.model import on_the_forecast
from deploy_opt.plan.paths.rates import judging_rates
from deploy_opt.plan.paths.robust import judge_on_paths
from deploy_opt.plan.questions.day_parts import move_up_by_day_part
from deploy_opt.plan.questions.inverse import fewest_unit_hours
from deploy_opt.plan.questions.levels import move_up_table
from deploy_opt.plan.questions.prices import price_rules, value_posts
from deploy_opt.plan.questions.trade_offs import response_curve, workload_curve
from deploy_opt.plan.response import mean_drive_s
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.simple import simple_plan
from deploy_opt.plan.sites.site_busy import site_busy, site_demand
from deploy_opt.plan.solver import check_engine
from deploy_opt.report.results import Arm, Comparison
from deploy_opt.units import MINUTES_PER_HOUR, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.executor import Executor
    from deploy_opt.input_settings import Service
    from deploy_opt.inputs.population import Population
    from deploy_opt.inputs.travel import TravelTimes
    from deploy_opt.plan.deployment import SolvedCase
    from deploy_opt.plan.frontier import Curve, Frontier, PlanAtHand
    from deploy_opt.plan.paths.robust import PathFigures
    from deploy_opt.settings import PlanSettings, Scenario
    from deploy_opt.stages import Calls, Demand, Ground

_LONGEST_BUSY_MIN = 6 * MINUTES_PER_HOUR
_FEWEST_TIMED_CALLS = 100
_MOST_NAMED = 5


def units_today(scenario: Scenario, posts: pd.DataFrame) -> tuple[NDArray[np.int64], str]:
    """Read what is on duty today, by hour and post.

    Parameters
    ----------
    scenario
        The scenario.
    posts
        As `read_posts`; row order is the posts axis.

    Returns
    -------
    tuple
        Units, shape (hours, posts), and where they come from, in words.
    """
    post_ids = posts["post_id"].tolist()
    baseline = scenario.baseline
    file = scenario.fleet.today
    if baseline is not None:
        file = baseline.roster or baseline.plan
        if baseline.units:
            units = units_all_day(
                baseline.units, post_ids, hours=scenario.horizon.hours, where="baseline.units"
            )
            return units, "today: the same units at each post all day, as the scenario says"
    if file is not None:
        units = read_roster(
            scenario.path(file),
            post_ids,
            unit_type=scenario.fleet.unit_type,
            start=scenario.horizon.start,
            hours=scenario.horizon.hours,
            crew_size=scenario.fleet.crew_size,
        )
        return units, f"today: the roster {scenario.path(file).name}"
    row = posts["units_today"].to_numpy(dtype=np.int64)
    if not row.any():
        found = "no unit in units_today of inputs.posts"
        expected = "today's units there, or fleet.today, or baseline"
        raise InputError.of("fleet.today", found, expected)
    units = np.tile(row, (scenario.horizon.hours, 1))
    return units, "today: units_today of the posts table all day, for want of a roster"


def busy_minutes(
    scenario: Scenario, service: Service, calls: Calls, ground: Ground, today: NDArray[np.int64]
) -> tuple[float, str]:
    """Work out how long a call commits a unit, from records or from the scenario.

    Returns
    -------
    tuple
        Mean minutes, and where they come from, in words.
    """
    section = scenario.service_times.get(service)
    if section is not None and section.busy_min is not None:
        return section.busy_min, f"{section.busy_min:g} min a call, as the scenario says"
    if section is not None:
        return _busy_from_parts(scenario, service, ground, today)
    return busy_from_records(service, calls)


def busy_from_records(service: Service, calls: Calls) -> tuple[float, str]:
    """Work out how long a call commits a unit from dispatch and clear times of the records.

    Raises
    ------
    InputError
        When fewer than 100 records of the service carry both times.
    """
    frame = calls.incidents
    if not frame.empty:
        rows = frame[frame["service"] == service]
        minutes = (rows["cleared_at"] - rows["dispatched_at"]).dt.total_seconds()
        minutes = minutes.dropna() / SECONDS_PER_MINUTE
        kept = minutes[(minutes > 0) & (minutes <= _LONGEST_BUSY_MIN)]
        if len(kept) >= _FEWEST_TIMED_CALLS:
            mean = float(kept.mean())
            left_out = len(minutes) - len(kept)
            words = f"{mean:.1f} min a call, mean of {len(kept):,} records from dispatch to clear"
            return mean, words + (f" ({left_out} implausible left out)" if left_out else "")
    found = "too few records with dispatch and clear times"
    raise InputError.of(f"service_times.{service}", found, "busy_min, or the parts of a call")


def _busy_from_parts(
    scenario: Scenario, service: Service, ground: Ground, today: NDArray[np.int64]
) -> tuple[float, str]:
    parts = scenario.service_times[service]
    share = ground.times.destinations["share"].to_numpy(dtype=float)
    staffed = today.sum(axis=0) > 0
    nearest = ground.times.seconds[staffed].min(axis=0)
    reachable = np.isfinite(nearest)
    to_scene = float(np.average(nearest[reachable], weights=share[reachable]))
    to_scene /= SECONDS_PER_MINUTE
    to_hospital = (ground.hospital_drive_s or 0.0) / SECONDS_PER_MINUTE
    if parts.transport_share and ground.hospital_drive_s is None:
        expected = "hospitals and roads, as calls are transported"
        raise InputError.of("inputs.hospitals", "nothing", expected)
    transport = parts.transport_share * (to_hospital + parts.handover_min)
    mean = parts.mobilisation_min + to_scene + parts.on_scene_min + transport
    words = (
        f"{mean:.1f} min a call: {parts.mobilisation_min:g} mobilisation, {to_scene:.1f} drive to "
        f"scene, {parts.on_scene_min:g} on scene, {parts.transport_share:.0%} x "
        f"({to_hospital:.1f} drive to hospital + {parts.handover_min:g} handover)"
    )
    return mean, words


def judge(
    scenario: Scenario,
    calls: Calls,
    ground: Ground,
    demand: Demand,
    *,
    target_share: float | None = None,
) -> tuple[Comparison, tuple[str, ...]]:
    """Plan the deployment and compare it.

    Parameters
    ----------
    scenario, calls, ground, demand
        The question and the stages before.
    target_share
        Share of the calls to reach with the fewest unit-hours; None: the scenario's budget.

    Returns
    -------
    tuple
        The comparison, and what a reader must know about it.

    Raises
    ------
    InfeasibleError
        Rules that conflict, or a target that nothing reaches.
    """
    asked = ask(scenario, calls, ground)
    service, today, busy_min = asked.service, asked.today, asked.busy_min
    settings = asked.settings
    people, unknown = residents(scenario, demand.forecast.weekly_rates(service)[0])
    words: tuple[str, ...] = (asked.busy_words, *_over_capacity(ground.posts, today), *unknown)
    area_ids, weekly = demand.forecast.weekly_rates(service)
    rates = weekly[:, _hours_of_week(settings)]
    path_calls = path_calls_of(demand, service, tuple(area_ids), settings, scenario)
    if target_share is None:
        solved = solve_case(
            lay_out(
                demand.forecast,
                ground.times,
                settings,
                today,
                people=people,
                path_calls=path_calls,
            )
        )
    elif settings.robust is not None:
        expected = "nothing: the fewest unit-hours are asked of the forecast's mean"
        raise InputError.of("robust", "robust with a target share", expected)
    elif settings.solver.method == "extensive":
        expected = "tables, which alone can ask for the fewest unit-hours"
        raise InputError.of("solver.method", "extensive with a target share", expected)
    else:
        fewest = fewest_unit_hours(
            demand.forecast,
            ground.times,
            settings,
            target_share=target_share,
            baseline=today,
            people=people,
        )
        solved, settings, words = fewest.solved, fewest.settings, (fewest.words, *words)
    plan = solved.plan
    simple = simple_plan(demand.forecast, ground.times, settings, baseline=today)
    case = on_the_forecast(solved.case)
    model = case.model
    sites = site_demand(model, ground.times, settings)
    levels = move_up_table(case, plan.units)

    def arm(name: str, words: str, units: NDArray[np.int64]) -> Arm:
        judged = evaluate_positions(units, demand.forecast, ground.times, settings)
        drive = _area_drive(units, judged.busy, ground.times, area_ids, settings)
        site = site_busy(sites, model, units)
        return Arm(name, words, units, judged.cover, judged.busy, drive, judged.worth, site)

    comparison = Comparison(
        service=service,
        area_ids=tuple(area_ids),
        posts=ground.posts,
        rates=rates,
        path_calls=path_calls,
        plan=arm("plan", "the plan", plan.units),
        baseline=arm("baseline", asked.today_words, today),
        simple=arm("simple_plan", simple.words, simple.units),
        crews=plan.crews,
        report=plan.report,
        busy_min=busy_min,
        levels=levels,
        day_parts=move_up_by_day_part(case, plan.units, levels),
        prices=price_rules(solved, ground.times.origins),
        post_values=value_posts(replace(solved, case=case)),
        model_lp=solved.model_lp,
        balance=balance_figures(case, plan.units, today),
        on_paths=_on_kept_paths(solved, path_calls, rates, today, simple.units),
    )
    return comparison, words


def _on_kept_paths(
    solved: SolvedCase,
    path_calls: NDArray[np.int32],
    rates: NDArray[np.float64],
    today: NDArray[np.int64],
    simple: NDArray[np.int64],
) -> PathFigures | None:
    """Judge a plan against paths by those that it was not made against."""
    if solved.on_the_mean is None:
        return None
    plans = {
        "plan": solved.plan.units,
        "plan_on_the_mean": solved.on_the_mean,
        "baseline": today,
        "simple_plan": simple,
    }
    return judge_on_paths(solved.case, judging_rates(path_calls, rates), plans)


@dataclass(frozen=True, slots=True)
class Asked:
    """The plan section of a scenario with today's units and the time a call takes."""

    service: Service
    today: NDArray[np.int64]
    today_words: str
    busy_min: float
    busy_words: str
    settings: PlanSettings


def ask(scenario: Scenario, calls: Calls, ground: Ground) -> Asked:
    """Gather the plan section, today's units and the time a call takes."""
    service = scenario.services[0]
    today, today_words = units_today(scenario, ground.posts)
    busy_min, busy_words = busy_minutes(scenario, service, calls, ground, today)
    settings = scenario.plan_settings(service, busy_min=busy_min)
    return Asked(service, today, today_words, busy_min, busy_words, settings)


def residents(
    scenario: Scenario, area_ids: Sequence[str] = ()
) -> tuple[Population | None, tuple[str, ...]]:
    """Read who lives in the areas, where the scenario names a table.

    Parameters
    ----------
    scenario
        The scenario.
    area_ids
        Areas of the forecast; none: their residents are not looked for.

    Returns
    -------
    tuple
        Residents and groups, and which areas have none, in words.

    Raises
    ------
    InputError
        With every fault of the table; where it knows none of the areas.
    """
    file = scenario.inputs.population
    if file is None:
        return None, ()
    path = scenario.path(file)
    people = read_population(path, groups=scenario.equity.groups)
    missing = [area_id for area_id in area_ids if area_id not in set(people.area_ids)]
    if area_ids and len(missing) == len(area_ids):
        found = f"area_id {people.area_ids[0]!r} and others, none of them an area of the forecast"
        raise InputError.of(str(path), found, f"areas such as {area_ids[0]!r}")
    if not missing:
        return people, ()
    named = ", ".join(missing[:_MOST_NAMED]) + (" and others" if len(missing) > _MOST_NAMED else "")
    words = f"{path.name} knows no residents of {named}: their calls count for no population group"
    return people, (words,)


def curves_of(kinds: Sequence[str] | None) -> tuple[Curve, ...]:
    """Check the names of curves; None means all."""
    faults = FaultList()
    for kind in kinds or ():
        if kind not in CURVES:
            faults.add("kind", repr(kind), ", ".join(CURVES), nearest(kind, CURVES))
    faults.raise_if_any()
    return CURVES if kinds is None else tuple(curve for curve in CURVES if curve in kinds)


def trace(
    scenario: Scenario,
    calls: Calls,
    ground: Ground,
    demand: Demand,
    comparison: Comparison,
    *,
    curves: Sequence[Curve],
    num_points: int,
    workers: Executor,
) -> tuple[Frontier, ...]:
    """Trace curves of the calls reached round a finished plan, one curve a unit of work."""
    asked = ask(scenario, calls, ground)
    settings = asked.settings.on_the_standard()
    people, _ = residents(scenario, demand.forecast.weekly_rates(asked.service)[0])
    case = lay_out(demand.forecast, ground.times, settings, asked.today, people=people)
    plan = at_hand(case, comparison.plan.units, asked.today)
    work = [(curve, plan, ground.times, num_points) for curve in curves]
    traced = tuple(workers.map(_trace_one, work))
    notes = []
    if settings is not asked.settings:
        aim = scenario.standards[asked.service].aim_words
        notes.append(
            f"The curve counts calls within the standard. The plan aims at {aim}; it may "
            "therefore lie below the curve."
        )
    if settings.robust is not None:
        notes.append(
            "The curve counts calls by the forecast's mean. The plan was made against its sample "
            "paths; it may therefore lie below the curve."
        )
    return tuple(replace(curve, notes=(*curve.notes, *notes)) for curve in traced)


def _trace_one(work: tuple[Curve, PlanAtHand, TravelTimes, int]) -> Frontier:
    curve, plan, times, num_points = work
    if curve == "cost":
        return cost_curve(plan, num_points=num_points)
    if curve == "equity":
        return equity_curve(plan, num_points=num_points)
    if curve == "response":
        return response_curve(plan, times, num_points=num_points)
    return workload_curve(plan, times, num_points=num_points)


def _over_capacity(posts: pd.DataFrame, today: NDArray[np.int64]) -> tuple[str, ...]:
    most = today.max(axis=0)
    over = posts["capacity"].notna() & (most > posts["capacity"].fillna(0))
    names = posts.loc[over, "post_id"].tolist()
    if not names:
        return ()
    return (f"today more units stand at {', '.join(names)} than the posts table allows",)


def _hours_of_week(settings: PlanSettings) -> NDArray[np.int64]:
    return (settings.first_hour + np.arange(settings.hours)) % 168


def _area_drive(
    units: NDArray[np.int64],
    busy: NDArray[np.float64],
    times: TravelTimes,
    area_ids: tuple[str, ...],
    settings: PlanSettings,
) -> NDArray[np.float64]:
    points = times.destinations
    area = np.asarray([area_ids.index(a) for a in points["area_id"]], dtype=np.int64)
    share = points["share"].to_numpy(dtype=float)
    drive = np.full((len(area_ids), settings.hours), np.inf)
    for hour, hour_of_week in enumerate(_hours_of_week(settings)):
        at_points = mean_drive_s(times.at_hour(int(hour_of_week)), units[hour], busy[hour])
        reached = np.isfinite(at_points)
        weight = np.bincount(area[reached], share[reached], len(area_ids))
        total = np.bincount(area[reached], share[reached] * at_points[reached], len(area_ids))
        np.divide(total, weight, out=drive[:, hour], where=weight > 0)
    return drive


def path_calls_of(
    demand: Demand,
    service: Service,
    area_ids: tuple[str, ...],
    settings: PlanSettings,
    scenario: Scenario,
) -> NDArray[np.int32]:
    """Give the calls of the forecast's sample paths, shape (paths, areas, hours)."""
    paths = demand.forecast.paths
    rows = paths[paths["service"] == service]
    columns = [name for name in rows.columns if name.startswith("path_")]
    start = np.datetime64(scenario.horizon.start)
    hour = ((rows["hour"].to_numpy() - start) / np.timedelta64(1, "h")).astype(np.int64)
    position = {area_id: rank for rank, area_id in enumerate(area_ids)}
    area = rows["area_id"].map(position).to_numpy(dtype=np.int64)
    result = np.zeros((len(columns), len(area_ids), settings.hours), dtype=np.int32)
    inside = (hour >= 0) & (hour < settings.hours)
    result[:, area[inside], hour[inside]] = rows.loc[inside, columns].to_numpy(dtype=np.int32).T
    return result


def check_rules(scenario: Scenario, posts: pd.DataFrame) -> None:
    """Check that rosters and rules name known posts and can hold together; needs no forecast.

    Raises
    ------
    InputError
        With every unknown post, every fault of today's roster and a solver that is not there.
    InfeasibleError
        When rules conflict whatever the calls; names them.
    """
    faults = FaultList()
    try:
        check_engine(scenario.solver.engine)
    except InputError as error:
        faults.extend(error.faults)
    known = set(posts["post_id"])
    named = [("posts.locked", post_id) for post_id in scenario.posts.locked]
    named += [("posts.forbidden", post_id) for post_id in scenario.posts.forbidden]
    named += [("posts.limits", limit.post_id) for limit in scenario.posts.limits]
    for where, post_id in named:
        proposed = scenario.inputs.posts.candidates and post_id.startswith("C")
        if post_id not in known and not proposed:
            expected, do = "a post of inputs.posts", nearest(post_id, known)
            faults.add(where, f"post {post_id!r}", expected, do)
    unit_hours = 0.0
    try:
        unit_hours = float(units_today(scenario, posts)[0].sum())
    except InputError as error:
        faults.extend(error.faults)
    faults.raise_if_any()
    if not scenario.inputs.posts.candidates:
        settings = scenario.plan_settings(scenario.services[0], busy_min=1.0)
        rules_of(settings, posts, np.zeros(settings.hours), unit_hours)

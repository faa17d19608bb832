"""A live pilot: its size and published schedule, and what its records show."""

from __future__ import annotations

import importlib.metadata
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.inputs.pilot_files import read_live_records, read_overrides, read_schedule
from deploy_opt.pipeline import Road, close_run
from deploy_opt.report.files import write_csv, write_files, write_json
from deploy_opt.report.pilot_live_page import LiveFacts, live_lines, render_live
from deploy_opt.report.pilot_page import rule_words
from deploy_opt.stages.pilot_design import LiveDesign, design_switchback, design_wedge
from deploy_opt.stages.pilot_live import (
    LiveFindings,
    count_overrides,
    judge_series,
    judge_switchback,
    judge_wedge,
    with_lateness,
)
from deploy_opt.stages.pilot_replay import districts_of, rule_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from pathlib import Path

    from deploy_opt.settings import Scenario

PAGE = "pilot_live.html"
_LAST_DAYS = 365
_OF_A_DAY: dict[str, Callable[[Any, float], pd.Series]] = {
    "mean_response_s": lambda groups, _: groups.mean(),
    "p90_response_s": lambda groups, _: groups.quantile(0.9),
    "late_share": lambda groups, standard_s: groups.apply(lambda own: (own > standard_s).mean()),
}


@dataclass(frozen=True, slots=True)
class LivePilotAsked:
    """What the command asks of a live pilot's records.

    Attributes
    ----------
    records
        File of the incidents.
    design
        switchback, interrupted or stepped_wedge; None: the scenario's.
    schedule
        The published schedule (switchback, stepped_wedge).
    start
        First day of the plan (interrupted); None: the scenario's.
    district, control
        Where the plan runs and where it does not (interrupted).
    overrides
        Log of dispatchers' overrides.
    """

    records: Path
    design: str | None = None
    schedule: Path | None = None
    start: dt.date | None = None
    district: str | None = None
    control: str | None = None
    overrides: Path | None = None


def run_design(
    scenario: Scenario,
    out_dir: Path,
    *,
    design: str | None = None,
    start: dt.date | None = None,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Say how long a live pilot must run, and draw its schedule to be published.

    Parameters
    ----------
    scenario, out_dir, fresh, talk
        As `run_pilot`; writes ``pilot_schedule.csv`` and ``pilot_design.json``.
    design
        switchback or stepped_wedge; None: the scenario's, else switchback.
    start
        First day; None: the scenario's, else the start of its plan.

    Raises
    ------
    InputError
        For an interrupted series, which has no lot to draw; for too few records or districts.
    """
    live = scenario.pilot.live
    kind = design or live.design or "switchback"
    first = start or live.start or scenario.horizon.start
    if kind == "interrupted":
        expected = "switchback or stepped_wedge, which have a size and a lot to draw"
        do = "an interrupted series has none: name its start with --from when you analyse it"
        raise InputError.of("--design", repr(kind), expected, do)
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    areas, calls, _ = road.to_located()
    with road.progress.stage("pilot design"):
        past = _past_response(scenario, calls.incidents)
        if kind == "switchback":
            made = design_switchback(
                _by(past, "day", scenario), live, first_day=first, seed=scenario.seed
            )
        else:
            of_area = districts_of(scenario, areas)
            past["district"] = past["area_id"].map(of_area)
            by_week = {
                str(name): _by(own, "week", scenario)
                for name, own in past.dropna(subset=["district"]).groupby("district")
            }
            made = design_wedge(by_week, live, first_day=first, seed=scenario.seed)
    rule, digest = rule_of(scenario)
    summary = _design_summary(scenario, made) | {
        "rule": asdict(rule),
        "rule_digest": digest,
        "rule_words": rule_words(asdict(rule)),
    }
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "pilot_schedule.csv": partial(write_csv, made.schedule),
            "pilot_design.json": partial(write_json, summary),
        }
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = [
        made.words,
        *_washout_words(scenario, calls.incidents),
        f"Rule {digest}: {summary['rule_words']}",
        "Publish the schedule and the rule before the first day.",
        str(out_dir / "pilot_schedule.csv"),
    ]
    return summary | {"files": sorted(files)}, lines


def _washout_words(scenario: Scenario, frame: pd.DataFrame) -> list[str]:
    """Warn where the washout is shorter than two mean service times of the records."""
    if frame.empty:
        return []
    own = frame[frame["service"] == scenario.services[0]]
    mean_h = (own["cleared_at"] - own["dispatched_at"]).dt.total_seconds().mean() / 3600
    washout_h = scenario.pilot.live.washout_h
    if not 2 * mean_h > washout_h:
        return []
    words = f"Two mean service times are {2 * mean_h:.1f} h, longer than the washout of"
    return [f"{words} {washout_h:g} h: set pilot.live.washout_h."]


def _design_summary(scenario: Scenario, made: LiveDesign) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "synthetic": scenario.synthetic,
        "design": made.design,
        "outcome": scenario.pilot.primary,
        "sd": made.sd,
        "delta": made.delta,
        "blocks_per_arm": made.blocks_per_arm,
        "power": made.power,
        "words": made.words,
        "seed": scenario.seed,
    }


def _past_response(scenario: Scenario, frame: pd.DataFrame) -> pd.DataFrame:
    """Take the recorded responses of the last year: received_at (naive local), response_s."""
    names = ["received_at", "arrived_at", "area_id"]
    if frame.empty:
        return pd.DataFrame({"received_at": pd.to_datetime([]), "response_s": [], "area_id": []})
    own = frame.loc[frame["service"] == scenario.services[0], names].dropna()
    seconds = (own["arrived_at"] - own["received_at"]).dt.total_seconds()
    at = own["received_at"].dt.tz_convert(scenario.time_zone).dt.tz_localize(None)
    past = pd.DataFrame({"received_at": at, "response_s": seconds, "area_id": own["area_id"]})
    past = past[(seconds >= 0).to_numpy()]
    return past[past["received_at"] > past["received_at"].max() - pd.Timedelta(days=_LAST_DAYS)]


def _by(past: pd.DataFrame, span: str, scenario: Scenario) -> pd.Series:
    """Work out the primary outcome of each past day or week."""
    name = scenario.pilot.primary
    if name not in _OF_A_DAY or past.empty:
        return pd.Series(dtype=float, index=pd.DatetimeIndex([]))
    standard = scenario.standards[scenario.services[0]]
    day = past["received_at"].dt.normalize()
    if span == "week":
        day = day - pd.to_timedelta(day.dt.dayofweek, unit="D")
    values = _OF_A_DAY[name](
        past.groupby(day)["response_s"], standard.drive_s + standard.before_drive_s
    )
    return values.iloc[1:-1] if span == "week" else values  # the ends are no whole weeks


def run_observed(
    scenario: Scenario,
    out_dir: Path,
    asked: LivePilotAsked,
    *,
    fresh: bool = False,
    talk: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Say what the records of a live pilot show: response, incident outcomes, harm, overrides.

    Parameters
    ----------
    scenario, out_dir, fresh, talk
        As `run_pilot`; writes ``pilot_effects_live.csv``, ``pilot_live.json`` and
        ``pilot_live.html``, and ``pilot_overrides.csv`` where there is a log.
    asked
        Files and design.

    Raises
    ------
    InputError
        For faults of the files; a design without its schedule, start or districts; too few
        districts for a stepped wedge.
    """
    live = scenario.pilot.live
    kind = asked.design or live.design
    if kind is None:
        expected = "switchback, interrupted or stepped_wedge, or pilot.live.design"
        raise InputError.of("--design", "nothing", expected)
    if kind != "interrupted" and asked.schedule is None:
        do = "deploy-opt pilot SCENARIO --design-only draws one"
        raise InputError.of("--schedule", "nothing", f"the published schedule of the {kind}", do)
    road = Road(scenario, out_dir, fresh=fresh, talk=talk)
    standard = scenario.standards[scenario.services[0]]
    with road.progress.stage("pilot records"):
        records = with_lateness(
            read_live_records(asked.records, scenario.time_zone),
            standard.drive_s + standard.before_drive_s,
        )
        found = _judged(scenario, asked, kind, records)
        overrides, said = _overrides(scenario, asked)
    release = importlib.metadata.version("deploy-opt")
    facts = LiveFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        standard=standard.words,
        design=kind,
        start=f"{records['received_at'].min():%Y-%m-%d}",
        end=f"{records['received_at'].max():%Y-%m-%d}",
        num_records=len(records),
        washout_h=live.washout_h,
        control=asked.control,
        false_alarm_days=live.harm_false_alarm_days,
        harm_ratio=live.harm_ratio,
        notes=(*found.notes, *said, *_warnings(asked, kind)),
        provenance=f"Run {road.run_id[:6]}, deploy_opt {release}.",
    )
    summary = _live_summary(found, facts, overrides)
    page = render_live(found.effects, found.harm, found.harm_days, overrides, facts)
    with road.progress.stage("files"):
        writers: dict[str, Callable[[Path], None]] = {
            "pilot_effects_live.csv": partial(write_csv, found.effects),
            "pilot_live.json": partial(write_json, summary),
            PAGE: lambda path: _write_text(page, path),
        }
        if overrides is not None:
            writers["pilot_overrides.csv"] = partial(write_csv, overrides)
        files = write_files(out_dir, writers)
    close_run(road, files)
    lines = live_lines(found.effects, found.harm, found.harm_days, overrides, facts)
    return summary | {"files": sorted(files)}, [*lines, str(out_dir / PAGE)]


def _judged(
    scenario: Scenario, asked: LivePilotAsked, kind: str, records: pd.DataFrame
) -> LiveFindings:
    live = scenario.pilot.live
    if kind == "interrupted":
        starts = asked.start or live.start
        if starts is None:
            expected = "the first day of the plan, or pilot.live.start"
            raise InputError.of("--from", "nothing", expected)
        if asked.control is not None and asked.district is None:
            expected = "the district of the pilot beside its control"
            raise InputError.of("--district", "nothing", expected)
        return judge_series(
            records, live, starts=starts, district=asked.district, control=asked.control
        )
    if asked.schedule is None:  # refused before
        raise InputError.of("--schedule", "nothing", f"the published schedule of the {kind}")
    schedule = read_schedule(asked.schedule, kind)
    judge = judge_switchback if kind == "switchback" else judge_wedge
    return judge(records, schedule, live, seed=scenario.seed)


def _overrides(
    scenario: Scenario, asked: LivePilotAsked
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    if asked.overrides is None:
        return None, ("No log of overrides: whether dispatchers followed the plan is not known.",)
    log, notes = read_overrides(asked.overrides, scenario.time_zone)
    return count_overrides(log), notes


def _warnings(asked: LivePilotAsked, kind: str) -> tuple[str, ...]:
    if kind == "interrupted" and asked.control is None:
        words = "no control district: whatever else changed with the plan counts as its effect."
        return (f"There is {words}",)
    return ()


def _live_summary(
    found: LiveFindings, facts: LiveFacts, overrides: pd.DataFrame | None
) -> dict[str, Any]:
    harm = None
    if found.harm is not None:
        row = found.harm.alarm
        harm = {
            "days": found.harm.days,
            "calls": found.harm.calls,
            "late": found.harm.late,
            "expected_late": found.harm.expected_per_day * found.harm.days,
            "alarm": None if row is None else found.harm_days[row],
            "false_alarm_days": facts.false_alarm_days,
        }
    return asdict(facts) | {
        "effects": found.effects.to_dict("records"),
        "harm": harm,
        "overrides": None if overrides is None else overrides.to_dict("records"),
    }


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")

"""What a pilot found, for its files and its page."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.commands.pilot_tried import WHOLE_CITY_RULES
from deploy_opt.report.pilot_page import PilotFacts, listed
from deploy_opt.simulation.pilot_weeks import ALL, ALL_NEIGHBOURS, HOUR_S
from deploy_opt.stages.pilot_replay import agreement, rule_of
from deploy_opt.stages.simulation_ground import WARM_UP_H

if TYPE_CHECKING:
    from deploy_opt.commands.pilot import PilotAsked
    from deploy_opt.commands.pilot_tried import Trial, Tried
    from deploy_opt.pipeline import Road
    from deploy_opt.settings import Scenario
    from deploy_opt.simulation.pilot import PilotResult
    from deploy_opt.stages.pilot_replay import Window


def weeks_table(result: PilotResult, window: Window, incidents: pd.DataFrame) -> pd.DataFrame:
    """Name the weeks by their first day and add their calls."""
    weeks = result.weeks
    start = pd.Timestamp(window.start) + pd.to_timedelta(7 * weeks["week"], unit="D")
    at = (incidents["at_s"] - WARM_UP_H * HOUR_S) // (168 * HOUR_S)
    own = incidents.assign(week=at.astype(int))
    sizes = {(ALL, week): size for week, size in own.groupby("week").size().items()}
    if "district" in own:
        sizes |= own.groupby(["district", "week"]).size().to_dict()
        for group, districts in result.groups.items():
            inside = own[own["district"].isin(districts)]
            sizes |= {(group, week): size for week, size in inside.groupby("week").size().items()}
    keys = zip(weeks["district"], weeks["week"], strict=True)
    roles = result.outcomes.drop_duplicates("district").set_index("district")["role"]
    return pd.DataFrame(
        {
            "district": weeks["district"],
            "role": weeks["district"].map(roles),
            "week": weeks["week"],
            "week_start": start.dt.strftime("%Y-%m-%d"),
            "outcome": weeks["outcome"],
            "calls": [int(sizes.get(key, 0)) for key in keys],
            "plan": weeks["plan"],
            "baseline": weeks["baseline"],
            "difference": weeks["difference"],
        }
    )


def facts_of(
    road: Road,
    window: Window,
    result: PilotResult,
    incidents: pd.DataFrame,
    tried: Tried,
    asked: PilotAsked,
) -> PilotFacts:
    """Gather what the page says about a pilot."""
    scenario = road.scenario
    counted = (incidents["at_s"] >= WARM_UP_H * HOUR_S).to_numpy()
    rule, digest = rule_of(scenario)
    release = importlib.metadata.version("deploy-opt")
    own = incidents["recorded"].to_numpy()[counted]
    snap = incidents["snap_m"].to_numpy()[counted]
    place = (
        f"Incidents stand at the demand point nearest to their place, {np.nanmedian(snap):.0f} m "
        "away in the median."
        if np.isfinite(snap).any()
        else "Records have no coordinates: incidents stand at demand points of their areas."
    )
    lengths = (
        f"Times on scene and at hospital are the record's own for {own.mean():.0%} of incidents; "
        "for the others one is drawn by the incident's id."
        if asked.streams == "common"
        else "Each plan draws its own times on scene and at hospital (independent streams)."
    )
    weight = scenario.pilot.neighbour_weight
    written = "pilot" in scenario.model_fields_set
    source = (
        f"The plan is the file {asked.plan.name}; what it had seen is not known here."
        if asked.plan is not None
        else f"The plan was made from records before {window.start} alone."
    )
    notes = (
        "Self-test: today's posts against themselves." if asked.self_test else source,
        lengths,
        place,
        *_more_notes(scenario, window, asked),
        *(() if tried.trial is None else _trial_notes(scenario, tried.trial)),
        f"The {WARM_UP_H} hours before the first week are played and not counted.",
        "The decision rule stands in the scenario's section pilot."
        if written
        else "The scenario has no section pilot: the decision rule is the usual one.",
    )
    return PilotFacts(
        name=scenario.name,
        synthetic=scenario.synthetic,
        standard=scenario.standards[scenario.services[0]].words,
        start=window.start.isoformat(),
        end=(window.end - dt.timedelta(days=1)).isoformat(),
        num_weeks=window.num_weeks,
        num_calls=int(counted.sum()),
        held_out=asked.plan is None,
        streams=asked.streams,
        decided_on=result.decided_on,
        decision=result.decision,
        reasons=result.reasons,
        rule=asdict(rule),
        rule_digest=digest,
        rule_written=written,
        frozen=result.frozen,
        unit_hours=dict(result.unit_hours),
        agreement=agreement(
            incidents["observed_response_s"].to_numpy()[counted],
            result.answered["baseline_s"].to_numpy()[counted],
        ),
        variance_ratio=variance_ratio(result.weeks, rule.primary, result.decided_on),
        trial=None if tried.trial is None else trial_facts(tried.trial, weight),
        notes=notes,
        caveats=result.caveats,
        provenance=f"Run {road.run_id[:6]}, deploy_opt {release}.",
    )


def _more_notes(scenario: Scenario, window: Window, asked: PilotAsked) -> list[str]:
    """Say what the forecast knew beside calls, and whether districts were asked for in vain."""
    notes = []
    if scenario.inputs.weather:
        notes.append(
            f"The forecast knew the weather of the week of {window.start} where inputs.weather has "
            "it; no call of it."
        )
    if scenario.pilot.tried_in and asked.whole_city:
        named = ", ".join(scenario.pilot.tried_in)
        notes.append(f"The plan stands in the whole city, as asked; pilot.tried_in names {named}.")
    return notes


def _trial_notes(scenario: Scenario, trial: Trial) -> list[str]:
    """Say how the plan of some districts was made and played."""
    words = listed(trial.area.names)
    notes = [
        (
            f"A post belongs to the district of the area it stands in. Units at posts outside "
            f"{words} are pinned to today's, hour by hour; both plans play the whole city, and the "
            "unit that arrives first goes, over any border."
        )
    ]
    if trial.report is not None and not trial.record.covers_city:
        weight = scenario.pilot.neighbour_weight
        notes.append(
            f"The plan in {words} keeps the scenario's shifts and rules and makes the most of the "
            f"calls in time; a neighbour's counts {weight:g} (pilot.neighbour_weight)."
        )
        asked = scenario.equity
        given_up = [
            f"equity.{name}"
            for name, value in WHOLE_CITY_RULES.items()
            if getattr(asked, name) != value
        ]
        if asked.weakest_area_cover is not None:
            notes.append("The floor on areas is asked of the districts' own areas alone.")
        if given_up:
            notes.append(
                f"{listed(given_up)}: rules for the whole city, not asked of a part of it."
            )
    if trial.report is not None:
        notes += [f"Of the plan: {note}." for note in trial.report.notes]
    if len(trial.area.names) > 1:
        notes.append("The districts are one area of the pilot: units may change between them.")
    return notes


def trial_facts(trial: Trial, weight: float) -> dict[str, Any]:
    """Write a pilot of some districts as plain values."""
    report = trial.report
    return asdict(trial.record) | {
        "expected": {part: asdict(found) for part, found in trial.expected.items()},
        "neighbour_weight": weight,
        "status": None if report is None else report.status,
        "objective": None if report is None else report.objective,
        "bound": None if report is None else report.bound,
        "gap": None if report is None else report.gap,
    }


def variance_ratio(weeks: pd.DataFrame, outcome: str, district: str = ALL) -> float | None:
    """Say how much narrower pairing makes a difference: variance unpaired over paired.

    None where no difference varies.
    """
    own = weeks[(weeks["district"] == district) & (weeks["outcome"] == outcome)]
    paired = float(own["difference"].var(ddof=1))
    unpaired = float(own["plan"].var(ddof=1) + own["baseline"].var(ddof=1))
    return unpaired / paired if np.isfinite(paired) and paired > 0 else None


def summary_of(result: PilotResult, facts: PilotFacts) -> dict[str, Any]:
    """Give the main numbers: the effects where the rule decides, beside it and in the city."""
    outcomes = result.outcomes

    def of(district: str) -> list[dict[str, Any]]:
        own = outcomes[outcomes["district"] == district]
        return [
            {str(key): value for key, value in row.items()}
            for row in own.drop(columns=["district", "role"]).to_dict("records")
        ]

    near = outcomes[outcomes["role"] == "neighbour"]
    return asdict(facts) | {
        "effects": of(result.decided_on),
        "spill_over": of(ALL_NEIGHBOURS),
        "city": of(ALL),
        "neighbours": near[near["district"] != ALL_NEIGHBOURS].to_dict("records"),
    }

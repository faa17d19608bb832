"""The paired pilot: two plans replay the same incidents, week by week, before anyone moves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.seeds import stream
from deploy_opt.simulation.fleets import unit_hours
from deploy_opt.simulation.pilot_weeks import (
    ALL,
    ALL_NEIGHBOURS,
    ALL_PILOT,
    DAY_S,
    HOUR_S,
    KEYS,
    OUTCOMES,
    WEEK_S,
    span_of,
    weekly,
)
from deploy_opt.simulation.replicate import Arm
from deploy_opt.simulation.resampling import block_bootstrap, holm, sign_flip
from deploy_opt.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike

    from deploy_opt.simulation.pilot_weeks import Span
    from deploy_opt.simulation.result import SimulationResult

CAVEATS = (
    "The replay assumes that demand does not react to the plan.",
    "Call types and priorities are as recorded.",
    "Service times were logged under the old plan.",
    (
        "Believe it only where the simulated baseline meets the recorded response: the mean "
        "within 5 %, the 90th percentile within 10 %."
    ),
)


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """What must hold for the plan to be adopted; written down before the replay.

    Attributes
    ----------
    primary
        The outcome in which the plan must be better: both its intervals, Student's and the
        bootstrap's, lie below 0.
    guard, margin
        The outcome in which the plan must not be worse by more than the margin.
    fewest_calls
        An area counts for the worst area's value in weeks with at least this many calls.
    """

    primary: str = "mean_response_s"
    guard: str = "worst_area_p90_s"
    margin: float = 30.0
    fewest_calls: int = 1


@dataclass(frozen=True, slots=True)
class PilotResult:
    """What the replay found.

    Attributes
    ----------
    weeks
        district, week, outcome, plan, baseline, difference (plan less baseline); district ``all``
        first, then ``all in the pilot`` and ``all neighbours`` where the pilot names districts.
    outcomes
        district, role (``all``, ``pilot`` or ``neighbour``), outcome, difference, t_lo, t_hi
        (Student's), lo, hi (stationary block bootstrap), p (sign flips), p_holm (over the
        secondary outcomes of the district; the primary's own p), num_weeks.
    groups
        Districts of ``all in the pilot`` and ``all neighbours``; empty in the whole city.
    decided_on
        District, or group of districts, that the rule was applied to: ``all in the pilot`` where
        the pilot names districts, else ``all``.
    decision
        ``adopt``, ``keep`` (shown worse in the primary or beyond the margin) or ``undecided``.
    reasons
        Why, in sentences.
    rule
        The rule that decided.
    frozen
        Digest of both plans and the rule, to be published before the replay.
    answered
        Response of each incident by arm: call_id, plan_s, baseline_s; NaN where nobody came.
    unit_hours
        Unit-hours of either plan, by type.
    caveats
        What the reader must know.
    """

    weeks: pd.DataFrame
    outcomes: pd.DataFrame
    groups: Mapping[str, tuple[str, ...]]
    decided_on: str
    decision: str
    reasons: tuple[str, ...]
    rule: DecisionRule
    frozen: str
    unit_hours: Mapping[str, float]
    answered: pd.DataFrame
    caveats: tuple[str, ...] = field(default=CAVEATS)


def pilot(  # noqa: PLR0913 - a study's design is its arguments
    plan: pd.DataFrame | Arm,
    baseline: pd.DataFrame | Arm,
    incidents: pd.DataFrame,
    times: ArrayLike,
    *,
    seed: int,
    standard_s: float = 480.0,
    rule: DecisionRule | None = None,
    frozen_at_s: float = -np.inf,
    start_s: float | None = None,
    num_weeks: int | None = None,
    baseline_incidents: pd.DataFrame | None = None,
    pilot_districts: Collection[str] = (),
    mean_block: float = 2.0,
    hours_apart: float = 0.0,
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> PilotResult:
    """Replay held-out incidents under two plans with the same unit-hours.

    Parameters
    ----------
    plan, baseline
        Fleets as `simulate` takes them, or arms with their rules.
    incidents
        Calls as `simulate` takes them, with all that is random in their rows, so that both plans
        share their luck; optional district (also the dispatcher's), area_id, final_priority.
    times
        Drive times.
    seed
        Seed of resampling and sign flips.
    standard_s
        Response standard, s.
    rule
        The decision rule; None = the default of the class.
    frozen_at_s
        When the plan was frozen; no incident that counts may be earlier.
    start_s
        Where the first week begins; incidents before it warm the simulation up and do not count.
        None = the first incident.
    num_weeks
        Weeks counted; None = as many as the incidents fill.
    baseline_incidents
        The same incidents with other luck, for the baseline; None = the plan's, so that both share
        it.
    pilot_districts
        Districts where the plan is tried, on which the rule decides; the others are reported as
        neighbours (spill-over). None: the city as a whole.
    mean_block
        Mean block of the bootstrap, weeks.
    hours_apart
        Unit-hours by which the plans may differ because the clock changes, see
        `stages.pilot_replay.hours_by_the_clock`.
    options
        Passed to `simulate`.

    Returns
    -------
    PilotResult

    Raises
    ------
    InputError
        Unit-hours that differ, incidents before the freeze, less than two whole weeks, districts
        without incidents, and what `simulate` refuses.
    """
    arms = [one if isinstance(one, Arm) else Arm(one) for one in (plan, baseline)]
    rule = rule or DecisionRule()
    if incidents.empty or any(arm.fleet.empty for arm in arms):
        where = "incidents" if incidents.empty else "fleet"
        raise InputError.of(where, "none", "at least one unit in each plan, and incidents")
    span = span_of(incidents, start_s, num_weeks)
    _check(arms, incidents, rule, frozen_at_s, span, hours_apart)
    groups = _groups(incidents, pilot_districts)
    theirs = incidents if baseline_incidents is None else baseline_incidents
    _check_same(incidents, theirs)
    hours = unit_hours(arms[0].fleet, span.start_s, span.end_s)
    units = float(hours.sum()) * HOUR_S / (span.end_s - span.start_s)
    played = [
        _with_work(simulate(arm.fleet, calls, times, policy=arm.policy, **options))
        for arm, calls in zip(arms, (incidents, theirs), strict=True)
    ]
    judged = [
        weekly(
            answered,
            incidents,
            standard_s=standard_s,
            span=span,
            fewest_calls=rule.fewest_calls,
            units=units,
            groups=groups,
        )
        for answered in played
    ]
    weeks = judged[0].merge(judged[1], on=KEYS, suffixes=("_plan", "_baseline"))
    weeks.columns = pd.Index([*KEYS, "plan", "baseline"])
    weeks["difference"] = weeks["plan"] - weeks["baseline"]
    outcomes = compare_weeks(
        weeks, seed=seed, rule=rule, pilot_districts=pilot_districts, mean_block=mean_block
    )
    decided_on = ALL_PILOT if groups else ALL
    decision, reasons = decide(outcomes, rule, decided_on)
    return PilotResult(
        weeks=weeks,
        outcomes=outcomes,
        groups=groups,
        decided_on=decided_on,
        decision=decision,
        reasons=reasons,
        rule=rule,
        frozen=freeze(arms[0].fleet, arms[1].fleet, rule),
        unit_hours={str(kind): float(value) for kind, value in hours.items()},
        answered=pd.DataFrame(
            {
                "call_id": incidents["call_id"].to_numpy(),
                "plan_s": played[0]["response_s"].to_numpy(),
                "baseline_s": played[1]["response_s"].to_numpy(),
            }
        ),
    )


def _with_work(result: SimulationResult) -> pd.DataFrame:
    """Add what all units that went worked for each call, s."""
    legs = result.legs
    work = (legs["cleared_s"] - legs["dispatched_s"]).groupby(legs["call_id"]).sum()
    return result.calls.assign(work_s=result.calls["call_id"].map(work))


def freeze(plan: pd.DataFrame, baseline: pd.DataFrame, rule: DecisionRule) -> str:
    """Digest two plans and a rule, so that nobody can change them unseen."""
    text = "\x1f".join([plan.to_csv(index=False), baseline.to_csv(index=False), repr(rule)])
    return hashlib.sha256(text.encode()).hexdigest()


def compare_weeks(
    weeks: pd.DataFrame,
    *,
    seed: int,
    rule: DecisionRule,
    pilot_districts: Collection[str] = (),
    mean_block: float = 2.0,
) -> pd.DataFrame:
    """Test the paired differences of each district and outcome.

    Parameters
    ----------
    weeks
        district, week, outcome, difference.
    seed, rule, pilot_districts, mean_block
        As `pilot` takes them.

    Returns
    -------
    pandas.DataFrame
        `PilotResult.outcomes`.
    """
    from scipy.stats import t

    rows = []
    for (district, outcome), own in weeks.groupby(["district", "outcome"], sort=False):
        d = own.sort_values("week")["difference"].dropna().to_numpy()
        if d.size < 2:
            continue
        name = ("pilot", str(district), str(outcome))
        half = t.ppf(0.975, d.size - 1) * d.std(ddof=1) / np.sqrt(d.size)
        low, high = block_bootstrap(d, stream(seed, *name, "blocks"), mean_block=mean_block)
        p = sign_flip(d, stream(seed, *name, "signs"))
        inside = not pilot_districts or district in (*pilot_districts, ALL_PILOT)
        role = "all" if district == ALL else "pilot" if inside else "neighbour"
        mean = d.mean()
        rows.append((district, role, outcome, mean, mean - half, mean + half, low, high, p, d.size))
    columns = ["district", "role", "outcome", "difference", "t_lo", "t_hi", "lo", "hi", "p"]
    table = pd.DataFrame(rows, columns=[*columns, "num_weeks"])
    table["p_holm"] = table["p"]
    secondary = table[table["outcome"] != rule.primary]
    for _, own in secondary.groupby("district", sort=False):
        table.loc[own.index, "p_holm"] = holm(own["p"])
    return table[[*columns, "p_holm", "num_weeks"]]


def decide(
    outcomes: pd.DataFrame, rule: DecisionRule, district: str = ALL
) -> tuple[str, tuple[str, ...]]:
    """Apply a decision rule to the outcomes of a district, a group of them or all incidents.

    Returns
    -------
    tuple
        ``adopt``, ``keep`` or ``undecided``; the reasons.
    """
    own = outcomes[outcomes["district"] == district].set_index("outcome")
    absent = [name for name in (rule.primary, rule.guard) if name not in own.index]
    if absent:
        words = f"{' and '.join(absent)}: fewer than two weeks have a value, so nothing is decided."
        return "undecided", (words,)
    main, guard = own.loc[rule.primary], own.loc[rule.guard]
    (low, high), (least, most) = both_ends(main), both_ends(guard)
    better, worse = high < 0, low > 0
    safe, unsafe = most <= rule.margin, least > rule.margin
    said = "below 0: better" if better else "above 0: worse" if worse else "holding 0"
    shown = "within" if safe else "beyond" if unsafe else "not shown to be within"
    kept = f"{shown} the margin of {rule.margin:g}"
    reasons = (_sentence(rule.primary, main, said), _sentence(rule.guard, guard, kept))
    if better and safe:
        return "adopt", reasons
    return ("keep" if worse or unsafe else "undecided"), reasons


def both_ends(row: Mapping[str, Any] | pd.Series) -> tuple[float, float]:
    """Give the wider of Student's interval and the bootstrap's, which is too narrow for few weeks.

    Parameters
    ----------
    row
        t_lo, t_hi, lo, hi.
    """
    return float(min(row["lo"], row["t_lo"])), float(max(row["hi"], row["t_hi"]))


def _sentence(outcome: str, row: pd.Series, said: str) -> str:
    low, high = both_ends(row)
    found = f"{row['difference']:+.4g} ({low:+.4g} to {high:+.4g})"
    return f"{outcome}: {found}, {said}."


def _check(
    arms: list[Arm],
    incidents: pd.DataFrame,
    rule: DecisionRule,
    frozen_at_s: float,
    span: Span,
    hours_apart: float,
) -> None:
    faults = FaultList()
    for name in (rule.primary, rule.guard):
        if name not in OUTCOMES:
            faults.add("rule", repr(name), " or ".join(OUTCOMES))
    at_s = incidents["at_s"].to_numpy(dtype=np.float64)
    week = span.week_of(at_s)
    early = int(((at_s < frozen_at_s) & (week >= 0)).sum())
    if early:
        do = "replay only incidents that came after the plan was frozen"
        faults.add("incidents", f"{early} before the freeze", "none", do)
    if round((float(at_s.max()) - span.start_s) / WEEK_S) < 2:
        days = (at_s.max() - span.start_s) / DAY_S
        faults.add("incidents", f"{days:.1f} days", "at least two whole weeks")
    empty = np.flatnonzero(np.bincount(week[week >= 0], minlength=span.num_weeks) == 0)
    if empty.size and not faults:
        named = ", ".join(str(number + 1) for number in empty[:5])
        found = f"none in {empty.size} of {span.num_weeks} weeks (week {named})"
        faults.add("incidents", found, "incidents in every week", "end earlier, or start later")
    ours, theirs = (unit_hours(arm.fleet, span.start_s, span.end_s) for arm in arms)
    if not ours.sub(theirs, fill_value=0.0).abs().lt(hours_apart + 0.01).all():
        found = f"{_hours_words(ours)} against {_hours_words(theirs)} in the baseline"
        do = "compare plans that cost the same; see marginal for more units"
        faults.add("plan: unit-hours", found, "the same unit-hours of each type", do)
    faults.raise_if_any()


def _groups(
    incidents: pd.DataFrame, pilot_districts: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Group the districts of the incidents into those of the pilot and those beside them."""
    if not pilot_districts:
        return {}
    there = incidents["district"].dropna().unique() if "district" in incidents else ()
    known = sorted(str(name) for name in there)
    strange = [name for name in pilot_districts if name not in known]
    if strange:
        expected = f"districts with incidents: {', '.join(known) or 'there are none'}"
        raise InputError.of("pilot_districts", ", ".join(strange), expected)
    beside = tuple(name for name in known if name not in pilot_districts)
    return {ALL_PILOT: tuple(pilot_districts), ALL_NEIGHBOURS: beside}


def _hours_words(hours: pd.Series) -> str:
    return ", ".join(f"{kind} {value:,.1f}" for kind, value in hours.items())


def _check_same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Raise where the two arms would not meet the same incidents in time, place and kind."""
    names = [name for name in ("call_id", "at_s", "node", "call_class") if name in ours]
    same = len(ours) == len(theirs) and all(
        np.array_equal(ours[name].to_numpy(), theirs[name].to_numpy()) for name in names
    )
    if not same:
        expected = "the plan's incidents in time, place and kind, with other luck"
        raise InputError.of("baseline_incidents", "others", expected)

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
from deploy_opt.simulation.replicate import Arm
from deploy_opt.simulation.resampling import block_bootstrap, holm, sign_flip
from deploy_opt.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike

WEEK_S = 7 * 86_400.0
OUTCOMES = (
    "mean_response_s",
    "p90_response_s",
    "late_share",
    "worst_area_p90_s",
    "late_first_priority",
    "busy_units",
)
"""Outcomes of a week; less is better in each."""

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
        The outcome in which the plan must be better: its interval lies below 0.
    guard, margin
        The outcome in which the plan must not be worse by more than the margin.
    """

    primary: str = "mean_response_s"
    guard: str = "worst_area_p90_s"
    margin: float = 30.0


@dataclass(frozen=True, slots=True)
class PilotResult:
    """What the replay found.

    Attributes
    ----------
    weeks
        district, week, outcome, plan, baseline, difference (plan less baseline); district ``all``
        first.
    outcomes
        district, role (``all``, ``pilot`` or ``neighbour``), outcome, difference, t_lo, t_hi
        (Student's), lo, hi (stationary block bootstrap), p (sign flips), p_holm (over the
        secondary outcomes of the district; the primary's own p), num_weeks.
    decision
        ``adopt``, ``keep`` (shown worse in the primary or beyond the margin) or ``undecided``.
    reasons
        Why, in sentences.
    rule
        The rule that decided.
    frozen
        Digest of both plans and the rule, to be published before the replay.
    unit_hours
        Unit-hours of either plan, by type.
    caveats
        What the reader must know.
    """

    weeks: pd.DataFrame
    outcomes: pd.DataFrame
    decision: str
    reasons: tuple[str, ...]
    rule: DecisionRule
    frozen: str
    unit_hours: Mapping[str, float]
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
    pilot_districts: Collection[str] = (),
    mean_block: float = 2.0,
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
        When the plan was frozen; no incident may be earlier.
    pilot_districts
        Districts where the plan is tried; the others are reported as neighbours (spill-over).
    mean_block
        Mean block of the bootstrap, weeks.
    options
        Passed to `simulate`.

    Returns
    -------
    PilotResult

    Raises
    ------
    InputError
        Unit-hours that differ, incidents before the freeze, less than two whole weeks, and what
        `simulate` refuses.
    """
    arms = [one if isinstance(one, Arm) else Arm(one) for one in (plan, baseline)]
    rule = rule or DecisionRule()
    _check(arms, incidents, rule, frozen_at_s)
    played = [
        weekly(
            simulate(arm.fleet, incidents, times, policy=arm.policy, **options).calls,
            incidents,
            standard_s=standard_s,
        )
        for arm in arms
    ]
    keys = ["district", "week", "outcome"]
    weeks = played[0].merge(played[1], on=keys, suffixes=("_plan", "_baseline"))
    weeks.columns = pd.Index([*keys, "plan", "baseline"])
    weeks["difference"] = weeks["plan"] - weeks["baseline"]
    outcomes = compare_weeks(
        weeks, seed=seed, rule=rule, pilot_districts=pilot_districts, mean_block=mean_block
    )
    decision, reasons = decide(outcomes, rule)
    span = incidents["at_s"].min(), incidents["at_s"].max()
    hours = {str(k): float(v) for k, v in unit_hours(arms[0].fleet, *span).items()}
    frozen = freeze(arms[0].fleet, arms[1].fleet, rule)
    return PilotResult(weeks, outcomes, decision, reasons, rule, frozen, hours)


def freeze(plan: pd.DataFrame, baseline: pd.DataFrame, rule: DecisionRule) -> str:
    """Digest two plans and a rule, so that nobody can change them unseen."""
    text = "\x1f".join([plan.to_csv(index=False), baseline.to_csv(index=False), repr(rule)])
    return hashlib.sha256(text.encode()).hexdigest()


def weekly(answered: pd.DataFrame, incidents: pd.DataFrame, *, standard_s: float) -> pd.DataFrame:
    """Work out the outcomes of every whole week, for all and for each district.

    Parameters
    ----------
    answered
        `SimulationResult.calls`.
    incidents
        The calls in the same order.
    standard_s
        Response standard, s.

    Returns
    -------
    pandas.DataFrame
        district, week (0 from the first incident), outcome, value. busy_units is the mean number
        of units at work.
    """
    at_s = incidents["at_s"].to_numpy(dtype=np.float64)
    week = ((at_s - at_s.min()) // WEEK_S).astype(np.int64)
    known = [name for name in ("final_priority", "priority") if name in incidents]
    first = incidents[known[0]] if known else pd.Series(0, index=incidents.index)
    response = answered["response_s"].to_numpy()
    late = ~(response <= standard_s)
    table = pd.DataFrame(
        {
            "week": week,
            "response_s": response,
            "late": late,
            "late_first": late & (first == first.min()).to_numpy(),
            "busy_s": (answered["cleared_s"] - answered["dispatched_s"]).fillna(0.0).to_numpy(),
            "area": incidents["area_id"].to_numpy() if "area_id" in incidents else "all",
            "district": incidents["district"].to_numpy() if "district" in incidents else None,
        }
    )
    whole = (at_s.max() - at_s.min()) / WEEK_S
    table = table[table["week"] < max(round(whole), 1)]
    parts = [table.assign(district="all"), table[table["district"].notna()]]
    return pd.concat([_outcomes(part) for part in parts if len(part)], ignore_index=True)


def _outcomes(table: pd.DataFrame) -> pd.DataFrame:
    keys = ["district", "week"]
    groups = table.groupby(keys, sort=True)
    by_area = table.groupby([*keys, "area"], sort=True)["response_s"].quantile(0.9)
    wide = pd.DataFrame(
        {
            "mean_response_s": groups["response_s"].mean(),
            "p90_response_s": groups["response_s"].quantile(0.9),
            "late_share": groups["late"].mean(),
            "worst_area_p90_s": by_area.groupby(keys).max(),
            "late_first_priority": groups["late_first"].sum().astype(np.float64),
            "busy_units": groups["busy_s"].sum() / WEEK_S,
        }
    )[list(OUTCOMES)]
    long = wide.rename_axis(columns="outcome").stack().rename("value")
    return pd.DataFrame(long.reset_index())


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
        inside = not pilot_districts or district in pilot_districts
        role = "all" if district == "all" else "pilot" if inside else "neighbour"
        mean = d.mean()
        rows.append((district, role, outcome, mean, mean - half, mean + half, low, high, p, d.size))
    columns = ["district", "role", "outcome", "difference", "t_lo", "t_hi", "lo", "hi", "p"]
    table = pd.DataFrame(rows, columns=[*columns, "num_weeks"])
    table["p_holm"] = table["p"]
    secondary = table[table["outcome"] != rule.primary]
    for _, own in secondary.groupby("district", sort=False):
        table.loc[own.index, "p_holm"] = holm(own["p"])
    return table[[*columns, "p_holm", "num_weeks"]]


def decide(outcomes: pd.DataFrame, rule: DecisionRule) -> tuple[str, tuple[str, ...]]:
    """Apply a decision rule to the outcomes of all incidents.

    Returns
    -------
    tuple
        ``adopt``, ``keep`` or ``undecided``; the reasons.
    """
    whole = outcomes[outcomes["district"] == "all"].set_index("outcome")
    main, guard = whole.loc[rule.primary], whole.loc[rule.guard]
    better, worse = main["hi"] < 0, main["lo"] > 0
    safe, unsafe = guard["hi"] <= rule.margin, guard["lo"] > rule.margin
    said = "below 0: better" if better else "above 0: worse" if worse else "holding 0"
    shown = "within" if safe else "beyond" if unsafe else "not shown to be within"
    kept = f"{shown} the margin of {rule.margin:g}"
    reasons = (_sentence(rule.primary, main, said), _sentence(rule.guard, guard, kept))
    if better and safe:
        return "adopt", reasons
    return ("keep" if worse or unsafe else "undecided"), reasons


def _sentence(outcome: str, row: pd.Series, said: str) -> str:
    found = f"{row['difference']:+.4g} ({row['lo']:+.4g} to {row['hi']:+.4g})"
    return f"{outcome}: {found}, {said}."


def _check(
    arms: list[Arm], incidents: pd.DataFrame, rule: DecisionRule, frozen_at_s: float
) -> None:
    faults = FaultList()
    for name in (rule.primary, rule.guard):
        if name not in OUTCOMES:
            faults.add("rule", repr(name), " or ".join(OUTCOMES))
    if incidents.empty or any(arm.fleet.empty for arm in arms):
        where = "incidents" if incidents.empty else "fleet"
        raise InputError.of(where, "none", "at least one unit in each plan, and incidents")
    first, last = incidents["at_s"].min(), incidents["at_s"].max()
    early = int((incidents["at_s"] < frozen_at_s).sum())
    if early:
        do = "replay only incidents that came after the plan was frozen"
        faults.add("incidents", f"{early} before the freeze", "none", do)
    if round((last - first) / WEEK_S) < 2:
        days = (last - first) / 86_400
        faults.add("incidents", f"{days:.1f} days", "at least two whole weeks")
    ours, theirs = (unit_hours(arm.fleet, first, last) for arm in arms)
    if not ours.sub(theirs, fill_value=0.0).abs().lt(0.01).all():
        found = f"{ours.round(1).to_dict()} against {theirs.round(1).to_dict()} in the baseline"
        do = "compare plans that cost the same; see marginal for more units"
        faults.add("plan: unit-hours", found, "the same unit-hours of each type", do)
    faults.raise_if_any()

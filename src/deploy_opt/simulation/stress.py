"""Stress: plans in a bad spell, on the same calls, and how long until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.simulation.draws import uniforms
from deploy_opt.simulation.replicate import summarise
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.statistics import KEYS
from deploy_opt.simulation.stress_fleet import HOUR_S, change_fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike

    from deploy_opt.simulation.replicate import Arm
    from deploy_opt.simulation.stress_fleet import Stress

NORMAL_S = 30.0
"""Response is normal again when the mean of three hours is this near the quiet run's."""

HOURS_BEFORE, HOURS_AFTER = 6, 24
"""Hours round a spell that are told hour by hour."""

CONTINGENCY = "contingency"
COLUMNS = ["variant", "arm", *KEYS, "value", "half_width", "lo", "hi", "n", "replications"]


def stress(
    arms: Mapping[str, Arm],
    draw_calls: Callable[[int], pd.DataFrame],
    times: ArrayLike,
    variants: Mapping[str, Stress],
    *,
    standard_s: float,
    seed: int,
    replications: int = 10,
    first_s: float = 0.0,
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> pd.DataFrame:
    """Play every spell for every plan, replication by replication on the same calls.

    Parameters
    ----------
    arms
        Plans by name, ``plan`` and ``baseline``.
    draw_calls
        Makes the calls of a replication from its number, with all that is random in them.
    times, options
        As `simulate` takes them.
    variants
        Bad spells by name.
    standard_s
        Response standard, s.
    seed
        Seed of the calls that a surge adds.
    replications
        How many.
    first_s
        Second of the run that is hour 0 in the table.

    Returns
    -------
    pandas.DataFrame
        Contract ``stress.csv``. Scope ``spell``: statistics of the calls of the spell, late_share
        beside late_share_normal (the same plan's in the same hours without the spell), and
        hours_to_recover, from the end of the spell until the mean response of three hours is
        within 30 s of the same plan's quiet run and stays so for the next three; where that is
        not within the run, the hours that were left, and not_recovered is 1. Scope ``hour``:
        late_share and num_calls from 6 hours before to 24 after it. Differences are paired:
        ``plan_less_baseline``, ``contingency_less_plan``.
    """
    if replications < 2:
        found = f"{replications} replications"
        raise InputError.of("stress", found, "at least 2, as intervals need a spread")
    fleets = {
        (name, key): change_fleet(arm.fleet, bad)
        for name, bad in variants.items()
        for key, arm in arms.items()
    }
    samples = []
    for number in range(replications):
        calls = draw_calls(number)
        quiet = {
            key: _play(arm.fleet, calls, times, {**options, "policy": arm.policy})
            for key, arm in arms.items()
        }
        for name, bad in variants.items():
            more = surged(calls, bad, seed=seed)
            network = times if bad.times is None else bad.times
            how = _options(bad, options)
            played = {
                key: _play(fleets[name, key], more, network, {**how, "policy": arm.policy})
                for key, arm in arms.items()
            }
            plan = bad.contingency
            if plan is not None:
                played[CONTINGENCY] = _play(
                    plan.fleet, more, network, {**how, "policy": plan.policy}
                )
            for key, answered in played.items():
                usual = quiet.get(key, next(iter(quiet.values())))
                rows = _measure(answered, usual, bad, standard_s, first_s)
                samples.append(rows.assign(variant=name, arm=key, replication=number))
    found = pd.concat(samples, ignore_index=True)
    parts = [
        summarise(_with_differences(own), service="").assign(variant=name)
        for name, own in found.groupby("variant", sort=False)
    ]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def surged(calls: pd.DataFrame, bad: Stress, *, seed: int) -> pd.DataFrame:
    """Add the calls of a surge.

    Calls of the spell are repeated under new ids (``c7+1``), at new moments of the same spell; the
    fraction of the factor is drawn by the incident's own luck.
    """
    inside = calls[(calls["at_s"] >= bad.from_s) & (calls["at_s"] < bad.to_s)]
    if bad.surge_areas:
        inside = inside[inside["area_id"].isin(list(bad.surge_areas))]
    extra = []
    for copy in range(1, int(np.ceil(bad.surge))):
        ids = inside["call_id"].astype(str) + f"+{copy}"
        share = min(bad.surge - copy, 1.0)
        taken = uniforms(seed, "stress/surge", ids) < share
        moment = uniforms(seed, "stress/moment", ids)
        at_s = bad.from_s + moment * (bad.to_s - bad.from_s)
        extra.append(inside.assign(call_id=ids, at_s=at_s)[taken])
    together = pd.concat([calls, *extra], ignore_index=True)
    return together.sort_values("at_s", kind="stable", ignore_index=True)


def hours_to_recover(stressed: pd.DataFrame, quiet: pd.DataFrame, end_s: float) -> float:
    """Count hours from the end of a bad spell until response is as in the quiet run."""
    last = int(min(stressed["at_s"].max(), quiet["at_s"].max()) // HOUR_S)
    first = int(np.ceil(end_s / HOUR_S))
    hours = np.arange(first, last)

    def windows(answered: pd.DataFrame) -> pd.Series:
        waited = answered["response_s"].fillna(np.inf)
        hour = (answered["at_s"] // HOUR_S).astype(np.int64)
        total = waited.groupby(hour).agg(["sum", "count"]).reindex(range(first, last + 3))
        rolled = total.fillna(0.0)[::-1].rolling(3, min_periods=1).sum()[::-1]
        return rolled["sum"] / rolled["count"].where(rolled["count"] > 0)

    apart = (windows(stressed) - windows(quiet)).reindex(hours)
    well = (apart.fillna(0.0) <= NORMAL_S).to_numpy()
    for start in range(max(well.size - 2, 0)):
        if well[start : start + 3].all():
            return float(first + start - end_s / HOUR_S)
    return float("nan")


def _play(
    fleet: pd.DataFrame, calls: pd.DataFrame, times: ArrayLike, options: Mapping[str, Any]
) -> pd.DataFrame:
    answered = simulate(fleet, calls, times, **options).calls
    return answered.assign(at_s=calls["at_s"].to_numpy())


def _options(bad: Stress, options: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(options)
    if bad.period_of_hour is not None:
        changed["period_of_hour"] = bad.period_of_hour
    if bad.lost_hospitals:
        more = pd.DataFrame({"hospital": list(bad.lost_hospitals)})
        more = more.assign(from_s=bad.from_s, to_s=bad.to_s)
        known = options.get("diversions")
        changed["diversions"] = (
            more if known is None else pd.concat([known, more], ignore_index=True)
        )
    return changed


def _measure(
    answered: pd.DataFrame, quiet: pd.DataFrame, bad: Stress, standard_s: float, first_s: float
) -> pd.DataFrame:
    late = ~(answered["response_s"] <= standard_s)
    inside = (answered["at_s"] >= bad.from_s) & (answered["at_s"] < bad.to_s)
    hit = answered[inside]
    usual = quiet[(quiet["at_s"] >= bad.from_s) & (quiet["at_s"] < bad.to_s)]
    recovered = hours_to_recover(answered, quiet, bad.to_s)
    left = max(float(quiet["at_s"].max() // HOUR_S) - bad.to_s / HOUR_S, 0.0)
    whole = np.isfinite(recovered)
    values = {
        "num_calls": float(len(hit)),
        "mean_response_s": hit["response_s"].mean(),
        "p90_response_s": hit["response_s"].quantile(0.9),
        "late_share": late[inside].mean() if len(hit) else np.nan,
        "late_share_normal": (~(usual["response_s"] <= standard_s)).mean()
        if len(usual)
        else np.nan,
        "queued_share": hit["queued"].mean() if len(hit) else np.nan,
        "most_waiting": float(_most_waiting(hit)),
        "hours_to_recover": recovered if whole else left,
        "not_recovered": float(not whole),
    }
    spell = pd.DataFrame({"statistic": list(values), "value": list(values.values())})
    spell = spell.assign(scope="spell", scope_id="spell", n=len(hit))
    hour = ((answered["at_s"] - first_s) // HOUR_S).astype(np.int64)
    near = hour.between(
        int((bad.from_s - first_s) // HOUR_S) - HOURS_BEFORE,
        int((bad.to_s - first_s) // HOUR_S) + HOURS_AFTER - 1,
    )
    groups = late[near].groupby(hour[near], sort=True)
    size = groups.size()
    hours = [
        pd.DataFrame({"statistic": name, "value": column.to_numpy(), "n": size.to_numpy()}).assign(
            scope="hour", scope_id=size.index.astype(str)
        )
        for name, column in (("late_share", groups.mean()), ("num_calls", size.astype(float)))
    ]
    return pd.concat([spell, *hours], ignore_index=True)


def _most_waiting(hit: pd.DataFrame) -> int:
    """Count the calls that wait for a free unit at once, at most."""
    waits = hit[hit["queued"].astype(bool)]
    end = waits["dispatched_s"].fillna(np.inf).to_numpy()
    moments = np.concatenate([waits["at_s"].to_numpy(), end])
    steps = np.concatenate([np.ones(len(waits)), -np.ones(len(waits))])
    order = np.lexsort((steps, moments))
    return int(steps[order].cumsum().max(initial=0))


def _with_differences(samples: pd.DataFrame) -> pd.DataFrame:
    parts = [samples]
    keys = [*KEYS, "variant", "replication"]
    for ours, theirs in (("plan", "baseline"), (CONTINGENCY, "plan")):
        one, other = (samples[samples["arm"] == arm].drop(columns="arm") for arm in (ours, theirs))
        both = one.merge(other, on=keys, suffixes=("", "_other"))
        if len(both):
            gap = both["value"] - both["value_other"]
            parts.append(both.assign(value=gap, arm=f"{ours}_less_{theirs}")[samples.columns])
    return pd.concat(parts, ignore_index=True)

"""Stress: the plan and today's posts in a bad hour, and how long until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.simulation.draws import uniforms
from deploy_opt.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import ArrayLike

    from deploy_opt.simulation.replicate import Arm

HOUR_S = 3600.0
_NORMAL_S = 30.0


@dataclass(frozen=True, slots=True)
class Stress:
    """A bad spell.

    Attributes
    ----------
    from_s, to_s
        When it lasts.
    surge
        What the number of calls is multiplied by meanwhile, at least 1.
    times
        Drive times of the broken network, for the whole run; None = as ever.
    lost_posts
        Nodes whose units are off duty meanwhile.
    lost_hospitals
        Nodes of hospitals that divert meanwhile.
    crews
        Share of the units that is there meanwhile, 0 to 1; the first of each post stay.
    mutual_aid
        Units of neighbours that come meanwhile (fleet columns without spells); None = none.
    """

    from_s: float
    to_s: float
    surge: float = 1.0
    times: ArrayLike | None = None
    lost_posts: Collection[int] = ()
    lost_hospitals: Collection[int] = ()
    crews: float = 1.0
    mutual_aid: pd.DataFrame | None = None


def stress(
    arms: Mapping[str, Arm],
    calls: pd.DataFrame,
    times: ArrayLike,
    variants: Mapping[str, Stress],
    *,
    standard_s: float,
    seed: int,
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> pd.DataFrame:
    """Play every variant for every plan on the same calls.

    Parameters
    ----------
    arms
        Plans by name.
    calls, times, options
        As `simulate` takes them.
    variants
        Bad spells by name.
    standard_s
        Response standard, s.
    seed
        Seed of the calls that a surge adds.

    Returns
    -------
    pandas.DataFrame
        variant, arm, num_calls, mean_response_s, p90_response_s, late_share (of the calls of the
        spell), late_share_normal (of the same hours without stress), hours_to_recover: from the
        end of the spell until the mean of three hours is within 30 s of the quiet run's and stays
        so for the next three; NaN = not within the calls simulated.
    """
    rows = []
    for arm_name, arm in arms.items():
        quiet = simulate(arm.fleet, calls, times, policy=arm.policy, **options).calls
        quiet = quiet.assign(at_s=calls["at_s"].to_numpy())
        for name, bad in variants.items():
            fleet, more, network = change(arm.fleet, calls, times, bad, seed=seed)
            settings = dict(options)
            if bad.lost_hospitals:
                settings["diversions"] = _diverted(bad, options.get("diversions"))
            answered = simulate(fleet, more, network, policy=arm.policy, **settings).calls
            answered = answered.assign(at_s=more["at_s"].to_numpy())
            hit = answered[answered["at_s"].between(bad.from_s, bad.to_s)]
            usual = quiet[quiet["at_s"].between(bad.from_s, bad.to_s)]
            rows.append(
                {
                    "variant": name,
                    "arm": arm_name,
                    "num_calls": len(hit),
                    "mean_response_s": hit["response_s"].mean(),
                    "p90_response_s": hit["response_s"].quantile(0.9),
                    "late_share": float((~(hit["response_s"] <= standard_s)).mean()),
                    "late_share_normal": float((~(usual["response_s"] <= standard_s)).mean()),
                    "hours_to_recover": hours_to_recover(answered, quiet, bad.to_s),
                }
            )
    return pd.DataFrame(rows)


def change(
    fleet: pd.DataFrame, calls: pd.DataFrame, times: ArrayLike, bad: Stress, *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, ArrayLike]:
    """Apply a bad spell to fleet, calls and roads.

    A surge repeats calls of the spell under new ids (``c7+1``), at new moments of the same spell;
    the fraction of the factor is drawn by the incident's own luck.
    """
    sound = bad.from_s < bad.to_s and bad.surge >= 1 and 0 <= bad.crews <= 1
    if not sound:
        found = f"{bad.from_s:g} to {bad.to_s:g} s, surge {bad.surge:g}, crews {bad.crews:g}"
        expected = "a start before its end, a surge of at least 1, a share of crews in [0, 1]"
        raise InputError.of("stress", found, expected)
    away = fleet["home_node"].isin(list(bad.lost_posts))
    nth = fleet["unit_id"].map({name: n for n, name in enumerate(_by_post(fleet))})
    away |= nth >= np.ceil(bad.crews * fleet["unit_id"].nunique() - 1e-9)
    changed = _off_duty(fleet, away, bad)
    if bad.mutual_aid is not None:
        aid = bad.mutual_aid.assign(mutual_aid=True, on_from_s=bad.from_s, on_to_s=bad.to_s)
        own = changed.assign(mutual_aid=changed.get("mutual_aid", False))
        changed = pd.concat([own, aid], ignore_index=True)
    network = times if bad.times is None else bad.times
    return changed, _surged(calls, bad, seed), network


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
    well = (apart.fillna(0.0) <= _NORMAL_S).to_numpy()
    for start in range(max(well.size - 2, 0)):
        if well[start : start + 3].all():
            return float(first + start - end_s / HOUR_S)
    return float("nan")


def _by_post(fleet: pd.DataFrame) -> list[object]:
    """Order units so that each post's first comes before any post's second."""
    units = fleet.drop_duplicates("unit_id")
    rank = units.groupby(["home_node", "unit_type"]).cumcount()
    return list(units.assign(rank=rank).sort_values("rank", kind="stable")["unit_id"])


def _off_duty(fleet: pd.DataFrame, away: pd.Series, bad: Stress) -> pd.DataFrame:
    spells = fleet
    if "on_from_s" not in fleet:
        spells = fleet.assign(on_from_s=-np.inf, on_to_s=np.inf)
    hit = spells[away & (spells["on_from_s"] < bad.to_s) & (spells["on_to_s"] > bad.from_s)]
    before = hit.assign(on_to_s=hit["on_to_s"].clip(upper=bad.from_s))
    after = hit.assign(on_from_s=hit["on_from_s"].clip(lower=bad.to_s))
    parts = pd.concat([spells.drop(hit.index), before, after]).sort_index(kind="stable")
    return parts[parts["on_from_s"] < parts["on_to_s"]].reset_index(drop=True)


def _surged(calls: pd.DataFrame, bad: Stress, seed: int) -> pd.DataFrame:
    inside = calls[calls["at_s"].between(bad.from_s, bad.to_s)]
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


def _diverted(bad: Stress, known: pd.DataFrame | None) -> pd.DataFrame:
    more = pd.DataFrame({"hospital": list(bad.lost_hospitals)})
    more = more.assign(from_s=bad.from_s, to_s=bad.to_s)
    return more if known is None else pd.concat([known, more], ignore_index=True)

"""Priorities as they are known: dispatch acts on the first one, the score on the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_opt.errors import InputError
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.statistics import measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class TriageReport:
    """How first priorities relate to final ones.

    Attributes
    ----------
    matrix
        Calls by initial (rows) and final priority (columns).
    over_share, under_share
        Share of calls first held more, and less, urgent than they were (a lower number is more
        urgent).
    undispatched_share
        Share of calls that no unit was sent to; NaN where the records do not say.
    """

    matrix: pd.DataFrame
    over_share: float
    under_share: float
    undispatched_share: float


def triage_report(calls: pd.DataFrame) -> TriageReport:
    """Count initial against final priorities.

    Parameters
    ----------
    calls
        priority (initial) and final_priority; optional dispatched (bool).
    """
    missing = [name for name in ("priority", "final_priority") if name not in calls]
    if missing:
        raise InputError.of("calls", f"no {', '.join(missing)}", "initial and final priority")
    known = calls[["priority", "final_priority"]].dropna()
    counts = known.groupby(["priority", "final_priority"]).size().unstack(fill_value=0)
    more = known["priority"] < known["final_priority"]
    less = known["priority"] > known["final_priority"]
    never = float((~calls["dispatched"].astype(bool)).mean()) if "dispatched" in calls else None
    over, under = float(more.mean()), float(less.mean())
    return TriageReport(counts, over, under, float("nan") if never is None else never)


def triage_sensitivity(
    fleet: pd.DataFrame,
    calls: pd.DataFrame,
    times: ArrayLike,
    *,
    standards_s: float | Mapping[str, float],
    **options: Any,  # noqa: ANN401 - what `simulate` takes
) -> pd.DataFrame:
    """Play the calls as they were first known, and as if the final priority had been known.

    Parameters
    ----------
    fleet, calls, times, options
        As `simulate` takes them; calls with final_priority, and final_class where classes change
        too (both runs are scored by it).
    standards_s
        As `measure` takes it.

    Returns
    -------
    pandas.DataFrame
        scope, scope_id, statistic, value_known (as first known), value_final, difference (what
        imperfect triage costs); scopes all and call_class.
    """
    if "final_priority" not in calls:
        raise InputError.of("calls", "no final_priority", "the priority as it turned out")
    perfect = calls.assign(priority=calls["final_priority"])
    if "final_class" in calls:
        perfect = perfect.assign(call_class=calls["final_class"])
    found = [
        measure(simulate(fleet, one, times, **options), one, standards_s=standards_s)
        for one in (calls, perfect)
    ]
    keys = ["scope", "scope_id", "statistic"]
    both = found[0].merge(found[1], on=keys, suffixes=("_known", "_final"))
    both = both[both["scope"].isin(["all", "call_class"])]
    both = both.assign(difference=both["value_known"] - both["value_final"])
    return both[[*keys, "value_known", "value_final", "difference"]].reset_index(drop=True)

"""Two checks that no feature knows what comes after it: rebuild without the future, and look.

Rebuilding finds a feature that reads later events. Looking finds a feature that repeats the
outcome under a wrong date, which no rebuilding can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from deploy_opt.errors import FaultList
from deploy_opt.risk.officer_risk.features import dispatch_features
from deploy_opt.risk.officer_risk.past import learn_past, local_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    from deploy_opt.risk.officer_risk.features import Sources

TELLING = 0.98
"""Area under the curve of one feature alone that is too good to be true."""
_FEWEST = 10


def check_rebuilt(
    calls: pd.DataFrame,
    events: dict[str, pd.DataFrame],
    days: Iterable[int],
    *,
    sources: Callable[[pd.DataFrame, dict[str, pd.DataFrame]], Sources],
) -> None:
    """Rebuild the features of some days without any event of that day or later.

    Parameters
    ----------
    calls
        As `dispatch_features` takes them; all calls, which are their own past.
    events
        Kind -> events, as `learn_past` takes them.
    days
        Days to check, days since 1970.
    sources
        Makes the sources from past calls and events.

    Raises
    ------
    InputError
        Names every feature that a later event changes.
    """
    whole = dispatch_features(calls, sources(calls, events))
    first = learn_past(calls).first_day
    day = local_day(calls["received_at"])
    faults = FaultList()
    for cut in days:
        if not (day < cut).any():
            faults.add("days", str(cut), f"days after {first}, the first with calls")
            continue
        known = {
            kind: table[(table["happened_on"].to_numpy("datetime64[D]").astype(int) < cut)
                        & (table["entered_on"].to_numpy("datetime64[D]").astype(int) < cut)]
            for kind, table in events.items()
        }  # fmt: skip
        rebuilt = dispatch_features(calls[day == cut], sources(calls[day < cut], known))
        told = whole[day == cut].reset_index(drop=True)
        for name in rebuilt.columns:
            if not told[name].equals(rebuilt[name]):
                do = "make it from days before the call's"
                faults.add(
                    f"feature {name!r}", f"values that events from day {cut} on change", "none", do
                )
    faults.raise_if_any()


def check_not_telling(
    features: pd.DataFrame, labels: ArrayLike, *, telling: float = TELLING
) -> None:
    """Refuse features that nearly repeat the outcome of the call or of its area's next day.

    Parameters
    ----------
    features
        As `dispatch_features` gives them; further columns of numbers are checked too.
    labels
        0 or above of each call, shape (calls,).
    telling
        Area under the curve from which on a feature is refused.

    Raises
    ------
    InputError
        Names every such feature.
    """
    high = np.asarray(labels) > 0
    tomorrow = _next_day(features, high)
    faults = FaultList()
    numbers = features.select_dtypes("number").columns.difference(["day"], sort=False)
    for name in numbers:
        values = features[name].to_numpy(np.float64)
        for when, outcome in (("the call's outcome", high), ("tomorrow's outcome", tomorrow)):
            area = _auc(values, outcome)
            if max(area, 1 - area) >= telling:
                faults.add(
                    f"feature {name!r}",
                    f"values that tell {when} (area under the curve {area:.3f})",
                    f"below {telling:g}",
                    "it was made after the call, or under a wrong date",
                )
    faults.raise_if_any()


def _next_day(features: pd.DataFrame, high: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Whether the area's next day had a high outcome; NaN where it had no call."""
    table = pd.DataFrame({"area": features["area_id"], "day": features["day"], "high": high})
    worst = table.groupby(["area", "day"])["high"].max()
    keys = pd.MultiIndex.from_arrays([features["area_id"], features["day"] + 1])
    return np.asarray(worst.reindex(keys).astype("Float64").to_numpy(np.float64, na_value=np.nan))


def _auc(values: NDArray[np.float64], outcome: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    """Area under the curve of one feature (Mann and Whitney); 0.5 where too few are known."""
    known = np.isfinite(values) & np.isfinite(outcome.astype(np.float64))
    rank = stats.rankdata(values[known])
    high = outcome[known] > 0
    ones, zeros = int(high.sum()), int((~high).sum())
    if min(ones, zeros) < _FEWEST:
        return 0.5
    return float((rank[high].sum() - ones * (ones + 1) / 2) / (ones * zeros))

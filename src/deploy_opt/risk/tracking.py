"""Outcomes since launch against the matrix: per tier, responder and type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.risk.call_counts import CallCounts, add_counts, count_types
from deploy_opt.risk.likelihood import clopper_pearson
from deploy_opt.risk.tier_selection import kept_rows
from deploy_opt.risk.tiers import RiskMatrix, assign_tiers, evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

HARM = 2
"""Severity from which on somebody was hurt."""
TRANSFER = 3
"""Severity from which on somebody was taken to further care."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What happened since launch.

    Attributes
    ----------
    responders
        Indexed by tier and responder (with ``all``): calls, harmed (severity 2 or more),
        transferred (3 or more), deaths, harm_rate, harm_lo, harm_hi, expected_harm_rate (of the
        same types in the matrix's calls).
    types
        Indexed by call_type: tier, n, worst_severity, worst_before, n_worst (as severe as the worst
        before, or more), rate, rate_before, p_value (binomial, one-sided: more often than before),
        q_value (Benjamini and Hochberg 1995), tier_pooled (of all calls together, before recoding),
        flag (worse_outcome, more_often, more_protective, less_protective, new_type, or empty),
        retier (whether people should look); the flagged first.
    digest
        Of the matrix's constants.
    """

    responders: pd.DataFrame
    types: pd.DataFrame
    digest: str

    @property
    def to_retier(self) -> tuple[str, ...]:
        """Types that people should look at again."""
        return tuple(self.types.index[self.types["retier"]])


def track(
    since: pd.DataFrame,
    before: CallCounts,
    matrix: RiskMatrix,
    *,
    launch: pd.Timestamp | str | None = None,
    level: float = 0.05,
) -> Tracked:
    """Compare outcomes since launch with those that the matrix was made from.

    Parameters
    ----------
    since
        Calls as for `count_types`, and, where known, a column responder (who went: patrol,
        coresponder, ...).
    before
        The counted calls of the matrix.
    matrix
        The matrix in force.
    launch
        Calls before it are left out.
    level
        Largest q-value of a flagged rise.

    Raises
    ------
    InputError
        For calls that cannot be used; no call since launch.
    """
    settings = matrix.settings.model_copy(update={"years": None, "half": None})
    calls = _launched(since, launch)
    counts = count_types(calls)
    kept = kept_rows(counts, settings)
    old = kept_rows(before, matrix.settings).histogram
    now = pd.DataFrame(kept.histogram, index=pd.Index(counts.call_types, name="call_type"))
    earlier = pd.DataFrame(old, index=pd.Index(before.call_types, name="call_type"))
    now = now[now.sum(axis=1) > 0]
    types = _types(now, earlier.reindex(now.index, fill_value=0), matrix)
    pooled = evaluate(
        add_counts(_reference(before, matrix), counts), settings.model_copy(update={"harm": {}})
    ).types
    types["tier_pooled"] = pooled["tier_initial"].reindex(types.index)
    types["flag"] = _flags(types, matrix, level)
    types["retier"] = types["flag"] != ""
    types = types.sort_values(["retier", "p_value"], ascending=[False, True], kind="stable")
    return Tracked(_responders(calls, matrix, earlier), types, matrix.digest)


def _launched(since: pd.DataFrame, launch: pd.Timestamp | str | None) -> pd.DataFrame:
    if launch is None:
        return since
    names = ("received_at", "t_dispatch", "dispatched_at")
    column = next((name for name in names if name in since.columns), None)
    if column is None:
        raise InputError.of("calls", "no column 'received_at'", "when each call was received")
    at = pd.to_datetime(since[column]).dt.tz_localize(None)
    calls = since[at >= pd.Timestamp(launch)]
    if calls.empty:
        raise InputError.of("calls", f"none since the launch on {launch}", "calls since launch")
    return calls


def _reference(before: CallCounts, matrix: RiskMatrix) -> CallCounts:
    """Leave out the calls outside the matrix's years, which it was not made from."""
    if matrix.settings.years is None:
        return before
    inside = (before.rows["month"] // 12).isin(matrix.settings.years)
    return replace(before, rows=before.rows[inside])


def _types(now: pd.DataFrame, earlier: pd.DataFrame, matrix: RiskMatrix) -> pd.DataFrame:
    from scipy.stats import binom

    calls, old = now.to_numpy(), earlier.to_numpy()
    n, n_old = calls.sum(axis=1), old.sum(axis=1)
    worst, worst_old = _worst(calls), _worst(old)
    level = np.maximum(worst_old, HARM)  # a type without harm is watched for any harm
    n_worst, n_worst_old = _at_least(calls, level), _at_least(old, level)
    # the earlier rate is itself an estimate: half a call more, so that 0 of few is not never
    rate_old = (n_worst_old + 0.5) / (n_old + 1.0)
    p_value = np.where(n_old > 0, binom.sf(n_worst - 1, n, rate_old), 1.0)
    return pd.DataFrame(
        {
            "tier": matrix.types["tier_final"].reindex(now.index).astype("Int64"),
            "n": n,
            "worst_severity": worst,
            "worst_before": worst_old,
            "n_worst": n_worst,
            "rate": n_worst / n,
            "rate_before": np.divide(
                n_worst_old, n_old, out=np.full(len(n), np.nan), where=n_old > 0
            ),
            "p_value": p_value,
            "q_value": _benjamini_hochberg(p_value),
        },
        index=now.index,
    )


def _flags(types: pd.DataFrame, matrix: RiskMatrix, level: float) -> NDArray[np.object_]:
    initial = matrix.types["tier_initial"].reindex(types.index)
    pooled = types["tier_pooled"]
    known = initial.notna() & pooled.notna()
    conditions = [
        types["worst_before"] == 0,
        (types["worst_severity"] > types["worst_before"]) & (types["worst_severity"] >= HARM),
        types["q_value"] <= level,
        known & (pooled < initial).fillna(value=False),
        known & (pooled > initial).fillna(value=False),
    ]
    names = ["new_type", "worse_outcome", "more_often", "more_protective", "less_protective"]
    masks = [np.asarray(condition, dtype=bool) for condition in conditions]
    return np.select(masks, names, default="").astype(object)


def _responders(calls: pd.DataFrame, matrix: RiskMatrix, earlier: pd.DataFrame) -> pd.DataFrame:
    """Outcomes by tier and responder, with what the matrix's calls of the same types showed."""
    tiered = assign_tiers(calls, matrix)
    groups = (
        tiered["responder"].fillna("unknown").astype(str) if "responder" in tiered.columns else None
    )
    parts = [(None, tiered)] if groups is None else [(None, tiered), *tiered.groupby(groups)]
    settings = matrix.settings.model_copy(update={"years": None, "half": None})
    total = earlier.sum(axis=1)
    before = (earlier.iloc[:, HARM - 1 :].sum(axis=1) / total.where(total > 0)).rename("rate")
    rows = {}
    for name, part in parts:
        counts = count_types(part)
        seen = pd.DataFrame(kept_rows(counts, settings).histogram, index=list(counts.call_types))
        tier = matrix.types["tier_final"].reindex(seen.index)
        tier = tier.fillna(settings.unreviewed_tier).astype(int)
        for each in sorted(tier.unique()):
            cells = seen[tier == each]
            by_type = cells.sum(axis=1)
            harm = cells.sum().to_numpy()
            n, harmed = int(harm.sum()), int(harm[HARM - 1 :].sum())
            low, high = clopper_pearson(harmed, n, confidence=settings.confidence)
            rate = before.reindex(cells.index)
            weight = by_type[rate.notna()]
            expected = (rate.dropna() * weight).sum() / weight.sum() if weight.sum() else np.nan
            rows[int(each), "all" if name is None else str(name)] = {
                "calls": n,
                "harmed": harmed,
                "transferred": int(harm[TRANSFER - 1 :].sum()),
                "deaths": int(harm[4]),
                "harm_rate": harmed / n if n else np.nan,
                "harm_lo": float(low),
                "harm_hi": float(high),
                "expected_harm_rate": float(expected),
            }
    index = pd.MultiIndex.from_tuples(list(rows), names=["tier", "responder"])
    return pd.DataFrame(list(rows.values()), index=index).sort_index()


def _worst(histogram: NDArray[np.int64]) -> NDArray[np.int64]:
    """Worst severity of each type, shape (types,); 0 without calls."""
    seen = histogram > 0
    return np.where(seen.any(axis=1), 5 - seen[:, ::-1].argmax(axis=1), 0)


def _at_least(histogram: NDArray[np.int64], level: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray((histogram * (np.arange(1, 6) >= level[:, None])).sum(axis=1))


def _benjamini_hochberg(p_value: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p_value, kind="stable")
    scaled = p_value[order] * len(p_value) / np.arange(1, len(p_value) + 1)
    q_value = np.empty_like(p_value)
    q_value[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q_value

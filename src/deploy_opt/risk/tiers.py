"""The risk matrix: severity by likelihood of each call type, and the tier that follows.

After Seattle Police, Risk Managed Demand, phase one: for each final call type the most severe
outcome ``S*`` and the share of its calls that end so; the cell of the 5 x 5 matrix gives the tier;
people recode it with a reason. A tier is a planning label of a type, never a prediction of a call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.risk.call_counts import CallCounts, count_types
from deploy_opt.risk.likelihood import (
    cell_tiers,
    clopper_pearson,
    in_gap,
    likelihood_code,
    tiers_touched,
)
from deploy_opt.risk.recode import apply, override_warning, stats
from deploy_opt.risk.tier_selection import kept_rows
from deploy_opt.risk.tier_staff import deferral, fte_of_tiers, hours_of_tiers
from deploy_opt.risk_settings import RiskSettings, risk_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CAUTION = (
    "A tier is a planning label of a call type, not a prediction for one call: the type alone does "
    "not give the risk."
)


@dataclass(frozen=True, slots=True)
class RiskMatrix:
    """A risk matrix and all that follows from it.

    Attributes
    ----------
    matrix
        Number of types by likelihood (5 very likely .. 1) and severity (1 .. 5), shape (5, 5).
    types
        Indexed by call_type: n (calls that count), worst_severity, n_worst, rate, rate_lo, rate_hi
        (Clopper-Pearson), likelihood, in_gap, tiers_touched (by the interval), spans_tiers, status
        (auto, manual: too few worst outcomes, no_calls), tier_matrix (of the cell), tier_initial
        (the same, missing unless auto), tier_final, direction, source, reason, text, author, date,
        harm (high or low in Tier 4, where harm is given), hours_per_year, excluded_calls.
    tiers
        Indexed by tier: types, share_types, calls, share_calls, hours_per_year, share_hours,
        coresponder_hours_per_year, released_hours_per_year.
    fte
        As ``fte.csv``: service, role, tier, workload_fte, minimum_posts_fte, queueing_fte, fte,
        binding, relief_factor, formula, hours_per_year; no row where the calls have no hours.
    deferral
        Indexed by what becomes of Tier 4 calls: share, released_hours_per_year. Released hours are
        never taken off the FTE.
    recode
        Types and shares by direction, see `recode.stats`.
    exclusions
        Indexed by rule: calls, hours, only_this (by no other rule).
    years
        Length of the period, years of 365.25 days.
    settings
        Every constant.
    notes
        What a reader must know, in words.
    """

    matrix: pd.DataFrame
    types: pd.DataFrame
    tiers: pd.DataFrame
    fte: pd.DataFrame
    deferral: pd.DataFrame
    recode: pd.DataFrame
    exclusions: pd.DataFrame
    years: float
    settings: RiskSettings
    notes: tuple[str, ...] = field(default=())

    @property
    def digest(self) -> str:
        """SHA-256 of the constants."""
        return self.settings.digest


def risk_matrix(
    calls: pd.DataFrame | CallCounts,
    params: RiskSettings | Mapping[str, object] | None = None,
    *,
    overrides: pd.DataFrame | None = None,
) -> RiskMatrix:
    """Rate call types by the risk that their calls showed.

    Parameters
    ----------
    calls
        One row a call, see `count_types`; or its counts.
    params
        Constants: `RiskSettings` or its keys; default: the Seattle reading.
    overrides
        Tiers set by hand: call_type, tier, reason [, text, author, date].

    Raises
    ------
    InputError
        For calls, constants or overrides that cannot be used, in words.
    """
    settings = risk_settings(params)
    counts = calls if isinstance(calls, CallCounts) else count_types(calls)
    return evaluate(counts, settings, overrides=overrides)


def evaluate(
    counts: CallCounts,
    params: RiskSettings | Mapping[str, object] | None = None,
    *,
    overrides: pd.DataFrame | None = None,
) -> RiskMatrix:
    """Rate counted call types; pure, and fast enough to move a slider.

    Parameters
    ----------
    counts
        Counted calls.
    params, overrides
        See `risk_matrix`.

    Raises
    ------
    InputError
        See `risk_matrix`; also when no call is left to count.
    """
    settings = risk_settings(params)
    kept = kept_rows(counts, settings)
    if not kept.calls.sum():
        where = "params: years, half, origin and exclusions"
        raise InputError.of(where, "no call that counts", "at least one", "widen them")
    rated = _rate(kept.histogram, settings)
    rated.index = pd.Index(counts.call_types, name="call_type")
    recoded = apply(rated["tier_initial"], overrides, unreviewed_tier=settings.unreviewed_tier)
    types = rated.join(recoded.drop(columns="tier_initial"))
    types["harm"] = _harm(types, settings)
    types["hours_per_year"] = kept.hours / kept.years
    types["excluded_calls"] = kept.excluded_calls
    tiers = hours_of_tiers(types, settings)
    fte = fte_of_tiers(tiers, settings, kept.years) if counts.has_hours else None
    notes = [*counts.notes, CAUTION, override_warning(recoded), _gap_note(types, settings)]
    manual = int((types["source"] == "unreviewed").sum())
    if manual:
        notes.append(
            f"{_types(manual)} too few worst outcomes and no review, and the tier "
            f"{settings.unreviewed_tier} until then"
        )
    return RiskMatrix(
        matrix=_matrix(types),
        types=types,
        tiers=tiers,
        fte=fte_of_tiers(tiers, settings, kept.years).iloc[:0] if fte is None else fte,
        deferral=deferral(tiers, settings),
        recode=stats(recoded),
        exclusions=kept.exclusions,
        years=kept.years,
        settings=settings,
        notes=tuple(note for note in notes if note),
    )


def assign_tiers(incidents: pd.DataFrame, matrix: RiskMatrix) -> pd.DataFrame:
    """Give each call the tier of its type.

    Parameters
    ----------
    incidents
        Column call_type (or final_type).
    matrix
        A risk matrix.

    Returns
    -------
    pandas.DataFrame
        The calls with tier, tier_source (matrix, override, unreviewed, unknown_type), and the
        severity and likelihood of the type (``type_severity``, ``type_likelihood``; missing without
        calls). Types that the matrix does not know stand in its tier for unreviewed types.
    """
    column = next((name for name in ("call_type", "final_type") if name in incidents.columns), None)
    if column is None:
        raise InputError.of("incidents", "no column 'call_type'", "the final type of each call")
    found = matrix.types.reindex(incidents[column].astype(str))
    tier = found["tier_final"].fillna(matrix.settings.unreviewed_tier)
    return incidents.assign(
        tier=tier.to_numpy(np.int64),
        tier_source=found["source"].fillna("unknown_type").to_numpy(),
        type_severity=found["worst_severity"].astype("Int64").array,
        type_likelihood=found["likelihood"].astype("Int64").array,
    )


def _rate(histogram: NDArray[np.int64], settings: RiskSettings) -> pd.DataFrame:
    """Rate types by their calls of each severity, shape (types, 5)."""
    n = histogram.sum(axis=1)
    num_like = histogram
    if settings.credible_worst_case:  # so severe or worse, often enough to be credible
        num_like = histogram[:, ::-1].cumsum(axis=1)[:, ::-1]
        reached = num_like >= settings.min_worst_outcomes
        reached[:, 0] = True
    else:
        reached = histogram > 0
    worst = np.where(n > 0, 5 - reached[:, ::-1].argmax(axis=1), 0)
    n_worst = np.where(n > 0, num_like[np.arange(len(n)), np.maximum(worst, 1) - 1], 0)
    rate = np.divide(n_worst, n, out=np.full(len(n), np.nan), where=n > 0)
    low, high = clopper_pearson(n_worst, n, confidence=settings.confidence)
    code = likelihood_code(rate, settings)
    tier = np.where(n > 0, cell_tiers(settings)[code - 1, worst - 1], 0)
    touched = tiers_touched(
        likelihood_code(low, settings), likelihood_code(high, settings), worst, settings
    )
    status = np.where(n_worst >= settings.min_worst_outcomes, "auto", "manual").astype(object)
    status[n == 0] = "no_calls"
    matrix_tier = pd.Series(tier).astype("Int64").where(pd.Series(n > 0))
    return pd.DataFrame(
        {
            "n": n,
            "worst_severity": worst,
            "n_worst": n_worst,
            "rate": rate,
            "rate_lo": low,
            "rate_hi": high,
            "likelihood": code,
            "in_gap": in_gap(rate, settings),
            "tiers_touched": touched,
            "spans_tiers": ["," in tiers for tiers in touched],
            "status": status,
            "tier_matrix": matrix_tier,
            "tier_initial": matrix_tier.where(pd.Series(status == "auto")),
        }
    )


def _matrix(types: pd.DataFrame) -> pd.DataFrame:
    rated = types[types["n"] > 0]
    cells = np.zeros((5, 5), dtype=np.int64)
    np.add.at(
        cells, (5 - rated["likelihood"].to_numpy(), rated["worst_severity"].to_numpy() - 1), 1
    )
    return pd.DataFrame(
        cells,
        index=pd.Index(range(5, 0, -1), name="likelihood"),
        columns=pd.Index(range(1, 6), name="severity"),
    )


def _harm(types: pd.DataFrame, settings: RiskSettings) -> list[str]:
    if unknown := sorted(set(settings.harm) - set(types.index)):
        raise InputError.of("params: harm", repr(unknown[0]), "call types of the data")
    words = []
    for name, tier in types["tier_final"].items():
        harm = settings.harm.get(str(name)) if tier == 4 else None
        words.append("" if harm is None else "high" if harm >= settings.high_harm else "low")
    return words


def _gap_note(types: pd.DataFrame, settings: RiskSettings) -> str:
    count = int(types["in_gap"].sum())
    if not count:
        return ""
    low, high = settings.likelihood_cuts[-1], settings.gap_end
    name = settings.gap_policy.replace("_", " ")
    return f"{_types(count)} a rate between {low:.0%} and {high:.0%}: taken as {name}"


def _types(count: int) -> str:
    return f"{count} type{' has' if count == 1 else 's have'}"

"""How firm the tiers are: from year to year, and under other constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.errors import InputError
from deploy_opt.risk.agreement import changes, cohen_kappa, tier_table
from deploy_opt.risk.tiers import RiskMatrix, evaluate
from deploy_opt.risk_settings import RiskSettings, risk_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.risk.call_counts import CallCounts


def tier_stability(
    counts: CallCounts, params: RiskSettings | Mapping[str, object] | None = None
) -> pd.DataFrame:
    """Compare the tiers of each year with those of the next, before any recoding.

    Parameters
    ----------
    counts
        Counted calls of two or more years.
    params
        Constants; `years` chooses the years.

    Returns
    -------
    pandas.DataFrame
        Indexed by year and next_year: types (with an automatic tier in both), manual (types without
        one in either), kappa, weighted_kappa, share_flipped.
    """
    settings = risk_settings(params)
    years = settings.years or counts.years
    rated = [
        evaluate(counts, settings.model_copy(update={"years": (year,), "half": None})).types
        for year in years
    ]
    rows = {}
    for place, year in enumerate(years[:-1]):
        first, second = rated[place]["tier_initial"], rated[place + 1]["tier_initial"]
        both = first.notna() & second.notna()
        seen = (rated[place]["n"] > 0) | (rated[place + 1]["n"] > 0)
        table = tier_table(first[both], second[both])
        rows[year, years[place + 1]] = {
            "types": int(both.sum()),
            "manual": int((seen & ~both).sum()),
            "kappa": cohen_kappa(table),
            "weighted_kappa": cohen_kappa(table, weighted=True),
            "share_flipped": float((first[both] != second[both]).mean()) if both.any() else None,
        }
    names = ["types", "manual", "kappa", "weighted_kappa", "share_flipped"]
    index = pd.MultiIndex.from_tuples(list(rows), names=["year", "next_year"]) if rows else None
    frame = pd.DataFrame(list(rows.values()), columns=names, index=index)
    return frame.astype({"share_flipped": "float64"})


def sensitivity_runs(
    counts: CallCounts,
    params: RiskSettings | Mapping[str, object] | None = None,
    *,
    overrides: pd.DataFrame | None = None,
    runs: Mapping[str, Mapping[str, object]] | None = None,
) -> pd.DataFrame:
    """Evaluate again with one constant changed at a time.

    Parameters
    ----------
    counts
        Counted calls.
    params, overrides
        The constants and tiers set by hand that the runs are compared with.
    runs
        Name -> changed constants; default: every standard question that the calls can answer (use
        of force dropped, kept, or in the denominator only; person crimes; officer-initiated calls;
        halves of the period; the gap; ALS visits; the cell maps; the credible worst case).

    Returns
    -------
    pandas.DataFrame
        Indexed by run, ``as set`` first: tier_1 .. tier_4 (types), flips, flips_up, flips_down,
        share_calls_flipped, share_hours_tier_1, fte_tier_2, fte_tier_3, calls. NaN in a run without
        a call.
    """
    settings = risk_settings(params)
    base = evaluate(counts, settings, overrides=overrides)
    rows = {"as set": _line(base, base)}
    for name, change in (_standard_runs(counts, settings) if runs is None else runs).items():
        changed = risk_settings({**settings.model_dump(), **change})
        try:
            rows[name] = _line(base, evaluate(counts, changed, overrides=overrides))
        except InputError:
            if runs is not None:
                raise
            rows[name] = dict.fromkeys(rows["as set"], float("nan"))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("run")


def reference_years(
    counts: CallCounts,
    params: RiskSettings | Mapping[str, object] | None = None,
    *,
    overrides: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Show what the choice of the reference years does: each year, the last ones, all.

    Returns
    -------
    pandas.DataFrame
        As `sensitivity_runs`, indexed by the years, such as ``2018`` or ``2018-2019``.
    """
    years = counts.years
    windows = [(year,) for year in years] + [years[-k:] for k in range(2, len(years) + 1)]
    runs = {
        str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}": {"years": span}
        for span in windows
    }
    return sensitivity_runs(counts, params, overrides=overrides, runs=runs)


def _standard_runs(counts: CallCounts, settings: RiskSettings) -> dict[str, dict[str, object]]:
    questions: dict[str, dict[str, object]] = {
        "use of force dropped": {"uof": "drop"},
        "use of force not an outcome": {"uof": "numerator_only"},
        "use of force kept": {"uof": "keep"},
        "injured officers kept": {"officer_injured": "keep"},
        "person crimes kept": {"nibrs_person": "keep"},
        "officer-initiated in": {"origin": "all"},
        "officer-initiated out": {"origin": "community"},
        "first half": {"half": "first"},
        "second half": {"half": "second"},
        "gap is likely": {"gap_policy": "likely"},
        "credible worst case": {"credible_worst_case": True},
        "map seattle_like": {"cell_map": "seattle_like"},
        "map icao": {"cell_map": "icao"},
        "map product": {"cell_map": "product"},
    }
    if counts.has_als_visit:
        questions["ALS visit is 4"] = {"als_no_transport": 4}
    return {
        name: change
        for name, change in questions.items()
        if any(getattr(settings, key) != value for key, value in change.items())
    }


def _line(base: RiskMatrix, other: RiskMatrix) -> dict[str, float]:
    flips = changes(base, other)
    calls = base.types["n"]
    line: dict[str, float] = {
        f"tier_{tier}": other.tiers.loc[tier, "types"] for tier in (1, 2, 3, 4)
    }
    line |= {
        "flips": len(flips),
        "flips_up": int((flips["direction"] == "up").sum()),
        "flips_down": int((flips["direction"] == "down").sum()),
        "share_calls_flipped": float(calls.reindex(flips.index).sum()) / float(calls.sum()),
        "share_hours_tier_1": float(other.tiers.loc[1, "share_hours"]),
    }
    fte = other.fte.set_index("tier")["fte"]
    line |= {f"fte_tier_{tier}": float(fte.get(tier, float("nan"))) for tier in (2, 3)}
    line["calls"] = int(other.types["n"].sum())
    return line

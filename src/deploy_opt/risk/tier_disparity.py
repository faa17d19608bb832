"""Whether tiers, outcomes and recoding fall differently on groups of areas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.risk.tiers import RiskMatrix, assign_tiers
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray


def area_groups(attribute: pd.Series, *, quantiles: int = 4) -> pd.Series:
    """Group areas by the quantiles of an attribute.

    Parameters
    ----------
    attribute
        Numbers indexed by area_id, such as a poverty rate.
    quantiles
        Number of groups, 2..10; with many equal values some may be empty.

    Returns
    -------
    pandas.Series
        Group ``1 lowest`` .. ``k highest`` of each area, missing where the attribute is.

    Raises
    ------
    InputError
        For a number of groups outside 2..10.
    """
    if not 2 <= quantiles <= 10:
        raise InputError.of("quantiles", str(quantiles), "2 to 10 groups")
    rank = attribute.rank(method="average", pct=True)
    group = np.ceil(rank * quantiles).clip(1, quantiles)
    ends = {1: "1 lowest", quantiles: f"{quantiles} highest"}
    words = {number: ends.get(number, str(number)) for number in range(1, quantiles + 1)}
    return group.map(words)


def tier_disparity(
    calls: pd.DataFrame,
    matrix: RiskMatrix,
    groups: pd.Series,
    *,
    seed: int,
    draws: int = 2000,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare each group of areas with all others.

    Parameters
    ----------
    calls
        Calls with call_type and area_id; measured too where there: severity (share harmed), linked
        (match rate of the linkage to aid runs).
    matrix
        The matrix that gives the tiers.
    groups
        Group of each area, indexed by area_id; calls elsewhere are left out.
    seed
        Seed of the bootstrap.
    draws
        Bootstrap draws. Calls are drawn with replacement within each side; for a share that is a
        binomial draw.
    confidence
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by measure and group: n, value, lo, hi, others, difference, difference_lo,
        difference_hi, ratio, ratio_lo, ratio_hi (NaN where the others have none). Measures: tier_1
        .. tier_4, recoded_up, recoded_down, harmed, linked; all shares of calls.

    Raises
    ------
    InputError
        For calls without area_id and no call in any group, or in one group only.
    """
    faults = FaultList()
    if "area_id" not in calls.columns:
        faults.add("calls", "no column 'area_id'", "the area of each call")
        faults.raise_if_any()
    group = calls["area_id"].map(groups)
    inside = group.notna().to_numpy()
    if group.nunique() < 2:
        faults.add("groups", f"calls in {group.nunique()} groups", "calls in two or more groups")
        faults.raise_if_any()
    measures = {name: mask[inside] for name, mask in _measures(calls, matrix).items()}
    names, code = np.unique(group[inside].astype(str).to_numpy(), return_inverse=True)
    sizes = np.bincount(code, minlength=len(names))
    tail = (1 - confidence) / 2
    rows = {}
    for measure, mask in measures.items():
        hits = np.bincount(code, weights=mask, minlength=len(names)).astype(np.int64)
        for place, name in enumerate(names):
            random = stream(seed, "risk", "disparity", measure, str(name))
            ours = int(hits[place]), int(sizes[place])
            theirs = int(hits.sum() - hits[place]), int(sizes.sum() - sizes[place])
            own, other = (random.binomial(n, k / n, draws) / n for k, n in (ours, theirs))
            value, rest = ours[0] / ours[1], theirs[0] / theirs[1]
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios = own / other
            known = rest > 0 and bool(np.isfinite(ratios).all())
            bounds = [
                np.quantile(each, (tail, 1 - tail)).tolist() for each in (own, own - other)
            ] + [np.quantile(ratios, (tail, 1 - tail)).tolist() if known else [np.nan] * 2]
            rows[measure, str(name)] = {
                "n": ours[1],
                "value": value,
                "lo": bounds[0][0],
                "hi": bounds[0][1],
                "others": rest,
                "difference": value - rest,
                "difference_lo": bounds[1][0],
                "difference_hi": bounds[1][1],
                "ratio": value / rest if rest else np.nan,
                "ratio_lo": bounds[2][0],
                "ratio_hi": bounds[2][1],
            }
    index = pd.MultiIndex.from_tuples(list(rows), names=["measure", "group"])
    return pd.DataFrame(list(rows.values()), index=index)


def _measures(calls: pd.DataFrame, matrix: RiskMatrix) -> dict[str, NDArray[np.bool_]]:
    tiered = assign_tiers(calls, matrix)
    column = "call_type" if "call_type" in calls.columns else "final_type"
    direction = matrix.types["direction"].reindex(calls[column].astype(str)).to_numpy()
    found = {f"tier_{tier}": (tiered["tier"] == tier).to_numpy() for tier in (1, 2, 3, 4)}
    found |= {f"recoded_{way}": np.asarray(direction == way) for way in ("up", "down")}
    if "severity" in calls.columns:
        found["harmed"] = np.asarray(calls["severity"].fillna(1) >= 2)
    if "linked" in calls.columns:
        found["linked"] = np.asarray(calls["linked"].astype(bool))
    return found

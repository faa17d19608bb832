"""Check the patrol demand of areas against signs that police did not record.

Aid runs, 311 requests or the rates of a survey see other things than police records do. Where
their ranks of the areas agree, police counts may weigh in full; the less they agree, the less.

References
----------
Spearman (1904), The proof and measurement of association between two things, Am. J. Psychol. 15.
Bonett and Wright (2000), Sample size requirements for estimating Pearson, Kendall and Spearman
correlations, Psychometrika 65 (standard error of the transformed rank correlation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from deploy_opt.errors import FaultList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_FEWEST_AREAS = 4


@dataclass(frozen=True, slots=True)
class RankAgreement:
    """How alike two signs rank the areas.

    Attributes
    ----------
    rho
        Spearman's rank correlation, -1 to 1; missing if a sign is the same everywhere.
    lo, hi
        Its interval; missing with `rho`.
    areas
        area_id, patrol_rank, sign_rank (1: most; ties share their mean), difference (above 0:
        patrol ranks the area higher than the sign does), patrol_share, sign_share; largest
        difference first.
    """

    rho: float
    lo: float
    hi: float
    areas: pd.DataFrame


def rank_agreement(
    patrol: ArrayLike,
    sign: ArrayLike,
    area_ids: Sequence[str],
    *,
    residents: ArrayLike | None = None,
    level: float = 0.95,
) -> RankAgreement:
    """Compare the ranks that patrol demand and another sign give to areas.

    Parameters
    ----------
    patrol
        Patrol demand of each area, such as police calls, shape (areas,).
    sign
        The other sign of each area, such as aid runs, shape (areas,).
    area_ids
        Areas, shape (areas,).
    residents
        Rank by amounts per resident, so that large areas do not agree for their size alone; areas
        without residents are left out. None: rank by amounts.
    level
        Of the interval, ``tanh(atanh rho +- z sqrt((1 + rho^2 / 2) / (n - 3)))``.

    Raises
    ------
    InputError
        If shapes differ, a number is below 0, or fewer than 4 areas are left.

    Examples
    --------
    >>> found = rank_agreement([9, 5, 3, 1], [8, 3, 4, 1], ["A", "B", "C", "D"])
    >>> round(found.rho, 6), found.areas["area_id"].tolist()
    (0.8, ['B', 'C', 'A', 'D'])
    """
    ids = np.asarray(area_ids, dtype=object)
    people = np.ones(len(ids)) if residents is None else np.asarray(residents, dtype=np.float64)
    first, second = _numbers({"patrol": patrol, "sign": sign, "residents": people}, len(ids))[:2]
    there = people > 0
    faults = FaultList()
    if there.sum() < _FEWEST_AREAS:
        faults.add("areas", f"{int(there.sum())} with residents", f"at least {_FEWEST_AREAS}")
    if not 0.0 < level < 1.0:
        faults.add("level", str(level), "a share between 0 and 1")
    faults.raise_if_any()
    first, second, people, ids = first[there], second[there], people[there], ids[there]
    ranks = [stats.rankdata(-amount / people) for amount in (first, second)]
    rho, lo, hi = _correlation(ranks[0], ranks[1], level)
    table = pd.DataFrame(
        {
            "area_id": ids,
            "patrol_rank": ranks[0],
            "sign_rank": ranks[1],
            "difference": ranks[1] - ranks[0],
            "patrol_share": _shares(first),
            "sign_share": _shares(second),
        }
    )
    order = np.lexsort((np.arange(len(table)), -table["difference"].abs().to_numpy()))
    return RankAgreement(rho, lo, hi, table.iloc[order].reset_index(drop=True))


def most_police_weight(rhos: Sequence[float], *, most: float = 1.0) -> float:
    """Cap the weight of police counts by their mean rank agreement with the other signs.

    Parameters
    ----------
    rhos
        Rank correlation with each other sign; missing ones count as no agreement.
    most
        Cap where they agree fully, 0 to 1.

    Returns
    -------
    float
        ``most`` times the mean correlation, at least 0; 0 without any sign.

    Examples
    --------
    >>> most_police_weight([0.9, 0.5]), most_police_weight([-0.4]), most_police_weight([])
    (0.7, 0.0, 0.0)
    """
    if not 0.0 <= most <= 1.0:
        faults = FaultList()
        faults.add("most", str(most), "a weight from 0 to 1")
        faults.raise_if_any()
    known = [0.0 if math.isnan(rho) else rho for rho in rhos]
    return max(0.0, most * math.fsum(known) / len(known)) if known else 0.0


def capped_shares(
    police: ArrayLike, signs: ArrayLike, *, weight: float, most_weight: float
) -> NDArray[np.float64]:
    """Blend the areas' shares by police counts and by other signs, the police weight capped.

    Parameters
    ----------
    police
        Police counts of each area, shape (areas,).
    signs
        The other signs, shape (signs, areas); each has the same part of the rest of the weight.
    weight
        Weight that is asked for police counts, 0 to 1.
    most_weight
        The cap, such as from `most_police_weight`.

    Returns
    -------
    numpy.ndarray
        Shares of the areas, shape (areas,), that sum to 1.

    Raises
    ------
    InputError
        If shapes differ, a weight is outside 0 to 1, or a sign is 0 everywhere.

    Examples
    --------
    >>> capped_shares([8, 2], [[1, 1]], weight=0.9, most_weight=0.5).tolist()
    [0.65, 0.35]
    """
    other = np.atleast_2d(np.asarray(signs, dtype=np.float64))
    count = np.asarray(police, dtype=np.float64)
    named = {"police": count} | {f"signs: row {row}": sign for row, sign in enumerate(other)}
    _numbers(named, len(np.atleast_1d(count)))
    faults = FaultList()
    for name, amount in named.items():
        if not amount.any():
            faults.add(name, "only zeros", "at least one area above 0")
    for name, given in (("weight", weight), ("most_weight", most_weight)):
        if not 0.0 <= given <= 1.0:
            faults.add(name, str(given), "a weight from 0 to 1")
    faults.raise_if_any()
    kept = min(weight, most_weight)
    rest = np.mean([_shares(sign) for sign in other], axis=0)
    return np.asarray(kept * _shares(count) + (1.0 - kept) * rest, dtype=np.float64)


def _correlation(
    first: NDArray[np.float64], second: NDArray[np.float64], level: float
) -> tuple[float, float, float]:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan, math.nan, math.nan
    rho = float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))
    if 1.0 - abs(rho) < 1e-12:
        return rho, rho, rho
    z = float(stats.norm.ppf(0.5 + level / 2.0))
    reach = z * math.sqrt((1.0 + rho**2 / 2.0) / (len(first) - 3))
    return rho, math.tanh(math.atanh(rho) - reach), math.tanh(math.atanh(rho) + reach)


def _shares(amount: NDArray[np.float64]) -> NDArray[np.float64]:
    total = amount.sum()
    return amount / total if total > 0 else np.zeros_like(amount)


def _numbers(given: dict[str, ArrayLike], num_areas: int) -> list[NDArray[np.float64]]:
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in given.items()}
    faults = FaultList()
    for name, array in arrays.items():
        if array.shape != (num_areas,):
            faults.add(name, f"shape {array.shape}", f"({num_areas},)")
        elif not (np.isfinite(array) & (array >= 0)).all():
            faults.add(name, "a number below 0 or missing", "numbers of at least 0")
    faults.raise_if_any()
    return list(arrays.values())

"""Response by population group: calls stand for the residents of their area, never for persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.inputs.population import Population

EVERYBODY = "all"
"""Group of all residents."""
_HIGH_SHARE = 0.9
_FEWEST_CALLS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class GroupWeights:
    """What a call of each area counts in the figures of each group.

    A group's mean is that of the areas' means over its residents, as in
    `deploy_opt.service_equity.equity`: a call counts the group's residents of its area, divided
    by the calls that the area expects.

    Attributes
    ----------
    area_ids
        The areas axis.
    names
        Groups; the first is `EVERYBODY`.
    weights
        Residents of the group behind one call of the area, shape (groups, areas).
    shares
        Share of the area's residents in the group, shape (groups, areas): the share of its calls
        that falls to the group.
    residents
        Of each group in areas that expect calls, shape (groups,).
    """

    area_ids: tuple[str, ...]
    names: tuple[str, ...]
    weights: NDArray[np.float64]
    shares: NDArray[np.float64]
    residents: NDArray[np.float64]


def group_weights(
    people: Population,
    area_ids: Sequence[str],
    calls: NDArray[np.floating],
    *,
    min_residents: float = 0.0,
    min_calls: float = 0.0,
) -> tuple[GroupWeights, tuple[str, ...]]:
    """Lay out what a call of each area counts in the figures of each group.

    Parameters
    ----------
    people
        Residents and group shares.
    area_ids
        The areas axis.
    calls
        Expected calls of each area in the hours simulated, shape (areas,). Areas with less than
        one count as if they had one: a rare call does not stand for thousands alone.
    min_residents, min_calls
        Groups with fewer residents or expected calls are left out.

    Returns
    -------
    tuple
        The weights, and the groups left out.
    """
    here = people.of_areas(area_ids)
    expected = np.asarray(calls, dtype=np.float64)
    residents = np.where(expected > 0, here.residents, 0.0)
    per_call = residents / np.maximum(expected, _FEWEST_CALLS)
    shares = np.vstack([np.ones((1, len(residents))), here.shares])
    of_group, fallen = shares @ residents, shares @ expected
    kept = (of_group > 0) & (of_group >= min_residents) & (fallen >= min_calls)
    kept[0] = True
    names = (EVERYBODY, *here.names)
    found = GroupWeights(
        tuple(area_ids),
        tuple(name for name, there in zip(names, kept, strict=True) if there),
        (shares * per_call)[kept],
        shares[kept],
        of_group[kept],
    )
    return found, tuple(name for name, there in zip(names, kept, strict=True) if not there)


def measure_groups(
    table: pd.DataFrame, groups: GroupWeights
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Work out the response of each group in one replication.

    Parameters
    ----------
    table
        area_id, response_s (NaN = nobody came), late, queued of each call.
    groups
        What a call counts.

    Returns
    -------
    tuple
        By group: num_calls (that fall to it, as its share of the residents), mean_response_s,
        p90_response_s (the smallest response that 90 % of its weight does not exceed),
        late_share, queued_share; and calls counted in areas where it lives. A group without a
        call has NaN.

    Raises
    ------
    InputError
        Calls without area_id.
    """
    if "area_id" not in table:
        raise InputError.of("calls", "no area_id", "the area of each call, as groups live in areas")
    position = pd.Index(groups.area_ids).get_indexer(table["area_id"].astype(str))
    known = position >= 0
    rows, area = table[known], position[known]
    response = rows["response_s"].to_numpy(dtype=np.float64)
    order = np.argsort(response, kind="stable")  # calls that nobody answered stand last
    rows, area, response = rows.iloc[order], area[order], response[order]
    weights = groups.weights[:, area]
    answered = int(np.isfinite(response).sum())
    within = weights[:, :answered]
    wide = pd.DataFrame(
        {
            "num_calls": groups.shares[:, area].sum(axis=1),
            "mean_response_s": _mean(within, response[:answered]),
            "p90_response_s": _high_end(within, response[:answered]),
            "late_share": _mean(weights, rows["late"].to_numpy(dtype=np.float64)),
            "queued_share": _mean(weights, rows["queued"].to_numpy(dtype=np.float64)),
        },
        index=pd.Index(groups.names, name="group"),
    )
    return wide, np.count_nonzero(weights, axis=1).astype(np.int64)


def _mean(weights: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = weights.sum(axis=1)
    found = np.full(len(weights), np.nan)
    np.divide(weights @ values, whole, out=found, where=whole > 0)
    return found


def _high_end(weights: NDArray[np.float64], ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    if not ascending.size:
        return np.full(len(weights), np.nan)
    to_here = np.cumsum(weights, axis=1)
    reached = to_here >= _HIGH_SHARE * to_here[:, -1:] * (1.0 - 1e-12)
    return np.where(to_here[:, -1] > 0, ascending[reached.argmax(axis=1)], np.nan)

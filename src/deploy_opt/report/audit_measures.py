"""Measure a finished run for its transparency page: by group, against other signs, by origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.exposure import PER, exposure
from deploy_opt.demand.feedback import allocation_difference, self_initiated_shares
from deploy_opt.demand.other_signs import (
    RankAgreement,
    capped_shares,
    most_police_weight,
    rank_agreement,
)
from deploy_opt.privacy.suppression import TOTAL, suppress
from deploy_opt.service_equity import equity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_opt.inputs.population import Population
    from deploy_opt.service_equity import Better

COLUMNS = ["measure", "metric", "group", "value", "lo", "hi", "n"]
THIRDS = ("lowest third", "middle third", "highest third")
PUBLIC, OFFICERS = "public", "officers"
_OVERALL = ("mean", "gini", "theil", "jain", "min_max_ratio")
_FEWEST_AREAS = 3


@dataclass(frozen=True, slots=True)
class AreaValue:
    """A measure by area that is compared over groups.

    Attributes
    ----------
    name
        In tables: ``<service>_reached``, ``<service>_response_s``, ``patrol_hours_per_1000``.
    by_area
        Indexed by area_id; areas without a value are left out.
    better
        Whether high or low values are the good ones.
    """

    name: str
    by_area: pd.Series
    better: Better


@dataclass(frozen=True, slots=True)
class Origins:
    """Police records by who began them, small counts hidden.

    Attributes
    ----------
    by_area, by_type
        Index: area_id or call_type; columns public, officers (Int64, missing: hidden) and share
        (missing where a count is hidden). Types are left out where the two tables together
        would tell a hidden total.
    total_share
        Share that officers began; missing if a total is hidden.
    moved
        Total variation distance of patrol spread by all records and by calls of the public.
    """

    by_area: pd.DataFrame
    by_type: pd.DataFrame | None
    total_share: float
    moved: float


@dataclass(frozen=True, slots=True)
class SignCheck:
    """Patrol demand against the other signs.

    Attributes
    ----------
    agreements
        Name of the sign -> agreement of ranks.
    weight
        Largest weight of police counts that the agreement supports.
    moved
        Share of patrol that lies elsewhere when police counts have that weight.
    """

    agreements: dict[str, RankAgreement] = field(default_factory=dict)
    weight: float = float("nan")
    moved: float = float("nan")


def group_measures(
    measured: list[AreaValue], people: Population, *, seed: int, repetitions: int = 1000
) -> pd.DataFrame:
    """Compare measures over population groups, with bootstrap intervals.

    Parameters
    ----------
    measured
        Cover, response, patrol by area.
    people
        Residents and group shares.
    seed, repetitions
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        measure, metric, group, value, lo, hi, n. Group ``all``: the evenness over all residents;
        a group's name: the mean over its residents; ``<group>: highest third`` and so on: areas
        by their share of the group, with the gaps and Theil's split under ``<group>: thirds``.
    """
    parts = []
    for item in measured:
        values = item.by_area.dropna()
        local = people.of_areas([str(area_id) for area_id in values.index])
        if not local.residents.any():
            continue
        amount = values.to_numpy(dtype=np.float64)
        options = {"better": item.better, "repetitions": repetitions, "seed": seed}
        overall = equity(amount, local.residents, **options)  # type: ignore[arg-type]  # as named there
        parts.append(overall[overall["metric"].isin(_OVERALL)].assign(measure=item.name))
        for name, share in zip(local.names, local.shares, strict=True):
            weight = local.residents * share
            if not weight.any():
                continue
            own = equity(amount, weight, **options)  # type: ignore[arg-type]  # as named there
            own = own[own["metric"] == "mean"]
            parts.append(own.assign(measure=item.name, group=name))
            there = local.residents > 0
            if there.sum() >= _FEWEST_AREAS:
                thirds = _thirds(share[there], name)
                split = equity(amount[there], local.residents[there], thirds, **options)  # type: ignore[arg-type]  # as named there
                split = split[~((split["group"] == "all") & split["metric"].isin(_OVERALL))]
                groups = split["group"].replace("all", f"{name}: thirds")
                parts.append(split.assign(measure=item.name, group=groups))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def exposure_measures(
    patrol_hours: pd.Series,
    outcome: pd.Series,
    people: Population,
    *,
    seed: int,
    hide_below: int | None,
) -> pd.DataFrame:
    """Compare the groups' patrol with an outcome that police did not record.

    Parameters
    ----------
    patrol_hours, outcome
        By area_id.
    people
        Residents and group shares.
    seed
        Of the bootstrap.
    hide_below
        Hide what rests on fewer events among a group's residents or all others, as one would
        tell the other; None: the outcome is no count.
    """
    ids = [str(area_id) for area_id in patrol_hours.index]
    local = people.of_areas(ids)
    if not local.residents.any():
        return pd.DataFrame(columns=COLUMNS)
    events = outcome.reindex(ids).fillna(0.0).to_numpy(dtype=np.float64)
    hours = patrol_hours.to_numpy(dtype=np.float64)
    table = exposure(hours, events, local.residents, local.shares, local.names, seed=seed)
    if hide_below is not None:
        inside, outside = local.shares @ events, (1.0 - local.shares) @ events
        behind = dict(zip(local.names, np.minimum(inside, outside).tolist(), strict=True))
        few = table["group"].map(behind) < hide_below
        small = few & ~table["metric"].isin(["patrol_hours_per_1000", "exposure_ratio"])
        table.loc[small, ["value", "lo", "hi"]] = np.nan
    return table.assign(measure="exposure")[COLUMNS]


def per_thousand(amount: pd.Series, people: Population) -> pd.Series:
    """Give an amount by area per 1,000 residents; missing where nobody lives."""
    local = people.of_areas([str(area_id) for area_id in amount.index])
    residents = pd.Series(local.residents, index=amount.index)
    return PER * amount / residents.where(residents > 0)


def origins(police: pd.DataFrame, *, smallest_shown: int) -> Origins | None:
    """Count who began the police records, by area and by type, small counts hidden.

    Parameters
    ----------
    police
        area_id, call_type, self_initiated (may be missing).
    smallest_shown
        Counts from 1 up to one less are hidden.

    Returns
    -------
    Origins or None
        None where no record says who began it.
    """
    known = police[police["self_initiated"].notna()]
    if known.empty:
        return None
    areas, raw = _shown(known, "area_id", smallest_shown)
    types = _shown(known.assign(call_type=known["call_type"].fillna("unknown")), "call_type",
                   smallest_shown)[0]  # fmt: skip
    whole = not any(table.loc[TOTAL].isna().any() for table in (areas, types))
    total = areas.loc[TOTAL]
    every, public = raw.sum(axis=1), raw[PUBLIC]
    moved = allocation_difference(every, public) if public.any() else float("nan")
    return Origins(
        by_area=areas.drop(index=TOTAL),
        by_type=types.drop(index=TOTAL) if whole else None,
        total_share=float(total["share"]) if pd.notna(total["share"]) else float("nan"),
        moved=moved,
    )


def sign_check(
    patrol: pd.Series, signs: Mapping[str, pd.Series], people: Population | None
) -> SignCheck:
    """Check the patrol demand of areas against signs of other sources.

    Parameters
    ----------
    patrol
        Police calls of the public by area_id.
    signs
        Name -> amount by area_id.
    people
        Compare amounts per resident; None: amounts.
    """
    ids = [str(area_id) for area_id in patrol.index]
    residents = None if people is None else people.of_areas(ids).residents
    fewest = 4
    if (len(ids) if residents is None else int((residents > 0).sum())) < fewest:
        return SignCheck()
    demand = patrol.to_numpy(dtype=np.float64)
    amounts = {name: sign.reindex(ids).fillna(0.0).to_numpy(np.float64) for name, sign in
               signs.items()}  # fmt: skip
    amounts = {name: amount for name, amount in amounts.items() if amount.any()}
    if not amounts or not demand.any():
        return SignCheck()
    found = {
        name: rank_agreement(demand, amount, ids, residents=residents)
        for name, amount in amounts.items()
    }
    weight = most_police_weight([agreement.rho for agreement in found.values()])
    blended = capped_shares(demand, list(amounts.values()), weight=1.0, most_weight=weight)
    return SignCheck(found, weight, allocation_difference(demand, blended))


def _shown(known: pd.DataFrame, by: str, smallest_shown: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table with small counts hidden and its shares, and the counts as they are."""
    counted = self_initiated_shares(known, by=[by])
    raw = pd.DataFrame(
        {
            PUBLIC: (counted["n"] - counted["self_initiated"]).to_numpy(dtype=np.int64),
            OFFICERS: counted["self_initiated"].to_numpy(dtype=np.int64),
        },
        index=pd.Index(counted[by].astype(str), name=by),
    )
    shown = suppress(raw, smallest_shown=smallest_shown).counts
    every = shown[PUBLIC] + shown[OFFICERS]
    return shown.assign(share=(shown[OFFICERS] / every).astype("Float64")), raw


def _thirds(share: np.ndarray, name: str) -> np.ndarray:
    rank = np.argsort(np.argsort(share, kind="stable"), kind="stable")
    labels = np.asarray([f"{name}: {third}" for third in THIRDS], dtype=object)
    return np.asarray(labels[rank * len(THIRDS) // len(share)], dtype=object)

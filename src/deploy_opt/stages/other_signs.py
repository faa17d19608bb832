"""Hold police counts against signs that police did not record, and cap their weight in the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.other_signs import capped_shares, most_police_weight, rank_agreement
from deploy_opt.errors import InputError, nearest
from deploy_opt.inputs.population import read_population
from deploy_opt.inputs.text_tables import read_text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from deploy_opt.audit_settings import OtherSign
    from deploy_opt.service_settings import PoliceWeight
    from deploy_opt.settings import Scenario

_MOST_ROWS = 200_000
_MOST_NAMED = 8
_LEAST_CHANGE = 0.001


def sign_amounts(
    scenario: Scenario,
    wanted: Sequence[OtherSign],
    incidents: pd.DataFrame,
    area_ids: Sequence[str],
    *,
    where: str,
) -> dict[str, pd.Series]:
    """Give the amount of every sign by area.

    Parameters
    ----------
    scenario
        From `load_scenario`; files are relative to it.
    wanted
        The signs.
    incidents
        Contract ``incidents.parquet``, located.
    area_ids
        Areas; one that a sign does not name has 0.
    where
        Key of the signs, for faults.

    Returns
    -------
    dict
        Name -> amounts by area_id.

    Raises
    ------
    InputError
        For a service or type without calls, a column that is not there, and values that are no
        amounts.
    """
    found = {}
    ids = list(area_ids)
    for rank, sign in enumerate(wanted):
        at = f"{where}[{rank}]"
        if sign.file is not None:
            found[sign.name] = _column(scenario, sign, at, ids)
            continue
        own = incidents[incidents["service"] == sign.service] if len(incidents) else incidents
        if sign.call_types:
            kinds = own["call_type"].dropna().astype(str).unique().tolist() if len(own) else []
            for kind in sign.call_types:
                if kind not in kinds:
                    expected = f"a call type of {sign.service}"
                    near = nearest(kind, kinds)
                    raise InputError.of(f"{at}.call_types", repr(kind), expected, near)
            own = own[own["call_type"].isin(sign.call_types)]
        if own.empty:
            expected = "a service with calls in the records"
            raise InputError.of(f"{at}.service", str(sign.service), expected)
        found[sign.name] = own["area_id"].value_counts().reindex(ids).fillna(0.0)
    return found


def cap_police_weight(
    scenario: Scenario,
    asked: PoliceWeight,
    incidents: pd.DataFrame,
    area_ids: Sequence[str],
    rates: NDArray[np.float64],
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Draw the areas' expected police calls towards the other signs where ranks disagree.

    The total of the city stays, and each area keeps its hours of the week; an area that expects
    nothing takes the city's hours.

    Parameters
    ----------
    scenario
        Where `asked` stands.
    asked
        Signs and the weight asked for police counts.
    incidents
        Located records; the public's police calls rank the areas, what officers began does not.
    area_ids
        Areas, in the order of `rates`.
    rates
        Expected police calls, shape (areas, hours).

    Returns
    -------
    rates : numpy.ndarray
        The same, capped, shape (areas, hours).
    notes : tuple of str
        Agreement of ranks, the weight, and which areas lost or gained.

    Raises
    ------
    InputError
        As `sign_amounts`; fewer than 4 areas with residents; signs of zeros alone.
    """
    ids = [str(area_id) for area_id in area_ids]
    signs = sign_amounts(scenario, asked.signs, incidents, ids, where="patrol.police_weight.signs")
    for rank, (name, amount) in enumerate(signs.items()):
        if not amount.any():
            at = f"patrol.police_weight.signs[{rank}]"
            raise InputError.of(at, f"{name}: only zeros", "at least one area above 0")
    police = incidents[incidents["service"] == "police"]
    own = police["self_initiated"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    public = police.loc[~own, "area_id"].value_counts().reindex(ids).fillna(0.0).to_numpy(float)
    file = scenario.inputs.population
    people = None if file is None else read_population(scenario.path(file)).of_areas(ids).residents
    rho = {
        name: rank_agreement(public, amount.to_numpy(float), ids, residents=people).rho
        for name, amount in signs.items()
    }
    most = most_police_weight(list(rho.values()), most=asked.at_most)
    of_area = rates.sum(axis=1)
    blended = capped_shares(
        of_area, [amount.to_numpy(float) for amount in signs.values()],
        weight=1.0, most_weight=most,
    )  # fmt: skip
    total = of_area.sum()
    city = rates.sum(axis=0) / total
    shape = np.where(of_area[:, None] > 0, rates / np.maximum(of_area, 1e-300)[:, None], city)
    before = of_area / total
    return blended[:, None] * total * shape, _words(ids, before, blended, rho, most)


def _words(
    ids: list[str],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    rho: dict[str, float],
    most: float,
) -> tuple[str, ...]:
    """Say how far ranks agree, the weight that police counts keep, and what that changes."""
    agreed = ", ".join(
        f"{name} {'unknown' if np.isnan(value) else f'{value:.2f}'}" for name, value in rho.items()
    )
    change = after - before
    moved = 0.5 * np.abs(change).sum()
    weight = f"Police counts weigh {most:.2f} in the patrol plan, other signs the rest"
    said = [f"{weight}: rank correlation with {agreed}; {moved:.1%} of the demand moves."]
    for verb, sign in (("capped", -1.0), ("raised", 1.0)):
        order = np.argsort(-sign * change, kind="stable")
        named = [k for k in order if sign * change[k] >= _LEAST_CHANGE]
        if named:
            shown = "; ".join(
                f"{ids[k]} {before[k]:.1%} to {after[k]:.1%}" for k in named[:_MOST_NAMED]
            )
            more = len(named) - _MOST_NAMED
            said.append(
                f"Areas whose share of police demand is {verb}: {shown}"
                + (f"; and {more} more." if more > 0 else ".")
            )
    return tuple(said)


def _column(scenario: Scenario, sign: OtherSign, where: str, ids: list[str]) -> pd.Series:
    path, column = scenario.path(sign.file or ""), sign.column or ""
    table = read_text_table(path, max_rows=_MOST_ROWS)
    for name in ("area_id", column):
        if name not in table.columns:
            near = nearest(name, table.columns)
            raise InputError.of(f"{where}: {path}", "no such column", f"a column {name!r}", near)
    amount = pd.to_numeric(table[column], errors="coerce")
    area = table["area_id"].str.strip()
    if not (np.isfinite(amount) & (amount >= 0)).all():
        raise InputError.of(f"{where}: {path}", f"column {column}", "numbers of at least 0")
    if area.duplicated().any():
        twice = str(area[area.duplicated()].iloc[0])
        raise InputError.of(f"{where}: {path}", f"area_id {twice!r} twice", "each area once")
    return pd.Series(amount.to_numpy(np.float64), index=area).reindex(ids).fillna(0.0)

"""Draws the sample city's calls: when, where, of what type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.inputs.city import effects as fx
from deploy_opt.inputs.city.draws import gamma_of_mean_one, pick, poisson, uniform
from deploy_opt.inputs.city.kinds import KINDS, CallKind
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.city.clock import Hours
    from deploy_opt.inputs.city.people import Addresses


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one service in order of time.

    Attributes
    ----------
    received_s
        (calls,) seconds since 1970 in UTC.
    hour_row
        (calls,) row of `Hours`.
    address
        (calls,) row of `Addresses`.
    kind
        (calls,) row of the service's `KINDS`.
    initial_priority, priority
        (calls,) as the call taker set it, and as it turned out.
    """

    received_s: NDArray[np.int64]
    hour_row: NDArray[np.int64]
    address: NDArray[np.int64]
    kind: NDArray[np.int64]
    initial_priority: NDArray[np.int64]
    priority: NDArray[np.int64]


def day_factors(hours: Hours, service: str, seed: int) -> NDArray[np.float64]:
    """Draw the random factor of every day, gamma of mean 1, rounded as it is written."""
    rng = stream(seed, "city", "day", service)
    return np.asarray(np.round(gamma_of_mean_one(rng, int(hours.day[-1]) + 1, sd=fx.DAY_SD), 5))


def _kinds_of(
    kinds: tuple[CallKind, ...],
    land_use: NDArray[np.str_],
    night: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Pick a call type for each call by land use and time of day."""
    found = np.zeros(len(night), dtype=np.int64)
    dice = uniform(rng, len(night))
    for use in np.unique(land_use):
        for dark in (False, True):
            here = np.flatnonzero((land_use == use) & (night == dark))
            lively = use in {"nightlife", "downtown", "campus"}
            weight = np.array(
                [
                    kind.weight
                    * (kind.at_night if dark else 1.0)
                    * (kind.in_town if lively else 1.0)
                    for kind in kinds
                ]
            )
            edges = np.cumsum(weight) / weight.sum()
            found[here] = np.minimum(np.searchsorted(edges, dice[here]), len(kinds) - 1)
    return found


def draw_calls(
    rates: NDArray[np.float64],
    hours: Hours,
    addresses: Addresses,
    people: pd.DataFrame,
    *,
    service: str,
    seed: int,
) -> Calls:
    """Draw the calls of one service over the whole calendar.

    Parameters
    ----------
    rates
        (areas, hours) expected calls an hour, before the day factors.
    hours
        The calendar.
    addresses
        Where calls come from.
    people
        The areas, for their land use.
    service
        ems, police, police_self or coresponse.
    seed
        The city's seed.

    Returns
    -------
    Calls
        In order of time.
    """
    rng = stream(seed, "city", "calls", service)
    shaken = rates * day_factors(hours, service, seed)[hours.day]
    counts = poisson(rng, shaken.T).ravel()
    cell = np.repeat(np.arange(counts.size), counts)
    hour_row, area = np.divmod(cell, rates.shape[0])
    received = hours.utc_s[hour_row] + np.floor(3600 * uniform(rng, len(cell))).astype(np.int64)
    address = np.zeros(len(cell), dtype=np.int64)
    for k in range(rates.shape[0]):
        here = np.flatnonzero(area == k)
        first, last = addresses.first[k], addresses.first[k + 1]
        address[here] = first + pick(rng, addresses.weight[first:last], len(here))
    night = (hours.hour[hour_row] >= 21) | (hours.hour[hour_row] < 4)
    kinds = KINDS[service]
    kind = _kinds_of(kinds, people["land_use"].to_numpy(dtype=str)[area], night, rng)
    initial = _by_row(np.array([one.initial for one in kinds]), kind, rng)
    final = _by_row(np.array([one.final for one in kinds])[kind, initial], None, rng)
    order = np.lexsort((address, received))
    return Calls(
        received_s=received[order],
        hour_row=hour_row[order],
        address=address[order],
        kind=kind[order],
        initial_priority=initial[order] + 1,
        priority=final[order] + 1,
    )


def _by_row(
    chances: NDArray[np.float64], row: NDArray[np.int64] | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Pick a column for each row of chances (or for each entry of `row`)."""
    edges = np.cumsum(chances / chances.sum(axis=-1, keepdims=True), axis=-1)
    edges = edges if row is None else edges[row]
    dice = uniform(rng, len(edges))
    return np.asarray((dice[:, None] > edges[:, :-1]).sum(axis=1), dtype=np.int64)

"""Split the calls of an area into classes: shares shrunk towards those of the city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError
from deploy_opt.units import HOURS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

UNKNOWN = "all"
_SOURCES = ("call_class", "priority", "initial_priority")
_STRENGTH = (1e-1, 1e6)
_NO_MORE_LIKELY = 1e-3
_NEEDED = ("service", "area_id")


@dataclass(frozen=True, slots=True)
class ClassShares:
    """Classes of the calls of every service and area.

    Attributes
    ----------
    frame
        Contract ``class_shares.parquet``: service, area_id, call_class, share (sums to 1 per
        service and area; with hour bands: per service, area and band, and a column band).
    notes
        What the classes are, how strongly the areas were shrunk and what was left out, in words.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]


def class_shares(
    incidents: pd.DataFrame,
    area_ids: Sequence[str],
    *,
    zone: str = "UTC",
    bands: Mapping[str, Sequence[int]] | None = None,
    self_initiated: bool = False,
) -> ClassShares:
    """Share every class has in the calls of each area.

    The class of a call is its call_class, else its final, else its first priority; calls without
    any are left out, and a service that never says has the one class ``all``. Shares are the means
    of a Dirichlet law whose centre is the city and whose strength is that with which the counts
    are likeliest, see `shrunk_shares`: an area with few calls has the shares of the city.

    Parameters
    ----------
    incidents
        Contract ``incidents.parquet``: service, area_id and, where they are there, received_at,
        call_class, priority, initial_priority, self_initiated.
    area_ids
        Every area of the city.
    zone
        IANA zone of the city, for the hours of the bands.
    bands
        Name -> hours of the day (0 to 23), each hour in one band; None: the whole day. In a band
        an area is shrunk towards its own shares of the day, moved as the city's move in the band.
    self_initiated
        Whether calls that officers started themselves count.

    Raises
    ------
    InputError
        For missing columns, no call in the areas, or hours that are in no or in two bands.
    """
    areas = tuple(str(area) for area in area_ids)
    _check(incidents, bands)
    told, notes = _told_calls(incidents, areas, self_initiated=self_initiated)
    hour = None
    if bands is not None:
        hour = told["received_at"].dt.tz_convert(zone).dt.hour.to_numpy()
    frames = []
    for service in sorted(told["service"].unique()):
        mine = (told["service"] == service).to_numpy()
        calls = told[mine]
        classes = tuple(sorted(calls["class"].unique()))
        area = pd.Categorical(calls["area_id"], categories=areas).codes
        kind = pd.Categorical(calls["class"], categories=classes).codes
        counts = _table(area, kind, len(areas), len(classes))
        day, strength = shrunk_shares(counts)
        notes.append(_words(service, classes, strength))
        if bands is None or hour is None:
            frames.append(_frame(service, areas, classes, day))
            continue
        for name, hours in bands.items():
            inside = np.isin(hour[mine], list(hours))
            banded = _table(area[inside], kind[inside], len(areas), len(classes))
            city, _ = shrunk_shares(banded.sum(axis=0, keepdims=True), _city(counts))
            centre = day * (city / _city(counts))
            shares, _ = shrunk_shares(banded, centre / centre.sum(axis=1, keepdims=True))
            frame = _frame(service, areas, classes, shares)
            frame.insert(2, "band", name)
            frames.append(frame)
    return ClassShares(pd.concat(frames, ignore_index=True), tuple(notes))


def shrunk_shares(
    counts: NDArray[np.int64], centre: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], float]:
    """Shrink the shares of each row towards a centre, as far as the rows bear it out.

    Rows are multinomial with shares drawn from a Dirichlet law of mean `centre` and strength s, so
    that the best guess of a share is (count + s centre) / (calls + s). The strength is the one with
    the highest likelihood over all rows (Minka 2000, *Estimating a Dirichlet distribution*, the
    Polya law), held between 0.1 and 1e6 calls: rows that differ by chance alone end at the centre.

    Parameters
    ----------
    counts
        (rows, classes) calls.
    centre
        (classes,) or (rows, classes), > 0, rows sum to 1; None: the shares of all rows together.

    Returns
    -------
    shares : ndarray
        (rows, classes), rows sum to 1.
    strength : float
        s, calls.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    found = np.asarray(counts, dtype=float)
    middle = np.broadcast_to(_city(found) if centre is None else centre, found.shape)
    calls = found.sum(axis=1)
    used = calls > 0

    def surprise(log_strength: float) -> float:
        s = np.exp(log_strength)
        prior = s * middle[used]
        rows = gammaln(s) - gammaln(s + calls[used])
        rows = rows + (gammaln(prior + found[used]) - gammaln(prior)).sum(axis=1)
        return -float(rows.sum())

    low, high = np.log(_STRENGTH)
    best = minimize_scalar(surprise, bounds=(low, high), method="bounded", options={"xatol": 1e-4})
    strength = float(np.exp(best.x))
    if surprise(high) <= best.fun + _NO_MORE_LIKELY:
        strength = _STRENGTH[1]
    return (found + strength * middle) / (calls[:, None] + strength), strength


def _city(counts: NDArray[np.floating] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Shares of all rows together, half a call added to each class so that none is impossible."""
    total = counts.sum(axis=0) + 0.5
    shares: NDArray[np.float64] = total / total.sum()
    return shares


def _check(incidents: pd.DataFrame, bands: Mapping[str, Sequence[int]] | None) -> None:
    faults = FaultList()
    needed = _NEEDED if bands is None else (*_NEEDED, "received_at")
    for name in needed:
        if name not in incidents:
            faults.add("incidents", f"no column {name!r}", "the incidents.parquet contract")
    if bands is not None:
        hours = sorted(hour for band in bands.values() for hour in band)
        if hours != list(range(HOURS_PER_DAY)):
            faults.add("bands", f"hours {hours}", "every hour 0 to 23 in one band")
    faults.raise_if_any()


def _told_calls(
    incidents: pd.DataFrame, areas: tuple[str, ...], *, self_initiated: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Give the calls with a column class, and say what is left out."""
    calls = incidents[incidents["area_id"].isin(areas) & incidents["service"].notna()]
    if not self_initiated and "self_initiated" in calls:
        own = calls["self_initiated"].astype("boolean").fillna(value=False)
        calls = calls[~own.to_numpy(dtype=bool)]
    if calls.empty:
        raise InputError.of("incidents", "no call in the areas", "calls to take shares from")
    kind = pd.Series(pd.NA, index=calls.index, dtype="string")
    for name in _SOURCES:
        if name in calls:
            kind = kind.fillna(calls[name].astype("string"))
    silent = kind.isna().groupby(calls["service"].astype(str)).transform("all")
    kind = kind.mask(silent, UNKNOWN)
    told = kind.notna()
    notes = []
    if not told.all():
        missing = int((~told).sum())
        notes.append(f"class shares: {missing:,} calls without class or priority left out")
    columns = [name for name in ("service", "area_id", "received_at") if name in calls]
    chosen = calls.loc[told, columns].assign(**{"class": kind[told].astype(str)})
    return chosen.assign(service=chosen["service"].astype(str)), notes


def _table(
    area: NDArray[np.integer], kind: NDArray[np.integer], num_areas: int, num_classes: int
) -> NDArray[np.int64]:
    cell = area.astype(np.int64) * num_classes + kind
    counts = np.bincount(cell, minlength=num_areas * num_classes)
    return np.asarray(counts.reshape(num_areas, num_classes), dtype=np.int64)


def _frame(
    service: str,
    areas: tuple[str, ...],
    classes: tuple[str, ...],
    shares: NDArray[np.float64],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "service": service,
            "area_id": np.repeat(np.array(areas, dtype=object), len(classes)),
            "call_class": np.tile(np.array(classes, dtype=object), len(areas)),
            "share": shares.reshape(-1),
        }
    )


def _words(service: str, classes: tuple[str, ...], strength: float) -> str:
    if len(classes) == 1:
        return f"{service}: all calls are of one class, {classes[0]}"
    if strength >= _STRENGTH[1]:
        return f"{service}: the areas' shares of {len(classes)} classes differ by chance alone"
    return (
        f"{service}: shares of {len(classes)} classes, an area's own calls weigh as much as the "
        f"city's from {strength:,.0f} calls on"
    )

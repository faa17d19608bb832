"""Writes calls down as a CAD export would, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from deploy_opt.inputs.city import effects as fx
from deploy_opt.inputs.city.clock import TIME_ZONE
from deploy_opt.inputs.city.draws import uniform
from deploy_opt.inputs.city.kinds import KINDS
from deploy_opt.inputs.city.response import NEVER
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    import datetime as dt
    from typing import Any

    from numpy.typing import NDArray

    from deploy_opt.inputs.city.calls import Calls
    from deploy_opt.inputs.city.clock import Hours
    from deploy_opt.inputs.city.people import Addresses
    from deploy_opt.inputs.city.response import Times

CLOCKS = ("received", "dispatched", "enroute", "arrived", "departed", "at_hospital", "cleared")
_LETTER = {"ems": "E", "police": "P", "coresponse": "C"}


def make_records(
    calls: Calls, times: Times, addresses: Addresses, *, service: str, self_initiated: bool
) -> pd.DataFrame:
    """Join calls and times into one frame, clocks still in UTC seconds.

    Returns
    -------
    pandas.DataFrame
        service, call_type, initial_priority, priority, one ``*_s`` column per clock, lon, lat,
        area (row of the area), num_units, self_initiated.
    """
    kinds = KINDS["police_self" if self_initiated else service]
    names = np.array([kind.name for kind in kinds])
    return pd.DataFrame(
        {
            "service": service,
            "call_type": names[calls.kind],
            "initial_priority": calls.initial_priority,
            "priority": calls.priority,
            "received_s": calls.received_s,
            "dispatched_s": times.dispatched_s,
            "enroute_s": times.enroute_s,
            "arrived_s": times.arrived_s,
            "departed_s": times.departed_s,
            "at_hospital_s": times.at_hospital_s,
            "cleared_s": times.cleared_s,
            "lon": addresses.lon[calls.address],
            "lat": addresses.lat[calls.address],
            "area": addresses.area[calls.address],
            "num_units": times.num_units,
            "self_initiated": self_initiated,
        }
    )


def number_records(records: pd.DataFrame, hours: Hours, service: str) -> pd.DataFrame:
    """Sort records by the time of the call and number them within each local year."""
    ordered = records.sort_values(["received_s", "area"], kind="stable", ignore_index=True)
    year = local_times(ordered["received_s"].to_numpy(), hours).astype("datetime64[Y]")
    year = year.astype(np.int64) + 1970
    rank = ordered.groupby(year).cumcount().to_numpy() + 1
    ids = [
        f"{_LETTER[service]}{y % 100:02d}-{n:06d}"
        for y, n in zip(year.tolist(), rank.tolist(), strict=True)
    ]
    ordered.insert(0, "incident_id", ids)
    return ordered


def local_times(seconds: NDArray[np.int64], hours: Hours) -> NDArray[np.datetime64]:
    """Turn UTC seconds into naive local wall times."""
    return (seconds + _offsets(seconds, hours)).astype("datetime64[s]")


def _offsets(seconds: NDArray[np.int64], hours: Hours) -> NDArray[np.int64]:
    row = np.clip((seconds - hours.utc_s[0]) // 3600, 0, len(hours.utc_s) - 1)
    return np.asarray(hours.offset_s[row])


def iso_times(seconds: NDArray[np.int64], hours: Hours) -> NDArray[np.str_]:
    """Write UTC seconds as ISO local times with their offset; `NEVER` becomes empty."""
    offset = _offsets(seconds, hours)
    text = np.datetime_as_string((seconds + offset).astype("datetime64[s]"))
    zone = np.where(offset == -4 * 3600, "-04:00", "-05:00")
    return np.where(seconds == NEVER, "", np.char.add(text, zone))


def _wall(moment: dt.datetime) -> int:
    return int(moment.replace(tzinfo=ZoneInfo(TIME_ZONE)).timestamp())


def spoil(records: pd.DataFrame, service: str, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Put the faults of a real CAD into numbered records.

    The outage loses its calls; some ems calls of it are keyed in during the hour after it, stamped
    with the time of keying. Some records lose their coordinates, some stand twice.

    Parameters
    ----------
    records
        Numbered records in order of time.
    service
        The service they belong to.
    seed
        The city's seed.

    Returns
    -------
    tuple
        The spoiled records, and what was done to which incident_id.
    """
    rng = stream(seed, "city", "faults", service)
    start, stop = (_wall(moment) for moment in fx.OUTAGE)
    received = records["received_s"].to_numpy()
    during = (received >= start) & (received < stop)
    keyed = during & (uniform(rng, len(records)) < fx.CATCH_UP_SHARE) & (service == "ems")
    spoiled = records[~during | keyed].copy()
    late = np.flatnonzero(keyed[~during | keyed])
    spoiled.iloc[late, spoiled.columns.get_loc("received_s")] = stop + np.round(
        np.linspace(120, 3420, len(late))
    ).astype(np.int64)
    for clock in CLOCKS[1:]:
        spoiled.iloc[late, spoiled.columns.get_loc(f"{clock}_s")] = NEVER
    order = np.argsort(spoiled["received_s"].to_numpy(), kind="stable")
    spoiled = spoiled.iloc[order].reset_index(drop=True)
    sizes = fx.NUM_FAULTS[service]
    chosen = np.argsort(uniform(rng, len(spoiled)), kind="stable")
    lost = np.sort(chosen[: sizes["without_coordinates"]])
    twice = np.sort(chosen[-sizes["duplicates"] :])
    spoiled.loc[lost, ["lon", "lat"]] = np.nan
    again = spoiled.loc[twice].copy()
    updated = np.arange(len(twice)) % 2 == 1
    clear = again["cleared_s"].to_numpy()
    again["cleared_s"] = np.where(updated & (clear != NEVER), clear + 300, clear)
    both = pd.concat([spoiled, again]).sort_index(kind="stable").reset_index(drop=True)
    noted = {
        "outage": {
            "first": fx.OUTAGE[0].isoformat(),
            "until": fx.OUTAGE[1].isoformat(),
            "hours": (stop - start) // 3600,
            "calls_lost": int(during.sum() - keyed.sum()),
            "calls_keyed_in_later": records.loc[keyed, "incident_id"].tolist(),
        },
        "duplicates": spoiled.loc[twice, "incident_id"].tolist(),
        "duplicates_with_a_later_clear_time": spoiled.loc[
            twice[updated & (clear != NEVER)], "incident_id"
        ].tolist(),
        "without_coordinates": spoiled.loc[lost, "incident_id"].tolist(),
    }
    return both, noted


def records_table(
    records: pd.DataFrame, hours: Hours, area_ids: NDArray[np.str_], columns: tuple[str, ...]
) -> dict[str, NDArray[np.str_]]:
    """Turn records into columns of text, ready to be written."""
    table: dict[str, NDArray[np.str_]] = {}
    for name in columns:
        if name.endswith("_at"):
            table[name] = iso_times(records[f"{name[:-3]}_s"].to_numpy(), hours)
        elif name in {"lon", "lat"}:
            table[name] = np.array(
                ["" if np.isnan(v) else f"{v:.5f}" for v in records[name].tolist()]
            )
        elif name == "area_id":
            table[name] = area_ids[records["area"].to_numpy()]
        elif name == "self_initiated":
            table[name] = np.where(records[name].to_numpy(dtype=bool), "true", "false")
        else:
            table[name] = records[name].to_numpy().astype(str)
    return table

"""Makes every file of the sample city in memory."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from deploy_opt.inputs.city import texts
from deploy_opt.inputs.city.calls import draw_calls
from deploy_opt.inputs.city.clock import PLAN_START, TIME_ZONE
from deploy_opt.inputs.city.demand import Factors, compose, make_factors
from deploy_opt.inputs.city.files import (
    calendar_files,
    frame_bytes,
    ground_files,
    road_files,
    truth_files,
)
from deploy_opt.inputs.city.records import make_records, number_records, records_table, spoil
from deploy_opt.inputs.city.response import time_ems, time_others
from deploy_opt.inputs.city.roster import make_patrol_roster
from deploy_opt.inputs.city.town import Town, make_town

_EMS = (
    "incident_id,service,call_type,initial_priority,priority,received_at,dispatched_at,enroute_at,"
    "arrived_at,departed_at,at_hospital_at,cleared_at,lon,lat,area_id,num_units"
)
_POLICE = (
    "incident_id,service,call_type,initial_priority,priority,received_at,dispatched_at,arrived_at,"
    "cleared_at,lon,lat,area_id,num_units,self_initiated"
)
COLUMNS = {
    "ems": tuple(_EMS.split(",")),
    "police": tuple(_POLICE.split(",")),
    "coresponse": tuple(_POLICE.removesuffix(",self_initiated").split(",")),
}


def _records(town: Town, factors: Factors, service: str, seed: int) -> pd.DataFrame:
    """Draw and time the calls of one service over the whole calendar, and number them."""
    parts = []
    for stream_name in (service, "police_self") if service == "police" else (service,):
        calls = draw_calls(
            compose(factors, stream_name),
            town.hours,
            town.addresses,
            town.people,
            service=stream_name,
            seed=seed,
        )
        if service == "ems":
            stations = town.posts[town.posts["current"]]
            times = time_ems(
                calls,
                town.hours,
                town.addresses,
                town.streets,
                town.roster,
                stations,
                town.hospitals,
                seed,
            )
        else:
            times = time_others(calls, town.hours, service=stream_name, seed=seed)
        parts.append(
            make_records(
                calls,
                times,
                town.addresses,
                service=service,
                self_initiated=stream_name == "police_self",
            )
        )
    return number_records(pd.concat(parts, ignore_index=True), town.hours, service)


def _call_files(
    town: Town, factors: Factors, seed: int
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Write the history by year, spoiled, and the week after it, unspoiled."""
    files: dict[str, bytes] = {}
    faults: dict[str, dict[str, Any]] = {}
    area_ids = town.people["area_id"].to_numpy(dtype=str)
    zone = ZoneInfo(TIME_ZONE)
    cut, week = (
        dt.datetime.combine(PLAN_START + dt.timedelta(days=d), dt.time(), zone).timestamp()
        for d in (0, 7)
    )
    for service, columns in COLUMNS.items():
        records = _records(town, factors, service, seed)
        received = records["received_s"].to_numpy()
        future = records[(received >= cut) & (received < week)]
        history, faults[service] = spoil(records[received < cut], service, seed)
        table = records_table(history, town.hours, area_ids, columns)
        year = np.array([text[:4] for text in table["received_at"].tolist()])
        if service == "police":
            groups = {f"incidents_police_{y}.csv.gz": year == y for y in np.unique(year)}
        else:
            name = {"ems": "ems", "coresponse": "crisis"}[service]
            groups = {f"incidents_{name}.csv.gz": np.ones(len(year), dtype=bool)}
        for name, rows in groups.items():
            part = {column: values[rows] for column, values in table.items()}
            files[name] = texts.gzip_bytes(texts.csv_bytes(part))
        files[f"truth/realised_week_{service}.csv.gz"] = texts.gzip_bytes(
            texts.csv_bytes(records_table(future, town.hours, area_ids, columns))
        )
    return files, faults


def city_files(seed: int) -> dict[str, bytes]:
    """Make every file of the sample city.

    Parameters
    ----------
    seed
        The city's seed; another seed makes another city of the same plan.

    Returns
    -------
    dict
        Path inside the city's folder -> bytes, in order of path. ``SHA256SUMS`` lists the hash of
        each file, of the unpacked content where the file is compressed.
    """
    town = make_town(seed)
    factors = make_factors(town.people, town.hours, town.actual, town.happenings, seed)
    calls, faults = _call_files(town, factors, seed)
    files = {
        **ground_files(town),
        **road_files(town.streets),
        "posts.csv": frame_bytes(town.posts.drop(columns="node")),
        "hospitals.csv": frame_bytes(town.hospitals.drop(columns="node")),
        "roster.csv": frame_bytes(town.roster),
        "patrol_roster.csv": frame_bytes(make_patrol_roster()),
        **calendar_files(town),
        **calls,
        **truth_files(town, factors, faults, seed),
    }
    files["SHA256SUMS"] = _sums(files)
    return {path: files[path] for path in sorted(files)}


def _sums(files: dict[str, bytes]) -> bytes:
    import gzip

    lines = []
    for path in sorted(files):
        packed = path.endswith(".gz")
        plain = gzip.decompress(files[path]) if packed else files[path]
        note = "  (unpacked)" if packed else ""
        lines.append(f"{hashlib.sha256(plain).hexdigest()}  {path}{note}\n")
    return "".join(lines).encode()

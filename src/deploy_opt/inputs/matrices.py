"""Read a ready matrix of travel times from posts to areas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from deploy_opt.errors import FaultList, InputError, nearest
from deploy_opt.inputs.areas import listed
from deploy_opt.inputs.matrix_osrm import load_osrm
from deploy_opt.inputs.periods import hours_of_periods
from deploy_opt.inputs.text_tables import (
    FIRST_LINE,
    is_missing,
    need_columns,
    numbers,
    read_text_table,
)
from deploy_opt.inputs.travel import TravelTimes
from deploy_opt.units import HOURS_PER_WEEK, SECONDS_PER_UNIT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.areas import Areas

_MAX_ROWS = 50_000_000
_FROM = ("from_id", "post_id")
_TO = ("to_id", "area_id")
_UNIT_OF = {"seconds": "s", "travel_time_s": "s", "minutes": "min", "travel_time_min": "min"}
_TIME = (*_UNIT_OF, "travel_time", "duration", "time", "travel_time_p50")
_UNREACHABLE = ("inf", "infinity", "unreachable")


def load_matrix(
    path: str | Path,
    *,
    posts: pd.DataFrame,
    areas: Areas,
    unit: str,
    layout: Literal["long", "osrm", "r5py"] = "long",
) -> TravelTimes:
    """Read travel times from posts to areas that another program made.

    Parameters
    ----------
    path
        ``long``: CSV or Parquet with from_id (or post_id), to_id (or area_id), seconds (or
        minutes, travel_time, duration) and optionally period (see `hours_of_periods`); an empty
        time is unreachable. ``r5py``: the same from R5, whose times are minutes. ``osrm``: the
        JSON answer of OSRM's table service; see `load_osrm`.
    posts
        post_id, lon, lat and more; their order becomes the origins axis.
    areas
        The areas.
    unit
        Unit of the times: ``s`` or ``min``.
    layout
        Layout of the file.

    Returns
    -------
    TravelTimes
        Pairs that the file leaves out are inf and reported. Destinations are the areas, each
        with share 1 and its id as point_id; with OSRM they are its destinations.

    Raises
    ------
    InputError
        With every fault of the file, and when none of its ids is known.
    """
    file = Path(path)
    if unit not in SECONDS_PER_UNIT:
        raise InputError.of(f"{file}: unit", repr(unit), "s or min")
    if layout == "osrm":
        return load_osrm(file, posts=posts, areas=areas, seconds_per_unit=SECONDS_PER_UNIT[unit])
    if layout == "r5py" and unit != "min":
        raise InputError.of(f"{file}: unit", repr(unit), "min, as R5 gives minutes")
    return _load_long(file, posts, areas, unit)


def _load_long(file: Path, posts: pd.DataFrame, areas: Areas, unit: str) -> TravelTimes:
    where = str(file)
    origin, goal, period, seconds = _rows(read_text_table(file, max_rows=_MAX_ROWS), where, unit)
    post_ids = posts["post_id"].astype(str).tolist()
    area_ids = areas.frame["area_id"].tolist()
    faults = FaultList()
    row, strange_posts = _positions(origin, post_ids, where, faults)
    column, strange_areas = _positions(goal, area_ids, where, faults)
    faults.raise_if_any()
    names, sheet, profile_of_hour = _profiles(period, len(seconds), where)
    shape = (len(names), len(post_ids), len(area_ids))
    known = np.flatnonzero((row >= 0) & (column >= 0))
    cell = np.ravel_multi_index((sheet[known], row[known], column[known]), shape)
    repeated = pd.Series(cell).duplicated().to_numpy()
    if repeated.any():
        line = known[np.argmax(repeated)] + FIRST_LINE
        found = f"a pair given before ({int(repeated.sum())} such rows)"
        raise InputError.of(f"{where}: line {line}", found, "one row a pair and period")
    by_profile = np.full(shape, np.nan, dtype=np.float32)
    by_profile.ravel()[cell] = seconds[known]
    notes = [
        f"{file.name}: {word} that the scenario does not know are left out: {listed(ids)}"
        for word, ids in (("posts", strange_posts), ("areas", strange_areas))
        if ids
    ]
    missing = np.isnan(by_profile).any(axis=0)
    if missing.any():
        pairs = [f"{post_ids[i]} to {area_ids[k]}" for i, k in np.argwhere(missing)]
        notes.append(
            f"{file.name}: {len(pairs):,} pairs have no time and count as unreachable: "
            f"{listed(pairs)}"
        )
    inside = areas.frame.geometry.representative_point()
    columns = {"point_id": area_ids, "area_id": area_ids, "lon": inside.x, "lat": inside.y}
    return TravelTimes(
        np.nan_to_num(by_profile, nan=np.inf, posinf=np.inf),
        posts.reset_index(drop=True),
        pd.DataFrame(columns).assign(share=1.0).reset_index(drop=True),
        names,
        profile_of_hour,
        tuple(notes),
    )


def _rows(
    text: pd.DataFrame, where: str, unit: str
) -> tuple[pd.Series, pd.Series, pd.Series | None, NDArray[np.float64]]:
    """Ids of posts and areas, the period, and seconds with inf for unreachable."""
    if text.empty:
        raise InputError.of(where, "no rows", "one row for each post and area")
    origin, goal, time = (
        next((name for name in names if name in text), names[0]) for names in (_FROM, _TO, _TIME)
    )
    faults = need_columns(text, (origin, goal, time), where)
    said = _UNIT_OF.get(time, unit)
    if time in text and SECONDS_PER_UNIT[said] != SECONDS_PER_UNIT[unit]:
        found = f"unit {unit!r} for the column {time!r}"
        faults.add(f"{where}: unit", found, f"unit {said!r}", "or rename the column")
    faults.raise_if_any()
    lost = is_missing(text[time]) | text[time].str.strip().str.lower().isin(_UNREACHABLE)
    values = numbers(text[time].where(~lost, ""), where=where, faults=faults)
    negative = np.flatnonzero(values < 0)
    if negative.size:
        found = f"{text[time].iloc[negative[0]]!r} ({negative.size} such rows)"
        line = negative[0] + FIRST_LINE
        faults.add(f"{where}: line {line}, {time}", found, "a time of 0 or more")
    faults.raise_if_any()
    seconds = np.where(np.isnan(values), np.inf, values * SECONDS_PER_UNIT[unit])
    period = text["period"].str.strip() if "period" in text else None
    return text[origin].str.strip(), text[goal].str.strip(), period, seconds


def _positions(
    ids: pd.Series, known: list[str], where: str, faults: FaultList
) -> tuple[NDArray[np.int64], list[str]]:
    """Position of each id among the known ones, -1 where it is none; and the unknown ids."""
    position = np.asarray(pd.Index(known).get_indexer(ids), dtype=np.int64)
    if (position < 0).all():
        found = f"ids such as {ids.iloc[0]!r}, none of them known"
        do = nearest(str(ids.iloc[0]), known)
        faults.add(f"{where}: {ids.name}", found, f"ids such as {known[0]!r}", do)
    return position, ids[position < 0].drop_duplicates().tolist()


def _profiles(
    period: pd.Series | None, num_rows: int, where: str
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int16]]:
    """Names of the profiles, the profile of each row, and that of each hour of the week."""
    if period is None:
        one = np.zeros(num_rows, dtype=np.int64)
        return ("all hours",), one, np.zeros(HOURS_PER_WEEK, dtype=np.int16)
    code, names = pd.factorize(period)
    profile_of_hour = hours_of_periods([str(name) for name in names], where=f"{where}: period")
    return tuple(map(str, names)), code.astype(np.int64), profile_of_hour

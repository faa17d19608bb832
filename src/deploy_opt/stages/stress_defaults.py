"""Bad spells of a scenario that names none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.stress_settings import StressVariant

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.inputs.roads import Roads
    from deploy_opt.stages.kept import Ground

_STORM, _STORM_H, _LOST_H = 5.0, 6, 8
_SLOW_ONE_CLASS = 2.0


def default_variants(
    rates: NDArray[np.float64],
    unit_hours: NDArray[np.int64],
    ground: Ground,
    roads: Roads | None,
) -> dict[str, StressVariant]:
    """Make the spells of a scenario that names none.

    Parameters
    ----------
    rates
        Expected calls, shape (areas, hours).
    unit_hours
        Unit-hours of plan and today together by post, shape (posts,).
    ground, roads
        Posts, hospitals and roads.

    Returns
    -------
    dict
        A storm in the busiest six hours of the plan's first days, the fastest road class closed
        (slow, where there is no other), the post with the most units and the hospital nearest to
        the posts lost, half the crews, a quarter of the units lent, and the storm with two units
        of neighbours at each of the two posts with the most units.
    """
    calls = rates.sum(axis=0)
    days = max(calls.size - 48, 24)
    start = {length: _busiest(calls[:days], length) for length in (_STORM_H, _LOST_H)}
    storm = {"from_hour": start[_STORM_H], "hours": _STORM_H, "surge": _STORM}
    lost = {"from_hour": start[_LOST_H], "hours": _LOST_H}
    posts = ground.posts["post_id"].astype(str).to_numpy()
    order = np.argsort(-unit_hours, kind="stable")
    found = {"storm": StressVariant(**storm)}
    if roads is not None:
        found["fast_roads_closed"] = _roads_closed(roads, lost)
    found["post_lost"] = StressVariant(**lost, lost_posts=(posts[order[0]],))
    beds = ground.hospitals
    if beds is not None and len(beds) > 1:
        nearest_bed = _most_used_hospital(ground, beds)
        found["hospital_lost"] = StressVariant(**lost, lost_hospitals=(nearest_bed,))
    found["half_the_crews"] = StressVariant(**lost, crews=0.5)
    mean = float(unit_hours.sum()) / 2 / max(calls.size, 1)
    found["units_lent"] = StressVariant(**lost, lent_units=max(round(mean / 4), 1))
    helped = {str(posts[post]): 2 for post in order[:2]}
    found["storm_with_help"] = StressVariant(**storm, borrowed_units=helped)
    return found


def _roads_closed(roads: Roads, lost: dict[str, int]) -> StressVariant:
    speed = np.zeros(len(roads.class_names))
    for rank in range(len(roads.class_names)):
        own = roads.class_of_arc == rank
        seconds = roads.siren_s[own].sum()
        speed[rank] = roads.length_m[own].sum() / seconds if seconds > 0 else 0.0
    fastest = roads.class_names[int(speed.argmax())]
    slowed = _SLOW_ONE_CLASS if len(roads.class_names) == 1 else None
    return StressVariant(
        from_hour=lost["from_hour"], hours=lost["hours"], road_classes=(fastest,), slowed=slowed
    )


def _most_used_hospital(ground: Ground, beds: pd.DataFrame) -> str:
    """Name the hospital that is the nearest, as the crow flies, of most demand points."""
    points = ground.times.destinations
    north = np.cos(np.radians(points["lat"].to_numpy(dtype=float).mean()))
    lon = points["lon"].to_numpy(dtype=float)[:, None] - beds["lon"].to_numpy(dtype=float)
    lat = points["lat"].to_numpy(dtype=float)[:, None] - beds["lat"].to_numpy(dtype=float)
    own = np.hypot(lon * north, lat).argmin(axis=1)
    share = np.bincount(own, points["share"].to_numpy(dtype=float), len(beds))
    return str(beds["hospital_id"].iloc[int(share.argmax())])


def _busiest(calls: NDArray[np.float64], length: int) -> int:
    """First hour of the `length` hours in a row with the most calls."""
    sums = np.convolve(calls, np.ones(min(length, calls.size)), mode="valid")
    return int(sums.argmax())

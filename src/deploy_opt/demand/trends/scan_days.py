"""Run the space-time scan for every service and type, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_opt.demand.frames import places_of
from deploy_opt.demand.trends.space_time_scan import Cluster, ScanRule, scan
from deploy_opt.errors import InputError
from deploy_opt.inputs.geometry import LocalMetres
from deploy_opt.seeds import stream
from deploy_opt.units import METRES_PER_KM

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from deploy_opt.demand.trends.cells import Cells


@dataclass(frozen=True, slots=True)
class DayCluster:
    """A cluster found on one day.

    Attributes
    ----------
    row
        Row of the tested day.
    cell
        Column of the cell in the middle.
    scan
        Number of the service and type; clusters of one come strongest first.
    area_ids
        Areas of the circle, nearest to the middle first.
    cluster
        The cylinder.
    """

    row: int
    cell: int
    scan: int
    area_ids: tuple[str, ...]
    cluster: Cluster


def scan_days(
    cells: Cells, places: pd.DataFrame | None, rule: ScanRule, *, first: int, seed: int
) -> list[DayCluster]:
    """Scan each day from `first` on, looking at nothing after it.

    An area without a place, or with an unobserved day in the history, takes no part on that day;
    days on which no area was observed are left out of the history.

    Parameters
    ----------
    cells
        Counts by day.
    places
        area_id, lon, lat, degrees.
    rule
        Settings.
    first
        First row to test.
    seed
        Of the permutations; each day, service and type has a stream of its own.

    Raises
    ------
    InputError
        When an area has no row in `places`, or fewer days are there than the window has.
    """
    keys = cells.keys
    areas = tuple(sorted(set(keys["area_id"])))
    degrees = places_of(areas, places)
    xy_km = np.full((len(areas), 2), np.nan)
    if degrees is not None:
        there = np.isfinite(degrees).all(axis=1)
        around = LocalMetres.around(degrees[there, 0], degrees[there, 1])
        xy_km[there] = around.forward(degrees[there]) / METRES_PER_KM
    if len(cells.periods) <= rule.window_days:
        found = f"{len(cells.periods)} days"
        raise InputError.of("counts", found, f"more than the window's {rule.window_days}")
    place = np.searchsorted(np.array(areas, dtype=object), keys["area_id"].to_numpy(dtype=object))
    group = keys.groupby(["service", "call_type"], sort=True).ngroup().to_numpy()
    found_all: list[DayCluster] = []
    for row in range(max(first, rule.window_days), len(cells.periods)):
        for number in range(int(group.max()) + 1):
            mine = np.flatnonzero(group == number)
            mine = mine[np.isfinite(xy_km[place[mine]]).all(axis=1)]
            found_all += [
                DayCluster(row, cell, number, area_ids, cluster)
                for cell, area_ids, cluster in _scan_one(
                    cells, row, mine, xy_km[place[mine]], rule, seed
                )
            ]
    return found_all


def _scan_one(
    cells: Cells,
    row: int,
    mine: NDArray[np.int64],
    xy_km: NDArray[np.float64],
    rule: ScanRule,
    seed: int,
) -> list[tuple[int, tuple[str, ...], Cluster]]:
    """Scan one service and type on one day: cells in the middle, areas and clusters."""
    history = cells.calls[max(row + 1 - rule.history_days, 0) : row + 1][:, mine]
    seen = np.isfinite(history)
    days = np.asarray(seen.any(axis=1))
    if not len(mine) or not days[-rule.window_days :].all():
        return []
    whole = np.asarray(seen[days].all(axis=0))
    if not whole.any():
        return []
    counted = mine[whole]
    service, call_type, _ = cells.keys.iloc[counted[0]]
    day = f"{cells.periods[row]:%Y-%m-%d}"
    rng = stream(seed, "demand", "trends", "scan", service, call_type, day)
    calls = history[days][:, whole].astype(np.int64)
    area_ids = cells.keys["area_id"].to_numpy(dtype=object)[counted]
    return [
        (int(counted[c.centre]), tuple(area_ids[list(c.areas)]), c)
        for c in scan(calls, xy_km[whole], rng, rule)
    ]

"""Lay a forecast out as the frames of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.demand.predictive import draw_paths, value_columns
from deploy_opt.errors import FaultList
from deploy_opt.seeds import stream
from deploy_opt.tables import TABLES
from deploy_opt.units import HOURS_PER_WEEK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from deploy_opt.demand.counts import CountGrid
    from deploy_opt.demand.predictive import Spread
    from deploy_opt.demand.windows import Window

CITY = "city"
DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class ServiceForecast:
    """Forecast of one service as arrays.

    Attributes
    ----------
    window
        History and hours ahead.
    means
        (hours, areas) expected calls.
    spread
        Variances of the factors around them.
    weekly
        (areas, 168) expected calls per hour of the week.
    skill
        Scores of the origins.
    notes
        What was done and found, in words.
    event_effects
        How areas near an event call: the columns of ``patterns.csv`` after the service, or None.
    weather_effect
        What a supposed weather multiplies the calls of the horizon with, and its 95 % interval.
    """

    window: Window
    means: NDArray[np.float64]
    spread: Spread
    weekly: NDArray[np.float64]
    skill: pd.DataFrame
    notes: tuple[str, ...]
    event_effects: pd.DataFrame | None = None
    weather_effect: tuple[float, float, float] | None = None


def check_levels(
    grids: Iterable[CountGrid], levels: Mapping[str, str] | None, faults: FaultList
) -> None:
    """Note a fault when an area has no district.

    Parameters
    ----------
    grids
        One per service.
    levels
        area_id -> district, or None.
    faults
        Where it is noted.
    """
    areas = {area for grid in grids for area in grid.area_ids}
    missing = sorted(areas - set(levels if levels is not None else areas))
    if missing:
        found = f"no district for {len(missing)} areas such as {missing[0]!r}"
        faults.add("levels", found, "a district for every area")


def district_columns(
    area_ids: tuple[str, ...], levels: Mapping[str, str] | None
) -> dict[str, NDArray[np.int64]]:
    """District -> columns of its areas, by name; empty without districts or with a single one.

    Parameters
    ----------
    area_ids
        The areas.
    levels
        area_id -> district, or None.
    """
    if levels is None:
        return {}
    district = np.array([str(levels[area]) for area in area_ids], dtype=object)
    names = sorted(set(district))
    return {name: np.flatnonzero(district == name) for name in names} if len(names) > 1 else {}


def population_of(
    area_ids: tuple[str, ...], population: Mapping[str, float] | None
) -> NDArray[np.float64] | None:
    """Lay the residents out in the order of the areas, or None.

    Raises
    ------
    InputError
        When an area has none, or a number below 0.
    """
    if population is None:
        return None
    faults = FaultList()
    people = np.array([float(population.get(area, np.nan)) for area in area_ids])
    for area, number in zip(area_ids, people, strict=True):
        if not (np.isfinite(number) and number >= 0):
            found = str(population.get(area, "nothing"))
            faults.add(f"population: {area}", found, "residents, a number >= 0")
    faults.raise_if_any()
    return people


def places_of(area_ids: tuple[str, ...], places: pd.DataFrame | None) -> NDArray[np.float64] | None:
    """Lay a point of each area out in the order of the areas, (areas, 2) degrees, or None.

    Parameters
    ----------
    area_ids
        The areas.
    places
        area_id, lon, lat, degrees; a row for each area, others are not looked at. An area with an
        empty point is near no event.

    Raises
    ------
    InputError
        When a column is missing, an area has no row or several, a point is off the globe, or no
        area has one.
    """
    if places is None:
        return None
    faults = FaultList()
    for name in ("area_id", "lon", "lat"):
        if name not in places:
            faults.add("places", f"no column {name!r}", "columns area_id, lon, lat")
    faults.raise_if_any()
    index = pd.Index(places["area_id"].astype(str))
    for area in index[index.duplicated()].unique():
        faults.add(f"places: {area}", "several rows", "one row for each area")
    for area in sorted(set(area_ids) - set(index)):
        faults.add(f"places: {area}", "no row", "one row for each area")
    faults.raise_if_any()
    numbers = places[["lon", "lat"]].apply(pd.to_numeric, errors="coerce")
    found: NDArray[np.float64] = numbers.to_numpy(dtype=float)[index.get_indexer(list(area_ids))]
    for area in np.flatnonzero((np.abs(found) > (180.0, 90.0)).any(axis=1)):
        at = f"lon {found[area, 0]:g}, lat {found[area, 1]:g}"
        faults.add(f"places: {area_ids[area]}", at, "degrees, lon -180 to 180, lat -90 to 90")
    if not np.isfinite(found).all(axis=1).any():
        faults.add("places", "no area with a point", "lon and lat of areas, degrees")
    faults.raise_if_any()
    return found


def weekly_means(
    window: Window, means: NDArray[np.float64], usual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average the horizon by hour of the week; see `DemandForecast.weekly_rates`.

    Parameters
    ----------
    window
        The hours ahead.
    means
        (hours, areas) expected calls.
    usual
        (168, areas) rates of the area model, for hours of the week that the horizon does not hold.

    Returns
    -------
    ndarray
        (areas, 168) calls per hour.
    """
    num_areas = means.shape[1]
    hours = np.bincount(window.ahead_how, window.ahead_length_h, HOURS_PER_WEEK)
    calls = np.zeros((HOURS_PER_WEEK, num_areas))
    np.add.at(calls, window.ahead_how, means)
    expected = (usual[window.ahead_how] * window.ahead_length_h[:, None]).sum()
    rates = usual * (means.sum() / expected)
    there = hours > 0
    rates[there] = calls[there] / hours[there, None]
    return np.ascontiguousarray(rates.T)


def area_frame(made: ServiceForecast) -> pd.DataFrame:
    """Lay out means and quantiles of the areas, contract ``forecast.parquet``."""
    window = made.window
    num_hours, num_areas = made.means.shape
    variance = made.spread.of_area_hours(num_hours).reshape(-1)
    values = value_columns(made.means.T.reshape(-1), variance)
    keys = {
        "service": window.service,
        "area_id": np.repeat(np.array(window.area_ids, dtype=object), num_hours),
        "hour": np.tile(window.ahead.to_numpy(), num_areas),
    }
    return pd.DataFrame(keys | values)


def level_frame(made: ServiceForecast, levels: Mapping[str, str] | None) -> pd.DataFrame:
    """Lay out means and quantiles of city and districts, contract ``forecast_levels.parquet``.

    Parameters
    ----------
    made
        The forecast.
    levels
        area_id -> district, or None.
    """
    window, frames = made.window, []
    groups = {(CITY, CITY): np.arange(len(window.area_ids))}
    if levels is not None:
        district = np.array([levels[area] for area in window.area_ids], dtype=object)
        for name in sorted(set(district)):
            groups[DISTRICT, str(name)] = np.flatnonzero(district == name)
    for (level, level_id), columns in groups.items():
        keys = {
            "service": window.service,
            "level": level,
            "level_id": level_id,
            "hour": window.ahead.to_numpy(),
        }
        values = value_columns(
            made.means[:, columns].sum(axis=1), made.spread.of_sums(made.means, columns)
        )
        frames.append(pd.DataFrame(keys | values))
    return pd.concat(frames, ignore_index=True)


def event_frame(made: list[ServiceForecast]) -> pd.DataFrame:
    """Lay the effects of events on areas near them out as rows of ``patterns.csv``."""
    found = [
        m.event_effects.assign(service=m.window.service)
        for m in made
        if m.event_effects is not None and len(m.event_effects)
    ]
    empty = no_event_effects()
    return pd.concat(found, ignore_index=True)[list(empty)] if found else empty


def no_event_effects() -> pd.DataFrame:
    """Give the frame of `event_frame` without a row."""
    return pd.DataFrame(columns=list(TABLES["patterns.csv"].names))


def path_frame(made: list[ServiceForecast], seed: int, num_paths: int) -> pd.DataFrame:
    """Draw the paths of every service, contract ``paths.parquet``.

    Parameters
    ----------
    made
        One per service.
    seed
        Each service draws from its own stream of it.
    num_paths
        Columns path_000 ... to draw.
    """
    sizes = [m.means.size for m in made]
    every = np.empty((sum(sizes), num_paths), dtype=np.int32)
    keys, row = [], 0
    for one, size in zip(made, sizes, strict=True):
        window = one.window
        num_hours, num_areas = one.means.shape
        out = every[row : row + size].reshape(num_areas, num_hours, num_paths)
        rng = stream(seed, "demand", "paths", window.service)
        weather = stream(seed, "demand", "weather", window.service)
        draw_paths(one.means, window.ahead, one.spread, rng, out, weather_rng=weather)
        row += size
        key = {
            "service": window.service,
            "area_id": np.repeat(np.array(window.area_ids, dtype=object), num_hours),
            "hour": np.tile(window.ahead.to_numpy(), num_areas),
        }
        keys.append(pd.DataFrame(key))
    names = [f"path_{k:03d}" for k in range(num_paths)]
    paths = pd.DataFrame(every, columns=names, copy=False)
    key_columns = pd.concat(keys, ignore_index=True)
    for place, name in enumerate(key_columns):
        paths.insert(place, name, key_columns[name])
    return paths

"""Builds the sample city's true call rates from their factors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deploy_opt.inputs.city import effects as fx
from deploy_opt.inputs.city.clock import (
    END,
    HISTORY_START,
    PLAN_START,
    Hours,
    all_days,
    all_holidays,
    school_days,
    term_days,
)
from deploy_opt.inputs.city.draws import lognormal
from deploy_opt.inputs.city.happenings import Happening, crowd_reach
from deploy_opt.inputs.city.places import (
    DRIFTING_AREA,
    FESTIVAL_AREA,
    NEAR_MAIN_BRIDGE,
    NEAR_MINOR_BRIDGE,
)
from deploy_opt.inputs.city.shapes import shapes_table
from deploy_opt.seeds import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deploy_opt.inputs.city.weather import Weather

_JOBS = {
    "downtown": 9500.0,
    "nightlife": 6000.0,
    "campus": 2600.0,
    "dense": 1300.0,
    "residential": 700.0,
    "suburban": 400.0,
    "industrial": 1100.0,
    "retail": 2600.0,
}
_PER_JOB = {"ems": 0.80, "police": 0.95, "police_self": 0.95, "coresponse": 0.60}


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors of the true rates, rounded as they are written.

    Attributes
    ----------
    levels
        service, area_id, land_use, calls_per_h.
    shapes
        service, land_use, weekend (0 or 1), hour, factor.
    city
        One row per real hour: hour (naive local), then one factor per service.
    local
        service, area_id, first_hour, last_hour (naive local, the last not included), factor,
        cause; rows of one area and hour multiply.
    """

    levels: pd.DataFrame
    shapes: pd.DataFrame
    city: pd.DataFrame
    local: pd.DataFrame


def _weights(people: pd.DataFrame, service: str, seed: int) -> NDArray[np.float64]:
    """Weigh the areas: residents by need, jobs, luck."""
    poor = people["share_low_income"].to_numpy(dtype=np.float64)
    old = people["share_65_plus"].to_numpy(dtype=np.float64)
    need = {
        "ems": 0.25 + 2.4 * old + 1.5 * poor,
        "police": 0.35 + 1.5 * poor,
        "police_self": 0.15 + 1.9 * poor,
        "coresponse": 0.25 + 1.9 * poor,
    }[service]
    jobs = np.array([_JOBS[use] for use in people["land_use"]])
    rng = stream(seed, "city", "levels", service)
    luck = lognormal(rng, np.ones(len(people)), sigma=0.16)
    residents = people["population"].to_numpy(dtype=np.float64)
    return np.asarray((residents * need + _PER_JOB[service] * jobs) * luck)


def _city_factors(hours: Hours, weather: Weather) -> pd.DataFrame:
    """Multiply what acts on the whole city: weekday, season, trend, holidays, weather, school."""
    days = all_days()
    day = hours.day
    month = np.array([d.month - 1 + (d.day - 1) / 30.5 for d in days])[day]
    years = day / 365.25
    taught = set(school_days())
    teaching = np.array([d in taught for d in days])[day]
    rows = weather.rows(hours)
    air_c = weather.temperature_c[rows]
    snow_cm = np.bincount(day, weights=weather.snowfall_cm[rows])
    heat = np.maximum(air_c - fx.HEAT_ABOVE_C, 0.0)
    cold = np.maximum(fx.COLD_BELOW_C - air_c, 0.0)
    wet = weather.precipitation_mm[rows] > 0
    ice = wet & (np.abs(air_c) <= 0.8)
    frame = {"hour": hours.local}
    for k, service in enumerate(fx.SERVICES):
        size, peak, half, half_peak = fx.ANNUAL[service]
        season = size * np.cos(2 * np.pi * (month - peak) / 12)
        season += half * np.cos(4 * np.pi * (month - half_peak) / 12)
        law = fx.WEATHER[service]
        factor = np.array(fx.WEEKDAY[service])[hours.weekday]
        factor = factor * np.exp(season) * (1 + fx.TREND_PER_YEAR[service]) ** years
        factor *= np.exp(law["heat_per_c"] * heat + law["cold_per_c"] * cold)
        factor *= np.where(wet, law["wet"], 1.0) * np.where(ice, law["ice"], 1.0)
        factor *= np.where((snow_cm >= fx.SNOW_DAY_CM)[day], law["snow"], 1.0)
        first, last, school = fx.SCHOOL[service]
        factor *= np.where(teaching & (hours.hour >= first) & (hours.hour < last), school, 1.0)
        for date, name in all_holidays().items():
            here = day == (date - HISTORY_START).days
            factor *= np.where(here, fx.HOLIDAY[name][k], 1.0)
            if name in fx.HOLIDAY_NIGHT and service in {"ems", "police"}:
                start, stop, gain = fx.HOLIDAY_NIGHT[name]
                factor *= np.where(here & (hours.hour >= start) & (hours.hour < stop), gain, 1.0)
        frame[service] = np.round(factor, 5)
    return pd.DataFrame(frame)


def _local_effects(people: pd.DataFrame, happenings: list[Happening]) -> pd.DataFrame:
    """List what acts on single areas: crowds, festival, closed bridge, drift, university breaks."""
    rows: list[tuple[str, str, dt.datetime, dt.datetime, float, str]] = []
    ids = people["area_id"].tolist()
    id_of = dict(zip(people["name"], ids, strict=True))
    centres = people[["x_km", "y_km"]].to_numpy(dtype=np.float64)
    hour = dt.timedelta(hours=1)

    def _midnight(day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time())

    before, after = fx.CROWD_HOURS
    for one in happenings:
        first = one.start.replace(minute=0) - before * hour
        last = one.end.replace(minute=0) + (after + (one.end.minute > 0)) * hour
        reach = crowd_reach(one, centres)
        for k in np.flatnonzero(reach > 0.02).tolist():
            pull = float(reach[k]) * one.attendance / 1000.0
            rows += [
                (s, ids[k], first, last, round(1 + fx.CROWD_PER_1000[s] * pull, 4), one.category)
                for s in fx.SERVICES
            ]
    for service in fx.SERVICES:
        start, stop, first_h, last_h = fx.FESTIVAL
        for k in range((stop - start).days):
            day = _midnight(start + dt.timedelta(days=k))
            gain = fx.FESTIVAL_FACTOR[service]
            area = id_of[FESTIVAL_AREA]
            rows.append(
                (service, area, day + first_h * hour, day + last_h * hour, gain, "festival week")
            )
        closed = tuple(_midnight(day) for day in fx.BRIDGE_CLOSED)
        for side, names in (("main", NEAR_MAIN_BRIDGE), ("minor", NEAR_MINOR_BRIDGE)):
            gain = fx.BRIDGE_FACTOR[side]
            rows += [
                (service, id_of[name], closed[0], closed[1], gain, "closed bridge")
                for name in names
            ]
        num_weeks = (PLAN_START - fx.DRIFT_START).days // 7
        for week in range(num_weeks + 1):
            monday = fx.DRIFT_START + dt.timedelta(weeks=week)
            until = END if week == num_weeks else monday + dt.timedelta(weeks=1)
            gain = round(fx.DRIFT_END_FACTOR ** (min(week + 1, num_weeks) / num_weeks), 4)
            rows.append(
                (service, id_of[DRIFTING_AREA], _midnight(monday), _midnight(until), gain, "drift")
            )
        rows += _breaks(service, [ids[k] for k in np.flatnonzero(people["land_use"] == "campus")])
    columns = ["service", "area_id", "first_hour", "last_hour", "factor", "cause"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values([*columns[:4], "cause"], kind="stable", ignore_index=True)


def _breaks(
    service: str, campus: list[str]
) -> list[tuple[str, str, dt.datetime, dt.datetime, float, str]]:
    """List the spans in which the university is not in session."""
    away = np.concatenate([[False], ~term_days(), [False]])
    edges = np.flatnonzero(away[1:] != away[:-1])
    days = [*all_days(), END]
    return [
        (
            service,
            area,
            dt.datetime.combine(days[first], dt.time()),
            dt.datetime.combine(days[last], dt.time()),
            fx.TERM_BREAK[service],
            "university break",
        )
        for area in campus
        for first, last in zip(edges[0::2], edges[1::2], strict=True)
    ]


def make_factors(
    people: pd.DataFrame,
    hours: Hours,
    weather: Weather,
    happenings: list[Happening],
    seed: int,
) -> Factors:
    """Build the factors and set the levels so that the history has the wanted calls a day.

    Parameters
    ----------
    people
        area_id, name, land_use, x_km, y_km, population and group shares, one row per area.
    hours
        The calendar.
    weather
        What happened, not what was forecast.
    happenings
        The events.
    seed
        The city's seed.

    Returns
    -------
    Factors
        Rounded: `compose` rebuilds exactly the rates that the calls were drawn from.
    """
    shapes = shapes_table()
    city = _city_factors(hours, weather)
    local = _local_effects(people, happenings)
    parts = []
    for service in fx.SERVICES:
        weight = _weights(people, service, seed)
        table = pd.DataFrame(
            {
                "service": service,
                "area_id": people["area_id"],
                "land_use": people["land_use"],
                "calls_per_h": weight / weight.sum(),
            }
        )
        draft = compose(Factors(table, shapes, city, local), service)
        per_day = draft[:, : hours.num_history].sum() / (PLAN_START - HISTORY_START).days
        table["calls_per_h"] = np.round(
            table["calls_per_h"] * fx.CALLS_PER_DAY[service] / per_day, 7
        )
        parts.append(table)
    return Factors(pd.concat(parts, ignore_index=True), shapes, city, local)


def compose(factors: Factors, service: str) -> NDArray[np.float64]:
    """Multiply the factors of one service into hourly rates.

    Parameters
    ----------
    factors
        The factors.
    service
        ems, police, police_self or coresponse.

    Returns
    -------
    numpy.ndarray
        (areas, hours) expected calls in each real hour, areas in the order of the levels, hours
        in the order of ``factors.city``.
    """
    levels = factors.levels[factors.levels["service"] == service]
    shapes = factors.shapes[factors.shapes["service"] == service]
    local = factors.local[factors.local["service"] == service]
    stamp = factors.city["hour"].to_numpy(dtype="datetime64[h]")
    day = stamp.astype("datetime64[D]")
    hour = (stamp - day).astype(np.int64)
    weekend = ((day.astype(np.int64) + 3) % 7 >= 5).astype(np.int64)
    curve = {
        str(use): part["factor"].to_numpy(dtype=np.float64).reshape(2, 24)[weekend, hour]
        for use, part in shapes.groupby("land_use", sort=False)
    }
    city = factors.city[service].to_numpy(dtype=np.float64)
    daily = {use: values * city for use, values in curve.items()}
    rates = np.stack([daily[use] for use in levels["land_use"]])
    rates *= levels["calls_per_h"].to_numpy(dtype=np.float64)[:, None]
    row_of = {area: k for k, area in enumerate(levels["area_id"])}
    first = np.searchsorted(stamp, local["first_hour"].to_numpy(dtype="datetime64[h]"))
    last = np.searchsorted(stamp, local["last_hour"].to_numpy(dtype="datetime64[h]"))
    spans = zip(
        local["area_id"], first.tolist(), last.tolist(), local["factor"].tolist(), strict=True
    )
    for area, start, stop, factor in spans:
        rates[row_of[area], start:stop] *= factor
    return np.asarray(rates)

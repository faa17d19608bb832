"""Hourly calls of Denver and New York as counts and covariates, for the forecast benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from deploy_opt.demand.outages import mask_outages
from deploy_opt.inputs.calendar_days import holiday_frame
from deploy_opt.inputs.covariates import Covariates
from deploy_opt.inputs.wall_clock import wall_hours

if TYPE_CHECKING:
    from pathlib import Path

BOROUGHS = ["BRONX", "BROOKLYN", "MANHATTAN", "QUEENS", "RICHMOND / STATEN ISLAND"]


def denver(folder: Path) -> tuple[pd.DataFrame, Covariates, str]:
    """Count the paramedics' calls on the city's clock; hours of fewer than 3 are absent."""
    zone = "America/Denver"
    table = pd.read_parquet(folder / "hourly_calls_2011_2017.parquet")
    local = table["Date"].dt.tz_localize("Etc/GMT+7").dt.tz_convert(zone).dt.tz_localize(None)
    table = table.assign(hour=local, precipitation_mm=(table["precip"] == "T").astype(float))
    by_hour = table.groupby("hour").agg(
        num_calls=("calls", "sum"),
        temperature_c=("Temp", "mean"),
        precipitation_mm=("precipitation_mm", "max"),
    )
    counts = by_hour.loc[by_hour.index < "2018", ["num_calls"]].reset_index()
    counts.insert(0, "service", "ems")
    counts.insert(1, "area_id", "denver")
    hours = wall_hours(counts["hour"].min(), pd.Timestamp("2018-01-01"), zone)
    weather = by_hour.drop(columns="num_calls").reindex(hours)
    weather["temperature_c"] = weather["temperature_c"].interpolate(limit=6)
    weather["precipitation_mm"] = weather["precipitation_mm"].ffill(limit=6)
    weather = weather.rename_axis("hour").reset_index()
    return counts, Covariates(weather, None, holiday_frame("US", "CO", range(2011, 2019))), zone


def new_york(folder: Path) -> tuple[pd.DataFrame, Covariates, str]:
    """Count the EMS calls of the boroughs; daily weather of Central Park."""
    zone = "America/New_York"
    table = pd.read_parquet(folder / "ems_hourly_by_borough_2010_2016.parquet")
    counts = table[["datetime", *BOROUGHS]].melt("datetime", BOROUGHS, "area_id", "num_calls")
    counts = counts.rename(columns={"datetime": "hour"})
    counts.insert(0, "service", "ems")
    counts, _ = mask_outages(counts, zone=zone)
    days = pd.read_csv(
        folder / "central_park_daily_weather_2005_2016.csv", parse_dates=["DATE"]
    ).drop_duplicates("DATE")
    hours = wall_hours(pd.Timestamp("2010-01-01"), pd.Timestamp("2017-01-01"), zone)
    of_day = days.set_index("DATE").reindex(hours.normalize()).set_axis(hours)
    low, high = ((of_day[name] - 32.0) / 1.8 for name in ("TMIN", "TMAX"))
    weather = pd.DataFrame(
        {
            "temperature_c": (low + high) / 2.0,
            "precipitation_mm": of_day["PRCP"] * 25.4 / 24.0,
            "snowfall_cm": of_day["SNOW"] * 2.54 / 24.0,
            "wind_kph": of_day["AWND"] * 1.609,
        }
    )
    weather = weather.rename_axis("hour").reset_index()
    return counts, Covariates(weather, None, holiday_frame("US", "NY", range(2010, 2018))), zone

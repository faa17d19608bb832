"""Contracts of records, counts and forecasts."""

from __future__ import annotations

from deploy_opt.tables.contract import FORECAST_VALUES, Table, columns

TABLES = (
    Table(
        "incidents.parquet",
        ("incident_id",),
        columns(
            """
            incident_id id | the agency's incident number
            service text | ems, police, coresponse or fire
            call_type? text | the agency's call type
            initial_priority? text | priority as dispatched
            priority? text | final priority
            call_class? text | class of the deployment model
            tier? int | risk tier
            received_at zoned | when the call was received
            dispatched_at? zoned | first unit dispatched
            enroute_at? zoned | first unit moving
            arrived_at? zoned | first unit at scene
            departed_at? zoned | departure to hospital
            at_hospital_at? zoned | arrival at hospital
            cleared_at? zoned | last unit clear
            lon? float degrees | longitude, WGS84
            lat? float degrees | latitude, WGS84
            area_id? id | area
            num_units? int units | units sent
            self_initiated? bool | started by the officer
            """
        ),
    ),
    Table(
        "demand_points.parquet",
        ("point_id",),
        columns(
            """
            point_id id | demand point
            area_id id | its area
            lon float degrees | longitude, WGS84
            lat float degrees | latitude, WGS84
            share float | share of the area's calls; sums to 1 per area
            """
        ),
    ),
    Table(
        "counts.parquet",
        ("service", "area_id", "hour"),
        columns(
            """
            service text | service
            area_id id | area
            hour local | start of the hour, naive local wall time
            num_calls int calls | calls received in the hour
            observed bool | false = outage, censored or not recorded; not zero
            hours int h | length of the wall-clock hour (2 at the repeated autumn hour)
            """
        ),
    ),
    Table(
        "class_shares.parquet",
        ("service", "area_id", "call_class"),
        columns(
            """
            service text | service
            area_id id | area
            call_class text | class of the calls: the records' class, else their priority
            share float | share of the area's calls, shrunk towards the city; sums to 1
            """
        ),
    ),
    Table(
        "patterns.csv",
        ("service", "pattern", "key"),
        columns(
            """
            service text | service
            pattern text | hour_of_week, hour_of_day, day_of_week, month, holiday, weather ...
            key text | which hour, day, month, holiday or weather
            label text | the same in words, with what it is compared to
            effect float | calls against what is usual otherwise: 1.1 = 10 % more
            lo float | low end of the 95 % interval
            hi float | high end of the interval
            n int | hours (hour_of_week, hour_of_day) or days behind the number
            """
        ),
    ),
    Table(
        "forecast.parquet",
        ("service", "area_id", "hour"),
        columns(
            "service text | service\narea_id id | area\n"
            "hour local | start of the hour, naive local wall time\n" + FORECAST_VALUES
        ),
    ),
    Table(
        "forecast_levels.parquet",
        ("service", "level", "level_id", "hour"),
        columns(
            "service text | service\nlevel text | city or district\nlevel_id id | which one\n"
            "hour local | start of the hour, naive local wall time\n" + FORECAST_VALUES
        ),
    ),
    Table(
        "backtest.csv",
        ("service", "model", "level", "horizon", "metric"),
        columns(
            """
            service text | service
            model text | forecasting model
            level text | area, district or city
            horizon text | hours ahead
            metric text | score
            value float | mean over the cutoffs
            lo? float | low end of the 95 % interval over the cutoffs
            hi? float | high end of the interval
            n int | values scored
            """
        ),
    ),
    Table(
        "import_traps.csv",
        ("file", "trap", "field"),
        columns(
            """
            trap text | kind of trap; every kind has a row, also when it was not found
            field? text | column it was found in
            count int | how often it was found
            unit text | what is counted
            treatment? text | what was done about it
            file text | CAD export
            """
        ),
    ),
    Table(
        "import_quality.csv",
        ("file", "measure", "use", "field", "group"),
        columns(
            """
            measure text | what is measured
            use? text | for which use
            field? text | column
            group? text | area, month or day
            value? float | the number
            n? int | rows behind it
            verdict? text | fit or unfit for the use
            why? text | why
            file text | CAD export
            """
        ),
    ),
)

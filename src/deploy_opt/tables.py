"""The contract of every frame that crosses a stage or lands in a file.

One truth for the checks in the code and for the columns page of the documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deploy_opt.errors import FaultList, nearest

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["id", "text", "int", "float", "bool", "zoned time", "local hour", "hour", "mixed"]

QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
VALUE_COLUMNS = ("mean", *(f"q{level:g}" for level in QUANTILES))


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its kind, unit and meaning; `needed` columns hold no nulls."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """One file or frame: its unique key and columns in their order."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in the order of the file."""
        return [column.name for column in self.columns]


def _columns(text: str) -> tuple[Column, ...]:
    """Read ``name kind unit | meaning`` lines; a ``?`` after the name allows nulls."""
    columns = []
    for line in text.strip().splitlines():
        head, _, meaning = line.partition("|")
        name, kind, *unit = head.split()
        kind_words: Kind = {"zoned": "zoned time", "local": "local hour"}.get(kind, kind)  # type: ignore[assignment]
        columns.append(
            Column(
                name.rstrip("?"),
                kind_words,
                meaning.strip(),
                " ".join(unit),
                not name.endswith("?"),
            )
        )
    return tuple(columns)


_FORECAST_VALUES = "mean float calls | expected calls in the hour\n" + "\n".join(
    f"q{level:g} float calls | quantile {level:g} of the calls in the hour" for level in QUANTILES
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "incidents.parquet",
            ("incident_id",),
            _columns(
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
            _columns(
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
            _columns(
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
            _columns(
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
            _columns(
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
            _columns(
                "service text | service\narea_id id | area\n"
                "hour local | start of the hour, naive local wall time\n" + _FORECAST_VALUES
            ),
        ),
        Table(
            "forecast_levels.parquet",
            ("service", "level", "level_id", "hour"),
            _columns(
                "service text | service\nlevel text | city or district\nlevel_id id | which one\n"
                "hour local | start of the hour, naive local wall time\n" + _FORECAST_VALUES
            ),
        ),
        Table(
            "backtest.csv",
            ("service", "model", "level", "horizon", "metric"),
            _columns(
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
            "posts.csv",
            ("hour", "post_id", "unit_type"),
            _columns(
                """
                hour hour | hour of the week, Monday 00:00 = 0; of the day in a day plan
                post_id id | post
                unit_type text | type of the units
                name text | name of the post
                lon float degrees | longitude, WGS84
                lat float degrees | latitude, WGS84
                units int units | units on duty; zero rows are left out
                """
            ),
        ),
        Table(
            "levels.csv",
            ("unit_type", "num_free", "rank"),
            _columns(
                """
                unit_type text | type of the units
                num_free int units | units that are free
                rank int | rank of the post: staff the posts of ranks 1 to num_free
                post_id id | post
                name text | name of the post
                """
            ),
        ),
        Table(
            "levels_by_day_part.csv",
            ("unit_type", "day_part", "num_free", "rank"),
            _columns(
                """
                unit_type text | type of the units
                day_part text | clock hours from and to, such as 23-07
                num_free int units | units that are free
                rank int | rank of the post: staff the posts of ranks 1 to num_free
                post_id id | post
                name text | name of the post
                """
            ),
        ),
        Table(
            "simulation.csv",
            ("arm", "service", "scope", "scope_id", "statistic"),
            _columns(
                """
                arm text | plan, baseline or difference (plan less baseline, paired)
                service text | service
                scope text | all, area, call_class, hour (of the plan) or unit
                scope_id id | which
                statistic text | num_calls, mean_response_s, p90_response_s, late_share, ...
                value float | mean over the replications
                half_width? float | half the 95 % interval (Student); empty with one replication
                lo? float | low end of the 95 % interval
                hi? float | high end of the 95 % interval
                n int calls | calls counted
                replications int | replications with a value
                """
            ),
        ),
        Table(
            "marginal.csv",
            ("change", "unit_type", "post_id", "block", "statistic"),
            _columns(
                """
                change int units | 1 = one more, -1 = one less
                unit_type text | type of the unit
                post_id id | its post
                block text | hours of the day
                unit_hours float h | unit-hours of the change, warm-up included
                cost? float | cost of these; empty without cost_per_unit_hour
                statistic text | mean_response_s, p90_response_s or late_share
                value float | changed less unchanged, mean over the replications
                half_width? float | half the 95 % interval
                lo? float | low end of the 95 % interval
                hi? float | high end of the 95 % interval
                replications int | replications
                """
            ),
        ),
        Table(
            "districts.csv",
            ("area_id",),
            _columns(
                """
                area_id id | area
                district text | its district
                district_today? text | its district today
                moved bool | whether it changes district
                locked bool | whether its district was given
                workload_h float h | unit-hours by the week: dispatch to clear, once for each unit
                calls float calls | calls by the week
                centre_area_id id | area at the centre of the district
                name text | name of the area
                """
            ),
        ),
        Table(
            "district_loads.csv",
            ("arm", "shift", "district"),
            _columns(
                """
                arm text | plan or baseline
                shift text | all, or the name of the shift
                district text | district
                areas int | areas
                workload_h float h | unit-hours by the week
                calls float calls | calls by the week
                share_of_mean float | unit-hours over the mean of the shift's districts
                """
            ),
        ),
        Table(
            "districts_curve.csv",
            ("max_moved",),
            _columns(
                """
                max_moved? int | most areas that may change district; empty: any number
                moved? int | areas that change; empty with the rest: no such districts were found
                travel_min? float min | call-minutes by the week
                travel_ratio? float | over today's
                band? float | largest distance from the mean workload, as a share of it
                max_minus_min? float | largest minus smallest workload, as a share of the mean
                border_km? float km | borders between districts
                """
            ),
        ),
        Table(
            "district_units.csv",
            ("district", "hour"),
            _columns(
                """
                district text | district
                hour hour | hour of the week, Monday 00:00 = 0
                units int units | units on duty
                utilisation? float | share of the time on duty that calls take
                response_p1_s? float s | mean of priority 1, queue to arrival
                response_p1_share float | share of priority 1 within the target
                units_needed int units | fewest units that keep the rules
                binding text | rule that asks for the most units
                """
            ),
        ),
        Table(
            "prevention.csv",
            ("area_id",),
            _columns(
                """
                area_id id | area
                need float | share of the city's need, by the blended measure
                slots int | slots of the plan
                slots_today int | slots today
                change int | slots - slots_today
                group? text | group of residents most over-represented in the area
                floor? float | fewest slots that this group gets in the whole city
                """
            ),
        ),
        Table(
            "unit_workload.csv",
            ("arm", "service", "unit_type", "post_id", "day_part"),
            _columns(
                """
                arm text | plan, baseline or simple_plan
                service text | service
                unit_type text | type of the units
                post_id id | post
                name text | name of the post
                day_part text | all, or clock hours from and to, such as 23-07
                unit_hours int h | unit-hours that wait there
                busy_fraction float share | share of them that calls take, by the hypercube
                busy_h float h | hours that calls take
                calls float calls | expected calls that the units of the post answer
                """
            ),
        ),
        Table(
            "rule_prices.csv",
            ("service", "rule"),
            _columns(
                """
                service text | service
                rule text | the rule as the scenario names it
                words text | the rule in words
                calls float calls | calls in time without the rule minus with it
                bound? float calls | what dropping it cannot bring more than, where it is known
                """
            ),
        ),
        Table(
            "post_value.csv",
            ("service", "post_id"),
            _columns(
                """
                service text | service
                post_id id | post of the plan
                name text | name of the post
                unit_hours int h | unit-hours that wait there
                only_calls float calls | calls in time that no other staffed post covers
                lost_calls float calls | calls lost if it closes and its units go elsewhere
                next_best? id | post that takes most of its unit-hours then
                """
            ),
        ),
        Table(
            "frontier.csv",
            ("curve", "point"),
            _columns(
                """
                curve text | cost, equity, response or workload
                point int | rank along the curve
                x? float | unit-hours; cover of the weakest area; mean drive; spread of workload
                x_unit text | h, share or s
                reached? float | share of the expected calls in time
                calls? float calls | the same in calls of the plan's hours
                bound? float | share that nothing can exceed at this x, where it is known
                gap? float | bound / reached - 1
                status text | optimal, limit, floors_missed or infeasible
                mark? text | plan, today or knee
                cost? float | money that the unit-hours cost, where a unit-hour's is given
                """
            ),
        ),
        Table(
            "metrics.csv",
            ("metric", "arm", "service", "statistic", "population", "period", "source"),
            _columns(
                """
                metric text | what is measured
                arm text | plan, baseline, simple_plan, difference, plan_on_the_mean (no paths)
                service text | service
                statistic text | mean, share, sum, max, min, mean_absolute_deviation
                population text | which calls, areas or hours
                period text | over what time
                source text | observed, modelled or simulated
                clock_start? text | event that starts the clock
                clock_stop? text | event that stops it
                threshold_s? float s | limit of a share
                n? int | values behind the number
                excluded_n? int | values left out
                exclusion_rule? text | why
                value float | the number
                lo? float | low end of the interval
                hi? float | high end of the interval
                unit text | unit of the value
                """
            ),
        ),
        Table(
            "areas.csv",
            ("area_id", "service"),
            _columns(
                """
                area_id id | area
                service text | service
                name text | name of the area
                calls_per_week float calls | expected calls
                workload_h float h | unit-hours that they take
                cover_plan float | share reached within the standard, plan
                cover_baseline float | the same today
                cover_diff float | plan minus today
                mean_response_plan_s? float s | mean, call to arrival: processing, turnout, drive
                mean_response_baseline_s? float s | the same today
                late_calls_diff float calls | late calls a week, plan minus today
                lo? float | low end of the interval of late_calls_diff over the forecast paths
                hi? float | high end of that interval
                """
            ),
        ),
        Table(
            "shifts.csv",
            ("shift_id",),
            _columns(
                """
                shift_id id | stretch of a crew at one post: the crew's id, from the second .2 on
                post_id id | post
                area text | district or area of the post, else its name
                role text | qualifications of the crew
                unit text | type of the unit
                start_local text | naive local start, ISO; never inside the spring gap
                end_local text | naive local end
                tz text | IANA time zone
                headcount int people | people: crews x crew size
                break_min int min | meal break, on the first stretch of a shift
                status text | open
                plan_id id | run that made it
                note? text | clock change, holiday, event
                crew id | the whole shift: rows that share it are one crew's
                leg int | stretch of the shift, from 1
                """
            ),
        ),
        Table(
            "unit_hours.csv",
            ("hour",),
            _columns(
                """
                hour hour | hour of the week, Monday 00:00 = 0; of the day in a day plan
                plan int units | units on duty, plan
                baseline int units | units on duty today
                simple_plan int units | units on duty, strong simple plan
                """
            ),
        ),
        Table(
            "import_traps.csv",
            ("file", "trap", "field"),
            _columns(
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
            _columns(
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
        Table(
            "equity.csv",
            ("metric", "arm", "group"),
            _columns(
                """
                metric text | what is measured
                arm text | plan or baseline
                group text | areas or population group
                value float | the number
                lo? float | low end of the interval
                hi? float | high end of the interval
                n int | areas behind the number
                """
            ),
        ),
    )
}


def check_frame(frame: pd.DataFrame, table: Table, *, where: str) -> None:
    """Check that a frame keeps its contract.

    Parameters
    ----------
    frame
        The frame.
    table
        Its contract.
    where
        What to call the frame in faults, usually its file.

    Raises
    ------
    InputError
        For missing columns, nulls where none may be, and repeated keys, all at once.
    """
    faults = FaultList()
    for column in table.columns:
        if column.name not in frame.columns:
            near = nearest(column.name, frame.columns)
            faults.add(where, f"no column {column.name!r}", column.meaning, near)
        elif column.needed and frame[column.name].isna().any():
            row = int(frame[column.name].isna().to_numpy().argmax()) + 1
            faults.add(f"{where}: row {row}, {column.name}", "nothing", column.meaning)
    if all(name in frame.columns for name in table.key):
        repeated = frame.duplicated(list(table.key)).to_numpy()
        if repeated.any():
            row = int(repeated.argmax()) + 1
            key = ", ".join(table.key)
            faults.add(f"{where}: row {row}", "a key seen before", f"each {key} once")
    faults.raise_if_any()


def columns_page() -> str:
    """Write the documentation page of all tables, Markdown."""
    parts = ["# Columns of every file", "", "Generated from `deploy_opt.tables`.", ""]
    for table in TABLES.values():
        parts += [f"## {table.name}", "", f"Key: {', '.join(table.key)}.", ""]
        parts += ["| column | kind | unit | may be empty | meaning |", "|---|---|---|---|---|"]
        parts += [
            f"| {c.name} | {c.kind} | {c.unit} | {'no' if c.needed else 'yes'} | {c.meaning} |"
            for c in table.columns
        ]
        parts.append("")
    return "\n".join(parts)

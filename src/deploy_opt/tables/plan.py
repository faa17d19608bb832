"""Contracts of the plan: posts, levels, prices, metrics, areas."""

from __future__ import annotations

from deploy_opt.tables.contract import Table, columns

TABLES = (
    Table(
        "posts.csv",
        ("hour", "post_id", "unit_type"),
        columns(
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
        columns(
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
        columns(
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
        "unit_workload.csv",
        ("arm", "service", "unit_type", "post_id", "day_part"),
        columns(
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
        columns(
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
        columns(
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
        columns(
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
        columns(
            """
            metric text | what is measured
            arm text | plan, baseline, simple_plan, difference, plan_on_the_mean (no paths)
            service text | service
            statistic text | mean, share, sum, max, min, p90, mean_absolute_deviation
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
        columns(
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
        "unit_hours.csv",
        ("hour",),
        columns(
            """
            hour hour | hour of the week, Monday 00:00 = 0; of the day in a day plan
            plan int units | units on duty, plan
            baseline int units | units on duty today
            simple_plan int units | units on duty, strong simple plan
            """
        ),
    ),
    Table(
        "equity.csv",
        ("metric", "arm", "group"),
        columns(
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

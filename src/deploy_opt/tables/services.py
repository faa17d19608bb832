"""Contracts of districts, staff, shifts, programmes and the independent check."""

from __future__ import annotations

from deploy_opt.tables.contract import Table, columns

TABLES = (
    Table(
        "districts.csv",
        ("area_id",),
        columns(
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
        columns(
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
        columns(
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
        columns(
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
        columns(
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
        "shifts.csv",
        ("shift_id",),
        columns(
            """
            shift_id id | stretch of a crew at one post: the crew's id, from the second .2 on
            post_id? id | post; empty for patrols, which keep a district
            area text | patrols: district; teams: city; else the name of the post
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
        "simulation.csv",
        ("arm", "service", "scope", "scope_id", "statistic"),
        columns(
            """
            arm text | plan, baseline or difference (plan less baseline, paired)
            service text | service
            scope text | all, area, call_class, group (of residents), hour (of the plan) or unit
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
        columns(
            """
            change int units | 1 = one more, -1 = one less
            unit_type text | type of the unit
            post_id id | its post
            block text | hours of the day
            unit_hours float h | unit-hours of the change in the plan
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
        "loop_back.csv",
        ("round",),
        columns(
            """
            round int | 0 = the plan of the run; then one plan for each round of feeding back
            model_in_time float | share in time by the model, with the round's busy fractions
            simulated_in_time float | share in time in the simulation
            half_width? float | half its 95 % interval
            disagreement_points float | simulated less model, points
            busy_apart float | mean distance of the busy fractions, over the unit-hours
            least_factor float | least factor on the offered load of an hour
            most_factor float | largest factor
            gain float | simulated share less that of the run's plan, on the same calls
            gain_lo float | low end of its 95 % interval
            gain_hi float | high end of its 95 % interval
            """
        ),
    ),
    Table(
        "stress.csv",
        ("variant", "arm", "scope", "scope_id", "statistic"),
        columns(
            """
            variant text | the bad spell
            arm text | plan, baseline, contingency, plan_less_baseline or contingency_less_plan
            scope text | spell (its calls) or hour
            scope_id id | spell, or the hour of the plan (before its first: negative)
            statistic text | late_share, late_share_normal (no spell), hours_to_recover, ...
            value float | mean over the replications
            half_width? float | half the 95 % interval (Student)
            lo? float | low end of the 95 % interval
            hi? float | high end of the 95 % interval
            n int calls | calls counted
            replications int | replications with a value
            """
        ),
    ),
    Table(
        "contingency_posts_VARIANT.csv",
        ("hour", "post_id", "unit_type"),
        columns(
            """
            hour hour | hour of the week, as in posts.csv; hours of the spell alone
            post_id id | post
            unit_type text | type of the units
            name text | name of the post
            lon float degrees | longitude, WGS84
            lat float degrees | latitude, WGS84
            units int units | units on duty, those of neighbours included
            """
        ),
    ),
    Table(
        "fte.csv",
        ("service", "role", "tier"),
        columns(
            """
            service text | service
            role text | unit type or qualification
            tier mixed | tier or tiers whose calls are answered; all: no tiers apart
            workload_fte float FTE | staff for the work alone
            minimum_posts_fte? float FTE | staff for the posts that are always filled
            queueing_fte? float FTE | staff for a prompt start
            fte float FTE | staff: of the plan, or the largest of the three
            binding text | which of them decides; coverage: the plan has more
            relief_factor float | paid people per person at work
            formula text | how hours become staff
            hours_per_year float h | hours on duty, or of work, in a year
            """
        ),
    ),
    Table(
        "staff.csv",
        ("service", "role", "qualification"),
        columns(
            """
            service text | service
            role text | unit type, or responder of the tiers such as civilian
            qualification text | qualification of the people
            people_per_unit int people | people of it on a unit
            paid_hours_per_week float h | hours of people that are paid, breaks included
            on_duty_hours_per_week float h | the same without meal breaks
            headcount_peak? int people | most people of it on duty at once
            relief_factor float | paid people per person on duty
            fte_on_duty float FTE | posts without relief
            fte float FTE | posts with relief for leave and training
            overtime_hours_per_week float h | paid hours that are worked as overtime
            filled_posts float FTE | people: posts with relief less the overtime's
            funded_posts float FTE | posts that are paid for, vacant ones included
            vacancies float FTE | funded posts that nobody fills
            """
        ),
    ),
    Table(
        "follow_up.csv",
        ("hour",),
        columns(
            """
            hour hour | hour of the week, Monday 00:00 = 0
            teams int teams | co-responder teams on duty
            calls_h float h | team-hours that calls commit
            room_h float h | team-hours left under the busy cap
            follow_up_h float h | team-hours of follow-up work placed here
            """
        ),
    ),
    Table(
        "released_hours.csv",
        ("area_id", "hour", "tier"),
        columns(
            """
            area_id id | area
            hour hour | hour of the week in which the calls were dispatched
            tier int | tier of the calls
            hours_per_week float h | patrol hours that nobody spends any more; below 0: more
            calls_per_week float calls | calls behind them
            """
        ),
    ),
)

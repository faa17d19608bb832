"""Contracts of runs set against each other, and of plans set against what happened."""

from __future__ import annotations

from deploy_opt.tables.contract import Table, columns

TABLES = (
    Table(
        "compare.csv",
        ("section", "item", "service", "arm", "statistic", "source"),
        columns(
            """
            section text | scenario, numbers, posts, areas or staff
            item text | key of the scenario, number, post, area, or what of the staff
            service? text | service
            arm? text | plan or baseline
            statistic? text | mean, share, sum, ...
            source? text | modelled or simulated: the same in both runs
            unit? text | unit of the values
            value_a? float | in the first run
            lo_a? float | low end of its 95 % interval
            hi_a? float | high end
            value_b? float | in the second run
            lo_b? float | low end of its 95 % interval
            hi_b? float | high end
            difference? float | second less first
            lo? float | low end of its 95 % interval, the runs taken as independent
            hi? float | high end
            note? text | value of a changed key before and after
            """
        ),
    ),
    Table(
        "calibration.csv",
        ("window", "scope", "scope_id", "statistic"),
        columns(
            """
            window text | training (fitted on) or check (judged on)
            scope text | all, area or day_part (a third of the day)
            scope_id id | which
            statistic text | mean; of all also p05 to p95
            recorded_s float s | response as recorded, from the call to the first arrival
            simulated_s float s | the same calls simulated, as fitted
            error float | simulated over recorded, less 1
            n int calls | calls with both
            """
        ),
    ),
    Table(
        "priorities.csv",
        ("measure", "initial", "final", "scope", "scope_id", "statistic"),
        columns(
            """
            measure text | calls, over_triage, under_triage, never_dispatched or simulated
            initial? text | priority as first known, of calls
            final? text | priority as it turned out, of calls
            scope? text | all or call_class, of simulated
            scope_id? id | which
            statistic? text | of simulated, such as mean_response_s
            value float | calls, share, or simulated as first known
            value_final? float | simulated as if the final priority had been known at once
            difference? float | value less value_final: what not knowing costs
            """
        ),
    ),
    Table(
        "review.csv",
        ("area_id", "block"),
        columns(
            """
            scope text | city or area
            area_id id | area; all = the whole city
            name text | its name
            block text | a third of the day over seven days, or the whole week
            calls float calls | calls that came
            expected float calls | calls of the forecast, made as on the eve of the week
            calls_lo float calls | low end of its 95 % band over the sample paths
            calls_hi float calls | high end of the band
            late float calls | late calls, as recorded; as modelled where not recorded
            late_planned float calls | late calls that the plan promised
            late_lo float calls | low end of the 95 % band over simulated weeks of the forecast
            late_hi float calls | high end of the band
            by_demand float calls | late calls against the plan: calls other than expected
            by_units float calls | units other than planned; 0 where not known
            by_speed float calls | responses other than modelled
            by_chance float calls | where and when the calls fell; the four sum to the difference
            hours_short? float h | hours short of planned units nearby; city: unit-hours
            response_s? float s | mean recorded response
            modelled_s? float s | mean simulated response of the same calls
            slower_s? float s | recorded less simulated, mean of the calls' differences
            slower_lo_s? float s | low end of its 95 % interval (Student); from 5 responses
            slower_hi_s? float s | high end of the interval
            recorded float calls | calls with a recorded response
            reason text | likely reason by the rule of the page
            """
        ),
    ),
)

"""Contracts of pilots: on recorded incidents, and of live ones."""

from __future__ import annotations

from deploy_opt.tables.contract import Table, columns

TABLES = (
    Table(
        "pilot.csv",
        ("district", "week", "outcome"),
        columns(
            """
            district text | all, all in the pilot, all neighbours, or a district
            role text | all, pilot (the plan stands in it) or neighbour
            week int | from 0
            week_start text | its first local day, ISO
            outcome text | mean_response_s, p90_response_s, late_share, worst_area_p90_s, ...
            calls int calls | incidents of the week
            plan? float | value under the plan; empty where no area has enough calls
            baseline? float | value under today's posts
            difference? float | plan less baseline; less is better in each
            """
        ),
    ),
    Table(
        "pilot_effects.csv",
        ("district", "outcome"),
        columns(
            """
            district text | as in pilot.csv
            role text | as in pilot.csv
            outcome text | as in pilot.csv
            difference float | mean of the weekly differences
            t_lo float | low end of Student's 95 % interval
            t_hi float | high end
            lo float | low end of the stationary block bootstrap's 95 % interval
            hi float | high end
            p float | two-sided, by sign flips
            p_holm float | the same, adjusted over the secondary outcomes of the district
            num_weeks int weeks | weeks with a value
            """
        ),
    ),
    Table(
        "pilot_schedule.csv (switchback)",
        ("block",),
        columns(
            """
            block int | days in their order, from 0
            day text | local day, ISO
            pair int | two days of one weekday, one of either plan
            arm text | plan or baseline
            """
        ),
    ),
    Table(
        "pilot_schedule.csv (stepped wedge)",
        ("district", "period"),
        columns(
            """
            district text | district
            period int | from 0, in which all keep today's posts
            day text | first local day of the period, ISO
            until text | first local day after it
            arm text | plan or baseline
            """
        ),
    ),
    Table(
        "pilot_effects_live.csv",
        ("outcome",),
        columns(
            """
            outcome text | response_s, late, transported, backup_requested, officer_injured, ...
            design text | switchback, interrupted or stepped_wedge
            difference float | plan less baseline
            lo float | low end of the 95 % interval
            hi float | high end
            p float | two-sided; by the lot that was drawn, or of the series
            p_holm float | the same, adjusted over the outcomes beside the response
            num_blocks int | days, weeks or district periods compared
            num_records int | incidents counted
            by_time? float | stepped wedge: change of the difference a period later
            """
        ),
    ),
    Table(
        "pilot_overrides.csv",
        ("reason",),
        columns(
            """
            reason text | why a dispatcher sent another unit; nobody is named
            overrides int | how often
            share float | of all overrides
            first text | first local day, ISO
            last text | last local day
            """
        ),
    ),
)

"""Shifts sum to the plan, hour by hour, whatever the plan; clock changes both ways."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.plan.rosters.changes import apply_changes, changes_since
from deploy_opt.plan.rosters.check_rota import check_rotas
from deploy_opt.plan.rosters.crew_flow import flow_crews
from deploy_opt.plan.rosters.duties import duties_of
from deploy_opt.plan.rosters.labour_rules import LabourRules
from deploy_opt.plan.rosters.rotas import RotaSize, make_rotas
from deploy_opt.report.shift_tables import ShiftWords, shifts_of_plan

POSTS = pd.DataFrame({"post_id": ["A", "B", "C"], "name": ["A", "B", "C"]})
WORDS = ShiftWords("als", {"crew": 1})
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Phoenix")


@st.composite
def weeks(draw):
    """Crews of a week on any shifts, and posts drawn for every hour."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 167), st.integers(2, 14), st.integers(1, 4), st.integers(1, 2)
            ),
            min_size=1,
            max_size=8,
        )
    )
    crews = pd.DataFrame(rows, columns=["start_hour", "length_h", "days", "crews"])
    on_duty = np.zeros(168, dtype=np.int64)
    for start, length, days, number in rows:
        for day in range(days):
            on_duty[(start + 24 * day + np.arange(length)) % 168] += number
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    units = np.stack([np.bincount(rng.integers(0, 3, n), minlength=3) for n in on_duty])
    return units, crews


@given(weeks())
@settings(max_examples=40, deadline=None)
def test_the_posts_of_all_crews_sum_to_the_units_of_every_hour_and_post(week):
    units, crews = week
    flow = flow_crews(units, crews)
    assert np.array_equal(flow.units(3), units)
    assert flow.moves.sum() >= flow.fewest_moves
    legs = flow.legs()
    assert (legs["end"] - legs["start"]).sum() == units.sum()


@given(
    weeks(),
    st.sampled_from(ZONES),
    st.sampled_from(
        [
            dt.date.fromisoformat(f"2026-{day}")  # weeks whose Sunday has a change in some zone
            for day in ("03-02", "03-23", "03-30", "09-28", "10-19", "10-26")
        ]
    ),
)
@settings(max_examples=30, deadline=None)
def test_every_real_hour_has_the_units_that_the_plan_gives_its_wall_clock_hour(week, zone, start):
    units, crews = week
    shifts = shifts_of_plan(units, crews, POSTS, WORDS, start=start, time_zone=zone, weeks=2)
    tz = ZoneInfo(zone)
    on = {post: [] for post in "ABC"}
    for post, begin, end in zip(
        shifts["post_id"], shifts["start_local"], shifts["end_local"], strict=True
    ):
        ends = [
            dt.datetime.fromisoformat(t).replace(tzinfo=tz).astimezone(dt.UTC) for t in (begin, end)
        ]
        on[post].append(ends)
    # from the second day (the first begins with shifts of the week before) to the last
    now = dt.datetime.combine(start + dt.timedelta(days=5), dt.time(12), tz).astimezone(dt.UTC)
    stop = dt.datetime.combine(start + dt.timedelta(days=8), dt.time(), tz).astimezone(dt.UTC)
    while now < stop:
        wall = now.astimezone(tz)
        hour = 24 * ((wall.date() - start).days % 7) + wall.hour
        for rank, post in enumerate("ABC"):
            assert sum(a <= now < b for a, b in on[post]) == units[hour, rank], (wall, post)
        now += dt.timedelta(minutes=30)


@given(weeks(), weeks())
@settings(max_examples=15, deadline=None)
def test_changes_applied_to_the_published_week_give_the_new_one(old, new):
    start = dt.date(2026, 1, 5)
    before, after = (
        shifts_of_plan(*week, POSTS, WORDS, start=start, time_zone=ZONES[0]) for week in (old, new)
    )
    found = changes_since(before, after)
    carried = apply_changes(before, found.changes)
    order = ["start_local", "shift_id"]
    want = found.shifts.sort_values(order, kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(carried, want, check_dtype=False)
    assert len(changes_since(before, before).changes) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 167), st.sampled_from([8, 10, 12]), st.integers(1, 2)),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 2),
)
@settings(max_examples=15, deadline=None)
def test_rosters_of_any_daily_shifts_keep_the_rules_and_cover_every_crew(rows, days_off):
    crews = pd.DataFrame(rows, columns=["start_hour", "length_h", "crews"])
    rules = LabourRules(
        basis="flsa_40h", min_rest_h=10, max_days_in_a_row=5, min_days_off_in_a_row=days_off
    )
    rotas = make_rotas(crews, rules, size=RotaSize(start_spread_h=4, work=0.2))
    assert check_rotas(rotas, duties_of(crews), rules) == ()

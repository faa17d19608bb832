"""A typical week over the dates of a bid period, clock changes included."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.crew_flow import flow_crews
from deploy_opt.plan.rosters.local_times import localise, real_hours, wall_times
from deploy_opt.plan.rosters.roll_out import Days, ExtraCrews, roll_out

NEW_YORK = "America/New_York"
SPRING, AUTUMN = dt.date(2026, 3, 2), dt.date(2026, 10, 26)  # weeks whose Sunday has the change


def nights():
    """One unit from 22 to 6 h every night and from 6 to 22 h by two crews."""
    units = np.ones((168, 1), dtype=np.int64)
    starts = [(24 * day + start) % 168 for day in range(7) for start in (6, 14, 22)]
    crews = pd.DataFrame({"start_hour": sorted(starts), "length_h": 8, "crews": 1})
    return flow_crews(units, crews)


def test_a_bid_period_has_every_shift_of_every_day():
    table = roll_out(nights(), dt.date(2026, 1, 5), NEW_YORK, weeks=6)
    assert len(table) == 6 * 21
    assert table["start_local"].min() == pd.Timestamp("2026-01-05 06:00")
    assert table["end_local"].max() == pd.Timestamp("2026-02-16 06:00")
    assert (table["note"] == "").all()


def test_the_night_of_the_spring_change_is_an_hour_shorter_and_says_so():
    table = roll_out(nights(), SPRING, NEW_YORK)
    night = table[table["start_local"] == pd.Timestamp("2026-03-07 22:00")].iloc[0]
    assert night["end_local"] == pd.Timestamp("2026-03-08 06:00")
    assert night["note"] == "clock change: 7 h instead of 8 h"


def test_the_night_of_the_autumn_change_is_an_hour_longer_and_says_so():
    table = roll_out(nights(), AUTUMN, NEW_YORK)
    night = table[table["start_local"] == pd.Timestamp("2026-10-31 22:00")].iloc[0]
    assert night["note"] == "clock change: 9 h instead of 8 h"


def test_no_shift_starts_or_ends_inside_the_spring_gap():
    units = np.ones((168, 2), dtype=np.int64)
    units[146, 0] = 0  # Sunday 02:00: the unit of post 0 stands at post 1 for that hour alone
    units[146, 1] = 2
    starts = [(24 * day + start) % 168 for day in range(7) for start in (2, 14)]
    crews = pd.DataFrame({"start_hour": sorted(starts), "length_h": 12, "crews": 2})
    table = roll_out(flow_crews(units, crews), SPRING, NEW_YORK)
    sunday = table[table["day"] == pd.Timestamp("2026-03-08")]
    assert pd.Timestamp("2026-03-08 03:00") in set(sunday["start_local"])
    for name in ("start_local", "end_local"):
        assert not table[name].between("2026-03-08 02:00", "2026-03-08 02:59").any()
    assert (table["start_local"] < table["end_local"]).all()


def test_holidays_are_noted_and_staffed_as_the_day_that_is_asked_for():
    units = np.zeros((168, 1), dtype=np.int64)
    units[6:14, 0] = 1  # Mondays alone
    flow = flow_crews(units, pd.DataFrame({"start_hour": [6], "length_h": [8], "crews": [1]}))
    holidays = {dt.date(2026, 1, 19): "Martin Luther King Day", dt.date(2026, 1, 21): "Fair"}
    noted = roll_out(flow, dt.date(2026, 1, 5), NEW_YORK, weeks=4, days=Days(holidays))
    assert len(noted) == 4
    assert noted["note"].tolist()[2] == "holiday: Martin Luther King Day"
    as_monday = Days(holidays, holiday_as=0)
    table = roll_out(flow, dt.date(2026, 1, 5), NEW_YORK, weeks=4, days=as_monday)
    assert len(table) == 5
    assert "holiday: Fair, staffed as a Monday" in set(table["note"])


def test_events_are_noted_on_the_shifts_they_touch_and_extra_crews_are_added():
    events = pd.DataFrame(
        {
            "name": ["Parade"],
            "start_at": [pd.Timestamp("2026-01-06 15:00")],
            "end_at": [pd.Timestamp("2026-01-06 17:00")],
        }
    )
    extra = ExtraCrews(
        "Parade",
        0,
        dt.datetime.fromisoformat("2026-01-06T13:00"),
        dt.datetime.fromisoformat("2026-01-06T19:00"),
        2,
    )
    table = roll_out(
        nights(), dt.date(2026, 1, 5), NEW_YORK, days=Days(events=events, extra=(extra,))
    )
    noted = table[table["note"] == "event: Parade"]
    assert noted["start_local"].tolist() == [pd.Timestamp("2026-01-06 14:00")]
    added = table[table["crew"] == -1]
    assert added["note"].tolist() == ["extra: Parade; event: Parade"] * 2
    assert len(table) == 23


def test_a_day_plan_is_dated_once_with_the_shifts_that_reach_into_it():
    units = np.ones((24, 1), dtype=np.int64)
    crews = pd.DataFrame({"start_hour": [66, 54, 42], "length_h": 12, "crews": 1})
    flow = flow_crews(units, crews, first_hour=48, cyclic=False)
    table = roll_out(flow, dt.date(2026, 1, 7), NEW_YORK)
    assert table["start_local"].tolist() == [
        pd.Timestamp("2026-01-07 00:00"),
        pd.Timestamp("2026-01-07 06:00"),
        pd.Timestamp("2026-01-07 18:00"),
    ]
    assert table["begins"].iloc[0] == pd.Timestamp("2026-01-06 18:00")
    with pytest.raises(InputError, match="expected 1 to 1"):
        roll_out(flow, dt.date(2026, 1, 7), NEW_YORK, weeks=4)


def test_periods_that_cannot_be_are_refused_together():
    wrong = Days(
        holiday_as=7,
        extra=(
            ExtraCrews(
                "Fair",
                0,
                dt.datetime.fromisoformat("2026-01-06"),
                dt.datetime.fromisoformat("2026-01-06"),
            ),
        ),
    )
    with pytest.raises(InputError) as caught:
        roll_out(nights(), dt.date(2026, 1, 6), NEW_YORK, weeks=14, days=wrong)
    text = str(caught.value)
    for words in ("1 to 13", "a Tuesday, expected a Monday, as 2026-01-05", "weekday", "later end"):
        assert words in text


def test_wall_times_skip_the_gap_and_take_the_first_of_two():
    gap = wall_times(dt.date(2026, 3, 8), [1, 2, 3], NEW_YORK)
    assert gap.hour.tolist() == [1, 3, 3]
    twice = localise(pd.DatetimeIndex(["2026-11-01 01:30"]), NEW_YORK)
    assert twice[0].utcoffset() == dt.timedelta(hours=-4)
    hours = real_hours(
        pd.Series(pd.to_datetime(["2026-11-01 01:00"])),
        pd.Series(pd.to_datetime(["2026-11-01 02:00"])),
        NEW_YORK,
    )
    assert hours.tolist() == [2.0]

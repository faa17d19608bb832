"""What holds for every past: later events change nothing, and windows are counted."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.risk.officer_risk.costs import cost_check, level_cost
from deploy_opt.risk.officer_risk.features import Sources, dispatch_features
from deploy_opt.risk.officer_risk.model import level_probabilities, most_fitting
from deploy_opt.risk.officer_risk.past import learn_past

START = pd.Timestamp("2024-01-01")
QUICK = settings(max_examples=25, deadline=None)
record = st.tuples(st.integers(0, 250), st.integers(0, 20), st.sampled_from("AB"))
records = st.lists(record, min_size=1, max_size=30)


def calls_of(rows):
    days, hours, areas = zip(*rows, strict=True)
    at = START + pd.to_timedelta(days, unit="D") + pd.to_timedelta(hours, unit="h")
    return pd.DataFrame(
        {
            "incident_id": [f"c{n}" for n in range(len(rows))],
            "received_at": at.tz_localize("Europe/Berlin", nonexistent="shift_forward"),
            "area_id": areas,
            "category": "weapons",
        }
    )


def events_of(rows):
    days, late, areas = zip(*rows, strict=True)
    happened = START + pd.to_timedelta(days, unit="D")
    entered = happened + pd.to_timedelta(late, unit="D")
    return pd.DataFrame({"area_id": areas, "happened_on": happened, "entered_on": entered})


def tell(call, calls, arrests):
    past = learn_past(pd.concat([call, calls], ignore_index=True), arrest=arrests)
    return dispatch_features(call, Sources(past)).drop(columns="complete")


@QUICK
@given(records, records, records, st.integers(0, 250))
def test_no_event_of_the_day_or_later_changes_a_bit(base, more_calls, more_arrests, day):
    call = calls_of([(day, 12, "A")])
    calls, arrests = calls_of(base), events_of(base)
    later = [(max(d, day), h, a) for d, h, a in more_calls]
    known_later = events_of([(d, max(late, day - d), a) for d, late, a in more_arrests])
    told = tell(call, calls, arrests)
    changed = tell(call, pd.concat([calls, calls_of(later)]), pd.concat([arrests, known_later]))
    pd.testing.assert_frame_equal(told, changed)


@QUICK
@given(records, st.integers(0, 250))
def test_windows_count_what_a_loop_counts(rows, day):
    told = tell(calls_of([(day, 1, "B")]), calls_of(rows), events_of(rows)).iloc[0]
    for window in (30, 90, 180):
        known = [d for d, _, a in rows if a == "B" and day - window <= d < day]
        entered = [d + late for d, late, a in rows if a == "B" and day - window <= d + late < day]
        assert told[f"calls_{window}d"] == len(known)
        assert told[f"arrests_{window}d"] == len(entered)
    before = [d for d, _, a in rows if a == "B" and d < day]
    assert told["days_since_call"] == (day - max(before) if before else 3650)


half = st.integers(-8, 7).map(lambda k: k + 0.5)
odds = st.lists(st.tuples(half, half, half), min_size=1, max_size=20)


@QUICK
@given(odds)
def test_probabilities_of_levels_are_probabilities_and_agree_with_the_said_level(rows):
    columns = list(np.array(rows).T)
    p = level_probabilities(columns)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    said = most_fitting(columns)
    at_least = 1 - p.cumsum(axis=1)[:, :-1]
    np.testing.assert_array_equal(said, (at_least > 0.5).sum(axis=1))


@QUICK
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1), st.floats(1, 20))
def test_the_right_level_costs_nothing_and_a_constant_saves_nothing(pairs, ratio):
    said, true = np.array(pairs).T
    assert not level_cost(true, true, ratio).any()
    assert (level_cost(said, true, ratio)[said != true] >= 1).all()
    check = cost_check(np.full(len(true), 1), true, num_levels=3, cost_ratio=ratio)
    assert not check.beats

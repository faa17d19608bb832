"""The chart is quiet while coverage is in order and speaks soon after it drops."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.risk.coverage_monitor import coverage_monitor, run_length, widen
from deploy_opt.seeds import stream


def first_alarm(chart, covered):
    alarm = chart.watch(covered)["alarm"].to_numpy()
    return int(alarm.argmax()) + 1 if alarm.any() else len(alarm)


def test_the_sum_never_falls_below_0_and_the_alarm_stays():
    chart = coverage_monitor(0.25, false_alarm_every=50)
    seen = chart.watch([True, False, *[False] * 30, *[True] * 200], window=2)
    by_hand, total = [], 0
    for held in [True, False, *[False] * 30, *[True] * 200]:
        total = max(0, total + (-1 if held else chart.jump - 1))
        by_hand.append(total)
    assert seen["total"].tolist() == by_hand
    assert seen["alarm"].tolist()[-1]
    assert seen["coverage"].tolist()[:3] == [1.0, 0.5, 0.0]


def test_false_alarms_and_delays_are_as_computed():
    chart = coverage_monitor(0.25, drifted=0.4, false_alarm_every=400)
    assert chart.cases_to_false_alarm >= 400
    assert run_length(0.25, chart.jump, chart.limit - 1) < 400
    rng = stream(3, "monitor")
    for share, computed in ((0.25, chart.cases_to_false_alarm), (0.4, chart.cases_to_alarm)):
        lengths = [first_alarm(chart, rng.random(6000) >= share) for _ in range(400)]
        error = np.std(lengths) / np.sqrt(len(lengths))
        assert abs(np.mean(lengths) - computed) < 4 * error
    assert chart.cases_to_alarm < 60


def test_run_length_of_a_chart_that_one_miss_trips_is_the_mean_wait_for_a_miss():
    assert run_length(0.2, 3, 1) == pytest.approx(5.0)


def test_under_an_alarm_every_label_is_in_the_set():
    sets = np.array([[True, False], [False, True]])
    assert widen(sets, [False, True]).tolist() == [[True, False], [True, True]]
    assert widen(sets, alarm=True).all()


def test_no_cases_give_no_rows():
    assert coverage_monitor(0.25).watch([]).empty


@pytest.mark.parametrize(
    ("alpha", "options", "message"),
    [
        (0.3, {"drifted": 0.2}, "expected 0 < alpha < drifted < 1"),
        (0.3, {"false_alarm_every": 0}, "a number of cases of at least 1"),
        (0.25, {"drifted": 0.2501, "false_alarm_every": 1e12}, "ask for a larger drift"),
    ],
)
def test_a_chart_that_cannot_be_made_is_refused_in_words(alpha, options, message):
    with pytest.raises(InputError, match=message):
        coverage_monitor(alpha, **options)

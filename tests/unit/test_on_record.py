"""What the records say of the standard, beside the model."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from deploy_opt.report.record_lines import record_metrics, record_sentence, record_warning
from deploy_opt.report.results import OnRecord
from deploy_opt.stages.on_record import recorded_in_time
from deploy_opt.standard_settings import Standard


def read(response_s, *, service="ems", gap_min=60, **standard):
    """Calls an hour apart that end on 1 June 2025, with these responses; drives start at 100 s."""
    last = pd.Timestamp("2025-06-01T12:00", tz="UTC")
    received = last - pd.to_timedelta(np.arange(len(response_s))[::-1] * gap_min, unit="min")
    frame = pd.DataFrame({"service": service, "received_at": received})
    frame["enroute_at"] = received + pd.Timedelta(seconds=100)
    frame["arrived_at"] = received + pd.to_timedelta(np.asarray(response_s, float), unit="s")
    scenario = SimpleNamespace(
        services=["ems"],
        standards={"ems": Standard(**(standard or {"response_limit_s": 420}))},
        time_zone="Europe/Berlin",
    )
    return recorded_in_time(scenario, SimpleNamespace(incidents=frame))


def test_the_clock_is_that_of_the_standard():
    responses = [420.0] * 150 + [421.0] * 50
    found = read(responses)
    assert (found.reached, found.num_calls, found.limit_s) == (0.75, 200, 420.0)
    assert found.clock_start == "the call"
    drives = read(responses, drive_limit_s=320)
    assert (drives.reached, drives.limit_s) == (0.75, 320.0)
    assert drives.mean_s == pytest.approx(found.mean_s - 100)
    assert read(responses, drive_limit_s=319).reached == 0.0


def test_the_interval_is_the_exact_one():
    found = read([420.0] * 150 + [421.0] * 50)
    exact = binomtest(150, 200).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_times_that_cannot_be_are_left_out_and_counted():
    found = read([300.0] * 120 + [np.nan] * 7 + [-5.0] * 2 + [15_000.0])
    assert (found.reached, found.num_calls, found.num_left_out) == (1.0, 120, 10)


def test_only_the_last_twelve_weeks_count_and_days_are_local():
    found = read([900.0] * 100 + [300.0] * 84, gap_min=24 * 60 + 1)
    assert found is None
    found = read([900.0] * 100 + [300.0] * 168, gap_min=12 * 60)
    assert found.num_calls == 168
    assert found.reached == 1.0
    assert (found.first, found.last) == (dt.date(2025, 3, 10), dt.date(2025, 6, 1))


def test_without_arrivals_nothing_is_said():
    assert read([np.nan] * 200) is None
    assert read([300.0] * 99) is None
    assert read([300.0] * 200, service="police") is None
    assert recorded_in_time(
        SimpleNamespace(services=["ems"], standards={"ems": Standard(drive_limit_s=1)}),
        SimpleNamespace(incidents=pd.DataFrame()),
    ) is None  # fmt: skip


def known(reached, low=None, high=None):
    return OnRecord(
        "ems", reached, low or reached - 0.01, high or reached + 0.01, 9861, 3, 382.0, 586.0,
        420.0, "the call", dt.date(2025, 12, 7), dt.date(2026, 3, 1),
    )  # fmt: skip


def test_the_sentence_sets_both_side_by_side():
    assert record_sentence(known(0.69), 0.86) == (
        "On record 69 of 100 calls were in time (7 December to 1 March 2026, 9,861 calls); the "
        "model says 86 for today."
    )


@pytest.mark.parametrize(
    ("reached", "today", "word"), [(0.69, 0.86, "17 points kinder"), (0.9, 0.8, "10 points harder")]
)
def test_a_model_far_from_the_records_is_warned_of(reached, today, word):
    warning = record_warning(known(reached), today)
    assert f"the model is {word} than the records" in warning
    assert "deploy-opt calibrate" in warning


def test_a_model_near_the_records_or_within_their_interval_is_not():
    assert not record_warning(known(0.69), 0.70)
    assert not record_warning(known(0.69, 0.55, 0.8), 0.78)


def test_metrics_carry_clock_n_interval_and_source():
    share, mean, p90 = record_metrics(known(0.69))
    assert (share["value"], share["lo"], share["hi"]) == pytest.approx((0.69, 0.68, 0.70))
    assert {row["source"] for row in (share, mean, p90)} == {"observed"}
    assert share["period"] == "2025-12-07 to 2026-03-01"
    assert (share["n"], share["excluded_n"], share["threshold_s"]) == (9861, 3, 420.0)
    assert (mean["value"], p90["value"]) == (382.0, 586.0)

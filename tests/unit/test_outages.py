"""Outages are found and told; quiet nights and storms are not taken for one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from deploy_opt.demand.counts import count_grids
from deploy_opt.demand.outages import find_outages, mask_outages


def city(rate=8.0, *, weeks=12, areas=2, seed=0, service="ems"):
    hours = pd.date_range("2025-01-06", periods=weeks * 168, freq="h")
    day = 1 + 0.6 * np.sin((hours.hour - 9) / 24 * 2 * np.pi)
    calls = np.random.default_rng(seed).poisson(rate / areas * day, (areas, len(hours)))
    return pd.DataFrame(
        {
            "service": service,
            "area_id": np.repeat([f"A{k}" for k in range(areas)], len(hours)),
            "hour": np.tile(hours, areas),
            "num_calls": calls.reshape(-1),
        }
    )


def between(frame, first, last):
    return (frame["hour"] >= first) & (frame["hour"] <= last)


def test_hours_of_silence_in_a_busy_city_are_masked_and_dated():
    counts = city()
    gone = between(counts, "2025-02-12 08:00", "2025-02-12 13:00")
    counts.loc[gone, "num_calls"] = 0
    masked, notes = mask_outages(counts)
    hidden = masked.loc[~masked["observed"], "hour"]
    assert set(hidden) == set(counts.loc[gone, "hour"])
    assert len(notes) == 1
    assert "6 h from 2025-02-12 08:00 hold 0 calls" in notes[0]


def test_late_entries_after_an_outage_are_masked_too():
    counts = city()
    counts.loc[between(counts, "2025-02-12 08:00", "2025-02-12 13:00"), "num_calls"] = 0
    heap = between(counts, "2025-02-12 14:00", "2025-02-12 14:00")
    counts.loc[heap, "num_calls"] = 30
    masked, notes = mask_outages(counts)
    assert not masked.loc[heap, "observed"].any()
    assert any("late entries" in note for note in notes)


def test_an_outage_over_midnight_is_told_with_both_days():
    counts = city()
    counts.loc[between(counts, "2025-02-12 20:00", "2025-02-13 09:00"), "num_calls"] = 0
    _, notes = mask_outages(counts)
    assert "14 h from 2025-02-12 20:00 to 2025-02-13 09:59" in notes[0]


def test_an_undisturbed_city_and_a_busy_storm_are_left_alone():
    counts = city()
    storm = between(counts, "2025-02-12 08:00", "2025-02-12 20:00")
    counts.loc[storm, "num_calls"] *= 2
    masked, notes = mask_outages(counts)
    assert masked is counts
    assert notes == ()


def test_a_sparse_service_is_silent_at_night_without_an_outage():
    counts = city(rate=0.3, seed=3)
    _, notes = mask_outages(counts)
    assert notes == ()


def test_an_outage_of_a_large_service_hides_the_silence_of_a_small_one():
    large, small = city(), city(rate=0.3, service="coresponse", seed=4)
    out = between(large, "2025-02-12 08:00", "2025-02-12 13:00")
    large.loc[out, "num_calls"] = 0
    small.loc[out, "num_calls"] = 0
    masked, notes = mask_outages(pd.concat([large, small], ignore_index=True))
    crisis = masked[masked["service"] == "coresponse"]
    assert (~crisis["observed"]).sum() == 12
    assert any("lie in outages of another service" in note for note in notes)


def test_what_was_not_observed_stays_so_and_many_outages_are_summed_up():
    counts = city(weeks=30).assign(observed=True)
    counts.loc[0, "observed"] = False
    for week in range(1, 29, 2):
        day = pd.Timestamp("2025-01-08 10:00") + pd.Timedelta(weeks=week)
        counts.loc[between(counts, day, day + pd.Timedelta(hours=5)), "num_calls"] = 0
    masked, notes = mask_outages(counts)
    assert not masked.loc[0, "observed"]
    assert len(notes) == 13
    assert "more such stretches" in notes[-1]


def test_a_service_without_any_call_has_no_outage_to_find():
    grids, _ = count_grids(city().assign(num_calls=0), zone="UTC")
    (hidden,), notes = find_outages(grids)
    assert not hidden.any()
    assert notes == ()

"""Assignments of move-up against enumeration and the cases of a published simulator."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.simulation.move_up import move_up
from deploy_opt.simulation.simulate import simulate

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def jemss():
    folder = os.environ.get("DEPLOY_OPT_REAL_DATA")
    if folder is None:
        pytest.skip("DEPLOY_OPT_REAL_DATA names no folder with real data")
    return Path(folder) / "jemss_expected"


def enumerated(cost, benefit, must):
    num, places = cost.shape
    best = -np.inf
    for chosen in itertools.product(range(-1, places), repeat=num):
        taken = [place for place in chosen if place >= 0]
        stays = any(place < 0 and bound for place, bound in zip(chosen, must, strict=True))
        if stays or len(set(taken)) < len(taken):
            continue
        value = sum(benefit[p] - cost[u, p] for u, p in enumerate(chosen) if p >= 0)
        best = max(best, value)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_assignment_is_better_than_the_one_found(seed):
    rng = np.random.default_rng(seed)
    cost, benefit = rng.uniform(0, 5, (3, 4)), rng.uniform(0, 5, 4)
    cost[rng.random((3, 4)) < 0.2] = np.inf
    must = rng.random(3) < 0.5
    expected = enumerated(cost, benefit, must)
    if np.isinf(expected):
        with pytest.raises(InputError, match="a way to a place"):
            move_up(cost, benefit, must)
        return
    place = move_up(cost, benefit, must)
    value = sum(benefit[p] - cost[u, p] for u, p in enumerate(place) if p >= 0)
    assert value == pytest.approx(expected)


def test_more_units_that_must_move_than_places_are_refused_in_words():
    with pytest.raises(InputError, match="2 units that must, 1 places"):
        move_up([[1.0], [1.0]], [5.0], [True, True])


@pytest.mark.real
def test_move_up_cases_of_the_jemss_data(jemss):
    held = json.loads((jemss / "expected.json").read_text(encoding="utf-8"))["zhang_ip"]
    station = np.array(held["stationSlots"])
    benefit = np.array(held["benefitSlots"])
    for case in held["cases"]:
        num = case["numMovable"] + case["numAtHospital"]
        by_station = np.array(case["ambToStationCosts"], dtype=float).reshape(num, 2)
        cost = by_station[:, station - 1]
        must = np.arange(num) < case["numMovable"]
        place = move_up(cost, benefit, must)
        found = [int(station[p]) if p >= 0 else None for p in place]
        expected = case["expect_movable_station"] + case["expect_hospital_station"]
        assert found == expected, case["name"]
        value = sum(benefit[p] - cost[u, p] for u, p in enumerate(place) if p >= 0)
        assert value == pytest.approx(case["obj_by_our_enumeration"])
    assert len(held["cases"]) == 19


def replay(times_s, home, calls, **options):
    fleet = pd.DataFrame({"unit_id": ["u"], "unit_type": ["als"], "home_node": [home]})
    table = pd.DataFrame({"call_id": np.arange(len(calls["node"])), **calls})
    table = table.assign(call_class="p1", on_scene_s=0.0, transport=False, handover_s=0.0)
    return simulate(fleet, table, times_s, hospitals=[], **options).calls["response_s"].to_numpy()


@pytest.mark.real
def test_travel_mode_holds_from_its_start_until_the_next(jemss):
    """A tenth of a day stands for an hour, so that changes at .2, .5 and .8 days are on it."""
    held = json.loads((jemss / "expected.json").read_text(encoding="utf-8"))["travel_mode_small1"]
    starts = np.round(np.array(held["sets_start_times_days"]) * 10).astype(int)
    mode_set = np.searchsorted(starts, np.arange(11), "right") - 1
    step = np.arange(101)
    expected = np.searchsorted(starts * 10, step, "right") - 1
    drive_s = np.array([1.0, 2.0, 3.0, 4.0])
    times_s = np.zeros((4, 2, 2))
    times_s[:, 0, 1] = times_s[:, 1, 0] = drive_s
    found = replay(
        times_s, 0, {"at_s": step * 360.0, "node": np.ones(101, int)}, period_of_hour=mode_set
    )
    assert found.tolist() == drive_s[expected].tolist()
    for name in ("high", "med", "low"):
        modes = {at: mode for kind, at, mode in held["mode_at"] if kind == name}
        sheet = times_s.copy()
        sheet[0, 0, 1], sheet[3, 0, 1] = modes[0.0], modes[1.0]
        ends = {"at_s": np.array([0.0, 36_000.0]), "node": np.ones(2, int)}
        response = replay(sheet, 0, ends, period_of_hour=mode_set)
        assert response.tolist() == [modes[0.0], modes[1.0]]


@pytest.mark.real
def test_units_drive_the_shortest_times_of_the_jemss_networks(jemss):
    played = 0
    for file in sorted(jemss.glob("networks/*/sp_time_mode_*.csv")):
        times_s = np.loadtxt(file, delimiter=",") * DAY_S
        num = len(times_s)
        calls = {"at_s": np.arange(num) * 1e7, "node": np.arange(num)}
        for home in range(0, num, max(num // 4, 1)):
            there = np.isfinite(times_s[home])
            found = replay(times_s, home, {name: v[there] for name, v in calls.items()})
            assert found == pytest.approx(times_s[home][there], abs=1e-6)
            played += 1
    assert played >= 14

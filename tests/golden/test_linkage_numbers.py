"""Published numbers of the linkage: its units, its name scores, and planted pairs found again."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from deploy_opt.inputs.linkage import MAX_DISTANCE_M, TIME_BIN_H, candidate_pairs, choose_links
from deploy_opt.inputs.linkage_checks import evaluate_links, explain_misses
from deploy_opt.inputs.linkage_names import NameStep, name_scores
from deploy_opt.inputs.linkage_records import bin_microseconds

BASIS = "golden numbers, no persons"
WINKLER = (
    ("MARTHA", "MARHTA", 0.9611),
    ("DWAYNE", "DUANE", 0.8400),
    ("DIXON", "DICKSONX", 0.8133),
    ("JONES", "JOHNSON", 0.8324),
    ("ABROMS", "ABRAMS", 0.9222),
)


def test_200_feet_and_a_tenth_of_an_hour():
    assert pytest.approx(60.96, abs=1e-12) == MAX_DISTANCE_M
    assert bin_microseconds(TIME_BIN_H) == 360_000_000


def test_jaro_winkler_scores_are_the_published_ones():
    """Winkler (1990), table of examples; Jaro-Winkler with p = .1 and at most four letters."""
    first, second, score = zip(*WINKLER, strict=True)
    rows = np.arange(len(WINKLER))
    tables = (pd.DataFrame({"person": each}) for each in (first, second))
    step = NameStep("jaro_winkler", "person", BASIS)
    np.testing.assert_allclose(name_scores(*tables, rows, rows, names=step), score, atol=5e-5)


def test_a_match_rate_of_85_percent_is_above_90_once_records_that_cannot_match_are_explained():
    """The figures of Seattle on known high-severity outcomes, with 6 of 100 without a place."""
    start = pd.Timestamp("2022-05-01T00:00Z")
    runs = pd.DataFrame({"aid_id": [f"a{n}" for n in range(100)], "x_m": 0.0, "y_m": 0.0})
    runs = runs.assign(received_at=start, cleared_at=start)
    runs.loc[94:, "x_m"] = np.nan
    links = pd.DataFrame({"call_id": "c", "aid_id": runs["aid_id"][:85]})
    rate = explain_misses(runs, links).set_index("measure")["value"]
    assert rate["linked"] == 0.85
    assert rate["linked of usable"] == pytest.approx(85 / 94)


def town(rng, *, num_calls, num_runs, days):
    """Lay 60 % of calls on heavy-tailed addresses; each planted run lies near a call, during it."""
    addresses = rng.uniform(0, 20_000, (4_000, 2))
    weights = 1 / np.arange(1, 4_001)
    at = rng.choice(4_000, num_calls, p=weights / weights.sum())
    place = np.where(
        rng.random((num_calls, 1)) < 0.6, addresses[at], rng.uniform(0, 20_000, (num_calls, 2))
    )
    start = rng.integers(0, days * 86_400, num_calls)
    lasts = rng.integers(300, 5_400, num_calls)
    mother = rng.choice(num_calls, num_runs, replace=False)
    angle, far = rng.uniform(0, 2 * np.pi, num_runs), 60 * np.sqrt(rng.random(num_runs))
    moved = place[mother] + far[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    begins = start[mother] + (lasts[mother] * rng.random(num_runs)).astype(int)
    calls = frame("call_id", "c", place, start, lasts)
    runs = frame("aid_id", "a", moved, begins, rng.integers(300, 3_600, num_runs))
    truth = pd.DataFrame({"call_id": calls["call_id"].array[mother], "aid_id": runs["aid_id"]})
    return calls, runs, truth


def frame(key, prefix, place, start_s, lasts_s):
    received = pd.Timestamp("2021-01-01T00:00Z") + pd.to_timedelta(start_s, unit="s")
    ids = [f"{prefix}{row:07d}" for row in range(len(place))]
    table = pd.DataFrame({key: ids, "x_m": place[:, 0], "y_m": place[:, 1]})
    cleared = received + pd.to_timedelta(lasts_s, unit="s")
    return table.assign(received_at=received, cleared_at=cleared)


def test_every_planted_pair_is_a_candidate_and_their_number_is_the_oracles():
    """About Seattle's calls a day (1,991,498 from 2017 to May 2022: 1,008), and its runs a call."""
    calls, runs, truth = town(np.random.default_rng(8), num_calls=24_000, num_runs=4_200, days=24)
    pairs = candidate_pairs(calls, runs)
    assert len(truth.merge(pairs, on=["call_id", "aid_id"])) == len(truth)

    near = cKDTree(runs[["x_m", "y_m"]].to_numpy()).sparse_distance_matrix(
        cKDTree(calls[["x_m", "y_m"]].to_numpy()), MAX_DISTANCE_M, output_type="coo_matrix"
    )
    tenths = [
        each[column].astype("int64").to_numpy() // (360 * 10**9)
        for each in (calls, runs)
        for column in ("received_at", "cleared_at")
    ]
    c0, c1 = (each[near.col] for each in tenths[:2])
    a0, a1 = (each[near.row] for each in tenths[2:])
    assert len(pairs) == int((np.minimum(c1, a1) >= np.maximum(c0, a0)).sum())

    without = evaluate_links(choose_links(pairs), truth).set_index("measure")["value"]
    assert 0.85 < without["recall"] == without["precision"] < 1

    keys = {call: f"{row:032x}" for row, call in enumerate(calls["call_id"])}
    calls["person_key"], runs["person_key"] = calls["call_id"].map(keys), truth["call_id"].map(keys)
    links = choose_links(
        candidate_pairs(calls, runs, names=NameStep("hashed", "person_key", BASIS))
    )
    assert evaluate_links(links, truth).set_index("measure").loc["recall", "value"] == 1

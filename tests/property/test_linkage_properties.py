"""What holds for every linkage; the oracle is a KD-tree with intervals compared pair by pair."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from deploy_opt.inputs.linkage import MAX_DISTANCE_M, candidate_pairs, link_records

EPOCH = pd.Timestamp("2026-03-01T00:00Z")
QUICK = settings(max_examples=25, deadline=None)
record = st.tuples(
    st.integers(-600, 600),  # half metres east
    st.integers(-300, 300),  # half metres north
    st.integers(0, 7 * 3600),  # s
    st.integers(0, 3 * 3600),  # s
)
records = st.lists(record, min_size=1, max_size=25)


def table(key, rows, prefix):
    east, north, start_s, lasts_s = np.array(rows).T
    received = EPOCH + pd.to_timedelta(start_s, unit="s")
    return pd.DataFrame(
        {
            key: [f"{prefix}{row:04d}" for row in range(len(rows))],
            "x_m": east / 2,
            "y_m": north / 2,
            "received_at": received,
            "cleared_at": received + pd.to_timedelta(lasts_s, unit="s"),
        }
    )


def both(these, those):
    return table("call_id", these, "c"), table("aid_id", those, "a")


def oracle(calls, runs):
    """Pairs by a KD-tree; tenths of an hour by the rule as it is written, floor(10 t)."""
    trees = [cKDTree(each[["x_m", "y_m"]].to_numpy()) for each in (calls, runs)]
    near = trees[0].query_ball_tree(trees[1], MAX_DISTANCE_M)

    def tenths(column):
        seconds = (column - EPOCH).dt.total_seconds().astype(int)
        return (seconds // 360).to_numpy()

    ends = [(tenths(each["received_at"]), tenths(each["cleared_at"])) for each in (calls, runs)]
    (c0, c1), (a0, a1) = ends
    found = []
    for i, others in enumerate(near):
        for j in others:
            overlap = min(c1[i], a1[j]) - max(c0[i], a0[j]) + 1
            if overlap >= 1:
                step = calls.loc[i, ["x_m", "y_m"]] - runs.loc[j, ["x_m", "y_m"]]
                distance = float(np.hypot(*step.astype(float)))
                found.append((calls["call_id"][i], runs["aid_id"][j], overlap, distance))
    return sorted(found)


@QUICK
@given(records, records)
def test_candidates_are_those_of_the_kd_tree(these, those):
    calls, runs = both(these, those)
    pairs, expected = candidate_pairs(calls, runs), oracle(calls, runs)
    assert [tuple(row) for row in pairs.iloc[:, :3].to_numpy()] == [row[:3] for row in expected]
    np.testing.assert_allclose(pairs["distance_m"], [row[3] for row in expected], rtol=1e-12)


@QUICK
@given(records, records)
def test_links_are_the_best_candidate_of_each_run(these, those):
    calls, runs = both(these, those)
    best = {}
    for call, run, overlap, distance in oracle(calls, runs):
        best[run] = min(best.get(run, (0, 0.0, "")), (-overlap, round(distance, 9), call))
    links = link_records(calls, runs)
    found = dict(zip(links["aid_id"], links["call_id"], strict=True))
    assert found == {run: choice[2] for run, choice in best.items()}


@QUICK
@given(records, records, st.integers(0, 9))
def test_the_order_of_the_rows_changes_nothing(these, those, seed):
    calls, runs = both(these, those)
    mixed = [each.sample(frac=1, random_state=seed) for each in (calls, runs)]
    pd.testing.assert_frame_equal(link_records(calls, runs), link_records(*mixed))


@QUICK
@given(records, records, st.integers(-50, 50), st.integers(-9999, 9999))
def test_moving_everything_by_whole_units_and_hours_changes_nothing(these, those, far, hours):
    calls, runs = both(these, those)
    moved = [
        each.assign(
            x_m=each["x_m"] + 64 * far,
            y_m=each["y_m"] - 64 * far,
            received_at=each["received_at"] + pd.Timedelta(hours=hours),
            cleared_at=each["cleared_at"] + pd.Timedelta(hours=hours),
        )
        for each in (calls, runs)
    ]
    pd.testing.assert_frame_equal(link_records(calls, runs), link_records(*moved))


@QUICK
@given(records, records, st.floats(1, 60), st.sampled_from([0.05, 0.1, 0.2, 0.5]))
def test_shorter_distances_find_fewer_pairs(these, those, distance_m, bin_h):
    calls, runs = both(these, those)
    few = candidate_pairs(calls, runs, max_distance_m=distance_m, time_bin_h=bin_h)
    many = candidate_pairs(calls, runs, time_bin_h=bin_h)
    keys = ["call_id", "aid_id"]
    assert len(few.merge(many, on=keys)) == len(few)
    assert (few["distance_m"] <= distance_m).all()

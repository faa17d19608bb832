"""How good a linkage is: recall and precision, why runs are missed, and for whom."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.linkage import link_records
from deploy_opt.inputs.linkage_checks import evaluate_links, explain_misses, linkage_bias
from deploy_opt.risk.likelihood import clopper_pearson

DAY = pd.Timestamp("2026-03-01T00:00Z")


def links(*pairs):
    return pd.DataFrame(pairs, columns=["call_id", "aid_id"])


def aid(n, **columns):
    frame = pd.DataFrame({"aid_id": [f"a{row}" for row in range(n)], "x_m": 0.0, "y_m": 0.0})
    return frame.assign(received_at=DAY, cleared_at=DAY + pd.Timedelta(hours=1)).assign(**columns)


def test_recall_and_precision_are_counted_by_hand():
    """Three true pairs, two found; a run without a call is linked wrongly; one is not judged."""
    truth = links(("c1", "a1"), ("c2", "a2"), ("c3", "a3"), (None, "a4"))
    found = links(("c1", "a1"), ("c2", "a2"), ("c9", "a4"), ("c5", "a5"))
    table = evaluate_links(found, truth).set_index("measure")
    assert table["value"].to_dict() == pytest.approx(
        {"recall": 2 / 3, "precision": 2 / 3, "judged": 3 / 4}
    )
    assert table["n"].tolist() == [3, 3, 4]


def test_the_intervals_are_the_exact_ones():
    truth = links(*((f"c{row}", f"a{row}") for row in range(20)))
    table = evaluate_links(truth.iloc[:17], truth)
    low, high = clopper_pearson([17, 17, 17], [20, 17, 17])
    np.testing.assert_allclose(table["lo"], low)
    np.testing.assert_allclose(table["hi"], high)


def test_without_links_or_truth_there_is_no_share():
    table = evaluate_links(links(), links())
    assert table[["value", "lo", "hi"]].isna().all(axis=None)


def test_a_truth_with_a_run_twice_and_missing_columns_are_refused():
    with pytest.raises(InputError, match="truth: found aid_id 'a' and 0 more twice"):
        evaluate_links(links(("c", "a")), links(("c", "a"), ("d", "a")))
    with pytest.raises(InputError, match="truth: found no column 'call_id'"):
        evaluate_links(links(), links().drop(columns="call_id"))


def test_misses_are_explained_by_what_the_record_lacks():
    hour = pd.Timedelta(hours=1)
    runs = aid(6)
    runs.loc[1, "x_m"] = np.nan
    runs.loc[2, "cleared_at"] = pd.NaT
    runs.loc[3, "cleared_at"] = DAY - hour
    runs.loc[4, "cleared_at"] = DAY + 200 * hour
    runs.loc[5, "x_m"] = 5000.0
    calls = aid(1).rename(columns={"aid_id": "call_id"})
    table = explain_misses(runs, link_records(calls, runs)).set_index("measure")
    assert table["value"].to_dict() == pytest.approx(
        {
            "linked": 1 / 6,
            "linked of usable": 1 / 2,
            "no place": 1 / 6,
            "no times": 1 / 6,
            "ends before it starts": 1 / 6,
            "lasts longer than 7 days": 1 / 6,
            "no call near": 1 / 6,
        }
    )


def test_misses_need_a_place_and_times():
    with pytest.raises(InputError, match="aid runs: found no column 'lon'"):
        explain_misses(aid(1).drop(columns="x_m"), links())


def test_bias_finds_the_area_that_is_linked_less():
    """Two areas of 100 runs: 90 and 60 linked; the rate of all is .75."""
    area = np.repeat(["east", "west"], 100)
    runs = aid(200, area_id=area)
    some = runs.iloc[[*range(90), *range(100, 160)]]
    found = links(*(("c", run) for run in some["aid_id"]))
    table = linkage_bias(runs, found, by=["area_id"]).set_index("group")
    assert table["rate"].to_dict() == {"east": 0.9, "west": 0.6}
    assert table["rate_all"].tolist() == [0.75, 0.75]
    assert table["differs"].all()
    low, high = clopper_pearson([90, 60], 100, confidence=0.975)
    np.testing.assert_allclose(table["lo"], low)
    np.testing.assert_allclose(table["hi"], high)


def test_the_hour_is_that_of_the_wall_and_unknown_groups_are_named():
    when = pd.Series([DAY, DAY + pd.Timedelta(hours=13), pd.NaT])
    runs = aid(3, area_id=["x", None, "x"]).assign(received_at=when)
    table = linkage_bias(runs, links(("c", "a0")), time_zone="America/Los_Angeles")
    assert table["by"].tolist() == ["area_id"] * 2 + ["hour"] * 3
    assert table["group"].tolist() == ["x", "unknown", "5", "16", "unknown"]
    assert table["linked"].tolist() == [1, 0, 0, 1, 0]
    assert not table["differs"].any()


def test_bias_needs_its_columns_and_may_be_empty():
    with pytest.raises(InputError, match="no column 'area_id'"):
        linkage_bias(aid(1), links())
    with pytest.raises(InputError, match="no column 'received_at'"):
        linkage_bias(aid(1).drop(columns="received_at"), links(), by=["hour"])
    assert linkage_bias(aid(1, hour=3), links(), by=["hour"])["group"].tolist() == ["3"]
    assert linkage_bias(aid(0), links(), by=[]).empty

import numpy as np
import pandas as pd
import pytest

from deploy_opt.report.tables import (
    area_table,
    counted_areas,
    equity_table,
    make_tables,
    metric_table,
    path_late_calls,
    posts_table,
    unit_hours_table,
    weekly_cover,
)
from deploy_opt.tables import TABLES, check_frame
from report_fixtures import arm, comparison, report_inputs


def test_weekly_cover_is_weighted_by_calls():
    rates = np.array([[3.0, 1.0], [0.0, 0.0]])
    cover = np.array([[1.0, 0.0], [0.2, 0.4]])
    found = weekly_cover(arm("plan", np.ones((2, 1)), cover), rates)
    assert found == pytest.approx([0.75, 0.3])


def test_late_calls_of_a_path_are_its_calls_that_are_not_reached():
    paths = np.array([[[2, 4]], [[0, 10]]], dtype=np.int32)
    late = path_late_calls(arm("plan", np.ones((2, 1)), np.array([[0.5, 0.75]])), paths)
    assert late.tolist() == [[2.0], [2.5]]


@pytest.mark.parametrize("name", ["metrics", "areas", "equity", "posts"])
def test_every_table_keeps_its_contract(name):
    frame = getattr(make_tables(report_inputs(loser=1)), name)
    check_frame(frame, TABLES[f"{name}.csv"], where=name)
    assert frame.columns.tolist() == TABLES[f"{name}.csv"].names


def test_areas_are_listed_worst_first():
    frame = area_table(comparison(loser=4), {"A0004": "Four"})
    assert frame.iloc[0]["area_id"] == "A0004"
    assert frame.iloc[0]["name"] == "Four"
    assert frame.iloc[1]["name"] == frame.iloc[1]["area_id"]
    assert frame["late_calls_diff"].is_monotonic_decreasing
    assert frame.iloc[0]["late_calls_diff"] > 0 > frame.iloc[1]["late_calls_diff"]


def test_the_interval_of_an_area_holds_its_expectation():
    frame = area_table(comparison(), {})
    inside = (frame["lo"] <= frame["late_calls_diff"]) & (frame["late_calls_diff"] <= frame["hi"])
    assert inside.mean() >= 0.8


def test_an_area_that_no_unit_reaches_has_no_mean_response():
    made = comparison(2)
    made.plan.drive_s[0] = np.inf
    frame = area_table(made, {}).set_index("area_id")
    assert np.isnan(frame.loc["A0000", "mean_response_plan_s"])
    assert frame.loc["A0001", "mean_response_plan_s"] == pytest.approx(300.0)


def value(frame, metric, which, statistic):
    row = frame[(frame["metric"] == metric) & (frame["arm"] == which)]
    return row[row["statistic"] == statistic].iloc[0]


def test_metrics_say_value_clock_and_interval():
    made = comparison(plan=0.9, today=0.8)
    frame = metric_table(made, threshold_s=480.0, min_calls_per_week=1.0)
    reached = value(frame, "reached", "plan", "share")
    assert reached["value"] == pytest.approx(0.9)
    assert (reached["clock_start"], reached["threshold_s"]) == ("unit starts to drive", 480.0)
    assert reached["lo"] == pytest.approx(0.9)
    assert reached["hi"] == pytest.approx(0.9)
    difference = value(frame, "reached", "difference", "share")
    assert difference["value"] == pytest.approx(0.1)
    assert difference["lo"] == pytest.approx(0.1)
    late = value(frame, "late_calls", "baseline", "sum")
    assert late["value"] == pytest.approx(0.2 * made.rates.sum())
    assert value(frame, "unit_hours", "plan", "sum")["value"] == made.plan.unit_hours
    assert value(frame, "drive", "plan", "mean")["value"] == pytest.approx(300.0)
    assert value(frame, "busy_fraction", "plan", "mean")["value"] == pytest.approx(0.4)


def test_quiet_areas_do_not_count_as_the_weakest_or_as_losing():
    made = comparison(loser=0)
    made.rates[0] = 0.0001
    frame = metric_table(made, threshold_s=480.0, min_calls_per_week=1.0)
    assert value(frame, "weakest_area_reached", "plan", "min")["value"] == pytest.approx(0.9)
    losing = value(frame, "areas_that_lose", "difference", "sum")
    assert (losing["value"], losing["n"], losing["excluded_n"]) == (0, 11, 1)


def test_calls_per_week_count_as_such_in_a_plan_of_a_day():
    rates = np.full((1, 24), 0.01)
    assert counted_areas(rates, 1.0).tolist() == [True]
    assert counted_areas(rates, 2.0).tolist() == [False]


def test_with_no_area_counted_the_weakest_is_missing():
    frame = metric_table(comparison(), threshold_s=480.0, min_calls_per_week=1e9)
    assert np.isnan(value(frame, "weakest_area_reached", "plan", "min")["value"])
    assert equity_table(comparison(), 1e9)["value"].isna().all()


def test_no_reachable_area_leaves_the_drive_open():
    made = comparison()
    made.plan.drive_s[:] = np.inf
    frame = metric_table(made, threshold_s=480.0, min_calls_per_week=1.0)
    assert np.isnan(value(frame, "drive", "plan", "mean")["value"])


def test_posts_leave_zero_rows_out_and_start_at_the_first_hour():
    made = comparison(hours=24)
    frame = posts_table(made.plan, made.posts, "als", 96)
    assert frame["units"].min() >= 1
    assert frame["units"].sum() == made.plan.unit_hours
    assert frame["hour"].min() == 96
    assert not frame.duplicated(["hour", "post_id"]).any()


def test_equity_measures_the_weakest_and_the_spread():
    frame = equity_table(comparison(loser=3), 1.0).set_index(["metric", "arm"])["value"]
    assert frame["weakest_area_reached", "plan"] == pytest.approx(0.4)
    assert frame["gap_best_to_weakest", "plan"] == pytest.approx(0.5)
    assert frame["gap_best_to_weakest", "baseline"] == pytest.approx(0.0)


def test_unit_hours_by_hour_add_up_to_the_budget():
    made = comparison()
    frame = unit_hours_table(made)
    assert frame["baseline"].sum() == made.baseline.unit_hours
    assert frame["hour"].tolist() == list(range(168))


def test_a_metric_is_looked_up_by_name():
    tables = make_tables(report_inputs())
    assert tables.metric("unit_hours", "plan", "sum")["unit"] == "h"
    assert isinstance(tables.metrics, pd.DataFrame)

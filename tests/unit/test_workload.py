"""How busy units are by post, and the hypercube's second opinion, as tables and sentences."""

from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from deploy_opt.plan.questions.day_parts import DayPart
from deploy_opt.plan.questions.levels import MoveUpTable
from deploy_opt.plan.sites.site_busy import SiteBusy
from deploy_opt.report.answers import (
    answer_documents,
    answer_lines,
    answer_tables,
    dispatch_document,
    dispatch_schema,
)
from deploy_opt.report.tables import metric_table
from deploy_opt.report.workload import busy_by_post, hypercube_share, spread, workload_table
from deploy_opt.tables import TABLES, check_frame
from report_fixtures import report_inputs

PART = MoveUpTable(
    posts=np.asarray([2, 0]),
    chance=np.asarray([0.5, 0.5]),
    cover=np.asarray([0.5, 0.9]),
    value=np.asarray([0.5, 0.9]),
    bound=np.asarray([0.5, 0.9]),
    load=1.0,
)


def judged(arm, share, busy, rates):
    """A share of the calls is reached in every hour; posts in use are busy as given."""
    at_posts = np.where(arm.units > 0, np.asarray(busy)[None], np.nan)
    return replace(arm, site=SiteBusy(share * rates.sum(axis=0), at_posts))


def second_opinion(plan=0.88, today=0.77, simple=0.84, *, gains=(0.0, 0.02)):
    inputs = report_inputs()
    one = inputs.comparison
    filled = replace(
        one,
        plan=judged(one.plan, plan, [0.5, 0.4, 0.3], one.rates),
        baseline=judged(one.baseline, today, [0.6, 0.2, 0.9], one.rates),
        simple=judged(one.simple, simple, [0.4, 0.4, 0.4], one.rates),
        levels=replace(PART, posts=np.asarray([0, 1])),
        day_parts=(DayPart(7, 19, PART, gains[0]), DayPart(19, 7, PART, gains[1])),
    )
    return replace(inputs, comparison=filled)


def test_a_posts_busy_fraction_is_weighted_by_its_units():
    arm = second_opinion().comparison.plan
    uneven = replace(arm, units=np.array([[1, 0], [3, 0]]))
    uneven = replace(uneven, site=SiteBusy(np.ones(2), np.array([[0.2, np.nan], [0.6, np.nan]])))
    busy, unit_hours = busy_by_post(uneven)
    assert busy[0] == pytest.approx((0.2 + 3 * 0.6) / 4)
    assert np.isnan(busy[1])
    assert unit_hours.tolist() == [4, 0]
    night, _ = busy_by_post(uneven, np.array([True, False]))
    assert night[0] == pytest.approx(0.2)


def test_the_workload_table_lists_every_arm_post_and_part_of_the_day():
    inputs = second_opinion()
    frame = answer_tables(inputs)["unit_workload.csv"]
    check_frame(frame, TABLES["unit_workload.csv"], where="unit_workload.csv")
    assert sorted(set(frame["day_part"])) == ["07-19", "19-07", "all"]
    key = frame.set_index(["arm", "post_id", "day_part"])
    whole = key.loc[("baseline", "S1", "all")]
    assert whole["unit_hours"] == 336
    assert whole["busy_fraction"] == pytest.approx(0.6)
    assert whole["busy_h"] == pytest.approx(0.6 * 336)
    assert whole["calls"] == pytest.approx(0.6 * 336 * 60 / 42)
    parts = key.loc[[("baseline", "S1", part) for part in ("07-19", "19-07")], "unit_hours"]
    assert parts.sum() == 336
    # today nobody waits at C1
    assert ("baseline", "C1", "all") not in key.index


def test_metrics_hold_the_hypercubes_cover_of_every_arm_and_its_difference():
    inputs = second_opinion()
    frame = metric_table(inputs.comparison, threshold_s=480, min_calls_per_week=1)
    check_frame(frame, TABLES["metrics.csv"], where="metrics.csv")
    reached = frame[frame["metric"] == "hypercube_reached"].set_index("arm")
    assert reached["value"].to_dict() == pytest.approx(
        {"plan": 0.88, "baseline": 0.77, "simple_plan": 0.84, "difference": 0.11}
    )
    assert (reached["threshold_s"] == 480).all()
    assert (reached["source"] == "modelled").all()
    busy = frame[(frame["metric"] == "post_busy_fraction") & (frame["arm"] == "baseline")]
    values = busy.set_index("statistic")["value"]
    assert values["max"] == pytest.approx(0.6)
    assert values["min"] == pytest.approx(0.2)
    # two units busy .6, one busy .2: mean .4667
    assert values["mean_absolute_deviation"] == pytest.approx(
        (2 * (0.6 - 7 / 15) + (7 / 15 - 0.2)) / 3
    )


def test_the_words_say_whether_both_models_rank_alike():
    same = answer_lines(second_opinion().comparison)
    assert any("; the same order as by the deployment model" in line for line in same)
    assert any(
        line.startswith("Units are busy from 30% of their time at C1 to 50%") for line in same
    )
    other = answer_lines(second_opinion(simple=0.9).comparison)
    assert any("not the same order as by the deployment model" in line for line in other)


def test_the_words_say_what_tables_by_part_of_the_day_gain():
    lines = answer_lines(second_opinion().comparison)
    assert any("the part 19-07 gains most by its own: 2.0%" in line for line in lines)
    flat = answer_lines(second_opinion(gains=(0.0, 1e-4)).comparison)
    assert any("one order serves the whole day" in line for line in flat)


def test_levels_by_part_of_the_day_are_a_table_of_their_own_and_in_the_dispatch_file():
    inputs = second_opinion()
    tables = answer_tables(inputs)
    frame = tables["levels_by_day_part.csv"]
    check_frame(frame, TABLES["levels_by_day_part.csv"], where="levels_by_day_part.csv")
    night = frame[frame["day_part"] == "19-07"]
    assert night["post_id"].tolist() == ["C1", "C1", "S1"]
    check_frame(tables["levels.csv"], TABLES["levels.csv"], where="levels.csv")
    document = dispatch_document(inputs)
    jsonschema.validate(document, dispatch_schema())
    part = document["levels_by_day_part"][1]
    assert (part["day_part"], part["from_hour_of_day"], part["to_hour_of_day"]) == ("19-07", 19, 7)
    assert part["levels"][1] == {"num_free": 2, "post_ids": ["C1", "S1"]}
    assert {post["post_id"] for post in document["posts"]} >= {"C1", "S1"}
    assert answer_documents(inputs.comparison)["levels_by_day_part"][0]["posts"] == ["C1", "S1"]


def test_without_the_hypercube_nothing_is_said_of_it():
    comparison = report_inputs().comparison
    assert workload_table(comparison, "als", 0).empty
    assert np.isnan(hypercube_share(comparison.plan, comparison.rates))
    frame = metric_table(comparison, threshold_s=480, min_calls_per_week=1)
    assert not frame["metric"].isin(["hypercube_reached", "post_busy_fraction"]).any()


def test_units_that_are_all_alike_busy_have_no_spread():
    assert spread(np.asarray([0.4, 0.4]), np.asarray([3, 5])) == pytest.approx(0.0)

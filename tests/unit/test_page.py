import datetime as dt
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from deploy_opt.errors import InputError
from deploy_opt.inputs.base_map import BaseMap
from deploy_opt.report import page as page_module
from deploy_opt.report import words
from deploy_opt.report.board import (
    board_values,
    losing_areas,
    provenance,
    reservations,
    six_figures,
    unkept_rules,
)
from deploy_opt.report.charts import still_map
from deploy_opt.report.hours import area_rows, code_hours, hour_sentence
from deploy_opt.report.outlines import outlines
from deploy_opt.report.page import render_page
from deploy_opt.report.payload import whole
from deploy_opt.report.tables import make_tables
from report_fixtures import report_inputs, squares


def text_of(html):
    plain = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain))


def rendered(**changes):
    inputs = report_inputs(**changes)
    return render_page(inputs, make_tables(inputs))


# ---- sentences ----


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_headline_never_says_more_when_the_plan_reaches_fewer(plan, today):
    sentence = words.headline(plan, today)
    if "more than today" in sentence:
        assert plan > today
    elif "fewer than today" in sentence:
        assert plan < today
    else:
        assert abs(plan - today) < 0.001 + 1e-9


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_difference_in_the_headline_is_that_of_the_numbers_shown(plan, today):
    shown, before = words.shown_pair(plan, today)
    numbers = [float(n) for n in re.findall(r"\d+(?:\.\d)?", words.headline(plan, today))]
    assert numbers[0] == pytest.approx(shown)
    if len(numbers) == 3:
        assert numbers[2] == pytest.approx(abs(shown - before))
    else:
        assert shown == before


def test_the_simple_plan_may_be_the_better_one():
    assert words.simple_sentence(0.95, 0.92, 100) == (
        "A strong simple plan reaches 95 with 100 unit-hours."
    )


@pytest.mark.parametrize(
    ("plan", "today", "said"),
    [
        (100, 100, "Today's 100 unit-hours, moved."),
        (90, 100, "90 unit-hours, 10 fewer than today."),
        (2100, 100, "2,100 unit-hours, 2,000 more than today."),
    ],
)
def test_the_budget_of_both_plans_is_said(plan, today, said):
    assert words.budget_sentence(plan, today) == said


def test_losers_are_said_for_none_one_and_many():
    assert words.losers_sentence([], 0) == "No area has enough calls to say who loses."
    assert words.losers_sentence([], 3) == "No area loses more than a point."
    assert words.losers_sentence(["A1 Inwood"], 3) == "1 area loses cover: A1 Inwood."
    assert "3 areas lose cover, most of all b" in words.losers_sentence(["b", "c", "d"], 3)


def test_a_plan_of_some_days_and_of_one_day_is_named():
    assert words.plan_dates(dt.date(2026, 3, 2), 72) == (
        "3 days from 2 March", "Mon 2 – Wed 4 Mar 2026",
    )  # fmt: skip
    assert words.plan_dates(dt.date(2026, 3, 30), 168)[1] == "Mon 30 Mar – Sun 5 Apr 2026"
    assert [words.period_word(h) for h in (24, 72, 168)] == ["day", "3 days", "week"]


def test_an_area_is_named_by_code_and_place_once():
    assert words.area_label("10003", "10003 New York") == "10003 New York"
    assert words.area_label("10003", "") == "10003"


def test_a_missing_share_is_a_dash():
    assert words.share_words(math.nan) == "–"
    assert words.share_words(0.5) == "50"


# ---- numbers ----


def test_the_six_numbers_are_those_of_the_table_of_metrics():
    inputs = report_inputs(loser=2)
    tables = make_tables(inputs)
    shown = {figure.label: figure for figure in six_figures(inputs, tables)}

    def value(metric, arm, statistic):
        return tables.metric(metric, arm, statistic)["value"]

    assert int(shown["Reached in time"].value) == whole(100 * value("reached", "plan", "share"))
    assert shown["Late calls / week"].value == f"{whole(value('late_calls', 'plan', 'sum')):,}"
    assert shown["Weakest area"].value == "40"
    assert shown["Areas that lose"].value == "1"
    assert shown["Areas that lose"].unit == "of 12"
    assert shown["Unit-hours / week"].value == f"{inputs.comparison.plan.unit_hours:,}"
    assert shown["Peak load"].note == "as today"


def test_a_worse_plan_is_marked_as_worse():
    inputs = report_inputs(plan=0.7, today=0.8)
    figures = six_figures(inputs, make_tables(inputs))
    assert (figures[0].note, figures[0].tone) == ("▼ from 80 %", "worse")
    assert figures[1].note.startswith("▲ ")
    assert figures[1].note.endswith(" more")
    assert figures[1].tone == "worse"


def test_an_equal_plan_is_marked_as_equal():
    inputs = report_inputs(plan=0.8, today=0.8)
    figures = six_figures(inputs, make_tables(inputs))
    assert [figure.note for figure in figures[:3]] == ["as today"] * 3
    assert figures[3].value == "0"
    assert "as many as today" in rendered(plan=0.8, today=0.8)


def test_no_area_with_enough_calls_leaves_the_weakest_open():
    inputs = report_inputs(scenario_changes={"equity": {"min_calls_per_week": 1e6}})
    figures = six_figures(inputs, make_tables(inputs))
    assert figures[2].value == "–"
    assert losing_areas(inputs) == ([], 0)
    assert "No area has enough calls" in render_page(inputs, make_tables(inputs))


def test_losers_are_named_hardest_hit_first():
    inputs = report_inputs()
    inputs.comparison.plan.cover[3] = 0.5
    inputs.comparison.plan.cover[5] = 0.2
    assert losing_areas(inputs)[0] == ["A0005 Square 5", "A0003 Square 3"]


def test_areas_are_ranked_by_late_calls_and_not_by_cover():
    inputs = report_inputs()
    inputs.comparison.rates[0] = 0.0
    inputs.comparison.plan.cover[0] = 0.0
    inputs.comparison.rates[7] = 9.0
    hours = code_hours(inputs.comparison, inputs.areas)
    rows = area_rows(hours, 5)
    assert rows[0].label == "A0007 Square 7"
    assert rows[-1].label == "A0000 Square 0"
    assert abs(float(rows[0].late) - 0.90) <= 9 * 0.0025 + 0.005
    assert (rows[0].in_time, rows[0].change, rows[0].tone) == ("90 %", "+10", "better")
    assert (rows[-1].change, rows[-1].arrow) == ("−80", "▼")


def test_an_area_that_the_forecast_does_not_know_has_no_value():
    inputs = report_inputs(4)
    hours = code_hours(inputs.comparison, squares(6))
    assert (hours.plan[4:] == 255).all()
    assert hours.calls.calls[4:].sum() == 0
    row = area_rows(hours, 0)[-1]
    assert (row.in_time, row.change, row.bar) == ("–", "0", 0)


def test_late_calls_get_a_third_decimal_where_they_are_few():
    many, few = report_inputs(), report_inputs()
    few.comparison.rates[:] /= 100
    for made, digits in ((many, 2), (few, 3)):
        row = area_rows(code_hours(made.comparison, made.areas), 5)[0]
        assert len(row.late.split(".")[1]) == digits


def test_an_hour_without_calls_claims_nothing():
    inputs = report_inputs()
    inputs.comparison.rates[:, 4] = 0.0
    hours = code_hours(inputs.comparison, inputs.areas)
    assert hour_sentence(hours, 4) == "0.0 calls expected."
    assert hour_sentence(hours, 5).endswith("plan reaches 90 of 100 in time, today 80.")


def test_the_solve_is_told_whatever_its_end():
    inputs = report_inputs()
    solve, spread = reservations(inputs, make_tables(inputs))
    assert "bound 1,000.4, gap 0.04% with positions and limits" in solve
    assert "(asked of the crews: 0.10%)" in solve
    assert "20 sample paths" in spread
    assert "not the error of the model" in spread
    assert "0123456789" in provenance(inputs)
    assert "HiGHS 1.14.0" in provenance(inputs)


def test_rules_that_are_not_kept_are_told_from_notes_on_the_solve():
    inputs = report_inputs()
    notes = ("bounds: proven", "the default work limit ended", "fleet.min_units = 5 cannot be kept")
    report = replace(inputs.comparison.report, notes=notes)
    inputs = replace(inputs, comparison=replace(inputs.comparison, report=report))
    assert unkept_rules(inputs) == ("fleet.min_units = 5 cannot be kept",)


# ---- the page ----


def test_the_page_says_every_fact_of_the_run():
    text = text_of(rendered(loser=2))
    for fact in (
        "Squareville EMS · week of 2 March",
        "Mon 2 – Sun 8 Mar 2026",
        "1 area loses cover: A0002 Square 2.",
        "A strong simple plan reaches 85.0 (plan 85.7) with 504 unit-hours.",
        "within 8 min of driving",
        "counts.csv: 1,000 rows read",
        "a note of the solver",
        "Learnt from 2024-01-01 to 2026-02-28",
        "© OpenStreetMap contributors",
        "the fleet follows the calls",
    ):
        assert fact in text, fact
    assert "synthetic" not in text.lower()


def test_a_synthetic_city_is_labelled():
    text = text_of(rendered(scenario_changes={"synthetic": True}))
    assert text.lower().count("synthetic data") == 2


def test_a_day_plan_has_hours_of_one_day():
    day = {"horizon": {"start": "2026-03-06", "hours": 24}}
    text = rendered(scenario_changes=day)
    assert 'max="23"' in text
    assert '"firstHour":96' in text
    for fact in ("Friday 6 March", "Unit-hours / day", "06:00"):
        assert fact in text
    assert re.search(r"Friday \d\d:00", text_of(text))


def test_the_table_without_scripts_shows_the_busiest_hour():
    inputs = report_inputs()
    inputs.comparison.rates[:, 113] = 5.0
    text = text_of(render_page(inputs, make_tables(inputs)))
    assert "most expected late calls, Friday 17:00" in text
    assert "60 calls expected; plan reaches 90 of 100 in time, today 80." in text


def test_the_map_alone_is_the_same_map_without_the_tables():
    inputs = report_inputs()
    alone = render_page(inputs, make_tables(inputs), layout="alone")
    assert '<body class="alone">' in alone
    assert 'id="waits"' not in alone
    assert "DeployMap.layer(" in alone
    assert "The plan reaches 90 of 100" in alone


def test_only_posts_of_today_and_used_posts_are_drawn():
    inputs = report_inputs()
    posts = inputs.comparison.posts
    inputs.comparison.plan.units[:, 2] = 0
    shown = board_values(
        inputs,
        make_tables(inputs),
        code_hours(inputs.comparison, inputs.areas),
        outlines(inputs),
        page_module._shown_posts(inputs),
    )
    assert page_module._shown_posts(inputs).tolist() == [0, 1]
    assert {row["name"] for row in shown["posts"]} <= set(posts["name"][:2])


def test_land_and_water_come_from_the_base_map_and_roads_end_at_the_shore():
    ring = np.array(box(-75.1, 42.9, -74.95, 43.1).exterior.coords)
    lake = np.array(box(-75.05, 43.03, -75.04, 43.04).exterior.coords)
    base = BaseMap(land=((ring,),), water=((lake,),))
    inputs = report_inputs(5, base_map=base)
    shapes = outlines(inputs)
    assert len(shapes.land) == len(shapes.water) == 1
    ((_, roads),) = shapes.lines
    assert max(road[:, 0].max() for road in roads) <= -74.95 + 1e-9
    assert '"land":[[[[' in render_page(inputs, make_tables(inputs))


def test_without_a_base_map_nothing_is_drawn_as_land():
    assert 'layer(offline_map_0002, "land"' not in rendered()
    assert outlines(report_inputs()).origin == (-75.0, 43.0)


def test_a_page_too_large_to_mail_is_said_or_refused(monkeypatch, caplog):
    monkeypatch.setattr(page_module, "WARN_BYTES", 1000)
    rendered()
    assert "too large for many mail systems" in caplog.text
    monkeypatch.setattr(page_module, "REFUSE_BYTES", 2000)
    with pytest.raises(InputError, match="merge small areas"):
        rendered()


def test_a_still_map_has_one_path_a_class_and_a_mark_a_post_on_duty():
    shapes = [box(n, 0, n + 1, 1) for n in range(4)]
    still = still_map(
        shapes,
        np.array([30, 30, 97, -1]),
        bounds=((0.0, 0.0), (1.0, 4.0)),
        land=[],
        water=[],
        lines=[np.array([[0.0, 0.5], [4.0, 0.5]]), np.array([[1.0, 1.0], [1.0, 1.0]])],
        posts=[(0.5, 0.5, 3), (1.5, 0.5, 0)],
    )
    assert [colour for colour, _ in still.classes] == ["#5b1a06", "#d3d9dd", "#fdf3e1"]
    assert still.lines.count("M") == 1
    assert [post[3] for post in still.posts] == ["3"]


def test_the_table_of_units_by_hour_holds_every_arm():
    frame = make_tables(report_inputs()).unit_hours
    assert frame.columns.tolist() == ["hour", "plan", "baseline", "simple_plan"]
    assert frame["plan"].sum() == report_inputs().comparison.plan.unit_hours
    assert isinstance(frame, pd.DataFrame)

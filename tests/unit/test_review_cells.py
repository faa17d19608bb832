"""A week against forecast and plan: the parts of the late calls and the reason by its rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.simulation.review import (
    CITY,
    REASONS,
    WEEK,
    WeekPlayed,
    hours_short_of_plan,
    outside_bands,
    review_cells,
)
from deploy_opt.simulation.statistics import DAY_PARTS, day_parts, response_table

LIMIT_S = 400.0
AREAS = ("N", "S")


def calls_of(area, num, recorded, modelled=300.0, planned=300.0, hour=9):
    return pd.DataFrame(
        {
            "area_id": area,
            "hour": hour,
            "recorded_s": np.resize(recorded, num).astype(float),
            "modelled_s": np.resize(modelled, num).astype(float),
            "planned_s": np.resize(planned, num).astype(float),
        }
    )


def week_of(*parts, short=None, num_paths=40, usual=10, late=1):
    """Every path has `usual` calls, give or take two, in each area by day; `late` of ten late."""
    cells = [(k, area) for k in range(num_paths) for area in AREAS]
    spread = [usual + k % 5 - 2 for k, _ in cells]
    drawn = pd.DataFrame({"area_id": [a for _, a in cells], "block": DAY_PARTS[1]})
    drawn = drawn.assign(calls=np.asarray(spread, dtype=float))
    return WeekPlayed(
        calls=pd.concat(parts, ignore_index=True),
        promised=drawn.assign(replication=[k for k, _ in cells], late=drawn["calls"] * late / 10),
        path_calls=drawn.assign(path=[k for k, _ in cells]),
        hours_short=short,
        standard_s=LIMIT_S,
    )


def whole(cells, area):
    rows = cells[(cells["area_id"] == area) & (cells["block"] == WEEK)]
    return rows.iloc[0]


USUAL = calls_of("S", 10, [300.0] * 9 + [500.0], [300.0] * 9 + [500.0], [300.0] * 9 + [500.0])


def test_more_calls_than_the_band_is_demand_and_the_worst_area_comes_first():
    week = week_of(calls_of("N", 30, [290.0, 310.0, 500.0], [290.0, 310.0, 500.0], 300.0), USUAL)
    cells = review_cells(week, AREAS)
    assert cells["area_id"].tolist() == [CITY] * 4 + ["N"] * 4 + ["S"] * 4
    north, south = whole(cells, "N"), whole(cells, "S")
    assert north["reason"] == REASONS["demand"]
    assert (north["calls"], north["expected"], north["calls_hi"]) == (30, 10, 12)
    assert (north["late"], north["late_planned"]) == (10, pytest.approx(1.0))
    assert north["by_demand"] == pytest.approx(2.0)
    assert south["reason"] == REASONS["none"]
    assert outside_bands(cells) == {
        "cells": 6,
        "above": 1,
        "below": 0,
        "by_chance": pytest.approx(0.3),
    }


def test_missing_units_that_made_calls_late_are_the_reason():
    short = pd.DataFrame({"area_id": ["N"], "block": [DAY_PARTS[1]], "hours_short": [5.0]})
    late = calls_of("N", 10, [300.0, 500.0], [300.0, 500.0], 300.0)
    north = whole(review_cells(week_of(late, USUAL, short=short), AREAS), "N")
    assert north["reason"] == REASONS["units"]
    assert (north["by_units"], north["by_speed"], north["hours_short"]) == (5, 0, 5)
    north = whole(review_cells(week_of(late, USUAL), AREAS), "N")
    assert north["reason"] == REASONS["unexplained"]
    assert np.isnan(north["hours_short"])


def test_responses_slower_than_modelled_beyond_chance_are_the_reason():
    slow = calls_of("N", 10, [500.0, 520.0], [380.0, 390.0])
    north = whole(review_cells(week_of(slow, USUAL), AREAS), "N")
    assert north["reason"] == REASONS["speed"]
    assert north["slower_s"] == pytest.approx(125.0)
    assert 0 < north["slower_lo_s"] < 125 < north["slower_hi_s"]
    few = calls_of("N", 4, [500.0, 520.0], [380.0, 390.0])
    north = whole(review_cells(week_of(few, USUAL), AREAS), "N")
    assert np.isnan(north["slower_lo_s"])  # four responses say too little
    assert north["reason"] == REASONS["unexplained"]


def test_of_two_causes_the_one_with_most_late_calls_is_named():
    both = calls_of("N", 30, [500.0, 520.0], [380.0, 390.0])
    north = whole(review_cells(week_of(both, USUAL), AREAS), "N")
    assert north["calls"] > north["calls_hi"]
    assert north["by_speed"] > north["by_demand"]
    assert north["reason"] == REASONS["speed"]


def test_a_quiet_area_is_quiet_and_an_area_without_calls_is_listed():
    cells = review_cells(week_of(USUAL, late=0), AREAS)
    north = whole(cells, "N")
    assert (north["calls"], north["reason"]) == (0, REASONS["quiet"])
    assert north["by_demand"] == 0


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(AREAS), st.integers(0, 23), *[st.sampled_from([300.0, 500.0])] * 3
        ),
        min_size=1,
        max_size=25,
    ),
    st.booleans(),
)
def test_the_four_parts_sum_to_the_late_calls_against_the_plan(rows, lost):
    names = ["area_id", "hour", "recorded_s", "modelled_s", "planned_s"]
    calls = pd.DataFrame(rows, columns=names)
    if lost:
        calls.loc[0, "recorded_s"] = np.nan
    cells = review_cells(week_of(calls), AREAS)
    parts = cells[["by_demand", "by_units", "by_speed", "by_chance"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx((cells["late"] - cells["late_planned"]).to_numpy())
    own = cells[(cells["scope"] == "area") & (cells["block"] != WEEK)]
    assert own["calls"].sum() == len(calls)
    assert own["late"].sum() == whole(cells, CITY)["late"]


def test_hours_are_short_where_the_nearest_planned_post_has_fewer_units():
    planned = np.array([[1, 1], [1, 1], [2, 0]])
    present = np.array([[0, 1], [1, 1], [1, 0]])
    drive_s = np.array([[10.0, 90.0], [90.0, 10.0]])
    found = hours_short_of_plan(planned, present, drive_s, AREAS, [7, 8, 16])
    hours = found.set_index(["area_id", "block"])["hours_short"]
    assert hours["N"].tolist() == [1, 0, 1]
    assert hours["S", DAY_PARTS[0]] == 0  # its own post is as planned
    assert hours["S", DAY_PARTS[2]] == 1  # the far post is the only one planned
    assert hours[CITY].tolist() == [1, 0, 1]


def test_recorded_and_simulated_responses_are_compared_by_area_and_part_of_the_day():
    at = pd.to_datetime(["2026-03-02T01:00", "2026-03-02T09:00", "2026-03-02T10:00"])
    calls = pd.DataFrame({"received_at": at.tz_localize("UTC"), "area_id": ["N", "N", "S"]})
    table = response_table([100.0, 200.0, np.nan], [110.0, 220.0, 50.0], calls)
    means = table[table["statistic"] == "mean"].set_index(["scope", "scope_id"])
    assert means.loc[("all", "all"), "n"] == 2
    assert means["error"].to_numpy() == pytest.approx(0.1)
    assert ("area", "S") not in means.index
    assert day_parts([0, 7, 8, 15, 16, 23]).tolist() == [p for p in DAY_PARTS for _ in "ab"]

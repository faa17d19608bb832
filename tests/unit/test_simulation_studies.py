"""Draws, statistics, replications, marginal units, calibration: five places on a road."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.simulation.calibrate import calibrate
from deploy_opt.simulation.draws import (
    Law,
    ServiceLaws,
    draw_from_counts,
    draw_poisson,
    draw_service,
    uniforms,
)
from deploy_opt.simulation.fleets import fleet_of_posts, unit_hours
from deploy_opt.simulation.marginal import marginal
from deploy_opt.simulation.priorities import triage_report, triage_sensitivity
from deploy_opt.simulation.replicate import COLUMNS, Arm, Precision, replicate
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.statistics import batch_means, half_width, measure

ROAD = 60.0 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
LAWS = {"p1": ServiceLaws(on_scene=Law("exponential", 1800.0), turnout=Law("constant", 30.0))}
DAY_S = 86_400.0


def fleet_at(*homes, **columns):
    names = [f"U{number}" for number in range(len(homes))]
    frame = {"unit_id": names, "unit_type": "als", "home_node": list(homes)}
    return pd.DataFrame({**frame, **columns})


def draw(number, *, hours=72, rate=0.3):
    calls = draw_poisson(np.full((hours, 5), rate), seed=3, replication=number)
    calls = calls.assign(call_class="p1", area_id=calls["node"].map("A{}".format))
    return draw_service(calls, LAWS, seed=3, replication=number)


# Draws


def test_each_incident_has_its_own_luck_whoever_else_calls():
    ids = [f"c{n}" for n in range(1000)]
    whole, part = uniforms(1, "scene", ids), uniforms(1, "scene", ids[500:])
    assert (whole[500:] == part).all()
    assert not np.isclose(whole, uniforms(1, "turnout", ids)).any()
    assert not np.isclose(whole, uniforms(2, "scene", ids)).any()


def test_luck_is_uniform_and_streams_are_unrelated():
    ids = np.arange(40_000)
    one, other = uniforms(5, "a", ids), uniforms(5, "b", ids)
    counts = np.histogram(one, bins=20, range=(0, 1))[0]
    assert ((counts - 2000) ** 2 / 2000).sum() < 43.8  # chi-squared, 19 degrees, 0.1 %
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.02
    assert 0 < one.min() < one.max() < 1


@pytest.mark.parametrize("kind", ["constant", "exponential", "lognormal", "gamma"])
def test_laws_have_the_mean_they_name(kind):
    u = (np.arange(200_000) + 0.5) / 200_000
    assert Law(kind, 500.0, 0.7).at(u).mean() == pytest.approx(500.0, rel=2e-3)
    assert (Law(kind).at(u) == 0).all()


def test_recorded_lengths_come_back_as_often_as_they_were():
    law = Law("recorded", values_s=(300.0, 100.0))
    assert law.at(np.array([0.1, 0.49, 0.51, 0.99])).tolist() == [100.0, 100.0, 300.0, 300.0]
    with pytest.raises(InputError, match="0 recorded lengths"):
        Law("recorded").at(np.array([0.5]))


def test_service_parts_are_drawn_by_class():
    calls = pd.DataFrame({"call_id": range(4000), "call_class": ["a", "b"] * 2000})
    laws = {
        "a": ServiceLaws(transport_share=0.25, drive_cv=0.3),
        "b": ServiceLaws(processing=Law("constant", 9.0)),
    }
    found = draw_service(calls, laws, seed=1)
    assert found.loc[found["call_class"] == "a", "transport"].mean() == pytest.approx(
        0.25, abs=0.03
    )
    assert found.groupby("call_class")["processing_s"].max().tolist() == [0.0, 9.0]
    assert found["drive_factor"].mean() == pytest.approx(1.0, abs=0.02)
    with pytest.raises(InputError, match="none for b"):
        draw_service(calls, {"a": ServiceLaws()}, seed=1)


def test_a_forecast_path_becomes_as_many_calls_at_demand_points():
    counts = np.array([[2, 0], [0, 3]])
    points = pd.DataFrame({"area": [0, 0, 1], "node": [0, 1, 4], "share": [0.5, 0.5, 1.0]})
    calls = draw_from_counts(counts, points, seed=1)
    assert len(calls) == 5
    assert calls["call_id"].is_unique
    assert (calls["at_s"] // 3600).astype(int).tolist() == [0, 0, 1, 1, 1]
    assert calls["node"].tolist()[2:] == [4, 4, 4]
    assert set(calls["node"][:2]) <= {0, 1}
    with pytest.raises(InputError, match="a demand point in each area"):
        draw_from_counts(counts, points[:2], seed=1)


# Statistics


def test_statistics_of_a_day_drawn_by_hand():
    calls = pd.DataFrame(
        {
            "call_id": ["a", "b"],
            "at_s": [0.0, 3700.0],
            "node": [1, 4],
            "call_class": "p1",
            "final_class": ["p1", "p2"],
            "on_scene_s": 60.0,
            "transport": False,
            "handover_s": 0.0,
            "group": ["g", "g"],
        }
    )
    table = measure(simulate(fleet_at(0), calls, ROAD), calls, standards_s={"p1": 60, "p2": 100})
    value = table.set_index(["scope", "scope_id", "statistic"])["value"]
    assert value["all", "all", "mean_response_s"] == 150.0
    assert value["all", "all", "late_share"] == 0.5
    assert value["call_class", "p2", "late_share"] == 1.0
    assert value["hour", "1", "num_calls"] == 1.0
    assert value["group", "g", "p90_response_s"] == pytest.approx(222.0)
    assert value["unit", "U0", "num_calls"] == 2.0


def test_half_widths_are_students():
    assert half_width([1.0, 2.0, 3.0]) == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert np.isnan(half_width([1.0]))


def test_batch_means_see_through_neighbours_that_go_together():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=20_000)
    linked = np.zeros(20_000)
    for row in range(1, 20_000):
        linked[row] = 0.9 * linked[row - 1] + noise[row]
    mean, half, lag = batch_means(linked, np.arange(20_000.0), batch_s=1000.0, warm_up_s=999.0)
    assert abs(mean) < half
    assert half > 3 * half_width(linked)
    assert abs(lag) < 0.5


# Replications


def test_the_same_plan_twice_differs_by_exactly_nothing():
    arm = Arm(fleet_at(0, 4))
    found = replicate({"plan": arm, "baseline": arm}, draw, ROAD, replications=3, standards_s=200)
    table = found.table
    assert list(table.columns) == COLUMNS
    same = table[table["arm"] == "difference"]
    assert (same["value"] == 0).all()
    assert (same.loc[same["replications"] > 1, "half_width"] == 0).all()
    assert "drive_km" not in set(table["statistic"])  # nobody gave distances
    keys = ["arm", "service", "scope", "scope_id", "statistic"]
    assert not table.duplicated(keys).any()
    assert set(table["scope"]) == {"all", "area", "call_class", "unit", "hour"}


def test_pairs_are_sharper_than_separate_runs_and_threads_change_nothing():
    arms = {"plan": Arm(fleet_at(1, 3)), "baseline": Arm(fleet_at(0, 3))}
    options = {"replications": 6, "standards_s": 200, "warm_up_s": 3600.0}
    found = replicate(arms, draw, ROAD, **options).table
    again = replicate(arms, draw, ROAD, threads=2, **options).table
    pd.testing.assert_frame_equal(found, again, check_exact=True)
    width = found[(found["scope"] == "all") & (found["statistic"] == "mean_response_s")]
    width = width.set_index("arm")["half_width"]
    assert width["difference"] < width["baseline"]


def test_replications_go_on_until_the_half_width_is_reached():
    arms = {"plan": Arm(fleet_at(0, 4))}
    loose = Precision(1e6, arm="plan", least=2, most=8)
    assert replicate(arms, draw, ROAD, precision=loose, standards_s=200).replications == 2
    tight = Precision(1e-9, arm="plan", least=2, most=5)
    found = replicate(arms, draw, ROAD, precision=tight, standards_s=200)
    assert (found.replications, found.reached) == (5, False)
    with pytest.raises(InputError, match="a statistic of all calls"):
        replicate(arms, draw, ROAD, precision=Precision(1.0, "speed"), standards_s=200)
    with pytest.raises(InputError, match="0 arms"):
        replicate({}, draw, ROAD, standards_s=200)


# Fleets


def test_units_of_a_posts_table_give_the_table_back():
    rng = np.random.default_rng(4)
    hours = pd.DataFrame({"hour": np.repeat(np.arange(24), 2), "post_id": ["P", "Q"] * 24})
    posts = hours.assign(unit_type="als", units=rng.integers(0, 4, 48))
    fleet = fleet_of_posts(posts, {"P": 0, "Q": 4}, num_hours=48, cycle_h=24)
    for hour in range(48):
        on = fleet[(fleet["on_from_s"] <= hour * 3600) & (fleet["on_to_s"] > hour * 3600)]
        for post, node in (("P", 0), ("Q", 4)):
            wanted = posts[(posts["hour"] == hour % 24) & (posts["post_id"] == post)]["units"].sum()
            assert (on["home_node"] == node).sum() == wanted
    assert unit_hours(fleet, 0, 48 * 3600)["als"] == 2 * posts["units"].sum()
    assert unit_hours(fleet_at(0, 1), 0, 7200)["als"] == 4.0


def test_a_plan_for_other_posts_is_refused_in_words():
    posts = pd.DataFrame({"hour": [0], "post_id": ["Nort"], "unit_type": "als", "units": 1})
    with pytest.raises(InputError, match="posts Nort, expected the scenario's posts; did you mean"):
        fleet_of_posts(posts, {"North": 0}, num_hours=24)
    with pytest.raises(InputError, match="no units"):
        fleet_of_posts(posts[:0], {"North": 0}, num_hours=24)
    late = posts.assign(hour=30, post_id="North")
    with pytest.raises(InputError, match="found 30, expected hours 0 to 23"):
        fleet_of_posts(late, {"North": 0}, num_hours=24, cycle_h=24)


# Marginal


def test_one_more_unit_never_makes_the_mean_worse_beyond_its_interval():
    posts = pd.DataFrame({"hour": range(24), "post_id": "P", "unit_type": "als", "units": 2})
    fleet = fleet_of_posts(posts, {"P": 0}, num_hours=72, cycle_h=24)
    table = marginal(
        fleet,
        draw,
        ROAD,
        node_of_post={"P": 0, "Q": 4},
        unit_types=["als"],
        num_hours=72,
        blocks={"day": range(8, 20), "night": [*range(8), *range(20, 24)]},
        cost_per_hour={"als": 100.0},
        replications=4,
        standards_s=200,
        warm_up_s=0.0,
    )
    mean = (
        table[table["statistic"] == "mean_response_s"]
        .set_index(["change", "post_id", "block"])
        .sort_index()
    )
    assert (mean.loc[1, "lo"] <= 0).all()
    assert (mean.loc[1, "value"] < 0).all()
    assert (mean.loc[-1, "value"] > 0).all()
    assert set(mean.loc[-1].index.get_level_values("post_id")) == {"P"}
    assert mean.loc[(1, "Q", "day"), "unit_hours"] == 36.0
    assert mean.loc[(-1, "P", "night"), "cost"] == -3600.0


def test_a_unit_of_a_district_is_taken_away_wherever_it_stands_but_never_the_last_of_its_type():
    fleet = fleet_at(0, 4).assign(on_from_s=0.0, on_to_s=72 * 3600.0, district=["W", "E"])
    table = marginal(
        fleet,
        draw,
        ROAD,
        node_of_post={"W": 2},  # where one more would stand; the unit of W stands at 0
        unit_types=["als"],
        unit_columns={"W": {"district": "W"}},
        num_hours=72,
        replications=2,
        standards_s=200,
    )
    assert set(table["change"]) == {1, -1}
    alone = fleet.assign(unit_type=["als", "bls"])
    found = marginal(
        *(alone, draw, ROAD),
        node_of_post={"W": 0},
        unit_types=["als"],
        num_hours=72,
        replications=2,
        standards_s=200,
    )
    assert set(found["change"]) == {1}


def test_marginal_says_what_it_needs():
    asked = {"node_of_post": {}, "unit_types": [], "num_hours": 1, "standards_s": 1}
    with pytest.raises(InputError, match="no spells") as raised:
        marginal(fleet_at(0), draw, ROAD, replications=1, **asked)
    assert len(raised.value.faults) == 3


# Calibration


def recorded(number, scale=1.3):
    calls = draw(number, hours=24 * 10)
    truth = simulate(fleet_at(0, 4), calls, ROAD * scale).calls["response_s"]
    calls = calls.assign(call_id=calls["call_id"] + f"/{number}")
    return calls.assign(recorded_response_s=truth.to_numpy())


def test_a_hidden_travel_scale_is_found_and_believed():
    found = calibrate(fleet_at(0, 4), recorded(1), recorded(2), ROAD)
    assert found.travel_scale == pytest.approx(1.3, rel=0.1)
    assert found.believed
    assert found.words.startswith("The simulated baseline meets")


def test_a_world_that_changed_is_not_believed_and_said_so():
    found = calibrate(fleet_at(0, 4), recorded(1), recorded(2, scale=3.0), ROAD)
    assert not found.believed
    assert "trust differences" in found.words
    with pytest.raises(InputError, match="windows apart"):
        calibrate(fleet_at(0), recorded(1), recorded(1), ROAD)
    with pytest.raises(InputError, match="0 with recorded_response_s"):
        calibrate(fleet_at(0), draw(1), recorded(2), ROAD)


# Priorities


def test_initial_and_final_priorities_are_set_against_each_other():
    calls = pd.DataFrame(
        {
            "priority": [1, 1, 1, 2],
            "final_priority": [1, 2, 2, 1],
            "dispatched": [True, True, False, True],
        }
    )
    found = triage_report(calls)
    assert found.matrix.loc[1].tolist() == [1, 2]
    assert (found.over_share, found.under_share, found.undispatched_share) == (0.5, 0.25, 0.25)
    assert np.isnan(triage_report(calls.drop(columns="dispatched")).undispatched_share)
    with pytest.raises(InputError, match="no final_priority"):
        triage_report(calls.drop(columns="final_priority"))


def test_dispatch_acts_on_the_first_priority_and_the_score_on_the_last():
    calls = pd.DataFrame(
        {
            "call_id": ["a", "b", "c"],
            "at_s": [0.0, 1.0, 2.0],
            "node": 0,
            "call_class": "x",
            "final_class": ["low", "low", "high"],
            "priority": 1,
            "final_priority": [2, 2, 1],
            "on_scene_s": 100.0,
            "transport": False,
            "handover_s": 0.0,
        }
    )
    table = triage_sensitivity(fleet_at(0), calls, ROAD, standards_s=150.0)
    mine = table[table["statistic"] == "mean_response_s"].set_index("scope_id")
    assert mine.loc["high", "value_known"] == 198.0
    assert mine.loc["high", "value_final"] == 98.0
    assert mine.loc["high", "difference"] == 100.0
    with pytest.raises(InputError, match="as it turned out"):
        triage_sensitivity(fleet_at(0), calls.drop(columns="final_priority"), ROAD, standards_s=1)

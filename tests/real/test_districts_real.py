"""Districts of two real cities: Carrollton's 325 areas and 12 beats, Seattle's 51 beats into 5."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.districting.figures import pieces_of, spread_of
from deploy_opt.plan.districts import (
    Search,
    design_districts,
    disruption_curve,
    score_districts,
)

DATA = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA, reason="DEPLOY_OPT_REAL_DATA names no data folder"),
]

PUBLISHED_TODAY = 248_939.0
PUBLISHED_RATIO = 0.799


@pytest.fixture(scope="module")
def city():
    from carrollton import carrollton

    return carrollton()


@pytest.fixture(scope="module")
def beats(city):
    return np.array([str(beat + 1) for beat in city.today], dtype=object)


@pytest.fixture(scope="module")
def today(city, beats):
    return score_districts(
        beats, city.workload, city.neighbours, city.times_s, travel_in_workload=False
    )


def design(city, beats, **wishes):
    given = {"num_districts": 12, "today": beats, "travel_in_workload": False, "proof": "none"}
    return design_districts(
        city.workload, city.neighbours, city.times_s, **{**given, "compactness": 0.0, **wishes}
    )


def check_from_scratch(plan, city):
    """Work everything out anew from the labels."""
    travel = 0.0
    for district in range(len(plan.names)):
        own = np.flatnonzero(plan.district_of == district)
        minutes = city.times_s[np.ix_(own, own)] / 60 * city.calls[own]
        travel += minutes.sum(axis=1).min()
    loads = np.bincount(plan.district_of, weights=city.calls)
    assert plan.travel_min == pytest.approx(travel, rel=1e-12)
    assert plan.workload_h == pytest.approx(loads)
    assert plan.spread == spread_of(loads)
    assert pieces_of(city.neighbours.border_km, plan.district_of)[0] == len(plan.names)


def test_todays_beats_take_the_published_travel_and_are_connected(city, today):
    assert today.travel_min == pytest.approx(PUBLISHED_TODAY, rel=1e-3)
    assert today.stray == ()
    assert today.spread.band == pytest.approx(0.276, abs=0.001)
    assert today.shape.cut_pairs == 138
    assert today.shape.border_km / 1.609344 == pytest.approx(32.4, abs=0.1)
    assert np.mean(today.shape.polsby_popper) == pytest.approx(0.459, abs=0.02)
    assert city.neighbours.bridges == (("2C47", "2C48"),)
    check_from_scratch(today, city)


def test_a_plan_within_five_per_cent_takes_less_travel_than_the_published_one(city, beats, today):
    plan = design(city, beats, search=Search(starts=4))
    assert plan.travel_min / today.travel_min <= 0.795 < PUBLISHED_RATIO
    assert plan.spread.band <= 0.05
    assert sorted(plan.names) == sorted(today.names)
    check_from_scratch(plan, city)


@pytest.mark.slow
def test_the_strict_reading_of_five_per_cent_costs_less_than_a_point(city, beats, today):
    plan = design(city, beats, max_spread=0.05, search=Search(starts=8))
    assert plan.travel_min / today.travel_min <= 0.802
    assert plan.spread.max_minus_min <= 0.05
    check_from_scratch(plan, city)


@pytest.mark.slow
def test_few_changes_bring_much_and_more_never_cost_more(city, beats, today):
    points = disruption_curve(
        city.workload, city.neighbours, city.times_s, today=beats, num_districts=12,
        max_moved=[15, 30, 60, 325], travel_in_workload=False, search=Search(starts=8),
    )  # fmt: skip
    ratios = [point.plan.travel_min / today.travel_min for point in points]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] <= 0.955
    assert ratios[1] <= 0.900
    assert ratios[2] <= 0.862
    assert ratios[3] <= 0.800
    for point in points:
        assert point.plan.moved.sum() <= point.max_moved
        assert point.plan.spread.band <= 0.05
        check_from_scratch(point.plan, city)


def test_the_price_of_borders_makes_districts_that_a_sergeant_would_draw(city, beats, today):
    plan = design(city, beats, compactness=1.0, search=Search(starts=4))
    assert plan.travel_min / today.travel_min <= 0.805
    assert plan.shape.cut_pairs <= 145  # 174 for travel alone, 138 today
    assert plan.shape.border_km <= 1.15 * today.shape.border_km
    assert np.mean(plan.shape.polsby_popper) >= 0.36
    check_from_scratch(plan, city)


def test_every_stray_piece_of_the_stored_solver_run_is_named(city):
    from carrollton import data_folder

    stored = pd.read_csv(data_folder() / Path("carrollton/GLPK_Output5hours.csv"))
    drawn = dict(zip(stored["Dest"], stored["Source"], strict=True))
    score = score_districts(
        drawn, city.workload, city.neighbours, city.times_s, travel_in_workload=False
    )
    num_pieces = pieces_of(city.neighbours.border_km, score.district_of)[0]
    assert num_pieces - len(score.names) == 14
    assert len(score.stray) >= 14
    assert score.travel_min == pytest.approx(240_188, rel=2e-3)


def test_seattle_is_divided_at_the_known_optimum_and_tracts_of_a_size_are_refused():
    from carrollton import seattle, seattle_areas

    city = seattle()
    assert city.calls.sum() == 84_436
    plan = design_districts(
        city.workload, city.neighbours, city.times_s, num_districts=5, compactness=0.0,
        travel_in_workload=False, proof="none", search=Search(starts=4),
    )  # fmt: skip
    assert plan.travel_min == pytest.approx(366_215.58, rel=1e-5)
    check_from_scratch(plan, city)
    with_own = seattle_areas("spd-beats.geojson", own_activity=True)
    assert with_own.calls.sum() == 90_124  # 5,688 that officers began are apart by default
    other = design_districts(
        with_own.workload, with_own.neighbours, with_own.times_s, num_districts=5,
        compactness=0.0, travel_in_workload=False, proof="none", search=Search(starts=4),
    )  # fmt: skip
    loads = np.bincount(other.district_of, city.calls, 5)
    assert np.abs(loads / loads.mean() - 1).max() < 0.05  # the public's calls keep the band too
    tracts = seattle_areas("census-tracts.geojson")
    assert tracts.calls.max() > 3 * tracts.calls.sum() / 51
    with pytest.raises(InfeasibleError, match="alone has a workload"):
        design_districts(
            tracts.workload, tracts.neighbours, tracts.times_s, num_districts=51,
            proof="none", travel_in_workload=False,
        )  # fmt: skip
    with pytest.raises(InfeasibleError, match="area E2 alone has a workload"):
        design_districts(
            city.workload, city.neighbours, city.times_s, num_districts=51, proof="none",
            travel_in_workload=False,
        )  # fmt: skip

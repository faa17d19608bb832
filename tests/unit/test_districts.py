"""Districts by the library's door: plans, scores, faults and conflicts in words."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.inputs.area_neighbours import area_neighbours
from deploy_opt.plan.districting.figures import join_nearest, pieces_of, spread_of, stray_areas
from deploy_opt.plan.districting.results import Spread
from deploy_opt.plan.districts import (
    Search,
    design_districts,
    disruption_curve,
    districts_by_period,
    group_districts,
    loads_by_period,
    score_districts,
)
from district_grids import grid_borders, grid_frames, grid_times_s

QUICK = Search(starts=2, steps=20_000)
EVEN = [1.0] * 16
ROWS = np.repeat(["north", "south"], 8)


def frames(calls=EVEN, rows=4, columns=4):
    return grid_frames(rows, columns, calls)


def design(calls=EVEN, **wishes):
    given = {"travel_in_workload": False, "search": QUICK, "proof": "none", "num_districts": 2}
    return design_districts(*frames(calls), **{**given, **wishes})


def faults_of(call, *args, **wishes):
    with pytest.raises(InputError) as caught:
        call(*args, **wishes)
    return str(caught.value)


# --- plans -----------------------------------------------------------------------------------


def test_an_even_grid_is_halved_and_every_figure_is_that_of_a_plain_count():
    plan = design(compactness=0.0)
    assert plan.names == ("1", "2")
    assert plan.workload_h.tolist() == [8.0, 8.0]
    assert plan.travel_min == 24.0  # each half: 2 x 4 areas around a centre
    assert plan.objective == plan.travel_min
    assert plan.spread.band == 0
    borders = grid_borders(4, 4).toarray()
    cut = borders[np.ix_(plan.district_of == 0, plan.district_of == 1)].sum()
    assert plan.shape.cut_pairs == plan.shape.border_km == cut
    assert np.isnan(plan.bound)
    assert np.isnan(plan.gap)
    assert not plan.moved.any()
    assert plan.stray == ()
    assert plan.work["steps"] > 0
    assert plan.district_of[plan.centre].tolist() == [0, 1]


def test_a_bound_stands_below_the_plan_and_meets_it_on_a_tiny_grid():
    plan = design(compactness=0.0, proof="full")
    assert plan.bound <= plan.travel_min + 1e-9
    assert plan.gap == pytest.approx(0.0, abs=1e-4)
    quick = design(compactness=0.0, proof="prices")
    assert quick.bound <= plan.bound + 1e-6


def test_arrays_give_the_plan_that_frames_give():
    one = design(compactness=0.0)
    other = design_districts(
        EVEN, grid_borders(4, 4), grid_times_s(4, 4), num_districts=2, compactness=0.0,
        search=QUICK, proof="none", area_ids=[f"a{k}" for k in range(16)],
    )  # fmt: skip
    assert other.district_of.tobytes() == one.district_of.tobytes()
    assert other.area_ids == one.area_ids


def test_names_of_today_stay_where_most_workload_stays():
    today = np.roll(ROWS, 2)  # two areas of each row have the wrong name
    plan = design(today=today, compactness=0.0)
    assert plan.names == ("north", "south")
    again = design(today=np.array(plan.names)[plan.district_of], compactness=0.0)
    assert not again.moved.any()
    assert plan.moved.sum() <= 8


def test_more_districts_than_today_get_new_names_and_fewer_keep_the_best_known():
    more = design(today=ROWS, num_districts=4, compactness=0.0)
    assert more.names == ("north", "south", "new 1", "new 2")
    corners = np.array(list("wwxxwwxxyyzzyyzz"))
    fewer = design(today=corners, num_districts=2)
    assert len(fewer.names) == 2
    assert set(fewer.names) < set("wxyz")
    assert fewer.moved.sum() == 8


def test_the_default_price_of_borders_is_five_per_cent_of_travel_today():
    plan = design(today=ROWS)
    today = score_districts(ROWS, *frames(), travel_in_workload=False)
    price = 0.05 * today.travel_min / today.shape.border_km
    assert plan.objective == pytest.approx(plan.travel_min + price * plan.shape.border_km)
    strong = design(today=ROWS, compactness=2.0)
    assert strong.objective == pytest.approx(strong.travel_min + 2 * price * strong.shape.border_km)
    fixed = design(border_price=3.0)
    assert fixed.objective == pytest.approx(fixed.travel_min + 3 * fixed.shape.border_km)


def test_a_difference_of_loads_is_solved_as_half_a_band_and_said():
    calls = np.arange(1.0, 17.0)
    plan = design(calls, max_spread=0.06)
    assert plan.spread.max_minus_min <= 0.06
    assert "solved as +-0.03" in plan.notes[-1]


def test_areas_without_a_district_today_join_the_nearest_and_are_named():
    today = dict(zip([f"a{k}" for k in range(16)], ROWS, strict=True))
    today["a9"] = None
    plan = design(today=pd.Series(today))
    assert "area a9 has no district today: counted with" in plan.notes[0]


def test_travel_counts_as_work_by_default_where_calls_are_given():
    calls = np.array([20.0] + [1.0] * 15)
    plan = design_districts(*frames(calls), num_districts=2, band=0.3, search=QUICK, proof="none")
    minutes = grid_times_s(4, 4)[plan.centre[plan.district_of], np.arange(16)] / 60
    hours = calls + calls * minutes / 60
    loads = np.bincount(plan.district_of, weights=hours)
    assert plan.workload_h == pytest.approx(loads)
    assert plan.spread.band <= 0.3


def test_hours_of_travel_outside_the_band_are_said():
    calls = np.arange(1.0, 17.0)
    places = grid_frames(4, 4, calls)
    far = places[2] * 60.0  # an hour a step: hours depend on the centres more than on the calls
    plan = design_districts(
        places[0], places[1], far, num_districts=3, band=0.08, search=QUICK, proof="none"
    )
    said = any("with the travel of these districts" in note for note in plan.notes)
    assert said == (plan.spread.band > 0.08 + 1e-9)


def test_the_same_seed_gives_the_same_bytes():
    calls = np.arange(1.0, 17.0)
    one, other = (design(calls, num_districts=3, band=0.08) for _ in range(2))
    assert one.district_of.tobytes() == other.district_of.tobytes()
    assert one.objective == other.objective


def test_places_without_a_way_are_never_put_together():
    times = grid_times_s(4, 4)
    times[:8, 8:] = times[8:, :8] = np.inf  # a river between the rows
    plan = design_districts(
        EVEN, grid_borders(4, 4), times, num_districts=2, compactness=0.0, search=QUICK,
        proof="none",
    )  # fmt: skip
    assert plan.district_of.tolist() == [0] * 8 + [1] * 8
    with pytest.raises(InfeasibleError, match="no way leads to 8, 9, 10"):
        design_districts(
            EVEN, grid_borders(4, 4), times, num_districts=1, search=QUICK, proof="none"
        )


def square_city(order=range(16)):
    import geopandas as gpd
    import shapely

    corners = [divmod(k, 4) for k in order]
    shapes = [shapely.box(c * 1e3, r * 1e3, c * 1e3 + 1e3, r * 1e3 + 1e3) for r, c in corners]
    ids = [f"a{k}" for k in order]
    return area_neighbours(
        gpd.GeoDataFrame({"area_id": ids}, geometry=shapes, crs="EPSG:32610"), tolerance_m=0.0
    )


def test_polygons_give_the_compactness_of_each_district():
    workload, _, times = frames()
    score = score_districts(ROWS, workload, square_city(), times)
    half = 4 * np.pi * 8 / 12**2  # 2 by 4 km
    assert score.shape.polsby_popper == pytest.approx((half, half))
    assert score.shape.border_km == pytest.approx(4.0)
    whole = design_districts(
        workload, square_city(), times, num_districts=1, search=QUICK, proof="none"
    )
    assert whole.shape.polsby_popper == pytest.approx((np.pi / 4,))


def test_polygons_of_other_areas_or_in_another_order_are_refused():
    workload, _, times = frames()
    mixed = square_city(range(15, -1, -1))
    said = faults_of(design_districts, workload, mixed, times, num_districts=2)
    assert "another order" in said
    other = workload.assign(area_id=[f"b{k}" for k in range(16)])
    renamed = times.set_axis(other["area_id"]).set_axis(other["area_id"], axis=1)
    said = faults_of(design_districts, other, mixed, renamed, num_districts=2)
    assert "other areas than in workload" in said


def test_ids_that_came_as_numbers_are_the_same_ids():
    today = np.array([1.0] * 8 + [2.0] * 8)
    assert design(today=today).names == ("1", "2")


# --- scores ----------------------------------------------------------------------------------


def test_a_plan_drawn_by_hand_is_scored_by_the_same_numbers():
    plan = design(today=ROWS, compactness=0.0)
    drawn = np.array(plan.names)[plan.district_of]
    score = score_districts(drawn, *frames(), today=ROWS, travel_in_workload=False)
    assert score.travel_min == plan.travel_min
    assert score.spread == plan.spread
    assert score.shape == plan.shape
    assert score.moved.tolist() == plan.moved.tolist()
    with_travel = score_districts(drawn, *frames())
    assert with_travel.workload_h.sum() == pytest.approx(16 + plan.travel_min / 60)


def test_every_stray_area_of_a_drawn_plan_is_named():
    drawn = ROWS.copy()
    drawn[[0, 15]] = ["south", "north"]
    score = score_districts(drawn, *frames())
    assert score.stray == ("a0", "a15")


def test_a_drawn_plan_without_any_district_is_refused():
    said = faults_of(score_districts, [None] * 16, *frames())
    assert "no district at all" in said
    assert "3 entries" in faults_of(score_districts, ["x"] * 3, *frames())
    assert "ids of areas" in faults_of(score_districts, {"b7": "x"}, *frames())


# --- disruption, periods, sectors -------------------------------------------------------------


def test_more_changes_never_cost_more():
    calls = np.arange(1.0, 17.0)
    points = disruption_curve(
        *frames(calls), today=ROWS, max_moved=[16, 0, 2, 4], num_districts=2, band=0.15,
        travel_in_workload=False, search=QUICK,
    )  # fmt: skip
    assert [point.max_moved for point in points] == [0, 2, 4, 16]
    assert points[0].plan is None  # today's loads are far outside the band
    plans = [point.plan for point in points if point.plan is not None]
    assert len(plans) >= 2
    costs = [plan.travel_min for plan in plans]
    assert costs == sorted(costs, reverse=True)
    for point in points:
        if point.plan is not None:
            assert point.plan.moved.sum() <= point.max_moved


def test_loads_by_period_are_sums_over_the_districts():
    plan = design()
    hours = np.vstack([np.arange(16.0), np.ones(16)])
    loads = loads_by_period(plan, hours)
    assert loads.shape == (2, 2)
    assert loads[1].tolist() == [8.0, 8.0]
    assert loads[0].sum() == 120.0
    assert spread_of(loads[0]).band >= 0
    with pytest.raises(InputError, match="16 areas"):
        loads_by_period(plan, np.ones((2, 3)))


def test_distinct_plans_by_period_begin_with_the_common_one_and_keep_its_names():
    workload, neighbours, times = frames()
    common = design(today=ROWS)
    night = workload.assign(workload_h=[9.0, *EVEN[1:]], calls=[9.0, *EVEN[1:]])
    plans = districts_by_period(
        {"day": workload, "night": night}, neighbours, times, common=common, band=0.1,
        travel_in_workload=False, search=QUICK, proof="none",
    )  # fmt: skip
    assert not plans["day"].moved.any()
    assert plans["night"].moved.any()
    assert plans["night"].names == common.names
    assert plans["night"].spread.band <= 0.1


def test_districts_are_grouped_into_connected_sectors():
    workload, neighbours, times = grid_frames(4, 8, [1.0] * 32)
    plan = design_districts(
        workload, neighbours, times, num_districts=8, band=0.01, travel_in_workload=False,
        search=QUICK, proof="none",
    )  # fmt: skip
    sectors = group_districts(
        plan, workload, neighbours, times, num_sectors=2, search=QUICK, proof="none"
    )
    assert sectors.area_ids == plan.names
    assert sectors.workload_h.sum() == 32
    assert sectors.spread.band <= 0.25
    by_area = sectors.district_of[plan.district_of]
    assert pieces_of(grid_borders(4, 8), by_area)[0] == 2
    with pytest.raises(InputError, match="in its order"):
        group_districts(plan, workload[::-1], neighbours, times, num_sectors=2)


# --- faults, all at once ---------------------------------------------------------------------


def test_faults_of_the_wishes_are_named_together():
    said = faults_of(
        design, num_districts=17, band=-1.0, compactness=-1.0, max_moved=3, max_spread=-0.1
    )
    assert "num_districts: found 17, expected 1 to 16" in said
    assert "band: found -1.0" in said
    assert "max_spread: found -0.1" in said
    assert "compactness: found -1.0" in said
    assert "max_moved: found 3 without today" in said


def test_faults_of_the_work_and_times_are_named_together():
    workload, neighbours, times = frames()
    broken = workload.assign(workload_h=[-1.0, *EVEN[1:]])
    said = faults_of(design_districts, broken, neighbours, times.iloc[:, 1:], num_districts=2)
    assert "negative or missing at a0" in said
    assert "no times of a0" in said
    quiet = faults_of(
        design_districts, workload.assign(workload_h=0.0), neighbours, times, num_districts=2
    )
    assert "no work in any area" in quiet
    twice = workload.assign(area_id=["a0", "a0", *workload["area_id"][2:]])
    assert "a0 twice" in faults_of(design_districts, twice, neighbours, times, num_districts=2)
    assert "no column workload_h" in faults_of(
        design_districts, workload[["area_id"]], neighbours, times, num_districts=2
    )
    assert "values" in faults_of(
        design_districts, workload, neighbours, times, num_districts=2, calls=[1.0]
    )


def test_faults_of_arrays_are_named():
    def faults(neighbours=None, times=None):
        return faults_of(
            design_districts,
            EVEN,
            grid_borders(4, 4) if neighbours is None else neighbours,
            grid_times_s(4, 4) if times is None else times,
            num_districts=2,
        )

    assert "shape (3, 3)" in faults(times=np.zeros((3, 3)))
    assert "missing or negative seconds" in faults(times=-grid_times_s(4, 4) - 1)
    assert "shape (2, 2)" in faults(neighbours=sparse.csr_array((2, 2)))
    one_way = grid_borders(4, 4).tolil()
    one_way[0, 1] = 0
    assert "one direction only" in faults(neighbours=one_way.tocsr())


def test_faults_of_the_neighbours_are_named():
    workload, neighbours, times = frames()

    def faults(frame):
        return faults_of(design_districts, workload, frame, times, num_districts=2)

    island = neighbours[~(neighbours[["area_id", "neighbour_id"]] == "a15").any(axis=1)]
    assert "a15, an island" in faults(island)
    upper = neighbours["area_id"].isin([f"a{k}" for k in range(8)])
    lower = neighbours["neighbour_id"].isin([f"a{k}" for k in range(8, 16)])
    assert "a separate piece: a8, a9" in faults(neighbours[~(upper & lower)])
    corner = pd.DataFrame({"area_id": ["a0"], "neighbour_id": ["a5"], "border_km": [0.0]})
    assert "a0 and a5 with a border of 0 km: they touch at a corner only" in faults(
        pd.concat([neighbours, corner])
    )
    unknown = pd.DataFrame({"area_id": ["zz"], "neighbour_id": ["a5"], "border_km": [1.0]})
    assert "zz" in faults(pd.concat([neighbours, unknown]))
    assert "no column neighbour_id" in faults(neighbours[["area_id"]])


def test_a_link_without_a_border_joins_areas():
    workload, neighbours, times = frames()
    link = pd.DataFrame({"area_id": ["a0"], "neighbour_id": ["a5"], "border_km": [np.nan]})
    plan = design_districts(
        workload, pd.concat([neighbours, link]), times, num_districts=2, search=QUICK,
        proof="none",
    )  # fmt: skip
    assert plan.spread.band < 0.05


def test_locks_that_name_no_district_or_too_many_are_refused():
    assert "did you mean 'north'" in faults_of(design, today=ROWS, locked={"a0": "nort"})
    said = faults_of(design, locked={"a0": "x", "a1": "y", "a2": "z"})
    assert "at most num_districts = 2" in said
    corners = np.array(list("wwxxwwxxyyzzyyzz"))
    assert "4 districts today" in faults_of(design, today=corners, max_moved=3)


# --- rules that conflict ---------------------------------------------------------------------


def conflict(*args, **wishes):
    with pytest.raises(InfeasibleError) as caught:
        design(*args, **wishes)
    return caught.value.rules


def test_an_area_larger_than_a_district_is_named():
    rules = conflict([40.0, *EVEN[1:]])
    assert rules[0].startswith("every district's workload within 0.05")
    assert rules[1].startswith("area a0 alone has a workload of 40, a district at most")
    assert len(rules) == 2


def test_locks_are_kept():
    plan = design(locked={"a0": "x", "a15": "y"}, compactness=0.0)
    assert plan.names == ("x", "y")
    assert [plan.names[plan.district_of[k]] for k in (0, 15)] == ["x", "y"]
    today = np.roll(ROWS, 1)
    kept = design(today=today, locked={"a0": "south", "a15": "south"}, band=0.3)
    assert [kept.names[kept.district_of[k]] for k in (0, 15)] == ["south", "south"]


def test_the_locks_that_break_a_district_are_shown_and_no_others():
    wall = {f"a{k}": "wall" for k in (1, 4, 5)} | {"a0": "rest", "a15": "rest"}
    rules = conflict(locked=wall, band=0.9)
    assert sorted(rules) == [
        "area a0 is locked to rest",
        "area a1 is locked to wall",
        "area a15 is locked to rest",
        "area a4 is locked to wall",
    ]


def test_locks_with_more_work_than_a_district_conflict_with_the_band():
    locked = {f"a{k}": "x" for k in range(10)}
    rules = conflict(locked=locked, band=0.05)
    assert rules[0].startswith("every district's workload")
    assert len(rules) == 10  # nine areas are too many: one lock may stay
    assert conflict(locked=locked, max_spread=0.1)[0].startswith("largest less smallest")


def test_too_few_moves_conflict_with_the_band_alone():
    today = np.array(["north"] * 12 + ["south"] * 4)
    rules = conflict(today=today, max_moved=2, locked={"a0": "north"})
    assert rules == (
        "every district's workload within 0.05 of the mean, as a share of it",
        "at most 2 areas change district",
    )


def test_a_search_that_meets_nothing_says_so_and_how_near_it_came():
    calls = [3.0, 1.0, 3.0, 1.0]  # in a line, halves of 4 and 4 exist, thirds do not
    line = sparse.csr_array(np.eye(4, k=1) + np.eye(4, k=-1))
    times = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0))) * 60
    with pytest.raises(InfeasibleError) as caught:
        design_districts(calls, line, times, num_districts=3, band=0.2, search=QUICK, proof="none")
    assert "connected districts" in caught.value.rules
    assert "not proven: the search met none; its nearest lie within" in caught.value.rules[-1]


def test_a_conflict_of_locks_that_only_ways_show_is_said_as_not_proven():
    locked = {"a0": "x", "a15": "x", "a3": "y", "a12": "y"}  # the diagonals cross
    rules = conflict(locked=locked, band=0.9)
    assert "the locks" in rules


def test_a_search_without_starts_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        Search(starts=0)


def test_figures_of_nothing_are_nothing():
    nothing = np.empty(0, dtype=np.int64)
    assert spread_of(np.zeros(3)) == Spread(0.0, 0.0)
    borders = grid_borders(2, 2)
    apart = np.array([-1, -1, -1, -1])
    assert stray_areas(borders, apart, np.ones(4)).tolist() == nothing.tolist()
    alone = sparse.csr_array((2, 2))
    joined = join_nearest(np.array([0, -1]), alone, np.zeros((2, 2)), np.zeros((2, 2)), 1)
    assert joined.tolist() == [0, -1]  # no way leads there

"""Files and sentences of districts: what planners, GIS and CAD staff get."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from deploy_opt.inputs.district_files import read_districts
from deploy_opt.report import district_words as words
from deploy_opt.report.district_chart import curve_chart
from deploy_opt.report.district_colours import PALETTE, colours_of, distances
from deploy_opt.report.district_files import (
    area_frame,
    district_frame,
    district_writers,
    write_gpkg,
)
from deploy_opt.report.district_page import render_districts
from deploy_opt.report.district_results import CurvePoint, shares_of_mean, sums_by_district
from deploy_opt.report.district_rows import district_rows, figures, shift_rows
from deploy_opt.report.district_shapes import district_polygons, label_places, touching
from deploy_opt.report.district_summary import district_lines
from deploy_opt.report.district_tables import (
    curve_table,
    districts_table,
    loads_table,
    units_by_shift,
)
from deploy_opt.report.district_views import map_views
from deploy_opt.report.files import write_files
from district_towns import district_report


@pytest.fixture(scope="module")
def report():
    return district_report()


@pytest.fixture(scope="module")
def alone():
    """Districts drawn where there were none."""
    return district_report(with_today=False)


def units(report):
    """Two units by day, one by night, in every district."""
    hours = [(name, hour) for name in report.plan.names for hour in range(168)]
    frame = pd.DataFrame(hours, columns=["district", "hour"])
    day = (frame["hour"] % 24 >= 7) & (frame["hour"] % 24 < 19)
    return frame.assign(units=np.where(day, 2, 1), utilisation=0.4, response_p1_s=300.0)


def test_the_table_of_areas_has_the_pinned_columns_in_order(report):
    table = districts_table(report)
    pinned = "area_id district district_today moved locked workload_h calls centre_area_id"
    assert list(table.columns) == [*pinned.split(), "name"]
    assert table["area_id"].is_unique
    assert table["moved"].sum() == 8
    assert (table["moved"] == (table["district"] != table["district_today"])).all()
    assert table["workload_h"].sum() == pytest.approx(report.area_h.sum())
    centres = table.set_index("area_id")["district"]
    assert (centres[table["centre_area_id"]].to_numpy() == table["district"]).all()


def test_without_districts_today_the_column_is_empty(alone):
    table = districts_table(alone)
    assert table["district_today"].isna().all()
    assert not table["moved"].any()


def test_loads_of_the_shifts_sum_to_the_whole_in_both_arms(report):
    loads = loads_table(report)
    whole = loads[loads["shift"] == "all"].set_index(["arm", "district"])["workload_h"]
    parts = loads[loads["shift"] != "all"].groupby(["arm", "district"])["workload_h"].sum()
    assert parts.to_dict() == pytest.approx(whole.to_dict())
    assert whole["plan"].tolist() == [48, 48, 48]
    assert whole["baseline"].tolist() == [24, 48, 72]
    assert loads.groupby(["arm", "shift"])["share_of_mean"].mean().to_numpy() == pytest.approx(1.0)


def test_a_shift_with_districts_of_its_own_is_loaded_by_them(report):
    own = district_report(by_shift={"night": report.today})
    loads = loads_table(own).set_index(["arm", "shift", "district"])["workload_h"].sort_index()
    assert loads.loc["plan", "night"].to_dict() == {"West": 8, "Middle": 16, "East": 24}
    assert loads.loc["plan", "day"].to_dict() == {"West": 32, "Middle": 32, "East": 32}
    night = districts_table(own, "night")
    assert night["district"].tolist() == districts_table(own)["district_today"].tolist()
    assert night["workload_h"].sum() == 48
    assert "night (19–07 h) with districts of its own: −50 % to +50 %" in "\n".join(
        district_lines(own)
    )


def test_the_curve_is_told_with_its_missing_points(report):
    table = curve_table(report)
    assert table["max_moved"].tolist()[:2] == [0, 8]
    assert table["moved"].isna().tolist() == [True, False, False]
    assert table["travel_ratio"].iloc[1] == pytest.approx(
        report.plan.travel_min / report.today.travel_min
    )


def test_units_are_averaged_over_the_hours_of_a_shift(report):
    staffed = district_report(units=units(report))
    means = units_by_shift(staffed)
    assert means["day"].tolist() == [2, 2, 2]
    assert means["night"].tolist() == [1, 1, 1]
    assert shift_rows(staffed)[0]["cells"] == [
        {"share": "0 %", "units": "2"},
        {"share": "0 %", "units": "1"},
    ]
    tags = {view.key: view.tags for view in map_views(staffed, list(staffed.areas.frame.geometry))}
    assert tags["shift0"] == ("2 units, 0 %",) * 3
    assert units_by_shift(report) is None


def test_every_file_is_written_and_the_same_bytes_come_twice(tmp_path, report):
    full = district_report(units=units(report), by_shift={"night": report.today})
    first = write_files(tmp_path / "a", district_writers(full))
    second = write_files(tmp_path / "b", district_writers(full))
    assert first == second
    assert sorted(first) == [
        "district_areas.geojson",
        "district_loads.csv",
        "district_units.csv",
        "districts.csv",
        "districts.geojson",
        "districts.gpkg",
        "districts.html",
        "districts.json",
        "districts_curve.csv",
        "districts_night.csv",
    ]


@pytest.mark.parametrize("name", ["districts.csv", "districts.geojson", "districts.gpkg"])
def test_what_is_written_is_read_back_as_the_same_districts(tmp_path, report, name):
    write_files(tmp_path, district_writers(report))
    back = read_districts(tmp_path / name, report.areas)
    named = [back.names[k] for k in back.district_of]
    assert named == districts_table(report)["district"].tolist()


def test_shapes_are_valid_and_cover_the_city_once(tmp_path, report):
    write_files(tmp_path, district_writers(report))
    for source in ("districts.geojson", "districts.gpkg"):
        frame = gpd.read_file(tmp_path / source, layer="districts")
        assert len(frame) == 3
        assert frame.geometry.is_valid.all()
        assert frame.crs.to_epsg() == 4326
        metres = frame.to_crs(5070).area.sum()
        assert metres == pytest.approx(report.areas.frame.to_crs(5070).area.sum(), rel=1e-6)
    assert frame["moved_in"].tolist()[2] == ""
    assert frame["moved_out"].str.split().str.len().tolist()[1:] == [4, 4]
    layers = gpd.list_layers(tmp_path / "districts.gpkg")["name"].tolist()
    assert layers == ["districts", "areas"]
    areas = gpd.read_file(tmp_path / "districts.gpkg", layer="areas")
    assert areas["district"].tolist() == districts_table(report)["district"].tolist()


def test_areas_without_districts_today_are_written_too(tmp_path, alone):
    write_gpkg({"areas": area_frame(alone)}, tmp_path / "areas.gpkg")
    assert gpd.read_file(tmp_path / "areas.gpkg")["district_today"].isna().all()
    assert district_frame(alone)["moved_in"].tolist() == ["", "", ""]


def test_the_summary_holds_plain_values(tmp_path, report):
    write_files(tmp_path, district_writers(report))
    told = json.loads((tmp_path / "districts.json").read_text(encoding="utf-8"))
    assert told["plan"]["workload_h"] == {"West": 48.0, "Middle": 48.0, "East": 48.0}
    assert told["plan"]["moved"] == 8
    assert told["today"]["bound"] is None
    assert told["fewest_changes"]["moved"] == 8
    assert len(told["why"]) == 8


def test_the_lines_say_what_the_command_answers(report):
    lines = district_lines(report)
    assert lines[0] == (
        "3 districts, 24 areas: workload −50 % to +50 % of the mean today, 0 % to 0 % in the plan"
    )
    assert lines[1] == "largest minus smallest workload 0.0 % of the mean"
    assert lines[2].startswith("travel to calls: ")
    assert lines[2].endswith(
        "864 call-minutes a week, as much as today; proven: no districts within the band and the "
        "rules save more than 3.0 % of the travel"
    )
    assert lines[4] == "8 of 24 areas change district"
    assert lines[5].startswith("changing 8 areas already brings every district within 10 % of")
    assert lines[6] == "day (07–19 h): 0 % to 0 % of the shift's mean"


def test_without_districts_today_nothing_is_compared(alone):
    lines = district_lines(alone)
    assert lines[0] == "3 districts, 24 areas: workload 0 % to 0 % in the plan"
    assert "no bound was asked for" in lines[2]
    assert "today" not in " ".join(lines)
    assert words.headline(alone) == "3 districts, each within 0 % of the mean."
    assert words.change_sentence(alone).endswith("no districts of today.")
    assert words.why_sentences(alone) == []
    assert words.disruption_sentence(alone) == ""
    assert curve_chart(alone) is None
    assert figures(alone)[0]["note"] == "no districts today"
    assert district_rows(alone, dict.fromkeys(alone.plan.names, "#fff"))[0]["today"] == "–"
    assert [view.key for view in map_views(alone, list(alone.areas.frame.geometry))] == [
        "plan", "shift0", "shift1",
    ]  # fmt: skip


def test_a_plan_that_changes_nothing_says_so(report):
    same = district_report(plan=report.today, moved_back=(), curve=())
    assert words.change_sentence(same) == (
        "No area changes district; travel to calls is as much as today."
    )
    assert "as much as today" in district_lines(same)[2]


def test_the_fewest_changes_are_told_for_every_outcome(report):
    none = district_report(curve=(CurvePoint(1, None), CurvePoint(None, None)))
    assert words.disruption_sentence(none).startswith("No districts within the band were found")
    even = district_report(today=report.plan)
    assert words.disruption_sentence(even).startswith("Today's districts lie within 10 %")


def test_every_moved_area_is_told_with_its_reason(report):
    told = words.why_sentences(report)
    assert [row["kind"] for row in told].count("workload") == 8
    first = told[0]
    assert first["move"] == "Middle → West"
    assert first["work"] == "6 unit-hours a week"
    assert first["back"].startswith("Back in Middle: ")


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"split": (0,)}, "connection", "West would fall into pieces"),
        ({"outside": (1,)}, "workload", "Middle would have 120 % of the mean workload"),
        ({"travel_min": 30.0}, "travel", "% more"),
        ({"border_km": 0.4}, "shape", "borders would be 0.4 km longer"),
        ({"border_km": -0.4}, "free", "borders would be 0.4 km shorter. It could stay"),
        ({"travel_min": -30.0}, "free", "% less"),
        ({}, "free", "travel would be the same. It could stay (Middle 120 %, West 90 % of"),
    ],
)
def test_the_reason_is_the_rule_that_speaks_most_against_a_return(report, change, kind, said):
    from deploy_opt.plan.districting.moved_back import MovedBack

    values = {"travel_min": 0.0, "border_km": 0.0, "outside": (), "split": ()} | change
    area = int(np.flatnonzero(report.plan.moved)[0])
    found = MovedBack(area=area, before=1, after=0, loads=(1.2, 0.9), **values)
    told = words.why_sentences(district_report(moved_back=(found,)))
    row = next(one for one in told if one["area_id"] == report.area_ids[area])
    assert row["kind"] == kind
    assert said in row["back"]
    assert {one["kind"] for one in told if one is not row} == {"new"}


def test_the_proof_is_told_for_every_outcome(report):
    from dataclasses import replace

    plan = report.plan
    assert words.bound_sentence(replace(plan, bound=plan.travel_min)).endswith("less travel.")
    assert "save more than 2.0 %" in words.bound_sentence(
        replace(plan, bound=0.98 * plan.travel_min)
    )
    assert words.bound_sentence(replace(plan, bound=np.nan)).startswith("No bound")
    still = replace(plan, travel_min=0.0)
    assert words.less_travel(plan, still) == "as much"


def test_a_plan_drawn_by_hand_is_told_which_rules_it_breaks(report):
    from dataclasses import replace

    assert words.broken_rules(report) == []
    drawn = replace(report.today, stray=("A0000", "A0001"))
    by_hand = district_report(plan=drawn, drawn_by_hand=True, moved_back=(), curve=())
    assert words.broken_rules(by_hand) == [
        "not within 10 % of the mean workload: West −50.0 %, East +50.0 %",
        "cut off from the rest of their district: A0000, A0001",
    ]
    assert "rule not kept: not within 10 %" in " ".join(district_lines(by_hand))
    page = render_districts(by_hand)
    assert "Rules not kept:" in page
    assert "drawn by hand" in page


def test_the_chart_shows_today_and_what_keeps_the_band(report):
    chart = curve_chart(district_report(curve=(*report.curve, CurvePoint(4, report.today))))
    assert [spot["look"] for spot in chart["spots"]] == ["today", "limit", "optimal"]
    assert chart["rows"][0]["travel"] == "none found"


def test_neighbours_never_share_a_colour_and_few_districts_share_none():
    ring = np.zeros((12, 12), dtype=bool)
    for k in range(12):
        for step in (1, 2, 3):
            ring[k, (k + step) % 12] = ring[(k + step) % 12, k] = True
    colours = colours_of(ring)
    assert all(colours[a] != colours[b] for a, b in zip(*np.nonzero(ring), strict=True))
    assert len(set(colours_of(np.zeros((8, 8), dtype=bool)))) == len(PALETTE)
    apart = distances()
    assert (apart[~np.eye(len(PALETTE), dtype=bool)] > 8).all()


def test_names_stand_inside_and_borders_are_found(report):
    polygons = district_polygons(report.areas, report.plan.district_of, 3)
    places = label_places(polygons)
    for polygon, place in zip(polygons, gpd.points_from_xy(*places.T), strict=True):
        assert polygon.contains(place)
    assert touching(polygons, 3).tolist() == [
        [False, True, False], [True, False, True], [False, True, False],
    ]  # fmt: skip
    empty = district_polygons(report.areas, report.plan.district_of, 4)[3:]
    assert label_places(empty).tolist() == [[0.0, 0.0]]
    assert not touching(empty, 1).any()


def test_shares_and_sums_are_those_of_the_districts(report):
    assert sums_by_district(report.workload_h, report.plan).tolist() == [[32, 16]] * 3
    assert shares_of_mean(np.zeros(2)).tolist() == [1.0, 1.0]


def test_a_long_list_of_reasons_is_cut_and_the_rest_is_said():
    page = render_districts(district_report(width=10, height=40))
    assert page.count('<b class="kind">') == 60
    assert "and 20 more in districts.json" in page


def test_land_and_roads_lie_behind_the_districts(report):
    from deploy_opt.inputs.base_map import BaseMap
    from deploy_opt.report.district_views import map_layers, view_colours
    from deploy_opt.report.outlines import outlines

    ring = np.array([[-75.1, 42.9], [-74.8, 42.9], [-74.8, 43.2], [-75.1, 43.2], [-75.1, 42.9]])
    road = np.array([[-75.0, 43.005], [-74.95, 43.03]])
    drawn = district_report(
        lines=(("primary", (road,)), ("street", ())), base_map=BaseMap(((ring,),), (), ())
    )
    shapes = outlines(drawn)
    views = map_views(drawn, shapes.areas)
    layers = map_layers(drawn, shapes, views, view_colours(views))
    assert [layer.kind for layer in layers] == ["land", "areas", "lines"]
    payload = layers[1].payload
    assert len(payload["shapes"]) == 24
    assert [view["hatched"] for view in payload["views"]] == [True, False, True, False, False]
    assert payload["views"][0]["under"]
    assert not payload["views"][1]["under"]
    assert render_districts(drawn).count("DeployMap.layer(") == 3


def test_the_page_says_the_main_numbers_without_a_script(report):
    page = render_districts(report)
    assert page == render_districts(report)
    for said in ("Squareville Police", "Why this boundary", "8 of 24 areas change", "a note"):
        assert said in page
    assert (
        "http"
        not in page.replace("http://www.w3.org/2000/svg", "")
        .split("<main>")[1]
        .split("<script>")[0]
    )

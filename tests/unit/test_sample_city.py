"""The files of the sample city fit together and keep the formats that readers expect."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import shapely
from icalendar import Calendar
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from deploy_opt.errors import InputError
from deploy_opt.inputs.city import clock, draws
from deploy_opt.inputs.city.layout import _cells, make_ground, to_degrees
from deploy_opt.inputs.city.places import METRES_PER_DEGREE
from deploy_opt.inputs.city.response import drive_seconds
from deploy_opt.inputs.city.streets import make_streets
from deploy_opt.inputs.sample_city import CITY_NAME, CITY_SEED, CITY_TIME_ZONE, true_rates
from deploy_opt.seeds import stream

CITY = Path(__file__).parents[2] / "data" / "sample_city"
ZONE = ZoneInfo(CITY_TIME_ZONE)
CLOCKS = ["received", "dispatched", "enroute", "arrived", "departed", "at_hospital", "cleared"]


def read_geojson(name):
    return json.loads((CITY / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def areas():
    features = read_geojson("areas.geojson")["features"]
    return {
        one["properties"]["area_id"]: shapely.Polygon(*one["geometry"]["coordinates"])
        for one in features
    }


@pytest.fixture(scope="module")
def ems():
    return pd.read_csv(CITY / "incidents_ems.csv.gz", dtype={"incident_id": str})


@pytest.fixture(scope="module")
def roads():
    nodes = pd.read_csv(CITY / "road_nodes.csv")
    arcs = pd.read_csv(CITY / "road_arcs.csv")
    row = pd.Series(np.arange(len(nodes)), index=nodes["node_id"])
    return nodes, arcs, row[arcs["from_node"]].to_numpy(), row[arcs["to_node"]].to_numpy()


def metres(lon, lat):
    return np.column_stack([lon, lat]) * np.array(METRES_PER_DEGREE)


def test_every_file_is_called_synthetic():
    assert "synthetic" in CITY_NAME
    for name in ("areas.geojson", "base_map.geojson"):
        collection = read_geojson(name)
        assert collection["synthetic"] is True
        assert all(one["properties"]["synthetic"] is True for one in collection["features"])
    assert "synthetic" in (CITY / "events.ics").read_text(encoding="utf-8")
    assert "synthetic" in (CITY / "truth" / "README.md").read_text(encoding="utf-8")
    assert json.loads((CITY / "truth" / "effects.json").read_text())["synthetic"] is True
    assert "synthetic" in (CITY.parent / "README.md").read_text(encoding="utf-8")


def test_no_file_is_too_large_for_the_repository():
    sizes = {path.name: path.stat().st_size for path in CITY.rglob("*") if path.is_file()}
    assert max(sizes.values()) < 3_500_000
    assert sum(sizes.values()) < 12_000_000


def test_areas_are_a_valid_coverage_with_unique_names_in_several_scripts(areas):
    assert 40 <= len(areas) <= 60
    shapes = np.array(list(areas.values()))
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    names = [one["properties"]["name"] for one in read_geojson("areas.geojson")["features"]]
    assert len(set(names)) == len(names)
    assert sum(not name.isascii() for name in names) >= 4


def test_base_map_has_valid_land_and_water_around_the_areas(areas):
    features = read_geojson("base_map.geojson")["features"]
    shapes = {kind: [] for kind in ("land", "water")}
    for one in features:
        shapes[one["properties"]["kind"]].append(shapely.geometry.shape(one["geometry"]))
    assert all(shape.is_valid for kind in shapes.values() for shape in kind)
    land, water = shapely.union_all(shapes["land"]), shapely.union_all(shapes["water"])
    city = shapely.union_all(list(areas.values()))
    assert city.difference(land.buffer(2e-5)).area == pytest.approx(0.0, abs=1e-12)
    assert city.intersection(water).area < 1e-6
    assert land.intersection(water).area < 1e-6


def test_two_seeds_make_two_cities_that_both_hold_together():
    grounds = [make_ground(seed) for seed in (1, 2)]
    for seed, ground in zip((1, 2), grounds, strict=True):
        shapes = np.array([to_degrees(shape) for shape in ground.areas])
        assert shapely.coverage_is_valid(shapes)
        assert all(shape.geom_type == "Polygon" for shape in ground.areas)
        streets = make_streets(ground, seed)
        assert np.isfinite(drive_seconds(streets, np.array([0]), siren=True)).all()
        assert np.isfinite(drive_seconds(streets, np.array([0]), siren=True, towards=True)).all()
    assert not grounds[0].areas[0].equals(grounds[1].areas[0])


def test_a_piece_of_a_cell_beyond_a_bay_goes_to_its_neighbour():
    bay = shapely.Polygon([(0, 0), (3, 0), (3, 3), (2, 3), (2, 0.6), (1, 0.6), (1, 3), (0, 3)])
    points = np.array([(0.5, 2.5), (2.5, 0.2)])
    cells = _cells(bay, points, stream(CITY_SEED, "test", "bay"))
    assert [cell.geom_type for cell in cells] == ["Polygon", "Polygon"]
    assert cells[1].contains(shapely.Point(2.5, 2.9))
    assert shapely.coverage_is_valid(np.array(cells))
    assert sum(cell.area for cell in cells) == pytest.approx(bay.area, abs=1e-3)


def test_road_graph_is_one_strong_component_of_a_believable_size(roads):
    nodes, arcs, start, end = roads
    assert 1500 <= len(nodes) <= 2500
    graph = coo_array((np.ones(len(arcs)), (start, end)), (len(nodes), len(nodes)))
    assert connected_components(graph, directed=True, connection="strong")[0] == 1
    assert set(arcs["road_class"]) == {"motorway", "primary", "secondary", "residential"}
    pairs = set(zip(arcs["from_node"], arcs["to_node"], strict=True))
    assert len(pairs) == len(arcs)
    assert sum((b, a) not in pairs for a, b in pairs) > 100


def test_arc_lengths_and_times_agree_with_the_map(roads):
    nodes, arcs, start, end = roads
    at = metres(nodes["lon"], nodes["lat"])
    straight = np.hypot(*(at[start] - at[end]).T)
    assert np.abs(arcs["length_m"] - straight).max() < 1.0
    assert (arcs["siren_s"] < arcs["regular_s"]).all()
    kph = arcs["length_m"] / arcs["siren_s"] * 3.6
    middle = kph.groupby(arcs["road_class"]).median()
    order = ["residential", "secondary", "primary", "motorway"]
    assert middle[order].is_monotonic_increasing
    assert kph.between(30, 100).all()


def test_only_the_two_bridges_join_the_banks(roads):
    nodes, arcs, start, end = roads
    outside = json.loads((CITY / "truth" / "effects.json").read_text())["outside_any_model"]
    week = outside["closed_bridge_week"]
    bridges = [set(week["bridge_nodes"]), set(week["minor_bridge_nodes"])]
    pairs = [{a, b} for a, b in zip(arcs["from_node"], arcs["to_node"], strict=True)]
    without = np.array([pair not in bridges for pair in pairs])
    graph = coo_array(
        (np.ones(without.sum()), (start[without], end[without])), (len(nodes), len(nodes))
    )
    num_parts, label = connected_components(graph, directed=False)
    assert num_parts == 2
    assert np.bincount(label).min() > 500


def test_a_closed_main_bridge_lengthens_drives_across_the_river():
    ground = make_ground(CITY_SEED)
    streets = make_streets(ground, CITY_SEED)
    west, east = streets.start[streets.bridges[0]], streets.end[streets.bridges[0]]
    usual = drive_seconds(streets, np.array([west]), siren=True)
    detour = drive_seconds(streets, np.array([west]), siren=True, closed=True)
    assert (detour >= usual).all()
    assert detour[east] > usual[east] + 300
    assert detour[west] == usual[west] == 0


def test_posts_and_hospitals_stand_on_street_corners_inside_the_city(roads, areas):
    nodes = roads[0]
    corners = set(zip(nodes["lon"], nodes["lat"], strict=True))
    posts = pd.read_csv(CITY / "posts.csv")
    hospitals = pd.read_csv(CITY / "hospitals.csv")
    for table in (posts, hospitals):
        assert all(at in corners for at in zip(table["lon"], table["lat"], strict=True))
    assert posts["post_id"].is_unique
    assert not posts.duplicated(["lon", "lat"]).any()
    assert posts["current"].sum() == 10
    assert (~posts["current"]).sum() >= 20
    assert len(hospitals) == 3
    city = shapely.union_all(list(areas.values()))
    assert shapely.contains_xy(city, posts["lon"], posts["lat"]).all()


def test_roster_fills_stations_within_capacity_all_week():
    posts = pd.read_csv(CITY / "posts.csv").set_index("post_id")
    roster = pd.read_csv(CITY / "roster.csv")
    assert not roster.duplicated(["hour", "post_id", "unit_type"]).any()
    on_duty = roster.groupby("hour")["units"].sum()
    assert on_duty.index.tolist() == list(range(168))
    assert on_duty.between(9, 13).all()
    assert 1700 <= on_duty.sum() <= 1900
    assert posts.loc[roster["post_id"], "current"].all()
    assert (roster["units"].to_numpy() <= posts.loc[roster["post_id"], "capacity"]).all()
    assert posts["units_today"].sum() == on_duty.loc[10]


def test_population_has_a_row_for_every_area_and_shares_between_0_and_1(areas):
    people = pd.read_csv(CITY / "population.csv")
    assert people["area_id"].tolist() == list(areas)
    shares = people.filter(like="share_")
    assert shares.shape[1] >= 4
    assert ((shares > 0) & (shares < 1)).to_numpy().all()
    assert people["income_tercile"].value_counts().between(17, 18).all()
    low = people.loc[people["income_tercile"] == "low", "share_low_income"].min()
    assert low >= people.loc[people["income_tercile"] == "high", "share_low_income"].max()


@pytest.mark.parametrize(
    "name",
    [
        "incidents_ems",
        "incidents_police_2024",
        "incidents_police_2025",
        "incidents_police_2026",
        "incidents_crisis",
        "truth/realised_week_police",
    ],
)
def test_every_time_carries_the_offset_of_its_instant(name):
    table = pd.read_csv(CITY / f"{name}.csv.gz", usecols=lambda column: column.endswith("_at"))
    for column in table:
        text = table[column].dropna()
        instant = pd.to_datetime(text, utc=True)
        local = instant.dt.tz_convert(ZONE).dt.tz_localize(None)
        written = pd.to_datetime(text.str[:19])
        assert (local == written).all()


def test_calls_fall_in_both_passes_of_the_repeated_hour_and_never_in_the_gap(ems):
    police = pd.read_csv(CITY / "incidents_police_2024.csv.gz")
    text = pd.concat([ems["received_at"], police["received_at"]])
    twice = text[text.str.startswith("2024-11-03T01")].str[-6:]
    assert set(twice) == {"-04:00", "-05:00"}
    for day in ("2024-03-10", "2025-03-09"):
        assert not text.str.startswith(f"{day}T02").any()


def test_located_calls_lie_in_their_area(ems, areas):
    located = ems.dropna(subset=["lon"])
    for area_id, calls in located.groupby("area_id"):
        shape = areas[area_id].buffer(1e-5)
        shapely.prepare(shape)
        assert shapely.contains_xy(shape, calls["lon"], calls["lat"]).all()


def test_clocks_of_an_ambulance_run_forwards(ems):
    at = [pd.to_datetime(ems[f"{clock_}_at"], utc=True) for clock_ in CLOCKS]
    cleared = at[-1]
    for before, after in pairwise(at):
        both = before.notna() & after.notna()
        assert (before[both] <= after[both]).all()
    assert (at[3].dropna() <= cleared[at[3].notna()]).all()
    assert ems["departed_at"].notna().equals(ems["at_hospital_at"].notna())
    assert at[0].is_monotonic_increasing


def test_ambulance_drives_agree_with_the_road_graph(ems, roads):
    nodes, arcs, start, end = roads
    posts = pd.read_csv(CITY / "posts.csv").query("current")
    corner = {at: k for k, at in enumerate(zip(nodes["lon"], nodes["lat"], strict=True))}
    origin = [corner[at] for at in zip(posts["lon"], posts["lat"], strict=True)]
    size = len(nodes)
    graph = coo_array((arcs["siren_s"], (start, end)), (size, size)).tocsr()
    reach = dijkstra(graph, indices=origin).min(axis=0)
    calls = ems.dropna(subset=["lon", "arrived_at"]).query("initial_priority == 1")
    calls = calls.drop_duplicates("incident_id").head(3000)
    place = metres(nodes["lon"], nodes["lat"])
    spot = metres(calls["lon"], calls["lat"])
    near = np.argmin(np.hypot(*(spot[:, None] - place[None]).transpose(2, 0, 1)), axis=1)
    drive = pd.to_datetime(calls["arrived_at"], utc=True) - pd.to_datetime(
        calls["enroute_at"], utc=True
    )
    ratio = drive.dt.total_seconds().to_numpy() / (reach[near] + 15.0)
    assert 1.0 <= np.median(ratio) <= 1.6
    assert (ratio > 0.5).mean() > 0.97


def test_police_records_say_who_started_the_call():
    police = pd.concat(
        pd.read_csv(CITY / f"incidents_police_{year}.csv.gz") for year in (2024, 2025, 2026)
    )
    assert police["self_initiated"].dtype == bool
    assert 0.32 < police["self_initiated"].mean() < 0.38
    assert police["call_type"].nunique() >= 24
    own = police[police["self_initiated"]]
    assert (own["received_at"] == own["arrived_at"]).all()


def test_weather_file_has_the_layout_of_open_meteo_and_covers_the_calendar():
    lines = (CITY / "weather_hourly.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("latitude,longitude,elevation,utc_offset_seconds,timezone,")
    assert lines[1].split(",")[3:] == ["0", "GMT", "GMT"]
    assert not lines[2]
    assert lines[3].startswith("time,temperature_2m (°C),relative_humidity_2m (%),precipitation")
    table = pd.read_csv(CITY / "weather_hourly.csv", skiprows=3, parse_dates=["time"])
    assert (table["time"].diff().dropna() == pd.Timedelta("1h")).all()
    start = dt.datetime(2024, 3, 4, tzinfo=ZONE).astimezone(dt.UTC).replace(tzinfo=None)
    end = dt.datetime(2026, 5, 25, tzinfo=ZONE).astimezone(dt.UTC).replace(tzinfo=None)
    assert table["time"].min() <= start
    assert table["time"].max() >= end
    assert not table.isna().to_numpy().any()
    assert table["temperature_2m (°C)"].between(-30, 40).all()


def test_both_event_files_tell_the_same_events():
    table = pd.read_csv(CITY / "events.csv")
    calendar = Calendar.from_ical((CITY / "events.ics").read_bytes())
    found = [
        (
            str(event["SUMMARY"]),
            event["DTSTART"].dt.timestamp(),
            event["DTEND"].dt.timestamp(),
            float(event["GEO"].latitude),
            int(event["X-ATTENDANCE"]),
        )
        for event in calendar.walk("VEVENT")
    ]
    listed = [
        (
            row.name_,
            dt.datetime.fromisoformat(row.start).timestamp(),
            dt.datetime.fromisoformat(row.end).timestamp(),
            row.lat,
            row.attendance,
        )
        for row in table.rename(columns={"name": "name_"}).itertuples()
    ]
    assert found == listed
    assert len(found) > 60
    assert table["start"].max() > "2026-04"


def test_schools_teach_about_180_workdays_a_year_and_never_on_holidays():
    dates = pd.to_datetime(pd.read_csv(CITY / "school_days.csv")["date"])
    assert (dates.dt.dayofweek < 5).all()
    assert not set(dates.dt.date) & set(clock.all_holidays())
    year = dates[(dates >= "2024-09-01") & (dates < "2025-09-01")]
    assert 175 <= len(year) <= 190


def test_holiday_rules_agree_with_the_holidays_package():
    holidays = pytest.importorskip("holidays")
    for year in (2024, 2025, 2026):
        known = holidays.country_holidays("US", years=year, observed=False)
        assert clock.holidays_of(year).keys() == {day for day in known if day.year == year}


def test_true_rates_cover_history_and_twelve_weeks_with_clock_changes():
    rates = true_rates(CITY, "coresponse")
    assert rates.columns.tolist() == ["service", "area_id", "hour", "rate", "hours"]
    one = rates[rates["area_id"] == "A01"].set_index("hour")
    assert one.index[0] == pd.Timestamp("2024-03-04")
    assert one.index[-1] == pd.Timestamp("2026-05-24 23:00")
    assert one.index[one["hours"] == 2].tolist() == [
        pd.Timestamp("2024-11-03 01:00"),
        pd.Timestamp("2025-11-02 01:00"),
    ]
    assert pd.Timestamp("2025-03-09 02:00") not in one.index
    assert (rates["rate"] > 0).all()


def test_true_rates_name_the_nearest_service():
    with pytest.raises(InputError, match="did you mean 'police'"):
        true_rates(CITY, "polce")


def test_true_rates_need_a_truth_folder(tmp_path):
    with pytest.raises(InputError, match=r"levels\.csv"):
        true_rates(tmp_path, "ems")


def test_draws_have_the_moments_of_their_laws():
    rng = stream(CITY_SEED, "test", "draws")
    mean = np.tile([0.1, 3.0, 12.0], (20_000, 1))
    counts = draws.poisson(rng, mean)
    assert counts.shape == mean.shape
    error = np.sqrt(mean[0] / 20_000)
    assert (np.abs(counts.mean(axis=0) - mean[0]) < 5 * error).all()
    assert counts.var(axis=0) == pytest.approx(mean[0], rel=0.08)
    gamma = draws.gamma_of_mean_one(rng, 20_000, sd=0.2)
    assert gamma.mean() == pytest.approx(1.0, abs=0.01)
    assert gamma.std() == pytest.approx(0.2, rel=0.05)
    assert np.median(draws.lognormal(rng, np.full(20_000, 7.0), sigma=0.5)) == pytest.approx(
        7.0, rel=0.03
    )
    picked = np.bincount(draws.pick(rng, np.array([1.0, 0.0, 3.0]), 20_000), minlength=3)
    assert picked[1] == 0
    assert picked[2] / 20_000 == pytest.approx(0.75, abs=0.02)

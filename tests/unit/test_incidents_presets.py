"""Every shipped preset reads a hand-made file that holds each trap of its source."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.mapping import load_preset, preset_names
from deploy_opt.tables import TABLES

FOLDER = Path(__file__).parent / "fixtures" / "incidents"
TRUTH = yaml.safe_load((FOLDER / "truth.yaml").read_text(encoding="utf-8"))


def read(case):
    truth = TRUTH[case]
    files = [FOLDER / name for name in truth["files"]]
    return read_incidents(files, load_preset(truth["preset"]), **truth.get("with", {}))


def row_of(incidents, number):
    return incidents.frame.set_index("incident_id").loc[number]


def wall(value):
    return f"{value:%Y-%m-%d %H:%M:%S}"


def test_every_preset_has_a_fixture_and_says_when_its_layout_was_seen():
    assert {truth["preset"] for truth in TRUTH.values()} == set(preset_names())
    assert all(load_preset(name).schema_seen is not None for name in preset_names())
    assert all(load_preset(name).source for name in preset_names())


@pytest.mark.parametrize("case", TRUTH)
def test_the_counts_of_the_traps_are_those_of_the_truth_table(case):
    truth, incidents = TRUTH[case], read(case)
    found = incidents.traps[
        (incidents.traps["count"] > 0) & (incidents.traps["trap"] != "absent_column")
    ]
    counts = found.groupby(found["trap"] + " " + found["field"])["count"].sum()
    assert {key.strip(): int(n) for key, n in counts.items()} == truth["traps"]
    assert (incidents.num_rows_read, incidents.num_kept) == (truth["rows"], truth["kept"])
    assert (found["treatment"] != "").all()
    assert (found["examples"] != "").all()


@pytest.mark.parametrize("case", TRUTH)
def test_the_frame_keeps_the_contract(case):
    frame = read(case).frame
    assert list(frame.columns) == TABLES["incidents.parquet"].names
    assert frame["incident_id"].is_unique
    for column in TABLES["incidents.parquet"].columns:
        if column.needed:
            assert frame[column.name].notna().all(), column.name
        if column.kind == "zoned time":
            assert isinstance(frame[column.name].dtype, pd.DatetimeTZDtype)
            assert frame[column.name].dtype.unit == "ns"
        elif column.kind in {"id", "text"}:
            assert frame[column.name].dtype == object
            assert {type(v) for v in frame[column.name]} <= {str, type(None)}
    assert str(frame["num_units"].dtype) == str(frame["tier"].dtype) == "Int64"
    assert str(frame["self_initiated"].dtype) == "boolean"


def test_new_orleans_keeps_its_afternoons():
    incidents = read("new_orleans")
    assert wall(row_of(incidents, "A0000123")["received_at"]) == "2023-01-02 13:30:00"
    assert wall(row_of(incidents, "A0000223")["received_at"]) == "2023-01-02 01:30:00"
    assert wall(row_of(incidents, "A0000323")["received_at"]) == "2023-01-02 00:10:00"
    assert wall(row_of(incidents, "A0000423")["received_at"]) == "2023-01-02 12:10:00"


def test_new_orleans_feet_become_degrees_in_new_orleans():
    # Louisiana South: false easting 1,000,000 m at 91 deg 20 min W; 3,280,833.33 US survey feet.
    from pyproj import CRS, Transformer

    row = row_of(read("new_orleans"), "A0000123")
    by_hand = CRS.from_proj4(
        "+proj=lcc +lat_1=29.3 +lat_2=30.7 +lat_0=28.5 +lon_0=-91.33333333333333 "
        "+x_0=1000000 +y_0=0 +datum=NAD83 +units=us-ft"
    )
    lon, lat = Transformer.from_crs(by_hand, "EPSG:4269", always_xy=True).transform(
        3_680_000, 530_000
    )
    assert (row["lon"], row["lat"]) == pytest.approx((lon, lat), abs=2e-5)
    assert (row["lon"], row["lat"]) == pytest.approx((-90.07, 29.95), abs=0.02)


def test_nyc_zip_codes_come_out_in_five_digits_and_flags_are_obeyed():
    incidents = read("nyc_ems")
    assert row_of(incidents, "230000002")["area_id"] == "10001"
    assert row_of(incidents, "230000003")["area_id"] == "10025"
    assert row_of(incidents, "230000017")["area_id"] is None
    assert pd.isna(row_of(incidents, "230000004")["dispatched_at"])
    assert pd.isna(row_of(incidents, "230000005")["arrived_at"])
    assert "230000006" not in set(incidents.frame["incident_id"])


def test_nyc_response_seconds_serve_where_there_is_no_scene_time():
    row = row_of(read("nyc_ems"), "230000012")
    assert (row["arrived_at"] - row["received_at"]).total_seconds() == 600


def test_a_repeated_autumn_time_is_the_second_hour_where_the_call_came_before_it():
    # Received 01:50 (first of the two), dispatched 01:10, at the scene 01:20, 1,800 s later.
    row = row_of(read("nyc_ems"), "230000010")
    assert str(row["received_at"]) == "2023-11-05 01:50:00-04:00"
    assert str(row["dispatched_at"]) == "2023-11-05 01:10:00-05:00"
    assert (row["arrived_at"] - row["received_at"]).total_seconds() == 1800


def test_a_time_in_the_spring_gap_is_read_an_hour_later():
    row = row_of(read("nyc_ems"), "230000009")
    assert str(row["received_at"]) == "2023-03-12 03:30:00-04:00"


def test_seattle_units_are_joined_into_their_event():
    event = row_of(read("seattle_spd"), "2024000001")
    assert event["num_units"] == 3
    assert wall(event["dispatched_at"]) == "2024-05-14 09:02:00"
    assert wall(event["arrived_at"]) == "2024-05-14 09:08:00"
    assert wall(event["cleared_at"]) == "2024-05-14 09:55:00"


def test_seattle_api_names_and_csv_headers_give_the_same_incidents():
    pd.testing.assert_frame_equal(read("seattle_spd").frame, read("seattle_spd_csv_headers").frame)


def test_seattle_response_seconds_with_commas_fill_a_missing_scene_time():
    row = row_of(read("seattle_spd"), "2024000006")
    assert (row["arrived_at"] - row["received_at"]).total_seconds() == 1800


def test_seattle_redacted_places_are_missing_and_onview_is_marked():
    incidents = read("seattle_spd")
    assert pd.isna(row_of(incidents, "2024000002")["lon"])
    assert bool(row_of(incidents, "2024000004")["self_initiated"])
    assert row_of(incidents, "2024000007")["area_id"] is None


def test_detroit_minutes_become_seconds_and_both_layouts_are_read():
    old = read("detroit").frame
    assert (old["arrived_at"] - old["received_at"]).dt.total_seconds().iloc[0] == 750
    new = row_of(read("detroit_new"), "202400001")
    assert str(new["received_at"]) == "2024-01-01 15:01:00-05:00"


def test_cincinnati_reads_both_ways_of_writing_times():
    incidents = read("cincinnati")
    assert wall(row_of(incidents, "CP000001")["received_at"]) == "2019-06-05 13:00:00"
    assert wall(row_of(incidents, "CP000008")["received_at"]) == "2024-06-05 13:00:00"
    assert row_of(incidents, "CP000015")["service"] == "fire"


def test_montgomery_takes_the_service_before_the_colon_and_the_type_after_it():
    frame = read("montgomery_pa").frame
    assert frame["service"].value_counts().to_dict() == {"ems": 14, "fire": 2}
    assert set(frame["call_type"]) == {"FALL VICTIM", "GAS-ODOR/LEAK", "FIRE ALARM"}


def test_the_old_seattle_layout_reads_two_styles_and_1900_as_nothing():
    incidents = read("seattle_spd_legacy")
    assert wall(row_of(incidents, "15000104001")["arrived_at"]) == "2015-04-04 10:08:47"
    assert pd.isna(row_of(incidents, "15000104010")["arrived_at"])


def test_generic_keeps_offsets_and_takes_the_zone_for_times_without_one():
    incidents = read("generic")
    assert str(row_of(incidents, "G001")["received_at"]) == "2024-05-01 10:00:00-04:00"
    assert str(row_of(incidents, "G009")["arrived_at"]) == "2024-11-03 01:10:00-05:00"

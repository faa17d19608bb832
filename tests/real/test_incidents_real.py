"""The importer on real records; of the crisis file aggregates only."""

import os
from pathlib import Path

import pytest

from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.guess import guess_mapping
from deploy_opt.inputs.records.mapping import load_preset, parse_mapping

DATA = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA, reason="DEPLOY_OPT_REAL_DATA names no data folder"),
]

CRISIS = """
zone: America/Los_Angeles
service: coresponse
received_at: {columns: Dispatch Request Date & Time, formats: "%m/%d/%Y %H:%M"}
dispatched_at:
  {columns: Dispatch Date & Time, formats: "%m/%d/%Y %H:%M", midnight_is_missing: true}
arrived_at:
  {columns: Arrival on Scene Date & Time, formats: "%m/%d/%Y %H:%M", midnight_is_missing: true}
cleared_at:
  {columns: MCIT Departure Date & Time, formats: "%m/%d/%Y %H:%M", midnight_is_missing: true}
"""


def data(name):
    return Path(DATA or "") / name


def counts(incidents):
    return incidents.traps.groupby("trap")["count"].sum()


def fit(incidents):
    table = incidents.scorecard
    return table[table["measure"] == "fit"].set_index("use")["verdict"].to_dict()


def days(incidents, measure):
    table = incidents.scorecard
    return set(table.loc[table["measure"] == measure, "group"])


def test_manhattan_file_is_read_whole_with_its_afternoons_and_odd_responses():
    file = data("manhattan/ems_incidents_2013_2015.csv.gz")
    incidents = read_incidents(file, load_preset("nyc_ems"))
    assert (incidents.num_rows_read, incidents.num_kept) == (317_904, 317_904)
    found = counts(incidents)
    assert found["twelve_hour_clock"] == 317_904
    assert found["implausible_interval"] > 1000
    assert found["dst_repeat"] > 0
    by_hour = incidents.frame["received_at"].dt.hour.value_counts()
    assert by_hour[16] > 1.5 * by_hour[4]
    assert incidents.frame["area_id"].dropna().str.fullmatch(r"\d{5}").all()
    assert fit(incidents) == {
        "forecast": "fit",
        "response_times": "fit",
        "travel_times": "unfit",
        "service_times": "unfit",
        "areas": "fit",
    }


def test_montgomery_file_keeps_medical_and_fire_calls_and_drops_impossible_places():
    incidents = read_incidents(data("montgomery_pa/911.csv.gz"), load_preset("montgomery_pa"))
    assert incidents.num_rows_read == 99_492
    found = counts(incidents)
    assert incidents.num_kept + found["left_out"] + found["duplicate"] == 99_492
    assert found["bad_coordinates"] > 0
    assert incidents.frame["lon"].dropna().between(-75.9, -74.9).all()
    assert fit(incidents)["forecast"] == "limited"
    assert fit(incidents)["response_times"] == "unfit"


def test_seattle_2015_has_its_duplicates_its_dumped_days_and_officers_own_events():
    file = data("seattle_police/spd_911_response_2015.parquet")
    incidents = read_incidents(file, load_preset("seattle_spd_2015"))
    assert incidents.num_rows_read == 91_067
    found = counts(incidents)
    assert found["duplicate"] == 782
    assert incidents.num_kept == 91_067 - 782
    assert found["officer_initiated"] > 1000
    assert {"2015-01-24", "2015-01-25"} <= days(incidents, "outage_day")
    assert {"2015-01-31", "2015-02-01"} <= days(incidents, "dumped_day")
    assert fit(incidents)["response_times"] == "unfit"


def test_crisis_file_has_midnights_for_missing_times_and_an_absent_winter():
    incidents = read_incidents(
        data("mobile_crisis/dispatches.csv"), parse_mapping(CRISIS, "mapping", "crisis")
    )
    assert incidents.num_rows_read == 4682
    assert counts(incidents)["midnight_as_missing"] > 100
    months = incidents.frame["received_at"].dt.strftime("%Y-%m").value_counts()
    assert months.get("2024-12", 0) == 0
    assert "2024-12-15" in days(incidents, "outage_day")


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("manhattan/ems_incidents_2013_2015.csv.gz", "nyc_ems"),
        ("montgomery_pa/911.csv.gz", "montgomery_pa"),
        ("seattle_police/spd_911_response_2015.parquet", "seattle_spd_2015"),
    ],
)
def test_real_layouts_are_recognised(name, preset):
    assert guess_mapping(data(name)).preset == preset


def test_the_crisis_layout_is_guessed_with_its_midnights():
    mapping = guess_mapping(data("mobile_crisis/dispatches.csv")).mapping
    assert mapping.received_at.columns == ("Dispatch Request Date & Time",)
    assert mapping.dispatched_at.columns == ("Dispatch Date & Time",)
    assert mapping.arrived_at.midnight_is_missing
    assert mapping.service.constant == "coresponse"

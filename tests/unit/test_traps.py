"""Each trap is found where it is, shown with its row, and what was done is said."""

import numpy as np
import pytest

from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.mapping import parse_mapping
from deploy_opt.inputs.records.times import read_times
from deploy_opt.inputs.records.traps import (
    TRAPS,
    Finding,
    find_rows,
    format_traps,
    merge_findings,
    only_mixed,
    traps_table,
)

BASE = "incident_id: id\nreceived_at: t\nservice: ems\nzone: America/New_York\n"


def read(tmp_path, text, more="", base=BASE):
    file = tmp_path / "cad.csv"
    file.write_text(text, encoding="utf-8")
    return read_incidents(file, parse_mapping(base + more, "mapping", "mine"))


def found(incidents, trap):
    table = incidents.traps
    return table[(table["trap"] == trap) & (table["count"] > 0)]


def many(num, line, header="id,t"):
    return f"{header}\n" + "".join(line(i) + "\n" for i in range(num))


def test_every_trap_class_of_the_specification_has_a_name():
    wanted = (
        "twelve_hour_clock split_date_time thousands_comma sentinel_date redacted "
        "projected_coordinates minutes_or_seconds unit_rows officer_initiated dst_gap dst_repeat "
        "negative_interval renamed_column midnight_as_missing duplicate implausible_time"
    )
    assert set(wanted.split()) <= set(TRAPS)


def test_traps_that_were_not_found_are_listed_with_zero():
    table = traps_table([])
    assert table["trap"].tolist() == list(TRAPS)
    assert table["count"].sum() == 0


def test_findings_of_batches_add_up_and_keep_three_examples():
    marked = np.array([True, False, True, True, True])
    batch = find_rows("redacted", "lon", marked, lambda row: f"row {row}", "missing")
    (merged,) = merge_findings([*batch, *batch])
    assert (merged.count, merged.examples) == (8, ("row 0", "row 2", "row 3"))
    assert find_rows("redacted", "lon", ~marked & marked, str, "missing") == []


def test_one_way_of_writing_times_is_no_trap_and_the_rarer_of_two_is():
    usual = Finding("mixed_formats", "received_at", 9, ("a",), "read as iso")
    rare = Finding("mixed_formats", "received_at", 1, ("b",), "read as other")
    assert only_mixed([usual]) == []
    assert only_mixed([usual, rare]) == [rare]


def test_a_clock_that_lost_its_pm_is_seen_from_its_hours(tmp_path):
    lost = read(tmp_path, many(240, lambda i: f"{i},2024-01-{1 + i % 28:02d} {1 + i % 12:02d}:15"))
    assert found(lost, "twelve_hour_clock")["count"].tolist() == [240]
    assert "AM and PM were lost" in found(lost, "twelve_hour_clock")["treatment"].iloc[0]
    good = read(tmp_path, many(240, lambda i: f"{i},2024-01-{1 + i % 28:02d} {i % 24:02d}:15"))
    assert found(good, "twelve_hour_clock").empty


def test_dates_without_a_time_of_day_ask_for_its_column(tmp_path):
    dates = read(tmp_path, many(30, lambda i: f"{i},2024-01-{1 + i % 28:02d}"))
    assert found(dates, "split_date_time")["count"].tolist() == [30]
    assert "time_of_day" in found(dates, "split_date_time")["treatment"].iloc[0]


def test_a_date_and_a_clock_column_are_joined_as_the_mapping_says(tmp_path):
    base = BASE.replace(
        "received_at: t",
        "received_at: {columns: d, time_of_day: c, formats: '%m/%d/%Y %H%M'}",
    )
    incidents = read(tmp_path, "id,d,c\n1,01/02/2024,1330\n2,01/02/2024,0005\n3,,1200\n", base=base)
    assert incidents.frame["received_at"].dt.strftime("%H:%M").tolist() == ["13:30", "00:05"]
    assert found(incidents, "split_date_time")["count"].tolist() == [2]
    assert found(incidents, "no_call_time")["count"].tolist() == [1]


def test_seconds_that_are_minutes_are_seen_from_the_times_beside_them(tmp_path):
    text = many(10, lambda i: f"{i},2024-01-01 10:00,2024-01-01 10:12,12", "id,t,a,r")
    more = "arrived_at: {columns: a, since: {columns: r, unit: s}}\n"
    treatment = found(read(tmp_path, text, more), "minutes_or_seconds")["treatment"].iloc[0]
    assert "factor of 60" in treatment
    right = read(tmp_path, text, more.replace("unit: s", "unit: min"))
    assert found(right, "minutes_or_seconds")["treatment"].tolist() == [
        "read as min, as the mapping says"
    ]


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [("9", "s", "is the unit minutes?"), ("540", "min", "is the unit seconds?")],
)
def test_durations_alone_give_their_unit_away(tmp_path, value, unit, words):
    text = many(10, lambda i: f"{i},2024-01-01 10:00,{value}", "id,t,r")
    incidents = read(tmp_path, text, f"arrived_at: {{since: {{columns: r, unit: {unit}}}}}\n")
    assert any(words in t for t in found(incidents, "minutes_or_seconds")["treatment"])


def test_rows_of_units_in_a_file_of_events_are_suspected(tmp_path):
    text = many(20, lambda i: f"{i // 2},2024-01-01 10:00,2024-01-01 10:{i:02d}", "id,t,d")
    incidents = read(tmp_path, text, "dispatched_at: d\n")
    assert found(incidents, "unit_rows")["count"].tolist() == [20]
    assert "rows: unit" in found(incidents, "unit_rows")["treatment"].iloc[0]


def test_a_missing_time_written_as_midnight_is_kept_unless_the_mapping_says_so(tmp_path):
    text = (
        "id,t,a\n1,2024-01-01 10:00,2024-01-01 0:00\n2,2024-01-01 23:50,2024-01-02 00:00\n"
        "3,2024-01-01 10:00,2024-01-01 10:09\n"
    ).replace(" 0:00", " 00:00")
    kept = read(tmp_path, text, "arrived_at: a\n")
    assert kept.frame["arrived_at"].notna().all()
    assert found(kept, "negative_interval")["count"].tolist() == [1]
    told = read(tmp_path, text, "arrived_at: {columns: a, midnight_is_missing: true}\n")
    assert told.frame["arrived_at"].isna().tolist() == [True, False, False]
    assert found(told, "negative_interval").empty
    for incidents in (kept, told):
        assert found(incidents, "midnight_as_missing")["count"].tolist() == [1]


def test_a_time_years_away_and_a_clear_time_weeks_later_are_implausible(tmp_path):
    text = many(30, lambda i: f"{i},2024-01-{1 + i % 28:02d} 10:00,", "id,t,c")
    text += "98,2042-01-01 10:00,\n99,2024-01-05 10:00,2024-02-05 10:00\n"
    incidents = read(tmp_path, text, "cleared_at: c\n")
    rows = found(incidents, "implausible_time").set_index("field")["count"]
    assert rows.to_dict() == {"received_at": 1, "cleared_at": 1}


def test_points_far_from_all_others_are_named_but_kept(tmp_path):
    text = many(25, lambda i: f"{i},2024-01-01 10:00,4.{i:02d},52.0", "id,t,x,y")
    text += "99,2024-01-01 10:00,52.0,4.0\n"
    incidents = read(tmp_path, text, "point: {lon: x, lat: y}\n")
    assert found(incidents, "bad_coordinates")["count"].tolist() == [1]
    assert incidents.frame["lon"].notna().all()


def test_numbers_flags_and_words_for_nothing_are_read_or_counted(tmp_path):
    text = (
        'id,t,n,f\n1,2024-01-01 10:00,"1,200",Y\n2,2024-01-01 10:00,many,N\n'
        "3,2024-01-01 10:00,n/k,perhaps\n4,2024-01-01 10:00,2.0,\n"
    )
    more = "num_units: {columns: n, thousands: true}\nself_initiated: f\nmissing: [N/K]\n"
    frame = (incidents := read(tmp_path, text, more)).frame
    assert frame["num_units"].fillna(-1).tolist() == [1200, -1, -1, 2]
    assert frame["self_initiated"].fillna(False).tolist() == [True, False, False, False]
    assert found(incidents, "unreadable").set_index("field")["count"].to_dict() == {
        "num_units": 1,
        "self_initiated": 1,
    }


def test_epochs_are_instants():
    texts = np.array(["1704067200", "1704067200000", "soon"], dtype=object)
    read_both = read_times(texts, ("epoch_ms", "epoch_s"), zone="America/New_York")
    assert read_both.kind.tolist() == [0, 0, -1]
    seconds = read_times(texts[:1], ("epoch_s",), zone="America/New_York")
    assert str(seconds.utc[0]) == "2024-01-01T00:00:00.000000000"
    assert str(seconds.wall[0]) == "2023-12-31T19:00:00.000000000"
    assert seconds.offset.tolist() == [True]


def test_a_strptime_format_may_carry_the_offset():
    texts = np.array(["01/07/2024 10:00 +0200"], dtype=object)
    assert str(read_times(texts, ("%d/%m/%Y %H:%M %z",), zone=None).utc[0])[11:16] == "08:00"


def test_the_screen_shows_count_treatment_examples_and_what_was_not_found(tmp_path):
    incidents = read(tmp_path, "id,t\n1,2024-01-01 10:00\n1,2024-01-01 10:00\n")
    screen = format_traps(incidents)
    assert "1 rows  incidents that stand twice [incident_id]" in screen
    assert "-> left out: the first is kept" in screen
    assert "cad.csv row 3: incident '1'" in screen
    assert "looked for, not found: 12-hour clock" in screen
    clean = read(tmp_path, "id,t\n1,2024-01-01 10:00\n")
    assert format_traps(clean) == f"Traps: none of {len(TRAPS)} kinds found."

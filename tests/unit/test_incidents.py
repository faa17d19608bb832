"""Reading CAD files: what is refused, what is counted, what comes out."""

import gzip

import pandas as pd
import pytest
import yaml

from deploy_opt.errors import InputError
from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records import files as record_files
from deploy_opt.inputs.records.mapping import IncidentMapping, load_preset, parse_mapping

ZONE = "America/New_York"


def mapping(text):
    return parse_mapping(text, "mapping", "mine")


SMALL = mapping("{incident_id: id, received_at: t, service: ems, zone: America/New_York}")


def csv(tmp_path, text, name="cad.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def read(tmp_path, text, wanted=SMALL, **more):
    return read_incidents(csv(tmp_path, text), wanted, **more)


def message(tmp_path, text, wanted=SMALL, **more):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, wanted, **more)
    return str(caught.value)


def count(incidents, trap, field=None):
    rows = incidents.traps[incidents.traps["trap"] == trap]
    rows = rows if field is None else rows[rows["field"] == field]
    return int(rows["count"].sum())


def test_a_missing_file_names_the_nearest(tmp_path):
    csv(tmp_path, "id,t\n")
    with pytest.raises(InputError, match=r"no such file.*did you mean 'cad.csv'\?"):
        read_incidents(tmp_path / "cat.csv", SMALL)


def test_unusable_files_give_one_clear_line_each(tmp_path):
    assert "an empty file" in message(tmp_path, "")
    assert "an empty file" in message(tmp_path, "\n\n")
    assert "a header and no row" in message(tmp_path, "id,t\n")
    with pytest.raises(InputError, match="a folder"):
        read_incidents(tmp_path, SMALL)
    with pytest.raises(InputError, match="no file"):
        read_incidents([], SMALL)


def test_bytes_of_another_encoding_are_named_with_the_remedy_which_works(tmp_path):
    file = tmp_path / "cad.csv"
    file.write_bytes("id,t,k\n1,2024-01-01 10:00,Übelkeit\n".encode("latin-1"))
    typed = SMALL.model_dump() | {"call_type": "k"}
    with pytest.raises(InputError, match=r"not utf-8.*encoding: latin-1"):
        read_incidents(file, IncidentMapping.model_validate(typed))
    other = IncidentMapping.model_validate(typed | {"encoding": "latin-1"})
    assert read_incidents(file, other).frame["call_type"].tolist() == ["Übelkeit"]


def test_a_broken_archive_and_a_file_that_is_no_parquet_are_named(tmp_path):
    whole = gzip.compress(b"id,t\n1,2024-01-01 10:00\n" * 50)
    broken = tmp_path / "cad.csv.gz"
    broken.write_bytes(whole[:-20])
    with pytest.raises(InputError, match=r"cad\.csv\.gz"):
        read_incidents(broken, SMALL)
    fake = tmp_path / "cad.parquet"
    fake.write_bytes(b"no parquet at all")
    with pytest.raises(InputError, match=r"cad\.parquet"):
        read_incidents(fake, SMALL)


def test_missing_columns_of_all_files_are_told_at_once_with_the_nearest_names(tmp_path):
    first = csv(tmp_path, "idd,tt\n1,2\n", "a.csv")
    second = csv(tmp_path, "id,when\n1,2\n", "b.csv")
    with pytest.raises(InputError) as caught:
        read_incidents([first, second, tmp_path / "c.csv"], SMALL)
    text = str(caught.value)
    assert len(caught.value.faults) == 4
    assert "a.csv: found no column 'id'" in text
    assert "did you mean 'idd'?" in text
    assert "the columns are id, when" in text
    assert "c.csv: found no such file" in text


def test_a_time_needs_its_column_or_a_duration(tmp_path):
    either = mapping(
        "{received_at: t, service: ems, zone: UTC,"
        " arrived_at: {columns: arrived, since: {columns: secs, unit: s}}}"
    )
    assert "for arrived_at" in message(tmp_path, "t\n2024-01-01\n", either)
    found = read(tmp_path, "t,secs\n2024-01-01 10:00,90\n", either)
    assert count(found, "absent_column") == 0
    assert found.frame["arrived_at"].dt.second.tolist() == [30]


def test_a_header_that_stands_twice_is_refused(tmp_path):
    assert "two columns 't'" in message(tmp_path, "id,t,t\n1,2024-01-01 10:00,x\n")


def test_times_of_another_format_are_refused_with_examples(tmp_path):
    text = message(tmp_path, "id,t\n1,01.02.2024 10:00\n2,02.02.2024 10:00\n")
    assert "2 of 2 call times not in the mapping's format" in text
    assert "'01.02.2024 10:00'" in text


def test_a_pm_that_no_format_reads_is_explained(tmp_path):
    found = read(tmp_path, "id,t\n1,2024-01-01 10:00\n2,2024-01-01 1:30 PM\n3,2024-01-01 11:00\n")
    rows = found.traps[found.traps["trap"] == "unreadable"]
    assert "needs a format with %I and %p" in rows["treatment"].iloc[0]


def test_no_zone_anywhere_is_refused_for_wall_times_only(tmp_path):
    loose = mapping("{incident_id: id, received_at: t, service: ems}")
    assert "--zone" in message(tmp_path, "id,t\n1,2024-01-01 10:00\n", loose)
    zoned = read(tmp_path, "id,t\n1,2024-01-01T10:00:00+01:00\n", loose)
    assert str(zoned.frame["received_at"].iloc[0]) == "2024-01-01 09:00:00+00:00"
    assert zoned.zone == "UTC"


def test_offsets_are_honoured_beside_wall_times(tmp_path):
    found = read(
        tmp_path, "id,t\n1,2024-07-01T10:00:00Z\n2,2024-07-01 06:00\n3,2024-07-01T12:00+02:00\n"
    )
    assert len(set(found.frame["received_at"])) == 1
    assert str(found.frame["received_at"].iloc[0]) == "2024-07-01 06:00:00-04:00"


def test_the_callers_zone_is_the_zone_of_the_result_not_of_the_records(tmp_path):
    found = read(tmp_path, "id,t\n1,2024-07-01 06:00\n", zone="Europe/Berlin")
    assert str(found.frame["received_at"].iloc[0]) == "2024-07-01 12:00:00+02:00"


def test_no_service_is_refused_and_the_caller_may_name_it(tmp_path):
    silent = mapping("{incident_id: id, received_at: t, zone: UTC}")
    assert "without a service" in message(tmp_path, "id,t\n1,2024-01-01 10:00\n", silent)
    found = read(tmp_path, "id,t\n1,2024-01-01 10:00\n", silent, service="fire")
    assert found.frame["service"].tolist() == ["fire"]


def test_the_caller_overrides_one_service_but_only_fills_a_column(tmp_path):
    assert (
        read(tmp_path, "id,t\n1,2024-01-01 10:00\n", service="fire").frame["service"].iloc[0]
        == "fire"
    )
    by_column = mapping(
        "{incident_id: id, received_at: t, zone: UTC, service: {columns: s, others: rest}}"
    )
    text = "id,t,s\n1,2024-01-01 10:00,police\n2,2024-01-01 11:00,\n3,2024-01-01 11:00,odd\n"
    found = read(tmp_path, text, by_column, service="ems")
    assert found.frame["service"].tolist() == ["police", "ems", "ems"]


def test_rows_of_no_service_are_left_out_and_when_none_is_left_that_is_said(tmp_path):
    by_column = mapping(
        "{incident_id: id, received_at: t, zone: UTC, service: {columns: s, values: {A: ems}}}"
    )
    text = "id,t,s\n1,2024-01-01 10:00,B\n"
    assert "no row left (other service)" in message(tmp_path, text, by_column)


def test_a_file_without_any_call_time_is_refused(tmp_path):
    assert "no call with a time" in message(tmp_path, "id,t\n1,\n2,\n")


def test_of_rows_with_one_number_the_first_the_last_or_all_are_kept(tmp_path):
    text = "id,t\n1,2024-01-01 10:00\n1,2024-01-01 11:00\n2,2024-01-01 12:00\n"
    hours = {}
    for choice in ("first", "last", "keep"):
        kept = read(tmp_path, text, SMALL.model_copy(update={"duplicates": choice}))
        assert count(kept, "duplicate") == 1
        hours[choice] = kept.frame["received_at"].dt.hour.tolist()
    assert hours == {"first": [10, 12], "last": [11, 12], "keep": [10, 11, 12]}


def test_duplicates_are_seen_across_files(tmp_path):
    text = "id,t\n1,2024-01-01 10:00\n"
    files = [csv(tmp_path, text, "a.csv"), csv(tmp_path, text, "b.csv")]
    found = read_incidents(files, SMALL)
    assert (found.num_rows_read, found.num_kept) == (2, 1)
    examples = found.traps.loc[found.traps["trap"] == "duplicate", "examples"].iloc[0]
    assert examples == "b.csv row 2: incident '1'"


def test_without_a_number_rows_alike_in_the_named_columns_are_one(tmp_path):
    alike = mapping("{same_when: [a, t], received_at: t, service: ems, zone: UTC}")
    found = read(
        tmp_path, "a,t\nx,2024-01-01 10:00\nx,2024-01-01 10:00\ny,2024-01-01 10:00\n", alike
    )
    assert found.num_kept == 2
    again = read(tmp_path, "a,t\ny,2024-01-01 10:00\nx,2024-01-01 10:00\n", alike)
    assert set(again.frame["incident_id"]) == set(found.frame["incident_id"])


def test_without_a_number_or_such_columns_rows_are_numbered(tmp_path):
    numbered = mapping("{received_at: t, service: ems, zone: UTC}")
    found = read(tmp_path, "t\n2024-01-01 10:00\n2024-01-01 10:00\n", numbered)
    assert found.frame["incident_id"].tolist() == ["cad-2", "cad-3"]


def test_rows_that_lack_their_number_are_numbered_and_counted(tmp_path):
    found = read(tmp_path, "id,t\n,2024-01-01 10:00\n,2024-01-01 11:00\n7,2024-01-01 12:00\n")
    assert found.frame["incident_id"].tolist() == ["cad-2", "cad-3", "7"]
    assert count(found, "unreadable", "incident_id") == 2


def test_ragged_lines_are_left_out_counted_and_do_not_shift_the_row_numbers(tmp_path):
    found = read(
        tmp_path,
        "id,t\n1,2024-01-01 10:00\n2\n3,2024-01-01 10:00,x\n4,bad\n"
        "5,2024-01-01 10:00\n6,2024-01-01 10:00\n",
    )
    assert count(found, "ragged_row") == 2
    examples = found.traps.loc[found.traps["trap"] == "unreadable", "examples"].iloc[0]
    assert examples == "cad.csv row 5: t 'bad'"


def test_quoted_line_breaks_commas_and_a_byte_order_mark_are_read(tmp_path):
    typed = IncidentMapping.model_validate(SMALL.model_dump() | {"call_type": "k"})
    found = read(tmp_path, '\ufeffid,t,k\n1,2024-01-01 10:00,"fall,\nhip"\n', typed)
    assert found.frame["call_type"].tolist() == ["fall,\nhip"]


def test_gzip_and_parquet_give_the_same_incidents_as_csv(tmp_path):
    text = "id,t,z\n1,2024-01-01 10:00,10001.0\n2,2024-07-01 11:00,\n"
    wanted = IncidentMapping.model_validate(
        SMALL.model_dump() | {"area_id": {"columns": "z", "clean": "zip"}}
    )
    plain = read(tmp_path, text, wanted).frame
    zipped = tmp_path / "cad.csv.gz"
    zipped.write_bytes(gzip.compress(text.encode()))
    typed = pd.DataFrame(
        {
            "id": [1, 2],
            "t": pd.to_datetime(["2024-01-01 10:00", "2024-07-01 11:00"]),
            "z": [10001.0, None],
        }
    )
    typed.to_parquet(tmp_path / "cad.parquet")
    pd.testing.assert_frame_equal(read_incidents(zipped, wanted).frame, plain)
    pd.testing.assert_frame_equal(read_incidents(tmp_path / "cad.parquet", wanted).frame, plain)


def test_zoned_parquet_times_keep_their_instant_whatever_the_mappings_formats(tmp_path):
    times = pd.to_datetime(["2024-01-01 10:00"]).tz_localize("America/Los_Angeles")
    pd.DataFrame({"id": ["1"], "t": times}).to_parquet(tmp_path / "cad.parquet")
    wanted = IncidentMapping.model_validate(
        SMALL.model_dump() | {"received_at": {"columns": "t", "formats": "%m/%d/%Y"}}
    )
    found = read_incidents(tmp_path / "cad.parquet", wanted)
    assert str(found.frame["received_at"].iloc[0]) == "2024-01-01 13:00:00-05:00"


def test_small_batches_give_the_same_as_one(tmp_path, monkeypatch):
    lines = "".join(
        f"{i % 700},2024-{1 + i % 12:02d}-{1 + i % 28:02d} {i % 24:02d}:00\n" for i in range(900)
    )
    whole = read(tmp_path, "id,t\n" + lines)
    monkeypatch.setattr(record_files, "_BLOCK_BYTES", 1000)
    parts = read(tmp_path, "id,t\n" + lines)
    pd.testing.assert_frame_equal(parts.frame, whole.frame)
    pd.testing.assert_frame_equal(parts.traps, whole.traps)
    pd.testing.assert_frame_equal(parts.scorecard, whole.scorecard)


def test_reading_twice_gives_the_same(tmp_path):
    file = csv(tmp_path, "id,t\n1,2024-01-01 10:00\n2,2024-01-02 10:00\n")
    first, second = read_incidents(file, SMALL), read_incidents(file, SMALL)
    pd.testing.assert_frame_equal(first.frame, second.frame)
    pd.testing.assert_frame_equal(first.traps, second.traps)


def test_the_frame_survives_parquet_and_joins_with_another_service(tmp_path):
    ems = read(tmp_path, "id,t\n1,2024-01-01 10:00\n").frame
    police = read(tmp_path, "id,t\n1,2024-01-01 10:00\n", service="police").frame
    both = pd.concat([ems, police], ignore_index=True)
    pd.testing.assert_series_equal(both.dtypes, ems.dtypes)
    both.to_parquet(tmp_path / "incidents.parquet")
    back = pd.read_parquet(tmp_path / "incidents.parquet")
    assert str(back["received_at"].dtype) == str(both["received_at"].dtype)
    assert back["received_at"].tolist() == both["received_at"].tolist()


def test_generic_reads_the_aliases_of_the_canonical_names(tmp_path):
    text = (
        "incident_id,t_call,t_arrive,longitude,latitude,n_units\n"
        "1,2024-01-01T10:00Z,2024-01-01T10:08Z,4.5,52.0,2\n"
    )
    frame = read(
        tmp_path, text, load_preset("generic"), service="ems", zone="Europe/Amsterdam"
    ).frame
    assert (frame["arrived_at"] - frame["received_at"]).dt.total_seconds().tolist() == [480]
    assert (frame["lon"][0], frame["num_units"][0]) == (4.5, 2)


def test_units_of_an_incident_without_a_call_time_on_one_row_are_still_joined(tmp_path):
    units = mapping(
        yaml.safe_dump(
            {
                "incident_id": "id",
                "unit_id": "u",
                "rows": "unit",
                "received_at": "t",
                "dispatched_at": "d",
                "service": "ems",
                "zone": "UTC",
            }
        )
    )
    text = (
        "id,u,t,d\n1,A,2024-01-01 10:00,2024-01-01 10:02\n"
        "1,B,,2024-01-01 10:01\n2,C,,2024-01-01 10:01\n"
    )
    found = read(tmp_path, text, units)
    assert found.frame["num_units"].tolist() == [2]
    assert found.frame["dispatched_at"].dt.minute.tolist() == [1]
    assert count(found, "no_call_time") == 1
    single = read(tmp_path, "id,u,t,d\n1,A,2024-01-01 10:00,2024-01-01 10:02\n", units)
    assert single.frame["num_units"].tolist() == [1]


def test_an_unknown_service_gets_the_nearest_name(tmp_path):
    with pytest.raises(InputError, match="did you mean 'police'"):
        read_incidents(tmp_path / "calls.csv", load_preset("generic"), service="polise")

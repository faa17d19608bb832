"""What the guess and the reader do with the harder habits of exports."""

import gzip
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.guess import guess_mapping
from deploy_opt.inputs.records.layout import decimal_mark
from deploy_opt.inputs.records.mapping import parse_mapping
from deploy_opt.inputs.records.points import pairs_of_text
from deploy_opt.inputs.records.reference_systems import fitting_systems, hints
from deploy_opt.inputs.records.times import read_times

ZONE = "America/Chicago"
HEADER = "Case No,Call Time,Nature,Lat,Lon\n"


def line(i):
    at = f"2023-05-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d}:00"
    return f"C{i},{at},Fall,44.9{i % 9},-93.2{i % 9}\n"


def written(tmp_path, text, name="cad.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def mapping(text):
    return parse_mapping(text, "mapping", "mine")


def imported(file, zone=ZONE):
    guess = guess_mapping(file)
    return guess, read_incidents(file, guess.mapping, zone=zone)


def asked(guess, key):
    return next((q for q in guess.questions if q.startswith(f"{key}: ")), "")


def count(incidents, trap):
    return int(incidents.traps.loc[incidents.traps["trap"] == trap, "count"].sum())


def times(texts, text_format, zone=ZONE):
    read = read_times(np.array(texts, dtype=object), (text_format,), zone=zone)
    return read.utc.astype("datetime64[s]").astype(str).tolist()


def test_times_that_are_written_oddly_are_read_as_they_are_meant():
    assert times(["11/01/2015  12:05:31AM", "11/01/2015 1:05:31 p.m."], "%m/%d/%Y %I:%M:%S %p") == [
        "2015-11-01T05:05:31",
        "2015-11-01T19:05:31",
    ]
    assert times(["2021/01/01 07:00:00+00", "2021-01-01 07:00:00-06"], "iso") == [
        "2021-01-01T07:00:00",
        "2021-01-01T13:00:00",
    ]
    assert times(["01/31/2023 935", "01/31/2023 5"], "%m/%d/%Y %H%M") == [
        "2023-01-31T15:35:00",
        "2023-01-31T06:05:00",
    ]
    assert times(["44927.5", "x"], "excel") == ["2023-01-01T18:00:00", "NaT"]


def test_24_00_is_the_midnight_after_and_is_counted(tmp_path):
    file = written(tmp_path, "id,t\n1,2024-12-31 24:00:00\n2,2024-12-24 12:24:00\n")
    wanted = mapping("{incident_id: id, received_at: t, service: ems, zone: UTC}")
    found = read_incidents(file, wanted)
    assert found.frame["received_at"].astype(str).tolist() == [
        "2025-01-01 00:00:00+00:00",
        "2024-12-24 12:24:00+00:00",
    ]
    assert count(found, "hour_24") == 1


def test_a_time_of_day_takes_the_day_that_is_nearest_to_the_call(tmp_path):
    wanted = mapping(
        "{incident_id: id, received_at: t, service: ems, zone: Europe/Paris,"
        " arrived_at: {time_of_day: a}, cleared_at: {time_of_day: c, formats: '%H.%M'}}"
    )
    text = "id,t,a,c\n1,2024-06-30 23:50,00:05:30,01.10\n2,2024-07-01 00:01,23:59,x\n"
    frame = read_incidents(written(tmp_path, text), wanted).frame
    assert frame["arrived_at"].astype(str).tolist() == [
        "2024-07-01 00:05:30+02:00",
        "2024-06-30 23:59:00+02:00",
    ]
    assert frame["cleared_at"].dt.hour.tolist()[0] == 1
    assert frame["cleared_at"].isna().tolist() == [False, True]


def test_durations_as_texts_and_days_give_times(tmp_path):
    text = "id,t,a,c\n1,2024-06-30 10:00,7:30,0.25\n2,2024-06-30 10:00,x,\n"
    wanted = mapping(
        "{incident_id: id, received_at: t, service: ems, zone: UTC,"
        " arrived_at: {since: {columns: a, unit: 'm:s'}},"
        " cleared_at: {since: {columns: c, unit: d}}}"
    )
    found = read_incidents(written(tmp_path, text), wanted)
    assert found.frame["arrived_at"].dt.strftime("%H:%M:%S").tolist()[0] == "10:07:30"
    assert found.frame["cleared_at"].dt.hour.tolist()[0] == 16
    assert count(found, "unreadable") == 1


def test_a_directive_that_stands_twice_and_a_point_of_two_kinds_are_refused():
    with pytest.raises(InputError, match="each directive once"):
        mapping("{received_at: {columns: t, formats: '%m/%d/%Y %I:%M %p %H:%M'}}")
    with pytest.raises(InputError, match="lon and lat, or text"):
        mapping("{received_at: t, point: {lon: x, lat: y, text: p}}")
    with pytest.raises(InputError, match=r"received_at\.columns"):
        mapping("{received_at: {time_of_day: t}}")


def test_points_in_texts_of_every_common_form_are_one_place():
    texts = [
        "POINT (-93.2 44.9)",
        "(44.9, -93.2)",
        "12 MAIN ST, MN (44.9, -93.2)",
        '{"type": "Point", "coordinates": [-93.2, 44.9]}',
        "{'latitude': '44.9', 'longitude': '-93.2'}",
        "x: -93.2, y: 44.9",
        "44.9;-93.2",
        "MAIN ST 12",
    ]
    x, y, bare = pairs_of_text(np.array(texts, dtype=object), "lat_lon")
    assert x.tolist()[:7] == [-93.2] * 7
    assert y.tolist()[:7] == [44.9] * 7
    assert np.isnan(x[7])
    assert bare.tolist() == [False, True, True, False, False, False, True, False]


def test_points_in_texts_that_are_no_degrees_or_turned_round_are_seen(tmp_path):
    head = "Case No,Call Time,Place\n"
    turned = "".join(f'C{i},2023-05-01 10:{i:02d},"(-93.2{i:02d}, 44.9)"\n' for i in range(20))
    guess, found = imported(written(tmp_path, head + turned))
    assert guess.mapping.point.order == "lon_lat"
    assert found.frame["lat"].tolist() == [44.9] * 20
    metres = "".join(f"C{i},2023-05-01 10:{i:02d},POINT (5{i:02d}000 180000)\n" for i in range(20))
    guess, found = imported(written(tmp_path, head + metres))
    assert guess.mapping.point is None
    assert "text: Place" in asked(guess, "point")


def test_projected_coordinates_ask_for_their_system_and_say_where_the_common_ones_lie(tmp_path):
    rows = "".join(f"C{i},2023-05-01 10:{i:02d},53{i:02d}00,18{i:02d}00\n" for i in range(40))
    guess, _ = imported(written(tmp_path, "Case No,Call Time,Easting,Northing\n" + rows))
    assert "EPSG:27700 would be 51." in asked(guess, "point")
    assert hints(-10381482.0, 5617975.0)[0] == "EPSG:3857 would be 44.977, -93.258"


def test_reference_systems_are_told_by_the_box_and_none_by_nothing():
    x, y = np.array([3143000.0, 3145000.0]), np.array([1694000.0, 1695000.0])
    found = fitting_systems(x, y, near=(-105.3, 39.5, -104.6, 39.95))
    assert [s.code for s in found] == ["EPSG:2232"]
    assert fitting_systems(x, y, near=(10.0, 50.0, 11.0, 51.0)) == []
    assert fitting_systems(x, y) == []


def test_degrees_in_millionths_west_without_a_sign_and_turned_round_are_put_right(tmp_path):
    near = lambda: (-93.5, 44.7, -93.0, 45.2)  # noqa: E731
    for lat, lon, scale in (
        ("449{0:02d}000", "932{0:02d}000", (-1e-6, 1e-6)),
        ("44.9{0:02d}", "93.2{0:02d}", (-1.0, 1.0)),
        ("-93.2{0:02d}", "44.9{0:02d}", (1.0, 1.0)),
    ):
        rows = "".join(
            f"C{i},2023-05-01 10:{i:02d},{lat.format(i)},{lon.format(i)}\n" for i in range(40)
        )
        file = written(tmp_path, "Case No,Call Time,Latitude,Longitude\n" + rows)
        guess = guess_mapping(file, near=near)
        assert guess.mapping.point.scale == scale
        found = read_incidents(file, guess.mapping, zone=ZONE)
        assert found.frame["lat"].between(44.9, 45.0).all()
        assert found.frame["lon"].between(-93.3, -93.2).all()
    far = guess_mapping(file, near=lambda: (10.0, 50.0, 11.0, 51.0))
    assert "not where the roads are" in asked(far, "point")


def test_excel_with_a_title_dates_and_blank_lines_is_read(tmp_path):
    file = tmp_path / "cad.xlsx"
    table = pd.DataFrame(
        {
            "Case No": [1, 2, None, 3],
            "Call Time": pd.to_datetime(
                ["2023-05-01 10:00:01", "2023-05-02 11:30:00", None, "2023-05-03 00:00:00"]
            ),
            "Nature": ["Fall", "Fall", None, "Sick"],
        }
    )
    with pd.ExcelWriter(file, engine="openpyxl") as book:
        table.to_excel(book, index=False, startrow=2, sheet_name="Calls")
        book.sheets["Calls"]["A1"] = "Calls of May"
    guess, found = imported(file)
    assert guess.mapping.skip_rows == 2
    assert found.frame["incident_id"].tolist() == ["1", "2", "3"]
    assert str(found.frame["received_at"].iloc[0]) == "2023-05-01 10:00:01-05:00"
    other = guess.mapping.model_copy(update={"sheet": "Cals"})
    with pytest.raises(InputError, match="did you mean 'Calls'"):
        read_incidents(file, other, zone=ZONE)
    with pytest.raises(InputError, match="no workbook"):
        guess_mapping(written(tmp_path, "x", "no.xlsx"))


def test_archives_are_opened_and_those_of_several_files_refused(tmp_path):
    text = HEADER + "".join(line(i) for i in range(40))
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    with zipfile.ZipFile(one, "w") as archive:
        archive.writestr("cad.csv", text)
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a.csv", text)
        archive.writestr("b.csv", text)
    packed = tmp_path / "cad.ndjson.gz"
    packed.write_bytes(gzip.compress(b'\n{"id": 1, "received": "2023-05-01 10:00"}\n{"id": 2}\n'))
    assert imported(one)[1].num_kept == 40
    assert imported(packed)[1].num_rows_read == 2
    with pytest.raises(InputError, match=r"2 files \(a.csv, b.csv\)"):
        guess_mapping(two)
    locked = bytearray(one.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # as an encrypting tool sets them
        locked[locked.index(mark) + flags] |= 1
    one.write_bytes(locked)
    with pytest.raises(InputError, match="behind a password"):
        guess_mapping(one)
    with pytest.raises(InputError, match="no archive"):
        guess_mapping(written(tmp_path, "x", "no.zip"))


def test_json_of_every_common_form_is_a_table(tmp_path):
    records = [{"id": i, "received": f"2023-05-01 10:{i:02d}", "ok": True} for i in range(30)]
    columns = [{"name": "id"}, {"name": "received"}]
    socrata = {
        "meta": {"view": {"columns": columns}},
        "data": [[one["id"], one["received"]] for one in records],
    }
    for document in (records, {"result": {"records": records}}, socrata):
        file = written(tmp_path, json.dumps(document, indent=1), "calls.json")
        assert imported(file)[1].num_kept == 30
    for text, said in (("{", "no JSON"), ("{}", "without records"), ('{"a": 1}\n{', "line 2")):
        with pytest.raises(InputError, match=said):
            guess_mapping(written(tmp_path, text, "bad.json"))


def test_arcgis_points_in_degrees_and_in_a_system_of_its_own_are_kept(tmp_path):
    def answer(reference):
        features = [
            {
                "attributes": {"id": i, "received": 1683106651000 + i},
                "geometry": {"x": -93, "y": 45},
            }
            for i in range(20)
        ]
        return json.dumps({"spatialReference": reference, "features": features})

    file = written(tmp_path, answer({"wkid": 4326}), "calls.json")
    assert imported(file)[1].frame["lon"].tolist() == [-93.0] * 20
    file = written(tmp_path, answer(None), "calls.json")
    assert imported(file)[1].frame["lat"].tolist() == [45.0] * 20


def test_calls_that_are_fewest_by_day_raise_the_question_of_the_zone(tmp_path):
    hours = np.tile(np.r_[np.zeros(6, int), np.arange(6, 24), np.arange(6, 24)], 30)

    def rows(shift):
        at = [
            f"{i},2023-05-{1 + i % 28:02d} {(h + shift) % 24:02d}:10\n" for i, h in enumerate(hours)
        ]
        return written(tmp_path, "id,t\n" + "".join(at))

    wanted = mapping("{incident_id: id, received_at: t, service: ems, zone: America/Chicago}")
    assert count(read_incidents(rows(9), wanted), "odd_hours") == len(hours)
    assert count(read_incidents(rows(0), wanted), "odd_hours") == 0


def test_rows_that_are_alike_are_asked_about_and_counts_are_told_from_calls(tmp_path):
    alike = "".join(f"2023-05-{1 + i // 4:02d} 10:00,Fall\n" for i in range(40))
    guess, found = imported(written(tmp_path, "Call Time,Nature\n" + alike))
    assert "75% of the rows are alike" in asked(guess, "incident_id")
    assert found.num_kept == 40
    daily = "".join(f"2023-05-{1 + i:02d},{i}\n" for i in range(28))
    guess, _ = imported(written(tmp_path, "date,total\n" + daily))
    assert "table of counts" in asked(guess, "incident_id")
    assert "without a time of day" in asked(guess, "received_at")


def test_an_afternoon_that_was_lost_and_an_hour_alone_are_asked_about(tmp_path):
    lost = "".join(
        f"{i},05/{1 + i % 28:02d}/2023 {1 + i % 12:02d}:{i % 60:02d}\n" for i in range(300)
    )
    guess, _ = imported(written(tmp_path, "Case No,Received\n" + lost))
    assert "AM and PM were lost" in asked(guess, "received_at")
    hours = "".join(f"{i},05/{1 + i % 28:02d}/2023,{i % 24}\n" for i in range(60))
    guess, found = imported(written(tmp_path, "Case No,Call Date,Call Hour\n" + hours))
    assert "only the hour" in asked(guess, "received_at")
    assert found.frame["received_at"].dt.hour.nunique() == 24


def test_words_for_nothing_dispositions_and_officers_are_seen(tmp_path):
    rows = "".join(
        f"C{i},2023-05-01 {i % 24:02d}:10,{'N/A' if i % 3 else '2023-05-02 01:00'},"
        f"{'Cancelled' if i % 9 == 0 else 'Done'},{'ON-VIEW' if i % 2 else '911'}\n"
        for i in range(90)
    )
    head = "Case No,Call Time,On Scene,Disposition,Call Source\n"
    guess, found = imported(written(tmp_path, head + rows))
    assert guess.mapping.missing == ("N/A",)
    assert found.frame["arrived_at"].notna().sum() == 30
    assert 'values: ["Cancelled"]' in asked(guess, "drop")
    assert found.frame["self_initiated"].sum() == 45
    assert "zone" in asked(guess, "zone")


def test_a_time_of_dispatch_with_a_duration_before_it_is_the_call(tmp_path):
    rows = "".join(f"C{i},2023-05-01 10:{i:02d}:00,{60 + i},00:0{i % 6}:30\n" for i in range(40))
    head = "Case No,Alarm Time,Call Processing,Response Time\n"
    guess, found = imported(written(tmp_path, head + rows))
    assert guess.mapping.received_stands_for == ""
    assert "Call Processing" in asked(guess, "dispatched_at")
    first = found.frame.iloc[0]
    assert (first["dispatched_at"] - first["received_at"]).total_seconds() == 60
    assert (first["arrived_at"] - first["received_at"]).total_seconds() == 30


def test_encodings_delimiters_and_header_lines_are_seen(tmp_path):
    text = (
        "Ein Titel\n\n"
        + HEADER.replace(",", "|")
        + "".join(line(i).replace(",", "|").replace("Fall", "Stürz") for i in range(30))
    )
    for encoding, said in (("utf-16-le", "utf-16-le"), ("cp1252", "cp1252"), ("utf-16", "utf-16")):
        file = tmp_path / "cad.txt"
        file.write_bytes(text.encode(encoding))
        guess, found = imported(file)
        assert (guess.mapping.encoding, guess.mapping.delimiter) == (said, "|")
        assert guess.mapping.skip_rows == 2
        assert found.frame["call_type"].unique().tolist() == ["Stürz"]
        assert ("is 'Stürz' right?" in asked(guess, "encoding")) == (said == "cp1252")
    single = guess_mapping(written(tmp_path, "Call Time\n2023-05-01 10:00\n2023-05-02 10:01\n"))
    assert single.mapping.received_at.columns == ("Call Time",)
    quote = written(tmp_path, 'Call Time,Note\n2023-05-01 10:00,"a\n' + "x" * 200_000 + '"\n')
    assert guess_mapping(quote).mapping.received_at.columns == ("Call Time",)
    assert decimal_mark([[], ["1,5", "2,25"], ["1,000"]]) == ","
    with pytest.raises(InputError, match="values in the first line"):
        guess_mapping(written(tmp_path, "1,2023-05-01 10:00\n2,2023-05-02 10:01\n"))

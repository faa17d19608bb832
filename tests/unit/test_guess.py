"""A guessed mapping loads, reads the file, and says why it guessed."""

from pathlib import Path

import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.guess import guess_mapping, recognise_preset
from deploy_opt.inputs.records.mapping import load_mapping, load_preset, preset_names

FOLDER = Path(__file__).parent / "fixtures" / "incidents"
FIXTURES = {
    "nyc_ems": "nyc_ems",
    "montgomery_pa": "montgomery_pa",
    "seattle_spd": "seattle_spd",
    "seattle_spd_csv_headers": "seattle_spd",
    "seattle_spd_legacy": "seattle_spd_legacy",
    "seattle_spd_2015": "seattle_spd_2015",
    "seattle_fire": "seattle_fire",
    "sf_fire": "sf_fire",
    "new_orleans": "new_orleans",
    "new_orleans_2022": "new_orleans",
    "detroit": "detroit",
    "detroit_new": "detroit",
    "cincinnati": "cincinnati",
    "generic": "generic",
}


def written(tmp_path, text, name="cad.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def guessed(tmp_path, header, line, num=60, name="cad.csv"):
    file = written(tmp_path, header + "\n" + "".join(line(i) + "\n" for i in range(num)), name)
    guess = guess_mapping(file)
    mapping_file = tmp_path / "mapping.yaml"
    mapping_file.write_text(guess.yaml_text, encoding="utf-8")
    mapping = load_mapping(mapping_file)
    return guess, mapping, read_incidents(file, mapping, zone="America/Chicago")


@pytest.mark.parametrize("name", FIXTURES)
def test_the_layout_of_a_preset_is_recognised_by_its_headers(name):
    guess = guess_mapping(FOLDER / f"{name}.csv")
    assert guess.preset == FIXTURES[name]
    assert guess.yaml_text.startswith("# ")


def test_the_copy_of_a_preset_is_that_preset(tmp_path):
    for name in preset_names():
        fixture = next(f for f, preset in FIXTURES.items() if preset == name)
        file = written(tmp_path, guess_mapping(FOLDER / f"{fixture}.csv").yaml_text, f"{name}.yaml")
        assert load_mapping(file) == load_preset(name)


def test_foreign_headers_are_no_preset():
    assert recognise_preset(["a", "b", "c"]) is None


def test_an_unknown_layout_is_read_by_words_and_values(tmp_path):
    _, mapping, incidents = guessed(
        tmp_path,
        "CallNumber,Nature,EmdPriority,CallReceived,UnitDispatched,EnRoute,OnScene,LeftScene,"
        "HospitalArrival,InService,Longitude,Latitude,Beat,OfficerInitiated",
        lambda i: (
            f"C{i},Chest pain,{i % 3},01/{1 + i % 28:02d}/2023 01:{i % 60:02d}:00 PM,"
            f"01/{1 + i % 28:02d}/2023 02:00:00 PM,01/{1 + i % 28:02d}/2023 02:01:00 PM,"
            f"01/{1 + i % 28:02d}/2023 02:08:00 PM,01/{1 + i % 28:02d}/2023 02:20:00 PM,"
            f"01/{1 + i % 28:02d}/2023 02:30:00 PM,01/{1 + i % 28:02d}/2023 03:00:00 PM,"
            f"-90.{i:02d},30.{i:02d},B{i % 5},{'Yes' if i % 4 else 'No'}"
        ),
    )
    assert mapping.received_at.columns == ("CallReceived",)
    assert mapping.received_at.formats == ("%m/%d/%Y %I:%M:%S %p",)
    assert mapping.dispatched_at.columns == ("UnitDispatched",)
    assert mapping.enroute_at.columns == ("EnRoute",)
    assert mapping.arrived_at.columns == ("OnScene",)
    assert mapping.departed_at.columns == ("LeftScene",)
    assert mapping.at_hospital_at.columns == ("HospitalArrival",)
    assert mapping.cleared_at.columns == ("InService",)
    assert mapping.priority.columns == ("EmdPriority",)
    assert mapping.area_id.columns == ("Beat",)
    assert mapping.self_initiated.columns == ("OfficerInitiated",)
    assert mapping.service.constant == "ems"
    assert incidents.num_kept == 60
    assert (incidents.frame["received_at"].dt.hour == 13).all()


def test_split_date_and_time_and_a_duration_in_minutes_are_put_together(tmp_path):
    guess, mapping, incidents = guessed(
        tmp_path,
        "Incident_Number,Area_Occ,Dispatch_Date,Dispatch_Time,Call_Type_Text,Total Response Min",
        lambda i: (
            f"LP{i},Rampart,{1 + i % 12:02d}/15/2022,{i % 24:02d}:15:00,BURGLARY,{i % 9 + 2}.5"
        ),
    )
    assert mapping.received_at.time_of_day == ("Dispatch_Time",)
    assert mapping.received_at.formats == ("%m/%d/%Y %H:%M:%S",)
    assert mapping.arrived_at.since.unit == "min"
    assert mapping.service.constant == "police"
    assert "CHECK THE UNIT" in guess.yaml_text
    response = incidents.frame["arrived_at"] - incidents.frame["received_at"]
    assert response.dt.total_seconds().iloc[0] == 150


def test_rows_per_unit_missing_midnights_and_codes_are_noticed(tmp_path):
    _, mapping, incidents = guessed(
        tmp_path,
        "Event Number;Unit ID;Call Time;Arrival Time;Departure Time;Zip Code;X;Y",
        lambda i: (
            f"{i // 2};M{i % 2};2023-05-0{1 + i % 9} 10:00;2023-05-0{1 + i % 9} "
            f"{'00:00' if i % 5 == 0 else '10:09'};2023-05-0{1 + i % 9} 11:00;"
            f"10001.0;1200{i:03d};210{i:03d}"
        ),
    )
    assert mapping.delimiter == ";"
    assert (mapping.rows, mapping.unit_id.columns) == ("unit", ("Unit ID",))
    assert mapping.arrived_at.midnight_is_missing
    assert mapping.cleared_at.columns == ("Departure Time",)
    assert mapping.area_id.clean == "zip"
    assert mapping.point is None
    assert incidents.num_kept == 30
    assert set(incidents.frame["num_units"]) == {2}


def test_feet_are_not_taken_for_degrees(tmp_path):
    guess, mapping, _ = guessed(
        tmp_path, "t,MapX,MapY", lambda i: f"2023-01-01 10:{i:02d},36800{i:02d},5300{i:02d}"
    )
    assert mapping.point is None
    assert "EPSG code of the state plane" in guess.yaml_text


def test_day_and_month_that_may_be_swapped_are_said(tmp_path):
    guess, _, _ = guessed(
        tmp_path, "id,when", lambda i: f"{i},0{1 + i % 9}/0{1 + i % 8}/2023 10:00"
    )
    assert "DAY AND MONTH MAY BE SWAPPED" in guess.yaml_text


def test_epochs_and_repeated_numbers_without_units_are_read(tmp_path):
    guess, mapping, _ = guessed(
        tmp_path, "case number,created", lambda i: f"{i // 2},{1704067200000 + i * 60000}"
    )
    assert mapping.received_at.formats == ("epoch_ms",)
    assert "repeat a number" in guess.yaml_text


def test_dates_alone_are_taken_with_a_warning(tmp_path):
    guess, _, _ = guessed(tmp_path, "ref,open date", lambda i: f"{i},2023-01-{1 + i % 28:02d}")
    assert "DATES ONLY" in guess.yaml_text


def test_another_encoding_is_noticed(tmp_path):
    file = tmp_path / "cad.csv"
    file.write_bytes("id,time,nature\n1,2024-01-01 10:00,Übelkeit\n".encode("latin-1"))
    assert guess_mapping(file).mapping.encoding == "cp1252"


def test_cells_that_look_like_yaml_do_no_harm(tmp_path):
    guess, mapping, _ = guessed(
        tmp_path,
        'Incident No,"Call Time: # [x]",Nature',
        lambda i: f'#{i},2024-01-01 10:{i:02d},"a: [b"',
    )
    assert mapping.received_at.columns == ("Call Time: # [x]",)
    assert guess.preset is None


def test_a_file_without_times_or_rows_is_refused(tmp_path):
    with pytest.raises(InputError, match="no column of times among a, b"):
        guess_mapping(written(tmp_path, "a,b\nx,y\n"))
    with pytest.raises(InputError, match="a header and no row"):
        guess_mapping(written(tmp_path, "a,b\n"))
    with pytest.raises(InputError, match="no such file"):
        guess_mapping(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("encoding", "mark", "word"),
    [("utf-8", ";", "Sturz"), ("cp1252", ",", "Stürz"), ("cp1252", ";", "Stürz")],
)
def test_the_copy_of_a_preset_reads_a_file_that_is_written_another_way(
    tmp_path, encoding, mark, word
):
    file = tmp_path / "export.csv"
    text = "incident_id,service,call_type,received_at\n1,ems,WORD,2026-03-02T10:00:00+01:00\n"
    file.write_bytes(text.replace("WORD", word).replace(",", mark).encode(encoding))
    guessed = guess_mapping(file)
    assert guessed.preset == "generic"
    frame = read_incidents(file, guessed.mapping, zone="Europe/Berlin").frame
    assert frame["call_type"].tolist() == [word]
    assert "preset alone cannot read it" in guessed.yaml_text

"""How a call ended, told from offence, arrest and injury records."""

import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.records_labels import (
    CAMDEN,
    SCALE,
    OutcomeLevels,
    RecordLayout,
    events_of,
    label_calls,
    read_outcomes,
)

LAYOUT = RecordLayout(
    "EventNo",
    "Entered",
    happened_on="Date",
    flags={"resisted": "Resist", "weapon": ("Force", ("FIREARM", "knife"))},
)
TEXT = """EventNo,Date,Entered,Resist,Force,SuspectName,Race
c1,2024-03-01,2024-03-04 08:10,Y,none,Somebody,X
c2,2024-03-02,2024-03-03,n,Firearm,Somebody,X
c3,2024-03-02,2024-05-03,,Knife,Somebody,X
"""


def write(tmp_path, text, name="offences.csv"):
    file = tmp_path / name
    file.write_text(text)
    return file


def calls():
    at = pd.to_datetime(["2024-03-01", "2024-03-02", "2024-03-02", "2024-04-25"])
    return pd.DataFrame(
        {
            "incident_id": ["c1", "c2", "c3", "c4"],
            "received_at": at.tz_localize("America/New_York"),
            "area_id": ["A", "B", None, "A"],
        }
    )


def test_only_named_columns_are_read_and_flags_are_told(tmp_path):
    table = read_outcomes(write(tmp_path, TEXT), "offence", LAYOUT)
    assert list(table.columns[:4]) == ["kind", "event_key", "happened_on", "entered_on"]
    assert table["resisted"].tolist() == [True, False, False]
    assert table["weapon"].tolist() == [False, True, True]
    assert not table["officer_injury"].any()
    assert table["entered_on"].iloc[0] == pd.Timestamp("2024-03-04")
    assert "SuspectName" not in table.columns


def test_the_outcome_is_the_agencys_choice(tmp_path):
    offences = read_outcomes(write(tmp_path, TEXT), "offence", LAYOUT)
    layout = RecordLayout("EventNo", "Entered", always=("officer_injury",))
    injuries = read_outcomes(
        write(tmp_path, "EventNo,Entered\nc1,2024-03-02\n", "injuries.csv"), "injury", layout
    )
    both = [offences, injuries]
    assert label_calls(calls(), both)["level"].tolist() == [1, 1, 1, 0]
    assert label_calls(calls(), both, outcome=SCALE)["level"].tolist() == [2, 1, 1, 0]
    only = OutcomeLevels("calm", (("armed", ("weapon",)),))
    assert label_calls(calls(), both, outcome=only)["level"].tolist() == [0, 1, 1, 0]
    assert only.names == ("calm", "armed")
    assert CAMDEN.names == ("low", "high")


def test_labels_of_the_last_days_are_not_trusted_and_later_entries_not_known(tmp_path):
    offences = read_outcomes(write(tmp_path, TEXT), "offence", LAYOUT)
    known = label_calls(calls(), [offences], known_until=pd.Timestamp("2024-04-30"))
    assert known["level"].tolist() == [1, 1, 0, 0]
    assert known["mature"].tolist() == [True, True, True, False]
    none = label_calls(calls(), [])
    assert none["level"].tolist() == [0] * 4
    assert none["mature"].tolist() == [True, True, True, False]


def test_events_take_the_area_of_their_call_or_their_own(tmp_path):
    offences = read_outcomes(write(tmp_path, TEXT), "offence", LAYOUT)
    assert events_of(offences, calls())["area_id"].tolist() == ["A", "B"]
    own = RecordLayout("EventNo", "Entered", area_id="Beat")
    file = write(tmp_path, "EventNo,Entered,Beat\nx,2024-01-01,Z\ny,2024-01-02,\n", "arrests.csv")
    events = events_of(read_outcomes(file, "arrest", own), calls())
    assert events["area_id"].tolist() == ["Z"]
    assert (events["happened_on"] == events["entered_on"]).all()


@pytest.mark.parametrize(
    ("layout", "word"),
    [
        (RecordLayout("EventNo", "Entered", flags={"weapon": ("Race", ("X",))}), "race"),
        (RecordLayout("SuspectName", "Entered"), "name"),
        (RecordLayout("Number", "Entered"), "no column 'Number'"),
        (RecordLayout("EventNo", "Resist"), "year first"),
        (RecordLayout("EventNo", "Entered", flags={"weapon": "Force"}), "yes or no"),
    ],
)
def test_faults_of_layout_and_file_are_named(tmp_path, layout, word):
    with pytest.raises(InputError, match=word):
        read_outcomes(write(tmp_path, TEXT), "offence", layout)


def test_unknown_kinds_flags_and_levels_are_refused(tmp_path):
    with pytest.raises(InputError, match="visit"):
        read_outcomes(write(tmp_path, TEXT), "visit", LAYOUT)
    with pytest.raises(InputError, match="did you mean 'weapon'"):
        RecordLayout("a", "b", flags={"weapons": "c"})
    with pytest.raises(InputError, match="no flag") as error:
        OutcomeLevels("low", (("high", ()), ("high", ("wepon",))))
    assert "each once" in str(error.value)
    assert "did you mean 'weapon'" in str(error.value)
    with pytest.raises(InputError, match="incident_id"):
        label_calls(calls().drop(columns="incident_id"), [pd.DataFrame()])
    with pytest.raises(InputError, match="number of a call"):
        read_outcomes(write(tmp_path, "EventNo,Entered\n,2024-01-01\n"), "arrest",
                      RecordLayout("EventNo", "Entered"))  # fmt: skip

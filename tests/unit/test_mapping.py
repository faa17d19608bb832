"""A mapping is a file: it says what it means, or every fault it has."""

import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.records.mapping import (
    IncidentMapping,
    load_mapping,
    load_preset,
    preset_names,
)
from deploy_opt.inputs.records.mapping_fields import TimeField


def written(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def faults_of(tmp_path, text):
    with pytest.raises(InputError) as caught:
        load_mapping(written(tmp_path, text))
    return [str(fault) for fault in caught.value.faults]


def test_the_presets_of_the_issue_are_there():
    wanted = "nyc_ems montgomery_pa seattle_spd seattle_spd_2015 seattle_fire sf_fire new_orleans"
    assert set(wanted.split()) | {"detroit", "cincinnati", "generic"} <= set(preset_names())


def test_a_column_name_alone_is_a_mapping_of_its_field(tmp_path):
    mapping = load_mapping(written(tmp_path, "received_at: [When, Time]\narea_id: Beat\n"))
    assert mapping.received_at.columns == ("When", "Time")
    assert mapping.area_id.columns == ("Beat",)
    assert mapping.name == "mine"
    assert mapping.service is None


def test_one_service_word_is_the_service_of_every_row(tmp_path):
    mapping = load_mapping(written(tmp_path, "received_at: t\nservice: police\n"))
    assert mapping.service.constant == "police"


def test_all_faults_come_at_once_with_the_nearest_name(tmp_path):
    faults = faults_of(
        tmp_path,
        "recieved_at: t\nprioritty: p\nservice: plumbing\nrows: units\n"
        "received_at: {column: t}\npoint: {lon: x}\n",
    )
    text = "\n".join(faults)
    assert len(faults) >= 6
    assert "did you mean 'received_at'?" in text
    assert "did you mean 'priority'?" in text
    assert "did you mean 'columns'?" in text
    assert "point: found what does not fit together, expected lon and lat, or text" in text


def test_a_clock_of_twelve_hours_needs_its_am_and_pm(tmp_path):
    faults = faults_of(tmp_path, "received_at: {columns: t, formats: '%m/%d/%Y %H:%M %p'}\n")
    assert "the PM is lost" in faults[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("received_at: t\nzone: America/Gotham\n", "an IANA time zone"),
        ("received_at: t\npoint: {lon: x, lat: y, crs: 'EPSG:0'}\n", "a reference system"),
        ("received_at: t\nrows: unit\n", "rows: unit needs incident_id"),
        (
            "received_at: {since: {columns: d, unit: s, field: arrived_at}}\n",
            "an earlier time than received_at",
        ),
        ("received_at: {optional: true}\n", "columns or since"),
        ("received_at: {columns: t, formats: sometimes}\n", "strptime format, not 'sometimes'"),
        ("received_at: t\nservice: {constant: ems, columns: s}\n", "one service, or columns"),
        ("received_at: t\ndrop: [{columns: s, values: [yes], reason: r}]\n", "in quotes"),
        ("received_at: t\nincident_id: {columns: []}\n", "at least 1 item"),
        ("call_type: t\n", "received_at: found nothing"),
        ("- a\n", "keys such as"),
        ("", "found nothing"),
        ("received_at: [t\n", "YAML, indented by spaces"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(tmp_path, text, words):
    assert words in "\n".join(faults_of(tmp_path, text))


def test_a_missing_file_and_a_wrong_preset_name_the_nearest(tmp_path):
    written(tmp_path, "received_at: t\n")
    with pytest.raises(InputError, match=r"did you mean 'mine.yaml'\?"):
        load_mapping(tmp_path / "mime.yaml")
    with pytest.raises(InputError, match=r"did you mean 'nyc_ems'\?"):
        load_preset("nyc_emms")


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_bytes(b"received_at: \xe9\n")
    with pytest.raises(InputError, match="not UTF-8"):
        load_mapping(file)


def test_a_mapping_cannot_be_changed():
    mapping = IncidentMapping(received_at=TimeField(columns=("t",)))
    with pytest.raises(ValueError, match="frozen"):
        mapping.zone = "UTC"

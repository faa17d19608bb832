"""All outside influences of a scenario together."""

import datetime as dt

import pytest

from deploy_opt.errors import InputError
from deploy_opt.input_settings import HolidaysInput, Inputs, WeatherInput
from deploy_opt.inputs.covariates import Covariates, load_covariates

NEW_YORK = "America/New_York"


def write(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")


def load(folder, **sections):
    needed = {
        "incidents": {"file": "i.csv", "preset": "generic"},
        "areas": "a.geojson",
        "travel_matrix": {"file": "m.csv", "unit": "s"},
        "posts": "p.csv",
    }
    inputs = Inputs.model_validate(needed | sections)
    start, end = (dt.datetime.fromisoformat(day) for day in ("2024-12-30", "2025-01-06"))
    return load_covariates(
        inputs, start=start, end=end, time_zone=NEW_YORK, path=lambda text: folder / text
    )


def test_a_scenario_without_sources_has_no_covariates(tmp_path):
    assert load(tmp_path) == Covariates()


def test_every_source_is_read_over_the_window(tmp_path):
    write(tmp_path, "w.csv", "date,temperature_max_c,temperature_min_c\n2024-12-30,10,0\n")
    write(tmp_path, "later.csv", "date,temperature_c\n2024-12-31,3\n2025-01-09,3\n")
    write(tmp_path, "e.csv", "name,start,end\nFireworks,2024-12-31 23:30,2025-01-01 00:30\n")
    write(tmp_path, "s.csv", "start,end\n2024-12-01,2025-01-31\n")
    write(tmp_path, "h.csv", "date,name\n2025-01-02,Local feast\n2025-02-02,Later\n")
    found = load(
        tmp_path,
        weather=[
            WeatherInput(file="w.csv", layout="table"),
            WeatherInput(file="later.csv", layout="table"),
        ],
        events="e.csv",
        school_days="s.csv",
        holidays=HolidaysInput(country="US", file="h.csv"),
    )
    assert len(found.weather) == 7 * 24
    assert found.weather["temperature_c"].notna().sum() == 48
    assert list(found.events["name"]) == ["Fireworks"]
    assert [f"{day:%m-%d}" for day in found.holidays["date"]] == ["01-01", "01-02"]
    assert [f"{day:%m-%d}" for day in found.school_days["date"]] == ["12-30", "12-31", "01-03"]
    said = " | ".join(found.notes)
    assert "temperature_c: 120 of 168 hours missing (2025-01-01 to 2025-01-05)" in said
    assert "school days s.csv: 3 in the window" in said


def test_the_faults_of_every_source_are_told_together(tmp_path):
    write(tmp_path, "w.csv", "date,temperature_c\nsoon,1\n")
    write(tmp_path, "e.csv", "name,start\nA,soon\n")
    with pytest.raises(InputError) as caught:
        load(
            tmp_path,
            weather=[
                WeatherInput(file="w.csv", layout="table"),
                WeatherInput(file="no.csv", layout="open_meteo"),
            ],
            events="e.csv",
            school_days="none.csv",
            holidays=HolidaysInput(country="USS"),
        )
    words = str(caught.value)
    for place in (
        "w.csv: line 2, date",
        "no.csv",
        "e.csv: line 2, start",
        "none.csv",
        "holidays: country",
    ):
        assert place in words
    assert len(caught.value.faults) == 5

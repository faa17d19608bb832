import json

import numpy as np
import pandas as pd
import pytest
import shapely

from deploy_opt.errors import InputError
from deploy_opt.inputs.areas import areas_of
from deploy_opt.inputs.matrices import load_matrix
from deploy_opt.inputs.periods import hours_of_periods
from deploy_opt.inputs.travel import unreachable

BOXES = np.array([shapely.box(4.0, 52.0, 4.1, 52.1), shapely.box(4.1, 52.0, 4.2, 52.1)])
AREAS = areas_of(["a", "b"], ["A", "B"], BOXES, ())
POSTS = pd.DataFrame(
    {"post_id": ["1", "2"], "name": ["One", "Two"], "lon": [4.05, 4.15], "lat": [52.05, 52.05]}
)
WHOLE = "from_id,to_id,seconds\n1,a,60\n1,b,120.5\n2,a,130\n2,b,61\n"


def written(tmp_path, text, name="matrix.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def loaded(tmp_path, text, unit="s", layout="long", name="matrix.csv"):
    file = written(tmp_path, text, name)
    return load_matrix(file, posts=POSTS, areas=AREAS, unit=unit, layout=layout)


def faults_of(tmp_path, text, **options):
    with pytest.raises(InputError) as raised:
        loaded(tmp_path, text, **options)
    return [str(fault) for fault in raised.value.faults]


def test_a_whole_matrix_is_read_by_label(tmp_path):
    times = loaded(tmp_path, "from_id,to_id,seconds\n2,b,61\n1,b,120.5\n1,a,60\n2,a,130\n")
    assert times.seconds.tolist() == [[60, 120.5], [130, 61]]
    assert times.seconds.dtype == np.float32
    assert times.destinations["point_id"].tolist() == ["a", "b"]
    assert times.destinations["share"].tolist() == [1.0, 1.0]
    assert times.origins["name"].tolist() == ["One", "Two"]
    assert times.profiles == ("all hours",)
    assert times.notes == ()
    assert unreachable(times) == ()


def test_parquet_minutes_and_the_other_names_of_ids_are_understood(tmp_path):
    file = tmp_path / "matrix.parquet"
    pd.DataFrame(
        {"post_id": [1, 1, 2, 2], "area_id": ["a", "b", "a", "b"], "minutes": [1, 2, 3, 4.5]}
    ).to_parquet(file)
    times = load_matrix(file, posts=POSTS, areas=AREAS, unit="min")
    assert times.seconds.tolist() == [[60, 120], [180, 270]]


def test_pairs_left_out_are_unreachable_and_said(tmp_path):
    times = loaded(tmp_path, "from_id,to_id,seconds\n1,a,60\n1,b,\n2,a,inf\n")
    assert times.seconds.tolist() == [[60, np.inf], [np.inf, np.inf]]
    assert times.notes == ("matrix.csv: 1 pairs have no time and count as unreachable: 2 to b",)
    assert "these posts reach nothing: 2" in unreachable(times)


def test_ids_that_the_scenario_does_not_know_are_left_out_and_said(tmp_path):
    times = loaded(tmp_path, WHOLE + "9,a,5\n1,zz,5\n")
    assert times.seconds.tolist() == [[60, 120.5], [130, 61]]
    assert times.notes == (
        "matrix.csv: posts that the scenario does not know are left out: 9",
        "matrix.csv: areas that the scenario does not know are left out: zz",
    )


def test_a_matrix_of_another_city_is_refused(tmp_path):
    lines = faults_of(tmp_path, "from_id,to_id,seconds\nx,y,5\n")
    assert len(lines) == 2
    assert "ids such as 'x', none of them known, expected ids such as '1'" in lines[0]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "matrix.csv: found"),
        ("from_id,to_id,seconds\n", {}, "no rows"),
        ("from_id,to_id,sec\n1,a,5\n", {}, "no column 'seconds'"),
        (WHOLE, {"unit": ""}, "unit: found '', expected s or min"),
        (WHOLE, {"unit": "min"}, "unit 'min' for the column 'seconds', expected unit 's'"),
        (WHOLE, {"layout": "r5py"}, "min, as R5 gives minutes"),
        (WHOLE.replace("60", "-60"), {}, "line 2, seconds: found '-60' (1 such rows)"),
        (WHOLE.replace("60", "soon"), {}, "seconds: found 'soon', expected a number"),
        (WHOLE + "1,a,60\n", {}, "line 6: found a pair given before"),
    ],
)
def test_a_fault_is_one_clear_line(tmp_path, text, options, words):
    (line,) = faults_of(tmp_path, text, **options)
    assert words in line
    assert "\n" not in line


def test_a_missing_file_is_one_clear_line(tmp_path):
    for layout, name in (("long", "m.csv"), ("osrm", "m.json")):
        with pytest.raises(InputError, match="no such file"):
            load_matrix(tmp_path / name, posts=POSTS, areas=AREAS, unit="s", layout=layout)


def test_r5_minutes_become_seconds(tmp_path):
    text = "from_id,to_id,travel_time\n1,a,1\n1,b,2\n2,a,3\n2,b,\n"
    times = loaded(tmp_path, text, unit="min", layout="r5py")
    assert times.seconds.tolist() == [[60, 120], [180, np.inf]]


def test_periods_become_profiles(tmp_path):
    rush = "".join(f"{i},{k},weekday 07-10,200\n" for i in (1, 2) for k in "ab")
    rest = "".join(f"{i},{k},other,100\n" for i in (1, 2) for k in "ab")
    times = loaded(tmp_path, "from_id,to_id,period,seconds\n" + rush + rest)
    assert times.profiles == ("weekday 07-10", "other")
    by_hour = [float(times.at_hour(hour)[0, 0]) for hour in range(168)]
    assert by_hour[6:11] == [100, 200, 200, 200, 100]
    assert by_hour.count(200) == 15


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        ([str(h) for h in range(168)], [1] * 168),
        ([str(h) for h in range(24)], [7] * 24),
        (["weekday", "weekend"], [120, 48]),
        (["22-06", "other"], [56, 112]),
        (["fri-sat 20-04", "rest"], [16, 152]),
        (["mon,Wed", "sunday 08:00-09:00", "base"], [48, 1, 119]),
        (["daily 00-12", "all 12-24"], [84, 84]),
        (["sat-mon", "default"], [72, 96]),
    ],
)
def test_names_of_periods_are_understood(names, counts):
    table = hours_of_periods(names, where="period")
    assert np.bincount(table).tolist() == counts


def test_a_night_goes_on_after_midnight():
    table = hours_of_periods(["sun 22-06", "other"], where="period")
    assert np.flatnonzero(table == 0).tolist() == [*range(6), 166, 167]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["monster", "other"], "'monster', expected an hour of the week"),
        (["mon-wed-fri", "other"], "'mon-wed-fri'"),
        (["168"], "'168'"),
        (["25-26", "other"], "'25-26'"),
        (["weekday", "mon", "other"], "hour 0 in 'weekday' and 'mon'"),
        (["weekday"], "48 hours of the week in no period, the first is 120"),
        (["rest", "other"], "rest, other, expected one name"),
    ],
)
def test_periods_that_do_not_fill_the_week_once_are_refused(names, words):
    with pytest.raises(InputError) as raised:
        hours_of_periods(names, where="period")
    assert words in str(raised.value)


def osrm(durations, origins, goals, **more):
    answer = {
        "code": "Ok",
        "durations": durations,
        "sources": [{"location": place, "name": ""} for place in origins],
        "destinations": [{"location": place, "name": ""} for place in goals],
    }
    return json.dumps(answer | more)


def test_an_answer_of_osrm_is_matched_by_place(tmp_path):
    text = osrm(
        [[20, 10, None, 7], [40, 30, 50, 7]],
        [[4.1501, 52.05], [4.05, 52.05]],
        [[4.12, 52.02], [4.02, 52.02], [4.18, 52.05], [9.0, 52.0]],
    )
    times = loaded(tmp_path, text, layout="osrm")
    assert times.destinations["point_id"].tolist() == ["a-01", "b-01", "b-02"]
    assert times.destinations["share"].tolist() == [1.0, 0.5, 0.5]
    assert times.seconds.tolist() == [[30, 40, 50], [10, 20, np.inf]]
    assert times.notes == ("matrix.csv: 1 destinations lie in no area, left out",)


def test_an_area_without_a_destination_is_unreachable_and_said(tmp_path):
    places = [[4.05, 52.05], [4.15, 52.05]]
    times = loaded(tmp_path, osrm([[1], [2]], places, [[4.02, 52.02]]), unit="min", layout="osrm")
    assert times.seconds.tolist() == [[60, np.inf], [120, np.inf]]
    assert times.notes == ("matrix.csv: no destination in the areas b",)


HOME, AWAY = [[4.05, 52.05]], [[4.02, 52.02]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty file"),
        ("{", "no JSON"),
        ("[]", "no key 'durations'"),
        (osrm([[1]], HOME, AWAY, code="NoTable", message="no route"), "NoTable: no route"),
        (osrm([[1], [1, 2]], HOME, AWAY), "durations: found no table"),
        (osrm([[-1]], HOME, AWAY), "found -1, expected times of 0 or more"),
        (osrm([[1]], HOME, AWAY, sources=None), "no locations in 'sources'"),
        (osrm([[1]], HOME, AWAY * 2), "found 2 places, expected 1"),
        (osrm([[1]], [[4.9, 52.05]], AWAY), "source 0 at 4.9, 52.05, far from posts"),
        (osrm([[1], [2]], HOME * 2, AWAY), "found two at post 1"),
        (osrm([[1]], HOME, [[9, 52]]), "no destination in an area"),
    ],
)
def test_what_is_not_an_answer_of_osrm_is_one_clear_line(tmp_path, text, words):
    (line,) = faults_of(tmp_path, text, layout="osrm")
    assert words in line

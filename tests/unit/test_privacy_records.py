"""Event lists, hashes, masks, logs and schemas keep single persons out."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.privacy.audit_log import START, AuditEntry, append, verify
from deploy_opt.privacy.events import k_anonymous
from deploy_opt.privacy.keys import keyed_hash, mask_points, read_key
from deploy_opt.privacy.schemas import check_columns, personal_columns
from deploy_opt.seeds import stream
from deploy_opt.tables import TABLES

KEY = b"0123456789abcdef0123456789abcdef"


def incidents(n=600, seed=1):
    rng = stream(seed, "privacy", "events")
    minutes = rng.integers(0, 60 * 24 * 28, n)
    return pd.DataFrame(
        {
            "incident_id": [f"i{i}" for i in range(n)],
            "area_id": rng.choice(["a", "b", "c"], n, p=[0.7, 0.29, 0.01]),
            "received_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min"),
            "call_type": rng.choice(["fall", "chest pain", "rare"], n, p=[0.6, 0.38, 0.02]),
        }
    )


@pytest.mark.parametrize("k", [2, 11])
def test_every_combination_stands_for_k_events_and_none_is_lost_unsaid(k):
    found = k_anonymous(incidents(), k=k)
    assert found.events.groupby(list(found.events.columns)).size().min() >= k
    assert list(found.events.columns) == ["area_id", "time", "call_type"]
    assert len(found.events) == sum(found.num_kept)
    assert len(found.events) + found.num_left_out == 600


def test_events_keep_the_hour_where_many_share_it_and_lose_it_where_few_do():
    often = pd.DataFrame(
        {"area_id": "a", "received_at": pd.Timestamp("2024-01-01 08:30"), "call_type": "fall"},
        index=range(11),
    )
    twice = often.assign(received_at=pd.Timestamp("2024-01-02 13:00"), call_type="burn").head(6)
    later = twice.assign(received_at=pd.Timestamp("2024-01-05 17:59")).head(5)
    alone = often.head(1).assign(area_id="z")
    found = k_anonymous(pd.concat([alone, often, twice, later]))
    counts = found.events.value_counts().to_dict()
    assert counts == {("a", "Mon 08", "fall"): 11, ("a", "Mon-Fri 12-18", "burn"): 11}
    assert found.num_kept == (11, 11, 0, 0)
    assert found.num_left_out == 1


def test_the_order_of_the_records_leaves_no_trace():
    table = incidents()
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(k_anonymous(table).events, k_anonymous(shuffled).events)


def test_event_lists_need_area_time_and_type():
    with pytest.raises(InputError, match="the column 'call_type'"):
        k_anonymous(incidents().drop(columns="call_type"))
    with pytest.raises(InputError, match="area_id: found 600 empty cells"):
        k_anonymous(incidents().assign(area_id=None))
    with pytest.raises(InputError, match="k: found 1"):
        k_anonymous(incidents(), k=1)


def test_hashes_join_the_same_name_and_nothing_else():
    first, second, empty, other, blank = keyed_hash(
        ["Zoë  Smith", "zoe\u0308 smith ", None, "Joe Smith", " "], KEY, purpose="linkage"
    )
    assert first == second != other
    assert empty is None
    assert blank is None
    assert len(first) == 64
    assert keyed_hash(["Joe Smith"], KEY, purpose="audit") != [other]
    assert keyed_hash(["Joe Smith"], KEY[::-1], purpose="linkage") != [other]


def test_weak_keys_and_hashes_without_purpose_are_refused():
    with pytest.raises(InputError, match="3 bytes, expected at least 16"):
        keyed_hash(["x"], b"abc", purpose="linkage")
    with pytest.raises(InputError, match="what the hashes are for"):
        keyed_hash(["x"], KEY, purpose=" ")


def test_a_key_must_lie_apart_from_what_it_protects(tmp_path):
    (tmp_path / "out").mkdir()
    for folder in (tmp_path, tmp_path / "out"):
        (folder / "key").write_bytes(KEY + b"\n")
    assert read_key(tmp_path / "key", apart_from=[tmp_path / "out"]) == KEY
    with pytest.raises(InputError, match="a key kept apart"):
        read_key(tmp_path / "out" / "key", apart_from=[tmp_path / "out"])
    with pytest.raises(InputError, match="a file that holds the key"):
        read_key(tmp_path / "none", apart_from=[])


def test_masked_points_lie_in_the_ring_evenly_and_never_move_again():
    n = 4000
    lon, lat = np.full(n, -73.9), np.full(n, 45.0)
    ids = [f"i{i}" for i in range(n)]
    x, y = mask_points(lon, lat, ids, KEY, nearest_m=100, farthest_m=400)
    again = mask_points(lon[::-1], lat[::-1], ids[::-1], KEY, nearest_m=100, farthest_m=400)
    assert (again[0][::-1] == x).all()
    east, north = (x - lon) * 111_320 * np.cos(np.radians(45)), (y - lat) * 111_320
    radius = np.hypot(east, north)
    assert radius.min() >= 100 - 1e-6
    assert radius.max() <= 400 + 1e-6
    # half the area of the ring lies within sqrt((100^2 + 400^2) / 2) m
    assert (radius < np.sqrt(85_000)).mean() == pytest.approx(0.5, abs=0.03)
    assert abs(east.mean()) < 15
    assert not np.allclose(
        x, mask_points(lon, lat, ids, KEY[::-1], nearest_m=100, farthest_m=400)[0]
    )


@pytest.mark.parametrize(
    ("points", "radii", "message"),
    [
        (([0.0], [0.0], ["a", "b"]), (1, 2), "as many of each"),
        (([0.0], [89.0], ["a"]), (1, 2), "points off the map"),
        (([0.0], [0.0], ["a"]), (2, 1), "expected 0 <= nearest_m < farthest_m"),
    ],
)
def test_masks_that_make_no_sense_are_refused(points, radii, message):
    with pytest.raises(InputError, match=message):
        mask_points(*points, KEY, nearest_m=radii[0], farthest_m=radii[1])


def entry(action="run", **params):
    return AuditEntry("2024-01-01T00:00:00+00:00", "planner", action, params, "d", "0.1", "o")


def written(path, n=4):
    return [append(path, entry(seed=i)) for i in range(n)]


def test_a_log_as_written_verifies_and_its_head_is_known(tmp_path):
    heads = written(tmp_path / "log")
    assert verify(tmp_path / "log", head=heads[-1]) == heads[-1]
    assert len(set(heads)) == 4
    (tmp_path / "empty").touch()
    assert verify(tmp_path / "empty") == START


def test_any_edit_of_a_byte_breaks_the_log(tmp_path):
    path = tmp_path / "log"
    head = written(path)[-1]
    text = path.read_bytes()
    for position in range(0, len(text), 7):
        edited = bytearray(text)
        edited[position] = ord("0") if edited[position] != ord("0") else ord("1")
        path.write_bytes(edited)
        with pytest.raises(InputError):
            verify(path, head=head)


@pytest.mark.parametrize("order", [[1, 2, 3], [0, 2, 3], [0, 2, 1, 3], [0, 1, 1, 2, 3]])
def test_lines_removed_repeated_or_moved_break_the_log(tmp_path, order):
    path = tmp_path / "log"
    written(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[i] for i in order))
    with pytest.raises(InputError, match=r"log: line \d: found a line that was changed"):
        verify(path)
    with pytest.raises(InputError, match="changed"):
        append(path, entry())


def test_lines_cut_from_the_end_show_against_the_noted_head(tmp_path):
    path = tmp_path / "log"
    head = written(path)[-1]
    lines = path.read_text().splitlines()[:-1]
    path.write_text("\n".join([*lines, ""]))
    verify(path)
    with pytest.raises(InputError, match="lines were cut off or added"):
        verify(path, head=head)


@pytest.mark.parametrize("line", ["{", "[]", "3", '{"entry": 1}'])
def test_a_line_that_is_no_entry_is_named(tmp_path, line):
    (tmp_path / "log").write_text(line)
    with pytest.raises(InputError, match="line 1"):
        verify(tmp_path / "log")


def test_a_half_written_last_line_is_named_and_a_log_must_be_there(tmp_path):
    path = tmp_path / "log"
    written(path)
    path.write_text(path.read_text().rstrip("\n"))
    with pytest.raises(InputError, match="line 4: found no end of the line"):
        append(path, entry())
    path.write_bytes(b"\xff")
    with pytest.raises(InputError, match="expected a log in UTF-8"):
        verify(path)
    with pytest.raises(InputError, match="expected a log in UTF-8"):
        verify(tmp_path / "none")


def test_entries_hold_plain_values_only(tmp_path):
    with pytest.raises(InputError, match="plain JSON values"):
        append(tmp_path / "log", entry(path=tmp_path))
    assert not (tmp_path / "log").exists()
    append(tmp_path / "log", entry(share=0.5))
    assert json.loads((tmp_path / "log").read_text())["entry"]["params"] == {"share": 0.5}


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("race", "race or ethnicity"),
        ("SubjectRace", "race or ethnicity"),
        ("Officer_Race ", "race or ethnicity"),
        ("is_hispanic", "race or ethnicity"),
        ("dob", "date of birth or age"),
        ("D.O.B.", "date of birth or age"),
        ("Date of Birth", "date of birth or age"),
        ("dateOfBirth", "date of birth or age"),
        ("patient_age", "date of birth or age"),
        ("name", "a person's name"),
        ("last_name", "a person's name"),
        ("LastName", "a person's name"),
        ("LASTNAME", "a person's name"),
        ("station_contact_name", "a person's name"),
        ("street_name_of_name", "a person's name"),
        ("license-plate", "a vehicle's plate"),
        ("SSN", "a number of a person"),
        ("gender", "sex or gender"),
        ("caller_phone", "a way to reach a person"),
    ],
)
def test_columns_about_persons_are_known_by_name(column, kind):
    assert personal_columns([column]) == {column: kind}


def test_columns_of_places_and_calls_are_not_about_persons():
    assert not personal_columns(["station_name", "trace_id", "dispatched_at", "stage", "terrace"])
    ours = {c for table in TABLES.values() for c in table.names} - {"name", "names"}
    assert not personal_columns(ours)


def test_a_table_with_race_name_or_birth_is_refused_by_name_even_if_listed():
    columns = ["area_id", "race", "last_name", "DateOfBirth"]
    with pytest.raises(InputError) as caught:
        check_columns(columns, allowed=columns, where="calls.csv")
    text = str(caught.value)
    assert text.count("\n") == 2
    for column in columns[1:]:
        assert f"calls.csv: column '{column}'" in text
    assert "nothing about single persons" in text


def test_only_listed_columns_come_in():
    check_columns(["area_id", "hour"], allowed={"area_id", "hour"}, where="x.csv")
    with pytest.raises(InputError, match=r"x.csv: column 'houre': found .*did you mean 'hour'\?"):
        check_columns(["area_id", "houre"], allowed={"area_id", "hour"}, where="x.csv")
    with pytest.raises(InputError, match="expected no column"):
        check_columns(["a"], allowed=[], where="x.csv")

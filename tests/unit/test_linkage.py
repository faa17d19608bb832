"""Which call an aid run is linked to, what is refused, and what the severity rating gets."""

import numpy as np
import pandas as pd
import pytest

import deploy_opt
from deploy_opt.errors import InputError
from deploy_opt.inputs.linkage import LINK_COLUMNS, candidate_pairs, choose_links, link_records
from deploy_opt.inputs.linkage_names import NameStep
from deploy_opt.privacy.keys import keyed_hash
from deploy_opt.risk.severity import call_severity

DAY = pd.Timestamp("2026-03-01T00:00Z")
BASIS = "data agreement 2026-14, reviewed by counsel"


def table(key, *rows, **more):
    """Rows: id, metres east, first and last minute of the day."""
    names, x, first, last = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            key: list(names),
            "x_m": np.array(x, dtype=float),
            "y_m": 0.0,
            "received_at": DAY + pd.to_timedelta(list(first), unit="min"),
            "cleared_at": DAY + pd.to_timedelta(list(last), unit="min"),
        }
    )
    return frame.assign(**more)


def calls(*rows, **more):
    return table("call_id", *rows, **more)


def runs(*rows, **more):
    return table("aid_id", *rows, **more)


def test_links_have_their_pinned_columns_and_the_door_opens():
    links = deploy_opt.link_records(calls(("c", 0, 0, 29)), runs(("a", 50, 12, 40)))
    assert tuple(links.columns) == LINK_COLUMNS
    assert links.to_dict("records")[0] | {"name_score": None} == {
        "call_id": "c",
        "aid_id": "a",
        "overlap_bins": 3,
        "distance_m": 50.0,
        "name_score": None,
    }


@pytest.mark.parametrize(("east_m", "linked"), [(60.96, 1), (60.9601, 0)])
def test_200_feet_are_near_and_a_tenth_of_a_millimetre_more_is_not(east_m, linked):
    pair = calls(("c", 0, 0, 5)), runs(("a", east_m, 0, 5))
    assert len(link_records(*pair)) == linked


@pytest.mark.parametrize(("first", "linked"), [(6, 1), (11.9, 1), (12, 0)])
def test_records_overlap_when_they_touch_the_same_tenth_of_an_hour(first, linked):
    """A call that ends at 00:06 touches the bin 00:06 to 00:12."""
    assert len(link_records(calls(("c", 0, 0, 6)), runs(("a", 0, first, 60)))) == linked


def test_a_pair_over_many_hours_is_met_once():
    pairs = candidate_pairs(calls(("c", 0, 30, 400)), runs(("a", 0, 100, 500)))
    assert pairs["overlap_bins"].tolist() == [400 // 6 - 100 // 6 + 1]


def test_the_longest_overlap_wins_then_the_nearest_then_the_lowest_id():
    run = runs(("a", 0, 0, 60))
    longer = calls(("far", 60, 0, 60), ("near", 0, 0, 30))
    nearer = calls(("far", 60, 0, 60), ("near", 10, 0, 60))
    equal = calls(("d", 10, 0, 60), ("b", -10, 0, 60), ("c", 10, 0, 60))
    chosen = [link_records(each, run)["call_id"].tolist() for each in (longer, nearer, equal)]
    assert chosen == [["far"], ["near"], ["b"]]


def test_a_call_may_keep_many_runs_and_its_severity_is_the_worst():
    town = calls(("c1", 0, 0, 60), ("c2", 500, 0, 60))
    aid = runs(("a1", 0, 0, 9), ("a2", 9, 0, 9), level=["bls", "als"], transported=True)
    links = link_records(town, aid)
    assert links[["call_id", "aid_id"]].to_numpy().tolist() == [["c1", "a1"], ["c1", "a2"]]
    rated = call_severity(town, aid.assign(unnatural_death=False), links)
    assert rated["severity"].tolist() == [4, 1]


def test_incident_ids_serve_on_both_sides_and_keep_their_type():
    town = calls((7, 0, 0, 9)).rename(columns={"call_id": "incident_id"})
    aid = runs((8, 0, 0, 9)).rename(columns={"aid_id": "incident_id"})
    assert link_records(town, aid)[["call_id", "aid_id"]].to_numpy().tolist() == [[7, 8]]


def test_degrees_are_measured_in_metres_and_a_place_far_off_does_not_bend_them():
    def at(frame, lon, lat):
        return frame.drop(columns=["x_m", "y_m"]).assign(lon=lon, lat=lat)

    step = 55.0 / 111_190.0  # degrees of latitude, 55 m at 47.6 north
    town = at(calls(("c", 0, 0, 9), ("x", 0, 0, 9)), [-122.33, 10.0], [47.6, -80.0])
    aid = at(runs(("a", 0, 0, 9), ("b", 0, 0, 9)), -122.33, [47.6 + step, 47.6 + 2 * step])
    links = link_records(town, aid)
    assert links["aid_id"].tolist() == ["a"]
    assert links["distance_m"].tolist() == pytest.approx([55.0], abs=0.1)
    nowhere = at(calls(("c", 0, 0, 9)), 0.0, 0.0), at(runs(("a", 0, 0, 9)), 0.0, 0.0)
    assert link_records(*nowhere).empty


def test_metres_on_one_side_only_are_not_used():
    town = calls(("c", 0, 0, 9), ("d", 0, 0, 9), lon=[4.9, None], lat=52.4)
    aid = runs(("a", 0, 0, 9), lon=4.9, lat=52.4).drop(columns="y_m")
    assert link_records(town, aid)["call_id"].tolist() == ["c"]
    assert link_records(town.convert_dtypes(), aid)["call_id"].tolist() == ["c"]


def test_places_in_words_are_refused():
    aid = runs(("a", 0, 0, 9)).assign(x_m="12 m")
    with pytest.raises(InputError, match="aid runs: x_m: found object, expected numbers"):
        link_records(calls(("c", 0, 0, 9)), aid)


def test_the_zone_of_a_time_does_not_matter():
    aid = runs(("a", 0, 0, 9))
    for column in ("received_at", "cleared_at"):
        aid[column] = aid[column].dt.tz_convert("Asia/Kathmandu")
    assert len(link_records(calls(("c", 0, 0, 9)), aid)) == 1


def test_records_without_place_or_interval_are_linked_to_nothing():
    town = calls(("c", 0, 0, 60))
    aid = runs(("a", np.nan, 0, 9), ("b", 0, np.nan, 9), ("d", 0, 9, 0), ("e", 0, 0, 20_000))
    assert link_records(town, aid).empty
    assert link_records(town.iloc[:0], aid).empty
    assert link_records(town, aid.iloc[:0]).empty


def test_a_longer_bin_and_distance_link_more():
    pair = calls(("c", 0, 0, 10)), runs(("a", 90, 30, 40))
    assert link_records(*pair).empty
    assert len(link_records(*pair, max_distance_m=100, time_bin_h=1)) == 1


def test_faults_of_both_tables_are_said_at_once():
    town = calls(("c", 0, 0, 9), ("c", 0, 0, 9), (None, 0, 0, 9))
    aid = runs(("a", 0, 0, 9)).drop(columns="x_m").rename(columns={"cleared_at": "cleared_att"})
    aid["received_at"] = aid["received_at"].dt.tz_localize(None)
    with pytest.raises(InputError) as raised:
        link_records(town, aid)
    text = str(raised.value)
    for words in (
        "calls: found 1 rows without call_id",
        "calls: found call_id 'c' and 0 more twice, expected each id once",
        "calls: found no column 'lon'",
        "aid runs: found no column 'cleared_at', expected received_at and cleared_at; did you mean",
        "aid runs: received_at: found datetime64",
        "times with a zone",
        "aid runs: found no column 'lat', expected lon and lat, or x_m and y_m on both sides",
    ):
        assert words in text


@pytest.mark.parametrize(
    "numbers",
    [{"max_distance_m": 0}, {"max_distance_m": np.inf}, {"time_bin_h": 0}, {"time_bin_h": 25}],
)
def test_numbers_out_of_range_are_refused(numbers):
    with pytest.raises(InputError, match=next(iter(numbers))):
        link_records(calls(("c", 0, 0, 9)), runs(("a", 0, 0, 9)), **numbers)


@pytest.mark.parametrize("basis", ["", "  ", "42", "yes", "n/a"])
def test_names_without_a_basis_in_words_are_refused(basis):
    with pytest.raises(InputError, match="expected the legal basis of linking by name, in words"):
        NameStep("jaro_winkler", "person", basis)


def test_unknown_kinds_and_scores_of_names_are_refused():
    with pytest.raises(InputError, match=r"kind.*\n.*least_score: found 2, expected a share 0..1"):
        NameStep("soundex", "person", BASIS, least_score=2)


def test_the_best_name_beats_a_longer_overlap_and_an_unknown_one_does_not():
    town = calls(
        ("long", 0, 0, 60),
        ("same", 9, 0, 12),
        ("unknown", 0, 0, 60),
        person=["Rosa Quist", "MÜLLER,  Jane", None],
    )
    aid = runs(("a", 0, 0, 60), person="Jane Muller")
    links = link_records(town, aid, names=NameStep("jaro_winkler", "person", BASIS))
    assert links["call_id"].tolist() == ["same"]
    assert links["name_score"].tolist() == [1.0]
    assert link_records(town, aid)["call_id"].tolist() == ["long"]


def test_a_least_score_drops_known_strangers_and_keeps_the_unknown():
    town = calls(("c", 0, 0, 9), ("u", 50, 0, 9), person=["Rosa Quist", " "])
    aid = runs(("a", 0, 0, 9), person="Ivo Bell")
    step = NameStep("jaro_winkler", "person", BASIS, least_score=0.9)
    links = link_records(town, aid, names=step)
    assert links["call_id"].tolist() == ["u"]
    assert links["name_score"].isna().all()


def test_keyed_hashes_find_the_same_person_and_no_name_is_seen():
    key = b"0123456789abcdef"
    town = calls(("c", 0, 0, 60), ("d", 50, 0, 9))
    town["person_key"] = keyed_hash(["Rosa Quist", "Jane Roe"], key, purpose="linkage")
    aid = runs(("a", 0, 0, 60), ("b", 0, 0, 60))
    aid["person_key"] = keyed_hash(["jane  ROE", None], key, purpose="linkage")
    links = link_records(town, aid, names=NameStep("hashed", "person_key", BASIS))
    assert links[["call_id", "aid_id"]].to_numpy().tolist() == [["c", "b"], ["d", "a"]]
    assert links["name_score"].fillna(-1).tolist() == [-1, 1]
    assert tuple(links.columns) == LINK_COLUMNS


def test_plain_names_are_not_taken_for_hashes_and_the_column_must_be_there():
    step = NameStep("hashed", "person", BASIS)
    with pytest.raises(InputError) as raised:
        link_records(calls(("c", 0, 0, 9), person="Rosa Quist"), runs(("a", 0, 0, 9)), names=step)
    assert [str(fault).split(";")[0] for fault in raised.value.faults] == [
        "calls: person: found 1 values that are no hash, expected 32 or more hexadecimal digits",
        "aid runs: found no column 'person', expected the column of names on both sides",
    ]


def test_a_third_party_may_score_the_pairs():
    pairs = candidate_pairs(calls(("c", 0, 0, 60), ("d", 50, 0, 9)), runs(("a", 0, 0, 60))).assign(
        name_score=[0.1, 0.8]
    )
    assert choose_links(pairs)["call_id"].tolist() == ["d"]
    with pytest.raises(InputError, match="no column 'name_score'"):
        choose_links(pairs.drop(columns="name_score"))

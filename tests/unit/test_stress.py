"""Bad spells on five places along a road, and on roads that one can draw."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deploy_opt.errors import InputError
from deploy_opt.inputs.roads import Roads
from deploy_opt.inputs.travel import travel_times
from deploy_opt.simulation.draws import Law, ServiceLaws, draw_poisson, draw_service
from deploy_opt.simulation.replicate import Arm
from deploy_opt.simulation.stress import hours_to_recover, stress, surged
from deploy_opt.simulation.stress_fleet import Stress, change_fleet, units_on_duty
from deploy_opt.stages.stress_ground import _at_most_cut_off, break_roads
from deploy_opt.stages.stress_names import check_places, check_roads_and_areas
from deploy_opt.stress_settings import StressTest, StressVariant
from deploy_opt.tables import TABLES, check_frame

ROAD = 60.0 * np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
LAWS = {"p1": ServiceLaws(on_scene=Law("exponential", 1800.0), turnout=Law("constant", 30.0))}
HOUR = 3600.0


def fleet_at(*homes):
    names = [f"U{number}" for number in range(len(homes))]
    return pd.DataFrame({"unit_id": names, "unit_type": "als", "home_node": list(homes)})


def draw(number, *, hours=74, rate=0.2):
    calls = draw_poisson(np.full((hours, 5), rate), seed=3, replication=number)
    calls = calls.assign(call_class="p1", area_id=calls["node"].map("A{}".format))
    return draw_service(calls, LAWS, seed=3, replication=number)


SPELL = {"from_s": 24 * HOUR, "to_s": 48 * HOUR}


@pytest.fixture(scope="module")
def table():
    aid = pd.DataFrame({"unit_id": ["N1"], "unit_type": "als", "home_node": [2]})
    variants = {
        "quiet": Stress(**SPELL),
        "surge": Stress(**SPELL, surge=2.5),
        "greater surge": Stress(**SPELL, surge=7.0),
        "slow roads": Stress(**SPELL, times=2 * ROAD),
        "lost post": Stress(**SPELL, lost_posts=[4]),
        "half the crews": Stress(**SPELL, crews=0.5),
        "half the crews, aid": Stress(**SPELL, crews=0.5, mutual_aid=aid),
        "lent": Stress(**SPELL, lent=1, contingency=Arm(fleet_at(1, 4))),
    }
    arms = {"plan": Arm(fleet_at(1, 2, 4)), "baseline": Arm(fleet_at(0, 2, 4))}
    return stress(arms, draw, ROAD, variants, standard_s=150.0, seed=1, replications=2)


def value(table, variant, statistic, arm="plan"):
    own = table[(table["scope"] == "spell") & (table["arm"] == arm)]
    return own.set_index(["variant", "statistic"])["value"][variant, statistic]


def test_the_table_keeps_its_contract(table):
    check_frame(table, TABLES["stress.csv"], where="stress.csv")
    assert set(table.loc[table["variant"] == "lent", "arm"]) == {
        *("plan", "baseline", "contingency"),
        *("plan_less_baseline", "contingency_less_plan"),
    }


def test_a_spell_that_does_nothing_changes_nothing(table):
    assert value(table, "quiet", "late_share") == value(table, "quiet", "late_share_normal")
    assert value(table, "quiet", "hours_to_recover") == 0.0
    assert value(table, "quiet", "not_recovered") == 0.0


@pytest.mark.parametrize("variant", ["surge", "slow roads", "lost post", "half the crews", "lent"])
def test_every_bad_thing_makes_more_calls_late(table, variant):
    quiet = value(table, "quiet", "late_share")
    assert value(table, variant, "late_share") > quiet
    assert value(table, variant, "late_share_normal") == quiet


def test_more_calls_are_never_fewer_late_and_help_helps(table):
    late = [
        value(table, name, "late_share") * value(table, name, "num_calls")
        for name in ("quiet", "surge", "greater surge")
    ]
    assert late == sorted(late)
    assert value(table, "surge", "num_calls") > 2 * value(table, "quiet", "num_calls")
    helped, alone = (
        value(table, name, "late_share") for name in ("half the crews, aid", "half the crews")
    )
    assert helped < alone
    assert value(table, "greater surge", "most_waiting") > value(table, "quiet", "most_waiting")
    assert value(table, "greater surge", "hours_to_recover") > 0


def test_differences_are_paired_and_hours_are_those_round_the_spell(table):
    gap = value(table, "surge", "late_share", "plan_less_baseline")
    apart = value(table, "surge", "late_share") - value(table, "surge", "late_share", "baseline")
    assert gap == pytest.approx(apart)
    hours = table.loc[(table["scope"] == "hour") & (table["variant"] == "surge"), "scope_id"]
    assert {hours.astype(int).min(), hours.astype(int).max()} == {18, 71}


def test_a_spell_that_does_not_end_in_the_run_says_so():
    variants = {"long": Stress(2 * HOUR, 72 * HOUR, surge=6.0)}
    found = stress(
        {"plan": Arm(fleet_at(1))}, draw, ROAD, variants, standard_s=150.0, seed=1, replications=2
    )
    assert value(found, "long", "not_recovered") == 1.0


def test_a_lost_hospital_makes_work_longer():
    def moved(number):  # all calls in the west, where the near hospital is
        calls = draw(number, hours=48, rate=0.4)
        return calls[calls["node"] <= 1].assign(transport=True, handover_s=600.0)

    known = pd.DataFrame({"hospital": [0], "from_s": [1e7], "to_s": [2e7]})
    found = stress(
        {"plan": Arm(fleet_at(0))},
        moved,
        10 * ROAD,
        {"lost": Stress(0.0, 24 * HOUR, lost_hospitals=[0])},
        standard_s=900.0,
        seed=1,
        replications=2,
        hospitals=[0, 4],
        diversions=known,
    )
    assert value(found, "lost", "late_share") > value(found, "lost", "late_share_normal")


def test_recovery_is_counted_from_the_end_of_the_spell():
    at_s = np.arange(0, 48 * 3600, 600.0)
    quiet = pd.DataFrame({"at_s": at_s, "response_s": 300.0})
    bad = quiet.assign(response_s=np.where((at_s >= 36_000) & (at_s < 72_000), 900.0, 300.0))
    assert hours_to_recover(bad, quiet, 15 * 3600.0) == 5.0
    never = quiet.assign(response_s=900.0)
    assert np.isnan(hours_to_recover(never, quiet, 15 * 3600.0))


def test_a_stress_that_cannot_be_is_said_in_words():
    bad = {"odd": Stress(10.0, 5.0, surge=0.5)}
    arms = {"plan": Arm(fleet_at(0))}
    with pytest.raises(InputError, match="a start before its end"):
        stress(arms, draw, ROAD, bad, standard_s=1.0, seed=1)
    with pytest.raises(InputError, match="at least 2, as intervals"):
        stress(arms, draw, ROAD, {}, standard_s=1.0, seed=1, replications=1)


@settings(max_examples=20, deadline=None)
@given(
    homes=st.lists(st.integers(0, 4), min_size=1, max_size=9),
    crews=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    lent=st.integers(0, 3),
    posts=st.sets(st.integers(0, 4), max_size=2),
)
def test_as_many_units_are_there_as_the_spell_leaves(homes, crews, lent, posts):
    bad = Stress(2 * HOUR, 5 * HOUR, crews=crews, lent=lent, lost_posts=posts)
    fleet = fleet_at(*homes).assign(on_from_s=0.0, on_to_s=9 * HOUR)
    whole = units_on_duty(change_fleet(fleet, Stress(2 * HOUR, 5 * HOUR)), bad, 5)
    there = units_on_duty(change_fleet(fleet, bad), bad, 5)
    stay = max(int(np.ceil(crews * len(homes) - 1e-9)) - lent, 0)
    assert (there <= whole).all()
    assert not there[:, list(posts)].any()
    assert (there.sum(axis=1) <= stay).all()
    if not posts:
        assert (there.sum(axis=1) == stay).all()
        if stay >= len(set(homes)):
            assert (there[0] > 0).sum() == len(set(homes))  # the first of each post stays
    changed = change_fleet(fleet, bad)
    for moment in (0.5, 6.5):  # before and after: as ever
        on = (changed["on_from_s"] <= moment * HOUR) & (changed["on_to_s"] > moment * HOUR)
        assert on.sum() == len(homes)


@settings(max_examples=25, deadline=None)
@given(surge=st.floats(1.0, 6.0), seed=st.integers(0, 5))
def test_a_surge_adds_calls_of_its_areas_and_hours_alone(surge, seed):
    calls = draw(0)
    bad = Stress(**SPELL, surge=surge, surge_areas=("A1",))
    more = surged(calls, bad, seed=seed)
    assert more["call_id"].is_unique
    assert more["at_s"].is_monotonic_increasing
    extra = more[~more["call_id"].isin(calls["call_id"])]
    assert set(extra["area_id"]) <= {"A1"}
    assert extra["at_s"].between(bad.from_s, bad.to_s).all()
    inside = calls["at_s"].between(bad.from_s, bad.to_s) & (calls["area_id"] == "A1")
    assert (np.ceil(surge) - 1) * inside.sum() >= len(extra) >= (np.floor(surge) - 1) * inside.sum()


# Roads: a square with a bridge, N0 - N1 over the water, and N0 - N2 - N3 - N1 the long way


def square():
    ends = np.array([(0, 1), (1, 0), (0, 2), (2, 0), (2, 3), (3, 2), (3, 1), (1, 3)])
    seconds = np.array([30.0, 30.0, 60, 60, 60, 60, 60, 60])
    return Roads(
        node_id=np.array(["N0", "N1", "N2", "N3"]),
        lon=np.array([10.0, 10.01, 10.0, 10.01]),
        lat=np.array([50.0, 50.0, 50.01, 50.01]),
        from_node=ends[:, 0],
        to_node=ends[:, 1],
        length_m=seconds * 10,
        siren_s=seconds,
        regular_s=seconds * 1.5,
        class_names=("bridge", "street"),
        class_of_arc=np.array([0, 0, 1, 1, 1, 1, 1, 1]),
        attribution="",
        notes=(),
    )


def drives(roads):
    places = pd.DataFrame({"post_id": list("abcd"), "lon": roads.lon, "lat": roads.lat})
    return travel_times(roads, places, places.rename(columns={"post_id": "point_id"})).seconds


def variant(**what):
    return StressVariant(from_hour=0, hours=8, **what)


def test_a_closed_bridge_is_driven_round_by_name_or_by_class():
    for what in ({"arcs": [("N1", "N0")]}, {"road_classes": ["bridge"]}):
        found = drives(break_roads(square(), variant(**what)))
        assert found[0, 1] == found[1, 0] == pytest.approx(180.0)
    slow = drives(break_roads(square(), variant(arcs=[("N0", "N1")], slowed=3.0)))
    assert slow[0, 1] == pytest.approx(90.0)
    assert break_roads(square(), variant(surge=2.0)) is None


@settings(max_examples=30, deadline=None)
@given(
    arcs=st.sets(
        st.sampled_from([("N0", "N1"), ("N0", "N2"), ("N2", "N3"), ("N3", "N1")]), min_size=1
    ),
    slowed=st.one_of(st.none(), st.floats(1.1, 50.0)),
)
def test_closing_a_road_is_never_faster_and_nobody_is_lost_for_good(arcs, slowed):
    usual = drives(square())
    broken = drives(break_roads(square(), variant(arcs=sorted(arcs), slowed=slowed)))
    assert (broken >= usual - 1e-4).all()
    kept = _at_most_cut_off(broken, usual)
    assert np.isfinite(kept).all()
    assert (kept >= usual).all()
    assert (kept <= usual + 3600).all()


# What the scenario may say


def test_unknown_names_are_refused_with_the_nearest():
    posts = pd.DataFrame({"post_id": ["S01", "S02"]})
    beds = pd.DataFrame({"hospital_id": ["H1", "H2"]})
    wrong = {"a": variant(lost_posts=["S0l"], lost_hospitals=["H3"], borrowed_units={"S03": 1})}
    with pytest.raises(InputError) as raised:
        check_places(wrong, posts, beds)
    said = str(raised.value)
    assert len(raised.value.faults) == 3
    assert "stress.variants.a.lost_posts: found post 'S0l'" in said
    assert "did you mean" in said
    check_places({"a": variant(lost_posts=["S0l"])}, None, beds)
    with pytest.raises(InputError, match="one that stays open"):
        check_places({"a": variant(lost_hospitals=["H1", "H2"])}, posts, beds)
    with pytest.raises(InputError, match="no hospital, as the inputs have none"):
        check_places({"a": variant(lost_hospitals=["H1"])}, posts, None)


def test_unknown_roads_and_areas_are_refused():
    wrong = {
        "a": variant(road_classes=["strete"], surge=2, surge_areas=["A9"]),
        "b": variant(arcs=[("N0", "N9")]),
        "c": variant(arcs=[("N0", "N3")]),
    }
    with pytest.raises(InputError) as raised:
        check_roads_and_areas(wrong, square(), ["A1"])
    said = str(raised.value)
    assert len(raised.value.faults) == 4
    assert "did you mean 'street'?" in said
    assert "no road from N0 to N3" in said
    with pytest.raises(InputError, match="no road class, as the inputs have none"):
        check_roads_and_areas({"a": variant(road_classes=["street"])}, None, [])


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({}, "at least one of surge"),
        ({"slowed": 2.0, "surge": 2.0}, "road_classes or arcs beside slowed"),
        ({"surge_areas": ["A1"], "crews": 0.5}, "a surge above 1"),
        ({"surge": 0.5}, "greater than or equal to 1"),
        ({"crews": 1.5}, "less than or equal to 1"),
        ({"borrowed_units": {"S01": 0}}, "greater than or equal to 1"),
    ],
)
def test_a_variant_that_makes_no_sense_is_refused_in_words(what, words):
    with pytest.raises(ValidationError, match=words):
        variant(**what)


def test_a_name_that_cannot_be_a_file_is_refused():
    with pytest.raises(ValidationError, match="should match pattern"):
        StressTest(variants={"a/b": {"from_hour": 0, "hours": 1, "surge": 2}})

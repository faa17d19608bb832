import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.input_settings import SpeedProfile
from deploy_opt.inputs import travel
from deploy_opt.inputs.roads import Roads
from deploy_opt.inputs.travel import TravelTimes, travel_times, unreachable


def street(classes=("road", "road", "road"), seconds=(10, 20, 40), regular=(20, 40, 80)):
    """Four nodes in a row, 0.01 degrees apart, two-way: n0 - n1 - n2 - n3."""
    there = np.array([0, 1, 2])
    names = tuple(sorted(set(classes)))
    codes = np.array([names.index(name) for name in classes])
    return Roads(
        node_id=np.array(["n0", "n1", "n2", "n3"]),
        lon=np.array([4.0, 4.01, 4.02, 4.03]),
        lat=np.full(4, 52.0),
        from_node=np.concatenate([there, there + 1]),
        to_node=np.concatenate([there + 1, there]),
        length_m=np.full(6, 686.0),
        siren_s=np.tile(np.asarray(seconds, dtype=float), 2),
        regular_s=np.tile(np.asarray(regular, dtype=float), 2),
        class_names=names,
        class_of_arc=np.tile(codes, 2),
        attribution="",
        notes=(),
    )


def posts(*lon):
    return pd.DataFrame({"post_id": [f"P{k}" for k in range(len(lon))], "lon": lon, "lat": 52.0})


def points(*lon, area=None):
    ids = [f"D{k}" for k in range(len(lon))]
    area = area or ids
    return pd.DataFrame({"point_id": ids, "area_id": area, "lon": lon, "lat": 52.0, "share": 1.0})


ENDS = points(4.0, 4.02, 4.03)


def test_times_add_up_along_the_street():
    times = travel_times(street(), posts(4.0, 4.03), ENDS)
    assert times.seconds.tolist() == [[0, 30, 70], [70, 40, 0]]
    assert times.seconds.dtype == np.float32
    assert times.profiles == ("all hours",)
    assert times.notes == ()


def test_without_siren_the_regular_times_hold():
    times = travel_times(street(), posts(4.0), ENDS, mode="regular")
    assert times.seconds.tolist() == [[0, 60, 140]]


def test_the_way_to_the_road_counts_at_both_ends():
    times = travel_times(street(), posts(4.001), points(4.0305), off_road_kph=36.0)
    metres_per_degree = 68_677.0
    legs_s = (0.001 + 0.0005) * metres_per_degree / 10.0
    assert times.seconds[0, 0] == pytest.approx(70 + legs_s, rel=1e-3)


def test_places_far_from_a_road_are_said():
    times = travel_times(street(), posts(3.98), points(4.0, 4.05))
    assert times.notes[0].startswith("1 of 1 posts lie more than 500 m from a road (farthest 1,37")
    assert times.notes[1].startswith("1 of 2 demand points")


def test_a_limit_cuts_only_longer_times():
    free = travel_times(street(), posts(4.0), ENDS).seconds
    cut = travel_times(street(), posts(4.0), ENDS, limit_s=30.0).seconds
    assert cut.tolist() == [[0, 30, np.inf]]
    assert np.isfinite(free).all()


def test_a_limit_holds_for_every_profile():
    jam = SpeedProfile(name="jam", factor=2.0, hours=(8,))
    profile = [SpeedProfile(name="free", factor=1.0), jam]
    times = travel_times(street(), posts(4.0), ENDS, limit_s=60.0, profile=profile)
    assert times.at_hour(0).tolist() == [[0, 30, np.inf]]
    assert times.at_hour(8).tolist() == [[0, 60, np.inf]]


def searches(monkeypatch):
    asked = []
    search = travel._shortest

    def counted(*arguments):
        asked.append(arguments[1])
        return search(*arguments)

    monkeypatch.setattr(travel, "_shortest", counted)
    return asked


def test_profiles_of_one_factor_share_a_search(monkeypatch):
    asked = searches(monkeypatch)
    profile = [
        SpeedProfile(name="free", factor=1.0),
        SpeedProfile(name="rush", factor=1.5, hours=(7, 8)),
        SpeedProfile(name="night", factor=0.8, hours=(2, 3)),
    ]
    times = travel_times(street(), posts(4.0), ENDS, profile=profile)
    assert len(asked) == 1
    assert times.at_hour(7)[0].tolist() == [0, 45, 105]
    assert times.at_hour(3)[0] == pytest.approx([0, 24, 56])
    assert times.at_hour(168 + 7)[0].tolist() == [0, 45, 105]
    assert times.seconds[0].tolist() == [0, 30, 70]


def test_a_factor_by_class_slows_only_that_class(monkeypatch):
    asked = searches(monkeypatch)
    roads = street(classes=("main", "side", "side"))
    profile = [
        SpeedProfile(name="free", factor=1.0),
        SpeedProfile(name="rush", factor=1.0, hours=(7,), by_class={"main": 3.0}),
    ]
    times = travel_times(roads, posts(4.0), ENDS, profile=profile)
    assert times.at_hour(7)[0].tolist() == [0, 50, 90]
    assert times.at_hour(6)[0].tolist() == [0, 30, 70]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ([("a", (1, 2)), ("b", (2, 3)), ("c", ())], "hour 2 in 'a' and 'b'"),
        ([("a", (1,))], "167 hours in no profile and 0 profiles without hours"),
        ([("a", ()), ("b", ())], "168 hours in no profile and 2 profiles"),
    ],
)
def test_profiles_must_fill_the_week_once(profile, words):
    made = [SpeedProfile(name=name, factor=1.0, hours=hours) for name, hours in profile]
    with pytest.raises(InputError, match=words):
        travel_times(street(), posts(4.0), ENDS, profile=made)


def test_a_week_filled_by_named_hours_needs_no_rest():
    day = [SpeedProfile(name="all", factor=2.0, hours=tuple(range(168)))]
    assert travel_times(street(), posts(4.0), ENDS, profile=day).seconds[0].tolist() == [0, 60, 140]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "fast"}, "mode: found 'fast', expected siren or regular"),
        ({"limit_s": 0.0}, "limit_s: found 0, expected more than 0 s"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        travel_times(street(), posts(4.0), ENDS, **options)


def test_no_posts_and_no_points_are_refused():
    with pytest.raises(InputError, match="origins: found no rows"):
        travel_times(street(), posts(4.0).iloc[:0], ENDS)
    with pytest.raises(InputError, match="destinations: found no rows"):
        travel_times(street(), posts(4.0), ENDS.iloc[:0])


def test_more_origins_than_a_block_come_in_their_order():
    random = np.random.default_rng(2)
    lon = random.choice([4.0, 4.01, 4.02, 4.03], 150)
    times = travel_times(street(), posts(*lon), ENDS).seconds
    one_by_one = [travel_times(street(), posts(place), ENDS).seconds[0] for place in lon]
    assert np.array_equal(times, np.stack(one_by_one))


def test_of_parallel_arcs_the_quickest_counts_in_each_profile():
    base = street()
    roads = Roads(
        node_id=base.node_id[:2],
        lon=base.lon[:2],
        lat=base.lat[:2],
        from_node=np.array([0, 0, 1]),
        to_node=np.array([1, 1, 0]),
        length_m=np.full(3, 686.0),
        siren_s=np.array([10.0, 12.0, 10.0]),
        regular_s=np.array([30.0, 20.0, 20.0]),
        class_names=("bridge", "ferry"),
        class_of_arc=np.array([0, 1, 0]),
        attribution="",
        notes=(),
    )
    jam = [
        SpeedProfile(name="free", factor=1.0),
        SpeedProfile(name="jam", factor=1.0, hours=(8,), by_class={"bridge": 5.0}),
    ]
    times = travel_times(roads, posts(4.0), points(4.01), profile=jam)
    assert times.at_hour(0)[0, 0] == 10
    assert times.at_hour(8)[0, 0] == 12
    regular = travel_times(roads, posts(4.0), points(4.01), mode="regular")
    assert regular.seconds[0, 0] == 20


def test_an_arc_of_no_time_is_an_arc():
    roads = street(seconds=(0, 0, 40))
    assert travel_times(roads, posts(4.0), ENDS).seconds.tolist() == [[0, 0, 40]]


def test_what_is_unreachable_is_said():
    reach = np.array([[[5.0, np.inf, np.inf], [np.inf, np.inf, np.inf]]], dtype=np.float32)
    places = points(4.0, 4.01, 4.02, area=["a", "b", "b"])
    hours = np.zeros(168, dtype=np.int16)
    times = TravelTimes(reach, posts(4.0, 4.01), places, ("all hours",), hours, ("first",))
    assert unreachable(times) == (
        "first",
        "these posts reach nothing: P1",
        "no post reaches 2 demand points in the areas b",
    )


def test_a_drive_factor_lengthens_every_drive_and_cuts_no_more_than_the_limit_says():
    jam = SpeedProfile(name="jam", factor=2.0, hours=(8,))
    options = {"profile": [SpeedProfile(name="free", factor=1.0), jam], "off_road_kph": 36.0}
    map_says = travel_times(street(), posts(4.001), points(4.0, 4.0305), **options)
    driven = travel_times(street(), posts(4.001), points(4.0, 4.0305), drive_factor=1.5, **options)
    assert driven.by_profile == pytest.approx(1.5 * map_says.by_profile)
    assert driven.by_profile == pytest.approx(map_says.slower(1.5).by_profile)
    cut = travel_times(street(), posts(4.0), ENDS, limit_s=60.0, drive_factor=1.5)
    assert cut.seconds.tolist() == [[0, 45, np.inf]]

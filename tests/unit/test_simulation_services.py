"""Several services in one simulation: districts that help, own work, teams with a patrol."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.report.feed_back import FedBack, Round, rounds_lines, rounds_table
from deploy_opt.report.simulated_services import against_model, page_one_lines, read_simulated
from deploy_opt.simulation import engine
from deploy_opt.simulation.busy import busy_by_hour, seconds_by_hour
from deploy_opt.simulation.policies import Policy, Response
from deploy_opt.simulation.replicate import Arm, replicate
from deploy_opt.simulation.services import ServiceScore, measure_services, of_service
from deploy_opt.simulation.simulate import simulate
from plain_loop import plain_run_events

# A street of four places, 100 s apart.
STREET = 100.0 * np.abs(np.arange(4)[:, None] - np.arange(4))


@pytest.fixture(params=["compiled", "plain"])
def loop(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(engine, "run_events", plain_run_events())


both_loops = pytest.mark.usefixtures("loop")


def units(*rows):
    frame = pd.DataFrame(rows, columns=["unit_id", "unit_type", "home_node", "district"])
    return frame.astype({"district": object})


def calls(*rows, **more):
    frame = pd.DataFrame(rows, columns=["call_id", "at_s", "node", "district", "priority"])
    usual = {"call_class": "p", "on_scene_s": 1000.0, "transport": False, "handover_s": 0.0}
    return frame.assign(**(usual | more))


TWO = units(("W", "patrol", 0, "West"), ("E", "patrol", 3, "East"))


def who(result):
    return dict(zip(result.calls["call_id"], result.calls["unit_id"], strict=True))


@both_loops
def test_a_call_that_may_not_be_helped_waits_for_its_own_district():
    first, second = ("a", 0.0, 0, "West", 1.0), ("b", 10.0, 0, "West", 1.0)
    for helped, unit, response in ((True, "E", 300.0), (False, "W", 990.0)):
        found = simulate(
            TWO, calls(first, second, helped=[True, helped]), STREET, policy="district_first"
        )
        assert who(found)["b"] == unit
        assert found.calls["response_s"].iloc[1] == response


@both_loops
def test_only_neighbours_help():
    fleet = pd.concat([TWO, units(("M", "patrol", 1, "Middle"))], ignore_index=True)
    played = calls(("a", 0.0, 0, "West", 1.0), ("b", 10.0, 0, "West", 1.0))
    for helpers, unit in ((("Middle", "East"), "M"), (("East",), "E"), ((), "W")):
        policy = Policy(dispatch="district_first", help_from={"West": helpers})
        assert who(simulate(fleet, played, STREET, policy=policy))["b"] == unit


@both_loops
def test_a_unit_without_a_district_serves_all_of_them():
    fleet = pd.concat([TWO, units(("T", "team", 2, None))], ignore_index=True)
    played = calls(("a", 0.0, 0, "West", 1.0), ("b", 10.0, 3, "East", 1.0), call_class=["t", "t"])
    policy = Policy(dispatch="district_first", help_before=0.0)
    found = simulate(
        fleet, played, STREET, policy=policy, eligible={"t": ("team",), "p": ("patrol",)}
    )
    assert set(who(found).values()) == {"T"}  # the second from its queue


@both_loops
def test_own_work_is_left_for_a_call_and_its_rest_is_done_later():
    own = {"call_class": ["own", "p"], "on_scene_s": [600.0, 1000.0]}
    played = calls(("o", 0.0, 0, "West", 9.0), ("c", 200.0, 0, "West", 1.0), **own)
    alone = units(("W", "patrol", 0, "West"))
    left = simulate(alone, played, STREET, policy=Policy(interrupt=[(9.0, 1.0)]))
    assert left.calls["response_s"].tolist() == [1200.0, 0.0]  # taken up again after the call
    assert left.calls["cleared_s"].tolist() == [1600.0, 1200.0]  # 400 s of the 600 were left
    assert left.calls["diverted"].tolist() == [1, 0]
    done = simulate(alone, played, STREET)
    assert done.calls["response_s"].tolist() == [0.0, 400.0]


@both_loops
def test_a_less_urgent_call_does_not_interrupt_and_a_wrong_pair_is_refused():
    played = calls(("o", 0.0, 0, "West", 1.0), ("c", 200.0, 0, "West", 9.0))
    alone = units(("W", "patrol", 0, "West"))
    found = simulate(alone, played, STREET, policy=Policy(interrupt=[(9.0, 1.0)]))
    assert found.calls["response_s"].tolist() == [0.0, 800.0]
    with pytest.raises(InputError, match="policy: interrupt"):
        simulate(alone, played, STREET, policy=Policy(interrupt=[(1.0, 9.0)]))


PAIR = {"t": Response((("team",), ("patrol",)), together=True, in_turn=True), "p": ("patrol",)}


def pair_town():
    fleet = units(("T", "team", 0, None), ("W", "patrol", 0, "West"))
    played = calls(
        ("t1", 0.0, 1, "West", 2.0),
        ("t2", 10.0, 1, "West", 1.0),
        ("p1", 5.0, 1, "West", 1.0),
        call_class=["t", "t", "p"],
        others_on_scene_s=[200.0, 200.0, np.nan],
        service=["coresponse", "coresponse", "police"],
    )
    return fleet, played


@both_loops
def test_a_patrol_never_waits_for_a_team_that_is_not_on_its_way():
    fleet, played = pair_town()
    found = simulate(fleet, played, STREET, eligible=PAIR)
    legs = found.legs.set_index(["call_id", "place"])
    # the team is with t1; the urgent t2 has none yet, so the patrol serves p1 first
    assert legs.loc[("t1", 1), "dispatched_s"] == 0.0
    assert legs.loc[("p1", 0), "dispatched_s"] == 300.0
    assert legs.loc[("t2", 0), "dispatched_s"] == 1100.0  # once the team is done
    assert legs.loc[("t2", 1), "dispatched_s"] == 1300.0  # and the patrol
    assert legs["cleared_s"].notna().all()


@both_loops
def test_the_patrol_beside_a_team_stays_its_own_time():
    fleet, played = pair_town()
    found = simulate(fleet, played, STREET, eligible=PAIR).legs.set_index(["call_id", "place"])
    assert found.loc[("t1", 0), "cleared_s"] == 1100.0
    assert found.loc[("t1", 1), "cleared_s"] == 300.0
    for column, value in (("others_on_scene_s", -1.0), ("helped", None)):
        with pytest.raises(InputError, match=column):
            simulate(fleet, played.assign(**{column: value}), STREET, eligible=PAIR)


@pytest.mark.parametrize("seed", range(6))
def test_every_call_of_an_overloaded_town_is_served_and_both_loops_agree(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    num = 80
    fleet = units(
        *(("T1", "team", 0, None), ("T2", "team", 3, None)),
        *(("W1", "patrol", 0, "West"), ("W2", "patrol", 1, "West"), ("E1", "patrol", 3, "East")),
    )
    kind = rng.choice(["t", "p", "own"], num, p=[0.4, 0.4, 0.2])
    played = pd.DataFrame(
        {
            "call_id": [f"c{k}" for k in range(num)],
            "at_s": np.sort(rng.integers(0, 20_000, num)).astype(float),
            "node": rng.integers(0, 4, num),
            "district": rng.choice(["West", "East"], num),
            "priority": np.where(kind == "own", 9.0, rng.integers(1, 4, num)),
            "call_class": kind,
            "on_scene_s": rng.integers(60, 1500, num).astype(float),
            "others_on_scene_s": np.where(kind == "t", 300.0, np.nan),
            "helped": rng.random(num) < 0.4,
            "transport": False,
            "handover_s": 0.0,
            "turnout_s": 20.0,
        }
    )
    policy = Policy(
        dispatch="district_first",
        interrupt=[(9.0, p) for p in (1.0, 2.0, 3.0)],
        help_from={"West": ("East",), "East": ()},
    )
    more = {"policy": policy, "eligible": PAIR | {"own": ("patrol",)}}
    first = simulate(fleet, played, STREET, **more)
    assert first.legs["cleared_s"].notna().all()  # no pair waits for ever
    west = set(played.loc[played["district"] == "East", "call_id"])
    sent = first.legs[first.legs["call_id"].isin(west) & first.legs["unit_id"].ne("E1")]
    assert set(sent["unit_id"]) <= {"T1", "T2"}  # nobody helps the East
    monkeypatch.setattr(engine, "run_events", plain_run_events())
    second = simulate(fleet, played, STREET, **more)
    pd.testing.assert_frame_equal(first.legs, second.legs, check_exact=True)
    pd.testing.assert_frame_equal(first.units, second.units, check_exact=True)


def test_each_service_is_measured_by_itself_and_pairs_when_both_are_there():
    fleet, played = pair_town()
    result = simulate(fleet, played, STREET, eligible=PAIR)
    scores = (
        ServiceScore("police", ("patrol",), {"p": 100.0}),
        ServiceScore("coresponse", ("team",), 1290.0, together=True),
    )
    answered, own = of_service(result, played, scores[1])
    assert own["call_id"].tolist() == ["t1", "t2"]
    assert answered.calls["response_s"].tolist() == [100.0, 1290.0]
    assert answered.units["unit_id"].tolist() == ["T"]
    table = measure_services(result, played, scores)
    all_calls = table[table["scope"] == "all"].set_index(["service", "statistic"])["value"]
    assert all_calls["police", "late_share"] == 1.0
    assert all_calls["coresponse", "late_share"] == 0.0
    assert all_calls["coresponse", "num_calls"] == 2.0
    assert set(table.loc[table["scope"] == "unit", "scope_id"]) == {"T", "W"}
    late = measure_services(result, played, scores, warm_up_s=1e6)
    assert late.empty


def test_replications_keep_services_apart():
    fleet, played = pair_town()
    scores = (
        ServiceScore("police", ("patrol",), 100.0),
        ServiceScore("coresponse", ("team",), 1.0),
    )
    found = replicate(
        {"plan": Arm(fleet), "baseline": Arm(fleet)},
        lambda number: played.assign(at_s=played["at_s"] + number),
        STREET,
        replications=3,
        standards_s=0.0,
        measured=lambda result, own: measure_services(result, own, scores),
        eligible=PAIR,
    ).table
    assert set(found["service"]) == {"police", "coresponse"}
    gain = found[(found["arm"] == "difference") & (found["scope"] == "all")]
    assert len(gain["service"].unique()) == 2
    assert (gain["value"] == 0).all()


def test_the_hours_of_spans_add_up():
    assert seconds_by_hour([], [], 2).tolist() == [0.0, 0.0]
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 9 * 3600, 50)
    end = start + rng.uniform(0, 3 * 3600, 50)
    found = seconds_by_hour(start, end, 12)
    assert found.sum() == pytest.approx((end - start).sum())
    by_hand = [np.clip(np.minimum(end, h + 3600) - np.maximum(start, h), 0, None).sum()
               for h in 3600 * np.arange(12)]  # fmt: skip
    assert found == pytest.approx(np.array(by_hand))


def test_busy_fractions_are_of_units_on_duty():
    fleet = units(("W", "patrol", 0, "West")).assign(on_from_s=0.0, on_to_s=7200.0)
    found = simulate(fleet, calls(("a", 1800.0, 0, "West", 1.0), on_scene_s=3600.0), STREET)
    assert busy_by_hour(found, fleet, 3)[:2].tolist() == [0.5, 0.5]
    assert np.isnan(busy_by_hour(found, fleet, 3)[2])


def test_page_one_tells_the_disagreement_as_a_number(tmp_path):
    share = {"value": 0.9056, "lo": 0.9009, "hi": 0.9104}
    assert "0.41 points lower, within the interval" in against_model(share, 0.9097)
    assert "beyond the interval" in against_model(share, 0.93)
    assert "higher" in against_model(share, 0.90)
    sure = dict.fromkeys(("value", "lo", "hi"), 1.0)
    assert "0.00 points apart, within the interval" in against_model(sure, 0.99999)
    found = {"run_id": "r", "plan": {"in_time": share}, "model_in_time": {"plan": 0.9097}}
    assert page_one_lines(found) == [f"Simulation {against_model(share, 0.9097)}."]
    teams = {"in_time": share, "model_in_time": 0.8}
    lines = page_one_lines(found | {"services": {"ems": teams, "coresponse": teams}})
    assert lines[1] == "Co-responders 90.6 % against 80.0 % (90.1 to 91.0)."
    assert read_simulated(tmp_path, "r") is None
    for text, expected in (("[1]", None), ("{", None), ('{"run_id": "r"}', {"run_id": "r"})):
        (tmp_path / "simulation.json").write_text(text, encoding="utf-8")
        assert read_simulated(tmp_path, "r") == expected
    assert read_simulated(tmp_path, "another") is None


def test_rounds_of_feeding_back_are_told_whichever_way_they_end():
    def made(number, gain, *, model=0.9):
        return Round(number, np.ones((1, 1)), np.ones(1), model, 0.88, 0.01, 0.03, gain)

    start, next_ = made(0, (0.0, 0.0, 0.0)), made(1, (0.01, 0.002, 0.018), model=0.885)
    alone = FedBack((start,), None)
    assert "nothing to feed back" in rounds_lines(alone)[-1]
    assert alone.kept is start
    assert "no other is surely better" in rounds_lines(FedBack((start, next_), None))[-1]
    sure = FedBack((start, next_), next_)
    assert rounds_lines(sure)[-1].endswith("+1.00 points (+0.20 to +1.80): kept.")
    assert sure.kept is next_
    unsure = FedBack((start, next_), made(1, (0.01, -0.002, 0.022)))
    assert "the run's plan is kept" in rounds_lines(unsure)[-1]
    assert unsure.kept is start
    assert rounds_lines(sure)[2].startswith("Disagreement before 2.00 points, after 0.50")
    assert rounds_table(sure.rounds)["gain"].tolist() == [0.0, 0.01]

"""Fire cover: rules, refusals, directions, first-due areas and the comparison with today."""

from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.fire import (
    CompanyKind,
    FireQuestion,
    FireRules,
    FireStandard,
    Need,
    RiskClass,
    fewest_companies,
    fire_coverage,
    fire_standard,
    first_due,
    first_due_changes,
    most_covered,
    score_companies,
)
from deploy_opt.plan.fire_cover.score import free_chance
from deploy_opt.plan.solver import Limits
from fire_towns import random_town, row_town


def question_of_the_row(*, busy=0.0, engine=None, house=None, **rules):
    stations, times_s, areas, its_engine, its_house = row_town()
    kinds, risks = (engine or its_engine,), (house or its_house,)
    return FireQuestion(
        stations, times_s, areas, kinds, risks, FireStandard(), FireRules(**rules), busy
    )


def locked(*units):
    return replace(row_town()[3], locked=np.array(units))


def test_the_standard_is_read_from_the_profile_and_says_where_it_is_from():
    standard = fire_standard(force_class="high_rise")
    assert (standard.first_limit_s, standard.force_limit_s) == (240.0, 610.0)
    assert standard.title == "NFPA 1710, career departments, 2020"
    with pytest.raises(ValueError, match="first_engine, full_alarm"):
        fire_standard(force_class="all_hands")


def test_a_placement_is_scored_street_by_street():
    score = score_companies(question_of_the_row(), np.array([[1, 1, 0]]))
    assert score.first.tolist() == [1, 1, 1, 0]
    assert score.force.ravel().tolist() == [1, 1, 0, 0]
    assert (score.first_share, score.force_share) == (0.9, 0.7)


def test_busy_companies_cover_with_the_chance_that_enough_of_them_are_free():
    assert free_chance(np.array([0, 2, 3]), 2, 0.2) == pytest.approx([0, 0.64, 0.896])
    score = score_companies(question_of_the_row(busy=0.2), np.array([[1, 1, 1]]))
    assert score.first == pytest.approx([0.8, 0.96, 0.96, 0.8])
    assert score.force.ravel() == pytest.approx([0.64, 0.64, 0.64, 0.64])


def test_two_engines_stand_where_the_most_houses_get_both():
    found = most_covered(question_of_the_row(most_companies=2), weights=(0, 1))
    assert found.companies.tolist() == [[1, 1, 0]]
    assert (found.report.objective, found.report.bound, found.report.gap) == (7.0, 7.0, 0.0)


def test_a_lock_is_kept_and_its_price_is_seen():
    question = question_of_the_row(most_companies=2, engine=locked(0, 0, 1))
    found = most_covered(question, weights=(0, 1))
    assert found.companies.tolist() == [[0, 1, 1]]
    assert found.report.objective == 3.0


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"most_companies": 3, "most_stations": 2}, [[1, 1, 0]]),
        ({"most_companies": 3, "station_room": np.array([1, 1, 0])}, [[1, 1, 0]]),
        ({"most_companies": 2, "most_moved": 1}, [[1, 1, 0]]),
        ({"most_companies": 2, "most_moved": 0}, [[1, 0, 1]]),
    ],
)
def test_rules_over_stations_and_moves_are_kept(rules, expected):
    found = most_covered(question_of_the_row(**rules))
    assert found.companies.tolist() == expected
    assert found.report.status == "optimal"


def test_locks_beyond_the_companies_are_named_as_the_smallest_set_that_conflicts():
    question = question_of_the_row(most_companies=1, engine=locked(1, 0, 1), most_stations=3)
    with pytest.raises(InfeasibleError) as refused:
        most_covered(question)
    assert refused.value.rules == (
        "engine: locked holds 1 at West",
        "engine: locked holds 1 at East",
        "at most 1 companies",
    )


def test_a_lock_at_a_forbidden_or_full_station_is_named():
    engine = replace(locked(1, 0, 0), forbidden=np.array([True, False, False]))
    with pytest.raises(InfeasibleError, match="West is forbidden"):
        most_covered(question_of_the_row(engine=engine))
    with pytest.raises(InfeasibleError, match="capacity of 1 at Middle"):
        most_covered(question_of_the_row(engine=locked(0, 2, 0)))


def test_a_share_that_no_placement_reaches_is_refused_with_what_full_stations_reach():
    house = replace(row_town()[4], calls=np.array([4.0, 3.0, 2.0, 1.0]), force_limit_s=120.0)
    question = question_of_the_row(house=house, least_force_share=0.5)
    with pytest.raises(InfeasibleError, match=r"every station full would reach 100.0% .* 0.0%"):
        fewest_companies(question)


def test_fewest_companies_for_a_share_with_costs():
    found = fewest_companies(question_of_the_row(least_first_share=0.9))
    assert (found.report.objective, found.companies.sum()) == (2.0, 2)
    dear = replace(row_town()[3], cost=3.0)
    found = fewest_companies(question_of_the_row(least_force_share=1.0, engine=dear))
    assert (found.report.objective, found.report.parts["reached"]) == (9.0, 10.0)
    with pytest.raises(InputError, match="no share to reach"):
        fewest_companies(question_of_the_row())


@pytest.mark.parametrize("number", range(3))
def test_directions_hold(number):
    wide = FireStandard(first_limit_s=400.0, force_limit_s=700.0)
    base = random_town(number, stations=6, rows=40, standard=wide, most_companies=5)

    def reached(question):
        found = most_covered(question, weights=(0, 1))
        assert found.report.status == "optimal"
        return found.report.objective

    value = reached(base)
    assert reached(replace(base, rules=FireRules(most_companies=6))) >= value - 1e-9
    longer = replace(wide, force_limit_s=800.0)
    assert reached(replace(base, standard=longer)) >= value - 1e-9
    assert reached(replace(base, busy_fraction=0.2)) <= value + 1e-9
    larger = [
        replace(risk, force=tuple(replace(n, companies=n.companies + 1) for n in risk.force))
        for risk in base.risks
    ]
    assert reached(replace(base, risks=tuple(larger))) <= value + 1e-9


def test_a_node_limit_gives_the_best_found_with_its_bound():
    question = random_town(1, stations=8, rows=40, busy=0.25, most_companies=5)
    found = most_covered(question, limits=Limits(gap=0.0, node_limit=1))
    assert found.report.bound >= found.report.objective > 0
    assert found.report.gap == pytest.approx(found.report.bound / found.report.objective - 1)


def test_cover_that_is_bounded_and_not_searched_is_said():
    question = random_town(1, stations=5, busy=0.05, most_companies=10)
    found = most_covered(question, limits=Limits(gap=1e-9))
    assert found.report.status == "limit"
    assert any("bounded, not searched" in note for note in found.report.notes)


def test_the_first_due_station_is_the_nearest_and_ties_go_to_the_earlier_one():
    stations, times_s, areas, engine, house = row_town()
    times_s = times_s.copy()
    times_s[2, 1] = times_s[0, 1]
    question = FireQuestion(stations, times_s, areas, (engine,), (house,))
    due = first_due(question, np.array([[1, 0, 1]]))
    assert due.rows["first"].tolist() == ["West", "West", "East", "East"]
    assert due.rows["second"].tolist() == ["East", "East", "West", "West"]
    assert due.rows["third"].tolist() == [None] * 4
    assert due.rows["first_s"].tolist() == [100, 200, 200, 100]
    assert due.areas[["area_id", "first", "share"]].values.tolist() == [
        ["a", "West", 1.0],
        ["b", "East", 1.0],
    ]
    table = due.stations.set_index("station_id")
    assert table["first_due_calls"].to_dict() == {"West": 7.0, "East": 3.0}
    assert table.loc["West", "first_due_share"] == 0.7
    assert table.loc["West", "first_due_h"] == 3.5
    assert table["response_h"].tolist() == [5.0, 5.0]  # both engines go to all ten calls


def test_what_changes_hands_is_counted_in_calls_and_seconds():
    question = question_of_the_row()
    plan, today = (first_due(question, np.array([of])) for of in ([0, 1, 1], [1, 0, 1]))
    moved = first_due_changes(plan, today)
    assert moved[["from_station", "to_station", "calls"]].values.tolist() == [
        ["West", "Middle", 7.0]
    ]
    assert moved["faster_s"].tolist() == pytest.approx([(4 * -300 + 3 * -20) / 7])
    nobody = first_due(question, np.array([[0, 0, 0]]))
    moved = first_due_changes(plan, nobody)
    assert set(moved["from_station"]) == {"none"}
    assert moved["faster_s"].isna().all()
    assert nobody.areas["first"].tolist() == [None, None]
    assert nobody.areas["mean_s"].isna().all()


def test_the_nearest_companies_of_each_need_are_sent_and_counted_for_each():
    times_s = np.array([[100.0], [200.0], [300.0]])
    ones = np.ones(3, np.int64)
    engine, truck = CompanyKind("engine", 2 * ones, ones), CompanyKind("truck", ones, ones)
    force = (Need(("engine", "truck"), 4), Need(("engine",), 2))
    risk = RiskClass("high", np.array([10.0]), force)
    question = FireQuestion(("A", "B", "C"), times_s, ("x",), (engine, truck), (risk,))
    due = first_due(question, np.array([[1, 0, 2], [1, 1, 0]]))
    # engines from A and C, then the nearest two others: the trucks of A and B
    assert due.stations["response_h"].tolist() == [20.0, 10.0, 10.0]


def test_a_plan_stands_beside_today_by_the_same_model():
    found = fire_coverage(question_of_the_row(most_companies=2))
    assert found.plan.companies.tolist() == [[1, 1, 0]]
    assert found.share("first_due") == 0.9
    assert found.is_met("first_due")
    assert found.share("effective_force", "baseline") == 0.0
    assert not found.is_met("effective_force", "plan", "house")
    assert found.areas[["area_id", "force_plan", "force_baseline"]].values.tolist() == [
        ["b", 0.0, 0.0],
        ["a", 1.0, 0.0],
    ]
    assert found.companies["change"].tolist() == [0, 1, -1]
    assert found.moved["calls"].sum() == 3
    with pytest.raises(InputError, match="a line of FireCoverage"):
        found.share("third_due")


def test_the_fewest_companies_stand_beside_today_too():
    found = fire_coverage(question_of_the_row(least_force_share=0.7), mode="fewest")
    assert found.plan.companies.sum() == 2
    assert found.share("effective_force") == 0.7


def test_unknown_modes_aims_and_weights_are_refused():
    question = question_of_the_row()
    with pytest.raises(InputError, match="most or fewest"):
        fire_coverage(question, mode="some")
    with pytest.raises(InputError, match="weighted, first_then_force"):
        most_covered(question, aim="force")
    with pytest.raises(InputError, match="not both 0"):
        most_covered(question, weights=(0, 0))


def test_no_calls_need_no_companies():
    house = replace(row_town()[4], calls=np.zeros(4))
    found = fire_coverage(question_of_the_row(house=house, most_companies=2))
    assert found.plan.report.objective == 0
    assert np.isnan(found.share("first_due"))


def test_everything_wrong_with_a_question_is_said_at_once():
    ones = np.ones(2, np.int64)
    kinds = (
        CompanyKind("engine", ones, np.array([0.5, 1]), locked=np.ones(3), most=-1, cost=0),
        CompanyKind("engine", ones, ones, forbidden=np.zeros(3, bool)),
    )
    risks = (
        RiskClass("low", np.array([1.0, -1.0]), (), weight=-1),
        RiskClass("low", np.ones(3), (Need(("engin",), 0), Need((), 1)), force_limit_s=0),
        RiskClass("both", np.ones(2), (Need(("engine",), 1), Need(("engine",), 2))),
    )
    standard = FireStandard(0, -1, 2, ("ladder",))
    rules = FireRules(
        most_companies=-1, least_first_share=2, station_room=np.ones(3), most_moved=1.5
    )
    with pytest.raises(InputError) as refused:
        FireQuestion(
            ("A", "A"), np.array([[1.0, -2.0], [3.0, 4.0]]), ("x", "y"), kinds, risks, standard,
            rules, 0.2,
        )  # fmt: skip
    said = str(refused.value)
    for part in (
        "station A: found the name twice",
        "times_s: station A, row 1: found -2 s",
        "companies engine: today: found a fraction",
        "companies engine: locked: found shape (3,)",
        "companies engine: most: found -1",
        "companies engine: cost: found 0",
        "companies engine: forbidden: found shape (3,)",
        "companies engine: found the name twice",
        "risk class low: found no force",
        "risk class low: found a negative weight",
        "risk class low: found a negative or missing number of calls",
        "risk class low: found calls of shape (3,)",
        "risk class low: found a force of 0",
        "did you mean 'engine'?",
        "risk class low: force_limit_s: found 0",
        "risk class both: found engine in two needs, with busy companies",
        "standard.first_limit_s: found 0",
        "standard.target_share: found 2",
        "first_kinds: found 'ladder'",
        "rules.most_companies: found -1",
        "rules.most_moved: found 1.5",
        "rules.least_first_share: found 2",
        "rules.station_room: found shape (3,)",
    ):
        assert part in said
    with pytest.raises(InputError, match="times_s: found shape"):
        FireQuestion(("A",), np.ones((2, 2)), ("x",), (), (), busy_fraction=1.0)
    with pytest.raises(InputError, match="0 stations"):
        FireQuestion((), np.ones((0, 2)), ("x", "y"), (), ())

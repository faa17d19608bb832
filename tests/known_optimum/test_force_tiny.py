"""The force model's optimum is the best of all placements, tried one by one."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.plan.fire import (
    CompanyKind,
    FireQuestion,
    FireRules,
    FireStandard,
    Need,
    RiskClass,
    fewest_companies,
    most_covered,
    score_companies,
)
from deploy_opt.plan.locate import locate
from deploy_opt.seeds import stream
from fire_towns import best_by_trial, placements, random_town

ANY = ("engine", "truck")
OVERLAPPING = (
    (Need(ANY, 2),),
    (Need(("engine",), 1), Need(ANY, 4)),
)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("busy", [0.0, 0.3])
def test_no_placement_beats_the_model(number, busy):
    question = random_town(number, stations=4, busy=busy, most_companies=4)
    found = most_covered(question)
    best = best_by_trial(question)
    assert found.report.objective == pytest.approx(best, rel=2e-4 if busy else 1e-9)
    assert found.report.bound >= best - 1e-9
    assert found.report.status == "optimal"


@pytest.mark.parametrize("number", range(3))
def test_a_force_of_any_kind_with_an_engine_in_it_is_found_too(number):
    question = random_town(number, stations=4, needs=OVERLAPPING, most_companies=5)
    found = most_covered(question, weights=(0.2, 0.8))
    assert found.report.objective == pytest.approx(best_by_trial(question, (0.2, 0.8)))


@pytest.mark.parametrize("number", range(3))
def test_the_layer_that_comes_first_is_at_its_best(number):
    question = random_town(number, stations=4, most_companies=4)
    scores = [score_companies(question, placed) for placed in placements(question)]
    first = max(score.first_share for score in scores)
    force = max(s.force_share for s in scores if s.first_share >= first - 1e-9)
    found = most_covered(question, aim="first_then_force")
    assert found.score.first_share == pytest.approx(first)
    assert found.score.force_share == pytest.approx(force)
    force = max(score.force_share for score in scores)
    found = most_covered(question, aim="force_then_first")
    assert found.score.force_share == pytest.approx(force)


@pytest.mark.parametrize("number", range(3))
def test_no_fewer_companies_reach_the_shares(number):
    wide = FireStandard(first_limit_s=600.0, force_limit_s=900.0)
    shares = {"least_first_share": 0.6, "least_force_share": 0.5}
    question = random_town(number, stations=4, standard=wide, **shares)
    enough = [
        (int(placed.sum()), score.first_share + score.force_share)
        for placed in placements(question)
        for score in [score_companies(question, placed)]
        if score.first_share >= 0.6 and score.force_share >= 0.5
    ]
    found = fewest_companies(question)
    fewest = min(number for number, _ in enough)
    assert found.report.objective == found.companies.sum() == fewest
    best = max(share for number, share in enough if number == fewest)
    assert found.score.first_share + found.score.force_share == pytest.approx(best)


def city(number, size=11):
    random = stream(number, "tests", "fire", "spopt")
    place = random.random((size + 30, 2)) * 1000
    return np.abs(place[:size, None] - place[None, size:]).sum(axis=2)


def one_kind(times_s, demand, needed, limits, **rules):
    stations, rows = times_s.shape
    engine = CompanyKind("engine", np.ones(stations, np.int64), np.zeros(stations, np.int64))
    risk = RiskClass("all", demand, (Need(("engine",), needed),))
    names = tuple(str(j) for j in range(stations))
    areas = tuple(str(row) for row in range(rows))
    standard = FireStandard(*limits)
    return FireQuestion(names, times_s, areas, (engine,), (risk,), standard, FireRules(**rules))


@pytest.mark.parametrize("number", range(3))
def test_a_force_of_one_is_the_mclp_and_a_force_of_two_the_backup_problem(number):
    times_s = city(number)
    demand = stream(number, "tests", "fire", "demand").integers(1, 20, 30).astype(float)
    question = one_kind(times_s, demand, 1, (300.0, 400.0), most_companies=4)
    mclp = locate("mclp", times_s, demand, num_posts=4, standard_s=400)
    assert most_covered(question, weights=(0, 1)).report.objective == pytest.approx(mclp.objective)
    question = one_kind(times_s, demand, 2, (400.0, 400.0), most_companies=4)
    found = most_covered(question, aim="first_then_force")
    backup = locate("backup", times_s, demand, num_posts=4, standard_s=400)
    assert found.report.objective == pytest.approx(backup.objective)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
@pytest.mark.filterwarnings("ignore")
def test_spopt_finds_the_same_backup_cover_with_the_fewest_stations(number):
    import pulp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spopt_locate = pytest.importorskip("spopt.locate", exc_type=ImportError)
        solver = pulp.PULP_CBC_CMD(msg=False)
        times_s = city(number)
        limit = float(np.sort(times_s, axis=0)[1].max())
        model = spopt_locate.LSCPB.from_cost_matrix(times_s.T, limit, solver).solve(solver)
        theirs = pulp.value(model.problem.objective)
    ones = np.ones(30)
    question = one_kind(times_s, ones, 1, (limit, limit), least_first_share=1.0)
    fewest = fewest_companies(question).report.objective
    assert fewest == locate("lscp", times_s, ones, standard_s=limit).objective
    rules = FireRules(most_companies=int(fewest), least_first_share=1.0)
    question = replace(one_kind(times_s, ones, 2, (limit, limit)), rules=rules)
    assert most_covered(question, weights=(0, 1)).report.objective == pytest.approx(theirs)

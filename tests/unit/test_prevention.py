"""Prevention slots: the best of all allocations, floors, refusals, sensitivity."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.prevention import (
    NeedColumn,
    PreventionQuestion,
    allocate_slots,
    geometric_returns,
    need_measure,
    plan_prevention,
    slots_moved,
    weight_sensitivity,
)
from deploy_opt.seeds import stream

AREAS = ("North", "Mill", "Port", "South")
PEOPLE = np.array([100.0, 200.0, 300.0, 400.0])
GROUPS = {
    "riverside": PEOPLE * [0, 1, 1, 0],
    "hills": PEOPLE * [1, 0, 0, 1],
}


def column(name, source, *values, weight=1.0):
    return NeedColumn(name, source, np.array(values, dtype=float), weight)


RUNS = column("overdose runs", "ems", 40, 30, 20, 10, weight=2.0)
CRISES = column("crisis calls", "community", 5, 5, 5, 5)
REPORTS = column("police reports", "police", 1, 2, 3, 14)


def ask(columns=(RUNS, CRISES, REPORTS), slots=6, **given):
    given = {"residents": PEOPLE, "groups": GROUPS, "floor": 0.0, **given}
    return PreventionQuestion(AREAS, columns, slots, **given)


def every_allocation(question):
    for slots in itertools.product(*(range(room + 1) for room in question.room.tolist())):
        given = np.array(slots)
        if given.sum() == question.slots:
            yield given


def keeps(question, slots):
    fair = (question.members @ slots >= question.floor_slots - 1e-9).all()
    whole = ((slots == 0) | (slots >= question.least_if_chosen)).all()
    growth = max(question.slots - question.today.sum(), 0)
    gained = np.maximum(slots - question.today, 0).sum()
    near = question.most_moved is None or gained <= question.most_moved + growth
    return fair and whole and near and (slots >= question.least).all()


def test_need_is_the_weighted_mean_of_shares_whatever_the_units():
    need = need_measure((RUNS, CRISES))
    assert need == pytest.approx((2 * RUNS.values / 100 + CRISES.values / 20) / 3)
    scaled = replace(RUNS, values=1000 * RUNS.values)
    assert need_measure((scaled, CRISES)) == pytest.approx(need)
    assert need.sum() == pytest.approx(1.0)


def test_each_further_slot_reaches_less():
    assert geometric_returns(0.4, 3) == pytest.approx([0.4, 0.24, 0.144])
    question = ask()
    assert question.reached(np.zeros(4, int)) == 0
    assert question.reached(np.array([1, 1, 1, 1])) == pytest.approx(0.4)
    assert question.reached(np.array([9, 9, 9, 9])) == pytest.approx(1 - 0.6**9)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"floor": 0.9},
        {"floor": {"riverside": 1.0, "hills": 0.3}},
        {"least_if_chosen": 2},
        {"most_moved": 1, "today": np.array([0, 0, 3, 3])},
        {"most_moved": 0, "today": np.array([1, 1, 1, 1])},
        {"floor": 0.8, "least_if_chosen": 2, "most_moved": 2, "today": np.array([0, 2, 2, 2])},
        {"locked": np.array([0, 0, 3, 0]), "forbidden": np.array([True, False, False, False])},
    ],
)
@pytest.mark.parametrize("number", range(3))
def test_no_allocation_beats_the_one_found(number, rules):
    random = stream(number, "tests", "prevention")
    runs = column("runs", "ems", *random.integers(1, 50, 4))
    question = ask((runs, REPORTS), **rules)
    found = allocate_slots(question)
    values = [question.reached(s) for s in every_allocation(question) if keeps(question, s)]
    assert keeps(question, found.slots)
    assert question.reached(found.slots) == pytest.approx(max(values), abs=1e-7)
    assert found.report.bound >= max(values) - 1e-9
    assert found.report.status == "optimal"


def test_greed_is_enough_until_a_floor_binds():
    assert allocate_slots(ask()).report.solver == "greedy"
    lean = column("runs", "ems", 90, 1, 1, 8)
    assert allocate_slots(ask((lean,), slots=4, floor=0.9)).report.solver == "HiGHS"


def test_a_floor_moves_slots_and_its_price_is_said():
    lean = column("runs", "ems", 60, 2, 1, 37)
    plan = plan_prevention(ask((lean,), floor=0.6, today=np.array([0, 0, 3, 3])))
    floors = plan.floors.set_index("group")
    assert floors["share"].to_dict() == {"riverside": 0.5, "hills": 0.5}
    assert floors.loc["riverside", "floor_slots"] == pytest.approx(1.8)
    assert floors.loc["riverside", "slots"] == 2
    assert floors["met"].all()
    assert plan.price_of_floors == pytest.approx(plan.reached_without_floors - plan.reached)
    assert plan.price_of_floors > 0
    assert plan.table["change"].sum() == 0
    assert plan.moved == slots_moved(np.array([0, 0, 3, 3]), plan.slots)
    table = plan.table.set_index("area_id")
    assert table.loc["Port", "group"] == "riverside"
    assert table.loc["Port", "floor"] == pytest.approx(1.8)
    assert plan.sources["weight"].tolist() == [1.0]


def test_groups_may_overlap_and_areas_may_be_empty():
    people = PEOPLE * [1, 1, 1, 0]
    groups = {"old": people * 0.5, "poor": people * [0.1, 0.9, 0.1, 0]}
    plan = plan_prevention(ask(residents=people, groups=groups, floor=0.5))
    assert plan.floors["met"].all()
    table = plan.table.set_index("area_id")
    assert table.loc["South", "group"] is None
    assert np.isnan(table.loc["South", "floor"])
    assert table.loc["Mill", "group"] == "poor"


def test_sensitivity_changes_one_weight_at_a_time():
    question = ask(floor=0.5)
    found = weight_sensitivity(question, allocate_slots(question).slots)
    assert found["change"].tolist() == ["half", "double", "dropped"] * 3 + ["alone"]
    assert (found["status"] == "solved").all()
    assert found["rank_correlation"].between(-1, 1).all()
    assert (found["need_lost"] >= -1e-9).all()
    alone = found.iloc[-1]
    assert alone["column"] == "police records"
    assert alone["slots_moved"] > found["slots_moved"][:9].max() - 1e-9
    assert 0 <= alone["jaccard"] <= 1


def test_dropping_what_leaves_police_records_alone_is_refused():
    question = ask((RUNS, REPORTS))
    found = weight_sensitivity(question, allocate_slots(question).slots)
    refused = found[found["status"] == "refused"]
    assert refused[["column", "change"]].values.tolist() == [["overdose runs", "dropped"]]
    assert refused["slots_moved"].isna().all()
    only = ask((RUNS,))
    found = weight_sensitivity(only, allocate_slots(only).slots)
    assert found["status"].tolist() == ["solved", "solved", "refused"]


def test_equal_need_everywhere_has_no_ranking():
    question = ask((CRISES,), slots=4)
    found = weight_sensitivity(question, allocate_slots(question).slots)
    assert found["rank_correlation"].isna().all()
    assert found["slots_moved"].dropna().tolist() == [0, 0]


def test_police_records_alone_are_refused_in_words():
    with pytest.raises(InputError, match="found police records alone, expected at least one"):
        ask((REPORTS,))
    with pytest.raises(InputError, match="found police records alone"):
        ask((REPORTS, replace(RUNS, weight=0.0)))
    with pytest.raises(InputError, match=r"75% of the weight on police records.*at most 50%"):
        ask((replace(REPORTS, weight=6.0), RUNS))
    assert ask((replace(REPORTS, weight=6.0), RUNS), most_police_share=0.8).slots == 6


def test_rules_that_conflict_are_named():
    with pytest.raises(InfeasibleError) as refused:
        allocate_slots(ask(slots=13))
    assert refused.value.rules == ("13 slots are given out", "at most 3 slots in an area")
    with pytest.raises(InfeasibleError) as refused:
        allocate_slots(ask(locked=np.array([2, 0, 0, 0]), forbidden=np.array([True] + 3 * [False])))
    assert refused.value.rules == ("North is forbidden", "locked holds 2 slots at North")
    with pytest.raises(InfeasibleError) as refused:
        allocate_slots(ask(floor=1.0, slots=5))
    assert refused.value.rules == (
        "5 slots are given out",
        "at least 2.5 slots for riverside",
        "at least 2.5 slots for hills",
    )


def test_everything_wrong_with_a_question_is_said_at_once():
    wrong = (
        column("a", "polis", 1, -1, np.nan, 0),
        column("a", "census", 0, 0, 0, 0),
        column("b", "311", 1, 2, weight=-1),
    )
    with pytest.raises(InputError) as refused:
        ask(
            wrong,
            slots=0,
            groups={"old": 2 * PEOPLE, "new": np.ones(2), "sad": -PEOPLE},
            floor={"old": 2.0, "olt": 0.5},
            today=np.array([0.5, 0, 0, 0]),
            locked=np.zeros(3),
            forbidden=np.zeros(3, bool),
            most_per_area=2,
            least_if_chosen=3,
            most_moved=-1,
            reach=1.0,
            most_police_share=1.0,
        )
    said = str(refused.value)
    for part in (
        "need a: found the name twice",
        "need a: source: found 'polis', expected who collected it: police, ems",
        "did you mean 'police'?",
        "need a: found a negative or missing value at Mill, Port",
        "need a: found 0 in every area",
        "need b: weight: found -1",
        "need b: found shape (2,)",
        "group old: found more members than residents at North",
        "group new: found shape (2,)",
        "group sad: found a negative or missing number",
        "floor of new: found nothing",
        "floor of olt: found no such group",
        "floor of old: found 2.0",
        "slots: found 0",
        "least_if_chosen: found 3, above most_per_area",
        "most_moved: found -1",
        "reach: found 1.0",
        "today: found a fraction",
        "locked: found shape (3,)",
        "forbidden: found shape (3,)",
        "most_police_share: found 1.0",
    ):
        assert part in said
    with pytest.raises(InputError, match="at least one area"):
        PreventionQuestion((), (), 1, np.zeros(0), {})
    with pytest.raises(InputError, match="A twice"):
        PreventionQuestion(("A", "A"), (), 1, np.zeros(2), {"all": np.zeros(2)})
    with pytest.raises(InputError, match="every weight 0"):
        ask((replace(RUNS, weight=0.0),))

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_opt.errors import InfeasibleError, InputError
from deploy_opt.plan.busy import busy_fraction
from deploy_opt.plan.floors import crews_above, reachable_floors
from deploy_opt.plan.rules import rules_of, units_for_cap
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.rule_settings import Fleet, FleetLimit, PostLimit, PostRules, Shifts
from plan_towns import plan_settings, three_posts

LOADS = np.full(24, 2.0)
NO_MORE = FleetLimit(from_hour=8, to_hour=10, max_units=2)


def rules(*, capacity=None, today=240, **sections):
    _, times = three_posts(capacity=capacity)
    return rules_of(plan_settings(**sections), times.origins, LOADS, today)


def test_the_posts_table_says_capacities_before_the_default():
    found = rules(capacity=[3, None, 1], posts=PostRules(capacity=2))
    assert found.upper[0].tolist() == [3, 2, 1]
    assert found.max_units.tolist() == [6] * 24


def test_locks_limits_and_closed_posts_become_bounds_by_hour():
    posts = PostRules(
        locked={"p0": 1},
        forbidden=("p2",),
        limits=(
            PostLimit(post_id="p1", from_hour=6, to_hour=9, min_units=1, max_units=2),
            PostLimit(post_id="p0", from_hour=22, to_hour=2, max_units=1),
        ),
    )
    found = rules(posts=posts)
    assert (found.lower[:, 0] == 1).all()
    assert (found.upper[:, 2] == 0).all()
    assert found.lower[5:10, 1].tolist() == [0, 1, 1, 1, 0]
    assert found.upper[6, 1] == 2
    assert found.upper[[21, 22, 23, 0, 1], 0].tolist()[1:] == [1, 1, 1, 1]
    assert found.usable.tolist() == [True, True, False]
    assert found.held[6] == 2


def test_the_cap_asks_for_the_fewest_units_that_keep_it():
    loads = np.array([0.0, 0.3, 2.0, 9.4])
    units = units_for_cap(loads, 0.6)
    assert units[0] == 0
    q = busy_fraction(loads, 30)
    for load_row, number in zip(q[1:], units[1:], strict=True):
        assert load_row[number] <= 0.6
        assert load_row[number - 1] > 0.6


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"posts": PostRules(locked={"p0": 2}, forbidden=("p0",))}, ["post p0", "forbidden"]),
        ({"posts": PostRules(locked={"p1": 5}, capacity=3)}, ["at least 5", "allow 3"]),
        ({"posts": PostRules(locked={"p0": 1, "p1": 1}, max_open=1)}, ["max_open = 1", "2 posts"]),
        (
            {"posts": PostRules(locked={"p0": 4}), "fleet": Fleet(max_units=3, min_units=0)},
            ["hold 4 units", "fleet.max_units", "allow 3"],
        ),
        ({"fleet": Fleet(min_units=5, max_units=4)}, ["min_units = 5", "allow 4"]),
        (
            {"fleet": Fleet(min_units=5), "posts": PostRules(capacity=1)},
            ["min_units = 5", "allow 3"],
        ),
        (
            {"fleet": Fleet(limits=(FleetLimit(from_hour=6, to_hour=9, min_units=7), NO_MORE))},
            ["fleet.limits ask for 7 units in hour 8", "fleet.limits", "allow 2"],
        ),
        (
            {"posts": PostRules(locked={"p0": 3}), "fleet": Fleet(min_units=0, limits=(NO_MORE,))},
            ["hold 3 units in hour 8", "fleet.max_units or fleet.limits", "allow 2"],
        ),
        (
            {"posts": PostRules(locked={"p0": 1, "p1": 1}, max_open_per_hour=1)},
            ["max_open_per_hour = 1", "2 posts in hour 0"],
        ),
        (
            {"posts": PostRules(locked={"p0": 3}), "fleet": Fleet(unit_hours_per_week=48)},
            ["72 unit-hours", "budget", "48"],
        ),
    ],
)
def test_hard_rules_that_conflict_are_named(sections, words):
    with pytest.raises(InfeasibleError) as caught:
        rules(**sections)
    for word in words:
        assert word in str(caught.value)


def test_all_conflicts_are_named_at_once():
    with pytest.raises(InfeasibleError) as caught:
        rules(
            posts=PostRules(locked={"p0": 2, "p1": 1}, forbidden=("p0",), max_open=1),
            fleet=Fleet(min_units=9, max_units=8),
        )
    assert len(caught.value.rules) == 3


def test_a_rule_on_an_unknown_post_is_bad_input_with_a_hint():
    with pytest.raises(InputError, match="did you mean"):
        rules(posts=PostRules(locked={"P0": 1}, forbidden=("q",)))


def columns(shifts=None):
    return shift_columns(shifts or Shifts(starts_h=(0, 8, 16), lengths_h=(8,)), hours=24)


def test_limits_on_the_fleet_become_floors_and_ceilings_by_hour():
    limits = (
        FleetLimit(from_hour=6, to_hour=9, min_units=4, max_units=8),
        FleetLimit(from_hour=22, to_hour=2, min_units=3),
        NO_MORE.model_copy(update={"max_units": 6}),
    )
    found = rules(fleet=Fleet(min_units=1, max_units=9, limits=limits))
    assert found.min_units.tolist() == [3, 3] + [1] * 4 + [4] * 3 + [1] * 13 + [3] * 2
    assert found.max_units.tolist() == [9] * 6 + [8, 8, 6, 6] + [9] * 14
    assert (found.floor >= found.min_units).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"from_hour": 3, "to_hour": 5}, "min_units above 0, or max_units"),
        ({"min_units": 4, "max_units": 3}, "not below min_units"),
        ({"min_units": -1}, "greater than or equal to 0"),
        ({"min_units": 2, "from_hour": 168}, "from_hour"),
        ({"min_units": 2, "to_hour": 0}, "to_hour"),
        ({"min_unit": 2}, "min_unit"),
    ],
)
def test_a_limit_on_the_fleet_that_says_nothing_or_too_much_is_refused(wrong, words):
    with pytest.raises(ValidationError, match=words):
        FleetLimit(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"calls_to_open": -1.0}, {"calls_to_open_at": {"p0": -2.0}}, {"max_open_per_hour": 0}]
)
def test_prices_below_zero_and_no_open_post_are_refused(wrong):
    with pytest.raises(ValidationError, match="greater than or equal"):
        PostRules(**wrong)


def test_a_plan_of_a_day_pays_a_day_of_the_weeks_price():
    posts = PostRules(calls_to_open=7.0, calls_to_open_at={"p1": 14.0})
    found = rules(posts=posts)
    assert found.opening_calls.tolist() == pytest.approx([1.0, 2.0, 1.0])
    units = np.zeros((24, 3), dtype=np.int64)
    units[3, 1] = 2
    assert found.opening_paid(units) == pytest.approx(2.0)


def test_few_posts_in_an_hour_have_room_for_fewer_units():
    found = rules(capacity=[3, 1, 2], posts=PostRules(max_open_per_hour=2, locked={"p1": 1}))
    assert found.max_units.tolist() == [4] * 24


def test_floors_within_the_budget_are_kept_as_asked():
    found = reachable_floors(LOADS, columns(), rules(today=240), busy_cap=0.6)
    assert found.busy_cap == 0.6
    assert (columns().staffing(found.crews) >= units_for_cap(LOADS, 0.6)).all()


def test_a_budget_too_small_for_the_cap_is_felt_evenly():
    loads = np.where(np.arange(24) < 8, 1.0, 4.0)
    few = rules(today=24 * 4)
    found = reachable_floors(loads, columns(), few, busy_cap=0.5)
    assert 0.5 < found.busy_cap < 1.0
    staffing = columns().staffing(found.crews)
    q = busy_fraction(loads, 20)[np.arange(24), staffing]
    assert (q <= found.busy_cap + 1e-9).all()
    one_step_lower = np.maximum(units_for_cap(loads, found.busy_cap - 0.01), 0)
    assert crews_above(one_step_lower, columns(), few) is None


def test_only_then_do_the_fewest_units_fall():
    found = reachable_floors(
        LOADS, columns(), rules(today=24 * 3, fleet=Fleet(min_units=5)), busy_cap=0.5
    )
    assert found.busy_cap == 1.0
    assert found.lowered == 2
    assert found.units.tolist() == [3] * 24


def test_floors_by_hour_fall_by_as_many_units_in_every_hour():
    night = FleetLimit(from_hour=0, to_hour=8, min_units=5)
    few = rules(today=24 * 3, fleet=Fleet(min_units=3, limits=(night,)))
    found = reachable_floors(LOADS, columns(), few, busy_cap=0.9)
    assert found.busy_cap == 1.0
    assert found.lowered == 1
    assert found.units.tolist() == [4] * 8 + [2] * 16


def test_hours_without_a_shift_ask_for_nobody():
    day = columns(Shifts(starts_h=(8,), lengths_h=(8,)))
    found = reachable_floors(LOADS, day, rules(), busy_cap=0.6)
    assert found.busy_cap == 0.6
    assert found.units[0] == 0
    assert found.units[9] > 0


def test_locked_units_in_an_hour_without_a_shift_are_infeasible():
    day = columns(Shifts(starts_h=(8,), lengths_h=(8,)))
    with pytest.raises(InfeasibleError, match="without any shift"):
        reachable_floors(LOADS, day, rules(posts=PostRules(locked={"p0": 1})), busy_cap=0.6)


def test_locked_units_that_the_shifts_cannot_give_within_the_budget_are_infeasible():
    limits = (PostLimit(post_id="p0", from_hour=7, to_hour=9, min_units=4),)
    with pytest.raises(InfeasibleError, match=r"shifts\.starts_h"):
        reachable_floors(
            LOADS, columns(), rules(posts=PostRules(limits=limits), today=32), busy_cap=0.6
        )

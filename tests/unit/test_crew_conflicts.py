"""Rules that leave no crews: the few that conflict are named, and no others."""

import numpy as np
import pytest

from deploy_opt.errors import InfeasibleError
from deploy_opt.plan.crew_conflicts import crew_conflicts
from deploy_opt.plan.deployment import plan_deployment
from deploy_opt.plan.rules import rules_of
from deploy_opt.plan.shifts import shift_columns
from deploy_opt.rule_settings import Fleet, FleetLimit, PostLimit, PostRules, Shifts
from plan_towns import plan_settings, same_units, three_posts

LONG = Shifts(starts_h=(0, 8, 16), lengths_h=(8,))
RUSH = PostLimit(post_id="p0", from_hour=7, to_hour=9, min_units=3)


def named(*, budget=240, **sections):
    _, times = three_posts()
    settings = plan_settings(shifts=LONG, **sections)
    rules = rules_of(settings, times.origins, np.full(24, 1.0), budget)
    columns = shift_columns(LONG, hours=24)
    return crew_conflicts(settings, rules, columns, ["p0", "p1", "p2"])


def test_a_rush_that_two_shifts_must_cover_conflicts_with_the_budget_alone():
    posts = PostRules(limits=(RUSH, PostLimit(post_id="p1", max_units=2)))
    few = Fleet(unit_hours_per_week=40, min_units=0, max_units=9)
    found = named(posts=posts, fleet=few)
    assert [words.split(" ")[0] for words in found] == ["the", "posts.limits[0]"]
    assert "40 unit-hours" in found[0]


def test_units_that_a_shift_drags_along_conflict_with_a_limit_on_the_fleet():
    quiet = FleetLimit(from_hour=10, to_hour=12, max_units=1)
    fleet = Fleet(min_units=0, limits=(FleetLimit(max_units=20), quiet))
    found = named(posts=PostRules(limits=(RUSH,), locked={"p1": 1}), fleet=fleet)
    assert [words.split(" ")[0] for words in found] == ["posts.limits[0]", "fleet.limits[1]"]
    assert "hours 10 to 12" in found[1]


def test_room_at_the_posts_is_named_where_it_is_what_lacks():
    small = tuple(
        PostLimit(post_id=p, from_hour=12, to_hour=13, max_units=m)
        for p, m in (("p0", 1), ("p1", 0), ("p2", 0))
    )
    found = named(posts=PostRules(limits=(RUSH, *small), capacity=4), fleet=Fleet(min_units=0))
    assert found[0].startswith("posts.limits[0] holds 3 units")
    assert found[1].startswith("posts have room for 1 to 12 units")
    assert len(found) == 2


def test_rules_that_crews_can_keep_name_nothing():
    assert named(posts=PostRules(locked={"p0": 1}), fleet=Fleet(min_units=0, max_units=4)) == ()


def test_a_plan_without_crews_says_which_rules_to_change():
    forecast, times = three_posts()
    quiet = FleetLimit(from_hour=10, to_hour=12, max_units=1)
    settings = plan_settings(
        shifts=LONG, posts=PostRules(limits=(RUSH,)), fleet=Fleet(min_units=0, limits=(quiet,))
    )
    with pytest.raises(InfeasibleError) as caught:
        plan_deployment(forecast, times, settings, baseline=same_units([2, 2, 2]))
    assert caught.value.exit_code == 3
    assert [words.split(" ")[0] for words in caught.value.rules] == [
        "posts.limits[0]",
        "fleet.limits[0]",
        "units",
    ]

"""What a new plan changes in published shifts."""

import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.changes import apply_changes, changes_since


def shifts(*rows, plan_id="a"):
    """Rows: crew, leg, unit, post, start, end."""
    table = pd.DataFrame(rows, columns=["crew", "leg", "unit", "post_id", "start", "end"])
    return pd.DataFrame(
        {
            "shift_id": [
                c if n == 1 else f"{c}.{n}" for c, n in zip(table.crew, table.leg, strict=True)
            ],
            "post_id": table.post_id,
            "unit": table.unit,
            "start_local": "2026-01-05T" + table.start,
            "end_local": "2026-01-05T" + table.end,
            "plan_id": plan_id,
            "crew": table.crew,
            "leg": table.leg,
        }
    )


PUBLISHED = shifts(
    ("a-1", 1, "als", "P1", "06:00", "18:00"),
    ("a-2", 1, "als", "P2", "06:00", "12:00"),
    ("a-2", 2, "als", "P3", "12:00", "18:00"),
    ("a-3", 1, "als", "P1", "18:00", "23:00"),
)


def actions(found):
    return list(zip(found.changes["action"], found.changes["shift_id"], strict=True))


def test_the_same_plan_changes_nothing_even_under_another_name():
    again = PUBLISHED.assign(plan_id="b")
    found = changes_since(PUBLISHED, again)
    assert len(found.changes) == 0
    assert found.shifts["shift_id"].tolist() == PUBLISHED["shift_id"].tolist()


def test_shifts_keep_their_published_ids_whatever_the_new_plan_calls_them():
    renamed = shifts(
        ("a-2", 1, "als", "P1", "06:00", "18:00"),
        ("a-1", 1, "als", "P2", "06:00", "12:00"),
        ("a-1", 2, "als", "P3", "12:00", "18:00"),
        ("x-9", 1, "als", "P1", "18:00", "23:00"),
    )
    found = changes_since(PUBLISHED, renamed)
    assert len(found.changes) == 0
    assert set(found.shifts["shift_id"]) == set(PUBLISHED["shift_id"])


def test_another_post_another_time_a_new_and_a_lost_shift_are_what_is_sent():
    new = shifts(
        ("a-1", 1, "als", "P4", "06:00", "18:00"),  # other post
        ("a-2", 1, "als", "P2", "07:00", "17:00"),  # other times, one stretch less
        ("a-9", 1, "bls", "P1", "18:00", "23:00"),  # another unit: a new shift
    )
    found = changes_since(PUBLISHED, new)
    assert actions(found) == [
        ("change", "a-1"),
        ("change", "a-2"),
        ("cancel", "a-2.2"),
        ("cancel", "a-3"),
        ("add", "a-9"),
    ]


def test_a_shift_that_moves_far_is_cancelled_and_added_under_a_fresh_id():
    one = shifts(("a-1", 1, "als", "P1", "06:00", "10:00"))
    new = shifts(("a-1", 1, "als", "P1", "14:00", "18:00"))
    assert actions(changes_since(one, new)) == [("cancel", "a-1"), ("add", "a-1-n2")]


def test_changes_applied_to_the_published_shifts_give_the_new_plan():
    new = shifts(
        ("b-1", 1, "als", "P4", "06:00", "18:00"),
        ("b-2", 1, "als", "P2", "07:00", "19:00"),
        ("b-2", 2, "als", "P2", "19:00", "20:00"),
        ("b-3", 1, "als", "P9", "01:00", "05:00"),
    )
    found = changes_since(PUBLISHED, new)
    carried = apply_changes(PUBLISHED, found.changes)
    order = ["start_local", "shift_id"]
    want = found.shifts.sort_values(order, kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(carried, want[carried.columns])


def test_everything_may_go_and_everything_may_come():
    none = PUBLISHED.iloc[:0]
    gone = changes_since(PUBLISHED, none)
    assert set(gone.changes["action"]) == {"cancel"}
    assert len(apply_changes(PUBLISHED, gone.changes)) == 0
    come = changes_since(none, PUBLISHED)
    assert set(come.changes["action"]) == {"add"}
    assert len(apply_changes(none, come.changes)) == 4
    assert len(changes_since(none, none).changes) == 0


def test_tables_that_are_no_shifts_are_refused():
    with pytest.raises(InputError, match="no column crew, leg"):
        changes_since(PUBLISHED.drop(columns=["crew", "leg"]), PUBLISHED)
    twice = pd.concat([PUBLISHED, PUBLISHED.iloc[:1]])
    with pytest.raises(InputError, match="'a-1' twice"):
        changes_since(PUBLISHED, twice)

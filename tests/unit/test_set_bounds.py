"""Bounds of sets of open shifts: what they keep, when they stop, and that they lie above."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.plan.joint import set_bounds as module
from deploy_opt.plan.joint.services import choose_crews, lay_services
from deploy_opt.plan.joint.set_bounds import SetBounds
from deploy_opt.plan.joint.start_search import start_of
from deploy_opt.plan.joint.worths import _outer, concave
from deploy_opt.plan.solver import Limits
from joint_towns import tiny_question

falling = st.lists(st.floats(0.0, 5.0), min_size=2, max_size=12).map(lambda s: sorted(s)[::-1])


@given(rises=falling, seed=st.integers(0, 99))
def test_between_tabulated_numbers_a_concave_worth_lies_below_the_outer_one(rises, seed):
    worth = np.concatenate([[0.0], np.cumsum(rises)])
    numbers = np.arange(len(worth))
    kept = np.random.default_rng(seed).random(len(worth)) < 0.5
    kept[0] = True
    outer = _outer(numbers[kept], worth[kept], numbers)
    assert (outer[kept] == worth[kept]).all()
    if kept.sum() > 1:  # beyond the last point the last slope goes on
        assert (outer >= worth - 1e-9).all()


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=12).map(np.asarray))
def test_the_concave_worth_is_concave_above_and_touches_at_both_ends(worth):
    hull = concave(worth)
    assert (hull >= worth - 1e-9).all()
    assert np.all(np.diff(hull, 2) <= 1e-9)
    assert hull[[0, -1]].tolist() == worth[[0, -1]].tolist()


def test_a_bound_is_kept_until_a_higher_cutoff_no_longer_excuses_it():
    question = tiny_question(limit=1900.0)
    laid = lay_services(question)
    bounds = SetBounds(laid, 1e-5)
    starts = [start_of(kind.columns) for kind in question.types]
    every = [np.ones(len(of), dtype=bool) for of in starts]
    loose = bounds.quick(every, 1e6)  # low enough at once
    assert bounds.sets == 1
    assert bounds.quick(every, 1e6) is loose
    sharp = bounds.quick(every, -np.inf)
    assert bounds.sets == 2
    assert sharp.bound <= loose.bound + 1e-9
    assert bounds.quick(every, 0.0) is sharp
    best = choose_crews(laid, Limits(gap=1e-3))
    assert sharp.bound >= best.value - 1e-9
    few = [of != 0 for of in starts]
    assert bounds.quick(few, -np.inf).bound <= sharp.bound + 1e-6


def test_unused_units_on_duty_cost_nothing_in_a_bound():
    question = tiny_question(limit=4000.0)
    laid = lay_services(question)
    one = [start_of(kind.columns) == 0 for kind in question.types]
    found = SetBounds(laid, 1e-5).relaxed(one, -np.inf)
    types = tuple(
        replace(kind, columns=replace_columns(kind.columns, of))
        for kind, of in zip(question.types, one, strict=True)
    )
    alone = choose_crews(replace(laid, question=replace(question, types=types)), Limits(gap=1e-3))
    assert found.bound >= alone.value - 1e-9


def replace_columns(columns, kept):
    """Keep some shifts."""
    return replace(
        columns,
        start_hour=columns.start_hour[kept],
        length_h=columns.length_h[kept],
        on_duty=columns.on_duty[kept],
    )


def test_a_search_over_many_units_ends_without_branch_and_bound_over_crews(monkeypatch):
    monkeypatch.setattr(module, "FEW_HOURS", 0)
    kinds = tuple(replace(k, max_starts=1) for k in tiny_question(limit=1900.0).types)
    laid = lay_services(replace(tiny_question(limit=1900.0), types=kinds))
    rounded = choose_crews(laid, Limits(gap=1e-2, node_limit=50))
    monkeypatch.undo()
    exact = choose_crews(laid, Limits(gap=0.0, node_limit=2000))
    assert rounded.value <= exact.value + 1e-9 <= rounded.bound + 2e-9
    assert rounded.value >= 0.95 * exact.value
    for kind, crews in zip(laid.question.types, rounded.crews, strict=True):
        assert len(np.unique(start_of(kind.columns)[crews > 0])) <= 1

"""Sets hold the top label, grow as less may be missed, and agree with counting by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.errors import InputError
from deploy_opt.risk.conformal import (
    calibrate,
    coverage_law,
    mass_ahead,
    nested_sets,
    rank,
    threshold,
)
from deploy_opt.risk.set_report import ASK, decide, set_report
from deploy_opt.seeds import stream

WORKED_P = np.array(
    [(0.7, 0.2, 0.1), (0.5, 0.3, 0.2), (0.4, 0.35, 0.25), (0.6, 0.3, 0.1), (0.45, 0.45, 0.1)]
)
WORKED_Y = np.array([0, 1, 2, 0, 1])
EIGHTHS = st.lists(
    st.sampled_from([(8, 0, 0), (4, 2, 2), (3, 3, 2), (1, 6, 1), (2, 1, 5), (0, 4, 4)]),
    min_size=1,
    max_size=12,
)


def by_counting(p, labels, new, alpha, by_class):
    """Sets from the definition, in fractions: widen the threshold until enough cases are held."""

    def prefix(row, mass):
        ranked = sorted(range(len(row)), key=lambda label: (-row[label], label))
        held = {ranked[0]}
        for position in range(1, len(ranked)):
            if sum(row[label] for label in ranked[:position]) <= mass:
                held.add(ranked[position])
        return held

    exact = [[Fraction(v).limit_denominator(8) for v in row] for row in p]
    sets = [[False] * len(p[0]) for _ in new]
    for label in range(len(p[0])):
        cases = [i for i in range(len(labels)) if not by_class or labels[i] == label]
        needed = (len(cases) + 1) * (1 - alpha)
        tried = [Fraction(e, 8) for e in range(9)]
        enough = [
            t for t in tried if sum(labels[i] in prefix(exact[i], t) for i in cases) >= needed
        ]
        for row, case in enumerate(new):
            values = [Fraction(v).limit_denominator(8) for v in case]
            sets[row][label] = label in prefix(values, enough[0] if enough else 2)
    return sets


def test_the_worked_example_gives_its_scores_threshold_and_sets():
    scores = mass_ahead(WORKED_P)[np.arange(5), WORKED_Y]
    assert scores == pytest.approx([0, 0.5, 0.75, 0, 0.45])
    assert rank(5, 0.4) == 4
    assert threshold(scores, 0.4) == pytest.approx(0.5)
    new = [(0.8, 0.15, 0.05), (0.45, 0.4, 0.15), (0.34, 0.33, 0.33)]
    sets = nested_sets(WORKED_P, WORKED_Y, new, alpha=0.4, by_class=False)
    assert [np.flatnonzero(row).tolist() for row in sets] == [[0], [0, 1], [0, 1]]


@settings(deadline=None)
@given(
    EIGHTHS,
    EIGHTHS,
    st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1, 8)]),
    st.booleans(),
    st.integers(0, 1000),
)
def test_sets_are_those_of_the_definition_ties_included(old, new, alpha, by_class, seed):
    labels = np.random.default_rng(seed).integers(0, 3, len(old))
    p, q = np.array(old) / 8, np.array(new) / 8
    found = nested_sets(p, labels, q, alpha=float(alpha), by_class=by_class)
    assert found.tolist() == by_counting(p, labels, q, alpha, by_class)


@pytest.mark.parametrize(
    ("alpha", "fewest"), [(0.25, 3), (0.2, 4), (0.1, 9), (0.05, 19), (0.01, 99)]
)
def test_a_label_can_be_left_out_only_from_so_many_cases_on(alpha, fewest):
    assert math.isinf(threshold(np.zeros(fewest - 1), alpha))
    assert threshold(np.zeros(fewest), alpha) == 0.0


@pytest.mark.parametrize(
    ("n", "alpha", "mean", "sd", "lo", "hi"),
    [
        (100, 0.25, 0.75248, 0.04273, 0.664, 0.831),
        (482, 0.25, 0.75155, 0.01964, 0.712, 0.789),
        (1000, 0.1, 0.90010, 0.00947, None, None),
    ],
)
def test_coverage_of_one_calibration_set_follows_the_published_beta_law(n, alpha, mean, sd, lo, hi):
    law = coverage_law(n, alpha)
    assert (round(law.mean, 5), round(law.sd, 5)) == (mean, sd)
    if lo is not None:
        assert (law.lo, law.hi) == pytest.approx((lo, hi), abs=6e-4)


def test_too_few_cases_cover_all():
    assert coverage_law(2, 0.25).mean == 1.0


def random_cases(n, classes, name):
    rng = stream(5, "conformal", name)
    p = rng.dirichlet(np.full(classes, 0.7), n)
    labels = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=classes - 1)
    return p, labels


def test_sets_grow_as_less_may_be_missed():
    p, labels = random_cases(300, 4, "monotone")
    smaller = None
    for alpha in (0.5, 0.3, 0.2, 0.1, 0.02, 0.001):
        sets = nested_sets(p[:200], labels[:200], p[200:], alpha=alpha)
        assert smaller is None or (sets >= smaller).all()
        assert sets.any(axis=1).all()
        smaller = sets
    assert smaller.all()


@pytest.mark.parametrize("by_class", [True, False])
def test_renaming_the_labels_renames_the_sets(by_class):
    p, labels = random_cases(300, 4, "renamed")
    order = np.array([2, 0, 3, 1])
    renamed = np.argsort(order)[labels]
    sets = nested_sets(p[:200], labels[:200], p[200:], alpha=0.2, by_class=by_class)
    other = nested_sets(
        p[:200][:, order], renamed[:200], p[200:][:, order], alpha=0.2, by_class=by_class
    )
    assert (other == sets[:, order]).all()


@pytest.mark.parametrize("alpha", [0.1, 0.25, 0.4])
def test_two_labels_give_the_least_ambiguous_sets_with_the_top_label_added(alpha):
    p, labels = random_cases(700, 2, "binary")
    scores = np.sort(1 - p[:200][np.arange(200), labels[:200]])
    lac = 1 - p[200:] <= scores[math.ceil(201 * (1 - alpha)) - 1]
    lac[np.arange(500), p[200:].argmax(axis=1)] = True
    found = nested_sets(p[:200], labels[:200], p[200:], alpha=alpha, by_class=False)
    assert (found == lac).all()


def test_a_class_without_cases_is_never_left_out():
    sets = nested_sets(WORKED_P, [0, 1, 1, 0, 1], WORKED_P, alpha=0.3)
    assert sets[:, 2].all()


def test_calibrated_thresholds_make_the_same_sets_later():
    kept = calibrate(WORKED_P, WORKED_Y, alpha=0.4)
    assert kept.num_cases.tolist() == [2, 2, 1]
    assert (kept.sets(WORKED_P) == nested_sets(WORKED_P, WORKED_Y, WORKED_P, alpha=0.4)).all()
    with pytest.raises(InputError, match="2 columns, expected 3"):
        kept.sets([(0.5, 0.5)])


def test_what_cannot_be_told_goes_where_the_policy_says():
    sets = np.array([[1, 0, 0], [0, 1, 1], [1, 1, 1], [0, 0, 1]], dtype=bool)
    assert decide(sets).tolist() == [0, ASK, ASK, 2]
    assert decide(sets, "default_high").tolist() == [0, 2, 2, 2]
    assert decide(sets, "default_low").tolist() == [0, 1, 0, 2]
    with pytest.raises(InputError, match="'guess', expected one of default_high"):
        decide(sets, "guess")


def test_the_report_shows_that_single_labels_are_right_less_often_than_sets():
    sets = np.array([[1, 0], [0, 1], [0, 1], [1, 1]], dtype=bool)
    report = set_report(sets, [0, 1, 0, 1]).set_index(["measure", "label"])
    assert report.loc[("coverage", -1), "value"] == 0.75
    assert report.loc[("coverage", 0), "value"] == 0.5
    assert report.loc[("singleton_precision", 1), "value"] == 0.5
    assert report.loc[("singleton_precision", 0), ["lo", "hi", "n"]].tolist() == [
        pytest.approx(0.025),
        1.0,
        1,
    ]
    assert report.loc[("cannot_tell_share", -1), "value"] == 0.25
    assert report.loc[("empty_share", -1), "value"] == 0
    assert report.loc[("mean_size", -1), "value"] == 1.25


def test_a_label_never_said_alone_has_no_precision():
    report = set_report(np.ones((2, 2), dtype=bool), [0, 1]).set_index(["measure", "label"])
    assert math.isnan(report.loc[("singleton_precision", 1), "value"])


@pytest.mark.parametrize(
    ("p", "y", "alpha", "message"),
    [
        ([0.2, 0.8], [0, 1], 0.2, r"p_calibration: found shape \(2,\)"),
        ([(0.2, 0.7)], [0], 0.2, "row 0: found the sum 0.9, expected 1"),
        ([(1.2, -0.2)], [0], 0.2, "row 0: found .*expected numbers of at least 0"),
        ([(0.5, 0.5)], [0, 1], 0.2, r"y_calibration: found shape \(2,\)"),
        ([(0.5, 0.5)], [2], 0.2, "labels from 2 to 2, expected whole numbers 0 to 1"),
        ([(0.5, 0.5)], [0.5], 0.2, "values of type float64"),
        ([(0.5, 0.5)], [0], 1.0, "alpha: found 1.0, expected a share between 0 and 1"),
    ],
)
def test_wrong_arrays_are_refused_in_words(p, y, alpha, message):
    with pytest.raises(InputError, match=message):
        nested_sets(p, y, [(0.5, 0.5)], alpha=alpha)

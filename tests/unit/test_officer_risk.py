"""Officer risk: trees, weights, splits, fits, what is published, saved and said."""

import ast
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.ensemble import GradientBoostingClassifier

import deploy_opt.risk
from deploy_opt.errors import InputError
from deploy_opt.risk.conformal import Calibration
from deploy_opt.risk.model_files import read_model, write_model
from deploy_opt.risk.officer_risk.boosting import engine_for, fit_trees, out_of_fold
from deploy_opt.risk.officer_risk.effects import partial_dependence, permutation_importance
from deploy_opt.risk.officer_risk.feasibility import FEASIBLE
from deploy_opt.risk.officer_risk.model import Threshold, model_from_plain
from deploy_opt.risk.officer_risk.splits import split_rows
from deploy_opt.risk.officer_risk.trees import from_plain
from deploy_opt.risk.officer_risk.weights import (
    alarms_per_miss,
    cut_for_ratio,
    recalibrate,
    tune_weight,
)
from deploy_opt.risk.officers import (
    OfficerRiskParams,
    feasibility,
    fit_officer_risk,
    load_officer_risk,
    save_officer_risk,
    score_dispatch,
)
from dispatch_town import town

QUICK = OfficerRiskParams(least_positives=20, random_report=False)


@pytest.fixture(scope="module")
def fitted():
    _, truth, _, features = town()
    groups = {f"A{n:02d}": "north" if n < 7 else "south" for n in range(1, 12)}
    params = OfficerRiskParams(least_positives=20)
    seen = []
    risk = fit_officer_risk(
        features, truth["high"].astype(int), params, group_of_area=groups, progress=seen.append
    )
    assert seen == ["weapons"]
    return risk


def cases(n=600, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.round(rng.normal(size=(n, 3)) * 4).astype(np.float32)
    return rows, rng.random(n) < expit(rows[:, 0] / 2 - 1)


def test_the_trees_are_those_of_scikit_learn_six_leaves_each():
    rows, high = cases()
    trees = fit_trees(rows, high, weight=3.0, seed=1)
    assert len(trees.roots) == 50
    leaves = trees.left == trees.right
    assert leaves.sum() == 6 * 50
    from deploy_opt.seeds import stream

    state = int(stream(1, "officer risk", "trees").integers(2**31))
    model = GradientBoostingClassifier(
        n_estimators=50, learning_rate=0.1, subsample=0.5, max_depth=None, max_leaf_nodes=6,
        random_state=state,
    ).fit(rows, high, sample_weight=np.where(high, 3.0, 1.0))  # fmt: skip
    np.testing.assert_allclose(
        expit(trees.log_odds(rows)), model.predict_proba(rows)[:, 1], atol=1e-12
    )


def test_many_rows_are_binned_and_few_are_not():
    assert [engine_for(n, "auto") for n in (100_000, 100_001)] == ["exact", "histogram"]
    rows, high = cases(2000)
    rows[:, 1] = np.random.default_rng(1).normal(size=2000)
    binned = fit_trees(rows, high, engine="histogram")
    exact = fit_trees(rows, high, engine="exact")
    both = np.corrcoef(binned.log_odds(rows), exact.log_odds(rows))[0, 1]
    assert both > 0.95
    assert np.isin(binned.cut[binned.left != binned.right], rows).all()


def test_fits_repeat_themselves():
    rows, high = cases()
    one, two = (out_of_fold(rows, high, weight=2.0, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_recalibrated_log_odds_are_honest():
    rng = np.random.default_rng(0)
    odds = rng.normal(-1, 1.5, 20_000)
    high = rng.random(20_000) < expit(0.5 * odds + 0.3)
    slope, constant = recalibrate(odds, high)
    assert (slope, constant) == (pytest.approx(0.5, abs=0.04), pytest.approx(0.3, abs=0.06))
    flat, level = recalibrate(-odds, high)
    assert flat == 0
    assert expit(level) == pytest.approx(high.mean(), abs=1e-3)


def test_the_weight_is_searched_between_1_and_30_to_the_ratio():
    rng = np.random.default_rng(2)
    p = expit(rng.normal(-1.8, 1, 20_000))
    high = rng.random(20_000) < p

    def scores_at(weight):
        return np.log(weight * p / (1 - p))

    tuned = tune_weight(scores_at, high, 10.0)
    assert tuned.ratio == pytest.approx(10, rel=0.03)
    assert 1 <= tuned.weight <= 30
    assert len(tuned.probes) <= 3
    far = tune_weight(scores_at, high, 1e6)
    assert far.weight > 20
    assert alarms_per_miss(np.full(3, 1.0), np.array([True, False, True])) == math.inf
    cut = cut_for_ratio(np.array([-1.0, 0.0, 1.0, 2.0]), np.array([True, False, False, True]), 1.0)
    assert 0 <= cut <= 1


def test_temporal_parts_follow_each_other_by_whole_days():
    day = np.sort(np.random.default_rng(0).integers(0, 300, 2000))
    split = split_rows(day)
    parts = [day[part] for part in (split.train, split.calibration, split.test)]
    assert parts[0].max() < parts[1].min()
    assert parts[1].max() < parts[2].min()
    assert [len(part) / 2000 for part in parts] == pytest.approx([0.5625, 0.1875, 0.25], abs=0.01)
    mixed = split_rows(day, kind="random", seed=1)
    assert sorted(np.concatenate([mixed.train, mixed.calibration, mixed.test])) == list(range(2000))
    with pytest.raises(InputError, match="three parts"):
        split_rows(np.zeros(10, dtype=int))


def test_feasibility_counts_before_anything_is_fitted():
    _, truth, _, features = town()
    counts = feasibility(features, truth["high"].astype(int), QUICK).iloc[0]
    assert counts["verdict"] == FEASIBLE
    assert counts["calls"] == features["complete"].sum()
    assert counts["train"] + counts["calibration"] + counts["test"] == counts["at_least"]
    assert counts["coverage_lo"] < 0.75 < counts["coverage_hi"]
    none = feasibility(features, np.zeros(len(features), dtype=int), QUICK)
    assert none["verdict"].iloc[0] == "0 such calls for training, 20 are needed"
    every = feasibility(features, np.ones(len(features), dtype=int), QUICK)
    assert "other calls" in every["verdict"].iloc[0]
    early = features.assign(complete=False)
    assert feasibility(early, truth["high"].astype(int), QUICK)["calls"].iloc[0] == 0


def test_a_category_with_too_few_calls_is_withheld_with_the_reason():
    _, _, _, features = town()
    risk = fit_officer_risk(features, np.zeros(len(features), dtype=int), QUICK)
    assert risk.models == {}
    assert "needed" in risk.withheld["weapons"]
    assert risk.report.empty


def test_a_category_is_published_only_if_it_costs_less_than_always_the_same(fitted):
    table = fitted.report.query("split == 'temporal'").set_index(["measure", "label"])["value"]
    cost = table["cost_per_call", -1]
    assert ("weapons" in fitted.models) == (cost < table["cost_of_always"].min())
    _, _, _, features = town()
    chance = np.random.default_rng(0).random(len(features)) < 0.15
    useless = fit_officer_risk(features, chance.astype(int), replace(QUICK, cost_ratio=2.0))
    assert "always the same" in useless.withheld["weapons"]
    assert not useless.report["published"].any()


def test_both_splits_coverage_and_precision_of_single_levels_are_reported(fitted):
    assert set(fitted.report["split"]) == {"temporal", "random"}
    measures = set(fitted.report["measure"])
    assert {"coverage", "singleton_precision", "cannot_tell_share", "recall"} <= measures
    assert set(fitted.groups["group"]) == {"north", "south", "unknown"}
    assert set(fitted.groups["measure"]) == {
        "coverage", "recall", "says_high_share", "cost_per_call",
    }  # fmt: skip
    assert any("left out" in note for note in fitted.notes)


def test_choices_run_over_ratios_and_coverages(fitted):
    table = fitted.choices
    assert len(table) == 60
    one = table[table["coverage"] == 0.75].set_index("cost_ratio")
    assert one["recall"].is_monotonic_increasing
    assert one["fp"].is_monotonic_increasing
    assert ((one["tp"] + one["fn"]) == one["tp"].iloc[0] + one["fn"].iloc[0]).all()
    by_coverage = table[table["cost_ratio"] == 10].set_index("coverage")["cannot_tell_share"]
    assert by_coverage.is_monotonic_increasing


def test_importance_finds_what_matters_and_curves_stay_where_calls_are():
    rows, high = cases(3000)
    trees = Threshold(fit_trees(rows, high), 1.0, 0.0, 0.0, 1.0)
    table = permutation_importance(trees, rows, high, ("a", "b", "c"))
    assert table["feature"].iloc[0] == "a"
    assert table["importance"].iloc[0] > 5 * table["importance"].iloc[1]
    curves = partial_dependence(trees, rows, ("a", "b", "c"), features=("a",))
    curve, rug = (curves[curves["kind"] == kind] for kind in ("curve", "rug"))
    low, top = np.quantile(rows[:, 0], [0.05, 0.95])
    assert (curve["value"].min(), curve["value"].max()) == (low, top)
    assert rug["value"].between(low, top).all()
    assert curve["probability"].iloc[-1] > curve["probability"].iloc[0] + 0.2
    assert partial_dependence(trees, rows, ("a", "b", "c"), features=()).empty


def test_a_feature_that_no_tree_uses_has_no_importance(fitted):
    table = fitted.importance
    assert (table.loc[~table["used"], "importance"] == 0).all()


def test_a_saved_model_says_the_same_and_holds_nothing_that_runs(fitted, tmp_path):
    made, _, sources, _ = town()
    key = b"0123456789abcdef0123"
    calls = made.calls.tail(40)
    before = score_dispatch(fitted, calls, sources)
    for name, use in (("plain.json", None), ("sealed.json", key)):
        seal = save_officer_risk(fitted, tmp_path / name, key=use)
        loaded = load_officer_risk(tmp_path / name, key=use, expected_seal=seal)
        pd.testing.assert_frame_equal(score_dispatch(loaded, calls, sources), before)
    content = json.loads((tmp_path / "plain.json").read_text())
    assert set(content) == {"format", "kind", "keyed", "content", "seal"}


def test_a_model_file_that_was_tampered_with_is_refused(fitted, tmp_path):
    file, key = tmp_path / "model.json", b"0123456789abcdef0123"
    for use in (None, key):
        seal = save_officer_risk(fitted, file, key=use)
        text = file.read_text()
        file.write_text(text.replace('"cost_ratio": 10.0', '"cost_ratio": 11.0'))
        with pytest.raises(InputError, match="changed"):
            load_officer_risk(file, key=use)
        file.write_text(text)
        with pytest.raises(InputError, match="seal"):
            load_officer_risk(file, key=use, expected_seal="0" * 64)
        with pytest.raises(InputError, match="seal"):
            load_officer_risk(file, key=None if use else key)
    assert seal
    with pytest.raises(InputError, match="changed"):
        load_officer_risk(file, key=b"another key of 20 bytes")
    with pytest.raises(InputError, match="bytes"):
        load_officer_risk(file, key=b"short")
    file.write_text("no json")
    with pytest.raises(InputError, match="a model file"):
        load_officer_risk(file)
    write_model(file, "triage", {})
    with pytest.raises(InputError, match="'triage'"):
        load_officer_risk(file)
    write_model(file, "officer risk", {"withheld": {}})
    with pytest.raises(InputError, match="models"):
        load_officer_risk(file)
    assert read_model(file, "officer risk") == {"withheld": {}}


def test_a_model_with_broken_parts_is_refused(fitted):
    plain = fitted.models["weapons"].to_plain()
    trees = plain["thresholds"][0]["trees"]
    backwards = {**trees, "left": [0] * len(trees["left"])}
    with pytest.raises(InputError, match="lead nowhere"):
        from_plain(backwards, 99)
    with pytest.raises(InputError, match="lead nowhere"):
        from_plain(trees, 1)
    for broken, word in (
        ({**plain, "levels": ["low"]}, "levels"),
        ({**plain, "policy": "guess"}, "policy"),
        ({name: value for name, value in plain.items() if name != "policy"}, "saved"),
        ({**plain, "thresholds": [{**plain["thresholds"][0], "trees": backwards}]}, "nowhere"),
    ):
        with pytest.raises(InputError, match=word):
            model_from_plain(broken)


def test_the_score_says_the_set_and_how_often_a_lone_level_is_right(fitted):
    made, _, sources, _ = town()
    said = score_dispatch(fitted, made.calls.tail(200), sources)
    model = fitted.models["weapons"]
    lone = said[said["may_be"].isin(["low", "high"])]
    assert (lone["said"] == lone["may_be"]).all()
    assert set(lone["precision"].round(9)) <= {round(p, 9) for p in model.precision}
    both = said[said["may_be"] == "low or high"]
    assert (both["said"] == "cannot tell").all()
    assert both["precision"].isna().all()
    assert len(lone) + len(both) == 200


def test_a_call_without_a_model_gets_the_reason_and_no_forecast(fitted):
    made, _, sources, _ = town()
    calls = made.calls.tail(2).assign(category=["robbery", "weapons"])
    late = calls.assign(received_at=calls["received_at"] + pd.Timedelta(days=500))
    said = score_dispatch(fitted, calls, sources)
    assert said["why"].tolist() == ["no model of this category", ""]
    assert said["said"].isna().tolist() == [True, False]
    assert "retired" in score_dispatch(fitted, late, sources)["why"].iloc[1]


@pytest.mark.parametrize(
    ("policy", "word"),
    [("default_high", "high"), ("default_low", "low"), ("ask_human", "cannot tell")],
)
def test_what_is_said_when_the_model_cannot_tell_is_the_agencys_choice(fitted, policy, word):
    made, _, sources, _ = town()
    model = fitted.models["weapons"]
    wide = Calibration(np.full(2, np.inf), model.calibration.num_cases, 0.25, by_class=True)
    both = replace(model, policy=policy, calibration=wide)
    risk = replace(fitted, models={"weapons": both})
    assert set(score_dispatch(risk, made.calls.tail(5), sources)["said"]) == {word}


def test_an_ordinal_outcome_has_a_model_for_each_level_and_one_set():
    _, truth, _, features = town()
    rng = np.random.default_rng(0)
    level = truth["high"].to_numpy() * (1 + (rng.random(len(truth)) < 0.4))
    params = replace(QUICK, levels=("low", "threat", "injury"))
    risk = fit_officer_risk(features, level, params)
    assert risk.feasibility["level"].tolist() == ["threat", "injury"]
    coverage = risk.report.query("measure == 'coverage' and label >= 0")
    assert coverage["label"].tolist() == [0, 1, 2]
    assert set(risk.importance["level"]) == {"threat", "injury"}
    assert (risk.report["measure"] == "cost_of_always").sum() == 3


def test_count_ratio_is_offered_and_says_what_it_is_not():
    _, truth, _, features = town()
    params = replace(QUICK, objective="count_ratio", policy="default_high", split="random")
    risk = fit_officer_risk(features, truth["high"].astype(int), params)
    assert any("not the least cost" in note for note in risk.notes)
    ratio = risk.report.query("measure == 'false_alarms_per_miss'")["value"].iloc[0]
    assert 3 < ratio < 30


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"levels": ("one",)}, "levels"),
        ({"cost_ratio": 0.0}, "cost_ratio"),
        ({"coverage": 1.0}, "coverage"),
        ({"objective": "gain"}, "objective"),
        ({"policy": "guess"}, "policy"),
        ({"split": "odd"}, "split"),
        ({"engine": "steam"}, "engine"),
        ({"least_positives": 0}, "least_positives"),
    ],
)
def test_wrong_choices_are_refused_in_words(change, word):
    with pytest.raises(InputError, match=word):
        OfficerRiskParams(**change)


@pytest.mark.parametrize("labels", [[0], [0.5] * 3, [0, 1, 2]])
def test_labels_that_do_not_fit_are_refused(labels):
    _, _, _, features = town()
    with pytest.raises(InputError, match="labels"):
        feasibility(features.head(3), labels, QUICK)


def test_no_module_that_fits_can_read_the_truth():
    folder = Path(deploy_opt.risk.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [getattr(node, "module", None) or ""]
            names += [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            assert not any("synthetic" in name for name in names), file

"""Weights bring the wanted ratio, and sets keep their promise, on calls never seen."""

import numpy as np
import pytest

from deploy_opt.risk.conformal import calibrate
from deploy_opt.risk.officer_risk.boosting import fit_trees, out_of_fold
from deploy_opt.risk.officer_risk.model import level_probabilities
from deploy_opt.risk.officer_risk.weights import alarms_per_miss, tune_weight
from dispatch_town import town

FEW = ["calls_30d", "friday", "saturday", "evening", "june", "july", "august"]


@pytest.mark.slow
def test_on_30000_calls_false_alarms_per_miss_are_within_15_percent_of_the_target():
    _, truth, _, features = town(40_000, 1 / 6, 5)
    keep = features["complete"].to_numpy()
    rows = features.loc[keep, FEW].to_numpy(np.float32)[:40_000]
    high = truth["high"].to_numpy()[keep][:40_000]
    train, test = slice(None, 30_000), slice(30_000, None)

    def scores_at(weight):
        return out_of_fold(rows[train], high[train], weight=weight)

    tuned = tune_weight(scores_at, high[train], 10.0)
    assert tuned.ratio == pytest.approx(10, rel=0.03)
    odds = fit_trees(rows[train], high[train], weight=tuned.weight).log_odds(rows[test])
    assert alarms_per_miss(odds, high[test]) == pytest.approx(10, rel=0.15)


def test_sets_of_boosted_trees_hold_each_level_as_often_as_promised():
    _, truth, _, features = town(9000, 1 / 6, 7)
    keep = features["complete"].to_numpy()
    rows = features.loc[keep, FEW].to_numpy(np.float32)
    high = truth["high"].to_numpy()[keep]
    rng, train = np.random.default_rng(0), np.arange(len(rows)) < 1500
    odds = fit_trees(rows[train], high[train], weight=6.2).log_odds(rows[~train])
    p, y = level_probabilities([odds]), high[~train].astype(int)
    held = []
    for _ in range(200):
        mixed = rng.permutation(len(y))
        old, new = mixed[:482], mixed[482 : 482 + 972]
        sets = calibrate(p[old], y[old], alpha=0.25).sets(p[new])
        right = sets[np.arange(972), y[new]]
        assert sets.any(axis=1).all()
        held.append([right[y[new] == k].mean() for k in (0, 1)])
    mean, sd = np.mean(held, axis=0), np.std(held, axis=0, ddof=1)
    assert (mean >= 0.75 - 3 * sd / np.sqrt(200)).all()

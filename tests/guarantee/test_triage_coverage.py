"""Sets of tiers hold the true tier as often as promised, at every share of the text heard."""

import numpy as np
import pytest

from deploy_opt.inputs.synthetic_transcripts import make_transcripts
from deploy_opt.risk.call_text.model import TIERS, tier_costs
from deploy_opt.risk.call_text.words import SHARES_HEARD, beginning
from deploy_opt.risk.conformal import calibrate
from deploy_opt.risk.triage import fit_triage, redact

COVERAGE, REPETITIONS = 0.8, 100


@pytest.fixture(scope="module")
def made():
    calls, truth = make_transcripts(6000, seed=3)
    texts = calls["text"].tolist()
    fit = fit_triage(texts[:3000], calls["tier"].to_numpy()[:3000], coverage=COVERAGE)
    clean = [redact(text) for text in texts[3000:]]
    return fit, clean, calls["tier"].to_numpy()[3000:] - 1, truth.iloc[3000:]


@pytest.mark.parametrize("share", SHARES_HEARD)
def test_each_tier_is_held_as_often_as_promised(made, share):
    fit, texts, tier, _ = made
    p = fit.model.probabilities([beginning(text, share) for text in texts])
    rng, held = np.random.default_rng(0), []
    for _ in range(REPETITIONS):
        mixed = rng.permutation(len(tier))
        old, new = mixed[:1000], mixed[1000:]
        sets = calibrate(p[old], tier[old], alpha=1 - COVERAGE).sets(p[new])
        assert sets.any(axis=1).all()
        right = sets[np.arange(len(new)), tier[new]]
        held.append([right[tier[new] == k].mean() for k in range(len(TIERS))])
    mean, sd = np.mean(held, axis=0), np.std(held, axis=0, ddof=1)
    assert (mean >= COVERAGE - 3 * sd / np.sqrt(REPETITIONS)).all()


def test_the_cost_is_near_the_least_that_the_sentences_allow(made):
    fit, texts, tier, truth = made
    costs = tier_costs(fit.model.cost_ratio)
    best = truth[["p1", "p2", "p3", "p4"]].to_numpy() @ costs
    least = costs[tier, best.argmin(axis=1)].mean()
    found = costs[tier, fit.model.advised(fit.model.probabilities(texts))].mean()
    assert least <= found < 1.35 * least

"""Scores agree with their definitions, worked out by enumeration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from deploy_opt.demand.scores import (
    central_coverage,
    crps_poisson,
    expected_deviance,
    negbin_cdf,
    negbin_quantile,
    negbin_quantiles,
    negbin_scores,
    pinball,
    poisson_deviance,
    randomised_pit,
)

MEANS = np.array([0.02, 0.3, 1.0, 4.5, 30.0, 700.0])
VARIANCES = np.array([0.0, 0.5, 0.1, 0.02, 0.3, 0.01])


def laws():
    sizes = 1.0 / np.maximum(VARIANCES, 1e-6)
    return [stats.nbinom(n, n / (n + m)) for m, n in zip(MEANS, sizes, strict=True)]


def enumerated_crps(law, y):
    k = np.arange(4000)
    return float(((law.cdf(k) - (y <= k)) ** 2).sum())


def test_the_deviance_of_a_perfect_count_is_nil_and_known_values_hold():
    assert poisson_deviance([0, 1, 7], [1e-3, 1, 7]).tolist() == pytest.approx([2e-3, 0, 0])
    assert float(poisson_deviance(2, 1)) == pytest.approx(2 * (2 * np.log(2) - 1))
    assert float(poisson_deviance(0, 0)) == pytest.approx(2e-3)


def test_chances_and_quantiles_are_those_of_the_negative_binomial():
    for k, law in enumerate(laws()):
        for y in (-1, 0, 1, 5, 40, 650):
            assert float(negbin_cdf(y, MEANS[k], VARIANCES[k])) == pytest.approx(
                law.cdf(y), abs=1e-9
            )
        for level in (0.025, 0.5, 0.9, 0.975):
            assert float(negbin_quantile(level, MEANS[k], VARIANCES[k])) == law.ppf(level)


def test_the_walk_gives_every_quantile_at_once():
    levels = (0.025, 0.05, 0.5, 0.9, 0.975)
    found = negbin_quantiles(levels, MEANS, VARIANCES)
    for k, law in enumerate(laws()):
        assert found[:, k].tolist() == law.ppf(levels).tolist()


@pytest.mark.parametrize("y", [0, 1, 3, 29, 720])
def test_the_walk_scores_a_count_as_enumeration_does(y):
    calls = np.full(len(MEANS), float(y))
    found = negbin_scores(calls, MEANS, VARIANCES, level=0.9)
    for k, law in enumerate(laws()):
        assert found.crps[k] == pytest.approx(enumerated_crps(law, y), rel=1e-5, abs=1e-6)
        assert found.upto[k] == pytest.approx(law.cdf(y), abs=1e-6)
        assert found.below[k] == pytest.approx(law.cdf(y - 1) if y else 0.0, abs=1e-6)
        assert found.quantile[k] == law.ppf(0.9)


def test_the_closed_form_of_poisson_crps_is_the_sum():
    for m in (0.05, 0.8, 6.0):
        for y in (0, 2, 9):
            wanted = enumerated_crps(stats.poisson(m), y)
            assert float(crps_poisson(y, m)) == pytest.approx(wanted, rel=1e-6)


def test_expected_deviance_is_what_poisson_noise_leaves():
    rng = np.random.default_rng(1)
    for m in (0.02, 0.13, 1.0, 7.9):
        drawn = poisson_deviance(rng.poisson(m, 400_000), m).mean()
        assert float(expected_deviance(m)) == pytest.approx(drawn, rel=0.02)
    assert float(expected_deviance(400.0)) == pytest.approx(1 + 1 / 2400)
    assert float(expected_deviance(0.0)) == float(expected_deviance(1e-3))


def test_pinball_is_least_at_the_quantile():
    calls = np.random.default_rng(2).poisson(5.0, 20_000)
    loss = [pinball(calls, q, 0.9).mean() for q in range(15)]
    assert int(np.argmin(loss)) == stats.poisson(5.0).ppf(0.9)
    assert float(pinball(3, 5, 0.9)) == pytest.approx(0.2)


def test_the_randomised_transform_is_uniform_when_the_law_is_right():
    rng = np.random.default_rng(3)
    mean, variance = 0.4, 0.3
    calls = rng.poisson(mean * rng.gamma(1 / variance, variance, 50_000))
    pit = randomised_pit(calls, mean, variance, rng=rng)
    assert stats.kstest(pit, "uniform").pvalue > 0.01
    assert central_coverage(pit, 0.8).mean() == pytest.approx(0.8, abs=0.01)

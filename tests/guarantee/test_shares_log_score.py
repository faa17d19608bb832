"""Shrunk shares say more about calls that come later than raw shares or the city's."""

from __future__ import annotations

import numpy as np
import pytest

from deploy_opt.demand.shares import shrunk_shares
from deploy_opt.seeds import stream


def scores(strength, calls_per_area, *, num_areas=300, seed=0):
    """Mean log score per held-out call: shrunk, raw (plus a half), city."""
    rng = stream(seed, "shares", str(strength), calls_per_area)
    centre = np.array([0.5, 0.3, 0.15, 0.05])
    true = rng.dirichlet(strength * centre, num_areas)
    sizes = rng.poisson(calls_per_area, num_areas)
    seen = np.array([rng.multinomial(n, p) for n, p in zip(sizes, true, strict=True)])
    later = np.array([rng.multinomial(200, p) for p in true])
    half = seen + 0.5
    shrunk, found = shrunk_shares(seen)
    raw = half / half.sum(axis=1, keepdims=True)
    city = half.sum(axis=0) / half.sum()
    return [float((later * np.log(p)).sum() / later.sum()) for p in (shrunk, raw, city)], found


@pytest.mark.parametrize("strength", [5.0, 30.0, 300.0])
@pytest.mark.parametrize("calls_per_area", [3, 30, 300])
def test_shrunk_shares_score_at_least_as_well_as_raw_ones_and_the_citys(strength, calls_per_area):
    (shrunk, raw, city), _ = scores(strength, calls_per_area)
    assert shrunk > raw
    assert shrunk > city - 1e-4


def test_small_areas_gain_much_over_raw_shares():
    (shrunk, raw, _), _ = scores(30.0, 3)
    assert shrunk - raw > 0.1


@pytest.mark.parametrize("strength", [5.0, 30.0, 300.0])
def test_the_strength_that_made_the_areas_is_found_again(strength):
    _, found = scores(strength, 100, num_areas=1000)
    assert found == pytest.approx(strength, rel=0.25)

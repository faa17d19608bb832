"""What must hold for response layers on any town: they are a mix of single limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.plan.coverage import cover_model
from deploy_opt.standard_settings import DriveLayer
from plan_towns import grid_town, plan_settings

LIMITS = st.lists(st.integers(30, 900), min_size=1, max_size=4, unique=True).map(sorted)


@settings(max_examples=40, deadline=None)
@given(limits=LIMITS, seed=st.integers(0, 9999), data=st.data())
def test_a_layered_value_is_the_worth_weighted_sum_of_single_limits(limits, seed, data):
    shares = data.draw(
        st.lists(st.integers(1, 20), min_size=len(limits), max_size=len(limits)), label="worths"
    )
    worths = [share / sum(shares) for share in shares]
    forecast, times = grid_town(posts=6, areas=4, seed=seed % 7)
    units = np.random.default_rng(seed).integers(0, 3, (24, 6))
    layers = tuple(
        DriveLayer(drive_limit_s=limit, worth=worth)
        for limit, worth in zip(limits, worths, strict=True)
    )
    layered = cover_model(forecast, times, plan_settings(layers=layers))
    alone = [
        cover_model(forecast, times, plan_settings(limit_s=limit)).area_cover(units)
        for limit in limits
    ]
    mixed = sum(worth * cover for worth, cover in zip(worths, alone, strict=True))
    worth = layered.area_worth(units)
    assert worth == pytest.approx(mixed, abs=1e-12)
    assert (worth >= alone[0] - 1e-12).all()
    assert (worth <= alone[-1] + 1e-12).all()
    standard = cover_model(forecast, times, plan_settings())
    assert layered.area_cover(units) == pytest.approx(standard.area_cover(units), abs=1e-12)
    for hour in (0, 12):
        reached = layered.curve(hour, int(units[hour].sum()))[
            (units[hour] @ layered.geometry(hour).cover).astype(int)
        ]
        assert layered.weights(hour) @ reached == pytest.approx(layered.value(units)[hour])

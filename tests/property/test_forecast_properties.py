"""What holds for the forecast of any town: sums agree, quantiles never cross, bytes repeat."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy_opt.demand.forecast import forecast
from deploy_opt.inputs.wall_clock import wall_hours
from deploy_opt.tables import VALUE_COLUMNS

NEW_YORK = "America/New_York"


@st.composite
def towns(draw):
    """A start near or far from a clock change, a few areas of any size, a seed."""
    start = pd.Timestamp(
        draw(st.sampled_from(["2025-03-03", "2025-03-09", "2025-10-28", "2025-06-02"]))
    )
    days = draw(st.integers(1, 45))
    levels = draw(st.lists(st.sampled_from([0.0, 0.005, 0.1, 1.0, 6.0]), min_size=1, max_size=4))
    levels[0] = max(levels[0], 0.1)
    hours = wall_hours(start - pd.Timedelta(days=days), start, NEW_YORK)
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    calls = rng.poisson(np.array(levels)[:, None], (len(levels), len(hours)))
    calls[0, 0] += 1
    counts = pd.DataFrame(
        {
            "service": "ems",
            "area_id": np.repeat([f"A{k}" for k in range(len(levels))], len(hours)),
            "hour": np.tile(hours, len(levels)),
            "num_calls": calls.reshape(-1),
            "observed": draw(st.booleans()) | (rng.random(calls.size) < 0.9),
        }
    )
    counts.loc[0, "observed"] = True
    return counts, start, draw(st.sampled_from([24, 168, 200])), draw(st.integers(0, 9))


def made(town):
    counts, start, horizon_h, seed = town
    districts = {area: area[-1:] < "2" for area in counts["area_id"].unique()}
    return forecast(
        counts,
        start=start,
        horizon_h=horizon_h,
        seed=seed,
        zone=NEW_YORK,
        num_paths=7,
        levels={area: "low" if low else "high" for area, low in districts.items()},
    )


@settings(max_examples=25)
@given(towns())
def test_a_forecast_is_coherent_whatever_the_town(town):
    counts, start, horizon_h, _ = town
    found = made(town)
    hours = wall_hours(start, start + pd.Timedelta(hours=horizon_h), NEW_YORK)
    areas = sorted(counts["area_id"].unique())
    keys = pd.MultiIndex.from_product([["ems"], areas, hours])
    for frame in (found.quantiles, found.paths):
        assert pd.MultiIndex.from_frame(frame[["service", "area_id", "hour"]]).equals(keys)
    values = found.quantiles[list(VALUE_COLUMNS)].to_numpy()
    assert np.isfinite(values).all()
    assert (values[:, 0] > 0).all()
    assert (np.diff(values[:, 1:], axis=1) >= 0).all()
    paths = found.paths.filter(like="path_").to_numpy()
    assert paths.min() >= 0
    by_hour = found.quantiles.groupby("hour")["mean"].sum().to_numpy()
    for level, rows in found.levels.groupby("level"):
        summed = rows.groupby("hour")["mean"].sum().to_numpy()
        np.testing.assert_allclose(summed, by_hour, err_msg=str(level))
    _, rates = found.weekly_rates("ems")
    assert rates.shape == (len(areas), 168)
    assert (rates > 0).all()


@settings(max_examples=5)
@given(towns())
def test_the_same_seed_gives_the_same_bytes_and_another_the_same_means(town):
    counts, start, horizon_h, seed = town
    first, again = made(town), made(town)
    other = made((counts, start, horizon_h, seed + 1))
    for name in ("quantiles", "levels", "paths", "skill"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name), check_exact=True)
    pd.testing.assert_frame_equal(first.quantiles, other.quantiles, check_exact=True)
    assert first.notes == again.notes

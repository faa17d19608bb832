"""A stadium's effect is found with an interval that holds it; a stadium without one is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.counts import count_calls, count_grids
from deploy_opt.demand.near_events import learn_near_events
from deploy_opt.demand.outages import mask_outages
from deploy_opt.demand.rates import fit_area_rates
from deploy_opt.demand.scores import poisson_deviance
from deploy_opt.demand.windows import make_window
from deploy_opt.inputs.areas import inner_points, load_areas
from deploy_opt.inputs.events import read_events
from deploy_opt.inputs.sample_city import CITY_TIME_ZONE, true_rates
from stadium_town import AREAS, FIRST, PLACES, STADIUM, matches, stadium_counts, stadium_rates

WEEKS, TOWNS = 52, 24
START = FIRST + pd.Timedelta(weeks=WEEKS)
CITY = Path(__file__).parents[2] / "data" / "sample_city"
PLAN = pd.Timestamp("2026-03-02")
SERVICES = {
    "ems": ["incidents_ems"],
    "police": [f"incidents_police_{year}" for year in (2024, 2025, 2026)],
}
POINTS = PLACES[["lon", "lat"]].to_numpy()


def rates_of(window):
    return fit_area_rates(
        window.calls, window.exposure, window.past_how, age_weeks=window.age_weeks
    )


def learned(effect, seed):
    """Learn a year of one town; also its rates in the four weeks that follow."""
    events = matches(WEEKS + 4, seed=seed)
    _, rates = stadium_rates(events, WEEKS + 4, effect, seed=seed)
    hours, past = stadium_rates(events, WEEKS, effect, seed=seed)
    (grid,), _ = count_grids(stadium_counts(hours, past, seed=seed), zone="UTC")
    window = make_window(grid, START, 4 * 168, "UTC")
    return window, learn_near_events(window, events, POINTS, rates_of), rates[-4 * 168 :], events


@pytest.fixture(scope="module")
def stadiums():
    return [learned(0.35, seed) for seed in range(TOWNS)]


def test_the_effect_of_a_stadium_is_recovered_and_the_interval_holds_it(stadiums):
    found = [(near, events) for _, near, _, events in stadiums if near.felt is not None]
    assert len(found) == TOWNS
    inside, ratios = [], []
    for near, events in found:
        true = np.exp(0.35 * np.log1p(events["attendance"].median() / 1000.0))
        inside += list((near.rows["lo"] < true) & (true < near.rows["hi"]))
        ratios.append(near.rows["effect"].to_numpy() / true)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.06)
    assert np.exp(np.log(ratios).mean()) == pytest.approx(1.0, abs=0.06)
    radius = [near.felt.radius_km for near, _ in found]
    assert np.mean(np.array(radius) == 1.0) > 0.9


def test_shares_around_matches_are_nearer_the_truth_than_without_the_effect(stadiums):
    with_it, without = [], []
    for window, near, rates, _ in stadiums:
        felt = np.unique(near.felt.row)
        truth = rates[felt]
        for model, losses in ((near.spread(near.rates.at(window.ahead_how)), with_it),
                              (rates_of(window).at(window.ahead_how), without)):  # fmt: skip
            mean = model[felt] * (truth.sum(axis=1) / model[felt].sum(axis=1))[:, None]
            losses.append(poisson_deviance(truth, mean)[:, STADIUM].mean())
    assert np.mean(with_it) < 0.25 * np.mean(without)
    assert (np.array(with_it) < np.array(without)).mean() > 0.9


def test_a_stadium_without_an_effect_is_left_out_but_for_the_chance_that_is_allowed():
    kept = [learned(0.0, seed)[1].felt is not None for seed in range(100, 100 + TOWNS)]
    assert sum(kept) <= 3


def test_areas_whose_weeks_vary_do_not_pass_for_an_effect():
    """Area-weeks up to 20 % apart: the errors are widened by what the days show."""
    kept = []
    for seed in range(200, 200 + TOWNS // 2):
        events = matches(WEEKS, seed=seed)
        hours, rates = stadium_rates(events, WEEKS, 0.0, seed=seed)
        rng = np.random.default_rng(seed)
        factor = rng.gamma(1 / 0.04, 0.04, (WEEKS, len(AREAS))).repeat(168, axis=0)
        counts = stadium_counts(hours, rates * factor, seed=seed)
        (grid,), _ = count_grids(counts, zone="UTC")
        window = make_window(grid, START, 168, "UTC")
        kept.append(learn_near_events(window, events, POINTS, rates_of).felt is not None)
    assert sum(kept) <= 2


@pytest.mark.slow
@pytest.mark.parametrize(("service", "files"), SERVICES.items())
def test_the_crowds_of_the_sample_city_are_found_where_the_truth_has_them(service, files):
    """Shares of the areas in the 12 weeks ahead against the truth, in the hours of the events."""
    calls = pd.concat([pd.read_csv(CITY / f"{file}.csv.gz") for file in files])
    calls = calls.drop_duplicates("incident_id")
    calls["received_at"] = pd.to_datetime(calls["received_at"], utc=True)
    areas = load_areas(CITY / "areas.geojson", id_column="area_id", name_column="name")
    ids = areas.frame["area_id"].tolist()
    counts, _ = count_calls(
        calls, ids, zone=CITY_TIME_ZONE, start="2024-03-04", end=PLAN, services=[service]
    )
    counts, _ = mask_outages(counts, zone=CITY_TIME_ZONE)
    (grid,), _ = count_grids(counts, zone=CITY_TIME_ZONE)
    window = make_window(grid, PLAN, 12 * 168, CITY_TIME_ZONE)
    events = read_events(
        CITY / "events.ics", time_zone=CITY_TIME_ZONE, start=window.past[0], end=window.ahead[-1]
    ).table
    points = inner_points(areas).set_index("area_id").loc[list(grid.area_ids)].to_numpy()
    near = learn_near_events(window, events, points, rates_of)
    assert near.felt is not None
    truth = true_rates(CITY, service).groupby(["hour", "area_id"])["rate"].mean().unstack()
    truth = truth.loc[window.ahead, list(grid.area_ids)].to_numpy()
    cells = near.felt.row, near.felt.area
    losses = []
    for model in (
        near.spread(near.rates.at(window.ahead_how)),
        rates_of(window).at(window.ahead_how),
    ):
        mean = model * (truth.sum(axis=1) / model.sum(axis=1))[:, None]
        losses.append(poisson_deviance(truth, mean)[cells].sum())
    assert losses[0] < 0.7 * losses[1]

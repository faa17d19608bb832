"""Events near areas: what is learned, what is left alone, and that areas still add up."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand import near_events
from deploy_opt.demand.backtest import backtest
from deploy_opt.demand.counts import count_grids
from deploy_opt.demand.forecast import forecast
from deploy_opt.demand.frames import places_of
from deploy_opt.demand.near_effect import Sample, fit_near_effect, forward_gains
from deploy_opt.demand.near_events import learn_near_events
from deploy_opt.demand.rates import fit_area_rates
from deploy_opt.demand.windows import make_window
from deploy_opt.errors import InputError
from deploy_opt.inputs.covariates import Covariates
from deploy_opt.tables import TABLES, check_frame
from stadium_town import (
    AREAS,
    FIRST,
    PLACES,
    STADIUM,
    matches,
    stadium_counts,
    stadium_rates,
)

WEEKS = 24
START = FIRST + pd.Timedelta(weeks=WEEKS)
EFFECT = 0.4
POINTS = PLACES[["lon", "lat"]].to_numpy()


@pytest.fixture(scope="module")
def events():
    return matches(WEEKS + 1)


@pytest.fixture(scope="module")
def counts(events):
    return stadium_counts(*stadium_rates(events, WEEKS, EFFECT))


def rates_of(window):
    return fit_area_rates(
        window.calls, window.exposure, window.past_how, age_weeks=window.age_weeks
    )


def window_of(counts, horizon_h=168):
    (grid,), _ = count_grids(counts, zone="UTC")
    return make_window(grid, START, horizon_h, "UTC")


def learned(counts, events, places=POINTS):
    return learn_near_events(window_of(counts), events, places, rates_of)


def ahead(counts, events, **options):
    given = {"places": PLACES, "num_paths": 20} | options
    covariates = None if events is None else Covariates(events=events)
    return forecast(counts, start=START, horizon_h=168, covariates=covariates, seed=1, **given)


@pytest.fixture(scope="module")
def near(counts, events):
    return ahead(counts, events)


def hours_of(events):
    coming = events[events["start_at"] >= START]
    felt = [
        pd.date_range(
            one.start_at.floor("h") - pd.Timedelta("2h"),
            one.end_at.ceil("h") + pd.Timedelta("3h"),
            freq="h",
            inclusive="left",
        )
        for one in coming.itertuples()
    ]
    return functools.reduce(pd.DatetimeIndex.append, felt)


def test_the_stadium_gets_more_of_the_calls_around_matches_and_the_city_the_same(
    counts, events, near
):
    alone = ahead(counts, events, places=None)
    means = [m.quantiles.set_index(["area_id", "hour"])["mean"].unstack(0) for m in (near, alone)]
    around = hours_of(events)
    ratio = (means[0] / means[1]).loc[around]
    assert ratio[AREAS[STADIUM]].min() > 1.2
    assert ratio.drop(columns=AREAS[STADIUM]).to_numpy().mean() < 1.0
    assert ratio.drop(columns=AREAS[STADIUM]).to_numpy().max() < 1.05
    others = means[0].index.difference(around)
    assert (means[0] / means[1]).loc[others, AREAS[STADIUM]].mean() < 1.0
    city = [m.sum(axis=1) for m in means]
    assert city[0].to_numpy() == pytest.approx(city[1].to_numpy(), rel=0.03)


def test_areas_add_up_to_districts_and_the_city_around_matches(counts, events):
    district = {area: "middle" if k // 5 == 2 else "edge" for k, area in enumerate(AREAS)}
    made = ahead(counts, events, levels=district)
    by_area = made.quantiles.set_index("hour")
    levels = made.levels.set_index("hour")
    for name in ("middle", "edge"):
        mine = by_area[by_area["area_id"].map(district) == name]["mean"].groupby(level=0).sum()
        given = levels[levels["level_id"] == name]["mean"]
        assert mine.to_numpy() == pytest.approx(given.to_numpy(), rel=1e-6)
    city = levels[levels["level"] == "city"]["mean"]
    assert by_area["mean"].groupby(level=0).sum().to_numpy() == pytest.approx(
        city.to_numpy(), rel=1e-6
    )
    around = hours_of(events)
    middle = levels[levels["level_id"] == "middle"]["mean"]
    usual = middle.drop(around).groupby(lambda t: t.hour).mean()
    assert (middle[around] / usual.reindex(around.hour).to_numpy()).mean() > 1.05


def test_the_effect_is_told_with_its_interval_and_its_radius(near):
    note = next(n for n in near.notes if "areas within" in n)
    assert note.startswith("ems: events: areas within 1 km of an event of ")
    assert "in the 2 h before" in note
    rows = near.event_effects
    check_frame(rows, TABLES["patterns.csv"], where="event effects")
    assert rows["key"].tolist() == ["before:1km", "during:1km", "after:1km"]
    assert set(rows["service"]) == {"ems"}
    assert (rows["lo"] > 1.0).sum() >= 2
    assert (rows["lo"] < rows["effect"]).all()
    assert (rows["effect"] < rows["hi"]).all()
    assert rows["label"].iloc[1].startswith("during an event of")


def test_usual_hours_of_the_stadium_are_those_without_a_match(counts, events):
    """With the matches left in, the Saturdays of the stadium would look busier than they are."""
    hours, rates = stadium_rates(events.iloc[:0], WEEKS, EFFECT)
    window = window_of(counts)
    found = learned(counts, events)
    afternoon = np.isin(window.past_how, 5 * 24 + np.arange(14, 20))
    true = rates[afternoon, STADIUM].sum() / rates[afternoon].sum()
    share = []
    for model in (found.rates, rates_of(window)):
        expected = model.at(window.past_how[afternoon])
        share.append(expected[:, STADIUM].sum() / expected.sum())
    assert abs(share[0] - true) < 0.5 * abs(share[1] - true)
    assert len(hours) == len(window.past)


def test_exposure_is_moved_to_the_stadium_so_that_the_city_expects_as_much(counts, events):
    window = window_of(counts)
    found = learned(counts, events)
    assert found.window.exposure.dtype == np.float32
    moved = np.flatnonzero((found.window.exposure != window.exposure).any(axis=1))
    usual = found.rates.at(window.past_how[moved])
    before = (usual * window.exposure[moved]).sum(axis=1)
    after = (usual * found.window.exposure[moved]).sum(axis=1)
    assert after == pytest.approx(before, rel=1e-3)
    assert (found.window.exposure[moved, STADIUM] > 1.0).all()


@pytest.fixture(scope="module")
def short(counts):
    return counts[counts["hour"] >= START - pd.Timedelta(weeks=8)]


@pytest.mark.parametrize("given", ["no events", "an empty table", "events without places"])
def test_without_events_or_places_nothing_changes(short, events, given):
    if given == "events without places":
        plain = ahead(short, events, places=None)
        again = ahead(short, events.assign(lat=np.nan))
        assert "ems: events: none of them has a place near an area" in " ".join(again.notes)
        again = dataclasses.replace(again, notes=plain.notes)
    else:
        plain = ahead(short, None, places=None)
        again = ahead(short, None if given == "no events" else events.iloc[:0])
    for name in ("quantiles", "levels", "paths", "skill"):
        pd.testing.assert_frame_equal(getattr(plain, name), getattr(again, name), check_exact=True)
    assert plain.notes == again.notes
    assert again.event_effects.empty


def test_few_events_or_events_without_a_place_act_on_the_city_and_it_is_said(counts, events):
    few = learned(counts, events.iloc[:9])
    assert few.felt is None
    assert few.notes[0].startswith("events: 9 days of the history have some near areas, fewer")
    none_yet = learned(counts, events[events["start_at"] >= START])
    assert none_yet.notes[0].startswith("events: 0 days of the history")
    nowhere = learned(counts, events.assign(lat=np.nan))
    assert nowhere.notes == (
        "events: none of them has a place near an area; they act on the city as a whole",
    )
    values = np.ones((168, len(AREAS)))
    assert nowhere.spread(values) is values


def test_an_effect_that_later_days_do_not_bear_out_is_not_kept(counts):
    """Matches that the calls know nothing of."""
    found = learned(counts, matches(WEEKS + 1, seed=77).assign(lon=PLACES["lon"].iloc[0]))
    assert found.felt is None
    assert found.notes[0].startswith("events: no effect on areas near them that ")
    assert found.notes[0].endswith("; they act on the city as a whole")
    assert found.rows.empty


def test_no_event_ahead_leaves_the_shares_ahead_as_they_are(counts, events):
    found = learned(counts, events[events["start_at"] < START - pd.Timedelta("1D")])
    assert found.felt is not None
    values = np.ones((168, len(AREAS)))
    assert found.spread(values) is values


def test_a_stadium_in_an_outage_is_not_taken_for_quiet(counts, events):
    """Half of the match days of the stadium were not recorded: the effect stays."""
    dark = counts["hour"].dt.normalize().isin(events["start_at"].iloc[::2].dt.normalize())
    dark &= counts["area_id"] == AREAS[STADIUM]
    hidden = counts.assign(
        observed=~dark, num_calls=counts["num_calls"].where(~dark, 0).astype(int)
    )
    found = learned(hidden, events)
    assert (found.rows["lo"] > 1.0).sum() >= 2
    whole = counts["hour"].dt.normalize().isin(events["start_at"].iloc[::2].dt.normalize())
    gone = counts.assign(observed=~whole, num_calls=counts["num_calls"].where(~whole, 0))
    assert (learned(gone, events).rows["lo"] > 1.0).sum() >= 2


def test_backtests_know_the_places_too(counts, events):
    options = {
        "horizon_h": 168,
        "cutoffs": [START - pd.Timedelta(weeks=1)],
        "covariates": Covariates(events=events),
        "models": ["forecast"],
    }
    scores = []
    for places in (None, PLACES):
        found = backtest(counts, places=places, **options)
        scores.append(found.set_index(["level", "metric"])["value"]["area", "deviance"])
    assert scores[1] < scores[0]


def test_gains_of_later_days_are_those_of_the_formula():
    """Two hours, one cell each: share 1/2, no call there, then every call."""
    sample = Sample(
        hour=np.array([0, 1]),
        size=np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]),
        share=np.array([0.5, 0.5]),
        calls=np.array([0.0, 3.0]),
        total=np.array([2.0, 3.0]),
        day=np.array([0, 1]),
    )
    effects = np.array([0.0, np.log(3.0), 0.0])
    assert sample.expected(effects) == pytest.approx([1.5, 2.25])
    expected = [2 * 2 * np.log(0.25 / 0.5), 2 * 3 * np.log(0.75 / 0.5)]
    assert sample.deviance_gain(effects) == pytest.approx(expected)
    assert sample.of_days(1, 2).deviance_gain(effects) == pytest.approx(expected[1:])


def test_the_fit_is_the_poisson_regression_with_a_constant_for_every_hour():
    """Against scikit-learn with an indicator column for every hour and hardly any prior on it."""
    from sklearn.linear_model import PoissonRegressor

    rng = np.random.default_rng(2)
    hours, areas = 40, 4
    usual = np.array([0.1, 0.2, 0.3, 0.4])
    size = rng.uniform(0.5, 3.0, hours)
    rates = 6.0 * usual * np.where(np.arange(areas) == 0, np.exp(0.5 * size)[:, None], 1.0)
    calls = rng.poisson(rates).astype(float)
    sample = Sample(
        hour=np.arange(hours),
        size=np.column_stack([np.zeros(hours), size, np.zeros(hours)]),
        share=np.full(hours, 0.1),
        calls=calls[:, 0],
        total=calls.sum(axis=1),
        day=np.arange(hours),
    )
    found = fit_near_effect(sample)
    column = np.where(np.arange(areas) == 0, size[:, None], 0.0).reshape(-1, 1)
    big = 1e4
    matrix = np.hstack([column, big * np.kron(np.eye(hours), np.ones((areas, 1)))])
    weight = np.tile(usual, hours)
    model = PoissonRegressor(
        alpha=1.0 / (0.3**2 * weight.sum()),
        fit_intercept=False,
        solver="newton-cholesky",
        max_iter=1000,
        tol=1e-10,
    )
    model.fit(matrix, calls.reshape(-1) / weight, sample_weight=weight)
    assert found.log_ratio[1] == pytest.approx(model.coef_[0], abs=1e-4)
    assert found.log_ratio[[0, 2]] == pytest.approx(0.0)
    assert found.weight.tolist() == [0.0, 1.0, 0.0]
    ratio, low, high = found.ratio(found.weight, 2.0)
    assert low < np.exp(0.5 * 2.0) < high
    assert ratio == pytest.approx(np.exp(2.0 * found.log_ratio[1]))


def test_forward_gains_come_from_all_days_but_the_first_part():
    rng = np.random.default_rng(3)
    days = 23
    sample = Sample(
        hour=np.arange(days),
        size=np.column_stack([np.zeros(days), np.ones(days), np.zeros(days)]),
        share=np.full(days, 0.2),
        calls=rng.binomial(20, 0.5, days).astype(float),
        total=np.full(days, 20.0),
        day=np.arange(days),
    )
    gains = forward_gains(sample)
    assert len(gains) == days - 5
    assert gains.mean() > 0


def test_faulty_places_are_refused_in_words():
    with pytest.raises(InputError, match="no column 'lat'"):
        places_of(("A",), pd.DataFrame({"area_id": ["A"], "lon": [1.0]}))
    two = pd.DataFrame({"area_id": ["A", "A", "C"], "lon": [1.0] * 3, "lat": [2.0] * 3})
    with pytest.raises(InputError) as fault:
        places_of(("A", "B"), two)
    assert "places: A: found several rows" in str(fault.value)
    assert "places: B: found no row" in str(fault.value)
    off = pd.DataFrame({"area_id": ["A", "B"], "lon": [1.0, 500.0], "lat": [2.0, 3.0]})
    with pytest.raises(InputError, match="lon 500, lat 3"):
        places_of(("A", "B"), off)
    none = pd.DataFrame({"area_id": ["A"], "lon": [None], "lat": [None]})
    with pytest.raises(InputError, match="no area with a point"):
        places_of(("A",), none)


def test_places_stand_in_the_order_of_the_areas():
    places = pd.DataFrame({"area_id": [2, 1, 3], "lon": [2.0, 1.0, 3.0], "lat": [0.0, 0.0, np.nan]})
    found = places_of(("1", "2", "3"), places)
    assert found[:2].tolist() == [[1.0, 0.0], [2.0, 0.0]]
    assert np.isnan(found[2, 1])
    assert places_of(("1",), None) is None


@pytest.mark.parametrize(
    ("gain", "clear", "words"),
    [(1.0, 1e9, "stands clear of chance"), (-1.0, 0.0, "forecasts later days with events better")],
)
def test_the_reason_why_an_effect_is_not_kept_is_told(
    counts, events, monkeypatch, gain, clear, words
):
    monkeypatch.setattr(near_events, "forward_gains", lambda _: np.full(20, gain))
    monkeypatch.setattr(near_events, "_CLEAR", clear)
    found = learned(counts, events)
    assert found.felt is None
    assert words in found.notes[0]
    assert "areas within 1 km of an event of" in found.notes[0]

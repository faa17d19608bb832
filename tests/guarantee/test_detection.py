"""Detectors on outbreaks that were put in: soon enough, and quiet where nothing rises."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.demand.trends.detection_study import (
    Looked,
    StudyRules,
    cities_of_counts,
    delays,
    draw_cities,
    false_alarms_per_year,
    first_alarms_per_year,
    look,
    put_in,
    study_table,
)
from deploy_opt.demand.trends.space_time_scan import ScanRule
from deploy_opt.errors import InputError

DAILY = ("ears_c1", "ears_c2", "ears_c3", "cusum", "cusum of a forecast")
FIRST = 126
RULES = StudyRules()


@pytest.fixture(scope="module")
def table():
    quiet = draw_cities(10.0, cities=3, days=FIRST + 364, seed=1)
    held = draw_cities(10.0, cities=40, days=FIRST + 14, seed=2)
    risen = {ratio: put_in(held, ratio, first=FIRST, seed=3) for ratio in (1.5, 2.0, 3.0)}
    found = study_table(quiet, risen, RULES, quiet_from=FIRST, first=FIRST, detectors=DAILY)
    return found.set_index(["detector", "ratio"])


def test_a_doubling_at_ten_a_day_is_seen_within_three_days(table):
    for detector in ("cusum", "cusum of a forecast"):
        assert table.loc[(detector, 2.0), "delay_days"] <= 3
        assert table.loc[(detector, 2.0), "detected"] >= 0.95


def test_no_detector_has_more_than_one_false_alarm_an_area_and_month(table):
    assert (table["false_alarms"] <= 12).all()
    assert (table["false_alarms"] <= table["single_alarms"]).all()


def test_stronger_outbreaks_are_seen_more_often_and_sooner(table):
    for detector in DAILY:
        own = table.loc[detector]
        assert (np.diff(own["detected"]) >= 0).all()
        waited = own["delay_days"].to_numpy()
        assert (waited[1:] <= waited[:-1]).all()


def test_quiet_cells_alarm_as_often_as_is_stated():
    quiet = draw_cities(10.0, cities=24, days=FIRST + 364, seed=4, plain=True)
    for detector in ("cusum", "cusum of a forecast"):
        found = first_alarms_per_year(look(quiet, detector, RULES, first=FIRST))
        assert found == pytest.approx(365.25 / RULES.cusum.run_length, rel=0.2)


def test_farrington_sees_a_doubling_at_the_end_of_its_first_week():
    weeks = 240
    held = draw_cities(5.0, cities=6, days=weeks * 7 + 14, seed=5, side=2)
    risen = put_in(held, 2.5, first=weeks * 7, seed=6)
    seen = look(risen, "farrington", RULES, first=weeks * 7)
    assert np.median(delays(seen, first=weeks * 7)) == 6
    assert seen.known_on.tolist() == [weeks * 7 + 6, weeks * 7 + 13]


def test_the_scan_finds_the_circle_of_a_tripled_area():
    rules = StudyRules(scan=ScanRule(radius_km=1.5, replications=99, recurrence_days=50))
    risen = put_in(
        draw_cities(5.0, cities=2, days=64, seed=7, side=3), 4.0, first=60, seed=8, lasts_days=4
    )
    seen = look(risen, "scan", rules, first=60)
    assert (delays(seen, first=60) <= 3).all()


def test_recorded_days_are_played_with_another_cell_in_the_first_place():
    calls = np.random.default_rng(9).poisson(np.linspace(1, 8, 12), (140, 12)).astype(float)
    days = pd.date_range("2024-01-01", periods=140)
    cities = cities_of_counts(calls, days, mean=8.0, cities=5, seed=1)
    for city in range(5):
        of_city = cities.calls[:, city].sum(axis=0)
        np.testing.assert_array_equal(np.sort(of_city), np.sort(calls.sum(axis=0)))
    risen = put_in(cities, 5.0, first=126, seed=2)
    assert np.median(delays(look(risen, "cusum", RULES, first=126), first=126)) <= 1
    with pytest.raises(InputError, match="cities: found no forecast"):
        look(risen, "cusum of a forecast", RULES, first=126)
    with pytest.raises(InputError, match="cities: found no places"):
        look(risen, "scan", RULES, first=126)


def test_alarms_of_one_week_count_once_and_those_never_seen_wait_for_ever():
    alarm = np.zeros((20, 1, 2), dtype=bool)
    alarm[[3, 5, 14], 0, 1] = True
    seen = Looked(alarm, alarm, np.ones_like(alarm), np.arange(20))
    assert false_alarms_per_year(seen) == pytest.approx(2 / (40 / 365.25))
    assert false_alarms_per_year(seen, each=True) == false_alarms_per_year(seen)
    assert first_alarms_per_year(seen) == pytest.approx(1 / (24 / 365.25))
    assert delays(seen, first=0).tolist() == [np.inf]
    assert delays(replace(seen, alarm=alarm[:, :, ::-1]), first=4).tolist() == [1.0]


def test_every_cell_for_itself_where_no_share_is_asked():
    quiet = draw_cities(10.0, cities=1, days=160, seed=4, side=2)
    seen = look(quiet, "ears_c2", StudyRules(false_alarm_share=None), first=30)
    np.testing.assert_array_equal(seen.alarm, seen.exceeds)


def test_wrong_settings_are_refused_in_words():
    with pytest.raises(
        InputError, match="StudyRules: within_days: found 0, expected 1 day or more"
    ):
        StudyRules(within_days=0)
    quiet = draw_cities(5.0, cities=1, days=14, seed=1, side=2)
    with pytest.raises(InputError, match="ratio: found 1, expected a ratio above 1"):
        put_in(quiet, 1.0, first=7, seed=1)
    with pytest.raises(InputError, match="detector: found 'ears'"):
        look(quiet, "ears", RULES, first=7)

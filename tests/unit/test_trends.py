"""The alarms frame: what rises is named, what does not is left alone, wrong input is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import deploy_opt
from deploy_opt.demand.trends.alarm_frame import ALARM_COLUMNS, ratio_interval
from deploy_opt.demand.trends.cells import read_cells
from deploy_opt.demand.trends.cusum import CusumRule
from deploy_opt.demand.trends.ears import EarsRule
from deploy_opt.demand.trends.farrington import FarringtonRule
from deploy_opt.demand.trends.multiplicity import adjusted_p_values
from deploy_opt.demand.trends.space_time_scan import ScanRule
from deploy_opt.errors import InputError

AREAS = ("east", "north", "south", "west")
START = pd.Timestamp("2024-01-01")  # a Monday


def daily(calls, areas=AREAS, **more):
    """One row per area and day; `calls` is (days, areas)."""
    days = pd.date_range(START, periods=len(calls))
    columns = {
        "service": "police",
        "area_id": np.repeat(list(areas), len(calls)),
        "hour": np.tile(days, len(areas)),
        "num_calls": np.asarray(calls).T.ravel(),
    }
    return pd.DataFrame(columns | more)


def quiet_city(num_days=120, mean=10.0, seed=3, num_areas=4):
    return np.random.default_rng(seed).poisson(mean, (num_days, num_areas))


def places(areas=AREAS, step=0.02):
    return pd.DataFrame(
        {"area_id": list(areas), "lon": 5.0 + step * np.arange(len(areas)), "lat": 52.0}
    )


def risen(last_days=5, area=1, extra=15, **more):
    calls = quiet_city(**more)
    calls[-last_days:, area] += extra
    return calls


@pytest.mark.parametrize("method", ["ears_c1", "ears_c2", "ears_c3", "cusum", "scan"])
def test_every_daily_method_names_the_area_that_rises(method):
    found = deploy_opt.detect(
        daily(risen(extra=25)),
        method=method,
        start=START + pd.Timedelta(days=115),
        places=places() if method == "scan" else None,
    )
    assert tuple(found) == ALARM_COLUMNS
    assert set(found["method"]) == {method}
    surest = found.loc[found["p_value"].idxmin()]
    assert surest["area_id"] == "north"
    assert abs(surest["since"] - (START + pd.Timedelta(days=115))) <= pd.Timedelta(days=2)
    assert 1 < surest["lo"] < surest["ratio"] < surest["hi"]


@pytest.mark.parametrize("method", ["cusum", "scan"])
def test_the_lasting_methods_name_no_other_area(method):
    found = deploy_opt.detect(
        daily(risen()),
        method=method,
        start="2024-04-25",
        places=places() if method == "scan" else None,
    )
    assert set(found["area_id"]) == {"north"}


def test_the_sum_says_how_much_more_there_is():
    found = deploy_opt.detect(daily(risen(extra=10))).iloc[-1]
    assert found["lo"] < 2.0 < found["hi"]


def test_the_scan_joins_neighbours_that_rise_together():
    names = tuple("abcdefghi")
    calls = quiet_city(num_areas=9)
    calls[-3:, [4, 5]] += 14
    found = deploy_opt.detect(daily(calls, areas=names), method="scan", places=places(names))
    assert set(found["areas"][0].split(";")) == {"e", "f"}
    assert len(found) == 1
    assert found["since"].tolist() == [START + pd.Timedelta(days=117)]
    assert found["num_calls"][0] > found["expected"][0]


def test_the_scan_is_the_same_twice_and_changes_with_the_seed():
    given_counts, at = daily(quiet_city()), places()
    one, same, other = (
        deploy_opt.detect(given_counts, method="scan", places=at, every=True, seed=seed)
        for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, same)
    assert not one["p_value"].equals(other["p_value"])


def test_a_rise_of_the_whole_city_is_no_cluster():
    calls = quiet_city()
    calls[-4:] *= 3
    assert deploy_opt.detect(daily(calls), method="scan", places=places()).empty


def test_a_city_without_any_difference_gives_an_empty_frame():
    found = deploy_opt.detect(
        daily(np.ones((20, 4), int)), method="scan", places=places(), every=True
    )
    assert tuple(found) == ALARM_COLUMNS
    assert found.empty


def test_the_scan_allows_for_the_number_of_types_and_not_for_weak_clusters():
    names = tuple("abcdefghi")
    calls = quiet_city(num_areas=9)
    calls[-3:, [4, 5]] += 14
    kinds = {"overdose": calls, "noise": quiet_city(num_areas=9, seed=5)}
    counts = pd.concat([daily(c, areas=names, call_type=kind) for kind, c in kinds.items()])
    found = deploy_opt.detect(counts, method="scan", places=places(names), every=True)
    surest = found.iloc[0]
    assert surest["call_type"] == "overdose"
    assert surest["q_value"] == pytest.approx(2 * surest["p_value"])
    assert found["alarm"].tolist() == [True] + [False] * (len(found) - 1)
    assert (found["q_value"] >= found["p_value"]).all()


def test_the_scan_of_several_days_looks_at_nothing_after_each():
    counts, last = daily(quiet_city(40)), START + pd.Timedelta(days=39)
    several = deploy_opt.detect(
        counts, method="scan", places=places(), every=True, start=last - pd.Timedelta(days=1)
    )
    earlier = deploy_opt.detect(
        counts[counts["hour"] < last], method="scan", places=places(), every=True
    )
    first = several[several["period"] < last].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, earlier)
    assert several["period"].nunique() == 2


def test_a_city_wide_outage_on_the_last_days_is_not_scanned():
    counts = daily(risen(), observed=True)
    counts["observed"] = counts["hour"] < START + pd.Timedelta(days=118)
    assert deploy_opt.detect(counts, method="scan", places=places(), every=True).empty


@pytest.mark.parametrize("method", ["ears_c2", "ears_c3", "cusum"])
def test_what_comes_later_changes_no_earlier_result(method):
    counts, end = daily(risen(area=2)), START + pd.Timedelta(days=110)
    whole = deploy_opt.detect(counts, method=method, every=True)
    cut = deploy_opt.detect(counts[counts["hour"] < end], method=method, every=True)
    pd.testing.assert_frame_equal(whole[whole["period"] < end].reset_index(drop=True), cut)


def test_an_area_without_a_place_or_with_an_outage_is_left_out_of_the_scan():
    at = places()
    at.loc[0, ["lon", "lat"]] = np.nan
    counts = daily(risen())
    counts["observed"] = ~((counts["area_id"] == "west") & (counts["hour"] == START))
    found = deploy_opt.detect(
        counts, method="scan", places=at, every=True, rule=ScanRule(history_days=365)
    )
    named = set(";".join(found["areas"]).split(";"))
    assert named <= {"north", "south"}
    assert "north" in named


def test_calls_of_the_community_alone_count_by_default():
    both = pd.concat(
        [
            daily(quiet_city(), self_initiated=False),
            daily(risen(extra=40), self_initiated=True),
        ]
    )
    assert deploy_opt.detect(both, start="2024-04-20").empty
    own = deploy_opt.detect(both, start="2024-04-20", initiated="officer")
    everyone = deploy_opt.detect(both, start="2024-04-20", initiated="all")
    assert set(own["area_id"]) == set(everyone["area_id"]) == {"north"}
    assert set(own["initiated"]) == {"officer"}


def test_types_are_cells_of_their_own():
    counts = pd.concat(
        [daily(risen(), call_type="overdose"), daily(quiet_city(seed=4), call_type="noise")]
    )
    found = deploy_opt.detect(counts, start="2024-04-20")
    assert set(found["call_type"]) == {"overdose"}


def test_a_forecast_that_knew_of_the_rise_silences_the_sum():
    counts = daily(risen(extra=20))
    knew = daily(np.where(risen(extra=20) - quiet_city() > 0, 30.0, 10.0))
    knew = knew.rename(columns={"num_calls": "mean"})
    did_not = knew.assign(mean=10.0)
    start = START + pd.Timedelta(days=100)
    assert deploy_opt.detect(counts, expected=knew, start=start).empty
    assert set(deploy_opt.detect(counts, expected=did_not, start=start)["area_id"]) == {"north"}


def test_hours_are_added_up_to_days_and_a_clock_change_does_not_hide_a_day():
    hours = pd.date_range("2024-03-30", "2024-04-01 23:00", freq="h").drop("2024-03-31 02:00")
    hours = hours[hours < "2024-04-01 20:00"]
    rows = {"service": "ems", "area_id": "a", "hour": hours, "num_calls": 1}
    cells = read_cells(pd.DataFrame(rows), period="day")
    np.testing.assert_array_equal(cells.calls[:, 0], [24, 23, np.nan])


def test_days_are_added_up_to_weeks_from_monday():
    cells = read_cells(daily(np.ones((17, 4), int)).query("hour > '2024-01-02'"), period="week")
    assert cells.periods.tolist() == list(pd.date_range("2024-01-01", periods=3, freq="7D"))
    np.testing.assert_array_equal(cells.calls[:, 0], [np.nan, 7, np.nan])


def test_a_row_that_is_not_there_is_unobserved_unless_said_to_be_zero():
    counts = daily(np.ones((3, 1), int), areas=("a",)).drop(index=1)
    np.testing.assert_array_equal(read_cells(counts, period="day").calls[:, 0], [1, np.nan, 1])
    zero = read_cells(counts, period="day", absent_rows="zero")
    np.testing.assert_array_equal(zero.calls[:, 0], [1, 0, 1])


def test_an_outage_is_no_alarm_and_does_not_lower_what_is_expected():
    counts = daily(quiet_city(mean=20.0))
    counts["observed"] = ~counts["hour"].between("2024-03-11", "2024-03-20")
    counts.loc[~counts["observed"], "num_calls"] = 0
    found = deploy_opt.detect(counts, every=True)
    assert not found["period"].between("2024-03-11", "2024-03-20").any()
    assert found["expected"].between(15, 25).all()
    after = found["period"].between("2024-03-21", "2024-03-31")
    assert after.sum() == 44
    assert not found.loc[after, "alarm"].any()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"method": "cusums"}, "method: found 'cusums'.*did you mean 'cusum'"),
        ({"method": "scan"}, "places: found nothing"),
        ({"rule": EarsRule()}, "rule: found EarsRule, expected CusumRule for cusum"),
        ({"start": "soon"}, "start: found 'soon', expected a date"),
        ({"false_alarm_share": 1.5}, r"false_alarm_share: found 1.5, expected a share in"),
        ({"initiated": "officer"}, "no column 'self_initiated'"),
        ({"method": "ears_c1", "expected": pd.DataFrame()}, "use it with cusum"),
        ({"method": "farrington"}, "nothing to test in 1[78] weeks.*more than 4 years"),
        ({"rule": CusumRule(min_mean=99.0)}, "or a forecast, and at least 99 calls a day"),
        ({"method": "ears_c1", "rule": EarsRule(min_mean=99)}, "more than 9 days and a mean of 99"),
        ({"initiated": "oficer"}, "initiated: found 'oficer'"),
        ({"absent_rows": "none"}, "absent_rows: found 'none'"),
    ],
)
def test_wrong_arguments_are_refused_in_words(more, words):
    with pytest.raises(InputError, match=words):
        deploy_opt.detect(daily(quiet_city()), **more)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.drop(columns="area_id"), "no column 'area_id'"),
        (lambda c: c.iloc[:0], "counts: found no rows"),
        (lambda c: c.assign(num_calls=-1), "num_calls: found -1 in row 1, 480 such rows"),
        (lambda c: c.assign(num_calls=1.5), "num_calls: found 1.5 in row 1.*a whole number >= 0"),
        (lambda c: c.assign(area_id=None), "area_id: found an empty cell"),
        (lambda c: c.assign(hour="today"), "hour: found dtype"),
        (lambda c: c.assign(hour=pd.NaT), "hour: found an empty cell"),
        (lambda c: pd.concat([c, c.iloc[:1]]), "each service, type, area and hour once"),
        (lambda c: c.assign(observed=False), "no day of a cell in which every row is there"),
        (lambda c: c[c["hour"].dt.dayofweek == 0], "one row a week"),
        (lambda c: c.assign(self_initiated=True), "no row of calls by the community"),
    ],
)
def test_wrong_counts_are_refused_in_words(change, words):
    with pytest.raises(InputError, match=words):
        deploy_opt.detect(change(daily(quiet_city())))


def test_a_forecast_of_other_areas_is_refused():
    knew = daily(quiet_city(num_areas=1), areas=("north",)).rename(columns={"num_calls": "mean"})
    with pytest.raises(InputError, match="expected: found nothing for 3 cells such as police"):
        deploy_opt.detect(daily(quiet_city()), expected=knew)


def test_too_few_days_for_the_scan_are_refused():
    with pytest.raises(InputError, match="more than the window's 7"):
        deploy_opt.detect(daily(quiet_city(num_days=6)), method="scan", places=places())


def test_the_share_of_false_alarms_is_held_over_many_areas():
    """A thousand quiet areas: C2 alone alarms in 2 % of them a day, held it does so rarely."""
    names = [f"a{k:03d}" for k in range(1000)]
    counts = daily(quiet_city(40, mean=20.0, num_areas=1000), areas=names)
    alone = deploy_opt.detect(counts, method="ears_c2", false_alarm_share=None)
    held = deploy_opt.detect(counts, method="ears_c2")
    assert len(alone) == pytest.approx(0.0197 * 31 * 1000, rel=0.15)
    assert len(held) < 0.05 * len(alone)


def test_a_doubling_at_ten_a_day_is_found_in_three_days_with_few_false_alarms():
    """40 areas, half of which double: median delay, share found in 7 days, false alarms a year."""
    names = [f"a{k:02d}" for k in range(40)]
    calls = np.random.default_rng(11).poisson(10.0, (430, 40))
    calls[-7:, :20] += np.random.default_rng(12).poisson(10.0, (7, 20))
    found = deploy_opt.detect(daily(calls, areas=names))
    begin = START + pd.Timedelta(days=423)
    late = found[found["period"] >= begin]
    delay = (late.groupby("area_id")["period"].min() - begin).dt.days
    hit = delay[[name in set(names[:20]) for name in delay.index]]
    assert len(hit) == 20
    assert hit.median() + 1 <= 3
    before = found[found["period"] < begin]
    starts = before.groupby("area_id")["since"].nunique().sum()
    area_years = 40 * (423 - 42) / 365
    assert starts / area_years < 1.0


@given(arrays(float, (3, 6), elements=st.floats(1e-6, 1.0)))
def test_adjusted_p_values_keep_the_order_and_are_no_smaller(p_value):
    found = adjusted_p_values(p_value)
    assert (found >= p_value * (1 - 1e-12)).all()
    assert (found <= 1).all()
    for row, adjusted in zip(p_value, found, strict=True):
        assert (np.diff(adjusted[np.argsort(row, kind="stable")]) >= 0).all()


@given(st.integers(0, 200), st.floats(0.5, 100.0), st.floats(1.0, 5.0))
def test_the_interval_holds_the_ratio_and_widens_with_the_dispersion(calls, expected, phi):
    number, usual = np.array([float(calls)]), np.array([expected])
    lo, hi = ratio_interval(number, usual)
    assert lo[0] <= calls / expected <= hi[0]
    wide_lo, wide_hi = ratio_interval(number, usual, np.array([phi]))
    assert wide_hi[0] - wide_lo[0] >= (hi[0] - lo[0]) * (1 - 1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EarsRule(baseline_days=2), "EarsRule: baseline_days: found 2"),
        (lambda: EarsRule(sd_floor=-1), "EarsRule: sd_floor: found -1"),
        (lambda: CusumRule(ratio=1.0), "CusumRule: ratio: found 1.0"),
        (lambda: CusumRule(run_length=0), "CusumRule: run_length: found 0"),
        (lambda: FarringtonRule(years=0, alpha=2), "years: found 0.*\n.*alpha: found 2"),
        (lambda: FarringtonRule(bound="delta"), "bound: found 'delta'"),
        (lambda: ScanRule(radius_km=-1.0), "ScanRule: radius_km: found -1.0"),
        (lambda: ScanRule(history_days=7), "ScanRule: history_days: found 7"),
        (lambda: ScanRule(replications=99), "ScanRule: recurrence_days: found 365"),
    ],
)
def test_settings_out_of_range_are_refused_in_words(make, words):
    with pytest.raises(InputError, match=words):
        make()

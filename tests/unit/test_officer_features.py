"""Features of a dispatch: what was known before its day, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.privacy.schemas import personal_columns
from deploy_opt.risk.officer_risk.encoding import learn_encoding
from deploy_opt.risk.officer_risk.features import (
    FEATURES,
    Sources,
    daily_weather,
    dispatch_features,
    known_at_dispatch,
)
from deploy_opt.risk.officer_risk.leakage import check_not_telling, check_rebuilt
from deploy_opt.risk.officer_risk.past import CAP_DAYS, learn_past
from dispatch_town import sources_of, town

ZONE = "America/New_York"


def calls(*days, area="A", **more):
    at = pd.to_datetime(list(days)).tz_localize(ZONE) + pd.Timedelta(hours=20)
    ids = [f"c{n}" for n in range(len(days))]
    table = {"incident_id": ids, "received_at": at, "area_id": area, "category": "weapons"}
    return pd.DataFrame(table | more)


def events(*pairs, area="A"):
    happened, entered = (pd.to_datetime(list(each)) for each in zip(*pairs, strict=True))
    return pd.DataFrame({"area_id": area, "happened_on": happened, "entered_on": entered})


def test_one_call_a_day_gives_exactly_30_in_30_days():
    every = calls(*pd.date_range("2024-01-01", "2024-12-31"))
    table = dispatch_features(every, Sources(learn_past(every)))
    late = table[table["complete"]]
    assert (late[["calls_30d", "calls_90d", "calls_180d"]] == [30, 90, 180]).all(axis=None)
    assert (late["days_since_call"] == 1).all()
    assert table["calls_30d"].iloc[0] == 0
    assert table["days_since_call"].iloc[0] == CAP_DAYS
    assert table["no_call_before"].tolist()[:2] == [1, 0]
    assert late["day"].iloc[0] - table["day"].iloc[0] == 180


def test_an_arrest_counts_from_the_day_after_its_entry():
    one = events(("2024-03-01", "2024-03-10"))
    before, after = calls("2024-03-10"), calls("2024-03-11")
    past = learn_past(calls("2024-01-01"), arrest=one)
    told = [dispatch_features(each, Sources(past)).iloc[0] for each in (before, after)]
    assert [row["arrests_30d"] for row in told] == [0, 1]
    assert [row["no_arrest_before"] for row in told] == [1, 0]
    assert told[1]["days_since_arrest"] == 1


def test_an_entry_before_the_event_does_not_make_it_known_earlier():
    past = learn_past(calls("2024-01-01"), injury=events(("2024-03-05", "2024-02-01")))
    told = dispatch_features(calls("2024-03-01"), Sources(past))
    assert told["injuries_90d"].iloc[0] == 0


def test_an_area_without_past_has_none():
    past = learn_past(calls("2024-01-01", area="B"))
    told = dispatch_features(calls("2024-01-05", area="Z"), Sources(past)).iloc[0]
    assert (told["calls_30d"], told["days_since_call"], told["no_call_before"]) == (0, CAP_DAYS, 1)


def test_weather_is_of_the_day_before_unless_it_is_a_forecast():
    weather = pd.DataFrame(
        {"date": pd.to_datetime(["2024-03-01", "2024-03-02"]), "temperature_c": [1.0, 2.0]}
    )
    past = learn_past(calls("2024-01-01"))
    for forecast, expected in ((False, 1.0), (True, 2.0)):
        sources = Sources(past, weather=weather, weather_is_forecast=forecast)
        told = dispatch_features(calls("2024-03-02"), sources)
        assert told["temperature_c_before"].iloc[0] == expected
    far = dispatch_features(calls("2024-05-02"), Sources(past, weather=weather))
    assert np.isnan(far["temperature_c_before"].iloc[0])


def test_hours_of_weather_become_days():
    hours = pd.DataFrame(
        {
            "hour": pd.date_range("2024-03-01", periods=48, freq="h"),
            "temperature_c": np.repeat([1.0, 3.0], 24),
            "precipitation_mm": 0.5,
        }
    )
    days = daily_weather(hours)
    assert days["temperature_c"].tolist() == [1, 3]
    assert days["precipitation_mm"].tolist() == [12, 12]


def test_calendar_and_census_and_who_started_the_call():
    census = pd.DataFrame({"area_id": ["A"], "vacant_homes_share": [0.2]})
    friday = calls("2024-06-07", self_initiated=True, call_type="Gun", initial_priority=None)
    told = dispatch_features(friday, Sources(learn_past(friday), census=census)).iloc[0]
    assert told[["hour", "weekday", "month"]].tolist() == [20, 4, 6]
    assert told[["friday", "saturday", "evening", "june", "july"]].tolist() == [1, 0, 1, 1, 0]
    assert told["vacant_homes_share"] == np.float32(0.2)
    assert told[["self_initiated", "call_type", "initial_priority"]].tolist() == [1, "Gun", ""]


@pytest.mark.parametrize(
    ("column", "word"),
    [("caller_race", "race"), ("suspect name", "name"), ("DOB", "birth"), ("plate", "plate")],
)
def test_columns_about_persons_are_refused_by_name(column, word):
    table = calls("2024-03-01").assign(**{column: "x"})
    sources = Sources(learn_past(calls("2024-01-01")))
    for use in (known_at_dispatch, lambda each: dispatch_features(each, sources)):
        with pytest.raises(InputError, match=word):
            use(table)
    census = pd.DataFrame({"area_id": ["A"], column: [1.0]})
    with pytest.raises(InputError, match=word):
        dispatch_features(calls("2024-03-01"), Sources(sources.past, census=census))


def test_columns_made_on_scene_are_refused_and_can_be_left_out():
    table = calls("2024-03-01").assign(arrived_at=pd.NaT, disposition="arrest")
    sources = Sources(learn_past(calls("2024-01-01")))
    with pytest.raises(InputError, match="arrived_at") as error:
        dispatch_features(table, sources)
    assert "disposition" in str(error.value)
    assert len(dispatch_features(known_at_dispatch(table), sources)) == 1


def test_no_listed_predictor_is_about_persons():
    assert personal_columns(FEATURES) == {}


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (calls("2024-03-01").drop(columns="category"), "category"),
        (calls("2024-03-01", area=None), "without area_id"),
        (calls("2024-03-01").assign(received_at=pd.Timestamp("2024-03-01")), "zone"),
    ],
)
def test_faults_of_calls_are_named(table, word):
    with pytest.raises(InputError, match=word):
        dispatch_features(table, Sources(learn_past(calls("2024-01-01"))))


def test_faults_of_events_are_named():
    wrong = pd.DataFrame({"area_id": ["A"], "happened_on": ["x"]})
    with pytest.raises(InputError, match="entered_on") as error:
        learn_past(calls("2024-01-01"), arrest=wrong, visit=wrong)
    assert "'visit'" in str(error.value)
    assert "happened_on" in str(error.value)
    with pytest.raises(InputError, match="zone"):
        learn_past(calls("2024-01-01").assign(received_at=pd.Timestamp("2024-01-01")))
    with pytest.raises(InputError, match="without area_id"):
        learn_past(calls("2024-01-01"), injury=events(("2024-01-01", "2024-01-02"), area=None))


def test_weather_and_census_have_one_row_each():
    past = learn_past(calls("2024-01-01"))
    twice = pd.DataFrame({"date": pd.to_datetime(["2024-03-01"] * 2), "fog": 1.0})
    with pytest.raises(InputError, match="twice"):
        dispatch_features(calls("2024-03-01"), Sources(past, weather=twice))
    with pytest.raises(InputError, match="no column 'area_id'"):
        dispatch_features(
            calls("2024-03-01"), Sources(past, census=pd.DataFrame({"employed_share": [1.0]}))
        )


def test_features_of_the_town_do_not_change_without_the_future():
    made, _, _, features = town()

    def build(past_calls, events):
        return Sources(learn_past(past_calls, **events), weather=made.weather)

    days = features["day"].to_numpy()[[700, 1500, 2500]]
    known = {"arrest": sources_events(made)}
    check_rebuilt(made.calls, known, days, sources=build)
    with pytest.raises(InputError, match="days after"):
        check_rebuilt(made.calls, known, [0], sources=build)


def sources_events(made):
    from deploy_opt.inputs.records_labels import events_of

    return events_of(made.arrests, made.calls)


def test_a_source_that_looks_ahead_is_found():
    made, _, _, features = town()
    whole = sources_of(made).past

    def ahead(past_calls, events):
        tomorrow = pd.DataFrame(
            {
                "date": made.weather["date"],
                "temperature_c": float(len(past_calls)),
            }
        )
        return Sources(whole, weather=tomorrow)

    with pytest.raises(InputError, match="temperature_c_before"):
        check_rebuilt(made.calls, {}, [int(features["day"].iloc[900])], sources=ahead)


def test_a_feature_that_repeats_the_label_or_tomorrows_is_found():
    _, truth, _, features = town()
    high = truth["high"].to_numpy()
    check_not_telling(features, high)
    table = pd.DataFrame({"area": features["area_id"], "day": features["day"], "high": high})
    worst = table.groupby(["area", "day"])["high"].max()
    keys = pd.MultiIndex.from_arrays([features["area_id"], features["day"] + 1])
    shifted = worst.reindex(keys, fill_value=False).to_numpy(float)
    for name, values, word in (
        ("today", high.astype(float), "the call's outcome"),
        ("shifted", shifted, "tomorrow's outcome"),
    ):
        with pytest.raises(InputError, match=word):
            check_not_telling(features.assign(**{name: values}), high)


def test_gaps_become_the_training_median_and_a_flag():
    _, _, _, features = town()
    some = features.head(200).copy()
    some.loc[some.index[:20], "temperature_c_before"] = np.nan
    some["fog_before"] = np.float32(np.nan)
    encoding = learn_encoding(some, least_calls_of_word=40)
    rows = encoding.rows(some)
    at = {name: number for number, name in enumerate(encoding.names)}
    median = some["temperature_c_before"].median()
    assert rows[0, at["temperature_c_before"]] == np.float32(median)
    assert rows[:, at["no temperature_c_before"]].sum() == 20
    assert not rows[:, at["fog_before"]].any()
    assert any(name.startswith("call_type: ") for name in encoding.names)
    with pytest.raises(InputError, match="calls_30d"):
        encoding.rows(some.drop(columns="calls_30d"))
    with pytest.raises(InputError, match="race"):
        learn_encoding(some.assign(race=1.0))
    with pytest.raises(InputError, match="not listed"):
        learn_encoding(some.assign(shoe_size=1.0))

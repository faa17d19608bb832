"""From calls to tiers: what counts, how it is rated, what is refused."""

import numpy as np
import pandas as pd
import pytest

import deploy_opt
from deploy_opt.errors import InputError
from deploy_opt.risk.call_counts import count_types, merge_types
from deploy_opt.risk.recode import apply, check_overrides, override_warning, review_list, stats
from deploy_opt.risk.severity import call_severity, severity_of_aid
from deploy_opt.risk.tiers import assign_tiers, evaluate, risk_matrix
from deploy_opt.risk_settings import RiskSettings, first_slack, risk_settings
from risk_town import calls_of, published_counts, town


def aid(*rows):
    names = ["aid_id", "level", "transported", "unnatural_death"]
    return pd.DataFrame(rows, columns=names)


RUNS = aid(
    ("a", "ALS", True, False),
    ("b", "BLS", True, False),
    ("c", "ALS", False, False),
    ("d", "BLS", False, False),
    ("e", "first aid", True, False),
    ("f", None, False, True),
    ("g", "none", False, False),
)


def test_severity_follows_care_transfer_and_death():
    assert severity_of_aid(RUNS).tolist() == [4, 3, 2, 2, 2, 5, 1]
    assert severity_of_aid(RUNS, als_no_transport=4).tolist() == [4, 3, 4, 2, 2, 5, 1]


def test_a_call_has_the_worst_of_its_runs_and_1_without_any():
    calls = pd.DataFrame({"call_id": ["1", "2", "3"]})
    links = pd.DataFrame({"call_id": ["1", "1", "2"], "aid_id": ["b", "c", "f"]})
    rated = call_severity(calls, RUNS, links)
    assert rated["severity"].tolist() == [3, 5, 1]
    assert rated["severity_als_visit"].tolist() == [4, 5, 1]
    assert call_severity(calls, RUNS, links.iloc[:0])["severity"].tolist() == [1, 1, 1]


def test_aid_runs_and_links_that_cannot_be_are_refused_in_words():
    with pytest.raises(InputError, match="row 1, level: found 'helicopter', expected one of none"):
        severity_of_aid(aid(("a", "helicopter", True, False)))
    with pytest.raises(InputError, match="no column 'transported'"):
        severity_of_aid(RUNS.drop(columns="transported"))
    calls = pd.DataFrame({"call_id": ["1"]})
    links = pd.DataFrame({"call_id": ["1", "9"], "aid_id": ["z", "a"]})
    with pytest.raises(InputError) as raised:
        call_severity(calls, RUNS, links)
    assert [str(fault) for fault in raised.value.faults] == [
        "links: found call_id '9' and 0 more, expected ids of calls",
        "links: found aid_id 'z' and 0 more, expected ids of aid runs",
    ]
    with pytest.raises(InputError, match="no column 'aid_id'"):
        call_severity(calls, RUNS, links[["call_id"]])


TOWN = {"fight": (40, 0, 20, 0, 0), "noise": (300, 0, 0, 0, 0), "odd": (9, 0, 0, 1, 0)}


def test_the_door_of_the_library_gives_a_matrix():
    found = deploy_opt.risk_matrix(town(**TOWN))
    assert isinstance(found, deploy_opt.RiskMatrix)
    types = found.types
    assert types.loc["fight", ["worst_severity", "n_worst", "likelihood"]].tolist() == [3, 20, 5]
    assert types["status"].to_dict() == {"fight": "auto", "noise": "auto", "odd": "manual"}
    assert types["tier_final"].to_dict() == {"fight": 1, "noise": 4, "odd": 1}
    assert types.loc["odd", "source"] == "unreviewed"
    assert any("not a prediction" in note for note in found.notes)
    assert "1 type has a rate between 25% and 50%: taken as very likely" in found.notes
    assert any("no review, and the tier 1 until then" in note for note in found.notes)
    assert review_list(types).index.tolist() == ["odd"]


def test_an_unreviewed_type_can_stand_in_another_tier_and_a_review_settles_it():
    found = risk_matrix(town(**TOWN), {"unreviewed_tier": 2})
    assert found.types.loc["odd", "tier_final"] == 2
    review = pd.DataFrame({"call_type": ["odd"], "tier": [3], "reason": ["suits_coresponder"]})
    reviewed = risk_matrix(town(**TOWN), overrides=review)
    assert reviewed.types.loc["odd", ["tier_final", "direction", "source"]].tolist() == [
        3,
        "manual",
        "override",
    ]
    assert reviewed.recode.loc["manual", "types"] == 1


def test_the_credible_worst_case_steps_down_without_losing_the_single_outcome():
    found = risk_matrix(
        town(odd=(97, 0, 0, 1, 1), noise=(9, 0, 0, 0, 0)), {"credible_worst_case": True}
    )
    assert found.types.loc["odd", ["worst_severity", "n_worst"]].tolist() == [4, 2]
    assert found.types.loc["odd", "status"] == "auto"


def test_the_interval_says_which_tiers_a_type_may_belong_to():
    types = risk_matrix(town(fight=(56, 0, 4, 0, 0), big=(5600, 0, 400, 0, 0))).types
    assert types.loc["fight", "tiers_touched"] == "1,2,3"
    assert types.loc["fight", "spans_tiers"]
    assert types.loc["big", "tiers_touched"] == "2"


def flagged():
    calls = town(fight=(80, 0, 10, 0, 0), noise=(100, 0, 0, 0, 0))
    hurt = calls.index[calls["severity"] == 3]
    calls["uof"] = calls.index.isin(hurt[:4])
    calls["nibrs_person"] = calls.index.isin(hurt[2:6])
    calls["officer_injured"] = False
    return calls


def test_use_of_force_leaves_both_counts_or_the_outcomes_alone():
    alone = {"nibrs_person": "keep"}
    fight = [
        risk_matrix(flagged(), {"uof": rule, **alone}).types.loc["fight", ["n", "n_worst"]].tolist()
        for rule in ("drop", "numerator_only", "keep")
    ]
    assert fight == [[86, 6], [90, 6], [90, 10]]


def test_exclusions_and_their_overlap_are_logged():
    found = risk_matrix(flagged())
    assert found.exclusions["calls"].to_dict() == {
        "uof": 4, "officer_injured": 0, "nibrs_person": 4, "any": 6, "several": 2
    }  # fmt: skip
    assert found.exclusions.loc["uof", "only_this"] == 2
    assert found.types.loc["fight", "excluded_calls"] == 6
    assert found.tiers["hours_per_year"].sum() * found.years == pytest.approx(184)
    every = risk_matrix(flagged(), {"count_excluded_hours": True})
    assert every.tiers["hours_per_year"].sum() * every.years == pytest.approx(190)


def test_officer_initiated_calls_count_only_when_asked():
    calls = town(fight=(80, 0, 10, 0, 0))
    calls["self_initiated"] = calls["severity"] == 3
    assert risk_matrix(calls).types.loc["fight", "worst_severity"] == 1
    assert risk_matrix(calls, {"origin": "all"}).types.loc["fight", "worst_severity"] == 3
    calls["origin"] = np.where(calls.pop("self_initiated"), "officer", "community")
    assert risk_matrix(calls).types.loc["fight", "n"] == 80


def test_reference_years_and_halves_choose_months_and_their_length():
    counts = count_types(calls_of(published_counts()))
    assert evaluate(counts).years == pytest.approx(1095 / 365.25)
    assert evaluate(counts, {"years": [2018]}).years == pytest.approx(365 / 365.25)
    assert evaluate(counts, {"period_days": 730.5}).years == 2
    third = evaluate(counts, {"period_days": 730.5, "years": [2018]}).years
    assert third == pytest.approx(2 / 3)
    halves = [evaluate(counts, {"half": half}) for half in ("first", "second")]
    assert sum(half.types["n"].sum() for half in halves) == evaluate(counts).types["n"].sum()
    with pytest.raises(
        InputError, match="years: found 2031, expected years with calls: 2017, 2018"
    ):
        evaluate(counts, {"years": [2018, 2031]})


def test_a_type_whose_calls_are_all_excluded_has_no_cell_and_waits_for_review():
    calls = town(fight=(5, 0, 5, 0, 0), noise=(9, 0, 0, 0, 0))
    calls["uof"] = calls["call_type"] == "fight"
    found = risk_matrix(calls)
    assert found.types.loc["fight", "status"] == "no_calls"
    assert found.types.loc["fight", "tier_final"] == 1
    assert int(found.matrix.to_numpy().sum()) == 1
    with pytest.raises(InputError, match="no call that counts"):
        risk_matrix(calls[calls["uof"]])


def test_tier_4_splits_by_harm_where_harm_is_given():
    types = risk_matrix(town(**TOWN), {"harm": {"noise": 0.5, "fight": 9.0}}).types
    assert types["harm"].to_dict() == {"fight": "", "noise": "low", "odd": ""}
    assert risk_matrix(town(**TOWN), {"harm": {"noise": 2}}).types.loc["noise", "harm"] == "high"
    with pytest.raises(InputError, match="harm: found 'nosie'"):
        risk_matrix(town(**TOWN), {"harm": {"nosie": 1}})


def test_each_call_gets_the_tier_of_its_type_and_unknown_types_are_protected():
    calls = pd.DataFrame({"final_type": ["noise", "fight", "new"]})
    tiered = assign_tiers(calls, risk_matrix(town(**TOWN)))
    assert tiered["tier"].tolist() == [4, 1, 1]
    assert tiered["tier_source"].tolist() == ["matrix", "matrix", "unknown_type"]
    assert tiered["type_severity"].fillna(0).tolist() == [1, 3, 0]
    with pytest.raises(InputError, match="no column 'call_type'"):
        assign_tiers(pd.DataFrame({"x": [1]}), risk_matrix(town(**TOWN)))


def test_reverting_moves_coresponder_time_and_deferral_never_cuts_staff():
    calls = town(two=(900, 0, 0, 9, 0), three=(900, 0, 9, 0, 0), four=(900, 0, 0, 0, 0))
    base = risk_matrix(calls)
    deferral = {"online": 0.4, "civilian": 0.2}
    moved = risk_matrix(calls, {"revert_share": 0.5, "deferral": deferral})
    assert base.types["tier_final"].to_dict() == {"four": 4, "three": 3, "two": 2}
    hours = base.tiers["hours_per_year"]
    assert moved.tiers.loc[2, "coresponder_hours_per_year"] == pytest.approx(hours[2] / 2)
    assert moved.fte["fte"].iloc[:2].sum() == pytest.approx(base.fte["fte"].sum())
    assert moved.tiers.loc[4, "released_hours_per_year"] == pytest.approx(0.6 * hours[4])
    assert moved.deferral["share"].to_dict() == pytest.approx(
        {"online": 0.4, "call_back": 0.0, "civilian": 0.2, "none": 0.4}
    )
    assert moved.deferral.loc["none", "released_hours_per_year"] == 0
    assert moved.fte["role"].tolist() == ["coresponder", "coresponder", "civilian"]
    assert base.fte["role"].tolist() == ["coresponder", "coresponder"]


def test_the_reported_fte_is_the_largest_floor():
    calls = town(two=(900, 0, 0, 9, 0), three=(900, 0, 9, 0, 0))
    keys = {"minimum_posts": {2: 1}, "unavailable_hours": 400, "prompt_share": 0.9}
    fte = risk_matrix(calls, keys).fte
    assert fte["minimum_posts_fte"].iloc[0] == pytest.approx(8760 / 1680)
    assert fte["binding"].tolist() == ["minimum_posts", "queueing"]
    assert np.isnan(fte["minimum_posts_fte"].iloc[1])
    assert risk_matrix(town(noise=(9, 0, 0, 0, 0)), keys).fte["queueing_fte"].tolist() == [0, 0]


def test_hours_come_from_clear_times_and_units_when_not_given():
    calls = town(noise=(4, 0, 0, 0, 0)).drop(columns="unit_hours")
    calls["dispatched_at"] = calls["received_at"]
    calls["cleared_at"] = calls["received_at"] + pd.to_timedelta([1.0, 1.0, 3.0, np.nan], unit="h")
    calls["num_units"] = [2, 1, 1, None]
    counts = count_types(calls)
    assert counts.rows["hours"].sum() == pytest.approx(2 + 1 + 3 + 2)
    assert any("1 calls without hours have the mean" in note for note in counts.notes)
    bare = risk_matrix(calls.drop(columns="cleared_at"))
    assert bare.fte.empty
    assert any("no hours, no FTE" in note for note in bare.notes)


def test_calls_in_the_terms_of_the_brief_are_read_too():
    calls = pd.DataFrame(
        {
            "final_type": ["fight", "fight", "noise"],
            "t_dispatch": ["2019-01-01 08:00", "2019-06-01 09:00", "2019-12-31 10:00"],
            "t_clear": ["2019-01-01 09:00", "2019-06-01 10:00", "2019-12-31 11:00"],
            "origin": "community",
            "level": ["als", "ALS", None],
            "transported": [True, False, False],
            "unnatural_death": False,
        }
    )
    assert risk_matrix(calls).types.loc["fight", "n_worst"] == 1
    assert risk_matrix(calls, {"als_no_transport": 4}).types.loc["fight", "n_worst"] == 2
    with pytest.raises(InputError, match="calls with a column severity_als_visit"):
        risk_matrix(town(**TOWN), {"als_no_transport": 4})
    with pytest.raises(InputError, match="row 1, level: found 'tank'"):
        risk_matrix(calls.assign(level="tank"))


def test_calls_that_cannot_be_used_name_every_fault():
    calls = town(noise=(4, 0, 0, 0, 0)).astype({"severity": object, "unit_hours": float})
    calls["uof"] = ["no", False, False, False]
    calls["origin"] = "alien"
    calls.loc[1, "severity"] = 7
    calls.loc[2, "unit_hours"] = -1.0
    calls.loc[3, "call_type"] = None
    with pytest.raises(InputError) as raised:
        count_types(calls)
    assert [str(fault) for fault in raised.value.faults] == [
        "calls: row 4, call_type: found nothing, expected the final type of the call",
        "calls: row 2, severity: found 7, expected 1 to 5",
        "calls: row 2, severity_als_visit: found 7, expected 1 to 5",
        "calls: row 1, uof: found 'no', expected true or false",
        "calls: row 1, origin: found 'alien' (in 4 rows), expected community or officer",
        "calls: row 3, unit_hours: found -1, expected hours of 0 or more",
    ]
    with pytest.raises(InputError) as raised:
        count_types(pd.DataFrame({"call_typ": []}))
    words = str(raised.value)
    assert "did you mean 'call_typ'?" in words
    assert "no column 'severity'" in words
    assert "no call" in words
    noon = town(noise=(2, 0, 0, 0, 0)).drop(columns="unit_hours")
    noon = noon.assign(dispatched_at=noon["received_at"], cleared_at="2019-01-01 12:00")
    with pytest.raises(InputError, match=r"dispatched_at and cleared_at.*times of the same zone"):
        count_types(noon)
    with pytest.raises(InputError, match=r"self_initiated: found 'yes' .in 2 rows., expected true"):
        count_types(town(noise=(2, 0, 0, 0, 0)).assign(self_initiated="yes"))
    with pytest.raises(InputError, match="received_at: found 'soon'"):
        count_types(pd.DataFrame({"call_type": ["a"], "received_at": ["soon"], "severity": [1]}))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"gap_polcy": "likely"}, "gap_polcy: found an unknown key.*did you mean 'gap_policy'"),
        ({"uof": "forget"}, "params: uof: found 'forget', expected 'drop', 'numerator_only' or"),
        ({"likelihood_cuts": [0.1, 0.05, 0.2, 0.3]}, "four rising rates"),
        ({"product_cuts": [5, 8, 15]}, "three falling products"),
        ({"years": []}, "at least one year"),
        ({"cell_map": "seatle"}, "cell_map: found 'seatle', expected 'seattle_like', 'icao' or"),
        ({"cell_map": [[1] * 5] * 4}, "cell_map"),
        ({"cell_map": [[4, 3, 2, 1, 7]] * 5}, "cell_map.*found 7"),
        ({"cell_map": [[1, 2, 3, 4, 4]] * 5}, "no less protective tier"),
        ({"cell_map": [[4] * 5, *[[1] * 5] * 4]}, "likelihood 5, severity 1 above likelihood 4"),
        ({"deferral": {"online": 0.7, "civilian": 0.7}}, "at most 1 together"),
        ({"unavailable_hours": 2080}, "unavailable_hours below paid_hours"),
        ({"gap_end": 0.2}, "a gap_end that is not below"),
        ({"relief_factor": 0.5}, "relief_factor: found 0.5"),
    ],
)
def test_wrong_constants_are_refused_in_words(params, words):
    with pytest.raises(InputError, match=words):
        risk_settings(params)


def test_constants_are_frozen_and_have_a_digest_that_tells_them_apart():
    one, other = RiskSettings(), RiskSettings(gap_policy="likely")
    assert one.digest == risk_settings({}).digest != other.digest
    assert risk_settings(other) is other
    assert len(one.digest) == 64
    assert first_slack(((4, 4, 4, 4, 4),) * 5) == ""


def test_overrides_without_a_reason_or_for_unknown_types_are_refused_all_at_once():
    overrides = pd.DataFrame(
        {
            "call_type": ["noise", "fite", "fight", "fight"],
            "tier": [1, 2, 5, 1],
            "reason": [None, "suits_coresponders", "legal_mandate", " "],
        }
    )
    with pytest.raises(InputError) as raised:
        risk_matrix(town(**TOWN), overrides=overrides)
    words = [str(fault) for fault in raised.value.faults]
    assert words[0].startswith("overrides: row 1, reason: found nothing, expected one of explicit")
    assert "did you mean 'fight'?" in words[1]
    assert "did you mean 'suits_coresponder'?" in words[2]
    assert words[3] == "overrides: row 3, tier: found 5, expected 1, 2, 3 or 4"
    assert words[4].startswith("overrides: row 4, call_type: found 'fight' again")
    assert len(words) == 6
    wrong = pd.DataFrame({"call_type": ["odd"], "tier": [1], "reason": ["suits_alternative"]})
    with pytest.raises(InputError, match="found 1, expected Tier 3 or 4 where the reason is suits"):
        check_overrides(wrong, ["odd"])
    with pytest.raises(InputError, match="no column 'reason'"):
        check_overrides(overrides.drop(columns="reason"), ["noise"])


def test_a_map_that_half_of_the_list_contradicts_is_questioned():
    initial = pd.Series([4, 4, 1], index=["a", "b", "c"])
    overrides = pd.DataFrame(
        {"call_type": ["a", "b"], "tier": [1, 4], "reason": "policy_other", "author": ["jk", None]}
    )
    recoded = apply(initial, overrides)
    assert recoded["direction"].tolist() == ["up", "none", "none"]
    assert recoded["author"].tolist() == ["jk", "", ""]
    assert "2 of 3 types are set by hand" in override_warning(recoded)
    assert override_warning(apply(initial)) == ""
    assert stats(apply(initial))["types"].tolist() == [0, 0, 3, 0, 0]


def test_merged_types_count_together_and_circles_are_refused():
    counts = count_types(town(**TOWN))
    merged = merge_types(counts, {"odd": "fight", "fight": "noise"})
    assert merged.call_types == ("noise",)
    assert merged.rows["calls"].sum() == counts.rows["calls"].sum()
    with pytest.raises(InputError, match="fight -> odd -> fight"):
        merge_types(counts, {"fight": "odd", "odd": "fight"})
    with pytest.raises(InputError, match="'fite'"):
        merge_types(counts, {"fite": "odd"})

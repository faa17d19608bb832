"""How firm tiers are, what to merge, what happened since launch, and who is touched."""

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.risk.agreement import changes, cohen_kappa, cross_tab
from deploy_opt.risk.call_counts import add_counts, count_types
from deploy_opt.risk.call_types import count_permutations, evaluate_merges, suggest_merges
from deploy_opt.risk.recode import REASONS
from deploy_opt.risk.tier_disparity import area_groups, tier_disparity
from deploy_opt.risk.tier_studies import reference_years, sensitivity_runs, tier_stability
from deploy_opt.risk.tier_versions import publish, tiers_at
from deploy_opt.risk.tiers import evaluate
from deploy_opt.risk.tracking import track
from risk_town import calls_of, published_counts, town


def years_of(**by_type):
    """Calls of several years: name = one tuple of calls by severity for each year from 2017."""
    parts = []
    for number in range(len(next(iter(by_type.values())))):
        rows = [
            (name, severity, n)
            for name, years in by_type.items()
            for severity, n in enumerate(years[number], start=1)
            if n
        ]
        counts = pd.DataFrame(rows, columns=["call_type", "severity", "n"])
        parts.append(calls_of(counts, start=f"{2017 + number}-01-01", days=365))
    return pd.concat(parts, ignore_index=True)


STEADY = years_of(
    calm=((200, 0, 0, 0, 0), (150, 0, 0, 0, 0)),
    turning=((196, 0, 4, 0, 0), (100, 0, 50, 0, 0)),
    rare=((99, 0, 0, 1, 0), (90, 0, 0, 2, 0)),
)


def test_a_type_that_turns_shows_in_the_next_year():
    line = tier_stability(count_types(STEADY)).loc[(2017, 2018)]
    assert line["types"] == 2  # rare is manual in 2017
    assert line["manual"] == 1
    assert line["share_flipped"] == 0.5
    assert line["kappa"] == pytest.approx(1 / 3)
    assert tier_stability(count_types(STEADY), {"years": [2018]}).empty


def test_kappa_knows_full_agreement_chance_and_no_answer():
    assert cohen_kappa(pd.DataFrame(np.diag([3, 4]))) == 1.0
    assert cohen_kappa(pd.DataFrame([[4, 4], [4, 4]])) == 0.0
    assert np.isnan(cohen_kappa(pd.DataFrame([[5, 0], [0, 0]])))
    assert np.isnan(cohen_kappa(pd.DataFrame([[0, 0], [0, 0]])))
    far = pd.DataFrame([[4, 0, 2], [0, 4, 0], [2, 0, 4]])
    assert cohen_kappa(far, weighted=True) < cohen_kappa(far)


def test_sensitivity_runs_start_from_the_settings_and_count_flips_by_direction():
    counts = count_types(calls_of(published_counts()))
    runs = sensitivity_runs(counts)
    assert runs.loc["as set", ["tier_1", "flips"]].tolist() == [83, 0]
    assert runs.loc["map product", ["tier_1", "tier_2", "tier_3", "tier_4"]].tolist() == [
        8,
        12,
        196,
        140,
    ]
    assert runs.loc["map icao", "flips_down"] > 0
    assert "use of force dropped" not in runs.index  # as set
    assert "ALS visit is 4" not in runs.index  # the calls cannot say
    assert (runs["flips"] == runs["flips_up"] + runs["flips_down"]).all()
    assert runs.loc["as set", "fte_tier_2"] > 0


def test_a_run_without_calls_is_empty_by_default_and_refused_when_asked_for():
    calls = town(noise=(9, 0, 0, 0, 0)).assign(self_initiated=True)
    counts = count_types(calls)
    runs = sensitivity_runs(counts, {"origin": "all"})
    assert runs.loc["officer-initiated out"].isna().all()
    with pytest.raises(InputError, match="no call that counts"):
        sensitivity_runs(counts, {"origin": "all"}, runs={"out": {"origin": "community"}})
    aided = town(noise=(9, 0, 0, 0, 0)).assign(severity_als_visit=1)
    assert "ALS visit is 4" in sensitivity_runs(count_types(aided)).index


def test_the_choice_of_reference_years_is_shown():
    spans = reference_years(count_types(STEADY))
    assert spans.index.tolist() == ["as set", "2017", "2018", "2017-2018"]
    assert spans.loc["2017-2018", "flips"] == 0
    assert spans.loc["2017", "flips"] > 0


def test_changes_name_the_types():
    counts = count_types(STEADY)
    found = changes(evaluate(counts, {"years": [2017]}), evaluate(counts, {"years": [2018]}))
    assert found.loc["turning"].tolist() == [3, 1, "up"]


def test_a_rival_list_is_cross_tabulated_also_in_reverse_code():
    matrix = evaluate(
        count_types(town(fight=(40, 0, 20, 0, 0), noise=(300, 0, 0, 0, 0), odd=(9, 0, 0, 1, 0)))
    )
    rival = pd.DataFrame({"call_type": ["fight", "noise"], "tier": [2, 4]})
    found = cross_tab(matrix, rival)
    assert found.table.loc[1, 2] == 1
    assert found.table.loc[4, 4] == 1
    assert found.share_agree == 0.5
    assert found.unmatched == ("odd",)
    assert found.differing.loc["fight", ["tier", "rival_tier", "direction"]].tolist() == [
        1,
        2,
        "down",
    ]
    reverse = rival.assign(tier=[4, 1])
    assert cross_tab(matrix, reverse, reverse=True).kappa == 1.0
    with pytest.raises(InputError) as raised:
        cross_tab(matrix, pd.DataFrame({"call_type": ["fite", "odd", "odd"], "tier": [1, 9, 1]}))
    assert len(raised.value.faults) == 3
    with pytest.raises(InputError, match="no column 'tier'"):
        cross_tab(matrix, rival[["call_type"]])
    assert np.isnan(cross_tab(matrix, rival.iloc[:0]).share_agree)


HYGIENE = {
    "LIQUOR VIOLATIONS - ADULT": (400, 0, 20, 0, 0),
    "LIQUOR VIOLATIONS - MINOR": (8, 0, 1, 0, 0),
    "NOISE - DISTURBANCE": (500, 0, 0, 0, 0),
    "NOISE - ANIMAL": (5, 0, 0, 0, 0),
    "XYZZY": (3, 0, 0, 0, 1),
}


def test_thin_types_are_merged_by_name_and_the_effect_on_tiers_is_shown():
    counts = count_types(town(**{name.replace(" ", "_"): of for name, of in HYGIENE.items()}))
    merges = suggest_merges(counts).set_index("call_type")
    assert merges["into"].to_dict() == {
        "LIQUOR VIOLATIONS - MINOR": "LIQUOR VIOLATIONS - ADULT",
        "NOISE - ANIMAL": "NOISE - DISTURBANCE",
    }
    minor = merges.loc["LIQUOR VIOLATIONS - MINOR"]
    assert (minor["status"], minor["status_merged"]) == ("manual", "auto")
    assert (minor["tier"], minor["tier_into"], minor["tier_merged"]) == (1, 3, 3)
    assert (minor["moves_call_type"], minor["moves_into"], minor["calls_moved"]) == (True, False, 9)
    both = evaluate_merges(counts, merges["into"].to_dict())
    assert both.types.index.tolist() == [
        "LIQUOR VIOLATIONS - ADULT",
        "NOISE - DISTURBANCE",
        "XYZZY",
    ]
    assert both.types.loc["LIQUOR VIOLATIONS - ADULT", "tier_initial"] == minor["tier_merged"]


def test_two_thin_types_are_merged_one_way_only_so_that_suggestions_can_be_taken_together():
    counts = count_types(town(NOISE_A=(5, 0, 0, 0, 0), NOISE_B=(5, 0, 0, 0, 0), X=(40, 0, 0, 0, 0)))
    merges = suggest_merges(counts).set_index("call_type")["into"]
    assert merges.to_dict() == {"NOISE B": "NOISE A"}
    assert evaluate_merges(counts, merges.to_dict()).types.loc["NOISE A", "n"] == 10
    assert suggest_merges(counts, thin_calls=1).empty


def test_permutations_of_codes_are_counted():
    calls = pd.DataFrame({"initial_type": list("aabb"), "final_type": list("xyxx")})
    found = count_permutations(calls, ["initial_type", "final_type"])
    assert found["permutations"].tolist() == [2, 3]
    assert found["seen_once"].tolist() == [0, 2]
    assert found["share_of_calls_in_top_ten"].tolist() == [1.0, 1.0]
    with pytest.raises(InputError, match="did you mean 'final_type'"):
        count_permutations(calls, ["final_typ"])
    with pytest.raises(InputError, match="at least one column"):
        count_permutations(calls, [])


def launched():
    """Before: four types. Since: one worse, one more often, one new, one as it was."""
    before = town(
        calm=(400, 0, 0, 0, 0),
        steady=(300, 0, 9, 0, 0),
        rising=(390, 0, 10, 0, 0),
        worse=(200, 0, 4, 0, 0),
    )
    since = town(
        calm=(200, 0, 0, 0, 0),
        steady=(150, 0, 4, 0, 0),
        rising=(150, 0, 30, 0, 0),
        worse=(80, 0, 1, 0, 1),
        fresh=(5, 0, 0, 0, 0),
    )
    since["received_at"] += pd.Timedelta(days=1500)
    since["responder"] = np.where(since["call_type"] == "calm", "civilian", "coresponder")
    return before, since


def test_types_to_retier_are_flagged_and_the_steady_ones_are_not():
    before, since = launched()
    counts = count_types(before)
    found = track(since, counts, evaluate(counts), launch="2020-01-01")
    flags = found.types["flag"].to_dict()
    assert flags == {
        "calm": "",
        "steady": "",
        "rising": "more_often",
        "worse": "worse_outcome",
        "fresh": "new_type",
    }
    assert set(found.to_retier) == {"rising", "worse", "fresh"}
    assert found.types["q_value"].between(0, 1).all()
    assert found.digest == evaluate(counts).digest


def test_outcomes_are_told_by_tier_and_responder_beside_what_was_expected():
    before, since = launched()
    counts = count_types(before)
    rows = track(since, counts, evaluate(counts)).responders
    calm = rows.loc[(4, "civilian")]
    assert calm[["calls", "harmed", "harm_rate", "expected_harm_rate"]].tolist() == [200, 0, 0, 0]
    third = rows.loc[(3, "all")]
    assert third["calls"] == 154 + 180 + 82
    assert third["harmed"] == 36
    assert third["deaths"] == 1
    assert third["harm_lo"] < third["harm_rate"] < third["harm_hi"]
    assert third["expected_harm_rate"] < third["harm_lo"]
    assert (1, "coresponder") in rows.index  # the new type, unreviewed


def test_calls_before_the_launch_do_not_count():
    before, since = launched()
    counts = count_types(before)
    with pytest.raises(InputError, match="none since the launch on 2031-01-01"):
        track(since, counts, evaluate(counts), launch="2031-01-01")
    with pytest.raises(InputError, match="no column 'received_at'"):
        track(since.drop(columns="received_at"), counts, evaluate(counts), launch="2020-01-01")
    only = evaluate(counts, {"years": [2017]})
    assert set(track(since.drop(columns="responder"), counts, only).responders.index) == {
        (1, "all"),
        (3, "all"),
        (4, "all"),
    }


def test_counts_of_two_periods_add_up():
    first, second = (count_types(calls) for calls in launched())
    both = add_counts(first, second)
    assert both.rows["calls"].sum() == first.rows["calls"].sum() + second.rows["calls"].sum()
    assert "fresh" in both.call_types
    assert both.last_day == second.last_day


def test_versions_are_kept_and_only_changes_are_written():
    counts = count_types(STEADY)
    first = publish(None, evaluate(counts, {"years": [2017]}), "2019-01-01")
    ledger = publish(first, evaluate(counts, {"years": [2018]}), "2020-01-01")
    assert ledger.iloc[: len(first)].equals(first)
    assert ledger.loc[len(first) :, "call_type"].tolist() == ["turning"]
    assert tiers_at(ledger, "2019-06-01")["turning"] == 3
    assert tiers_at(ledger, "2020-01-01")["turning"] == 1
    assert tiers_at(ledger, "2018-01-01").empty
    with pytest.raises(InputError, match="expected a day after 2020-01-01"):
        publish(ledger, evaluate(counts), "2019-12-01")


def test_disparity_between_groups_of_areas_is_measured_with_intervals():
    calls = town(fight=(400, 0, 200, 0, 0), noise=(900, 0, 0, 0, 0))
    fights = (calls["call_type"] == "fight").to_numpy()
    rng = np.random.default_rng(3)
    calls["area_id"] = np.where(rng.random(len(calls)) < np.where(fights, 0.7, 0.3), "a", "b")
    calls.loc[:9, "area_id"] = "elsewhere"
    calls["linked"] = calls["severity"] > 1
    groups = pd.Series({"a": "poor", "b": "rich"})
    matrix = evaluate(count_types(calls))
    found = tier_disparity(calls, matrix, groups, seed=1, draws=500)
    line = found.loc[("tier_1", "poor")]
    assert line["difference_lo"] > 0.2
    assert line["ratio_lo"] > 1.2
    assert line["lo"] < line["value"] < line["hi"]
    assert found.loc[("tier_1", "rich"), "difference"] == pytest.approx(-line["difference"])
    assert np.isnan(found.loc[("recoded_up", "poor"), "ratio"])
    assert found.loc["linked"]["value"].equals(found.loc["harmed"]["value"])
    assert found.equals(tier_disparity(calls, matrix, groups, seed=1, draws=500))
    bare = tier_disparity(calls.drop(columns=["linked", "severity"]), matrix, groups, seed=1)
    assert "harmed" not in bare.index.get_level_values("measure")
    with pytest.raises(InputError, match="no column 'area_id'"):
        tier_disparity(calls.drop(columns="area_id"), matrix, groups, seed=1)
    with pytest.raises(InputError, match="calls in 1 groups"):
        tier_disparity(calls, matrix, groups[["a"]], seed=1)


def test_areas_are_grouped_by_quantiles():
    groups = area_groups(pd.Series([0.1, 0.2, 0.3, 0.4, None], index=list("abcde")), quantiles=4)
    assert groups.tolist()[:4] == ["1 lowest", "2", "3", "4 highest"]
    assert pd.isna(groups["e"])
    with pytest.raises(InputError, match="2 to 10 groups"):
        area_groups(pd.Series([1.0]), quantiles=1)


def test_reasons_are_the_seven_of_the_recode_layer():
    assert len(REASONS) == 7

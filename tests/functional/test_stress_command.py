"""`deploy-opt stress`, `marginal` and diverting hospitals on the finished town."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt import stages
from deploy_opt.errors import InputError
from deploy_opt.scenario import load_scenario
from deploy_opt.stages.simulation_ground import WARM_UP_H, lay_simulation_ground
from deploy_opt.stages.stress_defaults import default_variants
from deploy_opt.stages.stress_ground import diversions_of, lay_spell
from deploy_opt.stress_settings import StressVariant
from deploy_opt.tables import TABLES, check_frame

SPELLS = (
    "stress.variants={"
    "storm: {from_hour: 30, hours: 5, surge: 4, surge_areas: [A4]}, "
    "bridge: {from_hour: 30, hours: 8, arcs: [['40', '41'], ['31', '40']]}, "
    "gone: {from_hour: 30, hours: 6, lost_posts: [P2], crews: 0.7}, "
    "alone: {from_hour: 30, hours: 3, crews: 0.0, borrowed_units: {P1: 1}}}"
)


@pytest.fixture(scope="module")
def asked(finished):
    town, _ = finished
    out = town.parent / "stressed"
    return (str(town), "--out", str(out)), out


def test_plan_today_and_contingency_are_played_through_every_spell(asked, deploy_opt):
    words, out = asked
    how = ("stress", *words, "--replications", "2", "--set", SPELLS)
    code, said, wrong = deploy_opt(*how)
    assert code == 0, wrong
    assert "storm: late plan" in said
    table = pd.read_csv(out / "stress.csv", dtype={"scope_id": str})
    check_frame(table, TABLES["stress.csv"], where="stress.csv")
    assert list(table["variant"].unique()) == ["storm", "bridge", "gone", "alone"]
    found = json.loads((out / "stress.json").read_text("utf-8"))["variants"]
    for name, spell in found.items():
        model = spell["model"]
        assert model["in_time"]["contingency"] >= model["in_time"]["plan"] - 1e-9, name
        assert model["bound"] >= model["in_time"]["contingency"] - 1e-9
        posts = pd.read_csv(out / f"contingency_posts_{name}.csv")
        check_frame(posts, TABLES["contingency_posts_VARIANT.csv"], where=name)
        assert posts["hour"].min() >= 30
    gone = pd.read_csv(out / "contingency_posts_gone.csv")
    assert "P2" not in set(gone["post_id"])
    alone = pd.read_csv(out / "contingency_posts_alone.csv")
    assert alone.groupby("hour")["units"].sum().tolist() == [1, 1, 1]
    page = (out / "stress.html").read_text("utf-8")
    assert "<script" not in page
    assert "no positions of these units exceed" in page
    assert deploy_opt(*how, "--only", "alone")[0] == 0
    again = pd.read_csv(out / "stress.csv", dtype={"scope_id": str})
    first = table[table["variant"] == "alone"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, first, check_exact=True)


def test_without_a_section_the_usual_spells_are_played(asked, deploy_opt):
    words, _ = asked
    code, said, _ = deploy_opt(
        *("stress", *words, "--replications", "2", "--only", "post_lost", "--json")
    )
    assert code == 0
    found = json.loads(said)
    assert list(found["variants"]) == ["post_lost"]
    assert "is off duty" in str(found) or "are off duty" in str(found)
    code, _, wrong = deploy_opt("stress", *words, "--set", SPELLS, "--only", "stormm")
    assert code == 2
    assert "did you mean 'storm'?" in wrong


@pytest.mark.parametrize(
    ("spell", "words"),
    [
        ("{from_hour: 160, hours: 20, surge: 5}", "hours of the plan, 0 to 168"),
        ("{from_hour: 3, hours: 2, lost_posts: [P9]}", "post 'P9'"),
        ("{from_hour: 3, hours: 2, lost_hospitals: [H1]}", "no hospital, as the inputs have none"),
        ("{from_hour: 3, hours: 2, road_classes: [residental]}", "did you mean 'residential'?"),
        ("{from_hour: 3, hours: 2, surge: 2, surge_areas: [A7]}", "area 'A7'"),
        ("{from_hour: 3, hours: 2}", "at least one of surge"),
        ("{from_hour: 3, hours: 2, crews: 0}", "nobody"),
    ],
)
def test_a_spell_that_cannot_be_is_refused_in_words(asked, deploy_opt, spell, words):
    command, _ = asked
    setting = f"stress.variants={{odd: {spell}}}"
    code, _, wrong = deploy_opt("stress", *command, "--replications", "2", "--set", setting)
    assert code == 2
    assert words in wrong


def test_the_page_of_one_more_unit_answers_the_council(asked, deploy_opt):
    words, out = asked
    code, said, _ = deploy_opt("marginal", *words, "--replications", "2", "--json")
    assert code == 0
    found = json.loads(said)
    points = [row["points"] for row in found["one_more"]]
    assert points == sorted(points, reverse=True)
    assert all(row["hi"] >= 0 for row in found["one_more"])
    day = [row for row in found["one_more"] if row["block"] == "all day"]
    assert day[0]["unit_hours"] == 168
    assert day[0]["cost"] is None
    table = pd.read_csv(out / "marginal.csv")
    check_frame(table, TABLES["marginal.csv"], where="marginal.csv")
    page = (out / "marginal.html").read_text("utf-8")
    assert "<script" not in page
    assert "What does one more buy?" in page


@pytest.fixture(scope="module")
def played(finished):
    """Ground of the town with two hospitals, and what the simulation stands on."""
    town, run = finished
    parts = ["service_times.ems.on_scene_min=20", "service_times.ems.transport_share=0.5"]
    scenario = load_scenario(town, None, parts)
    calls, ground, comparison = (run.results[k] for k in ("calls", "ground", "comparison"))
    beds = pd.DataFrame(
        {
            "hospital_id": ["H1", "H2"],
            "name": ["Klinik Ost", "Klinik West"],
            "lon": [10.05, 10.005],
            "lat": [50.03, 50.03],
        }
    )
    ground = replace(ground, hospitals=beds)
    roads = stages.read_roads(scenario)
    stage = lay_simulation_ground(scenario, calls, roads, ground, comparison.area_ids)
    return town, parts, calls, ground, roads, stage, comparison


def test_a_diversion_names_its_hospital_and_hours(played):
    town, parts, _, ground, _, stage, _ = played

    def asked_for(text):
        scenario = load_scenario(town, None, [*parts, f"simulation.diversions={text}"])
        return diversions_of(scenario, ground, stage)

    found = asked_for("[{hospital: H2, hours: [5, 4]}]")
    assert found["hospital"].tolist() == [stage.hospitals[1]] * 2
    assert found["from_s"].tolist() == [3600 * (WARM_UP_H + 4), 3600 * (WARM_UP_H + 5)]
    assert (found["to_s"] - found["from_s"]).tolist() == [3600, 3600]
    with pytest.raises(InputError, match="hospital 'H3', expected one of H1, H2"):
        asked_for("[{hospital: H3, hours: [4]}]")
    assert diversions_of(load_scenario(town), ground, stage) is None
    short = replace(stage, hours=24)
    scenario = load_scenario(
        town, None, [*parts, "simulation.diversions=[{hospital: H1, hours: [30]}]"]
    )
    with pytest.raises(InputError, match="hours of the plan, 0 to 23"):
        diversions_of(scenario, ground, short)


def test_spells_by_default_touch_roads_posts_and_the_hospital_of_most_calls(played):
    *_, ground, roads, _, comparison = played
    hours = comparison.plan.units.sum(axis=0) + comparison.baseline.units.sum(axis=0)
    found = default_variants(comparison.rates, hours, ground, roads)
    assert list(found) == [
        *("storm", "fast_roads_closed", "post_lost", "hospital_lost"),
        *("half_the_crews", "units_lent", "storm_with_help"),
    ]
    assert found["storm"].surge == 5.0
    assert found["fast_roads_closed"].slowed == 2.0  # there is one class only
    busiest = ground.posts["post_id"].iloc[int(np.argmax(hours))]
    assert found["post_lost"].lost_posts == (busiest,)
    assert found["hospital_lost"].lost_hospitals[0] in {"H1", "H2"}
    assert "fast_roads_closed" not in default_variants(comparison.rates, hours, ground, None)


def test_a_spell_is_laid_out_for_simulation_and_model(played):
    town, parts, calls, ground, roads, stage, _ = played
    variant = StressVariant(
        from_hour=10, hours=4, road_classes=["residential"], lost_hospitals=["H1"], lent_units=1
    )
    spell = lay_spell(
        *(load_scenario(town, None, parts), "cut", variant),
        calls=calls,
        roads=roads,
        ground=ground,
        stage=stage,
    )
    assert spell.stress.lost_hospitals == (stage.hospitals[0],)
    num = len(stage.times_s)
    broken = np.flatnonzero(spell.stress.period_of_hour >= num)
    assert broken.tolist() == [WARM_UP_H + 10 + hour for hour in range(4)]
    late = spell.stress.times[num:] - spell.stress.times[:num]
    assert late.max() == pytest.approx(3600, rel=1e-3)
    assert (spell.times.by_profile >= ground.times.by_profile).all()
    said = " ".join(spell.words)
    assert "Diverts: Klinik Ost." in said
    assert "an hour longer than usual" in said
    assert "1 unit is lent" in said

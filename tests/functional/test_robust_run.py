"""A run against sample paths of the forecast, from the scenario to the page."""

import pandas as pd
import pytest
import yaml

from deploy_opt.commands import run_plan
from deploy_opt.errors import InputError
from deploy_opt.scenario import load_scenario


def bad_weeks(town):
    tree = yaml.safe_load(town.read_text(encoding="utf-8"))
    tree["horizon"] = {"start": "2026-03-02", "hours": 24}
    tree["demand"] = {**tree.get("demand", {}), "num_paths": 40}
    tree["robust"] = {"against": "cvar", "paths": 6, "worst_share": 0.25, "passes": 2}
    file = town.with_name("bad_weeks.yaml")
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_scenario(file)


def test_a_run_for_bad_weeks_says_what_it_brings_on_paths_that_it_was_kept_from(town):
    scenario = bad_weeks(town)
    folder = scenario.origin.file.parent / "made"
    summary, lines = run_plan(scenario, folder)
    words = "\n".join(lines)
    assert "Planned for the worst of sample paths" in words
    assert "On the 20 paths kept from it, in the worst 25% the plan reaches" in words
    table = pd.read_csv(folder / "metrics.csv")
    late = table[table["metric"] == "late_calls_on_kept_paths"]
    assert set(late["arm"]) == {"plan", "plan_on_the_mean", "baseline", "simple_plan"}
    assert late["population"].nunique() == 2
    (note,) = [note for note in summary["notes"] if note.startswith("robust:")]
    assert "fewest late calls on the worst 25% of 6 sample paths" in note
    assert note not in words  # it is about the solve, not a rule that was not kept


def test_the_fewest_unit_hours_are_not_asked_of_paths(town):
    scenario = bad_weeks(town)
    with pytest.raises(InputError, match="the fewest unit-hours are asked of the forecast's mean"):
        run_plan(scenario, scenario.origin.file.parent / "made", target_share=0.5)

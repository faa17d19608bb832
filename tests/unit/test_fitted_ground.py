"""What calibration found, in the scenario: scaled drives, another turnout, said in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.report.calibration_page import Triage, clock
from deploy_opt.scenario import load_scenario
from deploy_opt.simulation.draws import ServiceLaws
from deploy_opt.simulation.priorities import TriageReport
from deploy_opt.stages.simulation_ground import SimulationGround

GROUND = SimulationGround(
    times_s=np.zeros((1, 1, 1), dtype=np.float32),
    node_xy=np.zeros((1, 2)),
    period_of_hour=np.zeros(168, dtype=np.int64),
    num_posts=1,
    hospitals=np.empty(0, dtype=np.int64),
    points=pd.DataFrame({"area": [0], "node": [0], "share": [1.0]}),
    service=ServiceLaws(),
    area_ids=("A",),
    processing_s=60.0,
    turnout_s=90.0,
    standard_s=420.0,
    hours=24,
    seed=5,
    notes=(),
)


def test_turnout_without_spread_is_the_same_for_every_call():
    calls = GROUND.draw(np.full((1, 24), 2), 0)
    assert (calls["turnout_s"] == 90.0).all()


def test_turnout_with_spread_has_its_mean_and_hangs_on_the_call():
    spread = replace(GROUND, turnout_cv=0.5)
    ids = np.asarray([f"c{k}" for k in range(20_000)], dtype=object)
    drawn = spread.turnouts(ids, "0")
    assert drawn.mean() == pytest.approx(90.0, rel=0.02)
    assert drawn.std() / drawn.mean() == pytest.approx(0.5, abs=0.02)
    assert (drawn[::-1] == spread.turnouts(ids[::-1], "0")).all()
    assert not (drawn == spread.turnouts(ids, "1")).any()


@pytest.mark.parametrize(
    "wrong", ["travel_scale=0", "travel_scale=9", "turnout_s=-1", "turnout_cv=nine"]
)
def test_a_fitted_number_that_cannot_be_is_refused_in_words(wrong, tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("name: A\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"simulation.{wrong.split('=')[0]}"):
        load_scenario(file, None, [f"simulation.{wrong}"])


def test_priorities_are_laid_out_as_one_table():
    assert Triage().tidy().empty
    matrix = pd.DataFrame([[5, 2], [1, 4]], index=["1", "2"], columns=["1", "2"])
    matrix = matrix.rename_axis(index="priority", columns="final_priority")
    known = pd.DataFrame(
        {"scope": ["all"], "scope_id": "all", "statistic": "late_share", "value_known": 0.3,
         "value_final": 0.2, "difference": 0.1}
    )  # fmt: skip
    report = TriageReport(matrix, 2 / 12, 1 / 12, float("nan"))
    table = Triage(report, known).tidy()
    counts = table[table["measure"] == "calls"].set_index(["initial", "final"])["value"]
    assert counts["1", "2"] == 2
    assert set(table["measure"]) == {"calls", "over_triage", "under_triage", "simulated"}
    assert clock(float("nan")) == "–"

"""The recorded Utrecht days: every call again, the same vehicle, the same response."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deploy_opt

real_data = os.environ.get("DEPLOY_OPT_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(real_data is None, reason="DEPLOY_OPT_REAL_DATA is not set"),
]


def utrecht_day(trace, vehicles):
    folder = Path(real_data) / "utrecht"

    def column(name):
        path = folder / "traces" / f"{name}_test_run_simulation_diesel_{trace}.csv"
        return pd.read_csv(path).iloc[:, 0].to_numpy()

    nodes = pd.read_csv(folder / "nodes_Utrecht_2021.csv", encoding="utf-8-sig")
    minutes = pd.read_csv(folder / "siren_driving_matrix_2022.csv", index_col=0)
    node_of = {int(code): row for row, code in enumerate(minutes.index)}
    codes = [int(code) for code in minutes.columns]
    assert codes == list(node_of) == nodes["postal code"].tolist()
    plan = f"Base_Locations_Ambulances_MEXCLP_21_22_{vehicles}.csv"
    bases = pd.read_csv(folder / plan, encoding="utf-8-sig")
    hospitals = pd.read_csv(folder / "Hospital_Postal_Codes_Utrecht_2021.csv", encoding="utf-8-sig")
    fleet = pd.DataFrame(
        {
            "unit_id": bases["Ambulance"].astype(str),
            "unit_type": "als",
            "home_node": bases["Base"].map(node_of),
        }
    )
    at_min = np.cumsum(column("interarrival_times"))
    calls = pd.DataFrame(
        {
            "call_id": [f"c{row}" for row in range(len(at_min))],
            "at_s": at_min * 60,
            "node": pd.Series(column("location_IDs")).map(node_of),
            "call_class": "p1",
            "on_scene_s": column("on_site_aid_times") * 60,
            "transport": column("to_hospital_bool"),
            "handover_s": column("drop_off_times") * 60,
        }
    )
    result = deploy_opt.simulate(
        fleet,
        calls,
        minutes.to_numpy() * 60,
        policy="closest",
        hospitals=hospitals["Hospital"].map(node_of),
        node_xy=nodes[["x", "y"]],
        return_speed_factor=0.95,
        tie="lowest_unit",
    )
    recorded = pd.read_csv(folder / "traces" / f"Patient_Test_Diesel_{trace}.csv")
    expected = json.loads((folder / "expected_summary.json").read_text())[f"diesel_{trace}"]
    return result, recorded, expected


@pytest.mark.parametrize(("trace", "vehicles"), [(3, 23), (4, 24)])
def test_every_call_gets_the_recorded_vehicle_and_response(trace, vehicles):
    result, recorded, expected = utrecht_day(trace, vehicles)
    found = result.calls
    assert len(found) == len(recorded) == expected["calls"]
    assert found["unit_id"].astype(float).tolist() == recorded["assigned_to_ambulance_nr"].tolist()
    apart = np.abs(found["response_s"] / 60 - recorded["response_time"].to_numpy())
    assert apart.max() < 1e-9
    cleared = np.abs(found["cleared_s"] / 60 - recorded["finish_time"].to_numpy())
    assert cleared.max() < 1e-9
    assert ((found["hospital"] >= 0) == (recorded["to_hospital"] == 1)).all()
    assert result.mean_response_s / 60 == pytest.approx(expected["mean_response"], abs=1e-9)
    assert int(found["queued"].sum()) == expected["queued"]

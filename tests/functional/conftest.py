"""A town of four square areas, nine by nine street corners and two stations, to run whole."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

from deploy_opt import cli

ZONE = "Europe/Berlin"
SCENARIO = """
name: Vier Viertel
time_zone: Europe/Berlin
seed: 7
horizon: {start: 2026-03-02, hours: 168}
inputs:
  incidents: {file: data/calls.csv, preset: generic}
  areas: {file: data/areas.geojson, id_column: area_id, name_column: name}
  roads: {nodes: data/nodes.csv, arcs: data/arcs.csv}
  posts: data/posts.csv
standards:
  ems: {drive_limit_s: 150}
demand: {points_per_area: 4, num_paths: 40}
fleet: {min_units: 1, busy_cap: 0.7}
posts: {max_open: 4}
"""


def write_town(folder):
    """Write the town's files and its scenario; returns the scenario file."""
    data = folder / "data"
    data.mkdir(parents=True)
    corner_lon, corner_lat = 10.0 + 0.007 * np.arange(9), 50.0 + 0.0045 * np.arange(9)
    lon, lat = (side.ravel() for side in np.meshgrid(corner_lon, corner_lat))
    pd.DataFrame({"node_id": np.arange(81), "lon": lon, "lat": lat}).to_csv(
        data / "nodes.csv", index=False
    )
    node = np.arange(81).reshape(9, 9)
    east = np.column_stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    north = np.column_stack([node[:-1].ravel(), node[1:].ravel()])
    ends = np.concatenate([east, north])
    ends = np.concatenate([ends, ends[:, ::-1]])
    pd.DataFrame(
        {
            "from_node": ends[:, 0],
            "to_node": ends[:, 1],
            "length_m": 500.0,
            "siren_s": 36.0,
            "regular_s": 45.0,
            "road_class": "residential",
        }
    ).to_csv(data / "arcs.csv", index=False)
    names = {"A1": "Südwest", "A2": "Südost", "A3": "Nordwest", "A4": "Nordost"}
    features = []
    for rank, (area_id, name) in enumerate(names.items()):
        x, y = 10.0 + 0.028 * (rank % 2), 50.0 + 0.018 * (rank // 2)
        ring = [[x, y], [x + 0.028, y], [x + 0.028, y + 0.018], [x, y + 0.018], [x, y]]
        features.append(
            {
                "type": "Feature",
                "properties": {"area_id": area_id, "name": name},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    (data / "areas.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    pd.DataFrame(
        {
            "post_id": ["P1", "P2", "P3", "P4"],
            "name": ["Wache West", "Wache Ost", "Ecke Nord", "Ecke Mitte"],
            "lon": [10.007, 10.049, 10.021, 10.028],
            "lat": [50.0045, 50.0045, 50.0315, 50.018],
            "capacity": [3, 3, 2, 2],
            "current": [True, True, False, False],
            "units_today": [2, 1, 0, 0],
        }
    ).to_csv(data / "posts.csv", index=False)
    town_calls().to_csv(data / "calls.csv", index=False)
    scenario = folder / "town.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    return scenario


def town_calls(num_weeks=12, seed=3):
    """Draw calls by hour of day, most of them in the north-east; about 45 min each."""
    random = np.random.default_rng(seed)
    hours = pd.date_range("2025-12-08", periods=num_weeks * 168, freq="h", tz=ZONE)
    rate = 0.9 + 0.5 * np.sin((hours.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    num = random.poisson(rate)
    at = hours.repeat(num) + pd.to_timedelta(random.integers(0, 3600, num.sum()), unit="s")
    area = random.choice(4, size=num.sum(), p=[0.2, 0.2, 0.2, 0.4])
    dispatched = at + pd.to_timedelta(random.integers(30, 120, len(at)), unit="s")
    minutes = random.gamma(9.0, 5.0, len(at))
    return pd.DataFrame(
        {
            "incident_id": [f"E{rank:05d}" for rank in range(len(at))],
            "service": "ems",
            "call_type": "fall",
            "priority": "1",
            "received_at": at.map(lambda t: t.isoformat()),
            "dispatched_at": dispatched.map(lambda t: t.isoformat()),
            "cleared_at": (dispatched + pd.to_timedelta(minutes, unit="min")).map(
                lambda t: t.isoformat(timespec="seconds")
            ),
            "lon": 10.0 + 0.028 * (area % 2 + random.random(len(at))),
            "lat": 50.0 + 0.018 * (area // 2 + random.random(len(at))),
        }
    )


@pytest.fixture
def town(tmp_path):
    """The town in a folder whose name holds a space and an umlaut."""
    return write_town(tmp_path / "Stadt Ü")


@pytest.fixture
def deploy_opt(monkeypatch, capsys):
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["deploy-opt", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """One finished run of the town: the scenario file and the run."""
    from deploy_opt.pipeline import run
    from deploy_opt.scenario import load_scenario

    town = write_town(tmp_path_factory.mktemp("Stadt Ä"))
    return town, run(load_scenario(town), town.parent / "out")

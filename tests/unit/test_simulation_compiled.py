"""Kept code belongs to its sources: a changed helper is never met by an old loop."""

from __future__ import annotations

import types

import numba
import numpy as np
import pandas as pd

from call_plays import calls_at, fleet_at
from deploy_opt.simulation import dispatch, engine, ways
from deploy_opt.simulation.compiled import digest
from deploy_opt.simulation.policies import Policy
from deploy_opt.simulation.simulate import simulate
from plain_loop import plain_run_events


def test_the_digest_changes_with_any_source(tmp_path):
    module = types.ModuleType("m")
    module.__file__ = str(tmp_path / "m.py")
    (tmp_path / "m.py").write_text("a = 1\n")
    before = digest(module, ways)
    assert before == digest(module, ways)
    (tmp_path / "m.py").write_text("a = 2\n")
    assert digest(module, ways) != before


def test_the_loop_holds_the_digest_of_all_that_it_calls():
    play = engine._loop()
    cells = [cell.cell_contents for cell in play.py_func.__closure__]
    assert len(cells) == 1
    assert len(cells[0]) == 64
    called = {name for name in vars(engine) if name in vars(ways) or name in vars(dispatch)}
    assert {"drive_s", "choose", "next_waiting"} <= called


def test_every_case_is_of_one_type_so_that_the_loop_is_compiled_once(monkeypatch):
    met = set()

    def watch(case):
        state = plain_run_events()(case)
        met.add(numba.typeof((case, state)))
        return state

    monkeypatch.setattr(engine, "run_events", watch)
    road = 60.0 * np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    calls = calls_at((0, 2), (10, 1), (20, 0))
    simulate(fleet_at(0), calls, road)
    simulate(fleet_at(0), calls.astype({"node": "int32"}), road.astype(np.float32))
    simulate(fleet_at(0), calls.iloc[:1], road.T, hospitals=[2], none_free="lose")
    levels = pd.DataFrame({"unit_type": ["als"], "num_free": [1], "rank": [1], "node": [1]})
    for policy in (
        Policy(divert=((2, 1),), help_before=2),
        Policy(relocation="compliance", levels=levels, help_from={"A": ("B",)}),
        Policy(
            dispatch="dmexclp", posts=[0, 1], demand=[1, 1, 1], standard_s=99, busy_fraction=0.5
        ),
    ):
        simulate(
            fleet_at(0, 2, on_from_s=0, on_to_s=900, district=["A", "B"], mutual_aid=[False, True]),
            calls.assign(priority=[1, 2, 2], district=["A", "B", "A"], transport=True),
            np.stack([road, road]),
            policy=policy,
            tie="longest_idle",
            hospitals=[0, 2],
            node_xy=[[0, 0], [1, 0], [2, 0]],
            distances_km=road,
            return_speed_factor=1,
            period_of_hour=np.array([0, 1], dtype=np.int32),
            breaks=pd.DataFrame({"unit_id": ["U0"], "from_s": [5], "length_s": [9]}),
            diversions=pd.DataFrame({"hospital": [0], "from_s": [5], "to_s": [9]}),
        )
    assert len(met) == 1
